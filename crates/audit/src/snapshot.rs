//! One moment of a log that grows: the newest checkpoint, and proofs under it.

use keystation_core::record::Seq;
use rusqlite::{OptionalExtension, Transaction};

use crate::checkpoint::Checkpoint;
use crate::finding::Finding;
use crate::head::Head;
use crate::note::VerifierKey;
use crate::open_error::OpenError;
use crate::proof;
use crate::reader::{ReadError, Reader};
use crate::state;
use crate::tree::{Hash, Subtree};

/// A log as it is at one moment, whatever is appended meanwhile. While it lives SQLite keeps what it sees, so it should
/// not live for hours.
pub struct Snapshot<'a> {
    pub(crate) conn: Transaction<'a>,
    pub(crate) key: VerifierKey,
    checkpoint: Checkpoint,
    note: String,
}

impl Reader {
    /// The log as it is now. Holds its checkpoint, its head and its size against each other, as a start of the station
    /// does, and refuses where they do not agree; [`Reader::verify`] checks every record.
    pub fn snapshot(&self) -> Result<Snapshot<'_>, ReadError> {
        let key = self.verifier_key()?;
        // The head first: a writer may go on meanwhile, and a log that is ahead of its head is as it should be.
        let head = Head::read(&self.paths, &key)??;
        let conn = self.conn.unchecked_transaction()?;
        let (note, checkpoint) = state::newest_checkpoint(&conn, &key).map_err(refused)?;
        state::check(&conn, &key, &head).map_err(refused)?;
        Ok(Snapshot { conn, key, checkpoint, note })
    }
}

impl Snapshot<'_> {
    /// The newest checkpoint. It covers every record of this moment.
    #[must_use]
    pub const fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The same as the signed note.
    #[must_use]
    pub fn note(&self) -> &str {
        &self.note
    }

    /// The same with the lines of the witnesses that cosigned it, where some did.
    pub fn cosigned_note(&self) -> Result<String, ReadError> {
        let sql = "SELECT coalesce(cosig, '') FROM checkpoint WHERE size = ?1";
        let lines: String = self
            .conn
            .prepare_cached(sql)?
            .query_row([self.checkpoint.size.cast_signed()], |row| row.get(0))?;
        Ok(format!("{}{lines}", self.note))
    }

    /// The key that signed it, out of the file beside the database.
    #[must_use]
    pub const fn key(&self) -> &VerifierKey {
        &self.key
    }

    /// The hashes that lead from record `seq` to the root, lowest first;
    /// [`verify_inclusion`](crate::verify_inclusion) checks them. `None`: there is no such record.
    pub fn inclusion_proof(&self, seq: Seq) -> Result<Option<Vec<Hash>>, ReadError> {
        let size = self.checkpoint.size;
        (seq < size).then(|| proof::inclusion(seq, size, |at| self.hash(at))).transpose()
    }

    /// The hashes that lead from the first `old` records to all of them;
    /// [`verify_consistency`](crate::verify_consistency) checks them. `None`: `old` is 0, or there are not as many.
    pub fn consistency_proof(&self, old: u64) -> Result<Option<Vec<Hash>>, ReadError> {
        let size = self.checkpoint.size;
        (1..=size).contains(&old).then(|| proof::consistency(old, size, |at| self.hash(at))).transpose()
    }

    /// The bytes of a record.
    pub(crate) fn body(&self, seq: Seq) -> Result<Vec<u8>, ReadError> {
        let body = self
            .conn
            .prepare_cached("SELECT body FROM log WHERE seq = ?1")?
            .query_row([seq.cast_signed()], |row| row.get(0))
            .optional()?;
        Ok(body.ok_or(Finding::Missing { first: seq, last: seq })?)
    }

    /// The stored root of a complete subtree.
    pub(crate) fn hash(&self, at: Subtree) -> Result<Hash, ReadError> {
        let (first, last) = at.leaves();
        Ok(state::stored(&self.conn, at)?.ok_or(Finding::Node { level: at.level, first, last })?)
    }
}

impl From<Finding> for ReadError {
    fn from(finding: Finding) -> Self {
        Self::Damaged(finding)
    }
}

/// The two ways in which [`state`] fails.
pub(crate) fn refused(error: OpenError) -> ReadError {
    match error {
        OpenError::Integrity(finding) => ReadError::Damaged(finding),
        OpenError::Database(e) => ReadError::Database(e),
        other => unreachable!("it reads the database only: {other}"),
    }
}
