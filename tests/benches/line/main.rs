//! The rows of the line in `cargo xtask bench`: the real station and its log, and devices on pseudo-terminals: simulated
//! ones that are paced, in the same process, and emulated boards. Prints one JSON object a line, what it is doing on standard error.
//!
//! `cargo bench -p keystation-tests --bench line -- [--only ROW]`

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::cast_precision_loss,
    reason = "a program for people and xtask: it talks, and stops where something fails"
)]

mod qemu; // sixteen boards with the real firmware
mod rekey; // a batch of repair beside its own bytes
#[path = "../../../crates/audit/benches/log/row.rs"]
mod row; // what is printed
mod slots; // 32 slots beside one
mod station; // a station and its devices
mod wire; // one injection beside its own bytes

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use row::Row;

/// Measures a row. The directory is for devices and their cables: it is in memory, because the flash of a device and the name of its
/// port cost a station nothing, while a file system with a journal takes more of the processor for them than the station for a key.
type Measure = fn(&Path) -> Row;

const ROWS: [(&str, Measure); 5] = [
    ("inject-wire", wire::time),
    ("inject-bytes", wire::bytes),
    ("slots-32", slots::slots_32),
    ("rekey-batch", rekey::batch),
    ("qemu-16", qemu::qemu_16),
];

fn main() -> ExitCode {
    // `cargo bench` adds it; `cargo test` starts this program without, to see that it builds.
    let (bench, arguments): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|argument| argument == "--bench");
    if bench.is_empty() {
        return ExitCode::SUCCESS;
    }
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let only = match arguments[..] {
        [] => None,
        ["--only", row] if ROWS.iter().any(|(name, _)| *name == row) => Some(row),
        _ => {
            eprintln!("--only ROW; rows: {}", ROWS.map(|(name, _)| name).join(", "));
            return ExitCode::from(2);
        }
    };
    for (name, measure) in ROWS.into_iter().filter(|(name, _)| only.is_none_or(|only| only == *name)) {
        eprintln!("{name} …");
        let (devices, disk) = (fresh(Path::new("/dev/shm"), name), fresh(Path::new(station::DISK), name));
        let row = measure(&devices);
        std::fs::remove_dir_all(&devices).unwrap();
        std::fs::remove_dir_all(&disk).unwrap();
        println!("{}", row.to_line());
    }
    ExitCode::SUCCESS
}

/// An empty directory of this run.
fn fresh(parent: &Path, row: &str) -> PathBuf {
    let directory = parent.join(format!("keystation-bench-{row}"));
    if directory.exists() {
        std::fs::remove_dir_all(&directory).unwrap();
    }
    std::fs::create_dir_all(&directory).unwrap();
    directory
}
