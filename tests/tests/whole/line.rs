//! All slots at once, over real pseudo-terminals: `keystation run` and simulated devices.

use std::collections::BTreeMap;
use std::path::PathBuf;

use keystation_tests::bench::{Bench, finished, random_hex};
use keystation_tests::line::{RunningLine, slots_on};
use keystation_tests::sim::Sim;
use serde_json::Value;

/// Records of one kind, by registration ID.
fn by_id<'a>(records: &'a [Value], event: &str) -> BTreeMap<&'a str, Vec<&'a Value>> {
    let mut found: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    for record in records.iter().filter(|record| record["ev"] == event) {
        found.entry(record["rid"].as_str().unwrap_or_default()).or_default().push(record);
    }
    found
}

fn ports(sim: &Sim, count: usize) -> Vec<PathBuf> {
    (0..count).map(|device| sim.port(device)).collect()
}

/// Thirty-two devices on lines of 115200 baud, and somebody who leans on Enter and scans all the time.
#[test]
fn thirty_two_devices_at_once_and_a_held_enter_make_one_intent_each() {
    const SLOTS: usize = 32;
    let bench = Bench::quick();
    let sim = Sim::start(&bench.file("sim"), SLOTS, &[]);
    slots_on(&bench, ports(&sim, SLOTS));
    let mut line = RunningLine::start(&bench, "sup-1");
    let mut passed = 0;
    while passed < SLOTS {
        // Faster than any person, and between all events.
        for typed in ["", "", "SN-1", "slot:3", "slot:99", "\u{1b}[2J"] {
            line.types(typed);
        }
        passed += usize::from(line.until(|event| event["event"] != "scan")["event"] == "pass");
    }
    let (sum, told, _) = line.end();
    assert_eq!((&sum["devices"], &sum["passed"]), (&SLOTS.into(), &SLOTS.into()), "{sum}");
    assert_eq!(sum["failed"], 0);
    let refused = told.iter().find(|event| event["refused"].is_string()).unwrap();
    assert!(!refused.to_string().contains("[2J"), "what is no label is not repeated: {refused}");

    let records = bench.records();
    for event in ["inject.intent", "inject.result"] {
        let found = by_id(&records, event);
        assert_eq!(found.len(), SLOTS, "{event}");
        assert!(found.values().all(|of_device| of_device.len() == 1), "{event}: one each");
    }
    for device in 0..SLOTS {
        assert_eq!(sim.state(device)["generation"], 1);
    }
    bench.assert_log_intact();
}

