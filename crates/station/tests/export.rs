//! Proof files and bundles as the station puts them on a disk. What is in them is held against the vectors in
//! `keystation-audit`, and by verifiers that share no code with it in the whole-station tests.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests too")]

mod signed; // somebody in front of the station

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use keystation::export::{Part, bundle, proof, save_proof};
use keystation::people::Action;
use keystation::report::OutError;
use keystation::{DataDir, Station, StationError, paths};
use keystation_audit::{Journal, Reader, SystemClock};
use keystation_core::failure::Code;
use keystation_core::record::{Actor, Entry, Event};
use keystation_core::registration::{IdRule, RegistrationId};
use tempfile::TempDir;

fn id(text: &str) -> RegistrationId {
    RegistrationId::new(text, IdRule::Punctuation).unwrap()
}

/// A station that refused one device of each of these IDs.
fn station(ids: &[&str]) -> (TempDir, DataDir, Journal) {
    let directory = tempfile::tempdir().unwrap();
    let data = DataDir::new(directory.path().join("data"));
    Station::init(&data, "keylog.example.com/plant7/stn03").unwrap();
    let journal = Journal::open(&paths(&data), SystemClock::new().unwrap()).unwrap();
    for text in ids {
        let event = Event::Refuse {
            code: Code::AlreadyKeyed,
            port: "p".to_owned(),
            identity: None,
            id: Some(id(text)),
            job: String::new(),
        };
        journal.append(&Entry { actor: Actor::default(), event }).unwrap();
    }
    (directory, data, journal)
}

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(directory)
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn proofs_of_devices_are_kept_under_names_that_mean_no_path_and_none_is_replaced() {
    let (directory, data, journal) = station(&["sn-1", "a.b_c:d"]);
    let reader = Reader::open(&paths(&data)).unwrap();
    let kept = |text: &str| save_proof(&data, &reader, &id(text));
    let exports = data.path().join("exports");
    let first = kept("sn-1").unwrap();
    assert_eq!(first, exports.join("sn-1.tlog-proof"));
    let text = fs::read_to_string(&first).unwrap();
    assert_eq!(text.matches("c2sp.org/tlog-proof@v1\n").count(), 2, "record 0 and its own");
    assert!(text.ends_with(&journal.checkpoint().unwrap()));
    assert_eq!(fs::metadata(&exports).unwrap().permissions().mode() & 0o777, 0o700);

    fs::write(exports.join("sn-1-3.tlog-proof.part"), "left behind").unwrap();
    symlink("nowhere", exports.join("sn-1-4.tlog-proof")).unwrap();
    assert_eq!(kept("sn-1").unwrap(), exports.join("sn-1-2.tlog-proof"));
    assert_eq!(kept("sn-1").unwrap(), exports.join("sn-1-5.tlog-proof"));
    assert_eq!(kept("a.b_c:d").unwrap(), exports.join("a-b-c-d.tlog-proof"));
    assert!(matches!(kept("sn-2"), Err(StationError::NotInLog(name)) if name == "sn-2"));
    assert_eq!(fs::read_to_string(&first).unwrap(), text);
    assert_eq!(names(&exports).len(), 6);

    // The same, to a file that somebody names.
    let out = directory.path().join("device.tlog-proof");
    proof(&reader, &id("sn-1"), &out).unwrap();
    assert_eq!(fs::read_to_string(&out).unwrap(), text);
    let again = proof(&reader, &id("sn-1"), &out);
    assert!(matches!(again, Err(StationError::Out(OutError::Exists(_)))), "{again:?}");
    assert!(proof(&reader, &id("sn-2"), &directory.path().join("none")).is_err());
    assert!(!directory.path().join("none").exists());
}

#[test]
fn a_folder_that_leads_elsewhere_gets_no_proof() {
    let (directory, data, _journal) = station(&["sn-1"]);
    let elsewhere = directory.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    symlink(&elsewhere, data.path().join("exports")).unwrap();
    let reader = Reader::open(&paths(&data)).unwrap();
    let refused = save_proof(&data, &reader, &id("sn-1"));
    assert!(matches!(refused, Err(StationError::Disk { .. })), "{refused:?}");
    assert_eq!(names(&elsewhere), Vec::<String>::new());
}

