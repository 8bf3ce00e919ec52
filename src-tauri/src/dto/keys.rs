//! Group keys as people handle them: by label and check value.

mod told;

use serde::{Deserialize, Serialize};

use crate::bounded::Text;
use crate::problem::Problem;

/// A group key of this station.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct KeyCard {
    /// The station's name for it.
    pub(crate) label: String,
    /// Its enrollment group.
    pub(crate) group: String,
    /// ID scope of the DPS instance.
    pub(crate) scope: String,
    /// Primary or secondary.
    pub(crate) slot: KeySlot,
    /// Where it lies.
    pub(crate) custody: Custody,
    /// Its check value: ten hexadecimal digits in two groups.
    pub(crate) check_value: String,
    /// Its length in bytes.
    pub(crate) bytes: u8,
    /// Whether it may be used.
    pub(crate) state: KeyState,
    /// How it came here; empty where the log does not say.
    pub(crate) how: KeyOrigin,
    /// Who imported it.
    pub(crate) imported_by: String,
    /// Who approved that, or empty.
    pub(crate) approver: String,
    /// When: RFC 3339, UTC.
    pub(crate) imported_at: String,
    /// Devices whose latest key is derived from it.
    #[cfg_attr(test, ts(type = "number"))]
    pub(crate) devices: u64,
}

/// Which of the two keys of an enrollment group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) enum KeySlot {
    Primary,
    Secondary,
}

/// Where a group key lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) enum Custody {
    SealedFile,
    Pkcs11,
    Tpm,
}

/// Whether a group key may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) enum KeyState {
    Imported,
    Active,
    Suspended,
    Destroyed,
}

/// How a group key came into this station.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) enum KeyOrigin {
    Single,
    Ceremony,
    Transfer,
    #[serde(rename = "")]
    Unknown,
}

/// Some of the devices under a group key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct KeyDevices {
    /// In the order of their records.
    pub(crate) devices: Vec<KeyDevice>,
    /// Where the next ones begin, if there are more.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub(crate) next: Option<u64>,
}

/// A device that dies with a group key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct KeyDevice {
    /// Registration ID.
    pub(crate) id: String,
    /// The record that says so.
    #[cfg_attr(test, ts(type = "number"))]
    pub(crate) record: u64,
}

/// A group key to import: everything but the key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct NewKey {
    /// The station's name for it: 1 to 32 of `a-z 0-9 - .`.
    #[cfg_attr(test, ts(type = "string"))]
    pub(crate) label: Label,
    /// Its enrollment group.
    #[cfg_attr(test, ts(type = "string"))]
    pub(crate) group: Text<128>,
    /// ID scope of the DPS instance.
    #[cfg_attr(test, ts(type = "string"))]
    pub(crate) scope: Text<32>,
    /// Primary or secondary.
    pub(crate) slot: KeySlot,
    /// Where it will lie.
    pub(crate) custody: Custody,
}

/// The station's name for a group key.
pub(crate) type Label = Text<32>;
/// A check value as somebody typed it.
pub(crate) type TypedValue = Text<32>;

/// What came of an import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct Imported {
    /// Whether there is a new key.
    pub(crate) outcome: ImportOutcome,
    /// Its check value, or empty.
    pub(crate) check_value: String,
}

/// What came of asking for a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) enum ImportOutcome {
    Imported,
    Cancelled,
}

/// A key ceremony that is under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct Ceremony {
    /// 16 hexadecimal digits.
    pub(crate) id: String,
    /// The key that is put together.
    pub(crate) key: NewKey,
    /// The check value that it has to have.
    pub(crate) check_value: String,
    /// Left and right.
    pub(crate) sides: [Side; 2],
    /// How far it is.
    pub(crate) phase: CeremonyPhase,
    /// Why it was aborted.
    pub(crate) problem: Option<Problem>,
}

/// One of the two people of a ceremony.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct Side {
    /// User ID, once signed in.
    pub(crate) user: Option<String>,
    /// Check value of the component, once given: empty until the person typed it from the paper, then six hexadecimal digits.
    pub(crate) check_value: Option<String>,
    /// Whether the person found it on the paper.
    pub(crate) confirmed: bool,
}

/// How far a ceremony is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) enum CeremonyPhase {
    SignIn,
    Components,
    Result,
    Done,
    Aborted,
}

/// What came of asking for a component.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) enum ComponentOutcome {
    Given,
    Cancelled,
}
