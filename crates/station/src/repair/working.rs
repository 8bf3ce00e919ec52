//! A batch that is being worked on: which device is let through, and how far it is.
//!
//! Who is of the batch, and who was done in it, the log judges in the transaction of the intent. What is kept here beside is made from
//! the log when the work begins, and only counts.

use std::collections::HashSet;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use keystation_core::credential::Overwrite;
use keystation_core::failure::{Code, Failure};
use keystation_core::flow::{Admission, NotAdmitted, Pass, Step};
use keystation_core::identity::Identity;
use keystation_core::key::KeyLabel;
use keystation_core::record::{BatchCounts, ListPlace};
use keystation_core::registration::RegistrationId;
use keystation_core::role::Role;
use keystation_device::place::Place;
use keystation_device::ports::SerialPort;

use super::batch::Batch;
use super::error::RekeyError;
use super::list::BatchList;
use super::list_tree::ListTree;
use super::reconcile::{Reconciliation, State, reconcile};
use super::seen::{Mark, SeenDevices};
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
    tree: Option<ListTree>,
    profile: Profile,
    paused: AtomicBool,
    devices: Mutex<Devices>,
}

/// The devices of the batch, as far as they were seen, and the pace.
#[derive(Debug)]
struct Devices {
    seen: SeenDevices,
    /// Have a place, are not done and are out: nobody waits for them.
    out: HashSet<Asked>,
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
    Device(String),
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
        let mut seen = SeenDevices::new(batch.devices, list.is_some());
        let mut out = HashSet::new();
        for (index, row) in so_far.rows.iter().enumerate() {
            let device = Identity { mac: row.mac.parse().ok(), serial: row.serial.parse().ok() };
            let who = named(&row.id, &device);
            if row.is_given_up(list.is_some()) {
                out.insert(match &list {
                    Some(_) => Asked::Entry(index),
                    None => Asked::Device(who.clone()),
                });
            }
            let mark = match row.state {
                State::Missing => continue,
                State::Done => Mark::Done,
                _ if row.begun => Mark::Begun,
                _ => Mark::Refused,
            };
            match (row.state, &list) {
                // Of a batch without a list it may come again, unless it was one too many.
                (State::Unexpected, None) if row.code != Code::BatchFull.as_str() => {
                    seen.saw(None, who, mark);
                }
                (State::Unexpected, _) => seen.stranger(who),
                // The rows of the list stand first, in their order.
                (_, list) => drop(seen.saw(list.is_some().then_some(index), who, mark)),
            }
        }
        let tree = list.as_ref().map(ListTree::of);
        let (here, since, rested, resting) = (0, None, Duration::ZERO, None);
        let devices = Mutex::new(Devices { seen, out, here, since, rested, resting });
        Self { station, batch, list, tree, profile, paused: AtomicBool::new(false), devices }
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
        let counts = devices.seen.counts();
        let out = devices.out.len() as u64;
        let pace = devices.since.filter(|_| devices.here > 0).map(|since| {
            let resting = devices.resting.map(|since| since.elapsed()).unwrap_or_default();
            since.elapsed().saturating_sub(devices.rested + resting).div_f64(devices.here as f64)
        });
        let rest = u32::try_from(counts.asked.saturating_sub(counts.done + out)).unwrap_or(u32::MAX);
        let left = pace.map(|pace| pace.saturating_mul(rest));
        Progress { counts, left, out, paused: self.is_paused() }
    }

    /// Whether every device is done that is not out. The sums here only say when it is worth the log's answer: they do not see what a
    /// device that was refused is to a row that another one was done as.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        let of_log = || -> Result<bool, StationError> {
            let reader = self.station.look()?;
            Ok(reconcile(&reader, self.station.data(), &self.batch)?.is_complete())
        };
        self.progress().is_complete()
            && of_log().unwrap_or_else(|error| {
                // The batch stays open, and the log says it of itself with the next device.
                tracing::error!(%error, "nobody can look whether a batch is complete");
                false
            })
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
        match &came {
            Ok(pass) => self.saw(Some(&pass.id), Some(&pass.identity), None),
            Err(Failure { id, identity, code, .. }) => self.saw(id.as_ref(), identity.as_ref(), Some(*code)),
        }
        came
    }

    /// Counts a device as what the log says of it by now: whoever was only refused has no place.
    fn saw(&self, id: Option<&RegistrationId>, identity: Option<&Identity>, failed: Option<Code>) {
        let nobody = Identity { mac: None, serial: None };
        let device = identity.unwrap_or(&nobody);
        let row = id.and_then(|id| self.list.as_ref()?.find(id, device));
        let who = named(id.map_or("", RegistrationId::as_str), device);
        if who == NOBODY {
            return;
        }
        let (begun, done) = match (failed, id) {
            (None, _) => (true, true),
            (Some(_), None) => (false, false),
            (Some(_), Some(id)) => self.seen_in(id).unwrap_or_else(|error| {
                // Its failure is told all the same; the sums are made anew from the log in the end.
                tracing::error!(%error, "nobody can look whether a device was begun in its batch");
                (false, false)
            }),
        };
        let out = !done && failed.is_some_and(|code| self.is_out(code, id, begun));
        let mut devices = self.devices();
        if failed == Some(Code::BatchFull) || self.list.is_some() && row.is_none() {
            return devices.seen.stranger(who);
        }
        let asked = row.map_or_else(|| Asked::Device(who.clone()), Asked::Entry);
        if out {
            devices.out.insert(asked);
        } else if done {
            devices.out.remove(&asked);
        }
        let mark = if done {
            Mark::Done
        } else if begun {
            Mark::Begun
        } else {
            Mark::Refused
        };
        if devices.seen.saw(row, who, mark) {
            devices.here += 1;
        }
    }

    /// Whether a device that failed is out for good, and has a place that nobody waits for. A log that cannot be read is told with the
    /// next device.
    fn is_out(&self, code: Code, id: Option<&RegistrationId>, begun: bool) -> bool {
        let (Code::Scrapped | Code::Revoked | Code::Replaced, Some(id)) = (code, id) else { return false };
        // The board may be, while another one has its registration ID.
        let out = self.station.look().and_then(|reader| Ok(reader.retired(id)?));
        (begun || self.list.is_some()) && out.is_ok_and(|out| out.is_some())
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

    /// Whether the log says that the device was begun in this batch, and that it got its key in it.
    fn seen_in(&self, id: &RegistrationId) -> Result<(bool, bool), StationError> {
        Ok(self.station.look()?.seen_in(&self.batch.id, id.as_str())?)
    }
}

