//! `inject-wire`, `inject-bytes`: one injection with proof, beside the time that its own bytes need on the line.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use keystation::config::Profile;
use keystation::{Meant, Station, Work};
use keystation_core::flow::AnyDevice;
use keystation_device::place::Place;
use keystation_tests::tap::{Tap, Way};

use crate::row::{Reach, Row, median};
use crate::station;

/// Devices, one after the other.
const DEVICES: usize = 40;

/// The time of one injection from the permit to the durable result, beside the wire time of its bytes.
pub(crate) fn time(directory: &Path) -> Row {
    let station = station::open(directory, 1);
    let bytes = count(directory, &station, 0);
    let devices = station::devices(directory, 1, DEVICES);
    let mut times: Vec<f64> = (0..DEVICES)
        .map(|device| {
            let began = Instant::now();
            key(&station, devices.port(device));
            began.elapsed().as_secs_f64() * 1000.0
        })
        .collect();
    station.close().unwrap();
    // Start bit, eight data bits, stop bit.
    let wire = bytes as f64 * 10.0 * 1000.0 / f64::from(station::BAUD);
    let ours = median(&mut times);
    Row {
        row: "inject-wire",
        ours,
        peer: Some(wire),
        ratio: Some(ours / wire),
        reach: Reach::AtMost(1.10),
        unit: "ms",
        how: format!(
            "median of {DEVICES} devices, from the permit to the durable result, port opened within; {bytes} bytes at {} baud",
            station::BAUD
        ),
    }
}

/// The bytes of one injection, both ways together.
pub(crate) fn bytes(directory: &Path) -> Row {
    let station = station::open(directory, 1);
    let bytes = count(directory, &station, 0);
    station.close().unwrap();
    Row {
        row: "inject-bytes",
        ours: bytes as f64,
        peer: None,
        ratio: None,
        reach: Reach::AtMost(700.0),
        unit: "bytes",
        how: "counted on the line, both ways, from the first request to the last answer".to_owned(),
    }
}

/// Keys a device through a wire that counts.
fn count(directory: &Path, station: &Station, lot: u32) -> usize {
    let devices = station::devices(directory, lot, 1);
    let tap = Tap::new(devices.port(0), usize::MAX).unwrap();
    key(station, tap.port());
    let passed = tap.cut().unwrap();
    // What a device says when it gets power came before.
    passed.iter().skip_while(|(way, _)| *way == Way::Back).map(|(_, bytes)| bytes.len()).sum()
}

fn key(station: &Station, port: &Path) {
    let profile = Profile::read(&station.config().slots[0].profile).unwrap();
    let work = Work {
        place: Place::Path(port.to_owned()),
        profile,
        job: String::new(),
        admission: Arc::new(AnyDevice),
    };
    let permit = station.may_inject().unwrap();
    let mut port = station.open_port(&permit, &work).unwrap();
    let keyed = station.inject(&permit, &work, Meant::default(), &mut port, &mut |_| ());
    keyed.unwrap_or_else(|failure| panic!("{failure} {:?}", failure.cause));
}
