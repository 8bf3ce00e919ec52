//! Group keys through the headless binary: in each custody, from the import to the end, and what happens when a custody fails.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use base64ct::{Base64, Encoding as _};
use keystation_core::derive::device_key;
use keystation_core::failure::Code;
use keystation_core::registration::{IdRule, RegistrationId};
use keystation_tests::bench::{
    Bench, Killed, PUBLISHED_DEVICE_KEY, PUBLISHED_GROUP_KEY, Run, check_value_on_paper, finished,
};
use keystation_tests::custody::{Emulator, Token};
use keystation_tests::memory_scan::{Needles, core_of};
use keystation_tests::sim::Sim;
use serde_json::Value;

use super::hygiene::{Running, signal};
use super::secrets::random_key;

const CHECK: &str = "9B5BD-BEC8B";

/// A bench whose sealed file holds another key than the published one, so that the custodies under test can have that.
fn bench() -> Bench {
    let bench = Bench::with_key(
        "rLuyBPpIJ+hOre2SFIP9Ajvdty3j0EwSP/WvTVH9eZAw5HpDuEmf13nziHy5RRXmuTy84FCLpOnhhBPASSbHYg==",
    );
    bench.private("published", PUBLISHED_GROUP_KEY);
    let profile = bench.data().join("profiles/test.toml");
    let text = fs::read_to_string(&profile).unwrap();
    fs::write(profile, text.replace("\"gk-test\"", "\"gk-new\"")).unwrap();
    bench
}

fn signed_command(bench: &Bench, arguments: &[&str], operator: &str, approver: Option<&str>) -> Command {
    let mut command = bench.keystation();
    command.args(arguments);
    bench.signed(&mut command, operator, approver);
    command
}

/// By two custodians, with all secrets at hand.
fn custodians(bench: &Bench, token: Option<&Token>, arguments: &[&str]) -> Run {
    finished(&mut by_custodians(bench, token, arguments))
}

fn by_custodians(bench: &Bench, token: Option<&Token>, arguments: &[&str]) -> Command {
    let mut command = signed_command(bench, arguments, "cus-1", Some("cus-2"));
    if let Some(token) = token {
        token.reached(&mut command);
    }
    if arguments[1] != "activate" && arguments[1] != "suspend" {
        bench.with_secrets(&mut command);
    }
    command
}

pub(super) fn import(bench: &Bench, token: Option<&Token>, custody: &str) -> Run {
    finished(&mut import_command(bench, token, custody))
}

fn import_command(bench: &Bench, token: Option<&Token>, custody: &str) -> Command {
    let file = bench.file("published");
    let (file, check) = (file.display().to_string(), check_value_on_paper(&file));
    let arguments = [
        "key",
        "import",
        "--label",
        "gk-new",
        "--group",
        "line-7",
        "--scope",
        "0ne00EMU001",
        "--slot",
        "secondary",
        "--check-value",
        &check,
        "--custody",
        custody,
        "--key-file",
        &file,
    ];
    by_custodians(bench, token, &arguments)
}

fn injection(bench: &Bench, token: Option<&Token>, port: &Path) -> Command {
    let port = port.display().to_string();
    let mut command =
        signed_command(bench, &["inject", "--port", &port, "--profile", "test.toml"], "op-0117", None);
    bench.with_secrets(&mut command);
    if let Some(token) = token {
        token.reached(&mut command);
    }
    command
}

fn inject(bench: &Bench, token: Option<&Token>, port: &Path) -> Run {
    finished(&mut injection(bench, token, port))
}

/// The code of the error or of the failed device, and what it means for the device.
fn trouble(run: &Run) -> (&str, &str) {
    let said = run.event("fail").or_else(|| run.event("error")).unwrap_or_else(|| panic!("{run:?}"));
    (said["code"].as_str().unwrap(), said["safety"].as_str().unwrap_or_default())
}

fn standing<'a>(list: &'a Run, label: &str) -> &'a Value {
    list.events.iter().find(|key| key["label"] == label).unwrap_or_else(|| panic!("{list:?}"))
}

