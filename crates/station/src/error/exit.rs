//! How the headless binary ends, by what ended it.

use keystation_audit::{AppendError, EpochError, OpenError, ReadError, Refusal, WitnessError};
use keystation_vault::{CreateError, ImportError, TransferError};

use super::StationError;
use crate::orders::error::refusal_exit;
use crate::report::OutError;
use crate::training::TrainingError;

/// The exit codes of the headless binary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// The device or the check failed.
    Failed = 1,
    /// Usage or settings.
    Usage = 2,
    /// Refused by policy or sign-in.
    Refused = 3,
    /// The station itself cannot work: vault, log, disk.
    Broken = 4,
}

impl StationError {
    /// How the headless binary ends.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::Denied(denied) => denied.exit(),
            Self::SignIn(refused) => refused.exit(),
            Self::Person(refused) => refused.exit(),
            Self::Ceremony(error) => error.exit(),
            Self::Order(error) => error.exit(),
            Self::Life(error) => error.exit(),
            Self::Rekey(error) => error.exit(),
            Self::Append(AppendError::Order(refusal)) => refusal_exit(refusal),
            Self::Transfer(TransferError::Import(ImportError::MayBeDerivedKey)) => Exit::Refused,
            Self::Transfer(TransferError::Unlock(error)) if error.is_wrong_secret() => Exit::Refused,
            Self::Import(ImportError::Unlock(error)) | Self::Unlock(error) if error.is_wrong_secret() => {
                Exit::Refused
            }
            Self::Backup(error) => error.exit(),
            Self::NotClean(_) | Self::OutboxAhead { .. } => Exit::Failed,
            Self::Transfer(_) => Exit::Usage,
            Self::Missing(_)
            | Self::Exists(_)
            | Self::NoDataDir
            | Self::Read(ReadError::NoLog(_))
            | Self::Log(OpenError::Exists(_))
            | Self::Config(_)
            | Self::Origin(_)
            | Self::Id(_)
            | Self::NoDevice(_)
            | Self::NoProductLabel(_)
            | Self::Remark(_)
            | Self::Query(_)
            | Self::Name(_)
            | Self::NoJob(_)
            | Self::NotInLog(_)
            | Self::Read(ReadError::ProofTooLong(_))
            | Self::Out(OutError::Exists(_))
            | Self::OtherLog { .. }
            | Self::NoSlot(_)
            | Self::NoCheckPort(_)
            | Self::Training(
                TrainingError::Reserved
                | TrainingError::Started(_)
                | TrainingError::NotOurs(_)
                | TrainingError::NoProof,
            )
            | Self::NoKey(_)
            | Self::NoCustody(_)
            | Self::WhichCustody(_)
            | Self::KeyState { .. }
            | Self::OtherTransfer { .. }
            | Self::Reason
            | Self::Scan(_)
            | Self::Mismatch
            | Self::PinsDiffer
            | Self::PinFiles
            | Self::Secret(_)
            | Self::WhichWitness(_)
            | Self::NoSuchSize(_)
            | Self::NotOfLog { .. }
            | Self::Unreadable { .. }
            | Self::VerifierKey { .. }
            | Self::Witness(
                WitnessError::Missing(_)
                | WitnessError::Exists(_)
                | WitnessError::Name(_)
                | WitnessError::Watched(_),
            ) => Exit::Usage,
            Self::Append(AppendError::NotAnchored(refusal)) => match refusal.proves_two_logs() {
                true => Exit::Failed,
                false => Exit::Refused,
            },
            Self::Append(AppendError::ClockDoubted | AppendError::NotAccepted(_)) => Exit::Refused,
            Self::Epoch(EpochError::OnePerson | EpochError::Reason) => Exit::Refused,
            Self::NotCosigned(refusal) => match refusal {
                Refusal::Broken(_) | Refusal::Clock => Exit::Broken,
                Refusal::Form(_)
                | Refusal::Checkpoint(_)
                | Refusal::Cosignature(_)
                | Refusal::Forked { .. }
                | Refusal::Proof { .. } => Exit::Failed,
                _ => Exit::Refused,
            },
            Self::Port(_) => Exit::Failed,
            Self::Import(
                ImportError::Key(_)
                | ImportError::LabelTaken(_)
                | ImportError::SameKey(_)
                | ImportError::Full,
            ) => Exit::Usage,
            Self::Import(ImportError::MayBeDerivedKey | ImportError::DerivedKey)
            | Self::Create(CreateError::Passphrase(_))
            | Self::KeyInactive { .. }
            | Self::OtherCheckValue { .. }
            | Self::Locked => Exit::Refused,
            _ => Exit::Broken,
        }
    }
}
