use std::path::Path;
use std::process::Command;

use keystation_audit::{Checkpoint, Record, VerifierKey};
use serde_json::Value;

pub(crate) fn vectors(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors").join(name);
    serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap()
}

pub(crate) fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap()
}

pub(crate) fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap()).collect()
}

fn rows<'a>(file: &'a Value, key: &str, at_least: usize) -> &'a Vec<Value> {
    let rows = file[key].as_array().unwrap();
    assert!(rows.len() >= at_least, "{key}: {} rows", rows.len());
    rows
}

/// They come from the document by another hand, so that agreeing with them means something.
#[test]
fn vectors_are_those_that_the_script_makes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors");
    for name in ["make_audit.py", "make_audit_bundle.py", "make_audit_device.py", "make_audit_witness.py"] {
        // No byte code of the one that the other imports: nothing is to appear in the repository.
        let script = Command::new("python3").args(["-B", name, "--check"]).current_dir(&folder).output();
        let script = script.unwrap();
        assert!(script.status.success(), "{name}: {}", String::from_utf8_lossy(&script.stderr));
    }
}

#[test]
fn records_that_are_and_are_not() {
    let file = vectors("audit-record.json");
    for row in rows(&file, "must_pass", 10) {
        let body = bytes(text(row, "body"));
        let record = Record::parse(&body).unwrap_or_else(|e| panic!("{}: {e}", text(row, "name")));
        assert_eq!(record.json().as_bytes(), body);
    }
    for row in rows(&file, "must_fail", 70) {
        assert!(Record::parse(&bytes(text(row, "body"))).is_err(), "{}", text(row, "name"));
    }
}

#[test]
fn checkpoints_that_are_and_are_not() {
    let file = vectors("audit-checkpoint.json");
    let key: VerifierKey = text(&file, "vkey").parse().unwrap();
    for row in rows(&file, "must_pass", 7) {
        let opened = Checkpoint::open(text(row, "note"), &key);
        let checkpoint = opened.unwrap_or_else(|e| panic!("{}: {e}", text(row, "name")));
        assert_eq!(checkpoint.root[..], bytes(text(&file, "root")));
        if text(row, "name") != "the greatest size" {
            assert_eq!(checkpoint.size, file["size"].as_u64().unwrap());
        }
    }
    for row in rows(&file, "must_fail", 40) {
        assert!(Checkpoint::open(text(row, "note"), &key).is_err(), "{}", text(row, "name"));
    }
}

/// What the escapes stand for, read out of a record that holds all of them.
#[test]
fn escapes_are_undone() {
    let file = vectors("audit-record.json");
    let operator = |name: &str| {
        let row = file["must_pass"].as_array().unwrap().iter().find(|row| text(row, "name") == name).unwrap();
        Record::parse(&bytes(text(row, "body"))).unwrap().operator().into_owned()
    };
    let controls: String = (0..0xa0).filter_map(char::from_u32).filter(|c| c.is_control()).collect();
    assert_eq!(operator("every control character"), controls);
    assert_eq!(operator("quotation mark and backslash"), "\"\\");
    assert_eq!(
        operator("what is not a control character is not escaped"),
        "/\u{a0}\u{e9}\u{2028}\u{202e}\u{feff}\u{1f511}"
    );
}
