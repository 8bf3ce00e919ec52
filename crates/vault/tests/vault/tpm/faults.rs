use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::Duration;

use base64ct::{Base64, Encoding};
use keystation_core::flow::{Vault, VaultError};
use keystation_vault::{
    Custody, DerivedKeyAnswer, DestroyError, GroupKey, ImportError, Tpm, TpmError, UnlockError, VaultKey,
};

use super::Bench;
use super::between::{Between, CAPABILITY, CREATE, CREATE_PRIMARY, FLUSH, Fate, HMAC, LOAD, code};
use crate::contract::{id, key_of, oracle};
use crate::support::{PASSPHRASE, named, passphrase, secret};

pub(crate) fn import(tpm: &Tpm, label: &str, length: usize, with: &str) -> Result<(), ImportError> {
    let text = secret(&Base64::encode_string(&key_of(length)));
    let key = GroupKey::judged(&text, DerivedKeyAnswer::GroupKey).unwrap();
    tpm.import(&passphrase(with), named(label), key).map(|_| ())
}

pub(crate) fn with_key() -> Bench {
    let bench = Bench::new();
    import(&bench.tpm(), "gk-a", 64, PASSPHRASE).unwrap();
    bench
}

pub(crate) fn open(tpm: &Tpm) -> Result<keystation_vault::UnlockedVault, UnlockError> {
    tpm.open(&passphrase(PASSPHRASE))
}

pub(crate) fn tpm_error(result: Result<impl Sized, UnlockError>) -> TpmError {
    match result {
        Err(UnlockError::Tpm(error)) => {
            assert!((1..=3).contains(&error.remedy().len()) && !error.word().is_empty());
            error
        }
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("it worked"),
    }
}

/// Whether `key` derives what it should.
pub(crate) fn derives(key: &VaultKey, length: usize) -> bool {
    let expected = oracle(&key_of(length), &[id(1).to_string()]);
    key.derive(&id(1)).is_ok_and(|derived| derived.expose()[..] == expected[0])
}

fn custody_error(key: &VaultKey) -> String {
    match key.derive(&id(1)) {
        Err(VaultError::Custody(text)) => text,
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("it derived"),
    }
}

#[test]
fn job_goes_on_when_a_tpm_that_died_is_back() {
    let mut bench = with_key();
    let opened = open(&bench.tpm()).unwrap();
    let key = opened.key(&"gk-a".parse().unwrap()).unwrap();
    assert!(derives(&key, 64));
    for _ in 0..2 {
        bench.emulator.kill();
        assert_eq!(custody_error(&key), "the connection to the TPM broke off");
        assert!(custody_error(&key).starts_with("there is no TPM at "), "as long as it is dead");
        bench.emulator.start();
        assert!(derives(&key, 64));
    }
    opened.lock();
    assert!(matches!(key.derive(&id(1)), Err(VaultError::Locked)));
}

/// The TPM has the command and gives no answer any more. Nothing of what comes later is taken for it.
#[test]
fn tpm_that_dies_in_the_middle_of_a_command_gives_a_clear_error_and_no_key() {
    let bench = with_key();
    for fate in [|| Fate::BreaksOff, || Fate::BreaksOffAfter] {
        let uses = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&uses);
        let between = Between::new(&bench, move |command| {
            // The first is that of opening, the second that of the first derivation.
            if command == HMAC && counted.fetch_add(1, Ordering::SeqCst) == 1 { fate() } else { Fate::Passes }
        });
        let opened = open(&between.tpm(&bench)).unwrap();
        let key = opened.key(&"gk-a".parse().unwrap()).unwrap();
        assert_eq!(custody_error(&key), "the connection to the TPM broke off");
        assert!(derives(&key, 64), "it connects anew");
        assert_eq!(uses.load(Ordering::SeqCst), 3);
    }
}

