//! What a person or a script is told when the station does not do what it was asked: the device's safety, the exit code,
//! and a remedy that fits.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Command, Stdio};

use keystation_core::key::KeySlot;
use keystation_tests::bench::{Bench, Killed, LABEL, Run};
use keystation_tests::binaries::program;
use keystation_tests::people;
use keystation_tests::sim::Sim;
use keystation_vault::{DerivedKeyAnswer, NewKey, SealedFile, SecretSource, WorkFactor};
use serde_json::Value;

fn error(run: &Run) -> &Value {
    run.event("error").unwrap_or_else(|| panic!("no error: {run:?}"))
}

/// The headless binary on another data directory.
fn station_in(data: &Path) -> Command {
    let mut command = Command::new(program("keystation"));
    command.arg("--data").arg(data).arg("--json").stdin(Stdio::null());
    command
}

fn steps(run: &Run) -> String {
    error(run)["remedy"].to_string()
}

#[test]
fn before_the_first_step_a_device_is_said_to_be_untouched() {
    let bench = Bench::quick();
    let missing = bench.run(&["inject", "--port", "x", "--profile", "none.toml"]);
    assert_eq!((missing.exit, &error(&missing)["code"]), (Some(2), &"settings".into()));
    assert_eq!(error(&missing)["safety"], "untouched");
    assert!(missing.stderr.contains("Nothing was written to the device."), "{missing:?}");
    assert_eq!(missing.stderr.matches("os error 2").count(), 1, "the cause is said once: {missing:?}");
    assert!(!steps(&missing).contains("Mend the line"), "there is no line: {missing:?}");

    let port = "p".repeat(5000);
    let long = bench.run(&["inject", "--port", &port, "--profile", "test.toml"]);
    assert_eq!((long.exit, &error(&long)["safety"]), (Some(2), &"untouched".into()));

    // The same sentence at a verb that has no device would be noise.
    bench.private("passphrase", "not the passphrase");
    let list = bench.run(&["audit", "search", "mac:zz"]);
    assert_eq!((list.exit, &error(&list)["safety"]), (Some(2), &Value::Null));
    let wrong = bench.inject(&bench.file("no-port"));
    assert_eq!((wrong.exit, &error(&wrong)["safety"]), (Some(3), &"untouched".into()));
    let mut selftest = bench.keystation();
    let selftest = Run::of(
        &bench.signed(bench.with_passphrase(selftest.arg("selftest")), "op-0117", None).output().unwrap(),
    );
    assert_eq!(selftest.exit, Some(3), "a wrong passphrase says nothing of the station: {selftest:?}");
}

#[test]
fn a_profile_that_names_an_unknown_key_is_a_setting_to_mend() {
    let bench = Bench::quick();
    let sim = Sim::published(&bench.file("sim"));
    let profile = bench.data().join("profiles/test.toml");
    let text = fs::read_to_string(&profile).unwrap();
    fs::write(&profile, text.replace(LABEL, "gk-none")).unwrap();
    for run in [bench.inject(&sim.port(0)), bench.check(&sim.port(0))] {
        assert_eq!((run.exit, &error(&run)["code"]), (Some(2), &"key-unknown".into()));
    }
    assert_eq!(sim.state(0)["generation"], 0);
}

#[test]
fn a_data_directory_without_a_log_is_not_a_damaged_one() {
    let bench = Bench::quick();
    let run = Run::of(&station_in(&bench.file("nowhere")).args(["audit", "verify"]).output().unwrap());
    assert_eq!((run.exit, &error(&run)["code"]), (Some(2), &"station-missing".into()));
    assert!(steps(&run).contains("--data") && !steps(&run).contains("audit verify"), "{run:?}");

    fs::remove_file(bench.data().join("audit.db")).unwrap();
    let run = bench.run(&["audit", "verify"]);
    assert_eq!((run.exit, steps(&run).contains("Inject nothing")), (Some(4), true), "{run:?}");
}

