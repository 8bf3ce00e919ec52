//! The document says what the code does, and the vectors hold both.

use std::fs;
use std::process::Command;

use base64ct::{Base64, Encoding};
use keystation_vault::{DerivedKeyAnswer, ImportError, SealedFile, UnlockError};

use crate::support::{Bench, EXAMPLE, PASSPHRASE, named, passphrase, repository, secret, variant, vectors};

fn specification() -> String {
    fs::read_to_string(repository("docs/vault-format.md")).unwrap()
}

/// The text between a fence that begins with `begin` and the next one.
fn block<'a>(text: &'a str, begin: &str) -> &'a str {
    text.split_once(begin).unwrap().1.split_once("\n```").unwrap().0
}

#[test]
fn worked_example_opens_and_holds_what_the_specification_prints() {
    let specification = specification();
    let sealed =
        Base64::decode_vec(&block(&specification, "vault-example.age`):\n\n```\n").replace('\n', ""))
            .unwrap();
    assert_eq!(sealed, fs::read(repository("tests/vectors/vault-example.age")).unwrap());
    assert!(specification.contains(&format!("{} bytes, in Base64", sealed.len())));

    let bench = Bench::empty();
    bench.put(&sealed);
    let vault = bench.unlock().unwrap();
    let [info] = vault.keys() else { panic!("one key") };
    assert_eq!(info.check_value.to_string(), "9B5BD-BEC8B");
    assert_eq!((info.label.as_str(), info.group.as_str(), info.length), ("gk-example", "line-1", 64));

    let document = format!("{}\n", block(&specification, "```json\n"));
    assert_eq!(Bench::sealing(&document, 4).unlock().unwrap().keys(), vault.keys());
    assert!(specification.contains(&format!("The document, {} bytes", document.len())));
}

/// The writer makes the bytes that the specification prints.
#[test]
fn written_document_is_the_specified_one() {
    let bench = Bench::new();
    bench
        .file
        .import(&passphrase(PASSPHRASE), named("gk-example"), &secret(EXAMPLE), DerivedKeyAnswer::NotAsked)
        .unwrap();
    let identity = age::scrypt::Identity::new(PASSPHRASE.into());
    let written = age::decrypt(&identity, &bench.bytes()).unwrap();
    assert_eq!(String::from_utf8(written).unwrap().trim_end(), block(&specification(), "```json\n"));
}

/// Seals with the cost of the format, whatever the machine.
#[test]
fn station_seals_with_work_factor_17() {
    let bench = Bench::empty();
    SealedFile::at(bench.path()).create(&passphrase(PASSPHRASE)).unwrap();
    let bytes = bench.bytes();
    let header = String::from_utf8_lossy(&bytes);
    let stanza = header.lines().nth(1).unwrap();
    assert!(stanza.starts_with("-> scrypt ") && stanza.ends_with(" 17"), "{stanza}");
}

/// They come from the specification by another hand, so that agreeing with them means something.
#[test]
fn vectors_are_those_that_the_script_makes() {
    for name in ["make_vault.py", "make_component.py"] {
        let mut script = Command::new("python3");
        let made = script.args([name, "--check"]).current_dir(repository("tests/vectors")).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    }
}

#[test]
fn documents_are_taken_or_refused_as_the_vectors_say() {
    let file = vectors("vault-document.json");
    let rows = file["vectors"].as_array().unwrap();
    assert!(rows.len() >= 50);
    for row in rows {
        let name = row["name"].as_str().unwrap();
        let unlocked = Bench::sealing(row["text"].as_str().unwrap(), 1).unlock();
        match (unlocked, row["error"].as_str()) {
            (Ok(vault), None) => {
                let labels: Vec<_> = vault.keys().iter().map(|key| key.label.as_str()).collect();
                assert_eq!(serde_json::json!(labels), row["labels"], "{name}");
            }
            (Err(UnlockError::Document(error)), Some(expected)) => {
                assert_eq!(variant(&error), expected, "{name}")
            }
            (Err(error), Some(expected)) => assert_eq!(variant(&error), expected, "{name}"),
            (Ok(_), Some(expected)) => panic!("{name}: opened, should be {expected}"),
            (Err(error), None) => panic!("{name}: {error}"),
        }
    }
}

#[test]
fn key_texts_are_taken_or_refused_as_the_vectors_say() {
    let file = vectors("vault-key.json");
    let rows = file["vectors"].as_array().unwrap();
    assert!(rows.iter().filter(|row| row["accept"] == false).count() >= 30);
    for row in rows {
        let (name, text) = (row["name"].as_str().unwrap(), row["text"].as_str().unwrap());
        let bench = Bench::new();
        let Ok(key) = keystation_vault::SecretText::new(text.to_owned()) else {
            assert!(text.contains(char::is_control) && row["accept"] == false, "{name}");
            continue;
        };
        let import = |answer| bench.file.import(&passphrase(PASSPHRASE), named("gk-a"), &key, answer);
        if row["accept"] == true {
            let asked = import(DerivedKeyAnswer::NotAsked);
            let question = matches!(asked, Err(ImportError::MayBeDerivedKey));
            assert_eq!(question, row["question"] == true, "{name}");
            let info = if question { import(DerivedKeyAnswer::GroupKey) } else { asked }.expect(name);
            assert_eq!(u64::from(info.length), row["bytes"].as_u64().unwrap(), "{name}");
            assert_eq!(bench.unlock().unwrap().keys(), [info], "{name}");
            continue;
        }
        let Err(ImportError::Key(refused)) = import(DerivedKeyAnswer::GroupKey) else {
            panic!("{name}: taken")
        };
        assert_eq!(variant(&refused), row["error"].as_str().unwrap(), "{name}");
        if let Some(position) = row["position"].as_u64() {
            assert!(
                format!("{refused:?}").contains(&format!("position: {position} ")),
                "{name}: {refused:?}"
            );
        }
        let shown = format!("{refused} {refused:?}");
        assert!(
            !text.as_bytes().windows(8).any(|part| shown.as_bytes().windows(8).any(|w| w == part)),
            "{name}"
        );
    }
}