/// Devices that are unplugged somewhere: half of them are back at once, half when the FAIL is seen.
#[test]
fn devices_that_are_unplugged_anywhere_are_tried_again_or_fail_and_pass_when_they_are_seen_again() {
    const EACH: usize = 6;
    let bench = Bench::quick();
    let seed = u64::from_str_radix(&random_hex(8), 16).unwrap();
    println!("seed {seed:#x}");
    let mut random = seed;
    let mut below = |limit: u64| {
        // Marsaglia's xorshift64.
        random |= 1;
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random % limit
    };
    let mut script = || {
        let strikes = (0..EACH).map(|device| match below(2) {
            // At byte 0 it would be unplugged before the station has seen it.
            0 => format!("{device}:unplug=rx@{}", 1 + below(280)),
            _ => format!("{device}:unplug=tx@{}", 1 + below(200)),
        });
        strikes.collect::<Vec<_>>().join(";")
    };
    let scripts = [script(), script()];
    println!("{scripts:?}");
    let start = |name: &str, serial: &str, script: &str| {
        Sim::start(&bench.file(name), EACH, &["--serial", serial, "--mac", "none", "--fault", script])
    };
    let mut quick = start("quick", "quick-100", &scripts[0]);
    let mut late = start("late", "late-100", &scripts[1]);
    let profile = bench.data().join("profiles/test.toml");
    let text = std::fs::read_to_string(&profile).unwrap();
    std::fs::write(&profile, text.replace("sn-{serial}-mac-{mac}", "sn-{serial}")).unwrap();
    slots_on(&bench, ports(&quick, EACH).into_iter().chain(ports(&late, EACH)));
    let mut line = RunningLine::start(&bench, "op-0117");

    // Back at once: for a slot that is a bad contact.
    let mut back = 0;
    while back < EACH {
        let event = quick.event();
        if event["event"] == "unplugged" {
            quick.send(&format!("plug {}", event["device"]));
        }
        back += usize::from(event["event"] == "ready");
    }
    let mut passed = 0;
    while passed < 2 * EACH {
        let event = line.until(|event| event["event"] == "pass" || event["event"] == "fail");
        let slot = usize::try_from(event["slot"].as_u64().unwrap()).unwrap() - 1;
        if event["event"] == "pass" {
            passed += 1;
            continue;
        }
        assert_eq!(event["code"], "unplugged", "{event}");
        if slot >= EACH {
            late.send(&format!("plug {}", slot - EACH));
        }
        // A quick one that was slower than two seconds, on a busy computer, is seen again as a device of its own.
    }
    let (sum, told, _) = line.end();
    assert_eq!(sum["passed"], 2 * EACH);
    assert!(told.iter().any(|event| event["event"] == "retry"), "{told:?}");
    let records = bench.records();
    let passes = records.iter().filter(|record| {
        record["rc"] == "ok" && (record["ev"] == "inject.result" || record["ev"] == "inject.resolve")
    });
    let mut passed: Vec<_> = passes.map(|record| record["rid"].as_str().unwrap()).collect();
    passed.sort_unstable();
    passed.dedup();
    assert_eq!(passed.len(), 2 * EACH, "each device passed, and none twice");
    for device in 0..EACH {
        for sim in [&quick, &late] {
            assert_eq!(sim.state(device)["generation"], 1, "device {device}: {}", sim.state(device));
        }
    }
    bench.assert_log_intact();
}

#[test]
fn a_swapped_device_a_copy_a_slow_one_and_a_bad_slot_leave_the_others_alone() {
    let bench = Bench::quick();
    let start = |name: &str, serial: &str, mac: &str, fault: &str| {
        let identity = ["--serial", serial, "--mac", mac];
        Sim::start(&bench.file(name), 1, &[&["--baud", "0", "--fault", fault][..], &identity].concat())
    };
    let swap = start("swap", "SWAP-1", "00:00:5e:00:53:11", "lie=other-identity-after-write");
    let twin = |name: &str| start(name, "TWIN-1", "00:00:5e:00:53:21", "");
    let (one, two) = (twin("one"), twin("two"));
    let slow = start("slow", "SLOW-1", "00:00:5e:00:53:31", "delay=120;boot=700;split=1");
    let mut bad = start("bad", "BAD-1", "00:00:5e:00:53:41", "delay=60000");
    slots_on(&bench, [&swap, &one, &two, &slow, &bad].map(|sim| sim.port(0)));
    let mut line = RunningLine::start(&bench, "sup-1");

    // A contact that goes again and again before there is a result.
    for _ in 0..6 {
        line.until(|event| event["slot"] == 5 && event["step"] == "read");
        bad.command("unplug 0");
        bad.command("plug 0");
        // The second answers the command, the first tells what it caused.
        bad.event();
        bad.event();
    }
    let out = line.until_slot(5, "out");
    assert_eq!((&out["reason"], &out["count"]), (&"flapping".into(), &6.into()));
    let of = |line: &RunningLine, slot: u64, name: &str| {
        line.told.iter().find(|event| event["slot"] == slot && event["event"] == name).cloned()
    };
    for (slot, name) in [(1, "fail"), (4, "pass")] {
        if of(&line, slot, name).is_none() {
            line.until_slot(slot, name);
        }
    }
    let swapped = of(&line, 1, "fail").unwrap();
    assert_eq!(swapped["code"], "swapped", "{swapped}");
    assert!(of(&line, 1, "retry").is_none(), "somebody has to look first");
    // The copies: one of them has a key, the other one is refused.
    let results = |line: &RunningLine| {
        let of_twins = |event: &&Value| event["slot"] == 2 || event["slot"] == 3;
        line.told
            .iter()
            .filter(of_twins)
            .filter(|event| event["event"] == "pass" || event["event"] == "fail")
            .count()
    };
    while results(&line) < 2 {
        line.until(|event| event["event"] == "pass" || event["event"] == "fail");
    }
    let passes = [2, 3].map(|slot| of(&line, slot, "pass").is_some());
    assert!(passes[0] != passes[1], "{passes:?}");
    let failed = if passes[0] { of(&line, 3, "fail") } else { of(&line, 2, "fail") }.unwrap();
    assert!(matches!(failed["code"].as_str(), Some("twin" | "already-recorded")), "{failed}");

    // A supervisor puts the slot back, and a device that works passes in it.
    bad.command("fault 0");
    line.types("");
    line.until_slot(5, "back");
    line.until_slot(5, "pass");
    let (sum, ..) = line.end();
    assert_eq!(sum["passed"], 3, "{sum}");
    let records = bench.records();
    let of = |event: &str| records.iter().filter(|record| record["ev"] == event).collect::<Vec<_>>();
    let ([out], [back]) = (&of("slot.out")[..], &of("slot.back")[..]) else {
        panic!("once each: {records:?}")
    };
    assert_eq!((&out["number"], &out["why"], &out["count"]), (&5.into(), &"flapping".into(), &6.into()));
    assert_eq!((&out["op"], &out["role"]), (&"".into(), &"station".into()), "nobody took it out");
    assert_eq!((&back["number"], &back["op"]), (&5.into(), &"sup-1".into()));
    bench.assert_log_intact();
}

