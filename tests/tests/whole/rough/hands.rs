//! Hands that plug simulated devices in and pull them out: any device in any slot.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::thread;

use keystation_device::sim::{self, Persona, Settings, What};

use super::script::{Kind, Visit};

/// Simulated devices, and hands that put those back whose contact was lost.
pub(super) struct Hands {
    pub(super) sim: Arc<sim::Bench>,
    slots: Arc<Vec<Slot>>,
}

/// What lies in a slot. The device's own thread asks, and waits for nobody.
#[derive(Default)]
struct Slot {
    /// Its contact will be lost, and is not meant to be.
    bounces: AtomicBool,
    /// Its contact was lost, and it has to be put back.
    owed: AtomicBool,
    /// Whose hand is there: what was owed to one device is not done to the next one.
    hand: Mutex<()>,
}

impl Hands {
    /// So many slots without a device.
    pub(super) fn new(dir: &Path, slots: usize) -> Self {
        let lies: Arc<Vec<_>> = Arc::new((0..slots).map(|_| Slot::default()).collect());
        let (tell, told) = mpsc::channel();
        let seen = Arc::clone(&lies);
        let settings = Settings {
            count: slots,
            persona: Persona::default(),
            links: dir.join("links"),
            states: dir.join("states"),
            baud: None,
            script: sim::Script::default(),
        };
        // Asked on the device's own thread: what is pulled on purpose is not put back.
        let sim = sim::Bench::start(&settings, move |event| match event.what {
            What::Unplugged if seen[event.device].bounces.swap(false, Ordering::SeqCst) => {
                seen[event.device].owed.store(true, Ordering::SeqCst);
                tell.send(event.device).expect("the hands outlive the devices");
            }
            What::Failed(why) => panic!("simulated device {}: {why}", event.device),
            _ => {}
        });
        let sim = Arc::new(sim.unwrap());
        for slot in 0..slots {
            assert!(sim.unplug(slot));
        }
        let (there, lying) = (Arc::downgrade(&sim), Arc::clone(&lies));
        thread::spawn(move || {
            for slot in told {
                let Some(sim) = there.upgrade() else { return };
                let _hand = lying[slot].hand.lock().unwrap();
                if lying[slot].owed.swap(false, Ordering::SeqCst) {
                    assert!(sim.plug(slot));
                }
            }
        });
        Self { sim, slots: lies }
    }

    /// Takes the device out of a slot and has the next one ready.
    pub(super) fn lay(&self, slot: usize, visit: &Visit) {
        let lies = &self.slots[slot];
        let _hand = lies.hand.lock().unwrap();
        lies.bounces.store(false, Ordering::SeqCst);
        let Visit { device, kind, faults, .. } = visit;
        let faults = faults.parse::<sim::Script>().unwrap().faults(slot);
        assert!(self.sim.insert(slot, device.persona.clone(), &device.state, faults));
        // The last one was pulled before: nothing is owed to the new one.
        lies.owed.store(false, Ordering::SeqCst);
        lies.bounces.store(*kind == Kind::Bounced, Ordering::SeqCst);
    }

    /// Plugs in what was laid ready.
    pub(super) fn plug(&self, slot: usize) {
        assert!(self.sim.plug(slot));
    }
}
