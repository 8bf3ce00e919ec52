//! The list of what has to be cleaned up in the cloud, and that it was.

use keystation::Station;
use keystation::lives::CleanupFiles;
use keystation::people::Action;
use tauri::{Runtime, WebviewWindow};

use super::{RepairBench, approved_by_somebody, lock};
use crate::desk::LineDesk;
use crate::dto::{ApprovalRequest, Approved, CleanupLine};
use crate::problem::Problem;
use crate::typed::Question;

/// Title of the dialog.
const FOLDER: &str = "Where to put the list of the clean-up";

/// Asks where, outside of the page, and writes list and commands there; none if the person gave up.
pub(crate) async fn save<R: Runtime>(
    desk: &LineDesk,
    window: &WebviewWindow<R>,
    all: bool,
) -> Result<Option<CleanupLine>, Problem> {
    // Whoever may not is not asked.
    desk.may(Action::ListCleanup).await?;
    let exports = desk.station.data().exports();
    let Some(folder) = desk.dialogs.turn()?.folder(window, FOLDER, &exports).await? else { return Ok(None) };
    let made = desk.permitted(Action::ListCleanup, move |station, permit| {
        // The record of it comes next: no other list has its number.
        let name = folder.join(format!("cleanup-{}", station.reader()?.size()?));
        let (csv, commands) = (name.with_added_extension("csv"), name.with_added_extension("sh"));
        let files = CleanupFiles { csv: &csv, commands: Some(&commands) };
        let listed = station.list_cleanup(permit, all, files)?;
        Ok::<_, keystation::StationError>(CleanupLine::of(&listed, Some(csv.display().to_string())))
    });
    made.await.map(Some)
}

/// Asks for a list that was done, outside of the page; then for what the second person approves.
pub(crate) async fn ask<R: Runtime>(
    desk: &LineDesk,
    window: &WebviewWindow<R>,
) -> Result<Option<ApprovalRequest>, Problem> {
    desk.at_station(|station| station.may_ask(Action::CleanedUp)).await?;
    let chosen = desk.dialogs.turn()?.file(window, &Question::cleanup_list()).await?;
    let Some(file) = chosen else { return Ok(None) };
    let asked = desk.at_repair(move |station, bench| {
        let request = station.cleaned_up_request(&file)?;
        *lock(&bench.list) = Some(file);
        Ok(ApprovalRequest::of(&request))
    });
    asked.await.map(Some)
}

/// Puts down that everything on the list that was chosen was done.
pub(crate) fn done(
    station: &Station,
    bench: &RepairBench,
    approval: Approved,
) -> Result<CleanupLine, Problem> {
    station.may_ask(Action::CleanedUp)?;
    approved_by_somebody(station, Action::CleanedUp, "", approval)?;
    let chosen = lock(&bench.list).take();
    let Some(file) = chosen else {
        return Err(Problem::new(
            "cleanup-not-chosen",
            "No list was chosen.",
            &["Choose the list that was cleaned up, then have it approved."],
        ));
    };
    let listed = station.cleaned_up(&file, approval.into())?;
    Ok(CleanupLine::of(&listed, None))
}
