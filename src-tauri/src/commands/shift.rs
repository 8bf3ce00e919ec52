//! What the session that is about to end made.

use keystation::people::Action;

use super::Called;
use crate::dto::{Saved, ShiftReport};
use crate::problem::Problem;

#[tauri::command]
pub(crate) async fn shift_report(bench: Called<'_>) -> Result<ShiftReport, Problem> {
    let line = bench.line()?;
    line.permitted(Action::OwnShift, |station, permit| station.own_shift(permit).map(ShiftReport::from)).await
}

#[tauri::command]
pub(crate) async fn save_shift_report(bench: Called<'_>) -> Result<Saved, Problem> {
    let line = bench.line()?;
    line.permitted(Action::OwnShift, |station, permit| {
        let made = station.save_own_shift(permit)?;
        Ok::<_, keystation::StationError>(Saved { path: made.file.display().to_string() })
    })
    .await
}
