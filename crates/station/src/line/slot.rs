//! One slot's loop: wait for a device, give it its key, wait until it is gone.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use keystation_core::failure::{Code, Failure, Safety};
use keystation_core::flow::{Pass, Step};
use keystation_core::identity::Identity;
use keystation_device::hotplug::{Waited, Watch};
use keystation_device::place::{Found, Place};
use keystation_device::ports::SerialPort;

use super::event::{LineEvent, Past, SlotEvent, SlotState};
use super::health::{OutReason, nature};
use super::label::{Label, LabelMatch};
use super::{Duty, HISTORY, Shared};
use crate::config::{Profile, SlotConfig};
use crate::injection::Meant;
use crate::people::Away;

/// Waits end by events; this only bounds a single system call.
const FOREVER: Duration = Duration::from_secs(24 * 60 * 60);
/// A device that was unplugged and is back within this time had a bad contact, and is tried once more.
const BACK: Duration = Duration::from_secs(2);

/// One slot, on its thread.
pub(super) struct Slot {
    line: Arc<Shared>,
    config: SlotConfig,
    profile: Profile,
    watch: Watch,
    /// What it would mean for the device in the slot if the slot stopped now.
    at_stake: Option<Safety>,
    /// The slot is to go out as soon as its device is gone.
    bad: Option<OutReason>,
}

/// What came of one try.
struct Try {
    result: Result<Pass, Failure>,
    took: Duration,
    port: Option<SerialPort>,
    /// It came as far as the restart: the device had acknowledged its set.
    acknowledged: bool,
}

/// The try before, of a retry.
#[derive(Debug, Clone, Copy, Default)]
struct Before<'a> {
    identity: Option<&'a Identity>,
    acknowledged: bool,
}

/// What is known of a device after its result, before that result is told: whoever hears it may put the next one in at once.
enum Left {
    /// It was gone: what is there now is the next one.
    Gone,
    /// It is there, or was when last seen; an open port tells its hang-up.
    There(Option<SerialPort>),
}

impl Left {
    /// A port that is open tells of a hang-up also afterwards; a place does not tell that it was empty in between.
    fn after(port: Option<SerialPort>, place: &Place) -> Self {
        match port {
            None if matches!(place.find(), Ok(Found::Nothing)) => Self::Gone,
            port => Self::There(port),
        }
    }
}

impl Slot {
    pub(super) fn new(line: Arc<Shared>, config: SlotConfig, profile: Profile) -> io::Result<Self> {
        let watch = Watch::new(config.place.clone())?;
        Ok(Self { line, config, profile, watch, at_stake: None, bad: None })
    }

    /// Works until the line stops.
    pub(super) fn work(mut self) {
        // A slot that only fell silent would show its last step for ever. What a panic left behind is not
        // used again: the port was dropped, and of the slot only `at_stake` is read.
        let ended = catch_unwind(AssertUnwindSafe(|| self.run())).unwrap_or_else(|_| {
            // Whatever is wrong with the program, its keys are not to be there while somebody finds out.
            if let Err(error) = self.line.station.away(Away::Panic) {
                tracing::error!(%error, "the vault was locked after a panic, without a record");
            }
            Err(io::Error::other("the slot's thread failed"))
        });
        if let Err(cause) = ended {
            self.tell(SlotEvent::Broken { cause, safety: self.at_stake });
        }
    }

    fn tell(&self, event: SlotEvent) {
        let state = match &event {
            SlotEvent::Waiting | SlotEvent::Gone | SlotEvent::Back => Some(SlotState::Waiting),
            SlotEvent::Locked => Some(SlotState::Locked),
            SlotEvent::Step(step) => Some(SlotState::Working(*step)),
            SlotEvent::Retry { .. } => None,
            SlotEvent::Pass { .. } => Some(SlotState::Passed),
            SlotEvent::Fail { failure, .. } => Some(SlotState::Failed(failure.code)),
            SlotEvent::Out(reason) => Some(SlotState::Out(*reason)),
            SlotEvent::Broken { .. } => Some(SlotState::Broken),
        };
        if let Some(state) = state {
            self.line.card(self.config.number).state = state;
        }
        (self.line.tell)(LineEvent::Slot(self.config.number, event));
    }

