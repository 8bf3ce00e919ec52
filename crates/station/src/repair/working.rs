//! A batch that is being worked on: which device is let through, and how far it is.
//!
//! Whether a device was done is what the log says, asked while nobody else has its registration ID. What is kept here beside is
//! made from the log when the work begins, and only saves looking there again.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use keystation_core::credential::Overwrite;
use keystation_core::failure::{Code, Failure};
use keystation_core::flow::{Admission, NotAdmitted, Pass, Step};
use keystation_core::identity::Identity;
use keystation_core::key::KeyLabel;
use keystation_core::record::BatchCounts;
use keystation_core::registration::{IdRule, RegistrationId};
use keystation_core::role::Role;
use keystation_device::place::Place;
use keystation_device::ports::SerialPort;

use super::batch::Batch;
use super::error::RekeyError;
use super::list::BatchList;
use super::reconcile::{Reconciliation, State};
use crate::config::Profile;
use crate::error::StationError;
use crate::injection::{Meant, Repair, Work, not_permitted};
use crate::people::Action;
use crate::station::Station;

/// A batch at work, for as many slots as there are.
pub struct BatchWork {
    station: Station,
    batch: Batch,
    list: Option<BatchList>,
    profile: Profile,
    paused: AtomicBool,
    devices: Mutex<Devices>,
}

/// The devices of the batch, as far as they were seen.
#[derive(Debug, Default)]
struct Devices {
    /// Proved their key in it.
    done: HashSet<RegistrationId>,
    /// Were seen and did not, by now.
    failed: HashSet<RegistrationId>,
    /// Are none of it.
    unexpected: HashSet<String>,
    /// Who took an entry of the list: two boards may be what one row says.
    taken: HashMap<usize, RegistrationId>,
    /// Are not done and out: nobody waits for them.
    out: HashSet<Asked>,
    /// Who took a place of a batch without a list.
    begun: HashSet<RegistrationId>,
    /// Devices that were done since the work began, and when the first one of them was begun.
    here: u64,
    since: Option<Instant>,
    /// Time that was spent in pauses, and when the one that is going on began.
    rested: Duration,
    resting: Option<Instant>,
}

/// A device as it was asked for: an entry of the list, or any device where there is no list.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Asked {
    Entry(usize),
    Device(RegistrationId),
}

/// How far a batch is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The sums, so far.
    pub counts: BatchCounts,
    /// How long the rest takes at the pace since the work began; `None` before the first device was done.
    pub left: Option<Duration>,
    /// Of the devices that are not done, so many are out: nobody waits for them.
    pub out: u64,
    /// Whether it rests.
    pub paused: bool,
}

impl Progress {
    /// Whether every device is done that is not out.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.counts.done + self.out >= self.counts.asked
    }
}

impl fmt::Debug for BatchWork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchWork").field("batch", &self.batch.id).finish_non_exhaustive()
    }
}

impl BatchWork {
    pub(super) fn new(
        station: Station,
        batch: Batch,
        list: Option<BatchList>,
        profile: Profile,
        so_far: &Reconciliation,
    ) -> Self {
        let mut devices = Devices::default();
        for (place, row) in so_far.rows.iter().enumerate() {
            let id = RegistrationId::new(&row.id, IdRule::Punctuation).ok();
            let identity = Identity { mac: row.mac.parse().ok(), serial: row.serial.parse().ok() };
            let entry = id.as_ref().and_then(|id| list.as_ref().and_then(|list| list.find(id, &identity)));
            match (row.state, id) {
                (State::Done | State::Failed, Some(id)) => {
                    if row.state == State::Failed && row.is_out() && list.is_none() {
                        devices.out.insert(Asked::Device(id.clone()));
                    }
                    if let Some(entry) = entry {
                        devices.taken.insert(entry, id.clone());
                    }
                    devices.begun.insert(id.clone());
                    let set = if row.state == State::Done { &mut devices.done } else { &mut devices.failed };
                    set.insert(id);
                }
                (State::Unexpected, _) => {
                    devices.unexpected.insert(named(&row.id, &identity));
                }
                _ => {}
            }
            // The rows of a list are its entries, in their order.
            if list.is_some() && row.state != State::Done && row.is_out() {
                devices.out.insert(Asked::Entry(place));
            }
        }
        Self { station, batch, list, profile, paused: AtomicBool::new(false), devices: Mutex::new(devices) }
    }

