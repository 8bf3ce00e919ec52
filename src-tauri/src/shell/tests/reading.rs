//! What QA reads beside the log's devices: accounts, group keys, refusals.

use keystation::DataDir;
use serde_json::{Value, json};

use super::custody::open_a_vault;
use super::staff::{Staffed, State};
use super::{app, call, window};
use crate::desk::Desk;

/// A station where somebody was refused `times` times, and a window that only looks at it.
fn refused(times: usize) -> Staffed {
    let staffed = Staffed::new();
    staffed.bring("op-1", State::Open);
    for _ in 0..times {
        assert_eq!(
            staffed.call("verify", json!({ "channel": "__CHANNEL__:4" })).unwrap_err()["code"],
            "role"
        );
    }
    staffed
}

fn look(staffed: &Staffed, command: &str, arguments: Value) -> Value {
    let data = DataDir::new(staffed.station.data().path().to_owned());
    let app = app(Ok(Desk::audit(&data).unwrap()));
    call(&window(&app, "main"), command, arguments).unwrap()
}

#[test]
fn refusals_are_read_a_page_at_a_time_by_qa_and_beside_the_station() {
    let staffed = refused(5);
    staffed.bring("qa-1", State::Open);
    let page = |before: Value| staffed.call("denials", json!({ "before": before, "limit": 2 })).unwrap();
    let mut seen = Vec::new();
    let mut before = Value::Null;
    loop {
        let found = page(before);
        let rows = found["rows"].as_array().unwrap().clone();
        assert!(rows.len() <= 2);
        seen.extend(rows);
        before = found["next"].clone();
        if before.is_null() {
            break;
        }
    }
    assert!(seen.windows(2).all(|pair| pair[0]["seq"].as_u64() > pair[1]["seq"].as_u64()), "{seen:?}");
    let verify: Vec<_> = seen.iter().filter(|line| line["action"] == "audit-room").collect();
    assert_eq!(verify.len(), 5);
    let [first, ..] = verify[..] else { panic!("there are five") };
    assert_eq!(
        (&first["operator"], &first["role"], &first["why"]),
        (&json!("op-1"), &json!("operator"), &json!("role"))
    );
    assert_eq!(first["meaning"], "figures, verification and reviews in the window");
    assert!(first["time"].as_i64() > Some(0));

    let review = staffed.call("review", json!({})).unwrap();
    assert_eq!(review["denials"].as_u64(), Some(seen.len() as u64), "nobody has reviewed anything yet");
    let signed = json!({ "reviewer": "qa-1", "to": review["to"], "remark": "" });
    staffed.call("sign_review", signed).unwrap();
    assert_eq!(staffed.call("review", json!({})).unwrap()["denials"], 0);
    staffed.bring("op-1", State::Open);
    staffed.call("review", json!({})).unwrap_err();
    staffed.bring("qa-1", State::Open);
    assert_eq!(staffed.call("review", json!({})).unwrap()["denials"], 1);

    let beside = look(&staffed, "denials", json!({ "before": null, "limit": 50 }));
    assert_eq!(beside["rows"].as_array().unwrap().len(), seen.len() + 1);
}

#[test]
fn accounts_and_keys_are_read_by_qa_and_beside_the_station() {
    let staffed = Staffed::new();
    open_a_vault(&staffed);
    staffed.bring("qa-1", State::Open);
    let here = staffed.call("people", json!({})).unwrap();
    let there = look(&staffed, "people", json!({}));
    let line = |list: &Value, user: &str| {
        let lines = list.as_array().unwrap();
        lines.iter().find(|line| line["user"] == user).cloned().unwrap()
    };
    let (own, beside) = (line(&here, "op-1"), line(&there, "op-1"));
    assert_eq!(
        (&own["hasBadge"], &beside["hasBadge"]),
        (&json!(true), &Value::Null),
        "it opens no credentials"
    );
    assert_eq!((&own["changed"], &own["roles"]), (&beside["changed"], &beside["roles"]));
    assert_eq!(own["changed"]["event"], "user.cred", "the PIN was chosen last: {own}");
    assert_eq!(line(&here, "op-1-once")["changed"]["approver"], "ad-2");
    assert_eq!(there.as_array().unwrap().len(), here.as_array().unwrap().len());

    let keys = staffed.call("keys", json!({})).unwrap();
    assert_eq!(look(&staffed, "keys", json!({})), keys);
    let label = keys[0]["label"].as_str().expect("there is a key");
    let devices = json!({ "label": label, "after": null });
    let dying = staffed.call("key_devices", devices.clone()).unwrap();
    assert_eq!(look(&staffed, "key_devices", devices), dying);
    // What acts stays behind the gate.
    let suspend = json!({ "label": label, "reason": "curious" });
    assert_eq!(staffed.call("suspend_key", suspend).unwrap_err()["code"], "role");
}

#[test]
fn a_name_is_set_and_erased_by_an_administrator_and_never_in_the_log() {
    let staffed = Staffed::new();
    staffed.bring("ad-1", State::Open);
    let name = || {
        let people = staffed.call("people", json!({})).unwrap();
        let people = people.as_array().unwrap();
        people.iter().find(|line| line["user"] == "op-1").unwrap()["name"].clone()
    };
    let set = |name: &str| staffed.call("set_name", json!({ "user": "op-1", "name": name }));
    set(" Quince Example ").unwrap();
    assert_eq!(name(), "Quince Example");
    for wrong in ["  ", "a\u{1b}[2J"] {
        assert_eq!(set(wrong).unwrap_err()["code"], "name", "{wrong:?}");
    }
    assert_eq!(name(), "Quince Example");
    let forget = || staffed.call("forget_name", json!({ "user": "op-1" })).unwrap();
    assert_eq!((forget(), name(), forget()), (json!(true), json!(""), json!(false)));
    let file = std::fs::read(staffed.station.data().names()).unwrap();
    assert!(!String::from_utf8_lossy(&file).contains("Quince"), "it is gone from the file");
    assert!(!staffed.all().concat().contains("Quince"));
}
