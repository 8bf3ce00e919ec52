//! The witness: what it must cosign and refuse, and what it remembers.

use std::fs;
use std::path::{Path, PathBuf};

use keystation_audit::{Refusal, VerifierKey, Witness, WitnessError, WitnessKey};
use serde_json::Value;
use tempfile::TempDir;

use crate::support::write_private;
use crate::vectors::{text, vectors};

/// A witness in a directory of its own, with the key of the vectors and what it should remember.
fn witness(file: &Value, state: &Value) -> (TempDir, Witness) {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("logs")).unwrap();
    write_private(&directory.path().join("witness.key"), text(file, "key"));
    let remembered = format!("{}\n{}", text(file, "log"), state.as_str().unwrap_or_default());
    fs::write(log_file(directory.path(), file), remembered).unwrap();
    let witness = Witness::open(directory.path()).unwrap();
    (directory, witness)
}

fn log_file(directory: &Path, file: &Value) -> PathBuf {
    let key: VerifierKey = text(file, "log").parse().unwrap();
    directory.join("logs").join(key.name().replace('/', "+"))
}

fn time(file: &Value) -> u64 {
    file["time"].as_u64().unwrap()
}

const fn word(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::Form(_) => "form",
        Refusal::Unknown(_) => "unknown",
        Refusal::Checkpoint(_) => "checkpoint",
        Refusal::Cosignature(_) => "cosignature",
        Refusal::RolledBack { .. } => "rolled-back",
        Refusal::Smaller { .. } => "smaller",
        Refusal::Forked { .. } => "forked",
        Refusal::Conflict { .. } => "conflict",
        Refusal::Proof { .. } => "proof",
        Refusal::Clock => "clock",
        Refusal::Broken(_) => "broken",
    }
}

#[test]
fn what_grew_out_of_what_was_seen_is_cosigned_and_remembered() {
    let file = vectors("audit-witness.json");
    let key: WitnessKey = text(&file, "witness").parse().unwrap();
    let rows = file["must_pass"].as_array().unwrap();
    assert!(rows.len() >= 6);
    for row in rows {
        let (directory, witness) = witness(&file, &row["state"]);
        assert_eq!(witness.key(), &key);
        let response = witness
            .sign(text(row, "request"), time(&file))
            .unwrap_or_else(|e| panic!("{}: {e}", text(row, "name")));
        assert_eq!(response, text(row, "response"), "{}", text(row, "name"));
        assert_eq!(key.cosigned_at(&response), Ok(Some(time(&file))));
        drop(witness);
        let [log] = &Witness::open(directory.path()).unwrap().logs().unwrap()[..] else { panic!("one log") };
        let (last, at) = log.last.as_ref().unwrap();
        assert_eq!((last.size, *at), (5, time(&file)), "{}", text(row, "name"));
    }
}

#[test]
fn each_refusal_has_its_reason_and_changes_nothing() {
    let file = vectors("audit-witness.json");
    let rows = file["must_fail"].as_array().unwrap();
    assert!(rows.len() >= 30);
    for row in rows {
        let (directory, witness) = witness(&file, &row["state"]);
        let before = fs::read(log_file(directory.path(), &file)).unwrap();
        let now = time(&file) - u64::from(text(row, "why") == "clock");
        let refusal = witness.sign(text(row, "request"), now).unwrap_err();
        assert_eq!(word(&refusal), text(row, "why"), "{}: {refusal}", text(row, "name"));
        assert_eq!(fs::read(log_file(directory.path(), &file)).unwrap(), before, "{}", text(row, "name"));
    }
}

#[test]
fn a_state_that_was_changed_is_not_used() {
    let file = vectors("audit-witness.json");
    let row = &file["must_pass"][1];
    let (directory, witness) = witness(&file, &row["state"]);
    let path = log_file(directory.path(), &file);
    let whole = fs::read_to_string(&path).unwrap();
    let first_line = whole.find('\n').unwrap() + 1;
    for (name, state) in [
        ("without the cosignature", &whole[..whole[..whole.len() - 1].rfind('\n').unwrap() + 1]),
        ("cut in the middle", &whole[..whole.len() - 20]),
        ("without the key", &whole[first_line..]),
        ("empty", ""),
        ("another size", &whole.replacen("\n3\n", "\n2\n", 1)),
    ] {
        fs::write(&path, state).unwrap();
        let refusal = witness.sign(text(row, "request"), time(&file)).unwrap_err();
        assert_eq!(word(&refusal), "broken", "{name}: {refusal}");
    }
    // What is remembered of one log is not what is remembered of another.
    fs::write(&path, &whole).unwrap();
    fs::rename(&path, path.with_file_name("keylog.example.com+plant7+stn04+1")).unwrap();
    assert!(matches!(witness.logs(), Err(WitnessError::State(_))));
}

#[test]
fn a_new_witness_has_a_key_of_its_own_and_is_made_once() {
    let directory = tempfile::tempdir().unwrap();
    let state = directory.path().join("witness");
    assert!(matches!(Witness::open(&state), Err(WitnessError::Missing(_))));
    for name in ["", "a b", "a+b", "W", "a\n"] {
        assert!(matches!(Witness::create(&state, name), Err(WitnessError::Name(_))), "{name:?}");
    }
    let key = Witness::create(&state, "witness.example.com/qa").unwrap();
    assert_eq!(fs::read_to_string(state.join("witness.vkey")).unwrap(), format!("{key}\n"));
    assert!(matches!(Witness::create(&state, "witness.example.com/qa"), Err(WitnessError::Exists(_))));
    let witness = Witness::open(&state).unwrap();
    assert_eq!(witness.key(), &key);
    assert!(matches!(Witness::open(&state), Err(WitnessError::InUse(_))));

    let log: VerifierKey = text(&vectors("audit-witness.json"), "log").parse().unwrap();
    witness.add_log(&log).unwrap();
    assert!(matches!(witness.add_log(&log), Err(WitnessError::Watched(_))), "and what it remembers stays");
    let logs = witness.logs().unwrap();
    assert_eq!((logs.len(), logs[0].last.is_none()), (1, true));
    drop(witness);
    fs::set_permissions(state.join("witness.key"), std::os::unix::fs::PermissionsExt::from_mode(0o640))
        .unwrap();
    assert!(matches!(Witness::open(&state), Err(WitnessError::KeyExposed(_))));
}

/// A key that signs checkpoints is none that cosigns them, and the other way round.
#[test]
fn keys_of_logs_and_of_witnesses_are_not_confused() {
    let file = vectors("audit-witness.json");
    assert!(text(&file, "log").parse::<WitnessKey>().is_err());
    assert!(text(&file, "witness").parse::<VerifierKey>().is_err());
}

#[test]
fn the_document_prints_the_example() {
    let file = vectors("audit-witness.json");
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/audit-format.md");
    let document = fs::read_to_string(document).unwrap();
    let (head, _) = text(&file, "request").split_once("\n\n").unwrap();
    let cosignature = text(&file, "response").lines().last().unwrap();
    for line in head.lines().chain([cosignature, text(&file, "witness")]) {
        assert!(document.contains(&format!("{line}\n")), "{line}");
    }
}
