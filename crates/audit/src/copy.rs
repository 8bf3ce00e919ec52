//! A copy of a log, as it is at one moment, beside a program that writes it.

use std::path::Path;

use crate::checkpoint::Checkpoint;
use crate::files::{self, FileError, Paths};
use crate::reader::{ReadError, Reader};

impl Reader {
    /// Writes database, head and verifier key of the log into `directory`, which must have none of them: a log at rest, of one moment.
    /// The signing key is not in it, so nothing can be appended to the copy; a new epoch follows it.
    ///
    /// SQLite copies within one transaction (<https://sqlite.org/lang_vacuum.html#vacuuminto>), and the checkpoint in the database covers
    /// every record that the transaction sees. The copy is held against its checkpoint as a start of the station does it.
    pub fn copy_into(&self, directory: &Path) -> Result<Checkpoint, ReadError> {
        let copy = Paths::in_dir(directory);
        let vkey = files::read(&self.paths.vkey)?.unwrap_or_default();
        files::create(&copy.vkey, &vkey, 0o600)?;
        // SQLite takes no path that is no text.
        let path = copy.db.to_str().ok_or_else(|| {
            FileError::new("copy the log to", &copy.db)(std::io::ErrorKind::InvalidFilename.into())
        })?;
        // The file is opened read-only whatever this says, which forbids making another one, too.
        self.conn.pragma_update(None, "query_only", false)?;
        let copied = self.conn.execute("VACUUM INTO ?1", [path]);
        self.conn.pragma_update(None, "query_only", true)?;
        copied?;
        let flush = |path: &Path| std::fs::File::open(path)?.sync_all();
        flush(&copy.db).map_err(FileError::new("sync", &copy.db))?;
        let made = Self::open(&copy)?;
        let (note, _) = crate::state::newest_checkpoint(&made.conn, &made.verifier_key()?)
            .map_err(crate::snapshot::refused)?;
        files::create(&copy.head, &note, 0o600)?;
        let checkpoint = made.snapshot()?.checkpoint().clone();
        Ok(checkpoint)
    }
}
