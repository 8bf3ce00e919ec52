//! `kill -9` of the station at every byte that matters: no acknowledged record is lost, no device is keyed without an
//! intent, and what was left open settles when the device is seen again.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use keystation_tests::bench::{Bench, Killed, finished, random_hex};
use keystation_tests::sim::Sim;
use keystation_tests::tap::{Tap, Way};
use serde_json::Value;

/// Kills within each of the twelve messages of an injection: six requests, six answers.
const PER_MESSAGE: usize = 10;

#[test]
fn killed_within_every_message() {
    let bench = Bench::quick();
    let (greeting, messages) = message_lengths(&bench);
    assert_eq!(messages.len(), 12, "six requests and six answers: {messages:?}");
    let seed = u64::from_str_radix(&random_hex(8), 16).unwrap();
    println!("seed {seed:#x}");
    let mut random = SplitMix(seed);
    let mut start = greeting;
    let mut outcomes = [0; 3];
    for (message, length) in messages.iter().enumerate() {
        let serial = format!("message-{message:02}-100");
        let options = ["--baud", "0", "--mac", "none", "--serial", &serial];
        let sim = Sim::start(&bench.file(&serial), PER_MESSAGE, &options);
        for kill in 0..PER_MESSAGE {
            // The first kill is right before the message, the last right after it; the others anywhere inside.
            let inside = match kill {
                0 => 0,
                9 => *length,
                _ => random.below(*length + 1),
            };
            // After the very last byte the result is about to be written: one kill waits for it.
            let passed = (message, kill) == (11, 9);
            let outcome = kill_and_settle(&bench, &sim, kill, start + inside, passed);
            outcomes[outcome as usize] += 1;
        }
        start += length;
    }
    let [nothing, open, finished] = outcomes;
    println!("{nothing} kills before the intent, {open} open intents settled, {finished} after the result");
    assert!(
        nothing > 0 && open > 0 && finished > 0,
        "the kills did not reach the steps that they should: {outcomes:?}"
    );
    bench.assert_log_intact();
}

/// The request that carries the key, counted from 0: the one before it asks who the device is.
const STAGE: usize = 1;

/// What a kill left.
#[derive(Debug, Clone, Copy)]
enum Left {
    Nothing,
    OpenIntent,
    Result,
}

/// What a device says when it gets power, and the lengths of the messages of one undisturbed injection, in order.
fn message_lengths(bench: &Bench) -> (usize, Vec<usize>) {
    // As long as the serial numbers of the devices that are killed: so are the messages.
    let options = ["--baud", "0", "--mac", "none", "--serial", "message-xx-100"];
    let sim = Sim::start(&bench.file("reference"), 1, &options);
    let profile = bench.data().join("profiles/test.toml");
    let text = std::fs::read_to_string(&profile).unwrap();
    std::fs::write(&profile, text.replace("sn-{serial}-mac-{mac}", "sn-{serial}")).unwrap();
    let tap = Tap::new(&sim.port(0), usize::MAX).unwrap();
    let run = finished(&mut bench.inject_command(tap.port()));
    assert_eq!(run.exit, Some(0), "{run:?}");
    let passed = tap.cut().unwrap();
    let first = passed.iter().position(|(way, _)| *way == Way::Out).unwrap();
    let length = |(_, bytes): &(Way, Vec<u8>)| bytes.len();
    let messages: Vec<_> = passed[first..].iter().map(length).collect();
    let longest = (0..messages.len()).step_by(2).max_by_key(|at| messages[*at]);
    assert_eq!(longest, Some(2 * STAGE), "the stage request carries the set: {messages:?}");
    (passed[..first].iter().map(length).sum(), messages)
}

