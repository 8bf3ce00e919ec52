//! `verify`, `verify-memory`: how long it takes to check a log, and how much memory.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use keystation_audit::{Paths, Reader, Verdict};

use crate::large;
use crate::row::{Reach, Row, median};

/// Records of the log whose verification is timed.
const TIMED: u64 = 200_000;
/// Rounds; the sides take turns.
const ROUNDS: usize = 7;
/// The smaller one of the two logs whose memory is compared.
const SMALL: u64 = 10_000;

/// `Reader::verify` beside the `sha256sum` program over the bytes of the same records.
pub(crate) fn verify(directory: &Path, records: u64) -> Row {
    let records = records.min(TIMED);
    let paths = large::log(directory, records);
    let file = directory.join("records");
    write_bodies(&paths, &file);
    let (mut ours, mut peers, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let our = check(&paths, records);
        let start = Instant::now();
        let summed = Command::new("sha256sum").arg(&file).stdout(Stdio::null()).status().unwrap();
        let peer = start.elapsed().as_secs_f64();
        assert!(summed.success());
        ours.push(our);
        peers.push(peer);
        ratios.push(our / peer);
    }
    Row {
        row: "verify",
        ours: median(&mut ours),
        peer: Some(median(&mut peers)),
        ratio: Some(median(&mut ratios)),
        reach: Reach::AtMost(2.0),
        unit: "s",
        how: format!(
            "every record, hash and derived row of {records} records; the peer is sha256sum over the bytes of the records in one \
             file; median of {ROUNDS} rounds in turns"
        ),
    }
}

fn write_bodies(paths: &Paths, file: &Path) {
    let mut file = BufWriter::new(File::create(file).unwrap());
    let reader = Reader::open(paths).unwrap();
    let write = |record: &keystation_audit::Record<'_>| {
        file.write_all(record.json().as_bytes()).unwrap();
        ControlFlow::Continue(())
    };
    reader.records(.., None, write).unwrap();
    file.flush().unwrap();
}

/// Verifies a log that is intact; seconds.
fn check(paths: &Paths, records: u64) -> f64 {
    let start = Instant::now();
    let verdict = Reader::open(paths).unwrap().verify().unwrap();
    let took = start.elapsed().as_secs_f64();
    match verdict {
        Verdict::Intact { checkpoint, .. } => assert_eq!(checkpoint.size, records),
        Verdict::Damaged { findings, .. } => panic!("{findings:#?}"),
    }
    took
}

/// The most memory that a process needs that verifies ten thousand records, and one that verifies all.
pub(crate) fn memory(directory: &Path, records: u64) -> Row {
    let small = peak(directory, SMALL.min(records));
    let large = peak(directory, records);
    Row {
        row: "verify-memory",
        ours: large,
        peer: Some(small),
        ratio: Some(large / small),
        // What differs is how full the caches of SQLite are.
        reach: Reach::AtMost(1.25),
        unit: "MiB",
        how: format!(
            "peak memory of a process that verifies {records} records; the peer verifies {}",
            SMALL.min(records)
        ),
    }
}

/// MiB that a process of its own needs at most. It is this program again.
fn peak(directory: &Path, records: u64) -> f64 {
    let paths = large::log(directory, records);
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--peak", &records.to_string()])
        .arg(paths.db.parent().unwrap())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let kibibytes: f64 = String::from_utf8(output.stdout).unwrap().trim().parse().unwrap();
    kibibytes / 1024.0
}

/// Verifies and prints the peak of its own memory in KiB (`VmHWM`, Linux).
pub(crate) fn print_peak(directory: &Path, records: u64) {
    check(&Paths::in_dir(directory), records);
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    println!("{}", line.trim().trim_end_matches(" kB"));
}
