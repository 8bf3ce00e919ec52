//! Checkpoints that a witness cosigned: what they secure, and how they come into the log.

use keystation_core::record::{Actor, Entry, Event, Seq};
use rusqlite::{Connection, OptionalExtension};

use crate::append_error::AppendError;
use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::cosignature::WitnessKey;
use crate::finding::Finding;
use crate::note::VerifierKey;
use crate::open_error::OpenError;
use crate::reader::{ReadError, Reader};
use crate::request::WitnessRequest;
use crate::snapshot::{self, Snapshot};
use crate::state;
use crate::verify::Findings;
use crate::writer::{StorageFailure, Writer};

/// How far the clock of a witness may be ahead of the station's, in seconds: two clocks that nobody sets alike.
pub(crate) const AHEAD: u64 = 10 * 60;

/// The newest checkpoint that a witness cosigned: whoever rewrites a record before it is found out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secured {
    /// What was cosigned.
    pub checkpoint: Checkpoint,
    /// The name of the witness.
    pub witness: String,
    /// When, by the clock of the witness, in seconds since 1970.
    pub time: u64,
}

/// A cosigned checkpoint that does not secure this log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AnchorRefusal {
    /// Not a checkpoint that this station signed.
    #[error("it is not a checkpoint of this log: {0}")]
    Foreign(CheckpointError),
    /// Signed by the key of this log, for records that it does not have.
    #[error(
        "it was signed by this station's key for {size} records, and this log has {log}: records were removed here, \
         or a copy of this station is at work elsewhere"
    )]
    Ahead {
        /// Records that were signed for.
        size: u64,
        /// Records that there are.
        log: u64,
    },
    /// Signed by the key of this log, for other records.
    #[error(
        "it was signed by this station's key for {size} other records than the first {size} of this log: \
         the log was rewritten here, or a copy of this station is at work elsewhere"
    )]
    Forked {
        /// Records that were signed for.
        size: u64,
    },
    /// No witness that the station was told of has cosigned it.
    #[error("no witness of this station has cosigned it")]
    NotCosigned,
    /// A line under the name of a witness is wrong.
    #[error("the cosignature under the name of {0} is not its own")]
    Cosignature(String),
    /// The witness cosigned a later moment already.
    #[error(
        "{witness} has cosigned {known} records later than this: the file is an old one, or the witness was set back"
    )]
    Stale {
        /// Its name.
        witness: String,
        /// Records that it cosigned later.
        known: u64,
    },
    /// The witness's clock is ahead.
    #[error("the clock of {0} is ahead of this station's by more than ten minutes: set the wrong one right")]
    AheadOfTime(String),
}

impl AnchorRefusal {
    /// A stable name, for programs.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Foreign(_) => "checkpoint-foreign",
            Self::Ahead { .. } => "checkpoint-ahead",
            Self::Forked { .. } => "checkpoint-forked",
            Self::NotCosigned => "not-cosigned",
            Self::Cosignature(_) => "cosignature-invalid",
            Self::Stale { .. } => "cosignature-stale",
            Self::AheadOfTime(_) => "cosignature-ahead-of-time",
        }
    }

    /// Whether it proves that there are two logs of this origin, or that this one was set back.
    #[must_use]
    pub const fn proves_two_logs(&self) -> bool {
        matches!(self, Self::Ahead { .. } | Self::Forked { .. })
    }
}

/// A cosigned checkpoint on its way into the log.
pub(crate) struct Anchor {
    pub(crate) actor: Actor,
    pub(crate) note: String,
    pub(crate) witnesses: Vec<WitnessKey>,
}

