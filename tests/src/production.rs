//! Weeks of a production line in a station's log: the records of its slots, appended as the station appends them, many at
//! the same time, without the devices.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use keystation_audit::{AppendError, Clock, Journal, Stamp};
use keystation_core::failure::Code;
use keystation_core::identity::Identity;
use keystation_core::key::{DeviceKey, GroupKeyInfo, KeySlot};
use keystation_core::record::{Actor, Entry, Event, Holds, Intent, Mode, Outcome, Seq};
use keystation_core::registration::{IdRule, RegistrationId};

/// Records of one device at most.
const PER_DEVICE: u64 = 4;
/// Devices of one work order.
const PER_JOB: u64 = 2500;
/// Devices that one operator keys before the next one takes over.
const PER_SHIFT: u64 = 700;

/// A clock that is 1.7 seconds later each time it is asked: a million records are three weeks. It begins now, since a
/// station holds its clock against what it wrote before, and against the day of its release.
pub struct Weeks {
    began_ms: i64,
    mono_ms: AtomicU64,
}

impl Weeks {
    /// Begins so many milliseconds from now.
    ///
    /// # Panics
    /// If the system's clock stands before 1970.
    #[must_use]
    pub fn after(ms: u64) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is later than 1970");
        Self { began_ms: i64::try_from(now.as_millis()).expect("a date"), mono_ms: AtomicU64::new(ms) }
    }
}

impl Clock for Weeks {
    fn now(&self) -> Stamp {
        let mono_ms = self.mono_ms.fetch_add(1_700, Ordering::Relaxed);
        let boot = "9f0c2b1e-5d1f-4a52-9c0e-2f6f1f0f7a11".parse().expect("a UUID");
        Stamp { utc_ms: self.began_ms + mono_ms.cast_signed(), mono_ms, boot }
    }
}

/// Keys devices on `slots` slots at once until the log, which has `from` records, has exactly `until`. Devices are numbered
/// from `from` on. Of two hundred, one is refused, one falls silent and is settled later, one is not kept and keyed again.
///
/// # Panics
/// If the log does not take a record.
pub fn produce(journal: &Journal, from: u64, until: u64, slots: u64) {
    let records = AtomicU64::new(from);
    let next = AtomicU64::new(from);
    thread::scope(|scope| {
        for slot in 0..slots {
            let line = Line { journal, slot, records: &records };
            let next = &next;
            scope.spawn(move || {
                // As many records as all slots together may be about to append are left for the end.
                while line.records.load(Ordering::Relaxed) + slots * PER_DEVICE <= until {
                    line.device(next.fetch_add(1, Ordering::Relaxed)).expect("the log takes records");
                }
            });
        }
    });
    let line = Line { journal, slot: 0, records: &records };
    for number in records.load(Ordering::Relaxed)..until {
        let event =
            if number.is_multiple_of(2) { Event::Unlock { custody: "sealed-file" } } else { Event::Lock };
        line.append(number, event).expect("the log takes records");
    }
}

/// One slot of the station.
struct Line<'a> {
    journal: &'a Journal,
    slot: u64,
    records: &'a AtomicU64,
}

impl Line<'_> {
    fn append(&self, number: u64, event: Event) -> Result<Seq, AppendError> {
        let actor = Actor {
            session: format!("{:08x}", number / PER_SHIFT),
            operator: format!("op-{:04}", 117 + number / PER_SHIFT % 5),
            role: "operator".to_owned(),
        };
        let seq = self.journal.append(&Entry { actor, event })?;
        self.records.fetch_add(1, Ordering::Relaxed);
        Ok(seq)
    }

    fn device(&self, number: u64) -> Result<(), AppendError> {
        let identity = identity(number);
        let id = RegistrationId::new(&rid(number), IdRule::Dashes).expect("lower-case letters and digits");
        if number % 200 == 199 {
            let refuse = Event::Refuse {
                code: Code::AlreadyKeyed,
                port: self.port(),
                identity: Some(identity),
                id: Some(id),
                job: job(number),
            };
            return self.append(number, refuse).map(drop);
        }
        let came = match number % 200 {
            197 => vec![(Some(Code::Silent), Holds::Unknown)],
            198 => vec![(Some(Code::NotKept), Holds::Old), (None, Holds::New)],
            _ => vec![(None, Holds::New)],
        };
        for (failure, holds) in came {
            let standing = self.journal.standing(&id)?;
            let intent = Intent {
                id: id.clone(),
                identity: identity.clone(),
                firmware: "2.4.1".to_owned(),
                key: group_key(number),
                endpoint: "global.azure-devices-provisioning.net".to_owned(),
                fingerprint: DeviceKey::filled_by(|key| key[..8].copy_from_slice(&number.to_be_bytes()))
                    .fingerprint(),
                profile: "thermostat 3".to_owned(),
                job: job(number),
                port: self.port(),
                mode: Mode::New,
                prior: standing.follows(),
                attempt: standing.attempts + 1,
            };
            let intent = self.append(number, Event::Intent(intent))?;
            let outcome = Outcome { intent, id: id.clone(), failure, holds };
            self.append(number, Event::Result(outcome.clone()))?;
            if holds == Holds::Unknown {
                let settled = Outcome { failure: None, holds: Holds::New, ..outcome };
                self.append(number, Event::Resolve(settled))?;
            }
        }
        Ok(())
    }

    fn port(&self) -> String {
        format!("usb-1-1.{}/0403:6001/FT9X{}", self.slot % 32 + 1, self.slot % 32)
    }
}

/// The work order of a device.
#[must_use]
pub fn job(number: u64) -> String {
    format!("WO-{}", 44_000 + number / PER_JOB)
}

/// The registration ID of a device.
#[must_use]
pub fn rid(number: u64) -> String {
    format!("sn-{number:010}-mac-a4cf{number:08x}")
}

fn identity(number: u64) -> Identity {
    let mac = format!("a4cf{number:08x}").parse().expect("twelve hexadecimal digits");
    Identity { mac: Some(mac), serial: Some(format!("SN{number:010}").parse().expect("a serial number")) }
}

fn group_key(number: u64) -> GroupKeyInfo {
    let second = number / PER_JOB % 2 == 1;
    GroupKeyInfo {
        label: if second { "gk-2026b" } else { "gk-2026a" }.parse().expect("a label"),
        group: "contoso-line-7".parse().expect("a group"),
        scope: "0ne00EMU001".parse().expect("a scope"),
        slot: if second { KeySlot::Secondary } else { KeySlot::Primary },
        check_value: if second { "7C1D0A4E91" } else { "9B5BDBEC8B" }.parse().expect("a check value"),
        length: 64,
    }
}
