//! Who may read a file that holds a secret.

use std::fmt;
use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;

/// Why a file is not private.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exposure {
    /// A directory, a device or a pipe.
    NotAFile,
    /// Group or others have rights on it: its mode bits.
    Mode(u32),
    /// It belongs to somebody else, who is not root: the user number.
    Owner(u32),
}

impl fmt::Display for Exposure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAFile => f.write_str("it is no regular file"),
            Self::Mode(mode) => write!(f, "its mode is {mode:04o}, others than its owner may use it"),
            Self::Owner(user) => write!(f, "it belongs to user {user}"),
        }
    }
}

/// Judges an open file: regular, mine or root's, closed to group and others, as OpenSSH has it for private keys.
pub(crate) fn check(file: &File) -> io::Result<Option<Exposure>> {
    let metadata = file.metadata()?;
    let mode = metadata.mode() & 0o7777;
    let owner = metadata.uid();
    Ok(if !metadata.is_file() {
        Some(Exposure::NotAFile)
    } else if mode & 0o077 != 0 {
        Some(Exposure::Mode(mode))
    } else if owner != 0 && owner != rustix::process::geteuid().as_raw() {
        Some(Exposure::Owner(owner))
    } else {
        None
    })
}