#[test]
fn killed_tpm_under_many_threads_leaves_right_keys_or_none() {
    let mut bench = with_key();
    import(&bench.tpm(), "gk-b", 32, PASSPHRASE).unwrap();
    let opened = open(&bench.tpm()).unwrap();
    let keys = [("gk-a", 64), ("gk-b", 32)].map(|(label, length)| {
        let expected = oracle(&key_of(length), &[id(1).to_string()]).remove(0);
        (opened.key(&label.parse().unwrap()).unwrap(), expected)
    });
    let running = Barrier::new(5);
    thread::scope(|scope| {
        for n in 0..4 {
            let (key, expected) = &keys[n % 2];
            let running = &running;
            scope.spawn(move || {
                running.wait();
                let mut made = 0;
                while let Ok(derived) = key.derive(&id(1)) {
                    assert_eq!(derived.expose()[..], *expected);
                    made += 1;
                    if made == 20 {
                        running.wait();
                    }
                }
                assert!(made >= 20);
            });
        }
        running.wait();
        running.wait(); // all of them have derived some
        bench.emulator.kill();
    });
    bench.emulator.start();
    assert!(derives(&keys[0].0, 64) && derives(&keys[1].0, 32));
}

#[test]
fn lock_does_not_wait_for_a_tpm_that_is_silent() {
    let bench = with_key();
    let (silent, asked) = sync_channel(1);
    let uses = AtomicUsize::new(0);
    let between = Between::new(&bench, move |command| {
        if command == HMAC && uses.fetch_add(1, Ordering::SeqCst) == 1 {
            silent.send(()).unwrap();
            return Fate::Vanishes;
        }
        Fate::Passes
    });
    // Waiting to its end would be another error.
    let tpm = between.tpm(&bench).with_time_limit(Duration::from_secs(60));
    let opened = open(&tpm).unwrap();
    let key = opened.key(&"gk-a".parse().unwrap()).unwrap();
    thread::scope(|scope| {
        let slot = scope.spawn(|| key.derive(&id(1)).map(|_| ()));
        asked.recv().unwrap();
        opened.lock();
        assert_eq!(opened.memory(), None);
        assert!(matches!(slot.join().unwrap(), Err(VaultError::Locked)));
    });
}

#[test]
fn silent_tpm_is_given_up() {
    let bench = with_key();
    for silent in [CAPABILITY, CREATE_PRIMARY, LOAD, HMAC] {
        let between = Between::new(
            &bench,
            move |command| {
                if command == silent { Fate::Vanishes } else { Fate::Passes }
            },
        );
        let limit = Duration::from_millis(300);
        let error = tpm_error(open(&between.tpm(&bench).with_time_limit(limit)));
        assert!(matches!(error, TpmError::Silent { limit_ms: 300 }), "{silent:x}: {error:?}");
    }
}

#[test]
fn return_codes_are_clear_errors_whichever_command_gets_them() {
    let bench = with_key();
    let cases: [(u32, u32, &str); 9] = [
        (CREATE_PRIMARY, 0x902, "no memory for another object (0x902)"),
        (LOAD, 0x902, "no memory for another object (0x902)"),
        (HMAC, 0x921, "locked itself"),
        (CREATE_PRIMARY, 0x185, "owner hierarchy is disabled"),
        (CAPABILITY, 0x100, "was not started"),
        (HMAC, 0x101, "failure mode"),
        (HMAC, 0x922, "occupied"),
        (HMAC, 0x18b, "refused TPM2_HMAC (0x18b)"),
        (CAPABILITY, 0x01e, "no TPM 2.0"),
    ];
    for (at, found, expected) in cases {
        let between =
            Between::new(
                &bench,
                move |command| {
                    if command == at { Fate::Answered(code(found)) } else { Fate::Passes }
                },
            );
        let error = tpm_error(open(&between.tpm(&bench))).to_string();
        assert!(error.contains(expected), "{found:x}: {error}");
    }
}

