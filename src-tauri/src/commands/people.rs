//! Who is at the station, and who may be.

use keystation::people::{Action, ApprovalId, Away, Permit};
use keystation::{PersonName, Station};
use tauri::State;

use super::Bench;
use crate::bounded::Hidden;
use crate::door;
use crate::dto::{
    AddedPerson, Approval, ApprovalRequest, Badge, Name, NewPerson, PersonLine, Pin, Reason, Role, SignIn,
    UserId, Who,
};
use crate::problem::Problem;

#[tauri::command]
pub(crate) async fn sign_in(bench: State<'_, Bench>, who: Who, pin: Pin) -> Result<SignIn, Problem> {
    bench.line()?.at_station(move |station| door::sign_in(station, who, &pin)).await
}

#[tauri::command]
pub(crate) async fn sign_out(bench: State<'_, Bench>) -> Result<(), Problem> {
    bench.line()?.permitted(Action::SignOut, |station, _| station.sign_out()).await
}

#[tauri::command]
pub(crate) async fn away(bench: State<'_, Bench>) -> Result<(), Problem> {
    bench.line()?.permitted(Action::Lock, |station, _| station.away(Away::Asked)).await
}

#[tauri::command]
pub(crate) async fn touch(bench: State<'_, Bench>) -> Result<(), Problem> {
    bench.line()?.may(Action::Touch).await
}

#[tauri::command]
pub(crate) async fn change_pin(bench: State<'_, Bench>, old: Pin, pin: Pin) -> Result<SignIn, Problem> {
    bench.line()?.at_station(move |station| door::change_pin(station, &old, &pin)).await
}

#[tauri::command]
pub(crate) async fn begin_people(
    bench: State<'_, Bench>,
    first: NewPerson,
    second: NewPerson,
) -> Result<(), Problem> {
    bench.line()?.at_station(move |station| door::begin(station, first, second)).await
}

#[tauri::command]
pub(crate) async fn approve(
    bench: State<'_, Bench>,
    request: ApprovalRequest,
    who: Who,
    pin: Pin,
) -> Result<Approval, Problem> {
    bench.line()?.at_station(move |station| door::approve(station, request, who, &pin)).await
}

#[tauri::command]
pub(crate) async fn people(bench: State<'_, Bench>) -> Result<Vec<PersonLine>, Problem> {
    if let Some(room) = bench.looking()? {
        return room.people().await;
    }
    bench.line()?.at_station(door::people).await
}

#[tauri::command]
pub(crate) async fn add_person(
    bench: State<'_, Bench>,
    person: AddedPerson,
    approval: u64,
) -> Result<(), Problem> {
    bench.line()?.at_station(move |station| door::add(station, person, approval)).await
}

#[tauri::command]
pub(crate) async fn set_roles(
    bench: State<'_, Bench>,
    user: UserId,
    roles: Vec<Role>,
    approval: u64,
) -> Result<(), Problem> {
    let roles = door::roles(roles)?;
    let change = move |station: &Station| station.set_roles(user.as_str(), roles, ApprovalId(approval));
    bench.line()?.at_station(change).await
}

#[tauri::command]
pub(crate) async fn disable_person(
    bench: State<'_, Bench>,
    user: UserId,
    reason: Reason,
    approval: u64,
) -> Result<(), Problem> {
    let change =
        move |station: &Station| station.disable(user.as_str(), reason.as_str(), ApprovalId(approval));
    bench.line()?.at_station(change).await
}

#[tauri::command]
pub(crate) async fn enable_person(
    bench: State<'_, Bench>,
    user: UserId,
    reason: Reason,
    approval: u64,
) -> Result<(), Problem> {
    let change =
        move |station: &Station| station.enable(user.as_str(), reason.as_str(), ApprovalId(approval));
    bench.line()?.at_station(change).await
}

#[tauri::command]
pub(crate) async fn reset_pin(
    bench: State<'_, Bench>,
    user: UserId,
    pin: Pin,
    approval: u64,
) -> Result<(), Problem> {
    let pin = keystation::people::Pin::new(pin.expose())?;
    let change = move |station: &Station| station.reset_pin(user.as_str(), &pin, ApprovalId(approval));
    bench.line()?.at_station(change).await
}

#[tauri::command]
pub(crate) async fn set_badge(
    bench: State<'_, Bench>,
    user: UserId,
    badge: Option<Badge>,
    approval: u64,
) -> Result<(), Problem> {
    let badge = badge.map(Hidden::into_secret).transpose()?;
    let change =
        move |station: &Station| station.set_badge(user.as_str(), badge.as_ref(), ApprovalId(approval));
    bench.line()?.at_station(change).await
}

/// The name behind an ID: it stands outside of the log.
#[tauri::command]
pub(crate) async fn set_name(bench: State<'_, Bench>, user: UserId, name: Name) -> Result<(), Problem> {
    let set = move |station: &Station, permit: &Permit| {
        let name = PersonName::new(name.as_str())?;
        Ok::<_, Problem>(station.set_name(permit, user.as_str(), &name)?)
    };
    bench.line()?.permitted(Action::SetName, set).await
}

/// Erases the name behind an ID; says whether there was one.
#[tauri::command]
pub(crate) async fn forget_name(bench: State<'_, Bench>, user: UserId) -> Result<bool, Problem> {
    let forget = move |station: &Station, permit: &Permit| station.forget_name(permit, user.as_str());
    bench.line()?.permitted(Action::ForgetName, forget).await
}
