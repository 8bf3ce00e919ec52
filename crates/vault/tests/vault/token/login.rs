use std::fs;

use keystation_core::flow::{Vault, VaultError};
use keystation_vault::{Custody, TokenError, TokenFault, UnlockError};

use super::bench::{PIN, alone, import, open};
use crate::contract::id;
use crate::support::{EXAMPLE, OTHER, passphrase};

fn token_error(error: UnlockError) -> TokenError {
    match error {
        UnlockError::Token(error) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn wrong_pin_is_tried_once_and_never_where_the_token_is_open() {
    alone(|bench| {
        let token = bench.faulty();
        import(&token, "gk-a", EXAMPLE).unwrap();
        let before = bench.calls("C_Login");
        let wrong = token_error(token.open(&passphrase("271829")).unwrap_err());
        assert!(matches!(wrong, TokenError::PinIncorrect { last: false }), "{wrong:?}");
        assert_eq!(bench.calls("C_Login"), before + 1, "each try counts in the token");

        let opened = open(&token).unwrap();
        assert_eq!(bench.calls("C_Login"), before + 2);
        // The token is logged in and would take any PIN.
        let differs = token_error(token.open(&passphrase("271829")).unwrap_err());
        assert!(differs.is_wrong_pin(), "{differs:?}");
        let again = open(&token).unwrap();
        import(&token, "gk-b", OTHER).unwrap();
        assert_eq!(bench.calls("C_Login"), before + 2, "one login for all");
        // Whoever leaves first takes the login from nobody.
        drop(again);
        assert!(opened.key(&"gk-a".parse().unwrap()).unwrap().derive(&id(1)).is_ok());
        assert_eq!(bench.calls("C_Login"), before + 2);
        // What fails for one is not left to the others.
        bench.fault("C_Sign B3 once");
        assert!(open(&token).is_err());
        assert!(open(&token).is_ok());
        assert_eq!(bench.calls("C_Login"), before + 3);
        assert!(opened.key(&"gk-a".parse().unwrap()).unwrap().derive(&id(1)).is_ok());
        assert_eq!(bench.calls("C_Login"), before + 3);
        drop(opened);
        // With the last one the login ends: the PIN is looked at again.
        let wrong = token_error(token.open(&passphrase("271829")).unwrap_err());
        assert!(matches!(wrong, TokenError::PinIncorrect { .. }), "{wrong:?}");
    });
}

/// Somebody changed the PIN while the station was open. If each derivation tried the old one, ten devices would lock the token.
#[test]
fn pin_that_is_refused_in_the_middle_of_a_job_is_not_tried_again() {
    alone(|bench| {
        let token = bench.faulty();
        import(&token, "gk-a", EXAMPLE).unwrap();
        for (code, name) in
            [("A0", "the PIN does not open the token"), ("A4", "CKR_PIN_LOCKED"), ("A3", "CKR_PIN_EXPIRED")]
        {
            let opened = open(&token).unwrap();
            let key = opened.key(&"gk-a".parse().unwrap()).unwrap();
            let expected = key.derive(&id(1)).unwrap();
            let logins = bench.calls("C_Login");
            bench.fault(&format!("C_Sign 32 once\nC_Login {code}"));
            let Err(VaultError::Custody(removed)) = key.derive(&id(1)) else { panic!("{code}") };
            assert!(removed.contains("CKR_DEVICE_REMOVED"), "{removed}");
            let Err(VaultError::Custody(refused)) = key.derive(&id(1)) else { panic!("{code}") };
            assert!(refused.contains(name), "{refused}");
            bench.fault("");
            for _ in 0..20 {
                let Err(VaultError::Custody(refused)) = key.derive(&id(1)) else { panic!("{code}") };
                assert!(refused.contains("no longer takes the PIN"), "{refused}");
            }
            assert_eq!(bench.calls("C_Login"), logins + 1, "{code}");
            // Somebody enters the PIN, beside the old vault or after it was locked.
            let anew = open(&token).unwrap();
            let derived = anew.key(&"gk-a".parse().unwrap()).unwrap().derive(&id(1)).unwrap();
            assert_eq!(derived.expose(), expected.expose());
            opened.lock();
            assert!(
                anew.key(&"gk-a".parse().unwrap()).unwrap().derive(&id(1)).is_ok(),
                "the old one takes nothing with it"
            );
        }
    });
}

#[test]
fn locked_is_not_wrong() {
    alone(|bench| {
        let token = bench.faulty();
        import(&token, "gk-a", EXAMPLE).unwrap();
        bench.fault("C_Login A4");
        let locked = token_error(open(&token).unwrap_err());
        assert!(matches!(locked, TokenError::Refused { why: TokenFault::PinLocked, .. }), "{locked:?}");
        assert!(!locked.is_wrong_pin());
        assert_eq!(locked.word(), "pin-locked");
        bench.fault("");
        assert!(open(&token).is_ok());
    });
}

/// A login that this station did not make, by another part of the program.
#[test]
fn pin_is_looked_at_even_where_somebody_is_logged_in() {
    use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
    use cryptoki::session::UserType;
    use cryptoki::types::AuthPin;
    alone(|bench| {
        let other = Pkcs11::new("/usr/lib/softhsm/libsofthsm2.so").unwrap();
        other.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)).unwrap();
        let session = other.open_ro_session(other.get_slots_with_initialized_token().unwrap()[0]).unwrap();
        session.login(UserType::User, Some(&AuthPin::from(PIN))).unwrap();
        let token = bench.faulty();
        let wrong = import_with(&token, "271829");
        assert!(matches!(wrong, Err(TokenError::PinIncorrect { .. })), "{wrong:?}");
        import(&token, "gk-a", EXAMPLE).unwrap();
        assert!(open(&token).is_ok());
    });

    fn import_with(token: &keystation_vault::Token, pin: &str) -> Result<(), TokenError> {
        use crate::support::{named, secret};
        use keystation_vault::{DerivedKeyAnswer, GroupKey, ImportError};
        let key = GroupKey::judged(&secret(EXAMPLE), DerivedKeyAnswer::GroupKey).unwrap();
        match token.import(&passphrase(pin), named("gk-a"), key) {
            Ok(_) => Ok(()),
            Err(ImportError::Unlock(UnlockError::Token(error))) => Err(error),
            Err(other) => panic!("{other:?}"),
        }
    }
}

#[test]
fn token_whose_keys_are_elsewhere_stays_closed() {
    alone(|bench| {
        let token = bench.token();
        import(&token, "gk-a", EXAMPLE).unwrap();
        let card = bench.keys().join("gk-a.json");
        let text = fs::read_to_string(&card).unwrap();
        fs::write(&card, text.replace("\"factory\"", "\"another\"")).unwrap();
        let refused = token_error(open(&token).unwrap_err());
        assert!(matches!(&refused, TokenError::OtherToken(label) if label.as_str() == "gk-a"), "{refused:?}");
    });
}
