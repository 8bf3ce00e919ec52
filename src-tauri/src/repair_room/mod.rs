//! The room of repair: a device that came back is looked at, then somebody says what becomes of it.
//!
//! It works on the slots that the settings keep for it. The line never touches one of them, so nothing is begun, or told FAIL, by
//! putting a device in.

pub(crate) mod batches;
pub(crate) mod cleanup;
pub(crate) mod lives;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use keystation::config::{Profile, Purpose, SlotConfig};
use keystation::line::Line;
use keystation::lives::LifeError;
use keystation::people::{Action, ApprovalId, Permit, Request};
use keystation::repair::{BatchAsked, BatchWork};
use keystation::{Station, StationError, Work};
use keystation_core::registration::{IdRule, RegistrationId};

use crate::dto::{
    ApprovalRequest, Approved, RekeyAsked, RekeyOutcome, RepairDevice, RepairPlaces, RepairProfile,
    RepairSlot,
};
use crate::problem::Problem;

/// What repair is at, beside what the log says of it.
#[derive(Default)]
pub(crate) struct RepairBench {
    /// The batch that its slots work on. Whoever waits for its last device has it, too.
    at_work: Arc<Mutex<Option<AtWork>>>,
    /// The batch that was asked for last.
    asked: Mutex<Option<BatchAsked>>,
    /// The list that was chosen last as one that was cleaned up.
    list: Mutex<Option<PathBuf>>,
}

/// A batch with its slots. They stop when it is dropped, each after the device in hand.
struct AtWork {
    batch: Arc<BatchWork>,
    line: Line,
}

/// Nothing is left half-done in what a thread that panicked held.
fn lock<T>(held: &Mutex<T>) -> MutexGuard<'_, T> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

impl RepairBench {
    /// Stops the slots, each after the device in hand.
    pub(crate) fn stop(&self) {
        // Not while the lock is held: the page asks how far they are.
        let at_work = lock(&self.at_work).take();
        drop(at_work);
    }

    /// A batch has the slots to itself.
    fn is_free(&self) -> Result<(), Problem> {
        match &*lock(&self.at_work) {
            None => Ok(()),
            Some(AtWork { batch, .. }) => Err(Problem::new(
                "repair-busy",
                &format!("The batch {} has the slots of repair.", batch.batch().id),
                &["Stop the batch, or wait until it is done.", "Then look at the device."],
            )),
        }
    }
}

/// Whoever asks for what takes another person, and names none, is told that before anything else.
fn approved_by_somebody(
    station: &Station,
    action: Action,
    subject: &str,
    approval: Approved,
) -> Result<(), Problem> {
    if !approval.can_be() {
        let request = Request { action, subject: subject.to_owned(), reason: String::new() };
        station.permit_approved(&request, ApprovalId(0))?;
    }
    Ok(())
}

/// Slots and profiles.
pub(crate) fn places(station: &Station) -> Result<RepairPlaces, Problem> {
    station.permit(Action::Look)?;
    let slot = |slot: &SlotConfig| RepairSlot {
        number: slot.number,
        port: slot.place.to_string(),
        profile: slot.profile.display().to_string(),
    };
    let profiles = station.check_profiles()?.into_iter().map(|profile| RepairProfile {
        file: profile.path.display().to_string(),
        title: profile.title,
        key: profile.group_key.to_string(),
    });
    Ok(RepairPlaces {
        slots: station.config().slots_for(Purpose::Repair).map(slot).collect(),
        profiles: profiles.collect(),
    })
}

/// One of the profiles that the page was told of.
fn profile_of(station: &Station, file: &str) -> Result<Profile, StationError> {
    let known = station.check_profiles()?.into_iter().find(|known| known.path == Path::new(file));
    known.ok_or_else(|| StationError::NoCheckPort(file.to_owned()))
}

/// A slot of repair, with one of the profiles.
fn work_at(station: &Station, slot: u32, profile: &str) -> Result<Work, StationError> {
    let place = station.config().slots_for(Purpose::Repair).find(|known| known.number == slot);
    let place = place.ok_or(StationError::NoSlot(slot))?.place.clone();
    Ok(Work { place, profile: profile_of(station, profile)?, job: String::new() })
}

