//! What is recorded when a device is taken out, and what is cleaned up behind it.

use super::fields::{hex, identified};
use super::people::words;
use super::{Seq, Value};
use crate::identity::Identity;
use crate::registration::RegistrationId;

/// What became of one device, beside its injections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceEvent {
    /// Its registration ID; `None` of a device that was put down as scrap before it was begun.
    pub id: Option<RegistrationId>,
    /// What it is known by, as the log knows it.
    pub identity: Identity,
    /// What the record follows: the intent of the device that is the newest; of [`DeviceChange::Restored`] the record of the scrap.
    pub follows: Option<Seq>,
    /// What.
    pub change: DeviceChange,
    /// Why, in one word.
    pub reason: DeviceReason,
    /// What there is to say beside, or empty.
    pub note: String,
    /// The second person.
    pub approver: String,
}

/// What can become of a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeviceChange {
    /// `device.scrap`: the board is thrown away.
    Scrapped,
    /// `device.revoke`: the identity must not register any more. For good.
    Revoked,
    /// `device.replace`: another board takes its place. For good.
    Replaced(Box<Successor>),
    /// `device.restore`: a scrap that was a mistake is none.
    Restored,
}

/// The board that takes the place of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Successor {
    /// Its registration ID: the same one, where the recipe does not know one board from another.
    pub id: RegistrationId,
    /// What it says it is.
    pub identity: Identity,
    /// Where it is written down that the old board was destroyed, which the second person confirms. Only of a board that gets the
    /// registration ID of the old one, for it gets its key too; else empty.
    pub destroyed: String,
}

/// Why a device is taken out, or was not to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceReason {
    /// It does not work.
    Broken,
    /// It did not pass a test.
    TestFailed,
    /// Nobody knows where it is.
    Lost,
    /// Somebody took it.
    Stolen,
    /// Others know its key, or may.
    KeyLeaked,
    /// A second device answers with its identity.
    Cloned,
    /// Its time is over.
    EndOfLife,
    /// Its board was exchanged since it does not work.
    BoardFailed,
    /// Its board was exchanged for a newer one.
    Upgrade,
    /// It was taken out by mistake.
    Mistake,
    /// It was found again.
    Found,
    /// The note says why.
    Other,
}

words!(DeviceReason:
    Broken = "broken",
    TestFailed = "test-failed",
    Lost = "lost",
    Stolen = "stolen",
    KeyLeaked = "key-leaked",
    Cloned = "cloned",
    EndOfLife = "end-of-life",
    BoardFailed = "board-failed",
    Upgrade = "upgrade",
    Mistake = "mistake",
    Found = "found",
    Other = "other",
);

impl DeviceReason {
    /// Why a board is thrown away.
    pub const SCRAP: &'static [Self] =
        &[Self::Broken, Self::TestFailed, Self::Lost, Self::EndOfLife, Self::Other];
    /// Why an identity must not register any more.
    pub const REVOKE: &'static [Self] =
        &[Self::KeyLeaked, Self::Stolen, Self::Lost, Self::Cloned, Self::EndOfLife, Self::Other];
    /// Why a board takes the place of another.
    pub const REPLACE: &'static [Self] = &[Self::BoardFailed, Self::Upgrade, Self::Other];
    /// Why a scrap is taken back.
    pub const RESTORE: &'static [Self] = &[Self::Mistake, Self::Found, Self::Other];

    /// The one of `these` that the word names. [`Self::Other`] says nothing by itself: it needs a note.
    #[must_use]
    pub fn named(word: &str, these: &[Self], note: &str) -> Option<Self> {
        let reason = these.iter().copied().find(|reason| reason.as_str() == word)?;
        (reason != Self::Other || !note.is_empty()).then_some(reason)
    }
}

/// The list of identities that have to be cleaned up in the cloud.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cleanup {
    /// `cleanup.list`: it was made.
    Listed(CleanupList),
    /// `cleanup.done`: what it lists was done.
    Done {
        /// Which.
        list: CleanupList,
        /// The second person.
        approver: String,
    },
}

/// A list, by what is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CleanupList {
    /// SHA-256 of the CSV file.
    pub sha256: [u8; 32],
    /// Identities in it.
    pub devices: u64,
    /// It holds what the records up to this one say.
    pub to: Seq,
}

impl DeviceEvent {
    pub(super) const fn name(&self) -> &'static str {
        match self.change {
            DeviceChange::Scrapped => "device.scrap",
            DeviceChange::Revoked => "device.revoke",
            DeviceChange::Replaced(_) => "device.replace",
            DeviceChange::Restored => "device.restore",
        }
    }

    pub(super) fn fields(&self) -> Vec<(&'static str, Value)> {
        let mut fields = vec![
            ("rid", self.id.as_ref().map_or("", RegistrationId::as_str).into()),
            ("ref", self.follows.map_or(Value::Number(-1), Value::from)),
            ("reason", self.reason.as_str().into()),
            ("note", self.note.as_str().into()),
        ];
        fields.extend(identified(Some(&self.identity)));
        if let DeviceChange::Replaced(successor) = &self.change {
            let Successor { id, identity, destroyed } = &**successor;
            let [(_, mac), (_, serial)] = identified(Some(identity));
            fields.extend([
                ("new_rid", id.as_str().into()),
                ("new_mac", mac),
                ("new_sn", serial),
                ("destroyed", destroyed.as_str().into()),
            ]);
        }
        fields
    }
}

impl Cleanup {
    pub(super) fn approver(&self) -> &str {
        match self {
            Self::Listed(_) => "",
            Self::Done { approver, .. } => approver,
        }
    }

    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Listed(_) => "cleanup.list",
            Self::Done { .. } => "cleanup.done",
        }
    }

    pub(super) fn fields(&self) -> Vec<(&'static str, Value)> {
        let (Self::Listed(list) | Self::Done { list, .. }) = self;
        vec![("sha256", hex(&list.sha256).into()), ("devices", list.devices.into()), ("to", list.to.into())]
    }
}
