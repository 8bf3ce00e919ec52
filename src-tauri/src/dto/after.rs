//! What goes out of the station after a PASS: labels and records.

use keystation::after::{self, OutboxStatus, PrinterStatus, Trouble};
use serde::Serialize;

use super::Role;

/// How far labels and outbox are, for whoever looks after them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct AfterLine {
    /// The printers of the settings.
    pub(crate) printers: Vec<PrinterLine>,
    /// The outbox; none where the settings have none.
    pub(crate) outbox: Option<OutboxLine>,
}

/// A printer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct PrinterLine {
    /// Its name.
    pub(crate) name: String,
    /// Labels that it has not taken yet.
    #[cfg_attr(test, ts(type = "number"))]
    pub(crate) waiting: u64,
    /// Why it takes none, if it took none for a minute.
    pub(crate) trouble: Option<StallLine>,
}

/// The outbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct OutboxLine {
    /// Records that wait, of this log and of those before it.
    #[cfg_attr(test, ts(type = "number"))]
    pub(crate) waiting: u64,
    /// It delivered what this log does not have: nothing goes out any more.
    pub(crate) stopped: bool,
    /// Files of a log before this one are gone: what waits of it cannot be delivered.
    pub(crate) gone: bool,
    /// Why the next record is not taken, if it was not for a minute.
    pub(crate) trouble: Option<StallLine>,
}

/// Why something does not go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct StallLine {
    /// The time of the record that says so: UTC, RFC 3339.
    pub(crate) time: String,
    /// Why, in the word of the record.
    pub(crate) why: String,
}

impl AfterLine {
    /// Whether people with these roles look after it.
    pub(crate) fn is_for(roles: &[Role]) -> bool {
        roles.iter().any(|role| matches!(role, Role::Supervisor | Role::Qa))
    }

    /// None where the settings have neither printer nor outbox.
    pub(crate) fn of(status: after::AfterStatus) -> Option<Self> {
        let printers: Vec<_> = status.printers.into_iter().map(PrinterLine::from).collect();
        let outbox = status.outbox.on.then(|| status.outbox.into());
        (outbox.is_some() || !printers.is_empty()).then_some(Self { printers, outbox })
    }
}

impl From<PrinterStatus> for PrinterLine {
    fn from(PrinterStatus { name, waiting, trouble, .. }: PrinterStatus) -> Self {
        Self { name, waiting: waiting.len() as u64, trouble: trouble.map(StallLine::from) }
    }
}

impl From<OutboxStatus> for OutboxLine {
    fn from(OutboxStatus { waiting, ahead, older, trouble, .. }: OutboxStatus) -> Self {
        let gone = older.iter().any(|log| !log.there);
        Self { waiting, stopped: ahead, gone, trouble: trouble.map(StallLine::from) }
    }
}

impl From<Trouble> for StallLine {
    fn from(Trouble { time, why, .. }: Trouble) -> Self {
        Self { time, why }
    }
}
