//! Whether the wall clock stands where it should. It can be set by anybody; the count since boot, the date of this program
//! and what a witness said cannot.

use keystation_core::record::{Event, Seq};
use rusqlite::Connection;

use crate::anchor;
use crate::clock::Stamp;
use crate::projection;
use crate::reader::ReadError;
use crate::record::{self, RecordError};
use crate::standing;
use crate::state;

/// A step of the clock up to this is the work of whoever keeps it right, or a leap second.
const TOLERANCE_MS: i64 = 2_000;
/// A step back beyond this stops the line.
const SEVERE_MS: i64 = 5 * 60_000;

/// The day of this release: no clock that is right is before it. Moved with each release; a test holds it near the
/// newest commit, and no build reads a clock.
pub const RELEASED: &str = "2026-11-22T00:00:00.000Z";

/// [`RELEASED`] in milliseconds since 1970.
pub(crate) fn released() -> i64 {
    record::utc_ms(RELEASED).expect("it is a time as records have it")
}

/// What the log says of the clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ClockState {
    /// The newest record; `None` before the genesis.
    last: Option<Stamp>,
    /// The day of the release, milliseconds since 1970.
    released: i64,
    /// What the last witness said, milliseconds since 1970.
    witness: Option<i64>,
    /// No intent is taken until two people accept the time.
    blocked: bool,
    /// The limit that the newest blocking record tells of. It was accepted if this is not blocked.
    told: Option<i64>,
}

/// A clock that does not stand where it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Jump {
    /// How far it is ahead of that; behind: negative.
    pub(crate) by_ms: i64,
    /// Where it should stand, or what it is behind.
    pub(crate) before_ms: i64,
    pub(crate) against: Against,
    /// Whether it stops the line.
    pub(crate) severe: bool,
}

/// What a clock is held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Against {
    /// The newest record.
    Record,
    /// The day of the release.
    Release,
    /// The last witness.
    Witness,
}

impl Against {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Record => "record",
            Self::Release => "release",
            Self::Witness => "witness",
        }
    }

    /// The moment that no right clock is before, where `told` is the one in the record.
    const fn limit(self, told: i64) -> Option<i64> {
        match self {
            Self::Record => None,
            Self::Release => Some(told),
            // Two clocks that nobody sets alike: a checkpoint is accepted from a witness that is as far ahead.
            Self::Witness => Some(told - (anchor::AHEAD * 1000).cast_signed()),
        }
    }
}

impl ClockState {
    pub(crate) const fn new(released: i64) -> Self {
        Self { last: None, released, witness: None, blocked: false, told: None }
    }

    /// As the records of `conn` say. Takes the same time at any size.
    pub(crate) fn load(conn: &Connection, released: i64) -> Result<Self, ReadError> {
        let mut this = Self::new(released);
        let Some(newest) = state::size(conn)?.checked_sub(1) else { return Ok(this) };
        this.last = Some(standing::with_record(conn, newest, |record| Ok(record.stamp()))?);
        let (stops, stop) = projection::tally(conn, "clock.jump", "blocked")?;
        let (accepted, _) = projection::tally(conn, "clock.accept", "")?;
        this.blocked = stops > accepted;
        this.told = stop.map(|stop| told(conn, stop)).transpose()?.flatten();
        if let (_, Some(anchor)) = projection::tally(conn, "cp.anchor", "")? {
            let time = standing::with_record(conn, anchor, |record| {
                record.integer("time").ok_or(RecordError::Field("time"))
            })?;
            this.witness = Some(time.saturating_mul(1000));
        }
        Ok(this)
    }

