//! A batch of a few devices: what it lets through, what it refuses, and its reconciliation.

use std::fs;

use keystation_tests::bench::{Bench, Run, finished};
use keystation_tests::line::slots_on;
use keystation_tests::verifiers::Verifiers;
use serde_json::{Value, json};

use super::fleet::{Fleet, Session, Who, column};
use super::one::second_key;

/// A station with these slots, and devices that it keyed once.
fn keyed(slots: usize, devices: usize) -> (Bench, Fleet) {
    let bench = Bench::quick();
    second_key(&bench);
    let fleet = Fleet::keyed(&bench, slots, devices);
    slots_on(&bench, (0..slots).map(|slot| fleet.port(slot)));
    (bench, fleet)
}

/// The arguments of a batch to the second key.
fn batch<'a>(devices: &[&'a str], reason: &'a str) -> Vec<&'a str> {
    [&["rekey", "--profile", "second.toml", "--reason", reason], devices].concat()
}

fn run(bench: &Bench, arguments: &[&str], who: Who<'_>) -> Run {
    let mut command = bench.keystation();
    command.args(arguments);
    if arguments[0] == "rekey" {
        bench.with_passphrase(&mut command);
    }
    finished(bench.signed(&mut command, who.0, who.1))
}

const TWO: Who<'_> = ("rep-1", Some("sup-1"));

#[test]
fn a_list_is_approved_once_and_what_is_not_on_it_is_refused() {
    let (bench, fleet) = keyed(2, 4);
    // By ID, by MAC address, by serial number; the fourth device is none of it.
    let list = format!("id,mac,serial\n{},,\n,{},\n,,{}\n", fleet.id(0), fleet.mac(1), fleet.serial(2));
    fs::write(bench.file("list.csv"), list).unwrap();
    let path = bench.file("list.csv").display().to_string();
    let arguments = batch(&["--list", &path], "leaked-key");
    for (who, why) in [
        (("rep-1", None), "approval-missing"),
        (("rep-1", Some("admin-1")), "approval-role"),
        (("op-0117", Some("sup-1")), "role"),
    ] {
        let refused = run(&bench, &arguments, who);
        assert_eq!(refused.exit, Some(3), "{refused:?}");
        let record =
            bench.records().into_iter().rev().find(|record| record["ev"] == "policy.refuse").unwrap();
        assert_eq!((&record["action"], &record["why"]), (&json!("rekey"), &json!(why)));
    }
    assert!(bench.records().iter().all(|record| record["ev"] != "rekey.open"));

    let mut session = Session::start(&bench, &arguments, TWO);
    fleet.put(0, 3);
    let refused = session.until_slot(1, "fail");
    assert_eq!((&refused["code"], &refused["safety"]), (&json!("not-of-batch"), &json!("untouched")));
    fleet.put(0, 0);
    let progress = session.until(|event| event["event"] == "progress" && event["done"] == 1);
    assert_eq!(
        [&progress["asked"], &progress["missing"], &progress["unexpected"]],
        [&json!(3), &json!(2), &json!(1)]
    );
    // It rests: the next device waits, and is begun when it goes on.
    session.types("p");
    session.until(|event| event["event"] == "progress" && event["paused"] == true);
    fleet.put(1, 1);
    session.until_slot(2, "locked");
    session.types("g");
    session.until_slot(2, "pass");
    session.types("q");
    assert_eq!(session.ended().0, Some(0), "nobody failed; one is missing, and the batch stays open");

    // The same again goes on, and nobody has to approve it once more.
    let mut session = Session::start(&bench, &arguments, ("rep-1", None));
    assert_eq!(session.until_slot(2, "fail")["code"], "already-rekeyed");
    let progress = session.until(|event| event["event"] == "progress");
    assert_eq!(
        [&progress["done"], &progress["missing"], &progress["unexpected"]],
        [&json!(2), &json!(1), &json!(1)]
    );
    fleet.put(0, 2);
    let (exit, told) = session.ended();
    assert_eq!(exit, Some(0), "{told:#?}");
    let sums = told.iter().find(|event| event["event"] == "reconciliation").unwrap();
    let sum = |name: &str| sums[name].as_u64().unwrap();
    assert_eq!(["asked", "done", "failed", "missing", "unexpected"].map(sum), [3, 3, 0, 0, 1], "{sums}");
    assert_eq!(sums["effects"], json!({ "new-key": 3 }));

    // Closed is closed: what comes of the same list now is another batch.
    let closed = run(&bench, &["batch", "close", "RK-1"], ("rep-1", None));
    assert_eq!((closed.exit, &closed.event("error").unwrap()["code"]), (Some(3), &json!("rekey-batch")));
    let again = run(&bench, &arguments, ("rep-1", None));
    assert_eq!(again.exit, Some(3), "a new batch asks for a new approval: {again:?}");
    bench.assert_log_intact();
}

