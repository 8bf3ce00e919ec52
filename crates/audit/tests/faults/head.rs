//! Every system call that the head, its directory and the ballast need fails, once and from then on.
//!
//! `strace` makes them fail (`--inject`), so what runs is the program as it is.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use keystation_audit::{Paths, SystemClock};

use crate::board::Board;
use crate::shift::{RULES, Told, begin, hold, scratch, work};

/// Where the head is: on a medium of its own.
pub(crate) fn paths(directory: &Path) -> Paths {
    Paths { head: directory.join("medium/head.note"), ..Paths::in_dir(directory) }
}

/// Calls, and the files on which each is counted. `strace` counts for each thread by itself, so the calls of the opening
/// stand apart from those of the thread that writes.
const CALLS: &[(&str, &[&str])] = &[
    ("openat", &["medium/head.note", "ballast"]),
    ("read", &["medium/head.note"]),
    ("fallocate", &["ballast"]),
    ("openat", &["medium", "medium/head.note.tmp"]),
    ("write", &["medium/head.note.tmp"]),
    ("fsync", &["medium", "medium/head.note.tmp"]),
    ("rename", &["medium/head.note.tmp"]),
    ("openat", &["medium/head.tail"]),
    ("read", &["medium/head.tail"]),
    ("pwrite64", &["medium/head.tail"]),
    ("fdatasync", &["medium/head.tail"]),
    ("fdatasync", &["audit.db-wal"]),
];

/// A program of its own: a shift at the station in `directory`.
pub(crate) fn station(directory: &Path) -> ExitCode {
    // Its own look into the log would be among the calls that fail.
    let mut board = Board::new(7, None);
    let told = work(&paths(directory), RULES, &mut board, SystemClock::new().unwrap(), &mut |_| ());
    print!("{told}");
    ExitCode::SUCCESS
}

/// A shift in which calls fail; `false`: there were fewer calls.
fn shift(directory: &Path, inject: &str, files: &[PathBuf]) -> (Told, bool) {
    let report = directory.join("report");
    let mut command = Command::new("strace");
    command.args(["--follow-forks", "--quiet=all", "--output"]).arg(&report);
    command.args(["--trace", inject.split(':').next().unwrap(), "--inject", inject]);
    for file in files {
        command.arg("--trace-path").arg(file);
    }
    command.arg(std::env::current_exe().unwrap()).arg("station").arg(directory);
    let output = command.output().expect("strace is installed");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !stderr.contains("panicked"), "{inject}: {stderr}");
    let failed = std::fs::read_to_string(&report).unwrap().contains("(INJECTED)");
    (Told::read(&String::from_utf8(output.stdout).unwrap()), failed)
}

/// How often the result was recorded, the operator was told that it is not, and nothing was written.
#[derive(Debug, Default)]
struct Ends {
    recorded: u32,
    unrecorded: u32,
    untouched: u32,
}

/// A shift for each call that fails with `error`, alone or with all that `follow`.
fn sweep(error: &str, follow: &str) -> Ends {
    let mut ends = Ends::default();
    for (call, files) in CALLS {
        for at in 1.. {
            let directory = scratch();
            let paths = paths(directory.path());
            begin(&paths);
            // Made again when the log is opened, so that its calls are among those that fail.
            std::fs::remove_file(&paths.ballast).unwrap();
            let files: Vec<_> = files.iter().map(|file| directory.path().join(file)).collect();
            let inject = format!("{call}:error={error}:when={at}{follow}");
            let (told, failed) = shift(directory.path(), &inject, &files);
            hold(&paths, &told, &inject);
            match (failed, told.passed(), told.touched) {
                (false, passed, _) => {
                    assert!(passed, "{inject}: {told:?}");
                    assert!(at > 1, "{call} of {files:?} never happened: nothing was tested");
                    break;
                }
                (true, true, _) => ends.recorded += 1,
                (true, false, true) => ends.unrecorded += 1,
                (true, false, false) => ends.untouched += 1,
            }
        }
    }
    eprint!("{error}{follow}: {ends:?} ");
    ends
}

pub(crate) fn the_head_fails_once() {
    let ends = sweep("EIO", "");
    assert!(ends.unrecorded >= 2 && ends.untouched >= 10);
}

pub(crate) fn the_head_fails_from_one_call_on() {
    let ends = sweep("EIO", "+");
    assert!(ends.unrecorded >= 2 && ends.untouched >= 10);
}

/// The ballast makes room for the head too, where that lies beside the database.
pub(crate) fn the_head_finds_no_room_once() {
    let ends = sweep("ENOSPC", "");
    assert!(ends.recorded >= 8 && ends.unrecorded == 0);
}
