//! The proof file of one device.

use std::fs::{self, DirBuilder};
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use keystation_audit::Reader;
use keystation_core::registration::RegistrationId;

use crate::data_dir::DataDir;
use crate::error::StationError;
use crate::report::{NewFile, OutError};
use crate::training::TrainingError;

/// Files for one device at most. Whoever made as many looks there first.
const NUMBERS: std::ops::RangeInclusive<u32> = 1..=9999;

/// Writes the proof file of a device to a file that is not there yet: that its records are in the log as it is now.
/// Only reads the log.
pub fn proof(reader: &Reader, id: &RegistrationId, path: &Path) -> Result<(), StationError> {
    let file = NewFile::create(path)?;
    write(file, &text(reader, id)?)
}

/// Writes the proof file of a device into `exports/` of the data directory, which is made if need be, and tells its path:
/// `<id>.tlog-proof`, or `<id>-2.tlog-proof` and so on where there is one. The name has no other characters than `a-z`,
/// `0-9` and `-` before the dot. Only reads the log, so it works beside a station that writes.
pub fn save_proof(data: &DataDir, reader: &Reader, id: &RegistrationId) -> Result<PathBuf, StationError> {
    let text = text(reader, id)?;
    numbered(&data.exports(), id.as_str(), "tlog-proof", |path| {
        write(NewFile::create(path)?, &text)?;
        Ok(path.to_owned())
    })
}

/// Has `make` write a file into `directory`, which is made if need be: `<stem>.<extension>`, or `<stem>-2.<extension>` and so on
/// where there is one. The name has no other characters than `a-z`, `0-9` and `-` before the dot.
pub(crate) fn numbered<T>(
    directory: &Path,
    stem: &str,
    extension: &str,
    mut make: impl FnMut(&Path) -> Result<T, StationError>,
) -> Result<T, StationError> {
    prepare(directory)?;
    let plain = |c: char| if c.is_ascii_lowercase() || c.is_ascii_digit() { c } else { '-' };
    let name: String = stem.chars().map(plain).collect();
    let mut taken = None;
    for number in NUMBERS {
        let again = if number == 1 { String::new() } else { format!("-{number}") };
        match make(&directory.join(format!("{name}{again}.{extension}"))) {
            Err(StationError::Out(error @ OutError::Exists(_))) => taken = Some(error),
            made => return made,
        }
    }
    Err(taken.expect("a number was tried").into())
}

fn text(reader: &Reader, id: &RegistrationId) -> Result<String, StationError> {
    let moment = reader.snapshot()?;
    if moment.checkpoint().origin.is_training() {
        return Err(TrainingError::NoProof.into());
    }
    moment.proof_file(id)?.ok_or_else(|| StationError::NotInLog(id.to_string()))
}

fn write(mut file: NewFile, text: &str) -> Result<(), StationError> {
    let written = file.write_all(text.as_bytes());
    written.map_err(|cause| OutError::Disk { path: file.path().to_owned(), cause })?;
    Ok(file.keep()?)
}

/// A directory of our own: one that leads elsewhere is refused.
fn prepare(directory: &Path) -> Result<(), StationError> {
    let disk = |cause| StationError::Disk { path: directory.to_owned(), cause };
    match DirBuilder::new().mode(0o700).create(directory) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let is_directory = fs::symlink_metadata(directory).map_err(disk)?.is_dir();
            if is_directory { Ok(()) } else { Err(disk(io::Error::from(io::ErrorKind::NotADirectory))) }
        }
        made => {
            let parent = directory.parent().map_or(Ok(()), |parent| fs::File::open(parent)?.sync_all());
            made.and(parent).map_err(disk)
        }
    }
}
