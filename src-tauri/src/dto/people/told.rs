//! What the station says of people, as the page is told it.

use std::collections::BTreeMap;

use keystation::people::{self, Action, PersonStanding, SignInError};
use keystation_core::role;

use super::{AccountChange, PersonLine, Role, SessionLine, SessionState, SignIn, SignInOutcome, Soon};
use crate::dto::Room;
use crate::problem::Problem;

impl From<role::Role> for Role {
    fn from(role: role::Role) -> Self {
        match role {
            role::Role::Operator => Self::Operator,
            role::Role::Repair => Self::Repair,
            role::Role::Supervisor => Self::Supervisor,
            role::Role::Custodian => Self::Custodian,
            role::Role::Qa => Self::Qa,
            role::Role::Administrator => Self::Administrator,
        }
    }
}

impl From<Role> for role::Role {
    fn from(role: Role) -> Self {
        match role {
            Role::Operator => Self::Operator,
            Role::Repair => Self::Repair,
            Role::Supervisor => Self::Supervisor,
            Role::Custodian => Self::Custodian,
            Role::Qa => Self::Qa,
            Role::Administrator => Self::Administrator,
        }
    }
}

impl SessionLine {
    /// Nobody is there, and nobody is asked for.
    pub(crate) const fn nobody() -> Self {
        Self {
            state: SessionState::None,
            user: String::new(),
            name: String::new(),
            roles: Vec::new(),
            must_change_pin: false,
            seconds_left: None,
            reason: None,
        }
    }

    pub(crate) fn of(state: people::SessionState, is_new: bool, names: &BTreeMap<String, String>) -> Self {
        let (state, session) = match state {
            people::SessionState::None if is_new => (SessionState::FirstStart, None),
            people::SessionState::None => (SessionState::None, None),
            people::SessionState::Open(session) => (SessionState::Open, Some(session)),
            people::SessionState::Away(session) => (SessionState::Away, Some(session)),
            people::SessionState::Expired(session) => (SessionState::Expired, Some(session)),
        };
        let Some(session) = session else { return Self { state, ..Self::nobody() } };
        Self {
            state,
            name: names.get(&session.user).cloned().unwrap_or_default(),
            user: session.user,
            roles: session.roles.iter().map(Role::from).collect(),
            must_change_pin: session.must_change_pin,
            seconds_left: session.warning.map(|warning| warning.seconds),
            reason: session.warning.map(|warning| match warning.why {
                people::Soon::Idle => Soon::Idle,
                people::Soon::Hours => Soon::Hours,
            }),
        }
    }
}

impl Room {
    /// The rooms of somebody with these roles: there is something in each that the policy lets them do. Whoever is
    /// nobody yet sees the slots.
    pub(crate) fn of(roles: &[Role]) -> Vec<Self> {
        let may = |action| match people::rule(action).who {
            people::Who::Session(open_to) => roles.iter().any(|role| open_to.contains(&(*role).into())),
            people::Who::Anyone | people::Who::Signed => true,
        };
        let rooms = [
            (Self::Line, roles.is_empty() || may(Action::Inject) || may(Action::Unlock)),
            (Self::Orders, may(Action::Orders)),
            // QA looks at a finished device in the Audit room.
            (Self::Repair, may(Action::Rekey)),
            (Self::Audit, may(Action::SearchRoom)),
            (Self::Keys, may(Action::Keys)),
            (Self::People, may(Action::People)),
        ];
        rooms.into_iter().filter_map(|(room, open)| open.then_some(room)).collect()
    }
}

impl SignIn {
    const fn came(outcome: SignInOutcome) -> Self {
        Self { outcome, tries_left: None, wait_seconds: None, problem: None }
    }

    pub(crate) const fn open() -> Self {
        Self::came(SignInOutcome::Open)
    }

    pub(crate) fn refused(problem: Problem) -> Self {
        Self { problem: Some(problem), ..Self::came(SignInOutcome::Refused) }
    }

    /// What came of a PIN that was not right; an error where the station could not tell.
    pub(crate) fn failed(error: SignInError) -> Result<Self, Problem> {
        Ok(match error {
            SignInError::Wrong { tries_left } => {
                Self { tries_left: Some(tries_left), ..Self::came(SignInOutcome::Wrong) }
            }
            SignInError::Unknown => Self::came(SignInOutcome::Wrong),
            SignInError::Wait { seconds } => {
                Self { wait_seconds: Some(seconds), ..Self::came(SignInOutcome::Wait) }
            }
            SignInError::LockedOut => Self::came(SignInOutcome::LockedOut),
            SignInError::Disabled | SignInError::Credential => Self::refused(error.into()),
            SignInError::Station(error) => return Err((*error).into()),
        })
    }
}

impl From<people::AccountChange> for AccountChange {
    fn from(change: people::AccountChange) -> Self {
        let people::AccountChange { seq, time_ms, event, operator, approver } = change;
        Self { seq, time: time_ms, event, operator, approver }
    }
}

impl PersonLine {
    pub(crate) fn of(standing: PersonStanding, names: &BTreeMap<String, String>) -> Self {
        Self {
            name: names.get(&standing.user).cloned().unwrap_or_default(),
            user: standing.user,
            roles: standing.roles.iter().map(Role::from).collect(),
            active: standing.active,
            locked_out: standing.locked_out,
            must_change_pin: standing.must_change_pin,
            has_badge: standing.has_badge,
            irreplaceable: standing.irreplaceable,
            changed: standing.changed.into(),
        }
    }
}
