//! The life of group keys in the window, with what people type into the native dialogs. The keys are published examples.

use std::io::Write;
use std::process::{Command, Stdio};

use keystation::{DerivedKeyAnswer, GroupKey, SecretText};
use serde_json::{Value, json};

use super::key;
use super::staff::{Staffed, State, pin_of};
use crate::machine::Departure;

/// Published by Microsoft, *Symmetric key attestation with DPS*.
const GROUP_KEY: &str =
    "8isrFI1sGsIlvvFSSFRiMfCNzv21fjbE/+ah/lSh3lF8e2YG1Te7w1KpZhJFFXJrqYKi9yegxkqIChbqOS9Egw==";
pub(super) const PASSPHRASE: &str = "seven grey boats by the quay";
/// The example of docs/ceremony.md: two components with their check values.
const COMPONENTS: [(&str, &str); 2] = [
    ("f/B7kZM+w+wLuRb2Or95r0SV66TWvFR6oQcx9dl/bDM9k5+3cPQ5l725mu2H71UzfacytRtVpQORzI/gL+yRRQ==", "CB32B3"),
    ("jdtQhR5S2S4uB+ekcusbnrQYJVljwmK+XuGQC43esmJB6PmxpcOCVO8Q/P/C+idY1CWQQjz1Y0kZxpkKFsPVxg==", "F5DFD7"),
];

/// And the check value of the key that they make.
const CHECK_VALUE: &str = "9B5BD-BEC8B";

/// What the window answered and what the log says; no secret is in either.
fn without_secrets(staffed: &Staffed, answers: &[Value]) {
    let told = format!("{answers:?} {:?}", staffed.all());
    let [(left, _), (right, _)] = COMPONENTS;
    for secret in [GROUP_KEY, PASSPHRASE, left, right, pin_of("cu-1")] {
        assert!(!told.contains(secret), "{secret}");
    }
}

/// What the log says since of what was refused: action, code, subject, person.
fn refused(staffed: &Staffed, size: u64) -> Vec<[String; 4]> {
    let text = |record: &Value, field: &str| record[field].as_str().unwrap_or_default().to_owned();
    let told = |record: &Value| ["action", "code", "what", "op"].map(|field| text(record, field));
    staffed.since(size, "policy.refuse").iter().map(told).collect()
}

/// What is approved of the published key under this label: all that the page says of it.
fn announced(label: &str) -> String {
    format!("{label} thermostats 0ne00000000 primary {CHECK_VALUE} sealed-file")
}

/// Imports a key, and has `op-1` open the vault.
pub(super) fn open_a_vault(staffed: &Staffed) {
    staffed.bring("cu-1", State::Open);
    let approval = staffed.approved("cu-2", "import-key", &announced("gk-2026a"), "");
    staffed.lay_out("Group key", GROUP_KEY);
    staffed.lay_out("New vault", PASSPHRASE);
    staffed.lay_out("New vault, again", PASSPHRASE);
    staffed
        .call(
            "import_key",
            json!({ "key": key("gk-2026a"), "checkValue": CHECK_VALUE, "approval": approval }),
        )
        .unwrap();
    come_and_unlock(staffed);
}

/// `op-1` signs in, or comes back, and opens the vault.
pub(super) fn come_and_unlock(staffed: &Staffed) {
    staffed.bring("op-1", State::Open);
    staffed.lay_out("Unlock the vault", PASSPHRASE);
    assert_eq!(staffed.call("unlock", json!({})).unwrap(), "unlocked");
}

