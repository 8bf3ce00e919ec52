//! Accounts: the first two, and every change by two administrators.

use std::ops::ControlFlow;

use keystation_audit::{Account, Reader};
use keystation_core::record::{Actor, CredentialChange, Purpose, Seq, SessionEvent, UserChange};
use keystation_core::role::{Role, Roles};
use keystation_vault::SecretText;

use super::action::Action;
use super::approval::{ApprovalId, Request};
use super::change::badge_tag;
use super::credential::Credential;
use super::denied::Denied;
use super::error::{PersonError, SignInError};
use super::gate::Permit;
use super::pepper::Pepper;
use super::pin::{Pin, PinHash, PinRefused};
use super::proving::Person;
use super::throttle::LOCKED_OUT_AT;
use crate::config::plain_id;
use crate::error::StationError;
use crate::group_keys::reason_of;
use crate::station::Station;

/// A person who is to get an account.
pub struct NewPerson {
    /// An ID that nobody ever had here.
    pub user: String,
    /// What the person is.
    pub roles: Roles,
    /// What their badge reads, if they have one.
    pub badge: Option<SecretText>,
    /// Their PIN.
    pub pin: Pin,
}

/// An account, as a list of people shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonStanding {
    /// User ID.
    pub user: String,
    /// What the person is.
    pub roles: Roles,
    /// Whether the account is enabled.
    pub active: bool,
    /// Whether ten wrong PINs locked it.
    pub locked_out: bool,
    /// Whether the PIN is a one-time PIN.
    pub must_change_pin: bool,
    /// Whether a badge belongs to it; `None` where only the log was read.
    pub has_badge: Option<bool>,
    /// What changed it last.
    pub changed: AccountChange,
    /// Whether nobody could take this administrator's place: a PIN is given by two other administrators, and there are fewer than
    /// [`ENOUGH_ADMINISTRATORS`].
    pub irreplaceable: bool,
}

/// Active administrators from which on each one's PIN can be set anew by two others.
pub const ENOUGH_ADMINISTRATORS: usize = 3;

fn is_active_administrator(account: &Account) -> bool {
    account.active && account.roles.has(Role::Administrator)
}

/// The last record that changed an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountChange {
    /// The record.
    pub seq: Seq,
    /// When, UTC, milliseconds since 1970.
    pub time_ms: i64,
    /// The `ev` field, such as `user.roles`.
    pub event: String,
    /// Who did it, an operator ID.
    pub operator: String,
    /// Who approved it, or empty.
    pub approver: String,
}

impl AccountChange {
    fn read(reader: &Reader, seq: Seq) -> Result<Self, StationError> {
        let mut change =
            Self { seq, time_ms: 0, event: String::new(), operator: String::new(), approver: String::new() };
        reader.records(seq..=seq, None, |record| {
            change.time_ms = record.utc_ms();
            record.event().clone_into(&mut change.event);
            change.operator = record.operator().into_owned();
            change.approver = record.approver().into_owned();
            ControlFlow::Break(())
        })?;
        Ok(change)
    }
}

impl PersonStanding {
    /// Everybody as the log has them, by ID; of badges it knows nothing.
    pub(crate) fn all(
        reader: &Reader,
        has_badge: impl Fn(&Account) -> Option<bool>,
    ) -> Result<Vec<Self>, StationError> {
        let accounts = reader.accounts()?;
        let few = accounts.iter().filter(|account| is_active_administrator(account)).count()
            < ENOUGH_ADMINISTRATORS;
        let standing = |account: Account| {
            Ok(Self {
                irreplaceable: few && is_active_administrator(&account),
                roles: account.roles,
                active: account.active,
                locked_out: account.tries >= LOCKED_OUT_AT,
                must_change_pin: account.once,
                has_badge: has_badge(&account),
                changed: AccountChange::read(reader, account.seq)?,
                user: account.user,
            })
        };
        accounts.into_iter().map(standing).collect()
    }
}

