//! One device: looked at, then re-keyed for a reason that a supervisor approves.

use std::fs;
use std::path::Path;

use base64ct::{Base64, Encoding};
use keystation_tests::bench::{Bench, LABEL, PUBLISHED_CHECK_VALUE, PUBLISHED_ID, Run, finished};
use keystation_tests::people;
use keystation_tests::sim::Sim;
use serde_json::{Value, json};

use super::fleet::Who;

/// A second group key of the same group, and `second.toml`, a profile that names it.
pub(crate) fn second_key(bench: &Bench) {
    let bytes: Vec<u8> = (0..64_u8).map(|at| at.wrapping_mul(73) ^ 0xa5).collect();
    bench.private("second-key", &Base64::encode_string(&bytes));
    let imported = bench.import("gk-second", &bench.file("second-key"));
    assert_eq!(imported.exit, Some(0), "{imported:?}");
    let check_value = imported.event("import").unwrap()["check_value"].as_str().unwrap();
    people::activate(&bench.data(), "gk-second", check_value);
    let profile = fs::read_to_string(bench.data().join("profiles/test.toml")).unwrap();
    fs::write(bench.data().join("profiles/second.toml"), profile.replace(LABEL, "gk-second")).unwrap();
}

fn look(bench: &Bench, port: &Path) -> Value {
    let run = bench.run(&["look", "--port", port.to_str().unwrap(), "--profile", "test.toml"]);
    assert_eq!(run.exit, Some(0), "{run:?}");
    run.event("look").unwrap().clone()
}

/// `rekey` by these two, with these options.
fn rekey_by(bench: &Bench, who: Who<'_>, port: &Path, options: &[&str]) -> Run {
    let mut command = bench.keystation();
    command.arg("rekey").arg("--port").arg(port).args(options);
    finished(bench.signed(bench.with_passphrase(&mut command), who.0, who.1))
}

fn rekey(bench: &Bench, port: &Path, options: &[&str]) -> Run {
    rekey_by(bench, ("rep-1", Some("sup-1")), port, options)
}

fn last(bench: &Bench, event: &str) -> Value {
    bench.records().into_iter().rev().find(|record| record["ev"] == event).expect("there is one")
}

const OLD: [&str; 2] = ["--profile", "test.toml"];
const SECOND: [&str; 2] = ["--profile", "second.toml"];

