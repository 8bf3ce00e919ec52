use std::fs;
use std::process::Command;

use keystation_core::flow::Vault;
use keystation_core::key::CheckValue;
use keystation_vault::{Custody, DestroyError, ImportError, TokenError, UnlockError, WriteError};

use super::bench::{Bench, alone, fault_module, import, open};
use crate::contract::{id, oracle};
use crate::support::{EXAMPLE, OTHER, passphrase};

fn token_error(error: ImportError) -> TokenError {
    match error {
        ImportError::Unlock(UnlockError::Token(error)) => error,
        other => panic!("{other:?}"),
    }
}

/// How many keys another program sees in the token.
fn objects(bench: &Bench) -> usize {
    let (listed, said) = bench.pkcs11_tool(&["--list-objects", "--type", "secrkey"]);
    assert!(listed, "{said}");
    said.matches("Secret Key Object").count()
}

fn derives(bench: &Bench, label: &str, key: &str) {
    use base64ct::{Base64, Encoding};
    let opened = open(&bench.token()).unwrap();
    let derived = opened.key(&label.parse().unwrap()).unwrap().derive(&id(1)).unwrap();
    let expected = oracle(&Base64::decode_vec(key).unwrap(), &[id(1).to_string()]);
    assert_eq!(derived.expose()[..], expected[0]);
}

#[test]
fn another_program_uses_the_key_and_cannot_read_it() {
    alone(|bench| {
        let info = import(&bench.token(), "gk-a", EXAMPLE).unwrap();
        let (listed, said) = bench.pkcs11_tool(&["--list-objects", "--type", "secrkey"]);
        assert!(listed, "{said}");
        for line in ["label:      gk-a", "never extractable"] {
            assert_eq!(said.contains(line), line.starts_with("label"), "{line}: {said}");
        }
        assert!(said.contains("Access:     sensitive") && !said.contains("extractable"), "{said}");
        assert!(
            said.to_uppercase().contains(&info.check_value.digits()),
            "its ID is its check value: {said}"
        );

        let id = info.check_value.digits().to_lowercase();
        fs::write(bench.directory.join("message"), CheckValue::MESSAGE).unwrap();
        let sign = ["--sign", "-m", "SHA256-HMAC", "--id", &id, "-i", "message", "-o", "mac"];
        let (signed, said) = bench.pkcs11_tool(&sign);
        assert!(signed, "{said}");
        let mac: [u8; 32] = fs::read(bench.directory.join("mac")).unwrap().try_into().unwrap();
        assert_eq!(CheckValue::from_hmac(&mac), info.check_value);

        let (read, said) =
            bench.pkcs11_tool(&["--read-object", "--type", "secrkey", "--id", &id, "-o", "key"]);
        assert!(!read, "{said}");
        assert!(fs::read(bench.directory.join("key")).unwrap_or_default().is_empty());
    });
}

#[test]
fn key_that_the_token_would_give_out_is_refused_and_removed() {
    alone(|bench| {
        bench.fault("C_CreateObject readable");
        let refused = token_error(import(&bench.faulty(), "gk-a", EXAMPLE).unwrap_err());
        assert!(
            matches!(&refused, TokenError::Extractable(label) if label.as_str() == "gk-a"),
            "{refused:?}"
        );
        assert_eq!((objects(bench), bench.cards().read().unwrap().len()), (0, 0));
    });
}