/// A TPM says at the first use of such a key that it has to be asked again; the emulator does so too.
#[test]
fn command_is_given_again_when_the_tpm_asks_for_it() {
    let bench = with_key();
    let answers = Arc::new(Mutex::new(vec![0x922, 0x908, 0x90a]));
    let left = Arc::clone(&answers);
    let between = Between::new(&bench, move |command| {
        let again = if command == HMAC { left.lock().unwrap().pop() } else { None };
        again.map_or(Fate::Passes, |again| Fate::Answered(code(again)))
    });
    let opened = open(&between.tpm(&bench)).unwrap();
    assert!(derives(&opened.key(&"gk-a".parse().unwrap()).unwrap(), 64));
    assert!(answers.lock().unwrap().is_empty());
}

/// A hundred answers with some bits changed: an error, or what a digest of another key would be. Never a panic, and the
/// TPM opens afterwards.
#[test]
fn lying_tpm_is_survived() {
    let bench = with_key();
    let random = Arc::new(Mutex::new(0x2545_f491_4f6c_dd1d_u64));
    let (mut refused, mut opened) = (0, 0);
    for round in 0..120_usize {
        let random = Arc::clone(&random);
        let next = move || {
            let mut state = random.lock().unwrap();
            *state ^= *state << 13;
            *state ^= *state >> 7;
            *state ^= *state << 17;
            usize::try_from(*state >> 33).unwrap()
        };
        let count = AtomicUsize::new(0);
        let between = Between::new(&bench, move |_| {
            if count.fetch_add(1, Ordering::SeqCst) != round % 6 {
                return Fate::Passes;
            }
            let (at, bits, cut) = (next(), next(), next());
            Fate::Becomes(Box::new(move |mut answer: Vec<u8>| {
                let length = answer.len();
                match round % 3 {
                    // The header or what is near to it.
                    0 => answer[at % 20 % length] ^= (bits % 255 + 1) as u8,
                    1 => answer[at % length] ^= (bits % 255 + 1) as u8,
                    _ => {
                        answer.truncate(cut % length);
                        let length = u32::try_from(answer.len()).unwrap();
                        if let Some(size) = answer.get_mut(2..6) {
                            size.copy_from_slice(&length.to_be_bytes());
                        }
                    }
                }
                answer
            }))
        });
        match open(&between.tpm(&bench)) {
            Ok(_) => opened += 1,
            Err(UnlockError::Tpm(_) | UnlockError::CheckValue { .. }) => refused += 1,
            Err(other) => panic!("{other:?}"),
        }
    }
    assert!(refused > 40 && opened > 4, "{refused} refused, {opened} opened");
    assert!(open(&bench.tpm()).is_ok());
}

#[test]
fn import_that_breaks_off_leaves_no_card() {
    let bench = Bench::new();
    for at in [CAPABILITY, CREATE_PRIMARY, CREATE, LOAD, HMAC] {
        for fate in [|| Fate::BreaksOff, || Fate::BreaksOffAfter] {
            let between =
                Between::new(&bench, move |command| if command == at { fate() } else { Fate::Passes });
            let refused = import(&between.tpm(&bench), "gk-a", 64, PASSPHRASE);
            assert!(matches!(refused, Err(ImportError::Unlock(UnlockError::Tpm(TpmError::Lost(_))))));
            assert!(!bench.tpm().is_there());
        }
    }
    import(&bench.tpm(), "gk-a", 64, PASSPHRASE).unwrap();
}

/// What the TPM made is used before it counts: here it made the key of something else.
#[test]
fn imported_key_that_makes_another_check_value_is_not_kept() {
    let bench = Bench::new();
    let between = Between::new(&bench, |command| {
        if command != HMAC {
            return Fate::Passes;
        }
        Fate::Becomes(Box::new(|mut answer: Vec<u8>| {
            if let Some(byte) = answer.get_mut(16) {
                *byte ^= 1; // the first of the digest
            }
            answer
        }))
    });
    let refused = import(&between.tpm(&bench), "gk-a", 64, PASSPHRASE);
    assert!(matches!(refused, Err(ImportError::Unlock(UnlockError::CheckValue { .. }))), "{refused:?}");
    assert!(!bench.tpm().is_there());
}

