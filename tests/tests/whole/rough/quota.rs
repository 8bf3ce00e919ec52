//! A work order is for so many devices, however often the station is killed and however many slots work on it.

use std::collections::BTreeSet;
use std::fs;
use std::ops::ControlFlow;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Instant;

use keystation_audit::{Paths, Reader, Record};
use keystation_device::sim::Persona;
use keystation_tests::bench::Bench;
use keystation_tests::line::{LONG, RunningLine, slots_on};
use keystation_tests::orders;
use keystation_tests::tap::Tap;
use serde_json::Value;

use super::hands::Hands;
use super::script::{Device, Kind, Visit};

const SLOTS: usize = 16;
/// Not what a number of full boxes takes: the last place is fought for by all slots.
const QUANTITY: usize = SLOTS + SLOTS / 2;
const ORDER: &str = "WO-24";
/// Steps of the flow at which the station is killed in each box, as soon as the first slot tells one.
const STEPS: [&str; 6] = ["read", "derive", "write", "restart", "prove", "record"];

/// A box of devices, one for each slot.
fn a_box(bench: &Bench, number: u8) -> Vec<Device> {
    let device = |slot: u8| Device {
        persona: Persona {
            mac: Some([0x00, 0x1b, 0xc5, 0, number, slot]),
            serial: Some(format!("BOX-{number}-{slot:02}")),
            firmware: "2.4.1".to_owned(),
        },
        state: bench.file("sim").join("states").join(format!("box-{number}-{slot}.json")),
    };
    (0..u8::try_from(SLOTS).unwrap()).map(device).collect()
}

/// How each slot ends; what comes before the result is left out.
fn results(line: &mut RunningLine) -> Vec<Value> {
    let mut ends = vec![Value::Null; SLOTS];
    while ends.iter().any(Value::is_null) {
        let event = line.until(|event| event["event"] == "pass" || event["event"] == "fail");
        let slot = usize::try_from(event["slot"].as_u64().unwrap()).unwrap() - 1;
        ends[slot] = event;
    }
    ends
}

fn is_keyed(device: &Device) -> bool {
    let memory: Value = serde_json::from_slice(&std::fs::read(&device.state).unwrap()).unwrap();
    assert!(memory["generation"].as_u64().unwrap() <= 1, "written twice: {memory}");
    memory["generation"] == 1
}

/// Devices of the order that were begun, by the log and by the order itself.
fn begun(bench: &Bench) -> usize {
    let records = bench.records();
    let intents = records.iter().filter(|record| record["ev"] == "inject.intent" && record["job"] == ORDER);
    let devices: BTreeSet<_> = intents.map(|record| record["rid"].to_string()).collect();
    let shown = bench.run(&["order", "show", ORDER]);
    assert_eq!(shown.event("order").unwrap()["begun"], devices.len(), "{shown:?}");
    devices.len()
}

/// Where a slot finds its device: a name of its own, behind which there is a wire or the device itself.
fn place(bench: &Bench, slot: usize) -> PathBuf {
    bench.file("slots").join(slot.to_string())
}

fn put(bench: &Bench, slot: usize, port: &Path) {
    let place = place(bench, slot);
    if place.is_symlink() {
        fs::remove_file(&place).unwrap();
    }
    symlink(port, place).unwrap();
}

/// How many bytes pass a wire before the first of the set: what a device says when it gets power, the question who it is, and the
/// answer. Of a device of another box, whose messages are as long.
fn before_the_set(bench: &Bench, hands: &Hands) -> usize {
    let other = a_box(bench, 9).swap_remove(0);
    hands.lay(0, &Visit::new(other, Kind::Good));
    hands.plug(0);
    let tap = Tap::new(hands.sim.port(0), usize::MAX).unwrap();
    let done = bench.inject(tap.port());
    assert_eq!(done.exit, Some(0), "{done:?}");
    tap.cut().unwrap().iter().take(3).map(|(_, bytes)| bytes.len()).sum()
}

