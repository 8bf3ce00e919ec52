//! Who is at the station: signing in, leaving, approving; and the accounts.

use keystation::people::{self, Action, ApprovalId, ApproveError, ChangePinError, Person, Pin, Request};
use keystation::{PersonName, SecretText, Station};
use keystation_core::role::{Role, Roles};

use crate::bounded::Hidden;
use crate::dto::{self, Approved, NewPerson, PersonLine, SignIn, Who};
use crate::problem::Problem;

/// Who somebody says to be, as the station takes it.
pub(crate) enum Named {
    Id(String),
    Badge(SecretText),
}

impl Named {
    pub(crate) fn person(&self) -> Person<'_> {
        match self {
            Self::Id(id) => Person::Id(id),
            Self::Badge(badge) => Person::Badge(badge),
        }
    }
}

/// Badge and PIN as they were scanned and typed; a text that can be none of them has no place in the log.
pub(crate) fn proof(who: Who, pin: &dto::Pin) -> Result<(Named, Pin), Problem> {
    let named = match who {
        Who::User(id) => Named::Id(id.into()),
        Who::Badge(badge) => Named::Badge(badge.into_secret()?),
    };
    Ok((named, Pin::new(pin.expose())?))
}

/// Signs in, takes over, or comes back.
pub(crate) fn sign_in(station: &Station, who: Who, pin: &dto::Pin) -> Result<SignIn, Problem> {
    station.permit(Action::SignIn)?;
    let (named, pin) = match proof(who, pin) {
        Ok(proof) => proof,
        Err(problem) => return Ok(SignIn::refused(problem)),
    };
    match station.sign_in(named.person(), &pin) {
        Ok(_) => {
            station.open_example()?;
            Ok(SignIn::open())
        }
        Err(error) => SignIn::failed(error),
    }
}

/// Another PIN of one's own.
pub(crate) fn change_pin(station: &Station, old: &dto::Pin, new: &dto::Pin) -> Result<SignIn, Problem> {
    let (old, new) = (Pin::new(old.expose()), Pin::new(new.expose()));
    let (Ok(old), Ok(new)) = (old, new) else {
        station.permit(Action::ChangePin)?;
        return Ok(SignIn::refused(people::PinRefused::Length.into()));
    };
    match station.change_pin(&old, &new) {
        Ok(()) => Ok(SignIn::open()),
        Err(ChangePinError::Pin(refused)) => Ok(SignIn::refused(refused.into())),
        Err(ChangePinError::SignIn(refused)) => SignIn::failed(refused),
        Err(ChangePinError::Denied(denied)) => Err(denied.into()),
    }
}

/// The first two administrators.
pub(crate) fn begin(station: &Station, first: NewPerson, second: NewPerson) -> Result<(), Problem> {
    let permit = station.permit(Action::FirstStart)?;
    let named =
        |person: &NewPerson| Ok::<_, Problem>((String::from(person.user.clone()), name(&person.name)?));
    let names = [named(&first)?, named(&second)?];
    let administrator = Roles::from(Role::Administrator);
    station.begin(person(first, administrator)?, person(second, administrator)?)?;
    for (user, name) in names {
        if let Some(name) = name {
            station.set_name(&permit, &user, &name)?;
        }
    }
    Ok(())
}

/// A second person says yes to one request.
pub(crate) fn approve(
    station: &Station,
    request: dto::ApprovalRequest,
    who: Who,
    pin: &dto::Pin,
) -> Result<dto::Approval, Problem> {
    let refused = |problem: Problem| Ok(dto::Approval { approval: None, sign_in: SignIn::refused(problem) });
    let action = Action::ALL.into_iter().find(|action| action.word() == request.action.as_str());
    let Some(action) = action else {
        return refused(Problem::new(
            "action",
            "There is nothing of this name to approve.",
            &["Ask for it again."],
        ));
    };
    if let Err(denied) = station.may_ask(action) {
        return refused(denied.into());
    }
    let (named, pin) = match proof(who, pin) {
        Ok(proof) => proof,
        Err(problem) => return refused(problem),
    };
    let request = Request { action, subject: request.subject.into(), reason: request.reason.into() };
    match station.approve(&request, named.person(), &pin) {
        Ok(ApprovalId(number)) => Ok(dto::Approval { approval: Some(number), sign_in: SignIn::open() }),
        Err(ApproveError::Denied(denied)) => refused(denied.into()),
        Err(ApproveError::SignIn(error)) => {
            Ok(dto::Approval { approval: None, sign_in: SignIn::failed(error)? })
        }
    }
}

/// Everybody who has or had an account.
pub(crate) fn people(station: &Station) -> Result<Vec<PersonLine>, Problem> {
    let permit = station.permit(Action::People)?;
    let names = station.names()?;
    let standings = station.accounts(&permit)?;
    Ok(standings.into_iter().map(|standing| PersonLine::of(standing, &names)).collect())
}

/// A new account, and the name behind it.
pub(crate) fn add(station: &Station, added: dto::AddedPerson, approval: Approved) -> Result<(), Problem> {
    station.may_ask(Action::AddPerson)?;
    let roles = roles(added.roles)?;
    let (user, name) = (String::from(added.person.user.clone()), name(&added.person.name)?);
    station.add_person(person(added.person, roles)?, approval.into())?;
    if let Some(name) = name {
        station.set_name(&station.permit(Action::SetName)?, &user, &name)?;
    }
    Ok(())
}

/// Other roles.
pub(crate) fn set_roles(
    station: &Station,
    user: &str,
    wanted: Vec<dto::Role>,
    approval: Approved,
) -> Result<(), Problem> {
    station.may_ask(Action::SetRoles)?;
    Ok(station.set_roles(user, roles(wanted)?, approval.into())?)
}

/// A one-time PIN.
pub(crate) fn reset_pin(
    station: &Station,
    user: &str,
    pin: &dto::Pin,
    approval: Approved,
) -> Result<(), Problem> {
    station.may_ask(Action::ResetPin)?;
    Ok(station.reset_pin(user, &Pin::new(pin.expose())?, approval.into())?)
}

/// Another badge, or none.
pub(crate) fn set_badge(
    station: &Station,
    user: &str,
    badge: Option<dto::Badge>,
    approval: Approved,
) -> Result<(), Problem> {
    station.may_ask(Action::SetBadge)?;
    let badge = badge.map(Hidden::into_secret).transpose()?;
    Ok(station.set_badge(user, badge.as_ref(), approval.into())?)
}

/// What a person may be.
fn roles(roles: Vec<dto::Role>) -> Result<Roles, Problem> {
    Roles::new(roles.into_iter().map(Role::from)).map_err(|refused| {
        Problem::new("roles", &crate::problem::sentence(&refused), &["Choose other roles."])
    })
}

fn person(new: NewPerson, roles: Roles) -> Result<people::NewPerson, Problem> {
    let badge = new.badge.map(Hidden::into_secret).transpose()?;
    Ok(people::NewPerson { user: new.user.into(), roles, badge, pin: Pin::new(new.pin.expose())? })
}

fn name(text: &dto::Name) -> Result<Option<PersonName>, Problem> {
    if text.as_str().trim().is_empty() { Ok(None) } else { Ok(Some(PersonName::new(text.as_str())?)) }
}
