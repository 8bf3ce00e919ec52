//! A group key in the clear: in locked memory, for as long as two compressions take.

use base64ct::{Base64, Encoding};
use keystation_core::key::CheckValue;

use crate::error::{ImportError, WriteError};
use crate::midstate::{BLOCK, Midstates, keep, mac};
use crate::os::{Locked, bleach};
use crate::sealed_file::DerivedKeyAnswer;
use crate::secret::SecretText;

/// Bytes of a group key at least: what DPS demands of a symmetric key.
/// <https://learn.microsoft.com/azure/iot-dps/concepts-symmetric-key-attestation>
pub(crate) const SHORTEST: usize = 16;
/// Bytes of a group key at most: likewise, and HMAC-SHA256 would hash a longer one first.
pub(crate) const LONGEST: usize = 64;
/// Characters of the longest key in Base64.
pub(crate) const TEXT_LIMIT: usize = LONGEST.div_ceil(3) * 4;

/// A text that is no group key. It says where and what kind, never which characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyRefused {
    /// No character.
    #[error("it is empty")]
    Empty,
    /// White space inside or around it.
    #[error("character {position} is white space")]
    WhiteSpace {
        /// Where, counted from 1.
        position: usize,
    },
    /// The alphabet of URLs, with `-` and `_`: not what Azure shows.
    #[error("character {position} belongs to URL-safe Base64; Azure shows keys in standard Base64")]
    UrlSafe {
        /// Where, counted from 1.
        position: usize,
    },
    /// A character of no Base64 alphabet, or `=` before the end.
    #[error("character {position} cannot stand there in Base64")]
    Character {
        /// Where, counted from 1.
        position: usize,
    },
    /// The text is cut, or its `=` are missing.
    #[error("its {length} characters are no multiple of 4: a part or the `=` at the end is missing")]
    Cut {
        /// Characters found.
        length: usize,
    },
    /// The last character has bits that no encoder sets: a mistyped character.
    #[error("its last character has bits that mean nothing: a character was mistyped")]
    TrailingBits,
    /// Fewer than 16 bytes.
    #[error("it has {bytes} bytes, a group key has {SHORTEST} to {LONGEST}")]
    TooShort {
        /// Bytes found.
        bytes: usize,
    },
    /// More than 64 bytes.
    #[error("it has {bytes} bytes, a group key has {SHORTEST} to {LONGEST}")]
    TooLong {
        /// Bytes found.
        bytes: usize,
    },
    /// All bytes are the same.
    #[error("all its bytes are the same: a placeholder, not a random key")]
    Constant,
    /// A shorter key written several times.
    #[error("it is a shorter key of {bytes} bytes, repeated")]
    Repeated {
        /// Bytes of the part that repeats.
        bytes: usize,
    },
}

/// A group key in the clear, on its way into a custody: in locked memory, wiped when it is dropped. Nothing outside of this
/// crate can read it.
///
/// It is padded with zeros to a block; the text of its Base64 stands behind it.
pub struct GroupKey {
    memory: Locked<u8>,
    length: usize,
}

/// Why no [`GroupKey`] came of a text.
pub(crate) enum NoKey {
    Refused(KeyRefused),
    Memory(std::io::Error),
}

impl GroupKey {
    /// The group key that a text is, with the answer of the person who brought it. Opens nothing, so that no custody need be
    /// touched for a key that is none.
    pub fn judged(text: &SecretText, answer: DerivedKeyAnswer) -> Result<Self, ImportError> {
        let judged = Self::judge(text.expose(), answer);
        bleach();
        judged
    }

    #[inline(never)] // its frame has to end before `bleach` begins
    pub(crate) fn judge(text: &str, answer: DerivedKeyAnswer) -> Result<Self, ImportError> {
        let key = Self::from_base64(text).map_err(|no| match no {
            NoKey::Refused(reason) => ImportError::Key(reason),
            NoKey::Memory(cause) => WriteError::Memory(cause).into(),
        })?;
        match (key.length(), answer) {
            (32, DerivedKeyAnswer::NotAsked) => Err(ImportError::MayBeDerivedKey),
            (_, DerivedKeyAnswer::DeviceKey) => Err(ImportError::DerivedKey),
            _ => Ok(key),
        }
    }

    /// Reads canonical Base64 (RFC 4648, section 4) straight into locked memory.
    pub(crate) fn from_base64(text: &str) -> Result<Self, NoKey> {
        let mut memory = Locked::new(BLOCK + TEXT_LIMIT).map_err(NoKey::Memory)?;
        let length = decode(text, &mut memory).map_err(NoKey::Refused)?;
        Ok(Self { memory, length })
    }

    /// The key that stands in the block of `memory`; writes its text behind it.
    pub(crate) fn in_memory(mut memory: Locked<u8>, length: usize) -> Result<Self, KeyRefused> {
        let (block, text) = memory.split_at_mut(BLOCK);
        weakness(&block[..length])?;
        Base64::encode(&block[..length], text).expect("there is room for the longest key");
        Ok(Self { memory, length })
    }

