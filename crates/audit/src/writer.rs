//! The thread that owns the writing connection.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};

use keystation_core::flow::{Receipt, Standing};
use keystation_core::record::{Actor, Entry, Event, Seq};
use keystation_core::registration::RegistrationId;
use rusqlite::{Connection, TransactionBehavior};

use crate::anchor::Anchor;
use crate::checkpoint::Checkpoint;
use crate::clock::{Clock, Stamp};
use crate::device_anchor;
use crate::files::{FileError, Lock};
use crate::finding::Finding;
use crate::head::{self, Head, HeadFile};
use crate::journal::{AppendError, OpenError};
use crate::note::{Signer, VerifierKey};
use crate::origin::Origin;
use crate::projection::{self, Place, Step};
use crate::record::{self, Record};
use crate::report_note::ReportNote;
use crate::space::{Free, Space, SpaceRefusal};
use crate::standing;
use crate::state::{self, State};
use crate::tree::{Frontier, Hash, Subtree, leaf_hash};
use crate::watch::{Notice, Watch};

/// Records of one transaction at most: more than there are slots, so only a flood is cut.
const BATCH: usize = 256;

/// What the thread is asked for. The answer goes back through the sender; a caller that is gone does not want it.
pub(crate) enum Job {
    Append(Box<Entry>, Answer<Receipt>),
    Alone(Alone, Answer<Seq>),
    Standing(RegistrationId, Answer<Standing>),
    Checkpoint(Answer<String>),
    MayBegin(Answer<()>),
    Notices(Answer<Vec<Notice>>),
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
                self.head.take_back()?;
                if self.space.give_way(&failure) { self.store(entries) } else { Err(failure) }
            }
            stored => stored,
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

    /// Brings the head up to what was committed.
    pub(crate) fn settle(&mut self) -> Result<(), StorageFailure> {
        match self.head.settle(&self.note).map_err(StorageFailure::from) {
            Err(failure) if self.space.give_way(&failure) => Ok(self.head.settle(&self.note)?),
            settled => settled,
        }
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
            Job::Checkpoint(answer) | Job::SignReport(_, answer) => give(&answer, Err(stopped())),
            Job::MayBegin(answer) => give(&answer, Err(stopped())),
            Job::Notices(answer) => give(&answer, Err(stopped())),
            Job::Close(answer) => return give(&answer, Err(stopped())),
        }
    }
}

/// What a transaction adds to the log. Counts only when it is committed.
struct Draft<'t> {
    conn: &'t Connection,
    origin: &'t Origin,
    key: &'t VerifierKey,
    frontier: Frontier,
    watch: Watch,
    /// The records, in their order.
    bodies: Vec<Vec<u8>>,
    /// What the last of them adds to the tree; it is not in the tables yet.
    last: Option<Leaf>,
}

impl Draft<'_> {
    /// Adds the record of `entry`, and before it those that disk and clock call for.
    fn add(
        &mut self,
        entry: &Entry,
        now: Stamp,
        space: &Space,
        free: &Result<Free, SpaceRefusal>,
    ) -> Result<Result<Receipt, AppendError>, rusqlite::Error> {
        let due = match self.watch.due(&entry.event, &now, space, free) {
            Ok(due) => due,
            Err(e) => return Ok(Err(e.into())),
        };
        for event in due {
            let actor = Actor {
                session: entry.actor.session.clone(),
                role: "station".to_owned(),
                ..Actor::default()
            };
            if let Err(refused) = self.record(&Entry { actor, event }, now)? {
                return Ok(Err(refused));
            }
        }
        match self.watch.admits(entry, space, free) {
            Ok(()) => self.record(entry, now),
            Err(refused) => Ok(Err(refused)),
        }
    }

    fn record(&mut self, entry: &Entry, now: Stamp) -> Result<Result<Receipt, AppendError>, rusqlite::Error> {
        let body = match record::encode(entry, self.frontier.size(), self.origin, now) {
            Ok(body) => body,
            Err(e) => return Ok(Err(e.into())),
        };
        // What the entry follows from has to be in the tables.
        insert_last(self.conn, &self.bodies, &mut self.last)?;
        if let Err(refused) = admit(self.conn, self.frontier.size(), self.key, entry, &body)? {
            return Ok(Err(refused));
        }
        self.watch.follow(&entry.event, now);
        let leaf = Leaf::add(&mut self.frontier, &body);
        let receipt = Receipt { seq: leaf.seq, anchor: device_anchor::of(&self.frontier, self.key) };
        self.last = Some(leaf);
        self.bodies.push(body);
        Ok(Ok(receipt))
    }
}

