//! What QA asks the station months later, and what it puts down itself.

use std::process::Command;

use keystation_tests::bench::{Bench, PUBLISHED_ID, finished};
use keystation_tests::binaries::program;
use keystation_tests::sim::Sim;
use serde_json::{Value, json};

/// The values of `names` in `object`.
fn values(object: &Value, names: &[&str]) -> Vec<Value> {
    names.iter().map(|name| object[name].clone()).collect()
}

#[test]
fn a_device_has_one_history_whatever_happened_to_it() {
    let bench = Bench::quick();
    let mut sim = Sim::start(
        &bench.file("sim"),
        1,
        &["--serial", "007-888-abc", "--mac", "a1:b2:c3:d4:e5:f6", "--fault", "silent=commit"],
    );
    assert_eq!(bench.inject(&sim.port(0)).exit, Some(1));
    let open = bench.run(&["audit", "history", PUBLISHED_ID]);
    assert_eq!(open.exit, Some(0), "{open:?}");
    let device = open.event("device").unwrap();
    assert_eq!(values(device, &["standing", "record", "key"]), [json!("open"), Value::Null, Value::Null]);

    sim.command("fault 0 ");
    assert_eq!(bench.inject(&sim.port(0)).exit, Some(0));
    assert_eq!(bench.inject(&sim.port(0)).exit, Some(3));
    let history = bench.run(&["audit", "history", PUBLISHED_ID]);
    let told: Vec<Value> = history
        .events
        .iter()
        .filter(|event| event["event"] == "life")
        .map(|event| json!([event["ev"], event["rc"], event["holds"], event["verified"], event["key"]]))
        .collect();
    assert_eq!(
        told,
        [
            json!(["inject.intent", "", "", "", "gk-test"]),
            json!(["inject.result", "timeout", "unknown", "none", "gk-test"]),
            json!(["inject.resolve", "ok", "new", "challenge", "gk-test"]),
            json!(["inject.refuse", "refused", "untouched", "none", ""]),
        ]
    );
    let device = history.event("device").unwrap();
    let mut proofs = history.events.iter().filter(|event| event["ev"] == "inject.resolve");
    assert_eq!(device["record"], proofs.next().unwrap()["record"]);
    let intent = bench.records().into_iter().find(|record| record["ev"] == "inject.intent").unwrap();
    assert_eq!(
        values(device, &["standing", "fingerprint", "mac", "serial", "secured"]),
        [json!("keyed"), intent["dkfp"].clone(), json!("a1b2c3d4e5f6"), json!("007-888-abc"), Value::Null]
    );

    for (id, exit, code) in [("sn-of-nobody", 2, "no-device"), ("No ID", 2, "registration-id")] {
        let refused = bench.run(&["audit", "history", id]);
        assert_eq!(refused.exit, Some(exit), "{refused:?}");
        assert_eq!(refused.event("error").unwrap()["code"], code);
    }
}

#[test]
fn a_review_is_signed_once_for_each_record() {
    let bench = Bench::quick();
    let sim = Sim::published(&bench.file("sim"));
    assert_eq!(bench.inject(&sim.port(0)).exit, Some(0));
    let records = bench.records().len();
    let status = || bench.run(&["audit", "review", "--status"]).event("review-status").unwrap().clone();
    let before = status();
    let counted = ["due", "last", "from", "to", "passed", "failed"];
    assert_eq!(
        values(&before, &counted),
        [json!(false), Value::Null, json!(0), json!(records - 1), json!(1), json!(0)]
    );
    assert_eq!(bench.records().len(), records, "a look leaves nothing");

    let too_long = bench.run(&["--operator", "qa-007", "audit", "review", "--remark", &"x".repeat(501)]);
    assert_eq!((too_long.exit, &too_long.event("error").unwrap()["code"]), (Some(2), &json!("remark")));
    assert_eq!(bench.records().len(), records);
    // Nobody signs in the name of the station, and nobody without being QA.
    for (verb, why) in [
        (finished(bench.keystation().args(["audit", "review"])), "no-session"),
        (bench.run(&["--operator", "sup-1", "audit", "review"]), "role"),
    ] {
        assert_eq!((verb.exit, &verb.event("error").unwrap()["code"]), (Some(3), &json!(why)));
    }
    let records = bench.records().len();

    let signed = bench.run(&["--operator", "qa-007", "audit", "review", "--remark", "all seen"]);
    assert_eq!(signed.exit, Some(0), "{signed:?}");
    let review = signed.event("review").unwrap();
    assert_eq!(
        values(review, &["from", "to", "reviewer", "remark"]),
        // The records by which the station was opened for it, and QA signed in, are among them.
        [json!(0), json!(records + 1), json!("qa-007"), json!("all seen")]
    );
    let stored = bench.records();
    let stored = &stored[usize::try_from(review["record"].as_u64().unwrap()).unwrap()];
    assert_eq!(
        values(stored, &["ev", "op", "role", "to"]),
        [json!("review.signed"), json!("qa-007"), json!("qa"), json!(records + 1)]
    );
    let after = status();
    assert_eq!(values(&after, &["from", "passed", "failed"]), [json!(records + 2), json!(0), json!(0)]);
    assert_eq!(values(&after["last"], &["reviewer", "record"]), [json!("qa-007"), review["record"].clone()]);
    bench.assert_log_intact();
}

/// QA's account may have no right to write, and an evidence copy lies on a medium that cannot be written to. The mount is
/// read-only for root as well, in a namespace of its own.
#[test]
fn a_log_at_rest_is_read_where_nothing_can_be_written() {
    let bench = Bench::quick();
    let sim = Sim::published(&bench.file("sim"));
    assert_eq!(bench.inject(&sim.port(0)).exit, Some(0));
    let records = bench.records().len();
    // What a reader left behind; a copy of the database alone has neither.
    let beside = ["audit.db-shm", "audit.db-wal"].map(|name| bench.data().join(name));
    beside.iter().filter(|file| file.exists()).for_each(|file| std::fs::remove_file(file).unwrap());
    let script = "mount --bind \"$1\" \"$1\" && mount -o remount,bind,ro \"$1\" && shift && exec \"$@\"";
    for verb in
        [&["audit", "verify"][..], &["audit", "search", "007-888-abc"], &["audit", "history", PUBLISHED_ID]]
    {
        let mut command = Command::new("unshare");
        if !rustix::process::geteuid().is_root() {
            command.args(["--user", "--map-root-user"]);
        }
        command.args(["--mount", "sh", "-c", script, "sh"]).arg(bench.data());
        command.arg(program("keystation")).arg("--json").arg("--data").arg(bench.data()).args(verb);
        let run = finished(&mut command);
        assert_eq!(run.exit, Some(0), "{verb:?}: {run:?}");
    }
    assert!(!beside.iter().any(|file| file.exists()));
    assert_eq!(bench.records().len(), records);
}
