//! What a record of the audit log says. How it is stored and signed is the audit crate's business.

mod after;
mod carried;
mod custody;
mod device;
mod fields;
mod injection;
mod keeping;
mod order;
mod people;
mod repair;
#[cfg(test)]
mod tests;

pub use after::AfterEvent;
pub use carried::{Carried, CarriedFrom, CloudState};
pub use custody::{CeremonyKey, KeyChange, KeyEvent, KeyOrigin};
pub use device::{Cleanup, CleanupList, DeviceChange, DeviceEvent, DeviceReason, Successor};
pub use fields::Value;
pub use injection::{Check, Holds, Intent, Mode, Outcome, Rekey};
pub use keeping::{Backup, BackupEvent};
pub use order::{OrderChange, OrderEvent, OrderTerms};
pub use people::{
    Away, Counting, CredentialChange, Denial, DenialReason, End, Purpose, SessionEvent, SignInRefusal,
    UserChange, UserEvent,
};
pub use repair::{BatchCounts, BatchTerms, ListHashes, ListPlace, RepairEvent, RowNames, row_text};

use crate::failure::Code;
use crate::identity::Identity;
use crate::key::GroupKeyInfo;
use crate::registration::RegistrationId;

/// Number of a record in its log, from 0 (the genesis record).
pub type Seq = u64;

/// Who acts. IDs only: personal names never enter the log.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Actor {
    /// The session, a random hexadecimal string made at start or sign-in.
    pub session: String,
    /// Operator ID, empty when the station itself acts.
    pub operator: String,
    /// In which role, for example `operator`; `station` when the station itself acts.
    pub role: String,
}

/// One thing that happened, by whom. Sequence number, log origin and time are added by the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Who.
    pub actor: Actor,
    /// What.
    pub event: Event,
}

