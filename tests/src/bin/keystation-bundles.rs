//! `keystation-bundles DIR [COUNT]`: stations with what they hand over, for whoever attacks verifiers.
//!
//! For each station `00`, `01` and so on it makes, as `tests/attacks/attack.py --from DIR` wants them,
//!
//! ```text
//! 00/              the bundle of its whole log
//! 00.key           its station.key, which signs
//! 00.tlog-proof    a device of it, where its log has one
//! ```
//!
//! and for one in four `00-device/`, the bundle of that device. The sizes are those at which a tree has another shape, and others
//! in between. Built beside `keystation`, which it runs.
#![allow(clippy::print_stderr, reason = "a program for tests: it says how it is called")]

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use keystation_audit::{Journal, Paths};
use keystation_tests::binaries::program;
use keystation_tests::production::{Weeks, produce, rid};

/// Records of the first logs; those after them have some more than the one as many before.
const SIZES: [u64; 28] = [
    1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 64, 100, 127, 128, 129, 255, 256, 257, 300, 511, 512, 513, 768,
    1024, 1025, 3000,
];

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
        station(&directory, number, size);
    }
    ExitCode::SUCCESS
}

/// A station with a log of `size` records, and its exports in `directory` under its number.
fn station(directory: &Path, number: u64, size: u64) {
    std::fs::create_dir_all(directory).expect("the directory can be made");
    let home = tempfile::tempdir().expect("a temporary directory");
    let data = home.path().join("data");
    let run = |arguments: &[&str]| {
        let mut command = Command::new(program("keystation"));
        let done = command.current_dir(directory).arg("--data").arg(&data).args(arguments).output();
        let done = done.expect("keystation starts");
        assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
    };
    run(&["init", "--origin", &format!("keylog.example.com/plant7/stn{number:02}")]);
    let paths = Paths::in_dir(&data);
    let journal = Journal::open(&paths, Weeks::after(number * 3_600_000)).expect("it was just made");
    // Few enough slots that there is room for the first device wherever there is room for one.
    produce(&journal, 1, size, (size / 16).clamp(1, 32));
    journal.close().expect("it took everything");
    let name = format!("{number:02}");
    run(&["audit", "export", "--read-only", "--out", &name]);
    std::fs::copy(&paths.key, directory.join(format!("{name}.key"))).expect("init made it");
    if size > 4 {
        run(&["audit", "proof", "--id", &rid(1), "--out", &format!("{name}.tlog-proof")]);
        if number.is_multiple_of(4) {
            run(&["audit", "export", "--read-only", "--id", &rid(1), "--out", &format!("{name}-device")]);
        }
    }
}
