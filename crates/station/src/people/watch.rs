//! The thread that locks: it sleeps until something may be due, and is woken when that changes.

use std::io;
use std::sync::{Arc, PoisonError};
use std::thread;
use std::time::Duration;

use crate::station::Station;

/// The longest sleep while somebody is signed in. A wait is measured by a clock that stands still while the machine
/// sleeps, and a session's is not: after a sleep the keys are to be gone soon.
const NAP: Duration = Duration::from_secs(30);

impl Station {
    /// Starts the thread; it ends with the station, which it keeps from going only while it locks it.
    pub(crate) fn watch_session(&self) -> io::Result<()> {
        let people = self.people();
        let (seat, clock, rule) = (Arc::clone(&people.seat), Arc::clone(&people.clock), people.rule);
        let station = self.downgrade();
        thread::Builder::new().name("session".to_owned()).spawn(move || {
            let mut floor = seat.floor();
            while !floor.closing {
                let Some(sitting) = &floor.sitting else {
                    floor = seat.moved.wait(floor).unwrap_or_else(PoisonError::into_inner);
                    continue;
                };
                // Whether a custody is open is asked when it matters.
                let left =
                    sitting.next(rule, true, floor.at_work > 0).map(|at| at.saturating_sub(clock().mono_ms));
                let nap = match left {
                    Some(0) => {
                        drop(floor);
                        let Some(station) = station.upgrade() else { return };
                        if let Err(error) = station.settle_session() {
                            tracing::error!(%error, "a session was locked without a record");
                        }
                        drop(station);
                        floor = seat.floor();
                        NAP
                    }
                    left => left.map_or(NAP, |left| NAP.min(Duration::from_millis(left))),
                };
                if !floor.closing {
                    floor = seat.moved.wait_timeout(floor, nap).unwrap_or_else(PoisonError::into_inner).0;
                }
            }
        })?;
        Ok(())
    }
}
