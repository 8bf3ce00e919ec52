//! What the slots show.

use keystation_core::failure::Failure;
use keystation_core::flow::{Pass, Step};
use keystation_core::identity::Identity;
use serde::Serialize;

use crate::problem::{Problem, sentence};

/// A card that changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct CardUpdate {
    /// Whose.
    pub(crate) slot: u32,
    /// What it shows now.
    pub(crate) card: Card,
}

/// What a slot shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) enum Card {
    /// Ready for a device.
    Waiting,
    /// A device may be there, but the vault is locked.
    Locked,
    /// A device is being keyed.
    Working {
        /// The step that runs.
        step: StepName,
    },
    /// PASS, until the device is unplugged.
    Pass(Passed),
    /// FAIL, until somebody says that it was seen.
    Fail(Failed),
    /// A FAIL was seen, its device is still there.
    Remove {
        /// Whether the device is safe.
        #[cfg_attr(test, ts(type = "import('./Codes').SafetyWord"))]
        safety: String,
        /// Serial number, where the device said one.
        serial: Option<String>,
        /// MAC address, where it said one.
        mac: Option<String>,
    },
    /// The slot does not work any more.
    Stopped(Stopped),
}

/// The steps of the flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(ts_rs::TS), ts(rename = "Step"))]
pub(crate) enum StepName {
    Read,
    Derive,
    Write,
    Restart,
    Prove,
    Record,
}

/// A device that got its key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct Passed {
    /// Registration ID.
    pub(crate) id: String,
    /// Serial number, if it has one.
    pub(crate) serial: Option<String>,
    /// MAC address, if it has one.
    pub(crate) mac: Option<String>,
    /// The record of the result.
    #[cfg_attr(test, ts(type = "number"))]
    pub(crate) record: u64,
}

/// A device that did not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct Failed {
    /// Stable name of what happened; the page has the words for it.
    #[cfg_attr(test, ts(type = "import('./Codes').FailureCode"))]
    pub(crate) code: String,
    /// Whether the device is safe.
    #[cfg_attr(test, ts(type = "import('./Codes').SafetyWord"))]
    pub(crate) safety: String,
    /// Registration ID, where one could be made.
    pub(crate) id: Option<String>,
    /// Serial number, where the device said one.
    pub(crate) serial: Option<String>,
    /// MAC address, where it said one.
    pub(crate) mac: Option<String>,
    /// The record of it, where one could be written.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub(crate) record: Option<u64>,
    /// The cause, for the engineer.
    pub(crate) detail: Option<String>,
    /// Whether the device was unplugged meanwhile.
    pub(crate) gone: bool,
}

/// Why a slot does not work any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct Stopped {
    /// Whether the device is safe that was in it, where one was.
    #[cfg_attr(test, ts(type = "import('./Codes').SafetyWord | null"))]
    pub(crate) safety: Option<String>,
    /// What happened, and what to do.
    #[serde(flatten)]
    pub(crate) problem: Problem,
}

impl From<Step> for StepName {
    fn from(step: Step) -> Self {
        match step {
            Step::Read => Self::Read,
            Step::Derive => Self::Derive,
            Step::Write => Self::Write,
            Step::Restart => Self::Restart,
            Step::Prove => Self::Prove,
            Step::Record => Self::Record,
        }
    }
}

impl From<Pass> for Passed {
    fn from(pass: Pass) -> Self {
        Self {
            id: pass.id.to_string(),
            serial: pass.identity.serial.map(|serial| serial.to_string()),
            mac: pass.identity.mac.map(|mac| mac.to_string()),
            record: pass.record,
        }
    }
}

impl From<Failure> for Failed {
    fn from(failure: Failure) -> Self {
        let Identity { mac, serial } = failure.identity.unwrap_or(Identity { mac: None, serial: None });
        Self {
            id: failure.id.map(|id| id.to_string()),
            serial: serial.map(|serial| serial.to_string()),
            mac: mac.map(|mac| mac.to_string()),
            code: failure.code.as_str().to_owned(),
            safety: failure.safety.as_str().to_owned(),
            record: failure.record,
            detail: failure.cause.map(|cause| sentence(&*cause)),
            gone: false,
        }
    }
}
