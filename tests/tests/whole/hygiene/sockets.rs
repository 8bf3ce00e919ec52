use std::fs;
use std::path::Path;
use std::process::Command;

use base64ct::{Base64, Encoding as _};
use keystation_tests::bench::{Bench, PUBLISHED_CHECK_VALUE, check_value_on_paper};
use keystation_tests::line::slots_on;
use keystation_tests::sim::Sim;
use keystation_tests::{orders, people};
use keystation_vault::{Component, Part, SecretText};

use super::{Running, signal};
use crate::secrets::random_key;

/// The same command under strace(1), which writes every call that has to do with sockets, and every start of a program, into `trace`.
pub(crate) fn traced(command: &Command, trace: &Path) -> Command {
    let mut traced = Command::new("strace");
    traced.args(["--follow-forks", "--quiet=all", "--trace=network,execve", "--output"]).arg(trace);
    traced.arg(command.get_program()).args(command.get_args());
    traced
}

/// The families of the sockets that `command` makes, it and all of its threads and children (strace(1), socket(2)).
fn families(command: &Command, trace: &Path) -> Vec<String> {
    let mut traced = traced(command, trace);
    let output = traced.output().unwrap();
    assert!(output.status.success(), "{traced:?}: {output:?}");
    made(trace)
}

/// The families of the sockets that a trace shows.
pub(crate) fn made(trace: &Path) -> Vec<String> {
    let text = fs::read_to_string(trace).unwrap();
    let calls = text.lines().filter(|line| !line.contains("execve("));
    let calls = calls.filter_map(|line| line.split_once("socket(").or(line.split_once("socketpair(")));
    calls.map(|(_, arguments)| arguments.split(',').next().unwrap().to_owned()).collect()
}

/// What a station does under strace: each call's sockets.
struct Traced<'a> {
    bench: &'a Bench,
    trace: String,
    made: Vec<String>,
    verbs: Vec<String>,
}

impl Traced<'_> {
    /// The verb by whoever may do that, with the passphrase where it opens the vault.
    fn command(&self, verb: &[&str], opens: bool) -> Command {
        let mut command = self.bench.keystation();
        command.args(verb);
        if let Some((operator, approver)) = people::who(verb) {
            self.bench.signed(&mut command, operator, approver);
        }
        if opens {
            self.bench.with_passphrase(&mut command);
        }
        command
    }

    fn does(&mut self, verb: &[&str], opens: bool) {
        self.made.extend(families(&self.command(verb, opens), Path::new(&self.trace)));
        self.verbs.push(
            verb.iter().take_while(|word| !word.starts_with('-')).copied().collect::<Vec<_>>().join(" "),
        );
    }

    /// A whole line, until its device passed and the hook of it was called.
    fn line(&mut self, called: &str) {
        let mut command = self.command(&["run"], true);
        self.bench.signed(&mut command, "op-0117", None);
        let mut running = Running::start(&mut traced(&command, Path::new(&self.trace)));
        running.until("event", "pass");
        let trace = || fs::read_to_string(&self.trace).unwrap();
        while !trace().lines().any(|line| line.contains("execve(") && line.contains(called)) {
            std::thread::yield_now();
        }
        // Of strace, whose child it is.
        let children = format!("/proc/{0}/task/{0}/children", running.id());
        let child = fs::read_to_string(children).unwrap().trim().parse().unwrap();
        signal("TERM", child);
        running.until("event", "summary");
        running.program.0.wait().unwrap();
        self.made.extend(made(Path::new(&self.trace)));
        self.verbs.push("run".to_owned());
    }
}

/// Two components of a key that nobody has, in files, and their check values and that of the key.
fn components(bench: &Bench) -> [String; 3] {
    let halves = [random_key(), random_key()];
    let parts = [1, 2].map(|number| {
        let text = Base64::encode_string(&halves[usize::from(number) - 1]);
        bench.private(&format!("component-{number}"), &text);
        let part = Part::new(number).unwrap();
        let component = Component::judged(&SecretText::new(text).unwrap(), part, 64).unwrap();
        let (_, check) = component.checks().into_iter().find(|(of, _)| *of == part).unwrap();
        check.to_string()
    });
    let key: Vec<u8> = halves[0].iter().zip(&halves[1]).map(|(one, other)| one ^ other).collect();
    bench.private("whole", &Base64::encode_string(&key));
    let [first, second] = parts;
    [first, second, check_value_on_paper(&bench.file("whole"))]
}

