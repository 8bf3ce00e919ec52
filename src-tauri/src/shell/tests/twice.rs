//! Double-clicks and held keys: what is asked for twice at once is begun once.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use keystation::DataDir;
use keystation::training::{PIN, TRAINEE};
use serde_json::{Value, json};
use tauri::Manager;
use tauri::test::MockRuntime;

use super::staff::{Staffed, State};
use super::{added, app, call, key, new, window};
use crate::commands::Bench;
use crate::desk::Desk;

/// Both answers of two calls at once.
fn twice(
    window: &tauri::WebviewWindow<MockRuntime>,
    command: &str,
    arguments: &Value,
) -> [Result<Value, Value>; 2] {
    let both = Barrier::new(2);
    let press = || {
        both.wait();
        call(window, command, arguments.clone())
    };
    thread::scope(|scope| [scope.spawn(press), scope.spawn(press)].map(|click| click.join().unwrap()))
}

/// Whatever the page sends, and however often: a device is begun by being plugged in, and once.
#[test]
fn a_page_that_sends_everything_all_the_time_begins_each_device_once() {
    let directory = tempfile::tempdir().unwrap();
    let app = app(Ok(Desk::training(&DataDir::new(directory.path().join("data"))).unwrap()));
    let window = window(&app, "main");
    let sign_in = json!({ "who": { "user": TRAINEE }, "pin": PIN });
    assert!(twice(&window, "sign_in", &sign_in).iter().any(Result::is_ok));
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    for slot in 0..6 {
                        // Most of it is refused, and nothing of it is what this test is about.
                        drop(call(&window, "acknowledge", json!({ "slot": slot })));
                    }
                    for command in ["unlock", "touch", "overview", "shift_report"] {
                        drop(call(&window, command, json!({})));
                    }
                    drop(call(&window, "watch", json!({ "channel": "__CHANNEL__:3" })));
                }
            });
        }
        // Four slots: some of them are at their second device then.
        let results = || {
            let counts = call(&window, "overview", json!({})).unwrap()["counts"].clone();
            counts["done"].as_u64().unwrap() + counts["failed"].as_u64().unwrap()
        };
        while results() < 6 {
            thread::yield_now();
        }
        over.store(true, Ordering::Relaxed);
    });
    let Bench(Ok(desk)) = app.state::<Bench>().inner() else { panic!("it is open for work") };
    let Desk::Line(line) = desk else { panic!("it is open for work") };
    let archive = line.station.archive();
    desk.close().unwrap();
    let records = archive.recent(10_000).unwrap();
    let records: Vec<Value> =
        records.iter().map(|record| serde_json::from_slice(&record.body).unwrap()).collect();
    let of = |event: &str| {
        let mut devices: Vec<_> = records
            .iter()
            .filter(|record| record["ev"] == event)
            .map(|record| record["rid"].as_str().unwrap())
            .collect();
        devices.sort_unstable();
        devices
    };
    for event in ["inject.intent", "inject.result"] {
        let mut devices = of(event);
        let count = devices.len();
        devices.dedup();
        assert!(count >= 3 && devices.len() == count, "{event}: one for each device: {devices:?}");
    }
    assert_eq!(of("inject.intent"), of("inject.result"));
    assert_eq!(of("inject.resolve"), Vec::<&str>::new());
}

/// One approval, one PIN, one click too many.
#[test]
fn what_is_clicked_twice_at_once_is_done_once() {
    let fresh = Staffed::untouched();
    let people = json!({ "first": new("ad-8", "493027"), "second": new("ad-9", "580316") });
    let answers = twice(fresh.window(), "begin_people", &people);
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1, "{answers:?}");
    assert_eq!(fresh.since(0, "user.add").len(), 2);

    let staffed = Staffed::new();
    staffed.bring("ad-1", State::Open);
    let before = staffed.size();
    let approval = staffed.approved("ad-2", "add-person", "op-9 operator", "");
    let person = json!({ "person": added("op-9"), "approval": approval });
    let answers = twice(staffed.window(), "add_person", &person);
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1, "{answers:?}");
    assert_eq!(staffed.since(before, "user.add").len(), 1);

    staffed.bring("cu-1", State::Open);
    let arguments = json!({ "key": key("gk-2026c"), "checkValue": "7C1D0-A4E91" });
    let answers = twice(staffed.window(), "ceremony_begin", &arguments);
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1, "{answers:?}");
    staffed.call("ceremony_abort", json!({})).unwrap();

    super::custody::open_a_vault(&staffed);
    staffed.call("lock", json!({})).unwrap();
    let before = staffed.size();
    staffed.lay_out("Unlock the vault", super::custody::PASSPHRASE);
    let answers = twice(staffed.window(), "unlock", &json!({}));
    assert!(answers.iter().any(|answer| *answer == Ok(json!("unlocked"))), "{answers:?}");
    assert_eq!(staffed.since(before, "auth.unlock").len(), 1, "{answers:?}");
    let answers = twice(staffed.window(), "lock", &json!({}));
    assert!(answers.iter().any(Result::is_ok), "{answers:?}");
    assert_eq!(staffed.since(before, "auth.lock").len(), 1);

    staffed.bring("qa-1", State::Open);
    let before = staffed.size();
    let review = json!({ "reviewer": "qa-1", "to": before - 1, "remark": "seen" });
    let answers = twice(staffed.window(), "sign_review", &review);
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1, "{answers:?}");
    assert_eq!(staffed.since(before, "review.signed").len(), 1);

    let answers = twice(staffed.window(), "sign_out", &json!({}));
    assert!(answers.iter().any(Result::is_ok), "{answers:?}");
    assert_eq!(staffed.since(before, "auth.logout").len(), 1);
}