    /// Its check value: what a person compares before it goes anywhere.
    pub fn check_value(&self) -> Result<CheckValue, WriteError> {
        let made = self.make_check_value();
        bleach();
        made.map_err(WriteError::Memory)
    }

    #[inline(never)] // its frame has to end before `bleach` begins
    fn make_check_value(&self) -> std::io::Result<CheckValue> {
        let mut block = Locked::new(BLOCK)?;
        block.copy_from_slice(&self.memory[..BLOCK]);
        let mut midstates = Locked::new(1)?;
        keep(&mut midstates[0], block.first_chunk_mut().expect("it is one block"));
        Ok(check_value(&midstates[0]))
    }

    /// Bytes, 16 to 64.
    pub(crate) fn length(&self) -> u8 {
        u8::try_from(self.length).expect("no key has more than 64 bytes")
    }

    /// The key, padded with zeros to a block of 64 bytes: the same key to HMAC (RFC 2104, section 2).
    pub(crate) fn block(&self) -> &[u8; BLOCK] {
        self.memory.first_chunk().expect("the block comes first")
    }

    /// The key in canonical Base64.
    pub(crate) fn text(&self) -> &str {
        let text = &self.memory[BLOCK..][..self.length.div_ceil(3) * 4];
        std::str::from_utf8(text).expect("Base64 is ASCII")
    }

    /// Hashes the two key blocks into `midstates`, and wipes the key; its text stays until it is dropped.
    pub(crate) fn hash_into(&mut self, midstates: &mut Midstates) {
        let (block, _) = self.memory.split_first_chunk_mut().expect("the block comes first");
        keep(midstates, block);
    }
}

/// The check value of the key behind `midstates`.
pub(crate) fn check_value(midstates: &Midstates) -> CheckValue {
    let mut out = [0; 32];
    mac(midstates, CheckValue::MESSAGE, &mut out);
    CheckValue::from_hmac(&out)
}

/// Decodes canonical Base64 of a key into `memory`, the block and behind it the room for the text: decoded, encoded again,
/// compared. Its length in bytes.
pub(crate) fn decode(text: &str, memory: &mut [u8]) -> Result<usize, KeyRefused> {
    let length = decoded_length(text)?;
    let (block, again) = memory.split_at_mut(BLOCK);
    let decoded = Base64::decode(text, block).map(<[u8]>::len);
    if decoded != Ok(length) || Base64::encode(&block[..length], again) != Ok(text) {
        return Err(KeyRefused::TrailingBits);
    }
    weakness(&block[..length])?;
    Ok(length)
}

/// How many bytes the text stands for; refuses everything but the right alphabet, padding and length.
pub(crate) fn decoded_length(text: &str) -> Result<usize, KeyRefused> {
    // First: a space after the padding would make the padding look misplaced.
    if let Some(index) = text.chars().position(char::is_whitespace) {
        return Err(KeyRefused::WhiteSpace { position: index + 1 });
    }
    let padding = text.len() - text.trim_end_matches('=').len();
    let length = text.chars().count();
    for (index, character) in text.chars().enumerate() {
        let position = index + 1;
        match character {
            'A'..='Z' | 'a'..='z' | '0'..='9' | '+' | '/' => {}
            '=' if padding <= 2 && index >= length - padding => {}
            '-' | '_' => return Err(KeyRefused::UrlSafe { position }),
            _ => return Err(KeyRefused::Character { position }),
        }
    }
    match length {
        0 => return Err(KeyRefused::Empty),
        n if n % 4 != 0 => return Err(KeyRefused::Cut { length }),
        _ => {}
    }
    match length / 4 * 3 - padding {
        bytes if bytes < SHORTEST => Err(KeyRefused::TooShort { bytes }),
        bytes if bytes > LONGEST => Err(KeyRefused::TooLong { bytes }),
        bytes => Ok(bytes),
    }
}

/// Refuses what no random generator makes: one byte or one shorter key, repeated.
fn weakness(key: &[u8]) -> Result<(), KeyRefused> {
    let period = (1..=key.len() / 2)
        .filter(|period| key.len().is_multiple_of(*period))
        .find(|&period| key.chunks_exact(period).all(|part| part == &key[..period]));
    match period {
        None => Ok(()),
        Some(1) => Err(KeyRefused::Constant),
        Some(bytes) => Err(KeyRefused::Repeated { bytes }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_value_is_made_without_using_the_key_up() {
        let text = "8isrFI1sGsIlvvFSSFRiMfCNzv21fjbE/+ah/lSh3lF8e2YG1Te7w1KpZhJFFXJrqYKi9yegxkqIChbqOS9Egw==";
        let Ok(key) = GroupKey::from_base64(text) else { panic!("it is a key") };
        for _ in 0..2 {
            assert_eq!(key.check_value().unwrap().to_string(), "9B5BD-BEC8B");
        }
        assert_eq!(Base64::encode_string(key.block()), text);
    }
}
