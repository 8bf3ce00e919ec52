//! A device's whole life: every record that names it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::ControlFlow;

use keystation_core::flow::Retirement;
use keystation_core::key::CheckValue;
use keystation_core::record::Seq;
use keystation_core::registration::RegistrationId;

use crate::projection::Place;
use crate::reader::{ReadError, Reader};
use crate::record::Record;
use crate::retired;

/// What the log has of one registration ID.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Life {
    /// MAC address, twelve hexadecimal digits, as the device said it last; empty if it never did.
    pub mac: String,
    /// Serial number, as the device said it last; empty if it never did.
    pub serial: String,
    /// What it holds.
    pub standing: DeviceStanding,
    /// The key that it proved last, whatever was begun since.
    pub keyed: Option<Keyed>,
    /// How it was taken out, if it was.
    pub retired: Option<Retirement>,
    /// Its records, oldest first; and those by which it takes the place of another device.
    pub events: Vec<LifeEvent>,
}

/// What a device holds, as far as the log knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceStanding {
    /// It proved a key, and no write was begun since whose outcome is not known.
    Keyed,
    /// The outcome of a write is not known: the device must not be shipped.
    Open,
    /// Something was written, and nothing was proved.
    NotKeyed,
    /// It was seen, and never written to.
    Refused,
}

impl DeviceStanding {
    /// The name in JSON and on the screen.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Keyed => "keyed",
            Self::Open => "open",
            Self::NotKeyed => "not-keyed",
            Self::Refused => "refused",
        }
    }
}

/// A key that a device proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keyed {
    /// The record of the proof.
    pub record: Seq,
    /// The intent by which it was written.
    pub intent: Seq,
    /// Label of the group key.
    pub key: String,
    /// Its check value, ten hexadecimal digits.
    pub check_value: String,
    /// Fingerprint of the device key: 24 hexadecimal digits.
    pub fingerprint: String,
    /// Slot of the group key: `primary` or `secondary`.
    pub slot: String,
    /// ID scope.
    pub scope: String,
    /// Work order or batch, or empty.
    pub job: String,
}

/// One record of a device. A text that such a record does not have is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LifeEvent {
    /// The record.
    pub seq: Seq,
    /// When, UTC, milliseconds since 1970.
    pub time_ms: i64,
    /// The `ev` field, for example `inject.intent`.
    pub event: String,
    /// The `rc` field.
    pub rc: String,
    /// The failure or refusal.
    pub code: String,
    /// Operator ID.
    pub operator: String,
    /// The second person's ID.
    pub approver: String,
    /// In which role.
    pub role: String,
    /// Label of the group key; of an outcome, that of its intent.
    pub key: String,
    /// Its check value.
    pub check_value: String,
    /// Work order.
    pub job: String,
    /// Port with its USB path.
    pub port: String,
    /// Firmware version, as the device said it.
    pub firmware: String,
    /// `new` or `rekey`.
    pub mode: String,
    /// Why it was re-keyed, or taken out.
    pub reason: String,
    /// What there was to say beside.
    pub note: String,
    /// Registration ID of the board that takes its place, or whose place it takes.
    pub other: String,
    /// What the device held then: `new`, `old`, `unknown`; `untouched` after a refusal.
    pub holds: String,
    /// How that was verified: `challenge`, or `none`. Only what has `holds` has it.
    pub verified: String,
    /// The intent of an outcome; the record that an intent follows.
    pub refers_to: Option<Seq>,
}

/// What an intent was to write.
struct Written {
    key: String,
    check_value: String,
    fingerprint: String,
    slot: String,
    scope: String,
    job: String,
}