#[test]
fn tpm_without_hmac_is_refused() {
    let bench = with_key();
    let between = Between::new(&bench, |command| {
        if command != CAPABILITY {
            return Fate::Passes;
        }
        Fate::Becomes(Box::new(|mut answer: Vec<u8>| {
            let last = answer.len() - 1;
            answer[last] ^= u8::from(answer[last] == 0x55); // TPM2_HMAC becomes the command before it
            answer
        }))
    });
    assert!(matches!(tpm_error(open(&between.tpm(&bench))), TpmError::NoHmac));
}

/// What a station loads it gives back: it flushes when it locks, and what a killed one left is cleared by the next one.
#[test]
fn emulator_full_of_objects_that_nobody_uses_is_cleared() {
    let bench = with_key();
    let flushes = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&flushes);
    let between = Between::new(&bench, move |command| {
        counted.fetch_add(usize::from(command == FLUSH), Ordering::SeqCst);
        Fate::Passes
    });
    let opened = open(&between.tpm(&bench)).unwrap();
    let flushed = flushes.load(Ordering::SeqCst);
    opened.lock();
    assert_eq!(flushes.load(Ordering::SeqCst) - flushed, 2, "the key and the storage key");
    assert_eq!(bench.emulator.tool("tpm2_getcap", &["handles-transient"]).unwrap(), b"");

    // Three are what fits; each run of the tool is a killed program.
    for _ in 0..3 {
        bench.emulator.tool("tpm2_createprimary", &["--hierarchy=o"]).unwrap();
    }
    let full = bench.emulator.tool("tpm2_createprimary", &["--hierarchy=o"]).unwrap_err();
    assert!(full.contains("0x902") || full.contains("out of memory"), "{full}");
    assert!(open(&bench.tpm()).is_ok());
}

#[test]
fn second_import_needs_the_secret_of_the_first_and_the_first_a_long_one() {
    let bench = Bench::new();
    let refused = import(&bench.tpm(), "gk-a", 64, "1234567");
    assert!(matches!(refused, Err(ImportError::Unlock(UnlockError::Tpm(TpmError::ShortSecret)))));
    assert!(!bench.tpm().is_there());
    import(&bench.tpm(), "gk-a", 64, "12345678").unwrap();
    let refused = import(&bench.tpm(), "gk-b", 32, PASSPHRASE);
    assert!(matches!(refused, Err(ImportError::Unlock(UnlockError::Tpm(TpmError::WrongSecret)))));
    import(&bench.tpm(), "gk-b", 32, "12345678").unwrap();
    assert_eq!(bench.tpm().open(&passphrase("12345678")).unwrap().keys().len(), 2);
    let refused = bench.tpm().destroy(&passphrase(PASSPHRASE), &"gk-a".parse().unwrap());
    assert!(matches!(refused, Err(DestroyError::Unlock(UnlockError::Tpm(TpmError::WrongSecret)))));
    assert_eq!(bench.tpm().open(&passphrase("12345678")).unwrap().keys().len(), 2);
}

/// An import while the keys are in use, as in a running station: an emulator has one connection for both.
#[test]
fn key_is_imported_while_others_are_in_use() {
    let bench = with_key();
    let tpm = bench.tpm();
    let opened = open(&tpm).unwrap();
    let key = opened.key(&"gk-a".parse().unwrap()).unwrap();
    assert!(derives(&key, 64));
    import(&tpm, "gk-b", 32, PASSPHRASE).unwrap();
    assert!(derives(&key, 64));
    let second = open(&tpm).unwrap();
    opened.lock();
    assert!(derives(&second.key(&"gk-b".parse().unwrap()).unwrap(), 32), "its lock is not another's");
}
