//! `keystation order …`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use keystation::orders::OrderId;
use keystation_core::key::{CheckValue, KeyLabel};

#[derive(Debug, Subcommand)]
pub(crate) enum OrderVerb {
    /// Take a work order in: its text or its signed note (`--file`), or one that is made here of its parts
    Create(Box<CreateArgs>),
    /// Work orders with their states and counts
    List,
    /// One work order
    Show {
        /// Which
        #[arg(value_name = "ID")]
        id: OrderId,
    },
    /// Make devices under it from now on; one that was open waits
    Open {
        /// Which
        #[arg(value_name = "ID")]
        id: OrderId,
    },
    /// Close it for good, when every device is accounted for
    Close {
        /// Which
        #[arg(value_name = "ID")]
        id: OrderId,
        /// Why fewer than ordered
        #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
        reason: String,
    },
    /// Put a device of it down as scrap
    Scrap {
        /// Which order
        #[arg(value_name = "ID")]
        id: OrderId,
        /// The device: registration ID, MAC address or serial number
        #[arg(
            long,
            value_name = "DEVICE",
            required_unless_present = "never_seen",
            conflicts_with = "never_seen"
        )]
        device: Option<String>,
        /// Every device of its list that was never seen
        #[arg(long)]
        never_seen: bool,
        /// Why, for the record
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Allow more devices, by two people: `--operator` and `--approver`
    Quota {
        /// Which
        #[arg(value_name = "ID")]
        id: OrderId,
        /// So many devices from now on
        #[arg(long, value_name = "N")]
        quantity: u64,
        /// Why, for the record
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

/// The options that are parts of an order.
const PARTS: [&str; 13] = [
    "id",
    "customer",
    "profile",
    "quantity",
    "from",
    "until",
    "key",
    "check_value",
    "devices",
    "first",
    "last",
    "oui",
    "serial",
];

/// An order that is in a file, or the parts of one.
#[derive(Debug, Args)]
pub(crate) struct CreateArgs {
    /// The order: TOML, or a note that its customer signed (docs/work-order.md)
    #[arg(long, value_name = "FILE", conflicts_with_all = PARTS)]
    pub(crate) file: Option<PathBuf>,
    /// ID of the order
    #[arg(long, value_name = "ID", required_unless_present = "file")]
    pub(crate) id: Option<OrderId>,
    /// For whom
    #[arg(long, value_name = "TEXT", required_unless_present = "file")]
    pub(crate) customer: Option<String>,
    /// Product profile: a file in the station's `profiles` folder
    #[arg(long, value_name = "FILE", required_unless_present = "file")]
    pub(crate) profile: Option<String>,
    /// How many devices [default: as many as the list has]
    #[arg(long, value_name = "N", required_unless_present_any = ["file", "devices"])]
    pub(crate) quantity: Option<u64>,
    /// First day, UTC: 2026-11-25
    #[arg(long, value_name = "DAY", required_unless_present = "file")]
    pub(crate) from: Option<String>,
    /// Last day, UTC
    #[arg(long, value_name = "DAY", required_unless_present = "file")]
    pub(crate) until: Option<String>,
    /// Label of the group key
    #[arg(long, value_name = "LABEL", required_unless_present = "file")]
    pub(crate) key: Option<KeyLabel>,
    /// Its check value, from the order or the key's paper
    #[arg(long, value_name = "VALUE", required_unless_present = "file")]
    pub(crate) check_value: Option<CheckValue>,
    /// A list of devices: CSV with the columns `serial` and `mac`, or one of them
    #[arg(long, value_name = "FILE", conflicts_with = "first")]
    pub(crate) devices: Option<PathBuf>,
    /// The first serial number of a range
    #[arg(long, value_name = "SERIAL", requires = "last")]
    pub(crate) first: Option<String>,
    /// The last one
    #[arg(long, value_name = "SERIAL", requires = "first")]
    pub(crate) last: Option<String>,
    /// First three bytes of the MAC addresses that are allowed; once for each
    #[arg(long, value_name = "OUI")]
    pub(crate) oui: Vec<String>,
    /// Form of the serial numbers: `#` is a digit, `@` a letter, `?` any character
    #[arg(long, value_name = "FORM")]
    pub(crate) serial: Option<String>,
}
