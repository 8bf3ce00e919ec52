use std::fs;
use std::path::Path;
use std::process::Command;

use keystation_tests::bench::Bench;
use keystation_tests::people;
use keystation_tests::sim::Sim;

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

/// No verb that works at the station speaks to a network, not even on this machine.
#[test]
fn the_program_makes_no_network_socket() {
    let bench = Bench::quick();
    let sim = Sim::published(&bench.file("sim"));
    let trace = bench.file("trace");
    let (port, out) = (sim.port(0).display().to_string(), bench.file("bundle").display().to_string());
    let mut made = Vec::new();
    let mut verbs = 0;
    for verb in [
        vec!["inject", "--port", &port, "--profile", "test.toml"],
        vec!["check", "--port", &port, "--profile", "test.toml"],
        vec!["selftest"],
        vec!["key", "recipient"],
    ] {
        let mut command = bench.keystation();
        let (operator, approver) = people::who(&verb).unwrap();
        bench.signed(command.args(verb), operator, approver);
        made.extend(families(bench.with_passphrase(&mut command), &trace));
        verbs += 1;
    }
    for verb in [vec!["ports"], vec!["audit", "verify"], vec!["audit", "export", "--out", &out]] {
        let mut command = bench.keystation();
        if let Some((operator, approver)) = people::who(&verb) {
            bench.signed(&mut command, operator, approver);
        }
        made.extend(families(command.args(verb), &trace));
        verbs += 1;
    }
    println!("{verbs} verbs made the sockets {made:?}");
    assert!(made.iter().all(|family| family == "AF_UNIX"), "{made:?}");

    // The control: a socket that is made is seen, also in a child. A shell in between may ask for its user's name and make sockets of its own.
    let mut control = Command::new("sh");
    control.args(["-c", "python3 -c 'import socket; socket.socket()'; true"]);
    assert!(families(&control, &trace).iter().any(|family| family == "AF_INET"));
}
