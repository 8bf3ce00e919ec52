//! Devices that are taken out, boards that take the place of others, and what is cleaned up in the cloud, by the headless binary.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use keystation_tests::bench::{Bench, LABEL, Run, finished};
use keystation_tests::sim::Sim;
use keystation_tests::verifiers::Verifiers;
use serde_json::Value;

fn sim(bench: &Bench, serial: &str, mac: &str) -> Sim {
    let name = format!("sim-{serial}-{}", mac.replace(':', ""));
    Sim::start(&bench.file(&name), 1, &["--serial", serial, "--mac", mac])
}

/// The code of the error or of the failed device.
fn code(run: &Run) -> &str {
    let said = run.event("fail").or_else(|| run.event("error")).unwrap_or_else(|| panic!("{run:?}"));
    said["code"].as_str().unwrap()
}

fn assert_refused(run: &Run, expected: &str) {
    assert_eq!((run.exit, code(run)), (Some(3), expected), "{run:?}");
}

fn done(run: Run) -> Run {
    assert_eq!(run.exit, Some(0), "{run:?}");
    run
}

/// The newest record of an event.
fn newest(bench: &Bench, event: &str) -> Value {
    let records = bench.records();
    records.into_iter().rfind(|record| record["ev"] == event).unwrap_or_else(|| panic!("no {event}"))
}

fn inject_by(bench: &Bench, port: &Path, profile: &str) -> Run {
    let mut command = bench.keystation();
    command.arg("inject").arg("--port").arg(port).args(["--profile", profile]);
    bench.signed(bench.with_passphrase(&mut command), "op-0117", None);
    finished(&mut command)
}

/// One that goes by its serial number alone: it does not tell a board from another.
fn serial_only(bench: &Bench) {
    let folder = bench.data().join("profiles");
    let profile = fs::read_to_string(folder.join("test.toml")).unwrap();
    let made = profile.replace("sn-{serial}-mac-{mac}", "sn-{serial}");
    assert_ne!(made, profile);
    fs::write(folder.join("serial.toml"), made).unwrap();
}

#[test]
fn scrap_and_revocation_take_two_people_and_a_reason_and_nobody_keys_such_a_device() {
    let bench = Bench::quick();
    let device = sim(&bench, "SN-1", "a4:cf:12:00:00:01");
    let id = "sn-sn-1-mac-a4-cf-12-00-00-01";
    done(bench.inject(&device.port(0)));
    let before = device.state(0);

    // What is missing is refused, and is a record.
    let no_reason = bench.run(&["device", "scrap", id]);
    assert_refused(&no_reason, "device-reason");
    assert_refused(&bench.run(&["device", "scrap", id, "--reason", "other"]), "device-reason");
    assert_refused(&bench.run(&["device", "scrap", id, "--reason", "key-leaked"]), "device-reason");
    let alone = {
        let mut command = bench.keystation();
        command.args(["device", "scrap", id, "--reason", "broken"]);
        finished(bench.signed(&mut command, "rep-1", None))
    };
    assert_refused(&alone, "approval-missing");
    for (asks, approves, why) in [
        ("op-0117", "sup-1", "role"),
        ("rep-1", "admin-1", "approval-role"),
        ("sup-1", "sup-1", "approval-same-person"),
    ] {
        let people = ["--operator", asks, "--approver", approves];
        let run = bench.run(&[&["device", "revoke", id, "--reason", "stolen"][..], &people].concat());
        assert_refused(&run, why);
    }
    let refusals = bench.records().into_iter().filter(|record| record["ev"] == "policy.refuse").count();
    assert_eq!(refusals, 7);
    assert!(!bench.records().iter().any(|record| record["ev"].as_str().unwrap().starts_with("device.")));

    let scrapped = done(bench.run(&["device", "scrap", "SN-1", "--reason", "other", "--note", "it fell"]));
    assert_eq!(scrapped.event("device").unwrap()["id"], id);
    let record = newest(&bench, "device.scrap");
    for (field, value) in [
        ("rid", id),
        ("mac", "a4cf12000001"),
        ("sn", "SN-1"),
        ("reason", "other"),
        ("note", "it fell"),
        ("op", "rep-1"),
        ("op2", "sup-1"),
    ] {
        assert_eq!(record[field], value, "{record}");
    }
    let refused = bench.inject(&device.port(0));
    assert_refused(&refused, "scrapped");
    let told = refused.event("fail").unwrap();
    assert_eq!(
        (&told["safety"], &newest(&bench, "inject.refuse")["code"]),
        (&"untouched".into(), &"scrapped".into())
    );
    assert_refused(&bench.run(&["device", "scrap", id, "--reason", "broken"]), "device-out");
    // The board is scrap under whatever name.
    serial_only(&bench);
    let erased = Sim::start(&bench.file("erased"), 1, &["--serial", "SN-9", "--mac", "a4:cf:12:00:00:01"]);
    assert_refused(&inject_by(&bench, &erased.port(0), "serial.toml"), "scrapped");
    assert_eq!(erased.state(0)["generation"], 0);

    // A mistake is taken back by an act of its own; then it is what it was.
    done(bench.run(&["device", "restore", id, "--reason", "mistake"]));
    assert_refused(&bench.inject(&device.port(0)), "already-keyed");
    assert_eq!(bench.run(&["device", "restore", id, "--reason", "mistake"]).exit, Some(2));

    // Revoked is for good.
    done(bench.run(&["device", "revoke", "A4-CF-12-00-00-01", "--reason", "key-leaked"]));
    assert_refused(&bench.inject(&device.port(0)), "revoked");
    assert_eq!(bench.run(&["device", "restore", id, "--reason", "mistake"]).exit, Some(2));
    assert_refused(&bench.run(&["device", "revoke", id, "--reason", "stolen"]), "device-out");
    // What this log never began can be blocked, and is no scrap.
    assert_eq!(code(&bench.run(&["device", "scrap", "sn-elsewhere", "--reason", "lost"])), "device-unknown");
    done(bench.run(&["device", "revoke", "sn-elsewhere", "--reason", "stolen"]));
    assert_eq!(device.state(0), before, "nothing was ever written to it");
    bench.assert_log_intact();
}
