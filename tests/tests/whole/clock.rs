//! The clock of the station is set back: with `faketime`, on the program as it is.
//!
//! The count since boot is asked of the kernel, past the library that `faketime` takes the place of: so only the wall clock moves, as it
//! does when somebody sets it.

use std::path::Path;
use std::process::Command;

use keystation_tests::bench::{Bench, Run, finished};
use keystation_tests::sim::Sim;

/// `inject` at a time that is `offset` away.
fn inject_at(bench: &Bench, offset: &str, port: &Path) -> Run {
    let plain = bench.inject_command(port);
    let mut command = Command::new("faketime");
    command.args(["-f", offset]).arg(plain.get_program()).args(plain.get_args());
    finished(&mut command)
}

#[test]
fn a_clock_that_went_back_stops_the_line_until_two_people_accept_the_time() {
    let bench = Bench::quick();
    let sim = Sim::start(&bench.file("sim"), 4, &[]);
    let seen = |run: &Run| run.event("notice").map(|notice| notice["code"].as_str().unwrap().to_owned());
    let first = inject_at(&bench, "+0", &sim.port(0));
    assert_eq!((first.exit, seen(&first)), (Some(0), None), "{first:?}");

    let little = inject_at(&bench, "-60s", &sim.port(1));
    assert_eq!((little.exit, seen(&little).as_deref()), (Some(0), Some("clock-jumped")), "{little:?}");
    let back = inject_at(&bench, "-1h", &sim.port(2));
    assert_eq!((back.exit, seen(&back).as_deref()), (Some(3), Some("clock-doubted")), "{back:?}");
    assert_eq!(back.event("fail").unwrap()["code"], "clock-doubted");
    // Right again, and still in doubt: what was recorded meanwhile has to be looked at.
    let right = inject_at(&bench, "+0", &sim.port(2));
    assert_eq!(right.exit, Some(3), "{right:?}");
    assert_eq!(sim.state(2)["generation"], 0);

    let accept = |operator: &[&str], approver: &str| {
        let accept = ["clock", "accept", "--approver", approver, "--reason", "radio clock on the wall"];
        bench.run(&[operator, &accept].concat())
    };
    for (operator, approver, why) in [
        (["--operator", "sup-1"].as_slice(), "sup-1", "approval-same-person"),
        (&[], "admin-1", "no-session"),
        (&["--operator", "op-0117"], "admin-1", "role"),
        (&["--operator", "sup-1"], "qa-007", "approval-role"),
    ] {
        let alone = accept(operator, approver);
        assert_eq!(alone.exit, Some(3), "{alone:?}");
        assert_eq!(alone.event("error").unwrap()["code"], why);
        assert_eq!(bench.records().iter().rfind(|r| r["ev"] == "policy.refuse").unwrap()["why"], why);
    }
    let accepted = accept(&["--operator", "sup-1"], "admin-1");
    assert_eq!(accepted.exit, Some(0), "{accepted:?}");
    let record = bench.records().into_iter().find(|record| record["ev"] == "clock.accept").unwrap();
    assert_eq!((&record["op"], &record["op2"]), (&"sup-1".into(), &"admin-1".into()));
    assert_eq!(bench.inject(&sim.port(2)).exit, Some(0));
    assert_eq!(accept(&["--operator", "sup-1"], "admin-1").exit, Some(3), "there is nothing to accept");
    bench.assert_log_intact();
}
