//! Devices that are taken out, boards that take the place of others, and what is cleaned up in the cloud, by the headless binary.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use base64ct::{Base64, Encoding};
use keystation_tests::bench::{Bench, LABEL, Run, check_value_on_paper, finished};
use keystation_tests::sim::Sim;
use keystation_tests::{orders, people};
use serde_json::{Value, json};

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
    for sim in [&device, &erased] {
        assert_refused(&inject_by(&bench, &sim.port(0), "serial.toml"), "scrapped");
    }
    assert_eq!(erased.state(0)["generation"], 0);

    // A mistake is taken back by an act of its own; then it is what it was.
    done(bench.run(&["device", "restore", id, "--reason", "mistake"]));
    assert_refused(&bench.inject(&device.port(0)), "already-keyed");
    assert_eq!(bench.run(&["device", "restore", id, "--reason", "mistake"]).exit, Some(2));

    // Revoked is for good.
    done(bench.run(&["device", "revoke", "A4-CF-12-00-00-01", "--reason", "key-leaked"]));
    assert_refused(&bench.inject(&device.port(0)), "revoked");
    let checked = bench.check(&device.port(0));
    assert_eq!(checked.exit, Some(1), "QA finds it, too: {checked:?}");
    assert!(
        checked
            .events
            .iter()
            .any(|event| event["sentence"].as_str().is_some_and(|said| said.contains("revoked"))),
        "{checked:?}"
    );
    assert_eq!(bench.run(&["device", "restore", id, "--reason", "mistake"]).exit, Some(2));
    assert_refused(&bench.run(&["device", "revoke", id, "--reason", "stolen"]), "device-out");
    // What this log never began can be blocked, and is no scrap.
    assert_eq!(code(&bench.run(&["device", "scrap", "sn-elsewhere", "--reason", "lost"])), "device-unknown");
    done(bench.run(&["device", "revoke", "sn-elsewhere", "--reason", "stolen"]));
    assert_eq!(device.state(0), before, "nothing was ever written to it");
    bench.assert_log_intact();
}

/// Issue 6: each act, with what is missing of it.
#[test]
fn no_act_is_done_without_a_reason_and_a_second_person_and_what_is_asked_so_is_a_record() {
    let bench = Bench::quick();
    let sims: Vec<_> =
        (1..=2).map(|n| sim(&bench, &format!("SN-{n}"), &format!("a4:cf:12:00:00:0{n}"))).collect();
    sims.iter().for_each(|sim| drop(done(bench.inject(&sim.port(0)))));
    done(bench.run(&["device", "scrap", "SN-2", "--reason", "broken"]));
    let board = ["--profile", "test.toml", "--mac", "a4:cf:12:00:00:11"];
    let before = bench.records();
    for (verb, device, more, reason, of_another) in [
        ("scrap", "SN-1", &[][..], "broken", "key-leaked"),
        ("revoke", "SN-1", &[], "stolen", "broken"),
        ("replace", "SN-1", &board, "upgrade", "found"),
        ("restore", "SN-2", &[], "mistake", "broken"),
    ] {
        let act = [&["device", verb, device], more].concat();
        let with = |reason: &[&str], asks: &str, approves: Option<&str>| {
            let mut command = bench.keystation();
            finished(bench.signed(command.args(&act).args(reason), asks, approves))
        };
        for none in [&[][..], &["--reason", "other"], &["--reason", of_another]] {
            assert_refused(&with(none, "rep-1", Some("sup-1")), "device-reason");
        }
        let reason = ["--reason", reason];
        for (asks, approves, why) in [
            ("rep-1", None, "approval-missing"),
            ("sup-1", Some("sup-1"), "approval-same-person"),
            ("rep-1", Some("qa-007"), "approval-role"),
            ("op-0117", Some("sup-1"), "role"),
        ] {
            assert_refused(&with(&reason, asks, approves), why);
        }
        let refusals = bench
            .records()
            .into_iter()
            .filter(|record| record["ev"] == "policy.refuse" && record["action"] == format!("{verb}-device"));
        assert_eq!(refusals.count(), 7, "{verb}");
    }
    let done = bench.records().into_iter().skip(before.len());
    assert_eq!(done.filter(|record| record["ev"].as_str().unwrap().starts_with("device.")).count(), 0);
    bench.assert_log_intact();
}

