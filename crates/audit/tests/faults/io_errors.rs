//! Every call that SQLite makes fails once, and fails from then on.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use keystation_audit::{Journal, Paths, Reader, SystemClock};
use keystation_core::record::{Actor, Entry, Event};
use tempfile::TempDir;

use crate::board::Board;
use crate::shift::{RULES, Told, begin, heal, hold, scratch, work};
use crate::vfs::{Faults, Lasts, Plan, Trouble};

/// The files of a log at the beginning of a shift.
struct Start(Vec<(OsString, Vec<u8>)>);

impl Start {
    /// It was closed in good order.
    fn closed() -> Self {
        let directory = scratch();
        begin(&Paths::in_dir(directory.path()));
        Self::of(directory.path())
    }

    /// It was killed between a commit and its head, with records in the write-ahead log.
    fn killed() -> Self {
        let (directory, copy) = (scratch(), scratch());
        let paths = Paths::in_dir(directory.path());
        begin(&paths);
        let head = fs::read(&paths.head).unwrap();
        let journal = Journal::open(&paths, SystemClock::new().unwrap()).unwrap();
        for event in [Event::Unlock { custody: "sealed-file" }, Event::Lock] {
            journal.append(&Entry { actor: Actor::default(), event }).unwrap();
        }
        // By a program of its own: closing a descriptor here would drop the locks that SQLite holds.
        let files = directory.path().join(".");
        assert!(Command::new("cp").arg("-a").arg(files).arg(copy.path()).status().unwrap().success());
        fs::write(Paths::in_dir(copy.path()).head, head).unwrap();
        let start = Self::of(copy.path());
        assert!(start.0.iter().any(|(name, bytes)| name == "audit.db-wal" && bytes.len() > 4096));
        start
    }

    fn of(directory: &Path) -> Self {
        let files = fs::read_dir(directory).unwrap().map(Result::unwrap);
        // The ballast is made anew, and faster than it is copied.
        let kept = files.filter(|file| file.file_name() != "ballast");
        Self(kept.map(|file| (file.file_name(), fs::read(file.path()).unwrap())).collect())
    }

    fn copy(&self) -> TempDir {
        let directory = scratch();
        for (name, bytes) in &self.0 {
            fs::write(directory.path().join(name), bytes).unwrap();
        }
        let key = Paths::in_dir(directory.path()).key;
        fs::set_permissions(key, fs::Permissions::from_mode(0o600)).unwrap();
        directory
    }
}

/// How the shifts of a sweep ended.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Ends {
    calls: u64,
    /// The log did not open, or nothing was written to the device.
    untouched: u64,
    /// The device got its PASS all the same.
    passed: u64,
    /// Of these, with the ballast given up.
    from_ballast: u64,
    /// The operator was told that the device is keyed and its record is missing.
    unrecorded: u64,
}

/// A shift for each call that fails, until there are no more calls.
fn sweep(start: &Start, trouble: Trouble, lasts: impl Fn(PathBuf) -> Lasts) -> Ends {
    let mut ends = Ends::default();
    for at in 1.. {
        let directory = start.copy();
        let paths = Paths::in_dir(directory.path());
        let mut board = Board::new(7, Some(directory.path().to_owned()));
        let lasts = lasts(paths.ballast.clone());
        let case = format!("{trouble:?} at call {at}, {lasts:?}");
        let faults = Faults::plan(Plan { directory: directory.path().to_owned(), trouble, lasts, at });
        let told = work(&paths, RULES, &mut board, SystemClock::new().unwrap(), &mut |_| ());
        let failed = faults.failed();
        drop(faults);
        let given_up = paths.ballast.metadata().is_ok_and(|found| found.len() == 0);
        hold(&paths, &told, &case);
        if failed == 0 {
            assert!(told.passed() && !given_up, "{case}: nothing failed: {told:?}");
            return ends;
        }
        ends.calls += 1;
        match (told.passed(), told.touched) {
            (true, _) => ends.passed += 1,
            (false, true) => ends.unrecorded += 1,
            (false, false) => ends.untouched += 1,
        }
        if given_up {
            ends.from_ballast += u64::from(told.passed());
            assert_eq!(trouble, Trouble::Full, "{case}: an error is no want of space");
            let said = says_given_up(&paths);
            assert!(said || told.code() == "log-failed" || !last_was_acknowledged(&told), "{case}: {told:?}");
        }
        heal(&paths, &mut board, &told, &case);
    }
    unreachable!("no shift takes 2^64 calls")
}

fn last_was_acknowledged(told: &Told) -> bool {
    told.acknowledged.last().is_some_and(|(_, event)| event == "log.close")
}

/// Whether the log has the record that the ballast was given up.
fn says_given_up(paths: &Paths) -> bool {
    let reader = Reader::open(paths).unwrap();
    let mut said = false;
    let visit = |record: &keystation_audit::Record<'_>| {
        said |= record.event() == "space.low" && record.rc() == "ballast";
        std::ops::ControlFlow::Continue(())
    };
    reader.records(.., None, visit).unwrap();
    said
}

fn both(trouble: Trouble, lasts: impl Fn(PathBuf) -> Lasts) -> [Ends; 2] {
    let ends = [Start::closed(), Start::killed()].map(|start| sweep(&start, trouble, &lasts));
    eprintln!("{trouble:?}: after a close {:?}; after a kill {:?}", ends[0], ends[1]);
    ends
}

pub(crate) fn an_io_error_once() {
    for ends in both(Trouble::Error, |_| Lasts::Once) {
        assert!(ends.calls > 50 && ends.untouched > 0 && ends.unrecorded > 0, "{ends:?}");
    }
}

pub(crate) fn io_errors_from_one_call_on() {
    for ends in both(Trouble::Error, |_| Lasts::On) {
        assert!(ends.calls > 50 && ends.untouched > 0 && ends.unrecorded > 0, "{ends:?}");
    }
}

/// Whatever the moment: nothing was written to the device, or its result is in the log.
pub(crate) fn no_room_once() {
    for ends in both(Trouble::Full, |_| Lasts::Once) {
        assert!(ends.calls > 10 && ends.unrecorded == 0 && ends.from_ballast > 0, "{ends:?}");
    }
}

/// The same when only the ballast makes room.
pub(crate) fn no_room_but_the_ballast() {
    for ends in both(Trouble::Full, Lasts::UntilEmpty) {
        assert!(ends.calls > 10 && ends.unrecorded == 0 && ends.from_ballast > 0, "{ends:?}");
    }
}

/// Somebody takes the room of the ballast too: then the operator is told that the record is missing.
pub(crate) fn no_room_at_all() {
    for ends in both(Trouble::Full, |_| Lasts::On) {
        assert!(ends.calls > 10 && ends.untouched > 0 && ends.unrecorded > 0, "{ends:?}");
    }
}
