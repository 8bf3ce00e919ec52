//! Room on the disk: none is promised away that a result will need.
//!
//! An intent is refused while there is little room, so that whatever was begun can be ended. Against others who fill the
//! disk meanwhile stands the ballast: a file that is given up when a write finds no room, so that the result of a device
//! that has been written still gets its record.

use std::error::Error;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use keystation_core::record::Event;
use rusqlite::ffi;
use rustix::fs::{FallocateFlags, fallocate, statvfs};

use crate::files::{self, FileError, Paths};
use crate::writer::StorageFailure;

const MIB: u64 = 1 << 20;

/// How much room there has to be. All in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpaceRules {
    /// Below it the station warns.
    pub warn: u64,
    /// Below it no intent is taken.
    pub refuse: u64,
    /// Size of the ballast.
    pub ballast: u64,
}

impl Default for SpaceRules {
    fn default() -> Self {
        Self { warn: 2000 * MIB, refuse: 500 * MIB, ballast: 4 * MIB }
    }
}

/// Why no intent is taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpaceRefusal {
    /// Too little room.
    #[error("{free} bytes are free on the file system of {}, {refuse} have to be", place.display())]
    Low {
        /// A directory of that file system.
        place: PathBuf,
        /// Bytes that are free.
        free: u64,
        /// The limit, in bytes.
        refuse: u64,
    },
    /// There was no room for the ballast when the log was opened.
    #[error("there was no room for the ballast when the log was opened")]
    NoBallast,
    /// The ballast had to be given up for a record.
    #[error("the disk was full, and the ballast was given up for the last records")]
    BallastGivenUp,
    /// The system does not say how much room there is.
    #[error("the free space of {} cannot be read: {why}", place.display())]
    Unknown {
        /// The directory.
        place: PathBuf,
        /// What the system said.
        why: String,
    },
}

/// The file system with the least room, of those that the log needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Free {
    pub(crate) bytes: u64,
    directory: PathBuf,
    /// `data` or `head`.
    place: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ballast {
    Whole,
    Missing,
    GivenUp,
}

