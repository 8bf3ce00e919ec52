//! Checkpoints (<https://c2sp.org/tlog-checkpoint>): what a log commits itself to.

use base64ct::{Base64, Encoding};

use crate::note::{NoteError, Signer, VerifierKey};
use crate::origin::Origin;
use crate::tree::Hash;

/// The first `size` records of a log, in three lines: origin, size, Base64 of the Merkle root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log.
    pub origin: Origin,
    /// How many records, at least 1.
    pub size: u64,
    /// The Merkle root over them (RFC 6962).
    pub root: Hash,
}

/// A note that is no checkpoint of this log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// It is not a note, or not signed by the key of the log.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// Not exactly three lines.
    #[error("it has not exactly three lines")]
    Lines,
    /// The first line is no origin, or not the one that its key is named after.
    #[error("its origin is not that of the log")]
    Origin,
    /// The second line is no size: decimal, no leading zero, at least 1, below 2^53.
    #[error("its size is not a number of records")]
    Size,
    /// The third line is not Base64 of 32 bytes.
    #[error("its root is not a hash")]
    Root,
}

impl Checkpoint {
    /// The note of this checkpoint.
    #[must_use]
    pub fn sign(&self, signer: &Signer) -> String {
        signer.sign(&format!("{}\n{}\n{}\n", self.origin, self.size, Base64::encode_string(&self.root)))
    }

    /// Reads a note that is signed by `key`, and whose origin is the name of `key`. Extension lines, which the
    /// specification advises against, are refused.
    pub fn open(note: &str, key: &VerifierKey) -> Result<Self, CheckpointError> {
        let text = key.open(note)?;
        let lines: Vec<_> = text.split('\n').collect();
        let [origin, size, root, ""] = lines[..] else {
            return Err(CheckpointError::Lines);
        };
        let origin = Origin::new(origin).map_err(|_| CheckpointError::Origin)?;
        if origin.as_str() != key.name() {
            return Err(CheckpointError::Origin);
        }
        let digits = size.bytes().all(|byte| byte.is_ascii_digit()) && !size.starts_with('0');
        let size =
            size.parse::<u64>().ok().filter(|size| digits && *size < 1 << 53).ok_or(CheckpointError::Size)?;
        let mut hash = [0; 32];
        match Base64::decode(root, &mut hash) {
            Ok(bytes) if bytes.len() == 32 => Ok(Self { origin, size, root: hash }),
            _ => Err(CheckpointError::Root),
        }
    }
}
