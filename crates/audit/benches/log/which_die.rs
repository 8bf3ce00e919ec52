//! `which-die`: which devices stop working when a group key goes, of a million.

use std::path::Path;
use std::time::Instant;

use keystation_audit::Reader;

use crate::large;
use crate::row::{Reach, Row, median};

/// Records of an injection.
const EACH: u64 = 2;
/// Times that it is asked.
const ROUNDS: usize = 5;
/// Devices of one answer.
const PAGE: u32 = 10_000;

/// The two numbers, and after them the registration ID of every one of them; by a connection that has nothing in its cache. Of ten
/// million records a fifth: one million devices.
pub(crate) fn which_die(directory: &Path, records: u64) -> Row {
    let devices = records / 10;
    let paths = large::log(directory, EACH * devices + 1);
    let label = "gk-2026a".parse().unwrap();
    let mut counted = Vec::new();
    let mut times: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            let reader = Reader::open(&paths).unwrap();
            let dying = reader.dying(&label).unwrap();
            counted.push(start.elapsed().as_secs_f64());
            let (mut listed, mut after) = (0, None);
            loop {
                let page = reader.devices_under(&label, after, PAGE).unwrap();
                listed += page.len() as u64;
                match page.last() {
                    Some((_, last)) => after = Some(*last),
                    None => break,
                }
            }
            let took = start.elapsed().as_secs_f64();
            assert_eq!((dying.devices, dying.in_use(), listed), (devices, devices, devices));
            took
        })
        .collect();
    Row {
        row: "which-die",
        ours: median(&mut times),
        peer: None,
        ratio: None,
        reach: Reach::AtMost(1.0),
        unit: "s",
        how: format!(
            "opening a log of {devices} devices, how many of them hang on a group key and how many of these are in use ({:.3} s), and every one of their registration IDs",
            median(&mut counted)
        ),
    }
}
