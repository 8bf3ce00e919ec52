//! What a record of the audit log says. How it is stored and signed is the audit crate's business.

use crate::failure::Code;
use crate::identity::Identity;
use crate::key::{Fingerprint, GroupKeyInfo};
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
    },
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
        /// Intents without a known outcome at this moment.
        open_intents: u64,
    },
    /// `log.close`: it stopped in good order.
    Close,
    /// `auth.unlock`: the vault was opened.
    Unlock,
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
    /// `gk.import`: a group key came into the vault.
    KeyImport {
        /// Everything but the key.
        key: GroupKeyInfo,
        /// `sealed-file`, later also `pkcs11` and `tpm`.
        custody: &'static str,
    },
    /// `export.report`: a report on a work order was made, to be signed.
    ReportExported {
        /// Work order.
        job: String,
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
    Rekey {
        /// Reason code.
        reason: String,
        /// The second person.
        approver: String,
    },
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

/// A value in a record: the format knows texts and whole numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Text, UTF-8.
    Text(String),
    /// A whole number.
    Number(i64),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Number(i64::try_from(number).expect("no counter of this program reaches 2^63"))
    }
}

impl Event {
    /// The `ev` field.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Genesis { .. } | Self::NextEpoch { .. } => "log.genesis",
            Self::Open { .. } => "log.open",
            Self::Close => "log.close",
            Self::Unlock => "auth.unlock",
            Self::Lock => "auth.lock",
            Self::UnlockFailed { .. } => "auth.fail",
            Self::Anchor { .. } => "cp.anchor",
            Self::IntegrityFailed { .. } => "integrity.fail",
            Self::SpaceLow { .. } => "space.low",
            Self::SpaceOk { .. } => "space.ok",
            Self::ClockJump { .. } => "clock.jump",
            Self::ClockAccepted { .. } => "clock.accept",
            Self::KeyImport { .. } => "gk.import",
            Self::ReportExported { .. } => "export.report",
            Self::BundleExported { .. } => "export.bundle",
            Self::ReviewSigned { .. } => "review.signed",
            Self::Intent(_) => "inject.intent",
            Self::Result(_) => "inject.result",
            Self::Resolve(_) => "inject.resolve",
            Self::Refuse { .. } => "inject.refuse",
        }
    }

    /// The `rc` field: `ok`, the class of a failure, or empty where an event has no outcome.
    #[must_use]
    pub const fn rc(&self) -> &'static str {
        match self {
            Self::Result(Outcome { failure, .. }) | Self::Resolve(Outcome { failure, .. }) => match failure {
                None => "ok",
                Some(code) => code.rc(),
            },
            Self::Refuse { .. } => "refused",
            Self::UnlockFailed { .. } => "refused",
            Self::SpaceLow { ballast_given_up: true, .. } => "ballast",
            Self::ClockJump { blocks: true, .. } => "blocked",
            _ => "",
        }
    }

    /// The approver, `op2` in the record: empty where nobody had to approve.
    #[must_use]
    pub fn approver(&self) -> &str {
        match self {
            Self::Intent(Intent { mode: Mode::Rekey { approver, .. }, .. }) => approver,
            Self::NextEpoch { previous, .. } => &previous.approver,
            Self::ClockAccepted { approver, .. } => approver,
            _ => "",
        }
    }

    /// The fields that are this event's own, in no order.
    #[must_use]
    pub fn fields(&self) -> Vec<(&'static str, Value)> {
        match self {
            Self::Genesis { vkey } => vec![("vkey", vkey.as_str().into())],
            Self::NextEpoch { vkey, previous } => vec![
                ("vkey", vkey.as_str().into()),
                ("prev", previous.origin.as_str().into()),
                ("prev_size", previous.size.into()),
                ("prev_root", previous.root.as_str().into()),
                ("reason", previous.reason.as_str().into()),
            ],
            Self::Open { version, sqlite, os, config, open_intents } => vec![
                ("version", version.as_str().into()),
                ("sqlite", sqlite.as_str().into()),
                ("os", os.as_str().into()),
                ("config", config.as_str().into()),
                ("open", (*open_intents).into()),
            ],
            Self::Close | Self::Unlock | Self::Lock => vec![],
            Self::UnlockFailed { why } => vec![("why", (*why).into())],
            Self::Anchor { size, root, witness, time } => vec![
                ("size", (*size).into()),
                ("root", root.as_str().into()),
                ("witness", witness.as_str().into()),
                ("time", (*time).into()),
            ],
            Self::IntegrityFailed { why, note } => {
                vec![("why", (*why).into()), ("note", note.as_str().into())]
            }
            Self::SpaceLow { place, free_mib, warn_mib, .. } => vec![
                ("place", (*place).into()),
                ("free_mib", (*free_mib).into()),
                ("warn_mib", (*warn_mib).into()),
            ],
            Self::SpaceOk { free_mib } => vec![("free_mib", (*free_mib).into())],
            Self::ClockJump { by_ms, before, against, .. } => vec![
                ("by_ms", Value::Number(*by_ms)),
                ("before", before.as_str().into()),
                ("against", (*against).into()),
            ],
            Self::ClockAccepted { reason, .. } => vec![("reason", reason.as_str().into())],
            Self::KeyImport { key, custody } => {
                let mut fields = parent(key);
                fields.push(("bytes", u64::from(key.length).into()));
                fields.push(("custody", (*custody).into()));
                fields
            }
            Self::ReportExported { job, sha256, records } => vec![
                ("job", job.as_str().into()),
                ("sha256", hex(sha256).into()),
                ("records", (*records).into()),
            ],
            Self::BundleExported { job, rid, from, to, records, size, root } => vec![
                ("job", job.as_str().into()),
                ("rid", rid.as_str().into()),
                ("from", from.as_str().into()),
                ("to", to.as_str().into()),
                ("records", (*records).into()),
                ("size", (*size).into()),
                ("root", hex(root).into()),
            ],
            Self::ReviewSigned { from, to, root, remark } => vec![
                ("from", (*from).into()),
                ("to", (*to).into()),
                ("root", root.as_str().into()),
                ("remark", remark.as_str().into()),
            ],
            Self::Intent(intent) => intent.fields(),
            Self::Result(outcome) | Self::Resolve(outcome) => outcome.fields(),
            Self::Refuse { code, port, identity, id, job } => {
                let mut fields = vec![
                    ("code", code.as_str().into()),
                    ("port", port.as_str().into()),
                    ("job", job.as_str().into()),
                ];
                fields.push(("rid", id.as_ref().map_or("", RegistrationId::as_str).into()));
                fields.extend(identified(identity.as_ref()));
                fields
            }
        }
    }
}

