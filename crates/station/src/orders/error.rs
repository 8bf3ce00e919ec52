//! Why nothing came of a work order.

use std::path::PathBuf;

use keystation_audit::{NoteError, OrderRefusal};
use keystation_core::key::{CheckValue, KeyLabel};
use keystation_core::order::OrderId;

use super::list::ListError;
use crate::config::ConfigError;
use crate::error::Exit;

/// A work order that the station does not take, or does not work by. No device was touched.
#[derive(Debug, thiserror::Error)]
pub enum OrderError {
    /// The text is none of an order.
    #[error(transparent)]
    Text(#[from] ConfigError),
    /// Its ID is one of a batch.
    #[error("a work order has no ID like {0}: RK- is of batches of repair")]
    Reserved(OrderId),
    /// It has more than 8 MiB.
    #[error("a work order has at most 8 MiB")]
    TooLong,
    /// The list of devices was not imported.
    #[error(transparent)]
    List(#[from] ListError),
    /// Nobody signed it.
    #[error("the work order bears no signature, and this station takes those of its customers only")]
    Unsigned,
    /// Nobody signed it whom the settings name.
    #[error("the work order is not signed by a customer of this station")]
    Stranger,
    /// It was altered after it was signed.
    #[error("the work order is not what its customer signed: {0}")]
    Note(NoteError),
    /// Its file is gone, or another one.
    #[error("the work order {order} is not what was created: {} {what}", file.display())]
    Altered {
        /// Which.
        order: OrderId,
        /// Its file.
        file: PathBuf,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The profile is for another group key.
    #[error("the work order {order} is for the group key {expected}, its profile has {found}")]
    OtherLabel {
        /// Which.
        order: OrderId,
        /// What it says.
        expected: KeyLabel,
        /// What the profile says.
        found: KeyLabel,
    },
    /// The group key has another check value.
    #[error(
        "the work order {order} is for a group key {label} with the check value {expected}; the station's has {found}"
    )]
    OtherKey {
        /// Which.
        order: OrderId,
        /// The key's label.
        label: KeyLabel,
        /// What the order says.
        expected: CheckValue,
        /// What the log says.
        found: CheckValue,
    },
    /// It is not the one that is open.
    #[error("the work order {asked} is not open{}", .open.as_ref().map_or(String::new(), |open| format!(": {open} is")))]
    NotOpen {
        /// Which was named.
        asked: String,
        /// Which is open.
        open: Option<OrderId>,
    },
    /// None is named, and one is open: nothing goes past its list and its quantity.
    #[error("the work order {0} is open: every new device is made under it")]
    Past(OrderId),
    /// None is open, and the settings ask for one.
    #[error("no work order is open, and station.toml asks for one")]
    Required,
    /// The device is made by another profile than the order names.
    #[error("the work order {order} is made with the profile {profile}")]
    OtherProfile {
        /// Which.
        order: OrderId,
        /// What it names.
        profile: String,
    },
    /// Devices of its list were never seen.
    #[error("{count} devices of the work order {order} were never seen: {}{}", .first.join(", "), if *.count > 10 { ", …" } else { "" })]
    NeverSeen {
        /// Which.
        order: OrderId,
        /// The first ten.
        first: Vec<String>,
        /// How many.
        count: usize,
    },
    /// No device of the order is known by this.
    #[error("the work order {order} has no device {device}")]
    NoDevice {
        /// Which.
        order: OrderId,
        /// What was given.
        device: String,
    },
}

impl OrderError {
    /// A stable name, for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Text(_) | Self::TooLong | Self::Reserved(_) => "order-text",
            Self::List(_) => "order-list",
            Self::Unsigned | Self::Stranger => "order-unsigned",
            Self::Note(_) | Self::Altered { .. } => "order-altered",
            Self::OtherLabel { .. } | Self::OtherKey { .. } => "order-key",
            Self::NotOpen { .. } | Self::Past(_) | Self::Required => "no-order",
            Self::OtherProfile { .. } => "order-profile",
            Self::NeverSeen { .. } => "order-unaccounted",
            Self::NoDevice { .. } => "order-device",
        }
    }

    /// How the headless binary ends.
    #[must_use]
    pub const fn exit(&self) -> Exit {
        match self {
            Self::Text(_)
            | Self::TooLong
            | Self::Reserved(_)
            | Self::List(_)
            | Self::OtherProfile { .. }
            | Self::NoDevice { .. } => Exit::Usage,
            Self::Unsigned
            | Self::Stranger
            | Self::Note(_)
            | Self::Altered { .. }
            | Self::OtherLabel { .. }
            | Self::OtherKey { .. }
            | Self::NotOpen { .. }
            | Self::Past(_)
            | Self::Required
            | Self::NeverSeen { .. } => Exit::Refused,
        }
    }

    /// What to do now: one to three steps.
    #[must_use]
    pub const fn remedy(&self) -> &'static [&'static str] {
        match self {
            Self::Text(_) => &["Mend the line; docs/work-order.md lists every key."],
            Self::TooLong => &["Make two orders of it."],
            Self::Reserved(_) => &["Give the order another ID."],
            Self::List(_) => &["Mend the row and import the list again: nothing of it was taken."],
            Self::Unsigned => &["Ask the customer for the signed order."],
            Self::Stranger => &["Check [[customer]] in station.toml with the customer's paper."],
            Self::Note(_) => {
                &["Do not work by it.", "Ask the customer for the order once more, and tell QA."]
            }
            Self::Altered { .. } => {
                &["Make nothing under it.", "Bring the file back as it came, or close the order.", "Tell QA."]
            }
            Self::OtherLabel { .. } | Self::OtherKey { .. } => &[
                "Compare the order with the paper of the key.",
                "Ask the customer which of the two is right.",
            ],
            Self::Past(_) => &["Name it: `--job`.", "If it is not meant: close it, or open the one that is."],
            Self::NotOpen { .. } | Self::Required => {
                &["Open it: keystation order open.", "keystation order list shows what there is."]
            }
            Self::OtherProfile { .. } => &["Name the profile of the order."],
            Self::NeverSeen { .. } => &["Make them.", "Lost or broken: keystation order scrap."],
            Self::NoDevice { .. } => &["Give it as the list or the records have it."],
        }
    }
}

