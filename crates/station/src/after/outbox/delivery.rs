//! Delivering, record by record: first what is left of the logs before this one, then this one as it grows.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use keystation_audit::{Reader, leaf_hash};
use keystation_core::record::{AfterEvent, Seq};

use super::chain::{self, Lost, Older};
use super::{Delivered, KEEP, NAME, Sink, Skipped, Undelivered};
use crate::after::follow::{Follower, Patience};
use crate::after::position::Position;
use crate::error::StationError;

/// A record that is not taken for so long gets a record.
const STALL: Duration = Duration::from_secs(60);

/// As many records of a log before this one are read at once.
const BATCH: usize = KEEP as usize;

/// When delivery ends before the station's program does.
#[derive(Debug, Clone, Copy)]
pub(in crate::after) struct Until {
    /// So many records of this log are delivered.
    pub(in crate::after) of: u64,
    /// Nothing was taken for so long.
    pub(in crate::after) patience: Duration,
}

/// Delivers records until the station's program ends, or as `until` says.
pub(in crate::after) fn deliver(
    follower: &Follower,
    sink: &Sink,
    until: Option<Until>,
) -> Result<Delivered, StationError> {
    let reader = follower.reader()?;
    let kept = follower.kept(NAME)?;
    let (delivered, next) =
        kept.as_ref().map_or_else(Default::default, |kept| (kept.origin().to_owned(), kept.next()));
    let Some(position) = chain::resume(kept, &follower.data, follower.origin()) else {
        return Err(stopped(follower, delivered, next)?);
    };
    let older = chain::older(&follower.data, &reader, follower.origin(), position.origin())?;
    let mut delivery = Delivery { follower, position, sink, until, skipped: Vec::new() };
    for log in &older {
        if let Some(why) = delivery.rest_of(log)? {
            let of = log.size().unwrap_or_default();
            return Ok(delivery.ended(of, why));
        }
    }
    delivery.this_log(&reader)
}

/// Another log under the same name, or an older copy: nobody may take the records of one for those of the other.
fn stopped(follower: &Follower, delivered: String, next: Seq) -> Result<StationError, StationError> {
    follower.append(AfterEvent::OutboxStalled { of: None, next, why: Undelivered::Ahead.word() })?;
    let (log, records) = (follower.origin().to_owned(), follower.growth().records());
    Ok(StationError::OutboxAhead { delivered, next, log, records })
}

struct Delivery<'a> {
    follower: &'a Follower,
    position: Position,
    sink: &'a Sink,
    until: Option<Until>,
    skipped: Vec<Skipped>,
}

/// Left in the middle: with the reason, unless the program ends.
type Left = Option<Option<Undelivered>>;