/// Whether an account may have this ID: 1 to 32 of `a-z 0-9 -`, and not digits alone, which in the wrong field would be a PIN.
fn judge_id(user: &str) -> Result<(), PersonError> {
    plain_id(user).map_err(PersonError::Id)?;
    if user.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(PersonError::Id("digits alone look like a PIN"));
    }
    Ok(())
}

impl Station {
    /// Whether the first two administrators are still to be made.
    pub fn is_new(&self) -> Result<bool, StationError> {
        // One alone is a first start that was cut short: an account is only ever added by two.
        Ok(self.reader()?.accounts()?.len() < 2)
    }

    /// Makes the first two administrators: two people, each with a PIN of their own. There is no account before them.
    ///
    /// A first start that was cut short between the two is begun again with the one whom the log has already.
    pub fn begin(&self, first: NewPerson, second: NewPerson) -> Result<(), StationError> {
        // Whose IDs these are nobody knows yet: what was typed in their place may be a PIN.
        self.done_or_told_by(Action::FirstStart, &self.asker(), "", self.begun(first, second))
    }

    fn begun(&self, first: NewPerson, second: NewPerson) -> Result<(), StationError> {
        let _door = self.people().door();
        let accounts = self.reader()?.accounts()?;
        for person in [&first, &second] {
            judge_id(&person.user)?;
            if !person.roles.has(Role::Administrator) {
                return Err(PersonError::NotAdministrators.into());
            }
        }
        match &accounts[..] {
            _ if first.user == second.user => return Err(PersonError::OnePerson.into()),
            [] => {}
            [one] if one.user == first.user || one.user == second.user => {}
            [one] => return Err(PersonError::HalfBegun(one.user.clone()).into()),
            _ => return Err(PersonError::NotNew.into()),
        }
        let path = self.data().pepper();
        let pepper = if path.exists() { Pepper::read(&path)? } else { Pepper::make(&path)? };
        let mut credentials = self.credentials()?;
        let number = |user: &str| accounts.iter().find(|a| a.user == user).map_or(1, |a| a.cred + 1);
        let mut tags = Vec::new();
        for person in [&first, &second] {
            let new = self.credential_of(&pepper, &person.user, &person.pin, person.badge.as_ref())?;
            if !new.badge.is_empty() && tags.contains(&new.badge) {
                return Err(PersonError::OnePerson.into());
            }
            tags.push(new.badge.clone());
            credentials.put(&person.user, number(&person.user), new);
        }
        self.keep(&credentials)?;
        for (person, other) in [(&first, &second), (&second, &first)] {
            let actor = Actor {
                session: self.program_session().to_owned(),
                operator: person.user.clone(),
                role: person.roles.to_string(),
            };
            let credential = number(&person.user);
            let change = if credential == 1 {
                UserChange::Added { roles: person.roles, credential, once: false }
            } else {
                UserChange::Credential { credential, why: CredentialChange::Chosen, once: false }
            };
            self.record_change((&actor, &other.user), &person.user, change)?;
            self.drop_old(&mut credentials, &person.user, credential);
        }
        Ok(())
    }

    /// Everybody who has or had an account, by ID.
    pub fn accounts(&self, permit: &Permit) -> Result<Vec<PersonStanding>, StationError> {
        self.honour(permit, Action::People)?;
        let credentials = self.credentials()?;
        PersonStanding::all(&self.reader()?, |account| {
            let credential = credentials.get(&account.user, account.cred);
            Some(credential.is_some_and(|credential| !credential.badge.is_empty()))
        })
    }

