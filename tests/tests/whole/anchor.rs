//! A witness on another machine, and what the station does without it.

use std::path::Path;

use keystation_tests::bench::{Bench, LABEL, PUBLISHED_CHECK_VALUE, finished};
use keystation_tests::people;
use keystation_tests::sim::Sim;

/// A witness in the bench's folder that watches its log and that its settings name; no new job from `block` records on.
fn with_witness(bench: &Bench, block: u32) {
    let state = bench.file("witness");
    let made = bench.run(&["witness", "init", "--state", text(&state), "--name", "witness.example.com/qa"]);
    let vkey = made.event("witness").unwrap()["vkey"].as_str().unwrap().to_owned();
    let watched = bench.run(&[
        "witness",
        "add-log",
        "--state",
        text(&state),
        "--vkey",
        text(&bench.data().join("log.vkey")),
    ]);
    assert_eq!(watched.exit, Some(0), "{watched:?}");
    let settings = bench.data().join("station.toml");
    let before = std::fs::read_to_string(&settings).unwrap();
    std::fs::write(&settings, format!("{before}\n[[witness]]\nvkey = \"{vkey}\"\n")).unwrap();
    rule(bench, 1, block);
}

fn rule(bench: &Bench, warn: u32, block: u32) {
    let settings = bench.data().join("station.toml");
    let text = std::fs::read_to_string(&settings).unwrap();
    let lines = text.lines().map(|line| match line.split(' ').next() {
        Some("warn_records") => format!("warn_records = {warn}\n"),
        Some("block_records") => format!("block_records = {block}\n"),
        _ => format!("{line}\n"),
    });
    std::fs::write(&settings, lines.collect::<String>()).unwrap();
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn state(bench: &Bench) -> String {
    let status = bench.run(&["audit", "anchor", "status"]);
    status.event("anchor-status").unwrap()["state"].as_str().unwrap().to_owned()
}

#[test]
fn a_log_that_no_witness_saw_warns_then_blocks_new_jobs_until_one_did() {
    let bench = Bench::quick();
    let sim = Sim::start(&bench.file("sim"), 4, &[]);
    assert_eq!(state(&bench), "none");
    with_witness(&bench, 1000);
    assert_eq!(state(&bench), "due");
    let job = |port: usize, job: &str| {
        let port = sim.port(port);
        finished(&mut if job.is_empty() {
            bench.inject_command(&port)
        } else {
            bench.inject_under(&port, job)
        })
    };
    let first = job(0, "WO-1");
    assert_eq!(first.exit, Some(0), "due only warns: {first:?}");

    rule(&bench, 1, 12);
    assert_eq!(state(&bench), "overdue");
    assert_eq!(job(1, "WO-1").exit, Some(0), "a job that is under way is ended");
    // Not named is the one that is open: it has no device yet.
    for other in ["WO-2", ""] {
        let refused = job(2, other);
        assert_eq!(refused.exit, Some(3), "{other:?}: {refused:?}");
        let fail = refused.event("fail").unwrap();
        assert_eq!((&fail["code"], &fail["safety"]), (&"unsecured".into(), &"untouched".into()));
    }
    assert_eq!(sim.state(2)["generation"], 0);

    let (request, response) = (bench.file("request"), bench.file("response"));
    let asked = bench.run(&["audit", "anchor", "request", "--out", text(&request)]);
    assert_eq!(asked.exit, Some(0), "{asked:?}");
    let witness = bench.file("witness");
    let sign =
        ["witness", "sign", "--state", text(&witness), "--in", text(&request), "--out", text(&response)];
    assert_eq!(bench.run(&sign).exit, Some(0));
    assert_eq!(bench.run(&sign).exit, Some(3), "the request begins before what it cosigned");
    let accepted = bench.run(&["audit", "anchor", "accept", "--in", text(&response)]);
    assert_eq!(accepted.exit, Some(0), "{accepted:?}");
    assert!(bench.records().iter().any(|record| record["ev"] == "cp.anchor"));
    let keys = std::fs::read_to_string(bench.data().join("witness.vkeys")).unwrap();
    assert_eq!(keys, std::fs::read_to_string(witness.join("witness.vkey")).unwrap());
    assert_eq!(state(&bench), "due");
    assert_eq!(job(2, "WO-2").exit, Some(0));
    bench.assert_log_intact();

    let plain = bench.run(&["audit", "anchor", "accept", "--in", text(&bench.data().join("head.note"))]);
    assert_eq!(plain.exit, Some(3), "{plain:?}");
    assert_eq!(plain.event("error").unwrap()["code"], "not-cosigned");
}

/// A station that was copied, disk and all, has two logs of one name: two checkpoints prove it.
#[test]
fn a_cloned_station_is_proved_by_two_checkpoints() {
    let bench = Bench::quick();
    let head = |name: &str| {
        let file = bench.file(name);
        std::fs::copy(bench.data().join("head.note"), &file).unwrap();
        file
    };
    let before = head("before");
    let (here, clone) = (bench.file("here"), bench.file("clone"));
    let copy = |from: &Path, to: &Path| {
        let copied = std::process::Command::new("cp").arg("-aT").args([from, to]).status().unwrap();
        assert!(copied.success());
    };
    copy(&bench.data(), &clone);
    // The clone writes other records than the station: it unlocks with a wrong passphrase.
    let sim = Sim::published(&bench.file("sim"));
    assert_eq!(bench.inject(&sim.port(0)).exit, Some(0));
    let ours = head("ours");
    copy(&bench.data(), &here);
    std::fs::remove_dir_all(bench.data()).unwrap();
    copy(&clone, &bench.data());
    for _ in 0..3 {
        assert_eq!(bench.inject(Path::new("/dev/no-such-port")).exit, Some(1));
    }
    let theirs = head("theirs");

    let verdict = |a: &Path, b: &Path| {
        let run = bench.run(&["audit", "compare", text(a), text(b)]);
        let verdict = run.event("compare").unwrap_or_else(|| panic!("{run:?}"));
        (run.exit, verdict["verdict"].as_str().unwrap().to_owned(), verdict["proof"].clone())
    };
    // At the clone, whose log is the greater one.
    assert_eq!(verdict(&before, &theirs).1, "grown");
    let (exit, word, proof) = verdict(&ours, &theirs);
    assert_eq!((exit, word.as_str()), (Some(1), "two-logs"));
    assert!(!proof.as_array().unwrap().is_empty());
    // Neither the machine's name nor the order matters.
    assert_eq!(verdict(&theirs, &ours).1, "two-logs");
    assert_eq!(verdict(&ours, &ours).1, "two-logs", "one of them and the log itself");

    // On another PC only the checkpoints and the key are there.
    let vkey = bench.file("vkey");
    std::fs::copy(bench.data().join("log.vkey"), &vkey).unwrap();
    std::fs::remove_dir_all(bench.data()).unwrap();
    let run = bench.run(&["audit", "compare", text(&ours), text(&theirs), "--vkey", text(&vkey)]);
    assert_eq!((run.exit, &run.event("compare").unwrap()["verdict"]), (Some(2), &"unknown".into()));

    let other = Bench::stranger();
    let foreign = run_with(&bench, &ours, &other.data().join("head.note"), &vkey);
    assert_eq!(foreign.exit, Some(2));
    assert_eq!(
        foreign.event("error").unwrap()["code"],
        "checkpoint-foreign",
        "another station's log is another log"
    );
}

fn run_with(bench: &Bench, a: &Path, b: &Path, vkey: &Path) -> keystation_tests::bench::Run {
    bench.run(&["audit", "compare", text(a), text(b), "--vkey", text(vkey)])
}

/// A database that is gone is never replaced by an empty one; two people begin the next log, which says what it follows.
#[test]
fn a_lost_database_is_followed_by_a_log_that_says_so() {
    let bench = Bench::quick();
    let records = bench.records().len();
    std::fs::remove_file(bench.data().join("audit.db")).unwrap();
    let sim = Sim::published(&bench.file("sim"));
    assert_eq!(bench.inject(&sim.port(0)).exit, Some(4));
    assert!(!bench.data().join("audit.db").exists());
    let epoch = |operator: &str, approver: &str| {
        let reason = ["--reason", "the disk was replaced"];
        bench.run(
            &[&["--operator", operator, "audit", "new-epoch", "--approver", approver], &reason[..]].concat(),
        )
    };
    let alone = epoch("admin-1", "admin-1");
    assert_eq!(alone.exit, Some(3), "{alone:?}");
    let begun = epoch("admin-1", "admin-2");
    assert_eq!(begun.exit, Some(0), "{begun:?}");
    assert_eq!(begun.event("new-epoch").unwrap()["origin"], "keylog.example.com/plant7/stn03/2");
    let verified = bench.run(&["audit", "verify"]);
    assert_eq!(verified.exit, Some(0), "{verified:?}");
    let follows = verified.event("follows").unwrap();
    assert_eq!(
        (&follows["origin"], &follows["records"]),
        (&"keylog.example.com/plant7/stn03/1".into(), &records.into())
    );
    // Nothing of it could be read: nobody has an account in it.
    assert_eq!((&follows["carried"], &follows["carried_from"]), (&0.into(), &0.into()));
    assert_eq!(bench.inject(&sim.port(0)).exit, Some(3));
    people::settle(&bench.data());
    // Nor has it seen the group key, which lies in the vault: two custodians compare it with its paper first.
    let found = bench.inject(&sim.port(0));
    assert_eq!(
        (found.exit, &found.event("error").unwrap()["code"]),
        (Some(3), &"key-inactive".into()),
        "{found:?}"
    );
    let import = bench.records().into_iter().find(|record| record["ev"] == "gk.import").unwrap();
    assert_eq!((&import["how"], &import["op"], &import["op2"]), (&"found".into(), &"".into(), &"".into()));
    people::activate(&bench.data(), LABEL, PUBLISHED_CHECK_VALUE);
    assert_eq!(bench.inject(&sim.port(0)).exit, Some(0));

    // The next one follows a log that is there, and another log in its place is seen.
    assert_eq!(epoch("admin-1", "admin-2").exit, Some(0));
    let verified = bench.run(&["audit", "verify"]);
    assert_eq!(
        (verified.exit, &verified.event("follows").unwrap()["agrees"]),
        (Some(0), &true.into()),
        "{verified:?}"
    );
    // People, and the key that is in use, went on: the next device is keyed at once.
    let blank = Sim::start(&bench.file("blank"), 1, &["--serial", "SN-9", "--mac", "a4:cf:12:00:01:99"]);
    let keyed = bench.inject(&blank.port(0));
    assert_eq!(keyed.exit, Some(0), "{keyed:?}");
    let put_aside = usize::try_from(verified.event("follows").unwrap()["records"].as_u64().unwrap()).unwrap();
    let aside = bench.data().join("epochs/2");
    std::fs::remove_dir_all(&aside).unwrap();
    let other = Bench::stranger();
    while other.records().len() < put_aside {
        assert_eq!(other.inject(&sim.port(0)).exit, Some(3), "a keyed device: more records");
    }
    std::fs::rename(other.data(), &aside).unwrap();
    let verified = bench.run(&["audit", "verify"]);
    assert_eq!(
        (verified.exit, &verified.event("follows").unwrap()["agrees"]),
        (Some(1), &false.into()),
        "{verified:?}"
    );
}
