//! A group key that is rolled, from the new generation to the end of the old one: three weeks at the command line.

use std::fs;
use std::process::Command;

use base64ct::{Base64, Encoding};
use keystation_tests::bench::{Bench, LABEL, Run, check_value_on_paper, finished};
use keystation_tests::line::slots_on;
use serde_json::{Value, json};

use super::fleet::{Fleet, Session, Who, column};

const NEXT: &str = "gk-second";
const TWO: Who<'_> = ("rep-1", Some("sup-1"));
const ALONE: Who<'_> = ("rep-1", None);
const CUSTODIANS: Who<'_> = ("cus-1", Some("cus-2"));

/// So many days from now, by the clock that can be set; what was counted since the machine was started stays true.
fn command(bench: &Bench, day: u32, arguments: &[&str], who: Who<'_>) -> Command {
    let mut plain = bench.keystation();
    plain.args(arguments);
    if arguments[0] == "rekey"
        || arguments.starts_with(&["key", "import"])
        || arguments.starts_with(&["key", "destroy"])
    {
        bench.with_passphrase(&mut plain);
    }
    bench.signed(&mut plain, who.0, who.1);
    let mut command = Command::new("faketime");
    command.env("FAKETIME_DONT_FAKE_MONOTONIC", "1").env("DONT_FAKE_MONOTONIC", "1");
    command.args(["-f", &format!("+{day}d")]).arg(plain.get_program()).args(plain.get_args());
    command
}

fn run(bench: &Bench, day: u32, arguments: &[&str], who: Who<'_>) -> Run {
    finished(&mut command(bench, day, arguments, who))
}

fn done(run: Run) -> Run {
    assert_eq!(run.exit, Some(0), "{run:?}");
    run
}

fn refused(bench: &Bench, day: u32, arguments: &[&str], who: Who<'_>, [action, why, code]: [&str; 3]) {
    let run = run(bench, day, arguments, who);
    assert_eq!(run.exit, Some(3), "{arguments:?}: {run:?}");
    let record = bench.records().into_iter().rfind(|record| record["ev"] == "policy.refuse").unwrap();
    let said = ["action", "why", "code", "op"].map(|field| record[field].as_str().unwrap().to_owned());
    assert_eq!(said, [action, why, code, who.0], "{arguments:?}");
}

/// What dies with a key: devices, in use, and out of use.
fn dying(bench: &Bench, label: &str) -> [u64; 3] {
    let run = bench.run(&["key", "devices", label, "--count"]);
    let told = run.event("dying").unwrap();
    let [devices, in_use] = ["devices", "in_use"].map(|word| told[word].as_u64().unwrap());
    [devices, in_use, devices - in_use]
}

/// The campaign as anybody may look at it: under the old key, under the new one, out.
fn campaign(bench: &Bench) -> [u64; 3] {
    let shown = done(bench.run(&["batch", "show", "RK-1"]));
    let told = shown.event("campaign").unwrap_or_else(|| panic!("{shown:?}"));
    assert_eq!((&told["from"], &told["to"]), (&json!(LABEL), &json!(NEXT)));
    ["old", "new", "out"].map(|word| told[word].as_u64().unwrap())
}

/// The secondary of the group, by two custodians, and a profile that names it.
fn next_generation(bench: &Bench) {
    let bytes: Vec<u8> = (0..64_u8).map(|at| at.wrapping_mul(73) ^ 0xa5).collect();
    bench.private("second-key", &Base64::encode_string(&bytes));
    let file = bench.file("second-key");
    let (check, file) = (check_value_on_paper(&file), file.display().to_string());
    let import = [
        "key",
        "import",
        "--label",
        NEXT,
        "--group",
        "line-7",
        "--scope",
        "0ne00EMU001",
        "--slot",
        "secondary",
        "--key-file",
        &file,
        "--check-value",
        &check,
    ];
    refused(bench, 0, &import, ("cus-1", None), ["import-key", "approval-missing", ""]);
    done(run(bench, 0, &import, CUSTODIANS));
    let profile = fs::read_to_string(bench.data().join("profiles/test.toml")).unwrap();
    fs::write(bench.data().join("profiles/second.toml"), profile.replace(LABEL, NEXT)).unwrap();
    let activate = ["key", "activate", NEXT, "--check-value", &check, "--reason", "rotation 2026"];
    refused(bench, 0, &activate, ("cus-1", None), ["activate-key", "approval-missing", ""]);
    done(run(bench, 0, &activate, CUSTODIANS));
}

