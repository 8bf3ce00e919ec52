//! What a shift made: by person, session and work order, from the records alone. `docs/exports.md` says how it is counted.

mod count;
mod made;
mod paper;
mod rows;

use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;

use keystation_audit::{Checkpoint, ReadError, Reader, Record, RecordError};
use keystation_core::record::{Purpose, Seq};

use crate::error::StationError;
use crate::report::parts::moment;
use count::{Came, Fold, Sight};
pub use count::{Count, Devices, Settled};
pub use rows::{Row, Scope};

/// Which records are a shift: those for which everything that is named here holds. Nothing named is the whole log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// A session.
    pub session: Option<String>,
    /// An operator ID.
    pub operator: Option<String>,
    /// Not before this moment, by the record's own time: UTC, milliseconds since 1970.
    pub from: Option<i64>,
    /// Before this moment.
    pub until: Option<i64>,
}

/// A shift at one moment of the log.
#[derive(Debug)]
pub struct Shift {
    /// What was asked for.
    pub asked: Asked,
    /// That moment.
    pub checkpoint: Checkpoint,
    /// The checkpoint, signed.
    pub note: String,
    /// The sessions that have records in it, in the order of their first ones.
    pub sessions: Vec<Sitting>,
    /// By work order; devices without one are under the empty name.
    pub orders: BTreeMap<String, Count>,
    /// Everything.
    pub total: Count,
}

/// One person's session, as far as it is in the shift.
#[derive(Debug)]
pub struct Sitting {
    /// The session, as its records have it.
    pub session: String,
    /// Operator ID.
    pub operator: String,
    /// The first record in the shift.
    pub first: Mark,
    /// The last one. A device that was in work is finished after its person left.
    pub last: Mark,
    /// How it began, `sign-in` or `hand-over`; `None`: before the shift.
    pub began: Option<(Mark, String)>,
    /// How it ended: `asked`, `hand-over`, `expired`, `end`; `None`: after the shift, not yet, or the program was killed.
    pub ended: Option<(Mark, String)>,
    /// By work order.
    pub orders: BTreeMap<String, Count>,
    /// All of the session.
    pub total: Count,
}

/// A record and when it was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// Its number.
    pub record: Seq,
    /// Its time, as it has it.
    pub time: String,
    /// The same, UTC, milliseconds since 1970.
    pub time_ms: i64,
}

impl Mark {
    fn of(record: &Record<'_>) -> Self {
        Self { record: record.seq(), time: record.time().to_owned(), time_ms: record.utc_ms() }
    }
}

impl Asked {
    /// In a few words, for people.
    #[must_use]
    pub fn title(&self) -> String {
        let mut parts = Vec::new();
        parts.extend(self.operator.clone());
        parts.extend(self.session.as_ref().map(|session| format!("session {session}")));
        parts.extend(self.from.map(|from| format!("from {}", moment(from))));
        parts.extend(self.until.map(|until| format!("until {}", moment(until))));
        if parts.is_empty() { "the whole log".to_owned() } else { parts.join(", ") }
    }

    fn has(&self, record: &Record<'_>) -> bool {
        let operator = record.operator();
        let time = record.utc_ms();
        // What the station itself did is nobody's shift.
        !operator.is_empty()
            && self.session.as_ref().is_none_or(|session| *session == record.session())
            && self.operator.as_ref().is_none_or(|asked| *asked == operator)
            && self.from.is_none_or(|from| time >= from)
            && self.until.is_none_or(|until| time < until)
    }
}

impl Shift {
    /// All of it from one moment of the log, whose head is checked first. A session is read from its first record to the end
    /// of the program that it ran in, anything else from the first record of the log to the last. Needs memory for each device
    /// and attempt of the shift.
    pub fn of(reader: &Reader, asked: Asked) -> Result<Self, StationError> {
        let moment = reader.snapshot()?;
        let first = match &asked.session {
            None => 0,
            Some(session) => {
                let began = reader.session_began(session)?;
                began.ok_or_else(|| StationError::NotInLog(format!("the session `{session}`")))?
            }
        };
        let mut adding = Adding {
            asked: &asked,
            reader,
            jobs: HashMap::new(),
            all: Group::default(),
            sessions: Vec::new(),
        };
        let mut failed = None;
        reader.records(first.., None, |record| {
            if asked.session.is_some() && record.seq() > first && record.event() == "log.open" {
                return ControlFlow::Break(());
            }
            match adding.add(record) {
                Ok(()) => ControlFlow::Continue(()),
                Err(error) => {
                    failed = Some(error);
                    ControlFlow::Break(())
                }
            }
        })?;
        if let Some(error) = failed {
            return Err(error.into());
        }
        let Adding { all, sessions, .. } = adding;
        let (orders, total) = all.count();
        let sessions = sessions.into_iter().map(|(sitting, group)| {
            let (orders, total) = group.count();
            Sitting { orders, total, ..sitting }
        });
        Ok(Self {
            sessions: sessions.collect(),
            orders,
            total,
            checkpoint: moment.checkpoint().clone(),
            note: moment.note().to_owned(),
            asked,
        })
    }
}

