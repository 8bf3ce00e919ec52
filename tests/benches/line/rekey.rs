//! `rekey-batch`: a batch of repair over sixteen slots, beside the time that its own bytes need on the lines.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock, mpsc};
use std::time::Instant;

use base64ct::{Base64, Encoding};
use keystation::Station;
use keystation::config::Profile;
use keystation::line::{Line, LineEvent, SlotEvent};
use keystation::people::{Action, Person, Pin};
use keystation::repair::{BatchDevices, BatchWork};
use keystation_device::sim;
use keystation_tests::people::PEOPLE;
use keystation_tests::tap::{Tap, Way};

use crate::row::{Reach, Row, median};
use crate::station;

/// Slots of the line of repair.
const SLOTS: u32 = 16;
/// Devices of each slot in a round.
const EACH: u32 = 10;
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
        rates.push(f64::from(SLOTS * EACH) / run(directory, &station, lot, &work));
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

/// Works a batch off; seconds from the first device to the last result. Hands as fast as the slots: a device is pulled at its PASS,
/// and the next one comes as soon as the slot is ready. (One that is in place before the other has left costs a slot two seconds.)
fn run(directory: &Path, station: &Station, lot: u32, work: &Arc<BatchWork>) -> f64 {
    // The line comes first: what it watches with there is a limited number of for each user, and the simulator takes the rest.
    let devices: Arc<OnceLock<sim::Bench>> = Arc::default();
    let done: Vec<_> = (0..=SLOTS).map(|_| AtomicU32::new(0)).collect();
    let (tell, finished) = mpsc::channel();
    let hands = {
        let (devices, directory) = (Arc::clone(&devices), directory.to_owned());
        move |event: LineEvent| match event {
            LineEvent::Slot(number, SlotEvent::Pass { .. }) => {
                let devices = devices.get().expect("no device passes before there are devices");
                let nth = done[number as usize].fetch_add(1, Ordering::Relaxed);
                devices.unplug(((number - 1) * EACH + nth) as usize);
                if nth + 1 == EACH {
                    tell.send(()).unwrap();
                }
            }
            LineEvent::Slot(number, SlotEvent::Waiting) => {
                let nth = done[number as usize].load(Ordering::Relaxed);
                if let Some(devices) = devices.get().filter(|_| nth < EACH) {
                    station::put(&directory, number, devices.port(((number - 1) * EACH + nth) as usize));
                }
            }
            LineEvent::Slot(number, SlotEvent::Fail { failure, .. } | SlotEvent::Retry { failure, .. }) => {
                panic!("slot {number}: {failure} {:?}", failure.cause);
            }
            _ => {}
        }
    };
    let numbers: Vec<u32> = (1..=SLOTS).collect();
    let line = Line::rekey(station, &numbers, Arc::clone(work), hands).unwrap();
    let powered = station::devices(directory, lot, (SLOTS * EACH) as usize);
    let firsts: Vec<_> =
        numbers.iter().map(|number| powered.port(((number - 1) * EACH) as usize).to_owned()).collect();
    assert!(devices.set(powered).is_ok(), "set here only");
    let began = Instant::now();
    for (&number, first) in numbers.iter().zip(&firsts) {
        station::put(directory, number, first);
    }
    for _ in 0..SLOTS {
        finished.recv().unwrap();
    }
    let took = began.elapsed().as_secs_f64();
    drop(line);
    for &number in &numbers {
        std::fs::remove_file(station::place(directory, number)).unwrap();
    }
    took
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
