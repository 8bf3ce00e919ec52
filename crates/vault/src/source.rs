//! Where a secret comes from: a prompt, a file, or a descriptor that whoever started the program opened. Never the
//! command line, never the environment.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{BorrowedFd, RawFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use zeroize::Zeroizing;

use crate::os::inherited;
use crate::permissions::{Exposure, check};
use crate::prompt;
use crate::secret::{Passphrase, SecretRefused, SecretText};

/// Where to read a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// The terminal, without echo, behind this prompt.
    Prompt(String),
    /// A regular file that only its owner can read, up to its end. A symbolic link is followed, as systemd's and
    /// container credentials need it, and what it leads to is judged.
    File(PathBuf),
    /// A descriptor that was open when the program started, up to its end: 0 for standard input, or 3 and above.
    Descriptor(RawFd),
}

/// A secret that could not be read. The secret itself is never repeated.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// There is no terminal to ask at, or it went away.
    #[error("no secret can be asked for: there is no terminal")]
    NoTerminal(#[source] io::Error),
    /// The person did not answer: Ctrl-C, Ctrl-D, or the terminal was closed.
    #[error("no secret was entered")]
    GivenUp,
    /// The file cannot be opened.
    #[error("the secret's file {} cannot be opened", path.display())]
    Unopened {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// Others than its owner may read or write the file.
    #[error("the secret's file {} is not private: {exposure}", path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// How.
        exposure: Exposure,
    },
    /// The descriptor was not open when the program started.
    #[error("descriptor {number} was not handed to this program")]
    NoDescriptor {
        /// The descriptor.
        number: RawFd,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// Reading failed half-way.
    #[error("the secret could not be read to its end")]
    Unread(#[source] io::Error),
    /// What was read cannot be a secret.
    #[error("the secret is refused: {0}")]
    Refused(#[from] SecretRefused),
}

impl SourceError {
    /// What to do now.
    #[must_use]
    pub const fn remedy(&self) -> &'static [&'static str] {
        match self {
            Self::NoTerminal(_) => {
                &["Run the program in a terminal, or give the secret by file or descriptor."]
            }
            Self::GivenUp => &["Start again when you have the secret."],
            Self::Unopened { .. } => &["Check the path and who may read it."],
            Self::Exposed { .. } => {
                &["Give the file to the user of the station: chown.", "Close it: chmod 600."]
            }
            Self::NoDescriptor { .. } => {
                &["Open it in the shell, for example `3<FILE`, and give its number."]
            }
            Self::Unread(_) => &["Try again.", "Again: check the program or disk that it comes from."],
            Self::Refused(_) => &["Check that it is one line of text, entered whole."],
        }
    }
}

impl SecretSource {
    /// Reads the text of a group key.
    pub fn text(&self) -> Result<SecretText, SourceError> {
        match self {
            Self::Prompt(prompt) => {
                let line = prompt::ask(prompt).map_err(|cause| match cause.kind() {
                    io::ErrorKind::Interrupted | io::ErrorKind::UnexpectedEof => SourceError::GivenUp,
                    _ => SourceError::NoTerminal(cause),
                })?;
                Ok(SecretText::from_utf8(&line)?)
            }
            Self::File(path) => Ok(SecretText::from_line(read(open(path)?)?)?),
            Self::Descriptor(number) => {
                let no = |cause| SourceError::NoDescriptor { number: *number, cause };
                Ok(SecretText::from_line(read(Descriptor(inherited(*number).map_err(no)?))?)?)
            }
        }
    }

    /// Reads a passphrase.
    pub fn passphrase(&self) -> Result<Passphrase, SourceError> {
        Ok(Passphrase::new(self.text()?)?)
    }
}

fn open(path: &Path) -> Result<File, SourceError> {
    let unopened = |cause| SourceError::Unopened { path: path.to_owned(), cause };
    // Without O_NONBLOCK a FIFO would hold the station until somebody writes to it.
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    let file = File::options().read(true).custom_flags(flags).open(path).map_err(unopened)?;
    // Judged is the file that was opened, not the name: it may be another one by now.
    match check(&file).map_err(unopened)? {
        Some(exposure) => Err(SourceError::Exposed { path: path.to_owned(), exposure }),
        None => Ok(file),
    }
}

/// Reads to the end or until it is too much for a secret with its line feed, into one buffer that never moves.
fn read(mut from: impl Read) -> Result<Zeroizing<Vec<u8>>, SourceError> {
    let too_much = SecretText::LIMIT + "\r\n".len() + 1;
    let mut bytes = Zeroizing::new(vec![0; too_much]);
    let mut length = 0;
    while length < too_much {
        match from.read(&mut bytes[length..]) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(SourceError::Unread(error)),
        }
    }
    bytes.truncate(length);
    Ok(bytes)
}

struct Descriptor(BorrowedFd<'static>);

impl Read for Descriptor {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(rustix::io::read(self.0, buffer)?)
    }
}
