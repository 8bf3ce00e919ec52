//! A work order is for so many devices, however often the station is killed and however many slots work on it.

use std::collections::BTreeSet;

use keystation_device::sim::Persona;
use keystation_tests::bench::Bench;
use keystation_tests::line::{RunningLine, slots_on};
use keystation_tests::orders;
use serde_json::Value;

use super::hands::Hands;
use super::script::{Device, Kind, Visit};

const SLOTS: usize = 16;
/// Not what a number of full boxes takes: the last place is fought for by all slots.
const QUANTITY: usize = SLOTS + SLOTS / 2;
const ORDER: &str = "WO-24";

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
    let intents = records.iter().filter(|record| record["ev"] == "inject.intent");
    let devices: BTreeSet<_> = intents.map(|record| record["rid"].to_string()).collect();
    let shown = bench.run(&["order", "show", ORDER]);
    assert_eq!(shown.event("order").unwrap()["begun"], devices.len(), "{shown:?}");
    devices.len()
}

#[test]
fn sixteen_slots_and_a_kill_in_each_box_give_no_place_away_twice() {
    let bench = Bench::quick();
    let hands = Hands::new(&bench.file("sim"), SLOTS);
    slots_on(&bench, (0..SLOTS).map(|slot| hands.sim.port(slot).to_owned()));
    orders::open_for(&bench.data(), ORDER, QUANTITY as u64);
    let mut places = QUANTITY;
    for number in 0..3 {
        let devices = a_box(&bench, number);
        for (slot, device) in devices.iter().enumerate() {
            // Slow enough that all slots are in the middle of it when the station is killed.
            let faults = "delay=20".to_owned();
            hands.lay(slot, &Visit { faults, ..Visit::new(device.clone(), Kind::Good) });
        }
        let mut line = RunningLine::start(&bench, "sup-1");
        (0..SLOTS).for_each(|slot| hands.plug(slot));
        if places > 0 {
            line.until(|event| event["step"] == "write");
            line.kill();
            line = RunningLine::start(&bench, "sup-1");
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
    bench.assert_log_intact();
}
