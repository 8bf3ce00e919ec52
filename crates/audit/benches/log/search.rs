//! `search`: the slowest page of any search.

use std::path::Path;
use std::time::Instant;

use keystation_audit::{Field, Query, Reader};

use crate::large;
use crate::line::Unit;
use crate::row::{Reach, Row, median};

/// Rows of a page, as the window shows them.
const PAGE: u32 = 50;
/// Times that each page is asked for.
const ROUNDS: usize = 5;

/// First, middle and last page of a search by each field.
pub(crate) fn search(directory: &Path, records: u64) -> Row {
    let paths = large::log(directory, records);
    let reader = Reader::open(&paths).unwrap();
    let devices = (records - 1) / 2;
    // As many as any work order has, and as any operator has.
    let unit = Unit::new(devices / 2);
    let terms = [
        (Field::Mac, unit.mac()),
        (Field::Serial, unit.serial()),
        (Field::Id, unit.id().to_owned()),
        (Field::Job, unit.job()),
        (Field::Operator, unit.operator()),
    ];
    let (mut worst, mut slowest) = (0.0, String::new());
    for (field, value) in terms {
        let query = Query { terms: vec![(field, value)], ..Query::default() };
        // Where each page begins: behind the row before it.
        let mut found = Vec::new();
        reader
            .attempts(&query, |attempt, _| {
                found.push(attempt.seq);
                Ok::<_, keystation_audit::ReadError>(())
            })
            .unwrap();
        assert!(!found.is_empty(), "{query:?}");
        let middle = found.len() / 2;
        let last = found.len().saturating_sub(PAGE as usize);
        for (page, from) in [("first", 0), ("middle", middle), ("last", last)] {
            let before = from.checked_sub(1).map(|row| found[row]);
            let mut times: Vec<f64> = (0..ROUNDS)
                .map(|_| {
                    // A connection that has nothing of it in its cache.
                    let reader = Reader::open(&paths).unwrap();
                    let start = Instant::now();
                    let page = reader.search(&query, before, PAGE).unwrap();
                    let took = start.elapsed().as_secs_f64() * 1000.0;
                    assert!(!page.rows.is_empty());
                    took
                })
                .collect();
            let time = median(&mut times);
            if time > worst {
                (worst, slowest) =
                    (time, format!("{} page by {} ({} rows)", page, field.as_str(), found.len()));
            }
        }
    }
    Row {
        row: "search",
        ours: worst,
        peer: None,
        ratio: None,
        reach: Reach::AtMost(50.0),
        unit: "ms",
        how: format!(
            "slowest of the first, middle and last page of {PAGE} by MAC, serial, ID, job and operator in {records} records: the {slowest}"
        ),
    }
}