#[test]
fn whoever_approved_a_batch_neither_works_on_it_nor_is_it_worth_anything_without_them() {
    let (bench, fleet) = keyed(1, 1);
    let arguments = batch(&["--count", "1"], "returned");
    let mut session = Session::start(&bench, &arguments, TWO);
    session.until_slot(1, "waiting");
    session.types("q");
    assert_eq!(session.ended().0, Some(0));
    // The supervisor would be alone with the devices.
    let mut session = Session::start(&bench, &arguments, ("sup-1", None));
    fleet.put(0, 0);
    assert_eq!(session.until_slot(1, "fail")["code"], "not-permitted");
    session.types("q");
    assert_eq!(session.ended().0, Some(1));
    assert_eq!(fleet.state(0)["generation"], 1);
    let disabled = bench.run(&["person", "disable", "sup-1", "--reason", "left"]);
    assert_eq!(disabled.exit, Some(0), "{disabled:?}");
    let mut session = Session::start(&bench, &arguments, ("rep-1", None));
    let fail = session.until_slot(1, "fail");
    assert_eq!(fail["code"], "not-permitted", "{fail}");
    session.types("q");
    assert_eq!(session.ended().0, Some(1));
    assert_eq!(fleet.state(0)["generation"], 1);
    bench.assert_log_intact();
}

/// The line of a station is not to be taken for a batch because nobody said which slots are meant.
#[test]
fn where_nobody_names_slots_a_batch_has_those_of_repair() {
    let (bench, fleet) = keyed(2, 2);
    let settings = bench.data().join("station.toml");
    let text = fs::read_to_string(&settings).unwrap();
    // The second slot is the last one of the file.
    fs::write(&settings, text + "\nuse = \"repair\"\n").unwrap();
    let mut session = Session::start(&bench, &batch(&["--count", "1"], "returned"), TWO);
    fleet.put(0, 0);
    fleet.put(1, 1);
    let (exit, told) = {
        session.until_slot(2, "pass");
        session.ended()
    };
    assert_eq!(exit, Some(0), "{told:#?}");
    assert!(told.iter().all(|event| event["slot"] != 1), "{told:#?}");
    assert_eq!((&fleet.state(0)["generation"], &fleet.state(1)["generation"]), (&json!(1), &json!(2)));
}

