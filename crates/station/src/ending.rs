//! The end that comes from outside: SIGTERM, SIGINT, SIGHUP.
//!
//! A program that is told to go wipes the keys first, finishes the device that is in its hands, and closes the log. The
//! second signal ends it at once, as a kill would: that leaves an open intent at worst.

use std::fs;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::{flag, low_level};

use crate::error::StationError;
use crate::station::Station;

/// Ends the program in order when it is told to go.
pub struct Ending {
    asked: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Ending {
    /// Watches for signals that end programs. One that is ignored already stays so: `nohup` and shells do that.
    ///
    /// `say` is told, on a thread of its own, which signal it was and what kept the log from being closed.
    pub fn watch(
        station: &Station,
        say: impl FnOnce(&str, Option<StationError>) + Send + 'static,
    ) -> io::Result<Self> {
        let asked = Arc::new(AtomicBool::new(false));
        let ignored = ignored()?;
        let wanted = [SIGTERM, SIGINT, SIGHUP].into_iter().filter(|&signal| ignored >> (signal - 1) & 1 == 0);
        let mut signals = Signals::new([0; 0])?;
        for signal in wanted {
            // In this order, so that the first one sets what the second one finds.
            flag::register_conditional_default(signal, Arc::clone(&asked))?;
            flag::register(signal, Arc::clone(&asked))?;
            signals.add_signal(signal)?;
        }
        let station = station.clone();
        let thread = thread::Builder::new().name("signals".to_owned()).spawn(move || {
            let Some(signal) = signals.forever().next() else { return };
            let failed = station.end().err();
            say(low_level::signal_name(signal).unwrap_or("a signal"), failed);
            // Whoever started the program sees that the signal ended it, as with every other program.
            if let Err(error) = low_level::emulate_default_handler(signal) {
                tracing::error!(%error, "the signal does not end the program");
                std::process::exit(128 + signal);
            }
        })?;
        Ok(Self { asked, thread })
    }

    /// Comes back unless a signal came: then it is that which ends the program.
    pub fn stay(self) {
        if self.asked.load(Ordering::SeqCst) && self.thread.join().is_err() {
            tracing::error!("the thread that ends the program panicked");
        }
    }
}

/// The signals that this process ignores, bit 0 for signal 1 (proc(5), `SigIgn`).
fn ignored() -> io::Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .ok_or_else(|| io::Error::other("/proc/self/status does not say which signals are ignored"))
}

impl Station {
    /// Wipes the keys at once, waits for the devices in work ([`Station::busy`]), 60 seconds at most, and for what a custody was asked for,
    /// 10 seconds at most, and closes the log. No vault is opened any more. [`StationError::Unanswered`] says what was left undone then;
    /// the log is closed all the same.
    pub fn end(&self) -> Result<(), StationError> {
        self.desk().ending = true;
        let locked = self.lock_custody();
        let left = self.until_idle();
        locked.and_then(|()| self.clone().close()).and(left)
    }
}