/// What happened. The text in backquotes is the `ev` field of the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// `log.genesis`: the first record of every log.
    Genesis {
        /// The verifier key of the log (C2SP signed-note vkey).
        vkey: String,
    },
    /// `log.genesis` too: the first record of an epoch that follows another.
    NextEpoch {
        /// The verifier key of the new log.
        vkey: String,
        /// The log that it follows.
        previous: Previous,
        /// Of what the records behind this one were made.
        carried: CarriedFrom,
    },
    /// `carry.account`, `carry.component`, `carry.device`, `carry.key`: what an epoch takes over. Directly behind its genesis record, and
    /// nowhere else.
    Carried(Carried),
    /// `log.open`: a program that may write started.
    Open {
        /// Version of the program.
        version: String,
        /// Version of SQLite inside it.
        sqlite: String,
        /// Operating system and architecture.
        os: String,
        /// SHA-256 of `station.toml`, hexadecimal.
        config: String,
        /// SHA-256 of the program's file, hexadecimal. Programs of before did not say: where it is empty there is no such
        /// field.
        build: String,
        /// Intents without a known outcome at this moment.
        open_intents: u64,
    },
    /// `log.close`: it stopped in good order.
    Close,
    /// `log.rebuild`: the tables that are derived from the records were made anew.
    Rebuilt {
        /// `asked`, or `not-opened` where the log did not open before, so that nobody could sign in.
        why: &'static str,
    },
    /// `auth.unlock`: a custody was opened.
    Unlock {
        /// Which: `sealed-file`, `pkcs11` or `tpm`.
        custody: &'static str,
    },
    /// `auth.lock`: the vault was locked and the keys wiped.
    Lock,
    /// `auth.fail`: the vault was not opened.
    UnlockFailed {
        /// Why, in one word.
        why: &'static str,
    },
    /// `cp.anchor`: a witness outside of this machine cosigned a checkpoint.
    Anchor {
        /// Records that the checkpoint covers.
        size: u64,
        /// Their Merkle root, hexadecimal.
        root: String,
        /// Name of the witness.
        witness: String,
        /// When, by the witness's clock, in seconds since 1970.
        time: u64,
    },
    /// `integrity.fail`: a checkpoint that this log cannot have signed bears the signature of its key.
    IntegrityFailed {
        /// Why it cannot, in one word.
        why: &'static str,
        /// The signed checkpoint: with this log it is the proof.
        note: String,
    },
    /// `space.low`: a file system fell below the limit from which the station warns, or the ballast was given up.
    SpaceLow {
        /// Which: `data` or `head`.
        place: &'static str,
        /// Free there, in MiB.
        free_mib: u64,
        /// The limit, in MiB.
        warn_mib: u64,
        /// Whether this record has room only because the ballast was given up.
        ballast_given_up: bool,
    },
    /// `space.ok`: there is room again after a `space.low`.
    SpaceOk {
        /// Free on the file system that has the least, in MiB.
        free_mib: u64,
    },
    /// `clock.jump`: the wall clock does not stand where it should; the next record is the first of the new time.
    ClockJump {
        /// How far it is ahead of that (behind: negative), in milliseconds.
        by_ms: i64,
        /// Where it should stand, or what it is behind; UTC, as the time of a record is written.
        before: String,
        /// What it was held against: `record`, `release` or `witness`.
        against: &'static str,
        /// Whether no intent is taken until two people accept the time.
        blocks: bool,
    },
    /// `clock.accept`: two people accept the time that the clock shows.
    ClockAccepted {
        /// Why it may be believed.
        reason: String,
        /// The second person.
        approver: String,
    },
    /// `user.…`: an account was made or changed.
    User(UserEvent),
    /// `auth.ok`, `auth.refuse`, `auth.lockout`, `auth.count`, `auth.away`, `auth.logout`: a session, or an attempt at one.
    Session(SessionEvent),
    /// `policy.refuse`: somebody asked for what is not permitted.
    Denied(Denial),
    /// `gk.import`: a group key came into a custody. It has to be activated before it can be used.
    KeyImport {
        /// Everything but the key.
        key: GroupKeyInfo,
        /// `sealed-file`, `pkcs11` or `tpm`.
        custody: &'static str,
        /// How it came.
        how: KeyOrigin,
        /// The second custodian.
        approver: String,
    },
    /// `gk.component`, `gk.abort`, `gk.activate`, `gk.suspend`, `gk.destroy`, `gk.recipient`.
    GroupKey(KeyEvent),
    /// `order.create`, `order.open`, `order.quota`, `order.scrap`, `order.close`.
    Order(OrderEvent),
    /// `device.scrap`, `device.revoke`, `device.replace`, `device.restore`.
    Device(DeviceEvent),
    /// `cleanup.list`, `cleanup.done`.
    Cleanup(Cleanup),
    /// `export.report`: a report on a work order was made, to be signed.
    ReportExported {
        /// Work order.
        job: String,
        /// SHA-256 of the file.
        sha256: [u8; 32],
        /// Records of the log that it was made from.
        records: u64,
    },
    /// `export.report` too: a report on a shift was made, to be signed. What was not asked for is empty.
    ShiftReported {
        /// Session that was asked for.
        shift: String,
        /// Operator ID that was asked for.
        user: String,
        /// From when on, UTC, as the time of a record is written.
        from: String,
        /// Until before when.
        until: String,
        /// SHA-256 of the file.
        sha256: [u8; 32],
        /// Records of the log that it was made from.
        records: u64,
    },
    /// `export.bundle`: the log, or a part of it, was written into a directory for verifiers.
    BundleExported {
        /// Work order that was asked for, or empty.
        job: String,
        /// Registration ID that was asked for, or empty.
        rid: String,
        /// First day that was asked for, or empty.
        from: String,
        /// Last day that was asked for, or empty.
        to: String,
        /// Records that were asked for and are in it.
        records: u64,
        /// Records of the log at that moment.
        size: u64,
        /// Their Merkle root.
        root: [u8; 32],
    },
    /// `backup.made`, `station.restored`.
    Backup(BackupEvent),
    /// `review.signed`: QA has looked through the records since the review before.
    ReviewSigned {
        /// The first record that was looked through.
        from: Seq,
        /// The last one.
        to: Seq,
        /// The Merkle root of the log up to that record, hexadecimal.
        root: String,
        /// What the reviewer had to say, or empty.
        remark: String,
    },
    /// `inject.intent`: a device is about to be written.
    Intent(Intent),
    /// `inject.result`: what came of an intent.
    Result(Outcome),
    /// `inject.resolve`: what came of an intent that was left open, found out later.
    Resolve(Outcome),
    /// `inject.refuse`: a device was seen and nothing was written.
    Refuse {
        /// Why.
        code: Code,
        /// Where it was plugged in.
        port: String,
        /// What it says it is, as far as it could be read.
        identity: Option<Identity>,
        /// Its registration ID, where one could be made.
        id: Option<RegistrationId>,
        /// Work order, or empty.
        job: String,
    },
    /// `check.result`: QA looked at a finished device.
    Checked(Check),
    /// `rekey.look`, `rekey.open`, `rekey.close`.
    Repair(RepairEvent),
    /// `slot.out`: the station took a slot out of the line, since it fails and not its devices.
    SlotOut {
        /// Its number.
        number: u32,
        /// Why, in one word.
        why: &'static str,
        /// How often it failed.
        count: u32,
        /// The last failure, where it was failures.
        code: Option<Code>,
    },
    /// `slot.back`: somebody put it back.
    SlotBack {
        /// Its number.
        number: u32,
    },
    /// `label.…`, `hook.…`, `outbox.…`: what came after a result.
    After(AfterEvent),
}

/// The log of the epoch before, and why it was not continued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Previous {
    /// Its origin.
    pub origin: String,
    /// Records of its last checkpoint that was found; 0 where none was.
    pub size: u64,
    /// Their Merkle root, hexadecimal, or empty.
    pub root: String,
    /// The second person.
    pub approver: String,
    /// Why.
    pub reason: String,
}
