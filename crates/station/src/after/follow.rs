//! What a thread has that follows the log: a reader, a way to put down what came of it, and the word when to end.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use keystation_audit::{Growth, Journal, Reader};
use keystation_core::record::{Actor, AfterEvent, Entry, Event, Seq};

use super::position::Position;
use crate::data_dir::DataDir;
use crate::error::StationError;
use crate::station::paths;

/// What was begun when the end was asked for has so long.
const GRACE: Duration = Duration::from_secs(5);
/// Nothing has to be looked at in between; a thread that waits is woken.
const LONG: Duration = Duration::from_secs(3600);

/// Whether to end.
#[derive(Debug, Default)]
pub(super) struct Stop(OnceLock<Instant>);

impl Stop {
    /// One whose time is over.
    #[cfg(test)]
    pub(super) fn long_ago() -> Self {
        Self(Instant::now().checked_sub(GRACE).map_or_else(OnceLock::new, OnceLock::from))
    }

    pub(super) fn ask(&self) {
        self.0.get_or_init(Instant::now);
    }

    /// Nothing is begun any more.
    pub(super) fn asked(&self) -> bool {
        self.0.get().is_some()
    }

    /// What was begun is left.
    pub(super) fn over(&self) -> bool {
        self.0.get().is_some_and(|since| since.elapsed() >= GRACE)
    }
}

/// Whoever follows the log.
#[derive(Clone)]
pub(super) struct Follower {
    pub(super) journal: Journal,
    /// Where the log is, those before it, and how far each follower is.
    pub(super) data: DataDir,
    /// The station itself.
    pub(super) actor: Actor,
    pub(super) stop: Arc<Stop>,
    /// The record that it looks at next.
    pub(super) reached: Arc<AtomicU64>,
}

impl Follower {
    pub(super) fn growth(&self) -> &Growth {
        self.journal.growth()
    }

    /// A connection of its own.
    pub(super) fn reader(&self) -> Result<Reader, StationError> {
        Ok(Reader::open(&paths(&self.data))?)
    }

    pub(super) fn append(&self, event: AfterEvent) -> Result<Seq, StationError> {
        let entry = Entry { actor: self.actor.clone(), event: Event::After(event) };
        Ok(self.journal.append(&entry)?)
    }

    /// Waits until there are more than `seen` durable records; how many. `None`: it is to end.
    pub(super) fn more_than(&self, seen: u64) -> Option<u64> {
        loop {
            let size = self.growth().wait(LONG, |size| size > seen || self.stop.asked());
            if self.stop.asked() {
                return None;
            }
            if size > seen {
                return Some(size);
            }
        }
    }

    /// Waits for `time`. Says no when it is to end.
    pub(super) fn rest(&self, time: Duration) -> bool {
        self.growth().wait(time, |_| self.stop.asked());
        !self.stop.asked()
    }

    /// Says how far it is, to whoever waits for it.
    pub(super) fn reached(&self, next: Seq) {
        self.reached.store(next, Ordering::SeqCst);
        self.growth().wake();
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.data.after().join(name)
    }

    pub(super) fn origin(&self) -> &str {
        self.journal.origin().as_str()
    }

    /// The position that is kept under `name`, of whichever log.
    pub(super) fn kept(&self, name: &str) -> Result<Option<Position>, StationError> {
        let file = self.file(name);
        Position::read(&file).map_err(|cause| StationError::Disk { path: file, cause })
    }

    /// The same, if it is one of this log.
    pub(super) fn position(&self, name: &str) -> Result<Option<Position>, StationError> {
        Ok(self.kept(name)?.filter(|position| position.origin() == self.origin()))
    }

    /// An error of the file of a position.
    pub(super) fn disk(&self) -> impl Fn(io::Error) -> StationError {
        let path = self.data.after();
        move |cause| StationError::Disk { path: path.clone(), cause }
    }
}

/// How long to wait after a failure: twice as long each time, from a tenth of a second to half a minute.
#[derive(Debug)]
pub(super) struct Patience(Duration);

impl Patience {
    const FIRST: Duration = Duration::from_millis(100);
    const MOST: Duration = Duration::from_secs(30);

    pub(super) const fn new() -> Self {
        Self(Self::FIRST)
    }

    pub(super) fn next(&mut self) -> Duration {
        let now = self.0;
        self.0 = (now * 2).min(Self::MOST);
        now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_have_an_end() {
        let mut patience = Patience::new();
        let waits: Vec<_> = (0..12).map(|_| patience.next()).collect();
        assert_eq!(waits[..3], [100, 200, 400].map(Duration::from_millis));
        assert_eq!(waits[11], Duration::from_secs(30));
    }
}