#[test]
fn a_key_is_imported_activated_and_destroyed_by_two_and_leaves_when_the_machine_sleeps() {
    let staffed = Staffed::new();
    let mut answers = Vec::new();
    let mut call = |command: &str, arguments: Value| {
        let answer = staffed.call(command, arguments);
        answers.push(answer.clone().unwrap_or_else(|problem| problem));
        answer
    };
    staffed.bring("cu-1", State::Open);

    // Whoever changes their mind has used the approval up.
    let approval = staffed.approved("cu-2", "import-key", &announced("gk-2026a"), "");
    let arguments = json!({ "key": key("gk-2026a"), "checkValue": CHECK_VALUE, "approval": approval });
    let size = staffed.size();
    assert_eq!(call("import_key", arguments.clone()).unwrap()["outcome"], "cancelled");
    assert_eq!(refused(&staffed, size), [["import-key", "cancelled", "gk-2026a", "cu-1"]]);
    assert_eq!(call("import_key", arguments).unwrap_err()["code"], "approval-used");

    // A vault is made with the first key, and its passphrase is asked for until it was entered twice.
    let approval = staffed.approved("cu-2", "import-key", &announced("gk-2026a"), "");
    let other = json!({ "key": key("gk-2026b"), "checkValue": CHECK_VALUE, "approval": approval });
    assert_eq!(call("import_key", other).unwrap_err()["code"], "approval-other-request");
    let approval = staffed.approved("cu-2", "import-key", &announced("gk-2026a"), "");
    staffed.lay_out("Group key", "");
    staffed.lay_out("Group key", GROUP_KEY);
    staffed.lay_out("New vault", "too short");
    staffed.lay_out("New vault", PASSPHRASE);
    staffed.lay_out("New vault, again", "seven grey boats by the key");
    staffed.lay_out("New vault", PASSPHRASE);
    staffed.lay_out("New vault, again", PASSPHRASE);
    let imported = call(
        "import_key",
        json!({ "key": key("gk-2026a"), "checkValue": CHECK_VALUE, "approval": approval }),
    )
    .unwrap();
    assert!(imported["outcome"] == "imported" && staffed.nothing_is_left(), "{imported}");
    let check_value = imported["checkValue"].as_str().unwrap().to_owned();
    let subject = format!("gk-2026a {check_value}");

    let card = call("keys", json!({})).unwrap()[0].clone();
    let told = ["label", "state", "custody", "how", "importedBy", "approver", "bytes", "devices"];
    let told = told.map(|name| card[name].to_string().replace('"', ""));
    assert_eq!(told, ["gk-2026a", "imported", "sealed-file", "single", "cu-1", "cu-2", "64", "0"]);
    assert!(card["importedAt"].as_str().unwrap().ends_with('Z'), "{card}");
    assert_eq!(call("custodies", json!({})).unwrap(), json!(["sealed-file"]));
    let devices = call("key_devices", json!({ "label": "gk-2026a", "after": null })).unwrap();
    assert_eq!(devices, json!({ "devices": [], "next": null }));

    let change = |reason: &str, approval: Value| json!({ "label": "gk-2026a", "reason": reason, "approval": approval });
    let activation = |typed: &str, approval: &Value| {
        let mut arguments = change("new line", approval.clone());
        arguments["checkValue"] = json!(typed);
        arguments
    };
    let missing = call("activate_key", activation(&check_value, &Value::Null)).unwrap_err();
    assert_eq!(missing["code"], "approval-missing");
    let approval = staffed.approved("cu-2", "activate-key", &subject, "new line");
    let unread = call("activate_key", activation("none", &approval)).unwrap_err();
    assert_eq!(unread["code"], "check-value");
    let other = call("activate_key", activation("00000-00000", &approval)).unwrap_err();
    assert_eq!(other["code"], "key-check-value");
    let approval = staffed.approved("cu-2", "activate-key", &subject, "new line");
    call("activate_key", activation(&check_value, &approval)).unwrap();
    let again = call("activate_key", activation(&check_value, &approval)).unwrap_err();
    assert_eq!(again["code"], "approval-used");

    // Unlocked by an operator, gone when the machine sleeps, and the operator has to come back.
    for (departure, why) in [(Departure::Suspend, "suspend"), (Departure::ScreenLock, "screen")] {
        staffed.bring("op-1", State::Open);
        staffed.lay_out("Unlock the vault", "not this one at all");
        staffed.lay_out("Unlock the vault", PASSPHRASE);
        assert_eq!(call("unlock", json!({})).unwrap(), "unlocked");
        assert_eq!(call("overview", json!({})).unwrap()["locked"], false);
        let size = staffed.size();
        staffed.depart(departure);
        assert!(!staffed.station.is_unlocked());
        let overview = call("overview", json!({})).unwrap();
        assert_eq!((&overview["locked"], &overview["session"]["state"]), (&json!(true), &json!("away")));
        assert_eq!(staffed.since(size, "auth.away")[0]["why"], why);
        assert_eq!(call("unlock", json!({})).unwrap_err()["code"], "away");
    }

    // The emergency stop takes one, the end of a key two.
    staffed.bring("su-1", State::Open);
    call("suspend_key", json!({ "label": "gk-2026a", "reason": "lost paper" })).unwrap();
    staffed.bring("cu-1", State::Open);
    let approval = staffed.approved("cu-2", "destroy-key", &subject, "retired");
    let size = staffed.size();
    assert_eq!(call("destroy_key", change("retired", approval)).unwrap_err()["code"], "cancelled");
    assert_eq!(refused(&staffed, size), [["destroy-key", "cancelled", "gk-2026a", "cu-1"]]);
    // While somebody else is asked nobody's approval is used up.
    let approval = staffed.approved("cu-2", "destroy-key", &subject, "retired");
    let busy = staffed.desk(|desk| {
        desk.dialogs
            .turn()
            .map(|_turn| staffed.call("destroy_key", change("retired", approval.clone())).unwrap_err())
    });
    assert_eq!(busy.map_err(|_| "somebody is asked").unwrap()["code"], "secret-asked");
    staffed.lay_out("Unlock the vault", PASSPHRASE);
    call("destroy_key", change("retired", approval)).unwrap();
    assert_eq!(call("keys", json!({})).unwrap()[0]["state"], "destroyed");
    without_secrets(&staffed, &answers);
}

