//! The head: what the log was signed for, outside the database.
//!
//! A plain checkpoint that is replaced when the log is at rest, and [the tail](crate::tail) with what came since.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::files::{self, FileError, Paths};
use crate::finding::Finding;
use crate::note::{NoteError, VerifierKey};
use crate::schema;
use crate::tail::{self, Batch, Tail};
use crate::tree::{Frontier, Hash, leaf_hash};

/// The head and its tail, signed by the key of the log.
#[derive(Debug)]
pub(crate) struct Head {
    /// The head as it stands.
    pub(crate) note: String,
    pub(crate) checkpoint: Checkpoint,
    /// What was signed for since.
    pub(crate) tail: Vec<Batch>,
}

impl Head {
    /// Reads both.
    pub(crate) fn read(paths: &Paths, key: &VerifierKey) -> Result<Result<Self, Finding>, FileError> {
        Self::read_while(paths, key, || ())
    }

    /// The same; `between` is what others do after the head was read and before the tail is.
    pub(crate) fn read_while(
        paths: &Paths,
        key: &VerifierKey,
        mut between: impl FnMut(),
    ) -> Result<Result<Self, Finding>, FileError> {
        let mut now = Self::read_note(paths)?;
        let (note, read) = loop {
            let note = match now {
                Ok(note) => note,
                Err(finding) => return Ok(Err(finding)),
            };
            between();
            let read = tail::read(&paths.head, key)?;
            // A writer replaces the head and then empties the tail: between an old head and an empty tail is what was in it.
            now = Self::read_note(paths)?;
            if now.as_ref().is_ok_and(|now| *now == note) {
                break (note, read);
            }
        };
        let both = Checkpoint::open(&note, key).and_then(|checkpoint| Ok((checkpoint, read?)));
        Ok(both.map(|(checkpoint, tail)| Self { note, checkpoint, tail }).map_err(Finding::Head))
    }

    /// The head alone.
    fn read_note(paths: &Paths) -> Result<Result<String, Finding>, FileError> {
        match files::read(&paths.head) {
            Ok(note) => Ok(note.map(|note| note.to_string()).ok_or(Finding::HeadMissing)),
            // Bytes that are no text are a head that was changed, not one that cannot be read.
            Err(e) if e.is_no_text() => Ok(Err(Finding::Head(CheckpointError::Note(NoteError::Form)))),
            Err(e) => Err(e),
        }
    }

    /// Records that were signed for.
    pub(crate) fn size(&self) -> u64 {
        self.tail.last().map_or(0, |last| last.checkpoint.size).max(self.checkpoint.size)
    }

    /// What a log of `size` records must have been at the sizes that were signed for and that it has.
    pub(crate) fn roots(&self, size: u64) -> impl Iterator<Item = (u64, Hash)> {
        let signed = std::iter::once(&self.checkpoint).chain(self.tail.iter().map(|batch| &batch.checkpoint));
        signed.filter(move |signed| signed.size <= size).map(|signed| (signed.size, signed.root))
    }

    /// The records that a log with `frontier` lacks. The head must not lack any: it is written after they are on the disk.
    /// Of the tail it may: a power cut takes the last transactions.
    pub(crate) fn missing(&self, frontier: &Frontier) -> Result<Vec<&[u8]>, Finding> {
        let log = frontier.size();
        let rewound = Finding::Rewound { log, head: self.size() };
        if log < self.checkpoint.size {
            return Err(rewound);
        }
        let mut frontier = frontier.clone();
        let mut missing = Vec::new();
        for batch in self.tail.iter().filter(|batch| batch.checkpoint.size > log) {
            let known =
                frontier.size().checked_sub(batch.first()).and_then(|known| usize::try_from(known).ok());
            let Some(bodies) = known.and_then(|known| batch.bodies.get(known..)) else { return Err(rewound) };
            for body in bodies {
                frontier.add(leaf_hash(body));
                missing.push(&body[..]);
            }
            if frontier.root() != batch.checkpoint.root {
                return Err(Finding::HeadRoot { size: batch.checkpoint.size });
            }
        }
        Ok(missing)
    }
}

/// How long the log has to be at rest before the head is written: between two devices, not between two slots.
pub(crate) const REST: Duration = Duration::from_millis(50);

/// How old the head becomes at most while there is no rest.
const AGE: Duration = Duration::from_secs(1);

/// The head of the log that is written to.
pub(crate) struct HeadFile {
    path: PathBuf,
    tail: Tail,
    wal: File,
    wal_path: PathBuf,
    /// When the first batch came into the tail.
    since: Option<Instant>,
}

impl HeadFile {
    /// The head of `paths`, with an empty tail: everything that was in it must be on the disk in database and head.
    pub(crate) fn open(paths: &Paths) -> Result<Self, FileError> {
        let wal_path = schema::write_ahead_log(&paths.db);
        // SQLite keeps no locks on this file, so that a descriptor of ours takes none away.
        let wal = File::options().write(true).open(&wal_path).map_err(FileError::new("open", &wal_path))?;
        let tail = Tail::open(&paths.head)?;
        Ok(Self { path: paths.head.clone(), tail, wal, wal_path, since: None })
    }

    /// Begins to put `bodies` into the tail, with the note that covers them. `before` is the note of the log without them.
    pub(crate) fn put(
        &mut self,
        before: &str,
        note: &str,
        bodies: &Arc<Vec<Vec<u8>>>,
    ) -> Result<(), FileError> {
        if !self.tail.has_room(bodies) {
            self.settle(before)?;
        }
        if !self.tail.has_room(bodies) {
            return Err(self.tail.too_long());
        }
        self.since.get_or_insert_with(Instant::now);
        self.tail.put(note.to_owned(), bodies.clone());
        Ok(())
    }

    /// Waits until they are on the disk.
    pub(crate) fn flushed(&mut self) -> Result<(), FileError> {
        self.tail.flushed()
    }

    /// Takes back what was put last, if nobody has waited for it.
    pub(crate) fn take_back(&mut self) -> Result<(), FileError> {
        self.tail.take_back()
    }

    /// Clears what may lie behind the entries: one that was on its way and is not whole.
    pub(crate) fn clear(&mut self) -> Result<(), FileError> {
        self.tail.clear_rest()
    }

    /// Whether something is in the tail only.
    pub(crate) const fn is_behind(&self) -> bool {
        self.since.is_some()
    }

    /// Whether it has been behind for so long that it should not wait for a rest.
    pub(crate) fn is_due(&self) -> bool {
        self.since.is_some_and(|since| since.elapsed() > AGE)
    }

    /// Brings the head up to `note`, which covers all that was committed, and empties the tail.
    pub(crate) fn settle(&mut self, note: &str) -> Result<(), FileError> {
        if self.since.is_none() {
            return Ok(());
        }
        // The transactions first: what the head says has to be in the database whatever happens.
        self.wal.sync_data().map_err(FileError::new("sync", &self.wal_path))?;
        files::replace(&self.path, note)?;
        self.tail.empty()?;
        self.since = None;
        Ok(())
    }

    /// From here on nothing can be written into the tail.
    #[cfg(test)]
    pub(crate) fn make_unwritable(&mut self) {
        self.tail = Tail::unwritable(&self.path);
    }
}
