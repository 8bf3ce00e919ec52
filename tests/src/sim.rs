//! `keystation-sim` as a child of a test.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, ChildStdout, Command, Stdio};

use serde_json::Value;

use crate::bench::Killed;
use crate::binaries::program;

/// Simulated devices that end with the test.
pub struct Sim {
    links: PathBuf,
    states: PathBuf,
    commands: ChildStdin,
    events: BufReader<ChildStdout>,
    _process: Killed,
}

impl Sim {
    /// Starts `count` devices in `dir` and waits until they are plugged in. `options` go to the program as they are.
    ///
    /// # Panics
    /// If a device does not come up.
    #[must_use]
    pub fn start(dir: &Path, count: usize, options: &[&str]) -> Self {
        let (links, states) = (dir.join("links"), dir.join("states"));
        let mut command = Command::new(program("keystation-sim"));
        command
            .args(["--json", "--count", &count.to_string(), "--link"])
            .arg(&links)
            .arg("--state")
            .arg(&states);
        command.args(options).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = Killed(command.spawn().expect("keystation-sim starts"));
        let commands = process.0.stdin.take().expect("it is piped");
        let events = BufReader::new(process.0.stdout.take().expect("it is piped"));
        let mut sim = Self { links, states, commands, events, _process: process };
        for _ in 0..count {
            assert_eq!(sim.event()["event"], "ready");
        }
        sim
    }

    /// One device that has the identity of Microsoft's published example.
    #[must_use]
    pub fn published(dir: &Path) -> Self {
        Self::start(dir, 1, &["--serial", "007-888-abc", "--mac", "a1:b2:c3:d4:e5:f6"])
    }

    /// The port of device `number`.
    #[must_use]
    pub fn port(&self, number: usize) -> PathBuf {
        self.links.join(format!("dev{number}"))
    }

    /// What device `number` holds.
    #[must_use]
    pub fn state(&self, number: usize) -> Value {
        let text =
            fs::read(self.states.join(format!("dev{number}.json"))).expect("a device that ran has a state");
        serde_json::from_slice(&text).expect("it is written whole")
    }

    /// Gives the program a command, for example `unplug 0`, and waits for what it says next.
    pub fn command(&mut self, command: &str) -> Value {
        self.send(command);
        self.event()
    }

    /// Gives the program a command, for whoever reads all that it says with [`Sim::event`].
    pub fn send(&mut self, command: &str) {
        writeln!(self.commands, "{command}").expect("it reads commands");
    }

    /// What it says next.
    pub fn event(&mut self) -> Value {
        let mut line = String::new();
        self.events.read_line(&mut line).expect("its output is text");
        serde_json::from_str(&line).unwrap_or_else(|e| panic!("keystation-sim said {line:?}: {e}"))
    }
}
