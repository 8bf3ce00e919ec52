//! What goes wrong with a device or the station, and what the person in front of it is told.
//!
//! Programs decide on [`Code`]; the sentences are for people and may change.

mod code;

use std::error::Error;
use std::fmt;

use crate::identity::Identity;
use crate::record::{Holds, Seq};
use crate::registration::RegistrationId;

pub use code::Code;

/// Whether the device may be used, put away or must be seen again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Safety {
    /// Nothing was written.
    Untouched,
    /// It does not hold the new set: it has what it had before, or nothing.
    NotKeyed,
    /// It may hold the new key or the old one: it must be plugged in again.
    Unknown,
    /// It proved the new key, and the record of that is missing.
    Unrecorded,
}

impl Safety {
    /// The name in JSON and on the screen.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Untouched => "untouched",
            Self::NotKeyed => "not-keyed",
            Self::Unknown => "unknown",
            Self::Unrecorded => "unrecorded",
        }
    }

    /// The sentence for the operator.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Untouched => "Nothing was written to the device.",
            Self::NotKeyed => "The device did not take the new key.",
            Self::Unknown => "The device may hold a key. Do not ship it: plug it in again.",
            Self::Unrecorded => {
                "The device is keyed, its record is not complete. Do not ship it: plug it in again."
            }
        }
    }
}

impl From<Holds> for Safety {
    fn from(holds: Holds) -> Self {
        match holds {
            Holds::Old => Self::NotKeyed,
            Holds::Unknown => Self::Unknown,
            Holds::New => Self::Unrecorded,
        }
    }
}

/// A device that did not get PASS.
#[derive(Debug)]
pub struct Failure {
    /// What happened.
    pub code: Code,
    /// What that means for the device.
    pub safety: Safety,
    /// What the device said it is, where it said so.
    pub identity: Option<Identity>,
    /// Its registration ID, where one could be made.
    pub id: Option<RegistrationId>,
    /// The record of it, where one could be written.
    pub record: Option<Seq>,
    /// The error underneath, for the engineer.
    pub cause: Option<Box<dyn Error + Send + Sync>>,
}

impl Failure {
    /// A failure of which nothing more is known: no device, no record, no cause.
    #[must_use]
    pub const fn new(code: Code, safety: Safety) -> Self {
        Self { code, safety, identity: None, id: None, record: None, cause: None }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code.sentence(), self.safety.sentence())
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Only what the device proved, and only what was never written, may sound like it.
    #[test]
    fn safety_never_promises_more_than_was_seen() {
        assert_eq!(Safety::from(Holds::Old), Safety::NotKeyed);
        assert_eq!(Safety::from(Holds::Unknown), Safety::Unknown);
        assert_eq!(Safety::from(Holds::New), Safety::Unrecorded);
        for safety in [Safety::Unknown, Safety::Unrecorded] {
            assert!(safety.sentence().contains("Do not ship it"), "{safety:?}");
        }
        let failure = Failure { cause: Some("x".into()), ..Failure::new(Code::Silent, Safety::Unknown) };
        assert_eq!(
            failure.to_string(),
            "The device does not answer. The device may hold a key. Do not ship it: plug it in again."
        );
        assert!(failure.source().is_some());
    }
}
