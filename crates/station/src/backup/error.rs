//! Why there is no backup, or no station out of one.

use std::io;
use std::path::PathBuf;

use crate::error::Exit;

/// A backup that was not made, or not restored. The station that is copied is as it was; where one should be made, none is.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// Something of the station changes faster than it can be copied.
    #[error("{} changes while it is copied", .0.display())]
    Changing(PathBuf),
    /// A file of the station cannot be read.
    #[error("{} cannot be copied", path.display())]
    Unread {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// A name that no line of the manifest can hold.
    #[error("the name of {} cannot be listed: it is no plain text on one line", .0.display())]
    Name(PathBuf),
    /// The file is not a backup, or not as it was made.
    #[error("this is not a backup as it was made: {0}")]
    Damaged(&'static str),
    /// It is sealed under another passphrase. A changed beginning of the file looks the same.
    #[error("the passphrase does not open this backup")]
    Passphrase,
    /// Something is there already.
    #[error("{} is not empty; it is left as it is", .0.display())]
    Occupied(PathBuf),
    /// What an earlier call left.
    #[error("{} is there: a restore that was cut short left it", .0.display())]
    LeftOver(PathBuf),
}

impl BackupError {
    /// A stable name, for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Changing(_) => "backup-changing",
            Self::Unread { .. } | Self::Name(_) => "backup-unread",
            Self::Damaged(_) => "backup-damaged",
            Self::Passphrase => "backup-passphrase",
            Self::Occupied(_) | Self::LeftOver(_) => "restore-occupied",
        }
    }

    pub(crate) const fn exit(&self) -> Exit {
        match self {
            Self::Changing(_) | Self::Unread { .. } => Exit::Broken,
            Self::Damaged(_) => Exit::Failed,
            Self::Passphrase => Exit::Refused,
            Self::Name(_) | Self::Occupied(_) | Self::LeftOver(_) => Exit::Usage,
        }
    }

    pub(crate) const fn remedy(&self) -> &'static [&'static str] {
        match self {
            Self::Changing(_) => &["Try again when nobody changes people, keys or settings."],
            Self::Unread { .. } => &["Check that this user may read the station's directory."],
            Self::Name(_) => &["Rename the file, or move it out of the station's directory."],
            Self::Damaged(_) => &["Take another copy of the backup.", "Keep this one for QA."],
            Self::Passphrase => &[
                "Enter it again: mind the keyboard layout.",
                "It is that of the backup, not that of the vault.",
            ],
            Self::Occupied(_) => &["Name an empty directory, or one that is not there yet: `--data`."],
            Self::LeftOver(_) => &["Look that no other restore is at work.", "Remove it, then try again."],
        }
    }
}
