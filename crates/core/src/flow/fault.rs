//! How an error becomes a code.

use std::error::Error;

use super::{DeviceError, LogError, NotAdmitted, Refusal, Retirement, VaultError};
use crate::failure::Code;
use crate::recipe::NoRegistrationId;
use crate::record::{Holds, Seq};

/// A step that failed, and what the device holds because of it.
pub(super) struct Fault {
    pub(super) code: Code,
    pub(super) holds: Holds,
    pub(super) cause: Option<Box<dyn Error + Send + Sync>>,
}

impl Fault {
    pub(super) const fn new(code: Code, holds: Holds) -> Self {
        Self { code, holds, cause: None }
    }

    pub(super) fn of(error: DeviceError, holds: Holds) -> Self {
        Self { holds, ..error.into() }
    }
}

impl From<Code> for Fault {
    fn from(code: Code) -> Self {
        Self::new(code, Holds::Old)
    }
}

/// The record by which a device that holds a key got it here. That it is the same key, only a proof says.
#[derive(Debug, thiserror::Error)]
#[error("record {0} says that it was keyed here; `keystation check` proves it")]
pub(super) struct KeyedHere(pub(super) Seq);

impl From<KeyedHere> for Fault {
    fn from(record: KeyedHere) -> Self {
        Self { code: Code::AlreadyKeyed, holds: Holds::Old, cause: Some(record.into()) }
    }
}

impl DeviceError {
    /// What it is for whoever stands before the device.
    #[must_use]
    pub const fn code(&self) -> Code {
        match self {
            Self::Unplugged(_) => Code::Unplugged,
            Self::Moved(_) => Code::Moved,
            Self::Silent { .. } => Code::Silent,
            Self::Garbled(_) => Code::Garbled,
            Self::Unsupported(_) => Code::Unsupported,
            Self::Identity(_) => Code::NoIdentity,
            Self::Refused(refusal) => match refusal {
                Refusal::WrongDevice => Code::Swapped,
                Refusal::AlreadyKeyed => Code::AlreadyKeyed,
                Refusal::Locked => Code::Locked,
                Refusal::Storage => Code::StorageFailed,
                Refusal::NotStaged | Refusal::Empty | Refusal::Other(_) => Code::Refused,
            },
        }
    }
}

impl From<DeviceError> for Fault {
    fn from(error: DeviceError) -> Self {
        Self { code: error.code(), holds: Holds::Old, cause: Some(error.into()) }
    }
}

impl From<VaultError> for Fault {
    fn from(error: VaultError) -> Self {
        let code = match &error {
            VaultError::Locked => Code::VaultLocked,
            VaultError::Custody(_) => Code::VaultFailed,
        };
        Self { code, holds: Holds::Old, cause: Some(error.into()) }
    }
}

impl From<LogError> for Fault {
    fn from(error: LogError) -> Self {
        let code = match &error {
            LogError::Overtaken { .. } => Code::Twin,
            LogError::Refused { code, .. } => *code,
            LogError::Storage(_) => Code::LogFailed,
        };
        Self { code, holds: Holds::Old, cause: Some(error.into()) }
    }
}

impl From<Retirement> for Fault {
    fn from(retirement: Retirement) -> Self {
        Self { code: retirement.what.code(), holds: Holds::Old, cause: Some(retirement.into()) }
    }
}

impl From<NotAdmitted> for Fault {
    fn from(NotAdmitted { code, cause }: NotAdmitted) -> Self {
        Self { code, holds: Holds::Old, cause }
    }
}

impl From<NoRegistrationId> for Fault {
    fn from(error: NoRegistrationId) -> Self {
        Self { code: Code::NoIdentity, holds: Holds::Old, cause: Some(error.into()) }
    }
}