/// The same state as after a crash between the object and the card.
#[test]
fn interrupted_import_is_taken_up_with_the_same_key_alone() {
    alone(|bench| {
        // The module ends the process when the object is made.
        let killed = Command::new(std::env::current_exe().unwrap())
            .args(["token::import::import_that_is_killed", "--exact"])
            .env("KEYSTATION_TEST_KILLED", &bench.directory)
            .output()
            .unwrap();
        assert!(!killed.status.success());
        assert_eq!((objects(bench), bench.cards().read().unwrap().len()), (1, 0));

        let token = bench.token();
        let other = token_error(import(&token, "gk-a", OTHER).unwrap_err());
        assert!(matches!(other, TokenError::NameTaken(_)), "{other:?}");
        let renamed = token_error(import(&token, "gk-b", EXAMPLE).unwrap_err());
        assert!(matches!(renamed, TokenError::OtherName(_)), "{renamed:?}");
        assert_eq!((objects(bench), bench.cards().read().unwrap().len()), (1, 0));
        import(&token, "gk-a", EXAMPLE).unwrap();
        assert_eq!((objects(bench), bench.cards().read().unwrap().len()), (1, 1));
        derives(bench, "gk-a", EXAMPLE);
    });
}

/// Plays the process that is killed; does nothing when it is called as a test.
#[test]
fn import_that_is_killed() {
    if let Some(directory) = std::env::var_os("KEYSTATION_TEST_KILLED") {
        let bench = Bench { directory: directory.into(), key_type: keystation_vault::KeyType::Auto };
        bench.fault("C_CreateObject die");
        import(&bench.faulty(), "gk-a", EXAMPLE).unwrap();
    }
}

/// Not ours to remove: whoever made it has to answer for it.
#[test]
fn foreign_object_that_can_be_read_is_not_taken_over() {
    alone(|bench| {
        bench.fault("C_CreateObject readable");
        // The check is what finds it out, so the one who plants it goes without.
        bench.fault("C_CreateObject readable\nC_GetAttributeValue 30 once\nC_DestroyObject 30 once");
        let left = token_error(import(&bench.faulty(), "gk-a", EXAMPLE).unwrap_err());
        assert!(matches!(left, TokenError::LeftBehind { .. }), "{left:?}");
        bench.fault("");
        let refused = token_error(import(&bench.faulty(), "gk-a", EXAMPLE).unwrap_err());
        assert!(matches!(refused, TokenError::Extractable(_)), "{refused:?}");
        assert_eq!((objects(bench), bench.cards().read().unwrap().len()), (1, 0));
    });
}

#[test]
fn import_that_fails_leaves_the_token_as_it_was() {
    alone(|bench| {
        let token = bench.faulty();
        for rule in
            ["C_CreateObject 31", "C_Sign 30 once", "C_SignInit 70", "C_GetAttributeValue 5", "C_Sign flip"]
        {
            bench.fault(rule);
            let refused = import(&token, "gk-a", EXAMPLE).unwrap_err();
            assert!((1..=3).contains(&refused.remedy().len()), "{rule}");
            bench.fault("");
            assert_eq!((objects(bench), bench.cards().read().unwrap().len()), (0, 0), "{rule}: {refused}");
        }
        // No card can be written.
        fs::create_dir(bench.keys().join("gk-a.json.new")).unwrap();
        let refused = import(&token, "gk-a", EXAMPLE).unwrap_err();
        assert!(matches!(refused, ImportError::Write(WriteError::Failed(_))), "{refused:?}");
        assert_eq!(objects(bench), 0);
        fs::remove_dir(bench.keys().join("gk-a.json.new")).unwrap();
        import(&token, "gk-a", EXAMPLE).unwrap();
        derives(bench, "gk-a", EXAMPLE);
    });
}

#[test]
fn what_an_import_could_not_remove_is_named_and_taken_up_by_the_next() {
    alone(|bench| {
        let token = bench.faulty();
        bench.fault("C_Sign 30\nC_DestroyObject B3");
        let left = token_error(import(&token, "gk-a", EXAMPLE).unwrap_err());
        assert!(
            matches!(&left, TokenError::LeftBehind { label, .. } if label.as_str() == "gk-a"),
            "{left:?}"
        );
        let said = left.to_string();
        assert!(said.contains("CKR_DEVICE_ERROR") && said.contains("CKR_SESSION_HANDLE_INVALID"), "{said}");
        assert_eq!(objects(bench), 1);
        bench.fault("");
        import(&token, "gk-a", EXAMPLE).unwrap();
        assert_eq!(objects(bench), 1);
        derives(bench, "gk-a", EXAMPLE);
    });
}

