//! The desk at which somebody follows a manual: a station, devices, a stick, and the other hand, which types what is asked for.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};

use keystation_tests::bench::{Bench, Killed, PUBLISHED_CHECK_VALUE, Run, pin_file};
use keystation_tests::binaries::program;
use serde_json::Value;

use super::text::{Manual, Step};

/// The PIN that administrators give, and the one that the person chooses.
const ONCE: &str = "583016";
const OWN: &str = "917264";

/// A station, and what the words of a manual are there.
pub(super) struct Desk {
    pub(super) bench: Bench,
    /// The beginning of a word, and what it is here.
    pub(super) means: Vec<(&'static str, String)>,
}

impl Desk {
    /// A station whose key the manuals call `gk-2026a`, and whose profile `thermostat.toml`.
    pub(super) fn new() -> Self {
        let bench = Bench::quick();
        let profiles = bench.data().join("profiles");
        fs::copy(profiles.join("test.toml"), profiles.join("thermostat.toml")).unwrap();
        for folder in ["desk", "stick"] {
            fs::create_dir(bench.file(folder)).unwrap();
        }
        for (file, text) in [
            ("pin-once", ONCE),
            ("pin-own", OWN),
            ("name", "Example Person"),
            ("backup-passphrase", "a passphrase of backups"),
        ] {
            bench.private(file, text);
        }
        let mut desk = Self { bench, means: Vec::new() };
        desk.means("/media/stick", desk.path("stick"));
        desk.means("gk-2026a", keystation_tests::bench::LABEL);
        desk.means("7C1D0-A4E91", PUBLISHED_CHECK_VALUE);
        // A manual has days to look at; a test is run on any.
        desk.means("2026-11-25", "2026-01-01");
        desk.means("2026-12-24", "2099-12-31");
        desk
    }

    /// Words that begin so begin otherwise here.
    pub(super) fn means(&mut self, word: &'static str, here: impl Into<String>) {
        self.means.push((word, here.into()));
    }

    /// A place in the folder of the test, as text.
    pub(super) fn path(&self, name: &str) -> String {
        self.bench.file(name).to_str().unwrap().to_owned()
    }

    /// Adds sections to the settings.
    pub(super) fn set(&self, sections: &str) {
        let file = self.bench.data().join("station.toml");
        let mut file = fs::OpenOptions::new().append(true).open(file).unwrap();
        write!(file, "\n{sections}").unwrap();
    }

    /// Does what the manual says, command by command. `between` does what people do before one of them that is no command.
    pub(super) fn follow(&self, manual: &Manual, mut between: impl FnMut(&Self, &[&str])) {
        for step in &manual.steps {
            between(self, &step.verb());
            self.does(step);
        }
    }

    fn does(&self, step: &Step) {
        let verb = step.verb();
        let mut command = Command::new(program("keystation"));
        command.arg("--json").current_dir(self.bench.file("desk"));
        if !step.words.iter().any(|word| word == "--data") {
            // A station that is made anew is another one.
            let data = if verb[0] == "init" { self.bench.file("made") } else { self.bench.data() };
            command.arg("--data").arg(data);
        }
        command.args(step.words.iter().map(|word| self.here(word, &step.place)));
        for (option, pin) in [("--operator", "--pin-file"), ("--approver", "--approver-pin-file")] {
            step.option(option).map(|id| command.arg(pin).arg(self.bench.file(&pin_file(id))));
        }
        self.types(&mut command, step);
        let run = match verb[..] {
            ["run", ..] => until_a_device_passed(&mut command),
            // Somebody ends it for today.
            ["rekey", ..] if step.option("--count").is_some() => with_input(&mut command, "q\n"),
            _ => with_input(&mut command, ""),
        };
        assert_eq!(run.exit, Some(step.exit), "{}: {:?}: {run:#?}", step.place, step.words);
        self.remembers(step, &verb);
    }

    /// What a word of the manual is here. A path that is no file of the desk has to be known.
    fn here(&self, word: &str, place: &str) -> String {
        let known = self.means.iter().find_map(|(said, here)| Some((here, word.strip_prefix(said)?)));
        assert!(known.is_some() || !word.starts_with('/'), "{place}: the test does not know {word:?}");
        known.map_or_else(|| word.to_owned(), |(here, rest)| format!("{here}{rest}"))
    }