#[test]
fn a_batch_without_a_list_is_for_so_many_devices_and_its_sums_add_up() {
    let (bench, fleet) = keyed(1, 3);
    let arguments = batch(&["--count", "2"], "returned");
    let mut session = Session::start(&bench, &arguments, TWO);
    // The first one cannot store: it is begun, so it has a place.
    fleet.put_with(0, 0, "storage-fail");
    let fail = session.until_slot(1, "fail");
    assert_ne!(fail["code"], "batch-full", "{fail}");
    fleet.put(0, 1);
    session.until_slot(1, "pass");
    fleet.put(0, 2);
    assert_eq!(session.until_slot(1, "fail")["code"], "batch-full");
    session.types("q");
    assert_eq!(session.ended().0, Some(1));
    let (csv, pdf) = (bench.file("left.csv"), bench.file("left.pdf"));
    let files = ["--csv", csv.to_str().unwrap(), "--pdf", pdf.to_str().unwrap()];
    let closed = run(&bench, &[&["batch", "close", "RK-1"], &files[..]].concat(), ("rep-1", None));
    assert_eq!(closed.exit, Some(1), "{closed:?}");
    let close = bench.records().into_iter().find(|record| record["ev"] == "rekey.close").unwrap();
    let sum = |name: &str| close[name].as_i64().unwrap();
    assert_eq!(["asked", "done", "failed", "missing", "unexpected"].map(sum), [2, 1, 1, 0, 1], "{close}");
    let text = fs::read_to_string(&csv).unwrap();
    let mut states = column(&text, "state");
    states.sort_unstable();
    assert_eq!(states, ["done", "failed", "unexpected"], "{text}");
    assert!(fs::read(&pdf).unwrap().starts_with(b"%PDF-"));
    bench.assert_log_intact();
    // Two verifiers that know nothing of repair take its records.
    let bundle = bench.file("bundle");
    let exported = bench.run(&["audit", "export", "--out", bundle.to_str().unwrap()]);
    assert_eq!(exported.exit, Some(0), "{exported:?}");
    Verifiers::built(&bench.file("")).accept("bundle", &bundle, &bench.data().join("log.vkey"), &[]);
}

#[test]
fn a_list_with_an_error_or_one_that_was_exchanged_rekeys_nothing() {
    let (bench, fleet) = keyed(1, 2);
    let list = bench.file("list.csv");
    let path = list.display().to_string();
    for (text, said) in [
        (
            format!("id\n{}\n{}\n", fleet.id(0), fleet.id(0)),
            "row 3, column A (id): it stands in row 2 already",
        ),
        ("mac\nxyz\n".to_owned(), "row 2, column A (mac)"),
        ("device\n1\n".to_owned(), "row 1, column A"),
    ] {
        fs::write(&list, text).unwrap();
        let refused = run(&bench, &batch(&["--list", &path], "returned"), TWO);
        let error = refused.event("error").unwrap();
        assert_eq!((refused.exit, &error["code"]), (Some(2), &json!("rekey-list")), "{refused:?}");
        assert!(error["sentence"].as_str().unwrap().contains(said), "{error}");
    }
    fs::write(&list, format!("id\n{}\n", fleet.id(0))).unwrap();
    let mut session = Session::start(&bench, &batch(&["--list", &path], "returned"), TWO);
    session.until_slot(1, "waiting");
    session.types("q");
    assert_eq!(session.ended().0, Some(0));
    // Whoever puts another device on the list that the station keeps finds the batch closed to it.
    fs::write(bench.data().join("rekeys/RK-1.csv"), format!("id\n{}\n", fleet.id(1))).unwrap();
    let refused = run(&bench, &["rekey", "--batch", "RK-1"], ("rep-1", None));
    assert_eq!((refused.exit, &refused.event("error").unwrap()["code"]), (Some(3), &json!("rekey-altered")));
    let unknown = run(&bench, &["rekey", "--batch", "RK-9"], ("rep-1", None));
    assert_eq!((unknown.exit, &unknown.event("error").unwrap()["code"]), (Some(2), &json!("rekey-batch")));
    bench.assert_log_intact();
}

