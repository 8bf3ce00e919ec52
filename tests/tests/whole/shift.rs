//! What a shift made, by the real program: counts of two shifts, and files that other programs read.

use std::fs;
use std::path::Path;
use std::process::Command;

use keystation_tests::bench::{Bench, finished};
use keystation_tests::sim::Sim;
use serde_json::{Value, json};

/// Two people, a call for each device, as a call is a session: `op-0117` keys one device, another one is not kept and passes at
/// the second attempt, one falls silent while it is written. `rep-1` settles that one, and plugs the first one in again.
fn worked() -> Bench {
    let bench = Bench::quick();
    let by = |sim: &Sim, who: &str| finished(&mut bench.inject_command_by(&sim.port(0), who)).exit;
    let sim = |name: &str, serial: &str, mac: &str, fault: &str| {
        Sim::start(&bench.file(name), 1, &["--serial", serial, "--mac", mac, "--fault", fault])
    };
    let good = Sim::published(&bench.file("good"));
    assert_eq!(by(&good, "op-0117"), Some(0));
    let mut liar = sim("liar", "SN-3", "a4:cf:12:00:00:03", "lie=ram-only");
    assert_eq!(by(&liar, "op-0117"), Some(1));
    liar.command("fault 0 ");
    assert_eq!(by(&liar, "op-0117"), Some(0));
    let mut silent = sim("silent", "SN-2", "a4:cf:12:00:00:02", "silent=commit");
    assert_eq!(by(&silent, "op-0117"), Some(1));
    silent.command("fault 0 ");
    assert_eq!(by(&silent, "rep-1"), Some(0));
    assert_eq!(by(&good, "rep-1"), Some(3));
    bench
}

/// The rows of `audit report shift` of this scope.
fn rows(bench: &Bench, arguments: &[&str], scope: &str) -> Vec<Value> {
    let run = bench.run(&[&["audit", "report", "shift"], arguments].concat());
    assert_eq!(run.exit, Some(0), "{run:?}");
    run.events.into_iter().filter(|row| row["scope"] == scope).collect()
}

fn numbers<const N: usize>(row: &Value, names: [&str; N]) -> [u64; N] {
    names.map(|name| row[name].as_u64().unwrap_or_else(|| panic!("{name}: {row}")))
}

#[test]
fn the_counts_of_two_people_are_apart_and_are_those_of_the_records() {
    let bench = worked();
    let records = bench.records();
    let of = |who: &str, event: &str| {
        records.iter().filter(|record| record["op"] == who && record["ev"] == event).count() as u64
    };
    for who in ["op-0117", "rep-1"] {
        let [total] = &rows(&bench, &["--of", who], "total")[..] else { panic!("there is one total") };
        let [attempts, passed, failed, open, refused, settled] =
            numbers(total, ["attempts", "passed", "failed", "open", "refused", "settled_passed"]);
        assert_eq!(attempts, of(who, "inject.intent"), "{total}");
        assert_eq!(attempts, passed + failed + open, "{total}");
        assert_eq!(refused, of(who, "inject.refuse"), "{total}");
        assert_eq!(passed + failed + settled, of(who, "inject.result") + of(who, "inject.resolve"));
    }
    let [operator] = &rows(&bench, &["--of", "op-0117"], "total")[..] else { panic!("one total") };
    let devices = ["devices", "devices_passed", "devices_failed", "do_not_ship"];
    assert_eq!(numbers(operator, devices), [3, 2, 1, 1], "{operator}");
    assert_eq!(numbers(operator, ["attempts", "passed", "failed", "retried"]), [4, 2, 2, 1]);
    assert_eq!(operator["failed_by"], json!({ "not-kept": 1, "silent": 1 }));
    let [repair] = &rows(&bench, &["--of", "rep-1"], "total")[..] else { panic!("one total") };
    assert_eq!(numbers(repair, ["devices", "devices_passed", "devices_refused"]), [2, 1, 1], "{repair}");
    // Together: what lies in the box is counted once.
    let [all] = &rows(&bench, &[], "total")[..] else { panic!("one total") };
    assert_eq!(numbers(all, devices), [3, 3, 0, 0], "{all}");

    // One session is one call here.
    let sessions = rows(&bench, &["--of", "op-0117"], "session");
    assert_eq!(sessions.len(), 4, "{sessions:?}");
    let session = sessions[1]["session"].as_str().unwrap();
    let [own] = &rows(&bench, &["--session", session], "total")[..] else { panic!("one total") };
    assert_eq!(numbers(own, ["attempts", "failed"]), [1, 1], "{own}");
    let [order] = &rows(&bench, &["--session", session], "session-order")[..] else { panic!("one order") };
    assert_eq!(
        (&order["order"], &order["began"], &order["ended"]),
        (&json!(""), &json!("sign-in"), &json!("end"))
    );
    let unknown = bench.run(&["audit", "report", "shift", "--session", "ffffffffffffffff"]);
    assert_eq!((unknown.exit, &unknown.events[0]["code"]), (Some(2), &json!("not-in-log")));

    // Days of UTC. The test may run over midnight.
    let day = &records.last().unwrap()["t"].as_str().unwrap()[..10];
    let [until] = &rows(&bench, &["--until", &records[0]["t"].as_str().unwrap()[..10]], "total")[..] else {
        panic!("one total")
    };
    assert_eq!(numbers(until, ["attempts", "devices"]), [0, 0], "{until}");
    let [of_day] = &rows(&bench, &["--day", day], "total")[..] else { panic!("one total") };
    assert!(numbers(of_day, ["devices"])[0] <= 3);
    for wrong in [["--day", "22.11.2026"], ["--from", "2026-11-31"], ["--until", "2026-11-22T06:00"]] {
        let run = bench.run(&[&["audit", "report", "shift"][..], &wrong[..]].concat());
        assert_eq!(run.exit, Some(2), "{wrong:?}: {run:?}");
    }
}

