//! One slot's loop: wait for a device, give it its key, wait until it is gone.
//!
//! One thread per slot owns the slot's port. It ends when its [`Line`] is dropped.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use keystation_core::failure::{Failure, Safety};
use keystation_core::flow::{Pass, Step};
use keystation_device::hotplug::{self, Interrupt, Waited};
use keystation_device::ports::SerialPort;

use crate::config::Profile;
use crate::error::StationError;
use crate::injection::Work;
use crate::people::Away;
use crate::station::Station;

/// What a slot tells whoever watches it.
#[derive(Debug)]
pub enum SlotEvent {
    /// The slot is ready for a device.
    Waiting,
    /// A device may be there, but the vault is locked.
    Locked,
    /// A step begins.
    Step(Step),
    /// The device has its key, proved it, and the record is durable.
    Pass {
        /// Which device, and its records.
        pass: Pass,
        /// From the first step to the durable record.
        took: Duration,
    },
    /// The device did not get PASS.
    Fail {
        /// What happened, what it means, what to do.
        failure: Failure,
        /// From the first step on.
        took: Duration,
    },
    /// The device was unplugged.
    Gone,
    /// The slot stopped: the operating system refuses to wait for its port, or the slot's thread failed.
    Broken {
        /// Why.
        cause: io::Error,
        /// What that means for the device in it, if one was at work whose PASS nobody saw.
        safety: Option<Safety>,
    },
}

/// A running slot; stops when it is dropped.
pub struct Line {
    stop: Stop,
    station: Station,
    thread: Option<JoinHandle<()>>,
}

#[derive(Clone)]
struct Stop {
    asked: Arc<AtomicBool>,
    interrupt: Interrupt,
}

impl Stop {
    fn asked(&self) -> bool {
        self.asked.load(Ordering::SeqCst)
    }
}

/// Waits end by events; this only bounds a single system call.
const FOREVER: Duration = Duration::from_secs(24 * 60 * 60);

impl Line {
    /// Starts slot `number` of the station's settings. `tell` is called on the slot's own thread.
    pub fn start(
        station: &Station,
        number: u32,
        tell: impl FnMut(SlotEvent) + Send + 'static,
    ) -> Result<Self, StationError> {
        let slot = station
            .config()
            .slots
            .iter()
            .find(|slot| slot.number == number)
            .ok_or(StationError::NoSlot(number))?;
        let profile = Profile::read(&slot.profile)?;
        let work = Work { port: slot.port.clone(), profile, job: String::new() };
        let interrupt = Interrupt::new().map_err(StationError::Thread)?;
        let stop = Stop { asked: Arc::new(AtomicBool::new(false)), interrupt };
        let mut slot = Slot { station: station.clone(), work, stop: stop.clone(), tell, at_stake: None };
        let thread = thread::Builder::new()
            .name(format!("slot-{number}"))
            .spawn(move || {
                // A slot that only fell silent would show its last step for ever. What a panic left behind is not
                // used again: the port was dropped, and of the slot only `at_stake` is read.
                let ended = catch_unwind(AssertUnwindSafe(|| slot.run())).unwrap_or_else(|_| {
                    // Whatever is wrong with the program, its keys are not to be there while somebody finds out.
                    if let Err(error) = slot.station.away(Away::Panic) {
                        tracing::error!(%error, "the vault was locked after a panic, without a record");
                    }
                    Err(io::Error::other("the slot's thread failed"))
                });
                if let Err(cause) = ended {
                    (slot.tell)(SlotEvent::Broken { cause, safety: slot.at_stake });
                }
            })
            .map_err(StationError::Thread)?;
        Ok(Self { stop, station: station.clone(), thread: Some(thread) })
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.stop.asked.store(true, Ordering::SeqCst);
        if let Err(error) = self.stop.interrupt.raise() {
            tracing::error!(%error, "a slot cannot be woken");
        }
        self.station.wake();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("a slot's thread panicked");
        }
    }
}

struct Slot<F> {
    station: Station,
    work: Work,
    stop: Stop,
    tell: F,
    /// What it would mean for the device in the slot if the slot stopped now.
    at_stake: Option<Safety>,
}

