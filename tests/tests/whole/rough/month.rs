//! Ten thousand devices in one run of thirty-two slots, handled as roughly as a floor does.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use keystation_tests::bench::{Bench, random_hex};
use keystation_tests::line::{LONG, RunningLine, slots_on};
use keystation_tests::orders;

use super::counts::{Told, assert_no_wrong_pass, assert_sums};
use super::hands::Hands;
use super::script::{Script, Visit};

/// Devices; those that failed by chance are seen once more on top.
const DEVICES: u32 = 10_000;
/// What memory may grow by from then on, in KiB: caches of the connections to the log, and what the allocator keeps for each thread. It was
/// 2.3 MiB for 8,000 results; where each device costs a kilobyte it is more than this.
const GROWTH: u64 = 6 * 1024;
/// After so many results memory is looked at for the first time: everything was used by then.
const WARM: usize = 2_000;
const SLOTS: usize = 32;
/// A slot that is still out while nothing else is told gets its Enter again: longer than an empty line belongs to the code before it.
const AGAIN: Duration = Duration::from_millis(200);
const ORDER: &str = "WO-10000";

/// All slots ask for the label.
fn slots(bench: &Bench, hands: &Hands) {
    let profile = bench.data().join("profiles/test.toml");
    let plain = fs::read_to_string(&profile).unwrap();
    let label = plain.replace("match = \"none\"", "match = \"serial\"");
    assert_ne!(label, plain);
    fs::write(profile, label).unwrap();
    slots_on(bench, (0..SLOTS).map(|slot| hands.sim.port(slot).to_owned()));
}

#[test]
fn ten_thousand_devices_in_one_run_are_all_accounted_for() {
    let bench = Bench::quick();
    let seed = u64::from_str_radix(&random_hex(8), 16).unwrap();
    println!("seed {seed:#x}");
    let hands = Hands::new(&bench.file("sim"), SLOTS);
    slots(&bench, &hands);
    orders::open_for(&bench.data(), ORDER, u64::from(DEVICES));
    let mut script = Script::new(&bench.file("sim").join("states"), seed, DEVICES);
    let mut line = RunningLine::start(&bench, "sup-1");
    let mut in_slot: Vec<Option<Visit>> = vec![None; SLOTS];
    let (mut told, mut out) = (Vec::new(), BTreeSet::new());
    let (mut results, mut outs, mut warm, mut aimed) = (0, 0, 0, 0);
    loop {
        let event = loop {
            match line.hear(if out.is_empty() { LONG } else { AGAIN }) {
                Some(event) => break event,
                // Its Enter came right behind a label, and was taken for the end of it.
                None if !out.is_empty() => line.types(""),
                None => panic!("it ended, or tells no more; in its slots: {in_slot:?}"),
            }
        };
        let slot = event["slot"].as_u64().map(|number| usize::try_from(number).unwrap() - 1);
        match (event["event"].as_str().unwrap(), slot) {
            ("waiting", Some(slot)) => {
                if in_slot[slot].is_none() {
                    in_slot[slot] = script.next();
                    in_slot[slot].iter().for_each(|visit| hands.lay(slot, visit));
                }
                match &in_slot[slot] {
                    Some(Visit { label: Some(label), .. }) => {
                        line.types(&format!("slot:{}", slot + 1));
                        line.types(label);
                    }
                    Some(_) => hands.plug(slot),
                    None => {}
                }
            }
            ("scan", _) => {
                assert!(event["refused"].is_null(), "{event}");
                // Both lines of a label were typed at once, and are told in that order.
                match event["for_slot"].as_u64() {
                    Some(number) => aimed = usize::try_from(number).unwrap() - 1,
                    None => hands.plug(aimed),
                }
            }
            (name @ ("pass" | "fail" | "retry"), Some(slot)) => {
                let visit = in_slot[slot].clone().expect("there is a device");
                told.push(Told { kind: visit.kind, device: visit.device.clone(), event: event.clone() });
                if name == "retry" {
                    continue;
                }
                script.ended(visit, event["code"].as_str().unwrap_or(name));
                in_slot[slot] = script.next();
                match &in_slot[slot] {
                    Some(visit) => hands.lay(slot, visit),
                    None => assert!(hands.sim.unplug(slot)),
                }
                results += 1;
                if results == WARM {
                    warm = line.resident_kib();
                }
                if script.is_over() && in_slot.iter().all(Option::is_none) {
                    break;
                }
            }
            ("back", Some(slot)) => drop(out.remove(&slot)),
            ("out", Some(slot)) => {
                out.insert(slot);
                outs += 1;
                line.types("");
            }
            ("broken", _) => panic!("{event}"),
            _ => {}
        }
    }
    let last = line.resident_kib();
    let (sum, ..) = line.end();
    println!("{outs} times a slot was taken out and put back; memory {warm} KiB, then {last} KiB");
    assert!(outs > 0, "contacts are lost often enough");
    assert_no_wrong_pass(&told);
    assert_sums(&bench, ORDER, &told, &sum);
    bench.assert_log_intact();
    assert!(last < warm + GROWTH, "memory grew from {warm} KiB to {last} KiB");
}
