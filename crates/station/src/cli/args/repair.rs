//! Arguments of `keystation look` and `keystation rekey`.

use std::path::PathBuf;

use clap::Args;

use super::PassphraseFrom;

#[derive(Debug, Args)]
pub(crate) struct LookArgs {
    /// Serial port
    #[arg(long, value_name = "PORT", value_parser = keystation::config::port_path)]
    pub(crate) port: PathBuf,
    /// Product profile: a bare name in the station's `profiles` folder, or a path with a slash
    #[arg(long, value_name = "FILE")]
    pub(crate) profile: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct RekeyArgs {
    /// Serial port of one device
    #[arg(long, value_name = "PORT", value_parser = keystation::config::port_path, required = true)]
    pub(crate) port: Option<PathBuf>,
    /// Product profile: it names the group key of the new key
    #[arg(long, value_name = "FILE")]
    pub(crate) profile: PathBuf,
    /// Why: returned, leaked-key, key-rotation, wrong-scope, board-repair, firmware-lost-key, or other with a note
    // Not asked for here: an act without a reason is refused by the station, and recorded.
    #[arg(long, value_name = "REASON", default_value = "", hide_default_value = true)]
    pub(crate) reason: String,
    /// What there is to say beside the reason
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub(crate) note: String,
    /// Write the same key again even where the reason is a leak or a rotation, which that does not heal
    #[arg(long)]
    pub(crate) same_key: bool,
    #[command(flatten)]
    pub(crate) passphrase: PassphraseFrom,
}
