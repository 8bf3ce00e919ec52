//! Why a log could not be begun or opened.

use std::io;
use std::path::PathBuf;

use keystation_core::identity::IdentifierError;

use crate::append_error::AppendError;
use crate::files::FileError;
use crate::finding::Finding;
use crate::note::KeyError;
use crate::reader::ReadError;
use crate::schema;

/// A log that could not be begun or opened. Nothing may be injected.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another program writes it.
    #[error("another program is writing this log ({} is locked): close it first", .0.display())]
    InUse(PathBuf),
    /// There is something already where a log should be begun.
    #[error(
        "{} is there already, and a log is never begun over another one: take an empty directory, \
         or remove what an initialisation that was cut short left there", .0.display()
    )]
    Exists(PathBuf),
    /// A new epoch was begun and cut short.
    #[error("a new epoch was begun and not finished ({} says how far): give the order for it again", .0.display())]
    EpochUnfinished(PathBuf),
    /// There is no log, and no sign that there ever was one.
    #[error("there is no audit log at {}: initialise the station first", .0.display())]
    NoLog(PathBuf),
    /// A part of the log is gone.
    #[error(
        "{} is gone, but {} is there: records may be lost, so nothing may be injected and no new log is begun. \
         Leave everything as it is and call QA", missing.display(), present.display()
    )]
    Incomplete {
        /// What is gone.
        missing: PathBuf,
        /// What shows that it was there.
        present: PathBuf,
    },
    /// The key file can be read by others than its owner.
    #[error(
        "{} can be read or written by other users, so its signatures are worth nothing: \
         call QA; if nobody else had access to this machine, `chmod 600` mends it", .0.display()
    )]
    KeyExposed(PathBuf),
    /// The key file holds no key.
    #[error("{} holds no signing key: {why}. Bring it back from the backup of the station", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: KeyError,
    },
    /// The file is a database of another program.
    #[error("{} is not an audit log (application ID {id:#x})", path.display())]
    NotALog {
        /// The file.
        path: PathBuf,
        /// Whose database it says it is.
        id: i64,
    },
    /// The database is of another version of this program.
    #[error(
        "{} has structure {found}, this program knows structure {}: use the program that wrote it, or a newer one",
        path.display(), schema::USER_VERSION
    )]
    Version {
        /// The file.
        path: PathBuf,
        /// The structure it has.
        found: i64,
    },
    /// The log is not what its head and its checkpoint were signed for.
    #[error(
        "the audit log was changed or damaged. {0} Nothing may be injected: leave everything as it is, call QA"
    )]
    Integrity(Finding),
    /// A table that says who may do what is not what the records say.
    #[error(
        "{0} Somebody changed it past the log, so nothing may be injected: give it to QA, and have the tables made anew \
         (keystation audit rebuild). The records are as they were"
    )]
    Derived(Finding),
    /// The name of the key is no origin.
    #[error(transparent)]
    Origin(#[from] IdentifierError),
    /// A record could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// SQLite failed.
    #[error(
        "the audit database cannot be used, so nothing may be injected; \
         if it is malformed, leave everything as it is and call QA"
    )]
    Database(#[from] rusqlite::Error),
    /// A file beside the database failed.
    #[error(transparent)]
    File(#[from] FileError),
    /// The first record could not be made or stored.
    #[error("the first record of the log could not be written")]
    Genesis(#[source] AppendError),
    /// The system gives no random numbers for the key.
    #[error("the operating system gives no random numbers")]
    Random(#[from] getrandom::Error),
    /// The system starts no thread.
    #[error("the thread that writes the log could not be started")]
    Thread(#[source] io::Error),
}
