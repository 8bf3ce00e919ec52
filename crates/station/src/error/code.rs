//! Stable names of errors, for programs.

use keystation_audit::{AppendError, OpenError, ReadError};
use keystation_core::failure::Code;
use keystation_vault::{ImportError, TransferError};

use super::StationError;
use crate::orders::error::refusal_code;
use crate::report::OutError;

impl StationError {
    /// The code of what a custody did not answer.
    pub(crate) const UNANSWERED: &str = "custody-silent";

    /// A stable name, for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing(_) | Self::Read(ReadError::NoLog(_)) => "station-missing",
            Self::Exists(_) => "station-exists",
            Self::NoDataDir => "no-data-directory",
            Self::Config(_) => "settings",
            Self::Origin(_) => "origin",
            Self::Id(_) => "registration-id",
            Self::NoDevice(_) => "no-device",
            Self::NoProductLabel(_) => "no-product-label",
            Self::Remark(_) => "remark",
            Self::Query(_) => "query",
            Self::Disk { .. } => "disk",
            Self::Out(OutError::Exists(_)) => "file-exists",
            Self::Out(OutError::Disk { .. }) => "disk",
            Self::NoJob(_) => "job-unknown",
            Self::NotInLog(_) => "not-in-log",
            Self::Page(_) => "page",
            Self::Name(_) => "name",
            Self::Names(_) => "names",
            Self::Random(_) => "no-random-numbers",
            Self::Clock(_) => "clock",
            Self::Program(_) => "program",
            Self::Unprotected(_) => "memory-unprotected",
            Self::NoVault(_) => "vault-missing",
            Self::VaultGone(_) => "vault-gone",
            Self::Input(_) => "no-input",
            Self::Thread(_) => "no-thread",
            Self::OtherLog { .. } => "other-log",
            Self::Backup(error) => error.code(),
            Self::NotClean(_) => "diagnosis-not-clean",
            Self::Training(error) => error.code(),
            Self::NoSlot(_) => "slot-unknown",
            Self::NoCheckPort(_) => "check-port-unknown",
            Self::NoKey(_) => "key-unknown",
            Self::OutboxAhead { .. } => "outbox-ahead",
            Self::NoCustody(_) => "custody-unknown",
            Self::WhichCustody(_) => "which-custody",
            Self::OtherKey { .. } => "key-foreign",
            Self::KeyInactive { .. } => Code::KeyInactive.as_str(),
            Self::KeyState { .. } => "key-state",
            Self::OtherCheckValue { .. } => "key-check-value",
            Self::OtherTransfer { .. } => "transfer-other-key",
            Self::Reason => "reason",
            Self::Life(error) => error.code(),
            Self::Order(error) => error.code(),
            Self::Rekey(error) => error.code(),
            Self::Transfer(TransferError::Unlock(error)) if error.is_wrong_secret() => "passphrase-wrong",
            Self::Transfer(_) => "transfer-refused",
            Self::Ceremony(error) => error.code(),
            Self::Scan(_) => "scan",
            Self::Destroy(_) => "not-destroyed",
            Self::Unanswered(_) => Self::UNANSWERED,
            Self::Locked => "vault-locked",
            Self::Custody(_) => "custody-failed",
            Self::Mismatch => "passphrases-differ",
            Self::PinsDiffer => "pins-differ",
            Self::PinFiles => "pin-files",
            Self::Port(_) => "port-unavailable",
            Self::Unlock(error) if error.is_wrong_secret() => "passphrase-wrong",
            Self::Unlock(_) | Self::Create(_) => "vault-failed",
            Self::Import(ImportError::Unlock(error)) if error.is_wrong_secret() => "passphrase-wrong",
            Self::Import(ImportError::LabelTaken(_)) => "label-taken",
            Self::Import(ImportError::SameKey(_)) => "key-known",
            Self::Import(_) => "import-refused",
            Self::Secret(_) => "secret-unreadable",
            Self::Log(OpenError::InUse(_)) => "station-in-use",
            Self::Log(_) => "log-not-opened",
            Self::Read(ReadError::ProofTooLong(_)) => "proof-too-long",
            Self::Read(_) => "log-unreadable",
            Self::Append(AppendError::NotAnchored(refusal)) => refusal.word(),
            Self::Append(AppendError::SpaceLow(_)) => Code::SpaceLow.as_str(),
            Self::Append(AppendError::ClockDoubted) => Code::ClockDoubted.as_str(),
            Self::Append(AppendError::NotAccepted(_)) => "clock-not-accepted",
            Self::Append(AppendError::Order(refusal)) => refusal_code(refusal),
            Self::Append(_) => "log-failed",
            Self::Unreadable { .. } => "file-unreadable",
            Self::VerifierKey { .. } => "verifier-key",
            Self::WhichWitness(_) => "which-witness",
            Self::NoSuchSize(_) => "no-such-size",
            Self::NotOfLog { .. } => "checkpoint-foreign",
            Self::Epoch(_) => "epoch",
            Self::NotCosigned(refusal) => refusal.word(),
            Self::Witness(_) => "witness",
            Self::Denied(denied) => denied.code(),
            Self::SignIn(refused) => refused.code(),
            Self::Person(refused) => refused.code(),
            Self::People(refused) => refused.code(),
            Self::PinCounter(error) => error.code(),
            Self::Ports(_) => "ports",
        }
    }
}
