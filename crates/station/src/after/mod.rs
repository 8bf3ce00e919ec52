//! What comes after a result is durable: labels, hooks, the outbox. `docs/after.md` says what each promises.
//!
//! All three follow the log, each on a thread of its own, and none is asked by a slot: so nothing that goes wrong here holds a device
//! up. They run while a line runs (and while `keystation inject` does), and end before the log is closed.

mod follow;
mod hooks;
mod labels;
mod outbox;
mod position;
#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use keystation_audit::Growth;

use crate::error::StationError;
use crate::station::{Station, paths};

pub use hooks::{HookConfig, HookEvent, QUEUE};
pub use labels::{
    Design, LabelConfig, Paper, PrinterAnswer, PrinterConfig, PrinterStatus, SymbolKind, Waiting, Way, Zpl,
    status as label_status,
};
pub use outbox::{Delivered, Endpoint, KEEP, OutboxConfig, OutboxStatus, status as outbox_status};

use follow::{Follower, Stop};
use outbox::Sink;

/// After what a thread could not put down or read.
const AGAIN: Duration = Duration::from_secs(10);

/// The threads that follow the log, once they were begun.
#[derive(Default)]
pub(crate) struct After(Mutex<Option<Running>>);

struct Running {
    stop: Arc<Stop>,
    growth: Growth,
    threads: Vec<JoinHandle<()>>,
    /// How far each printer and hook is.
    reached: Vec<Arc<AtomicU64>>,
    /// Whether one of them delivers records.
    delivers: bool,
}

impl After {
    /// Whether records are delivered already.
    fn delivers(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).as_ref().is_some_and(|running| running.delivers)
    }

    /// Ends the threads: what is begun has five seconds, and one delivery its own limit.
    pub(crate) fn end(&self) {
        drop(self.0.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.ask();
        self.growth.wake();
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a thread that follows the log panicked");
            }
        }
    }
}

impl Station {
    /// Begins with printers and hooks of the settings, and with the outbox where `outbox` says so. What passes from now on has its label
    /// to come, whatever happens. Once is enough.
    pub(crate) fn begin_after(&self, outbox: bool) -> Result<(), StationError> {
        let mut after = self.after().0.lock().unwrap_or_else(PoisonError::into_inner);
        if after.is_some() {
            return Ok(());
        }
        let config = self.config();
        let stop = Arc::new(Stop::default());
        let mut running = Running {
            stop: Arc::clone(&stop),
            growth: self.journal().growth().clone(),
            threads: Vec::new(),
            reached: Vec::new(),
            delivers: false,
        };
        let follower = |next| {
            let reached = Arc::new(AtomicU64::new(next));
            (self.follower(&stop, &reached), reached)
        };
        let (first, _) = follower(0);
        let positions = labels::begin(&first, &config.printers)?;
        let size = running.growth.records();
        for (printer, position) in config.printers.iter().cloned().zip(positions) {
            let (follower, reached) = follower(position.next());
            let labels: Vec<_> =
                config.labels.iter().filter(|label| label.printer == printer.name).cloned().collect();
            running.reached.push(reached);
            let (name, mut position) = (format!("label-{}", printer.name), position);
            running.spawn(name, &follower.clone(), move || {
                labels::print(&follower, &printer, &labels, &mut position)
            })?;
        }
        for hook in &config.hooks {
            hook.check()?;
            let (follower, reached) = follower(size);
            running.reached.push(reached);
            let (hook, mut next) = (hook.clone(), size);
            running.spawn(format!("hook-{}", hook.name()), &follower.clone(), move || {
                hooks::follow(&follower, &hook, &mut next)
            })?;
        }
        if let Some(config) = config.outbox.as_ref().filter(|_| outbox) {
            let sink = Sink::new(config)?;
            running.delivers = true;
            let (follower, _) = follower(0);
            running.spawn("outbox".to_owned(), &follower.clone(), move || {
                outbox::deliver(&follower, &sink, None).map(drop)
            })?;
        }
        *after = Some(running);
        Ok(())
    }

    /// Begins with them for one device. Those of its labels and hooks that are not done when [`Station::after_done`] is over are done or
    /// dropped as `docs/after.md` says.
    pub fn begin_after_one(&self) -> Result<(), StationError> {
        self.begin_after(false)
    }

    /// Waits until every printer and hook has done what is recorded by now, for `time` at most. Says whether they have.
    pub fn after_done(&self, time: Duration) -> bool {
        let (growth, reached) = {
            let after = self.after().0.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(running) = after.as_ref() else { return true };
            (running.growth.clone(), running.reached.clone())
        };
        let size = growth.records();
        let done = || reached.iter().all(|reached| reached.load(Ordering::SeqCst) >= size);
        growth.wait(time, |_| done());
        done()
    }

    fn follower(&self, stop: &Arc<Stop>, reached: &Arc<AtomicU64>) -> Follower {
        Follower {
            journal: self.journal().clone(),
            paths: paths(self.data()),
            actor: self.nobody(),
            folder: self.data().after(),
            stop: Arc::clone(stop),
            reached: Arc::clone(reached),
        }
    }
}

impl Running {
    /// Does `work` on a thread of its own. Where that cannot go on, as on a full disk, it is tried again until the program ends: what is
    /// to be done the log says.
    fn spawn(
        &mut self,
        name: String,
        follower: &Follower,
        mut work: impl FnMut() -> Result<(), StationError> + Send + 'static,
    ) -> Result<(), StationError> {
        // A name of a thread has no NUL; what the settings say may be anything.
        let name = name.replace('\0', "");
        let follower = follower.clone();
        let thread = thread::Builder::new().name(name.clone()).spawn(move || {
            while let Err(error) = work() {
                // A log that takes no record takes none until the station is started again: what was printed would be printed over
                // and over.
                let stopped = matches!(error, StationError::Append(_));
                tracing::error!(%error, thread = name, stopped, "it follows the log no more, or again in a while");
                if stopped || !follower.rest(AGAIN) {
                    return;
                }
            }
        });
        self.threads.push(thread.map_err(StationError::Thread)?);
        Ok(())
    }
}
