//! Work orders, as the page shows them and makes them.

pub(super) mod told;

use serde::{Deserialize, Serialize};

use super::{Label, TypedValue};
use crate::bounded::Text;
use crate::problem::Problem;

/// A work order and where its devices are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct OrderLine {
    /// Its ID.
    pub(crate) id: String,
    /// Whether devices are made under it.
    pub(crate) state: OrderState,
    /// How many devices it is for.
    #[cfg_attr(test, ts(type = "number"))]
    pub(crate) quantity: u64,
    /// Devices that were begun: so many places are taken.
    #[cfg_attr(test, ts(type = "number"))]
    pub(crate) begun: u64,
    /// They proved their key, and are neither scrap nor open: the box.
    #[cfg_attr(test, ts(type = "number"))]
    pub(crate) passed: u64,
    /// They did not, and are not scrap yet.
    #[cfg_attr(test, ts(type = "number"))]
    pub(crate) failed: u64,
    /// Nobody knows what they hold: in work, or to be plugged in again.
    #[cfg_attr(test, ts(type = "number"))]
    pub(crate) open: u64,
    /// They were put down as scrap, begun or not.
    #[cfg_attr(test, ts(type = "number"))]
    pub(crate) scrapped: u64,
    /// File name of its product profile.
    pub(crate) profile: String,
    /// First day on which a device is begun, UTC: `2026-11-25`.
    pub(crate) from: String,
    /// Last day.
    pub(crate) until: String,
    /// Label of its group key.
    pub(crate) key: String,
    /// Check value of that key.
    pub(crate) check_value: String,
    /// Name of the customer's key that signed it, or empty.
    pub(crate) signer: String,
    /// Who created it.
    pub(crate) by: String,
}

/// Whether devices are made under a work order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) enum OrderState {
    Waiting,
    Open,
    Closed,
}

/// All that is known of a work order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct OrderPage {
    /// State and counts.
    pub(crate) order: OrderLine,
    /// For whom; none where its text is not what was created.
    pub(crate) customer: Option<String>,
    /// First bytes of the MAC addresses that are allowed; none: any.
    pub(crate) ouis: Vec<String>,
    /// Form of the serial numbers.
    pub(crate) form: Option<String>,
    /// The first serial number of a range, and the last one.
    pub(crate) range: Option<[String; 2]>,
    /// How many devices it lists.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub(crate) listed: Option<u64>,
    /// Devices that were begun and are not accounted for: the first ten registration IDs.
    pub(crate) missing: Vec<String>,
    /// How many.
    #[cfg_attr(test, ts(type = "number"))]
    pub(crate) missing_count: u64,
    /// Devices of its list that nobody saw: the first ten.
    pub(crate) never_seen: Vec<String>,
    /// How many.
    pub(crate) never_seen_count: usize,
    /// How many fewer passed or are scrap than it is for.
    #[cfg_attr(test, ts(type = "number"))]
    pub(crate) short: u64,
    /// Why nothing can be made under it.
    pub(crate) problem: Option<Problem>,
}

/// A work order for the devices of a list: everything but the list.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct NewOrder {
    /// 1 to 32 of `A-Z a-z 0-9 . _ -`, never used before.
    #[cfg_attr(test, ts(type = "string"))]
    pub(crate) id: OrderName,
    /// For whom.
    #[cfg_attr(test, ts(type = "string"))]
    pub(crate) customer: Text<100>,
    /// File name of the product profile.
    #[cfg_attr(test, ts(type = "string"))]
    pub(crate) profile: Text<64>,
    /// How many devices; none: as many as the list has.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub(crate) quantity: Option<u64>,
    /// First day, UTC: `2026-11-25`.
    #[cfg_attr(test, ts(type = "string"))]
    pub(crate) from: Text<10>,
    /// Last day.
    #[cfg_attr(test, ts(type = "string"))]
    pub(crate) until: Text<10>,
    /// Label of the group key.
    #[cfg_attr(test, ts(type = "string"))]
    pub(crate) key: Label,
    /// Its check value, as somebody typed it from a paper.
    #[cfg_attr(test, ts(type = "string"))]
    pub(crate) check_value: TypedValue,
}

/// ID of a work order, as somebody typed or scanned it.
pub(crate) type OrderName = Text<32>;
/// A device as somebody typed or scanned it: registration ID, MAC address or serial number.
pub(crate) type DeviceName = Text<128>;

/// What came of asking for the file of a work order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct CreatedOrder {
    /// Its ID; none where no file was chosen.
    pub(crate) id: Option<String>,
}