/// Another board under the same serial number: a new identity, and a permission for this one board.
#[test]
fn a_board_swap_permits_one_new_board_and_retires_the_old_one() {
    let bench = Bench::quick();
    let old = sim(&bench, "SN-1", "a4:cf:12:00:00:01");
    let new = sim(&bench, "SN-1", "a4:cf:12:00:00:02");
    let third = sim(&bench, "SN-1", "a4:cf:12:00:00:03");
    done(bench.inject(&old.port(0)));
    assert_refused(&bench.inject(&new.port(0)), "other-board");
    let swap = |more: &[&str]| {
        let swap = ["device", "replace", "SN-1", "--profile", "test.toml", "--mac", "a4:cf:12:00:00:02"];
        bench.run(&[&swap[..], more].concat())
    };
    assert_refused(&swap(&[]), "device-reason");
    assert_refused(
        &swap(&["--reason", "board-failed", "--operator", "op-0117", "--approver", "sup-1"]),
        "role",
    );
    let swapped = done(swap(&["--reason", "board-failed", "--note", "no radio"]));
    let told = swapped.event("device").unwrap();
    let (old_id, new_id) = ("sn-sn-1-mac-a4-cf-12-00-00-01", "sn-sn-1-mac-a4-cf-12-00-00-02");
    assert_eq!((&told["id"], &told["successor"]), (&old_id.into(), &new_id.into()));
    let record = newest(&bench, "device.replace");
    assert_eq!(
        (&record["rid"], &record["new_rid"], &record["destroyed"]),
        (&old_id.into(), &new_id.into(), &"".into())
    );

    // That board and no other, and both records say which the other is.
    assert_refused(&bench.inject(&third.port(0)), "other-board");
    done(bench.inject(&new.port(0)));
    assert_eq!(newest(&bench, "inject.intent")["prior"], record["seq"]);
    assert_refused(&bench.inject(&old.port(0)), "replaced");
    let erased = Sim::start(&bench.file("erased"), 1, &["--serial", "SN-1", "--mac", "a4:cf:12:00:00:01"]);
    assert_refused(&bench.inject(&erased.port(0)), "replaced");
    assert_refused(&bench.inject(&third.port(0)), "other-board");
    for (id, other) in [(old_id, new_id), (new_id, old_id)] {
        let history = done(bench.run(&["audit", "history", id]));
        let events: Vec<_> = history.events.iter().filter(|event| event["ev"] == "device.replace").collect();
        assert_eq!((events.len(), &events[0]["other"]), (1, &other.into()), "{history:?}");
        let retired = if id == old_id { "replaced".into() } else { Value::Null };
        assert_eq!(history.event("device").unwrap()["retired"], retired);
    }
    bench.assert_log_intact();
}

/// Where the registration ID knows no board, the new one gets the key of the old one.
#[test]
fn a_board_under_the_same_id_asks_for_proof_that_the_old_one_was_destroyed() {
    let bench = Bench::quick();
    serial_only(&bench);
    let old = sim(&bench, "SN-1", "a4:cf:12:00:00:01");
    let new = sim(&bench, "SN-1", "a4:cf:12:00:00:02");
    done(inject_by(&bench, &old.port(0), "serial.toml"));
    assert_refused(&inject_by(&bench, &new.port(0), "serial.toml"), "already-recorded");
    let swap = |more: &[&str]| {
        let swap = ["device", "replace", "sn-sn-1", "--profile", "serial.toml", "--mac", "a4:cf:12:00:00:02"];
        bench.run(&[&swap[..], &["--reason", "board-failed"], more].concat())
    };
    assert_refused(&swap(&[]), "board-proof");
    assert_refused(&swap(&["--destroyed", " "]), "board-proof");
    let told = newest(&bench, "policy.refuse");
    assert_eq!((&told["action"], &told["code"]), (&"replace-device".into(), &"board-proof".into()), "{told}");
    let swapped = done(swap(&["--destroyed", "D-2026-114, shredded"]));
    assert!(swapped.event("device").is_some());
    let record = newest(&bench, "device.replace");
    assert_eq!((&record["destroyed"], &record["op2"]), (&"D-2026-114, shredded".into(), &"sup-1".into()));
    done(inject_by(&bench, &new.port(0), "serial.toml"));
    assert_eq!(new.state(0)["device_key"], old.state(0)["device_key"], "that is why it asks");
    // Should it turn up all the same.
    let erased = Sim::start(&bench.file("erased"), 1, &["--serial", "SN-1", "--mac", "a4:cf:12:00:00:01"]);
    assert_refused(&inject_by(&bench, &erased.port(0), "serial.toml"), "replaced");
    bench.assert_log_intact();
}

