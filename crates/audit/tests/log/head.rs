//! The head and its tail, composed as a kill or a power cut leaves them, and as somebody who rewrites files would.

use std::fs;
use std::path::PathBuf;

use keystation_audit::{
    AppendError, Checkpoint, Finding, Frontier, Journal, Origin, Paths, Reader, Signer, Verdict, leaf_hash,
};
use keystation_core::record::Event;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::attacks::{behind_the_triggers, integrity};
use crate::support::{
    ORIGIN, Steady, actor, attacker, begin, closed, copy, entry, findings, id, intact, open, work,
};

const BLOCK: usize = 4096;
const ROOM: usize = 320 * BLOCK;

/// One log at two moments: 11 records, and 21.
struct Moments {
    directory: TempDir,
    bodies: Vec<Vec<u8>>,
    signer: Signer,
}

impl Moments {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (before, after) = (directory.path().join("before"), directory.path().join("after"));
        fs::create_dir(&before).unwrap();
        closed(&before, 5);
        copy(&before, &after);
        let paths = Paths::in_dir(&after);
        let journal = open(&paths).unwrap();
        work(&journal, 5);
        journal.close().unwrap();
        let recent = Reader::open(&paths).unwrap().recent(100).unwrap();
        let bodies = recent.into_iter().map(|record| record.body).collect();
        let signer = Signer::from_text(&fs::read_to_string(&paths.key).unwrap()).unwrap();
        Self { directory, bodies, signer }
    }

    /// A new copy of the log at one of the moments.
    fn at(&self, moment: &str) -> Paths {
        let copied = self.directory.path().join("copy");
        drop(fs::remove_dir_all(&copied));
        copy(&self.directory.path().join(moment), &copied);
        Paths::in_dir(&copied)
    }

    /// The signed checkpoint of the first `size` records.
    fn note(&self, size: usize) -> String {
        let mut tree = Frontier::default();
        self.bodies[..size].iter().for_each(|body| tree.add(leaf_hash(body)));
        let origin = Origin::new(ORIGIN).unwrap();
        Checkpoint { origin, size: size as u64, root: tree.root() }.sign(&self.signer)
    }

    /// The entry of the records `first` to `size`, written by hand after `docs/audit-format.md`, without its zeros.
    fn entry(&self, first: usize, size: usize) -> Vec<u8> {
        spell(&self.note(size), &self.bodies[first..size])
    }

    /// Entries of one record each, from record 11 to `size`.
    fn entries(&self, size: usize) -> Vec<Vec<u8>> {
        (11..size).map(|seq| self.entry(seq, seq + 1)).collect()
    }
}

fn spell(note: &str, bodies: &[Vec<u8>]) -> Vec<u8> {
    let lines = bodies.iter().flat_map(|body| [body, &b"\n"[..]].concat());
    let rest: Vec<u8> = note.bytes().chain(lines).collect();
    let hash: String = Sha256::digest(&rest).iter().map(|byte| format!("{byte:02x}")).collect();
    [format!("tail/v1 {} {} {hash}\n", bodies.len(), rest.len()).as_bytes(), &rest].concat()
}

fn tail(paths: &Paths) -> PathBuf {
    paths.head.with_extension("tail")
}

/// A tail of these entries.
fn lay(paths: &Paths, entries: &[Vec<u8>]) {
    let mut bytes = Vec::new();
    for entry in entries {
        bytes.extend_from_slice(entry);
        bytes.resize(bytes.len().next_multiple_of(BLOCK), 0);
    }
    bytes.resize(ROOM, 0);
    fs::write(tail(paths), bytes).unwrap();
}

/// Records in the database, and records that head and tail cover.
fn sizes(paths: &Paths) -> (u64, u64) {
    match Reader::open(paths).unwrap().verify().unwrap() {
        Verdict::Intact { checkpoint, head } => (checkpoint.size, head),
        Verdict::Damaged { findings, .. } => panic!("{findings:#?}"),
    }
}

