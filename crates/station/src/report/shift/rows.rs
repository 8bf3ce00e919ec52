//! The report on a shift as rows: for a spreadsheet (CSV) or a program (JSON).

use std::collections::BTreeMap;
use std::io::Write;

use serde_json::{Map, Value, json};

use super::{Count, Shift, Sitting};
use crate::error::StationError;
use crate::report::file::NewFile;
use crate::report::list::{harmless, unwritten};
use crate::training::MARK;

/// What a row adds up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// A session.
    Session,
    /// A work order within a session.
    SessionOrder,
    /// A work order.
    Order,
    /// Everything.
    Total,
}

impl Scope {
    /// Its name in the file.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::SessionOrder => "session-order",
            Self::Order => "order",
            Self::Total => "total",
        }
    }
}

/// One row.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    /// What it adds up.
    pub scope: Scope,
    /// Of which session, where it is of one.
    pub sitting: Option<&'a Sitting>,
    /// Of which work order, where it is of one; empty for devices without.
    pub order: Option<&'a str>,
    /// What was made.
    pub count: &'a Count,
}

/// The columns, in their order.
const COLUMNS: [&str; 29] = [
    "scope",
    "log",
    "session",
    "operator",
    "order",
    "began",
    "ended",
    "first_record",
    "first_time",
    "last_record",
    "last_time",
    "attempts",
    "passed",
    "failed",
    "open",
    "retried",
    "settled_passed",
    "settled_failed",
    "refused",
    "failed_by",
    "refused_by",
    "devices",
    "devices_passed",
    "devices_failed",
    "devices_open",
    "devices_refused",
    "do_not_ship",
    "unnamed",
    "records",
];

impl Shift {
    /// Each session with its work orders, then the work orders, then everything.
    #[must_use]
    pub fn rows(&self) -> Vec<Row<'_>> {
        let mut rows = Vec::new();
        for sitting in &self.sessions {
            let of = |scope, order, count| Row { scope, sitting: Some(sitting), order, count };
            rows.push(of(Scope::Session, None, &sitting.total));
            rows.extend(
                sitting.orders.iter().map(|(job, count)| of(Scope::SessionOrder, Some(job.as_str()), count)),
            );
        }
        let of = |scope, order, count| Row { scope, sitting: None, order, count };
        rows.extend(self.orders.iter().map(|(job, count)| of(Scope::Order, Some(job.as_str()), count)));
        rows.push(of(Scope::Total, None, &self.total));
        rows
    }

    /// A row as an object, with the names of the columns; what a row is not of is `null`.
    #[must_use]
    pub fn object(&self, row: &Row<'_>) -> Map<String, Value> {
        COLUMNS.map(str::to_owned).into_iter().zip(self.values(row)).collect()
    }

    /// Writes all rows to `file`: RFC 4180, UTF-8, no cell that a spreadsheet would take for a formula.
    pub fn csv(&self, mut file: NewFile) -> Result<(), StationError> {
        let unwritten = unwritten(file.path());
        if self.checkpoint.origin.is_training() {
            let mark = format!("{}\r\n", MARK.replace(',', ";"));
            file.write_all(mark.as_bytes()).map_err(|cause| unwritten(cause.into()))?;
        }
        let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(&mut file);
        writer.write_record(COLUMNS).map_err(&unwritten)?;
        for row in self.rows() {
            let cells = self.values(&row).map(|cell| match cell {
                Value::Null => String::new(),
                Value::String(text) => harmless(&text).into_owned(),
                Value::Object(causes) => harmless(&listed(&causes)).into_owned(),
                number => number.to_string(),
            });
            writer.write_record(&cells).map_err(&unwritten)?;
        }
        writer.flush().map_err(|e| unwritten(e.into()))?;
        drop(writer);
        Ok(file.keep()?)
    }

    /// The values of [`COLUMNS`].
    fn values(&self, row: &Row<'_>) -> [Value; COLUMNS.len()] {
        let Row { scope, sitting, order, count } = row;
        let of = |value: fn(&Sitting) -> Value| sitting.map_or(Value::Null, value);
        let causes = |causes: &BTreeMap<String, u64>| json!(causes);
        let devices = count.devices;
        [
            json!(scope.as_str()),
            json!(self.checkpoint.origin.as_str()),
            of(|sitting| json!(sitting.session)),
            of(|sitting| json!(sitting.operator)),
            order.map_or(Value::Null, |order| json!(order)),
            of(|sitting| json!(sitting.began.as_ref().map(|(_, how)| how))),
            of(|sitting| json!(sitting.ended.as_ref().map(|(_, how)| how))),
            of(|sitting| json!(sitting.first.record)),
            of(|sitting| json!(sitting.first.time)),
            of(|sitting| json!(sitting.last.record)),
            of(|sitting| json!(sitting.last.time)),
            json!(count.begun),
            json!(count.passed),
            json!(count.all_failed()),
            json!(count.open),
            json!(count.retried),
            json!(count.settled.passed),
            json!(count.settled.failed),
            json!(count.all_refused()),
            causes(&count.failed),
            causes(&count.refused),
            json!(devices.all()),
            json!(devices.passed),
            json!(devices.failed),
            json!(devices.open),
            json!(devices.refused),
            json!(devices.do_not_ship),
            json!(devices.unnamed),
            json!(self.checkpoint.size),
        ]
    }
}

/// `silent:2 unplugged:1`.
fn listed(causes: &Map<String, Value>) -> String {
    causes.iter().map(|(code, times)| format!("{code}:{times}")).collect::<Vec<_>>().join(" ")
}