/// The room that one log has.
pub(crate) struct Space {
    rules: SpaceRules,
    directories: [(&'static str, PathBuf); 2],
    file: PathBuf,
    ballast: Ballast,
}

impl Space {
    /// Makes the ballast whole, where there is room for it.
    pub(crate) fn open(paths: &Paths, rules: SpaceRules) -> Result<Self, FileError> {
        let ballast = make(&paths.ballast, rules.ballast)?;
        let directories = [("data", directory(&paths.db)), ("head", directory(&paths.head))];
        Ok(Self { rules, directories, file: paths.ballast.clone(), ballast })
    }

    /// What is free for this program (`f_bavail`: what is reserved for root is not).
    pub(crate) fn look(&self) -> Result<Free, SpaceRefusal> {
        let mut least: Option<Free> = None;
        for (place, directory) in &self.directories {
            let found = statvfs(directory).map_err(|e| SpaceRefusal::Unknown {
                place: directory.clone(),
                why: io::Error::from(e).to_string(),
            })?;
            let bytes = found.f_bavail.saturating_mul(found.f_frsize);
            if least.as_ref().is_none_or(|least| bytes < least.bytes) {
                least = Some(Free { bytes, directory: directory.clone(), place });
            }
        }
        Ok(least.expect("there are two directories"))
    }

    /// Whether a device may be begun.
    pub(crate) fn admits(&self, free: &Result<Free, SpaceRefusal>) -> Result<(), SpaceRefusal> {
        match (self.ballast, free) {
            (Ballast::Missing, _) => Err(SpaceRefusal::NoBallast),
            (Ballast::GivenUp, _) => Err(SpaceRefusal::BallastGivenUp),
            (Ballast::Whole, Err(unknown)) => Err(unknown.clone()),
            (Ballast::Whole, Ok(free)) if free.bytes < self.rules.refuse => Err(SpaceRefusal::Low {
                place: free.directory.clone(),
                free: free.bytes,
                refuse: self.rules.refuse,
            }),
            (Ballast::Whole, Ok(_)) => Ok(()),
        }
    }

    /// Whether so little is free that the station warns.
    pub(crate) const fn is_low(&self, free: &Free) -> bool {
        free.bytes < self.rules.warn
    }

    /// The record that is due when the room is `free` and the log says `said_low`. It is said again that there is room
    /// only when a tenth more is free than the limit, or a disk that is just about full would fill the log.
    pub(crate) fn crossing(&self, free: &Free, said_low: bool) -> Option<Event> {
        if !said_low && self.is_low(free) {
            return Some(self.low(free, false));
        }
        let enough = self.rules.warn.saturating_add(self.rules.warn / 10);
        (said_low && free.bytes >= enough).then_some(Event::SpaceOk { free_mib: free.bytes / MIB })
    }

    /// The record that the ballast was given up.
    pub(crate) fn low(&self, free: &Free, ballast_given_up: bool) -> Event {
        Event::SpaceLow {
            place: free.place,
            free_mib: free.bytes / MIB,
            warn_mib: self.rules.warn / MIB,
            ballast_given_up,
        }
    }

    pub(crate) fn ballast_given_up(&self) -> bool {
        self.ballast == Ballast::GivenUp
    }

    /// Gives the ballast up if that is what `failure` wants. `true`: the same may be tried again, once.
    pub(crate) fn give_way(&mut self, failure: &StorageFailure) -> bool {
        if self.ballast != Ballast::Whole || !self.is_want_of_space(failure) {
            return false;
        }
        // From now on it is not whole, whatever becomes of the attempt.
        self.ballast = Ballast::GivenUp;
        // The flush: some file systems reuse a block only when its release is on the disk.
        let emptied = OpenOptions::new()
            .write(true)
            .open(&self.file)
            .and_then(|file| file.set_len(0).and_then(|()| file.sync_all()));
        // What failed stays failed then, and is what the caller is told.
        emptied.is_ok()
    }

    fn is_want_of_space(&self, failure: &StorageFailure) -> bool {
        match failure {
            StorageFailure::Database(rusqlite::Error::SqliteFailure(e, _)) => match e.extended_code {
                ffi::SQLITE_FULL => true,
                // A quota, or no room for the shared memory beside the database: SQLite does not say which error it
                // was, so the file system is asked.
                ffi::SQLITE_IOERR_WRITE | ffi::SQLITE_IOERR_SHMSIZE => {
                    self.grows().is_err_and(|e| is_full(&e))
                }
                _ => false,
            },
            StorageFailure::Database(_) => false,
            StorageFailure::Head(e) => {
                e.source().and_then(|e| e.downcast_ref::<io::Error>()).is_some_and(is_full)
            }
        }
    }

    /// Whether the file system has room for 64 KiB more.
    fn grows(&self) -> io::Result<()> {
        let file = OpenOptions::new().write(true).open(&self.file)?;
        fallocate(&file, FallocateFlags::empty(), self.rules.ballast, 64 * 1024)?;
        file.set_len(self.rules.ballast)
    }
}

/// ENOSPC or EDQUOT.
fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

fn directory(file: &Path) -> PathBuf {
    match file.parent() {
        Some(parent) if parent != Path::new("") => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// A file of `size` bytes that has all its blocks: a sparse one would have no room to give.
fn make(path: &Path, size: u64) -> Result<Ballast, FileError> {
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true).mode(0o600);
    let make = || {
        let mut file = options.open(path)?;
        let found = file.metadata()?;
        if found.len() == size && found.blocks().saturating_mul(512) >= size {
            return Ok(Ballast::Whole);
        }
        file.set_len(0)?;
        let allocated = match fallocate(&file, FallocateFlags::empty(), 0, size) {
            Err(rustix::io::Errno::OPNOTSUPP) => fill(&mut file, size),
            allocated => allocated.map_err(Into::into),
        };
        match allocated.and_then(|()| file.sync_all()) {
            Ok(()) => Ok(Ballast::Whole),
            Err(e) if is_full(&e) || e.kind() == io::ErrorKind::FileTooLarge => {
                // What there was room for is of more use to the log.
                file.set_len(0)?;
                Ok(Ballast::Missing)
            }
            Err(e) => Err(e),
        }
    };
    match make() {
        Err(e) if is_full(&e) => Ok(Ballast::Missing),
        Err(e) => Err(FileError::new("allocate", path)(e)),
        Ok(ballast) => files::sync_directory(path).map(|()| ballast),
    }
}

/// For file systems that cannot allocate without writing.
fn fill(file: &mut File, size: u64) -> io::Result<()> {
    io::copy(&mut io::Read::take(io::repeat(0), size), file)?;
    file.flush()
}