/// Two boards had one registration ID: what is asked for the old one by its MAC address never comes over the new one.
#[test]
fn an_act_is_on_the_board_that_was_named_and_a_name_of_two_boards_is_refused() {
    let bench = Bench::quick();
    serial_only(&bench);
    let (old_mac, new_mac) = ("a4:cf:12:00:00:01", "a4:cf:12:00:00:02");
    let (old, new) = (sim(&bench, "SN-1", old_mac), sim(&bench, "SN-1", new_mac));
    done(inject_by(&bench, &old.port(0), "serial.toml"));
    let swap = ["device", "replace", "sn-sn-1", "--profile", "serial.toml", "--mac", new_mac];
    done(bench.run(&[&swap[..], &["--reason", "board-failed", "--destroyed", "D-1"]].concat()));
    done(inject_by(&bench, &new.port(0), "serial.toml"));
    let before = bench.records().len();
    let revoke = |name: &[&str]| bench.run(&[&["device", "revoke"], name, &["--reason", "stolen"]].concat());
    let scrap = |name: &[&str]| bench.run(&[&["device", "scrap"], name, &["--reason", "broken"]].concat());
    // The old board is no device any more, whatever else is said of it.
    for name in [&[old_mac][..], &["sn-sn-1", old_mac], &[old_mac, "SN-1"]] {
        assert_refused(&revoke(name), "device-out");
        assert_refused(&scrap(name), "device-out");
        let third = ["--profile", "serial.toml", "--mac", "a4:cf:12:00:00:03", "--destroyed", "D-2"];
        let replace = [&["device", "replace"], name, &third, &["--reason", "upgrade"]].concat();
        assert_refused(&bench.run(&replace), "device-out");
    }
    // Its serial number is on both; the answer says which there are.
    for run in [revoke(&["SN-1"]), scrap(&["SN-1"])] {
        assert_eq!((run.exit, code(&run)), (Some(2), "device-ambiguous"), "{run:?}");
        let said = run.event("error").unwrap()["sentence"].as_str().unwrap();
        let [first, second] =
            [new_mac, old_mac].map(|mac| said.find(&format!("sn-sn-1 (MAC {mac}, S/N SN-1)")).unwrap());
        assert!(first < second, "{said}");
        assert_eq!(newest(&bench, "policy.refuse")["code"], "device-ambiguous");
    }
    for none in [&["sn-sn-1", "SN-2"][..], &[new_mac, "sn-sn-2"], &["a4:cf:12:00:00:09"]] {
        assert_eq!(code(&scrap(none)), "device-unknown");
        assert_eq!(code(&revoke(none)), "device-unknown", "{none:?}");
    }
    let refusals = bench.records().into_iter().skip(before).filter(|record| record["ev"] == "policy.refuse");
    assert_eq!(refusals.count(), 9 + 2 + 6, "each of them is a record");
    assert!(bench.check_by(&new.port(0), "serial.toml").event("check").unwrap()["holds"].as_bool().unwrap());

    // The new one, by both of its names, and the record holds which board it was.
    let scrapped = done(scrap(&["SN-1", new_mac]));
    let told = scrapped.event("device").unwrap();
    assert_eq!(
        (&told["id"], &told["mac"], &told["serial"]),
        (&"sn-sn-1".into(), &new_mac.into(), &"SN-1".into())
    );
    let record = newest(&bench, "device.scrap");
    assert_eq!((&record["mac"], &record["sn"]), (&"a4cf12000002".into(), &"SN-1".into()));
    let restore =
        |name: &[&str]| bench.run(&[&["device", "restore"], name, &["--reason", "mistake"]].concat());
    assert_eq!(code(&restore(&[old_mac])), "device-unknown");
    done(restore(&["sn-sn-1"]));
    // Put back and taken out again: nothing of the board before comes into it.
    done(scrap(&["sn-sn-1"]));
    assert_eq!(newest(&bench, "device.scrap")["mac"], "a4cf12000002");
    bench.assert_log_intact();
}

