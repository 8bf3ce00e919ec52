//! Small text files that come and go on a stick.

use std::fs::File;
use std::io::{Error, ErrorKind, Read, Write};
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
