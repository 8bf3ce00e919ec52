//! Checking a whole log, in one pass and the same memory at any size.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::{Arc, mpsc};
use std::thread;

use keystation_core::record::Seq;
use rusqlite::{Connection, Rows, Statement};

use crate::anchor;
use crate::carry::Beginning;
use crate::checkpoint::Checkpoint;
use crate::device_verdict;
use crate::examine::{Chunk, Examined, examine};
use crate::expected::Expected;
use crate::finding::Finding;
use crate::head::Head;
use crate::note::VerifierKey;
use crate::open_error::OpenError;
use crate::schema::{self, NotThis};
use crate::state;
use crate::tree::{Frontier, Hash, Subtree};

/// What came of checking a log.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Verdict {
    /// Every record is as it was written, none is missing, and both checkpoints say so.
    Intact {
        /// The checkpoint in the database: it covers all records.
        checkpoint: Checkpoint,
        /// Records that the head outside the database covers; fewer or more than the checkpoint only where the writer was
        /// killed or is at work. Those that are missing in the database then lie in the tail of the head.
        head: u64,
    },
    /// It is not.
    Damaged {
        /// What is wrong, in the order of the records; the first [`Verdict::LIMIT`].
        findings: Vec<Finding>,
        /// How many more there are.
        more: u64,
    },
}

impl Verdict {
    /// Findings that are listed at most.
    pub const LIMIT: usize = 100;
}

#[derive(Default)]
pub(crate) struct Findings {
    list: Vec<Finding>,
    more: u64,
}

impl Findings {
    pub(crate) fn add(&mut self, finding: Finding) {
        if self.list.len() < Verdict::LIMIT {
            self.list.push(finding);
        } else {
            self.more += 1;
        }
    }
}

/// How far a check is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Records that were checked.
    pub done: u64,
    /// Records that there were when it began.
    pub of: u64,
}

impl Progress {
    /// Records between two reports.
    const STEP: u64 = 4096;
}

/// Whoever looks on while a log is checked, and may break it off.
pub(crate) type Watch<'w> = &'w mut dyn FnMut(Progress) -> ControlFlow<()>;

/// Checks the log in `conn` against `key` and the note beside the database. `None`: it was broken off.
pub(crate) fn verify(
    conn: &Connection,
    key: &VerifierKey,
    head: Result<Head, Finding>,
    watch: Watch<'_>,
) -> Option<Verdict> {
    let mut findings = Findings::default();
    let head = head.map_err(|finding| findings.add(finding)).ok();
    let mut at = 0;
    let checkpoint = match check(conn, key, head.as_ref(), &mut findings, &mut at, watch) {
        Ok(ControlFlow::Continue(checkpoint)) => checkpoint,
        Ok(ControlFlow::Break(())) => return None,
        Err(e) => {
            findings.add(Finding::Unreadable { seq: at, why: e.to_string() });
            None
        }
    };
    Some(match (checkpoint, head) {
        (Some(checkpoint), Some(head)) if findings.list.is_empty() => {
            Verdict::Intact { checkpoint, head: head.size() }
        }
        _ => Verdict::Damaged { findings: findings.list, more: findings.more },
    })
}