/// Weeks of a rotation at one slot. Devices leave meanwhile, and nobody waits for them.
#[test]
fn a_key_is_rolled_over_weeks_while_devices_leave_and_its_report_says_where_each_one_is() {
    let bench = Bench::quick();
    next_generation(&bench);
    let fleet = Fleet::keyed(&bench, 1, 7);
    slots_on(&bench, [fleet.port(0)]);
    let id: Vec<String> = (0..7).map(|device| fleet.id(device)).collect();
    assert_eq!(dying(&bench, LABEL), [7, 7, 0]);
    // One is out before anybody rolls anything.
    let scrap = ["device", "scrap", &id[6]];
    refused(&bench, 0, &scrap, TWO, ["scrap-device", "state", "device-reason"]);
    let scrap = [&scrap[..], &["--reason", "broken"]].concat();
    refused(&bench, 0, &scrap, ALONE, ["scrap-device", "approval-missing", ""]);
    done(run(&bench, 0, &scrap, TWO));
    assert_eq!(dying(&bench, LABEL), [7, 6, 1]);

    let rekey = ["rekey", "--from-key", LABEL, "--profile", "second.toml"];
    refused(&bench, 0, &rekey, TWO, ["rekey", "state", "rekey-reason"]);
    let rekey = [&rekey[..], &["--reason", "key-rotation"]].concat();
    refused(&bench, 0, &rekey, ALONE, ["rekey", "approval-missing", ""]);
    refused(&bench, 0, &rekey, ("rep-1", Some("rep-1")), ["rekey", "approval-same-person", ""]);
    refused(&bench, 0, &rekey, ("rep-1", Some("admin-1")), ["rekey", "approval-role", ""]);
    refused(&bench, 0, &rekey, ("op-0117", Some("sup-1")), ["rekey", "role", ""]);
    assert!(bench.records().iter().all(|record| record["ev"] != "rekey.open"));

    // The first week.
    let mut session = Session::of(&mut command(&bench, 0, &rekey, TWO));
    fleet.put(0, 0);
    session.until_slot(1, "pass");
    fleet.put(0, 1);
    session.until_slot(1, "pass");
    session.types("q");
    assert_eq!(session.ended().0, Some(0));
    let opened = bench.records().into_iter().find(|record| record["ev"] == "rekey.open").unwrap();
    assert_eq!((&opened["qty"], &opened["op2"]), (&json!(6), &json!("sup-1")), "the scrap is none of it");
    assert_eq!(campaign(&bench), [4, 2, 1]);
    // One is stolen, of another the board is exchanged.
    let revoke = ["device", "revoke", &id[2], "--reason", "stolen"];
    refused(&bench, 3, &revoke, ALONE, ["revoke-device", "approval-missing", ""]);
    done(run(&bench, 3, &revoke, TWO));
    let replace = ["device", "replace", &id[3], "--profile", "second.toml", "--mac", "a4:cf:12:00:33:33"];
    refused(&bench, 3, &replace, TWO, ["replace-device", "state", "device-reason"]);
    done(run(&bench, 3, &[&replace[..], &["--reason", "board-failed"]].concat(), TWO));
    assert_eq!(campaign(&bench), [2, 2, 3]);

    // The second week: the same command goes on, approved as it is.
    let mut session = Session::of(&mut command(&bench, 7, &rekey, ALONE));
    assert_eq!(session.until_slot(1, "fail")["code"], "already-rekeyed");
    fleet.put(0, 2);
    assert_eq!(session.until_slot(1, "fail")["code"], "revoked");
    fleet.put(0, 4);
    session.until_slot(1, "pass");
    let progress = session.until(|event| event["event"] == "progress" && event["done"] == 3);
    let sums = ["asked", "failed", "missing", "out"].map(|word| progress[word].as_u64().unwrap());
    assert_eq!(sums, [6, 1, 2, 2], "{progress}");
    session.types("q");
    assert_eq!(session.ended().0, Some(1));
    assert_eq!(campaign(&bench), [1, 3, 3]);

    // The third: with the last one in use it is over, for the others never come.
    let (csv, pdf) = (bench.file("rotation.csv"), bench.file("rotation.pdf"));
    let files = ["--csv", csv.to_str().unwrap(), "--pdf", pdf.to_str().unwrap()];
    let last = [&rekey[..], &files].concat();
    let mut session = Session::of(&mut command(&bench, 14, &last, ALONE));
    fleet.put(0, 5);
    session.until_slot(1, "pass");
    let (exit, told) = session.ended();
    assert_eq!(exit, Some(0), "{told:#?}");
    let sums = told.iter().find(|event| event["event"] == "reconciliation").unwrap();
    let sum = |name: &str| sums[name].as_u64().unwrap();
    assert_eq!(["asked", "done", "failed", "missing", "unexpected", "out"].map(sum), [6, 4, 1, 1, 0, 2]);
    assert_eq!(sums["effects"], json!({ "new-key": 4 }));
    assert_eq!(sums["standing"], json!({ "new-key": 4, "revoked": 1, "replaced": 1 }));
    let days = sums["days"].as_array().unwrap();
    let percents: Vec<&Value> = days.iter().map(|day| &day["percent"]).collect();
    assert_eq!(percents, [&json!(33), &json!(50), &json!(66)], "{days:?}");
    assert_eq!(campaign(&bench), [0, 4, 3]);
    report(&csv, &pdf, &id);

    // Nothing in use dies with the old key any more.
    let none = run(&bench, 14, &rekey, TWO);
    assert_eq!((none.exit, &none.event("error").unwrap()["code"]), (Some(2), &json!("rekey-empty")));
    assert_eq!((dying(&bench, LABEL), dying(&bench, NEXT)), ([3, 0, 3], [4, 4, 0]));
    let destroy = ["key", "destroy", LABEL, "--reason", "rotation 2026"];
    refused(&bench, 14, &destroy, ("cus-1", None), ["destroy-key", "approval-missing", ""]);
    done(run(&bench, 14, &destroy, CUSTODIANS));
    let list = bench.file("cleanup.csv").display().to_string();
    let listed = done(run(&bench, 14, &["cleanup", "list", "--csv", &list], ALONE));
    assert_eq!(listed.event("cleanup-list").unwrap()["devices"], 3);
    refused(&bench, 14, &["cleanup", "done", "--list", &list], ALONE, ["cleaned-up", "approval-missing", ""]);
    done(run(&bench, 14, &["cleanup", "done", "--list", &list], TWO));

    for intent in bench.records().iter().filter(|record| record["mode"] == "rekey") {
        let said = ["gk", "slot", "reason", "effect", "op2"].map(|field| intent[field].as_str().unwrap());
        assert_eq!(said, [NEXT, "secondary", "key-rotation", "new-key", "sup-1"]);
    }
    bench.assert_log_intact();
}

