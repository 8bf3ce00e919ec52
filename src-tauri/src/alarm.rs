//! A thread that panics: whatever is wrong with the program, its keys are not to be there while somebody finds out.

use std::io;
use std::panic;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;

use keystation::Station;
use keystation::people::Away;

/// Locks the station after a panic, and remembers it for whoever comes back.
#[derive(Clone)]
pub(crate) struct Alarm {
    station: Station,
    raised: Arc<AtomicBool>,
}

impl Alarm {
    /// For this station.
    pub(crate) fn new(station: Station) -> Self {
        Self { station, raised: Arc::default() }
    }

    /// Wipes the keys and locks the session, with a record of both. It waits for whoever has the session or the log in hand, so
    /// never on a thread that is still unwinding. Again is harmless.
    pub(crate) fn raise(&self) {
        self.raised.store(true, Ordering::SeqCst);
        if let Err(error) = self.station.away(Away::Panic) {
            // The keys are gone all the same: they are wiped before the record is tried.
            tracing::error!(%error, "the vault was locked after a panic, without a record");
        }
    }

    /// Whether something in this program has panicked since its start.
    pub(crate) fn was_raised(&self) -> bool {
        self.raised.load(Ordering::SeqCst)
    }

    /// From now on every panic of the process raises it, on a thread of its own: the one that panics may hold what locking takes.
    pub(crate) fn listen(&self) -> io::Result<()> {
        let (tell, told) = mpsc::channel();
        let alarm = self.clone();
        thread::Builder::new()
            .name("alarm".to_owned())
            .spawn(move || told.iter().for_each(|()| alarm.raise()))?;
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            // Nobody listens once the thread that locks has panicked itself: it has wiped the keys first.
            tell.send(()).ok();
            before(panic);
        }));
        Ok(())
    }
}
