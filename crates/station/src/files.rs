//! Files that are on the disk when they are said to be: small texts that come and go on a stick, and what a station keeps beside its log.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Error, ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::error::StationError;

/// Bytes at most: many times what a request to a witness has.
const LIMIT: u64 = 64 * 1024;

/// A text file of at most 64 KiB.
pub fn read_text(path: &Path) -> Result<String, StationError> {
    let read = || {
        let mut text = String::new();
        File::open(path)?.take(LIMIT + 1).read_to_string(&mut text)?;
        let fits = text.len() as u64 <= LIMIT;
        if fits { Ok(text) } else { Err(Error::new(ErrorKind::FileTooLarge, "it has more than 64 KiB")) }
    };
    read().map_err(|cause| StationError::Unreadable { path: path.to_owned(), cause })
}

/// Writes a text file, on the disk when this returns: the stick may be pulled out next.
pub fn write_text(path: &Path, text: &str) -> Result<(), StationError> {
    let write = || {
        let mut file = File::create(path)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    };
    write().map_err(|cause| StationError::Disk { path: path.to_owned(), cause })
}

/// Puts a file that its owner alone may read in the place of the one before. A crash at any moment leaves one or the other; it is
/// the new one, on the disk, when this returns.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = path.with_added_extension("new");
    match fs::remove_file(&new) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    // The new name is durable when the directory is.
    File::open(path.parent().unwrap_or(Path::new("/")))?.sync_all()
}
