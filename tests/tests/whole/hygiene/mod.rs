//! The headless program as a process: what it opens, what others can get out of it, what it leaves when it is ended.

pub(crate) mod ended; // SIGTERM, SIGINT, SIGHUP
mod memory; // debuggers, cores, locked pages
mod one; // one program for each station, one for each port
mod program; // which program wrote, and one that is too old
pub(crate) mod sockets; // no network

use std::io::{BufRead, BufReader, Write};
use std::process::{ChildStdout, Stdio};

use keystation_tests::bench::{Bench, Killed};
use keystation_tests::sim::Sim;
use serde_json::Value;

/// A program that is at work, and what it says.
pub(crate) struct Running {
    program: Killed,
    lines: std::io::Lines<BufReader<ChildStdout>>,
}

impl Running {
    pub(crate) fn start(command: &mut std::process::Command) -> Self {
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut program = Killed(piped.spawn().unwrap());
        let lines = BufReader::new(program.0.stdout.take().unwrap()).lines();
        Self { program, lines }
    }

    /// `inject --inspect` that has keyed the device and waits with an open vault.
    fn injected(bench: &Bench, sim: &Sim) -> Self {
        let mut running = Self::start(bench.inject_command(&sim.port(0)).arg("--inspect"));
        running.until("stage", "injected");
        running
    }

    /// Returns when it says something whose `field` is `value`.
    pub(crate) fn until(&mut self, field: &str, value: &str) -> Value {
        self.lines
            .by_ref()
            .map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap())
            .find(|event| event[field] == value)
            .unwrap_or_else(|| panic!("it never said {field} {value}"))
    }

    pub(crate) fn id(&self) -> u32 {
        self.program.0.id()
    }

    /// Presses Enter, for which it waits.
    pub(crate) fn go_on(&mut self) {
        self.program.0.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
    }
}

/// Sends a signal by its name, `TERM`, as a person would.
pub(crate) fn signal(name: &str, process: u32) {
    let sent = std::process::Command::new("kill")
        .args([&format!("-{name}"), &process.to_string()])
        .status()
        .unwrap();
    assert!(sent.success(), "{name}");
}

/// The last records of the log, by their events.
pub(crate) fn last_events(bench: &Bench, count: usize) -> Vec<String> {
    let records = bench.records();
    let last = &records[records.len().saturating_sub(count)..];
    last.iter().map(|record| record["ev"].as_str().unwrap().to_owned()).collect()
}
