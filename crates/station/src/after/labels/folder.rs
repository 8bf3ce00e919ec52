//! A file for each label: there whole or not at all, and the same one if it is written twice.

use std::io::ErrorKind;
use std::path::Path;

use keystation_core::record::Seq;

use super::Trouble;
use crate::after::position::replace;

/// Writes the label that record `asked` asks for.
pub(super) fn write(folder: &Path, id: &str, asked: Seq, label: &[u8]) -> Result<(), Trouble> {
    let plain = |sign: char| if sign.is_ascii_lowercase() || sign.is_ascii_digit() { sign } else { '-' };
    let name: String = id.chars().map(plain).collect();
    replace(&folder.join(format!("{name}-{asked}.pdf")), label).map_err(|error| {
        tracing::warn!(%error, "a label is not written");
        if error.kind() == ErrorKind::NotFound { Trouble::Away } else { Trouble::Disk }
    })
}
