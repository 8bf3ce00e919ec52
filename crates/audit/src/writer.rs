//! The thread that owns the writing connection.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};

use keystation_core::flow::{Receipt, Retirement, Standing};
use keystation_core::identity::Identity;
use keystation_core::record::{Actor, Entry, Seq};
use keystation_core::registration::RegistrationId;
use rusqlite::{Connection, TransactionBehavior};

use crate::anchor::Anchor;
use crate::append_error::AppendError;
use crate::checkpoint::Checkpoint;
use crate::clock::Clock;
use crate::draft::{Draft, insert_last, keep};
use crate::files::{FileError, Lock};
use crate::head::{self, HeadFile};
use crate::note::Signer;
use crate::origin::Origin;
use crate::report_note::ReportNote;
use crate::retired;
use crate::schema;
use crate::space::Space;
use crate::standing;
use crate::tree::Frontier;
use crate::watch::{Notice, Watch};

/// Records of one transaction at most: more than there are slots, so only a flood is cut.
const BATCH: usize = 256;

/// What the thread is asked for. The answer goes back through the sender; a caller that is gone does not want it.
pub(crate) enum Job {
    Append(Box<Entry>, Answer<Receipt>),
    Alone(Alone, Answer<Seq>),
    Standing(RegistrationId, Answer<Standing>),
    Retired(Box<(RegistrationId, Identity)>, Answer<Option<Retirement>>),
    Checkpoint(Answer<String>),
    MayBegin(Answer<()>),
    Notices(Answer<Vec<Notice>>),
    SignReport(Seq, Answer<String>),
    Close(Answer<()>),
}

/// What looks at the log before it appends, and so has a transaction to itself.
pub(crate) enum Alone {
    Anchor(Box<Anchor>),
    Review(Actor, Option<Seq>, String),
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
    /// What a killed writer left in the write-ahead log is out of it.
    pub(crate) swept: bool,
    pub(crate) head: HeadFile,
    pub(crate) lock: Lock,
    pub(crate) watch: Watch,
    pub(crate) space: Space,
}

impl Writer {
    /// Works until it is told to close or nobody is left who could ask. The first failure of the storage is the last
    /// thing it does: what a failed flush left behind only a fresh start can tell
    /// (<https://www.usenix.org/conference/atc20/presentation/rebello>).
    pub(crate) fn run(mut self, jobs: &Receiver<Job>) {
        loop {
            let first = match self.wait(jobs) {
                Ok(Some(job)) => job,
                Ok(None) => return,
                Err(failure) => return refuse_all(jobs, &Arc::new(failure)),
            };
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
                    Job::Retired(device, answer) => {
                        let (id, identity) = *device;
                        let retired = retired::of_identity(&self.conn, id.as_str(), &identity);
                        give(&answer, retired.map_err(|e| AppendError::Unread(Arc::new(e.into()))));
                    }
                    Job::Standing(id, answer) => {
                        let standing = standing::standing(&self.conn, &id);
                        give(&answer, standing.map_err(|e| AppendError::Unread(Arc::new(e))));
                    }
                    Job::Checkpoint(answer) => give(&answer, Ok(self.note.clone())),
                    Job::MayBegin(answer) => {
                        give(&answer, self.watch.may_begin(&self.space, &self.space.look()));
                    }
                    Job::Notices(answer) => give(&answer, Ok(self.watch.notices(&self.space))),
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
                    Alone::Review(reviewer, to, remark) => self.review(reviewer, to, remark),
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
            if self.head.is_due()
                && let Err(failure) = self.settle()
            {
                return refuse_all(jobs, &Arc::new(failure));
            }
        }
    }

    /// The next job; `None` when nobody is left who could ask. Where none comes for a while the head is written meanwhile.
    fn wait(&mut self, jobs: &Receiver<Job>) -> Result<Option<Job>, StorageFailure> {
        if self.head.is_behind() {
            match jobs.recv_timeout(head::REST) {
                Ok(job) => return Ok(Some(job)),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => self.settle()?,
            }
        }
        Ok(jobs.recv().ok())
    }

    /// Makes records of `entries`: durable, and signed for outside the database, when this returns. An entry that cannot be a
    /// record fails alone. Where there is no room, the ballast is given up and the same is tried once more.
    pub(crate) fn commit(
        &mut self,
        entries: &[Box<Entry>],
    ) -> Result<Vec<Result<Receipt, AppendError>>, StorageFailure> {
        let before = self.frontier.size();
        match self.store(entries) {
            // Once it is committed the same records must not be made again.
            Err(failure) if self.frontier.size() == before => {
                let back = self.head.take_back().map_err(StorageFailure::from);
                let room = self.space.give_way(&failure)
                    || back.as_ref().is_err_and(|failure| self.space.give_way(failure));
                if !room {
                    return Err(back.err().unwrap_or(failure));
                }
                if back.is_err() {
                    self.head.clear()?;
                }
                self.forget_frames(failure)?;
                self.store(entries)
            }
            stored => stored,
        }
    }

