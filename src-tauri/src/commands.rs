//! What the page may ask for: one call each into the station. Their names stand in `build.rs` and in the capability.
//!
//! What a station does passes its one gate on the way, once: [`LineDesk::permitted`], or a method of the station that
//! asks it itself. A window that only looks has nothing behind the gate.

pub(crate) mod keys;
pub(crate) mod log;
pub(crate) mod orders;
pub(crate) mod people;
pub(crate) mod shift;

use keystation::Station;
use keystation::people::Action;
use tauri::ipc::Channel;
use tauri::{Runtime, State, WebviewWindow};

use crate::audit_room::AuditRoom;
use crate::bounded::Rows;
use crate::custody;
use crate::desk::{Desk, LineDesk};
use crate::dto::{CardUpdate, Overview, RecordLine, UnlockOutcome};
use crate::problem::Problem;

/// The station, or why there is none. Every command answers with that reason then.
pub(crate) struct Bench(pub(crate) Result<Desk, Problem>);

impl Bench {
    fn desk(&self) -> Result<&Desk, Problem> {
        self.0.as_ref().map_err(Problem::clone)
    }

    /// For commands that only read, if `action` is permitted. A window that only looks has no sessions and asks nobody: it
    /// shows what whoever may read the file can read.
    async fn room(&self, action: Action) -> Result<&AuditRoom, Problem> {
        let desk = self.desk()?;
        if let Desk::Line(line) = desk {
            line.may(action).await?;
        }
        Ok(desk.room())
    }

    /// The log, in a window that only looks.
    fn looking(&self) -> Result<Option<&AuditRoom>, Problem> {
        Ok(match self.desk()? {
            Desk::Line(_) => None,
            Desk::Audit(room) => Some(room),
        })
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
    bench.room(Action::Overview).await?.recent(count.get()).await
}

#[tauri::command]
pub(crate) async fn watch(bench: State<'_, Bench>, channel: Channel<CardUpdate>) -> Result<(), Problem> {
    let line = bench.line()?;
    line.may(Action::Watch).await?;
    line.board.watch(Box::new(move |update| channel.send(update)));
    Ok(())
}

#[tauri::command]
pub(crate) async fn acknowledge(bench: State<'_, Bench>, slot: u32) -> Result<(), Problem> {
    let line = bench.line()?;
    line.may(Action::Acknowledge).await?;
    line.board.acknowledge(slot);
    Ok(())
}

#[tauri::command]
pub(crate) async fn unlock<R: Runtime>(
    bench: State<'_, Bench>,
    window: WebviewWindow<R>,
) -> Result<UnlockOutcome, Problem> {
    let line = bench.line()?;
    line.guarded(custody::unlock(line, &window)).await
}

#[tauri::command]
pub(crate) async fn lock(bench: State<'_, Bench>) -> Result<(), Problem> {
    bench.line()?.permitted(Action::Lock, Station::lock).await
}
