//! Being there, being away, being gone.

use keystation_core::record::{Away, End, Entry, Event, SessionEvent};

use super::Floor;
use super::gate::actor_of;
use super::session::{Due, Phase, Session, SessionState};
use crate::error::StationError;
use crate::station::Station;

/// A device is in work at the bench: until this is dropped, no session locks by itself and none ends by its age.
#[must_use = "the device is in work until this is dropped"]
pub struct AtBench(Station);

impl Drop for AtBench {
    fn drop(&mut self) {
        self.0.at_bench(|floor| floor.at_work -= 1);
    }
}

impl Station {
    /// What there is of a session.
    #[must_use]
    pub fn session(&self) -> SessionState {
        let custody_open = self.is_unlocked();
        let now = self.people().now().mono_ms;
        let floor = self.people().floor();
        let Some(sitting) = &floor.sitting else { return SessionState::None };
        let seconds_left = sitting.warning(self.people().rule, now, custody_open, floor.at_work > 0);
        let session = Session { seconds_left, ..sitting.session.clone() };
        match sitting.phase {
            Phase::Open => SessionState::Open(session),
            Phase::Away => SessionState::Away(session),
            Phase::Expired => SessionState::Expired(session),
        }
    }

    /// A sign of life of the person at the screen. One that comes too late changes nothing.
    pub fn touch(&self) {
        if let Err(error) = self.settle_session() {
            tracing::error!(%error, "a session that was due has no record");
        }
        let now = self.people().now().mono_ms;
        if let Some(sitting) = &mut self.people().floor().sitting
            && sitting.phase == Phase::Open
        {
            sitting.touch(now);
        }
    }

    /// Counts a device that is in work. Its beginning and its end are signs of life: whoever plugs devices is there.
    pub fn busy(&self) -> AtBench {
        self.at_bench(|floor| floor.at_work += 1);
        AtBench(self.clone())
    }

    fn at_bench(&self, change: impl FnOnce(&mut Floor)) {
        let now = self.people().now().mono_ms;
        let mut floor = self.people().floor();
        change(&mut floor);
        if let Some(sitting) = &mut floor.sitting {
            sitting.touch(now);
        }
        drop(floor);
        self.people().seat.moved.notify_all();
    }

    /// Locks the session and the custody, at once. The person comes back with [`Station::sign_in`].
    pub fn away(&self, why: Away) -> Result<(), StationError> {
        let mut floor = self.people().floor();
        let gone = go_away(&mut floor);
        drop(floor);
        self.after_away(gone, why)
    }

    /// Ends the session; the custody is locked.
    pub fn sign_out(&self) -> Result<(), StationError> {
        self.leave(End::Asked)
    }

    /// The same, for a reason.
    pub(crate) fn leave(&self, why: End) -> Result<(), StationError> {
        let sitting = self.people().floor().sitting.take();
        // Whatever the log says to it: the keys are gone.
        let locked = self.lock_custody();
        if let Some(sitting) = sitting.filter(|sitting| sitting.phase != Phase::Expired) {
            self.told(&sitting.session, SessionEvent::Ended(why))?;
        }
        self.people().seat.moved.notify_all();
        locked
    }

    /// Ends the session of this ID, whose account does not exist any more.
    pub(super) fn end_session(&self, id: &str) -> Result<(), StationError> {
        let there = self.present().is_some_and(|(session, _)| session.id == id);
        if there { self.leave(End::Program) } else { Ok(()) }
    }

    /// Does what is due by now: locks after a while without a sign of life, ends a session that is as old as it may be.
    /// Nothing while a device is in work.
    pub fn settle_session(&self) -> Result<(), StationError> {
        let custody_open = self.is_unlocked();
        let now = self.people().now().mono_ms;
        let mut floor = self.people().floor();
        let at_work = floor.at_work > 0;
        let due = floor.sitting.as_ref().and_then(|s| s.due(self.people().rule, now, custody_open, at_work));
        match due {
            None => Ok(()),
            Some(Due::Idle) => {
                let gone = go_away(&mut floor);
                drop(floor);
                self.after_away(gone, Away::Idle)
            }
            Some(Due::Expired) => {
                let over = floor.sitting.as_mut().map(|sitting| {
                    sitting.phase = Phase::Expired;
                    sitting.session.clone()
                });
                drop(floor);
                let locked = self.lock_custody();
                if let Some(session) = over {
                    self.told(&session, SessionEvent::Ended(End::Expired))?;
                }
                locked
            }
        }
    }

    fn after_away(&self, gone: Option<Session>, why: Away) -> Result<(), StationError> {
        let wiped = self.wipe_custody();
        self.people().seat.moved.notify_all();
        let Some(session) = gone else { return if wiped { self.say(Event::Lock) } else { Ok(()) } };
        let said = self.told(&session, SessionEvent::Away(why));
        if wiped {
            self.journal().append(&Entry { actor: actor_of(&session), event: Event::Lock })?;
        }
        said
    }
}

/// The session that was open and is locked now.
fn go_away(floor: &mut Floor) -> Option<Session> {
    let sitting = floor.sitting.as_mut().filter(|sitting| sitting.phase == Phase::Open)?;
    sitting.phase = Phase::Away;
    Some(sitting.session.clone())
}
