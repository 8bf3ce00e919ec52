//! The command line of the window. Its manual page is made from it, by `crates/station/examples/manuals.rs`.

use std::path::PathBuf;

use clap::Parser;

/// The window of the key-injection station
#[derive(Parser)]
#[command(name = "keystation-desktop", version)]
pub(crate) struct Arguments {
    /// The station's directory [default: the platform's data directory]
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Only looks: the log, read-only, beside a running station or without one. No vault, no devices
    #[arg(long)]
    pub(crate) qa: bool,
    /// Trains: simulated devices, an example key and a log of its own, made anew at each start; nothing of the station is opened
    #[arg(long, conflicts_with = "qa")]
    pub(crate) training: bool,
    /// Writes diagnostics to standard error, for example `debug`; they hold no secret at any level
    #[arg(long, value_name = "FILTER")]
    pub(crate) trace: Option<String>,
}
