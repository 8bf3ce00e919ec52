//! The window as a page meets it: which commands there are, what they take, and what they answer.

mod audit; // the log, at a station that works and beside one
mod custody; // group keys, with what people type into the dialogs
mod fuzz; // whatever a page sends
mod matrix; // every command, every role, every state of the session
mod orders; // work orders, from the files that people choose
#[cfg(target_os = "linux")]
mod panics; // a defect of the window under an open vault
mod proof; // the file that shows what the log has of a device
mod reading; // accounts, group keys and refusals, for who only reads
mod scan; // what a scanner types, and a slot that is put back
mod shift; // what a shift made, in a training
#[cfg(target_os = "linux")]
mod sleep; // the machine goes to sleep under an open vault
mod staff; // a station with people
mod trace; // what is told of each call
mod twice; // double-clicks and held keys
mod unread; // calls whose arguments nobody can read
mod verbs; // every command against the gate

use serde_json::{Value, json};
use tauri::ipc::{CallbackFn, InvokeBody};
use tauri::test::{INVOKE_KEY, MockRuntime, get_ipc_response, mock_builder};
use tauri::webview::InvokeRequest;
use tauri::{App, WebviewUrl, WebviewWindow, WebviewWindowBuilder};

use super::*;

fn nowhere() -> Problem {
    Problem::new("station-missing", "There is no station.", &["Make one."])
}

fn app(desk: Result<Desk, Problem>) -> App<MockRuntime> {
    application(mock_builder(), desk)
        .build(tauri::generate_context!(test = true))
        .expect("the application builds")
}

fn window(app: &App<MockRuntime>, label: &str) -> WebviewWindow<MockRuntime> {
    WebviewWindowBuilder::new(app, label, WebviewUrl::default()).build().expect("a window of the mock")
}

fn call(window: &WebviewWindow<MockRuntime>, cmd: &str, arguments: Value) -> Result<Value, Value> {
    call_with(window, cmd, InvokeBody::Json(arguments))
}

fn call_with(window: &WebviewWindow<MockRuntime>, cmd: &str, body: InvokeBody) -> Result<Value, Value> {
    let request = InvokeRequest {
        cmd: cmd.to_owned(),
        callback: CallbackFn(0),
        error: CallbackFn(1),
        url: "tauri://localhost".parse().expect("a URL"),
        body,
        headers: tauri::http::HeaderMap::default(),
        invoke_key: INVOKE_KEY.to_owned(),
    };
    get_ipc_response(window, request).map(|body| body.deserialize().expect("JSON"))
}

