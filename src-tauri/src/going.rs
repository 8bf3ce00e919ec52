//! What goes out after a PASS, looked up now and then: it is asked of the log, and no page waits for that.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use keystation::{DataDir, after};
use tauri::async_runtime::spawn_blocking;

use crate::dto::AfterLine;

/// What is older is looked up anew.
const PACE: Duration = Duration::from_secs(10);

/// How far labels and outbox were when they were looked up last.
pub(crate) struct Going {
    data: DataDir,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    line: Option<AfterLine>,
    /// When it was asked for last.
    asked: Option<Instant>,
    /// Somebody looks it up.
    looking: bool,
}

/// How far labels and outbox are, asked of the log. Where it cannot be read something else on the screen says so.
pub(crate) fn looked_up(data: &DataDir) -> Option<AfterLine> {
    match after::status(data) {
        Ok(status) => AfterLine::of(status),
        Err(error) => {
            tracing::error!(%error, "labels and outbox cannot be looked up");
            None
        }
    }
}

impl Going {
    pub(crate) fn new(data: &DataDir) -> Arc<Self> {
        Arc::new(Self { data: data.clone(), seen: Mutex::default() })
    }

    /// As it was seen last. Where that is a while ago it is looked up meanwhile, for whoever asks next.
    pub(crate) fn now(self: &Arc<Self>) -> Option<AfterLine> {
        let mut seen = self.seen();
        if !seen.looking && seen.asked.is_none_or(|asked| asked.elapsed() >= PACE) {
            seen.looking = true;
            seen.asked = Some(Instant::now());
            let going = Arc::clone(self);
            spawn_blocking(move || going.look());
        }
        seen.line.clone()
    }

    fn look(&self) {
        let line = looked_up(&self.data);
        let mut seen = self.seen();
        seen.looking = false;
        seen.line = line;
    }

    /// Nothing is left half-done in what a thread that panicked held.
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