/// What a supervisor scraps of a work order is a board as well, and no other one.
#[test]
fn scrap_of_an_order_is_the_board_that_was_named() {
    let bench = Bench::quick();
    serial_only(&bench);
    // The order is for this profile.
    let folder = bench.data().join("profiles");
    fs::rename(folder.join("serial.toml"), folder.join("test.toml")).unwrap();
    let (old_mac, new_mac) = ("a4:cf:12:00:00:01", "a4:cf:12:00:00:02");
    let (old, new) = (sim(&bench, "SN-1", old_mac), sim(&bench, "SN-1", new_mac));
    orders::open(&bench.data(), "WO-1");
    done(inject_by(&bench, &old.port(0), "test.toml"));
    let swap = ["device", "replace", "sn-sn-1", "--profile", "test.toml", "--mac", new_mac];
    done(bench.run(&[&swap[..], &["--reason", "board-failed", "--destroyed", "D-1"]].concat()));
    done(inject_by(&bench, &new.port(0), "test.toml"));
    let scrap = |name: &str| bench.run(&["order", "scrap", "WO-1", "--device", name, "--reason", "it fell"]);
    assert_eq!(code(&scrap(old_mac)), "device-out");
    assert_eq!(code(&scrap("SN-1")), "device-ambiguous");
    assert!(!bench.records().iter().any(|record| record["ev"] == "order.scrap"));
    done(bench.run(&["device", "scrap", "sn-sn-1", "--reason", "broken"]));
    done(scrap("sn-sn-1"));
    assert_eq!(newest(&bench, "order.scrap")["mac"], "a4cf12000002");
    // Scrap of the order and of the station: one is taken back, and the device stays out until the other is.
    let device = newest(&bench, "device.scrap")["seq"].clone();
    for stays in [device, Value::Null] {
        let restored = done(bench.run(&["device", "restore", "sn-sn-1", "--reason", "mistake"]));
        assert_eq!(restored.event("device").unwrap()["stays"], stays, "{restored:?}");
    }
    bench.assert_log_intact();
}

/// Scrap of a work order may be known by its MAC address alone; and whoever approves sees that.
#[test]
fn what_was_scrapped_before_it_was_begun_is_put_back_by_its_mac_address() {
    let bench = Bench::quick();
    let device = sim(&bench, "SN-1", "a4:cf:12:00:00:01");
    orders::open(&bench.data(), "WO-1");
    done(bench.run(&["order", "scrap", "WO-1", "--device", "a4:cf:12:00:00:01", "--reason", "it fell"]));
    assert_eq!(newest(&bench, "order.scrap")["sn"], "");
    assert_refused(&bench.inject(&device.port(0)), "scrapped");
    let restored = done(bench.run(&["device", "restore", "A4-CF-12-00-00-01", "--reason", "mistake"]));
    let told = restored.event("device").unwrap();
    assert_eq!((&told["id"], &told["mac"]), (&Value::Null, &"a4:cf:12:00:00:01".into()));
    let record = newest(&bench, "device.restore");
    assert_eq!((&record["rid"], &record["mac"]), (&"".into(), &"a4cf12000001".into()));
    bench.assert_log_intact();
}