#[test]
fn two_custodians_put_a_key_together() {
    let staffed = Staffed::new();
    let mut answers = Vec::new();
    let mut call = |command: &str, arguments: Value| {
        let answer = staffed.call(command, arguments);
        answers.push(answer.clone().unwrap_or_else(|problem| problem));
        answer
    };
    let sign_in = |side: usize, user: &str| json!({ "side": side, "who": { "badge": format!("badge of {user}") }, "pin": pin_of(user) });
    staffed.bring("cu-1", State::Open);
    assert_eq!(call("ceremony", json!({})).unwrap(), Value::Null);
    let wrong =
        call("ceremony_begin", json!({ "key": key("gk-c"), "checkValue": "CHECK-VALUE" })).unwrap_err();
    assert_eq!(wrong["code"], "check-value");
    let begun = call("ceremony_begin", json!({ "key": key("gk-c"), "checkValue": CHECK_VALUE })).unwrap();
    assert_eq!((&begun["phase"], &begun["key"]), (&json!("sign-in"), &key("gk-c")));

    // Two people, each of whom is a custodian, and one at a time is at the table. Each side gives its own, and shows its check value
    // when it was typed from the paper.
    assert_eq!(call("ceremony_component", json!({ "side": 0 })).unwrap_err()["code"], "ceremony-sign-in");
    let titles = ["Component of cu-1, left", "Component of cu-2, right"];
    for (side, ((component, check_value), title)) in COMPONENTS.into_iter().zip(titles).enumerate() {
        if side == 1 {
            for (user, code) in
                [("cu-1", "approval-same-person"), ("op-1", "role"), ("cu-2-once", "pin-change")]
            {
                let refused = call("ceremony_sign_in", sign_in(1, user)).unwrap();
                assert_eq!(
                    (&refused["outcome"], &refused["problem"]["code"]),
                    (&json!("refused"), &json!(code))
                );
            }
            assert_eq!(
                call("ceremony_component", json!({ "side": 1 })).unwrap_err()["code"],
                "ceremony-sign-in"
            );
        }
        let user = ["cu-1", "cu-2"][side];
        assert_eq!(call("ceremony_sign_in", sign_in(side, user)).unwrap()["outcome"], "open");
        if side == 0 {
            let early = call("ceremony_sign_in", sign_in(1, "cu-2")).unwrap_err();
            assert_eq!(early["code"], "ceremony-turn", "the other one waits");
        }
        assert_eq!(call("ceremony_component", json!({ "side": side })).unwrap(), "cancelled");
        staffed.lay_out(title, &component[1..]);
        staffed.lay_out(title, component);
        assert_eq!(call("ceremony_component", json!({ "side": side })).unwrap(), "given");
        assert!(staffed.nothing_is_left());
        assert_eq!(call("ceremony", json!({})).unwrap()["sides"][side]["checkValue"], "");
        let confirm = json!({ "side": side, "checkValue": check_value });
        assert_eq!(call("ceremony_confirm", confirm).unwrap(), true);
        assert_eq!(call("ceremony", json!({})).unwrap()["sides"][side]["checkValue"], check_value);
    }
    staffed.lay_out("New vault", PASSPHRASE);
    staffed.lay_out("New vault, again", PASSPHRASE);
    let done = call("ceremony_finish", json!({ "checkValue": CHECK_VALUE })).unwrap();
    assert_eq!((&done["phase"], &done["checkValue"]), (&json!("done"), &json!(CHECK_VALUE)));
    let card = call("keys", json!({})).unwrap()[0].clone();
    let told = ["how", "importedBy", "approver", "state"].map(|name| card[name].as_str().unwrap());
    assert_eq!(told, ["ceremony", "cu-1", "cu-2", "imported"]);
    without_secrets(&staffed, &answers);
}

