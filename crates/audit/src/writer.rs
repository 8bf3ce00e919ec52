//! The thread that owns the writing connection.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender};

use keystation_core::flow::Standing;
use keystation_core::record::{Actor, Entry, Event, Seq};
use keystation_core::registration::RegistrationId;
use rusqlite::{Connection, TransactionBehavior};

use crate::anchor::Anchor;
use crate::checkpoint::Checkpoint;
use crate::clock::Clock;
use crate::files::{self, FileError, Lock};
use crate::journal::AppendError;
use crate::note::{Signer, VerifierKey};
use crate::origin::Origin;
use crate::projection::{self, Place, Step};
use crate::record::{self, Record};
use crate::report_note::ReportNote;
use crate::standing;
use crate::state;
use crate::tree::{Frontier, leaf_hash};

/// Records of one transaction at most: more than there are slots, so only a flood is cut.
const BATCH: usize = 256;

/// What the thread is asked for. The answer goes back through the sender; a caller that is gone does not want it.
pub(crate) enum Job {
    Append(Box<Entry>, Answer<Seq>),
    Alone(Alone, Answer<Seq>),
    Standing(RegistrationId, Answer<Standing>),
    Checkpoint(Answer<String>),
    SignReport(Seq, Answer<String>),
    Close(Answer<()>),
}

/// What looks at the log before it appends, and so has a transaction to itself.
pub(crate) enum Alone {
    Anchor(Box<Anchor>),
    Review(Actor, String),
}

pub(crate) type Answer<T> = SyncSender<Result<T, AppendError>>;

