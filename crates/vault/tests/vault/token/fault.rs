use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use keystation_core::flow::{Vault, VaultError};
use keystation_core::key::DeviceKey;
use keystation_vault::{Custody, ImportError, UnlockError, VaultKey};

use super::bench::{PIN, alone, import, open};
use crate::contract::{id, oracle};
use crate::support::{EXAMPLE, OTHER, passphrase};

/// What a token may answer in the middle of a job.
const CODES: [(&str, &str); 15] = [
    ("2", "CKR_HOST_MEMORY"),
    ("3", "CKR_SLOT_ID_INVALID"),
    ("5", "CKR_GENERAL_ERROR"),
    ("6", "CKR_FUNCTION_FAILED"),
    ("30", "CKR_DEVICE_ERROR"),
    ("31", "CKR_DEVICE_MEMORY"),
    ("32", "CKR_DEVICE_REMOVED"),
    ("62", "CKR_KEY_SIZE_RANGE"),
    ("70", "CKR_MECHANISM_INVALID"),
    ("82", "CKR_OBJECT_HANDLE_INVALID"),
    ("B1", "CKR_SESSION_COUNT"),
    ("B3", "CKR_SESSION_HANDLE_INVALID"),
    ("E0", "CKR_TOKEN_NOT_PRESENT"),
    ("101", "CKR_USER_NOT_LOGGED_IN"),
    ("80000042", "0x80000042"),
];
/// Another session does after these: the derivation tries once more by itself.
const STALE: [&str; 3] = ["82", "B3", "101"];

fn refusal(derived: Result<DeviceKey, VaultError>) -> String {
    match derived {
        Err(VaultError::Custody(said)) => said,
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("it derived"),
    }
}

fn derives(key: &VaultKey, expected: &[Vec<u8>]) {
    for (n, expected) in expected.iter().enumerate() {
        assert_eq!(key.derive(&id(n)).unwrap().expose()[..], expected[..]);
    }
}

fn expected(key: &str, count: usize) -> Vec<Vec<u8>> {
    use base64ct::{Base64, Encoding};
    oracle(&Base64::decode_vec(key).unwrap(), &(0..count).map(|n| id(n).to_string()).collect::<Vec<_>>())
}

#[test]
fn every_return_code_in_the_middle_of_a_job_derives_nothing_and_the_next_works() {
    alone(|bench| {
        let token = bench.faulty();
        import(&token, "gk-a", EXAMPLE).unwrap();
        let expected = expected(EXAMPLE, 2);
        let opened = open(&token).unwrap();
        let key = opened.key(&"gk-a".parse().unwrap()).unwrap();
        for (code, name) in CODES {
            for function in ["C_SignInit", "C_Sign"] {
                derives(&key, &expected);
                bench.fault(&format!("{function} {code}"));
                for _ in 0..2 {
                    let said = refusal(key.derive(&id(0)));
                    assert!(said.contains(&format!("({name} from {function})")), "{said}");
                    assert!(!said.contains(PIN), "{said}");
                }
                bench.fault("");
                derives(&key, &expected);

                bench.fault(&format!("{function} {code} once"));
                let once = key.derive(&id(0));
                if STALE.contains(&code) {
                    assert_eq!(once.unwrap().expose()[..], expected[0][..], "{name}");
                } else {
                    refusal(once);
                }
            }
            // What fails on the way back in.
            for function in ["C_OpenSession", "C_Login", "C_FindObjectsInit", "C_GetTokenInfo"] {
                bench.fault(&format!("C_Sign 30 once\n{function} {code}"));
                refusal(key.derive(&id(0)));
                let said = refusal(key.derive(&id(0)));
                assert!(said.contains(name) && !said.contains(PIN), "{function} {code}: {said}");
                bench.fault("");
                derives(&key, &expected);
            }
        }
        assert_eq!(opened.kind(), token.kind(), "there is no other custody");
        opened.lock();
        assert!(matches!(key.derive(&id(0)), Err(VaultError::Locked)));
    });
}