#[test]
fn an_import_that_is_refused_leaves_no_vault_and_one_without_a_vault_says_so() {
    let bench = Bench::quick();
    fs::remove_file(bench.data().join("vault.age")).unwrap();
    let gone = bench.import("gk-b", &bench.file("group-key"));
    assert_eq!((gone.exit, &error(&gone)["code"]), (Some(4), &"vault-gone".into()));
    assert!(!steps(&gone).contains("key import"), "that is what refused: {gone:?}");

    let data = bench.file("second");
    let mut init = station_in(&data);
    let made = init.args(["init", "--origin", "keylog.example.com/plant7/stn04"]).output().unwrap();
    assert!(made.status.success(), "{made:?}");
    people::settle(&data);
    bench.private("key-32", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
    bench.private("key-bad", "no key");
    for (file, exit, says) in [("key-32", 3, "--not-a-device-key"), ("key-bad", 2, "Copy the key again")] {
        let mut import = station_in(&data);
        import.args(["key", "import", "--label", "gk-b", "--group", "line-7"]);
        import.args(["--scope", "0ne00EMU001", "--slot", "primary", "--check-value", "B3571-F3397"]);
        import.arg("--key-file").arg(bench.file(file));
        bench.signed(&mut import, "cus-1", Some("cus-2"));
        let run = Run::of(&bench.with_passphrase(&mut import).output().unwrap());
        assert_eq!((run.exit, steps(&run).contains(says)), (Some(exit), true), "{run:?}");
        assert!(!bench.file("second/vault.age").exists(), "no vault is left under that passphrase");
    }
}

#[test]
fn a_refusal_says_which_device_and_a_strangers_key_is_no_key_of_ours() {
    let bench = Bench::quick();
    let sim = Sim::published(&bench.file("sim"));
    assert_eq!(bench.inject(&sim.port(0)).exit, Some(0));
    let other = Bench::stranger();
    let run = other.inject(&sim.port(0));
    let fail = run.event("fail").unwrap();
    assert_eq!((run.exit, &fail["code"]), (Some(3), &"foreign-key".into()));
    assert_eq!((&fail["serial"], &fail["mac"]), (&"007-888-abc".into(), &"a1:b2:c3:d4:e5:f6".into()));
    let again = bench.inject(&sim.port(0));
    let cause = again.event("fail").unwrap()["cause"].to_string();
    assert!(cause.contains("says that it was keyed here"), "{again:?}");
}

#[test]
fn a_check_compares_the_record_of_a_device_that_holds_nothing_and_says_what_to_do() {
    let bench = Bench::quick();
    let keyed = Sim::published(&bench.file("keyed"));
    assert_eq!(bench.inject(&keyed.port(0)).exit, Some(0));
    let erased = Sim::published(&bench.file("erased"));
    let run = bench.check(&erased.port(0));
    let point = |name: &str| run.events.iter().find(|point| point["name"] == name).unwrap();
    assert_eq!((run.exit, &point("set")["holds"]), (Some(1), &false.into()));
    assert!(point("set")["remedy"].to_string().contains("Do not ship it"), "{run:?}");
    assert!(point("record")["sentence"].to_string().contains("keyed here"), "{run:?}");
}

/// A key that came into the vault and not into the log, as after a kill between the two.
#[test]
fn a_group_key_without_a_record_has_one_before_it_is_used() {
    let bench = Bench::quick();
    let sim = Sim::published(&bench.file("sim"));
    let passphrase = SecretSource::File(bench.file("passphrase")).passphrase().unwrap();
    bench.private("other-key", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4v");
    let key = SecretSource::File(bench.file("other-key")).text().unwrap();
    let new = NewKey {
        label: "gk-late".parse().unwrap(),
        group: "line-8".parse().unwrap(),
        scope: "0ne00EMU001".parse().unwrap(),
        slot: KeySlot::Primary,
    };
    let sealed = SealedFile::at(bench.data().join("vault.age")).with_work_factor(WorkFactor::TEST);
    sealed.import(&passphrase, new, &key, DerivedKeyAnswer::NotAsked).unwrap();
    for _ in 0..2 {
        let _ = bench.inject(&sim.port(0));
        let records = bench.records();
        let late: Vec<_> = records.iter().filter(|r| r["gk"] == "gk-late").collect();
        assert_eq!(late.len(), 1, "once, whatever was unlocked since");
        let unlock = records.iter().position(|r| r["ev"] == "auth.unlock").unwrap();
        assert!(records.iter().position(|r| r["gk"] == "gk-late").unwrap() < unlock);
        assert_eq!(records.iter().filter(|r| r["ev"] == "gk.import").count(), 2);
    }
    bench.assert_log_intact();
}

/// The import is killed when the vault's inode changes: the key is there, and its record may not be.
#[test]
fn an_import_killed_behind_the_vault_is_recorded_at_the_next_unlock() {
    let bench = Bench::quick();
    let sim = Sim::published(&bench.file("sim"));
    let vault = bench.data().join("vault.age");
    let inode = || fs::metadata(&vault).map(|file| file.ino()).ok();
    bench.private("other-key", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4v");
    let before = inode();
    let mut import = bench.keystation();
    import.args(["key", "import", "--label", "gk-late", "--group", "line-8", "--scope", "0ne00EMU001"]);
    import.args(["--slot", "primary", "--check-value", "B48D1-A7487"]);
    import.arg("--key-file").arg(bench.file("other-key"));
    let mut import =
        Killed(bench.signed(bench.with_passphrase(&mut import), "cus-1", Some("cus-2")).spawn().unwrap());
    while inode() == before {
        assert!(import.0.try_wait().unwrap().is_none(), "it ended before the vault was replaced");
        std::thread::yield_now();
    }
    import.0.kill().unwrap();
    import.0.wait().unwrap();
    let _ = bench.inject(&sim.port(0));
    let imported = bench.records().iter().filter(|r| r["gk"] == "gk-late").count();
    assert_eq!(imported, 1, "a key that can be used has its record");
    bench.assert_log_intact();
}

#[test]
fn an_outcome_that_nobody_knows_is_shown_as_still_open() {
    let bench = Bench::quick();
    let sim = Sim::start(&bench.file("sim"), 1, &["--fault", "silent-after=commit"]);
    let run = bench.inject(&sim.port(0));
    assert_eq!(run.event("fail").unwrap()["safety"], "unknown", "{run:?}");
    let mut show = Command::new(program("keystation"));
    let shown = show.arg("--data").arg(bench.data()).args(["audit", "show"]).output().unwrap();
    let shown = String::from_utf8(shown.stdout).unwrap();
    let line = shown.lines().find(|line| line.contains("inject.result")).unwrap();
    assert!(line.contains("silent, holds unknown: still open"), "{line}");
}