/// Weeks of a rotation: which devices still hang on the old key says the log, and the campaign goes on until none does.
#[test]
fn a_campaign_moves_every_device_to_the_other_key() {
    let (bench, fleet) = keyed(1, 3);
    let under = |label: &str| -> Vec<Value> {
        let run = bench.run(&["key", "devices", label]);
        run.events
            .into_iter()
            .filter(|event| event["event"] == "device")
            .map(|event| event["id"].clone())
            .collect()
    };
    let all: Vec<Value> = (0..3).map(|device| json!(fleet.id(device))).collect();
    assert_eq!(under("gk-test"), all);
    let arguments = batch(&["--from-key", "gk-test"], "key-rotation");
    let mut session = Session::start(&bench, &arguments, TWO);
    fleet.put(0, 1);
    session.until_slot(1, "pass");
    session.types("q");
    assert_eq!(session.ended().0, Some(0));
    assert_eq!((under("gk-test").len(), under("gk-second")), (2, vec![all[1].clone()]));
    let shown = bench.run(&["batch", "show", "RK-1"]);
    assert_eq!(shown.event("campaign").unwrap()["left"], 2, "{shown:?}");
    let days = shown.event("reconciliation").unwrap()["days"].as_array().unwrap().clone();
    assert_eq!((days.len(), &days[0]["done"], &days[0]["percent"]), (1, &json!(1), &json!(33)));

    // Another day, another person of repair; fewer devices hang on the old key by now, and it is the same campaign.
    let mut session = Session::start(&bench, &arguments, ("rep-1", None));
    session.until_slot(1, "fail");
    fleet.put(0, 0);
    session.until_slot(1, "pass");
    fleet.put(0, 2);
    let (exit, told) = session.ended();
    assert_eq!(exit, Some(0), "{told:#?}");
    assert_eq!(under("gk-test"), Vec::<Value>::new());
    let sums = told.iter().find(|event| event["event"] == "reconciliation").unwrap();
    assert_eq!(
        (&sums["asked"], &sums["done"], &sums["effects"]),
        (&json!(3), &json!(3), &json!({ "new-key": 3 }))
    );
    let none = run(&bench, &arguments, TWO);
    assert_eq!((none.exit, &none.event("error").unwrap()["code"]), (Some(2), &json!("rekey-empty")));
    bench.assert_log_intact();
}

/// A device that was only refused takes no place: the batch goes on until as many are done as were approved.
#[test]
fn a_device_that_was_refused_takes_no_place_of_a_batch() {
    let (bench, fleet) = keyed(1, 1);
    let arguments = batch(&["--count", "1"], "returned");
    let mut session = Session::start(&bench, &arguments, TWO);
    // It was never keyed.
    fleet.put(0, 7);
    assert_eq!(session.until_slot(1, "fail")["code"], "never-keyed");
    let progress = session.until(|event| event["event"] == "progress");
    assert_eq!(
        [&progress["failed"], &progress["missing"], &progress["unexpected"]],
        [1, 0, 0].map(|n| json!(n)).each_ref()
    );
    session.types("q");
    assert_eq!(session.ended().0, Some(1));
    let mut session = Session::start(&bench, &arguments, ("rep-1", None));
    session.until_slot(1, "fail");
    fleet.put(0, 0);
    let (exit, told) = session.ended();
    assert_eq!(exit, Some(0), "{told:#?}");
    let sums = told.iter().find(|event| event["event"] == "reconciliation").unwrap();
    let sum = |name: &str| sums[name].as_u64().unwrap();
    assert_eq!(["asked", "done", "failed", "missing", "unexpected"].map(sum), [1, 1, 0, 0, 1], "{sums}");
    bench.assert_log_intact();
}

/// Pulled in the middle, and the batch was closed since: whoever has the device looks at it.
#[test]
fn a_device_that_was_left_open_in_a_closed_batch_is_settled_by_a_look() {
    let (bench, fleet) = keyed(1, 1);
    let mut session = Session::start(&bench, &batch(&["--count", "1"], "leaked-key"), TWO);
    // It stores what it is given, and never proves it.
    fleet.put_with(0, 0, "silent=prove");
    let fail = session.until_slot(1, "fail");
    assert_eq!(fail["safety"], "unknown", "{fail}");
    session.types("q");
    assert_eq!(session.ended().0, Some(1));
    let closed = run(&bench, &["batch", "close", "RK-1"], ("rep-1", None));
    assert_eq!(closed.exit, Some(1), "{closed:?}");
    fleet.put(0, 0);
    let port = fleet.port(0);
    // By the terms of the write, whichever profile is named; without the secret it says what is missing.
    let look = |secret: bool| {
        let mut command = bench.keystation();
        command.arg("look").arg("--port").arg(&port).args(["--profile", "test.toml"]);
        if secret {
            bench.with_passphrase(&mut command);
        }
        let seen = finished(bench.signed(&mut command, "rep-1", None));
        assert_eq!(seen.exit, Some(0), "{seen:?}");
        seen.events.iter().rfind(|event| event["event"] == "look").unwrap().clone()
    };
    let seen = look(false);
    assert_eq!((&seen["left"], &seen["holding"]), (&json!("locked"), &json!("unsettled")), "{seen}");
    let seen = look(true);
    assert_eq!((&seen["left"], &seen["holding"]), (&json!("new"), &json!("as-recorded")), "{seen}");
    assert_eq!(seen["parent"]["key"], "gk-second");
    assert_eq!(look(true)["left"], Value::Null);
    assert_eq!(fleet.state(0)["generation"], 2, "nothing was written");
    let shown = bench.run(&["batch", "show", "RK-1"]);
    let sums = shown.event("reconciliation").unwrap();
    assert_eq!(
        [&sums["done"], &sums["failed"], &sums["settled_since"]],
        [1, 0, 1].map(|n| json!(n)).each_ref()
    );
    bench.assert_log_intact();
}

