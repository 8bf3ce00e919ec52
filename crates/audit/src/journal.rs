//! The log as callers see it: begun, opened, appended to.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, Sender};
use std::thread::{self, JoinHandle};

use keystation_core::flow::{Log, LogError, Receipt, Retirement, Standing};
use keystation_core::identity::Identity;
use keystation_core::record::{Actor, CarriedFrom, Entry, Event, Previous, Seq};
use keystation_core::registration::RegistrationId;
use rusqlite::Connection;

use crate::anchor::Anchor;
use crate::append_error::AppendError;
use crate::clock::Clock;
use crate::cosignature::WitnessKey;
use crate::draft;
use crate::epoch;
use crate::files::{self, Lock, Paths};
use crate::growth::Growth;
use crate::head::{Head, HeadFile};
use crate::note::{Signer, VerifierKey};
use crate::open_error::OpenError;
use crate::origin::Origin;
use crate::projection;
use crate::said::{self, Said};
use crate::schema::{self, NotThis};
use crate::space::Space;
use crate::state::{self, State};
use crate::tree::Frontier;
use crate::watch::{Notice, Rules, Watch};
use crate::writer::{Alone, Answer, Job, Writer};

/// A log that takes records. Clones share the one thread that writes; the last one that is dropped ends it.
#[derive(Clone)]
pub struct Journal {
    shared: Arc<Shared>,
}

struct Shared {
    /// `Some` until it is dropped.
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
    origin: Origin,
    verifier: VerifierKey,
    growth: Growth,
}

impl Journal {
    /// Begins a log: signing key, verifier key, database with its first record (`log.genesis`, by `actor`), head.
    pub fn create(
        paths: &Paths,
        origin: &Origin,
        actor: &Actor,
        clock: impl Clock,
    ) -> Result<Self, OpenError> {
        let signer = Signer::generate(origin.as_str())?;
        Self::create_signed_by(paths, signer, actor, clock)
    }

    /// Begins the log of the epoch after `previous`, which its first record names, with what that log said.
    pub(crate) fn succeed(
        paths: &Paths,
        origin: &Origin,
        actor: &Actor,
        clock: impl Clock,
        (previous, from, said): (&Previous, &CarriedFrom, &Said),
    ) -> Result<Self, OpenError> {
        let signer = Signer::generate(origin.as_str())?;
        let vkey = signer.verifier().to_string();
        let first = Event::NextEpoch { vkey, previous: previous.clone(), carried: from.clone() };
        let events = std::iter::once(first).chain(said.carried().map(Event::Carried)).collect();
        Self::begin(paths, signer, actor, clock, events)
    }

    /// The same as [`Journal::create`] with a key that was made elsewhere, whose name is the origin.
    pub fn create_signed_by(
        paths: &Paths,
        signer: Signer,
        actor: &Actor,
        clock: impl Clock,
    ) -> Result<Self, OpenError> {
        let genesis = Event::Genesis { vkey: signer.verifier().to_string() };
        Self::begin(paths, signer, actor, clock, vec![genesis])
    }

    fn begin(
        paths: &Paths,
        signer: Signer,
        actor: &Actor,
        clock: impl Clock,
        first: Vec<Event>,
    ) -> Result<Self, OpenError> {
        let origin = Origin::new(signer.verifier().name())?;
        let lock = take_lock(paths)?;
        finished(paths)?;
        if let Some(present) = paths.all().into_iter().find(|path| path.exists()) {
            return Err(OpenError::Exists(present.to_owned()));
        }
        files::create(&paths.key, &signer.to_text(), 0o600)?;
        files::create(&paths.vkey, &format!("{}\n", signer.verifier()), 0o644)?;
        let conn = schema::create(&paths.db)?;
        files::sync_directory(&paths.db)?;
        let rules = Rules::default();
        let mut writer = Writer {
            conn,
            origin,
            signer,
            clock: Box::new(clock),
            frontier: Frontier::default(),
            note: String::new(),
            swept: true,
            head: HeadFile::open(paths)?,
            lock,
            watch: Watch::new(&rules),
            space: Space::open(paths, rules.space)?,
        };
        let entry = |event| Box::new(Entry { actor: actor.clone(), event });
        let first: Vec<_> = first.into_iter().map(entry).collect();
        writer.begin(&first).map_err(OpenError::Genesis)?;
        Self::start(writer)
    }

    /// Opens a log for writing. Checks that it is the log that its head, its checkpoint and its key belong to, in time
    /// that does not grow with it; [`Reader::verify`](crate::Reader::verify) checks every record.
    pub fn open(paths: &Paths, clock: impl Clock) -> Result<Self, OpenError> {
        Self::open_under(paths, &Rules::default(), clock)
    }