#[test]
fn destroyed_is_what_was_looked_for_and_is_not_there() {
    alone(|bench| {
        let token = bench.faulty();
        let label = "gk-a".parse().unwrap();
        import(&token, "gk-a", EXAMPLE).unwrap();
        // The token says that it deleted the object, and did not.
        bench.fault("C_DestroyObject 0");
        let refused = token.destroy(&passphrase(super::bench::PIN), &label).unwrap_err();
        assert!(matches!(&refused, DestroyError::StillThere(still) if *still == label), "{refused:?}");
        // It says nothing.
        bench.fault("C_FindObjectsInit 32");
        assert!(token.destroy(&passphrase(super::bench::PIN), &label).is_err());
        bench.fault("");
        derives(bench, "gk-a", EXAMPLE);
        // Somebody else deleted it: the card is all that is left.
        let (deleted, said) = bench.pkcs11_tool(&["--delete-object", "--type", "secrkey", "--label", "gk-a"]);
        assert!(deleted, "{said}");
        let gone = open(&token).unwrap_err();
        assert!(
            matches!(&gone, UnlockError::Token(TokenError::KeyGone(missing)) if *missing == label),
            "{gone:?}"
        );
        token.destroy(&passphrase(super::bench::PIN), &label).unwrap();
        assert_eq!((objects(bench), bench.cards().read().unwrap().len()), (0, 0));
    });
}

#[test]
fn key_that_does_not_make_its_check_value_is_not_opened() {
    alone(|bench| {
        let token = bench.faulty();
        import(&token, "gk-a", EXAMPLE).unwrap();
        bench.fault("C_Sign flip");
        let refused = open(&token).unwrap_err();
        assert!(matches!(refused, UnlockError::CheckValue { .. }), "{refused:?}");
        bench.fault("C_Sign short");
        let refused = open(&token).unwrap_err();
        assert!(matches!(refused, UnlockError::Token(TokenError::Answer(31))), "{refused:?}");
        bench.fault("");
        assert!(open(&token).is_ok());
        assert!(fault_module().is_file());
    });
}

#[test]
fn key_that_is_there_twice_is_not_used() {
    alone(|bench| {
        let token = bench.token();
        import(&token, "gk-a", EXAMPLE).unwrap();
        let card = fs::read(bench.keys().join("gk-a.json")).unwrap();
        // The same key from another station that uses the token: its cards know nothing of ours, and its search is made blind.
        plant_again(bench);
        fs::write(bench.keys().join("gk-a.json"), card).unwrap();
        let refused = open(&token).unwrap_err();
        assert!(matches!(refused, UnlockError::Token(TokenError::ManyKeys { count: 2, .. })), "{refused:?}");
    });
}

/// Puts a second object of the same name beside the first, past the station.
fn plant_again(bench: &Bench) {
    use cryptoki::context::Pkcs11;
    use cryptoki::object::{Attribute, KeyType, ObjectClass};
    use cryptoki::session::UserType;
    use cryptoki::types::AuthPin;
    let module = Pkcs11::new("/usr/lib/softhsm/libsofthsm2.so").unwrap();
    let slot = module.get_slots_with_initialized_token().unwrap()[0];
    let session = module.open_rw_session(slot).unwrap();
    session.login(UserType::User, Some(&AuthPin::from(super::bench::PIN))).unwrap();
    let check_value = bench.cards().read().unwrap()[0].info.check_value;
    session
        .create_object(&[
            Attribute::Class(ObjectClass::SECRET_KEY),
            Attribute::KeyType(KeyType::GENERIC_SECRET),
            Attribute::Token(true),
            Attribute::Label(b"gk-a".to_vec()),
            Attribute::Id(check_value.bytes().to_vec()),
            Attribute::Value(vec![7; 64]),
        ])
        .unwrap();
    session.logout().unwrap();
}
