//! The group keys. None of them, no component and no secret of a custody comes through here.

use keystation::Station;
use keystation::people::Action;
use tauri::{Runtime, WebviewWindow};

use super::Called;
use crate::ceremony::{self, Seat};
use crate::custody;
use crate::dto::{
    Approved, Ceremony, ComponentOutcome, Custody, Imported, KeyCard, KeyDevices, Label, NewKey, Pin, Reason,
    SignIn, TypedValue, Who,
};
use crate::problem::Problem;

#[tauri::command]
pub(crate) async fn keys(bench: Called<'_>) -> Result<Vec<KeyCard>, Problem> {
    if let Some(room) = bench.looking(Action::Keys)? {
        return room.keys().await;
    }
    bench.line()?.at_station(custody::keys).await
}

#[tauri::command]
pub(crate) async fn custodies(bench: Called<'_>) -> Result<Vec<Custody>, Problem> {
    let told = |station: &Station, _: &_| {
        Ok::<_, Problem>(station.custodies().into_iter().map(Custody::from).collect())
    };
    bench.line()?.permitted(Action::Keys, told).await
}

#[tauri::command]
pub(crate) async fn key_devices(
    bench: Called<'_>,
    label: Label,
    after: Option<u64>,
) -> Result<KeyDevices, Problem> {
    if let Some(room) = bench.looking(Action::Keys)? {
        return room.key_devices(label, after).await;
    }
    bench.line()?.at_station(move |station| custody::devices(station, label.as_str(), after)).await
}

#[tauri::command]
pub(crate) async fn activate_key(
    bench: Called<'_>,
    label: Label,
    reason: Reason,
    check_value: TypedValue,
    approval: Approved,
) -> Result<(), Problem> {
    let activate = move |station: &Station| {
        custody::activate(station, label.as_str(), reason.as_str(), check_value.as_str(), approval)
    };
    bench.line()?.at_station(activate).await
}

/// The emergency stop: one person is enough.
#[tauri::command]
pub(crate) async fn suspend_key(bench: Called<'_>, label: Label, reason: Reason) -> Result<(), Problem> {
    bench.line()?.at_station(move |station| custody::suspend(station, label.as_str(), reason.as_str())).await
}

#[tauri::command]
pub(crate) async fn destroy_key<R: Runtime>(
    bench: Called<'_>,
    window: WebviewWindow<R>,
    label: Label,
    reason: Reason,
    approval: Approved,
) -> Result<(), Problem> {
    let line = bench.line()?;
    line.guarded(custody::destroy(line, &window, label.into(), reason.into(), approval)).await
}

#[tauri::command]
pub(crate) async fn import_key<R: Runtime>(
    bench: Called<'_>,
    window: WebviewWindow<R>,
    key: NewKey,
    check_value: TypedValue,
    approval: Approved,
) -> Result<Imported, Problem> {
    let line = bench.line()?;
    line.guarded(custody::import(line, &window, key, check_value.into(), approval)).await
}

#[tauri::command]
pub(crate) async fn recipient<R: Runtime>(
    bench: Called<'_>,
    window: WebviewWindow<R>,
) -> Result<String, Problem> {
    let line = bench.line()?;
    line.guarded(custody::recipient(line, &window)).await
}

#[tauri::command]
pub(crate) async fn take_transfer<R: Runtime>(
    bench: Called<'_>,
    window: WebviewWindow<R>,
    key: NewKey,
    check_value: TypedValue,
    approval: Approved,
) -> Result<Imported, Problem> {
    let line = bench.line()?;
    line.guarded(custody::transfer(line, &window, key, check_value.into(), approval)).await
}

#[tauri::command]
pub(crate) async fn ceremony(bench: Called<'_>) -> Result<Option<Ceremony>, Problem> {
    bench.line()?.at_station(ceremony::now).await
}

#[tauri::command]
pub(crate) async fn ceremony_begin(
    bench: Called<'_>,
    key: NewKey,
    check_value: TypedValue,
) -> Result<Ceremony, Problem> {
    bench.line()?.at_station(move |station| ceremony::begin(station, &key, check_value.as_str())).await
}

#[tauri::command]
pub(crate) async fn ceremony_sign_in(
    bench: Called<'_>,
    side: Seat,
    who: Who,
    pin: Pin,
) -> Result<SignIn, Problem> {
    bench.line()?.at_station(move |station| ceremony::sign_in(station, side, who, &pin)).await
}

#[tauri::command]
pub(crate) async fn ceremony_component<R: Runtime>(
    bench: Called<'_>,
    window: WebviewWindow<R>,
    side: Seat,
) -> Result<ComponentOutcome, Problem> {
    let line = bench.line()?;
    line.guarded(ceremony::component(line, &window, side)).await
}

#[tauri::command]
pub(crate) async fn ceremony_confirm(
    bench: Called<'_>,
    side: Seat,
    check_value: TypedValue,
) -> Result<bool, Problem> {
    bench.line()?.at_station(move |station| ceremony::confirm(station, side, check_value.as_str())).await
}

#[tauri::command]
pub(crate) async fn ceremony_finish<R: Runtime>(
    bench: Called<'_>,
    window: WebviewWindow<R>,
    check_value: TypedValue,
) -> Result<Ceremony, Problem> {
    let line = bench.line()?;
    line.guarded(ceremony::finish(line, &window, check_value.into())).await
}

#[tauri::command]
pub(crate) async fn ceremony_abort(bench: Called<'_>) -> Result<(), Problem> {
    bench.line()?.at_station(ceremony::abort).await
}
