//! What is wiped and told when somebody leaves, locks, or is locked.

use keystation_core::record::Event;

use crate::ceremony::Abort;
use crate::error::StationError;
use crate::station::Station;

/// Told that somebody has left.
pub(crate) type Left = Box<dyn Fn() + Send + Sync>;

impl Station {
    /// Closes every custody, and ends the ceremony that is going on: the station itself does it, and nobody has to be asked.
    pub(crate) fn lock_custody(&self) -> Result<(), StationError> {
        self.tell_left();
        let closed = self.close_custodies();
        let ended = self.end_ceremony(Abort::Locked);
        if closed {
            self.append(Event::Lock)?;
        }
        ended
    }

    /// Has `tell` called whenever a session is locked, ended or taken over, the custody is locked, or a ceremony ends early, by a
    /// person or by itself: a secret that is half typed then is nobody's. It is called within the lock and has to come back
    /// at once, without asking the station anything. The first one stays.
    pub fn when_left(&self, tell: impl Fn() + Send + Sync + 'static) {
        if self.left().set(Box::new(tell)).is_err() {
            tracing::error!("somebody is told already who leaves");
        }
    }

    /// See [`Station::when_left`].
    pub(crate) fn tell_left(&self) {
        if let Some(tell) = self.left().get() {
            tell();
        }
    }

    /// Wipes what derives and every component of a ceremony, while the person is away; a token and a TPM stay open. Says
    /// whether a sealed file was open: that has no record yet.
    pub(crate) fn wipe_custody(&self) -> bool {
        self.wiped(self.close_sealed_file())
    }

    /// The same when a session ends: nothing stays open. Says whether a custody was.
    pub(crate) fn wipe_all_custody(&self) -> bool {
        self.wiped(self.close_custodies())
    }

    fn wiped(&self, closed: bool) -> bool {
        if let Err(error) = self.end_ceremony(Abort::Locked) {
            // It is wiped; the log that took no record of it stopped, and says so to whoever appends next.
            tracing::error!(%error, "a ceremony was ended without a record");
        }
        closed
    }
}
