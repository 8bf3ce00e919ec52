//! A thousand devices over sixteen slots, and a station that is killed twenty times meanwhile.

use std::collections::{BTreeMap, VecDeque};
use std::fs;

use base64ct::{Base64, Encoding};
use keystation_core::derive::device_key;
use keystation_core::registration::{IdRule, RegistrationId};
use keystation_tests::bench::{Bench, random_hex};
use keystation_tests::line::slots_on;
use serde_json::{Value, json};

use super::fleet::{Fleet, Session, column, list_of};
use super::one::second_key;

const DEVICES: usize = 1_000;
const SLOTS: usize = 16;
const KILLS: usize = 20;
/// Devices take a moment for their start, as real ones do: most of the time some are between intent and result.
const SLOW: &str = "boot=60";

/// Whole numbers that look random, from a seed that is printed (splitmix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % limit
    }
}

/// Puts devices into slots as fast as the slots are done with them.
struct Hands<'a> {
    fleet: &'a Fleet,
    in_slot: Vec<Option<usize>>,
    left: VecDeque<usize>,
}

impl Hands<'_> {
    fn next(&mut self, slot: usize) {
        self.in_slot[slot] = self.left.pop_front();
        if let Some(device) = self.in_slot[slot] {
            self.fleet.put_with(slot, device, SLOW);
        }
    }

    fn see(&mut self, event: &Value) {
        let Some(slot) = event["slot"].as_u64().map(|slot| usize::try_from(slot).unwrap() - 1) else {
            return;
        };
        match event["event"].as_str().unwrap() {
            "waiting" if self.in_slot[slot].is_none() => self.next(slot),
            "pass" => self.next(slot),
            // The stranger, and what was done before a kill that nobody saw it by.
            "fail" if ["already-rekeyed", "not-of-batch"].iter().any(|code| event["code"] == *code) => {
                self.next(slot);
            }
            // Cut off by a kill: it is plugged in again.
            "fail" => self.fleet.put_with(slot, self.in_slot[slot].expect("there is a device"), SLOW),
            "out" | "broken" => panic!("{event}"),
            _ => {}
        }
    }
}

#[test]
fn a_batch_that_is_killed_again_and_again_rekeys_each_device_once() {
    let seed = u64::from_str_radix(&random_hex(8), 16).unwrap();
    println!("seed {seed:#x}");
    let mut dice = Dice(seed);
    let bench = Bench::quick();
    second_key(&bench);
    // The last one is none of the batch.
    let fleet = Fleet::keyed(&bench, SLOTS, DEVICES + 1);
    slots_on(&bench, (0..SLOTS).map(|slot| fleet.port(slot)));
    let list = list_of(&bench.file("list.csv"), (0..DEVICES).map(|device| fleet.id(device)));
    let csv = bench.file("reconciled.csv");
    let pdf = bench.file("reconciled.pdf");
    let arguments: Vec<&str> = vec![
        "rekey",
        "--profile",
        "second.toml",
        "--reason",
        "key-rotation",
        "--list",
        list.to_str().unwrap(),
        "--csv",
        csv.to_str().unwrap(),
        "--pdf",
        pdf.to_str().unwrap(),
    ];
    let mut left: VecDeque<usize> = (0..DEVICES).collect();
    left.push_front(DEVICES);
    let mut hands = Hands { fleet: &fleet, in_slot: vec![None; SLOTS], left };
    for kill in 0..KILLS {
        let approver = (kill == 0).then_some("sup-1");
        let mut session = Session::start(&bench, &arguments, ("rep-1", approver));
        // Some are killed before the first device, most in the middle of sixteen.
        let mut events = dice.below(if kill % 5 == 4 { 20 } else { 600 });
        while events > 0 {
            let event = session.next().expect("a thousand devices take longer than twenty kills");
            hands.see(&event);
            events -= 1;
        }
        session.kill();
    }
    let mut session = Session::start(&bench, &arguments, ("rep-1", None));
    let mut told = Vec::new();
    while let Some(event) = session.next() {
        hands.see(&event);
        told.push(event);
    }
    let (exit, _) = session.ended();
    assert_eq!(exit, Some(0), "{:#?}", told.last());
    assert_eq!((hands.left.len(), hands.in_slot.iter().flatten().count()), (0, 0), "every device was seen");

    let records = bench.records();
    let (again, settled) = recount(&fleet, &records, &fs::read_to_string(&csv).unwrap());
    println!("cut off between intent and result: {again} written again, {settled} settled by proof");
    assert!(again + settled >= KILLS as u64 / 2, "kills hit devices at work");
    let second = Base64::decode_vec(&fs::read_to_string(bench.file("second-key")).unwrap()).unwrap();
    for device in 0..DEVICES {
        let id = RegistrationId::new(&fleet.id(device), IdRule::Dashes).unwrap();
        let key = Base64::encode_string(device_key(&second, &id).expose());
        let held = fleet.state(device);
        assert_eq!(held["device_key"], key, "device {device} has the new key");
        assert_eq!(held["generation"], 2, "device {device} was overwritten once");
    }
    assert_eq!(fleet.state(DEVICES)["generation"], 1, "the stranger has what it had");
    assert!(fs::read(&pdf).unwrap().starts_with(b"%PDF-"));
    bench.assert_log_intact();
}

