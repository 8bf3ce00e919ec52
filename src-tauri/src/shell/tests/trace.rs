//! What the diagnostics tell at their finest level, in a process of its own: a subscriber belongs to the whole process.

use std::env;
use std::io;
use std::process::Command;

use serde_json::{Value, json};
use tracing_subscriber::filter::LevelFilter;

use super::super::trace::SHOWN;
use super::{app, call, commands, nowhere, window};

/// Tells the child from the test that starts it.
const CHILD: &str = "KEYSTATION_TEST_CHILD";
/// Digits as of a PIN, so that they are a number, too.
const CANARY: u64 = 739_182_645_013;

/// `value` with the canary in place of every text in it.
fn planted(value: &Value) -> Value {
    match value {
        Value::String(_) => json!(CANARY.to_string()),
        Value::Array(values) => values.iter().map(planted).collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| (name.clone(), planted(value)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        other => other.clone(),
    }
}

/// Calls every command with the canary wherever a page could put a secret.
fn call_everything() {
    tracing_subscriber::fmt()
        .with_ansi(false)
        .with_max_level(LevelFilter::TRACE)
        .with_writer(io::stderr)
        .init();
    let app = app(Err(nowhere()));
    let window = window(&app, "main");
    let canary = CANARY.to_string();
    for (command, arguments) in commands() {
        drop(call(&window, command, arguments.clone()));
        drop(call(&window, command, planted(&arguments)));
        drop(call(&window, command, json!({ (canary.as_str()): 1 })));
        drop(call(&window, command, json!({ "pin": CANARY, "who": { "badge": CANARY }, "old": [canary] })));
    }
    drop(call(&window, &canary, json!({})));
}

#[test]
fn nothing_that_somebody_typed_is_in_the_diagnostics() {
    if env::var_os(CHILD).is_some() {
        call_everything();
        return;
    }
    let mut child = Command::new(env::current_exe().unwrap());
    child.args(["--exact", "shell::tests::trace::nothing_that_somebody_typed_is_in_the_diagnostics"]);
    let output = child.args(["--nocapture", "--test-threads", "1"]).env(CHILD, "1").output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr) + String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}");
    assert!(!told.contains(&CANARY.to_string()), "{told}");
    for (command, _) in commands() {
        assert!(told.contains(&format!("command=\"{command}\"")), "{command} was told: {told}");
    }
    for shown in ["count=5", "limit=50", "16 characters", "1 fields"] {
        assert!(told.contains(shown), "{shown} is no secret: {told}");
    }
}

#[test]
fn every_command_is_listed() {
    let listed: Vec<_> = SHOWN.iter().map(|(name, _)| *name).collect();
    let called: Vec<_> = commands().into_iter().map(|(name, _)| name).collect();
    assert_eq!(listed, called);
}
