//! Logs that are too large to be made for each run.

use std::path::Path;
use std::sync::atomic::AtomicU64;
use std::time::Instant;

use keystation_audit::{Paths, Reader};

use crate::append;
use crate::line;

/// Callers that append at once, so that a commit has many records.
const CALLERS: usize = 128;
/// Devices between two lines about how far it is.
const STRIDE: u64 = 250_000;

/// A closed log of `records` records, the genesis included, made by appending them. It stays for the next run.
pub(crate) fn log(directory: &Path, records: u64) -> Paths {
    let place = directory.join(format!("log-{records}"));
    let paths = Paths::in_dir(&place);
    if place.exists() {
        if Reader::open(&paths).and_then(|reader| reader.size()).is_ok_and(|size| size == records) {
            return paths;
        }
        std::fs::remove_dir_all(&place).unwrap();
    }
    eprintln!("  appending {records} records, kept in {}", place.display());
    let (paths, journal) = line::begin(&place);
    let next = AtomicU64::new(0);
    let devices = (records - 1) / 2;
    let start = Instant::now();
    let mut done = 0;
    while done < devices {
        let some = STRIDE.min(devices - done);
        append::key(&journal, &next, CALLERS, some);
        done += some;
        eprintln!("    {} records after {} s", 2 * done, start.elapsed().as_secs());
    }
    if records.is_multiple_of(2) {
        journal.append(&line::lock()).unwrap();
    }
    journal.close().unwrap();
    paths
}
