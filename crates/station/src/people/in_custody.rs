//! What a custody was asked for. A token may never answer, and nobody waits for it for ever: neither who locks the station nor
//! who ends the program.

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use keystation_core::record::Actor;

use super::action::Action;
use super::gate::Permit;
use crate::error::StationError;
use crate::station::Station;

/// How long an end waits for a custody.
const CUSTODY: Duration = Duration::from_secs(10);
/// How long it waits for the devices in work: longer than any device takes, so that only one is cut off whose key does not come.
const DEVICE: Duration = Duration::from_secs(60);

/// What was asked of a custody, by whom.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    action: Action,
    actor: Actor,
    /// The key that it is about.
    what: String,
}

/// A custody was asked for something until this is dropped: an end waits for it, and names it if it does not come.
#[must_use = "the custody is at it until this is dropped"]
pub(crate) struct InCustody {
    station: Station,
    number: u64,
}

impl Drop for InCustody {
    fn drop(&mut self) {
        self.station.at_bench(|floor| drop(floor.in_custody.remove(&self.number)));
    }
}

impl Station {
    /// Counts what a custody is asked for: `action` of `actor`, on the key `what`. It keeps no session from locking.
    pub(crate) fn in_custody(&self, action: Action, actor: &Actor, what: &str) -> InCustody {
        let asked = Asked { action, actor: actor.clone(), what: what.to_owned() };
        let mut number = 0;
        self.at_bench(|floor| {
            number = floor.in_custody.last_key_value().map_or(0, |(last, _)| last + 1);
            floor.in_custody.insert(number, asked);
        });
        InCustody { station: self.clone(), number }
    }

    /// The same for what a permit is for.
    pub(crate) fn in_custody_by(&self, permit: &Permit, what: &str) -> InCustody {
        self.in_custody(permit.action(), permit.actor(), what)
    }

    /// Waits until nothing is in work: 60 seconds for devices, 10 for a custody. What a custody has not answered then is recorded as not
    /// done, and the first of it is the error.
    pub(crate) fn until_idle(&self) -> Result<(), StationError> {
        let seat = &self.people().seat;
        let began = Instant::now();
        let mut floor = seat.floor();
        loop {
            let limit = match (floor.at_work, floor.in_custody.len()) {
                (0, 0) => return Ok(()),
                (0, _) => CUSTODY,
                _ => DEVICE,
            };
            let left = limit.saturating_sub(began.elapsed());
            if left.is_zero() {
                break;
            }
            floor = seat.moved.wait_timeout(floor, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        let (devices, left) = (floor.at_work, floor.in_custody.values().cloned().collect::<Vec<_>>());
        drop(floor);
        for Asked { action, actor, what } in &left {
            self.undone(*action, actor, what, StationError::UNANSWERED)?;
        }
        let asked = left.into_iter().map(|asked| format!("{} {}", asked.action, asked.what));
        let devices = (devices > 0).then(|| format!("{} ({devices})", Action::Inject));
        Err(StationError::Unanswered(asked.chain(devices).collect::<Vec<_>>().join(", ")))
    }
}