    fn run(&mut self) -> io::Result<()> {
        while !self.line.stopping() {
            if let Some(reason) = self.bad.take() {
                self.stay_out(reason);
                continue;
            }
            self.tell(SlotEvent::Waiting);
            if self.watch.until_present(FOREVER, &self.line.interrupt)? != Waited::Happened {
                continue;
            }
            self.line.wear.closed(&self.config.place.to_string());
            let waited = self.ready();
            if self.line.stopping() {
                break;
            }
            if self.config.place.find()? == Found::Nothing {
                // Unplugged while the station was locked is nobody's fault.
                self.bad = if waited { None } else { self.lost_contact() };
                self.line.wear.keep();
                continue;
            }
            let left = self.key_device()?;
            self.line.wear.keep();
            self.until_gone(left)?;
            self.at_stake = None;
            if !self.line.stopping() {
                self.tell(SlotEvent::Gone);
            }
        }
        Ok(())
    }

    /// Waits until somebody puts the slot back, or the line stops.
    fn stay_out(&self, reason: OutReason) {
        let Shared { station, .. } = &*self.line;
        let number = self.config.number;
        if let Err(error) = station.append_alone(reason.record(number)) {
            // It is out all the same. A log that takes no record stops every slot at its next device.
            tracing::error!(%error, number, "a slot was taken out without a record");
        }
        self.line.card(number).out = Some(reason);
        self.tell(SlotEvent::Out(reason));
        let is_out = || self.line.card(number).out.is_some();
        station.wait_until(|| !is_out() || self.line.stopping());
        if !self.line.stopping() {
            self.line.card(number).health.put_back();
            self.tell(SlotEvent::Back);
        }
    }

    /// Waits for somebody who may inject, and for the custody of the key. Says whether it had to wait.
    fn ready(&self) -> bool {
        let Shared { station, .. } = &*self.line;
        let waits = !self.is_ready();
        if waits {
            self.tell(SlotEvent::Locked);
            station.wait_until(|| self.is_ready() || self.line.stopping());
        }
        waits
    }

    /// Whether the next device would be begun, as far as people, custody and pauses are concerned.
    fn is_ready(&self) -> bool {
        match &self.line.duty {
            Duty::Orders => self.line.station.is_ready_for(&self.profile.group_key),
            Duty::Rekey(batch) => batch.is_ready(),
        }
    }

    /// One device: a try, a second one if the first failed by chance, and the result.
    fn key_device(&mut self) -> io::Result<Left> {
        // Until the result was told: a program that ends waits for it.
        let in_work = self.line.station.busy();
        self.at_stake = Some(Safety::Unknown);
        let label = match (&self.line.duty, self.profile.label) {
            (Duty::Rekey(_), _) | (Duty::Orders, LabelMatch::None) => None,
            _ => self.line.change_scans(|scans| scans.take(self.config.number)),
        };
        let mut retried = false;
        let Try { result, took, port, .. } = match self.attempt(label.as_ref(), Before::default()) {
            // Where nobody could begin it any more there is no second try: the station was locked, or ends.
            Try { result: Err(failure), took, port, acknowledged }
                if nature(failure.code).transient && self.is_ready() && !self.line.stopping() =>
            {
                // Opened anew: what was received of the first try is thrown away.
                drop(port);
                let back = self.is_back(failure.code).unwrap_or_else(|error| {
                    // Its failure is told all the same, and the slot stops at the next look.
                    tracing::error!(%error, "nobody can look whether a device is back");
                    false
                });
                if back {
                    retried = true;
                    let before = failure.identity.clone();
                    self.line.card(self.config.number).health.retried();
                    self.tell(SlotEvent::Retry { failure, took });
                    self.attempt(label.as_ref(), Before { identity: before.as_ref(), acknowledged })
                } else {
                    Try { result: Err(failure), took, port: None, acknowledged }
                }
            }
            tried => tried,
        };
        self.at_stake = result.as_ref().err().map(|failure| failure.safety);
        self.remember(&result, took, retried);
        let left = Left::after(port, &self.config.place);
        self.tell(match result {
            Ok(pass) => SlotEvent::Pass { pass, took },
            Err(failure) => SlotEvent::Fail { failure, took },
        });
        drop(in_work);
        Ok(left)
    }

