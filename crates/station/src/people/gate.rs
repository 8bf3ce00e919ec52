//! The one gate. Whoever acts shows a [`Permit`], and only this file makes one.

use keystation_audit::Account;
use keystation_core::record::{Actor, Denial, DenialReason, Entry, Event};
use keystation_core::role::{Role, Roles};

use super::action::Action;
use super::approval::{ApprovalId, Request};
use super::denied::Denied;
use super::policy::{Rule, Who, rule};
use super::proving::Known;
use super::session::{Phase, Session};
use crate::error::StationError;
use crate::station::Station;

/// That an action is permitted now: by whom it was asked, and who approved. It is good for this action in this session.
#[derive(Debug)]
pub struct Permit {
    action: Action,
    actor: Actor,
    approver: String,
    /// What was approved, to the letter: [`Request::digest`].
    approved: Option<[u8; 32]>,
}

impl Permit {
    /// What is permitted.
    #[must_use]
    pub const fn action(&self) -> Action {
        self.action
    }

    /// Who asked; the station itself where nobody has to be signed in.
    #[must_use]
    pub const fn actor(&self) -> &Actor {
        &self.actor
    }

    /// Who approved, or empty.
    #[must_use]
    pub fn approver(&self) -> &str {
        &self.approver
    }
}

/// Milliseconds for which somebody is known who has no session of their own.
const KNOWN_MS: u64 = 30 * 60_000;

/// Why not: by the rules, or because the station cannot tell.
pub(super) enum Refusal {
    Policy(DenialReason),
    Station(StationError),
}

impl From<StationError> for Refusal {
    fn from(error: StationError) -> Self {
        Self::Station(error)
    }
}

impl From<DenialReason> for Refusal {
    fn from(why: DenialReason) -> Self {
        Self::Policy(why)
    }
}

/// The rules alone, approval apart: what a session in this phase, with these roles, may.
pub(super) fn judge(
    rule: Rule,
    phase: Option<Phase>,
    one_time_pin: bool,
    roles: Option<Roles>,
) -> Result<(), DenialReason> {
    if rule.who == Who::Anyone {
        return Ok(());
    }
    match phase {
        None => return Err(DenialReason::NoSession),
        Some(Phase::Expired) => return Err(DenialReason::Expired),
        Some(Phase::Away) if !rule.while_away => return Err(DenialReason::Away),
        Some(Phase::Away | Phase::Open) => {}
    }
    if one_time_pin && !rule.one_time_pin {
        return Err(DenialReason::PinChange);
    }
    match rule.who {
        Who::Anyone | Who::Signed => Ok(()),
        Who::Session(open_to) if has_one(roles, open_to) => Ok(()),
        Who::Session(_) => Err(DenialReason::Role),
    }
}

pub(super) fn has_one(roles: Option<Roles>, of: &[Role]) -> bool {
    roles.is_some_and(|roles| of.iter().any(|role| roles.has(*role)))
}

impl Station {
    /// Whether `action` is permitted now. A refusal is a record. Where another person has to approve, this refuses:
    /// [`Station::permit_approved`].
    pub fn permit(&self, action: Action) -> Result<Permit, Denied> {
        self.decide(action, None).map_err(|why| self.denied(action, "", why))
    }

    /// The same for a request that another person approved. The approval is used up by it.
    pub fn permit_approved(&self, request: &Request, approval: ApprovalId) -> Result<Permit, Denied> {
        self.decide(request.action, Some((request, approval)))
            .map_err(|why| self.denied(request.action, &request.subject, why))
    }

    /// Whether `permit` is one for `action`, of the session that is still there and not over, and of people who still may: it can be
    /// minutes old. What acts asks this first. A refusal is recorded under whoever has the permit, not whoever is there now.
    pub fn honour(&self, permit: &Permit, action: Action) -> Result<(), Denied> {
        self.still_good(permit, action).map_err(|why| self.denied_to(&permit.actor, action, "", why))
    }

