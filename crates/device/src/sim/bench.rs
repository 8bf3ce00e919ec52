//! Many simulated devices at once.

use std::fs;
use std::io;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, Sender, SyncSender};
use std::thread::{self, JoinHandle};

use super::Persona;
use super::device::SimDevice;
use super::script::{Faults, Script};
use super::slot::{Order, Slot};
use crate::hotplug::Interrupt;

/// How a bench is set up.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How many devices.
    pub count: usize,
    /// Who device 0 is; the others count up from there.
    pub persona: Persona,
    /// Directory of the links `dev0`, `dev1`, …; made if missing.
    pub links: PathBuf,
    /// Directory of the memories `dev0.json`, `dev1.json`, …; made if missing. They hold device keys.
    pub states: PathBuf,
    /// Speed of the lines, 10 bits a byte; `None` for as fast as the computer.
    pub baud: Option<NonZeroU32>,
    /// What goes wrong.
    pub script: Script,
}

/// Something happened to a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its number.
    pub device: usize,
    /// The link to its port.
    pub path: PathBuf,
    /// What.
    pub what: What,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// It is plugged in and has power; with the name of its pseudo-terminal.
    Ready(PathBuf),
    /// The cable was pulled.
    Unplugged,
    /// It is out of order until the bench is started again.
    Failed(String),
}

/// A bench that cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum SimError {
    /// A directory cannot be made, or a thread cannot be started.
    #[error("{what}")]
    Setup {
        /// What was tried.
        what: String,
        /// Why it failed.
        source: io::Error,
    },
    /// A text of the persona that no packet could carry.
    #[error("the serial number may have 200 bytes, the firmware version 100")]
    TooLong,
    /// A device did not come up.
    #[error("a simulated device did not start: {0}")]
    NotStarted(String),
}

/// Running simulated devices. Dropping it switches them off, in good order.
pub struct Bench {
    devices: Vec<Handle>,
}

struct Handle {
    link: PathBuf,
    state: PathBuf,
    orders: Sender<Order>,
    wake: Interrupt,
    thread: Option<JoinHandle<()>>,
}

impl Bench {
    /// Starts the devices and returns when all are plugged in. `watch` is told of every event, from their threads.
    pub fn start(
        settings: &Settings,
        watch: impl Fn(Event) + Send + Sync + 'static,
    ) -> Result<Self, SimError> {
        let setup = |what: String| move |source| SimError::Setup { what, source };
        let Persona { serial, firmware, .. } = settings.persona.numbered(settings.count);
        if serial.is_some_and(|serial| serial.len() > 200) || firmware.len() > 100 {
            return Err(SimError::TooLong);
        }
        for directory in [&settings.links, &settings.states] {
            fs::create_dir_all(directory).map_err(setup(format!("cannot make {}", directory.display())))?;
        }
        let (ready, started) = mpsc::channel();
        let watch: Arc<dyn Fn(Event) + Send + Sync> = Arc::new(move |event: Event| {
            let start = match &event.what {
                What::Ready(_) => Some(Ok(())),
                What::Failed(why) => Some(Err(why.clone())),
                What::Unplugged => None,
            };
            watch(event);
            if let Some(start) = start {
                // Nobody listens once all have started.
                let _ = ready.send(start);
            }
        });
        let mut bench = Self { devices: Vec::new() };
        for number in 0..settings.count {
            let link = settings.links.join(format!("dev{number}"));
            let state = settings.states.join(format!("dev{number}.json"));
            let (orders, inbox) = mpsc::channel();
            let wake = Interrupt::new().map_err(setup("cannot make an event descriptor".to_owned()))?;
            let faults = settings.script.faults(number);
            let device = SimDevice::new(settings.persona.numbered(number), &state, faults.clone());
            let slot =
                Slot::new(number, device, faults, &link, settings.baud, (inbox, wake.clone()), watch.clone());
            let thread = thread::Builder::new()
                .name(format!("dev{number}"))
                .spawn(move || slot.run())
                .map_err(setup("cannot start a thread".to_owned()))?;
            bench.devices.push(Handle { link, state, orders, wake, thread: Some(thread) });
        }
        for _ in 0..settings.count {
            started.recv().expect("this function holds a sender").map_err(SimError::NotStarted)?;
        }
        Ok(bench)
    }

    /// How many devices there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.devices.len()
    }

    /// The link to the port of a device.
    #[must_use]
    pub fn port(&self, device: usize) -> &Path {
        &self.devices[device].link
    }

    /// The file that a device keeps its set in.
    #[must_use]
    pub fn state(&self, device: usize) -> &Path {
        &self.devices[device].state
    }

    /// Pulls the cable of a device: its port is gone, its memory lost. Returns when it is done; `false` when the device is
    /// out of order.
    pub fn unplug(&self, device: usize) -> bool {
        self.order(device, Order::Unplug)
    }

    /// Puts the cable of a device back.
    pub fn plug(&self, device: usize) -> bool {
        self.order(device, Order::Plug)
    }

    /// Gives a device another script.
    pub fn set_faults(&self, device: usize, faults: Faults) -> bool {
        self.order(device, |done| Order::Faults(faults, done))
    }

    /// Puts another device, with its own memory at `state`, in the place of the one in this slot, which is pulled first if it is
    /// plugged in. The new one is unplugged: [`Bench::plug`]. Returns when it is done; `false` when the slot is out of order.
    pub fn insert(&self, device: usize, persona: Persona, state: &Path, faults: Faults) -> bool {
        let new = Box::new((SimDevice::new(persona, state, faults.clone()), faults));
        self.order(device, |done| Order::Insert(new, done))
    }

    fn order(&self, device: usize, order: impl FnOnce(SyncSender<()>) -> Order) -> bool {
        let (done, carried_out) = mpsc::sync_channel(1);
        let handle = &self.devices[device];
        handle.orders.send(order(done)).is_ok() && handle.wake.raise().is_ok() && carried_out.recv().is_ok()
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        for handle in &self.devices {
            // A device that is out of order has nobody to tell.
            let _ = handle.orders.send(Order::Stop);
            let _ = handle.wake.raise();
        }
        for handle in &mut self.devices {
            if let Some(thread) = handle.thread.take() {
                // A panic was printed when it happened.
                let _ = thread.join();
            }
        }
    }
}