#[test]
fn a_wrong_check_value_and_a_locked_screen_end_a_ceremony() {
    let staffed = Staffed::new();
    let call = |command: &str, arguments: Value| staffed.call(command, arguments);
    let now = || call("ceremony", json!({})).unwrap();
    for end in ["check value", "screen", "asked"] {
        staffed.bring("cu-1", State::Open);
        call("ceremony_begin", json!({ "key": key("gk-c"), "checkValue": CHECK_VALUE })).unwrap();
        let who = json!({ "side": 0, "who": { "user": "cu-1" }, "pin": pin_of("cu-1") });
        assert_eq!(call("ceremony_sign_in", who).unwrap()["outcome"], "open", "{end}");
        staffed.lay_out("Component of cu-1, left", COMPONENTS[0].0);
        assert_eq!(call("ceremony_component", json!({ "side": 0 })).unwrap(), "given");
        match end {
            "check value" => {
                let confirm = json!({ "side": 0, "checkValue": "CB32B4" });
                assert_eq!(call("ceremony_confirm", confirm).unwrap(), false);
            }
            "screen" => {
                staffed.depart(Departure::ScreenLock);
                staffed.bring("cu-1", State::Open);
            }
            _ => assert_eq!(call("ceremony_abort", json!({})).unwrap(), Value::Null),
        }
        let ended = now();
        assert_eq!(
            (&ended["phase"], &ended["problem"]["code"]),
            (&json!("aborted"), &json!("ceremony-aborted"))
        );
        assert!(call("ceremony_component", json!({ "side": 1 })).is_err(), "{end}");
    }
}

/// A question is for whoever had it asked, and for nobody who comes after.
#[test]
fn nobody_is_asked_any_more_for_somebody_who_left() {
    let staffed = Staffed::new();
    open_a_vault(&staffed);
    staffed.call("lock", json!({})).unwrap();
    staffed.bring("op-1", State::Open);
    staffed.lay_out_and_leave("Unlock the vault", "");
    staffed.lay_out("Unlock the vault", PASSPHRASE);
    // An empty answer is asked for again; meanwhile the screen was locked.
    assert_eq!(staffed.call("unlock", json!({})).unwrap(), "cancelled");
    assert!(!staffed.nothing_is_left() && !staffed.station.is_unlocked());
    // Who comes back asks anew.
    staffed.bring("op-1", State::Open);
    assert_eq!(staffed.call("unlock", json!({})).unwrap(), "unlocked");
}

/// What was typed by hand is never lost to a clock: the sign-in is held, and the station does not lock while somebody types.
#[test]
fn a_component_may_be_typed_longer_than_the_station_waits_for_a_sign_of_life() {
    let staffed = Staffed::new();
    let call = |command: &str, arguments: Value| staffed.call(command, arguments);
    open_a_vault(&staffed);
    staffed.bring("cu-1", State::Open);
    staffed.lay_out("Unlock the vault", PASSPHRASE);
    assert_eq!(call("unlock", json!({})).unwrap(), "unlocked");
    call("ceremony_begin", json!({ "key": key("gk-c"), "checkValue": "12345-67890" })).unwrap();
    let who = json!({ "side": 0, "who": { "user": "cu-1" }, "pin": pin_of("cu-1") });
    assert_eq!(call("ceremony_sign_in", who).unwrap()["outcome"], "open");
    let title = "Component of cu-1, left";
    for text in ["slip", "other slip", COMPONENTS[0].0] {
        staffed.lay_out_slowly(title, text, 290);
    }
    // The third refusal would end it.
    assert_eq!(call("ceremony_component", json!({ "side": 0 })).unwrap(), "given");
    assert!(staffed.nothing_is_left() && staffed.station.is_unlocked());
    assert_eq!(call("overview", json!({})).unwrap()["session"]["state"], "open");
    assert_eq!(call("ceremony", json!({})).unwrap()["phase"], "components");
}