/// What was keyed for two DPS instances is blocked in both; and who puts a device back that is on a list is told what the cloud did.
#[test]
fn each_scope_of_a_life_is_cleaned_up_and_what_comes_back_says_that_the_cloud_may_have_blocked_it() {
    let bench = Bench::quick();
    let device = sim(&bench, "SN-1", "a4:cf:12:00:00:01");
    done(bench.inject(&device.port(0)));
    let other = bench.file("other-key");
    let bytes: Vec<u8> = (0..64_u8).map(|at| at.wrapping_mul(91) ^ 0x5a).collect();
    bench.private("other-key", &Base64::encode_string(&bytes));
    let (file, check) = (other.display().to_string(), check_value_on_paper(&other));
    let import = ["key", "import", "--label", "gk-other", "--group", "line-8", "--scope", "0ne00EMU002"];
    let import = [&import[..], &["--slot", "primary", "--key-file", &file, "--check-value", &check]].concat();
    let mut command = bench.keystation();
    bench.signed(bench.with_passphrase(command.args(import)), "cus-1", Some("cus-2"));
    done(finished(&mut command));
    people::activate(&bench.data(), "gk-other", &check);
    let profile = fs::read_to_string(bench.data().join("profiles/test.toml")).unwrap();
    let profile = profile.replace(LABEL, "gk-other").replace("0ne00EMU001", "0ne00EMU002");
    fs::write(bench.data().join("profiles/other.toml"), profile).unwrap();
    let mut command = bench.keystation();
    command.arg("rekey").arg("--port").arg(device.port(0)).args([
        "--profile",
        "other.toml",
        "--reason",
        "wrong-scope",
    ]);
    bench.signed(bench.with_passphrase(&mut command), "rep-1", Some("sup-1"));
    done(finished(&mut command));

    let scrap = ["device", "scrap", "SN-1", "--reason", "lost"];
    done(bench.run(&scrap));
    let (csv, script) =
        (bench.file("one.csv").display().to_string(), bench.file("one.sh").display().to_string());
    let listed = done(bench.run(&["cleanup", "list", "--csv", &csv, "--commands", &script]));
    assert_eq!(listed.event("cleanup-list").unwrap()["devices"], 1, "one identity");
    let text = fs::read_to_string(&csv).unwrap();
    let rows: Vec<Vec<_>> = text.lines().skip(1).map(|line| line.split(',').collect()).collect();
    let rows: Vec<_> = rows.iter().map(|row| (row[8], row[10], row[11])).collect();
    let global = "global.azure-devices-provisioning.net";
    assert_eq!(rows, [("gk-other", "0ne00EMU002", global), (LABEL, "0ne00EMU001", global)]);
    let script = fs::read_to_string(&script).unwrap();
    for scope in ["0ne00EMU001", "0ne00EMU002"] {
        let block = format!("block \"$DPS_{scope}\" ");
        assert_eq!(script.lines().filter(|line| line.starts_with(&block)).count(), 1, "{script}");
    }
    // On a list, and nobody said that it was done.
    let restore = ["device", "restore", "SN-1", "--reason", "found"];
    let restored = done(bench.run(&restore));
    let list = newest(&bench, "cleanup.list")["seq"].clone();
    assert_eq!(restored.event("device").unwrap()["blocked"], list);
    assert!(restored.stderr.contains("its individual enrollment has to be deleted"), "{restored:?}");
    let said = done(bench.run(&["cleanup", "done", "--list", &csv]));
    assert_eq!(said.event("cleanup-done").unwrap()["put_back"], json!(["sn-sn-1-mac-a4-cf-12-00-00-01"]));
    // What was done in the cloud stays so, also under the next log.
    done(bench.run(&scrap));
    let csv = bench.file("two.csv").display().to_string();
    done(bench.run(&["cleanup", "list", "--csv", &csv]));
    let said = done(bench.run(&["cleanup", "done", "--list", &csv]));
    assert_eq!(said.event("cleanup-done").unwrap()["put_back"], json!([]));
    assert_refused(&bench.run(&restore), "cleaned-up");
    done(bench.run(&["audit", "new-epoch", "--reason", "the disk was replaced"]));
    assert_refused(&bench.run(&restore), "cleaned-up");
    assert_eq!(newest(&bench, "carry.device")["cloud"], "done");
    bench.assert_log_intact();
}