    /// The PINs, passphrases and names that the program would ask for. A verb that is not here is not known, and not run.
    fn types(&self, command: &mut Command, step: &Step) {
        let verb = step.verb();
        let mut from = |option: &str, file: &str| {
            command.arg(option).arg(self.bench.file(file));
        };
        match verb[..] {
            ["inject" | "check" | "rekey", ..]
            | ["run"]
            | ["key", "recipient" | "destroy", ..]
            | ["selftest"]
                if step.option("--operator").is_some() =>
            {
                from("--passphrase-file", "passphrase");
            }
            ["key", "import", ..] => {
                from("--passphrase-file", "passphrase");
                if step.option("--transfer").is_none() {
                    from("--key-file", "key-in-one-piece");
                }
            }
            ["key", "ceremony", ..] => {
                from("--passphrase-file", "passphrase");
                for (number, custodian) in (1..).zip(["cus-1", "cus-2"]) {
                    from("--custodian-pin-file", &pin_file(custodian));
                    from("--component-file", &format!("component-{number}"));
                }
                for (custodian, check) in
                    [("cus-1", "check of component 1"), ("cus-2", "check of component 2")]
                {
                    command.args(["--custodian", custodian, "--component-check", &self.here(check, "")]);
                }
                let check = step.option("--check-value").expect("a ceremony has one");
                command.args(["--confirm-check-value", &self.here(check, &step.place)]);
            }
            ["init", ..] => {
                ["admin-1", "admin-2"].iter().for_each(|id| from("--admin-pin-file", &pin_file(id)))
            }
            ["person", "add" | "reset-pin", ..] => from("--new-pin-file", "pin-once"),
            ["person", "change-pin"] => from("--new-pin-file", "pin-own"),
            ["person", "set", ..] => from("--name-file", "name"),
            ["backup" | "restore", ..] => from("--backup-passphrase-file", "backup-passphrase"),
            ["ports" | "selftest" | "diagnose" | "look" | "after", ..]
            | ["run", "--training"]
            | [
                "batch" | "cleanup" | "device" | "label" | "order" | "outbox" | "audit" | "witness" | "clock",
                ..,
            ]
            | ["key", "activate" | "suspend" | "list" | "devices", ..]
            | ["person", "roles" | "disable" | "enable" | "list" | "forget", ..] => {}
            _ => panic!("{}: the test does not know how to run {verb:?}", step.place),
        }
    }

    /// Who has got another PIN signs in with it from now on.
    fn remembers(&self, step: &Step, verb: &[&str]) {
        match verb {
            ["person", "add" | "reset-pin", id, ..] => self.bench.private(&pin_file(id), ONCE),
            ["person", "change-pin"] => {
                self.bench.private(&pin_file(step.option("--operator").expect("its own")), OWN);
            }
            _ => {}
        }
    }
}

fn with_input(command: &mut Command, input: &str) -> Run {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("keystation starts");
    let mut stdin = child.stdin.take().expect("it is piped");
    // Most verbs read nothing, and may have ended.
    drop(stdin.write_all(input.as_bytes()));
    drop(stdin);
    Run::of(&child.wait_with_output().expect("it is our child"))
}

/// A line ends when somebody ends it: here, when a device passed.
fn until_a_device_passed(command: &mut Command) -> Run {
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut line = Killed(command.spawn().expect("keystation starts"));
    let input = line.0.stdin.take();
    let mut told = BufReader::new(line.0.stdout.take().expect("it is piped")).lines();
    let mut events: Vec<Value> = Vec::new();
    while events.last().is_none_or(|event| event["event"] != "pass") {
        let said = told.next().unwrap_or_else(|| panic!("it ended before a device passed: {events:#?}"));
        events.push(serde_json::from_str(&said.expect("text")).expect("JSON"));
    }
    let ended = Command::new("kill").arg(line.0.id().to_string()).status().expect("kill");
    assert!(ended.success());
    let rest = told.map(|said| serde_json::from_str::<Value>(&said.expect("text")).expect("JSON"));
    events.extend(rest);
    drop(input);
    let status = line.0.wait().expect("it is our child");
    // Ended in order, by the signal: what a shell calls done when somebody pressed Ctrl-C.
    let exit = if status.signal() == Some(15) { Some(0) } else { status.code() };
    Run { exit, events, stderr: String::new() }
}
