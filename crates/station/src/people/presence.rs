//! Being there, being away, being gone.

use std::cell::Cell;

use keystation_core::record::{Away, End, Entry, Event, SessionEvent};

use super::Floor;
use super::gate::actor_of;
use super::session::{Due, Phase, Session, SessionState};
use crate::error::StationError;
use crate::station::Station;

/// Something is in work at the bench until this is dropped. While that is a device which said who it is, no session locks by itself
/// and none ends by its age.
#[must_use = "the device is in work until this is dropped"]
pub struct AtBench {
    station: Station,
    known: Cell<bool>,
}

impl AtBench {
    /// The device said who it is, or has its key: a sign of life of whoever plugs devices in.
    pub fn known(&self) {
        let now = self.station.people().now().mono_ms;
        let first = !self.known.replace(true);
        self.station.at_bench(|floor| {
            floor.devices += usize::from(first);
            if let Some(sitting) = &mut floor.sitting {
                sitting.touch(now);
            }
        });
    }
}

impl Drop for AtBench {
    fn drop(&mut self) {
        self.station.at_bench(|floor| {
            floor.at_work -= 1;
            floor.devices -= usize::from(self.known.get());
        });
    }
}

impl Station {
    /// What there is of a session.
    #[must_use]
    pub fn session(&self) -> SessionState {
        let secrets = self.has_secrets();
        let now = self.people().now().mono_ms;
        let floor = self.people().floor();
        let Some(sitting) = &floor.sitting else { return SessionState::None };
        let warning = sitting.warning(self.people().rule, now, secrets, floor.work());
        let session = Session { warning, ..sitting.session.clone() };
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

    /// Counts what is plugged in and in work. That something was plugged in is no sign of life, for a plug that is loose does it all
    /// night, and two of them without a pause: [`AtBench::known`] is one.
    pub fn busy(&self) -> AtBench {
        self.at_bench(|floor| floor.at_work += 1);
        AtBench { station: self.clone(), known: Cell::new(false) }
    }

    pub(super) fn at_bench(&self, change: impl FnOnce(&mut Floor)) {
        change(&mut self.people().floor());
        self.people().seat.moved.notify_all();
    }

    /// Locks the session and the custody, at once. The person comes back with [`Station::sign_in`].
    pub fn away(&self, why: Away) -> Result<(), StationError> {
        let event = SessionEvent::Away(why);
        let ahead = self.wipe_for(&event);
        let _moves = self.people().moves();
        let mut floor = self.people().floor();
        let open = floor.sitting.as_mut().filter(|sitting| sitting.phase == Phase::Open);
        let session = open.map(|sitting| {
            sitting.phase = Phase::Away;
            sitting.session.clone()
        });
        drop(floor);
        self.closed_by(session, event, ahead)
    }

    /// Ends the session; the custody is locked.
    pub fn sign_out(&self) -> Result<(), StationError> {
        self.leave(End::Asked)
    }

    /// The same, for a reason.
    pub(crate) fn leave(&self, why: End) -> Result<(), StationError> {
        let event = SessionEvent::Ended(why);
        let ahead = self.wipe_for(&event);
        let _moves = self.people().moves();
        let sitting = self.people().floor().sitting.take();
        let session =
            sitting.filter(|sitting| sitting.phase != Phase::Expired).map(|sitting| sitting.session);
        self.closed_by(session, event, ahead)
    }

    /// Ends the session of this ID, whose account does not exist any more.
    pub(super) fn end_session(&self, id: &str) -> Result<(), StationError> {
        let there = self.present().is_some_and(|(session, _)| session.id == id);
        if there { self.leave(End::Program) } else { Ok(()) }
    }

    /// Does what is due by now: locks after a while without a sign of life, ends a session that is as old as it may be.
    /// Nothing while a device is in work.
    pub fn settle_session(&self) -> Result<(), StationError> {
        let _moves = self.people().moves();
        let secrets = self.has_secrets();
        let now = self.people().now().mono_ms;
        let mut floor = self.people().floor();
        let work = floor.work();
        let Some((sitting, due)) = floor.sitting.as_mut().and_then(|sitting| {
            let due = sitting.due(self.people().rule, now, secrets, work)?;
            Some((sitting, due))
        }) else {
            return Ok(());
        };
        let (phase, event) = match due {
            Due::Idle => (Phase::Away, SessionEvent::Away(Away::Idle)),
            Due::Expired => (Phase::Expired, SessionEvent::Ended(End::Expired)),
        };
        sitting.phase = phase;
        let session = sitting.session.clone();
        drop(floor);
        self.closed_by(Some(session), event, false)
    }

    /// Whether there is something that whoever forgets the station leaves open: a custody, or a ceremony, whose components are in
    /// memory though no custody may be open, as for the first key. Asks the table of the ceremony: not with the floor held.
    fn has_secrets(&self) -> bool {
        self.is_unlocked() || self.ceremonies().is_running()
    }

    /// Wipes the keys for a session that is about to be locked or to end; says whether there were any, which has no record yet.
    /// Whoever leaves does this before anything else: to begin, lock or end a session waits for whoever else does it, and a sign-in
    /// waits for the disk.
    fn wipe_for(&self, event: &SessionEvent) -> bool {
        self.tell_left();
        // Who is only away for a moment finds a token and a TPM as they were; everything else takes all with it.
        match event {
            SessionEvent::Away(Away::Asked | Away::Idle) => self.wipe_custody(),
            _ => self.wipe_all_custody(),
        }
    }

    /// Wipes the keys, also those that came since they were wiped `ahead`, then puts down what happened to `session` and to them.
    /// Whatever the log says to it, they are gone.
    pub(super) fn closed_by(
        &self,
        session: Option<Session>,
        event: SessionEvent,
        ahead: bool,
    ) -> Result<(), StationError> {
        let wiped = self.wipe_for(&event) || ahead;
        self.people().seat.moved.notify_all();
        let actor = session.as_ref().map_or_else(|| self.asker(), actor_of);
        let said = session.map_or(Ok(()), |session| self.told(&session, event));
        if wiped {
            self.journal().append(&Entry { actor, event: Event::Lock })?;
        }
        said
    }
}