    /// Which batch.
    #[must_use]
    pub const fn batch(&self) -> &Batch {
        &self.batch
    }

    /// The profile by which its devices are re-keyed.
    #[must_use]
    pub const fn profile(&self) -> &Profile {
        &self.profile
    }

    /// Rests: devices in work are finished, no other one is begun.
    pub fn pause(&self) {
        if !self.paused.swap(true, Ordering::SeqCst) {
            self.devices().resting = Some(Instant::now());
        }
        self.station.wake();
    }

    /// Goes on after a pause.
    pub fn go_on(&self) {
        if self.paused.swap(false, Ordering::SeqCst) {
            let mut devices = self.devices();
            let rested = devices.resting.take().map(|since| since.elapsed()).unwrap_or_default();
            devices.rested += rested;
        }
        self.station.wake();
    }

    /// Whether it rests.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.paused.load(Ordering::SeqCst)
    }

    /// How far it is.
    #[must_use]
    pub fn progress(&self) -> Progress {
        let devices = self.devices();
        let (done, failed) = (devices.done.len() as u64, devices.failed.len() as u64);
        let asked = self.batch.devices;
        let counts = BatchCounts {
            asked,
            done,
            failed,
            missing: asked.saturating_sub(done + failed),
            unexpected: devices.unexpected.len() as u64,
        };
        let out = devices.out.len() as u64;
        let pace = devices.since.filter(|_| devices.here > 0).map(|since| {
            let resting = devices.resting.map(|since| since.elapsed()).unwrap_or_default();
            since.elapsed().saturating_sub(devices.rested + resting).div_f64(devices.here as f64)
        });
        let rest = u32::try_from(asked.saturating_sub(done + out)).unwrap_or(u32::MAX);
        let left = pace.map(|pace| pace.saturating_mul(rest));
        Progress { counts, left, out, paused: self.is_paused() }
    }

    fn devices(&self) -> MutexGuard<'_, Devices> {
        self.devices.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a device that is plugged in now would be begun. Asks without a record.
    pub(crate) fn is_ready(&self) -> bool {
        !self.is_paused() && self.station.is_ready_to(Action::ContinueRekey, self.key())
    }

    pub(crate) const fn key(&self) -> &KeyLabel {
        &self.profile.group_key
    }

    /// Re-keys the device at `place`, under the batch and by whoever is signed in. `before` and `acknowledged` are of the try before,
    /// of which this one is the repetition.
    pub(crate) fn rekey(
        &self,
        place: &Place,
        meant: Meant<'_>,
        port: &mut Option<SerialPort>,
        watch: &mut dyn FnMut(Step),
    ) -> Result<Pass, Failure> {
        let came = self.rekeyed(place, meant, port, watch);
        let out = came.as_ref().err().and_then(|failure| self.out(failure));
        let mut devices = self.devices();
        devices.out.extend(out);
        match &came {
            Ok(pass) => {
                if let Some(asked) = self.asked(&pass.id, &pass.identity) {
                    devices.out.remove(&asked);
                }
                devices.failed.remove(&pass.id);
                if devices.done.insert(pass.id.clone()) {
                    devices.here += 1;
                }
            }
            Err(Failure { code: Code::NotOfBatch | Code::BatchFull, identity, id, .. }) => {
                let (id, identity) = (id.as_ref().map_or("", |id| id.as_str()), identity.as_ref());
                let nobody = Identity { mac: None, serial: None };
                devices.unexpected.insert(named(id, identity.unwrap_or(&nobody)));
            }
            Err(Failure { id: Some(id), .. }) if !devices.done.contains(id) => {
                devices.failed.insert(id.clone());
            }
            Err(_) => {}
        }
        came
    }

    fn asked(&self, id: &RegistrationId, device: &Identity) -> Option<Asked> {
        match &self.list {
            Some(list) => list.find(id, device).map(Asked::Entry),
            None => Some(Asked::Device(id.clone())),
        }
    }

    /// What was refused and is out for good, if it was asked for and is not done. A log that cannot be read is told with the next device.
    fn out(&self, failure: &Failure) -> Option<Asked> {
        let Failure { code: Code::Scrapped | Code::Revoked | Code::Replaced, id: Some(id), identity, .. } =
            failure
        else {
            return None;
        };
        // The board may be, while another one has its registration ID.
        let out = self.station.look().and_then(|reader| Ok(reader.retired(id)?));
        let done = self.devices().done.contains(id);
        if done || !out.is_ok_and(|out| out.is_some()) {
            return None;
        }
        self.asked(id, identity.as_ref().unwrap_or(&Identity { mac: None, serial: None }))
    }

    fn rekeyed(
        &self,
        place: &Place,
        meant: Meant<'_>,
        port: &mut Option<SerialPort>,
        watch: &mut dyn FnMut(Step),
    ) -> Result<Pass, Failure> {
        self.devices().since.get_or_insert_with(Instant::now);
        let Self { station, batch, profile, .. } = self;
        let permit = station.permit(Action::ContinueRekey).map_err(not_permitted)?;
        let work = Work { place: place.clone(), profile: profile.clone(), job: batch.id.as_str().to_owned() };
        let overwrite = self.overwrite(&permit.actor().operator).map_err(|e| {
            let code = if matches!(e, StationError::Read(_)) { Code::LogFailed } else { Code::NotPermitted };
            station.refused(&permit, &work, code, place.to_string(), e)
        })?;
        let repair = Repair { overwrite: &overwrite, admission: self };
        let port = port.insert(station.open_port(&permit, &work)?);
        station.key_device(&permit, &work, meant, Some(repair), port, watch)
    }

    /// The permission, from the approval that the log has: whoever gave it has to be one who still may, and not the one who acts.
    fn overwrite(&self, operator: &str) -> Result<Overwrite, StationError> {
        let Batch { approver, reason, same_key, .. } = &self.batch;
        let still = self.station.look()?.account(approver)?;
        if !still.is_some_and(|account| account.active && account.roles.has(Role::Supervisor)) {
            return Err(RekeyError::NoApprover(approver.clone()).into());
        }
        let overwrite = Overwrite::approved(reason.clone(), operator, approver).map_err(RekeyError::from)?;
        Ok(if *same_key { overwrite.accepting_same_key() } else { overwrite })
    }

    /// Whether the log says that the device got its key in this batch. Asked while the caller has its ID alone.
    fn is_done(&self, id: &RegistrationId) -> Result<bool, StationError> {
        if self.devices().done.contains(id) {
            return Ok(true);
        }
        let keyed = self.station.look()?.keyed_under(id)?;
        Ok(keyed.is_some_and(|(job, intent)| job == self.batch.id.as_str() && intent > self.batch.opened))
    }
}

