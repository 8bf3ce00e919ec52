//! What a log claims to be at the moment, and whether its two checkpoints agree. Takes the same time at any size.

use keystation_core::record::Seq;
use rusqlite::{Connection, OptionalExtension};

use crate::anchor;
use crate::checkpoint::Checkpoint;
use crate::finding::Finding;
use crate::head::Head;
use crate::note::VerifierKey;
use crate::open_error::OpenError;
use crate::origin::Origin;
use crate::record::Record;
use crate::tree::{Frontier, Hash, Subtree, leaf_hash};

/// Records at the end that are read at each start. More than that a kill cannot leave behind the head.
const TAIL: u64 = 256;

/// A log that agrees with its head.
pub(crate) struct State {
    pub(crate) origin: Origin,
    pub(crate) frontier: Frontier,
    /// The newest checkpoint, signed.
    pub(crate) note: String,
    /// Records that the tail of the head has and the database lacks.
    pub(crate) missing: Vec<Vec<u8>>,
    /// What a killed writer left in the write-ahead log is out of it.
    pub(crate) swept: bool,
}

/// Holds the log against the checkpoint in the database and against `head`, both signed by `key`.
pub(crate) fn check(conn: &Connection, key: &VerifierKey, head: &Head) -> Result<State, OpenError> {
    let size = size(conn)?;
    if size < head.checkpoint.size {
        return Err(Finding::Rewound { log: size, head: head.size() }.into());
    }
    let (note, checkpoint) = newest_checkpoint(conn, key)?;
    if checkpoint.size != size {
        return Err(Finding::CheckpointSize { log: size, checkpoint: checkpoint.size }.into());
    }
    let frontier = frontier(conn, size)?;
    if frontier.root() != checkpoint.root {
        return Err(Finding::CheckpointRoot { size }.into());
    }
    for (size, signed) in head.roots(size) {
        if root(conn, size)? != signed {
            return Err(Finding::HeadRoot { size }.into());
        }
    }
    let missing = head.missing(&frontier)?.into_iter().map(<[u8]>::to_vec).collect();
    anchor::check(conn, key)?;
    let ahead = size.saturating_sub(head.size());
    for seq in std::iter::once(0).chain(size - (ahead + 1).min(size).min(TAIL)..size) {
        check_record(conn, seq, key)?;
    }
    Ok(State { origin: checkpoint.origin, frontier, note, missing, swept: false })
}

/// Records in the log.
pub(crate) fn size(conn: &Connection) -> Result<u64, rusqlite::Error> {
    let last: Option<i64> = conn.query_row("SELECT max(seq) FROM log", [], |row| row.get(0))?;
    // In a damaged database a number may be negative; what is wrong there the verifier finds.
    Ok(last.and_then(|last| u64::try_from(last).ok()).map_or(0, |last| last + 1))
}

/// The newest checkpoint in the database, as a note and read.
pub(crate) fn newest_checkpoint(
    conn: &Connection,
    key: &VerifierKey,
) -> Result<(String, Checkpoint), OpenError> {
    let note: Option<String> = conn
        .query_row("SELECT note FROM checkpoint ORDER BY size DESC LIMIT 1", [], |row| row.get(0))
        .optional()?;
    let note = note.ok_or(Finding::CheckpointMissing)?;
    let checkpoint = Checkpoint::open(&note, key).map_err(Finding::Checkpoint)?;
    Ok((note, checkpoint))
}

/// The frontier of the first `size` records, out of the stored leaves and nodes.
fn frontier(conn: &Connection, size: u64) -> Result<Frontier, OpenError> {
    Frontier::load(size, |at| {
        let (first, last) = at.leaves();
        Ok(stored(conn, at)?.ok_or(Finding::Node { level: at.level, first, last })?)
    })
}

/// The root of the first `size` records, out of the stored leaves and nodes.
pub(crate) fn root(conn: &Connection, size: u64) -> Result<Hash, OpenError> {
    Ok(frontier(conn, size)?.root())
}

/// The stored root of a complete subtree.
pub(crate) fn stored(conn: &Connection, at: Subtree) -> Result<Option<Hash>, rusqlite::Error> {
    let Subtree { level, index } = at;
    if level == 0 {
        conn.prepare_cached("SELECT leaf FROM log WHERE seq = ?1")?
            .query_row([index.cast_signed()], |row| row.get(0))
            .optional()
    } else {
        conn.prepare_cached("SELECT hash FROM node WHERE level = ?1 AND idx = ?2")?
            .query_row((level, index.cast_signed()), |row| row.get(0))
            .optional()
    }
}

fn check_record(conn: &Connection, seq: Seq, key: &VerifierKey) -> Result<(), OpenError> {
    let row: Option<(Vec<u8>, Hash)> = conn
        .prepare_cached("SELECT body, leaf FROM log WHERE seq = ?1")?
        .query_row([seq.cast_signed()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let (body, leaf) = row.ok_or(Finding::Missing { first: seq, last: seq })?;
    if leaf_hash(&body) != leaf {
        return Err(Finding::Changed { seq }.into());
    }
    let record = Record::parse(&body).map_err(|why| Finding::NotARecord { seq, why })?;
    check_place(&record, seq, key)?;
    Ok(())
}

/// What the first record of the log tells.
pub(crate) fn with_first<T>(
    conn: &Connection,
    take: impl FnOnce(&Record<'_>) -> Result<T, Finding>,
) -> Result<T, OpenError> {
    let body: Option<Vec<u8>> =
        conn.query_row("SELECT body FROM log WHERE seq = 0", [], |row| row.get(0)).optional()?;
    let body = body.ok_or(Finding::Genesis { seq: 0 })?;
    let record = Record::parse(&body).map_err(|why| Finding::NotARecord { seq: 0, why })?;
    Ok(take(&record)?)
}

/// Whether a record says of itself that it is number `seq` of the log of `key`.
pub(crate) fn check_place(record: &Record<'_>, seq: Seq, key: &VerifierKey) -> Result<(), Finding> {
    if record.log() != key.name() {
        return Err(Finding::Foreign { seq, log: record.log().to_owned() });
    }
    if record.seq() != seq {
        return Err(Finding::Misplaced { seq, says: record.seq() });
    }
    if (record.event() == "log.genesis") != (seq == 0) {
        return Err(Finding::Genesis { seq });
    }
    if seq == 0 && record.text("vkey").is_none_or(|vkey| vkey != key.to_string()) {
        return Err(Finding::Key);
    }
    Ok(())
}

impl From<Finding> for OpenError {
    fn from(finding: Finding) -> Self {
        Self::Integrity(finding)
    }
}
