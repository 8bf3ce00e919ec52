//! Batches, as the log has them: which there are, what two people agreed to, and whether they are closed.
//!
//! A batch is its records. The newest of its kind is found by the count of records, and each names the one before it: so all are
//! found in a log of any size without a table of their own, and none of them in a file that somebody could lose.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder};
use std::io::{self};
use std::ops::ControlFlow;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;

use keystation_audit::{ReadError, Reader, Record};
use keystation_core::key::{CheckValue, KeyLabel};
use keystation_core::order::OrderId;
use keystation_core::record::{BatchCounts, Seq};
use keystation_core::repair::{ReasonCode, RekeyReason};

use super::error::RekeyError;
use super::list::BatchList;
use crate::data_dir::DataDir;
use crate::error::StationError;
use crate::files;

/// A batch that two people agreed to.
#[derive(Debug, Clone)]
pub struct Batch {
    /// Its ID, the `job` of its intents: `RK-` and a number.
    pub id: OrderId,
    /// The record that opened it.
    pub opened: Seq,
    /// When, UTC, milliseconds since 1970.
    pub time_ms: i64,
    /// Who asked.
    pub by: String,
    /// Who approved.
    pub approver: String,
    /// Why.
    pub reason: RekeyReason,
    /// Whether the same key may be written again although the reason asks for another one.
    pub same_key: bool,
    /// SHA-256 of the list; `None`: whichever devices are plugged in.
    pub list: Option<[u8; 32]>,
    /// So many devices.
    pub devices: u64,
    /// The group key of the new keys.
    pub key: KeyLabel,
    /// Its check value.
    pub check_value: CheckValue,
    /// File name of the product profile.
    pub profile: String,
    /// The group key whose devices are moved, of a campaign.
    pub from: Option<KeyLabel>,
    /// How it ended; `None`: it is open.
    pub closed: Option<Ended>,
}

/// How a batch ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// The record.
    pub record: Seq,
    /// What came of its devices.
    pub counts: BatchCounts,
}

/// What every ID of a batch begins with. No work order has such a one.
pub(crate) const PREFIX: &str = "RK-";

/// Every batch of the log, the newest first.
pub fn batches(reader: &Reader) -> Result<Vec<Batch>, StationError> {
    let mut ends = BTreeMap::new();
    chain(reader, "rekey.close", |record| {
        let number = |key| natural(record, key);
        let counts = BatchCounts {
            asked: number("asked")?,
            done: number("done")?,
            failed: number("failed")?,
            missing: number("missing")?,
            unexpected: number("unexpected")?,
        };
        // Read from the newest on: the first one that ended it is met last.
        ends.insert(number("ref")?, Ended { record: record.seq(), counts });
        Some(())
    })?;
    let mut batches = Vec::new();
    chain(reader, "rekey.open", |record| {
        let closed = ends.get(&record.seq()).copied();
        batches.push(Batch { closed, ..opened(record)? });
        Some(())
    })?;
    Ok(batches)
}

/// The batch of this ID.
pub fn batch(reader: &Reader, id: &OrderId) -> Result<Batch, StationError> {
    let found = batches(reader)?.into_iter().find(|batch| batch.id == *id);
    found.ok_or_else(|| RekeyError::NoBatch(id.clone()).into())
}

/// Visits the records of an event from the newest on. One that cannot be read by `take` ends it.
fn chain(
    reader: &Reader,
    event: &str,
    mut take: impl FnMut(&Record<'_>) -> Option<()>,
) -> Result<(), StationError> {
    let mut next = reader.newest(event)?.1;
    while let Some(seq) = next {
        let mut found = None;
        reader.records(seq..=seq, None, |record| {
            if record.event() == event && take(record).is_some() {
                found = Some(record.integer("prior").unwrap_or(-1));
            }
            ControlFlow::Break(())
        })?;
        let prior = found.ok_or(RekeyError::Unreadable(seq))?;
        // Backwards only, whatever a record says.
        next = u64::try_from(prior).ok().filter(|prior| *prior < seq);
    }
    Ok(())
}

fn natural(record: &Record<'_>, key: &str) -> Option<u64> {
    record.integer(key).and_then(|number| u64::try_from(number).ok())
}

fn opened(record: &Record<'_>) -> Option<Batch> {
    let text = |key| record.text(key);
    let list = text("sha256")?;
    let list = if list.is_empty() { None } else { Some(unhex(&list)?) };
    let from = text("from")?;
    let code = text("reason")?.parse::<ReasonCode>().ok()?;
    Some(Batch {
        id: text("job")?.parse().ok()?,
        opened: record.seq(),
        time_ms: record.utc_ms(),
        by: record.operator().into_owned(),
        approver: record.approver().into_owned(),
        reason: RekeyReason::new(code, &text("note")?).ok()?,
        same_key: natural(record, "same_key")? == 1,
        list,
        devices: natural(record, "qty")?,
        key: text("gk")?.parse().ok()?,
        check_value: text("gkcv")?.parse().ok()?,
        profile: text("profile")?.into_owned(),
        from: if from.is_empty() { None } else { Some(from.parse().ok()?) },
        closed: None,
    })
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).ok()?;
    }
    Some(bytes)
}

fn file(data: &DataDir, id: &OrderId) -> PathBuf {
    data.rekeys().join(format!("{id}.csv"))
}

/// Keeps the list of a batch that is not in the log yet: whole or not at all, and on the disk when this returns.
pub(super) fn keep(data: &DataDir, id: &OrderId, list: &BatchList) -> Result<(), StationError> {
    let path = file(data, id);
    let written = || -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(data.rekeys())?;
        files::replace(&path, list.text())
    };
    written().map_err(|cause| StationError::Disk { path: path.clone(), cause })
}

/// The list of a batch, if it is the one that was approved; `None`: it has none.
pub(super) fn list_of(data: &DataDir, batch: &Batch) -> Result<Option<BatchList>, StationError> {
    let Some(digest) = batch.list else { return Ok(None) };
    let path = file(data, &batch.id);
    let altered = |what| RekeyError::Altered { batch: batch.id.clone(), file: path.clone(), what };
    let bytes = fs::read(&path).map_err(|cause| match cause.kind() {
        io::ErrorKind::NotFound => StationError::from(altered("is gone")),
        _ => StationError::Unreadable { path: path.clone(), cause },
    })?;
    let list = BatchList::read(&bytes, &path).map_err(RekeyError::from)?;
    if list.digest() != digest {
        return Err(altered("was changed").into());
    }
    Ok(Some(list))
}

/// The ID of the next batch: one that no batch, and no work order of before, has.
pub(super) fn next_id(reader: &Reader) -> Result<OrderId, ReadError> {
    let mut number = reader.newest("rekey.open")?.0 + 1;
    loop {
        let id: OrderId = format!("{PREFIX}{number}").parse().expect("letters, a dash and a number");
        if reader.work_order(&id)?.is_none() && !reader.knows_job(id.as_str())? {
            return Ok(id);
        }
        number += 1;
    }
}
