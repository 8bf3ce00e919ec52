//! The audit room.

use keystation::people::Action;
use tauri::ipc::Channel;
use tauri::{Runtime, WebviewWindow};

use super::Called;
use crate::bounded::{Rows, Text};
use crate::dto::{
    CheckPlaces, CheckReport, DenialPage, DeviceLife, Figures, Review, ReviewLine, Saved, SearchPage, UserId,
    VerifyProgress, VerifyVerdict,
};
use crate::inspection;
use crate::problem::Problem;

#[tauri::command]
pub(crate) async fn search(
    bench: Called<'_>,
    text: Text<200>,
    before: Option<u64>,
    limit: Rows<500>,
) -> Result<SearchPage, Problem> {
    bench.room(Action::SearchRoom).await?.search(text.into(), before, limit.get()).await
}

#[tauri::command]
pub(crate) async fn device(bench: Called<'_>, id: Text<128>) -> Result<DeviceLife, Problem> {
    bench.room(Action::SearchRoom).await?.device(id.into()).await
}

#[tauri::command]
pub(crate) async fn save_proof(bench: Called<'_>, id: Text<128>) -> Result<Saved, Problem> {
    bench.room(Action::SaveProof).await?.save_proof(id.into()).await
}

#[tauri::command]
pub(crate) async fn verify(
    bench: Called<'_>,
    channel: Channel<VerifyProgress>,
) -> Result<VerifyVerdict, Problem> {
    bench.room(Action::AuditRoom).await?.verify(channel).await
}

#[tauri::command]
pub(crate) async fn cancel_verify(bench: Called<'_>) -> Result<(), Problem> {
    bench.room(Action::AuditRoom).await?.cancel_verify();
    Ok(())
}

#[tauri::command]
pub(crate) async fn figures(
    bench: Called<'_>,
    from: i64,
    until: i64,
    job: Option<Text<64>>,
) -> Result<Figures, Problem> {
    bench.room(Action::AuditRoom).await?.figures(from, until, job.map(Text::into)).await
}

#[tauri::command]
pub(crate) async fn denials(
    bench: Called<'_>,
    before: Option<u64>,
    limit: Rows<500>,
) -> Result<DenialPage, Problem> {
    bench.room(Action::AuditRoom).await?.denials(before, limit.get()).await
}

#[tauri::command]
pub(crate) async fn review(bench: Called<'_>) -> Result<Review, Problem> {
    bench.room(Action::AuditRoom).await?.review().await
}

#[tauri::command]
pub(crate) async fn sign_review(
    bench: Called<'_>,
    reviewer: UserId,
    to: u64,
    remark: Text<500>,
) -> Result<ReviewLine, Problem> {
    bench.line()?.sign_review(reviewer.into(), to, remark.into()).await
}

#[tauri::command]
pub(crate) async fn check_places(bench: Called<'_>) -> Result<CheckPlaces, Problem> {
    bench.line()?.permitted(Action::Check, inspection::places).await
}

/// None where nobody opened the custody.
#[tauri::command]
pub(crate) async fn check_device<R: Runtime>(
    bench: Called<'_>,
    window: WebviewWindow<R>,
    port: Text<256>,
    profile: Text<1024>,
) -> Result<Option<CheckReport>, Problem> {
    let line = bench.line()?;
    line.guarded(inspection::device(line, &window, port.into(), profile.into())).await
}