    /// One try. Only the device that failed in the one `before` is tried again.
    fn attempt(&mut self, label: Option<&Label>, before: Before<'_>) -> Try {
        let began = Instant::now();
        let station = &self.line.station;
        let mut port = None;
        let mut acknowledged = false;
        let meant = Meant { label, before: before.identity, acknowledged: before.acknowledged };
        let mut watch = |step| {
            acknowledged |= step == Step::Restart;
            self.tell(SlotEvent::Step(step));
        };
        let result = match &self.line.duty {
            Duty::Orders => station.may_inject().and_then(|permit| {
                let work = station.next_work(&self.config, &self.profile)?;
                let port = port.insert(station.open_port(&permit, &work)?);
                station.inject(&permit, &work, meant, port, &mut watch)
            }),
            Duty::Rekey(batch) => batch.rekey(&self.config.place, meant, &mut port, &mut watch),
        };
        let took = began.elapsed();
        if matches!(&result, Err(Failure { code: Code::Unplugged, .. })) {
            self.bad = self.lost_contact().or(self.bad);
        }
        Try { result, took, port, acknowledged }
    }

    /// Whether the device that failed is there to be tried again; one that was unplugged has two seconds to come back.
    fn is_back(&self, code: Code) -> io::Result<bool> {
        if code == Code::Unplugged {
            let until = Instant::now() + BACK;
            // The hang-up comes first, the device file goes a moment later.
            self.watch.until_absent(BACK, &self.line.interrupt)?;
            let left = until.saturating_duration_since(Instant::now());
            self.watch.until_present(left, &self.line.interrupt)?;
        }
        Ok(!self.line.stopping() && self.config.place.find()? != Found::Nothing)
    }

    fn lost_contact(&self) -> Option<OutReason> {
        self.line.wear.lost(&self.config.place.to_string());
        let now = self.line.began.elapsed();
        self.line.card(self.config.number).health.lost_contact(now)
    }

    fn remember(&mut self, result: &Result<Pass, Failure>, took: Duration, retried: bool) {
        let mut card = self.line.card(self.config.number);
        let past = match result {
            Ok(pass) => {
                card.health.passed();
                Past {
                    failure: None,
                    id: Some(pass.id.to_string()),
                    record: Some(pass.record),
                    took,
                    retried,
                }
            }
            Err(failure) => {
                self.bad = card.health.failed(failure).or(self.bad);
                let id = failure.id.as_ref().map(ToString::to_string);
                Past { failure: Some(failure.code), id, record: failure.record, took, retried }
            }
        };
        if card.history.len() == HISTORY {
            card.history.pop_front();
        }
        card.history.push_back(past);
    }

    fn until_gone(&self, left: Left) -> io::Result<()> {
        let Left::There(port) = left else { return Ok(()) };
        loop {
            let waited = match &port {
                Some(port) => port.until_gone(FOREVER, &self.line.interrupt)?,
                None => self.watch.until_absent(FOREVER, &self.line.interrupt)?,
            };
            // A device that stays for a day is not gone: it would be tried again with nobody there.
            if waited != Waited::TimedOut {
                break;
            }
        }
        if port.is_some() && !self.line.stopping() {
            // The hang-up comes first, the device file goes a moment later: it would be taken for the next device.
            self.watch.until_absent(BACK, &self.line.interrupt)?;
        }
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
    use crate::line::Line;
    use crate::people::{Action, testing};
    use crate::station::Station;

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
    fn the_next_device_that_comes_at_the_result_is_not_taken_for_the_one_before() {
        let dir = tempfile::tempdir().unwrap();
        let port = dir.path().join("port");
        let place = Place::Path(port.clone());
        let left = Left::after(None, &place);
        std::fs::write(&port, "").unwrap();
        assert!(matches!(left, Left::Gone), "it was gone when its result was told");
        assert!(matches!(Left::after(None, &place), Left::There(None)), "one that stays has to go first");
    }

    #[test]
    fn a_slot_whose_thread_fails_says_so() {
        let dir = tempfile::tempdir().unwrap();
        let station = station(dir.path());
        let (told, events) = mpsc::channel();
        let line = Line::start(&station, &[1], move |event| {
            let LineEvent::Slot(1, event) = event else { panic!("there is one slot and no scanner") };
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
        let line = Line::start(&station, &[1], move |event| match event {
            LineEvent::Slot(1, SlotEvent::Broken { .. }) => {
                told.send(seen.is_unlocked()).expect("the test reads on")
            }
            _ => panic!("a defect of whoever is told"),
        })
        .unwrap();
        assert!(!events.recv().unwrap(), "the keys are there after the panic");
        drop(line);
        station.close().unwrap();
    }
}