/// One byte of the profile is another profile, and needs another approval.
#[test]
fn nobody_works_on_a_batch_with_another_profile_than_was_approved() {
    let (bench, fleet) = keyed(1, 1);
    let arguments = batch(&["--count", "1"], "returned");
    let mut session = Session::start(&bench, &arguments, TWO);
    session.until_slot(1, "waiting");
    session.types("q");
    assert_eq!(session.ended().0, Some(0));
    let profile = bench.data().join("profiles/second.toml");
    let approved = fs::read_to_string(&profile).unwrap();
    fs::write(&profile, format!("{approved}# elsewhere\n")).unwrap();
    let refused = run(&bench, &["rekey", "--batch", "RK-1"], ("rep-1", None));
    assert_eq!((refused.exit, &refused.event("error").unwrap()["code"]), (Some(3), &json!("rekey-altered")));
    // The same words are another request.
    assert_eq!(run(&bench, &arguments, ("rep-1", None)).exit, Some(3));
    assert_eq!(fleet.state(0)["generation"], 1);
    fs::write(&profile, approved).unwrap();
    let mut session = Session::start(&bench, &["rekey", "--batch", "RK-1"], ("rep-1", None));
    fleet.put(0, 0);
    assert_eq!(session.until_slot(1, "pass")["id"], fleet.id(0));
    assert_eq!(session.ended().0, Some(0));
    bench.assert_log_intact();
}

/// What is open ends with its epoch, said by name; no ID comes again, and no list is written over.
#[test]
fn a_batch_ends_with_its_epoch_and_its_id_is_not_given_again() {
    let (bench, fleet) = keyed(1, 1);
    let list = bench.file("list.csv");
    let path = list.display().to_string();
    fs::write(&list, format!("id\n{}\n", fleet.id(0))).unwrap();
    let arguments = batch(&["--list", &path], "returned");
    let opens = || {
        let mut session = Session::start(&bench, &arguments, TWO);
        let opened = session.until(|event| event["event"] == "batch");
        session.until_slot(1, "waiting");
        session.types("q");
        assert_eq!(session.ended().0, Some(0));
        opened["batch"].as_str().unwrap().to_owned()
    };
    assert_eq!(opens(), "RK-1");
    let begun = bench.run(&["audit", "new-epoch", "--reason", "the disk was replaced"]);
    assert_eq!(begun.exit, Some(0), "{begun:?}");
    assert_eq!(begun.event("new-epoch").unwrap()["batches_ended"], json!(["RK-1"]));
    // Another list, whose batch would have been the first again.
    fs::write(&list, format!("id\n{}\nsn-9\n", fleet.id(0))).unwrap();
    assert_eq!(opens(), "RK-2-1");
    let kept = |id: &str| fs::read_to_string(bench.data().join(format!("rekeys/{id}.csv"))).unwrap();
    assert_eq!((kept("RK-1").lines().count(), kept("RK-2-1").lines().count()), (2, 3));
    bench.assert_log_intact();
}
