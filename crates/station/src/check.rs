//! QA's look at a finished device: who is it, what does it hold, can it prove the key, does the record say so, and is the
//! log still the one that it was keyed under?
//!
//! Nothing is written to the device. What was found is a record; only where the log does not open, and so nobody can sign in, the
//! look is made without one: a keyed device is a witness of what happened to the log.

mod anchor;
mod beside;
mod place;

use std::path::Path;

use keystation_audit::Reader;
use keystation_core::credential::LogAnchor;
use keystation_core::flow::{Device, DeviceError, DeviceState, Sighting, Vault, VaultError};
use keystation_core::identity::Identity;
use keystation_core::key::DeviceKey;
use keystation_core::proof;
use keystation_core::record::{Check, Event};
use keystation_core::registration::RegistrationId;
use keystation_device::driver::SmpDevice;
use keystation_device::ports::{self, SerialPort};
use keystation_vault::{Passphrase, VaultKey};

pub use self::place::CheckPort;
use crate::config::{Profile, StationConfig};
use crate::custodies::Custodies;
use crate::data_dir::DataDir;
use crate::error::StationError;
use crate::people::{Action, AtBench, Permit};
use crate::random;
use crate::station::{Station, paths};

/// What was looked at, in order; a point without which the next cannot be asked leaves that out. The record is compared
/// wherever there is a registration ID.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Registration ID, where one could be made.
    pub id: Option<RegistrationId>,
    /// What the device says it is, where it answered.
    pub identity: Option<Identity>,
    /// What was found.
    pub points: Vec<Point>,
}

/// One thing that should be so.
#[derive(Debug, Clone)]
pub struct Point {
    /// `identity`, `set`, `proof`, `record` or `anchor`.
    pub name: &'static str,
    /// Whether it is so.
    pub verdict: Verdict,
    /// What was found, for people. Holds no control characters.
    pub sentence: String,
    /// What was found, for programs, and what to do about it, where that is not plain from the sentence.
    pub finding: Option<Finding>,
}

/// Whether something is as it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is.
    Holds,
    /// There was nothing to compare it with, and that is no fault.
    NotCompared,
    /// It is not.
    Fails,
}

/// A finding that has a name of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finding {
    /// A stable name, for programs.
    pub code: &'static str,
    /// What to do, step by step.
    pub remedy: &'static [&'static str],
}

impl Point {
    /// What to do about a point that does not hold: one to three steps; none for one that does.
    #[must_use]
    pub fn remedy(&self) -> &'static [&'static str] {
        match self.name {
            _ if self.verdict != Verdict::Fails => &[],
            _ if self.finding.is_some() => self.finding.map_or(&[], |finding| finding.remedy),
            "identity" => &["Plug the device in again.", "Again: to repair."],
            "set" => &["Do not ship it.", "Is it the right profile?", "If so: to repair."],
            "proof" => &["Do not ship it.", "Keep the device apart.", "Call the supervisor."],
            _ => &[
                "Do not ship it.",
                "Never finished: plug it in at the line again.",
                "Otherwise: keep it apart and call the supervisor.",
            ],
        }
    }
}

impl Report {
    /// Whether no point fails.
    #[must_use]
    pub fn holds(&self) -> bool {
        !self.points.is_empty() && self.points.iter().all(|point| point.verdict != Verdict::Fails)
    }

    /// What does not hold, in one word: the first point of those that do not.
    fn code(&self) -> String {
        let failed = self.points.iter().find(|point| point.verdict == Verdict::Fails);
        failed.map_or("", |point| point.finding.map_or(point.name, |finding| finding.code)).to_owned()
    }

    fn point(&mut self, name: &'static str, holds: bool, sentence: impl Into<String>) {
        let verdict = if holds { Verdict::Holds } else { Verdict::Fails };
        self.points.push(Point { name, verdict, sentence: sentence.into(), finding: None });
    }
}