/// The checkpoint in the database, if it is one. `at` is always the record that is read next.
fn check(
    conn: &Connection,
    key: &VerifierKey,
    head: Option<&Head>,
    findings: &mut Findings,
    at: &mut Seq,
    watch: Watch<'_>,
) -> Result<ControlFlow<(), Option<Checkpoint>>, rusqlite::Error> {
    // One transaction: everything below sees the same moment of a log that grows.
    let _snapshot = conn.unchecked_transaction()?;
    match schema::check_structure(conn) {
        Ok(()) => {}
        Err(NotThis::Sqlite(e)) => return Err(e),
        Err(NotThis::Structure(finding)) => findings.add(finding),
        Err(NotThis::NotALog(_) | NotThis::Version(_)) => {
            unreachable!("asked when the connection was opened")
        }
    }
    let size = state::size(conn)?;
    if watch(Progress { done: 0, of: size }).is_break() {
        return Ok(ControlFlow::Break(()));
    }
    let mut nodes = Statements::prepare(conn, size)?;
    let mut nodes = nodes.query()?;
    let mut tree = Some(Frontier::default());
    let mut heads: Vec<_> = head.map(|head| head.roots(size).collect()).unwrap_or_default();
    heads.sort_unstable();
    let mut heads = heads.into_iter().peekable();
    let mut forked = None;
    let mut cosigned = anchor::cosigned(conn, key, findings)?.into_iter().peekable();

    let mut statement = conn.prepare("SELECT seq, body, leaf FROM log ORDER BY seq")?;
    let mut rows = statement.query([])?;
    // Told of each record in the order of the rows, with what it says by itself.
    let mut visit = |seq: Seq, leaf: Hash, changed: bool, faults: &mut dyn Iterator<Item = Finding>| {
        if seq != *at {
            findings.add(match seq.checked_sub(1) {
                Some(last) if seq > *at => Finding::Missing { first: *at, last },
                _ => Finding::Misplaced { seq: *at, says: seq },
            });
            // From here on every hash would stand in another place.
            tree = None;
        }
        *at = seq.wrapping_add(1);
        if at.is_multiple_of(Progress::STEP) && watch(Progress { done: *at, of: size }).is_break() {
            return Ok(ControlFlow::Break(()));
        }
        if changed {
            findings.add(Finding::Changed { seq });
        }
        if let Some(tree) = &mut tree {
            tree.push(leaf, |at, hash| nodes.compare(at, hash, findings))?;
            while let Some((size, root)) = heads.next_if(|(size, _)| *size <= tree.size()) {
                if root != tree.root() {
                    // One finding: those of the tail that follow would say the same.
                    forked.get_or_insert(size);
                }
            }
            if let Some(checkpoint) = cosigned.next_if(|checkpoint| checkpoint.size == tree.size())
                && checkpoint.root != tree.root()
            {
                findings.add(Finding::CosignedRoot { size: checkpoint.size });
            }
        }
        faults.for_each(|fault| findings.add(fault));
        Ok::<_, rusqlite::Error>(ControlFlow::Continue(()))
    };
    let (expected, beginning) = match examined(&mut rows, key, &mut visit)? {
        ControlFlow::Continue(expected) => expected,
        ControlFlow::Break(()) => return Ok(ControlFlow::Break(())),
    };
    if *at == 0 {
        findings.add(Finding::Genesis { seq: 0 });
    }
    if let Err(finding) = beginning.is_complete(*at) {
        findings.add(finding);
    }
    nodes.exhausted(findings)?;
    let checkpoint = match state::newest_checkpoint(conn, key) {
        Ok((_, checkpoint)) => Some(checkpoint),
        Err(OpenError::Integrity(finding)) => {
            findings.add(finding);
            None
        }
        Err(OpenError::Database(e)) => return Err(e),
        Err(_) => unreachable!("it reads the database only"),
    };
    match (&checkpoint, &tree) {
        (Some(checkpoint), _) if checkpoint.size != *at => {
            findings.add(Finding::CheckpointSize { log: *at, checkpoint: checkpoint.size });
        }
        (Some(checkpoint), Some(tree)) if checkpoint.root != tree.root() => {
            findings.add(Finding::CheckpointRoot { size: checkpoint.size });
        }
        _ => {}
    }
    match (head, &tree) {
        _ if forked.is_some() => findings.add(Finding::HeadRoot { size: forked.unwrap_or_default() }),
        (Some(head), Some(tree)) => drop(head.missing(tree).map_err(|finding| findings.add(finding))),
        (Some(head), None) if head.checkpoint.size > *at => {
            findings.add(Finding::Rewound { log: *at, head: head.size() });
        }
        _ => {}
    }
    // Tables that were made from other records than these need no finding of their own.
    if findings.list.is_empty() {
        for table in expected.differing(conn)? {
            findings.add(Finding::Derived { table });
        }
    }
    if findings.list.is_empty() {
        for seq in device_verdict::broken(conn)? {
            findings.add(Finding::NotRefused { seq });
        }
    }
    Ok(ControlFlow::Continue(checkpoint))
}

/// Whoever is told of a record: number, stored leaf, whether it is another than that of the bytes, what else is wrong.
type Visit<'v> = &'v mut dyn FnMut(
    Seq,
    Hash,
    bool,
    &mut dyn Iterator<Item = Finding>,
) -> Result<ControlFlow<()>, rusqlite::Error>;

