//! The tail: the records that were signed for since the head was written, each batch with its checkpoint.
//!
//! It makes one flush of the disk enough for a commit. The records lie here, flushed, before they are acknowledged;
//! the transaction that has them too is in the hands of the operating system by then, and reaches the disk when the head
//! is written. What a power cut takes from the database a start puts back from here. `docs/audit-format.md`, section 4.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, JoinHandle};

use sha2::{Digest, Sha256};

use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::files::{self, FileError};
use crate::note::VerifierKey;

/// An entry begins at a multiple of this: a write that is torn leaves the entries before it whole.
const BLOCK: usize = 4096;

/// Bytes of the file, always: a file that grows takes a second write of the disk for its length. Room for the largest
/// batch, 256 records of 4096 bytes.
const ROOM: usize = 320 * BLOCK;

/// How an entry begins.
const WORD: &str = "tail/v1";

/// Records that belong together, and the checkpoint that covers them and all before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Batch {
    pub(crate) checkpoint: Checkpoint,
    /// The checkpoint as it was signed.
    pub(crate) note: String,
    pub(crate) bodies: Vec<Vec<u8>>,
}

impl Batch {
    /// The number of its first record.
    pub(crate) fn first(&self) -> u64 {
        self.checkpoint.size - self.bodies.len() as u64
    }
}

/// The bytes of an entry: a line, the note, the records with a newline each (a record holds none), zeros to the next block.
fn format(note: &str, bodies: &[Vec<u8>]) -> Vec<u8> {
    let rest: Vec<u8> = std::iter::once(note.as_bytes())
        .chain(bodies.iter().flat_map(|body| [&body[..], b"\n"]))
        .collect::<Vec<_>>()
        .concat();
    let mut entry = format!("{WORD} {} {} {}\n", bodies.len(), rest.len(), hex(&rest)).into_bytes();
    entry.extend_from_slice(&rest);
    entry.resize(entry.len().next_multiple_of(BLOCK), 0);
    entry
}

/// The entry at the begin of `bytes` and how long it is. `None`: there is none, or it was not written to its end.
fn parse(bytes: &[u8], key: &VerifierKey) -> Result<Option<(Batch, usize)>, CheckpointError> {
    let whole = || {
        let line = bytes.split(|byte| *byte == b'\n').next()?;
        let mut words = std::str::from_utf8(line).ok()?.split(' ');
        let (word, count, length) = (words.next()?, words.next()?, words.next()?);
        let count: usize = count.parse().ok()?;
        let rest = bytes.get(line.len() + 1..)?.get(..length.parse().ok()?)?;
        let length = (line.len() + 1 + rest.len()).next_multiple_of(BLOCK);
        let whole = word == WORD && words.next()? == hex(rest) && words.next().is_none();
        whole.then_some((count, rest, length))
    };
    let Some((count, rest, length)) = whole() else { return Ok(None) };
    // Whole, so it is what somebody wrote: from here on it is right or forged.
    let form = || CheckpointError::Note(crate::NoteError::Form);
    let mut lines: Vec<&[u8]> =
        rest.strip_suffix(b"\n").ok_or_else(form)?.split(|byte| *byte == b'\n').collect();
    let bodies = lines.len().checked_sub(count).map(|at| lines.split_off(at)).ok_or_else(form)?;
    let note = lines.join(&b'\n');
    let note = String::from_utf8(note).map_err(|_| form())? + "\n";
    let checkpoint = Checkpoint::open(&note, key)?;
    if count == 0 || checkpoint.size < count as u64 {
        return Err(CheckpointError::Size);
    }
    let bodies = bodies.into_iter().map(<[u8]>::to_vec).collect();
    Ok(Some((Batch { checkpoint, note, bodies }, length)))
}

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The tail of a head, beside it.
pub(crate) fn path(head: &Path) -> PathBuf {
    head.with_extension("tail")
}

/// The batches in the tail of `head`, as far as each follows the one before: none where there is no file.
pub(crate) fn read(head: &Path, key: &VerifierKey) -> Result<Result<Vec<Batch>, CheckpointError>, FileError> {
    let path = path(head);
    let mut bytes = Vec::new();
    match File::open(&path).and_then(|file| file.take(ROOM as u64).read_to_end(&mut bytes)) {
        Ok(_) => {}
        Err(e) if e.kind() == io::ErrorKind::NotFound => {}
        Err(e) => return Err(FileError::new("read", &path)(e)),
    }
    Ok(batches(&bytes, key))
}

