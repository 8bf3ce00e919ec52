//! Every command that the page can call stands behind the gate, or here with the reason why it does not.

use keystation::people::{Who, rule};

use super::audit::{READS, closed};
use super::staff::{Staffed, State};
use super::{app, call, commands, window};
use crate::desk::Desk;
use crate::verbs::VERBS;

/// Commands that need nobody to be signed in, and why.
const OPEN: &[(&str, &str)] = &[
    ("overview", "whoever stands before the station sees its state"),
    ("recent", "the last records, which stand beside it on the screen"),
    ("watch", "the cards of the slots: PASS and FAIL are for everybody to see"),
    ("sign_in", "nobody is signed in before"),
    ("begin_people", "there is nobody before; refused as soon as there is"),
];

/// The commands in the handler that Tauri makes, as the source has them.
fn registered() -> Vec<&'static str> {
    let source = include_str!("../../shell.rs");
    let (_, list) = source.split_once("generate_handler![").unwrap();
    let (list, _) = list.split_once(']').unwrap();
    let paths = list.split(',').map(str::trim).filter(|path| !path.is_empty());
    paths.map(|path| path.rsplit("::").next().unwrap()).collect()
}

#[test]
fn every_registered_command_is_a_verb_of_the_policy() {
    let registered = registered();
    let called: Vec<_> = commands().into_iter().map(|(command, _)| command).collect();
    let verbs: Vec<_> = VERBS.iter().map(|(command, _)| *command).collect();
    assert_eq!(registered, called);
    assert_eq!(registered, verbs);
}

#[test]
fn every_command_is_behind_the_gate_or_has_a_reason() {
    let staffed = Staffed::new();
    for (command, arguments) in commands() {
        staffed.bring("op-1", State::None);
        let size = staffed.size();
        let answer = staffed.call(command, arguments);
        let refused = staffed.since(size, "policy.refuse");
        let reason = OPEN.iter().find(|(open, _)| *open == command).map(|(_, reason)| *reason);
        let gated = matches!(&refused[..], [one] if one["why"] == "no-session");
        assert_eq!(gated, reason.is_none(), "{command} ({reason:?}): {answer:?} {refused:?}");
    }
    for (command, _) in OPEN {
        let (_, action) = VERBS.iter().find(|(verb, _)| verb == command).expect("it is a command");
        assert_eq!(rule(*action).who, Who::Anyone, "the policy says so, too: {command}");
    }
}

/// Nobody can sign in there, so there is no gate to pass: it has what any reader of the file has, and makes nothing.
#[test]
fn a_window_that_looks_does_nothing_that_takes_a_person() {
    let (directory, data) = closed();
    let app = app(Ok(Desk::audit(&data).unwrap()));
    let window = window(&app, "main");
    for (command, arguments) in commands() {
        let answer = call(&window, command, arguments);
        let refused = answer.as_ref().is_err_and(|problem| problem["code"] == "read-only");
        assert_eq!(refused, !READS.contains(&command), "{command}: {answer:?}");
    }
    assert!(!directory.path().join("exports").exists(), "no file was made");
}
