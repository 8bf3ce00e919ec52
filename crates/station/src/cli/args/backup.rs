//! The copy of a station, and a station out of one.

use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct BackupArgs {
    /// The file, which is not there yet
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Beside a program that works at the station: nobody signs in, and it is not recorded
    #[arg(long)]
    pub(crate) read_only: bool,
    #[command(flatten)]
    pub(crate) passphrase: BackupPassphrase,
}

#[derive(Debug, Args)]
pub(crate) struct RestoreArgs {
    /// The backup
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Why, for the first record of the new log
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
    #[command(flatten)]
    pub(crate) passphrase: BackupPassphrase,
}

/// The passphrase of a backup, which is not that of the vault.
#[derive(Debug, Args)]
pub(crate) struct BackupPassphrase {
    /// Read the passphrase of the backup from the first line of this file
    #[arg(long, value_name = "FILE", conflicts_with = "backup_passphrase_fd")]
    pub(crate) backup_passphrase_file: Option<PathBuf>,
    /// Read the passphrase of the backup from this file descriptor
    #[arg(long, value_name = "N")]
    pub(crate) backup_passphrase_fd: Option<i32>,
}