#[test]
fn a_key_lives_and_dies_in_the_custody_that_was_named() {
    for custody in ["sealed-file", "pkcs11", "tpm"] {
        let bench = bench();
        let token = (custody == "pkcs11").then(|| Token::of(&bench));
        let _tpm = (custody == "tpm").then(|| Emulator::of(&bench));
        let token = token.as_ref();
        let sim =
            Sim::start(&bench.file("sim"), 2, &["--serial", "007-888-abc", "--mac", "a1:b2:c3:d4:e5:f6"]);
        let imported = import(&bench, token, custody);
        assert_eq!(imported.exit, Some(0), "{custody}: {imported:?}");
        let said = imported.event("import").unwrap();
        assert_eq!((&said["check_value"], &said["custody"]), (&CHECK.into(), &custody.into()));

        let early = inject(&bench, token, &sim.port(0));
        assert_eq!((early.exit, trouble(&early).0), (Some(3), Code::KeyInactive.as_str()), "{early:?}");
        let wrong = custodians(
            &bench,
            token,
            &["key", "activate", "gk-new", "--reason", "first use", "--check-value", "9B5BD-BEC8C"],
        );
        assert_eq!((wrong.exit, trouble(&wrong).0), (Some(3), "key-check-value"), "{wrong:?}");
        let active = custodians(
            &bench,
            token,
            &["key", "activate", "gk-new", "--reason", "first use", "--check-value", CHECK],
        );
        assert_eq!(active.exit, Some(0), "{active:?}");
        let done = inject(&bench, token, &sim.port(0));
        assert_eq!(done.exit, Some(0), "{custody}: {done:?}");
        assert_eq!(sim.state(0)["device_key"], PUBLISHED_DEVICE_KEY);

        let list = bench.run(&["key", "list"]);
        let key = standing(&list, "gk-new");
        assert_eq!(
            (&key["state"], &key["custody"], &key["devices"]),
            (&"active".into(), &custody.into(), &1.into())
        );
        assert_eq!(standing(&list, "gk-test")["devices"], 0);
        let devices = bench.run(&["key", "devices", "gk-new"]);
        assert_eq!(devices.event("device").unwrap()["id"], sim.state(0)["registration_id"]);

        let mut stop = signed_command(
            &bench,
            &["key", "suspend", "gk-new", "--reason", "a paper was lost"],
            "sup-1",
            None,
        );
        assert_eq!(finished(&mut stop).exit, Some(0), "one supervisor alone");
        let stopped = inject(&bench, token, &sim.port(1));
        assert_eq!((stopped.exit, trouble(&stopped).0), (Some(3), Code::KeyInactive.as_str()), "{stopped:?}");
        assert_eq!(sim.state(1)["device_key"], Value::Null);

        let gone = custodians(&bench, token, &["key", "destroy", "gk-new", "--reason", "end of the line"]);
        assert_eq!(gone.exit, Some(0), "{custody}: {gone:?}");
        assert_eq!(standing(&bench.run(&["key", "list"]), "gk-new")["state"], "destroyed");
        let again = import(&bench, token, custody);
        assert_eq!((again.exit, trouble(&again).0), (Some(2), "label-taken"), "{again:?}");
        assert!(!bench.data().join("keys/gk-new.json").exists());
        bench.assert_log_intact();
    }
}

/// The key is used where it is: neither it nor what HMAC makes of it stays in the program, in which it is put to use.
#[test]
fn a_program_whose_key_is_outside_holds_nothing_of_it() {
    for custody in ["pkcs11", "tpm"] {
        let (bench, key) = (bench(), random_key());
        bench.private("published", &Base64::encode_string(&key));
        let check = check_value_on_paper(&bench.file("published"));
        let token = (custody == "pkcs11").then(|| Token::of(&bench));
        let _tpm = (custody == "tpm").then(|| Emulator::of(&bench));
        let token = token.as_ref();
        let sim = Sim::start(&bench.file("sim"), 1, &[]);
        assert_eq!(import(&bench, token, custody).exit, Some(0));
        let activate = ["key", "activate", "gk-new", "--reason", "first use", "--check-value", &check];
        assert_eq!(custodians(&bench, token, &activate).exit, Some(0));
        let (mut needles, mut control) = (Needles::new(), Needles::new());
        needles.group_key(&key);
        needles.midstates(&key);
        control.text("data directory", bench.data().to_str().unwrap()); // no secret, and surely there
        let cores = tempfile::tempdir().unwrap();
        let mut running = Running::start(injection(&bench, token, &sim.port(0)).arg("--inspect"));
        for stage in ["injected", "locked"] {
            running.until("stage", stage);
            let derived = Base64::decode_vec(sim.state(0)["device_key"].as_str().unwrap()).unwrap();
            needles.bytes("device key", &derived);
            let scan = needles.scan(running.id()).unwrap();
            assert!(scan.hits.is_empty(), "{custody}, {stage}: {:?}", scan.hits);
            // What nobody can read has the secret of the custody, and that until it is locked.
            let hidden = scan.unread.iter().any(|mapping| mapping.contains("secretmem"));
            assert!(stage == "injected" || !hidden, "{custody}, {stage}");
            let core = core_of(running.id(), cores.path()).expect("gcore (apt-get install gdb)");
            assert!(!control.find(&core).is_empty(), "{custody}, {stage}: the scanner sees nothing");
            assert!(needles.find(&core).is_empty(), "{custody}, {stage}: {:?}", needles.find(&core));
            running.go_on();
        }
        let id = sim.state(0)["registration_id"].as_str().unwrap().to_owned();
        let meant = device_key(&key, &RegistrationId::new(&id, IdRule::Punctuation).unwrap());
        assert_eq!(sim.state(0)["device_key"], meant.to_base64().as_str(), "the key was really used");
    }
}