impl Reader {
    /// Everything that the log has of `id`; `None` if it has nothing.
    pub fn life(&self, id: &RegistrationId) -> Result<Option<Life>, ReadError> {
        // One moment of a log that grows.
        let _moment = self.conn.unchecked_transaction()?;
        let place = Place::of(&self.conn, id.as_str())?;
        let mut life = Life {
            mac: String::new(),
            serial: String::new(),
            standing: match place {
                Place { open: Some(_), .. } => DeviceStanding::Open,
                Place { keyed: Some(_), .. } => DeviceStanding::Keyed,
                Place { attempts: 0, .. } => DeviceStanding::Refused,
                _ => DeviceStanding::NotKeyed,
            },
            keyed: None,
            retired: retired::of_id(&self.conn, id.as_str())?,
            events: Vec::new(),
        };
        let mut intents = BTreeMap::new();
        self.records(.., Some(id), |record| {
            life.take(id, record, &mut intents, place.keyed);
            ControlFlow::Continue(())
        })?;
        Ok((!life.events.is_empty()).then_some(life))
    }
}

impl Life {
    /// Takes over who it says it is: what was refused may have been another board under its name, so that counts for as long as nothing
    /// was begun.
    fn is_named(&mut self, id: &RegistrationId, record: &Record<'_>) {
        let is = |key| record.text(key).is_some_and(|text| text == id.as_str());
        let said = match record.event() {
            "device.replace" if is("new_rid") => ["new_mac", "new_sn"],
            // Of a board whose place it takes they are those of that one.
            _ if !is("rid") => return,
            "inject.intent" => ["mac", "sn"],
            _ if self.events.iter().any(|event| event.event == "inject.intent") => return,
            _ => ["mac", "sn"],
        };
        for (place, field) in [&mut self.mac, &mut self.serial].into_iter().zip(said) {
            if let Some(said) = record.text(field).filter(|said| !said.is_empty()) {
                *place = said.into_owned();
            }
        }
    }

    fn take(
        &mut self,
        id: &RegistrationId,
        record: &Record<'_>,
        intents: &mut BTreeMap<Seq, Written>,
        keyed: Option<Seq>,
    ) {
        let text = |key| record.text(key).map_or_else(String::new, Cow::into_owned);
        self.is_named(id, record);
        let number = |key| record.integer(key).and_then(|number| u64::try_from(number).ok());
        let mut event = LifeEvent {
            seq: record.seq(),
            time_ms: record.utc_ms(),
            event: record.event().to_owned(),
            rc: record.rc().to_owned(),
            code: text("code"),
            operator: record.operator().into_owned(),
            approver: record.approver().into_owned(),
            role: record.role().into_owned(),
            key: text("gk"),
            check_value: spoken(text("gkcv")),
            job: text("job"),
            port: text("port"),
            firmware: text("fw"),
            mode: text("mode"),
            reason: text("reason"),
            note: text("note"),
            other: if text("rid") == id.as_str() { text("new_rid") } else { text("rid") },
            holds: text("holds"),
            verified: text("vmode"),
            refers_to: number("ref").or(number("prior")),
        };
        match record.event() {
            "inject.intent" => {
                let (key, check_value) = (event.key.clone(), event.check_value.clone());
                let (fingerprint, job) = (text("dkfp"), event.job.clone());
                let (slot, scope) = (text("slot"), text("scope"));
                intents.insert(event.seq, Written { key, check_value, fingerprint, slot, scope, job });
            }
            "inject.refuse" => {
                "untouched".clone_into(&mut event.holds);
                "none".clone_into(&mut event.verified);
            }
            _ => {}
        }
        if let Some((intent, written)) =
            number("ref").and_then(|intent| Some((intent, intents.get(&intent)?)))
        {
            event.key.clone_from(&written.key);
            event.check_value.clone_from(&written.check_value);
            if event.verified.is_empty() && !event.holds.is_empty() {
                "none".clone_into(&mut event.verified);
            }
            if keyed == Some(event.seq) {
                self.keyed = Some(Keyed {
                    record: event.seq,
                    intent,
                    key: written.key.clone(),
                    check_value: written.check_value.clone(),
                    fingerprint: written.fingerprint.clone(),
                    slot: written.slot.clone(),
                    scope: written.scope.clone(),
                    job: written.job.clone(),
                });
            }
        }
        self.events.push(event);
    }
}

/// A check value as people compare it, `9B5BD-BEC8B`.
fn spoken(digits: String) -> String {
    digits.parse::<CheckValue>().map_or(digits, |value| value.to_string())
}
