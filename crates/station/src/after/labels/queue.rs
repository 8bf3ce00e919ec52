//! What is to be printed, as the log says it.

use std::ops::ControlFlow;

use keystation_audit::{ReadError, Reader, Record};
use keystation_core::identity::Mac;
use keystation_core::record::Seq;

use super::Subject;
use crate::after::status::Trouble;

/// Something that asks for a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Asked {
    /// The record that asks.
    pub(crate) seq: Seq,
    /// The record of the PASS.
    pub(crate) result: Seq,
    /// Whether it is asked for once more.
    pub(crate) copy: bool,
}

/// What the log says of a printer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Known {
    /// The record from which on it prints, if the settings had it last.
    pub(crate) begun: Option<Seq>,
    /// The last record whose label it has: labels are taken in order, so it has all before it.
    pub(crate) done: Option<Seq>,
    /// The last time that it took nothing for a minute; the number is what it was to take.
    pub(crate) stalled: Option<Trouble>,
}

impl Known {
    /// The first record that may still ask.
    pub(crate) fn next(&self) -> Option<Seq> {
        self.begun.map(|begun| self.done.map_or(begun, |done| begun.max(done + 1)))
    }
}

/// What a record asks for.
fn asks(record: &Record<'_>) -> Option<Asked> {
    let seq = record.seq();
    match record.event() {
        "inject.result" | "inject.resolve" if record.rc() == "ok" => {
            Some(Asked { seq, result: seq, copy: false })
        }
        "label.reprint" => {
            let result = Seq::try_from(record.integer("ref")?).ok()?;
            Some(Asked { seq, result, copy: true })
        }
        _ => None,
    }
}

/// What the records from `from` on say of `printer`.
pub(crate) fn known(reader: &Reader, printer: &str, from: Seq) -> Result<Known, ReadError> {
    let mut known = Known::default();
    reader.records(from.., None, |record| {
        let of = || record.text("printer").is_some_and(|name| name == printer);
        match record.event() {
            "label.begin" if of() => known.begun = Some(record.seq()),
            "label.end" if of() => known.begun = None,
            "label.stall" if of() => {
                let asked = record.integer("ref").unwrap_or_default();
                known.stalled = Some(Trouble::of(record, printer.to_owned(), asked));
            }
            "label.print" | "label.fail" if of() => {
                let done = record.integer("ref").and_then(|seq| Seq::try_from(seq).ok());
                known.done = known.done.max(done);
            }
            _ => {}
        }
        ControlFlow::Continue(())
    })?;
    Ok(known)
}

/// What asks for a label from record `from` on and before `to`: at most `limit`, and the first record that was not looked at.
pub(crate) fn waiting(
    reader: &Reader,
    from: Seq,
    to: Seq,
    limit: usize,
) -> Result<(Vec<Asked>, Seq), ReadError> {
    let (mut found, mut next) = (Vec::new(), from);
    reader.records(from..to, None, |record| {
        found.extend(asks(record));
        next = record.seq() + 1;
        if found.len() < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    Ok((found, next))
}

/// The device of a PASS. `None`: it has its label already, since it was keyed anew.
pub(crate) fn subject(reader: &Reader, asked: Asked) -> Result<Option<Subject>, ReadError> {
    let passed = with(reader, asked.result, |result| {
        let intent = result.integer("ref").and_then(|seq| Seq::try_from(seq).ok());
        intent.map(|intent| (intent, result.time().get(..10).unwrap_or_default().to_owned(), result.utc_ms()))
    })?;
    let Some((intent, date, moment)) = passed.flatten() else { return Ok(None) };
    let subject = with(reader, intent, |intent| {
        let text = |key| intent.text(key).unwrap_or_default().into_owned();
        let mac = text("mac");
        let subject = Subject {
            registration_id: text("rid"),
            serial: text("sn"),
            mac: mac.parse::<Mac>().map_or(mac, |mac| mac.spelled(":")),
            firmware: text("fw"),
            date,
            order: text("job"),
            copy: asked.copy,
            moment,
            title: text("profile"),
        };
        (asked.copy || text("mode") == "new").then_some(subject)
    })?;
    Ok(subject.flatten())
}

/// What `read` makes of one record.
fn with<T>(reader: &Reader, seq: Seq, read: impl FnOnce(&Record<'_>) -> T) -> Result<Option<T>, ReadError> {
    let (mut read, mut found) = (Some(read), None);
    reader.records(seq..=seq, None, |record| {
        found = read.take().map(|read| read(record));
        ControlFlow::Break(())
    })?;
    Ok(found)
}