/// The commands of the window, with arguments that they take.
fn commands() -> Vec<(&'static str, Value)> {
    vec![
        ("overview", json!({})),
        ("recent", json!({ "count": 5 })),
        ("watch", json!({ "channel": "__CHANNEL__:3", "scans": "__CHANNEL__:5" })),
        ("acknowledge", json!({ "slot": 1 })),
        ("scan", json!({ "text": "SN-0001" })),
        ("put_back", json!({ "slot": 1 })),
        ("unlock", json!({})),
        ("lock", json!({})),
        ("search", json!({ "text": "mac:a1b2c3d4e5f6", "before": null, "limit": 50 })),
        ("device", json!({ "id": "sn-0001" })),
        ("save_proof", json!({ "id": "sn-0001" })),
        ("verify", json!({ "channel": "__CHANNEL__:4" })),
        ("cancel_verify", json!({})),
        ("figures", json!({ "from": 0, "until": 1_795_400_000_000_i64, "job": null })),
        ("denials", json!({ "before": null, "limit": 50 })),
        ("review", json!({})),
        ("sign_review", json!({ "reviewer": "qa-1", "to": 1, "remark": "" })),
        ("check_places", json!({})),
        ("check_device", json!({ "port": "/dev/ttyACM7", "profile": "example.toml" })),
        ("shift_report", json!({})),
        ("save_shift_report", json!({})),
        ("sign_in", json!({ "who": { "user": "op-1" }, "pin": "671425" })),
        ("sign_out", json!({})),
        ("away", json!({})),
        ("touch", json!({})),
        ("change_pin", json!({ "old": "671425", "pin": "671425" })),
        ("begin_people", json!({ "first": new("ad-8", "493027"), "second": new("ad-9", "580316") })),
        ("approve", json!({ "request": request(), "who": { "badge": "badge of ad-2" }, "pin": "671425" })),
        ("people", json!({})),
        ("add_person", json!({ "person": added("op-9"), "approval": 0 })),
        ("set_roles", json!({ "user": "op-1", "roles": ["operator", "repair"], "approval": 0 })),
        ("disable_person", json!({ "user": "op-1", "reason": "left", "approval": 0 })),
        ("enable_person", json!({ "user": "op-1", "reason": "back", "approval": 0 })),
        ("reset_pin", json!({ "user": "op-1", "pin": "907153", "approval": 0 })),
        ("set_badge", json!({ "user": "op-1", "badge": "another badge", "approval": 0 })),
        ("set_name", json!({ "user": "op-1", "name": "Somebody" })),
        ("forget_name", json!({ "user": "op-1" })),
        ("orders", json!({})),
        ("order", json!({ "id": "WO-1" })),
        ("create_order", json!({ "parts": parts() })),
        ("open_order", json!({ "id": "WO-1" })),
        ("close_order", json!({ "id": "WO-1", "reason": "" })),
        ("scrap_device", json!({ "id": "WO-1", "device": "SN-1", "reason": "it fell" })),
        ("raise_quota", json!({ "id": "WO-1", "quantity": 3, "reason": "spare", "approval": 0 })),
        ("repair_places", json!({})),
        ("look", json!({ "slot": 7, "profile": "test.toml" })),
        ("look_up", json!({ "device": "sn-0001" })),
        ("ask_rekey", json!({ "asked": rekey() })),
        ("rekey_device", json!({ "asked": rekey(), "approval": 0 })),
        ("ask_take_out", json!({ "asked": scrap() })),
        ("take_out", json!({ "asked": scrap(), "approval": 0 })),
        ("batches", json!({})),
        ("batch", json!({ "id": "RK-1" })),
        ("batch_now", json!({})),
        ("ask_batch", json!({ "from": { "count": 3 }, "profile": "test.toml", "why": why() })),
        ("open_batch", json!({ "approval": 0 })),
        ("start_batch", json!({ "id": "RK-1" })),
        ("pause_batch", json!({ "paused": true })),
        ("stop_batch", json!({})),
        ("close_batch", json!({ "id": "RK-1" })),
        ("save_batch", json!({ "id": "RK-1" })),
        ("save_cleanup", json!({ "all": false })),
        ("ask_cleaned_up", json!({})),
        ("cleaned_up", json!({ "approval": 0 })),
        ("keys", json!({})),
        ("custodies", json!({})),
        ("key_devices", json!({ "label": "gk-2026a", "after": null })),
        (
            "activate_key",
            json!({ "label": "gk-2026a", "reason": "new line", "checkValue": "7C1D0-A4E91", "approval": null }),
        ),
        ("suspend_key", json!({ "label": "gk-2026a", "reason": "lost paper" })),
        ("destroy_key", json!({ "label": "gk-2026a", "reason": "retired", "approval": null })),
        ("import_key", json!({ "key": key("gk-2026a"), "checkValue": "7C1D0-A4E91", "approval": 0 })),
        ("recipient", json!({})),
        ("take_transfer", json!({ "key": key("gk-2026a"), "checkValue": "7C1D0-A4E91", "approval": 0 })),
        ("ceremony", json!({})),
        ("ceremony_begin", json!({ "key": key("gk-2026c"), "checkValue": "7C1D0-A4E91" })),
        ("ceremony_sign_in", json!({ "side": 0, "who": { "user": "cu-1" }, "pin": "671425" })),
        ("ceremony_component", json!({ "side": 0 })),
        ("ceremony_confirm", json!({ "side": 0, "checkValue": "5E01B2" })),
        ("ceremony_finish", json!({ "checkValue": "7C1D0-A4E91" })),
        ("ceremony_abort", json!({})),
    ]
}

