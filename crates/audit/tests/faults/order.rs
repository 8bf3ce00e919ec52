//! In which order a station has the disk flush: what a power cut may take is only what nobody was told of.
//!
//! A shift is watched by `strace`. A file is *dirty* from a write until a flush of it has returned.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use crate::head::paths;
use crate::shift::{Told, begin, scratch};

/// A system call that has returned: its name, and the file that it was about.
type Call = (String, String);

/// The calls of a report in the order in which they returned. `strace` cuts a call in two where another thread comes between.
fn calls(report: &str) -> Vec<Call> {
    let mut begun: BTreeMap<&str, Call> = BTreeMap::new();
    let mut calls = Vec::new();
    for line in report.lines() {
        let Some((pid, rest)) = line.split_once(' ') else { continue };
        let rest = rest.trim_start();
        if rest.starts_with("<... ") {
            calls.extend(begun.remove(pid));
            continue;
        }
        let Some((name, arguments)) = rest.split_once('(') else { continue };
        // `fdatasync(7</place/head.tail>)`, or for a rename the new name, in quotes, the last.
        let file = match name {
            "rename" => arguments.rsplit('"').nth(1),
            _ => arguments.split_once('<').and_then(|(_, rest)| Some(rest.split_once('>')?.0)),
        };
        let file = file.and_then(|file| file.rsplit('/').next()).unwrap_or_default().to_owned();
        let call = (name.to_owned(), file);
        if line.ends_with("<unfinished ...>") {
            begun.insert(pid, call);
        } else {
            calls.push(call);
        }
    }
    calls
}

/// What a power cut could take at a moment at which it must not.
fn broken(calls: &[Call]) -> Vec<String> {
    let mut dirty = BTreeSet::new();
    let mut broken = Vec::new();
    for (name, file) in calls {
        match (name.as_str(), file.as_str()) {
            ("pwrite64" | "write", file) => {
                // One entry after the other: nothing is added behind one that may not be there.
                if file == "head.tail" && dirty.contains(file) {
                    broken.push("an entry of the tail was not flushed before the next write".to_owned());
                }
                if file == "head.tail" && dirty.contains("medium") {
                    broken.push("the tail was written before the head had its name for good".to_owned());
                }
                dirty.insert(file.to_owned());
            }
            ("fdatasync" | "fsync", file) => {
                dirty.remove(file);
            }
            ("rename", "head.note") => {
                for file in ["audit.db-wal", "head.note.tmp", "head.tail"] {
                    if dirty.contains(file) {
                        broken.push(format!("the head was replaced while {file} was not flushed"));
                    }
                }
                dirty.insert("medium".to_owned());
            }
            _ => {}
        }
    }
    broken
}

pub(crate) fn the_disk_is_flushed_in_order() {
    let directory = scratch();
    begin(&paths(directory.path()));
    let report = directory.path().join("report");
    let output = Command::new("strace")
        .args(["--follow-forks", "--quiet=all", "--decode-fds=path", "--output"])
        .arg(&report)
        .args(["--trace", "pwrite64,write,fdatasync,fsync,rename"])
        .arg(std::env::current_exe().unwrap())
        .arg("station")
        .arg(directory.path())
        .output()
        .expect("strace is installed");
    assert!(output.status.success(), "{output:?}");
    assert!(Told::read(&String::from_utf8(output.stdout).unwrap()).passed());
    let calls = calls(&std::fs::read_to_string(report).unwrap());
    let count = |name: &str, file: &str| calls.iter().filter(|call| call.0 == name && call.1 == file).count();
    // Start record, intent, result; and the head at the end.
    assert!(count("fdatasync", "head.tail") >= 3 && count("rename", "head.note") >= 1, "{calls:?}");
    assert!(count("pwrite64", "audit.db-wal") > 3 && count("fdatasync", "audit.db-wal") >= 1, "{calls:?}");
    assert_eq!(broken(&calls), Vec::<String>::new(), "{calls:?}");

    // The control: without the flushes of either file, or with the head first, it would be seen.
    for file in ["head.tail", "audit.db-wal"] {
        let without: Vec<_> =
            calls.iter().filter(|(name, of)| !name.ends_with("sync") || of != file).cloned().collect();
        assert!(!broken(&without).is_empty(), "nobody would miss the flushes of {file}");
    }
}
