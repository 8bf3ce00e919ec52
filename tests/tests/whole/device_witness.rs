//! A keyed device is a witness of the log: `keystation check` finds by it what the log itself cannot tell.

use std::path::{Path, PathBuf};

use base64ct::{Base64, Encoding};
use keystation_tests::bench::{Bench, Run};
use keystation_tests::sim::Sim;
use serde_json::Value;

/// What `check` says of the anchor: `holds`, the code, the sentence.
fn anchor(run: &Run) -> (Option<bool>, String, String) {
    let point =
        run.events.iter().find(|event| event["name"] == "anchor").unwrap_or_else(|| panic!("{run:?}"));
    let text = |name: &str| point[name].as_str().unwrap_or_default().to_owned();
    let code = text("code");
    let stops = point["remedy"].as_array().is_some_and(|steps| steps.iter().any(|step| step == "Call QA."));
    assert_eq!(stops, !code.is_empty(), "a finding says what to do: {run:?}");
    (point["holds"].as_bool(), code, text("sentence"))
}

fn holds(run: &Run, name: &str) -> Option<bool> {
    run.events.iter().find(|event| event["name"] == name).and_then(|event| event["holds"].as_bool())
}

/// The key ID of a station's log.
fn key_id(bench: &Bench) -> String {
    let vkey = std::fs::read_to_string(bench.data().join("log.vkey")).unwrap();
    vkey.split('+').nth(1).unwrap().to_owned()
}

/// A device that has a serial number and a MAC address of its own.
fn plugged_in(dir: &Path, name: &str) -> Sim {
    let last = name.bytes().last().unwrap();
    Sim::start(dir, 1, &["--serial", name, "--mac", &format!("a4:cf:12:00:02:{last:02x}")])
}

fn keyed(bench: &Bench, name: &str) -> (PathBuf, Sim, Run) {
    let dir = bench.file(name);
    let sim = plugged_in(&dir, name);
    let run = bench.inject(&sim.port(0));
    assert_eq!(run.exit, Some(0), "{run:?}");
    (dir, sim, run)
}

/// Takes the device off the bench, puts `anchor` into its memory and plugs it in again.
fn with_anchor(dir: &Path, name: &str, sim: Sim, anchor: impl FnOnce(&mut Vec<u8>) -> bool) -> Sim {
    let file = dir.join("states/dev0.json");
    let mut state = sim.state(0);
    drop(sim);
    let mut bytes = Base64::decode_vec(state["anchor"].as_str().unwrap()).unwrap();
    state["anchor"] = if anchor(&mut bytes) { Base64::encode_string(&bytes).into() } else { Value::Null };
    std::fs::write(&file, state.to_string()).unwrap();
    plugged_in(dir, name)
}

/// The files that whoever wants another past brings back.
fn copy_log(bench: &Bench, to: &str) -> PathBuf {
    let folder = bench.file(to);
    std::fs::create_dir(&folder).unwrap();
    for name in ["audit.db", "head.note"] {
        std::fs::copy(bench.data().join(name), folder.join(name)).unwrap();
    }
    folder
}

fn restore(bench: &Bench, from: &Path, names: &[&str]) {
    for left in ["audit.db-wal", "audit.db-shm"] {
        let left = bench.data().join(left);
        if left.exists() {
            std::fs::remove_file(left).unwrap();
        }
    }
    for name in names {
        std::fs::copy(from.join(name), bench.data().join(name)).unwrap();
    }
}

#[test]
fn a_keyed_device_carries_the_log_as_it_was_at_its_intent() {
    let bench = Bench::quick();
    let (_, sim, run) = keyed(&bench, "dev-a");
    let intent = run.event("pass").unwrap()["intent"].as_u64().unwrap();
    let state = sim.state(0);
    let bytes = Base64::decode_vec(state["anchor"].as_str().unwrap()).unwrap();
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex[..24], format!("{}{:016x}", key_id(&bench), intent + 1));

    let check = bench.check(&sim.port(0));
    assert_eq!((check.exit, anchor(&check).0), (Some(0), Some(true)), "{check:?}");
    let records = bench.records().len();
    keyed(&bench, "dev-b");
    let check = bench.check(&sim.port(0));
    assert_eq!((check.exit, anchor(&check).0), (Some(0), Some(true)), "and as it grows: {check:?}");
    assert!(anchor(&check).2.contains(&format!("record {intent}")));
    assert_eq!(sim.state(0), state, "a check writes nothing");
    assert!(bench.records().len() > records);
}

