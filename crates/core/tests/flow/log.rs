use std::cell::RefCell;
use std::rc::Rc;

use keystation_core::credential::LogAnchor;
use keystation_core::failure::Code;
use keystation_core::flow::{Log, LogError, OpenIntent, Receipt, Retired, Retirement, Standing};
use keystation_core::identity::Identity;
use keystation_core::record::{Entry, Event, Holds, Outcome};
use keystation_core::registration::RegistrationId;

use crate::trace::Trace;

pub(crate) struct FakeLog {
    pub(crate) entries: RefCell<Vec<Entry>>,
    /// Appends that still succeed; from then on none does.
    pub(crate) room: RefCell<usize>,
    pub(crate) readable: bool,
    /// Another slot writes an intent for the same registration ID first.
    pub(crate) overtaken: bool,
    /// Why no intent is taken; everything else is.
    pub(crate) refuses: Option<Code>,
    /// How every device was taken out, if it was.
    pub(crate) retired: Option<Retired>,
    trace: Rc<Trace>,
}

impl FakeLog {
    pub(crate) fn new(trace: Rc<Trace>) -> Self {
        Self {
            entries: RefCell::default(),
            room: RefCell::new(usize::MAX),
            readable: true,
            overtaken: false,
            refuses: None,
            retired: None,
            trace,
        }
    }

    fn failed() -> LogError {
        LogError::Storage("disk full".into())
    }

    /// The names of the records, in order.
    pub(crate) fn names(&self) -> Vec<&'static str> {
        self.entries.borrow().iter().map(|entry| entry.event.name()).collect()
    }

    /// Every outcome of an intent, in order.
    pub(crate) fn outcomes(&self) -> Vec<Outcome> {
        let outcome = |entry: &Entry| match &entry.event {
            Event::Result(outcome) | Event::Resolve(outcome) => Some(outcome.clone()),
            _ => None,
        };
        self.entries.borrow().iter().filter_map(outcome).collect()
    }

    pub(crate) fn last_outcome(&self) -> Outcome {
        self.outcomes().pop().expect("the log has an outcome")
    }
}

/// The anchor of a log of `size` records.
pub(crate) fn anchor(size: u64) -> LogAnchor {
    LogAnchor { log: *b"fake", size, root: [0xa5 ^ size as u8; 8] }
}

impl Log for FakeLog {
    fn append(&self, entry: &Entry) -> Result<Receipt, LogError> {
        if let (Event::Intent(intent), true) = (&entry.event, self.overtaken) {
            return Err(LogError::Overtaken { id: intent.id.to_string() });
        }
        if let (Event::Intent(_), Some(code)) = (&entry.event, self.refuses) {
            return Err(LogError::Refused { code, cause: "no room".into() });
        }
        let mut room = self.room.borrow_mut();
        *room = room.checked_sub(1).ok_or_else(Self::failed)?;
        self.trace.act(entry.event.name(), || self.entries.borrow_mut().push(entry.clone()));
        let size = self.entries.borrow().len() as u64;
        Ok(Receipt { seq: size - 1, anchor: anchor(size) })
    }

    fn retired(&self, _: &RegistrationId, _: &Identity) -> Result<Option<Retirement>, LogError> {
        Ok(self.retired.map(|what| Retirement { what, record: 7 }))
    }

    fn standing(&self, id: &RegistrationId) -> Result<Standing, LogError> {
        if !self.readable {
            return Err(Self::failed());
        }
        let mut standing = Standing::default();
        for (seq, entry) in (0u64..).zip(self.entries.borrow().iter()) {
            match &entry.event {
                Event::Intent(intent) if intent.id == *id => {
                    standing.attempts += 1;
                    standing.open = Some(OpenIntent {
                        seq,
                        fingerprint: intent.fingerprint,
                        identity: intent.identity.clone(),
                        job: intent.job.clone(),
                    });
                }
                Event::Result(outcome) | Event::Resolve(outcome) if outcome.id == *id => {
                    if outcome.holds != Holds::Unknown {
                        standing.open = None;
                    }
                    if outcome.holds == Holds::New {
                        standing.keyed = Some(seq);
                        let entries = self.entries.borrow();
                        let Event::Intent(intent) = &entries[outcome.intent as usize].event else {
                            panic!("an outcome refers to an intent")
                        };
                        standing.proved = Some(intent.fingerprint);
                    }
                }
                _ => {}
            }
        }
        Ok(standing)
    }
}