/// The text of a PDF, as Poppler reads it.
fn text(pdf: &Path) -> String {
    let output = Command::new("pdftotext").args(["-layout"]).arg(pdf).arg("-").output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_report_is_signed_recorded_and_has_no_names() {
    let bench = worked();
    bench.private("name", "Ada Lovelace");
    let name = bench.file("name").display().to_string();
    assert_eq!(bench.run(&["person", "set", "op-0117", "--name-file", &name]).exit, Some(0));
    let (pdf, vkey) = (bench.file("shift.pdf"), bench.data().join("log.vkey"));
    let file = pdf.display().to_string();
    let arguments = ["audit", "report", "shift", "--of", "op-0117", "--pdf", &file];
    let refused = bench.run(&[&arguments[..], &["--operator", "op-0117"]].concat());
    assert_eq!(refused.exit, Some(3), "an operator sees their own in the window: {refused:?}");
    assert!(!pdf.exists());
    let made = bench.run(&[&arguments[..], &["--operator", "qa-007"]].concat());
    assert_eq!(made.exit, Some(0), "{made:?}");
    let report = made.event("report").unwrap();
    let record = &bench.records()[usize::try_from(report["record"].as_u64().unwrap()).unwrap()];
    assert_eq!(
        (&record["ev"], &record["user"], &record["shift"]),
        (&json!("export.report"), &json!("op-0117"), &json!(""))
    );
    assert_eq!(record["sha256"], report["sha256"]);
    let genuine = |file: &str| {
        let vkey = vkey.display().to_string();
        bench.run(&["audit", "report", "verify", file, "--vkey", &vkey]).exit
    };
    assert_eq!(genuine(&file), Some(0));
    let printed = text(&pdf);
    for part in [
        "Shift report",
        "op-0117",
        "3 = 2 passed + 1 failed + 0 open + 0 refused",
        "Devices without a work order",
    ] {
        assert!(printed.contains(part), "{part}: {printed}");
    }
    assert!(!printed.contains("Ada"), "{printed}");
    assert!(!printed.contains("TRAINING"), "{printed}");
    let mut other = fs::read(&pdf).unwrap();
    other.push(b'\n');
    fs::write(&pdf, other).unwrap();
    assert_eq!(genuine(&file), Some(1));
    bench.assert_log_intact();
}
