use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus};
use std::time::Instant;

use base64ct::{Base64, Encoding};
use keystation_tests::bench::{Bench, PUBLISHED_GROUP_KEY};
use keystation_tests::memory_scan::Needles;
use keystation_tests::sim::Sim;
use keystation_tests::tap::Tap;
use serde_json::Value;

use super::{Running, last_events, signal};

const SIGNALS: [(&str, i32); 3] = [("TERM", 15), ("INT", 2), ("HUP", 1)];

/// How it ended, and what it said on standard error.
fn ended(mut running: Running) -> (ExitStatus, String) {
    let mut said = String::new();
    running.program.0.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    (running.program.0.wait().unwrap(), said)
}

#[test]
fn a_program_that_waits_wipes_its_keys_and_closes_the_log() {
    for (name, number) in SIGNALS {
        let bench = Bench::quick();
        let sim = Sim::published(&bench.file("sim"));
        let running = Running::injected(&bench, &sim);
        assert_eq!(last_events(&bench, 1), ["inject.result"]);
        signal(name, running.id());
        let (status, said) = ended(running);
        assert_eq!((status.signal(), status.core_dumped()), (Some(number), false), "{said}");
        assert!(
            said.contains(&format!("Ended by SIG{name}. The keys are wiped, the log is closed.")),
            "{said}"
        );
        assert_eq!(last_events(&bench, 3), ["auth.lock", "auth.logout", "log.close"], "{name}");
        bench.assert_log_intact();
    }
}

/// How many bytes pass the wire until the request that carries the key is half sent.
pub(crate) fn half_of_the_write(bench: &Bench) -> usize {
    // Another device, whose messages are as long.
    let other = ["--baud", "0", "--serial", "KS-SIM-0002", "--mac", "00:00:5e:00:53:02"];
    let sim = Sim::start(&bench.file("reference"), 1, &other);
    let tap = Tap::new(&sim.port(0), usize::MAX).unwrap();
    assert_eq!(bench.inject(tap.port()).exit, Some(0));
    let passed = tap.cut().unwrap();
    let mut messages = passed.iter().map(|(_, bytes)| bytes.len());
    // What a device says when it gets power, the question who it is, the answer, and half of the set.
    let before: usize = messages.by_ref().take(3).sum();
    before + messages.next().unwrap() / 2
}

/// A wire that holds there: the intent is durable.
fn held_in_the_write(bench: &Bench, device: &Sim) -> (Tap, Running) {
    let tap = Tap::new(&device.port(0), half_of_the_write(bench)).unwrap();
    let running = Running::start(&mut bench.inject_command(tap.port()));
    tap.until_held();
    (tap, running)
}

/// Whether the process holds what the published group key became, or memory that nobody else can read.
pub(crate) fn holds_a_key(process: u32) -> bool {
    let mut needles = Needles::new();
    needles.midstates(&Base64::decode_vec(PUBLISHED_GROUP_KEY).unwrap());
    let scan = needles.scan(process).unwrap();
    !scan.hits.is_empty() || scan.unread.iter().any(|mapping| mapping.contains("secretmem"))
}

/// Returns when the log says that the vault was locked.
pub(crate) fn until_locked(bench: &Bench) {
    while !bench.records().iter().any(|record| record["ev"] == "auth.lock") {
        std::thread::yield_now();
    }
}

#[test]
fn the_keys_are_wiped_while_the_device_in_hand_is_finished() {
    let bench = Bench::quick();
    let device = Sim::start(&bench.file("sim"), 1, &["--baud", "0"]);
    let (tap, running) = held_in_the_write(&bench, &device);
    assert!(holds_a_key(running.id()), "the vault is open");

    let sent = Instant::now();
    signal("TERM", running.id());
    until_locked(&bench);
    println!("locked, and its record durable, within {:?}", sent.elapsed());
    assert!(!holds_a_key(running.id()));

    // The device never answers: it is finished by the time limit of the step, and its result is in the log.
    let (status, said) = ended(running);
    assert_eq!(status.signal(), Some(15), "{said}");
    assert_eq!(last_events(&bench, 4), ["auth.lock", "inject.result", "auth.logout", "log.close"]);
    let records = bench.records();
    let result = records.iter().rfind(|record| record["ev"] == "inject.result").unwrap();
    assert_ne!(result["rc"], "ok");
    drop(tap.cut());
    bench.assert_log_intact();
    let again = bench.inject(&device.port(0));
    assert_eq!(again.exit, Some(0), "{again:?}");
}

#[test]
fn a_device_that_answers_is_finished_first() {
    for (name, number) in SIGNALS {
        let bench = Bench::quick();
        // It takes its time to start again: the signal comes before it is done.
        let sim = Sim::start(&bench.file("sim"), 1, &["--baud", "0", "--fault", "boot=700"]);
        let mut running = Running::start(&mut bench.inject_command(&sim.port(0)));
        running.until("step", "write");
        signal(name, running.id());
        running.until("event", "pass");
        let (status, said) = ended(running);
        assert_eq!(status.signal(), Some(number), "{said}");
        let last = last_events(&bench, 4);
        // Whether the lock was asked for before the device was done or after it is a matter of the moment.
        for event in ["auth.lock", "inject.result", "auth.logout"] {
            assert!(last.contains(&event.to_owned()), "{last:?}");
        }
        assert_eq!(last[3], "log.close");
        assert_eq!(sim.state(0)["generation"], 1);
        bench.assert_log_intact();
    }
}

#[test]
fn the_second_signal_ends_it_as_a_kill_does() {
    let bench = Bench::quick();
    let device = Sim::start(&bench.file("sim"), 1, &["--baud", "0"]);
    let (tap, running) = held_in_the_write(&bench, &device);
    signal("TERM", running.id());
    until_locked(&bench);
    signal("TERM", running.id());
    let (status, said) = ended(running);
    assert_eq!(status.signal(), Some(15));
    assert!(!said.contains("the log is closed"), "{said}");
    assert_eq!(last_events(&bench, 2), ["inject.intent", "auth.lock"]);
    drop(tap.cut());
    bench.assert_log_intact();
    let again = bench.inject(&device.port(0));
    assert_eq!(again.exit, Some(0), "{again:?}");
    assert!(again.stderr.contains("Unfinished since record"), "{again:?}");
    let resolved = |record: &Value| record["ev"] == "inject.resolve";
    assert!(bench.records().iter().any(resolved));
}

/// `nohup` means it.
#[test]
fn a_hang_up_that_is_ignored_stays_so() {
    let bench = Bench::quick();
    let sim = Sim::published(&bench.file("sim"));
    let mut command = Command::new("nohup");
    let inject = bench.inject_command(&sim.port(0));
    let mut running =
        Running::start(command.arg(inject.get_program()).args(inject.get_args()).arg("--inspect"));
    running.until("stage", "injected");
    signal("HUP", running.id());
    running.go_on();
    running.until("stage", "locked");
    signal("TERM", running.id());
    let (status, said) = ended(running);
    assert_eq!(status.signal(), Some(15), "{said}");
    assert!(said.contains("SIGTERM"), "{said}");
}
