//! Key cards: what is taken and what is refused, and which file is to blame.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use base64ct::{Base64, Encoding};
use keystation_vault::{CardError, Cards, CustodyKind, Exposure, Home};

use crate::support::{repository, variant, vectors};

fn put(directory: &Path, name: &str, text: &str) {
    let file = directory.join(name);
    fs::write(&file, text).unwrap();
    fs::set_permissions(file, Permissions::from_mode(0o600)).unwrap();
}

#[test]
fn cards_are_taken_or_refused_as_the_vectors_say() {
    let file = vectors("key-card.json");
    let rows = file["vectors"].as_array().unwrap();
    assert!(rows.iter().filter(|row| row["error"].is_string()).count() >= 60);
    for row in rows {
        let name = row["name"].as_str().unwrap();
        let directory = tempfile::tempdir().unwrap();
        let files = row["files"].as_object().unwrap();
        for (file, text) in files {
            put(directory.path(), file, text.as_str().unwrap());
        }
        match (Cards::at(directory.path()).read(), row["error"].as_str()) {
            (Ok(cards), None) => {
                let labels: Vec<_> = cards.iter().map(|card| card.info.label.as_str()).collect();
                assert_eq!(serde_json::json!(labels), row["labels"], "{name}");
            }
            (Err(error), Some(expected)) => {
                let shown = error.to_string();
                assert!(!error.remedy().is_empty(), "{name}");
                let found = match &error {
                    CardError::Fault { file, fault } => {
                        assert!(shown.contains(&file.display().to_string()), "{name}: {shown}");
                        assert!(files.contains_key(file.file_name().unwrap().to_str().unwrap()), "{name}");
                        variant(fault)
                    }
                    other => variant(other),
                };
                assert_eq!(found, expected, "{name}: {shown}");
            }
            (Ok(_), Some(expected)) => panic!("{name}: taken, should be {expected}"),
            (Err(error), None) => panic!("{name}: {error}"),
        }
    }
}

#[test]
fn card_that_others_can_reach_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let file = vectors("key-card.json");
    let row = file["vectors"].as_array().unwrap().iter().find(|row| row["name"] == "a key in a TPM").unwrap();
    put(directory.path(), "gk-a.json", row["files"]["gk-a.json"].as_str().unwrap());
    let cards = Cards::at(directory.path());
    for mode in [0o640, 0o604, 0o666] {
        fs::set_permissions(directory.path().join("gk-a.json"), Permissions::from_mode(mode)).unwrap();
        let refused = cards.read();
        assert!(
            matches!(&refused, Err(CardError::Exposed { exposure: Exposure::Mode(found), .. }) if *found == mode),
            "{refused:?}"
        );
    }
    fs::set_permissions(directory.path().join("gk-a.json"), Permissions::from_mode(0o400)).unwrap();
    assert_eq!(cards.read().unwrap().len(), 1);
}

/// The cards that the specification prints are read, with the lengths that it says.
#[test]
fn specified_cards_are_read() {
    let specification = fs::read_to_string(repository("docs/vault-format.md")).unwrap();
    let printed: Vec<_> = specification
        .lines()
        .filter(|line| line.starts_with("{\"bytes\""))
        .map(|l| format!("{l}\n"))
        .collect();
    let directory = tempfile::tempdir().unwrap();
    for text in &printed {
        let label = text.split_once("\"label\":\"").unwrap().1.split_once('"').unwrap().0;
        put(directory.path(), &format!("{label}.json"), text);
        assert!(
            specification.contains(&format!("{} bytes with its line feed", text.len())),
            "{}",
            text.len()
        );
    }
    let cards = Cards::at(directory.path()).read().unwrap();
    let kinds: Vec<_> = cards.iter().map(|card| card.home.kind()).collect();
    assert_eq!(kinds, [CustodyKind::Pkcs11, CustodyKind::Tpm]);
    let Home::Tpm { public, private } = &cards[1].home else { panic!("it is in a TPM") };
    assert_eq!((public.len(), private.len()), (50, 192));
    assert!(specification.contains(&Base64::encode_string(public)));
}
