//! The diagnostic bundle: what helps to find a fault, and nothing that a stranger may not read. `docs/diagnostics.md` lists it.
//!
//! Three things keep secrets out. Nothing is copied: every line is made here, of words that this program knows and of numbers, so no
//! comment, name, serial number, firmware text or file name gets in. What was made is searched before it has a file
//! ([`NotClean`]), for whatever looks like a secret and for those that this station has. And what is neither a word of this program
//! nor a number is masked, whatever it looks like.

mod scan;
mod sections;
#[cfg(test)]
mod tests;
mod words;

use std::io::Write as _;
use std::path::Path;

use keystation_audit::Clock as _;

use crate::data_dir::DataDir;
use crate::error::StationError;
use crate::report::{NewFile, OutError};
use crate::station::clock;

pub use scan::NotClean;

/// A part of the bundle.
struct Section {
    name: &'static str,
    text: String,
}

/// Writes the bundle of the station in `data` into a file that is not there yet, for its owner only. Changes nothing of the
/// station (the self test writes a file there and removes it), so it works beside a program that works at it, and where the log does not open. Gives back how many lines it has.
pub fn diagnose(data: &DataDir, file: &Path) -> Result<usize, StationError> {
    let now = clock()?.now();
    save(&sections::all(data, &now), &scan::Known::of(data), file)
}

/// Saves what is clean, and nothing otherwise.
fn save(sections: &[Section], known: &scan::Known, file: &Path) -> Result<usize, StationError> {
    let mut text = String::new();
    for Section { name, text: section } in sections {
        scan::examine(name, section, known)?;
        text += &format!("== {name}\n{}\n", words::masked(section));
    }
    let mut out = NewFile::private(file)?;
    out.write_all(text.as_bytes()).map_err(|cause| OutError::Disk { path: file.to_owned(), cause })?;
    out.keep()?;
    Ok(text.lines().count())
}