    /// How the clock that says `now` does not stand where it should.
    pub(crate) fn examine(&self, now: &Stamp) -> Option<Jump> {
        let last = self.last.as_ref()?;
        let behind = |told: i64, against: Against| {
            let limit = against.limit(told)?;
            let fresh = !self.blocked && self.told.is_none_or(|told| told < limit);
            let jump = Jump { by_ms: now.utc_ms - told, before_ms: told, against, severe: true };
            (fresh && now.utc_ms < limit).then_some((limit, jump))
        };
        let limits = [
            behind(self.released, Against::Release),
            self.witness.and_then(|witness| behind(witness, Against::Witness)),
        ];
        if let Some((_, jump)) = limits.into_iter().flatten().max_by_key(|(limit, _)| *limit) {
            return Some(jump);
        }
        // Within one start of the machine the count since boot says how much time went by, sleep included. Over a
        // restart only that time does not go backwards.
        let same_boot = last.boot == now.boot;
        let went_by = if same_boot { now.mono_ms.cast_signed() - last.mono_ms.cast_signed() } else { 0 };
        let before_ms = last.utc_ms + went_by;
        let by_ms = if same_boot { now.utc_ms - before_ms } else { (now.utc_ms - before_ms).min(0) };
        let jump = Jump { by_ms, before_ms, against: Against::Record, severe: by_ms < -SEVERE_MS };
        (by_ms.abs() > TOLERANCE_MS).then_some(jump)
    }

    /// The record of `jump`.
    pub(crate) fn event(&self, jump: &Jump) -> Result<Event, RecordError> {
        Ok(Event::ClockJump {
            by_ms: jump.by_ms,
            before: record::time(jump.before_ms)?,
            against: jump.against.as_str(),
            // One record blocks, one accepts: so what is open can be counted.
            blocks: jump.severe && !self.blocked,
        })
    }

    /// A record of `event` was made at `stamp`.
    pub(crate) fn follow(&mut self, event: &Event, stamp: Stamp) {
        self.last = Some(stamp);
        match event {
            Event::ClockJump { blocks: true, before, against, .. } => {
                self.blocked = true;
                self.told = limit(against, before);
            }
            Event::ClockAccepted { .. } => self.blocked = false,
            Event::Anchor { time, .. } => {
                self.witness = i64::try_from(*time).ok().map(|time| time.saturating_mul(1000));
            }
            _ => {}
        }
    }

    /// No intent is taken until two people accept the time.
    pub(crate) const fn is_blocked(&self) -> bool {
        self.blocked
    }
}

/// The limit that the blocking record `stop` tells of, if it tells of one.
fn told(conn: &Connection, stop: Seq) -> Result<Option<i64>, ReadError> {
    standing::with_record(conn, stop, |record| {
        let field = |name| record.text(name).ok_or(RecordError::Field(name));
        Ok(limit(&field("against")?, &field("before")?))
    })
}

fn limit(against: &str, before: &str) -> Option<i64> {
    let against = match against {
        "release" => Against::Release,
        "witness" => Against::Witness,
        _ => return None,
    };
    against.limit(record::utc_ms(before)?)
}

/// Why the time was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AcceptRefusal {
    /// One of the two people is missing, or both are the same.
    #[error("the time is accepted by two people: the approver is somebody else than the operator")]
    OnePerson,
    /// There is no reason, or too much of it.
    #[error("it takes a reason of 1 to 200 characters without control characters")]
    Reason,
    /// The clock is not in doubt.
    #[error("the clock is not in doubt: there is nothing to accept")]
    NotInDoubt,
}

/// Whether `operator` and `approver` may accept the time for `reason`.
pub(crate) fn may_accept(
    blocked: bool,
    operator: &str,
    approver: &str,
    reason: &str,
) -> Result<(), AcceptRefusal> {
    if operator.is_empty() || approver.is_empty() || operator == approver {
        return Err(AcceptRefusal::OnePerson);
    }
    if reason.trim().is_empty() || reason.chars().count() > 200 || reason.chars().any(char::is_control) {
        return Err(AcceptRefusal::Reason);
    }
    if blocked { Ok(()) } else { Err(AcceptRefusal::NotInDoubt) }
}

#[cfg(test)]
mod tests;