/// Records that are counted together, and by work order.
#[derive(Default)]
struct Group {
    orders: BTreeMap<String, Fold>,
    total: Fold,
}

impl Group {
    fn take(&mut self, job: &str, sight: &Sight) {
        self.orders.entry(job.to_owned()).or_default().take(sight);
        self.total.take(sight);
    }

    fn count(self) -> (BTreeMap<String, Count>, Count) {
        let orders = self.orders.into_iter().map(|(job, fold)| (job, fold.count())).collect();
        (orders, self.total.count())
    }
}

struct Adding<'a> {
    asked: &'a Asked,
    reader: &'a Reader,
    /// The work order of each intent that went by.
    jobs: HashMap<Seq, String>,
    all: Group,
    sessions: Vec<(Sitting, Group)>,
}

impl Adding<'_> {
    fn add(&mut self, record: &Record<'_>) -> Result<(), ReadError> {
        if !self.asked.has(record) {
            return Ok(());
        }
        let at = self.sitting(record);
        let why = || record.text("why").unwrap_or_default().into_owned();
        match record.event() {
            "auth.ok" if Purpose::SignIn.as_str() == why() || Purpose::HandOver.as_str() == why() => {
                self.sessions[at].0.began = Some((Mark::of(record), why()));
            }
            "auth.logout" => self.sessions[at].0.ended = Some((Mark::of(record), why())),
            _ => {}
        }
        let Some((job, sight)) = self.sight(record)? else { return Ok(()) };
        self.all.take(&job, &sight);
        self.sessions[at].1.take(&job, &sight);
        Ok(())
    }

    /// Where the session of a record stands.
    fn sitting(&mut self, record: &Record<'_>) -> usize {
        let (session, operator) = (record.session(), record.operator());
        // The one of now is among the last.
        let known = self
            .sessions
            .iter()
            .rposition(|(sitting, _)| sitting.session == session && sitting.operator == operator);
        if let Some(at) = known {
            self.sessions[at].0.last = Mark::of(record);
            return at;
        }
        let sitting = Sitting {
            session: session.into_owned(),
            operator: operator.into_owned(),
            first: Mark::of(record),
            last: Mark::of(record),
            began: None,
            ended: None,
            orders: BTreeMap::new(),
            total: Count::default(),
        };
        self.sessions.push((sitting, Group::default()));
        self.sessions.len() - 1
    }

    /// What a record says of a device, and for which work order.
    fn sight(&mut self, record: &Record<'_>) -> Result<Option<(String, Sight)>, ReadError> {
        let text = |name| record.text(name).unwrap_or_default().into_owned();
        Ok(Some(match record.event() {
            "inject.intent" => {
                let job = text("job");
                self.jobs.insert(record.seq(), job.clone());
                (job, Sight::Begun { seq: record.seq(), device: text("rid") })
            }
            "inject.result" | "inject.resolve" => {
                let intent = intent_of(record)?;
                let came = match record.rc() {
                    "ok" => Came::Passed,
                    _ => Came::Failed { code: text("code"), unknown: text("holds") == "unknown" },
                };
                (self.job(intent)?, Sight::Ended { intent, device: text("rid"), came })
            }
            "inject.refuse" => {
                let (rid, mac, serial) = (text("rid"), text("mac"), text("sn"));
                // No registration ID has a line feed in it.
                let device = match (rid.is_empty(), mac.is_empty() && serial.is_empty()) {
                    (false, _) => rid,
                    (true, true) => String::new(),
                    (true, false) => format!("{mac}\n{serial}"),
                };
                (text("job"), Sight::Refused { device, code: text("code") })
            }
            _ => return Ok(None),
        }))
    }

    /// The work order of an intent, which may have been made before the shift.
    fn job(&mut self, intent: Seq) -> Result<String, ReadError> {
        if let Some(job) = self.jobs.get(&intent) {
            return Ok(job.clone());
        }
        let mut job = String::new();
        self.reader.records(intent..=intent, None, |record| {
            job = record.text("job").unwrap_or_default().into_owned();
            ControlFlow::Continue(())
        })?;
        self.jobs.insert(intent, job.clone());
        Ok(job)
    }
}

fn intent_of(record: &Record<'_>) -> Result<Seq, ReadError> {
    let intent = record.integer("ref").and_then(|seq| Seq::try_from(seq).ok());
    intent.ok_or(ReadError::NotARecord { seq: record.seq(), why: RecordError::Field("ref") })
}
