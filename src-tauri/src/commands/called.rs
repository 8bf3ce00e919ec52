//! One call of the page: what it may reach, and what becomes of one whose arguments nobody can read.

use std::sync::atomic::{AtomicBool, Ordering};

use keystation::people::{Action, Who, rule};
use tauri::ipc::{CommandArg, CommandItem, InvokeError};
use tauri::{Manager, Runtime};

use super::Bench;
use crate::audit_room::AuditRoom;
use crate::desk::{Desk, LineDesk};
use crate::problem::Problem;
use crate::verbs::verb;

/// The station, for one command; the first argument of each.
///
/// Tauri makes the arguments of a command one after the other, and where it cannot make one (it is missing, it is of another kind) it
/// answers by itself, and the command is never called. This one is made before, and nobody has asked it for anything when it
/// is dropped: then the call is recorded as refused.
pub(crate) struct Called<'r> {
    bench: &'r Bench,
    command: &'static str,
    action: Action,
    /// Whether the command was called.
    begun: AtomicBool,
}

impl<'r, 'de: 'r, R: Runtime> CommandArg<'de, R> for Called<'r> {
    fn from_command(item: CommandItem<'de, R>) -> Result<Self, InvokeError> {
        let bench = item.message.webview_ref().state::<Bench>().inner();
        let action = verb(item.name).ok_or_else(|| InvokeError::from("no verb of the policy"))?;
        Ok(Self { bench, command: item.name, action, begun: AtomicBool::new(false) })
    }
}

impl Drop for Called<'_> {
    fn drop(&mut self) {
        if !self.begun.load(Ordering::Relaxed)
            && let Bench(Ok(Desk::Line(desk))) = self.bench
            && let Err(error) = desk.station.refuse_unread(self.action, self.command)
        {
            tracing::error!(%error, command = self.command, "a call that nobody can read has no record");
        }
    }
}

impl<'r> Called<'r> {
    pub(crate) fn desk(&self) -> Result<&'r Desk, Problem> {
        self.begun.store(true, Ordering::Relaxed);
        self.bench.0.as_ref().map_err(Problem::clone)
    }

    /// For commands that only read, if `action` is permitted.
    pub(crate) async fn room(&self, action: Action) -> Result<&'r AuditRoom, Problem> {
        match self.desk()? {
            Desk::Line(line) => {
                line.may(action).await?;
                Ok(line.room())
            }
            Desk::Audit(room) => looked_at(room, action),
        }
    }

    /// The log, in a window that only looks, if that shows what `action` shows.
    pub(crate) fn looking(&self, action: Action) -> Result<Option<&'r AuditRoom>, Problem> {
        match self.desk()? {
            Desk::Line(_) => Ok(None),
            Desk::Audit(room) => looked_at(room, action).map(Some),
        }
    }

    /// For commands that work at the station: a window that only looks has none.
    pub(crate) fn line(&self) -> Result<&'r LineDesk, Problem> {
        match self.desk()? {
            Desk::Line(desk) => Ok(desk),
            Desk::Audit(_) => Err(read_only()),
        }
    }
}

/// Nobody is signed in at a window that only looks, so it has what the policy leaves to whoever stands before it, and what is read in a
/// room of the station can be read in the file. All else is refused.
fn looked_at(room: &AuditRoom, action: Action) -> Result<&AuditRoom, Problem> {
    let asked = match action {
        Action::SearchRoom | Action::AuditRoom | Action::Keys | Action::People => Action::ReadLog,
        other => other,
    };
    if rule(asked).who == Who::Anyone { Ok(room) } else { Err(read_only()) }
}

fn read_only() -> Problem {
    Problem::new(
        "read-only",
        "This window only looks: it can neither key devices nor write into the log.",
        &["Use the window of the station itself."],
    )
}
