use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use keystation_vault::{
    CreateError, DerivedKeyAnswer, ImportError, SealedFile, SecretRefused, UnlockError, WriteError,
};

use crate::support::{Bench, EXAMPLE, OTHER, PASSPHRASE, named, passphrase, secret, vectors};

#[test]
fn new_vault_is_private_empty_and_never_overwritten() {
    let bench = Bench::new();
    assert_eq!(fs::metadata(bench.path()).unwrap().permissions().mode() & 0o7777, 0o600);
    assert_eq!(bench.unlock().unwrap().keys(), []);
    let before = bench.bytes();
    assert!(matches!(bench.file.create(&passphrase(PASSPHRASE)), Err(CreateError::Exists)));
    assert_eq!(bench.bytes(), before);
}

#[test]
fn new_vault_takes_no_short_passphrase() {
    let bench = Bench::empty();
    for short in ["fourteen chars", "ünterschätzt"] {
        let refused = bench.file.create(&passphrase(short));
        assert!(matches!(refused, Err(CreateError::Passphrase(SecretRefused::TooShort))), "{short}");
        assert!(!bench.path().exists());
    }
    assert!(bench.file.create(&passphrase("fifteen letters")).is_ok());
}

#[test]
fn imported_key_is_told_by_its_check_value_and_length() {
    let bench = Bench::new();
    let info = bench.import("gk-a", EXAMPLE).unwrap();
    assert_eq!((info.check_value.to_string().as_str(), info.length), ("9B5BD-BEC8B", 64));
    assert_eq!(bench.unlock().unwrap().keys(), [info]);
    let mut names: Vec<_> = fs::read_dir(bench.directory.path())
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["station.vault", "station.vault.lock"]);
}

#[test]
fn refused_import_leaves_the_vault_as_it_was() {
    let bench = Bench::new();
    bench.import("gk-a", EXAMPLE).unwrap();
    let before = bench.bytes();
    assert!(
        matches!(bench.import("gk-a", OTHER), Err(ImportError::LabelTaken(label)) if label.as_str() == "gk-a")
    );
    assert!(
        matches!(bench.import("gk-b", EXAMPLE), Err(ImportError::SameKey(label)) if label.as_str() == "gk-a")
    );
    assert!(matches!(bench.import("gk-b", "AAAA"), Err(ImportError::Key(_))));
    let wrong =
        bench.file.import(&passphrase("wrong"), named("gk-b"), &secret(OTHER), DerivedKeyAnswer::NotAsked);
    assert!(matches!(wrong, Err(ImportError::Unlock(UnlockError::WrongPassphrase))));
    assert_eq!(bench.bytes(), before);
    assert!(bench.import("gk-b", OTHER).is_ok());
}

/// A key padded with zeros to the block makes the same MACs: HMAC itself cannot tell it from the shorter one.
#[test]
fn key_that_differs_in_trailing_zeros_is_the_same_key() {
    let bench = Bench::new();
    bench.import("gk-a", "AAECAwQFBgcICQoLDA0ODw==").unwrap();
    assert!(matches!(bench.import("gk-b", "AAECAwQFBgcICQoLDA0ODwA="), Err(ImportError::SameKey(_))));
}

/// The device key that Microsoft publishes, pasted in place of its group key.
#[test]
fn key_of_32_bytes_is_a_question_that_a_person_answers() {
    let file = vectors("dps-derive.json");
    let device_key = secret(file["vectors"][0]["device_key_b64"].as_str().unwrap());
    let bench = Bench::new();
    let import = |answer| bench.file.import(&passphrase(PASSPHRASE), named("gk-a"), &device_key, answer);
    assert!(matches!(import(DerivedKeyAnswer::NotAsked), Err(ImportError::MayBeDerivedKey)));
    assert!(matches!(import(DerivedKeyAnswer::DeviceKey), Err(ImportError::DerivedKey)));
    assert_eq!(bench.unlock().unwrap().keys(), []);
    assert!(import(DerivedKeyAnswer::GroupKey).is_ok());
}

#[test]
fn vault_holds_64_keys_and_no_more() {
    use base64ct::{Base64, Encoding};
    let bench = Bench::new();
    for number in 0..64u8 {
        let mut key = [number; 16];
        key[0] = 0xff;
        bench.import(&format!("gk-{number}"), &Base64::encode_string(&key)).unwrap();
    }
    assert!(matches!(bench.import("gk-64", EXAMPLE), Err(ImportError::Full)));
    assert_eq!(bench.unlock().unwrap().keys().len(), 64);
}

#[test]
fn import_needs_a_vault() {
    let bench = Bench::empty();
    assert!(matches!(bench.import("gk-a", EXAMPLE), Err(ImportError::Unlock(UnlockError::Absent))));
    assert!(!bench.path().exists());
    let nowhere = SealedFile::at(bench.directory.path().join("no/such/station.vault"));
    assert!(matches!(
        nowhere.create(&passphrase(PASSPHRASE)),
        Err(CreateError::Write(WriteError::Failed(_)))
    ));
}

#[test]
fn second_writer_is_turned_away_and_readers_are_not() {
    let bench = Bench::new();
    let lock = fs::File::open(bench.path().with_extension("vault.lock")).unwrap();
    lock.lock().unwrap();
    assert!(matches!(bench.import("gk-a", EXAMPLE), Err(ImportError::Write(WriteError::Busy))));
    assert!(bench.unlock().is_ok());
    lock.unlock().unwrap();
    assert!(bench.import("gk-a", EXAMPLE).is_ok());
}

/// What an import that was killed leaves beside the vault is in nobody's way.
#[test]
fn remains_of_a_killed_import_are_removed() {
    let bench = Bench::new();
    let new = bench.path().with_extension("vault.new");
    fs::write(&new, b"half a fi").unwrap();
    bench.import("gk-a", EXAMPLE).unwrap();
    assert!(!new.exists());
    assert_eq!(bench.unlock().unwrap().keys().len(), 1);
}

#[test]
fn vault_made_elsewhere_with_a_short_passphrase_opens_and_takes_keys() {
    let bench = Bench::empty();
    let identity = "short";
    let mut recipient = age::scrypt::Recipient::new(identity.into());
    recipient.set_work_factor(2);
    let sealed = age::encrypt(&recipient, b"{\"format\":\"keystation-vault/v1\",\"keys\":[]}\n").unwrap();
    bench.put(&sealed);
    let imported =
        bench.file.import(&passphrase(identity), named("gk-a"), &secret(EXAMPLE), DerivedKeyAnswer::NotAsked);
    assert!(imported.is_ok());
    assert_eq!(bench.file.unlock(&passphrase(identity)).unwrap().keys().len(), 1);
}
