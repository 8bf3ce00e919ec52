//! What passed the gate and was not done: that is a record as well.
//!
//! The gate records whom it refuses. What is refused behind it, for the state of things (the key is destroyed already, a ceremony
//! is going on, the new PIN is the old one), is recorded here: `policy.refuse` with `state` and the code of what went wrong.

use keystation_core::record::{Actor, Denial, DenialReason, Entry, Event};
use keystation_vault::ImportError;

use super::action::Action;
use super::denied::Denied;
use super::error::{PersonError, SignInError};
use super::gate::{Permit, actor_of, subject_of};
use super::policy::{Who, rule};
use crate::ceremony::CeremonyError;
use crate::error::StationError;
use crate::station::Station;

/// Whether there is nothing to record: a record says it already, or nothing was asked for that the station could refuse,
/// because an argument is not what it has to be, whatever the state of the station is (docs/people.md, section 7).
fn is_told(error: &StationError) -> bool {
    match error {
        StationError::Denied(_) | StationError::Unlock(_) | StationError::Import(ImportError::Unlock(_)) => {
            true
        }
        StationError::SignIn(error) => is_sign_in_told(error),
        StationError::Ceremony(error) => is_ceremony_told(error),
        StationError::Reason | StationError::Person(PersonError::Id(_)) => true,
        _ => false,
    }
}

fn is_sign_in_told(error: &SignInError) -> bool {
    match error {
        SignInError::Station(error) => is_told(error),
        _ => true,
    }
}

fn is_ceremony_told(error: &CeremonyError) -> bool {
    match error {
        CeremonyError::Denied(_) | CeremonyError::Aborted(_) => true,
        CeremonyError::SignIn(error) => is_sign_in_told(error),
        CeremonyError::Station(error) => is_told(error),
        _ => false,
    }
}

impl Station {
    /// Whether whoever is signed in may ask for `action`, the approval of another person apart. A refusal is a record. Asked
    /// before anything is said of what the action is to be done to.
    pub fn may_ask(&self, action: Action) -> Result<Actor, Denied> {
        let rule = rule(action);
        if rule.who == Who::Anyone {
            return Ok(self.actor());
        }
        self.may(rule).map(|session| actor_of(&session)).map_err(|why| self.denied(action, "", why))
    }

    /// What came of an act under `permit`, on `what`: if it was not done, that is in the log when this returns.
    pub fn done_or_told<T>(
        &self,
        permit: &Permit,
        what: &str,
        done: Result<T, StationError>,
    ) -> Result<T, StationError> {
        self.done_or_told_by(permit.action(), permit.actor(), what, done)
    }

    /// Records that what passed the gate was not asked of the station in the end: a screen refused it, for the reason `code`.
    pub fn not_asked(&self, permit: &Permit, what: &str, code: &str) -> Result<(), StationError> {
        self.undone(permit.action(), permit.actor(), what, code)
    }

    /// The same for whoever asked without a permit of their own.
    pub(crate) fn done_or_told_by<T>(
        &self,
        action: Action,
        actor: &Actor,
        what: &str,
        done: Result<T, StationError>,
    ) -> Result<T, StationError> {
        done.map_err(|error| {
            if is_told(&error) {
                return error;
            }
            match (self.undone(action, actor, what, error.code()), error) {
                // A log that takes no record is the reason already.
                (Ok(()), error) | (Err(_), error @ StationError::Append(_)) => error,
                (Err(unrecorded), _) => unrecorded,
            }
        })
    }

    /// The record of it.
    pub(crate) fn undone(
        &self,
        action: Action,
        actor: &Actor,
        what: &str,
        code: &str,
    ) -> Result<(), StationError> {
        let denial = Denial {
            action: action.word().to_owned(),
            why: DenialReason::State,
            what: subject_of(what),
            code: code.to_owned(),
        };
        self.journal().append(&Entry { actor: actor.clone(), event: Event::Denied(denial) })?;
        Ok(())
    }

    /// What came of a step of a ceremony.
    pub(crate) fn step_or_told<T>(
        &self,
        actor: &Actor,
        what: &str,
        done: Result<T, CeremonyError>,
    ) -> Result<T, CeremonyError> {
        match done {
            Err(error) if !is_ceremony_told(&error) => {
                self.undone(Action::Ceremony, actor, what, error.code())?;
                Err(error)
            }
            done => done,
        }
    }
}
