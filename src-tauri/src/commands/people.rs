//! Who is at the station, and who may be.

use keystation::people::{Action, Away, Permit};
use keystation::{PersonName, Station};

use super::Called;
use crate::door;
use crate::dto::{
    AddedPerson, Approval, ApprovalRequest, Approved, Badge, Name, NewPerson, PersonLine, Pin, Reason, Role,
    SignIn, UserId, Who,
};
use crate::problem::Problem;

#[tauri::command]
pub(crate) async fn sign_in(bench: Called<'_>, who: Who, pin: Pin) -> Result<SignIn, Problem> {
    bench.line()?.at_station(move |station| door::sign_in(station, who, &pin)).await
}

#[tauri::command]
pub(crate) async fn sign_out(bench: Called<'_>) -> Result<(), Problem> {
    bench.line()?.permitted(Action::SignOut, |station, _| station.sign_out()).await
}

#[tauri::command]
pub(crate) async fn away(bench: Called<'_>) -> Result<(), Problem> {
    bench.line()?.permitted(Action::Lock, |station, _| station.away(Away::Asked)).await
}

#[tauri::command]
pub(crate) async fn touch(bench: Called<'_>) -> Result<(), Problem> {
    bench.line()?.may(Action::Touch).await
}

#[tauri::command]
pub(crate) async fn change_pin(bench: Called<'_>, old: Pin, pin: Pin) -> Result<SignIn, Problem> {
    bench.line()?.at_station(move |station| door::change_pin(station, &old, &pin)).await
}

#[tauri::command]
pub(crate) async fn begin_people(
    bench: Called<'_>,
    first: NewPerson,
    second: NewPerson,
) -> Result<(), Problem> {
    bench.line()?.at_station(move |station| door::begin(station, first, second)).await
}

#[tauri::command]
pub(crate) async fn approve(
    bench: Called<'_>,
    request: ApprovalRequest,
    who: Who,
    pin: Pin,
) -> Result<Approval, Problem> {
    bench.line()?.at_station(move |station| door::approve(station, request, who, &pin)).await
}

#[tauri::command]
pub(crate) async fn people(bench: Called<'_>) -> Result<Vec<PersonLine>, Problem> {
    if let Some(room) = bench.looking(Action::People)? {
        return room.people().await;
    }
    bench.line()?.at_station(door::people).await
}

#[tauri::command]
pub(crate) async fn add_person(
    bench: Called<'_>,
    person: AddedPerson,
    approval: Approved,
) -> Result<(), Problem> {
    bench.line()?.at_station(move |station| door::add(station, person, approval)).await
}

#[tauri::command]
pub(crate) async fn set_roles(
    bench: Called<'_>,
    user: UserId,
    roles: Vec<Role>,
    approval: Approved,
) -> Result<(), Problem> {
    let change = move |station: &Station| door::set_roles(station, user.as_str(), roles, approval);
    bench.line()?.at_station(change).await
}

#[tauri::command]
pub(crate) async fn disable_person(
    bench: Called<'_>,
    user: UserId,
    reason: Reason,
    approval: Approved,
) -> Result<(), Problem> {
    let change = move |station: &Station| station.disable(user.as_str(), reason.as_str(), approval.into());
    bench.line()?.at_station(change).await
}

#[tauri::command]
pub(crate) async fn enable_person(
    bench: Called<'_>,
    user: UserId,
    reason: Reason,
    approval: Approved,
) -> Result<(), Problem> {
    let change = move |station: &Station| station.enable(user.as_str(), reason.as_str(), approval.into());
    bench.line()?.at_station(change).await
}

#[tauri::command]
pub(crate) async fn reset_pin(
    bench: Called<'_>,
    user: UserId,
    pin: Pin,
    approval: Approved,
) -> Result<(), Problem> {
    let change = move |station: &Station| door::reset_pin(station, user.as_str(), &pin, approval);
    bench.line()?.at_station(change).await
}

#[tauri::command]
pub(crate) async fn set_badge(
    bench: Called<'_>,
    user: UserId,
    badge: Option<Badge>,
    approval: Approved,
) -> Result<(), Problem> {
    let change = move |station: &Station| door::set_badge(station, user.as_str(), badge, approval);
    bench.line()?.at_station(change).await
}

/// The name behind an ID: it stands outside of the log.
#[tauri::command]
pub(crate) async fn set_name(bench: Called<'_>, user: UserId, name: Name) -> Result<(), Problem> {
    let set = move |station: &Station, permit: &Permit| {
        let name = PersonName::new(name.as_str())?;
        Ok::<_, Problem>(station.set_name(permit, user.as_str(), &name)?)
    };
    bench.line()?.permitted(Action::SetName, set).await
}

/// Erases the name behind an ID; says whether there was one.
#[tauri::command]
pub(crate) async fn forget_name(bench: Called<'_>, user: UserId) -> Result<bool, Problem> {
    let forget = move |station: &Station, permit: &Permit| station.forget_name(permit, user.as_str());
    bench.line()?.permitted(Action::ForgetName, forget).await
}
