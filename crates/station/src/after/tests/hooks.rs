use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use keystation_core::failure::Code;
use keystation_core::record::Event;

use super::{Place, append, device, id, numbers, records};

const LONG: Duration = Duration::from_secs(120);

fn program(folder: &Path, name: &str, text: &str) -> PathBuf {
    let file = folder.join(name);
    fs::write(&file, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    file
}

fn section(program: &Path, on: &str, seconds: u32) -> String {
    format!("[[hook]]\non = [{on}]\nprogram = \"{}\"\nseconds = {seconds}\n", program.display())
}

#[test]
fn a_program_is_told_of_what_it_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let all = program(folder.path(), "all", &format!("cat >> {}", out.display()));
    let place = Place::with(&section(&all, "\"pass\", \"fail\"", 60));
    let station = place.work();
    let (intent, passed) = device(&station, 1, "example/1", None);
    let (_, failed) = device(&station, 2, "example/1", Some(Code::Silent));
    let refused = Event::Refuse {
        code: Code::Locked,
        port: "p".to_owned(),
        identity: None,
        id: Some(id(3)),
        job: String::new(),
    };
    let refused = append(&station, refused);
    assert!(station.after_done(LONG));
    station.close().unwrap();
    let told = fs::read_to_string(out).unwrap();
    let told: Vec<serde_json::Value> = told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let seen: Vec<_> = told
        .iter()
        .map(|told| (told["event"].as_str().unwrap(), told["record"]["seq"].as_u64().unwrap()))
        .collect();
    assert_eq!(seen, [("pass", passed), ("fail", failed), ("fail", refused)]);
    assert_eq!(told[0]["intent"]["seq"], intent);
    assert_eq!(told[0]["intent"]["sn"], "A00001");
    assert!(told[2].get("intent").is_none());
    assert!(records(&place, "hook.fail").is_empty());
}

/// Its failure is a record, and harms nothing: the next one is called, the log is whole.
#[test]
fn a_hook_that_fails_is_recorded_and_harms_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let bad = program(folder.path(), "bad", "echo '{\"ev\":\"inject.result\"}'; echo secret >&2; exit 7");
    let slow = program(folder.path(), "slow", "sleep 600");
    let gone = program(folder.path(), "gone", "exit 0");
    let place = Place::with(
        &[section(&bad, "\"pass\"", 60), section(&slow, "\"pass\"", 1), section(&gone, "\"fail\"", 1)]
            .concat(),
    );
    let station = place.work();
    fs::remove_file(&gone).unwrap();
    let (_, passed) = device(&station, 1, "example/1", None);
    let (_, failed) = device(&station, 2, "example/1", Some(Code::Silent));
    assert!(station.after_done(LONG));
    station.close().unwrap();
    let mut told: Vec<_> = records(&place, "hook.fail")
        .iter()
        .map(|record| {
            let text = |field: &str| record[field].as_str().unwrap().to_owned();
            (
                text("program"),
                text("on"),
                text("why"),
                record["number"].as_i64().unwrap(),
                record["ref"].as_u64().unwrap(),
            )
        })
        .collect();
    told.sort();
    let row = |program: &str, on: &str, why: &str, number, record| {
        (program.to_owned(), on.to_owned(), why.to_owned(), number, record)
    };
    assert_eq!(
        told,
        [
            row("bad", "pass", "exit", 7, passed),
            row("gone", "fail", "start", 0, failed),
            row("slow", "pass", "time", 0, passed),
        ]
    );
    let verdict = place.open().reader().unwrap().verify().unwrap();
    assert!(matches!(verdict, keystation_audit::Verdict::Intact { .. }), "{verdict:?}");
}

/// What is due when the program ends is not called, and the log says so.
#[test]
fn calls_that_are_not_made_are_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let slow = program(folder.path(), "slow", "sleep 600");
    let place = Place::with(&section(&slow, "\"pass\"", 300));
    let station = place.work();
    let results: Vec<_> = (0..4).map(|number| device(&station, number, "example/1", None).1).collect();
    station.close().unwrap();
    let dropped = records(&place, "hook.drop");
    let called = records(&place, "hook.fail").len();
    assert_eq!(dropped.len(), 1);
    assert_eq!(
        (dropped[0]["why"].as_str(), dropped[0]["count"].as_u64()),
        (Some("end"), Some(4 - called as u64))
    );
    assert_eq!(numbers(&dropped, "last"), [results[3]]);
}

/// Whoever may write to it would be the station.
#[test]
fn a_program_that_others_may_change_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = program(folder.path(), "hook", "exit 0");
    let place = Place::with(&section(&file, "\"pass\"", 1));
    let refused = |mode, why: &str| {
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        let station = place.open();
        let error = station.begin_after(true).unwrap_err().to_string();
        station.close().unwrap();
        assert!(error.contains(why), "{error}");
    };
    refused(0o757, "may be written to by its group or by everybody");
    refused(0o775, "may be written to by its group or by everybody");
    refused(0o644, "it is no program");
    fs::remove_file(&file).unwrap();
    let station = place.open();
    assert!(station.begin_after(true).unwrap_err().to_string().contains("No such file"));
}