impl Intent {
    fn fields(&self) -> Vec<(&'static str, Value)> {
        let mut fields = parent(&self.key);
        fields.extend(identified(Some(&self.identity)));
        fields.extend([
            ("rid", self.id.as_str().into()),
            ("fw", self.firmware.as_str().into()),
            ("endpoint", self.endpoint.as_str().into()),
            ("dkfp", self.fingerprint.to_string().into()),
            ("profile", self.profile.as_str().into()),
            ("job", self.job.as_str().into()),
            ("port", self.port.as_str().into()),
            ("prior", self.prior.map_or(Value::Number(-1), Value::from)),
            ("try", self.attempt.into()),
        ]);
        match &self.mode {
            Mode::New => fields.push(("mode", "new".into())),
            Mode::Rekey { reason, .. } => {
                fields.extend([("mode", "rekey".into()), ("reason", reason.as_str().into())]);
            }
        }
        fields
    }
}

impl Outcome {
    fn fields(&self) -> Vec<(&'static str, Value)> {
        vec![
            ("ref", self.intent.into()),
            ("rid", self.id.as_str().into()),
            ("holds", self.holds.as_str().into()),
            ("vmode", if self.failure.is_none() { "challenge" } else { "" }.into()),
            ("code", self.failure.map_or("", Code::as_str).into()),
        ]
    }
}

/// The parent of a device key: whoever has these five can say which devices die with it.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn parent(key: &GroupKeyInfo) -> Vec<(&'static str, Value)> {
    vec![
        ("gk", key.label.as_str().into()),
        ("gkcv", key.check_value.digits().into()),
        ("group", key.group.as_str().into()),
        ("scope", key.scope.as_str().into()),
        ("slot", key.slot.as_str().into()),
    ]
}

