//! How much of the log a bundle has.

use keystation_audit::{Query, Selection};
use keystation_core::registration::RegistrationId;

use crate::error::StationError;

/// How much of the log a bundle has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Everything.
    Whole,
    /// One work order: attempts and what came of them.
    Job(String),
    /// Some days of UTC, both inclusive, as `2026-11-22`: all records of these days, and what came later of attempts in them.
    Days {
        /// The first; none: from the beginning.
        from: Option<String>,
        /// The last; none: to the end.
        to: Option<String>,
    },
    /// One device: attempts and what came of them.
    Device(RegistrationId),
}

impl Part {
    /// What the log is asked for; `None`: everything. Fails where a day is none.
    pub(crate) fn selection(&self) -> Result<Option<Selection>, StationError> {
        Ok(match self {
            Self::Whole => None,
            Self::Job(job) => Some(Selection::Job(job.clone())),
            Self::Device(id) => Some(Selection::Device(id.clone())),
            Self::Days { from, to } => {
                let term = |name: &str, day: &Option<String>| {
                    day.as_deref().map_or(String::new(), |day| format!("{name}:{day} "))
                };
                let period = Query::parse(&(term("from", from) + &term("to", to)))?;
                let (from, until) = (period.from.unwrap_or(i64::MIN), period.until.unwrap_or(i64::MAX));
                Some(Selection::Period { from, until })
            }
        })
    }

    /// Its place in a record: work order, registration ID, first day, last day; empty where they were not named.
    pub(crate) fn named(&self) -> [String; 4] {
        let mut named: [String; 4] = Default::default();
        match self {
            Self::Whole => {}
            Self::Job(job) => named[0].clone_from(job),
            Self::Device(id) => named[1] = id.to_string(),
            Self::Days { from, to } => {
                named[2] = from.clone().unwrap_or_default();
                named[3] = to.clone().unwrap_or_default();
            }
        }
        named
    }

    /// For a person.
    pub(crate) fn sentence(&self) -> String {
        match self {
            Self::Whole => "the whole log".to_owned(),
            Self::Job(job) => format!("work order {job}"),
            Self::Device(id) => format!("device {id}"),
            Self::Days { from: Some(from), to: Some(to) } => format!("the days {from} to {to}"),
            Self::Days { from: Some(from), to: None } => format!("the days from {from} on"),
            Self::Days { from: None, to: Some(to) } => format!("the days up to {to}"),
            Self::Days { from: None, to: None } => "all days".to_owned(),
        }
    }
}
