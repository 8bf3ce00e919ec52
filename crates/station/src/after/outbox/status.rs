//! How far the outbox is, for whoever looks from another program.

use keystation_audit::Reader;
use keystation_core::record::Seq;
use serde::Serialize;

use super::{NAME, Skipped, chain};
use crate::after::position::Position;
use crate::after::status::{Trouble, newest};
use crate::config::StationConfig;
use crate::data_dir::DataDir;
use crate::error::StationError;
use crate::station::paths;

/// How far the outbox is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OutboxStatus {
    /// Whether the settings switch it on.
    pub on: bool,
    /// The log of which the next record is: this one, or one before it.
    pub log: String,
    /// The record that is delivered next; while a program works, at most [`KEEP`](super::KEEP) behind.
    pub next: Seq,
    /// Records of this log.
    pub records: u64,
    /// Records that wait, of this log and of those before it as far as they say how many they had.
    pub waiting: u64,
    /// The logs before this one of which something waits, oldest first.
    pub older: Vec<OlderLog>,
    /// Other records were delivered than this log has, or more: nothing goes out, and somebody has to look.
    pub ahead: bool,
    /// Why the next record is not taken, if it was not for a minute.
    pub trouble: Option<Trouble>,
    /// How often records of logs before this one were given up (`outbox.skip`).
    pub skips: u64,
    /// The newest of these.
    pub skipped: Option<Skipped>,
}

/// What waits of a log that was put aside for a new one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OlderLog {
    /// Its name.
    pub log: String,
    /// The first record that waits.
    pub first: Seq,
    /// How many do; `None`: nothing says how many it had.
    pub waiting: Option<u64>,
    /// How many of these are lost for all that is known: its last ones, for which nothing vouched when it was put aside; all of them, if
    /// its files are gone. What was damaged since is seen when they are delivered.
    pub lost: u64,
    /// Whether its files are where they were put.
    pub there: bool,
}

/// How far the outbox is, in a directory that another program may work in.
pub fn status(data: &DataDir) -> Result<OutboxStatus, StationError> {
    let config = StationConfig::read(&data.settings())?;
    let reader = Reader::open(&paths(data))?;
    let origin = reader.verifier_key()?.name().to_owned();
    let file = data.after().join(NAME);
    let kept =
        Position::read(&file).map_err(|cause| StationError::Unreadable { path: file.clone(), cause })?;
    let records = reader.size()?;
    let (log, next) =
        kept.as_ref().map_or((origin.clone(), 0), |kept| (kept.origin().to_owned(), kept.next()));
    let (skips, skipped) = newest(&reader, "outbox.skip", |record| Skipped {
        log: record.text("prev").unwrap_or_default().into_owned(),
        first: number(record.integer("first")),
        count: number(record.integer("count")),
        why: record.text("why").unwrap_or_default().into_owned(),
    })?;
    let mut status = OutboxStatus {
        on: config.outbox.is_some(),
        log,
        next,
        records,
        waiting: 0,
        older: Vec::new(),
        ahead: true,
        trouble: None,
        skips,
        skipped,
    };
    let Some(position) = chain::resume(kept, data, &origin) else { return Ok(status) };
    status.ahead = position.origin() == origin && chain::is_ahead(&reader, &position, records)?;
    if status.ahead {
        return Ok(status);
    }
    let mut first = position.next();
    for log in chain::older(data, &reader, &origin, position.origin())? {
        let waiting = log.size().map(|size| size.saturating_sub(first));
        if waiting != Some(0) {
            let there = log.is_there();
            let all = waiting.unwrap_or_default();
            let lost = if there { log.lost().min(all) } else { all };
            status.older.push(OlderLog { log: log.origin, first, waiting, lost, there });
        }
        first = 0;
    }
    let older: u64 = status.older.iter().filter_map(|log| log.waiting).sum();
    status.waiting = older + records.saturating_sub(first);
    position.origin().clone_into(&mut status.log);
    status.next = position.next();
    let (_, stalled) = newest(&reader, "outbox.stall", |record| {
        let of = record.text("prev").map_or(origin.clone(), |prev| prev.into_owned());
        Trouble::of(record, of, record.integer("next").unwrap_or_default())
    })?;
    // What waited then was taken since.
    status.trouble =
        stalled.filter(|stalled| stalled.of == status.log && number(Some(stalled.number)) == status.next);
    Ok(status)
}

fn number(integer: Option<i64>) -> u64 {
    integer.and_then(|integer| u64::try_from(integer).ok()).unwrap_or_default()
}