/// What the log refuses in the transaction of the intent is told here where it can be told before a key is derived: nobody takes a
/// place, or a row of the list, but by an intent.
impl Admission for BatchWork {
    fn admit(&self, device: &Identity, id: &RegistrationId) -> Result<(), NotAdmitted> {
        let refused = |code| Err(NotAdmitted { code, cause: None });
        if self.list.as_ref().is_some_and(|list| list.find(id, device).is_none()) {
            return refused(Code::NotOfBatch);
        }
        match self.seen_in(id) {
            Ok((_, false)) => Ok(()),
            Ok((_, true)) => refused(Code::AlreadyRekeyed),
            Err(e) => Err(NotAdmitted { code: Code::LogFailed, cause: Some(Box::new(e)) }),
        }
    }

    fn place(&self, device: &Identity, id: &RegistrationId) -> Option<ListPlace> {
        let row = self.list.as_ref()?.find(id, device)?;
        Some(self.tree.as_ref()?.place(row))
    }
}

/// A device that did not say who it is.
const NOBODY: &str = " ";

/// What a device is counted under.
fn named(id: &str, device: &Identity) -> String {
    if !id.is_empty() {
        return id.to_owned();
    }
    let mac = device.mac.map_or_else(String::new, |mac| mac.spelled(""));
    format!("{mac} {}", device.serial.as_ref().map_or("", |serial| serial.as_str()))
}
