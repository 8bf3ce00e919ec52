//! The cases of `tests/vectors/audit-bundle.json` that both independent verifiers judge, too.

use serde_json::Value;

use super::*;
use crate::note::VerifierKey;
use crate::projection::Step;
use crate::state;

/// The records of a whole bundle, if the case says what they are.
fn records(case: &Value) -> Option<Vec<Vec<u8>>> {
    let entries = case["set"].as_object()?.iter().filter(|(path, _)| path.starts_with("tile/entries/"));
    let hex = entries.filter_map(|(_, value)| value.as_str()).next()?;
    let nibbles: Vec<u8> = hex.bytes().map(|c| char::from(c).to_digit(16).unwrap() as u8).collect();
    let bytes: Vec<u8> = nibbles.as_chunks::<2>().0.iter().map(|[high, low]| high << 4 | low).collect();
    let (mut rest, mut records) = (&bytes[..], Vec::new());
    while let [high, low, tail @ ..] = rest {
        let (body, tail) = tail.split_at(usize::from(u16::from_be_bytes([*high, *low])));
        records.push(body.to_vec());
        rest = tail;
    }
    Some(records)
}

/// What [`crate::verify`] asks of each record.
fn accepts(bodies: &[Vec<u8>], key: &VerifierKey) -> bool {
    let mut beginning = Beginning::default();
    let good = (0..).zip(bodies).all(|(seq, body)| {
        Record::parse(body).is_ok_and(|record| {
            state::check_place(&record, seq, key).is_ok()
                && beginning.check(&record).is_ok()
                && Step::of(&record).is_ok()
        })
    });
    good && beginning.is_complete(bodies.len() as u64).is_ok()
}

#[test]
fn vectors_are_accepted_and_refused() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/audit-bundle.json");
    let file: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let key: VerifierKey = file["vkey"].as_str().unwrap().parse().unwrap();
    let cases = |list: &str, named: &str| {
        let cases = file[list].as_array().unwrap().iter().filter(|case| case["kind"] == "whole");
        let cases = cases.filter(|case| case["name"].as_str().unwrap().starts_with(named));
        cases.map(|case| (case["name"].to_string(), records(case).unwrap())).collect::<Vec<_>>()
    };
    let (good, bad) = (cases("must_pass", "an epoch"), cases("must_fail", "signed: "));
    assert_eq!((good.len(), bad.len()), (4, 29));
    good.iter().for_each(|(name, bodies)| assert!(accepts(bodies, &key), "{name}"));
    bad.iter().for_each(|(name, bodies)| assert!(!accepts(bodies, &key), "{name}"));
}
