//! How far labels, hooks and the outbox are: one answer for the command line and the window, also beside a program that works.

use std::ops::ControlFlow;

use keystation_audit::{ReadError, Reader, Record};
use keystation_core::record::Seq;
use serde::Serialize;

use super::{OutboxStatus, PrinterStatus, labels, outbox};
use crate::config::StationConfig;
use crate::data_dir::DataDir;
use crate::error::StationError;
use crate::station::paths;

/// What comes after a PASS, and how far it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AfterStatus {
    /// The printers of the settings.
    pub printers: Vec<PrinterStatus>,
    /// The hooks.
    pub hooks: HooksStatus,
    /// The outbox.
    pub outbox: OutboxStatus,
}

/// What became of calls of hooks, in this log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HooksStatus {
    /// Their programs, as the settings name them: file names.
    pub programs: Vec<String>,
    /// Calls that failed (`hook.fail`).
    pub failed: u64,
    /// The newest of these: `number` is the exit code or the signal.
    pub last_failed: Option<Trouble>,
    /// How often calls were dropped (`hook.drop`).
    pub drops: u64,
    /// The newest of these: `number` calls.
    pub last_drop: Option<Trouble>,
}

/// Something that did not go on, as a record says it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Trouble {
    /// The record.
    pub record: Seq,
    /// Its time: UTC, RFC 3339.
    pub time: String,
    /// What it is about: a printer, a program, the name of a log.
    pub of: String,
    /// Why, in the word of the record.
    pub why: String,
    /// Which record waits, how a program ended, how many calls: as said where this is used.
    pub number: i64,
}

impl Trouble {
    pub(super) fn of(record: &Record<'_>, of: String, number: i64) -> Self {
        let why = record.text("why").unwrap_or_default().into_owned();
        Self { record: record.seq(), time: record.time().to_owned(), of, why, number }
    }
}

/// How far labels, hooks and outbox are, in a directory that another program may work in.
pub fn status(data: &DataDir) -> Result<AfterStatus, StationError> {
    let config = StationConfig::read(&data.settings())?;
    let reader = Reader::open(&paths(data))?;
    let hook = |event, number: &str| {
        newest(&reader, event, |record| {
            let program = record.text("program").unwrap_or_default().into_owned();
            Trouble::of(record, program, record.integer(number).unwrap_or_default())
        })
    };
    let (failed, last_failed) = hook("hook.fail", "number")?;
    let (drops, last_drop) = hook("hook.drop", "count")?;
    let programs = config.hooks.iter().map(super::HookConfig::name).collect();
    Ok(AfterStatus {
        printers: labels::status(data)?,
        hooks: HooksStatus { programs, failed, last_failed, drops, last_drop },
        outbox: outbox::status(data)?,
    })
}

/// How many records of an event there are, and what `read` makes of the newest.
pub(super) fn newest<T>(
    reader: &Reader,
    event: &str,
    read: impl FnOnce(&Record<'_>) -> T,
) -> Result<(u64, Option<T>), ReadError> {
    let (count, last) = reader.newest(event)?;
    let (mut read, mut found) = (Some(read), None);
    if let Some(last) = last {
        reader.records(last..=last, None, |record| {
            found = read.take().map(|read| read(record));
            ControlFlow::Break(())
        })?;
    }
    Ok((count, found))
}
