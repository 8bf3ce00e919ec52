//! The key ceremony through the headless binary: out of files, with a code scanner, and by two people at one terminal.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use keystation_device::ports::{self, PortError};
use keystation_tests::bench::{Bench, PUBLISHED_DEVICE_KEY, Run, finished, pin_file};
use keystation_tests::people::PEOPLE;
use keystation_tests::sim::Sim;
use rustix::fd::OwnedFd;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

/// The components of the published key, as docs/ceremony.md has them, and their check values.
const PAPERS: [(&str, &str); 2] = [
    ("f/B7kZM+w+wLuRb2Or95r0SV66TWvFR6oQcx9dl/bDM9k5+3cPQ5l725mu2H71UzfacytRtVpQORzI/gL+yRRQ==", "CB32B3"),
    ("jdtQhR5S2S4uB+ekcusbnrQYJVljwmK+XuGQC43esmJB6PmxpcOCVO8Q/P/C+idY1CWQQjz1Y0kZxpkKFsPVxg==", "F5DFD7"),
];
const CHECK: &str = "9B5BD-BEC8B";

/// A station whose profile names the key that the ceremony makes.
fn bench() -> Bench {
    let bench = Bench::with_key(
        "rLuyBPpIJ+hOre2SFIP9Ajvdty3j0EwSP/WvTVH9eZAw5HpDuEmf13nziHy5RRXmuTy84FCLpOnhhBPASSbHYg==",
    );
    let profile = bench.data().join("profiles/test.toml");
    let text = std::fs::read_to_string(&profile).unwrap();
    std::fs::write(profile, text.replace("\"gk-test\"", "\"gk-new\"")).unwrap();
    for (number, (text, _)) in (1..).zip(PAPERS) {
        bench.private(&format!("component-{number}"), text);
    }
    bench
}

/// A ceremony that `cus-1` begins; components and the rest are still to come.
fn begun(bench: &Bench) -> Command {
    let mut command = bench.keystation();
    command.args(["key", "ceremony", "--label", "gk-new", "--group", "line-7", "--scope", "0ne00EMU001"]);
    command.args(["--slot", "secondary", "--check-value", CHECK]);
    bench.signed(&mut command, "cus-1", None);
    command
}

/// By these custodians, with their PINs and what their papers say.
fn with_papers<'a>(
    bench: &Bench,
    command: &'a mut Command,
    custodians: [&str; 2],
    checks: [&str; 2],
) -> &'a mut Command {
    for (user, check) in custodians.into_iter().zip(checks) {
        command.args(["--custodian", user, "--component-check", check, "--custodian-pin-file"]);
        command.arg(bench.file(&pin_file(user)));
    }
    bench.with_passphrase(command.args(["--confirm-check-value", CHECK]))
}

fn with_files<'a>(bench: &Bench, command: &'a mut Command) -> &'a mut Command {
    for number in 1..=2 {
        command.arg("--component-file").arg(bench.file(&format!("component-{number}")));
    }
    command
}

fn assert_makes_the_key(bench: &Bench, run: &Run) {
    assert_eq!(run.exit, Some(0), "{run:?}");
    assert_eq!(run.event("import").unwrap()["check_value"], CHECK);
    let mut activate = bench.keystation();
    activate.args(["key", "activate", "gk-new", "--reason", "first use", "--check-value", CHECK]);
    assert_eq!(finished(bench.signed(&mut activate, "cus-1", Some("cus-2"))).exit, Some(0));
    let sim = Sim::published(&bench.file("sim"));
    let done = bench.inject(&sim.port(0));
    assert_eq!(done.exit, Some(0), "{done:?}");
    assert_eq!(sim.state(0)["device_key"], PUBLISHED_DEVICE_KEY);
    let records = bench.records();
    let of = |event: &str| records.iter().filter(|r| r["ev"] == event).collect::<Vec<_>>();
    let components: Vec<_> = of("gk.component").iter().map(|r| (r["op"].clone(), r["cv"].clone())).collect();
    assert_eq!(components, [("cus-1".into(), "CB32B3".into()), ("cus-2".into(), "F5DFD7".into())]);
    let import = *of("gk.import").last().unwrap();
    assert_eq!(
        (&import["how"], &import["op"], &import["op2"]),
        (&"ceremony".into(), &"cus-1".into(), &"cus-2".into())
    );
    bench.assert_log_intact();
}

