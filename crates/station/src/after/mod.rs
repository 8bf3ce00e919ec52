//! What comes after a result is durable: labels, hooks, the outbox. `docs/after.md` says what each promises.
//!
//! All three follow the log, each on a thread of its own, and none is asked by a slot: so nothing that goes wrong here holds a device
//! up. They run while a line runs (and while `keystation inject` does), and end before the log is closed.

mod follow;
mod guarded;
mod hooks;
mod labels;
mod outbox;
mod position;
mod status;
#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use keystation_audit::Growth;

use crate::error::StationError;
use crate::station::Station;

pub use guarded::{Exposed, Exposure};
pub use hooks::{HookConfig, HookEvent, QUEUE};
pub use labels::{
    Design, LabelConfig, Paper, PrinterAnswer, PrinterConfig, PrinterStatus, SymbolKind, Waiting, Way, Zpl,
    status as label_status,
};
pub use outbox::{
    Delivered, Endpoint, KEEP, OlderLog, OutboxConfig, OutboxStatus, Skipped, status as outbox_status,
};
pub use status::{AfterStatus, HooksStatus, Trouble, status};

use follow::{Follower, Stop};
use outbox::Sink;

/// Where in the data directory it stands how far the outbox is: the one of these files that says what no log says.
pub(crate) const OUTBOX_POSITION: &str = "after/outbox";

/// After what a thread could not put down or read.
const AGAIN: Duration = Duration::from_secs(10);

/// The threads that follow the log, once they were begun.
#[derive(Default)]
pub(crate) struct After(Mutex<Option<Running>>);

struct Running {
    stop: Arc<Stop>,
    growth: Growth,
    threads: Vec<JoinHandle<()>>,
    /// Which of them were begun, and how far each of their threads is.
    begun: Vec<(Part, Arc<AtomicU64>)>,
}

/// What follows the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Labels,
    Hooks,
    Outbox,
}

impl After {
    /// Whether records are delivered already.
    fn delivers(&self) -> bool {
        let running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        running.as_ref().is_some_and(|running| running.has(Part::Outbox))
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
        let parts = [Part::Labels, Part::Hooks, Part::Outbox];
        self.begin_parts(if outbox { &parts } else { &parts[..2] })
    }

    /// Begins with them for one device. Those of its labels and hooks that are not done when [`Station::after_done`] is over are done or
    /// dropped as `docs/after.md` says.
    pub fn begin_after_one(&self) -> Result<(), StationError> {
        self.begin_after(false)
    }

    /// Begins with the hooks, for an act that is none on a device in a slot.
    pub fn begin_hooks(&self) -> Result<(), StationError> {
        self.begin_parts(&[Part::Hooks])
    }

    fn begin_parts(&self, parts: &[Part]) -> Result<(), StationError> {
        let mut after = self.after().0.lock().unwrap_or_else(PoisonError::into_inner);
        let running = after.get_or_insert_with(|| Running {
            stop: Arc::default(),
            growth: self.journal().growth().clone(),
            threads: Vec::new(),
            begun: Vec::new(),
        });
        for part in parts {
            if running.has(*part) {
                continue;
            }
            match part {
                Part::Labels => self.begin_labels(running)?,
                Part::Hooks => self.begin_all_hooks(running)?,
                Part::Outbox => self.begin_outbox(running)?,
            }
        }
        Ok(())
    }

    fn begin_labels(&self, running: &mut Running) -> Result<(), StationError> {
        let config = self.config();
        let (first, _) = self.follower_from(running, 0);
        let positions = labels::begin(&first, &config.printers)?;
        for (printer, position) in config.printers.iter().cloned().zip(positions) {
            let (follower, reached) = self.follower_from(running, position.next());
            let labels: Vec<_> =
                config.labels.iter().filter(|label| label.printer == printer.name).cloned().collect();
            let (name, mut position) = (format!("label-{}", printer.name), position);
            running.begun.push((Part::Labels, reached));
            running.spawn(name, &follower.clone(), move || {
                labels::print(&follower, &printer, &labels, &mut position)
            })?;
        }
        Ok(())
    }

    fn begin_all_hooks(&self, running: &mut Running) -> Result<(), StationError> {
        let size = running.growth.records();
        for hook in &self.config().hooks {
            hook.check()?;
        }
        for hook in self.config().hooks.clone() {
            let (follower, reached) = self.follower_from(running, size);
            let mut next = size;
            running.begun.push((Part::Hooks, reached));
            running.spawn(format!("hook-{}", hook.name()), &follower.clone(), move || {
                hooks::follow(&follower, &hook, &mut next)
            })?;
        }
        Ok(())
    }

    fn begin_outbox(&self, running: &mut Running) -> Result<(), StationError> {
        let Some(config) = &self.config().outbox else { return Ok(()) };
        let sink = Sink::new(config)?;
        let (follower, reached) = self.follower_from(running, 0);
        running.begun.push((Part::Outbox, reached));
        running.spawn("outbox".to_owned(), &follower.clone(), move || {
            outbox::deliver(&follower, &sink, None).map(drop)
        })
    }

    /// Waits until every printer and hook has done what is recorded by now, for `time` at most. Says whether they have.
    pub fn after_done(&self, time: Duration) -> bool {
        self.parts_done(&[Part::Labels, Part::Hooks], time)
    }

    /// The same of the hooks alone.
    pub fn hooks_done(&self, time: Duration) -> bool {
        self.parts_done(&[Part::Hooks], time)
    }

    fn parts_done(&self, parts: &[Part], time: Duration) -> bool {
        let (growth, reached) = {
            let after = self.after().0.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(running) = after.as_ref() else { return true };
            let of = running.begun.iter().filter(|(part, _)| parts.contains(part));
            (running.growth.clone(), of.map(|(_, reached)| Arc::clone(reached)).collect::<Vec<_>>())
        };
        let size = growth.records();
        let done = || reached.iter().all(|reached| reached.load(Ordering::SeqCst) >= size);
        growth.wait(time, |_| done());
        done()
    }

    /// A follower that looks at record `next` next, and where it says how far it is.
    fn follower_from(&self, running: &Running, next: u64) -> (Follower, Arc<AtomicU64>) {
        let reached = Arc::new(AtomicU64::new(next));
        (self.follower(&running.stop, &reached), reached)
    }

    fn follower(&self, stop: &Arc<Stop>, reached: &Arc<AtomicU64>) -> Follower {
        Follower {
            journal: self.journal().clone(),
            data: self.data().clone(),
            actor: self.nobody(),
            stop: Arc::clone(stop),
            reached: Arc::clone(reached),
        }
    }
}

impl Running {
    fn has(&self, part: Part) -> bool {
        self.begun.iter().any(|(begun, _)| *begun == part)
    }

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
                // and over. One that is behind what was delivered stays that.
                let stopped = matches!(error, StationError::Append(_) | StationError::OutboxAhead { .. });
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
