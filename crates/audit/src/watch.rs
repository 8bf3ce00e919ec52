//! What is looked at before a record is made: the room on the disk, and the clock.

use keystation_core::failure::Code;
use keystation_core::record::{Entry, Event};
use rusqlite::Connection;

use crate::append_error::AppendError;
use crate::clock::Stamp;
use crate::clock_rules::{self, ClockState};
use crate::projection;
use crate::reader::ReadError;
use crate::record::RecordError;
use crate::space::{Free, Space, SpaceRefusal, SpaceRules};

/// What a log is held against before it takes an intent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// How much room there has to be.
    pub space: SpaceRules,
    /// The day of this release, milliseconds since 1970: no clock that is right is before it.
    pub released: i64,
}

impl Default for Rules {
    fn default() -> Self {
        Self { space: SpaceRules::default(), released: clock_rules::released() }
    }
}

/// Something about disk or clock that a person has to see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// There is less room than there should be; devices are begun all the same.
    SpaceLow {
        /// Bytes that are free.
        free: u64,
    },
    /// No device is begun for want of room.
    SpaceRefused(SpaceRefusal),
    /// The clock was set since the log was opened.
    ClockJumped {
        /// How far it was moved, in milliseconds; back: negative.
        by_ms: i64,
    },
    /// No device is begun until two people accept the time.
    ClockDoubted,
}

impl Notice {
    /// A stable name, for programs. Where no device is begun it is the one of the failure.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::SpaceLow { .. } => "space-warning",
            Self::SpaceRefused(_) => Code::SpaceLow.as_str(),
            Self::ClockJumped { .. } => "clock-jumped",
            Self::ClockDoubted => Code::ClockDoubted.as_str(),
        }
    }

    /// Whether devices may be begun all the same.
    #[must_use]
    pub const fn blocks(&self) -> bool {
        matches!(self, Self::SpaceRefused(_) | Self::ClockDoubted)
    }

    /// What happened, in one sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        match self {
            Self::SpaceLow { free } => {
                format!("The disk of the audit log is getting full: {} MiB are left.", free >> 20)
            }
            Self::SpaceRefused(why) => format!("{} ({why}.)", Code::SpaceLow.sentence()),
            Self::ClockJumped { by_ms } => {
                let way = if *by_ms < 0 { "back" } else { "forward" };
                format!("The clock of this station was set {way} by {} s.", by_ms.unsigned_abs() / 1000)
            }
            Self::ClockDoubted => Code::ClockDoubted.sentence().to_owned(),
        }
    }

    /// What to do now: one to three steps.
    #[must_use]
    pub const fn remedy(&self) -> &'static [&'static str] {
        match self {
            Self::SpaceLow { .. } => &["Call the administrator: make room before it is needed."],
            Self::SpaceRefused(_) => Code::SpaceLow.remedy(),
            Self::ClockJumped { .. } => &["Nobody set it right just now? Call the administrator."],
            Self::ClockDoubted => Code::ClockDoubted.remedy(),
        }
    }
}

/// What the log says of disk and clock. Changes with each record, and is thrown away with those that fail.
#[derive(Debug, Clone)]
pub(crate) struct Watch {
    pub(crate) clock: ClockState,
    /// The log says that there is little room.
    said_low: bool,
    /// The log says that the ballast was given up.
    said_given_up: bool,
    /// The last jump since the log was opened.
    jumped: Option<i64>,
}

impl Watch {
    pub(crate) const fn new(rules: &Rules) -> Self {
        Self { clock: ClockState::new(rules.released), said_low: false, said_given_up: false, jumped: None }
    }

    /// As the records of `conn` say.
    pub(crate) fn load(conn: &Connection, rules: &Rules) -> Result<Self, ReadError> {
        let (low, _) = projection::tally(conn, "space.low", "")?;
        let (ok, _) = projection::tally(conn, "space.ok", "")?;
        let clock = ClockState::load(conn, rules.released)?;
        Ok(Self { clock, said_low: low > ok, ..Self::new(rules) })
    }

    /// The records that are due before one of `event` at `now`.
    pub(crate) fn due(
        &self,
        event: &Event,
        now: &Stamp,
        space: &Space,
        free: &Result<Free, SpaceRefusal>,
    ) -> Result<Vec<Event>, RecordError> {
        let mut due = Vec::new();
        // What an epoch takes over stands directly behind its first record.
        if matches!(event, Event::Genesis { .. } | Event::NextEpoch { .. } | Event::Carried(_)) {
            return Ok(due);
        }
        if let Some(jump) = self.clock.examine(now) {
            due.push(self.clock.event(&jump)?);
        }
        let Ok(free) = free else { return Ok(due) };
        if space.ballast_given_up() && !self.said_given_up {
            due.push(space.low(free, true));
        }
        if matches!(event, Event::Intent(_) | Event::Open { .. }) {
            due.extend(space.crossing(free, self.said_low));
        }
        Ok(due)
    }

    /// Whether `entry` may be the next record as far as disk and clock are concerned.
    pub(crate) fn admits(
        &self,
        entry: &Entry,
        space: &Space,
        free: &Result<Free, SpaceRefusal>,
    ) -> Result<(), AppendError> {
        match &entry.event {
            Event::Intent(_) => self.may_begin(space, free),
            Event::ClockAccepted { reason, approver } => {
                let operator = &entry.actor.operator;
                let may = clock_rules::may_accept(self.clock.is_blocked(), operator, approver, reason);
                may.map_err(AppendError::NotAccepted)
            }
            _ => Ok(()),
        }
    }

    /// Whether a device may be begun.
    pub(crate) fn may_begin(
        &self,
        space: &Space,
        free: &Result<Free, SpaceRefusal>,
    ) -> Result<(), AppendError> {
        if self.clock.is_blocked() {
            return Err(AppendError::ClockDoubted);
        }
        space.admits(free).map_err(AppendError::SpaceLow)
    }

    /// A record of `event` was made at `stamp`.
    pub(crate) fn follow(&mut self, event: &Event, stamp: Stamp) {
        self.clock.follow(event, stamp);
        match event {
            Event::SpaceLow { ballast_given_up: true, .. } => self.said_given_up = true,
            Event::SpaceLow { .. } => self.said_low = true,
            Event::SpaceOk { .. } => self.said_low = false,
            Event::ClockJump { by_ms, .. } => self.jumped = Some(*by_ms),
            Event::ClockAccepted { .. } => self.jumped = None,
            _ => {}
        }
    }

    /// What a person has to see.
    pub(crate) fn notices(&self, space: &Space) -> Vec<Notice> {
        let free = space.look();
        let low = match (space.admits(&free), &free) {
            (Err(why), _) => Some(Notice::SpaceRefused(why)),
            (Ok(()), Ok(free)) if space.is_low(free) => Some(Notice::SpaceLow { free: free.bytes }),
            _ => None,
        };
        let clock = match (self.clock.is_blocked(), self.jumped) {
            (true, _) => Some(Notice::ClockDoubted),
            (false, Some(by_ms)) => Some(Notice::ClockJumped { by_ms }),
            (false, None) => None,
        };
        low.into_iter().chain(clock).collect()
    }
}
