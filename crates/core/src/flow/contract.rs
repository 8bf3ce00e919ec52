//! What the flow asks of a vault, a device and a log.

use std::error::Error;
use std::fmt;

use crate::credential::{CredentialSet, LogAnchor, Overwrite};
use crate::failure::Code;
use crate::identity::Identity;
use crate::key::{DeviceKey, Fingerprint};
use crate::proof::{Nonce, Proof};
use crate::record::{Entry, ListPlace, Seq};
use crate::registration::RegistrationId;

/// A group key in custody. The operation is offered, the key is kept.
pub trait Vault {
    /// The device key of `id`.
    fn derive(&self, id: &RegistrationId) -> Result<DeviceKey, VaultError>;
}

/// A device on a port. Each method returns within a time limit of its own.
pub trait Device {
    /// Asks the device who it is and what it holds.
    fn identify(&mut self) -> Result<Sighting, DeviceError>;
    /// Sends the set; the device keeps what it has until [`Device::commit`].
    fn stage(&mut self, set: &CredentialSet) -> Result<(), DeviceError>;
    /// Has the device store the staged set, all of it or nothing. A device that is not `identity` refuses, and one
    /// that holds another set refuses without the permission.
    fn commit(
        &mut self,
        set: &CredentialSet,
        identity: &Identity,
        overwrite: Option<&Overwrite>,
    ) -> Result<(), DeviceError>;
    /// Asks a device that was identified before whether it is still the same one, and what it holds now.
    fn glance(&mut self) -> Result<Glance, DeviceError> {
        self.identify().map(|Sighting { identity, state, boot, .. }| Glance { identity, state, boot })
    }
    /// Restarts the device and returns when it answers again.
    fn restart(&mut self) -> Result<(), DeviceError>;
    /// Has the device prove the key that it holds in its storage.
    fn prove(&mut self, nonce: &Nonce) -> Result<Proof, DeviceError>;
}

/// The audit log.
pub trait Log {
    /// Returns when the record is durable. An intent whose `prior` and `attempt` are not those that follow from
    /// [`Log::standing`] at this moment is refused as [`LogError::Overtaken`].
    fn append(&self, entry: &Entry) -> Result<Receipt, LogError>;
    /// What the log knows of a registration ID.
    fn standing(&self, id: &RegistrationId) -> Result<Standing, LogError>;
    /// How the device that has this registration ID and says this of itself was taken out, if it was. An intent of it is refused as
    /// [`LogError::Refused`], and so is an outcome by which it would pass.
    fn retired(&self, id: &RegistrationId, identity: &Identity) -> Result<Option<Retirement>, LogError>;
}

/// Which devices are meant. Asked as soon as it is known who the device is, before its key is derived.
pub trait Admission: fmt::Debug {
    /// Whether this device gets its key, as far as work order and label are concerned.
    fn admit(&self, identity: &Identity, id: &RegistrationId) -> Result<(), NotAdmitted>;
    /// Where a device that was admitted stands on the list of its batch, for the log; `None`: there is no such list.
    fn place(&self, _: &Identity, _: &RegistrationId) -> Option<ListPlace> {
        None
    }
}

/// Every device that the recipe has a registration ID for: no work order says which ones, and no label has to be scanned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnyDevice;

impl Admission for AnyDevice {
    fn admit(&self, _: &Identity, _: &RegistrationId) -> Result<(), NotAdmitted> {
        Ok(())
    }
}

/// A device that is not meant. Nothing was written to it.
#[derive(Debug, thiserror::Error)]
#[error("the device is not admitted")]
pub struct NotAdmitted {
    /// Why, for the operator.
    pub code: Code,
    /// Why, for the engineer. Texts of the device in it are printable.
    #[source]
    pub cause: Option<Box<dyn Error + Send + Sync>>,
}

/// What a device tells when it is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// Who it is.
    pub identity: Identity,
    /// What it holds.
    pub state: DeviceState,
    /// Counts the sets it ever stored; 0 when it holds none.
    pub generation: u32,
    /// Differs after each start of the device.
    pub boot: u32,
    /// Firmware version, at most 32 printable ASCII characters.
    pub firmware: String,
}

/// What can have changed of a device that is asked again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glance {
    /// Who it is.
    pub identity: Identity,
    /// What it holds.
    pub state: DeviceState,
    /// Differs after each start of the device.
    pub boot: u32,
}

/// What a device holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceState {
    /// No credential set.
    Empty,
    /// A credential set, which can be replaced.
    Keyed,
    /// A credential set, which cannot be replaced any more.
    Locked,
}

/// A record is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// Its number.
    pub seq: Seq,
    /// The log up to it.
    pub anchor: LogAnchor,
}