    /// Chooses another PIN for the person who is signed in. `old` counts as an attempt like any other.
    pub fn change_pin(&self, old: &Pin, new: &Pin) -> Result<(), ChangePinError> {
        let _door = self.people().door();
        let permit = self.permit(Action::ChangePin)?;
        let user = permit.actor().operator.clone();
        let same = if new.is(old) { Err(PinRefused::Same) } else { Ok(()) };
        if let Err(refused) = new.judge(&user).and(same) {
            self.undone(Action::ChangePin, permit.actor(), "", PersonError::Pin(refused).code())?;
            return Err(refused.into());
        }
        let known = self.prove(Purpose::Resume, Person::Id(&user), old)?;
        let (session, _) = self.present().ok_or(PersonError::Nobody).map_err(StationError::from)?;
        // The wrong PINs before a right one do not count.
        self.told(&session, SessionEvent::Proved { user: known.user, purpose: Purpose::Resume })?;
        let account = self.account_of(&user)?;
        let pepper = self.pepper()?;
        let hash = PinHash::of(new, &pepper, self.people().cost)?;
        let who = (permit.actor(), "");
        self.change_credential(&account, who, CredentialChange::Chosen, false, |old, _| {
            Ok(Credential { pin: hash, badge: old.map_or_else(String::new, |old| old.badge.clone()) })
        })?;
        if let Some(sitting) = &mut self.people().floor().sitting
            && sitting.session.id == session.id
        {
            sitting.session.must_change_pin = false;
        }
        Ok(())
    }

    /// Makes an account. Subject of the request: `user roles`.
    pub fn add_person(&self, new: NewPerson, approval: ApprovalId) -> Result<(), StationError> {
        let subject = format!("{} {}", new.user, new.roles);
        self.with(Action::AddPerson, &subject, "", approval, |permit| {
            judge_id(&new.user)?;
            if self.account(&new.user)?.is_some() {
                return Err(PersonError::Known(new.user).into());
            }
            let pepper = self.pepper()?;
            let credential = self.credential_of(&pepper, &new.user, &new.pin, new.badge.as_ref())?;
            self.badge_is_free(&credential.badge, &new.user)?;
            self.no_own_interest(permit, new.roles)?;
            let mut credentials = self.credentials()?;
            credentials.put(&new.user, 1, credential);
            self.keep(&credentials)?;
            self.record_by(
                permit,
                &new.user,
                UserChange::Added { roles: new.roles, credential: 1, once: true },
            )?;
            self.drop_old(&mut credentials, &new.user, 1);
            Ok(())
        })
    }

    /// Changes what a person is. Subject of the request: `user roles`.
    pub fn set_roles(&self, user: &str, roles: Roles, approval: ApprovalId) -> Result<(), StationError> {
        self.with(Action::SetRoles, &format!("{user} {roles}"), "", approval, |permit| {
            let account = self.account_of(user)?;
            if account.roles == roles {
                return Err(PersonError::Already(user.to_owned()).into());
            }
            self.no_own_interest(permit, roles)?;
            if !roles.has(Role::Administrator) {
                self.administrators_remain(user)?;
            }
            self.record_by(permit, user, UserChange::Roles(roles))
        })
    }

    /// Nobody signs in with the account until it is enabled. Subject of the request: `user`.
    pub fn disable(&self, user: &str, reason: &str, approval: ApprovalId) -> Result<(), StationError> {
        self.may_ask(Action::DisablePerson)?;
        reason_of(reason)?;
        self.with(Action::DisablePerson, user, reason, approval, |permit| {
            if !self.account_of(user)?.active {
                return Err(PersonError::Already(user.to_owned()).into());
            }
            self.administrators_remain(user)?;
            self.record_by(permit, user, UserChange::Disabled { reason: reason.to_owned() })
        })
    }

    /// The same person is back. Subject of the request: `user`.
    pub fn enable(&self, user: &str, reason: &str, approval: ApprovalId) -> Result<(), StationError> {
        self.may_ask(Action::EnablePerson)?;
        reason_of(reason)?;
        self.with(Action::EnablePerson, user, reason, approval, |permit| {
            let account = self.account_of(user)?;
            if account.active {
                return Err(PersonError::Already(user.to_owned()).into());
            }
            self.no_own_interest(permit, account.roles)?;
            self.record_by(permit, user, UserChange::Enabled { reason: reason.to_owned() })
        })
    }

