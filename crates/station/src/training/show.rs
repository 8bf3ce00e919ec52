//! Who plugs the simulated devices of a training in and out, and scans their labels. One thread for each slot; what the slot tells
//! decides when the next device comes.

use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use std::{collections::BTreeMap, fs, io};

use keystation_device::sim::{Bench, Persona, Script, Settings};

use super::acts::{ACTS, Act};
use super::station::port;
use crate::data_dir::DataDir;
use crate::line::SlotEvent;

/// How long a device with PASS stays plugged in.
const PASSED: Duration = Duration::from_secs(3);
/// One with FAIL: long enough to read what to do.
const FAILED: Duration = Duration::from_secs(8);
/// How long a slot is empty.
const EMPTY: Duration = Duration::from_secs(2);
/// Devices of one slot: their numbers are those of no other slot.
const PER_SLOT: usize = 100_000;

/// Takes the label of the device that comes next into a slot.
pub(crate) type Scanner = Arc<dyn Fn(u32, &str) + Send + Sync>;

/// What the hands of a slot are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    /// Its device is done, and whether it passed.
    Done { passed: bool },
    /// The show is over.
    Over,
}

/// The hands at the bench. Dropping it unplugs everything.
pub(crate) struct Show {
    slots: BTreeMap<u32, Sender<Told>>,
    /// Of the hands that have not begun. Whoever has a part of the line may be on another thread.
    inboxes: Mutex<Vec<(u32, Receiver<Told>)>>,
    threads: Vec<JoinHandle<()>>,
}

impl Show {
    /// For these slots; nothing is plugged in yet.
    pub(crate) fn new(numbers: impl Iterator<Item = u32>) -> Self {
        let (mut slots, mut inboxes) = (BTreeMap::new(), Vec::new());
        for number in numbers {
            let (ended, inbox) = mpsc::channel();
            slots.insert(number, ended);
            inboxes.push((number, inbox));
        }
        Self { slots, inboxes: Mutex::new(inboxes), threads: Vec::new() }
    }

    /// Who is to be told what the slots tell.
    pub(crate) fn ears(&self) -> impl Fn(u32, &SlotEvent) + Send + Sync + 'static {
        let slots = self.slots.clone();
        move |number, event| {
            let passed = match event {
                SlotEvent::Pass { .. } => true,
                SlotEvent::Fail { .. } => false,
                _ => return,
            };
            if let Some(slot) = slots.get(&number) {
                // Nobody listens once the show is over.
                let _ = slot.send(Told::Done { passed });
            }
        }
    }

    /// Plugs the first devices in.
    pub(crate) fn begin(&mut self, data: &DataDir, scan: &Scanner) -> io::Result<()> {
        let inboxes = self.inboxes.get_mut().unwrap_or_else(PoisonError::into_inner);
        for (number, ended) in inboxes.drain(..) {
            let link = port(data, number);
            let hands = Hands { number, link, ended, scan: Arc::clone(scan) };
            let thread = thread::Builder::new().name(format!("trainer-{number}"));
            self.threads.push(thread.spawn(move || hands.work())?);
        }
        Ok(())
    }
}

impl Drop for Show {
    fn drop(&mut self) {
        for slot in self.slots.values() {
            // One that has ended needs not to be told.
            let _ = slot.send(Told::Over);
        }
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a thread that plugs simulated devices in panicked");
            }
        }
    }
}

/// One slot's.
struct Hands {
    number: u32,
    link: PathBuf,
    ended: Receiver<Told>,
    scan: Scanner,
}

/// The show is over.
struct Over;

impl Hands {
    fn work(self) {
        let first = self.number as usize - 1;
        for number in 0.. {
            let act = &ACTS[(first + number) % ACTS.len()];
            match self.play(act, first * PER_SLOT + number + 1) {
                Ok(Ok(())) => {}
                Ok(Err(Over)) => return,
                Err(error) => {
                    tracing::error!(%error, slot = self.number, "there are no more simulated devices");
                    return;
                }
            }
        }
    }

    /// One device, from its label to its unplugging.
    fn play(&self, act: &Act, number: usize) -> Result<Result<(), Over>, Box<dyn std::error::Error>> {
        let persona = Persona { serial: Some("TRAINING-0000000".to_owned()), ..Persona::default() };
        let persona = persona.numbered(number);
        let other = persona.numbered(PER_SLOT / 2);
        let labelled = if act.other_label { &other } else { &persona };
        (self.scan)(self.number, labelled.serial.as_deref().unwrap_or_default());
        let links = self.link.parent().unwrap_or(&self.link).to_owned();
        let states = links.join("state");
        // Another device has another memory.
        match fs::remove_dir_all(&states) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        let baud = std::num::NonZeroU32::new(115_200);
        let script = act.faults.parse::<Script>()?;
        let bench = Bench::start(&Settings { count: 1, persona, links, states, baud, script }, |_| {})?;
        let Ok(Told::Done { passed }) = self.ended.recv() else { return Ok(Err(Over)) };
        if self.rest(if passed { PASSED } else { FAILED }).is_err() {
            return Ok(Err(Over));
        }
        drop(bench);
        Ok(self.rest(EMPTY))
    }

    /// Waits, unless the show is over.
    fn rest(&self, long: Duration) -> Result<(), Over> {
        match self.ended.recv_timeout(long) {
            Ok(Told::Over) | Err(RecvTimeoutError::Disconnected) => Err(Over),
            // A device has one result: this is not reached with another.
            Ok(Told::Done { .. }) | Err(RecvTimeoutError::Timeout) => Ok(()),
        }
    }
}
