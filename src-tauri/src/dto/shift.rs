//! What a shift made, as the page shows it to whoever made it.

use std::collections::BTreeMap;

use keystation::report::shift::{Count, Shift};
use serde::Serialize;

use super::Cause;

/// What the person of the session made in it until now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct ShiftReport {
    /// Operator ID.
    pub(crate) operator: String,
    /// When the session began, UTC, milliseconds since 1970.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub(crate) began: Option<i64>,
    /// Its first record.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub(crate) first: Option<u64>,
    /// Its last one.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub(crate) last: Option<u64>,
    /// All of it.
    pub(crate) total: ShiftCount,
    /// By work order.
    pub(crate) orders: Vec<ShiftOrder>,
}

/// What was made for one work order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct ShiftOrder {
    /// The work order; empty for devices without one.
    pub(crate) order: String,
    /// What was made.
    pub(crate) count: ShiftCount,
}

/// Devices and attempts. `attempts` = `passed` + `failed` + `open`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct ShiftCount {
    /// What lies in the boxes.
    pub(crate) devices: ShiftDevices,
    /// Devices that were written to, each time.
    #[cfg_attr(test, ts(type = "number"))]
    pub(crate) attempts: u64,
    /// Those that ended with a proof.
    #[cfg_attr(test, ts(type = "number"))]
    pub(crate) passed: u64,
    /// Those that failed.
    #[cfg_attr(test, ts(type = "number"))]
    pub(crate) failed: u64,
    /// Those that have no outcome.
    #[cfg_attr(test, ts(type = "number"))]
    pub(crate) open: u64,
    /// Those on a device that had been written to before in the shift.
    #[cfg_attr(test, ts(type = "number"))]
    pub(crate) retried: u64,
    /// Attempts of others that were settled: the device proved its key.
    #[cfg_attr(test, ts(type = "number"))]
    pub(crate) settled_passed: u64,
    /// The same, and it did not.
    #[cfg_attr(test, ts(type = "number"))]
    pub(crate) settled_failed: u64,
    /// Why attempts failed.
    pub(crate) failed_by: Vec<Cause>,
    /// Why devices were refused, each time.
    pub(crate) refused_by: Vec<Cause>,
}

/// Devices that said who they are, each once, by what was seen of it last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct ShiftDevices {
    /// All four together.
    #[cfg_attr(test, ts(type = "number"))]
    pub(crate) all: u64,
    /// They proved their keys.
    #[cfg_attr(test, ts(type = "number"))]
    pub(crate) passed: u64,
    /// They did not.
    #[cfg_attr(test, ts(type = "number"))]
    pub(crate) failed: u64,
    /// They were written to, and nothing more is known.
    #[cfg_attr(test, ts(type = "number"))]
    pub(crate) open: u64,
    /// They were only refused.
    #[cfg_attr(test, ts(type = "number"))]
    pub(crate) refused: u64,
    /// Of those that failed or are open: nobody knows what they hold.
    #[cfg_attr(test, ts(type = "number"))]
    pub(crate) do_not_ship: u64,
    /// Refusals of devices that did not say who they are; not part of `all`.
    #[cfg_attr(test, ts(type = "number"))]
    pub(crate) unnamed: u64,
}

impl From<Shift> for ShiftReport {
    fn from(shift: Shift) -> Self {
        let sitting = shift.sessions.first();
        Self {
            operator: shift.asked.operator.clone().unwrap_or_default(),
            began: sitting.and_then(|sitting| Some(sitting.began.as_ref()?.0.time_ms)),
            first: sitting.map(|sitting| sitting.first.record),
            last: sitting.map(|sitting| sitting.last.record),
            total: (&shift.total).into(),
            orders: shift
                .orders
                .iter()
                .map(|(order, count)| ShiftOrder { order: order.clone(), count: count.into() })
                .collect(),
        }
    }
}

impl From<&Count> for ShiftCount {
    fn from(count: &Count) -> Self {
        let devices = count.devices;
        Self {
            devices: ShiftDevices {
                all: devices.all(),
                passed: devices.passed,
                failed: devices.failed,
                open: devices.open,
                refused: devices.refused,
                do_not_ship: devices.do_not_ship,
                unnamed: devices.unnamed,
            },
            attempts: count.begun,
            passed: count.passed,
            failed: count.all_failed(),
            open: count.open,
            retried: count.retried,
            settled_passed: count.settled.passed,
            settled_failed: count.settled.failed,
            failed_by: causes(&count.failed),
            refused_by: causes(&count.refused),
        }
    }
}

fn causes(causes: &BTreeMap<String, u64>) -> Vec<Cause> {
    causes.iter().map(|(code, times)| Cause::of(code, *times)).collect()
}
