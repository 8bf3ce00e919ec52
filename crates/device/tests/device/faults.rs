//! What a line and a device do wrong without meaning to.
//!
//! Whatever happens, three things hold: no PASS unless the file holds the key; a failure that says "not keyed" is true; and the
//! device, seen again without the fault, ends with PASS.

use std::sync::atomic::{AtomicUsize, Ordering};

use keystation_core::failure::{Code, Failure, Safety};
use keystation_core::flow::{Pass, Vault};
use keystation_core::registration::{IdRule, RegistrationId};
use keystation_device::link::Timing;

use crate::support::{PATIENT, QUICK, TestBench, TestLog, TestVault, faults, inject, published};

/// Injects into a new device with `script`; then takes the fault away and settles.
fn survive(bench: &TestBench, number: usize, script: &str, timing: Timing) -> Result<Pass, Failure> {
    let text = format!("device {number}: {script}");
    bench.renew(number, script);
    let log = TestLog::default();
    let first = inject(&mut bench.open_with(number, timing), &log, None);
    let right = |key: Option<String>| key.as_deref() == Some(expected_key(number).as_str());
    match &first {
        Ok(_) => assert!(right(bench.key(number)), "{text}: PASS without the key"),
        Err(failure) => {
            let safe = matches!(failure.safety, Safety::Untouched | Safety::NotKeyed);
            assert!(!safe || bench.key(number).is_none(), "{text}: `{failure}`, and it holds a key");
        }
    }
    assert!(bench.bench.set_faults(number, faults("")));
    assert!(bench.bench.unplug(number) && bench.bench.plug(number));
    let second = inject(&mut bench.open(number), &log, None);
    match (&first, second) {
        (Ok(_), Err(failure)) => assert_eq!(failure.code, Code::AlreadyKeyed, "{text}"),
        (Err(_), Ok(_)) => {}
        (first, second) => panic!("{text}: first {first:?}, then {second:?}"),
    }
    assert!(right(bench.key(number)), "{text}: another key");
    first
}

fn expected_key(number: usize) -> String {
    let persona = published().numbered(number);
    let mac = persona.mac.unwrap().map(|byte| format!("{byte:02x}")).join("-");
    let id = format!("sn-{}-mac-{mac}", persona.serial.unwrap());
    let id = RegistrationId::new(&id, IdRule::Dashes).unwrap();
    TestVault.derive(&id).unwrap().to_base64().to_string()
}

fn code(outcome: &Result<Pass, Failure>) -> &'static str {
    outcome.as_ref().map_or_else(|failure| failure.code.as_str(), |_| "PASS")
}

/// What a good device on a bad line comes to: PASS, wherever a repetition helps.
#[test]
fn every_fault_of_the_script_has_the_outcome_that_it_should() {
    let bench = TestBench::new(1, 0, "");
    let rows = [
        ("delay=30", "PASS"),
        ("boot=60", "PASS"),
        ("split=0", "PASS"),
        ("no-ready", "PASS"),
        ("banner", "PASS"),
        ("chatter", "PASS"),
        ("noise=500", "PASS"),
        ("banner; chatter; noise=300; boot=30", "PASS"),
        ("reset=ack", "PASS"),
        ("drop=tx@50; flip=rx@60; dup=rx@200", "PASS"),
        ("storage-fail", "storage-failed"),
        ("flood", "garbled"),
        ("huge-frame", "garbled"),
        ("half-frame=info", "silent"),
        ("half-frame=commit", "silent"),
        ("silent=stage", "silent"),
        ("silent=commit", "silent"),
        ("silent=prove", "silent"),
        ("silent-after=info", "silent"),
        ("silent-after=stage", "silent"),
        ("silent-after=commit", "silent"),
        ("silent-after=reset", "silent"),
        ("boot=5000; no-ready", "silent"),
        ("unplug=rx@0", "unplugged"),
    ];
    for (script, expected) in rows {
        let timing = if expected == "silent" { QUICK } else { PATIENT };
        assert_eq!(code(&survive(&bench, 0, script, timing)), expected, "{script}");
    }
}

#[test]
fn slow_device_that_drips_a_byte_at_a_time_is_given_up() {
    let bench = TestBench::new(1, 0, "");
    // 99 bytes at 20 ms: two seconds, where the test allows 0.4.
    assert_eq!(code(&survive(&bench, 0, "split=20", QUICK)), "silent");
}

/// Each byte of an injection, both ways, on twelve devices in turn.
fn each_byte(blows: &[&str], step: usize, allowed: &[&str]) {
    const DEVICES: usize = 12;
    let bench = TestBench::new(DEVICES, 0, "");
    // More than an injection sends either way: those that strike nothing must pass too. Byte 0 is the ready byte of the
    // start, before there is anybody to open the port.
    let scripts: Vec<_> = blows
        .iter()
        .flat_map(|blow| ["rx", "tx"].map(|way| (blow, way)))
        .flat_map(|(blow, way)| (1..360).step_by(step).map(move |byte| format!("{blow}={way}@{byte}")))
        .collect();
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for number in 0..DEVICES {
            let (bench, scripts, next) = (&bench, &scripts, &next);
            scope.spawn(move || {
                while let Some(script) = scripts.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let outcome = survive(bench, number, script, PATIENT);
                    assert!(allowed.contains(&code(&outcome)), "{script}: {}", code(&outcome));
                }
            });
        }
    });
}

#[test]
fn any_byte_may_be_lost_doubled_or_turned() {
    each_byte(&["drop", "dup", "flip"], 3, &["PASS"]);
}

#[test]
fn power_may_fail_at_any_byte() {
    // A restart before the commit forgets the stage; one after it only costs a repetition.
    each_byte(&["reset"], 1, &["PASS", "refused"]);
}

#[test]
fn cable_may_be_pulled_at_any_byte() {
    each_byte(&["unplug"], 1, &["PASS", "unplugged"]);
}