/// Looks at the device in a slot: nothing is written to it.
pub(crate) fn look(
    station: &Station,
    bench: &RepairBench,
    slot: u32,
    profile: &str,
) -> Result<RepairDevice, Problem> {
    let permit = station.permit(Action::Look)?;
    bench.is_free()?;
    let work = station.done_or_told(&permit, &slot.to_string(), work_at(station, slot, profile))?;
    let mut port = station.open_port(&permit, &work)?;
    let seen = station.look_at(&permit, &work, &mut port)?;
    let out = station.reader()?.retired_device(&seen.id, &seen.identity).map_err(StationError::from)?;
    Ok(RepairDevice::seen(slot, seen, out, station.archive().secured()?))
}

/// The record of a device: by its registration ID, its MAC address or its serial number.
pub(crate) fn look_up(station: &Station, word: &str) -> Result<RepairDevice, Problem> {
    let permit = station.permit(Action::Look)?;
    let found = recorded(station, word.trim());
    Ok(station.done_or_told(&permit, word.trim(), found)?)
}

fn recorded(station: &Station, word: &str) -> Result<RepairDevice, StationError> {
    let archive = station.archive();
    let known = station.reader()?.known_devices(word)?.into_iter().next();
    let (id, life) = archive.life(known.as_ref().map_or(word, |known| known.id.as_str()))?;
    let parent = station.parent_of(Some(&life))?;
    let device = RepairDevice::known(&id, Some(life), parent, archive.secured()?);
    // The board that was named, which need not be the one that has its registration ID now.
    match known {
        Some(known) => {
            let out = station.reader()?.retired_device(&id, &known.identity)?;
            Ok(device.of_board(&known.identity, out))
        }
        None => Ok(device),
    }
}

/// What a re-key is to be, as two people agree to it.
struct Planned {
    asked: keystation::repair::Asked,
    work: Work,
}

fn planned(station: &Station, asked: &RekeyAsked) -> Result<Planned, Problem> {
    let reason = station.rekey_reason(asked.why.reason.as_str(), asked.why.note.as_str())?;
    let work = work_at(station, asked.slot, asked.profile.as_str())?;
    let id = RegistrationId::new(asked.device.as_str(), IdRule::Punctuation);
    let id = id.map_err(|_| StationError::from(LifeError::NoDevice("what was looked at".to_owned())))?;
    let asked = station.ask_rekey(&id, &work.profile, reason, asked.why.same_key)?;
    Ok(Planned { asked, work })
}

/// What the second person is asked for before a device is re-keyed.
pub(crate) fn ask_rekey(station: &Station, asked: &RekeyAsked) -> Result<ApprovalRequest, Problem> {
    station.may_ask(Action::Rekey)?;
    Ok(ApprovalRequest::of(&planned(station, asked)?.asked.request()))
}

/// Overwrites the key of the device that was looked at, by two people.
pub(crate) fn rekey(
    station: &Station,
    bench: &RepairBench,
    asked: &RekeyAsked,
    approval: Approved,
) -> Result<RekeyOutcome, Problem> {
    station.may_ask(Action::Rekey)?;
    approved_by_somebody(station, Action::Rekey, asked.device.as_str(), approval)?;
    bench.is_free()?;
    let Planned { asked, work } = planned(station, asked)?;
    let permit = station.permit_approved(&asked.request(), approval.into())?;
    Ok(RekeyOutcome::from(rekeyed(station, &permit, &asked, &work)))
}

fn rekeyed(
    station: &Station,
    permit: &Permit,
    asked: &keystation::repair::Asked,
    work: &Work,
) -> Result<keystation::repair::Rekeyed, keystation_core::failure::Failure> {
    // A program that ends waits for the device in hand.
    let _in_work = station.busy();
    let mut port = station.open_port(permit, work)?;
    station.rekey(permit, asked, work, &mut port, &mut |_| {})
}