#[test]
fn a_device_is_looked_at_and_rekeyed_and_the_record_says_what_that_did() {
    let bench = Bench::quick();
    second_key(&bench);
    let sim = Sim::published(&bench.file("sim"));
    let port = sim.port(0);
    let keyed = bench.inject(&port);
    assert_eq!(keyed.exit, Some(0), "{keyed:?}");
    let first = keyed.event("pass").unwrap().clone();

    let before = sim.state(0);
    let seen = look(&bench, &port);
    let parent =
        json!({ "key": LABEL, "check_value": PUBLISHED_CHECK_VALUE, "slot": "primary", "state": "active" });
    assert_eq!((&seen["holding"], &seen["parent"]), (&json!("as-recorded"), &parent), "{seen}");
    assert_eq!((&seen["id"], &seen["generation"]), (&json!(PUBLISHED_ID), &json!(1)));
    assert_eq!(seen["records"], json!([first["intent"], first["record"]]));
    assert_eq!(sim.state(0), before, "a look writes nothing");

    // The same parent and the same ID: the same key, and the record before is named.
    let same = rekey(&bench, &port, &[&OLD[..], &["--reason", "returned"]].concat());
    assert_eq!(same.exit, Some(0), "{same:?}");
    let pass = same.event("pass").unwrap();
    assert_eq!((&pass["effect"], &pass["follows"]), (&json!("same-key"), &first["record"]), "{pass}");
    assert_eq!(
        (&sim.state(0)["device_key"], &sim.state(0)["generation"]),
        (&before["device_key"], &json!(2))
    );
    let intent = last(&bench, "inject.intent");
    assert_eq!(
        [
            &intent["mode"],
            &intent["reason"],
            &intent["op"],
            &intent["op2"],
            &intent["prior"],
            &intent["before"]
        ],
        [
            &json!("rekey"),
            &json!("returned"),
            &json!("rep-1"),
            &json!("sup-1"),
            &first["record"],
            &intent["dkfp"]
        ]
    );

    // A leak: refused before a byte is written, unless somebody says that it is meant.
    let heals_nothing = rekey(&bench, &port, &[&OLD[..], &["--reason", "leaked-key"]].concat());
    assert_eq!(heals_nothing.exit, Some(3), "{heals_nothing:?}");
    let fail = heals_nothing.event("fail").unwrap();
    assert_eq!((&fail["code"], &fail["safety"]), (&json!("same-key"), &json!("untouched")), "{fail}");
    assert_eq!(last(&bench, "inject.refuse")["code"], "same-key");
    let meant = rekey(&bench, &port, &[&OLD[..], &["--reason", "leaked-key", "--same-key"]].concat());
    assert_eq!(meant.event("pass").unwrap()["effect"], "same-key", "{meant:?}");

    let new = rekey(
        &bench,
        &port,
        &[&SECOND[..], &["--reason", "leaked-key", "--note", "seen in a forum"]].concat(),
    );
    assert_eq!(new.exit, Some(0), "{new:?}");
    assert_eq!(new.event("pass").unwrap()["effect"], "new-key");
    assert_ne!(sim.state(0)["device_key"], before["device_key"]);
    assert_eq!(last(&bench, "inject.intent")["note"], "seen in a forum");
    assert_eq!(look(&bench, &port)["parent"]["key"], "gk-second");
    bench.assert_log_intact();
}

