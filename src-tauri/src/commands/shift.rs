//! What the session that is about to end made.

use keystation::people::Action;
use tauri::{Runtime, WebviewWindow};

use super::Called;
use crate::desk::LineDesk;
use crate::dto::{Saved, ShiftReport};
use crate::problem::Problem;

/// Title of the dialog.
const FOLDER: &str = "Where to put the report of the shift";

#[tauri::command]
pub(crate) async fn shift_report(bench: Called<'_>) -> Result<ShiftReport, Problem> {
    let line = bench.line()?;
    line.permitted(Action::OwnShift, |station, permit| station.own_shift(permit).map(ShiftReport::from)).await
}

#[tauri::command]
pub(crate) async fn save_shift_report<R: Runtime>(
    bench: Called<'_>,
    window: WebviewWindow<R>,
) -> Result<Option<Saved>, Problem> {
    let line = bench.line()?;
    line.guarded(saved(line, &window)).await
}

/// Asks where, outside of the page, and writes it there; none if the person gave up.
async fn saved<R: Runtime>(line: &LineDesk, window: &WebviewWindow<R>) -> Result<Option<Saved>, Problem> {
    // Whoever may not is not asked.
    line.may(Action::OwnShift).await?;
    let exports = line.station.data().exports();
    let Some(folder) = line.dialogs.turn()?.folder(window, FOLDER, &exports).await? else { return Ok(None) };
    let made =
        line.permitted(Action::OwnShift, move |station, permit| station.save_own_shift(permit, &folder));
    Ok(Some(Saved { path: made.await?.file.display().to_string() }))
}
