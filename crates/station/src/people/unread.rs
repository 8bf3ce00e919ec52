//! Calls whose arguments nobody can read: nothing was asked for that could be decided, and that it was tried is a record all the same.
//!
//! Whoever sends one can send a million. So there are some records at once, then one a minute, and each says how many calls it stands
//! for: the log grows by what fits on a page. Those that no record stands for yet are written by the thread that watches the session,
//! whoever is there; a kill loses their number, and no more than a minute of it.

use keystation_core::record::{Actor, Denial, DenialReason, Entry, Event};

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
    waiting: Option<Waiting>,
}

/// Calls that are counted and not recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Waiting {
    calls: u64,
    /// Of the last call, and who was signed in then.
    action: Action,
    what: String,
    actor: Actor,
}

impl Unread {
    /// One more call: what there is to record, itself in it; nothing while too many were.
    fn come(&mut self, action: Action, what: &str, actor: Actor, now: u64) -> Option<Waiting> {
        let calls = self.waiting.take().map_or(0, |waiting| waiting.calls) + 1;
        self.waiting = Some(Waiting { calls, action, what: what.to_owned(), actor });
        self.due(now)
    }

    /// What there is to record by now.
    fn due(&mut self, now: u64) -> Option<Waiting> {
        let minutes = now.saturating_sub(self.counted) / ANOTHER_MS;
        self.made = self.made.saturating_sub(minutes);
        self.counted += minutes * ANOTHER_MS;
        if self.made >= AT_ONCE {
            return None;
        }
        let waiting = self.waiting.take()?;
        self.made += 1;
        Some(waiting)
    }

    /// When something that waits is due; `None` while nothing waits.
    pub(super) fn next(&self) -> Option<u64> {
        self.waiting.as_ref().map(|_| self.counted + ANOTHER_MS)
    }
}

impl Station {
    /// Records that a call for `action` was refused because its arguments cannot be read: `policy.refuse` with `state`, and the code
    /// `arguments`. `what` is the name of the call, a constant of the program: nothing of what was sent. After 20 there is one record a
    /// minute, also when no further call comes, and one when the station is closed.
    pub fn refuse_unread(&self, action: Action, what: &str) -> Result<(), StationError> {
        let (actor, now) = (self.asker(), self.people().now().mono_ms);
        let due = self.people().unread().come(action, what, actor, now);
        if due.is_none() {
            // The thread that watches wakes when it is.
            self.at_bench(|_| {});
        }
        due.map_or(Ok(()), |due| self.unread_told(due))
    }

    /// Records those that waited for a minute.
    pub(super) fn settle_unread(&self) -> Result<(), StationError> {
        let now = self.people().now().mono_ms;
        let due = self.people().unread().due(now);
        due.map_or(Ok(()), |due| self.unread_told(due))
    }

    /// The record of those that are counted and not recorded: the log is about to be closed.
    pub(crate) fn tell_unread(&self) -> Result<(), StationError> {
        let waiting = self.people().unread().waiting.take();
        waiting.map_or(Ok(()), |waiting| self.unread_told(waiting))
    }

    fn unread_told(&self, waiting: Waiting) -> Result<(), StationError> {
        let Waiting { calls, action, what, actor } = waiting;
        let denial = Denial {
            action: action.word().to_owned(),
            why: DenialReason::State,
            what: if calls == 1 { what } else { format!("{what} ×{calls}") },
            code: CODE.to_owned(),
        };
        self.journal().append(&Entry { actor, event: Event::Denied(denial) })?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_has_few_records_and_every_call_is_counted() {
        let mut unread = Unread::default();
        let mut come = |now| {
            let due = unread.come(Action::Touch, "touch", Actor::default(), now);
            due.map(|due| due.calls)
        };
        let hour = 3_600_000;
        let told: Vec<u64> = (0..100_000).filter_map(|_| come(hour)).collect();
        assert_eq!(told, [1; 20]);
        assert_eq!(come(hour + ANOTHER_MS - 1), None);
        assert_eq!(come(hour + ANOTHER_MS), Some(100_000 - 20 + 2));
        assert_eq!(come(hour + ANOTHER_MS), None);
        // A day without any, and there are twenty at once again.
        let told: Vec<u64> = (0..100).filter_map(|_| come(24 * hour)).collect();
        assert_eq!((told[0], told.len()), (2, 20));
        assert_eq!(unread.waiting.as_ref().map(|waiting| waiting.calls), Some(80));
        assert_eq!(unread.next(), Some(24 * hour + ANOTHER_MS));
        assert_eq!(unread.due(24 * hour + ANOTHER_MS - 1), None);
        let due = unread.due(24 * hour + ANOTHER_MS).map(|due| due.calls);
        assert_eq!((due, unread.next()), (Some(80), None), "nobody calls any more");
    }
}