/// Kills a line between an intent and the first byte of its set: behind wires that let none of it pass, as soon as there is one.
fn killed_at_an_intent(bench: &Bench, hands: &Hands, before_the_set: usize) {
    let reader = Reader::open(&Paths::in_dir(&bench.data())).unwrap();
    let from = reader.size().unwrap();
    let tap = |slot| {
        let tap = Tap::new(hands.sim.port(slot), before_the_set).unwrap();
        put(bench, slot, tap.port());
        tap
    };
    let taps: Vec<_> = (0..SLOTS).map(tap).collect();
    let line = RunningLine::start(bench, "sup-1");
    let is_there = || {
        let mut found = false;
        let look = |record: &Record<'_>| {
            found |= record.event() == "inject.intent";
            ControlFlow::Continue(())
        };
        reader.records(from.., None, look).unwrap();
        found
    };
    let began = Instant::now();
    while !is_there() {
        assert!(began.elapsed() < LONG, "no slot came to an intent");
        thread::yield_now();
    }
    line.kill();
    for (slot, tap) in taps.into_iter().enumerate() {
        tap.cut().unwrap();
        put(bench, slot, hands.sim.port(slot));
    }
}

#[test]
fn sixteen_slots_and_a_kill_at_every_step_give_no_place_away_twice() {
    let bench = Bench::quick();
    let hands = Hands::new(&bench.file("sim"), SLOTS);
    let before_the_set = before_the_set(&bench, &hands);
    fs::create_dir(bench.file("slots")).unwrap();
    (0..SLOTS).for_each(|slot| put(&bench, slot, hands.sim.port(slot)));
    slots_on(&bench, (0..SLOTS).map(|slot| place(&bench, slot)));
    orders::open_for(&bench.data(), ORDER, QUANTITY as u64);
    let mut places = QUANTITY;
    let mut kills = Vec::new();
    for number in 0..3 {
        let devices = a_box(&bench, number);
        for (slot, device) in devices.iter().enumerate() {
            // Slow enough that all slots are in the middle of it when the station is killed.
            let faults = "delay=20".to_owned();
            hands.lay(slot, &Visit { faults, ..Visit::new(device.clone(), Kind::Good) });
        }
        (0..SLOTS).for_each(|slot| hands.plug(slot));
        if places > 0 {
            killed_at_an_intent(&bench, &hands, before_the_set);
            assert!(!devices.iter().any(is_keyed), "a byte of a set passed");
            kills.push("intent");
        }
        let mut line = RunningLine::start(&bench, "sup-1");
        for step in STEPS.into_iter().filter(|_| places > 0) {
            // What a kill left in doubt is only proven after it: the later steps may come in another slot, or not any more.
            let mut ended = BTreeSet::new();
            let event = line.until(|event| {
                if event["event"] == "pass" || event["event"] == "fail" {
                    ended.insert(event["slot"].to_string());
                }
                event["step"] == step || ended.len() == SLOTS
            });
            line.kill();
            line = RunningLine::start(&bench, "sup-1");
            if event["step"] == step {
                kills.push(step);
            }
        }
        let ends = results(&mut line);
        line.end();
        let keyed = devices.iter().filter(|device| is_keyed(device)).count();
        assert_eq!(keyed, places.min(SLOTS), "box {number}: {ends:?}");
        for (device, end) in devices.iter().zip(&ends).filter(|(device, _)| !is_keyed(device)) {
            assert_eq!(end["code"], "order-full", "{device:?}: {end}");
        }
        places -= keyed;
        assert_eq!(begun(&bench), QUANTITY - places);
    }
    assert_eq!((places, begun(&bench)), (0, QUANTITY));
    println!("killed at {kills:?}");
    for moment in STEPS.iter().chain(&["intent"]) {
        assert!(kills.contains(moment), "never killed at {moment}: {kills:?}");
    }
    bench.assert_log_intact();
}
