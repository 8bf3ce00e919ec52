//! `keystation device …` and `keystation cleanup …`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use keystation_core::identity::Mac;

#[derive(Debug, Subcommand)]
pub(crate) enum DeviceVerb {
    /// Put a device down as scrap, by two people: it gets no key again. Under a work order: keystation order scrap
    Scrap(Why),
    /// Revoke its identity for good, by two people: it must not register any more
    Revoke(Why),
    /// Put another board in its place, by two people: the new one is then keyed like any other
    Replace {
        #[command(flatten)]
        why: Why,
        /// Product profile: a bare name in the station's `profiles` folder, or a path with a slash
        #[arg(long, value_name = "FILE")]
        profile: PathBuf,
        /// MAC address of the new board
        #[arg(long, value_name = "MAC")]
        mac: Option<Mac>,
        /// Where it is written down that the old board was destroyed: asked for where the new one gets the same registration ID, and
        /// so the same key
        #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
        destroyed: String,
    },
    /// Take a scrap back that was a mistake, by two people
    Restore(Why),
}

/// Which device, and why.
#[derive(Debug, Args)]
pub(crate) struct Why {
    /// The device: registration ID, MAC address or serial number; where several boards have one of them, two or all
    #[arg(value_name = "DEVICE", required = true, num_args = 1..=3)]
    pub(crate) device: Vec<String>,
    /// Why, in one word; another word lists them
    #[arg(long, value_name = "WORD", default_value = "", hide_default_value = true)]
    pub(crate) reason: String,
    /// What there is to say beside
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub(crate) note: String,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CleanupVerb {
    /// Write the list of identities that have to be blocked in the cloud, and the commands that do it
    List {
        /// The list: CSV
        #[arg(long, value_name = "FILE")]
        csv: PathBuf,
        /// The same as commands of the Azure CLI, for `sh`
        #[arg(long, value_name = "FILE")]
        commands: Option<PathBuf>,
        /// Those of lists that were done, too
        #[arg(long)]
        all: bool,
    },
    /// Put down that everything on a list was done, by two people: the next list begins behind it
    Done {
        /// The list: its CSV file, as it was made
        #[arg(long, value_name = "FILE")]
        list: PathBuf,
    },
}