/// Alive under the new key and out are kept apart, for spreadsheets and for people.
fn report(csv: &std::path::Path, pdf: &std::path::Path, id: &[String]) {
    let text = fs::read_to_string(csv).unwrap();
    let rows: Vec<_> =
        column(&text, "id").into_iter().zip(column(&text, "state")).zip(column(&text, "now")).collect();
    for (device, state, now) in [
        (0, "done", "new-key"),
        (1, "done", "new-key"),
        (2, "failed", "revoked"),
        (3, "missing", "replaced"),
        (4, "done", "new-key"),
        (5, "done", "new-key"),
    ] {
        assert!(rows.contains(&((id[device].as_str(), state), now)), "{device}: {text}");
    }
    assert_eq!(rows.len(), 6, "{text}");
    let output = Command::new("pdftotext").arg("-layout").arg(pdf).arg("-").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let said: Vec<String> =
        text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    for line in [
        "Devices 6 = 4 done + 1 failed + 1 missing",
        "Out of these 2, not waited for",
        "Now 4 × new-key",
        "Now 1 × revoked",
        "Now 1 × replaced",
        "Campaign 0 devices in use still hang on gk-test",
        "Campaign 4 devices in use hang on gk-second",
        "Campaign 3 devices are out: 1 scrapped, 1 revoked, 1 replaced",
        "Out, not waited for: 2",
    ] {
        assert!(said.iter().any(|said| said == line), "{line}\n{text}");
    }
}
