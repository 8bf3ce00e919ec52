//! What comes after a PASS, with real printers, programs and endpoints at the other end: TCP listeners that behave badly, scripts, and
//! barcode readers that we did not write.

mod hanging;
mod hooks;
mod labels;
mod outbox;
mod placement;
mod printer;
mod texts;

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use keystation_core::failure::Code;
use keystation_core::identity::Identity;
use keystation_core::key::{CheckValue, GroupKeyInfo, KeySlot};
use keystation_core::record::{Actor, Entry, Event, Holds, Intent, Mode, Outcome, Seq};
use keystation_core::registration::{IdRule, RegistrationId};
use tempfile::TempDir;

use crate::data_dir::DataDir;
use crate::people::PinCost;
use crate::station::{Station, clock};

/// A station with these sections below its settings.
struct Place {
    _directory: TempDir,
    data: DataDir,
}

impl Place {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let data = DataDir::new(directory.path().join("data"));
        Station::init(&data, "keylog.example.com/plant7/stn03").unwrap();
        let example = include_str!("../../defaults/example.toml");
        let other = example.replace("name = \"example\"", "name = \"other\"");
        fs::write(data.profile(Path::new("other.toml")), other).unwrap();
        Self { _directory: directory, data }
    }

    fn with(sections: &str) -> Self {
        let place = Self::new();
        place.set(sections);
        place
    }

    /// Puts the sections in the place of what was set before.
    fn set(&self, sections: &str) {
        let file = self.data.settings();
        let text = fs::read_to_string(&file).unwrap();
        let kept = text.split("# after\n").next().unwrap().to_owned();
        fs::write(file, format!("{kept}# after\n{sections}")).unwrap();
    }

    fn open(&self) -> Station {
        Station::open_under(&self.data, "test", clock().unwrap(), PinCost::TEST).unwrap()
    }

    /// A station that works.
    fn work(&self) -> Station {
        let station = self.open();
        station.begin_after(true).unwrap();
        station
    }
}

fn append(station: &Station, event: Event) -> Seq {
    station.journal().append(&Entry { actor: Actor::default(), event }).unwrap()
}

fn id(number: u32) -> RegistrationId {
    RegistrationId::new(
        &format!("sn-{number:05}-mac-a4-cf-12-{:02x}-{:02x}-07", number / 256, number % 256),
        IdRule::Dashes,
    )
    .unwrap()
}

/// A device of the profile `example/1` or `other/1`; the records of its intent and its result.
fn device(station: &Station, number: u32, profile: &str, failure: Option<Code>) -> (Seq, Seq) {
    device_that_says(station, number, profile, failure, [&format!("A{number:05}"), "2.4.1"])
}

/// The same of one that says this serial number and this firmware version.
fn device_that_says(
    station: &Station,
    number: u32,
    profile: &str,
    failure: Option<Code>,
    [serial, firmware]: [&str; 2],
) -> (Seq, Seq) {
    let mut fingerprint = [0_u8; 12];
    fingerprint[..4].copy_from_slice(&number.to_be_bytes());
    let fingerprint: String = fingerprint.iter().map(|byte| format!("{byte:02x}")).collect();
    let intent = Intent {
        id: id(number),
        identity: Identity {
            mac: Some(format!("a4cf12{number:04x}07").parse().unwrap()),
            serial: Some(serial.parse().unwrap()),
        },
        firmware: firmware.to_owned(),
        key: GroupKeyInfo {
            label: "gk-2026a".parse().unwrap(),
            group: "line-7".parse().unwrap(),
            scope: "0ne00EMU001".parse().unwrap(),
            slot: KeySlot::Primary,
            check_value: CheckValue::from_hmac(&[0xab; 32]),
            length: 32,
        },
        endpoint: "global.azure-devices-provisioning.net".to_owned(),
        fingerprint: fingerprint.parse().unwrap(),
        profile: profile.to_owned(),
        job: String::new(),
        port: "usb-1-1.4".to_owned(),
        mode: Mode::New,
        prior: None,
        attempt: 1,
    };
    let intent = append(station, Event::Intent(intent));
    let holds = if failure.is_some() { Holds::Old } else { Holds::New };
    let result = append(station, Event::Result(Outcome { intent, id: id(number), failure, holds }));
    (intent, result)
}

/// All records of an event, as JSON.
fn records(place: &Place, event: &str) -> Vec<serde_json::Value> {
    let reader = keystation_audit::Reader::open(&crate::station::paths(&place.data)).unwrap();
    let mut found = Vec::new();
    reader
        .records(.., None, |record| {
            if record.event() == event {
                found.push(serde_json::from_str(record.json()).unwrap());
            }
            ControlFlow::Continue(())
        })
        .unwrap();
    found
}

/// The numbers of a field of these records.
fn numbers(records: &[serde_json::Value], field: &str) -> Vec<u64> {
    records.iter().map(|record| record[field].as_u64().unwrap()).collect()
}
