//! The fields of a record that its event adds to those that every record has.

use base64ct::{Base64, Encoding};

use super::{Check, Event, Intent, ListPlace, Mode, Outcome, Rekey, SessionEvent};
use crate::failure::Code;
use crate::identity::Identity;
use crate::key::{CheckValue, EnrollmentGroup, GroupKeyInfo, IdScope, KeyLabel, KeySlot};
use crate::registration::RegistrationId;

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
            Self::Carried(carried) => carried.name(),
            Self::Open { .. } => "log.open",
            Self::Close => "log.close",
            Self::Rebuilt { .. } => "log.rebuild",
            Self::Unlock { .. } => "auth.unlock",
            Self::Lock => "auth.lock",
            Self::UnlockFailed { .. } => "auth.fail",
            Self::Anchor { .. } => "cp.anchor",
            Self::IntegrityFailed { .. } => "integrity.fail",
            Self::SpaceLow { .. } => "space.low",
            Self::SpaceOk { .. } => "space.ok",
            Self::ClockJump { .. } => "clock.jump",
            Self::ClockAccepted { .. } => "clock.accept",
            Self::User(user) => user.name(),
            Self::Session(session) => session.name(),
            Self::Denied(_) => "policy.refuse",
            Self::KeyImport { .. } => "gk.import",
            Self::GroupKey(key) => key.name(),
            Self::Order(order) => order.name(),
            Self::Device(device) => device.name(),
            Self::Cleanup(cleanup) => cleanup.name(),
            Self::ReportExported { .. } | Self::ShiftReported { .. } => "export.report",
            Self::BundleExported { .. } => "export.bundle",
            Self::Backup(backup) => backup.name(),
            Self::ReviewSigned { .. } => "review.signed",
            Self::Intent(_) => "inject.intent",
            Self::Result(_) => "inject.result",
            Self::Resolve(_) => "inject.resolve",
            Self::Refuse { .. } => "inject.refuse",
            Self::Checked(_) => "check.result",
            Self::Repair(repair) => repair.name(),
            Self::SlotOut { .. } => "slot.out",
            Self::SlotBack { .. } => "slot.back",
            Self::After(after) => after.name(),
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
            Self::Refuse { .. } | Self::UnlockFailed { .. } | Self::Denied(_) => "refused",
            Self::Session(SessionEvent::Refused { .. }) => "refused",
            Self::GroupKey(key) => key.rc(),
            Self::After(after) => after.rc(),
            Self::Checked(Check { passed: true, .. }) => "ok",
            Self::Checked(Check { passed: false, .. }) => "failed",
            Self::SpaceLow { ballast_given_up: true, .. } => "ballast",
            Self::ClockJump { blocks: true, .. } => "blocked",
            _ => "",
        }
    }

    /// The approver, `op2` in the record: empty where nobody had to approve.
    #[must_use]
    pub fn approver(&self) -> &str {
        match self {
            Self::Intent(Intent { mode: Mode::Rekey(rekey), .. }) => &rekey.approver,
            Self::NextEpoch { previous, .. } => &previous.approver,
            Self::ClockAccepted { approver, .. } | Self::KeyImport { approver, .. } => approver,
            Self::User(user) => &user.approver,
            Self::Session(session) => session.approver(),
            Self::GroupKey(key) => key.approver(),
            Self::Order(order) => order.approver(),
            Self::Backup(backup) => backup.approver(),
            Self::Device(device) => &device.approver,
            Self::Cleanup(cleanup) => cleanup.approver(),
            Self::Repair(repair) => repair.approver(),
            _ => "",
        }
    }

    /// The fields that are this event's own, in no order.
    #[must_use]
    pub fn fields(&self) -> Vec<(&'static str, Value)> {
        match self {
            Self::Genesis { vkey } => vec![("vkey", vkey.as_str().into())],
            Self::NextEpoch { vkey, previous, carried } => {
                let mut fields = vec![
                    ("vkey", vkey.as_str().into()),
                    ("prev", previous.origin.as_str().into()),
                    ("prev_size", previous.size.into()),
                    ("prev_root", previous.root.as_str().into()),
                    ("reason", previous.reason.as_str().into()),
                ];
                fields.extend(carried.fields());
                fields
            }
            Self::Carried(carried) => carried.fields(),
            Self::Open { version, sqlite, os, config, build, open_intents } => {
                let mut fields = vec![
                    ("version", version.as_str().into()),
                    ("sqlite", sqlite.as_str().into()),
                    ("os", os.as_str().into()),
                    ("config", config.as_str().into()),
                    ("open", (*open_intents).into()),
                ];
                if !build.is_empty() {
                    fields.push(("build", build.as_str().into()));
                }
                fields
            }
            Self::Close | Self::Lock => vec![],
            Self::Unlock { custody } => vec![("custody", (*custody).into())],
            Self::UnlockFailed { why } | Self::Rebuilt { why } => vec![("why", (*why).into())],
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
            Self::User(user) => user.fields(),
            Self::Session(session) => session.fields(),
            Self::Denied(denial) => denial.fields(),
            Self::KeyImport { key, custody, how, .. } => {
                let mut fields = parent_of(key);
                fields.extend([
                    ("bytes", u64::from(key.length).into()),
                    ("custody", (*custody).into()),
                    ("how", how.as_str().into()),
                ]);
                fields
            }
            Self::GroupKey(key) => key.fields(),
            Self::Order(order) => order.fields(),
            Self::Device(device) => device.fields(),
            Self::Cleanup(cleanup) => cleanup.fields(),
            Self::ReportExported { job, sha256, records } => vec![
                ("job", job.as_str().into()),
                ("sha256", hex(sha256).into()),
                ("records", (*records).into()),
            ],
            Self::ShiftReported { shift, user, from, until, sha256, records } => vec![
                ("job", "".into()),
                ("shift", shift.as_str().into()),
                ("user", user.as_str().into()),
                ("from", from.as_str().into()),
                ("until", until.as_str().into()),
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
            Self::Backup(backup) => backup.fields(),
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
            Self::Checked(check) => check.fields(),
            Self::Repair(repair) => repair.fields(),
            Self::SlotOut { number, why, count, code } => vec![
                ("number", u64::from(*number).into()),
                ("why", (*why).into()),
                ("count", u64::from(*count).into()),
                ("code", code.map_or("", Code::as_str).into()),
            ],
            Self::SlotBack { number } => vec![("number", u64::from(*number).into())],
            Self::After(after) => after.fields(),
        }
    }
}