/// It opens with `size` records, and then database, head and tail say the same.
fn assert_opens_with(paths: &Paths, size: u64) {
    drop(open(paths).unwrap());
    assert_eq!(sizes(paths), (size, size));
    let head = fs::read_to_string(&paths.head).unwrap();
    assert_eq!(head.lines().nth(1).unwrap(), size.to_string());
    let tail = fs::read(tail(paths)).unwrap();
    assert!(tail.len() == ROOM && tail.iter().all(|byte| *byte == 0), "nothing older than the head is kept");
}

/// Power cut: the tail is on the disk, of the transactions some are not.
#[test]
fn records_that_a_power_cut_took_from_the_database_are_put_back() {
    let log = Moments::new();
    for size in 11..=21 {
        let paths = log.at("before");
        lay(&paths, &log.entries(size));
        assert_eq!(sizes(&paths), (11, size as u64), "nothing is lost: it lies in the tail");
        // No reader sees them before the next start, and each can tell.
        let reader = Reader::open(&paths).unwrap();
        assert_eq!((reader.size().unwrap(), reader.snapshot().unwrap().checkpoint().size), (11, 11));
        assert_eq!(reader.only_in_tail().unwrap(), size as u64 - 11);
        drop(reader);
        assert_opens_with(&paths, size as u64);
        let reader = Reader::open(&paths).unwrap();
        assert_eq!(reader.only_in_tail().unwrap(), 0);
        let recent = reader.recent(100).unwrap();
        drop(reader);
        assert!(recent.iter().map(|record| &record.body).eq(&log.bodies[..size]));
        let journal = open(&paths).unwrap();
        assert_eq!(journal.append(&entry(Event::Lock)).unwrap(), size as u64);
    }
    // A batch of which the database has a part would be more than SQLite leaves; it belongs there all the same.
    let paths = log.at("before");
    lay(&paths, &[log.entry(7, 13), log.entry(13, 21)]);
    assert_opens_with(&paths, 21);
}

/// A station at work: whatever it has acknowledged every reader sees.
#[test]
fn no_reader_misses_a_record_that_was_acknowledged() {
    let directory = tempfile::tempdir().unwrap();
    let (paths, journal) = begin(directory.path());
    let reader = Reader::open(&paths).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let reader = Reader::open(&paths).unwrap();
                for _ in 0..100 {
                    let seq = journal.append(&entry(Event::Lock)).unwrap();
                    assert!(reader.size().unwrap() > seq, "record {seq}");
                }
            });
        }
    });
    assert_eq!((reader.size().unwrap(), reader.only_in_tail().unwrap()), (401, 0));
    assert_eq!(reader.recent(1).unwrap()[0].seq, 400);
}

/// Kill: the transaction is there, the tail not, or not to its end; or the head is written and the tail not yet empty.
#[test]
fn a_log_that_is_ahead_of_its_tail_is_taken_up() {
    let log = Moments::new();
    for size in 11..=21 {
        let paths = log.at("after");
        fs::copy(log.directory.path().join("before/head.note"), &paths.head).unwrap();
        lay(&paths, &log.entries(size));
        assert_eq!(sizes(&paths), (21, size as u64));
        assert_opens_with(&paths, 21);
        let paths = log.at("after");
        lay(&paths, &log.entries(size));
        assert_opens_with(&paths, 21);
    }
}

/// The last entry may be torn at any byte: it was not acknowledged. Those before it count.
#[test]
fn an_entry_that_is_torn_at_any_byte_is_none() {
    let log = Moments::new();
    let paths = log.at("before");
    let mut entries = log.entries(13);
    let last = entries.pop().unwrap();
    for length in 0..=last.len() {
        let torn = last[..length].to_vec();
        lay(&paths, &[entries.clone(), vec![torn]].concat());
        let whole = if length == last.len() { 13 } else { 12 };
        assert_eq!(sizes(&paths), (11, whole), "{length} of {} bytes", last.len());
    }
    lay(&paths, &[entries, vec![last[..last.len() - 1].to_vec()]].concat());
    assert_opens_with(&paths, 12);

    // One that takes several blocks, of which each may be the one that is not written.
    let large = log.entry(11, 21);
    assert!(large.len() > BLOCK);
    for missing in 0..large.len().div_ceil(BLOCK) {
        let mut torn = large.clone();
        let end = torn.len().min((missing + 1) * BLOCK);
        torn[missing * BLOCK..end].fill(0);
        let paths = log.at("before");
        lay(&paths, &[torn]);
        assert_eq!(sizes(&paths), (11, 11), "block {missing}");
    }
}

