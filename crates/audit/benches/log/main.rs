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

mod append;
mod line;
mod row;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use row::Row;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let only = arguments.iter().position(|a| a == "--only").and_then(|at| arguments.get(at + 1)).cloned();
    let wanted = |row: &str| only.as_deref().is_none_or(|only| only == row);
    type Measure = fn(&Path) -> Row;
    let rows: [(&str, Measure); 2] = [("append", append::append), ("append-32", append::append_32)];
    for (name, measure) in rows.into_iter().filter(|(name, _)| wanted(name)) {
        let directory = fresh(name);
        println!("{}", measure(&directory).to_line());
        std::fs::remove_dir_all(&directory).unwrap();
    }
    ExitCode::SUCCESS
}

/// An empty directory on the disk that the build is on, not in a file system that lives in memory.
fn fresh(name: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("bench-{name}"));
    drop(std::fs::remove_dir_all(&directory));
    std::fs::create_dir_all(&directory).unwrap();
    directory
}