/// Nothing stands in for the custody that was named, and none is guessed where there are several.
#[test]
fn no_custody_stands_in_for_another() {
    let bench = bench();
    let absent = import(&bench, None, "tpm");
    assert_eq!((absent.exit, trouble(&absent).0), (Some(2), "custody-unknown"), "{absent:?}");
    let mut tpm = Emulator::of(&bench);
    let file = bench.file("published").display().to_string();
    let unnamed = custodians(
        &bench,
        None,
        &[
            "key",
            "import",
            "--label",
            "gk-new",
            "--group",
            "line-7",
            "--scope",
            "0ne00EMU001",
            "--slot",
            "secondary",
            "--check-value",
            CHECK,
            "--key-file",
            &file,
        ],
    );
    assert_eq!((unnamed.exit, trouble(&unnamed).0), (Some(2), "which-custody"), "{unnamed:?}");
    tpm.kill();
    let dead = import(&bench, None, "tpm");
    assert_eq!(dead.exit, Some(4), "{dead:?}");
    let list = bench.run(&["key", "list"]);
    assert!(list.events.iter().all(|key| key["label"] != "gk-new"), "{list:?}");
}

/// Runs an injection and does something when the device is being read: between the custody that opened and the key that is
/// derived in it.
fn interrupted(mut command: Command, harm: impl FnOnce()) -> (Option<i32>, Vec<Value>) {
    command.stdout(Stdio::piped());
    let mut inject = Killed(command.spawn().unwrap());
    let mut harm = Some(harm);
    let mut events = Vec::new();
    for line in BufReader::new(inject.0.stdout.take().unwrap()).lines() {
        let event: Value = serde_json::from_str(&line.unwrap()).unwrap();
        if event["step"] == "read" {
            harm.take().unwrap()();
        }
        events.push(event);
    }
    assert!(harm.is_none(), "the device was read: {events:?}");
    (inject.0.wait().unwrap().code(), events)
}

#[test]
fn a_tpm_that_dies_in_the_middle_of_a_job_leaves_the_device_as_it_was_and_the_job_goes_on() {
    let bench = bench();
    let mut tpm = Emulator::of(&bench);
    assert_eq!(import(&bench, None, "tpm").exit, Some(0));
    assert_eq!(
        custodians(
            &bench,
            None,
            &["key", "activate", "gk-new", "--reason", "first use", "--check-value", CHECK]
        )
        .exit,
        Some(0)
    );
    // A line so slow that the TPM is dead long before the device has said who it is.
    let sim = Sim::start(
        &bench.file("sim"),
        1,
        &["--serial", "007-888-abc", "--mac", "a1:b2:c3:d4:e5:f6", "--baud", "9600"],
    );
    let (exit, events) = interrupted(injection(&bench, None, &sim.port(0)), || tpm.kill());
    let fail = events.iter().find(|event| event["event"] == "fail").unwrap_or_else(|| panic!("{events:?}"));
    assert_eq!(
        (exit, &fail["code"], &fail["safety"]),
        (Some(4), &"vault-failed".into(), &"untouched".into())
    );
    assert_eq!(sim.state(0)["device_key"], Value::Null);
    let dead = inject(&bench, None, &sim.port(0));
    assert_eq!(dead.exit, Some(4), "{dead:?}");
    tpm.start();
    let done = inject(&bench, None, &sim.port(0));
    assert_eq!(done.exit, Some(0), "{done:?}");
    assert_eq!(sim.state(0)["device_key"], PUBLISHED_DEVICE_KEY);
    bench.assert_log_intact();
}

