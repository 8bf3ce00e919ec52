use std::fs::Permissions;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use keystation_tests::bench::{Bench, Killed};
use keystation_tests::sim::Sim;
use serde_json::Value;

use super::Running;

const STARTS: usize = 200;

/// What one of the starts came to.
enum Told {
    /// It has the station and waits.
    Works,
    /// It ended: with this code, having said this.
    Ended(Option<i32>, Vec<Value>),
}

#[test]
fn of_two_hundred_programs_that_start_at_once_one_works() {
    let bench = Bench::quick();
    let sim = Sim::published(&bench.file("sim"));
    let (tell, told) = mpsc::channel();
    let mut inputs = Vec::new();
    let began = Instant::now();
    for start in 0..STARTS {
        let mut command = bench.inject_command(&sim.port(0));
        command.arg("--inspect").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut program = Killed(command.spawn().unwrap());
        inputs.push(program.0.stdin.take().unwrap());
        let output = BufReader::new(program.0.stdout.take().unwrap());
        let tell = tell.clone();
        thread::spawn(move || {
            let mut said = Vec::new();
            for line in output.lines() {
                let event: Value = serde_json::from_str(&line.unwrap()).unwrap();
                if event["stage"] == "injected" {
                    tell.send((start, Told::Works)).unwrap();
                }
                said.push(event);
            }
            let exit = program.0.wait().unwrap().code();
            tell.send((start, Told::Ended(exit, said))).unwrap();
        });
    }

    let (mut works, mut refused) = (None, 0);
    while works.is_none() || refused < STARTS - 1 {
        match told.recv().unwrap() {
            (start, Told::Works) => assert_eq!(works.replace(start), None, "a second one works"),
            (start, Told::Ended(exit, said)) => {
                let error = said.iter().find(|event| event["event"] == "error");
                let error =
                    error.unwrap_or_else(|| panic!("{start} ended without a word: {exit:?} {said:?}"));
                assert_eq!((exit, &error["code"]), (Some(4), &"station-in-use".into()), "{said:?}");
                assert!(error["sentence"].as_str().unwrap().contains("another program is writing this log"));
                refused += 1;
            }
        }
    }
    println!("{refused} of {STARTS} were refused within {:?} of the first start", began.elapsed());

    // Nobody waits for the one that works. The quickest of some: this is no measure of the machine.
    let quickest = (0..5)
        .map(|_| {
            let began = Instant::now();
            assert_eq!(bench.inject(&sim.port(0)).exit, Some(4));
            began.elapsed()
        })
        .min()
        .unwrap();
    println!("one alone is refused within {quickest:?}");
    assert!(quickest < Duration::from_secs(2), "{quickest:?}");

    let works = works.unwrap();
    inputs[works].write_all(b"\n\n").unwrap();
    let (start, Told::Ended(exit, said)) = told.recv().unwrap() else { panic!("it waits again") };
    assert_eq!((start, exit), (works, Some(0)), "{said:?}");
    assert_eq!(sim.state(0)["generation"], 1);
    let opened = bench.records().iter().filter(|record| record["ev"] == "log.open").count();
    assert_eq!(opened, 2, "the one that imported the key, and the one that worked");
    bench.assert_log_intact();
}

/// Two stations of one machine, one port: whoever is second is told so, and its device is left alone.
#[test]
fn a_port_that_another_program_has_is_refused() {
    let (one, other) = (Bench::quick(), Bench::quick());
    let sim = Sim::start(&one.file("sim"), 1, &["--mac", "none", "--serial", "one-0001"]);
    let port = keystation_device::ports::open(&sim.port(0)).unwrap();
    // TIOCEXCL binds everybody but root, also programs that know nothing of the lock.
    let terminal = sim.port(0).canonicalize().unwrap();
    let mut opened = Command::new("sh");
    opened.args(["-c", ": <>\"$0\""]).arg(&terminal);
    if rustix::process::geteuid().is_root() {
        std::fs::set_permissions(&terminal, Permissions::from_mode(0o666)).unwrap();
        opened = super::memory::as_nobody(&opened);
    }
    let said = |command: &mut Command| {
        let output = command.output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (taken, why) = said(&mut opened);
    assert!(!taken && why.contains("busy"), "{why}");

    let second = other.inject(&sim.port(0));
    assert_eq!(second.exit, Some(1), "{second:?}");
    let fail = second.event("fail").unwrap();
    assert_eq!((&fail["code"], &fail["safety"]), (&"port-unavailable".into(), &"untouched".into()));
    assert!(
        fail["cause"].as_str().unwrap().contains("is in use by another program: close that one"),
        "{fail}"
    );
    assert_eq!(other.records().iter().filter(|record| record["ev"] == "inject.refuse").count(), 1);

    drop(port);
    assert_eq!(said(&mut opened), (true, String::new()), "the control: it can be opened when it is free");
}

/// The program of the same station that comes second has not touched the device of the first.
#[test]
fn a_start_that_is_refused_leaves_the_one_at_work_alone() {
    let bench = Bench::quick();
    let sim = Sim::published(&bench.file("sim"));
    let mut first = Running::injected(&bench, &sim);
    let records = bench.records();
    let out = bench.file("bundle").display().to_string();
    assert_eq!(bench.run(&["audit", "export", "--out", &out]).exit, Some(4));
    assert_eq!(bench.inject(&sim.port(0)).exit, Some(4));
    assert_eq!(bench.records(), records, "nothing is written by who has no log");
    first.program.0.stdin.take().unwrap().write_all(b"\n\n").unwrap();
    assert!(first.program.0.wait().unwrap().success());
}
