//! `keystation-bundles DIR [COUNT]`: stations with what they hand over, for whoever attacks verifiers.
//!
//! Makes `DIR/00`, `DIR/01` and so on, each with
//!
//! ```text
//! data/               the station, closed; data/log.vkey is the key to verify with, data/station.key signs
//! bundle/             the whole log
//! selection/          one device of it, where the log has one
//! device.tlog-proof   the same device
//! ```
//!
//! The sizes are those at which a tree has another shape, and others in between; records of one size are never the same.
//! Built beside `keystation`, which it runs.
#![allow(clippy::print_stderr, reason = "a program for tests: it says how it is called")]

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use keystation_audit::{Journal, Paths};
use keystation_tests::binaries::program;
use keystation_tests::production::{Weeks, produce, rid};

/// Records of the first logs; those after them have some more than the one as many before.
const SIZES: [u64; 24] =
    [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 64, 100, 127, 128, 129, 255, 256, 257, 300, 511, 512, 513];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let count = match &arguments[..] {
        [_] => Some(40),
        [_, count] => count.parse().ok(),
        _ => None,
    };
    let Some(count) = count else {
        eprintln!("keystation-bundles DIR [COUNT]");
        return ExitCode::from(2);
    };
    let directory = PathBuf::from(&arguments[0]);
    for number in 0..count {
        let place = usize::try_from(number).expect("a count of directories");
        let size = SIZES[place % SIZES.len()] + 37 * (number / SIZES.len() as u64);
        station(&directory.join(format!("{number:02}")), number, size);
    }
    ExitCode::SUCCESS
}

/// A station with a log of `size` records, and its exports.
fn station(directory: &Path, number: u64, size: u64) {
    std::fs::create_dir_all(directory).expect("the directory can be made");
    let run = |arguments: &[&str]| {
        let mut command = Command::new(program("keystation"));
        let done = command.current_dir(directory).args(["--data", "data"]).args(arguments).output();
        let done = done.expect("keystation starts");
        assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
    };
    let name = format!("keylog.example.com/plant7/stn{number:02}");
    run(&["init", "--origin", &name]);
    let journal = Journal::open(&Paths::in_dir(&directory.join("data")), Weeks::after(number * 3_600_000));
    let journal = journal.expect("it was just made");
    // Few enough slots that there is room for the first device wherever there is room for one.
    produce(&journal, 1, size, (size / 16).clamp(1, 32));
    journal.close().expect("it took everything");
    run(&["audit", "export", "--read-only", "--out", "bundle"]);
    if size > 4 {
        run(&["audit", "export", "--read-only", "--out", "selection", "--id", &rid(1)]);
        run(&["audit", "proof", "--out", "device.tlog-proof", "--id", &rid(1)]);
    }
}