fn why() -> Value {
    json!({ "reason": "returned", "note": "", "sameKey": false })
}

fn rekey() -> Value {
    json!({ "slot": 7, "device": "sn-0001", "profile": "test.toml", "why": why() })
}

fn scrap() -> Value {
    json!({ "device": "sn-0001", "act": "scrap", "reason": "broken", "note": "", "board": null })
}

fn key(label: &str) -> Value {
    json!({ "label": label, "group": "thermostats", "scope": "0ne00000000", "slot": "primary", "custody": "sealed-file" })
}

/// The parts of a work order whose devices are in a list.
fn parts() -> Value {
    json!({ "id": "WO-1", "customer": "Contoso Thermostats", "profile": "example.toml", "quantity": null,
            "from": "2026-01-01", "until": "2099-12-31", "key": "gk-2026a", "checkValue": "7C1D0-A4E91" })
}

fn new(user: &str, pin: &str) -> Value {
    json!({ "user": user, "name": "Somebody", "badge": format!("badge of {user}"), "pin": pin })
}

fn added(user: &str) -> Value {
    let mut person = new(user, "493027");
    person["roles"] = json!(["operator"]);
    person
}

fn request() -> Value {
    json!({ "action": "disable-person", "subject": "op-404", "reason": "left" })
}

#[test]
fn every_command_is_granted_to_the_window_and_tells_why_there_is_no_station() {
    let app = app(Err(nowhere()));
    let window = window(&app, "main");
    for (command, arguments) in commands() {
        let refused = call(&window, command, arguments).unwrap_err();
        assert_eq!(refused, serde_json::to_value(nowhere()).unwrap(), "{command}");
    }
}

#[test]
fn no_other_window_may_call_anything() {
    let app = app(Err(nowhere()));
    let other = window(&app, "other");
    for (command, arguments) in commands() {
        let refused = call(&other, command, arguments).unwrap_err();
        assert!(refused.as_str().is_some_and(|why| why.contains("not allowed")), "{command}: {refused}");
    }
}

#[test]
fn nothing_of_the_frameworks_own_is_granted() {
    let app = app(Err(nowhere()));
    let window = window(&app, "main");
    for command in [
        "plugin:window|close",
        "plugin:window|create",
        "plugin:webview|create_webview_window",
        "plugin:webview|internal_toggle_devtools",
        "plugin:event|listen",
        "plugin:event|emit",
        "plugin:path|resolve_directory",
        "plugin:app|version",
        "plugin:resources|close",
        "plugin:navigation|anything",
        "refused",
        "derive",
    ] {
        let refused = call(&window, command, json!({})).unwrap_err();
        let why = refused.as_str().unwrap_or_default();
        assert!(why.contains("not allowed") || why.contains("not found"), "{command}: {refused}");
    }
}

