//! `keystation run` as a child of a test.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{ChildStderr, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::bench::{Bench, Killed};
use crate::custody::Token;

/// Longer than anything takes, on a busy computer too: a test that waits for it has failed.
pub const LONG: Duration = Duration::from_secs(120);

/// A line at work, and what it told.
pub struct RunningLine {
    process: Killed,
    input: ChildStdin,
    output: Receiver<Value>,
    errors: ChildStderr,
    /// Everything that was told, oldest first.
    pub told: Vec<Value>,
}

/// Gives the station of `bench` these ports as slots, from 1 on, with the profile `test.toml`.
///
/// # Panics
/// If the settings cannot be written.
pub fn slots_on(bench: &Bench, ports: impl IntoIterator<Item = PathBuf>) {
    let file = bench.data().join("station.toml");
    let mut settings = fs::read_to_string(&file).expect("init wrote it");
    for port in ports {
        writeln!(settings, "\n[[slot]]\nport = {port:?}\nprofile = \"test.toml\"").expect("a string");
    }
    fs::write(&file, settings).expect("the folder is ours");
}

impl RunningLine {
    /// Starts a line of the slots that the settings have, with `operator` signed in.
    ///
    /// # Panics
    /// If the program does not start.
    #[must_use]
    pub fn start(bench: &Bench, operator: &str) -> Self {
        let mut command = bench.keystation();
        command.arg("run");
        bench.with_passphrase(&mut command);
        Self::of(bench, command, operator)
    }

    /// The same with the secrets of all custodies, and the way to its `token` where the bench has one.
    ///
    /// # Panics
    /// If the program does not start.
    #[must_use]
    pub fn in_custody(bench: &Bench, token: Option<&Token>, operator: &str) -> Self {
        let mut command = bench.keystation();
        command.arg("run");
        bench.with_secrets(&mut command);
        if let Some(token) = token {
            token.reached(&mut command);
        }
        Self::of(bench, command, operator)
    }

    fn of(bench: &Bench, mut command: Command, operator: &str) -> Self {
        bench.signed(&mut command, operator, None);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = Killed(command.spawn().expect("keystation starts"));
        let input = process.0.stdin.take().expect("it is piped");
        let lines = BufReader::new(process.0.stdout.take().expect("it is piped")).lines();
        let (tell, output) = mpsc::channel();
        thread::spawn(move || {
            for line in lines {
                let line = line.expect("its output is text");
                let event = serde_json::from_str(&line).unwrap_or_else(|e| panic!("{line:?}: {e}"));
                // A test that failed listens no more.
                if tell.send(event).is_err() {
                    return;
                }
            }
        });
        let errors = process.0.stderr.take().expect("it is piped");
        Self { process, input, output, errors, told: Vec::new() }
    }

    /// Reads on until `wanted` says yes, and gives that event.
    ///
    /// # Panics
    /// If the program ends before, or tells nothing of the kind for [`LONG`].
    pub fn until(&mut self, mut wanted: impl FnMut(&Value) -> bool) -> Value {
        let until = Instant::now() + LONG;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let Ok(event) = self.output.recv_timeout(left) else {
                panic!("it ended, or does not tell it: {:#?}", self.told)
            };
            self.told.push(event.clone());
            if wanted(&event) {
                return event;
            }
        }
    }

    /// What is told next, kept nowhere; `None`: the program ended, or tells nothing for so long.
    pub fn hear(&mut self, wait: Duration) -> Option<Value> {
        self.output.recv_timeout(wait).ok()
    }

    /// Reads on until slot `slot` tells an event of this name.
    pub fn until_slot(&mut self, slot: u64, name: &str) -> Value {
        self.until(|event| event["slot"] == slot && event["event"] == name)
    }

    /// Memory of the program that is in use now, in KiB (`VmRSS` of proc(5)).
    ///
    /// # Panics
    /// If the program has ended.
    #[must_use]
    pub fn resident_kib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.0.id())).expect("it runs");
        let line =
            status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a process that runs has it");
        line.trim().trim_end_matches(" kB").parse().expect("a number")
    }

    /// Ends it in no order at all, with SIGKILL.
    ///
    /// # Panics
    /// If the system does not end it.
    pub fn kill(mut self) {
        self.process.0.kill().expect("it is ours");
        self.process.0.wait().expect("it is our child");
    }

    /// Types a line.
    pub fn types(&mut self, line: &str) {
        writeln!(self.input, "{line}").expect("it reads what is typed");
    }

    /// Types bytes as they are, which need not be text.
    ///
    /// # Panics
    /// If it does not read them.
    pub fn types_bytes(&mut self, bytes: &[u8]) {
        self.input.write_all(bytes).expect("it reads what is typed");
    }

    /// Ends it with SIGTERM and gives its sum, which is the last that it says; with what is on standard error.
    ///
    /// # Panics
    /// If it does not end in order.
    pub fn end(mut self) -> (Value, Vec<Value>, String) {
        let killed = Command::new("kill").arg(self.process.0.id().to_string()).status().expect("kill");
        assert!(killed.success());
        self.told.extend(self.output.iter());
        let status = self.process.0.wait().expect("it is our child");
        let mut errors = String::new();
        self.errors.read_to_string(&mut errors).expect("it is text");
        assert_eq!(status.signal(), Some(15), "whoever started it sees what ended it: {errors}");
        let sum = self.told.last().expect("it said something").clone();
        assert_eq!(sum["event"], "summary", "{:?}", self.told);
        assert_eq!(sum["agrees"], true, "{sum}");
        (sum, self.told, errors)
    }
}