/// A device that is pulled in the middle, and another one put in its place at once: a retry that took the second one would show its
/// PASS, and nobody would know that the first one may hold half a write.
#[test]
fn a_retry_is_for_the_device_that_failed_and_no_other() {
    let bench = Bench::quick();
    let start = |name: &str, serial: &str, fault: &str| {
        Sim::start(&bench.file(name), 1, &["--serial", serial, "--fault", fault])
    };
    // Within the request that carries the set: who it is was said before.
    let mut first = start("first", "FIRST-1", "unplug=rx@200");
    let second = start("second", "SECOND-1", "");
    let slot = bench.file("slot");
    let put = |port: PathBuf| {
        let beside = bench.file("slot.new");
        std::os::unix::fs::symlink(port, &beside).unwrap();
        std::fs::rename(&beside, &slot).unwrap();
    };
    put(first.port(0));
    slots_on(&bench, [slot.clone()]);
    let mut line = RunningLine::start(&bench, "op-0117");
    assert_eq!(first.event()["event"], "unplugged");
    put(second.port(0));
    let retry = line.until_slot(1, "retry");
    assert_eq!((&retry["code"], &retry["serial"]), (&"unplugged".into(), &"FIRST-1".into()));
    let fail = line.until_slot(1, "fail");
    assert_eq!((&fail["code"], &fail["serial"]), (&"swapped".into(), &"SECOND-1".into()), "{fail}");
    let (sum, ..) = line.end();
    assert_eq!((&sum["passed"], &sum["failed"], &sum["retries"]), (&0.into(), &1.into(), &1.into()));
    assert_eq!(second.state(0)["generation"], 0, "it was not written to");
}

/// A device that had acknowledged its set when it was pulled, and holds nothing when it is back. Written once more it would keep the
/// set, and be shipped by chance.
#[test]
fn a_retry_does_not_write_to_a_device_that_lost_what_it_had_acknowledged() {
    let bench = Bench::quick();
    // Within the request to restart.
    let mut sim =
        Sim::start(&bench.file("sim"), 1, &["--baud", "0", "--fault", "lie=ram-only;unplug=rx@300"]);
    slots_on(&bench, [sim.port(0)]);
    let mut line = RunningLine::start(&bench, "op-0117");
    assert_eq!(sim.event()["event"], "unplugged");
    // From now on it is as good as any.
    sim.command("fault 0");
    sim.command("plug 0");
    let retry = line.until_slot(1, "retry");
    assert_eq!((&retry["code"], &retry["safety"]), (&"unplugged".into(), &"unknown".into()), "{retry}");
    assert!(line.told.iter().any(|event| event["step"] == "restart"), "{:?}", line.told);
    let fail = line.until_slot(1, "fail");
    assert_eq!((&fail["code"], &fail["safety"]), (&"not-kept".into(), &"not-keyed".into()), "{fail}");
    line.end();
    assert_eq!(sim.state(0)["generation"], 0, "nothing was written to it");
    let records = bench.records();
    let events: Vec<_> = records.iter().map(|record| record["ev"].as_str().unwrap()).collect();
    assert_eq!(events.iter().filter(|event| **event == "inject.intent").count(), 1, "{events:?}");
    bench.assert_log_intact();
}

