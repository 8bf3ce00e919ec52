//! A window that only looks, in a process of its own, at a station that another process holds.

use std::fs;
use std::path::Path;
use std::process::Command;

use keystation_audit::{Journal, Paths, SystemClock};
use keystation_core::record::{Actor, Entry, Event};
use keystation_tests::bench::{Bench, PUBLISHED_ID};
use keystation_tests::binaries::program;
use keystation_tests::sim::Sim;
use serde_json::{Value, json};

use super::page::Page;
use super::screen::Screen;

/// A station that keyed one device.
fn worked() -> Bench {
    let bench = Bench::quick();
    let sim = Sim::published(&bench.file("sim"));
    assert_eq!(bench.inject(&sim.port(0)).exit, Some(0));
    bench
}

/// The hash of a file, by a program of its own: to close a descriptor of the database in this process would take SQLite's
/// locks from it.
fn hash(file: &Path) -> String {
    let sum = Command::new("sha256sum").arg(file).output().unwrap();
    assert!(sum.status.success(), "{sum:?}");
    String::from_utf8(sum.stdout).unwrap()
}

fn answer(page: &Page, command: &str, arguments: Value) -> Value {
    let said = page.invoke(command, &arguments);
    assert!(said["refused"].is_null(), "{command}: {said}");
    said["answer"].clone()
}

#[test]
fn qa_looks_at_a_station_that_works_and_leaves_it_as_it_is() {
    let bench = worked();
    let data = bench.data();
    let paths = Paths::in_dir(&data);
    let station = Journal::open(&paths, SystemClock::new().unwrap()).unwrap();
    let files = [&paths.db, &data.join("audit.db-wal"), &paths.head, &paths.key, &data.join("vault.age")];
    let before = files.map(|file| hash(file));
    let modified = fs::metadata(&paths.db).unwrap().modified().unwrap();

    let screen = Screen::start();
    let page = Page::open_to_look(&screen, &data);
    let overview = answer(&page, "overview", json!({}));
    let rooms = (&overview["rooms"], &overview["readOnly"], &overview["damage"]);
    assert_eq!(rooms, (&json!(["audit", "keys", "people"]), &json!(true), &Value::Null));
    let found = answer(&page, "search", json!({ "text": "a1:b2:c3:d4:e5:f6", "before": null, "limit": 50 }));
    assert_eq!((&found["rows"][0]["id"], &found["rows"][0]["outcome"]), (&json!(PUBLISHED_ID), &json!("ok")));
    let life = answer(&page, "device", json!({ "id": PUBLISHED_ID }));
    assert_eq!((&life["standing"], &life["key"]), (&json!("keyed"), &json!("gk-test")));
    assert_eq!(answer(&page, "verify", json!({ "channel": "CHANNEL" }))["state"], "intact");
    for (command, arguments) in [
        ("save_proof", json!({ "id": PUBLISHED_ID })),
        ("sign_review", json!({ "reviewer": "qa-007", "to": 1, "remark": "" })),
        ("unlock", json!({})),
        ("lock", json!({})),
        ("acknowledge", json!({ "slot": 1 })),
    ] {
        assert_eq!(page.invoke(command, &arguments)["refused"]["code"], "read-only", "{command}");
    }
    assert_eq!(files.map(|file| hash(file)), before);
    assert_eq!(fs::metadata(&paths.db).unwrap().modified().unwrap(), modified);

    // The station works on, and the window sees it.
    station
        .append(&Entry { actor: Actor::default(), event: Event::Unlock { custody: "sealed-file" } })
        .unwrap();
    assert_eq!(
        answer(&page, "overview", json!({}))["records"].as_u64(),
        overview["records"].as_u64().map(|r| r + 1)
    );
    drop(page);
    station.close().unwrap();
    bench.assert_log_intact();
}

#[test]
fn qa_sees_what_is_wrong_with_a_log_that_the_station_does_not_open() {
    let bench = worked();
    let data = bench.data();
    let mut bytes = fs::read(data.join("audit.db")).unwrap();
    let record = br#""ev":"log.close""#;
    // The last one: page by page a table grows towards its end.
    let places: Vec<_> =
        (0..bytes.len() - record.len()).filter(|at| bytes[*at..].starts_with(record)).collect();
    assert!(!places.is_empty());
    for at in places {
        bytes[at..at + record.len()].copy_from_slice(br#""ev":"log.clown""#);
    }
    fs::write(data.join("audit.db"), bytes).unwrap();
    let long = "x".repeat(501);
    let too_long = bench.run(&["audit", "review", "--remark", &long]);
    assert_eq!(too_long.exit, Some(2), "settings and arguments come first");
    assert_eq!(bench.run(&["--operator", "qa-007", "audit", "review"]).exit, Some(4));

    let screen = Screen::start();
    let page = Page::open_to_look(&screen, &data);
    let overview = answer(&page, "overview", json!({}));
    assert_eq!(overview["damage"]["code"], "log-unreadable", "{overview}");
    let verdict = answer(&page, "verify", json!({ "channel": "CHANNEL" }));
    assert_eq!(verdict["state"], "damaged");
    assert!(verdict["findings"][0]["sentence"].as_str().unwrap().contains("was changed"), "{verdict}");
}

#[test]
fn an_option_that_there_is_not_opens_no_window() {
    let bench = worked();
    let mut command = Command::new(program("keystation-desktop"));
    let output = command.arg("--data").arg(bench.data()).arg("--qu").output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
}