/// What made the log stop.
#[derive(Debug, thiserror::Error)]
pub enum StorageFailure {
    /// SQLite could not read or commit.
    #[error("the audit database failed")]
    Database(#[from] rusqlite::Error),
    /// The records are in the database, and the head beside it does not say so. At the next start it will.
    #[error("the head of the audit log could not be written")]
    Head(#[from] FileError),
}

pub(crate) struct Writer {
    pub(crate) conn: Connection,
    pub(crate) origin: Origin,
    pub(crate) signer: Signer,
    pub(crate) clock: Box<dyn Clock>,
    pub(crate) frontier: Frontier,
    /// The newest checkpoint, signed.
    pub(crate) note: String,
    pub(crate) head: PathBuf,
    pub(crate) lock: Lock,
}

impl Writer {
    /// Works until it is told to close or nobody is left who could ask. The first failure of the storage is the last
    /// thing it does: what a failed flush left behind only a fresh start can tell
    /// (<https://www.usenix.org/conference/atc20/presentation/rebello>).
    pub(crate) fn run(mut self, jobs: &Receiver<Job>) {
        while let Ok(first) = jobs.recv() {
            let mut entries = Vec::new();
            let mut answers = Vec::new();
            let mut alone = None;
            let mut close = None;
            for job in std::iter::once(first).chain(jobs.try_iter().take(BATCH - 1)) {
                match job {
                    Job::Append(entry, answer) => {
                        entries.push(entry);
                        answers.push(answer);
                    }
                    Job::Alone(job, answer) => {
                        alone = Some((job, answer));
                        break;
                    }
                    Job::Standing(id, answer) => {
                        let standing = standing::standing(&self.conn, &id);
                        give(&answer, standing.map_err(|e| AppendError::Unread(Arc::new(e))));
                    }
                    Job::Checkpoint(answer) => give(&answer, Ok(self.note.clone())),
                    Job::SignReport(seq, answer) => give(&answer, self.sign_report(seq)),
                    Job::Close(answer) => {
                        close = Some(answer);
                        break;
                    }
                }
            }
            match self.commit(&entries) {
                Ok(outcomes) => {
                    answers.iter().zip(outcomes).for_each(|(answer, outcome)| give(answer, outcome))
                }
                Err(failure) => {
                    let failure = Arc::new(failure);
                    answers.iter().for_each(|answer| give(answer, Err(AppendError::Failed(failure.clone()))));
                    if let Some((_, answer)) = alone {
                        give(&answer, Err(AppendError::Failed(failure.clone())));
                    }
                    if let Some(answer) = close {
                        return give(&answer, Err(AppendError::Failed(failure)));
                    }
                    return refuse_all(jobs, &failure);
                }
            }
            if let Some((job, answer)) = alone {
                let outcome = match job {
                    Alone::Anchor(anchor) => self.anchor(&anchor),
                    Alone::Review(reviewer, remark) => self.review(reviewer, remark),
                };
                match outcome {
                    Ok(outcome) => give(&answer, outcome),
                    Err(failure) => {
                        let failure = Arc::new(failure);
                        give(&answer, Err(AppendError::Failed(failure.clone())));
                        return refuse_all(jobs, &failure);
                    }
                }
            }
            if let Some(answer) = close {
                return give(&answer, self.close());
            }
        }
    }

    /// Makes records of `entries`: durable, and covered by the head, when this returns. An entry that cannot be a
    /// record fails alone.
    pub(crate) fn commit(
        &mut self,
        entries: &[Box<Entry>],
    ) -> Result<Vec<Result<Seq, AppendError>>, StorageFailure> {
        if entries.is_empty() {
            return Ok(Vec::new());
        }
        let transaction = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut frontier = self.frontier.clone();
        let mut outcomes: Vec<Result<Seq, AppendError>> = Vec::with_capacity(entries.len());
        for entry in entries {
            let stamp = self.clock.now();
            let seq = frontier.size();
            let body = match record::encode(entry, seq, &self.origin, stamp) {
                Ok(body) => body,
                Err(e) => {
                    outcomes.push(Err(e.into()));
                    continue;
                }
            };
            let key = self.signer.verifier();
            outcomes.push(append(&transaction, &mut frontier, key, entry, &body)?);
        }
        if frontier.size() == self.frontier.size() {
            return Ok(outcomes);
        }
        let checkpoint =
            Checkpoint { origin: self.origin.clone(), size: frontier.size(), root: frontier.root() };
        let note = checkpoint.sign(&self.signer);
        keep(&transaction, self.frontier.size(), checkpoint.size, &note)?;
        transaction.commit()?;
        self.frontier = frontier;
        self.note = note;
        files::replace(&self.head, &self.note)?;
        Ok(outcomes)
    }

    /// Signs what a record says, and nothing that a caller brings: the key makes checkpoints and these.
    fn sign_report(&self, seq: Seq) -> Result<String, AppendError> {
        let said = standing::with_record(&self.conn, seq, |record| Ok(ReportNote::of(record, &self.origin)))
            .map_err(|e| AppendError::Unread(Arc::new(e)))?;
        said.map(|report| report.sign(&self.signer)).ok_or(AppendError::NoSuchReport { seq })
    }

    fn close(self) -> Result<(), AppendError> {
        let closed = self.conn.close().map_err(|(_, e)| AppendError::Failed(Arc::new(e.into())));
        drop(self.lock);
        closed
    }
}

fn give<T>(answer: &Answer<T>, result: Result<T, AppendError>) {
    // Has room for one, and a caller that gave up waiting has no use for it.
    drop(answer.try_send(result));
}

/// Fails every job from now on, until nobody is left who could ask.
fn refuse_all(jobs: &Receiver<Job>, failure: &Arc<StorageFailure>) {
    let stopped = || AppendError::Stopped(failure.clone());
    for job in jobs {
        match job {
            Job::Append(_, answer) | Job::Alone(_, answer) => give(&answer, Err(stopped())),
            Job::Standing(_, answer) => give(&answer, Err(stopped())),
            Job::Checkpoint(answer) | Job::SignReport(_, answer) => give(&answer, Err(stopped())),
            Job::Close(answer) => return give(&answer, Err(stopped())),
        }
    }
}

/// Adds one record with its leaf, its nodes and its place in the derived tables.
fn append(
    conn: &Connection,
    frontier: &mut Frontier,
    key: &VerifierKey,
    entry: &Entry,
    body: &[u8],
) -> Result<Result<Seq, AppendError>, rusqlite::Error> {
    // Read with the reader's eyes: what a verifier would refuse does not get in.
    let read = Record::parse(body).and_then(|record| Ok((Step::of(&record)?, record)));
    let (step, record) = match read {
        Ok(read) => read,
        Err(e) => return Ok(Err(e.into())),
    };
    if let Err(finding) = state::check_place(&record, frontier.size(), key) {
        return Ok(Err(AppendError::Misplaced(finding)));
    }
    if let Err(refused) = check_sequel(conn, &entry.event)? {
        return Ok(Err(refused));
    }
    let seq = frontier.size();
    let leaf = leaf_hash(body);
    conn.prepare_cached("INSERT INTO log (seq, body, leaf) VALUES (?1, ?2, ?3)")?.execute((
        seq.cast_signed(),
        body,
        leaf,
    ))?;
    frontier.push(leaf, |at, hash| {
        conn.prepare_cached("INSERT INTO node (level, idx, hash) VALUES (?1, ?2, ?3)")?.execute((
            at.level,
            at.index.cast_signed(),
            hash,
        ))?;
        Ok::<_, rusqlite::Error>(hash)
    })?;
    projection::apply(conn, &record, step.as_ref())?;
    Ok(Ok(seq))
}

/// Whether an event follows from what is in the log. Asked within the transaction, so two slots cannot both be told yes.
fn check_sequel(conn: &Connection, event: &Event) -> Result<Result<(), AppendError>, rusqlite::Error> {
    match event {
        Event::Intent(intent) => {
            let place = Place::of(conn, intent.id.as_str())?;
            if place.open.or(place.keyed) != intent.prior || place.attempts + 1 != intent.attempt {
                return Ok(Err(AppendError::Overtaken { id: intent.id.to_string() }));
            }
        }
        Event::Result(outcome) | Event::Resolve(outcome)
            if !projection::is_intent(conn, outcome.id.as_str(), outcome.intent)? =>
        {
            return Ok(Err(AppendError::NoSuchIntent { intent: outcome.intent, id: outcome.id.to_string() }));
        }
        _ => {}
    }
    Ok(Ok(()))
}

/// Keeps the newest checkpoint. The one before it goes, unless somebody else vouched for it.
fn keep(conn: &Connection, before: u64, size: u64, note: &str) -> Result<(), rusqlite::Error> {
    conn.prepare_cached("DELETE FROM checkpoint WHERE size = ?1 AND cosig IS NULL AND anchors IS NULL")?
        .execute([before.cast_signed()])?;
    conn.prepare_cached("INSERT INTO checkpoint (size, note) VALUES (?1, ?2)")?
        .execute((size.cast_signed(), note))?;
    Ok(())
}
