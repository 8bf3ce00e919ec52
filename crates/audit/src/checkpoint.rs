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

    /// The first 50 bits of the root in Base32 (RFC 4648, section 6), in two groups, for comparison by eye: `TKC34-FMFQC`.
    #[must_use]
    pub fn short_root(&self) -> String {
        let bits = self.root[..7].iter().fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte)) >> 6;
        let digit = |place: u32| {
            let digit = (bits >> (45 - 5 * place)) & 31;
            char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[digit as usize])
        };
        let group = |places: std::ops::Range<u32>| places.map(digit).collect::<String>();
        format!("{}-{}", group(0..5), group(5..10))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_short_root_is_the_begin_of_its_base32() {
        let origin = Origin::new("keylog.example.com/plant7/stn03/1").unwrap();
        let short = |bytes: [u8; 7]| {
            let mut root = [0x55; 32];
            root[..7].copy_from_slice(&bytes);
            Checkpoint { origin: origin.clone(), size: 5, root }.short_root()
        };
        // The root of the worked example; Python's base64.b32encode gives the same.
        assert_eq!(short([0x9a, 0x85, 0xbe, 0x15, 0x45, 0x88, 0x0f]), "TKC34-FKFRA");
        assert_eq!(short([0; 7]), "AAAAA-AAAAA");
        assert_eq!(short([0xff; 7]), "77777-77777");
    }
}
