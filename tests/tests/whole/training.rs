//! Training: every FAIL is seen, and nothing of production is touched.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use keystation_tests::bench::{Bench, Killed, finished};
use keystation_tests::binaries::program;
use serde_json::Value;

/// Every file under `root` but the training, with its bytes and its time of change.
fn everything(root: &Path) -> BTreeMap<PathBuf, (Vec<u8>, std::time::SystemTime)> {
    let mut files = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let (path, kind) = entry.map(|e| (e.path(), e.file_type().unwrap())).unwrap();
            if path == root.join("training") {
                continue;
            }
            if kind.is_dir() {
                folders.push(path);
            } else {
                let changed = path.symlink_metadata().unwrap().modified().unwrap();
                files.insert(path.clone(), (fs::read(&path).unwrap(), changed));
            }
        }
    }
    files
}

/// Trains in `data` until each of `endings` was seen, then ends the program. Under strace(1) where a trace is asked for.
fn train(data: &Path, endings: &[&str], trace: Option<&Path>) -> Vec<Value> {
    let keystation = program("keystation");
    let mut command = match trace {
        None => Command::new(&keystation),
        Some(trace) => {
            let mut strace = Command::new("strace");
            strace.args([
                "--follow-forks",
                "--quiet=all",
                "--trace=%file",
                "--decode-fds=path",
                "--string-limit=4096",
            ]);
            strace.arg("--output").arg(trace).arg(&keystation);
            strace
        }
    };
    command.arg("--data").arg(data).args(["--json", "run", "--training"]);
    let mut running = Killed(command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap());
    let mut wanted: BTreeSet<_> = endings.iter().copied().collect();
    let mut events = Vec::new();
    let mut lines = BufReader::new(running.0.stdout.take().unwrap()).lines();
    while !wanted.is_empty() {
        let line = lines.next().expect("it trains on").unwrap();
        let event: Value = serde_json::from_str(&line).unwrap_or_else(|e| panic!("{line}: {e}"));
        let ending = event["code"].as_str().or(event["event"].as_str()).unwrap().to_owned();
        wanted.remove(ending.as_str());
        events.push(event);
    }
    let id = match trace {
        None => running.0.id(),
        // The one that strace started.
        Some(_) => {
            let children = format!("/proc/{0}/task/{0}/children", running.0.id());
            fs::read_to_string(children).unwrap().trim().parse().unwrap()
        }
    };
    assert!(Command::new("kill").args(["-TERM", &id.to_string()]).status().unwrap().success());
    // To its end, or it could be told nothing more.
    for line in lines {
        events.push(serde_json::from_str(&line.unwrap()).unwrap());
    }
    running.0.wait().unwrap();
    events
}

/// Paths that a trace shows to have been opened for writing, made, renamed or removed.
fn written(trace: &Path) -> Vec<String> {
    const CHANGING: [&str; 14] = [
        "creat",
        "mkdir",
        "mkdirat",
        "mknod",
        "mknodat",
        "rename",
        "renameat",
        "renameat2",
        "unlink",
        "unlinkat",
        "rmdir",
        "symlink",
        "symlinkat",
        "link",
    ];
    let mut paths = Vec::new();
    for line in fs::read_to_string(trace).unwrap().lines() {
        let call = line.split_once(' ').map_or(line, |(_, call)| call.trim_start());
        let Some((name, arguments)) = call.split_once('(') else { continue };
        let opens = name.starts_with("open")
            && ["O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC"].iter().any(|f| arguments.contains(f));
        if opens
            || CHANGING.contains(&name)
            || name.starts_with("chmod")
            || name.starts_with("fchmodat")
            || name == "truncate"
        {
            let parts: Vec<_> = arguments.split('"').collect();
            for (before, name) in parts.iter().zip(parts.iter().skip(1)).step_by(2) {
                // A name is within the directory whose descriptor stands before it.
                let base = before.rsplit_once('<').and_then(|(_, path)| path.split_once('>'));
                let path = base.map_or_else(|| PathBuf::from(name), |(base, _)| Path::new(base).join(name));
                paths.push(path.display().to_string());
            }
        }
    }
    paths
}

