//! Devices that come back: what is in one, what becomes of it, and batches of them.

mod batches;
mod told;

use serde::{Deserialize, Serialize};

pub(crate) use batches::*;

use super::{DeviceLife, DeviceName, Failed, KeyState};
use crate::bounded::Text;

/// What there is to repair with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct RepairPlaces {
    /// The slots that the line leaves alone.
    pub(crate) slots: Vec<RepairSlot>,
    /// The product profiles, those of the slots.
    pub(crate) profiles: Vec<RepairProfile>,
}

/// A slot for devices that come back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct RepairSlot {
    /// Its number.
    pub(crate) number: u32,
    /// Its port.
    pub(crate) port: String,
    /// File of its profile.
    pub(crate) profile: String,
}

/// A profile that a device can be re-keyed by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct RepairProfile {
    /// Its file.
    pub(crate) file: String,
    /// Its name and revision.
    pub(crate) title: String,
    /// Label of its group key.
    pub(crate) key: String,
}

/// A device: what it says, where one is plugged in, and what the log says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct RepairDevice {
    /// Registration ID.
    pub(crate) id: String,
    /// MAC address, or empty.
    pub(crate) mac: String,
    /// Serial number, or empty.
    pub(crate) serial: String,
    /// What it says itself; none of one that was only looked up.
    pub(crate) seen: Option<SeenDevice>,
    /// What the log has of it.
    pub(crate) life: Option<DeviceLife>,
    /// Whether it is out.
    pub(crate) out: Option<DeviceOut>,
    /// The group key under which it was keyed last.
    pub(crate) parent: Option<ParentKey>,
}

/// What a device said to a look.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct SeenDevice {
    /// The slot that it is in.
    pub(crate) slot: u32,
    /// Whether it holds a set.
    pub(crate) state: SetState,
    /// Sets that it ever stored.
    pub(crate) generation: u32,
    /// Its firmware, or empty.
    pub(crate) firmware: String,
    /// ID scope of its set, or empty.
    pub(crate) scope: String,
    /// Endpoint of its set, or empty.
    pub(crate) endpoint: String,
    /// Its word beside that of the log.
    pub(crate) holding: Held,
    /// The record of the look.
    #[cfg_attr(test, ts(type = "number"))]
    pub(crate) record: u64,
}

/// Whether a device holds a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) enum SetState {
    Empty,
    Keyed,
    Locked,
}

/// What a device says that it holds, beside what the log says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) enum Held {
    AsRecorded,
    Another,
    Foreign,
    Lost,
    Nothing,
    Unsettled,
}

/// How a device was taken out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct DeviceOut {
    /// How.
    pub(crate) how: OutHow,
    /// The record of it.
    #[cfg_attr(test, ts(type = "number"))]
    pub(crate) record: u64,
}

/// How a device was taken out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) enum OutHow {
    Scrapped,
    Revoked,
    Replaced,
}

/// The group key that a device hangs on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct ParentKey {
    /// Its label.
    pub(crate) label: String,
    /// Its check value.
    pub(crate) check_value: String,
    /// What may be done with it today; none: it is not in this station.
    pub(crate) state: Option<KeyState>,
}

/// A re-key that is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct RekeyAsked {
    /// The slot that the device is in.
    pub(crate) slot: u32,
    /// Registration ID of the device that was looked at.
    #[cfg_attr(test, ts(type = "string"))]
    pub(crate) device: DeviceName,
    /// File of the profile.
    #[cfg_attr(test, ts(type = "string"))]
    pub(crate) profile: Text<1024>,
    /// Why, and how.
    pub(crate) why: RekeyWhy,
}

/// Why devices are re-keyed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct RekeyWhy {
    /// A word of the closed list.
    #[cfg_attr(test, ts(type = "string"))]
    pub(crate) reason: Text<32>,
    /// What there is to say beside, or empty.
    #[cfg_attr(test, ts(type = "string"))]
    pub(crate) note: Text<200>,
    /// Somebody knows that the same key heals nothing, and wants it written.
    pub(crate) same_key: bool,
}

/// What came of a re-key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) enum RekeyOutcome {
    /// The device proved its key.
    Pass {
        /// Registration ID.
        id: String,
        /// The record of it.
        #[cfg_attr(test, ts(type = "number"))]
        record: u64,
        /// What that did to its key; none: nothing was overwritten, a write of before was found complete.
        effect: Option<KeyEffect>,
        /// The record that this one follows.
        #[cfg_attr(test, ts(type = "number | null"))]
        follows: Option<u64>,
    },
    /// It did not.
    Fail(Failed),
}

/// What a re-key did to the key of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) enum KeyEffect {
    /// The key that it held was written again.
    Same,
    /// Another key.
    New,
    /// No record says which it held.
    Unknown,
}

/// What is to become of a device.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct TakeOutAsked {
    /// Registration ID, MAC address and serial number, or as many of them as are known, with spaces between.
    #[cfg_attr(test, ts(type = "string"))]
    pub(crate) device: Text<256>,
    /// What.
    pub(crate) act: TakeOutAct,
    /// A word of the list for that act.
    #[cfg_attr(test, ts(type = "string"))]
    pub(crate) reason: Text<32>,
    /// What there is to say beside, or empty.
    #[cfg_attr(test, ts(type = "string"))]
    pub(crate) note: Text<200>,
    /// The board that takes its place, of a swap.
    pub(crate) board: Option<SwapBoard>,
}

/// What can become of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) enum TakeOutAct {
    Scrap,
    Revoke,
    Replace,
    Restore,
}

/// A board that takes the place of another.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct SwapBoard {
    /// File of the product profile.
    #[cfg_attr(test, ts(type = "string"))]
    pub(crate) profile: Text<1024>,
    /// MAC address on it, or empty.
    #[cfg_attr(test, ts(type = "string"))]
    pub(crate) mac: Text<32>,
    /// Where it is written down that the old board was destroyed, or empty.
    #[cfg_attr(test, ts(type = "string"))]
    pub(crate) destroyed: Text<200>,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct TakenOutLine {
    /// The record.
    #[cfg_attr(test, ts(type = "number"))]
    pub(crate) record: u64,
    /// Registration ID of the board that takes its place.
    pub(crate) successor: Option<String>,
}

/// A list of identities that must not register any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct CleanupLine {
    /// How many.
    #[cfg_attr(test, ts(type = "number"))]
    pub(crate) devices: u64,
    /// The last record that it was made of.
    #[cfg_attr(test, ts(type = "number"))]
    pub(crate) to: u64,
    /// The file; none of one that was put down as done.
    pub(crate) path: Option<String>,
}