#[test]
fn no_reason_no_second_person_no_rekey_and_each_refusal_is_a_record() {
    let bench = Bench::quick();
    let sim = Sim::published(&bench.file("sim"));
    let port = sim.port(0);
    assert_eq!(bench.inject(&port).exit, Some(0));
    let before = sim.state(0);
    let rows: [(Who<'_>, &[&str], [&str; 2]); 9] = [
        (("rep-1", Some("sup-1")), &[], ["state", "rekey-reason"]),
        (("rep-1", Some("sup-1")), &["--reason", "because"], ["state", "rekey-reason"]),
        (("rep-1", Some("sup-1")), &["--reason", "other"], ["state", "rekey-reason"]),
        (("rep-1", None), &["--reason", "returned"], ["approval-missing", ""]),
        (("rep-1", Some("rep-1")), &["--reason", "returned"], ["approval-same-person", ""]),
        (("rep-1", Some("op-0117")), &["--reason", "returned"], ["approval-role", ""]),
        (("rep-1", Some("admin-1")), &["--reason", "returned"], ["approval-role", ""]),
        (("op-0117", Some("sup-1")), &["--reason", "returned"], ["role", ""]),
        (("qa-007", Some("sup-1")), &["--reason", "returned"], ["role", ""]),
    ];
    for (who, options, [why, code]) in rows {
        let refused = rekey_by(&bench, who, &port, &[&OLD[..], options].concat());
        assert_eq!(refused.exit, Some(3), "{who:?} {options:?}: {refused:?}");
        let record = last(&bench, "policy.refuse");
        let said = [&record["action"], &record["why"], &record["code"], &record["op"]];
        assert_eq!(said, [&json!("rekey"), &json!(why), &json!(code), &json!(who.0)], "{options:?}");
    }
    assert_eq!(sim.state(0), before, "nothing was written");
    assert!(bench.records().iter().all(|record| record["mode"] != "rekey"));
    bench.assert_log_intact();
}

/// It was keyed by another station, whose log is not here.
#[test]
fn a_device_of_another_station_is_rekeyed_and_the_record_says_that_nobody_knows_its_key() {
    let (elsewhere, bench) = (Bench::quick(), Bench::quick());
    let sim = Sim::published(&bench.file("sim"));
    assert_eq!(elsewhere.inject(&sim.port(0)).exit, Some(0));
    let seen = look(&bench, &sim.port(0));
    assert_eq!((&seen["holding"], &seen["parent"]), (&json!("foreign"), &Value::Null), "{seen}");
    assert_eq!(bench.inject(&sim.port(0)).exit, Some(3), "the line does not overwrite it");
    // That a leaked key was replaced the log could not say.
    let leaked = rekey(&bench, &sim.port(0), &[&OLD[..], &["--reason", "leaked-key"]].concat());
    assert_eq!((leaked.exit, &leaked.event("fail").unwrap()["code"]), (Some(3), &json!("unknown-key")));
    assert_eq!(last(&bench, "inject.refuse")["code"], "unknown-key");
    let done = rekey(&bench, &sim.port(0), &[&OLD[..], &["--reason", "wrong-scope"]].concat());
    assert_eq!(done.exit, Some(0), "{done:?}");
    let pass = done.event("pass").unwrap();
    assert_eq!((&pass["effect"], &pass["follows"]), (&json!("unknown-key"), &Value::Null), "{pass}");
    let intent = last(&bench, "inject.intent");
    assert_eq!((&intent["effect"], &intent["before"]), (&json!("unknown-key"), &json!("")));
    bench.assert_log_intact();
}

/// Repair makes no new devices past the work orders, and no swap of boards goes past its record.
#[test]
fn repair_gives_no_first_key_and_puts_no_other_board_under_an_old_label() {
    let (elsewhere, bench) = (Bench::stranger(), Bench::quick());
    let known = Sim::published(&bench.file("known"));
    assert_eq!(bench.inject(&known.port(0)).exit, Some(0));
    let empty = Sim::start(&bench.file("empty"), 1, &["--serial", "SN-9", "--mac", "a4:cf:12:00:00:09"]);
    let other = ["--serial", "007-888-abc", "--mac", "a4:cf:12:00:00:10"];
    let other = Sim::start(&bench.file("other"), 1, &other);
    assert_eq!(elsewhere.inject(&other.port(0)).exit, Some(0));
    for (sim, why, generation) in [(&empty, "never-keyed", 0), (&other, "other-board", 1)] {
        let run = rekey(&bench, &sim.port(0), &[&OLD[..], &["--reason", "returned"]].concat());
        assert_eq!((run.exit, &run.event("fail").unwrap()["code"]), (Some(3), &json!(why)), "{run:?}");
        assert_eq!(last(&bench, "inject.refuse")["code"], why);
        assert_eq!(sim.state(0)["generation"], generation);
    }
    bench.assert_log_intact();
}

/// A first write that was cut off behind the commit: repair finds it complete, overwrites nothing, and says so.
#[test]
fn what_was_left_open_is_settled_before_anything_is_overwritten() {
    let bench = Bench::quick();
    let options = ["--serial", "007-888-abc", "--mac", "a1:b2:c3:d4:e5:f6", "--fault", "silent=commit"];
    let mut sim = Sim::start(&bench.file("sim"), 1, &options);
    assert_eq!(bench.inject(&sim.port(0)).exit, Some(1));
    sim.command("fault 0 ");
    assert_eq!(look(&bench, &sim.port(0))["holding"], "unsettled");
    let settled = rekey(&bench, &sim.port(0), &[&OLD[..], &["--reason", "returned"]].concat());
    assert_eq!(settled.exit, Some(1), "{settled:?}");
    assert_eq!(settled.event("pass").unwrap()["effect"], Value::Null);
    assert_eq!(
        (&sim.state(0)["generation"], last(&bench, "inject.resolve")["rc"].as_str()),
        (&json!(1), Some("ok"))
    );
    let again = rekey(&bench, &sim.port(0), &[&OLD[..], &["--reason", "returned"]].concat());
    assert_eq!(again.event("pass").unwrap()["effect"], "same-key", "{again:?}");
    bench.assert_log_intact();
}
