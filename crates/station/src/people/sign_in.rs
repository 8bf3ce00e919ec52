//! Signing in, taking over, coming back, and approving.

use keystation_core::record::{DenialReason, End, Entry, Event, Purpose, SessionEvent};

use super::approval::{ApprovalId, Request};
use super::error::{ApproveError, SignInError};
use super::gate::{Refusal, actor_of, has_one};
use super::pin::Pin;
use super::policy::{Rule, rule};
use super::proving::{Known, Person};
use super::session::{Phase, Session, Sitting};
use crate::error::StationError;
use crate::random;
use crate::station::Station;

impl Station {
    /// Signs somebody in: begins a session, takes over from whoever has one, or comes back to one's own that is locked. A
    /// device that is in work is finished under the person who began it.
    pub fn sign_in(&self, who: Person<'_>, pin: &Pin) -> Result<Session, SignInError> {
        let _door = self.people().door();
        self.settle_session()?;
        let known = self.prove(Purpose::SignIn, who, pin)?;
        let _moves = self.people().moves();
        let before = self.present();
        let purpose = match &before {
            Some((session, _)) if session.user == known.user => Purpose::Resume,
            Some(_) => Purpose::HandOver,
            None => Purpose::SignIn,
        };
        let id = match (&before, purpose) {
            (Some((session, _)), Purpose::Resume) => session.id.clone(),
            _ => random::session()?,
        };
        let session =
            Session { user: known.user, roles: known.roles, must_change_pin: known.once, id, warning: None };
        match (&before, purpose) {
            // What the person who is away left open is theirs: whoever takes over gives the secret of the custody.
            (Some((session, Phase::Away)), Purpose::HandOver) => {
                self.closed_by(Some(session.clone()), SessionEvent::Ended(End::HandOver), false)?;
            }
            (Some((session, _)), Purpose::HandOver) => {
                self.tell_left();
                self.told(session, SessionEvent::Ended(End::HandOver))?;
            }
            _ => {}
        }
        self.told(&session, SessionEvent::Proved { user: session.user.clone(), purpose })?;
        let now = self.people().now().mono_ms;
        let mut floor = self.people().floor();
        match floor.sitting.as_mut().filter(|sitting| sitting.session.id == session.id) {
            Some(sitting) => {
                sitting.session = session.clone();
                sitting.resume(now);
            }
            None => floor.sitting = Some(Sitting::begin(session.clone(), now)),
        }
        drop(floor);
        self.people().seat.moved.notify_all();
        // Whoever may not open the custody does not find it open.
        if !has_one(Some(session.roles), super::policy::KEEPERS) {
            self.lock_custody()?;
        }
        self.wake();
        Ok(session)
    }

    /// Somebody proves who they are beside the session: a custodian, on their side of a ceremony.
    pub fn sign_in_beside(&self, who: Person<'_>, pin: &Pin) -> Result<Known, SignInError> {
        let _door = self.people().door();
        let known = self.prove(Purpose::Ceremony, who, pin)?;
        self.proved(&known, Purpose::Ceremony)?;
        Ok(known)
    }

    /// Another person approves what the session's person asks for, at the same screen. Good for a minute, once.
    pub fn approve(&self, request: &Request, who: Person<'_>, pin: &Pin) -> Result<ApprovalId, ApproveError> {
        let _door = self.people().door();
        let denied = |why: Refusal| ApproveError::from(self.denied(request.action, &request.subject, why));
        let rule @ Rule { approval: Some(approvers), .. } = rule(request.action) else {
            return Err(denied(DenialReason::State.into()));
        };
        // Nobody is asked for a PIN for what would be refused all the same.
        let asking = self.may(rule).map_err(denied)?;
        let known = self.prove(Purpose::Approval, who, pin)?;
        self.proved(&known, Purpose::Approval)?;
        if known.user == asking.user {
            return Err(denied(DenialReason::ApprovalSamePerson.into()));
        }
        if known.once {
            return Err(denied(DenialReason::PinChange.into()));
        }
        if !has_one(Some(known.roles), approvers) {
            return Err(denied(DenialReason::ApprovalRole.into()));
        }
        let now = self.people().now().mono_ms;
        Ok(self.people().floor().approvals.give(request, &asking.id, &known.user, now))
    }

    /// The right PIN of somebody who gets no session by it.
    fn proved(&self, known: &Known, purpose: Purpose) -> Result<(), StationError> {
        let event = Event::Session(SessionEvent::Proved { user: known.user.clone(), purpose });
        self.journal().append(&Entry { actor: self.asker(), event })?;
        Ok(())
    }

    /// A record of `session`.
    pub(super) fn told(&self, session: &Session, event: SessionEvent) -> Result<(), StationError> {
        self.journal().append(&Entry { actor: actor_of(session), event: Event::Session(event) })?;
        Ok(())
    }

    /// The session that is there and not over.
    pub(super) fn present(&self) -> Option<(Session, Phase)> {
        let floor = self.people().floor();
        let sitting = floor.sitting.as_ref().filter(|sitting| sitting.phase != Phase::Expired)?;
        Some((sitting.session.clone(), sitting.phase))
    }
}
