//! What the page may ask for: one call each into the station. Their names stand in `build.rs` and in the capability.

use tauri::ipc::Channel;
use tauri::{Runtime, State, WebviewWindow};

use crate::desk::Desk;
use crate::dto::{CardUpdate, Overview, RecordLine, UnlockOutcome};
use crate::passphrase;
use crate::problem::Problem;

/// The station, or why there is none. Every command answers with that reason then.
pub(crate) struct Bench(pub(crate) Result<Desk, Problem>);

impl Bench {
    fn desk(&self) -> Result<&Desk, Problem> {
        self.0.as_ref().map_err(Problem::clone)
    }
}

#[tauri::command]
pub(crate) async fn overview(bench: State<'_, Bench>) -> Result<Overview, Problem> {
    Ok(bench.desk()?.overview()?)
}

#[tauri::command]
pub(crate) async fn recent(bench: State<'_, Bench>, count: u32) -> Result<Vec<RecordLine>, Problem> {
    Ok(bench.desk()?.recent(count)?)
}

#[tauri::command]
pub(crate) async fn watch(bench: State<'_, Bench>, channel: Channel<CardUpdate>) -> Result<(), Problem> {
    bench.desk()?.board.watch(Box::new(move |update| channel.send(update)));
    Ok(())
}

#[tauri::command]
pub(crate) async fn acknowledge(bench: State<'_, Bench>, slot: u32) -> Result<(), Problem> {
    bench.desk()?.board.acknowledge(slot);
    Ok(())
}

#[tauri::command]
pub(crate) async fn unlock<R: Runtime>(
    bench: State<'_, Bench>,
    window: WebviewWindow<R>,
) -> Result<UnlockOutcome, Problem> {
    passphrase::unlock(bench.desk()?, &window).await
}

#[tauri::command]
pub(crate) async fn lock(bench: State<'_, Bench>) -> Result<(), Problem> {
    Ok(bench.desk()?.station.lock()?)
}
