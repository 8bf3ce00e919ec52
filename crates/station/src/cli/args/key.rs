//! `keystation key …`.

use std::path::PathBuf;

use clap::Subcommand;
use keystation_core::key::{EnrollmentGroup, IdScope, KeyLabel, KeySlot};

use super::PassphraseFrom;

#[derive(Debug, Subcommand)]
pub(crate) enum KeyVerb {
    /// Put a group key (canonical Base64, 16 to 64 bytes) into the vault; without source options it is asked for
    Import {
        /// The station's own name for the key
        #[arg(long)]
        label: KeyLabel,
        /// Enrollment group in DPS
        #[arg(long)]
        group: EnrollmentGroup,
        /// ID scope of the DPS instance
        #[arg(long)]
        scope: IdScope,
        /// primary or secondary
        #[arg(long)]
        slot: KeySlot,
        /// Read the key from this file
        #[arg(long, value_name = "FILE", conflicts_with = "key_fd")]
        key_file: Option<PathBuf>,
        /// Read the key from this file descriptor
        #[arg(long, value_name = "N")]
        key_fd: Option<i32>,
        /// The key has 32 bytes and is a group key all the same, not the derived key of one device
        #[arg(long)]
        not_a_device_key: bool,
        #[command(flatten)]
        passphrase: PassphraseFrom,
    },
    /// Labels, groups, scopes and check values
    List {
        #[command(flatten)]
        passphrase: PassphraseFrom,
    },
}