impl Admission for BatchWork {
    fn admit(&self, device: &Identity, id: &RegistrationId) -> Result<(), NotAdmitted> {
        let refused = |code| Err(NotAdmitted { code, cause: None });
        let entry = match &self.list {
            None => None,
            Some(list) => match list.find(id, device) {
                None => return refused(Code::NotOfBatch),
                entry => entry,
            },
        };
        match self.is_done(id) {
            Ok(false) => {}
            Ok(true) => return refused(Code::AlreadyRekeyed),
            Err(e) => return Err(NotAdmitted { code: Code::LogFailed, cause: Some(Box::new(e)) }),
        }
        let mut devices = self.devices();
        match entry {
            Some(entry) => {
                let mine = devices.taken.entry(entry).or_insert_with(|| id.clone());
                if mine != id {
                    return refused(Code::NotOfBatch);
                }
            }
            None if devices.begun.contains(id) => {}
            None if devices.begun.len() as u64 >= self.batch.devices => return refused(Code::BatchFull),
            None => {
                devices.begun.insert(id.clone());
            }
        }
        Ok(())
    }
}

/// What a device that is none of the batch is counted under.
fn named(id: &str, device: &Identity) -> String {
    if !id.is_empty() {
        return id.to_owned();
    }
    let mac = device.mac.map_or_else(String::new, |mac| mac.spelled(""));
    format!("{mac} {}", device.serial.as_ref().map_or("", |serial| serial.as_str()))
}
