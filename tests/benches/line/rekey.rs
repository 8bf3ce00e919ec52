//! `rekey-batch`: a batch of repair over sixteen slots, beside the time that its own bytes need on the lines.

use std::path::Path;
use std::sync::{Arc, mpsc};

use base64ct::{Base64, Encoding};
use keystation::Station;
use keystation::config::Profile;
use keystation::line::{Line, LineEvent, SlotEvent};
use keystation::people::{Action, Person, Pin};
use keystation::repair::{BatchDevices, BatchWork};
use keystation_tests::people::PEOPLE;
use keystation_tests::tap::{Tap, Way};

use crate::row::{Reach, Row, median};
use crate::slots::{EACH, exchanged};
use crate::station;

/// Slots of the line of repair.
const SLOTS: u32 = 16;
/// Rounds.
const ROUNDS: u32 = 5;

pub(crate) fn batch(directory: &Path) -> Row {
    let station = station::open_for(directory, SLOTS, "rep-1");
    let bytes = count(directory, &station);
    // Start bit, eight data bits, stop bit; the lines work side by side.
    let limit = f64::from(SLOTS) * f64::from(station::BAUD) / (bytes as f64 * 10.0);
    let mut rates = Vec::new();
    for lot in 1..=ROUNDS {
        keyed(directory, lot, SLOTS * EACH);
        let work = approved(&station, SLOTS * EACH);
        let took = exchanged(directory, lot, SLOTS, |numbers, exchange| {
            Line::rekey(&station, numbers, Arc::clone(&work), exchange).unwrap()
        });
        rates.push(f64::from(SLOTS) / took);
        close(&station, &work);
    }
    station.close().unwrap();
    let ours = median(&mut rates);
    Row {
        row: "rekey-batch",
        ours,
        peer: Some(limit),
        ratio: Some(ours / limit),
        reach: Reach::AtLeast(0.9),
        unit: "devices/s",
        how: format!(
            "a batch of {} keyed devices over {SLOTS} slots, exchanged as soon as they have PASS, beside {SLOTS} lines at {} baud that \
             carry the {bytes} bytes of one re-key and never rest; median of {ROUNDS} rounds",
            SLOTS * EACH,
            station::BAUD
        ),
    }
}

/// The bytes of one re-key on the line, both ways.
fn count(directory: &Path, station: &Station) -> usize {
    keyed(directory, 0, 1);
    let devices = station::devices(directory, 0, 1);
    let tap = Tap::new(devices.port(0), usize::MAX).unwrap();
    let work = approved(station, 1);
    let (done, passed) = mpsc::channel();
    let line = Line::rekey(station, &[1], Arc::clone(&work), move |event| match event {
        LineEvent::Slot(_, SlotEvent::Pass { .. }) => done.send(()).unwrap(),
        LineEvent::Slot(_, SlotEvent::Fail { failure, .. }) => panic!("{failure} {:?}", failure.cause),
        _ => {}
    });
    station::put(directory, 1, tap.port());
    passed.recv().unwrap();
    drop(line.unwrap());
    close(station, &work);
    std::fs::remove_file(station::place(directory, 1)).unwrap();
    let all = tap.cut().unwrap();
    // What a device says when it gets power came before.
    all.iter().skip_while(|(way, _)| *way == Way::Back).map(|(_, bytes)| bytes.len()).sum()
}

/// The memories of devices that hold a key which no record explains.
fn keyed(directory: &Path, lot: u32, devices: u32) {
    let states = directory.join(format!("states{lot}"));
    std::fs::create_dir_all(&states).unwrap();
    let first = station::persona(lot);
    for device in 0..devices as usize {
        let persona = first.numbered(device);
        let mac = persona.mac.unwrap().map(|byte| format!("{byte:02x}")).join(":");
        let serial = persona.serial.unwrap();
        let state = serde_json::json!({
            "mac": mac, "serial": serial, "registration_id": format!("sn-{serial}-mac-{}", mac.replace(':', "-")),
            "scope": "0ne00EMU001", "endpoint": "global.azure-devices-provisioning.net",
            "device_key": Base64::encode_string(&[7; 32]), "anchor": null,
            "generation": 1, "locked": false, "boot": 1
        });
        std::fs::write(states.join(format!("dev{device}.json")), state.to_string()).unwrap();
    }
}

/// A batch of so many devices that a supervisor approved.
fn approved(station: &Station, devices: u32) -> Arc<BatchWork> {
    let profile = Profile::read(&station.config().slots[0].profile).unwrap();
    let reason = station.rekey_reason("returned", "").unwrap();
    let devices = BatchDevices::Count(u64::from(devices));
    let asked = station.ask_batch(&devices, &profile, reason, false).unwrap();
    let supervisor = PEOPLE.iter().find(|person| person.id == "sup-1").unwrap();
    let approval =
        station.approve(&asked.request(), Person::Id(supervisor.id), &Pin::new(supervisor.pin).unwrap());
    let permit = station.permit_approved(&asked.request(), approval.unwrap()).unwrap();
    let batch = station.open_batch(&permit, &asked).unwrap();
    station.work_on(&batch.id).unwrap()
}

fn close(station: &Station, work: &BatchWork) {
    let (_, reconciled) =
        station.close_batch(&station.permit(Action::CloseRekey).unwrap(), &work.batch().id).unwrap();
    assert_eq!(reconciled.counts.done, reconciled.counts.asked, "{:?}", reconciled.counts);
}
