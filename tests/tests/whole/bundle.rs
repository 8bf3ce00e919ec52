//! What is handed over to verifiers: that it is there whole or not at all, and recorded. Whether verifiers that share no
//! code with the station accept it is in `record.rs`.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use keystation_audit::{Paths, Reader};
use keystation_tests::bench::{Bench, PUBLISHED_ID, Run, finished};
use keystation_tests::binaries::program;
use keystation_tests::sim::Sim;

const JOB: &str = "WO-44192";

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn export(bench: &Bench, out: &Path, more: &[&str]) -> Run {
    bench.run(&[&["audit", "export", "--out", text(out)], more].concat())
}

/// A station that keyed a device without a work order, then the published one for a work order, and refused that once more.
fn worked() -> Bench {
    let bench = Bench::quick();
    let other = Sim::start(&bench.file("other"), 1, &["--serial", "SN-2", "--mac", "a4:cf:12:00:00:02"]);
    assert_eq!(bench.inject(&other.port(0)).exit, Some(0));
    let published = Sim::published(&bench.file("published"));
    let inject = |port: &Path| finished(&mut bench.inject_under(port, JOB)).exit;
    assert_eq!(inject(&published.port(0)), Some(0));
    assert_eq!(inject(&published.port(0)), Some(3));
    bench
}

/// The numbers of the records in a selection.
fn shown(directory: &Path) -> BTreeSet<u64> {
    let files = fs::read_dir(directory.join("records")).unwrap().map(|file| file.unwrap().file_name());
    files.map(|name| name.to_str().unwrap().strip_suffix(".json").unwrap().parse().unwrap()).collect()
}

#[test]
fn a_selection_has_what_was_asked_for_and_the_export_is_recorded() {
    let bench = worked();
    let records = bench.records();
    let of = |fits: &dyn Fn(&serde_json::Value) -> bool| -> BTreeSet<u64> {
        records.iter().filter(|record| fits(record)).map(|record| record["seq"].as_u64().unwrap()).collect()
    };
    let genesis = BTreeSet::from([0]);
    let device = of(&|record| record["rid"] == PUBLISHED_ID);
    assert_eq!(device.len(), 3, "intent, result, refusal");
    let today = records[0]["t"].as_str().unwrap()[..10].to_owned();
    let everything = of(&|_| true);
    for (name, options, expected) in [
        ("job", vec!["--job", JOB], &genesis | &device),
        ("device", vec!["--id", PUBLISHED_ID], &genesis | &device),
        ("days", vec!["--from", &today, "--read-only"], everything.clone()),
        ("past", vec!["--to", &today, "--read-only"], everything.clone()),
    ] {
        let out = bench.file(name);
        let made = export(&bench, &out, &options);
        assert_eq!(made.exit, Some(0), "{made:?}");
        let mut found = shown(&out);
        if options.contains(&"--read-only") {
            // The export before it, too.
            found.retain(|seq| everything.contains(seq));
        }
        assert_eq!(found, expected, "{name}");
        let event = made.event("export").unwrap();
        let record = event["record"].as_u64();
        assert_eq!(record.is_none(), options.contains(&"--read-only"));
        if let Some(record) = record {
            let records = bench.records();
            let recorded = &records[usize::try_from(record).unwrap()];
            assert_eq!(recorded["ev"], "export.bundle");
            assert_eq!((&recorded["records"], &recorded["size"]), (&event["records"], &event["size"]));
            assert_eq!(recorded[options[0].trim_start_matches("--").replace("id", "rid")], options[1]);
            assert_eq!(recorded["root"].as_str().unwrap().len(), 64);
        }
    }
    bench.assert_log_intact();
}

#[test]
fn a_station_that_runs_elsewhere_records_nothing_and_only_reads() {
    let bench = worked();
    let lock = fs::File::open(bench.data().join("audit.lock")).unwrap();
    lock.lock().unwrap();
    let before = bench.records().len();
    let out = bench.file("bundle");
    let refused = export(&bench, &out, &[]);
    assert_eq!(refused.event("error").unwrap()["code"], "station-in-use", "{refused:?}");
    assert!(!out.exists());
    let read = export(&bench, &out, &["--read-only"]);
    assert_eq!((read.exit, &read.event("export").unwrap()["records"]), (Some(0), &before.into()));
    let proof = bench.run(&["audit", "proof", "--id", PUBLISHED_ID, "--out", text(&bench.file("p"))]);
    assert_eq!(proof.exit, Some(0), "{proof:?}");
    assert_eq!(bench.records().len(), before);
}

#[test]
fn what_is_there_already_is_left_as_it_is() {
    let bench = Bench::quick();
    let folder = bench.file("folder");
    fs::create_dir(&folder).unwrap();
    let link = bench.file("link");
    symlink(bench.file("nowhere"), &link).unwrap();
    let to_folder = bench.file("to-folder");
    symlink(&folder, &to_folder).unwrap();
    let fifo = bench.file("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    // As a kill would leave it behind.
    fs::create_dir(bench.file("cut.part")).unwrap();
    fs::write(bench.file("cut.part/checkpoint"), "half").unwrap();
    let before = bench.records().len();
    for out in [&folder, &link, &to_folder, &fifo, &bench.file("cut")] {
        for verb in [&["export", "--read-only"][..], &["proof", "--id", PUBLISHED_ID][..]] {
            let refused = bench.run(&[&["audit"], verb, &["--out", text(out)]].concat());
            assert_eq!(
                refused.event("error").unwrap()["code"],
                "file-exists",
                "{}: {refused:?}",
                out.display()
            );
            assert_eq!(refused.exit, Some(2));
        }
    }
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
    assert!(!bench.file("nowhere").exists() && !bench.file("cut").exists());
    assert_eq!(fs::read_to_string(bench.file("cut.part/checkpoint")).unwrap(), "half");
    assert_eq!(bench.records().len(), before);
}

/// A disk that takes no file of more than two kilobytes.
#[test]
fn a_disk_that_is_full_leaves_nothing_half() {
    let bench = worked();
    // SQLite's shared memory is a file, and there while somebody reads.
    let reader = Reader::open(&Paths::in_dir(&bench.data())).unwrap();
    assert!(reader.size().unwrap() > 8);
    let out = bench.file("bundle");
    let limited = |verb: &[&str]| {
        let mut command = Command::new("sh");
        // The signal is ignored, so that the write itself fails, as it does on a full disk.
        command.args(["-c", "trap '' XFSZ; ulimit -f 4; exec \"$@\"", "sh"]).arg(program("keystation"));
        command.arg("--data").arg(bench.data()).arg("--json").args(verb);
        finished(&mut command)
    };
    let full = limited(&["audit", "export", "--read-only", "--out", text(&out)]);
    assert_eq!((full.exit, &full.event("error").unwrap()["code"]), (Some(4), &"disk".into()), "{full:?}");
    assert!(!out.exists() && !bench.file("bundle.part").exists());
    let proof = bench.file("device.tlog-proof");
    let full = limited(&["audit", "proof", "--id", PUBLISHED_ID, "--out", text(&proof)]);
    assert_eq!((full.exit, &full.event("error").unwrap()["code"]), (Some(4), &"disk".into()), "{full:?}");
    assert!(!proof.exists() && !bench.file("device.tlog-proof.part").exists());
    bench.assert_log_intact();
}
