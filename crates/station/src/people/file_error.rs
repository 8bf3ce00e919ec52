//! What is wrong with the files beside the log.

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// `people.json`, `pepper.key` or `tries.json` cannot be used. Nobody was signed in.
#[derive(Debug, thiserror::Error)]
pub enum PeopleFileError {
    /// It cannot be read.
    #[error("{} cannot be read", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// Others than its owner may read or write it.
    #[error("{} is not private: others than its owner may use it", .0.display())]
    Exposed(PathBuf),
    /// It is not what docs/people.md says.
    #[error("{} is damaged", .0.display())]
    Form(PathBuf),
    /// The pepper is gone, and with it every PIN.
    #[error("{} is gone: without it no PIN can be checked", .0.display())]
    NoPepper(PathBuf),
}

impl PeopleFileError {
    /// A stable name, for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "people-unreadable",
            Self::Exposed(_) => "people-exposed",
            Self::Form(_) => "people-damaged",
            Self::NoPepper(_) => "pepper-gone",
        }
    }

    /// What to do.
    #[must_use]
    pub const fn remedy(&self) -> &'static [&'static str] {
        match self {
            Self::Unreadable { .. } => &["Check the disk.", "Call the administrator."],
            Self::Exposed(_) => {
                &["If nobody else had access to this machine: chmod 600 mends it.", "Otherwise call QA."]
            }
            Self::Form(_) | Self::NoPepper(_) => {
                &["Leave all files as they are.", "Put back the newest copy of people.json and pepper.key."]
            }
        }
    }
}

/// Refuses a file that is none, that is somebody else's, or that others may use.
pub(super) fn private(file: &File, path: &Path) -> Result<(), PeopleFileError> {
    let metadata =
        file.metadata().map_err(|cause| PeopleFileError::Unreadable { path: path.to_owned(), cause })?;
    let mine = [0, rustix::process::geteuid().as_raw()].contains(&metadata.uid());
    if metadata.is_file() && mine && metadata.mode() & 0o077 == 0 {
        Ok(())
    } else {
        Err(PeopleFileError::Exposed(path.to_owned()))
    }
}