#[test]
fn entries_that_do_not_follow_each_other_end_the_tail() {
    let log = Moments::new();
    let paths = log.at("before");
    let mut entries = log.entries(21);
    entries.remove(4);
    lay(&paths, &entries);
    assert_eq!(sizes(&paths), (11, 15));
    // What is in the tail has to follow what is in the log.
    lay(&paths, &entries[4..]);
    assert_eq!(integrity(&paths), Finding::Rewound { log: 11, head: 21 });
    assert_eq!(findings(&paths), [Finding::Rewound { log: 11, head: 21 }]);
}

#[test]
fn forged_entries_are_refused() {
    let log = Moments::new();
    let paths = log.at("before");
    let stranger = Signer::from_seed(ORIGIN, &[7; 32]);
    let unsigned = {
        let text = log.note(12).split_once("\n\n").unwrap().0.to_owned() + "\n";
        spell(&stranger.sign(&text), &log.bodies[11..12])
    };
    let none = spell(&log.note(11), &[]);
    let too_many = spell(&log.note(1), &log.bodies[..3]);
    let without_end = {
        let note = log.note(12);
        spell(&note[..note.len() - 1], &log.bodies[11..12])
    };
    for forged in [unsigned, none, too_many, without_end] {
        lay(&paths, &[forged]);
        assert!(matches!(integrity(&paths), Finding::Head(_)));
        assert!(matches!(findings(&paths)[..], [Finding::Head(_)]));
    }
    // Signed for other records than it has.
    let mut other = log.bodies[11..12].to_vec();
    other[0] = String::from_utf8(other[0].clone()).unwrap().replace("op-0117", "op-0118").into_bytes();
    lay(&paths, &[spell(&log.note(12), &other)]);
    assert_eq!(integrity(&paths), Finding::HeadRoot { size: 12 });
    assert_eq!(findings(&paths), [Finding::HeadRoot { size: 12 }]);
}

/// A copied log that was written on: the tail of one branch is not that of the other.
#[test]
fn tail_of_another_branch_is_refused() {
    let log = Moments::new();
    let paths = log.at("before");
    let journal = open(&paths).unwrap();
    journal.append(&entry(Event::Lock)).unwrap();
    journal.close().unwrap();
    lay(&paths, &log.entries(12));
    assert_eq!(integrity(&paths), Finding::HeadRoot { size: 12 });
    assert_eq!(findings(&paths), [Finding::HeadRoot { size: 12 }]);
    lay(&paths, &log.entries(13));
    assert_eq!(integrity(&paths), Finding::HeadRoot { size: 12 });
}

/// Somebody who rewrites the files of a log at rest, and even has the checkpoint of an earlier size.
#[test]
fn last_batch_cannot_be_taken_from_a_log_at_rest() {
    let log = Moments::new();
    let paths = log.at("after");
    behind_the_triggers(&attacker(&paths), |conn| {
        conn.execute_batch(
            "DELETE FROM log WHERE seq >= 20; DELETE FROM node WHERE (idx + 1) << level > 20;",
        )
        .unwrap();
        conn.execute("UPDATE checkpoint SET size = 20, note = ?1", [log.note(20)]).unwrap();
    });
    for entries in [Vec::new(), log.entries(20)] {
        lay(&paths, &entries);
        assert_eq!(integrity(&paths), Finding::Rewound { log: 20, head: 21 });
    }
    fs::remove_file(tail(&paths)).unwrap();
    assert_eq!(integrity(&paths), Finding::Rewound { log: 20, head: 21 });
    // With the tail from before the rest, what is missing is put back: it is signed for.
    lay(&paths, &log.entries(21));
    assert_eq!(integrity(&paths), Finding::Rewound { log: 20, head: 21 });
}

