//! The window as a page meets it: which commands there are, what they take, and what they answer.

mod audit; // the log, at a station that works and beside one
mod fuzz; // whatever a page sends
mod trace; // what is told of each call

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
        ("watch", json!({ "channel": "__CHANNEL__:3" })),
        ("acknowledge", json!({ "slot": 1 })),
        ("unlock", json!({})),
        ("lock", json!({})),
        ("search", json!({ "text": "mac:a1b2c3d4e5f6", "before": null, "limit": 50 })),
        ("device", json!({ "id": "sn-0001" })),
        ("save_proof", json!({ "id": "sn-0001" })),
        ("verify", json!({ "channel": "__CHANNEL__:4" })),
        ("cancel_verify", json!({})),
        ("figures", json!({ "from": 0, "until": 1_795_400_000_000_i64, "job": null })),
        ("review", json!({})),
        ("sign_review", json!({ "reviewer": "qa-007", "to": 1, "remark": "" })),
    ]
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
        ("watch", json!({ "channel": 7 })),
        ("search", json!({ "text": "x".repeat(201), "before": null, "limit": 50 })),
        ("search", json!({ "text": "", "before": null, "limit": 501 })),
        ("search", json!({ "text": "", "before": -1, "limit": 50 })),
        ("search", json!({ "text": ["mac:a1b2c3d4e5f6"], "before": null, "limit": 50 })),
        ("device", json!({ "id": "x".repeat(129) })),
        ("save_proof", json!({ "id": "x".repeat(129) })),
        ("verify", json!({})),
        ("figures", json!({ "from": 0, "until": 1.5, "job": null })),
        ("figures", json!({ "from": 0, "until": 1, "job": "x".repeat(65) })),
        ("sign_review", json!({ "reviewer": "qa-007", "to": 1, "remark": "\u{10348}".repeat(501) })),
        ("sign_review", json!({ "reviewer": "x".repeat(33), "to": 1, "remark": "" })),
    ] {
        let refused = call(&window, command, arguments.clone()).unwrap_err();
        assert!(refused.as_str().is_some_and(|why| why.contains("invalid args")), "{command} {arguments}");
    }
}

/// The frame through which IPC passes has a list of its own.
#[test]
fn every_command_is_known_to_the_frame_before_it() {
    let hook = include_str!("../../isolation/index.js");
    for (command, _) in commands() {
        assert!(hook.contains(&format!("\n  {command}: (")), "{command}");
    }
}