impl<F: FnMut(SlotEvent)> Slot<F> {
    fn run(&mut self) -> io::Result<()> {
        while !self.stop.asked() {
            (self.tell)(SlotEvent::Waiting);
            let path = self.work.port.clone();
            if hotplug::until_present(&path, FOREVER, &self.stop.interrupt)? != Waited::Happened {
                continue;
            }
            if !self.ready() {
                break;
            }
            if !path.exists() {
                // It was unplugged while the station was locked.
                continue;
            }
            let port = self.key_device();
            self.until_gone(port)?;
            self.at_stake = None;
            if !self.stop.asked() {
                (self.tell)(SlotEvent::Gone);
            }
        }
        Ok(())
    }

    /// Waits for somebody who may inject, and for the custody of the key; `false` when the slot is to stop.
    fn ready(&mut self) -> bool {
        let key = &self.work.profile.group_key;
        if !self.station.is_ready_for(key) {
            (self.tell)(SlotEvent::Locked);
        }
        self.station.wait_until(|| self.station.is_ready_for(key) || self.stop.asked());
        !self.stop.asked()
    }

    fn key_device(&mut self) -> Option<SerialPort> {
        let began = Instant::now();
        self.at_stake = Some(Safety::Unknown);
        let mut port = None;
        let result = self.station.may_inject().and_then(|permit| {
            let port = port.insert(self.station.open_port(&permit, &self.work)?);
            let watch = &mut |step| (self.tell)(SlotEvent::Step(step));
            self.station.inject(&permit, &self.work, port, watch)
        });
        let took = began.elapsed();
        self.at_stake = result.as_ref().err().map(|failure| failure.safety);
        (self.tell)(match result {
            Ok(pass) => SlotEvent::Pass { pass, took },
            Err(failure) => SlotEvent::Fail { failure, took },
        });
        port
    }

    fn until_gone(&self, port: Option<SerialPort>) -> io::Result<()> {
        match port {
            Some(port) => port.until_gone(FOREVER, &self.stop.interrupt)?,
            None => hotplug::until_absent(&self.work.port, FOREVER, &self.stop.interrupt)?,
        };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::mpsc;

    use keystation_vault::{Passphrase, SealedFile, SecretText, WorkFactor};

    use super::*;
    use crate::data_dir::DataDir;
    use crate::people::{Action, testing};

    /// A station with one slot, on a port that is no port.
    fn station(dir: &Path) -> Station {
        let data = DataDir::new(dir.join("data"));
        Station::init(&data, "keylog.example.com/plant7/stn03").unwrap();
        let port = dir.join("port");
        std::fs::write(&port, "").unwrap();
        let slot = format!("\n[[slot]]\nport = \"{}\"\nprofile = \"example.toml\"\n", port.display());
        let settings = std::fs::read_to_string(data.settings()).unwrap() + &slot;
        std::fs::write(data.settings(), settings).unwrap();
        testing::open(&data)
    }

    #[test]
    fn a_slot_whose_thread_fails_says_so() {
        let dir = tempfile::tempdir().unwrap();
        let station = station(dir.path());
        let (told, events) = mpsc::channel();
        let line = Line::start(&station, 1, move |event| {
            assert!(!matches!(event, SlotEvent::Locked), "a defect of whoever is told");
            told.send(event).expect("the test reads on");
        })
        .unwrap();
        assert!(matches!(events.recv().unwrap(), SlotEvent::Waiting));
        let SlotEvent::Broken { cause, safety } = events.recv().unwrap() else { panic!("it goes on") };
        assert_eq!((cause.to_string().as_str(), safety), ("the slot's thread failed", None));
        drop(line);
        station.close().unwrap();
    }

    #[test]
    fn the_vault_is_locked_before_anybody_is_told_that_a_slot_failed() {
        let dir = tempfile::tempdir().unwrap();
        let station = station(dir.path());
        let sealed = SealedFile::at(station.data().vault()).with_work_factor(WorkFactor::TEST);
        let passphrase = || Passphrase::new(SecretText::new("a passphrase of a test".to_owned()).unwrap());
        sealed.create(&passphrase().unwrap()).unwrap();
        testing::sign_in(&station, "op-0117", "operator");
        let permit = station.permit(Action::Unlock).unwrap();
        station.unlock(&permit, &passphrase().unwrap()).unwrap();
        let (told, events) = mpsc::channel();
        let seen = station.clone();
        let line = Line::start(&station, 1, move |event| match event {
            SlotEvent::Broken { .. } => told.send(seen.is_unlocked()).expect("the test reads on"),
            _ => panic!("a defect of whoever is told"),
        })
        .unwrap();
        assert!(!events.recv().unwrap(), "the keys are there after the panic");
        drop(line);
        station.close().unwrap();
    }
}