    fn still_good(&self, permit: &Permit, action: Action) -> Result<(), Refusal> {
        let rule = rule(action);
        if permit.action != action {
            return Err(DenialReason::State.into());
        }
        if rule.who == Who::Anyone {
            return Ok(());
        }
        let now = self.people().now().mono_ms;
        match &self.people().floor().sitting {
            Some(sitting) if sitting.session.id != permit.actor.session => {
                return Err(DenialReason::State.into());
            }
            Some(sitting) if sitting.is_over(self.people().rule, now) => {
                return Err(DenialReason::Expired.into());
            }
            Some(sitting) if sitting.phase == Phase::Open || rule.while_away => {}
            _ => return Err(DenialReason::State.into()),
        }
        // Both people as the log has them now.
        let account = self.account(&permit.actor.operator)?.filter(|account| account.active);
        let account = account.ok_or(DenialReason::NoSession)?;
        judge(rule, Some(Phase::Open), account.once, Some(account.roles))?;
        if let (Some(approvers), Some(_)) = (rule.approval, permit.approved) {
            self.approver(&permit.approver, approvers)?;
        }
        Ok(())
    }

    /// The second person, who may approve now.
    fn approver(&self, user: &str, approvers: &[Role]) -> Result<Account, Refusal> {
        let may =
            |account: &Account| account.active && !account.once && has_one(Some(account.roles), approvers);
        Ok(self.account(user)?.filter(may).ok_or(DenialReason::ApprovalRole)?)
    }

    /// The same where another person approved `request`: what is to be done has to be that, to the letter.
    pub(crate) fn honour_request(&self, permit: &Permit, request: &Request) -> Result<(), Denied> {
        self.honour(permit, request.action)?;
        if permit.approved == Some(request.digest()) {
            Ok(())
        } else {
            let why = DenialReason::ApprovalOtherRequest.into();
            Err(self.denied_to(&permit.actor, request.action, &request.subject, why))
        }
    }

    /// Whether somebody may act who proved who they are without being the session's person: a custodian on their side of a
    /// ceremony, whoever the session belongs to. Good for half an hour, not while the session is locked, and with the roles
    /// that the log has now. An action that another person has to approve is none of these. A session that is due is not settled
    /// here: that ends a ceremony, and whoever asks may hold its table.
    pub fn permit_known(&self, action: Action, known: &Known) -> Result<Permit, Denied> {
        self.decide_known(action, known).map_err(|why| self.denied(action, &known.user, why))
    }

    fn decide_known(&self, action: Action, known: &Known) -> Result<Permit, Refusal> {
        let Rule { who: Who::Session(open_to), approval: None, .. } = rule(action) else {
            return Err(DenialReason::ApprovalMissing.into());
        };
        let account = self.account(&known.user)?.filter(|account| account.active);
        let account = account.ok_or(DenialReason::NoSession)?;
        if account.once {
            return Err(DenialReason::PinChange.into());
        }
        if !has_one(Some(account.roles), open_to) {
            return Err(DenialReason::Role.into());
        }
        let now = self.people().now().mono_ms;
        if let Some(sitting) = &mut self.people().floor().sitting {
            match sitting.phase {
                Phase::Away => return Err(DenialReason::Away.into()),
                _ if sitting.is_over(self.people().rule, now) => return Err(DenialReason::Expired.into()),
                _ => sitting.touch(now),
            }
        }
        if now.checked_sub(known.at).is_none_or(|age| age >= KNOWN_MS) {
            return Err(DenialReason::Expired.into());
        }
        let Actor { session, .. } = self.asker();
        let actor = Actor { session, operator: account.user, role: account.roles.to_string() };
        Ok(Permit { action, actor, approver: String::new(), approved: None })
    }

