//! `keystation person …`: accounts, roles, PINs, badges, and the names behind IDs.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use keystation::people::{
    Action, ApprovalId, ChangePinError, NewPerson, PersonError, PersonStanding, Request,
};
use keystation::{Exit, PersonName, StationError};
use keystation_core::role::{Role, Roles};
use serde_json::json;

use super::args::{Admins, NewPin, PersonVerb};
use super::output::{Output, printable};
use super::secrets;
use super::session::Bench;

/// More than any name has, in bytes.
const LINE_LIMIT: u64 = 4096;

pub(super) fn run(bench: &Bench<'_>, verb: &PersonVerb) -> Result<Exit, StationError> {
    let station = &bench.station;
    match verb {
        PersonVerb::Begin { admins } => begin(bench, two(admins)?),
        PersonVerb::Add { who, roles, pin, badge_file } => {
            let pin = secrets::new_pin(pin, &who.id)?;
            let badge = secrets::badge(badge_file.as_deref())?;
            let subject = format!("{} {roles}", who.id);
            by_two(bench, Action::AddPerson, subject, "", &who.id, |approval| {
                let person = NewPerson { user: who.id.clone(), roles: *roles, badge, pin };
                station.add_person(person, approval)
            })
        }
        PersonVerb::Roles { who, roles } => {
            let subject = format!("{} {roles}", who.id);
            by_two(bench, Action::SetRoles, subject, "", &who.id, |approval| {
                station.set_roles(&who.id, *roles, approval)
            })
        }
        PersonVerb::Disable { who, reason } => {
            by_two(bench, Action::DisablePerson, who.id.clone(), &reason.reason, &who.id, |approval| {
                station.disable(&who.id, &reason.reason, approval)
            })
        }
        PersonVerb::Enable { who, reason } => {
            by_two(bench, Action::EnablePerson, who.id.clone(), &reason.reason, &who.id, |approval| {
                station.enable(&who.id, &reason.reason, approval)
            })
        }
        PersonVerb::ResetPin { who, pin } => {
            let pin = secrets::new_pin(pin, &who.id)?;
            by_two(bench, Action::ResetPin, who.id.clone(), "", &who.id, |approval| {
                station.reset_pin(&who.id, &pin, approval)
            })
        }
        PersonVerb::Badge { who, badge_file } => {
            let badge = secrets::badge(badge_file.as_deref())?;
            by_two(bench, Action::SetBadge, who.id.clone(), "", &who.id, |approval| {
                station.set_badge(&who.id, badge.as_ref(), approval)
            })
        }
        PersonVerb::ChangePin { pin } => change_pin(bench, pin),
        PersonVerb::Set { who, name_file } => set_name(bench, &who.id, name_file.as_deref()),
        PersonVerb::List => list(bench),
        PersonVerb::Forget { who } => forget_name(bench, &who.id),
    }
}

/// The first two people and their PINs, read and judged before anything is made.
pub(super) fn two(admins: &Admins) -> Result<[NewPerson; 2], StationError> {
    let [first, second] = &admins.admins[..] else { return Err(PersonError::OnePerson.into()) };
    if !(admins.pin_files.is_empty() || admins.pin_files.len() == 2) {
        return Err(StationError::PinFiles);
    }
    let person = |user: &String, number: usize| {
        let pin = secrets::pin_of_admin(admins.pin_files.get(number).map(|file| &**file), user)?;
        let roles = Roles::from(Role::Administrator);
        Ok::<_, StationError>(NewPerson { user: user.clone(), roles, badge: None, pin })
    };
    if first == second {
        return Err(PersonError::OnePerson.into());
    }
    Ok([person(first, 0)?, person(second, 1)?])
}

/// Makes the first two administrators.
pub(super) fn begin(bench: &Bench<'_>, [first, second]: [NewPerson; 2]) -> Result<Exit, StationError> {
    bench.permit(Action::FirstStart)?;
    let (one, other) = (first.user.clone(), second.user.clone());
    bench.station.begin(first, second)?;
    bench.out.say(
        format!("{one} and {other} are administrators. They make the others: keystation person add."),
        &json!({ "event": "begin", "administrators": [one, other] }),
    );
    Ok(Exit::Done)
}