#[test]
fn a_bundle_is_recorded_before_it_has_its_name_and_holds_what_was_there_before() {
    let (directory, data, journal) = station(&["sn-1", "sn-2"]);
    journal.close().unwrap();
    let station = signed::open(&data);
    signed::sign_in(&station, "qa-007", "qa");
    let permit = &station.permit(Action::Export).unwrap();
    let before = station.reader().unwrap().size().unwrap();
    let out = directory.path().join("bundle");
    let exported = station.bundle(permit, &Part::Whole, &out).unwrap();
    assert_eq!((exported.records, exported.checkpoint.size, exported.record), (before, before, Some(before)));
    assert_eq!(
        names(&out),
        ["README", "checkpoint", "log.vkey", "tile", "witness.vkeys"],
        "no checkpoints: no witness signed any"
    );
    assert_eq!(
        fs::read(out.join("tile/0/000.p").join(before.to_string())).unwrap().len() as u64,
        before * 32
    );
    assert_eq!(fs::read(out.join("log.vkey")).unwrap(), fs::read(data.path().join("log.vkey")).unwrap());
    let readme = fs::read_to_string(out.join("README")).unwrap();
    assert!(readme.contains(&exported.checkpoint.short_root()) && !readme.contains(['{', '}']), "{readme}");

    let part = directory.path().join("part");
    let device = Part::Device(id("sn-2"));
    let exported = station.bundle(permit, &device, &part).unwrap();
    assert_eq!(
        (exported.records, exported.checkpoint.size, exported.record),
        (1, before + 1, Some(before + 1))
    );
    assert_eq!(names(&part.join("records")), ["0.json", "2.json"]);
    station.close().unwrap();
    let mut recorded = Vec::new();
    Reader::open(&paths(&data))
        .unwrap()
        .records(before..before + 2, None, |record| {
            recorded.push((record.event().to_owned(), record.text("rid").unwrap().into_owned()));
            std::ops::ControlFlow::Continue(())
        })
        .unwrap();
    let recorded: Vec<_> = recorded.iter().map(|(event, rid)| (event.as_str(), rid.as_str())).collect();
    assert_eq!(recorded, [("export.bundle", ""), ("export.bundle", "sn-2")]);
}

#[test]
fn a_bundle_that_cannot_be_made_leaves_nothing_and_no_record() {
    let (directory, data, journal) = station(&["sn-1"]);
    journal.close().unwrap();
    let station = signed::open(&data);
    signed::sign_in(&station, "qa-007", "qa");
    let permit = &station.permit(Action::Export).unwrap();
    let before = station.reader().unwrap().size().unwrap();
    let out = directory.path().join("bundle");
    let day = |from: &str| Part::Days { from: Some(from.to_owned()), to: None };
    for (part, code) in [
        (Part::Job("WO-1".to_owned()), "job-unknown"),
        (Part::Device(id("sn-9")), "not-in-log"),
        (day("2999-01-01"), "not-in-log"),
        (day("2026-02-30"), "query"),
    ] {
        assert_eq!(station.bundle(permit, &part, &out).unwrap_err().code(), code, "{part:?}");
    }
    fs::create_dir(&out).unwrap();
    assert_eq!(station.bundle(permit, &Part::Whole, &out).unwrap_err().code(), "file-exists");
    let nowhere = directory.path().join("no/such/folder");
    assert_eq!(station.bundle(permit, &Part::Whole, &nowhere).unwrap_err().code(), "disk");
    assert_eq!(station.reader().unwrap().size().unwrap(), before, "what was not made is not recorded");
    assert_eq!(names(directory.path()), ["bundle", "data"]);
    assert_eq!(names(&out), Vec::<String>::new());
}

/// Quality assurance copies the log while the line runs.
#[test]
fn a_bundle_can_be_read_out_beside_a_station_that_writes() {
    let (directory, data, journal) = station(&["sn-1"]);
    let exported = bundle(&data, &Part::Whole, &directory.path().join("bundle/")).unwrap();
    assert_eq!((exported.records, exported.record), (2, None));
    assert!(directory.path().join("bundle/tile/entries/000.p/2").is_file());
    assert_eq!(Reader::open(&paths(&data)).unwrap().size().unwrap(), 2, "it wrote nothing");
    drop(journal);
}