    fn decide(&self, action: Action, approved: Option<(&Request, ApprovalId)>) -> Result<Permit, Refusal> {
        let rule = rule(action);
        if rule.who == Who::Anyone {
            return Ok(Permit { action, actor: self.actor(), approver: String::new(), approved: None });
        }
        let session = self.may(rule)?;
        let Some(approvers) = rule.approval else {
            self.still_there(&session, action)?;
            return Ok(Permit { action, actor: actor_of(&session), approver: String::new(), approved: None });
        };
        let (request, id) = approved.ok_or(DenialReason::ApprovalMissing)?;
        let now = self.people().now().mono_ms;
        let look = |spend: bool| {
            let mut floor = self.people().floor();
            let approver = floor.approvals.look(id, request, &session.id, &session.user, now)?.to_owned();
            if spend {
                floor.approvals.spend(id);
            }
            Ok::<_, DenialReason>(approver)
        };
        // The second person as the log has them now, not as they were a minute ago.
        let approver = self.approver(&look(false)?, approvers)?;
        self.still_there(&session, action)?;
        if look(true)? != approver.user {
            return Err(DenialReason::ApprovalOtherRequest.into());
        }
        let approved = Some(request.digest());
        Ok(Permit { action, actor: actor_of(&session), approver: approver.user, approved })
    }

    /// The session that may what `rule` says, approval apart: with the roles that the log has now.
    pub(super) fn may(&self, rule: Rule) -> Result<Session, Refusal> {
        self.settle_session()?;
        let now = self.people().now().mono_ms;
        let (session, phase) = {
            let floor = self.people().floor();
            let sitting = floor.sitting.as_ref().ok_or(DenialReason::NoSession)?;
            let over = sitting.is_over(self.people().rule, now);
            (sitting.session.clone(), if over { Phase::Expired } else { sitting.phase })
        };
        let Some(account) = self.account(&session.user)?.filter(|account| account.active) else {
            self.end_session(&session.id)?;
            return Err(DenialReason::NoSession.into());
        };
        judge(rule, Some(phase), account.once, Some(account.roles))?;
        Ok(Session { roles: account.roles, must_change_pin: account.once, ..session })
    }

    /// The session is still there, and gave a sign of life; but a slot asks for its device, which may be a plug that is loose.
    fn still_there(&self, session: &Session, action: Action) -> Result<(), DenialReason> {
        let now = self.people().now().mono_ms;
        let mut floor = self.people().floor();
        let sitting = floor.sitting.as_mut().ok_or(DenialReason::NoSession)?;
        if sitting.session.id != session.id {
            return Err(DenialReason::NoSession);
        }
        if sitting.phase != Phase::Open && !rule(action).while_away {
            return Err(DenialReason::Away);
        }
        sitting.session.roles = session.roles;
        sitting.session.must_change_pin = session.must_change_pin;
        if !matches!(action, Action::Inject | Action::ContinueRekey) {
            sitting.touch(now);
        }
        Ok(())
    }

    /// Records a refusal of who stands before the station. One that cannot be recorded stays one.
    pub(super) fn denied(&self, action: Action, subject: &str, refusal: Refusal) -> Denied {
        self.denied_to(&self.asker(), action, subject, refusal)
    }

    /// The same of whoever asked.
    fn denied_to(&self, actor: &Actor, action: Action, subject: &str, refusal: Refusal) -> Denied {
        let (why, cause) = match refusal {
            Refusal::Policy(why) => (why, None),
            Refusal::Station(error) => (DenialReason::State, Some(Box::new(error))),
        };
        let code = cause.as_ref().map_or("", |cause| cause.code()).to_owned();
        let denial = Denial { action: action.word().to_owned(), why, what: subject_of(subject), code };
        let event = Event::Denied(denial);
        let (record, cause) = match self.journal().append(&Entry { actor: actor.clone(), event }) {
            Ok(seq) => (Some(seq), cause),
            Err(error) => (None, cause.or_else(|| Some(Box::new(error.into())))),
        };
        Denied { action, why, record, cause }
    }

    /// Who stands before the station, also while the screen is locked.
    pub(crate) fn asker(&self) -> Actor {
        self.signed_in().unwrap_or_else(|| self.nobody())
    }

    pub(crate) fn signed_in(&self) -> Option<Actor> {
        self.people().floor().sitting.as_ref().map(|sitting| actor_of(&sitting.session))
    }
}

/// What was asked about, as a record takes it.
pub(super) fn subject_of(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(128).collect()
}

pub(super) fn actor_of(session: &Session) -> Actor {
    Actor { session: session.id.clone(), operator: session.user.clone(), role: session.roles.to_string() }
}