#[test]
fn a_trainee_sees_every_fail_and_nothing_of_production_is_opened_for_writing() {
    let bench = Bench::quick();
    // As deep as it gets: the production log is at rest, and its training is beside it.
    let before = everything(&bench.data());
    let trace = bench.file("trace");
    let events = train(&bench.data(), &["pass", "not-kept", "swapped", "wrong-label"], Some(&trace));
    assert_eq!(everything(&bench.data()), before, "not a byte, not a time");
    bench.assert_log_intact();

    let training = bench.data().join("training");
    let inside = |path: &str| Path::new(path).starts_with(&training);
    let touched: Vec<_> =
        written(&trace).into_iter().filter(|path| Path::new(path).starts_with(bench.data())).collect();
    assert!(touched.iter().filter(|path| inside(path)).count() > 20, "the trace is one of a training");
    let outside: Vec<_> = touched.iter().filter(|path| !inside(path)).collect();
    // The directory of the station is there already.
    assert!(outside.iter().all(|path| Path::new(path) == bench.data()), "{outside:?}");
    // Not even read: the vault, the log and the keys of production.
    let text = fs::read_to_string(&trace).unwrap();
    for file in ["vault.age", "audit.db", "station.key", "people.json", "pepper.key", "station.toml"] {
        let path = format!("\"{}\"", bench.data().join(file).display());
        assert!(!text.contains(&path), "{path}");
    }

    assert_eq!((&events[0]["event"], &events[0]["operator"]), (&"training".into(), &"trainee".into()));
    let said = events.iter().filter(|event| event["event"] == "pass" || event["event"] == "fail");
    assert!(said.clone().count() >= 4 && said.clone().all(|event| event["training"] == true), "{events:?}");
}

/// The headless binary on the log of the training that was.
fn look(bench: &Bench, arguments: &[&str]) -> keystation_tests::bench::Run {
    let mut command = Command::new(program("keystation"));
    command.arg("--data").arg(bench.data().join("training")).arg("--json").args(arguments);
    finished(command.stdin(Stdio::null()))
}

#[test]
fn what_a_training_exports_says_so_and_it_proves_nothing() {
    let bench = Bench::in_place(tempfile::tempdir().unwrap());
    // A machine without a station trains, too.
    train(&bench.data(), &["pass", "not-kept"], None);
    let first = |file: &Path| fs::read_to_string(file).unwrap().lines().next().unwrap().to_owned();
    let out = |name: &str| bench.file(name).display().to_string();
    for (arguments, name) in [
        (vec!["audit", "list", "--out"], "list.csv"),
        (vec!["audit", "list", "--format", "jsonl", "--out"], "list.jsonl"),
        (vec!["audit", "report", "shift", "--csv"], "shift.csv"),
    ] {
        let file = out(name);
        let run = look(&bench, &[&arguments[..], &[&file]].concat());
        assert_eq!(run.exit, Some(0), "{run:?}");
        assert!(first(&bench.file(name)).contains("TRAINING"), "{name}");
    }
    let sheet = out("sheet.pdf");
    let log = look(&bench, &["audit", "show"]);
    let record = log.events.iter().find(|record| record["ev"] == "inject.result").unwrap();
    // There is no work order in a training: the sheet is that of devices without.
    let run = look(&bench, &["audit", "sheet", "--job", "", "--out", &sheet]);
    assert_eq!(run.exit, Some(0), "{run:?}");
    let text = Command::new("pdftotext").args([&sheet, "-"]).output().unwrap();
    assert!(String::from_utf8_lossy(&text.stdout).matches("TRAINING").count() >= 4, "{text:?}");
    for (arguments, name) in [
        (vec!["audit", "proof", "--id", record["rid"].as_str().unwrap(), "--out"], "proof"),
        (vec!["audit", "export", "--read-only", "--out"], "bundle"),
    ] {
        let file = out(name);
        let run = look(&bench, &[&arguments[..], &[&file]].concat());
        assert_eq!((run.exit, &run.events[0]["code"]), (Some(2), &"training-no-proof".into()), "{run:?}");
        assert!(!bench.file(name).exists());
    }
    assert!(log.events.iter().all(|record| record["log"].as_str().unwrap().ends_with("/training/1")));

    // It is opened as a training, and as nothing else; and no station takes its name.
    let opened = look(&bench, &["selftest", "--inspect"]);
    assert_eq!((opened.exit, &opened.events[0]["code"]), (Some(2), &"training-only".into()), "{opened:?}");
    let named = bench.run(&["init", "--origin", "keylog.example.com/plant7/training"]);
    assert_eq!((named.exit, &named.events[0]["code"]), (Some(2), &"training-name".into()), "{named:?}");
    let made = bench.run(&["init", "--origin", "keylog.example.com/plant7/stn03"]);
    assert_eq!(made.exit, Some(0), "a training is in nobody's way: {made:?}");
}

#[test]
fn two_trainings_at_one_place_are_one() {
    let bench = Bench::in_place(tempfile::tempdir().unwrap());
    let mut first = Command::new(program("keystation"));
    first.arg("--data").arg(bench.data()).args(["--json", "run", "--training"]);
    let mut first = Killed(first.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap());
    let mut line = String::new();
    BufReader::new(first.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let second = bench.run(&["run", "--training"]);
    assert_eq!((second.exit, &second.events[0]["code"]), (Some(4), &"training-in-use".into()), "{second:?}");
}