/// What a record adds to the tree.
struct Leaf {
    seq: Seq,
    hash: Hash,
    nodes: Vec<(Subtree, Hash)>,
}

impl Leaf {
    fn add(frontier: &mut Frontier, body: &[u8]) -> Self {
        let mut leaf = Self { seq: frontier.size(), hash: leaf_hash(body), nodes: Vec::new() };
        let Ok(()) = frontier.push(leaf.hash, |at, hash| {
            leaf.nodes.push((at, hash));
            Ok::<_, Infallible>(hash)
        });
        leaf
    }
}

/// Whether `body`, which `entry` became, can be the next record of a log of `seq` records.
fn admit(
    conn: &Connection,
    seq: Seq,
    key: &VerifierKey,
    entry: &Entry,
    body: &[u8],
) -> Result<Result<(), AppendError>, rusqlite::Error> {
    // Read with the reader's eyes: what a verifier would refuse does not get in.
    let record = match Record::parse(body).and_then(|record| Step::of(&record).map(|_| record)) {
        Ok(record) => record,
        Err(e) => return Ok(Err(e.into())),
    };
    if let Err(finding) = state::check_place(&record, seq, key) {
        return Ok(Err(AppendError::Misplaced(finding)));
    }
    check_sequel(conn, &entry.event)
}

/// Adds the record that was admitted last, unless that was done.
fn insert_last(
    conn: &Connection,
    bodies: &[Vec<u8>],
    last: &mut Option<Leaf>,
) -> Result<(), rusqlite::Error> {
    match (last.take(), bodies.last()) {
        (Some(leaf), Some(body)) => insert(conn, body, &leaf),
        _ => Ok(()),
    }
}

/// Adds one record with its leaf, its nodes and its place in the derived tables.
fn insert(conn: &Connection, body: &[u8], leaf: &Leaf) -> Result<(), rusqlite::Error> {
    conn.prepare_cached("INSERT INTO log (seq, body, leaf) VALUES (?1, ?2, ?3)")?.execute((
        leaf.seq.cast_signed(),
        body,
        leaf.hash,
    ))?;
    for (at, hash) in &leaf.nodes {
        conn.prepare_cached("INSERT INTO node (level, idx, hash) VALUES (?1, ?2, ?3)")?.execute((
            at.level,
            at.index.cast_signed(),
            hash,
        ))?;
    }
    let record = Record::parse(body).expect("it was read when it was admitted");
    let step = Step::of(&record).expect("it was read when it was admitted");
    projection::apply(conn, &record, step.as_ref())
}

/// Puts records that only the tail has back into the database of `state`, whose roots have shown that they belong there.
pub(crate) fn put_back(
    conn: &mut Connection,
    key: &VerifierKey,
    head: &Head,
    state: &mut State,
) -> Result<(), OpenError> {
    let missing = std::mem::take(&mut state.missing);
    let Some(newest) = head.tail.last().filter(|_| !missing.is_empty()) else { return Ok(()) };
    let transaction = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let before = state.frontier.size();
    for body in missing {
        let seq = state.frontier.size();
        let record = Record::parse(&body).and_then(|record| Step::of(&record).map(|_| record));
        state::check_place(&record.map_err(|why| Finding::NotARecord { seq, why })?, seq, key)?;
        insert(&transaction, &body, &Leaf::add(&mut state.frontier, &body))?;
    }
    keep(&transaction, before, state.frontier.size(), &newest.note)?;
    transaction.commit()?;
    state.note.clone_from(&newest.note);
    Ok(())
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
    let replaced = conn
        .prepare_cached(
            "UPDATE checkpoint SET size = ?2, note = ?3 WHERE size = ?1 AND cosig IS NULL AND anchors IS NULL",
        )?
        .execute((before.cast_signed(), size.cast_signed(), note))?;
    if replaced == 0 {
        conn.prepare_cached("INSERT INTO checkpoint (size, note) VALUES (?1, ?2)")?
            .execute((size.cast_signed(), note))?;
    }
    Ok(())
}
