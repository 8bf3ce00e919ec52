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
use keystation_core::record::{BatchCounts, ListHashes, Seq};
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
    /// What its list is known by; `None`: whichever devices are plugged in.
    pub list: Option<ListHashes>,
    /// So many devices.
    pub devices: u64,
    /// The group key of the new keys.
    pub key: KeyLabel,
    /// Its check value.
    pub check_value: CheckValue,
    /// File name of the product profile.
    pub profile: String,
    /// What was approved of it; `None`: by a program that did not say, so that the batch can only be closed.
    pub approved: Option<ApprovedProfile>,
    /// The group key whose devices are moved, of a campaign.
    pub from: Option<KeyLabel>,
    /// How it ended; `None`: it is open.
    pub closed: Option<Ended>,
}

/// What two people agreed to of a product profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApprovedProfile {
    /// SHA-256 of its file.
    pub sha256: [u8; 32],
    /// The DPS endpoint that is written.
    pub endpoint: String,
    /// The ID scope.
    pub scope: String,
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
    let approved = match text("profile_sha256") {
        None => None,
        Some(sha256) => Some(ApprovedProfile {
            sha256: unhex(&sha256)?,
            endpoint: text("endpoint")?.into_owned(),
            scope: text("scope")?.into_owned(),
        }),
    };
    let list = text("sha256")?;
    // Programs of before did not say the root.
    let root =
        text("list_root").map_or(Some([0; 32]), |root| unhex(&root).or(root.is_empty().then_some([0; 32])));
    let list = if list.is_empty() { None } else { Some(ListHashes { sha256: unhex(&list)?, root: root? }) };
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
        approved,
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

/// Keeps the list of a batch that is not in the log yet: whole or not at all, and on the disk when this returns. `false`: there is
/// a list of this name, and it is left as it is.
pub(super) fn keep(data: &DataDir, id: &OrderId, list: &BatchList) -> Result<bool, StationError> {
    let path = file(data, id);
    let written = || -> io::Result<bool> {
        DirBuilder::new().recursive(true).mode(0o700).create(data.rekeys())?;
        if path.symlink_metadata().is_ok() {
            return Ok(false);
        }
        files::replace(&path, list.text()).map(|()| true)
    };
    written().map_err(|cause| StationError::Disk { path: path.clone(), cause })
}

/// The list of a batch, if it is the one that was approved; `None`: it has none.
pub(super) fn list_of(data: &DataDir, batch: &Batch) -> Result<Option<BatchList>, StationError> {
    let Some(approved) = batch.list else { return Ok(None) };
    let path = file(data, &batch.id);
    let altered = |what| RekeyError::Altered { batch: batch.id.clone(), file: path.clone(), what };
    let bytes = fs::read(&path).map_err(|cause| match cause.kind() {
        io::ErrorKind::NotFound => StationError::from(altered("is gone")),
        _ => StationError::Unreadable { path: path.clone(), cause },
    })?;
    let list = BatchList::read(&bytes, &path).map_err(RekeyError::from)?;
    if list.digest() != approved.sha256 {
        return Err(altered("was changed").into());
    }
    Ok(Some(list))
}

/// The IDs that the next batch can have, in their order: none that a batch or a work order of this log has. Those of an epoch behind
/// the first say which it is, so that no ID is given twice in the life of a station.
pub(super) fn next_ids(
    reader: &Reader,
) -> Result<impl Iterator<Item = Result<OrderId, ReadError>> + '_, ReadError> {
    let epoch = reader.snapshot()?.checkpoint().origin.epoch();
    let prefix = if epoch == 1 { PREFIX.to_owned() } else { format!("{PREFIX}{epoch}-") };
    let first = reader.newest("rekey.open")?.0 + 1;
    let free = move |number: u64| {
        let id: OrderId = format!("{prefix}{number}").parse().expect("letters, dashes and numbers");
        let known =
            reader.knows_batch(&id)? || reader.work_order(&id)?.is_some() || reader.knows_job(id.as_str())?;
        Ok((!known).then_some(id))
    };
    Ok((first..).map(free).filter_map(Result::transpose))
}

/// Batches of a log that are not closed: with their epoch they end.
pub fn open_batches(reader: &Reader) -> Result<Vec<Batch>, StationError> {
    let mut batches = batches(reader)?;
    batches.retain(|batch| batch.closed.is_none());
    Ok(batches)
}