#[test]
fn a_command_takes_what_it_says_and_nothing_else() {
    let app = app(Err(nowhere()));
    let window = window(&app, "main");
    for (command, arguments) in [
        ("acknowledge", json!({ "slot": -1 })),
        ("acknowledge", json!({ "slot": "1; DROP TABLE log" })),
        ("recent", json!({ "count": 1e30 })),
        ("recent", json!({})),
        ("recent", json!({ "count": 501 })),
        ("watch", json!({ "channel": 7, "scans": "__CHANNEL__:5" })),
        ("watch", json!({ "channel": "__CHANNEL__:3" })),
        ("scan", json!({ "text": "x".repeat(257) })),
        ("put_back", json!({ "slot": -1 })),
        ("search", json!({ "text": "x".repeat(201), "before": null, "limit": 50 })),
        ("search", json!({ "text": "", "before": null, "limit": 501 })),
        ("search", json!({ "text": "", "before": -1, "limit": 50 })),
        ("search", json!({ "text": ["mac:a1b2c3d4e5f6"], "before": null, "limit": 50 })),
        ("device", json!({ "id": "x".repeat(129) })),
        ("save_proof", json!({ "id": "x".repeat(129) })),
        ("denials", json!({ "before": null, "limit": 501 })),
        ("denials", json!({ "before": -1, "limit": 50 })),
        ("verify", json!({})),
        ("figures", json!({ "from": 0, "until": 1.5, "job": null })),
        ("figures", json!({ "from": 0, "until": 1, "job": "x".repeat(65) })),
        ("sign_review", json!({ "reviewer": "qa-007", "to": 1, "remark": "\u{10348}".repeat(501) })),
        ("sign_review", json!({ "reviewer": "x".repeat(33), "to": 1, "remark": "" })),
        ("sign_in", json!({ "who": { "user": "op-1", "badge": "b" }, "pin": "671425" })),
        ("sign_in", json!({ "who": {}, "pin": "671425" })),
        ("sign_in", json!({ "who": { "user": "x".repeat(33) }, "pin": "671425" })),
        ("sign_in", json!({ "who": { "badge": "x".repeat(129) }, "pin": "671425" })),
        ("sign_in", json!({ "who": { "user": "op-1" }, "pin": 671_425 })),
        ("sign_in", json!({ "who": { "user": "op-1" }, "pin": "6".repeat(13) })),
        ("approve", json!({ "request": request(), "who": { "user": "ad-2" } })),
        ("set_roles", json!({ "user": "op-1", "roles": ["root"], "approval": 0 })),
        ("add_person", json!({ "person": new("op-9", "493027"), "approval": 0 })),
        ("add_person", json!({ "approval": 0 })),
        ("reset_pin", json!({ "user": "op-1", "approval": 0 })),
        ("set_name", json!({ "user": "op-1", "name": "x".repeat(101) })),
        ("forget_name", json!({ "user": "x".repeat(33) })),
        ("ceremony_component", json!({ "side": 2 })),
        ("ceremony_component", json!({ "side": "0" })),
        ("import_key", json!({ "key": "gk-2026a", "checkValue": "7C1D0-A4E91", "approval": 1 })),
        ("key_devices", json!({ "label": "x".repeat(33), "after": null })),
        ("order", json!({ "id": "x".repeat(33) })),
        ("order", json!({ "id": 7 })),
        ("create_order", json!({ "parts": "/etc/passwd" })),
        ("open_order", json!({ "id": ["WO-1"] })),
        ("close_order", json!({ "id": "WO-1", "reason": "x".repeat(201) })),
        ("scrap_device", json!({ "id": "WO-1", "device": "x".repeat(129), "reason": "" })),
        ("raise_quota", json!({ "id": "WO-1", "quantity": -1, "reason": "spare", "approval": 0 })),
    ] {
        let refused = call(&window, command, arguments.clone()).unwrap_err();
        assert!(refused.as_str().is_some_and(|why| why.contains("invalid args")), "{command} {arguments}");
    }
}

/// serde would say what it found in place of a text.
#[test]
fn what_can_be_no_pin_is_not_repeated() {
    let app = app(Err(nowhere()));
    let window = window(&app, "main");
    for pin in [json!(739_182_645), json!(["739182645"]), json!("739182645".repeat(2))] {
        let refused = call(&window, "sign_in", json!({ "who": { "user": "op-1" }, "pin": pin })).unwrap_err();
        let why = refused.as_str().unwrap();
        assert!(why.contains("invalid args `pin`") && !why.contains("739182645"), "{why}");
    }
}

/// The frame through which IPC passes has a list of its own.
#[test]
fn every_command_is_known_to_the_frame_before_it() {
    let hook = include_str!("../../isolation/index.js");
    for (command, _) in commands() {
        assert!(hook.contains(&format!("\n  {command}: ")), "{command}");
    }
}
