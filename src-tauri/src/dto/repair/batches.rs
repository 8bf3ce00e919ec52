//! Batches of devices that come back.

use serde::{Deserialize, Serialize};

use crate::dto::{ApprovalRequest, Label};

/// Which devices a batch is for. The list is chosen in a dialog of the operating system.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) enum BatchFrom {
    /// Those of a list.
    List,
    /// So many, whichever are plugged in.
    Count(#[cfg_attr(test, ts(type = "number"))] u64),
    /// All that hang on this group key.
    Under(#[cfg_attr(test, ts(type = "string"))] Label),
}

/// A batch that can be asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct BatchRequest {
    /// How many devices.
    #[cfg_attr(test, ts(type = "number"))]
    pub(crate) devices: u64,
    /// What the second person approves.
    pub(crate) request: ApprovalRequest,
    /// The open batch for the same: it goes on without another approval.
    pub(crate) resumes: Option<String>,
}

/// A batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct BatchLine {
    /// Its ID.
    pub(crate) id: String,
    /// When it was opened.
    #[cfg_attr(test, ts(type = "number"))]
    pub(crate) time: i64,
    /// Who asked.
    pub(crate) by: String,
    /// Who approved.
    pub(crate) approver: String,
    /// Why: a word of the closed list.
    pub(crate) reason: String,
    /// What was said beside, or empty.
    pub(crate) note: String,
    /// How many devices.
    #[cfg_attr(test, ts(type = "number"))]
    pub(crate) devices: u64,
    /// The group key of the new keys.
    pub(crate) key: String,
    /// Its check value.
    pub(crate) check_value: String,
    /// The group key that the devices leave, of a rotation.
    pub(crate) from: Option<String>,
    /// What came of it, once it is closed.
    pub(crate) closed: Option<BatchSums>,
    /// The record of its end.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub(crate) end: Option<u64>,
}

/// What came of the devices of a batch: `asked` = `done` + `failed` + `missing`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct BatchSums {
    #[cfg_attr(test, ts(type = "number"))]
    pub(crate) asked: u64,
    #[cfg_attr(test, ts(type = "number"))]
    pub(crate) done: u64,
    #[cfg_attr(test, ts(type = "number"))]
    pub(crate) failed: u64,
    #[cfg_attr(test, ts(type = "number"))]
    pub(crate) missing: u64,
    /// Seen, and none of it.
    #[cfg_attr(test, ts(type = "number"))]
    pub(crate) unexpected: u64,
}

/// A batch with what came of its devices so far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct BatchPage {
    /// Which.
    pub(crate) batch: BatchLine,
    /// The sums, from the log.
    pub(crate) sums: BatchSums,
    /// Devices that failed or are none of it: the first fifty.
    pub(crate) odd: Vec<OddDevice>,
    /// On which days devices were done, the oldest first.
    pub(crate) days: Vec<BatchDay>,
    /// Of a rotation: how many devices hang on the group key that is left, also those that were keyed under it since.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub(crate) left: Option<u64>,
    /// How it stands, while it is worked on.
    pub(crate) now: Option<BatchNow>,
}

/// A day of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct BatchDay {
    /// UTC: `2026-11-26`.
    pub(crate) day: String,
    /// Devices that were done on it.
    #[cfg_attr(test, ts(type = "number"))]
    pub(crate) done: u64,
    /// How much of the whole was done by its end, in percent, rounded down: 100 means all.
    #[cfg_attr(test, ts(type = "number"))]
    pub(crate) percent: u64,
}

/// A device of a batch that was not done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct OddDevice {
    /// Registration ID, MAC address or serial number: the first of them that is known.
    pub(crate) device: String,
    /// Whether it is none of the batch.
    pub(crate) unexpected: bool,
    /// Why it failed.
    pub(crate) code: String,
}

/// How the batch stands that is worked on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct BatchNow {
    /// The sums so far.
    pub(crate) sums: BatchSums,
    /// Seconds that the rest takes at the pace so far; none before the first device was done.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub(crate) seconds_left: Option<u64>,
    /// Whether it rests.
    pub(crate) paused: bool,
    /// What its slots do.
    pub(crate) slots: Vec<BatchSlot>,
}

/// What a slot of a batch does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct BatchSlot {
    /// Its number.
    pub(crate) number: u32,
    /// What.
    pub(crate) state: BatchSlotState,
    /// The last device in it, where its ID is known.
    pub(crate) device: Option<String>,
    /// Why that failed.
    pub(crate) code: Option<String>,
}

/// What a slot of a batch does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) enum BatchSlotState {
    Waiting,
    Locked,
    Working,
    Passed,
    Failed,
    Out,
    Broken,
}
