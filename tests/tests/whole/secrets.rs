//! After a shift's work no key and no passphrase is in anything that the station wrote or said; and one second after the
//! lock none is in its memory.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use base64ct::{Base64, Encoding};
use keystation_core::derive::device_key;
use keystation_core::key::DeviceKey;
use keystation_core::registration::{IdRule, RegistrationId};
use keystation_tests::bench::{Bench, Killed, random_hex};
use keystation_tests::binaries::{optimised_program, program};
use keystation_tests::memory_scan::{Hit, Needles};
use keystation_tests::people;
use keystation_tests::sim::Sim;
use serde_json::Value;

/// A group key that no other process has ever seen, so that every hit is a leak.
pub(crate) fn random_key() -> Vec<u8> {
    let digits = random_hex(64);
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

fn id(text: &str) -> RegistrationId {
    RegistrationId::new(text, IdRule::Dashes).unwrap()
}

#[test]
fn a_shift_leaves_no_secret_in_any_file_or_output() {
    let key = random_key();
    let bench = Bench::with_key(&Base64::encode_string(&key));
    let sim = Sim::start(&bench.file("sim"), 4, &["--fault", "1:lie=echo-nonce;2:silent=commit"]);
    let outputs = bench.file("outputs");
    fs::create_dir(&outputs).unwrap();

    let said = |name: &str, command: &mut Command| {
        let output = command.output().unwrap();
        fs::write(outputs.join(format!("{name}.out")), &output.stdout).unwrap();
        fs::write(outputs.join(format!("{name}.err")), &output.stderr).unwrap();
        output
    };
    let port = |number: usize| sim.port(number).display().to_string();
    for number in 0..3 {
        said(&format!("inject-{number}"), bench.inject_command(&sim.port(number)).args(["--trace", "trace"]));
    }
    said("again", bench.inject_command(&sim.port(0)).args(["--trace", "trace"]));
    for (name, verb) in [
        ("check", vec!["check", "--port", &port(0), "--profile", "test.toml"]),
        ("recipient", vec!["key", "recipient"]),
        ("selftest", vec!["selftest"]),
    ] {
        let mut command = bench.keystation();
        let (operator, approver) = people::who(&verb).unwrap();
        bench.signed(command.args(verb), operator, approver);
        let output = said(name, bench.with_passphrase(command.args(["--trace", "trace"])));
        assert!(output.status.success(), "{name}: {output:?}");
    }
    said("show", bench.keystation().args(["audit", "show"]));
    bench.private("wrong", &format!("not {}", bench.passphrase()));
    let wrong = bench.file("wrong");
    let mut command = bench.keystation();
    command.args(["selftest", "--trace", "trace", "--passphrase-file"]).arg(&wrong);
    bench.signed(&mut command, "op-0117", None);
    assert_eq!(said("wrong", &mut command).status.code(), Some(3));
    said("keys", bench.keystation().args(["key", "list"]));
    bench.private("refused-key", &format!("{}=", Base64::encode_string(&key)));
    let refused = bench.import("gk-refused", &bench.file("refused-key"));
    assert_eq!(refused.exit, Some(2), "{refused:?}");
    fs::write(outputs.join("import.out"), format!("{refused:?}")).unwrap();
    // A kill leaves the write-ahead log as it was at that moment.
    let mut killed = Killed(bench.inject_command(&sim.port(3)).stdout(Stdio::piped()).spawn().unwrap());
    let lines = BufReader::new(killed.0.stdout.take().unwrap()).lines();
    assert!(lines.map(|line| line.unwrap()).any(|line| line.contains("\"restart\"")));
    killed.0.kill().unwrap();
    killed.0.wait().unwrap();

    let mut needles = Needles::new();
    needles.group_key(&key);
    needles.text("passphrase", bench.passphrase());
    needles.bytes("passphrase", bench.passphrase().as_bytes());
    let mut device_keys = Vec::new();
    for number in 0..4 {
        let state: Value = sim.state(number);
        let (serial, mac) =
            (state["serial"].as_str().unwrap(), state["mac"].as_str().unwrap().replace(':', "-"));
        let derived = device_key(&key, &id(&format!("sn-{serial}-mac-{mac}")));
        needles.bytes(&format!("device key {number}"), derived.expose());
        device_keys.push(derived);
    }
    let stored = sim.state(0)["device_key"].clone();
    assert_eq!(stored, device_keys[0].to_base64().as_str(), "the needles are the keys that were used");

    let mut files = 0;
    for directory in [bench.data(), outputs.clone()] {
        let found = &mut |file: &Path, hit: &Hit| panic!("{hit:?} in {}", file.display());
        files += needles.find_in_files(&directory, found).unwrap();
    }
    assert!(files > 20, "only {files} files were searched");

    // The control: what is planted is found, each secret in each spelling.
    let passphrase = bench.passphrase().as_bytes();
    let planted = bench.file("planted");
    fs::create_dir(&planted).unwrap();
    for (name, secret) in
        [("group key", &key[..]), ("device key", &device_keys[0].expose()[..]), ("passphrase", passphrase)]
    {
        let digits: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
        let base64 = Base64::encode_string(secret);
        for spelling in [secret, digits.as_bytes(), digits.to_uppercase().as_bytes(), base64.as_bytes()] {
            fs::write(planted.join("file"), [b"before ", spelling, b" after"].concat()).unwrap();
            let mut found = false;
            needles.find_in_files(&planted, &mut |_, hit| found |= hit.what.starts_with(name)).unwrap();
            assert!(found, "{name}: {:?} was planted and not found", String::from_utf8_lossy(spelling));
        }
    }
}

/// The headless binary itself, at each stage of a key's life, as it is debugged and as it ships: the optimiser copies
/// what the source does not. `vault_process` shows with the same scanner what a naive program leaves.
#[test]
fn the_locked_program_holds_no_key_in_memory() {
    for program in [program("keystation"), optimised_program("keystation")] {
        let key = random_key();
        let bench = Bench::with_key(&Base64::encode_string(&key));
        let derived = device_key(&key, &id("keystation-inspection"));
        let mut command = bench.with_program(&program);
        command.args(["selftest", "--inspect"]);
        let said = scanned(&bench, &mut command, &key, &derived);
        let made = said.iter().find(|event| event["event"] == "derived").unwrap();
        assert_eq!(made["fingerprint"], derived.fingerprint().to_string(), "the key was really made");
        assert_eq!(stages(&said), ["unlocked", "derived", "locked"]);
    }
}

/// The key went through the flow, the message, the frame and the port; nothing of the way still has it.
#[test]
fn a_program_that_keyed_a_device_holds_no_key_in_memory() {
    for program in [program("keystation"), optimised_program("keystation")] {
        let key = random_key();
        let bench = Bench::with_key(&Base64::encode_string(&key));
        let sim = Sim::start(&bench.file("sim"), 1, &["--mac", "none", "--serial", "scan-1"]);
        let profile = bench.data().join("profiles/test.toml");
        let text = fs::read_to_string(&profile).unwrap();
        fs::write(&profile, text.replace("sn-{serial}-mac-{mac}", "sn-{serial}")).unwrap();
        let derived = device_key(&key, &id("sn-scan-1"));
        let mut command = bench.with_program(&program);
        command.args(["inject", "--inspect", "--profile", "test.toml", "--port"]).arg(sim.port(0));
        let said = scanned(&bench, &mut command, &key, &derived);
        assert!(said.iter().any(|event| event["event"] == "pass"), "{said:?}");
        assert_eq!(stages(&said), ["injected", "locked"]);
        assert_eq!(sim.state(0)["device_key"], derived.to_base64().as_str(), "the needle went over the wire");
    }
}

/// Runs `command`, which stops at each stage, and scans its memory there. What it said.
fn scanned(bench: &Bench, command: &mut Command, key: &[u8], derived: &DeviceKey) -> Vec<Value> {
    let mut needles = Needles::new();
    needles.group_key(key);
    needles.bytes("device key", derived.expose());
    needles.bytes("passphrase", bench.passphrase().as_bytes());
    // No secret, and surely in memory: the program was told it.
    let mut control = Needles::new();
    control.text("data directory", bench.data().to_str().unwrap());

    bench.signed(command, "op-0117", None).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut program = Killed(bench.with_passphrase(command).spawn().unwrap());
    let mut said = Vec::new();
    for line in BufReader::new(program.0.stdout.take().unwrap()).lines() {
        let event: Value = serde_json::from_str(&line.unwrap()).unwrap();
        if let Some(stage) = event["stage"].as_str() {
            assert_clean(&program.0, &needles, &control, stage);
            program.0.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
        }
        said.push(event);
    }
    assert!(program.0.wait().unwrap().success(), "{said:?}");
    said
}

fn stages(said: &[Value]) -> Vec<&str> {
    said.iter().filter_map(|event| event["stage"].as_str()).collect()
}

fn assert_clean(program: &Child, needles: &Needles, control: &Needles, stage: &str) {
    assert!(!control.scan(program.id()).unwrap().hits.is_empty(), "{stage}: the scanner sees nothing");
    let scan = needles.scan(program.id()).unwrap();
    assert!(scan.bytes > 1 << 20, "{stage}: only {} bytes could be read", scan.bytes);
    assert!(scan.hits.is_empty(), "{stage}: {:?}", scan.hits);
}