impl Intent {
    fn fields(&self) -> Vec<(&'static str, Value)> {
        let mut fields = parent_of(&self.key);
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
            Mode::Rekey(rekey) => {
                let Rekey { reason, effect, before, same_key, profile, place, approver: _ } = &**rekey;
                fields.extend([
                    ("mode", "rekey".into()),
                    ("reason", reason.code().as_str().into()),
                    ("note", reason.note().into()),
                    ("effect", effect.as_str().into()),
                    ("before", before.map_or_else(String::new, |before| before.to_string()).into()),
                    ("same_key", u64::from(*same_key).into()),
                    ("profile_sha256", hex(profile).into()),
                ]);
                fields.extend(place.iter().flat_map(ListPlace::fields));
            }
        }
        fields
    }
}

impl ListPlace {
    fn fields(&self) -> [(&'static str, Value); 3] {
        let path = Base64::encode_string(self.path.as_flattened());
        [("row", self.row.into()), ("named", self.named.text().into()), ("path", path.into())]
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

impl Check {
    fn fields(&self) -> Vec<(&'static str, Value)> {
        let mut fields = vec![
            ("rid", self.id.as_ref().map_or("", RegistrationId::as_str).into()),
            ("code", self.code.as_str().into()),
        ];
        fields.extend(identified(self.identity.as_ref()));
        fields
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(super) fn parent_of(key: &GroupKeyInfo) -> Vec<(&'static str, Value)> {
    parent(&key.label, key.check_value, &key.group, &key.scope, key.slot)
}

/// The parent of a device key: whoever has these five can say which devices die with it.
pub(super) fn parent(
    label: &KeyLabel,
    check_value: CheckValue,
    group: &EnrollmentGroup,
    scope: &IdScope,
    slot: KeySlot,
) -> Vec<(&'static str, Value)> {
    vec![
        ("gk", label.as_str().into()),
        ("gkcv", check_value.digits().into()),
        ("group", group.as_str().into()),
        ("scope", scope.as_str().into()),
        ("slot", slot.as_str().into()),
    ]
}

pub(super) fn identified(identity: Option<&Identity>) -> [(&'static str, Value); 2] {
    let mac = identity.and_then(|i| i.mac).map_or(String::new(), |mac| mac.spelled(""));
    let serial = identity.and_then(|i| i.serial.as_ref()).map_or("", |serial| serial.as_str());
    [("mac", mac.into()), ("sn", serial.into())]
}
