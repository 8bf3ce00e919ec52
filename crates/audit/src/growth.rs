//! How many records are durable, for whoever follows the log in the same program.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use keystation_core::record::Seq;

/// Follows a log that grows. A reader may see a record a moment before it is durable; what leaves the station waits for this.
#[derive(Debug, Clone, Default)]
pub struct Growth(Arc<Told>);

#[derive(Debug, Default)]
struct Told {
    size: Mutex<u64>,
    changed: Condvar,
}

impl Growth {
    pub(crate) fn at(size: u64) -> Self {
        let growth = Self::default();
        *growth.size() = size;
        growth
    }

    /// Record `seq` is durable, and all before it.
    pub(crate) fn reached(&self, seq: Seq) {
        {
            let mut size = self.size();
            *size = (*size).max(seq + 1);
        }
        self.0.changed.notify_all();
    }

    /// Records that are durable.
    #[must_use]
    pub fn records(&self) -> u64 {
        *self.size()
    }

    /// Waits until `enough` says so of the number of durable records, or `time` is over; the number then. It is asked again whenever a
    /// record has become durable, or somebody [wakes](Self::wake) those who wait.
    pub fn wait(&self, time: Duration, enough: impl Fn(u64) -> bool) -> u64 {
        let waiting = self.0.changed.wait_timeout_while(self.size(), time, |size| !enough(*size));
        *waiting.unwrap_or_else(PoisonError::into_inner).0
    }

    /// Has everybody who waits ask again.
    pub fn wake(&self) {
        // With the lock: whoever is about to wait has not asked yet, or waits already.
        drop(self.size());
        self.0.changed.notify_all();
    }

    fn size(&self) -> MutexGuard<'_, u64> {
        self.0.size.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    #[test]
    fn whoever_waits_is_told_of_each_record_and_can_be_woken() {
        let growth = Growth::at(3);
        assert_eq!(growth.wait(Duration::ZERO, |size| size > 3), 3);
        let far = Duration::from_secs(600);
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| growth.wait(far, |size| size > 4));
            growth.reached(4);
            // An answer that came late takes nothing back.
            growth.reached(2);
            assert_eq!(waiting.join().unwrap(), 5);
            let woken = scope.spawn(|| growth.wait(far, |_| stop.load(Ordering::SeqCst)));
            stop.store(true, Ordering::SeqCst);
            growth.wake();
            assert_eq!(woken.join().unwrap(), 5);
        });
    }
}