/// A stable name of a refusal of the log, for programs.
pub(crate) const fn refusal_code(refusal: &OrderRefusal) -> &'static str {
    match refusal {
        OrderRefusal::Known(_) => "order-known",
        OrderRefusal::Unknown(_) => "order-unknown",
        OrderRefusal::State { .. } => "order-state",
        OrderRefusal::NotMore { .. } => "order-quantity",
        OrderRefusal::Signed(_) => "order-signed",
        OrderRefusal::Scrap(_) => "order-scrap",
        OrderRefusal::Unaccounted { .. } => "order-unaccounted",
        OrderRefusal::Short { .. } => "order-short",
        OrderRefusal::Counts(_) => "order-counts",
    }
}

/// How the headless binary ends by it.
pub(crate) const fn refusal_exit(refusal: &OrderRefusal) -> Exit {
    match refusal {
        OrderRefusal::Known(_)
        | OrderRefusal::Unknown(_)
        | OrderRefusal::NotMore { .. }
        | OrderRefusal::Scrap(_) => Exit::Usage,
        OrderRefusal::Signed(_)
        | OrderRefusal::State { .. }
        | OrderRefusal::Unaccounted { .. }
        | OrderRefusal::Short { .. }
        | OrderRefusal::Counts(_) => Exit::Refused,
    }
}

/// What to do about it.
pub(crate) const fn refusal_remedy(refusal: &OrderRefusal) -> &'static [&'static str] {
    match refusal {
        OrderRefusal::Known(_) => &["Give the new order an ID of its own."],
        OrderRefusal::Unknown(_) => &["keystation order list shows what there is."],
        OrderRefusal::State { .. } => &["keystation order list shows what it is."],
        OrderRefusal::NotMore { .. } => &["A quantity is only raised: name a greater one."],
        OrderRefusal::Signed(_) => &["The customer signs another work order."],
        OrderRefusal::Scrap(_) => &["Nothing is left to do."],
        OrderRefusal::Unaccounted { .. } => {
            &["Plug them in again: an open intent is settled by it.", "Broken: keystation order scrap."]
        }
        OrderRefusal::Short { .. } => &["Make the rest, or say why not: `--reason`."],
        OrderRefusal::Counts(_) => &["Wait until the slots are at rest.", "Try again."],
    }
}

/// What somebody typed, for a sentence: its first characters, and those that do something by their number.
pub(crate) fn shown(text: &str) -> String {
    text.chars()
        .take(64)
        .flat_map(|c| if c.is_ascii_graphic() { vec![c] } else { c.escape_unicode().collect() })
        .collect()
}
