//! `keystation-sim` as a process: what it prints, what it obeys, how it ends.

use std::io::{BufRead, BufReader, Lines, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use keystation_core::failure::Code;
use keystation_device::driver::SmpDevice;
use keystation_device::ports;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::support::{DEVICE_KEY, QUICK, TestLog, inject, open};

struct Program {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Program {
    fn start(directory: &Path, arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_keystation-sim"))
            .args(["--json", "--mac", "a1:b2:c3:d4:e5:f6", "--link"])
            .arg(directory.join("links"))
            .arg("--state")
            .arg(directory.join("states"))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    fn event(&mut self) -> Value {
        serde_json::from_str(&self.lines.next().unwrap().unwrap()).unwrap()
    }

    fn say(&mut self, command: &str) {
        writeln!(self.child.stdin.as_mut().unwrap(), "{command}").unwrap();
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn devices_appear_are_keyed_unplugged_and_removed() {
    let directory = tempfile::tempdir().unwrap();
    let mut program =
        Program::start(directory.path(), &["--count", "2", "--baud", "0", "--serial", "007-888-abc"]);
    let mut ready = [program.event(), program.event()];
    ready.sort_by_key(|event| event["device"].as_u64());
    let link = directory.path().join("links/dev0");
    assert_eq!((&ready[0]["event"], ready[0]["path"].as_str()), (&Value::from("ready"), link.to_str()));
    assert_eq!(std::fs::read_link(&link).unwrap().to_str(), ready[0]["pty"].as_str());

    let log = TestLog::default();
    inject(&mut open(&link), &log, None).unwrap();
    let state = std::fs::read(directory.path().join("states/dev0.json")).unwrap();
    let state: Value = serde_json::from_slice(&state).unwrap();
    assert_eq!(state["device_key"], DEVICE_KEY);
    assert_eq!(state["registration_id"], "sn-007-888-abc-mac-a1-b2-c3-d4-e5-f6");

    program.say("unplug 0");
    assert_eq!(program.event()["event"], "unplugged");
    assert_eq!(program.event()["event"], "done");
    assert!(!link.is_symlink());
    program.say("plug 0");
    assert_eq!(program.event()["event"], "ready");
    assert_eq!(program.event()["event"], "done");
    assert_eq!(inject(&mut open(&link), &log, None).unwrap_err().code, Code::AlreadyKeyed);
    program.say("fault 0 silent=info");
    assert_eq!(program.event()["event"], "done");
    let mut silent = SmpDevice::with_timing(ports::open(&link).unwrap(), QUICK);
    assert_eq!(inject(&mut silent, &log, None).unwrap_err().code, Code::Silent);
    for wrong in ["unplug 7", "unplug", "fault 0 lie=white", "dance"] {
        program.say(wrong);
        assert_eq!(program.event()["event"], "error", "{wrong}");
    }

    program.signal(Signal::TERM);
    assert!(program.child.wait().unwrap().success());
    assert!(!link.is_symlink() && !directory.path().join("links/dev1").is_symlink());
}

#[test]
fn memory_outlives_a_kill_and_belongs_to_one_device() {
    let directory = tempfile::tempdir().unwrap();
    let link = directory.path().join("links/dev0");
    let log = TestLog::default();
    let mut program = Program::start(directory.path(), &["--baud", "0", "--serial", "007-888-abc"]);
    program.event();
    inject(&mut open(&link), &log, None).unwrap();
    program.signal(Signal::KILL);
    program.child.wait().unwrap();
    assert!(link.is_symlink());

    let mut program = Program::start(directory.path(), &["--baud", "0", "--serial", "007-888-abc"]);
    assert_eq!(program.event()["event"], "ready");
    assert_eq!(inject(&mut open(&link), &log, None).unwrap_err().code, Code::AlreadyKeyed);
    program.say("quit");
    assert!(program.child.wait().unwrap().success());

    let mut other = Program::start(directory.path(), &["--serial", "another"]);
    assert_eq!(other.event()["event"], "failed");
    assert_eq!(other.child.wait().unwrap().code(), Some(2));
}