fn batches(mut bytes: &[u8], key: &VerifierKey) -> Result<Vec<Batch>, CheckpointError> {
    let mut batches: Vec<Batch> = Vec::new();
    while let Some((batch, length)) = parse(bytes, key)? {
        if batches.last().is_some_and(|last| last.checkpoint.size != batch.first()) {
            break;
        }
        batches.push(batch);
        bytes = bytes.get(length..).unwrap_or_default();
    }
    Ok(batches)
}

/// The tail of the log that is written to.
pub(crate) struct Tail {
    file: Arc<File>,
    path: PathBuf,
    /// Bytes that hold entries.
    used: usize,
    /// An entry is on its way that nobody has waited for.
    underway: bool,
    /// `Some` until it is dropped.
    orders: Option<Sender<Order>>,
    /// How long the entry of each order is, once it is on the disk.
    flushed: Receiver<io::Result<usize>>,
    thread: Option<JoinHandle<()>>,
}

/// A batch on its way to the disk.
struct Order {
    note: String,
    bodies: Arc<Vec<Vec<u8>>>,
    at: usize,
}

impl Tail {
    /// The file of `head`, made where there is none or another, and empty; and the thread that flushes.
    pub(crate) fn open(head: &Path) -> Result<Self, FileError> {
        let path = path(head);
        let open = || {
            let mut options = OpenOptions::new();
            options.create(true).truncate(false).read(true).write(true).mode(0o600);
            let file = options.open(&path)?;
            let mut bytes = Vec::new();
            (&file).take(ROOM as u64 + 1).read_to_end(&mut bytes)?;
            if bytes.len() != ROOM || bytes.iter().any(|byte| *byte != 0) {
                // Written, not only reserved: the first write into a reserved block changes the file system as well.
                file.write_all_at(&[0; ROOM], 0)?;
                file.set_len(ROOM as u64)?;
                file.sync_all()?;
            }
            Ok(file)
        };
        let file = open().map_err(FileError::new("make room in", &path))?;
        files::sync_directory(&path)?;
        Self::of(file, path)
    }

    fn of(file: File, path: PathBuf) -> Result<Self, FileError> {
        let file = Arc::new(file);
        let ((orders, inbox), (outbox, flushed)) = (mpsc::channel(), mpsc::channel());
        let writes = file.clone();
        let thread = thread::Builder::new()
            .name("audit-tail".to_owned())
            .spawn(move || work(&writes, &inbox, &outbox))
            .map_err(FileError::new("start the thread of", &path))?;
        let (orders, thread) = (Some(orders), Some(thread));
        Ok(Self { file, path, used: 0, underway: false, orders, flushed, thread })
    }

    /// One whose file can only be read.
    #[cfg(test)]
    pub(crate) fn unwritable(head: &Path) -> Self {
        let path = path(head);
        Self::of(File::open(&path).unwrap(), path).unwrap()
    }

    /// Whether `bodies` fit behind what is there.
    pub(crate) fn has_room(&self, bodies: &[Vec<u8>]) -> bool {
        // A line and a note have less than a block.
        let needed = BLOCK + bodies.iter().map(|body| body.len() + 1).sum::<usize>();
        self.used + needed.next_multiple_of(BLOCK) <= ROOM
    }

    /// Begins to write `bodies` and the note that covers them. [`Tail::flushed`] has to follow.
    pub(crate) fn put(&mut self, note: String, bodies: Arc<Vec<Vec<u8>>>) {
        self.underway = true;
        // A thread that is gone tells by dropping the other channel.
        drop(self.orders.as_ref().map(|orders| orders.send(Order { note, bodies, at: self.used })));
    }

    /// Waits until what was [put](Tail::put) last is on the disk.
    pub(crate) fn flushed(&mut self) -> Result<(), FileError> {
        self.used += self.written()?;
        Ok(())
    }

    /// Takes back what was [put](Tail::put) last, if nobody has waited for it: its transaction failed.
    pub(crate) fn take_back(&mut self) -> Result<(), FileError> {
        if !self.underway {
            return Ok(());
        }
        let length = self.written()?;
        self.clear(self.used, length)
    }

    /// How long the entry is that was on its way.
    fn written(&mut self) -> Result<usize, FileError> {
        self.underway = false;
        let gone = || io::Error::other("the thread that writes it has ended");
        let written = self.flushed.recv().unwrap_or_else(|_| Err(gone()));
        written.map_err(FileError::new("write", &self.path))
    }