    /// The same under other rules for disk and clock than the usual ones.
    pub fn open_under(paths: &Paths, rules: &Rules, clock: impl Clock) -> Result<Self, OpenError> {
        Self::start(writer(paths, rules, clock)?)
    }

    /// Makes the tables that are derived from the records anew; what [`Finding::Derived`] asks for.
    pub fn rebuild(paths: &Paths) -> Result<(), OpenError> {
        let _lock = take_lock(paths)?;
        let signer = signing_key(paths)?;
        let (mut conn, _) = checked(paths, signer.verifier())?;
        // An index that no longer finds what its table holds would not be seen in the rows.
        conn.execute_batch("REINDEX")?;
        let transaction = conn.transaction()?;
        projection::rebuild(&transaction)?;
        transaction.commit()?;
        Ok(())
    }

    fn start(writer: Writer) -> Result<Self, OpenError> {
        schema::lean_on_tail(&writer.conn)?;
        let (origin, verifier) = (writer.origin.clone(), writer.signer.verifier().clone());
        let growth = Growth::at(writer.frontier.size());
        let (jobs, inbox) = mpsc::channel();
        let thread = thread::Builder::new()
            .name("audit-log".to_owned())
            .spawn(move || writer.run(&inbox))
            .map_err(OpenError::Thread)?;
        let shared = Shared { jobs: Some(jobs), thread: Some(thread), origin, verifier, growth };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// The origin of the log.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.shared.origin
    }

    /// The key that its checkpoints are checked with.
    #[must_use]
    pub fn verifier_key(&self) -> &VerifierKey {
        &self.shared.verifier
    }

    /// How many records are durable, for whoever follows the log.
    #[must_use]
    pub fn growth(&self) -> &Growth {
        &self.shared.growth
    }

    /// Appends a record; returns its number when it is durable and the head covers it. Waits for the disk.
    pub fn append(&self, entry: &Entry) -> Result<Seq, AppendError> {
        self.receipt(entry).map(|receipt| receipt.seq)
    }

    /// The same, with what a device is told of the log.
    pub fn receipt(&self, entry: &Entry) -> Result<Receipt, AppendError> {
        let receipt = self.ask(|answer| Job::Append(Box::new(entry.clone()), answer));
        receipt.inspect(|receipt| self.shared.growth.reached(receipt.seq))
    }

    /// Keeps a checkpoint of this log that one of `witnesses` cosigned, and puts down that it did (`cp.anchor`). A checkpoint
    /// that this log cannot have signed is put down as well (`integrity.fail`), and refused.
    pub fn anchor(&self, actor: &Actor, note: &str, witnesses: &[WitnessKey]) -> Result<Seq, AppendError> {
        let anchor = Anchor { actor: actor.clone(), note: note.to_owned(), witnesses: witnesses.to_vec() };
        self.told(self.ask(|answer| Job::Alone(Alone::Anchor(Box::new(anchor)), answer)))
    }

    /// Puts down that `reviewer` has looked through the records since the review before, up to `to` (`review.signed`), with
    /// the root of the log up to there. `None`: up to the last one that there is now.
    pub fn review(&self, reviewer: &Actor, to: Option<Seq>, remark: &str) -> Result<Seq, AppendError> {
        self.told(
            self.ask(|answer| Job::Alone(Alone::Review(reviewer.clone(), to, remark.to_owned()), answer)),
        )
    }

    /// Whoever follows the log is told of a new record.
    fn told(&self, appended: Result<Seq, AppendError>) -> Result<Seq, AppendError> {
        appended.inspect(|&seq| self.shared.growth.reached(seq))
    }

    /// Whether an intent would be taken now, as far as disk and clock are concerned.
    pub fn may_begin(&self) -> Result<(), AppendError> {
        self.ask(Job::MayBegin)
    }

    /// What a person has to see of disk and clock.
    pub fn notices(&self) -> Result<Vec<Notice>, AppendError> {
        self.ask(Job::Notices)
    }

    /// What the log knows of a registration ID.
    pub fn standing(&self, id: &RegistrationId) -> Result<Standing, AppendError> {
        self.ask(|answer| Job::Standing(id.clone(), answer))
    }

    /// How the device that has this registration ID and says this of itself was taken out, if it was.
    pub fn retired(
        &self,
        id: &RegistrationId,
        identity: &Identity,
    ) -> Result<Option<Retirement>, AppendError> {
        let device = Box::new((id.clone(), identity.clone()));
        self.ask(|answer| Job::Retired(device, answer))
    }