#[test]
fn a_device_with_another_anchor_or_none() {
    let bench = Bench::quick();
    let (dir, sim, _) = keyed(&bench, "dev-a");
    let sim = with_anchor(&dir, "dev-a", sim, |bytes| {
        bytes[19] ^= 1;
        true
    });
    let check = bench.check(&sim.port(0));
    assert_eq!(check.exit, Some(1), "{check:?}");
    assert_eq!((anchor(&check).0, anchor(&check).1.as_str()), (Some(false), "log-replaced"));
    assert_eq!((holds(&check, "proof"), holds(&check, "record")), (Some(true), Some(true)));

    // The record before its intent, with the root that the log had then, is another one's.
    let (other, second, _) = keyed(&bench, "dev-b");
    let theirs = Base64::decode_vec(second.state(0)["anchor"].as_str().unwrap()).unwrap();
    drop((other, second));
    let sim = with_anchor(&dir, "dev-a", sim, |bytes| {
        bytes.copy_from_slice(&theirs);
        true
    });
    let check = bench.check(&sim.port(0));
    assert_eq!((check.exit, anchor(&check).1.as_str()), (Some(1), "not-its-intent"), "{check:?}");

    let sim = with_anchor(&dir, "dev-a", sim, |_| false);
    let check = bench.check(&sim.port(0));
    assert_eq!(check.exit, Some(0), "an older device is none to be blamed: {check:?}");
    assert_eq!((anchor(&check).0, anchor(&check).1.as_str()), (None, ""));
    assert!(anchor(&check).2.contains("not anchored"));
}

/// Yesterday's database and head agree with each other, and the station's key vouches for them. The device does not.
#[test]
fn a_log_that_was_set_back_is_found_by_a_device_that_was_keyed_in_between() {
    let bench = Bench::quick();
    keyed(&bench, "dev-a");
    let yesterday = copy_log(&bench, "yesterday");
    let (_, sim, _) = keyed(&bench, "dev-b");
    restore(&bench, &yesterday, &["audit.db", "head.note"]);
    bench.assert_log_intact();
    let check = bench.check(&sim.port(0));
    assert_eq!(check.exit, Some(1), "{check:?}");
    assert_eq!((anchor(&check).0, anchor(&check).1.as_str()), (Some(false), "log-cut-back"));
    assert_eq!(holds(&check, "record"), Some(false), "its record is gone");
    assert!(!check.stderr.contains("panicked"));

    // And worked with until it is longer than the one that was taken away.
    keyed(&bench, "dev-c");
    keyed(&bench, "dev-d");
    bench.assert_log_intact();
    let check = bench.check(&sim.port(0));
    assert_eq!((check.exit, anchor(&check).1.as_str()), (Some(1), "log-replaced"), "{check:?}");

    // The head of the newer one beside it: what `audit verify` finds too.
    restore(&bench, &yesterday, &["audit.db"]);
    let check = bench.check(&sim.port(0));
    assert_eq!((check.exit, anchor(&check).1.as_str()), (Some(1), "log-damaged"), "{check:?}");
}

#[test]
fn a_device_of_another_log_raises_no_alarm_about_this_one() {
    let bench = Bench::quick();
    let other = Bench::stranger();
    let (_, sim, _) = keyed(&other, "dev-a");
    let check = bench.check(&sim.port(0));
    assert_eq!(check.exit, Some(1), "it has no record here: {check:?}");
    assert_eq!((holds(&check, "record"), anchor(&check).0), (Some(false), None));
    assert_eq!(anchor(&check).1, "");
    for id in [key_id(&bench), key_id(&other)] {
        assert!(anchor(&check).2.contains(&id), "{check:?}");
    }

    // An earlier log of the same station is looked for, and found.
    let begun = other.run(&[
        "--operator",
        "admin-1",
        "audit",
        "new-epoch",
        "--approver",
        "admin-2",
        "--reason",
        "a new disk",
    ]);
    assert_eq!(begun.exit, Some(0), "{begun:?}");
    let check = other.check(&sim.port(0));
    assert_eq!((holds(&check, "record"), anchor(&check).0), (Some(false), Some(true)), "{check:?}");
    assert!(anchor(&check).2.contains("keylog.example.com/plant7/stn03/1"));
    std::fs::remove_file(other.data().join("epochs/1/head.note")).unwrap();
    let check = other.check(&sim.port(0));
    assert_eq!((anchor(&check).0, anchor(&check).1.as_str()), (None, ""), "{check:?}");
}
