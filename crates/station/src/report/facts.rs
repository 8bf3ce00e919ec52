//! What the log says about one work order.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use keystation_audit::{Attempt, Checkpoint, Field, Query, Reader, Record};
use keystation_core::record::Seq;
use keystation_core::registration::{IdRule, RegistrationId};

use crate::error::StationError;

/// A work order at one moment of the log.
#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) job: String,
    pub(crate) checkpoint: Checkpoint,
    /// The checkpoint, signed.
    pub(crate) note: String,
    /// First and last attempt, UTC, milliseconds since 1970.
    pub(crate) period: (i64, i64),
    pub(crate) attempts: Counts,
    pub(crate) devices: Devices,
    /// By operator ID.
    pub(crate) operators: BTreeMap<String, Counts>,
    /// By label and check value: attempts, refusals not among them.
    pub(crate) keys: BTreeMap<(String, String), Counts>,
    /// How it is known what a device holds, by the word in the record; `none` where it is not.
    pub(crate) verified: BTreeMap<String, u64>,
    /// Oldest first.
    pub(crate) exceptions: Vec<Exception>,
}

/// Attempts, by what came of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) open: u64,
    pub(crate) refused: u64,
}

/// Registration IDs that were written to for the work order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Devices {
    pub(crate) all: u64,
    /// Whose last attempt ended with a proof.
    pub(crate) keyed: u64,
    /// Whose first attempt did.
    pub(crate) at_first: u64,
    /// Of which nobody knows what they hold: they must not be shipped.
    pub(crate) unsettled: u64,
}

/// An attempt that was not simply a pass.
#[derive(Debug, Clone)]
pub(crate) struct Exception {
    pub(crate) attempt: Attempt,
    pub(crate) kind: Kind,
    pub(crate) approver: String,
    pub(crate) reason: String,
    /// Where the device stands at this moment.
    pub(crate) now: Now,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Failed,
    Refused,
    Open,
    Rekeyed,
    /// Passed, which was found out when the device was seen again.
    Settled,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Now {
    /// It proved its key: the record.
    Keyed(Seq),
    /// A write was begun and its outcome is not known.
    Open,
    /// This station never keyed it.
    NotKeyed,
}

impl Counts {
    pub(crate) const fn all(self) -> u64 {
        self.passed + self.failed + self.open + self.refused
    }

    fn count(&mut self, came: Came) {
        *match came {
            Came::Passed => &mut self.passed,
            Came::Failed => &mut self.failed,
            Came::Open => &mut self.open,
            Came::Refused => &mut self.refused,
        } += 1;
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Came {
    Passed,
    Failed,
    Open,
    Refused,
}

impl Came {
    fn of(attempt: &Attempt) -> Self {
        match &attempt.outcome {
            _ if attempt.mode == "refused" => Self::Refused,
            None => Self::Open,
            Some(outcome) if outcome.rc == "ok" => Self::Passed,
            Some(_) => Self::Failed,
        }
    }
}

impl Facts {
    /// All of it from one moment of the log, whose head is checked first. Needs memory for each device of the work order.
    pub(crate) fn of(reader: &Reader, job: &str) -> Result<Self, StationError> {
        let moment = reader.snapshot()?;
        let mut facts = Self {
            job: job.to_owned(),
            checkpoint: moment.checkpoint().clone(),
            note: moment.note().to_owned(),
            period: (i64::MAX, i64::MIN),
            attempts: Counts::default(),
            devices: Devices::default(),
            operators: BTreeMap::new(),
            keys: BTreeMap::new(),
            verified: BTreeMap::new(),
            exceptions: Vec::new(),
        };
        // Registration ID: whether its last attempt passed, and its first one.
        let mut devices: HashMap<String, (bool, bool)> = HashMap::new();
        let query = Query { terms: vec![(Field::Job, job.to_owned())], ..Query::default() };
        reader.attempts(&query, |attempt, record| {
            facts.add(attempt, record);
            if attempt.mode != "refused" {
                // Newest first: the last attempt is met first.
                let passed = Came::of(attempt) == Came::Passed;
                devices.entry(attempt.rid.clone()).or_insert((passed, passed)).1 = passed;
            }
            Ok::<_, StationError>(())
        })?;
        if facts.attempts.all() == 0 {
            return Err(StationError::NoJob(job.to_owned()));
        }
        facts.devices = Devices {
            all: devices.len() as u64,
            keyed: devices.values().filter(|(last, _)| *last).count() as u64,
            at_first: devices.values().filter(|(_, first)| *first).count() as u64,
            unsettled: reader
                .open_intents()?
                .into_iter()
                .map(|open| open.rid)
                .filter(|rid| devices.contains_key(rid))
                .collect::<BTreeSet<_>>()
                .len() as u64,
        };
        facts.exceptions.reverse();
        for exception in &mut facts.exceptions {
            exception.now = now(reader, &exception.attempt.rid)?;
        }
        Ok(facts)
    }

    fn add(&mut self, attempt: &Attempt, record: &Record<'_>) {
        let came = Came::of(attempt);
        self.period = (self.period.0.min(attempt.time_ms), self.period.1.max(attempt.time_ms));
        self.attempts.count(came);
        self.operators.entry(attempt.operator.clone()).or_default().count(came);
        if came != Came::Refused {
            let check_value = record.text("gkcv").unwrap_or_default().into_owned();
            self.keys.entry((attempt.key.clone(), check_value)).or_default().count(came);
            let how = attempt.outcome.as_ref().map_or("", |outcome| &outcome.verified);
            let how = if how.is_empty() { "none" } else { how };
            *self.verified.entry(how.to_owned()).or_default() += 1;
        }
        let kind = match came {
            Came::Failed => Kind::Failed,
            Came::Refused => Kind::Refused,
            Came::Open => Kind::Open,
            Came::Passed if attempt.mode == "rekey" => Kind::Rekeyed,
            Came::Passed if attempt.outcome.as_ref().is_some_and(|outcome| outcome.took_ms.is_none()) => {
                Kind::Settled
            }
            Came::Passed => return,
        };
        self.exceptions.push(Exception {
            attempt: attempt.clone(),
            kind,
            approver: record.approver().into_owned(),
            reason: record.text("reason").unwrap_or_default().into_owned(),
            now: Now::NotKeyed,
        });
    }
}

fn now(reader: &Reader, rid: &str) -> Result<Now, StationError> {
    // A device without a usable identity has no registration ID, and so no past.
    let Ok(id) = RegistrationId::new(rid, IdRule::Punctuation) else { return Ok(Now::NotKeyed) };
    let standing = reader.standing(&id)?;
    Ok(match (standing.open, standing.keyed) {
        (Some(_), _) => Now::Open,
        (None, Some(record)) => Now::Keyed(record),
        (None, None) => Now::NotKeyed,
    })
}
