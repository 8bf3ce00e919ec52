//! What a witness is asked with, the body of `add-checkpoint` of <https://c2sp.org/tlog-witness>:
//! `old <size>`, the hashes of a consistency proof, an empty line, a checkpoint.

use base64ct::{Base64, Encoding};

use crate::tree::Hash;

/// Hashes of a proof at most.
const HASHES: usize = 63;

/// A request to a witness. Nothing in it is checked yet but its form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WitnessRequest {
    /// Records of the checkpoint that the witness cosigned last; 0 where it never did.
    pub old: u64,
    /// The proof from `old` to the checkpoint, empty where `old` is 0.
    pub proof: Vec<Hash>,
    /// The signed note, at most 16 KiB.
    pub note: String,
}

/// A text is no request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// The first line is not `old` and a number without leading zero, below 2^53.
    #[error("its first line is not `old` and a number of records")]
    Old,
    /// A line before the empty one is not Base64 of 32 bytes, or there are more than 63 of them.
    #[error("line {0} is not a hash of a proof")]
    Hash(usize),
    /// There is no empty line, or nothing behind it.
    #[error("it holds no checkpoint")]
    Checkpoint,
}

impl WitnessRequest {
    /// The text of the request.
    #[must_use]
    pub fn to_text(&self) -> String {
        let hashes: String = self.proof.iter().map(|hash| Base64::encode_string(hash) + "\n").collect();
        format!("old {}\n{hashes}\n{}", self.old, self.note)
    }

    /// Reads the text of a request.
    pub fn parse(text: &str) -> Result<Self, RequestError> {
        let (head, note) = text.split_once("\n\n").ok_or(RequestError::Checkpoint)?;
        let mut lines = head.split('\n');
        let old = lines.next().and_then(|line| line.strip_prefix("old ")).ok_or(RequestError::Old)?;
        let digits = old.bytes().all(|byte| byte.is_ascii_digit()) && (old == "0" || !old.starts_with('0'));
        let old: u64 = old.parse().ok().filter(|old| digits && *old < 1 << 53).ok_or(RequestError::Old)?;
        let mut proof = Vec::new();
        for (line, number) in lines.zip(2..) {
            let mut hash = [0; 32];
            match Base64::decode(line, &mut hash) {
                Ok(bytes) if bytes.len() == 32 && proof.len() < HASHES => proof.push(hash),
                _ => return Err(RequestError::Hash(number)),
            }
        }
        if note.is_empty() {
            return Err(RequestError::Checkpoint);
        }
        Ok(Self { old, proof, note: note.to_owned() })
    }
}
