//! The rows of the log in `cargo xtask bench`. Prints one JSON object a line, what it is doing on standard error.
//!
//! `cargo bench -p keystation-audit --bench log -- [--only ROW] [--records N]`

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::cast_precision_loss,
    reason = "a program for people and xtask: it talks, and stops where something fails"
)]

mod append; // durable appends
mod large; // logs of many records
mod line; // what a line writes down
mod row; // what is printed
mod search; // finding devices in a large log
mod verify; // checking a log
mod which_die; // the devices of a group key

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use row::Row;

/// Records of the large log, unless `--records` says otherwise.
const RECORDS: u64 = 10_000_000;

/// How a row is measured, in an empty directory, or in the one where the large logs stay.
enum Measure {
    Fresh(fn(&Path) -> Row),
    Large(fn(&Path, u64) -> Row),
}

const ROWS: [(&str, Measure); 6] = [
    ("append", Measure::Fresh(append::append)),
    ("append-32", Measure::Fresh(append::append_32)),
    ("verify", Measure::Large(verify::verify)),
    ("verify-memory", Measure::Large(verify::memory)),
    ("search", Measure::Large(search::search)),
    ("which-die", Measure::Large(which_die::which_die)),
];

fn main() -> ExitCode {
    // `cargo bench` adds it; `cargo test` starts this program without, to see that it builds.
    let (bench, arguments): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|argument| argument == "--bench");
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if let ["--peak", records, directory] = arguments[..] {
        verify::print_peak(Path::new(directory), records.parse().unwrap());
        return ExitCode::SUCCESS;
    }
    if bench.is_empty() {
        return ExitCode::SUCCESS;
    }
    let Some((only, records)) = options(&arguments) else {
        eprintln!("--only ROW, --records N (at least 1000); rows: {}", ROWS.map(|(name, _)| name).join(", "));
        return ExitCode::from(2);
    };
    for (name, measure) in ROWS.into_iter().filter(|(name, _)| only.is_none_or(|only| only == *name)) {
        eprintln!("{name} …");
        let row = match measure {
            Measure::Fresh(measure) => {
                let directory = fresh(name);
                let row = measure(&directory);
                std::fs::remove_dir_all(&directory).unwrap();
                row
            }
            Measure::Large(measure) => {
                let directory = place("bench-large");
                std::fs::create_dir_all(&directory).unwrap();
                measure(&directory, records)
            }
        };
        println!("{}", row.to_line());
    }
    ExitCode::SUCCESS
}

fn options<'a>(arguments: &[&'a str]) -> Option<(Option<&'a str>, u64)> {
    let (mut only, mut records) = (None, RECORDS);
    let (pairs, []) = arguments.as_chunks::<2>() else { return None };
    for [name, value] in pairs {
        match *name {
            "--only" if ROWS.iter().any(|(row, _)| row == value) => only = Some(*value),
            "--records" => records = value.parse().ok().filter(|records| *records >= 1000)?,
            _ => return None,
        }
    }
    Some((only, records))
}

/// On the disk that the build is on, not in a file system that lives in memory.
fn place(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

fn fresh(name: &str) -> PathBuf {
    let directory = place(&format!("bench-{name}"));
    if directory.exists() {
        std::fs::remove_dir_all(&directory).unwrap();
    }
    std::fs::create_dir_all(&directory).unwrap();
    directory
}