    /// A commit that found no room for the index of the write-ahead log has written all of its frames there already; the
    /// records that are made in its place must not meet them after a kill.
    fn forget_frames(&self, failure: StorageFailure) -> Result<(), StorageFailure> {
        let index = rusqlite::ffi::SQLITE_IOERR_SHMSIZE;
        match &failure {
            StorageFailure::Database(rusqlite::Error::SqliteFailure(e, _)) if e.extended_code == index => {
                // Somebody who reads holds the frames: then nothing is made in their place.
                if schema::accept(&self.conn)? { Ok(()) } else { Err(failure) }
            }
            _ => Ok(()),
        }
    }

    /// One transaction: the records, what is due before them, and the checkpoint over all of it.
    fn store(&mut self, entries: &[Box<Entry>]) -> Result<Vec<Result<Receipt, AppendError>>, StorageFailure> {
        if entries.is_empty() {
            return Ok(Vec::new());
        }
        let transaction = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut draft = Draft {
            conn: &transaction,
            origin: &self.origin,
            key: self.signer.verifier(),
            frontier: self.frontier.clone(),
            watch: self.watch.clone(),
            bodies: Vec::with_capacity(entries.len()),
            last: None,
        };
        let mut outcomes = Vec::with_capacity(entries.len());
        let free = self.space.look();
        for entry in entries {
            outcomes.push(draft.add(entry, self.clock.now(), &self.space, &free)?);
        }
        let Draft { frontier, watch, bodies, mut last, .. } = draft;
        if bodies.is_empty() {
            return Ok(outcomes);
        }
        let checkpoint =
            Checkpoint { origin: self.origin.clone(), size: frontier.size(), root: frontier.root() };
        let note = checkpoint.sign(&self.signer);
        // Another thread writes and flushes them, while this one does the rest of the transaction.
        let bodies = Arc::new(bodies);
        self.head.put(&self.note, &note, &bodies)?;
        insert_last(&transaction, &bodies, &mut last)?;
        keep(&transaction, self.frontier.size(), frontier.size(), &note)?;
        transaction.commit()?;
        let before = std::mem::replace(&mut self.note, note);
        (self.frontier, self.watch) = (frontier, watch);
        match self.head.flushed().map_err(StorageFailure::from) {
            // Its blocks are reserved, but a file system that copies on write needs new ones all the same.
            Err(failure) if self.space.give_way(&failure) => {
                self.head.put(&before, &self.note, &bodies)?;
                self.head.flushed()?;
            }
            flushed => flushed?,
        }
        Ok(outcomes)
    }

    /// Makes the first records of a log of `entries`. One that cannot be a record fails all of them.
    pub(crate) fn begin(&mut self, entries: &[Box<Entry>]) -> Result<(), AppendError> {
        let failed = |failure: StorageFailure| AppendError::Failed(Arc::new(failure));
        for entries in entries.chunks(BATCH) {
            self.commit(entries).map_err(failed)?.into_iter().collect::<Result<Vec<_>, _>>()?;
        }
        self.settle().map_err(failed)
    }

    /// Brings the head up to what was committed.
    pub(crate) fn settle(&mut self) -> Result<(), StorageFailure> {
        match self.head.settle(&self.note).map_err(StorageFailure::from) {
            Err(failure) if self.space.give_way(&failure) => self.head.settle(&self.note)?,
            settled => settled?,
        }
        if !self.swept {
            self.swept = schema::accept_unless_busy(&self.conn)?;
        }
        Ok(())
    }

    /// Signs what a record says, and nothing that a caller brings: the key makes checkpoints and these.
    fn sign_report(&self, seq: Seq) -> Result<String, AppendError> {
        let said = standing::with_record(&self.conn, seq, |record| Ok(ReportNote::of(record, &self.origin)))
            .map_err(|e| AppendError::Unread(Arc::new(e)))?;
        said.map(|report| report.sign(&self.signer)).ok_or(AppendError::NoSuchReport { seq })
    }

    fn close(mut self) -> Result<(), AppendError> {
        self.settle().map_err(|e| AppendError::Failed(Arc::new(e)))?;
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
            Job::Append(_, answer) => give(&answer, Err(stopped())),
            Job::Alone(_, answer) => give(&answer, Err(stopped())),
            Job::Standing(_, answer) => give(&answer, Err(stopped())),
            Job::Retired(_, answer) => give(&answer, Err(stopped())),
            Job::Checkpoint(answer) | Job::SignReport(_, answer) => give(&answer, Err(stopped())),
            Job::MayBegin(answer) => give(&answer, Err(stopped())),
            Job::Notices(answer) => give(&answer, Err(stopped())),
            Job::Close(answer) => return give(&answer, Err(stopped())),
        }
    }
}
