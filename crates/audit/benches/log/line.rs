//! What a line writes down: devices one after the other, an intent and its result for each.

use keystation_audit::{AppendError, Journal, Origin, Paths, SystemClock};
use keystation_core::identity::Identity;
use keystation_core::key::{DeviceKey, GroupKeyInfo, KeySlot};
use keystation_core::record::{Actor, Entry, Event, Holds, Intent, Mode, Outcome, Seq};
use keystation_core::registration::{IdRule, RegistrationId};

/// Devices of one work order.
const JOB: u64 = 500;
/// Devices that one operator keys before the next one comes.
const SHIFT: u64 = 4000;

/// A new log in a directory that is made for it.
pub(crate) fn begin(directory: &std::path::Path) -> (Paths, Journal) {
    std::fs::create_dir_all(directory).expect("the directory of the log");
    let paths = Paths::in_dir(directory);
    let origin = Origin::new("keylog.example.com/plant7/stn03/1").expect("an origin");
    let clock = SystemClock::new().expect("a clock");
    let journal = Journal::create(&paths, &origin, &Actor::default(), clock).expect("a log");
    (paths, journal)
}

/// The `number`-th device, as its records tell it.
pub(crate) struct Unit {
    number: u64,
    id: RegistrationId,
}

impl Unit {
    pub(crate) fn new(number: u64) -> Self {
        let text = format!("sn-{}-mac-{}", serial(number).to_lowercase(), mac(number).replace(':', "-"));
        Self { number, id: RegistrationId::new(&text, IdRule::Dashes).expect("a registration ID") }
    }

    pub(crate) fn mac(&self) -> String {
        mac(self.number)
    }

    pub(crate) fn serial(&self) -> String {
        serial(self.number)
    }

    pub(crate) fn id(&self) -> &str {
        self.id.as_str()
    }

    pub(crate) fn job(&self) -> String {
        format!("WO-{:05}", self.number / JOB)
    }

    pub(crate) fn operator(&self) -> String {
        format!("op-{:04}", self.number / SHIFT % 40)
    }

    /// The record before its first write.
    pub(crate) fn intent(&self) -> Entry {
        let intent = Intent {
            id: self.id.clone(),
            identity: Identity {
                mac: Some(self.mac().parse().expect("a MAC address")),
                serial: Some(self.serial().parse().expect("a serial number")),
            },
            firmware: "2.4.1".to_owned(),
            key: GroupKeyInfo {
                label: "gk-2026a".parse().expect("a label"),
                group: "contoso-line-7".parse().expect("a group"),
                scope: "0ne00EMU001".parse().expect("a scope"),
                slot: KeySlot::Primary,
                check_value: "9B5BDBEC8B".parse().expect("a check value"),
                length: 64,
            },
            endpoint: "global.azure-devices-provisioning.net".to_owned(),
            // A key that is no secret, and no other's: the log looks for two that are the same.
            fingerprint: DeviceKey::filled_by(|key| key[..8].copy_from_slice(&self.number.to_be_bytes()))
                .fingerprint(),
            profile: "thermostat 3".to_owned(),
            job: self.job(),
            port: "usb-1-1.4/0403:6001/FT9X2".to_owned(),
            mode: Mode::New,
            prior: None,
            attempt: 1,
        };
        self.entry(Event::Intent(intent))
    }

    /// The record after it: it passed.
    pub(crate) fn result(&self, intent: Seq) -> Entry {
        let outcome = Outcome { intent, id: self.id.clone(), failure: None, holds: Holds::New };
        self.entry(Event::Result(outcome))
    }

    fn entry(&self, event: Event) -> Entry {
        let actor =
            Actor { session: "5c1e0b7d".to_owned(), operator: self.operator(), role: "operator".to_owned() };
        Entry { actor, event }
    }

    /// Both records, the second when the first is acknowledged.
    pub(crate) fn key(&self, journal: &Journal) -> Result<Seq, AppendError> {
        let intent = journal.append(&self.intent())?;
        journal.append(&self.result(intent))
    }
}

fn entry(operator: String, event: Event) -> Entry {
    let actor = Actor { session: "5c1e0b7d".to_owned(), operator, role: "operator".to_owned() };
    Entry { actor, event }
}

/// A record about no device.
pub(crate) fn lock() -> Entry {
    entry(String::new(), Event::Lock)
}

fn mac(number: u64) -> String {
    let bytes = number.to_be_bytes();
    format!("a4:cf:{:02x}:{:02x}:{:02x}:{:02x}", bytes[4], bytes[5], bytes[6], bytes[7])
}

fn serial(number: u64) -> String {
    format!("SN{number:09}")
}
