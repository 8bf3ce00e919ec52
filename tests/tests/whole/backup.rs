//! A station that is copied and comes back on another disk: with its keys, its people and a log that says so.

use std::fs;
use std::process::{Command, Stdio};

use keystation_tests::bench::{Bench, PUBLISHED_DEVICE_KEY, Run, finished};
use keystation_tests::binaries::program;
use keystation_tests::sim::Sim;
use keystation_tests::verifiers::Verifiers;
use serde_json::json;

/// `keystation` on the directory of the restored station.
fn restored(bench: &Bench, verb: &[&str]) -> Command {
    let mut command = Command::new(program("keystation"));
    command.arg("--json").arg("--data").arg(bench.file("other-disk")).args(verb).stdin(Stdio::null());
    command
}

fn restore(bench: &Bench, file: &str, by: (&str, &str)) -> Run {
    let mut command = restored(bench, &["restore"]);
    command.arg(bench.file(file));
    command
        .args(["--reason", "the disk broke", "--backup-passphrase-file"])
        .arg(bench.file("backup-passphrase"));
    finished(bench.signed(&mut command, by.0, Some(by.1)))
}

/// What a station needs on another disk is in its backup, and nobody gets it who may not.
#[test]
fn a_station_comes_back_from_its_backup_and_keys_devices_under_a_new_log() {
    let bench = Bench::quick();
    bench.private("backup-passphrase", "a passphrase of backups");
    let back_up = |who: &str, file: &str, more: &[&str]| {
        let mut command = bench.keystation();
        command.arg("backup").arg(bench.file(file)).args(more);
        command.arg("--backup-passphrase-file").arg(bench.file("backup-passphrase"));
        if who.is_empty() { finished(&mut command) } else { finished(bench.signed(&mut command, who, None)) }
    };
    let refused = back_up("op-0117", "backup.age", &[]);
    assert_eq!(
        (refused.exit, &refused.event("error").unwrap()["code"]),
        (Some(3), &json!("role")),
        "{refused:?}"
    );
    let sim = Sim::published(&bench.file("before"));
    assert_eq!(bench.inject(&sim.port(0)).exit, Some(0));
    let made = back_up("admin-1", "backup.age", &[]);
    assert_eq!(made.exit, Some(0), "{made:?}");
    let made = made.event("backup").unwrap().clone();
    let records = bench.records();
    let record = records.iter().find(|record| record["ev"] == "backup.made").unwrap();
    assert_eq!((&record["seq"], &record["size"]), (&made["record"], &made["records"]));

    // Two administrators decide it, and prove it.
    for (by, code) in [(("op-0117", "admin-2"), "pin-wrong"), (("admin-1", "admin-1"), "epoch")] {
        let refused = restore(&bench, "backup.age", by);
        assert_eq!(
            (refused.exit, &refused.event("error").unwrap()["code"]),
            (Some(3), &json!(code)),
            "{refused:?}"
        );
    }
    assert!(!bench.file("other-disk").exists());
    let done = restore(&bench, "backup.age", ("admin-1", "admin-2"));
    assert_eq!(done.exit, Some(0), "{done:?}");
    assert_eq!(done.event("restored").unwrap()["records"], made["records"]);
    assert_eq!(done.event("new-epoch").unwrap()["origin"], "keylog.example.com/plant7/stn03/2");

    // The vault opens, the same key gives the same device key, and the log is whole.
    let mut inject = restored(&bench, &["inject", "--profile", "test.toml", "--port"]);
    let again = Sim::published(&bench.file("after"));
    inject.arg(again.port(0));
    let keyed = finished(bench.signed(bench.with_passphrase(&mut inject), "op-0117", None));
    assert_eq!(keyed.exit, Some(0), "{keyed:?}");
    assert_eq!(again.state(0)["device_key"], PUBLISHED_DEVICE_KEY);
    let verified = finished(&mut restored(&bench, &["audit", "verify"]));
    assert_eq!(
        (verified.exit, &verified.event("follows").unwrap()["agrees"]),
        (Some(0), &json!(true)),
        "{verified:?}"
    );
    // Both verifiers that share no code with the station accept both logs, with the records of backups in them.
    let verifiers = Verifiers::built(&bench.file("verifiers"));
    let export = |mut command: Command, bundle: &str| {
        command.args(["audit", "export", "--read-only", "--out"]).arg(bench.file(bundle));
        let exported = finished(&mut command);
        assert_eq!(exported.exit, Some(0), "{exported:?}");
    };
    export(bench.keystation(), "old-bundle");
    export(restored(&bench, &[]), "new-bundle");
    verifiers.accept("bundle", &bench.file("old-bundle"), &bench.data().join("log.vkey"), &[]);
    verifiers.accept("bundle", &bench.file("new-bundle"), &bench.file("other-disk/log.vkey"), &[]);
    let key = fs::read(bench.data().join("station.key")).unwrap();
    assert_ne!(fs::read(bench.file("other-disk/station.key")).unwrap(), key);

    // Beside a program that works at the station: without a record, by whoever may read its files.
    let working = keystation_audit::Journal::open(
        &keystation::paths(&keystation::DataDir::new(bench.data())),
        keystation::SystemClock::new().unwrap(),
    )
    .unwrap();
    let busy = back_up("admin-1", "second.age", &[]);
    assert_eq!(
        (busy.exit, &busy.event("error").unwrap()["code"]),
        (Some(4), &json!("station-in-use")),
        "{busy:?}"
    );
    let beside = back_up("", "second.age", &["--read-only"]);
    assert_eq!(
        (beside.exit, &beside.event("backup").unwrap()["record"]),
        (Some(0), &json!(null)),
        "{beside:?}"
    );
    working.close().unwrap();
}
