//! The anchors of keyed devices: what the log says when it is held against them.

use keystation_audit::{DeviceAnchor, Reader, Snapshot};
use keystation_core::credential::LogAnchor;
use keystation_core::flow::Log;
use keystation_core::record::{Event, Holds};
use keystation_core::registration::{IdRule, RegistrationId};

use crate::example::written;
use crate::support::{attacker, begin, copy, entry, follow, id, intent, open, outcome, work};
use crate::vectors::{bytes, text, vectors};

fn anchor(hex: &str) -> LogAnchor {
    LogAnchor::from_bytes(&bytes(hex).try_into().unwrap())
}

fn held(snapshot: &Snapshot<'_>, anchor: LogAnchor, rid: &str) -> DeviceAnchor {
    snapshot.device_anchor(anchor, &RegistrationId::new(rid, IdRule::Dashes).unwrap()).unwrap()
}

#[test]
fn receipts_carry_the_anchor_of_their_record() {
    let directory = tempfile::tempdir().unwrap();
    let (_, _, receipts) = written(directory.path());
    let file = vectors("audit-log.json");
    let key = text(&file, "vkey").split('+').nth(1).unwrap();
    for receipt in &receipts {
        let root = &file["roots"][receipt.seq as usize + 1].as_str().unwrap()[..16];
        assert_eq!(receipt.anchor, anchor(&format!("{key}{:016x}{root}", receipt.seq + 1)));
    }
    let device = vectors("device-protocol.json");
    for expected in [text(&device["set"], "anchor"), text(&vectors("audit-device.json"), "anchor")] {
        assert_eq!(receipts[1].anchor, anchor(expected), "the one that docs/device-protocol.md writes");
    }
}

/// Records that one transaction holds have an anchor each: a checkpoint covers them all at once.
#[test]
fn every_record_of_a_batch_has_its_own_anchor() {
    let directory = tempfile::tempdir().unwrap();
    let (paths, journal) = begin(directory.path());
    let receipts = std::thread::scope(|scope| {
        let slots: Vec<_> = (0..32)
            .map(|slot| {
                let journal = journal.clone();
                scope.spawn(move || {
                    let rid = format!("sn-{slot:04}");
                    let append = |_| {
                        (Log::append(&journal, &entry(follow(&journal, intent(&rid)))).unwrap(), rid.clone())
                    };
                    (0..20).map(append).collect::<Vec<_>>()
                })
            })
            .collect();
        slots.into_iter().flat_map(|slot| slot.join().unwrap()).collect::<Vec<_>>()
    });
    let reader = Reader::open(&paths).unwrap();
    let snapshot = reader.snapshot().unwrap();
    for (receipt, rid) in receipts {
        assert_eq!(receipt.anchor.size, receipt.seq + 1);
        assert_eq!(held(&snapshot, receipt.anchor, &rid), DeviceAnchor::Agrees(receipt.seq));
    }
}

#[test]
fn anchors_of_the_vectors() {
    let directory = tempfile::tempdir().unwrap();
    let (paths, ..) = written(directory.path());
    let reader = Reader::open(&paths).unwrap();
    let snapshot = reader.snapshot().unwrap();
    let file = vectors("audit-device.json");
    let rows = file["cases"].as_array().unwrap();
    assert!(rows.len() >= 17);
    for row in rows {
        let verdict = held(&snapshot, anchor(text(row, "anchor")), text(row, "rid"));
        assert_eq!(verdict.word(), text(row, "verdict"), "{}: {verdict:?}", text(row, "name"));
    }
}

/// Database and head of yesterday, with the key that signs: nothing on the machine tells. The device does.
#[test]
fn a_device_keyed_in_between_finds_yesterdays_copy() {
    let directory = tempfile::tempdir().unwrap();
    let station = directory.path().join("station");
    std::fs::create_dir(&station).unwrap();
    let (paths, journal) = begin(&station);
    work(&journal, 3);
    journal.close().unwrap();
    let yesterday = directory.path().join("yesterday");
    copy(&station, &yesterday);

    let journal = open(&paths).unwrap();
    let today = Log::append(&journal, &entry(follow(&journal, intent("sn-today")))).unwrap();
    journal.append(&entry(Event::Result(outcome("sn-today", today.seq, Holds::New)))).unwrap();
    journal.close().unwrap();

    let restored = keystation_audit::Paths::in_dir(&yesterday);
    let verdict = |rid: &str| {
        let reader = Reader::open(&restored).unwrap();
        let snapshot = reader.snapshot().expect("the copy agrees with itself");
        held(&snapshot, today.anchor, rid)
    };
    assert_eq!(verdict("sn-today"), DeviceAnchor::CutBack { size: 8, log: 7 });
    // And when the copy was worked with, until it was as long again.
    let journal = open(&restored).unwrap();
    work(&journal, 2);
    journal.close().unwrap();
    assert_eq!(verdict("sn-today"), DeviceAnchor::Replaced { size: 8 });
    open(&paths).unwrap().close().unwrap();
    let reader = Reader::open(&paths).unwrap();
    let good = reader.snapshot().unwrap();
    assert_eq!(held(&good, today.anchor, "sn-today"), DeviceAnchor::Agrees(7));
}

/// A log that is not what its head was signed for is not compared at all.
#[test]
fn a_damaged_log_is_no_measure_of_a_device() {
    let directory = tempfile::tempdir().unwrap();
    let (paths, journal) = begin(directory.path());
    work(&journal, 3);
    let receipt = Log::append(&journal, &entry(follow(&journal, intent("sn-0009")))).unwrap();
    journal.close().unwrap();
    let reader = Reader::open(&paths).unwrap();
    assert!(reader.snapshot().unwrap().device_anchor(receipt.anchor, &id("sn-0009")).is_ok());
    drop(reader);
    attacker(&paths).execute_batch("DROP TRIGGER log_no_delete; DELETE FROM log WHERE seq = 7;").unwrap();
    assert!(Reader::open(&paths).unwrap().snapshot().is_err());
}