/// SHA-256(`keystation example device key`): what a derived key looks like, and an old group key, too.
const SHORT_KEY: &str = "aEwFjb/R3MMHBJuKk+w3w1iRCw+H30ILyuv8tsL0ylU=";
/// And its check value.
const SHORT_CHECK_VALUE: &str = "7C9A2-676A4";

#[test]
fn a_key_as_short_as_a_devices_is_a_groups_only_if_a_person_says_so() {
    let staffed = Staffed::new();
    staffed.bring("cu-1", State::Open);
    let short = announced("gk-2026a").replace(CHECK_VALUE, SHORT_CHECK_VALUE);
    let import = || {
        let approval = staffed.approved("cu-2", "import-key", &short, "");
        staffed.lay_out("Group key", SHORT_KEY);
        staffed.call(
            "import_key",
            json!({ "key": key("gk-2026a"), "checkValue": SHORT_CHECK_VALUE, "approval": approval }),
        )
    };
    assert_eq!(import().unwrap_err()["code"], "import-refused", "nobody said yes, and no vault is opened");
    assert_eq!(staffed.call("keys", json!({})).unwrap(), json!([]));
    let approval = staffed.approved("cu-2", "import-key", &short, "");
    staffed.lay_out("Group key", SHORT_KEY);
    staffed.lay_out("Key of a group or of a device?", "");
    staffed.lay_out("New vault", PASSPHRASE);
    staffed.lay_out("New vault, again", PASSPHRASE);
    let arguments = json!({ "key": key("gk-2026a"), "checkValue": SHORT_CHECK_VALUE, "approval": approval });
    assert_eq!(staffed.call("import_key", arguments).unwrap()["outcome"], "imported");
    assert!(staffed.nothing_is_left());
    assert_eq!(staffed.call("keys", json!({})).unwrap()[0]["bytes"], 32);
}

/// What the owner of a key makes with the ordinary `age`.
fn sealed(staffed: &Staffed, recipient: &str, key: &str, check_value: &str) {
    let label = "gk-2026a".parse().unwrap();
    let document = format!(
        "{{\"check\":\"{check_value}\",\"format\":\"keystation-transfer/v1\",\"group\":\"thermostats\",\"key\":\"{key}\",\
         \"label\":\"{label}\",\"scope\":\"0ne00000000\",\"slot\":\"primary\"}}\n"
    );
    let file = staffed.station.data().transfer(&label);
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    let mut age = Command::new("age");
    let mut age = age.args(["-r", recipient, "-o"]).arg(file).stdin(Stdio::piped()).spawn().unwrap();
    age.stdin.take().unwrap().write_all(document.as_bytes()).unwrap();
    assert!(age.wait().unwrap().success());
}

#[test]
fn a_transfer_file_with_a_key_as_short_as_a_devices_is_taken_if_a_person_says_so() {
    let text = SecretText::new(SHORT_KEY.to_owned()).unwrap();
    let short = GroupKey::judged(&text, DerivedKeyAnswer::GroupKey).unwrap();
    let known = short.check_value().unwrap().to_string();
    let staffed = Staffed::new();
    staffed.bring("cu-1", State::Open);
    staffed.lay_out("New vault", PASSPHRASE);
    staffed.lay_out("New vault, again", PASSPHRASE);
    let recipient = staffed.call("recipient", json!({})).unwrap();
    sealed(&staffed, recipient.as_str().unwrap(), SHORT_KEY, &known);
    let take = || {
        let announced = announced("gk-2026a").replace(CHECK_VALUE, &known);
        let approval = staffed.approved("cu-2", "take-transfer", &announced, "");
        let arguments = json!({ "key": key("gk-2026a"), "checkValue": known, "approval": approval });
        staffed.call("take_transfer", arguments)
    };
    staffed.lay_out("Unlock the vault", PASSPHRASE);
    assert_eq!(take().unwrap_err()["code"], "import-refused", "nobody said yes");
    assert_eq!(staffed.call("keys", json!({})).unwrap(), json!([]));
    staffed.lay_out("Unlock the vault", PASSPHRASE);
    staffed.lay_out("Key of a group or of a device?", "");
    staffed.lay_out("Unlock the vault", PASSPHRASE);
    let taken = take().unwrap();
    assert_eq!((&taken["outcome"], &taken["checkValue"]), (&json!("imported"), &json!(known)));
    assert!(staffed.nothing_is_left());
    assert_eq!(staffed.call("keys", json!({})).unwrap()[0]["how"], "transfer");
}
