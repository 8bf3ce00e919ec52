//! Repair: looked at, re-keyed, taken out, in batches, cleaned up.

use tauri::{Runtime, WebviewWindow};

use super::Called;
use crate::bounded::Text;
use crate::dto::{
    ApprovalRequest, Approved, BatchFrom, BatchLine, BatchNow, BatchPage, BatchRequest, CleanupLine,
    DeviceName, OrderName, RekeyAsked, RekeyOutcome, RekeyWhy, RepairDevice, RepairPlaces, Saved,
    TakeOutAsked, TakenOutLine,
};
use crate::problem::Problem;
use crate::repair_room::{self as room, batches as batch_book, cleanup, lives};

#[tauri::command]
pub(crate) async fn repair_places(bench: Called<'_>) -> Result<RepairPlaces, Problem> {
    bench.line()?.at_station(room::places).await
}

#[tauri::command]
pub(crate) async fn look(bench: Called<'_>, slot: u32, profile: Text<1024>) -> Result<RepairDevice, Problem> {
    let look = move |station: &_, repair: &_| room::look(station, repair, slot, profile.as_str());
    bench.line()?.at_repair(look).await
}

#[tauri::command]
pub(crate) async fn look_up(bench: Called<'_>, device: DeviceName) -> Result<RepairDevice, Problem> {
    bench.line()?.at_station(move |station| room::look_up(station, device.as_str())).await
}

#[tauri::command]
pub(crate) async fn ask_rekey(bench: Called<'_>, asked: RekeyAsked) -> Result<ApprovalRequest, Problem> {
    bench.line()?.at_station(move |station| room::ask_rekey(station, &asked)).await
}

#[tauri::command]
pub(crate) async fn rekey_device(
    bench: Called<'_>,
    asked: RekeyAsked,
    approval: Approved,
) -> Result<RekeyOutcome, Problem> {
    bench.line()?.at_repair(move |station, repair| room::rekey(station, repair, &asked, approval)).await
}

#[tauri::command]
pub(crate) async fn ask_take_out(bench: Called<'_>, asked: TakeOutAsked) -> Result<ApprovalRequest, Problem> {
    bench.line()?.at_station(move |station| lives::ask(station, &asked)).await
}

#[tauri::command]
pub(crate) async fn take_out(
    bench: Called<'_>,
    asked: TakeOutAsked,
    approval: Approved,
) -> Result<TakenOutLine, Problem> {
    bench.line()?.at_station(move |station| lives::take_out(station, &asked, approval)).await
}

#[tauri::command]
pub(crate) async fn batches(bench: Called<'_>) -> Result<Vec<BatchLine>, Problem> {
    bench.line()?.at_station(batch_book::list).await
}

#[tauri::command]
pub(crate) async fn batch(bench: Called<'_>, id: OrderName) -> Result<BatchPage, Problem> {
    bench.line()?.at_repair(move |station, repair| batch_book::show(station, repair, id.as_str())).await
}

#[tauri::command]
pub(crate) async fn batch_now(bench: Called<'_>) -> Result<Option<BatchNow>, Problem> {
    bench.line()?.at_repair(batch_book::now).await
}

/// A list is chosen in a dialog of the operating system: the page names none.
#[tauri::command]
pub(crate) async fn ask_batch<R: Runtime>(
    bench: Called<'_>,
    window: WebviewWindow<R>,
    from: BatchFrom,
    profile: Text<1024>,
    why: RekeyWhy,
) -> Result<Option<BatchRequest>, Problem> {
    let line = bench.line()?;
    line.guarded(batch_book::ask(line, &window, from, profile.into(), why)).await
}

#[tauri::command]
pub(crate) async fn open_batch(bench: Called<'_>, approval: Approved) -> Result<String, Problem> {
    bench.line()?.at_repair(move |station, repair| batch_book::open(station, repair, approval)).await
}

#[tauri::command]
pub(crate) async fn start_batch(bench: Called<'_>, id: OrderName) -> Result<(), Problem> {
    bench.line()?.at_repair(move |station, repair| batch_book::start(station, repair, id.as_str())).await
}

#[tauri::command]
pub(crate) async fn pause_batch(bench: Called<'_>, paused: bool) -> Result<(), Problem> {
    bench.line()?.at_repair(move |station, repair| batch_book::pause(station, repair, paused)).await
}

#[tauri::command]
pub(crate) async fn stop_batch(bench: Called<'_>) -> Result<(), Problem> {
    bench.line()?.at_repair(batch_book::stop).await
}

#[tauri::command]
pub(crate) async fn close_batch(bench: Called<'_>, id: OrderName) -> Result<(), Problem> {
    bench.line()?.at_repair(move |station, repair| batch_book::close(station, repair, id.as_str())).await
}

#[tauri::command]
pub(crate) async fn save_batch<R: Runtime>(
    bench: Called<'_>,
    window: WebviewWindow<R>,
    id: OrderName,
) -> Result<Option<Saved>, Problem> {
    let line = bench.line()?;
    line.guarded(batch_book::save(line, &window, id.into())).await
}

#[tauri::command]
pub(crate) async fn save_cleanup<R: Runtime>(
    bench: Called<'_>,
    window: WebviewWindow<R>,
    all: bool,
) -> Result<Option<CleanupLine>, Problem> {
    let line = bench.line()?;
    line.guarded(cleanup::save(line, &window, all)).await
}

#[tauri::command]
pub(crate) async fn ask_cleaned_up<R: Runtime>(
    bench: Called<'_>,
    window: WebviewWindow<R>,
) -> Result<Option<ApprovalRequest>, Problem> {
    let line = bench.line()?;
    line.guarded(cleanup::ask(line, &window)).await
}

#[tauri::command]
pub(crate) async fn cleaned_up(bench: Called<'_>, approval: Approved) -> Result<CleanupLine, Problem> {
    bench.line()?.at_repair(move |station, repair| cleanup::done(station, repair, approval)).await
}
