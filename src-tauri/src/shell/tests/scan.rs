//! What a scanner types into the window, and a slot that is put back.

use std::sync::mpsc::{self, Receiver};

use serde_json::json;

use super::staff::{Staffed, State};
use crate::dto::ScanLine;

/// What the page is told of codes.
fn watched(staffed: &Staffed) -> Receiver<ScanLine> {
    let (page, told) = mpsc::channel();
    let watcher = move |shown: ScanLine| {
        page.send(shown).expect("the test reads on");
        Ok(())
    };
    staffed.desk(|desk| desk.labels.watch(Box::new(watcher)));
    told
}

#[test]
fn what_is_scanned_reaches_the_line_and_comes_back_as_what_it_is() {
    let staffed = Staffed::new();
    let told = watched(&staffed);
    staffed.bring("op-1", State::Open);
    let shown = |text: &str| {
        staffed.call("scan", json!({ "text": text })).unwrap();
        told.try_iter().last().expect("it is told at once")
    };
    assert_eq!(shown("007-888-abc").next.as_deref(), Some("-abc"));
    for (text, why) in [
        ("slot:3", "label-no-slot"),
        ("SN-1\nSN-2", "label-two"),
        ("SN\u{fffd}1", "label-character"),
        ("", "label-empty"),
        (&"x".repeat(200), "label-long"),
    ] {
        let shown = shown(text);
        assert_eq!(shown.refused.map(|problem| problem.code).as_deref(), Some(why), "{text:?}");
        assert_eq!(shown.next.as_deref(), Some("-abc"), "what was refused changed nothing");
    }
    let shown = shown("SN-0002");
    assert_eq!((shown.next.as_deref(), shown.refused), (Some("0002"), None));
}

#[test]
fn whoever_may_not_key_a_device_scans_no_label_for_one() {
    let staffed = Staffed::new();
    let told = watched(&staffed);
    drop(told.try_iter().last());
    for (user, state) in [("qa-1", State::Open), ("op-1", State::Away), ("op-1", State::None)] {
        staffed.bring(user, state);
        staffed.call("scan", json!({ "text": "SN-0001" })).unwrap_err();
        assert!(told.try_recv().is_err(), "{user} {state:?}");
    }
    staffed.bring("su-1", State::Open);
    let answer = staffed.call("put_back", json!({ "slot": 1 }));
    assert_eq!(answer.unwrap_err()["code"], "slot-unknown", "this line has no slot");
}