    /// Takes out what it holds. With it go the checkpoints that are older than the head: whoever rewrites the files cannot
    /// make an older head of them.
    pub(crate) fn empty(&mut self) -> Result<(), FileError> {
        self.clear(0, self.used)?;
        self.used = 0;
        Ok(())
    }

    /// Clears everything behind the entries.
    pub(crate) fn clear_rest(&mut self) -> Result<(), FileError> {
        self.clear(self.used, ROOM - self.used)
    }

    /// A batch that does not fit into an empty tail.
    pub(crate) fn too_long(&self) -> FileError {
        FileError::new("find room in", &self.path)(io::ErrorKind::FileTooLarge.into())
    }

    fn clear(&self, at: usize, length: usize) -> Result<(), FileError> {
        let written =
            self.file.write_all_at(&vec![0; length], at as u64).and_then(|()| self.file.sync_data());
        written.map_err(FileError::new("empty", &self.path))
    }
}

impl Drop for Tail {
    fn drop(&mut self) {
        // When this has returned nobody has the file open: whoever removes it has its room at once.
        self.orders = None;
        if let Some(thread) = self.thread.take() {
            // A panic of the thread was reported when it happened, and whoever waited got an error.
            drop(thread.join());
        }
    }
}

/// Spells, writes and flushes until nobody can ask.
fn work(file: &File, orders: &Receiver<Order>, flushed: &Sender<io::Result<usize>>) {
    for Order { note, bodies, at } in orders {
        let entry = format(&note, &bodies);
        let written = file.write_all_at(&entry, at as u64).and_then(|()| file.sync_data());
        if flushed.send(written.map(|()| entry.len())).is_err() {
            break;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> (serde_json::Value, VerifierKey) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/audit-log.json");
        let file: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let key = file["vkey"].as_str().unwrap().parse().unwrap();
        (file, key)
    }

    /// The last record of the worked example, spelled by `make_audit.py`.
    #[test]
    fn entry_is_that_of_the_example() {
        let (file, key) = example();
        let note = file["note"].as_str().unwrap();
        let body = file["records"][4].as_str().unwrap().as_bytes().to_vec();
        let entry = format(note, std::slice::from_ref(&body));
        assert_eq!(entry.len(), BLOCK);
        let (text, zeros) = entry.split_at(file["tail"].as_str().unwrap().len());
        assert_eq!(text, file["tail"].as_str().unwrap().as_bytes());
        assert!(zeros.iter().all(|byte| *byte == 0));
        let read = batches(&entry, &key).unwrap();
        assert_eq!(
            read,
            [Batch {
                checkpoint: Checkpoint::open(note, &key).unwrap(),
                note: note.to_owned(),
                bodies: vec![body]
            }]
        );
        assert_eq!(read[0].first(), 4);
    }

    /// The next one begins where the one began that was taken back, and nothing of that is left.
    #[test]
    fn batch_whose_transaction_failed_leaves_no_trace() {
        let (file, key) = example();
        let directory = tempfile::tempdir().unwrap();
        let head = directory.path().join("head.note");
        let mut tail = Tail::open(&head).unwrap();
        let note = file["note"].as_str().unwrap();
        let body = file["records"][4].as_str().unwrap().as_bytes().to_vec();
        tail.put(note.to_owned(), Arc::new(vec![body; 40]));
        tail.take_back().unwrap();
        assert!(std::fs::read(path(&head)).unwrap().iter().all(|byte| *byte == 0));
        tail.take_back().unwrap();
        let body = file["records"][4].as_str().unwrap().as_bytes().to_vec();
        tail.put(note.to_owned(), Arc::new(vec![body.clone()]));
        tail.flushed().unwrap();
        assert_eq!(read(&head, &key).unwrap().unwrap()[0].bodies, [body]);
    }

    /// What cannot be written is not taken for flushed, and neither is what a thread that is gone was to write.
    #[test]
    fn batch_that_cannot_be_written_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        let head = directory.path().join("head.note");
        std::fs::write(path(&head), []).unwrap();
        let mut tail = Tail::unwritable(&head);
        let put = |tail: &mut Tail| tail.put("note\n".to_owned(), Arc::new(vec![b"{}".to_vec()]));
        put(&mut tail);
        assert!(tail.flushed().is_err());
        tail.orders = None;
        put(&mut tail);
        assert!(tail.flushed().is_err());
        assert_eq!(tail.used, 0);
    }
}
