//! Why a device that holds a key gets one again, and what that changes.
//!
//! A device key is derived from the group key and the registration ID, and from nothing else: under the same two it is the
//! same key again. Whoever re-keys a device is told which of the two it was; only another group key or another ID makes
//! another device key (`docs/repair.md`).

use std::fmt;
use std::str::FromStr;

use crate::key::Fingerprint;

/// Why a device is re-keyed. The list is closed: reports count by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ReasonCode {
    /// It came back from the field, and goes out again.
    Returned,
    /// Its key is known to somebody who should not know it, or may be.
    LeakedKey,
    /// The group key is rolled: the devices move to another parent.
    KeyRotation,
    /// It was keyed for another ID scope or endpoint.
    WrongScope,
    /// Its board was mended, and what it holds is not trusted any more.
    BoardRepair,
    /// Its firmware lost the key, or never found it.
    FirmwareLostKey,
    /// Something else, which the note says.
    Other,
}

impl ReasonCode {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Returned,
        Self::LeakedKey,
        Self::KeyRotation,
        Self::WrongScope,
        Self::BoardRepair,
        Self::FirmwareLostKey,
        Self::Other,
    ];

    /// The word in records, in JSON and on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Returned => "returned",
            Self::LeakedKey => "leaked-key",
            Self::KeyRotation => "key-rotation",
            Self::WrongScope => "wrong-scope",
            Self::BoardRepair => "board-repair",
            Self::FirmwareLostKey => "firmware-lost-key",
            Self::Other => "other",
        }
    }

    /// What it means, in a few words.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Returned => "it came back and goes out again",
            Self::LeakedKey => "somebody else may know its key",
            Self::KeyRotation => "the group key is rolled",
            Self::WrongScope => "it was keyed for another ID scope or endpoint",
            Self::BoardRepair => "its board was mended",
            Self::FirmwareLostKey => "its firmware lost the key",
            Self::Other => "what the note says",
        }
    }

    /// Whether only another key serves the purpose: to write the same one again heals nothing.
    #[must_use]
    pub const fn needs_new_key(self) -> bool {
        matches!(self, Self::LeakedKey | Self::KeyRotation)
    }
}

impl fmt::Display for ReasonCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A reason and, where there is more to say, a note: at most [`RekeyReason::LIMIT`] characters, none of them a control
/// character.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RekeyReason {
    code: ReasonCode,
    note: String,
}

/// What is no reason for a re-key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReasonError {
    /// None was given.
    #[error("overwriting a key needs a reason: {list}", list = Reasons)]
    Missing,
    /// None of the list.
    #[error("this is none of the reasons: {list}", list = Reasons)]
    Unknown,
    /// `other` says nothing by itself.
    #[error("the reason `other` needs a note that says which")]
    NoNote,
    /// The note is none.
    #[error("a note has at most {limit} characters and no control character", limit = RekeyReason::LIMIT)]
    Note,
}

/// The list, for a sentence.
struct Reasons;

impl fmt::Display for Reasons {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&ReasonCode::ALL.map(ReasonCode::as_str).join(", "))
    }
}

impl FromStr for ReasonCode {
    type Err = ReasonError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.trim().is_empty() {
            return Err(ReasonError::Missing);
        }
        Self::ALL.into_iter().find(|code| code.as_str() == text).ok_or(ReasonError::Unknown)
    }
}

impl RekeyReason {
    /// Characters of a note at most.
    pub const LIMIT: usize = 128;

    /// The reason with this note, which may be empty unless the reason is `other`.
    pub fn new(code: ReasonCode, note: &str) -> Result<Self, ReasonError> {
        let note = note.trim();
        if note.chars().count() > Self::LIMIT || note.chars().any(char::is_control) {
            return Err(ReasonError::Note);
        }
        if code == ReasonCode::Other && note.is_empty() {
            return Err(ReasonError::NoNote);
        }
        Ok(Self { code, note: note.to_owned() })
    }

    /// The code.
    #[must_use]
    pub const fn code(&self) -> ReasonCode {
        self.code
    }

