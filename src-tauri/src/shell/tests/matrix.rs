//! Every command, in every role, in every state of the session: held against the policy, and against what is written
//! down here beside it. Every refusal is one record.

use keystation::people::{Action, Who, rule};
use keystation_core::role::Role;
use serde_json::{Value, json};

use super::staff::{STAFF, Staffed, State};
use super::{added, commands, key, request};

/// Whom a command is open to, as this test understands it.
enum Open {
    /// Everybody, in every state.
    All,
    /// Whoever is signed in, also away, also with a one-time PIN.
    Leaving,
    /// Whoever is signed in and not away, also with a one-time PIN.
    Own,
    /// These roles: one letter each, of operator, repair, supervisor, custodian, qa, administrator.
    To(&'static str),
    /// These roles, and another person has to approve it.
    ByTwo(&'static str),
    /// These roles ask what another person would have to approve.
    Asks(&'static str),
}

use Open::{All, Asks, ByTwo, Leaving, Own, To};

/// The expectation, and the action that the policy has for it.
const EXPECTED: &[(&str, Action, Open)] = &[
    ("overview", Action::Overview, All),
    ("recent", Action::Overview, All),
    ("watch", Action::Watch, All),
    ("acknowledge", Action::Acknowledge, To("ors")),
    ("scan", Action::Inject, To("ors")),
    ("put_back", Action::PutBack, To("s")),
    ("unlock", Action::Unlock, To("orsc")),
    ("lock", Action::Lock, Leaving),
    ("search", Action::SearchRoom, To("rsqa")),
    ("device", Action::SearchRoom, To("rsqa")),
    ("save_proof", Action::SaveProof, To("sqa")),
    ("verify", Action::AuditRoom, To("sqa")),
    ("cancel_verify", Action::AuditRoom, To("sqa")),
    ("figures", Action::AuditRoom, To("sqa")),
    ("denials", Action::AuditRoom, To("sqa")),
    ("review", Action::AuditRoom, To("sqa")),
    ("sign_review", Action::SignReview, To("q")),
    ("check_places", Action::Check, To("rsq")),
    ("check_device", Action::Check, To("rsq")),
    ("shift_report", Action::OwnShift, To("ors")),
    ("save_shift_report", Action::OwnShift, To("ors")),
    ("sign_in", Action::SignIn, All),
    ("sign_out", Action::SignOut, Leaving),
    ("away", Action::Lock, Leaving),
    ("touch", Action::Touch, Own),
    ("change_pin", Action::ChangePin, Own),
    ("begin_people", Action::FirstStart, All),
    // Whom it is open to depends on what is to be approved: here it is `disable-person`.
    ("approve", Action::DisablePerson, To("a")),
    ("people", Action::People, To("sqa")),
    ("add_person", Action::AddPerson, ByTwo("a")),
    ("set_roles", Action::SetRoles, ByTwo("a")),
    ("disable_person", Action::DisablePerson, ByTwo("a")),
    ("enable_person", Action::EnablePerson, ByTwo("a")),
    ("reset_pin", Action::ResetPin, ByTwo("a")),
    ("set_badge", Action::SetBadge, ByTwo("a")),
    ("set_name", Action::SetName, To("a")),
    ("forget_name", Action::ForgetName, To("a")),
    ("orders", Action::Orders, To("ors")),
    ("order", Action::Orders, To("ors")),
    ("create_order", Action::CreateOrder, To("s")),
    ("open_order", Action::OpenOrder, To("ors")),
    ("close_order", Action::CloseOrder, To("s")),
    ("scrap_device", Action::Scrap, To("s")),
    ("raise_quota", Action::RaiseQuota, ByTwo("sa")),
    ("repair_places", Action::Look, To("rsq")),
    ("look", Action::Look, To("rsq")),
    ("look_up", Action::Look, To("rsq")),
    ("ask_rekey", Action::Rekey, Asks("rs")),
    ("rekey_device", Action::Rekey, ByTwo("rs")),
    ("ask_take_out", Action::ScrapDevice, Asks("rs")),
    ("take_out", Action::ScrapDevice, ByTwo("rs")),
    ("batches", Action::Look, To("rsq")),
    ("batch", Action::Look, To("rsq")),
    ("batch_now", Action::Look, To("rsq")),
    ("ask_batch", Action::Rekey, Asks("rs")),
    ("open_batch", Action::Rekey, ByTwo("rs")),
    ("start_batch", Action::ContinueRekey, To("rs")),
    ("pause_batch", Action::ContinueRekey, To("rs")),
    ("stop_batch", Action::ContinueRekey, To("rs")),
    ("close_batch", Action::CloseRekey, To("rs")),
    ("save_batch", Action::ContinueRekey, To("rs")),
    ("save_cleanup", Action::ListCleanup, To("rs")),
    ("ask_cleaned_up", Action::CleanedUp, Asks("rs")),
    ("cleaned_up", Action::CleanedUp, ByTwo("rs")),
    ("keys", Action::Keys, To("scqa")),
    ("custodies", Action::Keys, To("scqa")),
    ("key_devices", Action::Keys, To("scqa")),
    ("activate_key", Action::ActivateKey, ByTwo("c")),
    ("suspend_key", Action::SuspendKey, To("sc")),
    ("destroy_key", Action::DestroyKey, ByTwo("c")),
    ("import_key", Action::ImportKey, ByTwo("c")),
    ("recipient", Action::Recipient, To("c")),
    ("take_transfer", Action::TakeTransfer, ByTwo("c")),
    ("ceremony", Action::Keys, To("scqa")),
    ("ceremony_begin", Action::Ceremony, To("c")),
    ("ceremony_sign_in", Action::Ceremony, To("c")),
    ("ceremony_component", Action::Ceremony, To("c")),
    ("ceremony_confirm", Action::Ceremony, To("c")),
    ("ceremony_finish", Action::Ceremony, To("c")),
    ("ceremony_abort", Action::Ceremony, To("c")),
];

/// Why the gate refuses this command; none where it lets pass.
pub(super) fn expected(command: &str, role: &str, state: State) -> Option<&'static str> {
    let (_, _, open) = EXPECTED.iter().find(|(listed, ..)| *listed == command).expect("it is listed");
    if matches!(open, All) {
        return None;
    }
    let by_state = match state {
        State::None => Some("no-session"),
        State::Expired => Some("expired"),
        State::Away if !matches!(open, Leaving) => Some("away"),
        State::MustChangePin if !matches!(open, Leaving | Own) => Some("pin-change"),
        State::Away | State::MustChangePin | State::Open => None,
    };
    by_state.or(match open {
        All | Leaving | Own => None,
        To(roles) | ByTwo(roles) | Asks(roles) if !roles.contains(&role[..1]) => Some("role"),
        To(_) | Asks(_) => None,
        ByTwo(_) => Some("approval-missing"),
    })
}

#[test]
fn the_policy_is_what_is_expected_here() {
    for (command, action, open) in EXPECTED {
        let rule = rule(*action);
        let letters = |roles: &[Role]| roles.iter().map(|role| &role.as_str()[..1]).collect::<String>();
        let said = match rule.who {
            Who::Anyone => "all".to_owned(),
            Who::Signed => format!("signed{}", if rule.while_away { ", away" } else { "" }),
            Who::Session(roles) => letters(roles),
        };
        let meant = match open {
            All => "all",
            Leaving => "signed, away",
            Own => "signed",
            To(roles) | ByTwo(roles) | Asks(roles) => roles,
        };
        assert_eq!(said, meant, "{command}");
        let approved = matches!(open, ByTwo(_) | Asks(_)) || *command == "approve";
        assert_eq!(rule.approval.is_some(), approved, "{command}");
    }
    let listed: Vec<_> = EXPECTED.iter().map(|(command, ..)| *command).collect();
    let called: Vec<_> = commands().into_iter().map(|(command, _)| command).collect();
    assert_eq!(listed, called);
}

#[test]
fn no_command_does_what_the_person_may_not() {
    let staffed = Staffed::new();
    let (mut tried, mut refused) = (0, 0);
    for state in State::ALL {
        for (user, role) in STAFF {
            for ((command, arguments), (_, action, _)) in commands().into_iter().zip(EXPECTED) {
                staffed.bring(user, state);
                let before = staffed.size();
                let answer = staffed.call(command, arguments);
                let told = staffed.since(before, "policy.refuse");
                let said = format!("{command} by {role} in {state:?}: {answer:?} {told:?}");
                tried += 1;
                let Some(why) = expected(command, role, state) else {
                    // What it is refused for is none of the policy's business: there is nobody to enable, no such device.
                    let state_only = told.iter().all(|record| record["why"] == "state");
                    assert!(state_only, "{said}");
                    continue;
                };
                refused += 1;
                assert_eq!(code(&answer), why, "{said}");
                let [record] = &told[..] else { panic!("one record: {said}") };
                assert_eq!(
                    (&record["why"], &record["action"]),
                    (&why.into(), &action.word().into()),
                    "{said}"
                );
                let nobody = state == State::None;
                assert_eq!(record["op"].as_str().unwrap_or_default().is_empty(), nobody, "{said}");
            }
        }
    }
    println!("{tried} calls of {} commands, {refused} refused, each with its record", EXPECTED.len());
    assert_eq!(tried, State::ALL.len() * STAFF.len() * EXPECTED.len());
}

/// Whoever may not ask is told that, and not what is wrong with what they asked: the gate comes before the arguments.
#[test]
fn no_argument_is_judged_before_the_gate() {
    let none = |name: &str| json!({ "label": name, "reason": "", "checkValue": "none", "approval": 1 });
    let mut nobody = added("493027");
    (nobody["pin"], nobody["roles"]) = (json!("1"), json!([]));
    let misshapen = [
        ("activate_key", none("No Label")),
        ("suspend_key", none("No Label")),
        ("destroy_key", none("No Label")),
        ("key_devices", json!({ "label": "No Label", "after": null })),
        ("import_key", json!({ "key": key("No Label"), "checkValue": "none", "approval": 1 })),
        ("take_transfer", json!({ "key": key("No Label"), "checkValue": "none", "approval": 1 })),
        ("ceremony_begin", json!({ "key": key("No Label"), "checkValue": "none" })),
        ("ceremony_sign_in", json!({ "side": 0, "who": { "user": "cu-1" }, "pin": "1" })),
        ("approve", json!({ "request": request(), "who": { "user": "ad-2" }, "pin": "1" })),
        ("add_person", json!({ "person": nobody, "approval": 1 })),
        ("set_roles", json!({ "user": "No User", "roles": ["qa", "operator"], "approval": 1 })),
        ("disable_person", json!({ "user": "No User", "reason": "", "approval": 1 })),
        ("enable_person", json!({ "user": "No User", "reason": "", "approval": 1 })),
        ("reset_pin", json!({ "user": "No User", "pin": "1", "approval": 1 })),
        ("set_badge", json!({ "user": "No User", "badge": "\u{7}", "approval": 1 })),
        ("change_pin", json!({ "old": "1", "pin": "1" })),
        (
            "create_order",
            json!({ "parts": { "id": "no order", "customer": "", "profile": "", "quantity": 0,
                                            "from": "", "until": "", "key": "", "checkValue": "" } }),
        ),
        ("close_order", json!({ "id": "no order", "reason": "" })),
        ("scrap_device", json!({ "id": "no order", "device": null, "reason": "" })),
        ("raise_quota", json!({ "id": "no order", "quantity": 0, "reason": "", "approval": 1 })),
    ];
    let staffed = Staffed::new();
    let mut refused = 0;
    for state in State::ALL {
        for (command, arguments) in &misshapen {
            let Some(why) = expected(command, "operator", state) else { continue };
            staffed.bring("op-1", state);
            let before = staffed.size();
            let answer = staffed.call(command, arguments.clone());
            assert_eq!(code(&answer), why, "{command} in {state:?}: {answer:?}");
            let told = staffed.since(before, "policy.refuse");
            assert!(matches!(&told[..], [one] if one["why"] == why), "{command} in {state:?}: {told:?}");
            refused += 1;
        }
    }
    assert_eq!(refused, 20 * 3 + 19 * 2, "the PIN of one's own is open to all who are there");
}

/// The code of a refusal; that of a sign-in and of an approval is in its answer.
pub(super) fn code(answer: &Result<Value, Value>) -> &str {
    match answer {
        Ok(answer) => {
            let problem =
                if answer["signIn"].is_object() { &answer["signIn"]["problem"] } else { &answer["problem"] };
            problem["code"].as_str().unwrap_or("allowed")
        }
        Err(problem) => problem["code"].as_str().unwrap_or_default(),
    }
}
