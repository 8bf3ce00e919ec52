//! The line: all slots of the station, a thread each. `docs/line.md` says what a slot does and when it is taken out.
//!
//! One thread per slot owns the slot's port. No lock is held while a device is waited for: what slots share (labels that
//! were scanned, what each of them shows) is locked for a look. All threads end when their [`Line`] is dropped.

mod account;
mod event;
mod health;
mod label;
mod scanning;
mod slot;
mod wear;
mod work;

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use keystation_core::record::Event;
use keystation_device::hotplug::Interrupt;

use crate::config::{Profile, Purpose, SlotConfig};
use crate::error::StationError;
use crate::people::{Action, Permit};
use crate::repair::BatchWork;
use crate::station::Station;
use crate::training::{Scanner, Show};

pub use account::{Account, Logged};
pub use event::{LineEvent, Past, ScannerFault, SlotEvent, SlotState};
pub use health::{CYCLES, FAILURES, Health, MINUTE, Nature, OutReason, nature};
pub use label::{Label, LabelError, LabelMatch, LabelRule, Scan, Scans};
use slot::Slot;
pub use wear::Contact;
use wear::Wear;

/// Results that a slot remembers.
pub const HISTORY: usize = 20;

/// A running line; stops when it is dropped, each slot after the device that it is keying.
pub struct Line {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
    /// Who plugs the devices of a training in.
    show: Option<Box<Show>>,
}

/// What is known of a slot.
#[derive(Debug, Clone)]
pub struct SlotView {
    /// Its number.
    pub number: u32,
    /// What it does.
    pub state: SlotState,
    /// Its last results, newest last, at most [`HISTORY`].
    pub history: Vec<Past>,
    /// What it counts, since the line was started.
    pub health: Health,
    /// What became of its contact, over all starts.
    pub contact: Contact,
}

/// What the slots of a line do.
enum Duty {
    /// First keys, under the work order that is open.
    Orders,
    /// Keys again, of one batch.
    Rekey(Arc<BatchWork>),
}

/// What the threads of a line share.
struct Shared {
    station: Station,
    duty: Duty,
    tell: Box<dyn Fn(LineEvent) + Send + Sync>,
    stop: AtomicBool,
    /// Raised once the line is to stop.
    interrupt: Interrupt,
    began: Instant,
    scans: Mutex<Scans>,
    wear: Wear,
    cards: BTreeMap<u32, Mutex<Card>>,
}

/// What a slot shows.
struct Card {
    /// Where its devices are plugged in.
    place: String,
    state: SlotState,
    history: VecDeque<Past>,
    health: Health,
    /// While it is out.
    out: Option<OutReason>,
}

/// Nothing is left half-done in what a thread that panicked held.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    fn stopping(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }

    fn card(&self, number: u32) -> MutexGuard<'_, Card> {
        lock(self.cards.get(&number).expect("every slot of the line has one"))
    }

    /// Takes what a scanner sent.
    fn scanned(&self, text: &str) -> Result<Scan, LabelError> {
        let scan = Scan::new(text).and_then(|scan| match scan {
            Scan::Slot(number) if !self.cards.contains_key(&number) => Err(LabelError::NoSlot(number)),
            scan => Ok(scan),
        });
        // Before it is told: whoever hears of a label may plug its device in at once.
        if let Ok(scan) = &scan {
            self.change_scans(|scans| scans.put(scan.clone()));
        }
        (self.tell)(LineEvent::Scan(scan.clone()));
        scan
    }

    /// Takes the label of the device that is plugged into slot `number` next, from hands that know it.
    fn labelled(&self, number: u32, text: &str) {
        let label = Label::new(text);
        if let Ok(label) = &label {
            self.change_scans(|scans| scans.put_for(number, label.clone()));
        }
        (self.tell)(LineEvent::Scan(Ok(Scan::Slot(number))));
        (self.tell)(LineEvent::Scan(label.map(Scan::Label)));
    }

    /// Changes the labels that wait, and tells what there is then.
    fn change_scans<T>(&self, change: impl FnOnce(&mut Scans) -> T) -> T {
        let (changed, scans) = {
            let mut scans = lock(&self.scans);
            (change(&mut scans), scans.clone())
        };
        (self.tell)(LineEvent::Labels(scans));
        changed
    }
}

impl Line {
    /// Starts these slots of the station's settings, and its scanner. `tell` is called on the threads of the line; a slot waits
    /// for it.
    pub fn start(
        station: &Station,
        numbers: &[u32],
        tell: impl Fn(LineEvent) + Send + Sync + 'static,
    ) -> Result<Self, StationError> {
        Self::on_duty(station, numbers, Duty::Orders, tell)
    }

    /// The same for the devices of a batch of repair, by the profile of that batch: docs/repair.md.
    pub fn rekey(
        station: &Station,
        numbers: &[u32],
        batch: Arc<BatchWork>,
        tell: impl Fn(LineEvent) + Send + Sync + 'static,
    ) -> Result<Self, StationError> {
        Self::on_duty(station, numbers, Duty::Rekey(batch), tell)
    }