impl Writer {
    /// Keeps a checkpoint of this log that a witness cosigned, and puts down that it did. One that shows two logs is put
    /// down as well, and refused.
    pub(crate) fn anchor(&mut self, anchor: &Anchor) -> Result<Result<Seq, AppendError>, StorageFailure> {
        let key = self.signer.verifier();
        let log = self.frontier.size();
        let now = u64::try_from(self.clock.now().utc_ms / 1000).unwrap_or_default();
        let (event, refusal) = match examine(&self.conn, key, log, anchor, now)? {
            Ok(secured) => {
                match store(&self.conn, &anchor.note, &secured).map_err(StorageFailure::from) {
                    Err(failure) if self.space.give_way(&failure) => {
                        store(&self.conn, &anchor.note, &secured)?
                    }
                    stored => stored?,
                }
                let Secured { checkpoint, witness, time } = secured;
                (Event::Anchor { size: checkpoint.size, root: hex(&checkpoint.root), witness, time }, None)
            }
            Err(refusal) if refusal.proves_two_logs() => (
                Event::IntegrityFailed { why: refusal.word(), note: own_lines(&anchor.note, key.name()) },
                Some(refusal),
            ),
            Err(refusal) => return Ok(Err(refusal.into())),
        };
        let entry = Box::new(Entry { actor: anchor.actor.clone(), event });
        let outcome = self.commit(&[entry])?.pop().unwrap_or(Err(AppendError::Closed));
        // The tail has the record, but not the row of the cosigned checkpoint.
        self.settle()?;
        Ok(match refusal {
            // That it could not be put down as well takes nothing from it.
            Some(refusal) => Err(refusal.into()),
            None => outcome.map(|receipt| receipt.seq),
        })
    }
}

/// Holds a cosigned checkpoint against the log of `key` in `conn`, which has `log` records.
fn examine(
    conn: &Connection,
    key: &VerifierKey,
    log: u64,
    anchor: &Anchor,
    now: u64,
) -> Result<Result<Secured, AnchorRefusal>, rusqlite::Error> {
    let checkpoint = match Checkpoint::open(&anchor.note, key) {
        Ok(checkpoint) => checkpoint,
        Err(e) => return Ok(Err(AnchorRefusal::Foreign(e))),
    };
    let size = checkpoint.size;
    if size > log {
        return Ok(Err(AnchorRefusal::Ahead { size, log }));
    }
    match state::root(conn, size) {
        Ok(root) if root == checkpoint.root => {}
        Ok(_) | Err(OpenError::Integrity(_)) => return Ok(Err(AnchorRefusal::Forked { size })),
        Err(OpenError::Database(e)) => return Err(e),
        Err(other) => unreachable!("it reads the database only: {other}"),
    }
    let mut newest: Option<(u64, &WitnessKey)> = None;
    for witness in &anchor.witnesses {
        match witness.cosigned_at(&anchor.note) {
            Ok(Some(time)) if newest.is_none_or(|(before, _)| before < time) => {
                newest = Some((time, witness))
            }
            Ok(_) => {}
            Err(_) => return Ok(Err(AnchorRefusal::Cosignature(witness.name().to_owned()))),
        }
    }
    let Some((time, witness)) = newest else { return Ok(Err(AnchorRefusal::NotCosigned)) };
    let name = witness.name().to_owned();
    if time > now.saturating_add(AHEAD) {
        return Ok(Err(AnchorRefusal::AheadOfTime(name)));
    }
    if let Some(last) = newest_of(conn, key, std::slice::from_ref(witness))?
        && (time < last.time || size < last.checkpoint.size)
    {
        return Ok(Err(AnchorRefusal::Stale { witness: name, known: last.checkpoint.size }));
    }
    Ok(Ok(Secured { checkpoint, witness: name, time }))
}

/// Keeps the checkpoint in its row; lines of witnesses that were there stay.
fn store(conn: &Connection, note: &str, secured: &Secured) -> Result<(), rusqlite::Error> {
    let size = secured.checkpoint.size.cast_signed();
    let stored: Option<(String, Option<String>)> = conn
        .query_row("SELECT note, cosig FROM checkpoint WHERE size = ?1", [size], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
    let (own, before) = stored.unwrap_or_else(|| (own_lines(note, secured.checkpoint.origin.as_str()), None));
    let mut lines = before.unwrap_or_default();
    let marker = format!("\u{2014} {} ", secured.witness);
    for line in note.lines().filter(|line| line.starts_with(&marker)) {
        if !lines.lines().any(|known| known == line) {
            lines.push_str(line);
            lines.push('\n');
        }
    }
    conn.execute(
        "INSERT INTO checkpoint (size, note, cosig) VALUES (?1, ?2, ?3) ON CONFLICT (size) DO UPDATE SET cosig = excluded.cosig",
        (size, own, lines),
    )?;
    Ok(())
}

/// The note with the signatures of the log alone.
fn own_lines(note: &str, origin: &str) -> String {
    let marker = format!("\u{2014} {origin} ");
    let kept =
        note.split_inclusive('\n').filter(|line| !line.starts_with('\u{2014}') || line.starts_with(&marker));
    kept.collect()
}

/// The newest checkpoint that one of `witnesses` cosigned, by size. Rows that prove nothing are passed over.
fn newest_of(
    conn: &Connection,
    key: &VerifierKey,
    witnesses: &[WitnessKey],
) -> Result<Option<Secured>, rusqlite::Error> {
    let mut statement = conn
        .prepare_cached("SELECT note || cosig FROM checkpoint WHERE cosig IS NOT NULL ORDER BY size DESC")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let note: String = row.get(0)?;
        let Ok(checkpoint) = Checkpoint::open(&note, key) else { continue };
        let signed =
            |witness: &WitnessKey| Some((witness.cosigned_at(&note).ok()??, witness.name().to_owned()));
        if let Some((time, witness)) = witnesses.iter().filter_map(signed).max() {
            return Ok(Some(Secured { checkpoint, witness, time }));
        }
    }
    Ok(None)
}