#[test]
fn two_custodians_make_a_key_out_of_files() {
    let bench = bench();
    let mut command = begun(&bench);
    with_papers(&bench, with_files(&bench, &mut command), ["cus-1", "cus-2"], PAPERS.map(|(_, check)| check));
    assert_makes_the_key(&bench, &finished(&mut command));
}

/// Each component comes from a descriptor of its own, in the order in which they are named: a shell opens them, and nothing of them is
/// in an argument or a file that the program was given.
#[test]
fn components_come_from_descriptors() {
    let bench = bench();
    let mut ceremony = begun(&bench);
    with_papers(&bench, &mut ceremony, ["cus-1", "cus-2"], PAPERS.map(|(_, check)| check));
    ceremony.args(["--component-fd", "4", "--component-fd", "3"]);
    let mut command = Command::new("sh");
    command.args(["-c", "exec \"$0\" \"$@\" 4<\"$FIRST\" 3<\"$SECOND\""]);
    command.env("FIRST", bench.file("component-1")).env("SECOND", bench.file("component-2"));
    command.arg(ceremony.get_program()).args(ceremony.get_args()).stdin(Stdio::null());
    let run = finished(&mut command);
    assert!(!PAPERS.iter().any(|(component, _)| format!("{run:?}").contains(component)));
    assert_makes_the_key(&bench, &run);
}

/// Each ends without a key, with its record, and exit code 3.
#[test]
fn one_person_and_a_wrong_paper_make_none() {
    let bench = bench();
    let checks = PAPERS.map(|(_, check)| check);
    for (custodians, checks, code, why) in [
        (["cus-1", "cus-1"], checks, "approval-same-person", "asked"),
        (["cus-1", "op-0117"], checks, "role", "asked"),
        (["cus-1", "cus-2"], [checks[0], "F5DFD8"], "ceremony-aborted", "component-check"),
        (["cus-1", "cus-2"], [checks[1], checks[1]], "ceremony-aborted", "component-check"),
    ] {
        let mut command = begun(&bench);
        with_papers(&bench, with_files(&bench, &mut command), custodians, checks);
        let run = finished(&mut command);
        assert_eq!((run.exit, &run.event("error").unwrap()["code"]), (Some(3), &code.into()), "{run:?}");
        let records = bench.records();
        assert_eq!(records.iter().rfind(|r| r["ev"] == "gk.abort").unwrap()["why"], why, "{run:?}");
        for (component, _) in PAPERS {
            assert!(!format!("{run:?}{records:?}").contains(component));
        }
    }
    // The custodian who gave component 1 in a ceremony that failed never gives component 2 in a later one.
    let mut command = begun(&bench);
    with_papers(&bench, with_files(&bench, &mut command), ["cus-2", "cus-1"], checks);
    let run = finished(&mut command);
    assert_eq!((run.exit, &run.event("error").unwrap()["code"]), (Some(3), &"state".into()), "{run:?}");
    assert!(bench.records().iter().all(|r| r["gk"] != "gk-new" || r["ev"] != "gk.import"));
}

/// A pseudo-terminal: what one end writes, the other reads.
fn terminal() -> (OwnedFd, PathBuf) {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let path = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
    (master, path.into())
}