#[test]
fn whoever_may_not_put_a_slot_back_leaves_it_out_and_a_record() {
    let bench = Bench::quick();
    let mut sim = Sim::start(&bench.file("sim"), 1, &["--baud", "0", "--fault", "delay=60000"]);
    slots_on(&bench, [sim.port(0)]);
    let mut line = RunningLine::start(&bench, "op-0117");
    for _ in 0..6 {
        line.until(|event| event["step"] == "read");
        sim.command("unplug 0");
        sim.command("plug 0");
        sim.event();
        sim.event();
    }
    line.until_slot(1, "out");
    sim.command("fault 0");
    line.types("");
    // What is typed is taken in turn: when this is told, the empty line was.
    line.types("SN-1");
    line.until(|event| event["event"] == "scan");
    // A terminal makes two ends of a line of a scanner's carriage return and line feed.
    line.types("SN-2\n");
    line.types("SN-3");
    for _ in 0..2 {
        line.until(|event| event["event"] == "scan");
    }
    let (sum, told, errors) = line.end();
    assert!(!told.iter().any(|event| event["event"] == "back"), "{told:?}");
    assert!(errors.contains("put-back") || errors.contains("put a slot back"), "{errors}");
    assert_eq!(sum["passed"], 0);
    let denied = bench.records().iter().filter(|record| record.to_string().contains("put-back")).count();
    assert_eq!(denied, 1, "the refusal is a record, and what a scanner types asks for nothing");

    // What wears goes on over starts; what the slot made begins anew.
    let worn = &sum["slots"][0];
    assert_eq!((&worn["lost_contacts"], &worn["contact"]["lost"]), (&6.into(), &6.into()), "{sum}");
    let mut line = RunningLine::start(&bench, "op-0117");
    line.until_slot(1, "pass");
    let (sum, ..) = line.end();
    let slot = &sum["slots"][0];
    assert_eq!((&slot["passed"], &slot["lost_contacts"]), (&1.into(), &0.into()), "{sum}");
    assert_eq!((&slot["yield_percent"], &slot["contact"]["lost"]), (&100.0.into(), &6.into()), "{sum}");
    let cycles = |slot: &Value| slot["contact"]["cycles"].as_u64().unwrap();
    assert_eq!(cycles(slot), cycles(worn) + 1, "plugged in once since: {sum}");
}

#[test]
fn a_label_says_which_device_is_meant() {
    let bench = Bench::quick();
    let profile = bench.data().join("profiles/test.toml");
    let text = std::fs::read_to_string(&profile).unwrap();
    std::fs::write(&profile, text.replace("match = \"none\"", "match = \"serial\"")).unwrap();
    let mut sim = Sim::start(&bench.file("sim"), 4, &["--baud", "0", "--serial", "SN-100"]);
    let serial = |sim: &Sim, device: usize| sim.state(device)["serial"].as_str().unwrap().to_owned();
    slots_on(&bench, ports(&sim, 4));
    for device in 0..4 {
        sim.command(&format!("unplug {device}"));
        sim.event();
    }
    let mut line = RunningLine::start(&bench, "op-0117");
    let plug = |sim: &mut Sim, device: usize| {
        sim.command(&format!("plug {device}"));
        sim.event();
    };
    // For slot 2 by its name, for whichever comes first without one.
    line.types("slot:2");
    line.types("SN-XXX");
    line.types(&serial(&sim, 0));
    for _ in 0..3 {
        line.until(|event| event["event"] == "scan");
    }
    plug(&mut sim, 0);
    line.until_slot(1, "pass");
    plug(&mut sim, 1);
    let wrong = line.until_slot(2, "fail");
    assert_eq!((&wrong["code"], &wrong["safety"]), (&"wrong-label".into(), &"untouched".into()), "{wrong}");
    plug(&mut sim, 2);
    assert_eq!(line.until_slot(3, "fail")["code"], "no-label");
    let glued = serial(&sim, 3).repeat(2);
    line.types(&glued);
    line.until(|event| event["event"] == "scan");
    plug(&mut sim, 3);
    let two = line.until_slot(4, "fail");
    assert_eq!(two["code"], "wrong-label");
    assert!(two["cause"].as_str().unwrap().contains("ran together"), "{two}");
    let (sum, ..) = line.end();
    assert_eq!((&sum["passed"], &sum["failed"], &sum["log"]["refused"]), (&1.into(), &3.into(), &3.into()));
    assert_eq!(bench.records().iter().filter(|record| record["ev"] == "inject.intent").count(), 1);

    // The same rule holds for one device at the command line.
    let without = bench.inject(&sim.port(2));
    assert_eq!((without.exit, &without.event("fail").unwrap()["code"]), (Some(3), &"no-label".into()));
    let with = |label: &str| finished(bench.inject_command(&sim.port(2)).args(["--label", label]));
    assert_eq!(with("SN-X").event("fail").unwrap()["code"], "wrong-label");
    assert_eq!(with("SN\u{1b}X").exit, Some(2), "no label at all");
    assert_eq!(with(&serial(&sim, 2)).exit, Some(0));
}