/// Refuses a log that is not what a witness cosigned last, whoever that witness was.
pub(crate) fn check(conn: &Connection, key: &VerifierKey) -> Result<(), OpenError> {
    let newest: Option<String> = conn
        .query_row(
            "SELECT note FROM checkpoint WHERE cosig IS NOT NULL ORDER BY size DESC LIMIT 1",
            [],
            |row| row.get(0),
        )
        .optional()?;
    let Some(note) = newest else { return Ok(()) };
    let cosigned = Checkpoint::open(&note, key).map_err(Finding::Checkpoint)?;
    if state::root(conn, cosigned.size)? != cosigned.root {
        return Err(Finding::CosignedRoot { size: cosigned.size }.into());
    }
    Ok(())
}

/// What witnesses cosigned, by size.
pub(crate) fn cosigned(
    conn: &Connection,
    key: &VerifierKey,
    findings: &mut Findings,
) -> Result<Vec<Checkpoint>, rusqlite::Error> {
    let mut statement = conn.prepare("SELECT note FROM checkpoint WHERE cosig IS NOT NULL")?;
    let mut rows = statement.query([])?;
    let mut checkpoints = Vec::new();
    while let Some(row) = rows.next()? {
        match Checkpoint::open(row.get_ref(0)?.as_str()?, key) {
            Ok(checkpoint) => checkpoints.push(checkpoint),
            Err(why) => findings.add(Finding::Checkpoint(why)),
        }
    }
    checkpoints.sort_by_key(|checkpoint| checkpoint.size);
    Ok(checkpoints)
}

impl Reader {
    /// The newest checkpoint that one of `witnesses` cosigned. Its signatures are checked.
    pub fn secured(&self, witnesses: &[WitnessKey]) -> Result<Option<Secured>, ReadError> {
        Ok(newest_of(&self.conn, &self.verifier_key()?, witnesses)?)
    }

    /// Whether a device was written to under this work order.
    pub fn knows_job(&self, job: &str) -> Result<bool, ReadError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM sighting WHERE job = ?1 AND mode <> 'refused')";
        Ok(self.conn.prepare_cached(sql)?.query_row([job], |row| row.get(0))?)
    }

    /// When record 0 was written, in seconds since 1970.
    pub fn began(&self) -> Result<u64, ReadError> {
        let genesis = crate::standing::with_record(&self.conn, 0, |record| Ok(record.utc_ms() / 1000))?;
        Ok(u64::try_from(genesis).unwrap_or_default())
    }
}

impl Snapshot<'_> {
    /// A request to a witness that cosigned the first `old` records last. `None`: there are not as many.
    pub fn witness_request(&self, old: u64) -> Result<Option<WitnessRequest>, ReadError> {
        let proof = if old == 0 { Some(Vec::new()) } else { self.consistency_proof(old)? };
        Ok(proof.map(|proof| WitnessRequest { old, proof, note: self.note().to_owned() }))
    }

    /// The Merkle root of the first `size` records, at least 1. `None`: there are not as many.
    pub fn root(&self, size: u64) -> Result<Option<crate::tree::Hash>, ReadError> {
        let known = (1..=self.checkpoint().size).contains(&size);
        known.then(|| state::root(&self.conn, size).map_err(snapshot::refused)).transpose()
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