/// Nothing that a station does speaks to a network, not even on this machine: it makes devices, alone and on the line with a hook
/// behind it, checks, looks at and re-keys them, takes keys in, in one piece and in components, has work orders, copies itself, and
/// shows, verifies and hands out its log. What `address` and `url` name is another matter (docs/after.md).
#[test]
fn the_program_makes_no_network_socket() {
    let bench = Bench::quick();
    let (sim, second) = (Sim::published(&bench.file("sim")), Sim::start(&bench.file("second"), 1, &[]));
    slots_on(&bench, [second.port(0)]);
    bench.configure("[[hook]]\non = [\"pass\"]\nprogram = \"/bin/true\"\nseconds = 10\n");
    bench.private("backup-passphrase", "a passphrase of backups");
    bench.private("other", &Base64::encode_string(&random_key()));
    let ([first, other_half, whole], other) =
        (components(&bench), check_value_on_paper(&bench.file("other")));
    fs::write(bench.file("order-text"), orders::text("WO-1", 9, PUBLISHED_CHECK_VALUE, "")).unwrap();
    let file = |name: &str| bench.file(name).display().to_string();
    let [order, other_key, half_1, half_2, pin_1, pin_2] =
        ["order-text", "other", "component-1", "component-2", "pin-cus-1", "pin-cus-2"].map(file);
    let [bundle, backup, copy, diagnosis, report] =
        ["bundle", "backup", "copy", "diagnosis", "report"].map(file);
    let (phrase, port) = (file("backup-passphrase"), sim.port(0).display().to_string());
    let on = |verb: &[&'static str]| -> Vec<String> {
        let place = ["--port", &port, "--profile", "test.toml"];
        verb.iter().copied().chain(place).map(str::to_owned).collect()
    };
    let words = |line: &[&str]| -> Vec<String> { line.iter().map(|word| (*word).to_owned()).collect() };
    let key = |verb: &str, label: &str, check: &str| {
        words(&[
            "key",
            verb,
            "--label",
            label,
            "--group",
            "g",
            "--scope",
            "0ne00EMU001",
            "--slot",
            "primary",
            "--check-value",
            check,
        ])
    };
    let ceremony = [
        key("ceremony", "gk-third", &whole),
        words(&["--custodian", "cus-1", "--custodian-pin-file", &pin_1, "--component-file", &half_1]),
        words(&["--component-check", &first, "--custodian", "cus-2", "--custodian-pin-file", &pin_2]),
        words(&[
            "--component-file",
            &half_2,
            "--component-check",
            &other_half,
            "--confirm-check-value",
            &whole,
        ]),
    ];
    let verbs = [
        (words(&["ports"]), false),
        (words(&["order", "create", "--file", &order]), false),
        (words(&["order", "open", "WO-1"]), false),
        (on(&["inject"]), true),
        (on(&["check"]), true),
        (on(&["look"]), false),
        (on(&["rekey", "--reason", "returned"]), true),
        (words(&["selftest"]), true),
        (words(&["key", "recipient"]), true),
        ([key("import", "gk-second", &other), words(&["--key-file", &other_key])].concat(), true),
        (ceremony.concat(), true),
        (words(&["key", "activate", "gk-third", "--reason", "use", "--check-value", &whole]), false),
        (words(&["key", "suspend", "gk-third", "--reason", "lost"]), false),
        (words(&["key", "list"]), false),
        (words(&["person", "list"]), false),
        (words(&["audit", "verify"]), false),
        (words(&["audit", "export", "--out", &bundle]), false),
        (words(&["audit", "report", "--job", "WO-1", "--out", &report]), false),
        (words(&["backup", &backup, "--backup-passphrase-file", &phrase]), false),
        (words(&["backup", &copy, "--read-only", "--backup-passphrase-file", &phrase]), false),
        (words(&["diagnose", &diagnosis]), false),
        (words(&["order", "close", "WO-1", "--reason", "enough"]), false),
    ];
    let mut station = Traced { trace: file("trace"), made: Vec::new(), verbs: Vec::new(), bench: &bench };
    station.line("/bin/true");
    for (verb, opens) in &verbs {
        station.does(&verb.iter().map(String::as_str).collect::<Vec<_>>(), *opens);
    }
    let Traced { made, verbs, trace, .. } = station;
    println!("{verbs:?} made {} sockets", made.len());
    assert!(made.iter().all(|family| family == "AF_UNIX"), "{made:?}");
    assert_eq!(
        (
            bench.records().iter().filter(|r| r["ev"] == "hook.fail").count(),
            sim.state(0)["generation"].as_u64()
        ),
        (0, Some(2))
    );

    // The control: a socket that is made is seen, also in a child. A shell in between may ask for its user's name and make sockets of its own.
    let mut control = Command::new("sh");
    control.args(["-c", "python3 -c 'import socket; socket.socket()'; true"]);
    assert!(families(&control, Path::new(&trace)).iter().any(|family| family == "AF_INET"));
}