impl Station {
    /// Checks the device on `port` against the group key of its profile and the log, and records what was found. The custody of
    /// that key is opened for it with `secret`. Permit: [`Action::Check`].
    pub fn check(
        &self,
        permit: &Permit,
        port: &Path,
        profile: &Profile,
        secret: &Passphrase,
    ) -> Result<Report, StationError> {
        self.honour(permit, Action::Check)?;
        self.done_or_told(permit, profile.group_key.as_str(), self.checked(permit, port, profile, secret))
    }

    fn checked(
        &self,
        permit: &Permit,
        port: &Path,
        profile: &Profile,
        secret: &Passphrase,
    ) -> Result<Report, StationError> {
        // A custody may never answer. While the device is asked it is as in an injection: no lock strikes in the middle of it.
        let _asked = self.in_custody_by(permit, profile.group_key.as_str());
        let reader = self.reader()?;
        let (info, kind) = Custodies::active(&reader, &profile.group_key)?;
        let custody = self.all_custodies().get(kind)?;
        self.expect_there(custody)?;
        let closings = self.desk().closings;
        let vault = self.tried(custody.open(secret))?;
        let unlocked = self.append_by(permit, Event::Unlock { custody: kind.as_str() });
        let report = unlocked.and_then(|_| {
            let key = Custodies::key_in(&vault, &info)?;
            let _open = self.keep_beside(vault, closings)?;
            examined(Look::at(self, &reader), &key, port, profile)
        });
        self.append_by(permit, Event::Lock)?;
        let report = report?;
        let (id, identity) = (report.id.clone(), report.identity.clone());
        let result = Check { id, identity, passed: report.holds(), code: report.code() };
        self.append_by(permit, Event::Checked(result))?;
        Ok(report)
    }
}

/// The same where the log does not open for writing. There is no record of it.
pub fn check_unrecorded(
    data: &DataDir,
    port: &Path,
    profile: &Profile,
    secret: &Passphrase,
) -> Result<Report, StationError> {
    let custodies = Custodies::of(data, &StationConfig::read(&data.settings())?)?;
    let reader = Reader::open(&paths(data))?;
    let (info, kind) = Custodies::active(&reader, &profile.group_key)?;
    let vault = custodies.get(kind)?.open(secret)?;
    let key = Custodies::key_in(&vault, &info)?;
    let report = examined(Look { data, reader: &reader, station: None }, &key, port, profile);
    vault.lock();
    report
}

/// Where somebody looks from.
#[derive(Clone, Copy)]
struct Look<'a> {
    data: &'a DataDir,
    reader: &'a Reader,
    /// None where its log does not open.
    station: Option<&'a Station>,
}

impl<'a> Look<'a> {
    fn at(station: &'a Station, reader: &'a Reader) -> Self {
        Self { data: station.data(), reader, station: Some(station) }
    }

    /// The device is asked until this is dropped.
    fn asking(self) -> Option<AtBench> {
        let asking = self.station.map(Station::busy);
        if let Some(asking) = &asking {
            asking.known();
        }
        asking
    }
}

fn examined(look: Look<'_>, key: &VaultKey, port: &Path, profile: &Profile) -> Result<Report, StationError> {
    let mut device = SmpDevice::new(ports::open_at(port, profile.baud)?);
    let Look { data, reader, .. } = look;
    let mut report = Report::default();
    if let Some(Examined { id, key, anchor }) = examine(look, &mut device, profile, key, &mut report)? {
        compare_with_record(reader, &id, &key, &mut report)?;
        report.points.push(anchor::compare(data, reader, &id, anchor)?);
    } else if let Some(id) = report.id.clone() {
        // A device that holds nothing, or does not answer, still has its record.
        compare_with_record(reader, &id, &derived(key, &id)?, &mut report)?;
    }
    Ok(report)
}

