//! `slots-32`: 32 slots at once beside one, device after device.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock, mpsc};
use std::time::{Duration, Instant};

use keystation::Station;
use keystation::line::{Line, LineEvent, SlotEvent};
use keystation_device::sim;

use crate::row::{Reach, Row, median};
use crate::station;

/// Slots of a full line.
const SLOTS: u32 = 32;
/// Devices that each slot keys in a round.
const EACH: u32 = 20;
/// Within which the first devices come: the time of about one injection, so that the slots are in all its steps.
const FIRSTS: Duration = Duration::from_millis(64);
/// Rounds; the sides take turns, so that what else the machine does hits both.
const ROUNDS: u32 = 5;

pub(crate) fn slots_32(directory: &Path) -> Row {
    let station = station::open(directory, SLOTS);
    let (mut all, mut ones, mut ratios, mut cpu) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let one = run(directory, &station, 2 * round, 1);
        let before = processor();
        let many = run(directory, &station, 2 * round + 1, SLOTS);
        cpu.push((processor() - before).as_secs_f64() * 1000.0 / f64::from(SLOTS * EACH));
        ones.push(one);
        all.push(many);
        ratios.push(many / (one * f64::from(SLOTS)));
    }
    station.close().unwrap();
    Row {
        row: "slots-32",
        ours: median(&mut all),
        peer: Some(median(&mut ones) * f64::from(SLOTS)),
        ratio: Some(median(&mut ratios)),
        reach: Reach::AtLeast(0.95),
        unit: "devices/s",
        how: format!(
            "{SLOTS} slots beside {SLOTS} times one slot, {EACH} devices each at {} baud, exchanged as soon as they have PASS; \
             one process, {:.2} ms of processor per device for station and simulator together; median of {ROUNDS} rounds in turns",
            station::BAUD,
            median(&mut cpu)
        ),
    }
}

/// Keys devices in `slots` slots at once; devices a second, all slots together, while every slot has work: from when each has had its
/// first device until one has had its last. Hands as fast as the slots: a device is pulled at its PASS, the next one comes as soon
/// as the slot waits for it. (Put in before the old one has left, it would wait two seconds, with one slot as with 32, and the row
/// would measure these.) Nobody plugs in thirty-two devices within one millisecond: the first ones come within [`FIRSTS`].
fn run(directory: &Path, station: &Station, lot: u32, slots: u32) -> f64 {
    // The line comes first: what it watches with there is a limited number of for each user, and the simulator takes the rest.
    let devices: Arc<OnceLock<sim::Bench>> = Arc::default();
    let port = |devices: &sim::Bench, number: u32, nth: u32| {
        devices.port(((number - 1) * EACH + nth) as usize).to_owned()
    };
    let nth: Vec<_> = (0..=slots).map(|_| AtomicU32::new(0)).collect();
    let (done, passed) = mpsc::channel();
    let exchange = {
        let (devices, directory) = (Arc::clone(&devices), directory.to_owned());
        // The slot's own thread is the person in front of it.
        move |event: LineEvent| match event {
            LineEvent::Slot(number, SlotEvent::Pass { .. }) => {
                let now = Instant::now();
                let devices = devices.get().expect("no device passes before there are devices");
                let keyed = nth[number as usize].fetch_add(1, Ordering::Relaxed);
                devices.unplug(((number - 1) * EACH + keyed) as usize);
                done.send((now, keyed + 1)).unwrap();
            }
            LineEvent::Slot(number, SlotEvent::Waiting) => {
                let next = nth[number as usize].load(Ordering::Relaxed);
                if let Some(devices) = devices.get().filter(|_| (1..EACH).contains(&next)) {
                    station::put(&directory, number, &port(devices, number, next));
                }
            }
            LineEvent::Slot(number, SlotEvent::Fail { failure, .. } | SlotEvent::Retry { failure, .. }) => {
                panic!("slot {number}: {failure} {:?}", failure.cause);
            }
            _ => {}
        }
    };
    let numbers: Vec<u32> = (1..=slots).collect();
    let line = Line::start(station, &numbers, exchange).unwrap();
    let powered = station::devices(directory, lot, (slots * EACH) as usize);
    let firsts: Vec<_> = numbers.iter().map(|&number| port(&powered, number, 0)).collect();
    assert!(devices.set(powered).is_ok(), "set here only");
    for (&number, first) in numbers.iter().zip(&firsts) {
        station::put(directory, number, first);
        std::thread::sleep(FIRSTS / slots);
    }
    let mut passes: Vec<(Instant, u32)> = (0..slots * EACH).map(|_| passed.recv().unwrap()).collect();
    drop(line);
    for &number in &numbers {
        std::fs::remove_file(station::place(directory, number)).unwrap();
    }
    passes.sort_unstable();
    let began = passes.iter().filter(|(_, nth)| *nth == 1).map(|(at, _)| *at).max().expect("there are slots");
    let ended = passes.iter().find(|(_, nth)| *nth == EACH).expect("there are slots").0;
    let within = passes.iter().filter(|(at, _)| *at > began && *at <= ended).count();
    within as f64 / (ended - began).as_secs_f64()
}

/// Time that this process used of the processors so far (proc(5), `stat`, fields 14 and 15, in hundredths of a second).
fn processor() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let (_, rest) = stat.rsplit_once(')').unwrap();
    let ticks: u64 =
        rest.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap()).sum();
    Duration::from_millis(10 * ticks)
}