impl Delivery<'_> {
    /// What is left of a log before this one. What cannot be delivered is a record, and the next log comes.
    fn rest_of(&mut self, log: &Older) -> Result<Left, StationError> {
        let (next, size) = (self.position.next(), log.size());
        // All that it had was taken: it need not be read again.
        if size != Some(next) {
            let (first, lost) = match log.open(next, self.position.leaf()) {
                Ok(past) => {
                    let mut batch = past.records(next, BATCH);
                    while !batch.is_empty() {
                        if self.follower.stop.asked() {
                            return Ok(Some(None));
                        }
                        if let Some(left) = self.batch(&log.origin, batch)? {
                            return Ok(Some(left));
                        }
                        batch = past.records(self.position.next(), BATCH);
                    }
                    // What its last checkpoint had, and nobody vouches for any more.
                    (self.position.next(), Lost::Damaged)
                }
                // Of none of its records is known that it was taken.
                Err(Lost::OtherLog) => (0, Lost::OtherLog),
                Err(lost) => (next, lost),
            };
            match size.map(|size| size.saturating_sub(first)) {
                Some(0) => {}
                count => self.tell(&log.origin, first, count.unwrap_or_default(), lost)?,
            }
        }
        self.position = Position::at(&self.follower.file(NAME), &log.follower, 0);
        self.keep()?;
        Ok(None)
    }

    /// Records of a log before this one; those that are lost are told.
    fn batch(&mut self, origin: &str, batch: Vec<(Seq, Option<Vec<u8>>)>) -> Result<Left, StationError> {
        let mut lost: Option<(Seq, u64)> = None;
        for (seq, body) in batch {
            match body {
                None => {
                    let (first, count) = lost.unwrap_or((seq, 0));
                    lost = Some((first, count + 1));
                    self.position.move_to(seq + 1);
                }
                Some(body) => {
                    if let Some((first, count)) = lost.take() {
                        self.tell(origin, first, count, Lost::Damaged)?;
                    }
                    if let Some(left) = self.one(origin, seq, &body)? {
                        self.keep()?;
                        return Ok(Some(left));
                    }
                }
            }
        }
        if let Some((first, count)) = lost {
            self.tell(origin, first, count, Lost::Damaged)?;
        }
        self.keep()?;
        Ok(None)
    }

    /// `count` records of another log are not delivered: a record, and the caller's to say.
    fn tell(&mut self, of: &str, first: Seq, count: u64, lost: Lost) -> Result<(), StationError> {
        let (of, why) = (of.to_owned(), lost.word());
        tracing::error!(log = of, first, count, why, "records of a log before this one are not delivered");
        self.follower.append(AfterEvent::OutboxSkipped { of: of.clone(), first, count, why })?;
        self.skipped.push(Skipped { log: of, first, count, why: why.to_owned() });
        Ok(())
    }

    /// This log, as it grows.
    fn this_log(mut self, reader: &Reader) -> Result<Delivered, StationError> {
        let origin = self.follower.origin();
        if chain::is_ahead(reader, &self.position, self.follower.growth().records())? {
            return Err(stopped(self.follower, origin.to_owned(), self.position.next())?);
        }
        let until = self.until;
        let done = |next| until.is_some_and(|until| next >= until.of);
        let mut left = None;
        'all: while !done(self.position.next()) {
            let Some(size) = self.follower.more_than(self.position.next()) else { break };
            let mut batch = Vec::new();
            reader.records(self.position.next()..size, None, |record| {
                batch.push((record.seq(), record.json().as_bytes().to_vec()));
                if (batch.len() as u64) < KEEP { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            })?;
            for (seq, body) in batch {
                if let Some(why) = self.one(origin, seq, &body)? {
                    left = why;
                    break 'all;
                }
                self.follower.reached(seq + 1);
                if done(seq + 1) {
                    break;
                }
            }
            self.keep()?;
        }
        self.keep()?;
        let of = until.map_or_else(|| self.follower.growth().records(), |until| until.of);
        Ok(self.ended(of, left))
    }

    /// Delivers one record, however long it takes, and moves on behind it.
    fn one(&mut self, origin: &str, seq: Seq, body: &[u8]) -> Result<Left, StationError> {
        let of = (origin != self.follower.origin()).then(|| origin.to_owned());
        let (mut patience, began, mut told) = (Patience::new(), Instant::now(), false);
        while let Err(undelivered) = self.sink.deliver(origin, seq, body) {
            if self.until.is_some_and(|until| began.elapsed() >= until.patience) {
                return Ok(Some(Some(undelivered)));
            }
            if !told && began.elapsed() >= STALL {
                told = true;
                let (of, why) = (of.clone(), undelivered.word());
                self.follower.append(AfterEvent::OutboxStalled { of, next: seq, why })?;
            }
            // What was delivered so far need not come again, however long this takes.
            self.keep()?;
            if !self.follower.rest(patience.next()) {
                return Ok(Some(None));
            }
        }
        if told {
            self.follower.append(AfterEvent::OutboxFlows { of, next: seq + 1 })?;
        }
        self.position.move_behind(seq, leaf_hash(body));
        Ok(None)
    }

    fn keep(&mut self) -> Result<(), StationError> {
        self.position.keep().map_err(self.follower.disk())
    }

    fn ended(self, of: u64, why: Option<Undelivered>) -> Delivered {
        Delivered {
            log: self.position.origin().to_owned(),
            is_last: self.position.origin() == self.follower.origin(),
            next: self.position.next(),
            of,
            why: why.map(Undelivered::word),
            skipped: self.skipped,
        }
    }
}