    /// The newest checkpoint, a signed note as it will stand in the head when the log is at rest;
    /// [`Checkpoint::open`](crate::Checkpoint::open) reads it.
    pub fn checkpoint(&self) -> Result<String, AppendError> {
        self.ask(Job::Checkpoint)
    }

    /// The note of the report whose export is record `seq`: what [`ReportNote`](crate::ReportNote) opens. Only what the
    /// log says already is signed.
    pub fn sign_report(&self, seq: Seq) -> Result<String, AppendError> {
        self.ask(|answer| Job::SignReport(seq, answer))
    }

    /// Closes the log for all clones, after the records that wait.
    pub fn close(self) -> Result<(), AppendError> {
        self.ask(Job::Close)
    }

    fn ask<T>(&self, job: impl FnOnce(Answer<T>) -> Job) -> Result<T, AppendError> {
        let (answer, result) = mpsc::sync_channel(1);
        let jobs = self.shared.jobs.as_ref().ok_or(AppendError::Closed)?;
        jobs.send(job(answer)).map_err(|_| AppendError::Closed)?;
        result.recv().map_err(|_| AppendError::Closed)?
    }
}

impl Log for Journal {
    fn append(&self, entry: &Entry) -> Result<Receipt, LogError> {
        Ok(self.receipt(entry)?)
    }

    fn standing(&self, id: &RegistrationId) -> Result<Standing, LogError> {
        Ok(Self::standing(self, id)?)
    }

    fn retired(&self, id: &RegistrationId, identity: &Identity) -> Result<Option<Retirement>, LogError> {
        Ok(Self::retired(self, id, identity)?)
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // Without a sender the thread ends; when it has, the lock is free and the database closed.
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // A panic of the thread was reported when it happened, and every caller got an error.
            drop(thread.join());
        }
    }
}

/// Whoever may write to a log that is what it should be.
fn writer(paths: &Paths, rules: &Rules, clock: impl Clock) -> Result<Writer, OpenError> {
    let lock = take_lock(paths)?;
    let signer = signing_key(paths)?;
    let (conn, state) = checked(paths, signer.verifier())?;
    said::check(&conn, signer.verifier(), &state.frontier)?;
    if !paths.vkey.exists() {
        files::create(&paths.vkey, &format!("{}\n", signer.verifier()), 0o644)?;
    }
    let State { origin, frontier, note, swept, .. } = state;
    let watch = Watch::load(&conn, rules)?;
    Ok(Writer {
        conn,
        origin,
        signer,
        clock: Box::new(clock),
        frontier,
        note,
        swept,
        head: HeadFile::open(paths)?,
        lock,
        watch,
        space: Space::open(paths, rules.space)?,
    })
}

fn take_lock(paths: &Paths) -> Result<Lock, OpenError> {
    Lock::take(&paths.lock)?.ok_or_else(|| OpenError::InUse(paths.lock.clone()))
}

/// Refuses a directory in which one epoch is half-way to the next.
fn finished(paths: &Paths) -> Result<(), OpenError> {
    let plan = epoch::plan_file(paths.db.parent().unwrap_or(Path::new("")));
    if plan.exists() { Err(OpenError::EpochUnfinished(plan)) } else { Ok(()) }
}

/// The key of a log whose parts are all there.
fn signing_key(paths: &Paths) -> Result<Signer, OpenError> {
    finished(paths)?;
    let present = |path: &Path| path.exists();
    let signs = [&paths.db, &paths.key, &paths.head];
    let Some(witness) = signs.into_iter().find(|path| present(path)) else {
        return Err(OpenError::NoLog(paths.db.clone()));
    };
    for path in [&paths.db, &paths.key] {
        if !present(path) {
            return Err(OpenError::Incomplete { missing: path.clone(), present: witness.clone() });
        }
    }
    if files::is_open_to_others(&paths.key)? {
        return Err(OpenError::KeyExposed(paths.key.clone()));
    }
    let text = files::read(&paths.key)?.unwrap_or_default();
    Signer::from_text(&text).map_err(|why| OpenError::Key { path: paths.key.clone(), why })
}

/// A database that agrees with its head, and a head that covers all of it.
fn checked(paths: &Paths, key: &VerifierKey) -> Result<(Connection, State), OpenError> {
    let mut conn = schema::open(&paths.db).map_err(|e| refused(e, &paths.db))?;
    let head = Head::read(paths, key)??;
    let mut state = state::check(&conn, key, &head)?;
    // A reader may put it off; then each rest tries again.
    state.swept = schema::accept(&conn)?;
    schema::upgrade(&mut conn)?;
    draft::put_back(&mut conn, key, &head, &mut state)?;
    if state.note != head.note {
        // Killed before the head was written: the records are signed for in the database, the head follows. They may not
        // have reached the disk yet.
        schema::sync(&paths.db)?;
        files::replace(&paths.head, &state.note)?;
    }
    Ok((conn, state))
}

