//! A directory that takes each record as a file of its own, there whole or not at all.

use std::fs;
use std::path::Path;

use keystation_core::record::Seq;

use super::Undelivered;
use crate::after::position::replace;

/// Writes record `seq` of the log `origin`. A file that is there already has to hold the same.
pub(super) fn deliver(folder: &Path, origin: &str, seq: Seq, body: &[u8]) -> Result<(), Undelivered> {
    let path = folder.join(name(origin, seq));
    match fs::read(&path) {
        Ok(there) if there == body => return Ok(()),
        Ok(_) => return Err(Undelivered::Other),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(_) => return Err(Undelivered::Disk),
    }
    if !folder.is_dir() {
        return Err(Undelivered::Away);
    }
    replace(&path, body).map_err(|error| {
        tracing::warn!(%error, "a record is not delivered");
        Undelivered::Disk
    })
}

/// `keylog-example-com-plant7-stn03-1-0000000000000042.json`: in the order of the records, and without a sign that means something to
/// a shell.
fn name(origin: &str, seq: Seq) -> String {
    format!("{}-{seq:016}.json", origin.replace(['.', '/'], "-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_a_file_and_never_another_one() {
        let folder = tempfile::tempdir().unwrap();
        let origin = "keylog.example.com/plant7/stn03/1";
        deliver(folder.path(), origin, 42, b"{}").unwrap();
        let file = folder.path().join("keylog-example-com-plant7-stn03-1-0000000000000042.json");
        assert_eq!(fs::read(&file).unwrap(), b"{}");
        assert_eq!(deliver(folder.path(), origin, 42, b"{}"), Ok(()), "once more is the same");
        assert_eq!(deliver(folder.path(), origin, 42, b"{1}"), Err(Undelivered::Other));
        assert_eq!(fs::read(&file).unwrap(), b"{}");
        assert_eq!(deliver(&folder.path().join("no"), origin, 42, b"{}"), Err(Undelivered::Away));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing half is left");
    }
}
