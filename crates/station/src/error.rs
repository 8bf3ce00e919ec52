//! What keeps the station from working: what happened, what it means, what to do.

mod code;
mod exit;
mod remedy;

use std::io;
use std::path::PathBuf;

use keystation_audit::{CheckpointError, EpochError, KeyError, KeyState, Refusal, WitnessError};
use keystation_core::identity::IdentifierError;
use keystation_core::key::{CheckValue, KeyLabel};
use keystation_core::registration::RegistrationId;
use keystation_device::ports::PortError;
use keystation_vault::{CreateError, CustodyKind, DestroyError, ImportError, TransferError, UnlockError};

use crate::backup::BackupError;
use crate::ceremony::CeremonyError;
use crate::config::ConfigError;
use crate::diagnosis::NotClean;
use crate::lives::LifeError;
use crate::orders::OrderError;
use crate::people::{Denied, PeopleFileError, PersonError, PinCounterError, SignInError};
use crate::person::NotAName;
use crate::repair::RekeyError;
use crate::report::OutError;
use crate::review::Remark;
use crate::training::TrainingError;

pub use exit::Exit;

/// A station that cannot do what it was asked. No device was touched.
#[derive(Debug, thiserror::Error)]
pub enum StationError {
    /// There is no station in the data directory.
    #[error("there is no station in {}", .0.display())]
    Missing(PathBuf),
    /// There is one already.
    #[error("there is a station in {} already; it is left as it is", .0.display())]
    Exists(PathBuf),
    /// The platform names no data directory.
    #[error("this system names no data directory for programs")]
    NoDataDir,
    /// A setting cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The log's name cannot be used.
    #[error("the name of the log cannot be used")]
    Origin(#[source] IdentifierError),
    /// What should be a registration ID is none.
    #[error(transparent)]
    Id(IdentifierError),
    /// The log has nothing of a device.
    #[error("the log has no record of `{0}`")]
    NoDevice(RegistrationId),
    /// The product of a device has no label.
    #[error("the product of {0} has no label in station.toml")]
    NoProductLabel(RegistrationId),
    /// A remark that is no remark.
    #[error("the remark has {0} characters, {limit} are allowed", limit = Remark::LIMIT)]
    Remark(usize),
    /// A search that cannot be understood.
    #[error(transparent)]
    Query(#[from] keystation_audit::QueryError),
    /// The disk does not do what it should.
    #[error("{} cannot be written", path.display())]
    Disk {
        /// Where.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// A file that should leave the station.
    #[error(transparent)]
    Out(#[from] OutError),
    /// The log has nothing of a work order.
    #[error("the log has no attempt for the work order `{0}`")]
    NoJob(String),
    /// The log has no record of what was asked for.
    #[error("the log has no record of {0}")]
    NotInLog(String),
    /// A page could not be made.
    #[error(transparent)]
    Page(#[from] crate::report::PageError),
    /// What should be a name is none.
    #[error(transparent)]
    Name(#[from] NotAName),
    /// The table of names cannot be used.
    #[error(transparent)]
    Names(#[from] keystation_audit::NamesError),
    /// The system gives no random numbers.
    #[error("the system gives no random numbers")]
    Random(#[source] getrandom::Error),
    /// The system's clock cannot be read.
    #[error("the clock cannot be read")]
    Clock(#[source] io::Error),
    /// The file of this program cannot be read, and the start record says which it is.
    #[error("the file of this program cannot be read")]
    Program(#[source] io::Error),
    /// The process cannot be closed to debuggers and core dumps.
    #[error("the memory of this program cannot be protected")]
    Unprotected(#[source] keystation_vault::HardenError),
    /// There is no vault where one should be.
    #[error("there is no vault at {}", .0.display())]
    NoVault(PathBuf),
    /// There is no vault, and the log knows of keys that were in one.
    #[error("the vault {} is gone: the log knows of keys that were in it", .0.display())]
    VaultGone(PathBuf),
    /// Standard input cannot be read.
    #[error("standard input cannot be read")]
    Input(#[source] io::Error),
    /// A slot's thread cannot be started.
    #[error("the system starts no thread for a slot")]
    Thread(#[source] io::Error),
    /// The settings name another log than the one that is there.
    #[error("station.toml says `origin = \"{settings}\"`, the log is {log}")]
    OtherLog {
        /// What `station.toml` says.
        settings: String,
        /// What the log says.
        log: String,
    },
    /// There is no training, or it is not what was asked for.
    #[error(transparent)]
    Training(#[from] TrainingError),
    /// A slot that the settings do not name.
    #[error("station.toml has no slot {0}")]
    NoSlot(u32),
    /// A device can be looked at on the ports of this machine, against the profiles of the slots.
    #[error(
        "a device cannot be looked at on `{0}` by this profile: there is no such port or no such profile here"
    )]
    NoCheckPort(String),
    /// The vault holds no key of this label.
    #[error("there is no key `{0}` in the vault")]
    NoKey(KeyLabel),
    /// What was delivered is not in the log.
    #[error(
        "the outbox delivered the first {next} records of {delivered}, and the log of this station does not have them: it is {log} with {records} records, an \
         older copy or another one. Nothing is delivered"
    )]
    OutboxAhead {
        /// The log that was delivered.
        delivered: String,
        /// How many of its records.
        next: u64,
        /// The log that is there.
        log: String,
        /// How many records it has.
        records: u64,
    },
    /// The settings name no such custody.
    #[error("this station has no custody `{}`", .0.as_str())]
    NoCustody(CustodyKind),
    /// It is not clear which custody is meant.
    #[error("this station has {} custodies: {}", .0.len(), named(.0))]
    WhichCustody(Vec<CustodyKind>),
    /// In a custody is another key than the log says.
    #[error("the key {label} ({check_value}) in the custody `{}` is not the one that the log knows", custody.as_str())]
    OtherKey {
        /// Its label there.
        label: KeyLabel,
        /// Its check value there.
        check_value: CheckValue,
        /// Which custody.
        custody: CustodyKind,
    },
    /// The group key may not be used now.
    #[error("the group key {label} is {}, not active", state.as_str())]
    KeyInactive {
        /// Which.
        label: KeyLabel,
        /// What it is.
        state: KeyState,
    },
    /// Not from the state that the key is in.
    #[error("the group key {label} is {}: from there it cannot become that", state.as_str())]
    KeyState {
        /// Which.
        label: KeyLabel,
        /// What it is.
        state: KeyState,
    },
    /// The key has another check value than its paper says.
    #[error("the group key {label} has the check value {found}, not {expected}")]
    OtherCheckValue {
        /// Which.
        label: KeyLabel,
        /// What was typed.
        expected: CheckValue,
        /// What it has.
        found: CheckValue,
    },
    /// In the transfer file is another key than was approved.
    #[error("the {what} in the transfer file is {found}, approved was {approved}")]
    OtherTransfer {
        /// What of it is another: label, enrollment group, ID scope or slot.
        what: &'static str,
        /// What was approved.
        approved: String,
        /// What is in the file.
        found: String,
    },
    /// No reason, or none that fits a record.
    #[error("the reason has to be one line of 1 to 200 characters")]
    Reason,
    /// A device is left as it is.
    #[error(transparent)]
    Life(#[from] LifeError),
    /// Nothing came of a work order.
    #[error(transparent)]
    Order(#[from] OrderError),
    /// Nothing was re-keyed.
    #[error(transparent)]
    Rekey(#[from] RekeyError),
    /// The transfer file was not taken.
    #[error(transparent)]
    Transfer(#[from] TransferError),
    /// The key ceremony does not go on like this.
    #[error(transparent)]
    Ceremony(#[from] CeremonyError),
    /// The scanner read nothing that can be used.
    #[error(transparent)]
    Scan(#[from] keystation_device::scanner::ScanError),
    /// The key was not destroyed.
    #[error(transparent)]
    Destroy(#[from] DestroyError),
    /// A custody did not answer what it was asked for when the program was told to end: which verbs, on which keys.
    #[error("the custody does not answer; left undone: {0}")]
    Unanswered(String),
    /// The vault was locked in the middle.
    #[error("the vault was locked")]
    Locked,
    /// Custody failed.
    #[error("the group key cannot be used: {0}")]
    Custody(String),
    /// The two PINs differ.
    #[error("the two PINs are not the same")]
    PinsDiffer,
    /// Not as many PIN files as people.
    #[error("each `--admin` takes one `--admin-pin-file`, in the same order, or none at all")]
    PinFiles,
    /// The two passphrases differ.
    #[error("the two passphrases are not the same")]
    Mismatch,
    /// The port cannot be used.
    #[error(transparent)]
    Port(#[from] PortError),
    /// The vault was not opened.
    #[error(transparent)]
    Unlock(#[from] UnlockError),
    /// The vault was not made.
    #[error(transparent)]
    Create(#[from] CreateError),
    /// The key was not imported.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// A secret could not be read.
    #[error(transparent)]
    Secret(#[from] keystation_vault::SourceError),
    /// The log was not opened.
    #[error(transparent)]
    Log(#[from] keystation_audit::OpenError),
    /// The log could not be read.
    #[error(transparent)]
    Read(#[from] keystation_audit::ReadError),
    /// A record could not be made durable.
    #[error(transparent)]
    Append(#[from] keystation_audit::AppendError),
    /// A file that somebody named cannot be read.
    #[error("{} cannot be read", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// A file that somebody named holds no verifier key.
    #[error("{} holds no verifier key of this kind: {why}", path.display())]
    VerifierKey {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        why: KeyError,
    },
    /// It is not clear which witness is meant.
    #[error("station.toml names {} witnesses: {}", .0.len(), .0.join(", "))]
    WhichWitness(Vec<String>),
    /// The log never had as many records.
    #[error("the log has not {0} records")]
    NoSuchSize(u64),
    /// A note that is no checkpoint of the log.
    #[error("{} is not a checkpoint of {origin}: {why}", path.display())]
    NotOfLog {
        /// Which file.
        path: PathBuf,
        /// Which log.
        origin: String,
        /// Why not.
        why: CheckpointError,
    },
    /// No backup was made, or none restored.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// The diagnostic bundle has something in it that does not belong there.
    #[error(transparent)]
    NotClean(#[from] NotClean),
    /// No new epoch was begun.
    #[error(transparent)]
    Epoch(#[from] EpochError),
    /// The witness does not cosign.
    #[error(transparent)]
    NotCosigned(#[from] Refusal),
    /// The witness does not work.
    #[error(transparent)]
    Witness(#[from] WitnessError),
    /// It is not permitted.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// Somebody was not signed in.
    #[error(transparent)]
    SignIn(#[from] SignInError),
    /// An account is left as it is.
    #[error(transparent)]
    Person(#[from] PersonError),
    /// What authenticates people cannot be read.
    #[error(transparent)]
    People(#[from] PeopleFileError),
    /// The counter of wrong PINs is not what it has to be.
    #[error(transparent)]
    PinCounter(#[from] PinCounterError),
    /// The serial ports cannot be listed.
    #[error("the serial ports cannot be listed")]
    Ports(#[source] PortError),
}

/// The names of custodies, for a sentence.
fn named(kinds: &[CustodyKind]) -> String {
    kinds.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use keystation_audit::{OpenError, ReadError};
    use keystation_vault::WriteError;

    use super::*;

    #[test]
    fn a_remedy_does_not_contradict_its_error() {
        let cut_short = StationError::Log(OpenError::Exists("/s/audit.db".into()));
        assert_eq!(cut_short.exit(), Exit::Usage);
        assert!(
            !cut_short.remedy().iter().any(|step| step.contains("as they are")),
            "it asks to remove them"
        );
        let exposed = StationError::Log(OpenError::KeyExposed("/s/station.key".into()));
        assert!(exposed.remedy().iter().any(|step| step.contains("chmod 600")));
        let gone = ReadError::Gone { missing: "/s/audit.db".into(), present: "/s/station.key".into() };
        assert!(StationError::Read(gone).remedy()[0].contains("Inject nothing"));
    }

    #[test]
    fn an_import_ends_by_what_refused_it() {
        let full = ImportError::Write(WriteError::NoSpace(io::ErrorKind::StorageFull.into()));
        for (error, exit) in [
            (full, Exit::Broken),
            (ImportError::Full, Exit::Usage),
            (ImportError::SameKey("gk-a".parse().unwrap()), Exit::Usage),
            (ImportError::DerivedKey, Exit::Refused),
            (ImportError::Unlock(UnlockError::WrongPassphrase), Exit::Refused),
            (ImportError::Unlock(UnlockError::Damaged), Exit::Broken),
        ] {
            assert_eq!(StationError::Import(error).exit(), exit);
        }
    }
}