/// Told to stop in the middle, a line wipes its keys, ends the devices that have theirs, and says what it did.
#[test]
fn a_line_that_is_told_to_stop_ends_the_device_in_work() {
    let bench = Bench::quick();
    let sim = Sim::start(&bench.file("sim"), 1, &["--baud", "0", "--fault", "delay=200"]);
    slots_on(&bench, [sim.port(0)]);
    let mut line = RunningLine::start(&bench, "op-0117");
    line.until(|event| event["step"] == "write");
    let (sum, ..) = line.end();
    assert_eq!(sum["passed"], 1, "{sum}");
    assert_eq!(sim.state(0)["generation"], 1);
    bench.assert_log_intact();
}

/// A port that is plugged in anew while its device is being asked: the name leads to another device. Nothing is committed, and operator and
/// log have it as `moved`.
#[test]
fn a_port_that_moves_before_the_commit_is_a_fail_and_a_record() {
    let bench = Bench::quick();
    // The device takes its time for every answer, so the port moves long before it has its set.
    let mut sim = Sim::start(&bench.file("sim"), 2, &["--fault", "delay=400"]);
    let there = ports(&sim, 2);
    let slot = bench.file("slot");
    let point_at = |device: usize| {
        let beside = bench.file("beside");
        std::os::unix::fs::symlink(&there[device], &beside).unwrap();
        std::fs::rename(&beside, &slot).unwrap();
    };
    point_at(0);
    slots_on(&bench, [slot.clone()]);
    let mut line = RunningLine::start(&bench, "op-0117");
    line.until(|event| event["event"] == "step" && event["step"] == "read");
    point_at(1);
    let fail = line.until(|event| matches!(event["event"].as_str(), Some("fail" | "pass" | "retry")));
    assert_eq!((&fail["event"], &fail["code"]), (&"fail".into(), &"moved".into()), "{fail}");
    assert_eq!(fail["safety"], "not-keyed", "{fail}");
    assert_eq!(fail["sentence"], "The port of the slot changed while the device was in it.");
    std::fs::remove_file(&slot).unwrap();
    sim.command("unplug 0");
    line.until_slot(1, "gone");
    line.end();
    for device in 0..2 {
        assert_eq!(sim.state(device)["generation"], 0, "nothing was committed");
    }
    let records = bench.records();
    let [intent] = &by_event(&records, "inject.intent")[..] else { panic!("{records:?}") };
    let [result] = &by_event(&records, "inject.result")[..] else { panic!("{records:?}") };
    assert_eq!((&result["ref"], &result["code"]), (&intent["seq"], &"moved".into()), "{result}");
    assert_eq!((&result["rc"], &result["holds"]), (&"swapped".into(), &"old".into()), "{result}");
    bench.assert_log_intact();
}

fn by_event<'a>(records: &'a [Value], event: &str) -> Vec<&'a Value> {
    records.iter().filter(|record| record["ev"] == event).collect()
}
