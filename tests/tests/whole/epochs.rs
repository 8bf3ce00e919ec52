//! A new log in the place of the old one: who is asked, and what is said of what it took over.

use std::fs;
use std::process::Command;

use keystation_tests::bench::{Bench, PUBLISHED_CHECK_VALUE, Run, finished, pin_file};
use keystation_tests::orders::text;
use keystation_tests::sim::Sim;
use serde_json::json;

const ORDER: &str = "WO-7";

fn begin(bench: &Bench, operator: &str, approver: &str) -> Run {
    let reason = ["--reason", "the disk was replaced"];
    bench
        .run(&[&["--operator", operator, "audit", "new-epoch", "--approver", approver], &reason[..]].concat())
}

/// An order ends with its log, and that is said: made again it is one of the new log.
#[test]
fn an_order_that_is_not_closed_ends_with_its_log() {
    let bench = Bench::quick();
    let create = || {
        let file = bench.file("order");
        fs::write(&file, text(ORDER, 2, PUBLISHED_CHECK_VALUE, "")).unwrap();
        let made = bench.run(&["order", "create", "--file", file.to_str().unwrap()]);
        assert_eq!(made.exit, Some(0), "{made:?}");
        assert_eq!(bench.run(&["order", "open", ORDER]).exit, Some(0));
    };
    let inject = |serial: &str, mac: &str| {
        let sim = Sim::start(&bench.file(serial), 1, &["--serial", serial, "--mac", mac]);
        finished(bench.inject_command(&sim.port(0)).args(["--job", ORDER]))
    };
    create();
    assert_eq!(inject("SN-1", "a4:cf:12:00:01:01").exit, Some(0));
    let begun = begin(&bench, "admin-1", "admin-2");
    assert_eq!(begun.exit, Some(0), "{begun:?}");
    let told = begun.event("new-epoch").unwrap();
    assert_eq!((&told["orders_ended"], &told["lost"]), (&json!([ORDER]), &json!(0)));
    let followed = bench.run(&["audit", "verify"]).event("follows").unwrap().clone();
    assert_eq!((&followed["carried"], &followed["lost"]), (&told["carried"], &json!(0)));
    // Nothing is made under it, until somebody creates it again.
    assert_eq!(bench.run(&["order", "show", ORDER]).exit, Some(2));
    create();
    let keyed = inject("SN-2", "a4:cf:12:00:01:02");
    assert_eq!(keyed.exit, Some(0), "{keyed:?}");
    let standing = bench.run(&["order", "show", ORDER]).event("order").unwrap().clone();
    assert_eq!(standing["begun"], 1, "{standing}");
    bench.assert_log_intact();
}

/// A plan that somebody wrote, or that was cut short, lets nobody go on without being asked: nobody signed it.
#[test]
fn who_finishes_an_epoch_that_was_cut_short_is_asked_again() {
    let bench = Bench::quick();
    let (data, origin) = (bench.data(), "keylog.example.com/plant7/stn03");
    let own = fs::read_to_string(bench.file(&pin_file("admin-2"))).unwrap();
    let plan = |phase: &str| {
        fs::write(
            data.join("epoch.plan"),
            format!("{phase}\n{origin}/2\nsomebody\nadministrator\n{origin}/1\n1\n\nelse\nmine\n"),
        )
        .unwrap();
    };
    let is_asked = |what: &str| {
        bench.private(&pin_file("admin-2"), "394086");
        let wrong = begin(&bench, "admin-1", "admin-2");
        assert_eq!(
            (wrong.exit, &wrong.event("error").unwrap()["code"]),
            (Some(3), &json!("pin-wrong")),
            "{what}: {wrong:?}"
        );
        bench.private(&pin_file("admin-2"), &own);
    };
    plan("make");
    is_asked("nothing was moved");
    // A plan that names a log which is not there moves nothing.
    plan("out");
    let refused = begin(&bench, "admin-1", "admin-2");
    assert_eq!(
        (refused.exit, &refused.event("error").unwrap()["code"]),
        (Some(4), &json!("epoch")),
        "{refused:?}"
    );
    assert!(data.join("audit.db").exists());
    plan("make");
    let begun = begin(&bench, "admin-1", "admin-2");
    assert_eq!(begun.exit, Some(0), "{begun:?}");
    let genesis = &bench.records()[0];
    assert_eq!(
        [&genesis["op"], &genesis["op2"], &genesis["reason"]],
        ["admin-1", "admin-2", "the disk was replaced"]
    );

    // Cut short between the two logs: the new one was moved in but for its key, which is moved last.
    let next = data.join("epochs/next");
    fs::create_dir(&next).unwrap();
    fs::rename(data.join("station.key"), next.join("station.key")).unwrap();
    plan("in");
    is_asked("the old log was moved aside");
    let finished = begin(&bench, "admin-1", "admin-2");
    assert_eq!(finished.exit, Some(0), "{finished:?}");
    assert_eq!(&bench.records()[0], genesis);
    bench.assert_log_intact();
}

/// Whoever could, or where nobody could sign in that nobody did: the log says that its tables are another's work now.
#[test]
fn tables_that_were_made_anew_are_a_record() {
    let bench = Bench::quick();
    let rebuilt = |operator: &str, why: &str| {
        let run = bench.run(&["audit", "rebuild"]);
        assert_eq!(run.exit, Some(0), "{run:?}");
        let record = bench.records().into_iter().rfind(|record| record["ev"] == "log.rebuild").unwrap();
        assert_eq!((&record["op"], &record["why"]), (&json!(operator), &json!(why)));
        assert_eq!(run.event("rebuild").unwrap()["record"], record["seq"]);
    };
    rebuilt("admin-1", "asked");
    let script = "import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
assert db.execute(\"UPDATE account SET roles = 'administrator' WHERE user = 'op-0117'\").rowcount == 1
db.commit()";
    let spoilt =
        Command::new("/usr/bin/python3").args(["-c", script]).arg(bench.data().join("audit.db")).status();
    assert!(spoilt.unwrap().success());
    assert_eq!(
        bench.run(&["audit", "export", "--out", "none"]).exit,
        Some(4),
        "an account that no record made"
    );
    rebuilt("", "not-opened");
    bench.assert_log_intact();
}