#[test]
fn what_is_out_is_listed_once_as_table_and_as_commands_until_somebody_says_that_it_is_done() {
    let bench = Bench::quick();
    let sims: Vec<_> =
        (1..=3).map(|n| sim(&bench, &format!("SN-{n}"), &format!("a4:cf:12:00:00:0{n}"))).collect();
    sims.iter().for_each(|sim| drop(done(bench.inject(&sim.port(0)))));
    done(bench.run(&["device", "scrap", "SN-1", "--reason", "broken"]));
    done(bench.run(&["device", "revoke", "SN-2", "--reason", "stolen"]));
    let replace = [
        "device",
        "replace",
        "SN-3",
        "--profile",
        "test.toml",
        "--mac",
        "a4:cf:12:00:00:33",
        "--reason",
        "upgrade",
    ];
    done(bench.run(&replace));
    let file = |name: &str| bench.file(name).to_str().unwrap().to_owned();
    let list = |name: &str, more: &[&str]| {
        let (csv, commands) = (file(&format!("{name}.csv")), file(&format!("{name}.sh")));
        let list = ["cleanup", "list", "--csv", &csv, "--commands", &commands];
        bench.run(&[&list[..], more].concat())
    };
    let mut by_operator = bench.keystation();
    by_operator.args(["cleanup", "list", "--csv", &file("none.csv")]);
    assert_refused(&finished(bench.signed(&mut by_operator, "op-0117", None)), "role");

    let first = done(list("first", &[]));
    let told = first.event("cleanup-list").unwrap();
    assert_eq!((&told["devices"], &newest(&bench, "cleanup.list")["sha256"]), (&3.into(), &told["sha256"]));
    let csv = fs::read_to_string(file("first.csv")).unwrap();
    let rows: Vec<Vec<_>> = csv.lines().map(|line| line.split(',').collect()).collect();
    let told: Vec<_> = rows[1..].iter().map(|row| (row[3], row[4], row[5], row[10])).collect();
    let scope = "0ne00EMU001";
    let expected = [
        ("scrapped", "broken", "sn-sn-1-mac-a4-cf-12-00-00-01", scope),
        ("revoked", "stolen", "sn-sn-2-mac-a4-cf-12-00-00-02", scope),
        ("replaced", "upgrade", "sn-sn-3-mac-a4-cf-12-00-00-03", scope),
    ];
    assert_eq!(told, expected, "{csv}");

    // As the cloud team runs it, with a program in place of `az`.
    let script = fs::read_to_string(file("first.sh")).unwrap();
    assert!(!script.contains("SharedAccess") && !script.contains("HostName="));
    let script = script.replace("DPS_0ne00EMU001=''", "DPS_0ne00EMU001='dps'");
    let script = script.replace("GROUP_0ne00EMU001=''", "GROUP_0ne00EMU001='rg'");
    fs::write(file("named.sh"), script.replace("HUB_0ne00EMU001=''", "HUB_0ne00EMU001='hub'")).unwrap();
    fs::create_dir(bench.file("bin")).unwrap();
    let az = bench.file("bin").join("az");
    fs::write(&az, format!("#!/bin/sh\necho \"$*\" >> {}\n", file("calls"))).unwrap();
    fs::set_permissions(&az, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:/usr/bin:/bin", bench.file("bin").display());
    let ran = Command::new("sh").arg(file("named.sh")).env("PATH", path).output().unwrap();
    assert!(ran.status.success(), "{ran:?}");
    let calls = fs::read_to_string(file("calls")).unwrap();
    for (_, _, id, _) in expected {
        for call in
            ["enrollment update", "enrollment-group registration delete", "hub device-identity delete"]
        {
            let said = calls.lines().filter(|line| line.contains(call) && line.contains(id)).count();
            assert_eq!(said, 1, "{call} {id}: {calls}");
        }
    }

    // It comes again until two people say that it was done; then only what is new.
    assert_eq!(done(list("again", &[])).event("cleanup-list").unwrap()["devices"], 3);
    fs::write(file("other.csv"), csv.replace("stolen", "lost")).unwrap();
    assert_eq!(code(&bench.run(&["cleanup", "done", "--list", &file("other.csv")])), "cleanup-list");
    let mut alone = bench.keystation();
    alone.args(["cleanup", "done", "--list", &file("first.csv")]);
    assert_refused(&finished(bench.signed(&mut alone, "rep-1", None)), "approval-missing");
    done(bench.run(&["cleanup", "done", "--list", &file("first.csv")]));
    let record = newest(&bench, "cleanup.done");
    assert_eq!((&record["op2"], &record["devices"]), (&"sup-1".into(), &3.into()));
    assert_refused(&bench.run(&["cleanup", "done", "--list", &file("first.csv")]), "cleanup-list");
    done(bench.run(&["device", "revoke", "sn-elsewhere", "--reason", "cloned"]));
    assert_eq!(done(list("next", &[])).event("cleanup-list").unwrap()["devices"], 1);
    assert_eq!(done(list("all", &["--all"])).event("cleanup-list").unwrap()["devices"], 4);
    assert_refused(&bench.run(&["device", "restore", "SN-1", "--reason", "mistake"]), "cleaned-up");
    bench.assert_log_intact();
}
