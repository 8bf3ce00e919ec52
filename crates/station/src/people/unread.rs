//! Calls whose arguments nobody can read: nothing was asked for that could be decided, and that it was tried is a record all the same.
//!
//! Whoever sends one can send a million. So there are some records at once, then one a minute, and each says how many calls it stands
//! for: the log grows by what fits on a page, and no call goes uncounted.

use keystation_core::record::{Denial, DenialReason, Entry, Event};

use super::action::Action;
use crate::error::StationError;
use crate::station::Station;

/// Records that are made at once.
const AT_ONCE: u64 = 20;
/// Milliseconds after which there may be one more.
const ANOTHER_MS: u64 = 60_000;
/// The code of the records.
const CODE: &str = "arguments";

/// What was recorded of such calls, and what was not yet.
#[derive(Debug, Default)]
pub(super) struct Unread {
    /// Records that were made, less one for each minute since.
    made: u64,
    /// Up to when those minutes were counted: milliseconds since the machine was started.
    counted: u64,
    /// The calls that no record stands for yet, and the last of them.
    waiting: Option<(u64, Action, String)>,
}

impl Unread {
    /// One more call: how many there are to record, itself among them; nothing while too many were.
    fn come(&mut self, action: Action, what: &str, now: u64) -> Option<u64> {
        let minutes = now.saturating_sub(self.counted) / ANOTHER_MS;
        self.made = self.made.saturating_sub(minutes);
        self.counted += minutes * ANOTHER_MS;
        let calls = self.waiting.take().map_or(0, |(calls, ..)| calls) + 1;
        if self.made >= AT_ONCE {
            self.waiting = Some((calls, action, what.to_owned()));
            return None;
        }
        self.made += 1;
        Some(calls)
    }
}

impl Station {
    /// Records that a call for `action` was refused because its arguments cannot be read: `policy.refuse` with `state`, and the code
    /// `arguments`. `what` is the name of the call, a constant of the program: nothing of what was sent. After 20 there is one record a
    /// minute, and one when the station is closed.
    pub fn refuse_unread(&self, action: Action, what: &str) -> Result<(), StationError> {
        let now = self.people().now().mono_ms;
        let calls = self.people().unread().come(action, what, now);
        calls.map_or(Ok(()), |calls| self.unread_told(action, what, calls))
    }

    /// The record of those that are counted and not recorded: the log is about to be closed.
    pub(crate) fn tell_unread(&self) -> Result<(), StationError> {
        let waiting = self.people().unread().waiting.take();
        waiting.map_or(Ok(()), |(calls, action, what)| self.unread_told(action, &what, calls))
    }

    fn unread_told(&self, action: Action, what: &str, calls: u64) -> Result<(), StationError> {
        let denial = Denial {
            action: action.word().to_owned(),
            why: DenialReason::State,
            what: if calls == 1 { what.to_owned() } else { format!("{what} ×{calls}") },
            code: CODE.to_owned(),
        };
        self.journal().append(&Entry { actor: self.asker(), event: Event::Denied(denial) })?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_has_few_records_and_every_call_is_counted() {
        let mut unread = Unread::default();
        let mut come = |now| unread.come(Action::Touch, "touch", now);
        let hour = 3_600_000;
        let told: Vec<u64> = (0..100_000).filter_map(|_| come(hour)).collect();
        assert_eq!(told, [1; 20]);
        assert_eq!(come(hour + ANOTHER_MS - 1), None);
        assert_eq!(come(hour + ANOTHER_MS), Some(100_000 - 20 + 2));
        assert_eq!(come(hour + ANOTHER_MS), None);
        // A day without any, and there are twenty at once again.
        let told: Vec<u64> = (0..100).filter_map(|_| come(24 * hour)).collect();
        assert_eq!((told[0], told.len()), (2, 20));
        assert_eq!(unread.waiting.map(|(calls, ..)| calls), Some(80));
    }
}
