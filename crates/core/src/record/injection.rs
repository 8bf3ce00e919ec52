//! What is recorded of one injection: what is about to be written, and what came of it.

use super::{ListPlace, Seq};
use crate::failure::Code;
use crate::identity::Identity;
use crate::key::{Fingerprint, GroupKeyInfo};
use crate::registration::RegistrationId;
use crate::repair::{Effect, RekeyReason};

/// Everything that is known before the first byte of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intent {
    /// Registration ID.
    pub id: RegistrationId,
    /// What the device says it is.
    pub identity: Identity,
    /// Its firmware version, as it says.
    pub firmware: String,
    /// The key's parent.
    pub key: GroupKeyInfo,
    /// DPS endpoint that is written.
    pub endpoint: String,
    /// Fingerprint of the device key that is written.
    pub fingerprint: Fingerprint,
    /// Name and version of the product profile.
    pub profile: String,
    /// Work order, or empty.
    pub job: String,
    /// Port with its USB path.
    pub port: String,
    /// First key of this device, or one that replaces another.
    pub mode: Mode,
    /// The record this one follows: an open intent, or the last result of the device.
    pub prior: Option<Seq>,
    /// 1 for the first intent of this registration ID.
    pub attempt: u64,
}

/// Whether a set is overwritten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mode {
    /// The device held nothing.
    New,
    /// Repair overwrites what it held.
    Rekey(Box<Rekey>),
}

/// What a re-key adds to an intent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rekey {
    /// Why.
    pub reason: RekeyReason,
    /// The second person.
    pub approver: String,
    /// What it does to the key.
    pub effect: Effect,
    /// Fingerprint of the key that the device proved last, if the log knows of one.
    pub before: Option<Fingerprint>,
    /// Whether it was approved that the key may be the one that the device holds, where the reason asks for another one.
    pub same_key: bool,
    /// SHA-256 of the product profile's file.
    pub profile: [u8; 32],
    /// Where the device stands on the list of its batch, if that has one.
    pub place: Option<ListPlace>,
}

impl Rekey {
    /// One of a device that no record knows, as a [`Mode`] has it.
    #[must_use]
    pub fn of_unknown(reason: impl Into<RekeyReason>, approver: &str) -> Box<Self> {
        let (reason, approver) = (reason.into(), approver.to_owned());
        let (profile, place) = ([0; 32], None);
        // Whoever says nothing of the key that is replaced has to say that it may be the same.
        let (effect, before, same_key) = (Effect::UnknownKey, None, true);
        Box::new(Self { reason, approver, effect, before, same_key, profile, place })
    }
}

/// What came of an intent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The intent.
    pub intent: Seq,
    /// Registration ID, repeated so that one record can be read alone.
    pub id: RegistrationId,
    /// `None`: the device proved that it holds the key.
    pub failure: Option<Code>,
    /// What the device holds now, as far as the station knows.
    pub holds: Holds,
}

/// What a device holds after an attempt. Observed, never assumed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// The new set: proved after the restart.
    New,
    /// Not the new set: the write was refused, never sent or not kept. It has what it had before, or nothing.
    Old,
    /// Not known. The intent stays open until the device is seen again.
    Unknown,
}

impl Holds {
    /// The word in the record.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Old => "old",
            Self::Unknown => "unknown",
        }
    }
}

/// What QA saw of a finished device. Nothing was written to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Registration ID, where the device said enough to make one.
    pub id: Option<RegistrationId>,
    /// What the device says it is, as far as it could be read.
    pub identity: Option<Identity>,
    /// Whether it holds the key that the log says it holds, and everything else agrees.
    pub passed: bool,
    /// What does not agree, in one word; empty if everything does.
    pub code: String,
}