#[test]
fn components_come_from_a_code_scanner() {
    let bench = bench();
    let (scanner, port) = terminal();
    let mut scanner = File::from(scanner);
    let mut command = begun(&bench);
    command.arg("--component-scanner").arg(&port);
    with_papers(&bench, &mut command, ["cus-1", "cus-2"], PAPERS.map(|(_, check)| check));
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut papers = PAPERS.iter();
    let mut said = String::new();
    for line in BufReader::new(child.stderr.take().unwrap()).lines() {
        let line = line.unwrap();
        if line.contains("Scan the component") {
            // What was scanned before the port was open does not count.
            while !matches!(ports::open(&port), Err(PortError::Busy { .. })) {
                std::thread::yield_now();
            }
            write!(scanner, "{}\r", papers.next().unwrap().0).unwrap();
        }
        said.push_str(&line);
    }
    let run = Run { stderr: said, ..Run::of(&child.wait_with_output().unwrap()) };
    assert_makes_the_key(&bench, &run);
}

/// What is asked, and the answer; the echo is off for what must not be seen.
fn answers() -> Vec<(&'static str, String)> {
    let pin = |user: &str| PEOPLE.iter().find(|person| person.id == user).unwrap().pin.to_owned();
    let mut answers = vec![("PIN of cus-1: ", pin("cus-1"))];
    for (user, (text, check)) in ["cus-1", "cus-2"].into_iter().zip(PAPERS) {
        answers.push(("Your ID:", user.to_owned()));
        if user == "cus-2" {
            // A slip of the hand: it is asked for again.
            answers.push(("PIN of cus-2: ", "111222".to_owned()));
        }
        answers.push(("PIN of cus-", pin(user)));
        if user == "cus-1" {
            answers.push(("(Base64): ", text[..87].to_owned()));
        }
        answers.push(("(Base64): ", text.to_owned()));
        answers.push(("from your paper:", check.to_lowercase()));
    }
    answers.push(("from its paper:", CHECK.to_owned()));
    answers
}

#[test]
fn two_people_at_one_terminal_make_a_key() {
    let bench = bench();
    let (master, path) = terminal();
    let slave = File::options().read(true).write(true).open(path).unwrap();
    let mut command = Command::new("setsid");
    command.args(["--ctty", "--wait"]).arg(keystation_tests::binaries::program("keystation"));
    command.arg("--data").arg(bench.data()).args([
        "--operator",
        "cus-1",
        "key",
        "ceremony",
        "--label",
        "gk-new",
    ]);
    command.args([
        "--group",
        "line-7",
        "--scope",
        "0ne00EMU001",
        "--slot",
        "secondary",
        "--check-value",
        CHECK,
    ]);
    bench.with_passphrase(&mut command);
    let mut child = command
        .stdin(Stdio::from(slave.try_clone().unwrap()))
        .stdout(Stdio::from(slave.try_clone().unwrap()))
        .stderr(Stdio::from(slave))
        .spawn()
        .unwrap();
    drop(command);
    let mut master = File::from(master);
    let (mut shown, mut seen, mut buffer) = (String::new(), 0, [0; 4096]);
    let mut answers = answers().into_iter();
    let mut next = answers.next();
    // The terminal ends with EIO when the last program has closed it.
    while let Ok(read @ 1..) = master.read(&mut buffer) {
        shown.push_str(&String::from_utf8_lossy(&buffer[..read]));
        while let Some((question, answer)) = &next
            && let Some(at) = shown[seen..].find(question)
        {
            seen += at + question.len();
            writeln!(master, "{answer}").unwrap();
            next = answers.next();
        }
    }
    assert!(child.wait().unwrap().success(), "{shown}");
    assert_eq!(next, None, "{shown}");
    for (component, _) in PAPERS {
        assert!(!shown.contains(&component[..20]), "the echo was off: {shown}");
    }
    let mut list = bench.keystation();
    let list = finished(list.args(["key", "list"]));
    let key = list.events.iter().find(|key| key["label"] == "gk-new").unwrap();
    assert_eq!((&key["check_value"], &key["how"]), (&CHECK.into(), &"ceremony".into()));
}