/// What the log knows of a registration ID.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Standing {
    /// The newest intent whose outcome is not known.
    pub open: Option<OpenIntent>,
    /// The record by which the device was last known to hold its key.
    pub keyed: Option<Seq>,
    /// Fingerprint of the key that it proved then.
    pub proved: Option<Fingerprint>,
    /// Intents so far.
    pub attempts: u64,
    /// The record by which it takes the place of another board.
    pub replaces: Option<Seq>,
}

impl Standing {
    /// The record that the next intent follows: an open intent, the last result by which it was keyed, or the record by which it
    /// takes the place of another board.
    #[must_use]
    pub fn follows(&self) -> Option<Seq> {
        self.open.as_ref().map(|open| open.seq).or(self.keyed).or(self.replaces)
    }
}

/// That a device was taken out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("record {record} says that it was {}", what.as_str())]
pub struct Retirement {
    /// How.
    pub what: Retired,
    /// The record of it.
    pub record: Seq,
}

/// How a device was taken out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retired {
    /// The board was thrown away.
    Scrapped,
    /// The identity must not register any more.
    Revoked,
    /// Another board took its place.
    Replaced,
}

impl Retired {
    /// The word in JSON and on the screen.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.code().as_str()
    }

    /// For the operator who has such a device in front of them.
    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::Scrapped => Code::Scrapped,
            Self::Revoked => Code::Revoked,
            Self::Replaced => Code::Replaced,
        }
    }
}

/// An intent that nobody has seen the outcome of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenIntent {
    /// Its record.
    pub seq: Seq,
    /// The key that it was to write: only under the same group key can the device be asked whether it did.
    pub fingerprint: Fingerprint,
    /// The board that it was for, as far as that one said who it is. A registration ID need not tell two boards apart.
    pub identity: Identity,
    /// The work order that it was begun under, or empty.
    pub job: String,
}

impl OpenIntent {
    /// Whether the device says of itself what the board of this intent said.
    #[must_use]
    pub fn is_of(&self, device: &Identity) -> bool {
        let Identity { mac, serial } = &self.identity;
        (mac.is_none() || *mac == device.mac) && (serial.is_none() || *serial == device.serial)
    }
}

/// A vault that does not derive.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// It has to be unlocked first.
    #[error("the vault is locked")]
    Locked,
    /// Custody failed; there is no other custody to fall back to.
    #[error("the group key cannot be used: {0}")]
    Custody(String),
}

/// A device that does not do what it is asked.
#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    /// The far end is gone.
    #[error("the device is gone")]
    Unplugged(#[source] Option<std::io::Error>),
    /// What is at the port now is not what was there when the device was begun. The text names both places.
    #[error("{0}")]
    Moved(String),
    /// No complete answer in time.
    #[error("no answer within {limit_ms} ms")]
    Silent {
        /// The limit that ran out, in milliseconds.
        limit_ms: u64,
    },
    /// An answer that the protocol does not allow. The text never holds bytes of the device.
    #[error("not an answer of this protocol: {0}")]
    Garbled(String),
    /// The device speaks no version that this station speaks, or lacks a command.
    #[error("the device does not support {0}")]
    Unsupported(String),
    /// An identifier of the device is unusable.
    #[error(transparent)]
    Identity(#[from] crate::identity::IdentifierError),
    /// An error answer.
    #[error("the device refuses: {0}")]
    Refused(Refusal),
}

/// Why a device refuses, in its own words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The commit names another device.
    #[error("it is not the device that is meant")]
    WrongDevice,
    /// It holds a set, and overwriting was not asked for.
    #[error("it holds another credential set")]
    AlreadyKeyed,
    /// It is locked.
    #[error("it is locked")]
    Locked,
    /// Its storage does not keep what is written.
    #[error("its storage failed")]
    Storage,
    /// What was staged is not what is committed.
    #[error("the staged set is not the one to commit")]
    NotStaged,
    /// It holds no set that it could prove.
    #[error("it holds no credential set")]
    Empty,
    /// Another code; see `docs/device-protocol.md`.
    #[error("code {0}")]
    Other(u16),
}

/// A log that does not take a record.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The intent follows from what the log knew a moment ago: since then another slot wrote one for the same
    /// registration ID. Nothing is in the log of this one, and the log goes on.
    #[error("another write on {id} was begun meanwhile")]
    Overtaken {
        /// The registration ID.
        id: String,
    },
    /// The log takes no intents for now, and goes on with everything else. Nothing is in it of this one.
    #[error("the audit log takes no intents for now")]
    Refused {
        /// Why, for the operator.
        code: Code,
        /// Why, for the engineer.
        #[source]
        cause: Box<dyn Error + Send + Sync>,
    },
    /// The storage failed, or the log does not agree with its head.
    #[error("the audit log cannot be written")]
    Storage(#[source] Box<dyn Error + Send + Sync>),
}