fn kill_and_settle(bench: &Bench, sim: &Sim, device: usize, after: usize, passed: bool) -> Left {
    let port = sim.port(device);
    let tap = Tap::new(&port, after.max(1)).unwrap();
    let mut station = Killed(bench.inject_command(tap.port()).stdout(Stdio::piped()).spawn().unwrap());
    tap.until_held();
    let mut lines = BufReader::new(station.0.stdout.take().unwrap()).lines().map(|line| line.unwrap());
    let mut said = Vec::new();
    while passed && !said.iter().any(|line: &String| line.contains("\"pass\"")) {
        said.push(lines.next().expect("it says PASS before it ends"));
    }
    station.0.kill().unwrap();
    station.0.wait().unwrap();
    said.extend(lines);
    let requests = tap.cut().unwrap().iter().filter(|(way, _)| *way == Way::Out).count();

    let state = sim.state(device);
    let serial = state["serial"].as_str().unwrap();
    let records = of_device(&bench.records(), serial);
    let intents = records.iter().filter(|r| r["ev"] == "inject.intent").count();
    let ok = records.iter().any(|r| r["rc"] == "ok");
    let at = format!("device {device}, {after} bytes: {records:?}, said {said:?}");
    assert!(state["generation"] == 0 || intents == 1, "keyed without an intent: {at}");
    // The device cannot tell: a set counts for it only at its commit.
    assert!(
        requests <= STAGE || intents == 1,
        "the first byte of the write went out without an intent: {at}"
    );
    assert!(ok || !said.iter().any(|line| line.contains("\"pass\"")), "PASS without a record: {at}");

    let again = bench.inject(&port);
    let records = of_device(&bench.records(), serial);
    let at = format!("{at}; then {again:?}");
    let left = match (intents, ok) {
        (0, _) => Left::Nothing,
        (_, false) => Left::OpenIntent,
        (_, true) => Left::Result,
    };
    // A device whose result was durable has its key already; every other one gets it now, or shows that it has it.
    assert_eq!(again.exit, Some(if ok { 3 } else { 0 }), "{at}");
    assert_eq!(sim.state(device)["generation"], 1, "{at}");
    assert_eq!(records.iter().filter(|r| r["rc"] == "ok").count(), 1, "{at}");
    if matches!(left, Left::OpenIntent) {
        assert!(again.stderr.contains("Unfinished"), "an open intent is shown at the start: {at}");
        assert!(records.iter().any(|r| r["ev"] == "inject.resolve"), "{at}");
    }
    left
}

fn of_device(records: &[Value], serial: &str) -> Vec<Value> {
    let id = format!("sn-{serial}");
    records.iter().filter(|r| r["rid"] == id.as_str()).cloned().collect()
}

/// Kills while the station is between messages: as soon as it has said that a step begins.
#[test]
fn killed_as_each_step_begins() {
    const STEPS: [&str; 6] = ["read", "derive", "write", "restart", "prove", "record"];
    let bench = Bench::quick();
    let sim = Sim::start(&bench.file("sim"), STEPS.len() * 3, &["--baud", "0"]);
    for device in 0..STEPS.len() * 3 {
        let step = STEPS[device / 3];
        let mut station =
            Killed(bench.inject_command(&sim.port(device)).stdout(Stdio::piped()).spawn().unwrap());
        let mut lines = BufReader::new(station.0.stdout.take().unwrap()).lines();
        lines.find(|line| line.as_ref().unwrap().contains(&format!("\"{step}\""))).unwrap().unwrap();
        station.0.kill().unwrap();
        station.0.wait().unwrap();
        let keyed = sim.state(device)["generation"] != 0;
        let serial = sim.state(device)["serial"].as_str().unwrap().to_owned();
        let records: Vec<Value> =
            bench.records().into_iter().filter(|r| r["sn"] == serial.as_str()).collect();
        assert!(
            !keyed || records.iter().any(|r| r["ev"] == "inject.intent"),
            "{step}: keyed without an intent"
        );
        let again = bench.inject(&sim.port(device));
        assert!(matches!(again.exit, Some(0 | 3)), "{step}: {again:?}");
        assert_eq!(sim.state(device)["generation"], 1, "{step}");
    }
    bench.assert_log_intact();
}

/// Vigna's SplitMix64: small, and the same everywhere for the same seed.
struct SplitMix(u64);

impl SplitMix {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % limit as u64) as usize
    }
}