fn refused(error: NotThis, path: &Path) -> OpenError {
    match error {
        NotThis::Sqlite(e) => OpenError::Database(e),
        NotThis::NotALog(id) => OpenError::NotALog { path: path.to_owned(), id },
        NotThis::Version(found) => OpenError::Version { path: path.to_owned(), found },
        NotThis::Structure(finding) => OpenError::Integrity(finding),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;

    /// Whoever reads while the station starts keeps frames of a killed writer in the write-ahead log: until they go, not for good.
    #[test]
    fn what_a_killed_writer_left_is_swept_when_the_reader_has_gone() {
        let directory = tempfile::tempdir().unwrap();
        let paths = Paths::in_dir(directory.path());
        let origin = Origin::new("keylog.example.com/plant7/stn03/1").unwrap();
        let clock = || SystemClock::new().unwrap();
        let entry = || Box::new(Entry { actor: Actor::default(), event: Event::Lock });
        let wal = || std::fs::metadata(schema::write_ahead_log(&paths.db)).unwrap().len();
        Journal::create(&paths, &origin, &Actor::default(), clock()).unwrap().close().unwrap();
        let mut killed = writer(&paths, &Rules::default(), clock()).unwrap();
        killed.commit(&[entry()]).unwrap();
        // It stays open: closing it would sweep.
        let killed = (killed.conn, drop(killed.lock));

        let reader = schema::open_read_only(&paths.db).unwrap();
        let reading = reader.unchecked_transaction().unwrap();
        assert_eq!(state::size(&reading).unwrap(), 2);
        let mut next = writer(&paths, &Rules::default(), clock()).unwrap();
        assert!(!next.swept && wal() > 0, "the reader still needs them");
        next.commit(&[entry()]).unwrap();
        next.settle().unwrap();
        assert!(!next.swept && wal() > 0, "and nothing waited for it");
        drop(reading);
        next.commit(&[entry()]).unwrap();
        next.settle().unwrap();
        assert!(next.swept);
        assert_eq!((wal(), state::size(&reader).unwrap()), (0, 4));
        drop(killed);
    }

    /// A writer replaces the head and empties the tail while somebody reads the one and then the other.
    #[test]
    fn whoever_reads_head_and_tail_misses_nothing_that_was_acknowledged() {
        let directory = tempfile::tempdir().unwrap();
        let paths = Paths::in_dir(directory.path());
        let origin = Origin::new("keylog.example.com/plant7/stn03/1").unwrap();
        let clock = || SystemClock::new().unwrap();
        let key = {
            let journal = Journal::create(&paths, &origin, &Actor::default(), clock()).unwrap();
            let key = journal.verifier_key().clone();
            journal.close().unwrap();
            key
        };
        let mut writer = writer(&paths, &Rules::default(), clock()).unwrap();
        writer.commit(&[Box::new(Entry { actor: Actor::default(), event: Event::Lock })]).unwrap();
        let between = || writer.settle().unwrap();
        assert_eq!(Head::read_while(&paths, &key, between).unwrap().unwrap().size(), 2);
    }

    /// The transaction is committed, its entry in the tail is not on the disk: that is no record yet.
    #[test]
    fn record_whose_entry_cannot_be_written_is_not_acknowledged() {
        let directory = tempfile::tempdir().unwrap();
        let paths = Paths::in_dir(directory.path());
        let origin = Origin::new("keylog.example.com/plant7/stn03/1").unwrap();
        let clock = || SystemClock::new().unwrap();
        Journal::create(&paths, &origin, &Actor::default(), clock()).unwrap().close().unwrap();
        let mut broken = writer(&paths, &Rules::default(), clock()).unwrap();
        broken.head.make_unwritable();
        let journal = Journal::start(broken).unwrap();
        let entry = Entry { actor: Actor::default(), event: Event::Unlock { custody: "sealed-file" } };
        let refused = journal.append(&entry);
        assert!(matches!(refused, Err(AppendError::Failed(_))), "{refused:?}");
        assert!(matches!(journal.append(&entry), Err(AppendError::Stopped(_))));
        drop(journal);
        // What is there is a log, with or without the record that nobody was told of.
        assert_eq!(Journal::open(&paths, clock()).unwrap().append(&entry).unwrap(), 2);
    }
}