/// A program of before had no tail.
#[test]
fn log_without_a_tail_or_with_one_of_another_length_gets_one() {
    let log = Moments::new();
    let paths = log.at("after");
    fs::remove_file(tail(&paths)).unwrap();
    assert_eq!(sizes(&paths), (21, 21));
    assert_opens_with(&paths, 21);
    for length in [0, 1, ROOM - 1, ROOM + 1] {
        fs::write(tail(&paths), vec![b'x'; length]).unwrap();
        assert_opens_with(&paths, 21);
    }
}

/// More batches than it has room for, without a rest between them.
#[test]
fn tail_that_is_full_is_emptied_into_the_head() {
    let directory = tempfile::tempdir().unwrap();
    let (paths, journal) = begin(directory.path());
    work(&journal, 200);
    let killed = tempfile::tempdir().unwrap();
    copy(directory.path(), killed.path());
    let copied = Paths::in_dir(killed.path());
    assert_eq!(sizes(&copied), (401, 401));
    assert_eq!(fs::metadata(tail(&copied)).unwrap().len(), ROOM as u64);
    journal.close().unwrap();
    assert_opens_with(&paths, 401);
}

#[test]
fn log_stops_for_good_when_its_head_cannot_be_written() {
    let directory = tempfile::tempdir().unwrap();
    let mut paths = Paths::in_dir(directory.path());
    let medium = directory.path().join("medium");
    fs::create_dir(&medium).unwrap();
    paths.head = medium.join("head.note");
    let origin = Origin::new(ORIGIN).unwrap();
    let journal = Journal::create(&paths, &origin, &actor(), Steady::new()).unwrap();
    journal.append(&entry(Event::Unlock { custody: "sealed-file" })).unwrap();

    let elsewhere = directory.path().join("elsewhere");
    fs::rename(&medium, &elsewhere).unwrap();
    // The tail is open and goes on, until the head is to be written: without a rest that is after a second.
    let mut last = 1;
    let refused = loop {
        match journal.append(&entry(Event::Lock)) {
            Ok(seq) => last = seq,
            Err(refused) => break refused,
        }
    };
    assert!(matches!(refused, AppendError::Failed(_) | AppendError::Stopped(_)), "{refused}");
    fs::rename(&elsewhere, &medium).unwrap();
    // It could go on now, and does not: only a fresh look at the disk tells what is there.
    assert!(matches!(journal.append(&entry(Event::Lock)), Err(AppendError::Stopped(_))));
    assert!(matches!(journal.standing(&id("sn-1")), Err(AppendError::Stopped(_))));
    assert!(matches!(journal.checkpoint(), Err(AppendError::Stopped(_))));
    assert!(matches!(journal.close(), Err(AppendError::Stopped(_))));
    // Everything that was acknowledged is there; what was not may be.
    let journal = open(&paths).unwrap();
    let next = journal.append(&entry(Event::Unlock { custody: "sealed-file" })).unwrap();
    assert!((last + 1..=last + 2).contains(&next), "{last} {next}");
    journal.close().unwrap();
    assert_eq!(intact(&paths), next + 1);
}

/// Waits for the rest, then looks what a copy of the files says.
#[test]
fn log_at_rest_has_its_head_written_and_its_tail_empty() {
    let directory = tempfile::tempdir().unwrap();
    let (paths, journal) = begin(directory.path());
    work(&journal, 3);
    let rested = |paths: &Paths| {
        let tail = fs::read(tail(paths)).unwrap();
        let head = fs::read_to_string(&paths.head).unwrap();
        head == journal.checkpoint().unwrap() && tail.iter().all(|byte| *byte == 0)
    };
    // Each question is a job, so the log rests between them only.
    while !rested(&paths) {
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
}
