//! What keeps the station from working: what happened, what it means, what to do.

use std::io;
use std::path::PathBuf;

use keystation_audit::{
    AppendError, CheckpointError, EpochError, KeyError, KeyState, OpenError, ReadError, Refusal, WitnessError,
};
use keystation_core::failure::Code;
use keystation_core::identity::IdentifierError;
use keystation_core::key::{CheckValue, KeyLabel};
use keystation_core::registration::RegistrationId;
use keystation_device::ports::PortError;
use keystation_vault::{CreateError, CustodyKind, DestroyError, ImportError, TransferError, UnlockError};

use crate::anchoring;
use crate::ceremony::CeremonyError;
use crate::config::ConfigError;
use crate::people::{Denied, PeopleFileError, PersonError, SignInError};
use crate::person::NotAName;
use crate::report::OutError;
use crate::review::Remark;

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
    /// A slot that the settings do not name.
    #[error("station.toml has no slot {0}")]
    NoSlot(u32),
    /// The vault holds no key of this label.
    #[error("there is no key `{0}` in the vault")]
    NoKey(KeyLabel),
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
    #[error("the transfer file holds the key {found}, approved was {approved}")]
    OtherLabel {
        /// Which was approved.
        approved: KeyLabel,
        /// Which is in the file.
        found: KeyLabel,
    },
    /// No reason, or none that fits a record.
    #[error("the reason has to be one line of 1 to 200 characters")]
    Reason,
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
    /// The serial ports cannot be listed.
    #[error("the serial ports cannot be listed")]
    Ports(#[source] PortError),
}

