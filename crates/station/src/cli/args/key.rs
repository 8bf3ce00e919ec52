//! The command line of group keys.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use keystation::CustodyKind;
use keystation_core::key::{CheckValue, EnrollmentGroup, IdScope, KeyLabel, KeySlot};

use super::PassphraseFrom;

#[derive(Debug, Subcommand)]
pub(crate) enum KeyVerb {
    /// Take a group key in: one text (canonical Base64, 16 to 64 bytes), or a transfer file. Two custodians; it is not used before
    /// it is activated
    Import(ImportArgs),
    /// Take a group key in that comes in components, each from another custodian
    Ceremony(CeremonyArgs),
    /// From now on devices get keys from it. Two custodians
    Activate {
        #[command(flatten)]
        change: ChangeArgs,
        /// The key's check value, typed from its owner's paper: another key is not activated
        #[arg(long, value_name = "VALUE")]
        check_value: CheckValue,
    },
    /// From now on no device gets a key from it. The emergency stop: one custodian or supervisor
    Suspend {
        #[command(flatten)]
        change: ChangeArgs,
    },
    /// Destroy it, here and in no copy elsewhere. Two custodians
    Destroy {
        #[command(flatten)]
        change: ChangeArgs,
        #[command(flatten)]
        secrets: PassphraseFrom,
    },
    /// List the devices that stop working if DPS no longer has this key, and how many of them are in use
    Devices {
        /// The key
        #[arg(value_name = "LABEL")]
        label: KeyLabel,
        /// Only how many
        #[arg(long)]
        count: bool,
    },
    /// Print whom the owner of a group key seals it to (age1…); makes the station's key for it the first time
    Recipient {
        #[command(flatten)]
        secrets: PassphraseFrom,
    },
    /// List labels, check values, custodies, states and how many devices each key has
    List,
}

#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// The station's own name for the key
    #[arg(long)]
    pub(crate) label: KeyLabel,
    /// Enrollment group in DPS
    #[arg(long)]
    pub(crate) group: EnrollmentGroup,
    /// ID scope of the DPS instance
    #[arg(long)]
    pub(crate) scope: IdScope,
    /// primary or secondary
    #[arg(long)]
    pub(crate) slot: KeySlot,
    /// The check value that the key must have, from its owner's paper: another key is not imported
    #[arg(long, value_name = "VALUE")]
    pub(crate) check_value: CheckValue,
    /// Where the key is kept: sealed-file, pkcs11 or tpm [default: the only one that station.toml leaves]
    #[arg(long, value_name = "CUSTODY", value_parser = custody)]
    pub(crate) custody: Option<CustodyKind>,
    /// Take the key from this file, which its owner sealed to the station (`key recipient`): the key must be the one that is said here
    #[arg(long, value_name = "FILE", conflicts_with_all = ["key_file", "key_fd"])]
    pub(crate) transfer: Option<PathBuf>,
    /// Read the key from this file
    #[arg(long, value_name = "FILE", conflicts_with = "key_fd")]
    pub(crate) key_file: Option<PathBuf>,
    /// Read the key from this file descriptor
    #[arg(long, value_name = "N")]
    pub(crate) key_fd: Option<i32>,
    /// The key has 32 bytes and is a group key all the same, not the derived key of one device
    #[arg(long)]
    pub(crate) not_a_device_key: bool,
    #[command(flatten)]
    pub(crate) secrets: PassphraseFrom,
}

/// Options that stand for each component are given once for each, in the order of the components; what is not given is asked
/// for.
#[derive(Debug, Args)]
pub(crate) struct CeremonyArgs {
    /// The station's own name for the key
    #[arg(long)]
    pub(crate) label: KeyLabel,
    /// Enrollment group in DPS
    #[arg(long)]
    pub(crate) group: EnrollmentGroup,
    /// ID scope of the DPS instance
    #[arg(long)]
    pub(crate) scope: IdScope,
    /// primary or secondary
    #[arg(long)]
    pub(crate) slot: KeySlot,
    /// The check value that the key must have, from its paper
    #[arg(long, value_name = "VALUE")]
    pub(crate) check_value: CheckValue,
    /// Where the key is kept: sealed-file, pkcs11 or tpm [default: the only one that station.toml leaves]
    #[arg(long, value_name = "CUSTODY", value_parser = custody)]
    pub(crate) custody: Option<CustodyKind>,
    /// Bytes of the key and of each component
    #[arg(long, value_name = "N", default_value_t = 64)]
    pub(crate) bytes: u8,
    /// How many components there are: 2 or 3
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub(crate) parts: u8,
    /// For each component: who gives it
    #[arg(long, value_name = "ID")]
    pub(crate) custodian: Vec<String>,
    /// For each component: read the custodian's PIN from this file
    #[arg(long, value_name = "FILE")]
    pub(crate) custodian_pin_file: Vec<PathBuf>,
    /// For each component: read it from this file
    #[arg(long, value_name = "FILE", conflicts_with_all = ["component_fd", "component_scanner"])]
    pub(crate) component_file: Vec<PathBuf>,
    /// For each component: read it from this file descriptor
    #[arg(long, value_name = "N", conflicts_with = "component_scanner")]
    pub(crate) component_fd: Vec<i32>,
    /// Read every component with the code scanner at this serial port
    #[arg(long, value_name = "PORT", value_parser = keystation::config::port_path)]
    pub(crate) component_scanner: Option<PathBuf>,
    /// Speed of the scanner's port
    #[arg(long, value_name = "BAUD", default_value_t = 9600)]
    pub(crate) scanner_baud: u32,
    /// For each component: its check value, as the custodian's paper has it
    #[arg(long, value_name = "VALUE")]
    pub(crate) component_check: Vec<String>,
    /// The key's check value once more, as it is typed at the end
    #[arg(long, value_name = "VALUE")]
    pub(crate) confirm_check_value: Option<String>,
    #[command(flatten)]
    pub(crate) secrets: PassphraseFrom,
}

#[derive(Debug, Args)]
pub(crate) struct ChangeArgs {
    /// The key
    #[arg(value_name = "LABEL")]
    pub(crate) label: KeyLabel,
    /// Why, for the record
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
}

/// A custody by its name.
fn custody(name: &str) -> Result<CustodyKind, String> {
    let kind = CustodyKind::ALL.into_iter().find(|kind| kind.as_str() == name);
    kind.ok_or_else(|| format!("a custody is {}", CustodyKind::ALL.map(CustodyKind::as_str).join(", ")))
}
