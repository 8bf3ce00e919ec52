//! Hands that plug simulated devices in and pull them out: any device in any slot.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;

use keystation_device::sim::{self, Persona, Settings, What};

use super::script::{Kind, Visit};

/// Simulated devices, and hands that put those back whose contact was lost.
pub(super) struct Hands {
    pub(super) sim: Arc<sim::Bench>,
    back: Arc<Vec<AtomicBool>>,
}

impl Hands {
    /// So many slots without a device.
    pub(super) fn new(dir: &Path, slots: usize) -> Self {
        let back: Arc<Vec<_>> = Arc::new((0..slots).map(|_| AtomicBool::new(false)).collect());
        let (tell, told) = mpsc::channel();
        let bounces = Arc::clone(&back);
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
            What::Unplugged if bounces[event.device].swap(false, Ordering::SeqCst) => {
                tell.send(event.device).expect("the hands outlive the devices");
            }
            What::Failed(why) => panic!("simulated device {}: {why}", event.device),
            _ => {}
        });
        let sim = Arc::new(sim.unwrap());
        for slot in 0..slots {
            assert!(sim.unplug(slot));
        }
        let hand = Arc::downgrade(&sim);
        thread::spawn(move || {
            for slot in told {
                let Some(sim) = hand.upgrade() else { return };
                assert!(sim.plug(slot));
            }
        });
        Self { sim, back }
    }

    /// Takes the device out of a slot and has the next one ready.
    pub(super) fn lay(&self, slot: usize, visit: &Visit) {
        self.back[slot].store(false, Ordering::SeqCst);
        let Visit { device, kind, faults, .. } = visit;
        let faults = faults.parse::<sim::Script>().unwrap().faults(slot);
        assert!(self.sim.insert(slot, device.persona.clone(), &device.state, faults));
        self.back[slot].store(*kind == Kind::Bounced, Ordering::SeqCst);
    }

    /// Plugs in what was laid ready.
    pub(super) fn plug(&self, slot: usize) {
        assert!(self.sim.plug(slot));
    }
}