/// The names of custodies, for a sentence.
fn named(kinds: &[CustodyKind]) -> String {
    kinds.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(", ")
}

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
            Self::NoSlot(_) => "slot-unknown",
            Self::NoKey(_) => "key-unknown",
            Self::NoCustody(_) => "custody-unknown",
            Self::WhichCustody(_) => "which-custody",
            Self::OtherKey { .. } => "key-foreign",
            Self::KeyInactive { .. } => Code::KeyInactive.as_str(),
            Self::KeyState { .. } => "key-state",
            Self::OtherCheckValue { .. } => "key-check-value",
            Self::OtherLabel { .. } => "key-other-label",
            Self::Reason => "reason",
            Self::Transfer(TransferError::Unlock(error)) if error.is_wrong_secret() => "passphrase-wrong",
            Self::Transfer(_) => "transfer-refused",
            Self::Ceremony(error) => error.code(),
            Self::Scan(_) => "scan",
            Self::Destroy(_) => "not-destroyed",
            Self::Locked => "vault-locked",
            Self::Custody(_) => "custody-failed",
            Self::Mismatch => "passphrases-differ",
            Self::PinsDiffer => "pins-differ",
            Self::PinFiles => "pin-files",
            Self::Port(_) => "port-unavailable",
            Self::Unlock(error) if error.is_wrong_secret() => "passphrase-wrong",
            Self::Unlock(_) | Self::Create(_) => "vault-failed",
            Self::Import(ImportError::Unlock(error)) if error.is_wrong_secret() => "passphrase-wrong",
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
            Self::Ports(_) => "ports",
        }
    }

    /// What to do now: one to three steps.
    #[must_use]
    pub fn remedy(&self) -> &'static [&'static str] {
        match self {
            Self::Missing(_) | Self::Read(ReadError::NoLog(_)) => {
                &["Check `--data`.", "A new station: keystation init."]
            }
            Self::Exists(_) => &["Use the station that is there, or name another directory with `--data`."],
            Self::NoDataDir => &["Name a directory with `--data`."],
            Self::Config(ConfigError::Unreadable { .. }) => {
                &["Check the name of the file, and that this user may read it."]
            }
            Self::Config(ConfigError::Wrong { .. }) => &["Mend the line and start again."],
            Self::Origin(_) => &[
                "Use keylog.<company-domain>/<plant>/<station>, for example keylog.example.com/plant7/stn03.",
            ],
            Self::Id(_) => &["Give the ID as the records have it."],
            Self::NoDevice(_) => &[
                "Look for its MAC address or serial number: keystation audit search.",
                "Was it keyed at another station?",
            ],
            Self::Remark(_) => &["Say it in fewer words."],
            Self::Query(_) => &["For example: mac:a1-b2-c3-d4-e5-f6, or job:WO-44192 outcome:timeout."],
            Self::Disk { .. } => &["Check free space and permissions.", "Start again."],
            Self::Out(OutError::Exists(_)) => &["Name another file, or move that one away."],
            Self::Out(OutError::Disk { .. }) => &["Check the path, free space and permissions."],
            Self::NoJob(_) => &["Write it as the records have it: keystation audit figures lists them."],
            Self::NotInLog(_) => &["Write it as the records have it: keystation audit search finds it."],
            Self::Page(_) => &["Call the administrator."],
            Self::Name(_) => &["Give it on one line, by prompt or with --name-file."],
            Self::Names(_) => {
                &["Check names.db in the data directory: it may be moved away, the log needs none of it."]
            }
            Self::Random(_)
            | Self::Clock(_)
            | Self::Program(_)
            | Self::Unprotected(_)
            | Self::Thread(_)
            | Self::Input(_) => &["Call the administrator."],
            Self::NoVault(_) => {
                &["A new station: keystation key import.", "Otherwise: restore the vault file from its copy."]
            }
            Self::VaultGone(_) => &["Restore the vault file from its copy.", "No copy: call the custodian."],
            Self::OtherLog { .. } => {
                &["Put `origin` back: it never changes while the log lives.", "Copied files? Call QA."]
            }
            Self::NoSlot(_) => &["Add a [[slot]] section to station.toml."],
            Self::NoKey(_) => {
                &["Check `group_key` in the profile.", "keystation key list shows what is there."]
            }
            Self::NoCustody(_) => &["Add its section to station.toml: [token] or [tpm]."],
            Self::WhichCustody(_) => &["Name one with `--custody`."],
            Self::OtherKey { .. } => {
                &["Stop.", "Is it the vault of another station, or an old copy?", "Call the custodian."]
            }
            Self::KeyInactive { .. } => Code::KeyInactive.remedy(),
            Self::KeyState { .. } => &["keystation key list shows what it is."],
            Self::OtherCheckValue { .. } => &[
                "Do not activate it.",
                "Compare with the paper of its owner.",
                "If it is another key: destroy it.",
            ],
            Self::OtherLabel { .. } => &["Take the file of the key that was approved."],
            Self::Reason => &["Say why, in a few words: `--reason`."],
            Self::Transfer(error) => error.remedy(),
            Self::Ceremony(error) => error.remedy(),
            Self::Scan(_) => &["Check the scanner and its cable.", "Scan one code."],
            Self::Destroy(error) => error.remedy(),
            Self::Locked => &["Unlock the vault."],
            Self::Custody(_) => &["Stop.", "Call the custodian."],
            Self::Mismatch | Self::PinsDiffer => &["Enter it again."],
            Self::PinFiles => &["Give two of both."],
            Self::Port(_) => &["Check the cable.", "Close other programs that use the port."],
            Self::Unlock(error) => error.remedy(),
            Self::Create(error) => error.remedy(),
            Self::Import(error) => error.remedy(),
            Self::Secret(error) => error.remedy(),
            Self::Log(OpenError::InUse(_)) => {
                &["Close the other window or program that works at this station.", "Then try again."]
            }
            Self::Log(OpenError::Integrity(_)) => &[
                "Inject nothing; leave all files as they are.",
                "Call QA.",
                "`keystation-desktop --qa` shows what is wrong.",
            ],
            Self::Log(OpenError::Exists(_)) => {
                &["Take an empty directory: `--data`.", "Or move away what was left there, then try again."]
            }
            Self::Log(OpenError::KeyExposed(_)) => {
                &["Call QA.", "If nobody else had access to this machine: chmod 600 mends it."]
            }
            Self::Log(_) | Self::Read(ReadError::Gone { .. }) => {
                &["Inject nothing; leave all files as they are.", "Call QA or the administrator."]
            }
            Self::Read(ReadError::ProofTooLong(_)) => {
                &["Export a bundle of it: keystation audit export --id."]
            }
            Self::Read(_) => &["Run `keystation audit verify`.", "Call the administrator."],
            Self::Append(error) if anchoring::proves_two_logs(error) => {
                &["Inject nothing more.", "Keep this file: with the log it is the proof.", "Call QA."]
            }
            Self::Append(AppendError::NotAnchored(_)) => &[
                "Take the file that the witness of this station made last.",
                "Check `[[witness]]` in station.toml.",
            ],
            Self::Append(AppendError::SpaceLow(_)) => {
                &["Make room on the disk of the log.", "Then start the station again."]
            }
            Self::Append(AppendError::ClockDoubted) => {
                &["Set the clock right.", "Two people then accept the time: keystation clock accept."]
            }
            Self::Append(AppendError::NotAccepted(_)) => {
                &["Name both people and the reason: `--operator`, `--approver`, `--reason`."]
            }
            Self::Append(_) => {
                &["Check free space and the disk.", "Start again: the log is checked at the start."]
            }
            Self::Unreadable { .. } => &["Check the name of the file and the stick."],
            Self::VerifierKey { .. } => &["Take the station's log.vkey, or the witness's witness.vkey."],
            Self::WhichWitness(_) => {
                &["Name one with `--witness`.", "None yet: keystation witness init, on another machine."]
            }
            Self::NoSuchSize(_) => {
                &["Take the number that the witness says.", "Is it greater than the log? Call QA."]
            }
            Self::NotOfLog { .. } => &["Name the vkey of the log that they should be of: `--vkey`."],
            Self::Epoch(EpochError::OnePerson | EpochError::Reason) => {
                &["Name both people and the reason: `--operator`, `--approver`, `--reason`."]
            }
            Self::Epoch(_) => &["Leave all files as they are.", "Call QA or the administrator."],
            Self::NotCosigned(refusal) => refusal.remedy(),
            Self::Witness(_) => &["Check `--state`.", "Leave its files as they are and call QA."],
            Self::Denied(denied) => denied.remedy(),
            Self::SignIn(refused) => refused.remedy(),
            Self::Person(refused) => refused.remedy(),
            Self::People(refused) => refused.remedy(),
            Self::Ports(_) => &["Check that the user may read /sys and /dev."],
        }
    }

    /// How the headless binary ends.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::Denied(denied) => denied.exit(),
            Self::SignIn(refused) => refused.exit(),
            Self::Person(refused) => refused.exit(),
            Self::Ceremony(error) => error.exit(),
            Self::Transfer(TransferError::Import(ImportError::MayBeDerivedKey)) => Exit::Refused,
            Self::Transfer(TransferError::Unlock(error)) if error.is_wrong_secret() => Exit::Refused,
            Self::Import(ImportError::Unlock(error)) | Self::Unlock(error) if error.is_wrong_secret() => {
                Exit::Refused
            }
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
            | Self::Remark(_)
            | Self::Query(_)
            | Self::Name(_)
            | Self::NoJob(_)
            | Self::NotInLog(_)
            | Self::Read(ReadError::ProofTooLong(_))
            | Self::Out(OutError::Exists(_))
            | Self::OtherLog { .. }
            | Self::NoSlot(_)
            | Self::NoKey(_)
            | Self::NoCustody(_)
            | Self::WhichCustody(_)
            | Self::KeyState { .. }
            | Self::OtherLabel { .. }
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

#[cfg(test)]
mod tests {
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
