//! Calls whose arguments cannot be read: Tauri answers them by itself, and they are refusals like any other.

use serde_json::{Value, json};
use tauri::ipc::InvokeBody;

use super::staff::{Staffed, State};
use super::{call_with, commands};
use crate::verbs::VERBS;

/// The calls that the records of `told` stand for.
pub(super) fn calls_in(told: &[Value]) -> u64 {
    let unread = told.iter().filter(|record| record["code"] == "arguments");
    unread
        .map(|record| {
            assert_eq!(record["why"], "state", "{record}");
            let (_, calls) = record["what"].as_str().unwrap().split_once(" ×").unwrap_or_default();
            if calls.is_empty() { 1 } else { calls.parse().unwrap() }
        })
        .sum()
}

#[test]
fn a_call_that_nobody_can_read_is_a_record() {
    let staffed = Staffed::new();
    let mut tried = 0;
    for (command, arguments) in commands() {
        let arguments = arguments.as_object().unwrap();
        for missing in arguments.keys().filter(|name| *name != "approval") {
            // Neither what a page may leave out, nor what it may send as nothing.
            let mut spoilt = arguments.clone();
            spoilt[missing] = json!({ "no": ["such", "thing"] });
            // As many as are recorded at once are not reached.
            staffed.pass(60);
            staffed.bring("op-1", State::Open);
            let size = staffed.size();
            let answer = staffed.call(command, Value::Object(spoilt)).unwrap_err();
            assert!(answer.as_str().is_some_and(|why| why.contains("invalid")), "{command}: {answer}");
            let told = staffed.since(size, "policy.refuse");
            let [record] = &told[..] else { panic!("{command} {missing}: {told:?}") };
            let (_, action) = VERBS.iter().find(|(name, _)| *name == command).unwrap();
            let said = ["op", "action", "what", "why", "code", "rc"].map(|field| &record[field]);
            let expected = ["op-1", action.word(), command, "state", "arguments", "refused"];
            assert_eq!(said, expected.map(Value::from).each_ref(), "{missing}");
            tried += 1;
        }
    }
    assert!(tried > 60, "{tried}");
}

#[test]
fn an_approval_that_is_none_is_refused_by_the_gate() {
    let staffed = Staffed::new();
    let mut tried = 0;
    for (command, arguments) in commands() {
        if !arguments.as_object().unwrap().contains_key("approval") {
            continue;
        }
        for wrong in [json!(null), json!("7"), json!(-1), json!(0.5), json!([1]), json!({ "approval": 1 })] {
            let mut arguments = arguments.clone();
            arguments["approval"] = wrong;
            let asker = match command {
                "rekey_device" | "take_out" | "open_batch" | "cleaned_up" => "re-1",
                "take_transfer" => "cu-1",
                command if command.ends_with("_key") => "cu-1",
                _ => "ad-1",
            };
            for (user, why) in [("op-1", "role"), (asker, "approval-missing")] {
                staffed.bring(user, State::Open);
                let size = staffed.size();
                let answer = staffed.call(command, arguments.clone()).unwrap_err();
                assert_eq!(answer["code"], why, "{command} {arguments}");
                assert_eq!(staffed.since(size, "policy.refuse").len(), 1, "{command} {arguments}");
                tried += 1;
            }
        }
    }
    assert_eq!(tried, 15 * 6 * 2);
}

#[test]
fn a_flood_of_them_does_not_fill_the_log() {
    const FLOOD: u64 = 10_000;
    let staffed = Staffed::new();
    staffed.bring("op-1", State::Open);
    let before = staffed.size();
    let sixteen = |staffed: &Staffed| {
        call_with(staffed.window(), "acknowledge", InvokeBody::Raw(vec![7; 16])).unwrap_err()
    };
    for _ in 0..FLOOD {
        sixteen(&staffed);
    }
    assert_eq!(staffed.since(before, "policy.refuse").len(), 20);
    staffed.pass(60);
    sixteen(&staffed);
    let told = staffed.since(before, "policy.refuse");
    assert_eq!((told.len(), calls_in(&told)), (21, FLOOD + 1));
    assert_eq!(told[20]["what"], format!("acknowledge ×{}", FLOOD + 1 - 20));
    // What has no record yet when the station is closed gets one then.
    sixteen(&staffed);
    sixteen(&staffed);
    staffed.station.clone().close().unwrap();
    assert_eq!(staffed.since(before, "policy.refuse").last().unwrap()["what"], "acknowledge ×2");
}