/// A change of an account, which a second administrator approves.
fn by_two(
    bench: &Bench<'_>,
    action: Action,
    subject: String,
    reason: &str,
    user: &str,
    change: impl FnOnce(ApprovalId) -> Result<(), StationError>,
) -> Result<Exit, StationError> {
    let request = Request { action, subject, reason: reason.to_owned() };
    change(bench.approval(&request)?)?;
    bench.out.say(
        format!("{user}: done ({}).", action.meaning()),
        &json!({ "event": "person", "operator": user, "done": action.word() }),
    );
    Ok(Exit::Done)
}

fn change_pin(bench: &Bench<'_>, new: &NewPin) -> Result<Exit, StationError> {
    bench.sign_in()?;
    let user = bench.operator();
    let (old, new) = (bench.own_pin(user)?, secrets::new_pin(new, user)?);
    bench.station.change_pin(&old, &new).map_err(|error| match error {
        ChangePinError::Denied(denied) => denied.into(),
        ChangePinError::Pin(why) => StationError::from(PersonError::Pin(why)),
        ChangePinError::SignIn(refused) => refused.into(),
    })?;
    bench.out.say(
        "The new PIN holds from now on.",
        &json!({ "event": "person", "operator": user, "done": Action::ChangePin.word() }),
    );
    Ok(Exit::Done)
}

/// Keeps a name. It comes from a file or from standard input, never from the arguments, which every user of the machine
/// can see, and which shells write into their history.
fn set_name(bench: &Bench<'_>, id: &str, file: Option<&Path>) -> Result<Exit, StationError> {
    let permit = bench.permit(Action::SetName)?;
    let line = match file {
        Some(path) => File::open(path)
            .and_then(|file| first_line(BufReader::new(file)))
            .map_err(|cause| StationError::Unreadable { path: path.to_owned(), cause }),
        None => {
            bench.out.note(format!("Name of {id}:"));
            first_line(io::stdin().lock()).map_err(StationError::Input)
        }
    };
    let name = PersonName::new(&line?)?;
    bench.station.set_name(&permit, id, &name)?;
    bench
        .out
        .say(format!("{id} has a name now."), &json!({ "event": "person", "operator": id, "named": true }));
    Ok(Exit::Done)
}

/// Accounts, and names that nobody has an account for.
fn list(bench: &Bench<'_>) -> Result<Exit, StationError> {
    let permit = bench.permit(Action::People)?;
    let mut names = bench.station.names()?;
    for person in bench.station.accounts(&permit)? {
        tell(&person, names.remove(&person.user).as_deref(), bench.out);
    }
    for (id, name) in names {
        bench.out.say(
            printable(&format!("{id:<16} no account  {name}")),
            &json!({ "event": "person", "operator": id, "name": name, "roles": null }),
        );
    }
    Ok(Exit::Done)
}

fn tell(person: &PersonStanding, name: Option<&str>, out: Output) {
    let PersonStanding { user, roles, active, locked_out, must_change_pin, has_badge, .. } = person;
    let mut line = format!("{user:<16} {roles}");
    for (said, holds) in [
        ("disabled", !active),
        ("locked after wrong PINs", *locked_out),
        ("one-time PIN", *must_change_pin),
        ("badge", *has_badge == Some(true)),
    ] {
        if holds {
            line.push_str(&format!(", {said}"));
        }
    }
    if let Some(name) = name {
        line.push_str(&format!("  {name}"));
    }
    let roles: Vec<_> = roles.iter().map(Role::as_str).collect();
    out.say(
        printable(&line),
        &json!({ "event": "person", "operator": user, "name": name, "roles": roles, "active": active,
                 "locked_out": locked_out, "must_change_pin": must_change_pin, "badge": has_badge }),
    );
}

/// Erases a name. That there was none is no failure: the owner's wish is fulfilled.
fn forget_name(bench: &Bench<'_>, id: &str) -> Result<Exit, StationError> {
    let permit = bench.permit(Action::ForgetName)?;
    let gone = bench.station.forget_name(&permit, id)?;
    let sentence = if gone {
        format!(
            "The name of {id} is erased here. Copies of names.db in backups, and printed reports, still have it."
        )
    } else {
        format!("{id} has no name here.")
    };
    bench.out.say(sentence, &json!({ "event": "person", "operator": id, "named": false, "erased": gone }));
    Ok(Exit::Done)
}

fn first_line(source: impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    source.take(LINE_LIMIT).read_line(&mut line)?;
    Ok(line)
}