/// What the log is to be compared with.
struct Examined {
    id: RegistrationId,
    key: DeviceKey,
    anchor: Option<LogAnchor>,
}

/// Identity, set and proof.
fn examine(
    look: Look<'_>,
    device: &mut SmpDevice<SerialPort>,
    profile: &Profile,
    key: &VaultKey,
    report: &mut Report,
) -> Result<Option<Examined>, StationError> {
    let asking = look.asking();
    let seen = match device.identify() {
        Ok(seen) => seen,
        Err(e) => return Ok(unanswered("identity", &e, report)),
    };
    report.identity = Some(seen.identity.clone());
    let id = match profile.recipe.registration_id(&seen.identity) {
        Ok(id) => id,
        Err(e) => {
            report.point("identity", false, e.to_string());
            return Ok(None);
        }
    };
    report.point("identity", true, described(&seen, &id));
    report.id = Some(id.clone());
    if seen.state == DeviceState::Empty {
        report.point("set", false, "It holds no credential set.");
        return Ok(None);
    }
    let set = match device.public_set() {
        Ok(set) => set,
        Err(e) => return Ok(unanswered("set", &e, report)),
    };
    let as_ordered = set.id == id && set.scope == key.info().scope && set.endpoint == profile.endpoint;
    let sentence = format!("It holds a set for {} in scope {} at {}.", set.id, set.scope, set.endpoint);
    report.point("set", as_ordered, sentence);

    drop(asking);
    let device_key = derived(key, &id)?;
    let [nonce, _] = random::nonces()?;
    let asking = look.asking();
    let answer = match device.prove(&nonce) {
        Ok(answer) => answer,
        Err(e) => return Ok(unanswered("proof", &e, report)),
    };
    drop(asking);
    let proven = proof::holds(&device_key, &nonce, &id, &answer);
    let (label, value) = (&key.info().label, key.info().check_value);
    let sentence = match proven {
        true => format!("It proved the key of {label} ({value})."),
        false => format!("It did not prove the key of {label} ({value})."),
    };
    report.point("proof", proven, sentence);
    Ok(Some(Examined { id, key: device_key, anchor: set.anchor }))
}

fn derived(key: &VaultKey, id: &RegistrationId) -> Result<DeviceKey, StationError> {
    key.derive(id).map_err(|e| match e {
        VaultError::Locked => StationError::Locked,
        VaultError::Custody(why) => StationError::Custody(why),
    })
}

fn described(seen: &Sighting, id: &RegistrationId) -> String {
    let firmware = if seen.firmware.is_empty() { "unnamed" } else { &seen.firmware };
    format!("It is {id}, firmware {firmware}, generation {}.", seen.generation)
}

fn unanswered<T>(name: &'static str, error: &DeviceError, report: &mut Report) -> Option<T> {
    report.point(name, false, format!("{error}."));
    None
}

fn compare_with_record(
    reader: &Reader,
    id: &RegistrationId,
    key: &DeviceKey,
    report: &mut Report,
) -> Result<(), StationError> {
    let identity = report.identity.clone().unwrap_or(Identity { mac: None, serial: None });
    if let Some(out) = reader.retired_device(id, &identity)? {
        let sentence =
            format!("It was {}, says record {}: it must not be used.", out.what.as_str(), out.record);
        report.point("record", false, sentence);
        return Ok(());
    }
    let standing = reader.standing(id)?;
    if let Some(open) = standing.open {
        report.point("record", false, format!("Its injection of record {} was never finished.", open.seq));
        return Ok(());
    }
    let Some(keyed) = standing.keyed else {
        report.point("record", false, "No record says that it was keyed here.");
        return Ok(());
    };
    let same = reader.written_key(id)? == Some(key.fingerprint());
    let sentence = match same {
        true => format!("Record {keyed} says that it was keyed here with this key."),
        false => format!("Record {keyed} names another key."),
    };
    report.point("record", same, sentence);
    Ok(())
}