/// A call that never comes back holds whoever asked for ten seconds, and the next derivation works when the token does.
#[test]
fn a_token_that_does_not_answer_is_not_waited_for_and_derives_again_when_it_does() {
    alone(|bench| {
        let token = bench.faulty();
        import(&token, "gk-a", EXAMPLE).unwrap();
        let expected = expected(EXAMPLE, 2);
        let opened = open(&token).unwrap();
        let key = opened.key(&"gk-a".parse().unwrap()).unwrap();
        bench.fault("C_Sign hang");
        let said = refusal(key.derive(&id(0)));
        assert!(said.contains("has not answered for 10 seconds"), "{said}");
        bench.fault("");
        derives(&key, &expected);
        opened.lock();
        assert!(matches!(key.derive(&id(0)), Err(VaultError::Locked)));
    });
}

#[test]
fn every_return_code_at_unlock_and_import_is_typed_and_changes_nothing() {
    alone(|bench| {
        let token = bench.faulty();
        import(&token, "gk-a", EXAMPLE).unwrap();
        for (code, name) in CODES {
            for function in
                ["C_GetTokenInfo", "C_OpenSession", "C_Login", "C_FindObjectsInit", "C_SignInit", "C_Sign"]
            {
                bench.fault(&format!("{function} {code}"));
                let refused = open(&token).unwrap_err();
                let UnlockError::Token(error) = &refused else { panic!("{refused:?}") };
                assert!(refused.to_string().contains(name), "{function}: {refused}");
                assert!(!refused.to_string().contains(PIN) && !format!("{refused:?}").contains(PIN));
                assert!((1..=3).contains(&error.remedy().len()) && !error.word().is_empty());
                let refused = import(&token, "gk-b", OTHER).unwrap_err();
                assert!(matches!(refused, ImportError::Unlock(UnlockError::Token(_))), "{refused:?}");
                bench.fault("");
                assert_eq!(open(&token).unwrap().keys().len(), 1, "{function} {code}");
            }
        }
        import(&token, "gk-b", OTHER).unwrap();
        assert_eq!(open(&token).unwrap().keys().len(), 2);
    });
}

/// Several slots derive under two keys while the token comes and goes: what is derived is right or nothing.
#[test]
fn threads_derive_the_right_key_or_none_while_the_token_fails() {
    const ROUNDS: usize = 300;
    alone(|bench| {
        let token = bench.faulty();
        import(&token, "gk-a", EXAMPLE).unwrap();
        import(&token, "gk-b", OTHER).unwrap();
        let opened = token.open(&passphrase(PIN)).unwrap();
        let (done, right, refused) = (AtomicBool::new(false), AtomicUsize::new(0), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            let slots: Vec<_> = [("gk-a", EXAMPLE), ("gk-b", OTHER), ("gk-a", EXAMPLE), ("gk-b", OTHER)]
                .into_iter()
                .map(|(label, text)| {
                    let key = opened.key(&label.parse().unwrap()).unwrap();
                    let expected = expected(text, ROUNDS);
                    let (right, refused) = (&right, &refused);
                    scope.spawn(move || {
                        for (n, expected) in expected.iter().enumerate() {
                            match key.derive(&id(n)) {
                                Ok(derived) => {
                                    assert_eq!(derived.expose()[..], expected[..], "{label} {n}");
                                    right.fetch_add(1, Ordering::Relaxed);
                                }
                                Err(VaultError::Custody(_)) => {
                                    refused.fetch_add(1, Ordering::Relaxed);
                                }
                                Err(other) => panic!("{other}"),
                            }
                        }
                    })
                })
                .collect();
            let done = &done;
            scope.spawn(move || {
                let mut codes = CODES.iter().cycle();
                while !done.load(Ordering::Relaxed) {
                    let (code, _) = codes.next().unwrap();
                    bench.fault(&format!("C_Sign {code} once"));
                    std::thread::yield_now();
                }
            });
            for slot in slots {
                slot.join().unwrap();
            }
            done.store(true, Ordering::Relaxed);
        });
        let (right, refused) = (right.into_inner(), refused.into_inner());
        assert_eq!(right + refused, 4 * ROUNDS);
        assert!(right > 0 && refused > 0, "{right} right, {refused} refused");
    });
}
