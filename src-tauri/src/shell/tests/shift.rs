//! A shift of a training in the window: sign in, devices by themselves, the report of whoever leaves.

use std::fs;
use std::sync::mpsc;

use keystation::log::Record;
use keystation::people::SessionState;
use keystation::training::{PIN, TRAINEE};
use keystation::{DataDir, Station};
use serde_json::json;
use tauri::Manager;

use super::{app, call, window};
use crate::commands::Bench;
use crate::desk::Desk;
use crate::dto::Card;

#[test]
fn a_trainee_works_a_shift_and_sees_what_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let data = DataDir::new(directory.path().join("data"));
    let app = app(Ok(Desk::training(&data).unwrap()));
    let window = window(&app, "main");
    let Bench(Ok(Desk::Line(desk))) = app.state::<Bench>().inner() else { panic!("it is open for work") };
    assert_eq!(call(&window, "shift_report", json!({})).unwrap_err()["code"], "no-session");

    let (told, cards) = mpsc::channel();
    desk.board.watch(Box::new(move |update| {
        // The test ends before the training does.
        let _ = told.send(update);
        Ok(())
    }));
    let arguments = json!({ "who": { "user": TRAINEE }, "pin": PIN });
    assert_eq!(call(&window, "sign_in", arguments).unwrap()["outcome"], "open");
    let overview = call(&window, "overview", json!({})).unwrap();
    assert_eq!((&overview["training"], &overview["locked"]), (&json!(true), &json!(false)), "{overview}");
    assert_eq!(overview["example"], json!({ "user": TRAINEE, "pin": PIN }));
    let (mut passed, mut failed) = (false, false);
    while !(passed && failed) {
        let update = cards.recv().unwrap();
        passed |= matches!(update.card, Card::Pass(_));
        failed |= matches!(&update.card, Card::Fail(fail) if fail.code == "not-kept");
    }

    let report = call(&window, "shift_report", json!({})).unwrap();
    let total = &report["total"];
    assert_eq!(report["operator"], TRAINEE);
    let count = |name: &str| total[name].as_u64().unwrap();
    assert!(count("passed") >= 1 && count("failed") >= 1, "{report}");
    assert_eq!(count("attempts"), count("passed") + count("failed") + count("open"), "{report}");
    let (last, session) = (report["last"].as_u64().unwrap(), shift_of(&desk.station));
    let of = |event: &str, outcome: &str| {
        let records = desk.station.archive().recent(100_000).unwrap();
        let records: Vec<_> = records.iter().map(|record| record.parse().unwrap()).collect();
        let of = |record: &&Record<'_>| {
            record.seq() <= last && record.event() == event && record.text("ses").as_deref() == Some(&session)
        };
        let outcomes =
            records.iter().filter(of).filter(|record| outcome.is_empty() || record.rc() == outcome);
        outcomes.count() as u64
    };
    assert_eq!(count("attempts"), of("inject.intent", ""), "as the log counts: {report}");
    assert_eq!(count("passed"), of("inject.result", "ok"), "{report}");
    assert_eq!(count("failed"), of("inject.result", "") - of("inject.result", "ok"), "{report}");
    let cause = total["failedBy"].as_array().unwrap().iter().find(|cause| cause["code"] == "not-kept");
    assert!(cause.is_some_and(|cause| cause["sentence"] != ""), "{report}");

    assert_eq!(call(&window, "save_shift_report", json!({})).unwrap(), json!(null), "nobody said where");
    for again in ["", "-2"] {
        let exports = data.path().join("training/exports");
        desk.dialogs.hand.lay_out("Where to put the report of the shift", exports.to_str().unwrap(), || ());
        let saved = call(&window, "save_shift_report", json!({})).unwrap();
        let path = saved["path"].as_str().unwrap();
        assert!(path.ends_with(&format!("{again}.pdf")), "{path}");
        assert_eq!(std::path::Path::new(path).parent(), Some(&*exports));
        assert!(
            fs::read(path).unwrap().starts_with(b"%PDF-1.") && fs::metadata(format!("{path}.note")).is_ok()
        );
    }
    call(&window, "sign_out", json!({})).unwrap();
    assert_eq!(call(&window, "shift_report", json!({})).unwrap_err()["code"], "no-session");
    desk_closes(&app);
}

/// The session of whoever is signed in.
fn shift_of(station: &Station) -> String {
    let SessionState::Open(session) = station.session() else { panic!("the trainee is signed in") };
    session.id
}

fn desk_closes(app: &tauri::App<tauri::test::MockRuntime>) {
    let Bench(Ok(desk)) = app.state::<Bench>().inner() else { panic!("it is open for work") };
    desk.close().unwrap();
}

#[test]
fn a_station_in_production_is_no_training() {
    let staffed = super::staff::Staffed::new();
    let overview = staffed.call("overview", json!({})).unwrap();
    assert_eq!((&overview["training"], &overview["example"]), (&json!(false), &json!(null)));
}