/// Counts the batch again, from the records alone and by no code of the station. Says how many devices a kill cut off: those that
/// were written once more, and those that only had to prove their key.
fn recount(fleet: &Fleet, records: &[Value], csv: &str) -> (u64, u64) {
    let of = |event: &str| records.iter().filter(|record| record["ev"] == event).collect::<Vec<_>>();
    let (opened, closed) = (of("rekey.open"), of("rekey.close"));
    assert_eq!((opened.len(), closed.len()), (1, 1), "one batch, approved once, with one report");
    assert_eq!((&opened[0]["qty"], &opened[0]["op2"]), (&json!(DEVICES), &json!("sup-1")));
    let job = &opened[0]["job"];
    let intents: BTreeMap<u64, &str> = of("inject.intent")
        .into_iter()
        .filter(|record| record["job"] == *job)
        .map(|record| {
            assert_eq!([&record["mode"], &record["op2"], &record["effect"]], ["rekey", "sup-1", "new-key"]);
            (record["seq"].as_u64().unwrap(), record["rid"].as_str().unwrap())
        })
        .collect();
    let mut done: BTreeMap<&str, u64> = BTreeMap::new();
    let mut settled = 0;
    for record in of("inject.result").into_iter().chain(of("inject.resolve")) {
        if let Some(rid) = intents.get(&record["ref"].as_u64().unwrap())
            && record["rc"] == "ok"
        {
            let twice = done.insert(rid, record["seq"].as_u64().unwrap());
            assert_eq!(twice, None, "{rid} was re-keyed twice");
            settled += u64::from(record["ev"] == "inject.resolve");
        }
    }
    let listed: Vec<String> = (0..DEVICES).map(|device| fleet.id(device)).collect();
    assert!(listed.iter().all(|id| done.contains_key(id.as_str())) && done.len() == DEVICES);
    let strangers: Vec<_> =
        of("inject.refuse").into_iter().filter(|record| record["code"] == "not-of-batch").collect();
    assert!(strangers.iter().all(|record| record["rid"] == fleet.id(DEVICES).as_str()));
    assert!(!strangers.is_empty());

    let sum = |name: &str| closed[0][name].as_u64().unwrap();
    assert_eq!(
        ["asked", "done", "failed", "missing", "unexpected"].map(sum),
        [DEVICES as u64, DEVICES as u64, 0, 0, 1]
    );
    let (ids, states, proofs) = (column(csv, "id"), column(csv, "state"), column(csv, "record"));
    assert_eq!(ids.len(), DEVICES + 1);
    for ((id, state), proof) in ids.iter().zip(states).zip(proofs) {
        if *id == fleet.id(DEVICES) {
            assert_eq!(state, "unexpected");
        } else {
            assert_eq!((state, proof.parse().ok().as_ref()), ("done", done.get(id)), "{id}");
        }
    }
    ((intents.len() - DEVICES) as u64, settled)
}