    fn on_duty(
        station: &Station,
        numbers: &[u32],
        duty: Duty,
        tell: impl Fn(LineEvent) + Send + Sync + 'static,
    ) -> Result<Self, StationError> {
        let mut slots = Vec::new();
        let mut cards = BTreeMap::new();
        for &number in numbers {
            let slot = station.config().slots.iter().find(|slot| slot.number == number);
            // A device that came back is not to be begun, or told FAIL, because somebody named its slot.
            let meant = |slot: &&SlotConfig| matches!(duty, Duty::Rekey(_)) || slot.purpose == Purpose::Line;
            let slot = slot.filter(meant).ok_or(StationError::NoSlot(number))?;
            let card = Card {
                place: slot.place.to_string(),
                state: SlotState::Waiting,
                history: VecDeque::new(),
                health: Health::default(),
                out: None,
            };
            // Twice the same number is one slot.
            if cards.insert(number, Mutex::new(card)).is_none() {
                let profile = match &duty {
                    Duty::Orders => Profile::read(&slot.profile)?,
                    Duty::Rekey(batch) => batch.profile().clone(),
                };
                slots.push((slot.clone(), profile));
            }
        }
        let mut show = station.is_training().then(|| Show::new(cards.keys().copied()));
        let ears = show.as_ref().map(Show::ears);
        let shared = Arc::new(Shared {
            station: station.clone(),
            duty,
            tell: Box::new(move |event| {
                if let (Some(ears), LineEvent::Slot(number, event)) = (&ears, &event) {
                    ears(*number, event);
                }
                tell(event);
            }),
            stop: AtomicBool::new(false),
            interrupt: Interrupt::new().map_err(StationError::Thread)?,
            began: Instant::now(),
            scans: Mutex::default(),
            wear: Wear::read(station.data().slots())?,
            cards,
        });
        // Ahead of the first device: what passes has its label to come.
        station.begin_after(true)?;
        // From here on a failure drops the line, which stops what was started.
        let mut line = Self { shared: Arc::clone(&shared), threads: Vec::new(), show: None };
        for (config, profile) in slots {
            let name = format!("slot-{}", config.number);
            let slot = Slot::new(Arc::clone(&shared), config, profile).map_err(StationError::Thread)?;
            line.spawn(name, || slot.work())?;
        }
        if let Some(show) = &mut show {
            let weak = Arc::downgrade(&shared);
            let scan = move |number: u32, label: &str| {
                if let Some(shared) = weak.upgrade() {
                    shared.labelled(number, label);
                }
            };
            show.begin(station.data(), &(Arc::new(scan) as Scanner)).map_err(StationError::Thread)?;
        }
        line.show = show.map(Box::new);
        if let Some(config) = station.config().scanner.clone() {
            line.spawn("scanner".to_owned(), move || scanning::scan(&shared, &config))?;
        }
        Ok(line)
    }

    fn spawn(&mut self, name: String, work: impl FnOnce() + Send + 'static) -> Result<(), StationError> {
        let thread = thread::Builder::new().name(name).spawn(work).map_err(StationError::Thread)?;
        self.threads.push(thread);
        Ok(())
    }

    /// Takes what a scanner typed: the label of the device that is plugged in next, or in the slot that was named before it. Says
    /// what it was; everything else is refused and triggers nothing.
    pub fn scanned(&self, text: &str) -> Result<Scan, LabelError> {
        self.shared.scanned(text)
    }

    /// Puts a slot back that was taken out, once that is in the log. Says whether it was out. Permit: [`Action::PutBack`].
    pub fn put_back(&self, permit: &Permit, number: u32) -> Result<bool, StationError> {
        self.shared.station.honour(permit, Action::PutBack)?;
        if !self.shared.cards.contains_key(&number) {
            let missing = Err(StationError::NoSlot(number));
            return self.shared.station.done_or_told(permit, &number.to_string(), missing);
        }
        if self.shared.card(number).out.is_none() {
            return Ok(false);
        }
        self.shared.station.append_by(permit, Event::SlotBack { number })?;
        self.shared.card(number).out = None;
        self.shared.station.wake();
        Ok(true)
    }

    /// Writes how often contacts closed, as far as the file does not have it: for a program that dies without dropping the line.
    pub fn keep_contacts(&self) {
        self.shared.wear.flush();
    }

    /// All slots, by number.
    #[must_use]
    pub fn slots(&self) -> Vec<SlotView> {
        let view = |(&number, card): (&u32, &Mutex<Card>)| {
            let card = lock(card);
            SlotView {
                number,
                state: card.state,
                history: card.history.iter().cloned().collect(),
                health: card.health.clone(),
                contact: self.shared.wear.of(&card.place),
            }
        };
        self.shared.cards.iter().map(view).collect()
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        if let Err(error) = self.shared.interrupt.raise() {
            tracing::error!(%error, "a slot cannot be woken");
        }
        self.shared.station.wake();
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a slot's thread panicked");
            }
        }
        self.shared.wear.flush();
        // After the devices are done.
        drop(self.show.take());
    }
}