/// Reads the rows and has a second thread look at them one chunk ahead of `visit`.
fn examined(
    rows: &mut Rows<'_>,
    key: &VerifierKey,
    visit: Visit<'_>,
) -> Result<ControlFlow<(), (Expected, Beginning)>, rusqlite::Error> {
    thread::scope(|scope| {
        let ((chunks, inbox), (outbox, results)) = (mpsc::sync_channel(2), mpsc::sync_channel(2));
        let examiner = scope.spawn(move || examine(key, &inbox, &outbox));
        let mut waiting = VecDeque::new();
        loop {
            let (chunk, read) = Chunk::read(rows);
            let last = chunk.is_last() || read.is_err();
            let chunk = Arc::new(chunk);
            waiting.push_back(chunk.clone());
            chunks.send(chunk).expect(EXAMINES);
            while waiting.len() > usize::from(!last)
                && let Some(chunk) = waiting.pop_front()
            {
                // The other half, while that thread looks at what was read since.
                let own: Vec<_> = chunk.changed(0).collect();
                let Examined { mut changed, faults } = results.recv().expect(EXAMINES);
                changed.extend(own);
                changed.sort_unstable();
                let (mut changed, mut faults) =
                    (changed.into_iter().peekable(), faults.into_iter().peekable());
                for (place, (seq, leaf)) in chunk.leaves().enumerate() {
                    let changed = changed.next_if_eq(&place).is_some();
                    let mut of_it =
                        std::iter::from_fn(|| faults.next_if(|(at, _)| *at == place).map(|(_, fault)| fault));
                    if visit(seq, leaf, changed, &mut of_it)?.is_break() {
                        return Ok(ControlFlow::Break(()));
                    }
                }
            }
            // What could be read was looked at first.
            read?;
            if last {
                break;
            }
        }
        drop(chunks);
        Ok(ControlFlow::Continue(examiner.join().expect(EXAMINES)))
    })
}

/// Why the other thread is there.
const EXAMINES: &str = "it examines until there are no more chunks";

/// One statement for each level of the tree, so that the stored nodes come in the order in which they are needed.
struct Statements<'a>(Vec<Statement<'a>>);

impl<'a> Statements<'a> {
    fn prepare(conn: &'a Connection, size: u64) -> Result<Self, rusqlite::Error> {
        // One level more than there can be, and from there on everything.
        let levels = 1..=size.checked_ilog2().unwrap_or(0) + 1;
        let last = *levels.end();
        let statement = |level| {
            let compare = if level == last { ">=" } else { "=" };
            conn.prepare(&format!("SELECT hash FROM node WHERE level {compare} ?1 ORDER BY level, idx"))
        };
        levels.map(statement).collect::<Result<_, _>>().map(Self)
    }

    fn query(&mut self) -> Result<Nodes<'_>, rusqlite::Error> {
        let rows = self.0.iter_mut().zip(1..).map(|(statement, level)| statement.query([level]));
        Ok(Nodes { rows: rows.collect::<Result<_, _>>()? })
    }
}

struct Nodes<'a> {
    rows: Vec<Rows<'a>>,
}

impl Nodes<'_> {
    /// The stored hash of `at`, which should be `hash`. Going on with the stored one keeps a finding where it is.
    fn compare(&mut self, at: Subtree, hash: Hash, findings: &mut Findings) -> Result<Hash, rusqlite::Error> {
        let level = usize::try_from(at.level).expect("at most 64 levels");
        let stored: Option<Hash> = match self.rows[level - 1].next()? {
            Some(row) => Some(row.get(0)?),
            None => None,
        };
        if stored != Some(hash) {
            let (first, last) = at.leaves();
            findings.add(Finding::Node { level: at.level, first, last });
        }
        Ok(stored.unwrap_or(hash))
    }

    fn exhausted(&mut self, findings: &mut Findings) -> Result<(), rusqlite::Error> {
        for (rows, level) in self.rows.iter_mut().zip(1..) {
            if rows.next()?.is_some() {
                findings.add(Finding::SurplusNode { level });
            }
        }
        Ok(())
    }
}