/// A token that never answers holds nobody at the station: told to end, the program waits ten seconds for it, says what is left
/// undone, in the log too, and closes that. What the token did is settled when it is opened next.
#[test]
fn a_token_that_hangs_in_an_import_does_not_hold_the_end_of_the_program() {
    let bench = bench();
    let token = Token::faulty(&bench);
    token.fault("C_CreateObject hang");
    let mut command = import_command(&bench, Some(&token), "pkcs11");
    let mut program = Killed(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap());
    token.until_called("C_CreateObject");
    signal("TERM", program.0.id());
    let mut said = String::new();
    program.0.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    let status = program.0.wait().unwrap();
    assert_eq!(status.signal(), Some(15), "{said}");
    let left = "The keys are wiped, the log is closed, but the custody does not answer; left undone: import-key gk-new.";
    assert!(said.contains(left), "{said}");
    let records = bench.records();
    let undone = records.iter().rfind(|record| record["ev"] == "policy.refuse").unwrap();
    let told = ["op", "action", "what", "why", "code"].map(|field| undone[field].as_str().unwrap());
    assert_eq!(told, ["cus-1", "import-key", "gk-new", "state", "custody-silent"]);
    assert_eq!(records.last().unwrap()["ev"], "log.close");
    bench.assert_log_intact();

    token.fault("");
    assert_eq!(import(&bench, Some(&token), "pkcs11").exit, Some(0), "nothing was made, and it goes on");
    bench.assert_log_intact();
}

#[test]
fn a_token_that_is_taken_out_in_the_middle_of_a_job_leaves_the_device_as_it_was_and_the_job_goes_on() {
    let bench = bench();
    let token = Token::of(&bench);
    assert_eq!(import(&bench, Some(&token), "pkcs11").exit, Some(0));
    let active = custodians(
        &bench,
        Some(&token),
        &["key", "activate", "gk-new", "--reason", "first use", "--check-value", CHECK],
    );
    assert_eq!(active.exit, Some(0));
    let sim = Sim::start(
        &bench.file("sim"),
        1,
        &["--serial", "007-888-abc", "--mac", "a1:b2:c3:d4:e5:f6", "--baud", "9600"],
    );
    let (exit, events) = interrupted(injection(&bench, Some(&token), &sim.port(0)), || token.take_out());
    let fail = events.iter().find(|event| event["event"] == "fail").unwrap_or_else(|| panic!("{events:?}"));
    assert_eq!(
        (exit, &fail["code"], &fail["safety"]),
        (Some(4), &"vault-failed".into(), &"untouched".into())
    );
    assert_eq!(sim.state(0)["device_key"], Value::Null);
    let out = inject(&bench, Some(&token), &sim.port(0));
    assert_eq!(out.exit, Some(4), "{out:?}");
    token.put_back();
    let done = inject(&bench, Some(&token), &sim.port(0));
    assert_eq!(done.exit, Some(0), "{done:?}");
    assert_eq!(sim.state(0)["device_key"], PUBLISHED_DEVICE_KEY);
    bench.assert_log_intact();
}

/// Sealed by its owner with the ordinary `age`; nobody at the station gives or sees the key.
#[test]
fn a_key_comes_in_a_transfer_file() {
    use std::io::Write as _;
    let bench = bench();
    let mut ask = signed_command(&bench, &["key", "recipient"], "cus-1", None);
    let made = finished(bench.with_passphrase(&mut ask));
    let recipient = made.event("recipient").unwrap_or_else(|| panic!("{made:?}"))["recipient"].clone();
    let shown = finished(&mut signed_command(&bench, &["key", "recipient"], "cus-2", None));
    assert_eq!(
        shown.event("recipient").unwrap()["recipient"],
        recipient,
        "without a passphrase: the log has it"
    );
    let file = bench.file("mail.age");
    let mut age = Command::new("age");
    age.args(["-r", recipient.as_str().unwrap(), "-o"]).arg(&file).stdin(Stdio::piped());
    let mut age = age.spawn().expect("age (apt-get install age) is there");
    let document = format!(
        "{{\"check\":\"{CHECK}\",\"format\":\"keystation-transfer/v1\",\"group\":\"line-7\",\"key\":\"{PUBLISHED_GROUP_KEY}\",\
         \"label\":\"gk-new\",\"scope\":\"0ne00EMU001\",\"slot\":\"secondary\"}}\n"
    );
    age.stdin.take().unwrap().write_all(document.as_bytes()).unwrap();
    assert!(age.wait().unwrap().success());
    let tpm = Emulator::of(&bench);
    let file = file.display().to_string();
    let said = ["--group", "line-7", "--scope", "0ne00EMU001", "--slot", "secondary", "--check-value", CHECK];
    let import = ["key", "import", "--label", "gk-new", "--custody", "tpm", "--transfer", &file];
    let arguments = [&import[..], &said[..]].concat();
    let imported = custodians(&bench, None, &arguments);
    assert_eq!(imported.exit, Some(0), "{imported:?}");
    let key = standing(&bench.run(&["key", "list"]), "gk-new").clone();
    assert_eq!(
        (&key["how"], &key["custody"], &key["state"]),
        (&"transfer".into(), &"tpm".into(), &"imported".into())
    );
    drop(tpm);
    bench.assert_log_intact();
}