    /// Gives a one-time PIN, and takes the wrong PINs back. Neither who asks nor who approves gets it. Subject of the
    /// request: `user`.
    pub fn reset_pin(&self, user: &str, pin: &Pin, approval: ApprovalId) -> Result<(), StationError> {
        self.with(Action::ResetPin, user, "", approval, |permit| {
            let account = self.account_of(user)?;
            if [permit.actor().operator.as_str(), permit.approver()].contains(&user) {
                return Err(PersonError::OwnPin.into());
            }
            self.no_own_interest(permit, account.roles)?;
            pin.judge(user).map_err(PersonError::Pin)?;
            let hash = PinHash::of(pin, &self.pepper()?, self.people().cost)?;
            let who = (permit.actor(), permit.approver());
            self.change_credential(&account, who, CredentialChange::Reset, true, |old, _| {
                Ok(Credential { pin: hash, badge: old.map_or_else(String::new, |old| old.badge.clone()) })
            })
        })
    }

    /// Two custodians are two people: so nobody who is one, or ever was, being an administrator besides, makes another one, or gives one
    /// a PIN that both know. The approver does not see what is typed.
    fn no_own_interest(&self, permit: &Permit, of: Roles) -> Result<(), StationError> {
        let asks = &permit.actor().operator;
        if of.has(Role::Custodian) && self.look()?.ever_had(asks, Role::Custodian)? {
            return Err(PersonError::OwnInterest.into());
        }
        Ok(())
    }

    /// Replaces a badge, or takes it away. Subject of the request: `user`.
    pub fn set_badge(
        &self,
        user: &str,
        badge: Option<&SecretText>,
        approval: ApprovalId,
    ) -> Result<(), StationError> {
        self.with(Action::SetBadge, user, "", approval, |permit| {
            let account = self.account_of(user)?;
            let pepper = self.pepper()?;
            let badge = badge.map_or(Ok(String::new()), |badge| badge_tag(&pepper, badge))?;
            self.badge_is_free(&badge, user)?;
            let who = (permit.actor(), permit.approver());
            self.change_credential(&account, who, CredentialChange::Badge, account.once, |old, _| {
                // Without the PIN that counts there is nothing to put the badge to.
                let old = old.ok_or_else(|| SignInError::Credential)?;
                Ok(Credential { pin: old.pin.clone(), badge })
            })
        })
    }

    /// Does `change` with a permit for it, one change at a time. What is refused for the state of the accounts is a record
    /// as well.
    fn with(
        &self,
        action: Action,
        subject: &str,
        reason: &str,
        approval: ApprovalId,
        change: impl FnOnce(&Permit) -> Result<(), StationError>,
    ) -> Result<(), StationError> {
        let _door = self.people().door();
        let request = Request { action, subject: subject.to_owned(), reason: reason.to_owned() };
        let permit = self.permit_approved(&request, approval)?;
        self.done_or_told(&permit, subject, change(&permit))
    }

    fn account_of(&self, user: &str) -> Result<Account, StationError> {
        Ok(self.account(user)?.ok_or_else(|| PersonError::Unknown(user.to_owned()))?)
    }

    /// Whether there are two active administrators beside `user`.
    fn administrators_remain(&self, user: &str) -> Result<(), StationError> {
        let accounts = self.reader()?.accounts()?;
        let administrator = |account: &&Account| is_active_administrator(account);
        let is_one = accounts.iter().filter(administrator).any(|account| account.user == user);
        let others = accounts.iter().filter(administrator).filter(|account| account.user != user).count();
        if is_one && others < 2 { Err(PersonError::LastAdministrators.into()) } else { Ok(()) }
    }

    fn badge_is_free(&self, tag: &str, user: &str) -> Result<(), StationError> {
        let accounts = self.reader()?.accounts()?;
        match self.credentials()?.owner(tag, Self::counting(&accounts)) {
            Some(owner) if owner != user => Err(PersonError::BadgeTaken.into()),
            _ => Ok(()),
        }
    }
}

/// A PIN was not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangePinError {
    /// Nobody is signed in, or the screen is locked.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The new PIN may not be chosen.
    #[error("this PIN may not be chosen: {0}")]
    Pin(#[from] PinRefused),
    /// The old PIN is wrong, or cannot be checked.
    #[error(transparent)]
    SignIn(#[from] SignInError),
}

impl From<StationError> for ChangePinError {
    fn from(error: StationError) -> Self {
        Self::SignIn(error.into())
    }
}