fn identified(identity: Option<&Identity>) -> [(&'static str, Value); 2] {
    let mac = identity.and_then(|i| i.mac).map_or(String::new(), |mac| mac.spelled(""));
    let serial = identity.and_then(|i| i.serial.as_ref()).map_or("", |serial| serial.as_str());
    [("mac", mac.into()), ("sn", serial.into())]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::{CheckValue, KeySlot};
    use crate::registration::IdRule;

    fn key() -> GroupKeyInfo {
        GroupKeyInfo {
            label: "gk-2026a".parse().unwrap(),
            group: "line-7".parse().unwrap(),
            scope: "0ne00EMU001".parse().unwrap(),
            slot: KeySlot::Secondary,
            check_value: CheckValue::from_hmac(&[0xab; 32]),
            length: 32,
        }
    }

    fn outcome(failure: Option<Code>, holds: Holds) -> Outcome {
        Outcome { intent: 5127, id: RegistrationId::new("sn-1", IdRule::Dashes).unwrap(), failure, holds }
    }

    fn sorted(event: &Event) -> Vec<(&'static str, Value)> {
        let mut fields = event.fields();
        fields.sort_by_key(|(name, _)| *name);
        fields
    }

    #[test]
    fn an_outcome_says_proven_only_where_there_is_no_failure() {
        let event = Event::Resolve(outcome(None, Holds::New));
        assert_eq!((event.name(), event.rc()), ("inject.resolve", "ok"));
        assert!(event.fields().contains(&("vmode", "challenge".into())));
        for code in Code::ALL.iter().copied() {
            let event = Event::Result(outcome(Some(code), Holds::Unknown));
            assert_eq!((event.name(), event.rc()), ("inject.result", code.rc()));
            assert_ne!(event.rc(), "ok", "{code}");
            let expected = [
                ("code", code.as_str().into()),
                ("holds", "unknown".into()),
                ("ref", Value::Number(5127)),
                ("rid", "sn-1".into()),
                ("vmode", "".into()),
            ];
            assert_eq!(sorted(&event), expected);
        }
    }

    #[test]
    fn a_refusal_says_as_much_of_the_device_as_could_be_read() {
        let identity = Identity { mac: "A4CF12000107".parse().ok(), serial: "SN-1".parse().ok() };
        let id = RegistrationId::new("sn-1", IdRule::Dashes).unwrap();
        let rows = [(None, None, "", "", ""), (Some(identity), Some(id), "a4cf12000107", "SN-1", "sn-1")];
        for (identity, id, mac, serial, rid) in rows {
            let (port, job) = ("usb-1".to_owned(), "WO-44192".to_owned());
            let event = Event::Refuse { code: Code::Locked, port, identity, id, job };
            assert_eq!((event.name(), event.rc(), event.approver()), ("inject.refuse", "refused", ""));
            let expected = [
                ("code", "locked".into()),
                ("job", "WO-44192".into()),
                ("mac", mac.into()),
                ("port", "usb-1".into()),
                ("rid", rid.into()),
                ("sn", serial.into()),
            ];
            assert_eq!(sorted(&event), expected);
        }
    }

    #[test]
    fn an_import_names_the_parent_in_full() {
        let event = Event::KeyImport { key: key(), custody: "sealed-file" };
        let expected = [
            ("bytes", Value::Number(32)),
            ("custody", "sealed-file".into()),
            ("gk", "gk-2026a".into()),
            ("gkcv", "ABABABABAB".into()),
            ("group", "line-7".into()),
            ("scope", "0ne00EMU001".into()),
            ("slot", "secondary".into()),
        ];
        assert_eq!(sorted(&event), expected);
        assert_eq!((event.name(), event.rc()), ("gk.import", ""));
    }

    #[test]
    fn an_export_names_what_left_the_station() {
        let event = Event::ReportExported { job: "WO-44192".to_owned(), sha256: [0xa5; 32], records: 12 };
        let expected =
            [("job", "WO-44192".into()), ("records", 12.into()), ("sha256", "a5".repeat(32).into())];
        assert_eq!(sorted(&event), expected);
        assert_eq!((event.name(), event.rc(), event.approver()), ("export.report", "", ""));

        let event = Event::BundleExported {
            job: String::new(),
            rid: String::new(),
            from: "2026-11-01".to_owned(),
            to: "2026-11-30".to_owned(),
            records: 12,
            size: 40,
            root: [0x5a; 32],
        };
        let expected = [
            ("from", "2026-11-01".into()),
            ("job", "".into()),
            ("records", 12.into()),
            ("rid", "".into()),
            ("root", "5a".repeat(32).into()),
            ("size", 40.into()),
            ("to", "2026-11-30".into()),
        ];
        assert_eq!(sorted(&event), expected);
        assert_eq!((event.name(), event.rc(), event.approver()), ("export.bundle", "", ""));
    }

    #[test]
    fn only_what_stops_the_line_has_an_outcome() {
        let low =
            |ballast_given_up| Event::SpaceLow { place: "data", free_mib: 1, warn_mib: 2, ballast_given_up };
        assert_eq!([low(false).rc(), low(true).rc()], ["", "ballast"]);
        let jump =
            |blocks| Event::ClockJump { by_ms: -300_001, before: "t".to_owned(), against: "record", blocks };
        assert_eq!([jump(false).rc(), jump(true).rc()], ["", "blocked"]);
        assert!(jump(true).fields().contains(&("by_ms", Value::Number(-300_001))));
        let accepted = Event::ClockAccepted { reason: "radio clock".to_owned(), approver: "qa-1".to_owned() };
        assert_eq!((accepted.name(), accepted.rc(), accepted.approver()), ("clock.accept", "", "qa-1"));
    }

    #[test]
    fn a_review_names_the_records_and_their_root() {
        let event = Event::ReviewSigned { from: 3, to: 11, root: "5a".repeat(32), remark: "x".to_owned() };
        let expected =
            [("from", 3.into()), ("remark", "x".into()), ("root", "5a".repeat(32).into()), ("to", 11.into())];
        assert_eq!(sorted(&event), expected);
        assert_eq!((event.name(), event.rc(), event.approver()), ("review.signed", "", ""));
    }

    #[test]
    fn what_has_no_outcome_has_an_empty_one() {
        for event in [Event::Close, Event::Unlock, Event::Lock] {
            assert_eq!((event.rc(), event.approver(), event.fields()), ("", "", vec![]));
        }
        let failed = Event::UnlockFailed { why: "passphrase" };
        assert_eq!((failed.name(), failed.rc()), ("auth.fail", "refused"));
        assert_eq!(failed.fields(), [("why", "passphrase".into())]);
    }
}