    /// The note, or empty.
    #[must_use]
    pub fn note(&self) -> &str {
        &self.note
    }
}

impl From<ReasonCode> for RekeyReason {
    /// A reason without a note. `other` says of itself that nobody said more.
    fn from(code: ReasonCode) -> Self {
        let note = if code == ReasonCode::Other { "not said" } else { "" };
        Self { code, note: note.to_owned() }
    }
}

impl fmt::Display for RekeyReason {
    /// `returned`, or `other: fell into the sea`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.note.as_str() {
            "" => f.write_str(self.code.as_str()),
            note => write!(f, "{}: {note}", self.code),
        }
    }
}

/// What a re-key does to the key of a device, as fingerprints of records say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Effect {
    /// The key that the device held is written again.
    SameKey,
    /// Another key than the one it held.
    NewKey,
    /// No record says what it held: it was keyed elsewhere, or never.
    #[default]
    UnknownKey,
}

impl Effect {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::SameKey, Self::NewKey, Self::UnknownKey];

    /// What comes of writing a key with the fingerprint `new` into a device that holds one of `held`, as far as records know.
    #[must_use]
    pub fn of(new: &Fingerprint, held: &[Fingerprint]) -> Self {
        if held.is_empty() {
            Self::UnknownKey
        } else if held.contains(new) {
            Self::SameKey
        } else {
            Self::NewKey
        }
    }

    /// The word in records and in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SameKey => "same-key",
            Self::NewKey => "new-key",
            Self::UnknownKey => "unknown-key",
        }
    }

    /// The effect of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|effect| effect.as_str() == name)
    }

    /// What it means, for people: said with every result.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::SameKey => {
                "Same key rewritten: group key and registration ID are those of before. Whoever knew the key of this device still knows it."
            }
            Self::NewKey => "New key: the one that the device held is not used any more.",
            Self::UnknownKey => {
                "No record here says which key the device held: whether this is another one nobody can say."
            }
        }
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_reasons_is_closed() {
        for code in ReasonCode::ALL {
            assert_eq!(code.as_str().parse(), Ok(code));
        }
        assert_eq!("".parse::<ReasonCode>(), Err(ReasonError::Missing));
        assert_eq!(" ".parse::<ReasonCode>(), Err(ReasonError::Missing));
        for text in ["Returned", "returned ", "because", "leaked"] {
            assert_eq!(text.parse::<ReasonCode>(), Err(ReasonError::Unknown), "{text}");
        }
    }

    #[test]
    fn other_says_which_and_a_note_is_one_line() {
        let reason = |code, note: &str| RekeyReason::new(code, note);
        assert_eq!(reason(ReasonCode::Other, " "), Err(ReasonError::NoNote));
        let other = reason(ReasonCode::Other, "fell into the sea").unwrap();
        assert_eq!(other.to_string(), "other: fell into the sea");
        assert_eq!(reason(ReasonCode::Returned, "").unwrap().to_string(), "returned");
        assert_eq!(reason(ReasonCode::Returned, "a\nb"), Err(ReasonError::Note));
        assert!(reason(ReasonCode::Returned, &"é".repeat(128)).is_ok());
        assert_eq!(reason(ReasonCode::Returned, &"é".repeat(129)), Err(ReasonError::Note));
    }

    #[test]
    fn the_effect_is_what_the_fingerprints_say() {
        let fingerprint = |digit: &str| digit.repeat(24).parse::<Fingerprint>().unwrap();
        let (one, other) = (fingerprint("1"), fingerprint("2"));
        assert_eq!(Effect::of(&one, &[]), Effect::UnknownKey);
        assert_eq!(Effect::of(&one, &[one]), Effect::SameKey);
        assert_eq!(Effect::of(&one, &[other]), Effect::NewKey);
        // A write whose outcome nobody knows: it may be the same one.
        assert_eq!(Effect::of(&one, &[other, one]), Effect::SameKey);
        for effect in Effect::ALL {
            assert_eq!(Effect::named(effect.as_str()), Some(effect));
        }
    }
}
