//! QA's look at a finished device: where, and what was found.

use keystation::check::{self, Point, Report, Verdict};
use keystation::config::Profile;
use serde::Serialize;

/// Where a device can be looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct CheckPlaces {
    /// The ports, those of the slots first.
    pub(crate) ports: Vec<CheckPort>,
    /// The profiles of the slots.
    pub(crate) profiles: Vec<CheckProfile>,
}

/// A port on which a device may be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct CheckPort {
    /// Its path, or where it is on the USB tree.
    pub(crate) port: String,
    /// Number of its slot, if it is one's.
    pub(crate) slot: Option<u32>,
    /// The file of that slot's profile, or empty.
    pub(crate) profile: String,
}

/// A profile, against which a device is held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct CheckProfile {
    /// Its file.
    pub(crate) file: String,
    /// Its name and revision.
    pub(crate) title: String,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct CheckReport {
    /// Whether all of it is as it should be.
    pub(crate) passed: bool,
    /// Registration ID, or empty.
    pub(crate) id: String,
    /// Serial number, or empty.
    pub(crate) serial: String,
    /// Each thing that was looked at, in order.
    pub(crate) points: Vec<CheckPoint>,
}

/// One thing that should be so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct CheckPoint {
    /// Which.
    pub(crate) name: CheckName,
    /// Whether it is so.
    pub(crate) verdict: CheckVerdict,
    /// What was found, in English.
    pub(crate) sentence: String,
    /// What to do, in English; nothing where it is so.
    pub(crate) remedy: Vec<String>,
}

/// What is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) enum CheckName {
    /// Who it says it is.
    Identity,
    /// What it holds.
    Set,
    /// Whether it can prove the key.
    Proof,
    /// Whether the log says the same.
    Record,
    /// Whether the log is the one that it was keyed under.
    Anchor,
}

/// Whether it is so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) enum CheckVerdict {
    /// It is.
    Holds,
    /// There was nothing to compare it with, and that is no fault.
    NotCompared,
    /// It is not.
    Fails,
}

impl From<check::CheckPort> for CheckPort {
    fn from(place: check::CheckPort) -> Self {
        let (slot, profile) = place.slot.unzip();
        let profile = profile.map_or_else(String::new, |file| file.display().to_string());
        Self { port: place.port, slot, profile }
    }
}

impl From<Profile> for CheckProfile {
    fn from(profile: Profile) -> Self {
        Self { file: profile.path.display().to_string(), title: profile.title }
    }
}

impl From<Report> for CheckReport {
    fn from(report: Report) -> Self {
        let passed = report.holds();
        let serial = report.identity.and_then(|identity| identity.serial);
        Self {
            passed,
            id: report.id.map_or_else(String::new, |id| id.to_string()),
            serial: serial.map_or_else(String::new, |serial| serial.to_string()),
            points: report.points.into_iter().map(CheckPoint::from).collect(),
        }
    }
}

impl From<Point> for CheckPoint {
    fn from(point: Point) -> Self {
        Self {
            name: match point.name {
                "identity" => CheckName::Identity,
                "set" => CheckName::Set,
                "proof" => CheckName::Proof,
                "record" => CheckName::Record,
                _ => CheckName::Anchor,
            },
            verdict: match point.verdict {
                Verdict::Holds => CheckVerdict::Holds,
                Verdict::NotCompared => CheckVerdict::NotCompared,
                Verdict::Fails => CheckVerdict::Fails,
            },
            remedy: point.remedy().iter().map(|step| (*step).to_owned()).collect(),
            sentence: point.sentence,
        }
    }
}
