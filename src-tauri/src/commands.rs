//! What the page may ask for: one call each into the station. Their names stand in `build.rs` and in the capability.
//!
//! What a station does passes its one gate on the way, once: [`LineDesk::permitted`], or a method of the station that
//! asks it itself. A window that only looks has nothing behind the gate.

mod called;
pub(crate) mod keys;
pub(crate) mod log;
pub(crate) mod orders;
pub(crate) mod people;
pub(crate) mod repair;
pub(crate) mod shift;

use keystation::Station;
use keystation::people::Action;
use tauri::ipc::Channel;
use tauri::{Runtime, WebviewWindow};

pub(crate) use self::called::Called;
use crate::bounded::{Rows, Text};
use crate::custody;
use crate::desk::Desk;
use crate::dto::{CardUpdate, Overview, RecordLine, ScanLine, UnlockOutcome};
use crate::problem::Problem;

/// The station, or why there is none. Every command answers with that reason then.
pub(crate) struct Bench(pub(crate) Result<Desk, Problem>);

#[tauri::command]
pub(crate) async fn overview(bench: Called<'_>) -> Result<Overview, Problem> {
    bench.desk()?.overview().await
}

#[tauri::command]
pub(crate) async fn recent(bench: Called<'_>, count: Rows<500>) -> Result<Vec<RecordLine>, Problem> {
    bench.room(Action::Overview).await?.recent(count.get()).await
}

#[tauri::command]
pub(crate) async fn watch(
    bench: Called<'_>,
    channel: Channel<CardUpdate>,
    scans: Channel<ScanLine>,
) -> Result<(), Problem> {
    let line = bench.line()?;
    line.may(Action::Watch).await?;
    line.board.watch(Box::new(move |update| channel.send(update)));
    line.labels.watch(Box::new(move |shown| scans.send(shown)));
    Ok(())
}

#[tauri::command]
pub(crate) async fn scan(bench: Called<'_>, text: Text<256>) -> Result<(), Problem> {
    bench.line()?.scanned(text.into()).await
}

#[tauri::command]
pub(crate) async fn put_back(bench: Called<'_>, slot: u32) -> Result<(), Problem> {
    bench.line()?.put_back(slot).await
}

#[tauri::command]
pub(crate) async fn acknowledge(bench: Called<'_>, slot: u32) -> Result<(), Problem> {
    let line = bench.line()?;
    line.may(Action::Acknowledge).await?;
    line.board.acknowledge(slot);
    Ok(())
}

#[tauri::command]
pub(crate) async fn unlock<R: Runtime>(
    bench: Called<'_>,
    window: WebviewWindow<R>,
) -> Result<UnlockOutcome, Problem> {
    let line = bench.line()?;
    line.guarded(custody::unlock(line, &window)).await
}

#[tauri::command]
pub(crate) async fn lock(bench: Called<'_>) -> Result<(), Problem> {
    bench.line()?.permitted(Action::Lock, Station::lock).await
}
