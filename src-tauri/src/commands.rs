//! What the page may ask for: one call each into the station. Their names stand in `build.rs` and in the capability.

use tauri::ipc::Channel;
use tauri::{Runtime, State, WebviewWindow};

use crate::audit_room::AuditRoom;
use crate::bounded::{Rows, Text};
use crate::desk::{Desk, LineDesk};
use crate::dto::{
    CardUpdate, DeviceLife, Figures, Overview, RecordLine, Review, ReviewLine, Saved, SearchPage,
    UnlockOutcome, VerifyProgress, VerifyVerdict,
};
use crate::passphrase;
use crate::problem::Problem;

/// The station, or why there is none. Every command answers with that reason then.
pub(crate) struct Bench(pub(crate) Result<Desk, Problem>);

impl Bench {
    fn desk(&self) -> Result<&Desk, Problem> {
        self.0.as_ref().map_err(Problem::clone)
    }

    /// For commands that only read.
    fn room(&self) -> Result<&AuditRoom, Problem> {
        Ok(self.desk()?.room())
    }

    /// For commands that work at the station: a window that only looks has none.
    fn line(&self) -> Result<&LineDesk, Problem> {
        match self.desk()? {
            Desk::Line(desk) => Ok(desk),
            Desk::Audit(_) => Err(Problem::new(
                "read-only",
                "This window only looks: it can neither key devices nor write into the log.",
                &["Use the window of the station itself."],
            )),
        }
    }
}

#[tauri::command]
pub(crate) async fn overview(bench: State<'_, Bench>) -> Result<Overview, Problem> {
    bench.desk()?.overview().await
}

#[tauri::command]
pub(crate) async fn recent(bench: State<'_, Bench>, count: Rows<500>) -> Result<Vec<RecordLine>, Problem> {
    bench.room()?.recent(count.get()).await
}

#[tauri::command]
pub(crate) async fn watch(bench: State<'_, Bench>, channel: Channel<CardUpdate>) -> Result<(), Problem> {
    bench.line()?.board.watch(Box::new(move |update| channel.send(update)));
    Ok(())
}

#[tauri::command]
pub(crate) async fn acknowledge(bench: State<'_, Bench>, slot: u32) -> Result<(), Problem> {
    bench.line()?.board.acknowledge(slot);
    Ok(())
}

#[tauri::command]
pub(crate) async fn unlock<R: Runtime>(
    bench: State<'_, Bench>,
    window: WebviewWindow<R>,
) -> Result<UnlockOutcome, Problem> {
    passphrase::unlock(bench.line()?, &window).await
}

#[tauri::command]
pub(crate) async fn lock(bench: State<'_, Bench>) -> Result<(), Problem> {
    Ok(bench.line()?.station.lock()?)
}

#[tauri::command]
pub(crate) async fn search(
    bench: State<'_, Bench>,
    text: Text<200>,
    before: Option<u64>,
    limit: Rows<500>,
) -> Result<SearchPage, Problem> {
    bench.room()?.search(text.into(), before, limit.get()).await
}

#[tauri::command]
pub(crate) async fn device(bench: State<'_, Bench>, id: Text<128>) -> Result<DeviceLife, Problem> {
    bench.room()?.device(id.into()).await
}

#[tauri::command]
pub(crate) async fn save_proof(bench: State<'_, Bench>, id: Text<128>) -> Result<Saved, Problem> {
    bench.room()?.save_proof(id.into()).await
}

#[tauri::command]
pub(crate) async fn verify(
    bench: State<'_, Bench>,
    channel: Channel<VerifyProgress>,
) -> Result<VerifyVerdict, Problem> {
    bench.room()?.verify(channel).await
}

#[tauri::command]
pub(crate) async fn cancel_verify(bench: State<'_, Bench>) -> Result<(), Problem> {
    bench.room()?.cancel_verify();
    Ok(())
}

#[tauri::command]
pub(crate) async fn figures(
    bench: State<'_, Bench>,
    from: i64,
    until: i64,
    job: Option<Text<64>>,
) -> Result<Figures, Problem> {
    bench.room()?.figures(from, until, job.map(Text::into)).await
}

#[tauri::command]
pub(crate) async fn review(bench: State<'_, Bench>) -> Result<Review, Problem> {
    bench.room()?.review().await
}

#[tauri::command]
pub(crate) async fn sign_review(
    bench: State<'_, Bench>,
    reviewer: Text<32>,
    to: u64,
    remark: Text<500>,
) -> Result<ReviewLine, Problem> {
    bench.line()?.sign_review(reviewer.into(), to, remark.into()).await
}
