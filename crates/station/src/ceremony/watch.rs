//! The thread that ends a ceremony which takes too long. It sleeps until then, or until the ceremony has ended.

use std::io;
use std::sync::PoisonError;
use std::thread;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use super::Abort;
use crate::station::Station;

/// The longest sleep: a wait is measured by a clock that stands still while the machine sleeps, and the limit is not.
const NAP: Duration = Duration::from_secs(30);

/// Since the start of the machine, its sleep included: no clock that can be set.
pub(super) fn now() -> Duration {
    let time = clock_gettime(ClockId::Boottime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

impl Station {
    /// Ends the ceremony `id` at `ends`. The station is not kept from going by it.
    pub(super) fn watch_ceremony(&self, id: String, ends: Duration) -> io::Result<()> {
        let (shared, station) = (self.ceremonies().share(), self.downgrade());
        thread::Builder::new().name("ceremony".to_owned()).spawn(move || {
            let mut table = shared.table();
            while table.running.as_ref().is_some_and(|running| running.id == id) {
                let left = ends.saturating_sub(now());
                if left.is_zero() {
                    drop(table);
                    if let Some(station) = station.upgrade()
                        && let Err(error) = station.end_ceremony(Abort::Expired)
                    {
                        tracing::error!(%error, "a ceremony was ended without a record");
                    }
                    return;
                }
                let waited = shared.changed.wait_timeout(table, left.min(NAP));
                table = waited.unwrap_or_else(PoisonError::into_inner).0;
            }
        })?;
        Ok(())
    }
}
