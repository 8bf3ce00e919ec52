//! Arguments of `keystation look`, `rekey` and `batch`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use keystation::orders::OrderId;
use keystation_core::key::KeyLabel;

use super::{PassphraseFrom, SlotList, slot_list};

#[derive(Debug, Args)]
pub(crate) struct LookArgs {
    /// Serial port
    #[arg(long, value_name = "PORT", value_parser = keystation::config::port_path)]
    pub(crate) port: PathBuf,
    /// Product profile: a bare name in the station's `profiles` folder, or a path with a slash
    #[arg(long, value_name = "FILE")]
    pub(crate) profile: PathBuf,
    // Needed only where a write was left open on the device.
    #[command(flatten)]
    pub(crate) passphrase: PassphraseFrom,
}

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("devices").required(true).args(["port", "list", "count", "from_key", "batch"]))]
pub(crate) struct RekeyArgs {
    /// One device, on this serial port
    #[arg(long, value_name = "PORT", value_parser = keystation::config::port_path)]
    pub(crate) port: Option<PathBuf>,
    /// A batch: the devices of this list, CSV with the columns `id`, `mac`, `serial`, or some of them. The same list again goes on
    #[arg(long, value_name = "FILE")]
    pub(crate) list: Option<PathBuf>,
    /// A batch: so many devices, whichever are plugged in
    #[arg(long, value_name = "N")]
    pub(crate) count: Option<u64>,
    /// A campaign: every device that hangs on this group key. The same again goes on
    #[arg(long, value_name = "LABEL")]
    pub(crate) from_key: Option<KeyLabel>,
    /// A batch that is open: goes on with it
    #[arg(long, value_name = "ID", conflicts_with_all = ["profile", "reason", "note", "same_key"])]
    pub(crate) batch: Option<OrderId>,
    /// Product profile: it names the group key of the new key
    #[arg(long, value_name = "FILE", required_unless_present = "batch")]
    pub(crate) profile: Option<PathBuf>,
    /// Why: returned, leaked-key, key-rotation, wrong-scope, board-repair, firmware-lost-key, or other with a note
    // Not asked for here: an act without a reason is refused by the station, and recorded.
    #[arg(long, value_name = "REASON")]
    pub(crate) reason: Option<String>,
    /// What there is to say beside the reason
    #[arg(long, value_name = "TEXT")]
    pub(crate) note: Option<String>,
    /// Write the same key again even where the reason is a leak or a rotation, which that does not heal
    #[arg(long)]
    pub(crate) same_key: bool,
    /// Slots of `station.toml` for a batch, for example `1,2-4` [default: those with `use = "repair"`, or all where there is none]
    #[arg(long, value_name = "LIST", value_parser = slot_list, conflicts_with = "port")]
    pub(crate) slots: Option<SlotList>,
    #[command(flatten)]
    pub(crate) to: ReconciledTo,
    #[command(flatten)]
    pub(crate) passphrase: PassphraseFrom,
}

/// Where the reconciliation of a batch goes.
#[derive(Debug, Args)]
pub(crate) struct ReconciledTo {
    /// Write the reconciliation of a batch as CSV, one row for each device
    #[arg(long, value_name = "FILE", conflicts_with = "port")]
    pub(crate) csv: Option<PathBuf>,
    /// Write it as a PDF
    #[arg(long, value_name = "FILE", conflicts_with = "port")]
    pub(crate) pdf: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum BatchVerb {
    /// List batches, the newest first
    List,
    /// What came of the devices of a batch so far, day by day
    Show {
        /// Its ID
        id: OrderId,
        #[command(flatten)]
        to: BatchFiles,
    },
    /// Close a batch for good, whatever became of its devices, with its reconciliation
    Close {
        /// Its ID
        id: OrderId,
        #[command(flatten)]
        to: BatchFiles,
    },
}

/// The same for a batch that is named.
#[derive(Debug, Args)]
pub(crate) struct BatchFiles {
    /// Write the reconciliation as CSV, one row for each device
    #[arg(long, value_name = "FILE")]
    pub(crate) csv: Option<PathBuf>,
    /// Write it as a PDF
    #[arg(long, value_name = "FILE")]
    pub(crate) pdf: Option<PathBuf>,
}
