//! `append`, `append-32`: durable records beside a bare SQLite loop, and many callers beside one.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use keystation_audit::{Journal, Reader};
use rusqlite::Connection;

use crate::line::{self, Unit};
use crate::row::{Reach, Row, median};

/// Rounds; the sides take turns, so that what else the machine does hits both.
const ROUNDS: usize = 30;
/// Devices of a round, two records each.
const DEVICES: u64 = 150;
/// Callers at once: the slots of a full station.
const CALLERS: usize = 32;

/// Appends by one caller beside a bare loop that inserts and commits the same bytes in the same directory.
pub(crate) fn append(directory: &Path) -> Row {
    let (paths, journal) = line::begin(directory);
    let bare = Bare::create(directory);
    let reader = Reader::open(&paths).expect("the log that was just made");
    let next = AtomicU64::new(0);
    let (mut ours, mut peers, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let before = reader.size().expect("a size");
        let our = rate(2 * DEVICES, key(&journal, &next, 1, DEVICES));
        let mut bodies = Vec::new();
        reader
            .records(before.., None, |record| {
                bodies.push(record.json().as_bytes().to_vec());
                std::ops::ControlFlow::Continue(())
            })
            .expect("the records of this round");
        let peer = rate(bodies.len() as u64, bare.insert(&bodies));
        ours.push(our);
        peers.push(peer);
        ratios.push(our / peer);
    }
    journal.close().expect("it closes");
    Row {
        row: "append",
        ours: median(&mut ours),
        peer: Some(median(&mut peers)),
        ratio: Some(median(&mut ratios)),
        reach: Reach::AtLeast(0.8),
        unit: "records/s",
        how: format!(
            "one caller appends intents and results; the peer inserts and commits the same bytes in a SQLite table (WAL, FULL) of \
             the same directory; median of {ROUNDS} rounds in turns, {} records each",
            2 * DEVICES
        ),
    }
}

/// 32 callers beside one, on one log.
pub(crate) fn append_32(directory: &Path) -> Row {
    let (_, journal) = line::begin(directory);
    let next = AtomicU64::new(0);
    let many = DEVICES * 8;
    let (mut ours, mut peers, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let peer = rate(2 * DEVICES, key(&journal, &next, 1, DEVICES));
        let our = rate(2 * many, key(&journal, &next, CALLERS, many));
        ours.push(our);
        peers.push(peer);
        ratios.push(our / peer);
    }
    journal.close().expect("it closes");
    Row {
        row: "append-32",
        ours: median(&mut ours),
        peer: Some(median(&mut peers)),
        ratio: Some(median(&mut ratios)),
        reach: Reach::AtLeast(5.0),
        unit: "records/s",
        how: format!(
            "{CALLERS} callers beside one caller on the same log; median of {ROUNDS} rounds in turns"
        ),
    }
}

/// How long `callers` take to key `devices` devices together.
pub(crate) fn key(journal: &Journal, next: &AtomicU64, callers: usize, devices: u64) -> Duration {
    let until = next.load(Ordering::Relaxed) + devices;
    let start = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..callers {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= until {
                        break;
                    }
                    Unit::new(number).key(journal).expect("it is appended");
                }
            });
        }
    });
    let took = start.elapsed();
    next.store(until, Ordering::Relaxed);
    took
}

fn rate(records: u64, took: Duration) -> f64 {
    records as f64 / took.as_secs_f64()
}

/// The least that SQLite does to make the same bytes durable.
struct Bare(Connection);

impl Bare {
    fn create(directory: &Path) -> Self {
        let conn = Connection::open(directory.join("bare.db")).expect("a database");
        conn.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
             CREATE TABLE record (seq INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;",
        )
        .expect("a table");
        Self(conn)
    }

    fn insert(&self, bodies: &[Vec<u8>]) -> Duration {
        let mut statement = self.0.prepare("INSERT INTO record (body) VALUES (?1)").expect("an insert");
        let start = Instant::now();
        for body in bodies {
            statement.execute([body]).expect("it is committed");
        }
        start.elapsed()
    }
}
