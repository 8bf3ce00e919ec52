//! What is left of a log that is not continued: what a new epoch takes over, and who can be asked. `docs/audit-format.md`, section 4.

use std::ops::ControlFlow;
use std::path::Path;

use keystation_core::record::{CarriedFrom, Seq};
use rusqlite::Connection;

use crate::account::Account;
use crate::checkpoint::Checkpoint;
use crate::epoch;
use crate::files::{self, FileError, Paths};
use crate::note::VerifierKey;
use crate::projection::Step;
use crate::record::Record;
use crate::said::Said;
use crate::schema;
use crate::state;
use crate::tail::{self, Batch};
use crate::tree::{Hash, Subtree, leaf_hash};
use crate::vouching::{Lost, Vouching};

/// What is left of a log that is not continued. Nothing that is missing, damaged or not signed for is an error: it says nothing.
pub(crate) struct Remains {
    /// A database that cannot be read is one of the reasons to be here.
    conn: Option<Connection>,
    tail: Vec<Batch>,
    /// Ascending.
    signed: Vec<Checkpoint>,
}

/// So many records a checkpoint vouches for, their root, and which of them are not there as they were signed for.
pub(crate) type Vouched = (u64, Hash, Lost);

impl Remains {
    pub(crate) fn find(paths: &Paths, key: &VerifierKey) -> Result<Self, FileError> {
        // Bytes that are no text are no head.
        let head = match files::read(&paths.head) {
            Err(e) if !e.is_no_text() => return Err(e),
            head => head.ok().flatten().and_then(|note| Checkpoint::open(&note, key).ok()),
        };
        // What of the tail was forged or torn says nothing.
        let tail = tail::read(&paths.head, key)?.unwrap_or_default();
        let conn = paths.db.exists().then(|| schema::open_read_only(&paths.db).ok()).flatten();
        let stored = conn.as_ref().map(|conn| checkpoints(conn, key)).unwrap_or_default();
        let of_tail = tail.iter().map(|batch| batch.checkpoint.clone());
        let mut signed: Vec<_> = head.into_iter().chain(of_tail).chain(stored).collect();
        signed.sort_by_key(|checkpoint| checkpoint.size);
        Ok(Self { conn, tail, signed })
    }

    /// The greatest checkpoint that is left, whether or not its records are.
    pub(crate) fn last(&self) -> Option<&Checkpoint> {
        self.signed.last()
    }

    /// What its records say, as far as a checkpoint vouches for them.
    pub(crate) fn said(&self, key: &VerifierKey) -> (CarriedFrom, Said) {
        let Some((size, root, lost)) = self.vouched() else { return Default::default() };
        let (mut said, mut says_nothing) = (Said::to_carry(), 0);
        self.each(|seq, body, _| {
            if seq < size {
                let vouched = body.filter(|_| !lost.has(seq));
                match vouched.and_then(|body| step(body, seq, key)) {
                    Some(step) => step.iter().for_each(|step| said.add(step)),
                    None => says_nothing += 1,
                }
            }
        });
        let records = said.carried().count() as u64;
        let root = root.iter().map(|byte| format!("{byte:02x}")).collect();
        (CarriedFrom { records, size, root, lost: says_nothing }, said)
    }

    /// What the records say that nobody vouches for, too.
    fn heard(&self, key: &VerifierKey) -> Said {
        let mut said = Said::default();
        self.each(|seq, body, _| {
            let step = body.and_then(|body| step(body, seq, key)).flatten();
            step.iter().for_each(|step| said.add(step));
        });
        said
    }

    /// The greatest checkpoint whose root the records have: each by its bytes or by the leaf that is stored of it, and where these do not give it by
    /// the nodes above them.
    pub(crate) fn vouched(&self) -> Option<Vouched> {
        let by_records = self.vouched_by(|_| None);
        let all = self.last().map(|last| last.size);
        if by_records.as_ref().map(|(size, ..)| *size) == all {
            return by_records;
        }
        let by_nodes = self.vouched_by(|at| state::stored(self.conn.as_ref()?, at).ok().flatten());
        // Of two of one size the latter says more, and is the one that is taken.
        [by_nodes, by_records].into_iter().flatten().max_by_key(|(size, ..)| *size)
    }

    fn vouched_by(&self, node: impl Fn(Subtree) -> Option<Hash>) -> Option<Vouched> {
        let mut tree = Vouching::default();
        let mut signed = self.signed.iter().peekable();
        let mut found = None;
        self.each(|_, body, leaf| {
            tree.push(body.map(leaf_hash), leaf, &node);
            while let Some(checkpoint) = signed.next_if(|checkpoint| checkpoint.size <= tree.size()) {
                if let Some(lost) = tree.settle(checkpoint.size, checkpoint.root) {
                    found = Some((checkpoint.size, checkpoint.root, lost));
                }
            }
        });
        found
    }

    /// Shows the records of the database, and those that only the tail has: number, bytes if they are some, leaf if it is one.
    fn each(&self, mut visit: impl FnMut(Seq, Option<&[u8]>, Option<Hash>)) {
        self.each_from(0, |seq, body, leaf| {
            visit(seq, body, leaf);
            ControlFlow::Continue(())
        });
    }

    /// The same from record `next` on, until `visit` breaks it off.
    pub(crate) fn each_from(
        &self,
        mut next: Seq,
        mut visit: impl FnMut(Seq, Option<&[u8]>, Option<Hash>) -> ControlFlow<()>,
    ) {
        if let Some(conn) = &self.conn {
            // It ends where there is a gap, or where SQLite can read no more: what is behind says nothing, and the number of
            // records that a checkpoint vouches for tells that it is so.
            if let Ok(ControlFlow::Break(())) = rows(conn, &mut next, &mut visit) {
                return;
            }
        }
        for batch in &self.tail {
            for (seq, body) in (batch.first()..).zip(&batch.bodies) {
                if seq == next {
                    if visit(seq, Some(body), None).is_break() {
                        return;
                    }
                    next += 1;
                }
            }
        }
    }
}

fn rows(
    conn: &Connection,
    next: &mut Seq,
    visit: &mut impl FnMut(Seq, Option<&[u8]>, Option<Hash>) -> ControlFlow<()>,
) -> Result<ControlFlow<()>, rusqlite::Error> {
    let mut statement = conn.prepare("SELECT seq, body, leaf FROM log WHERE seq >= ?1 ORDER BY seq")?;
    let mut rows = statement.query([next.cast_signed()])?;
    while let Some(row) = rows.next()? {
        if row.get::<_, i64>(0)?.cast_unsigned() != *next {
            break;
        }
        if visit(*next, row.get_ref(1)?.as_blob().ok(), row.get(2).ok()).is_break() {
            return Ok(ControlFlow::Break(()));
        }
        *next += 1;
    }
    Ok(ControlFlow::Continue(()))
}

/// What of the checkpoints in the database its key signed.
fn checkpoints(conn: &Connection, key: &VerifierKey) -> Vec<Checkpoint> {
    let notes = conn.prepare("SELECT note FROM checkpoint").and_then(|mut statement| {
        statement.query_map([], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()
    });
    notes.unwrap_or_default().iter().filter_map(|note| Checkpoint::open(note, key).ok()).collect()
}

/// What a record says, `None` if it is none of this log.
fn step<'b>(body: &'b [u8], seq: Seq, key: &VerifierKey) -> Option<Option<Step<'b>>> {
    let record = Record::parse(body).ok()?;
    state::check_place(&record, seq, key).ok()?;
    Step::of(&record).ok()
}

/// Who can be asked for a proof at a station whose log does not open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountsLeft {
    /// The accounts, by ID; at least one.
    pub accounts: Vec<Account>,
    /// Whether a checkpoint that the key of the log signed vouches for their records. Of those for which none does nothing is carried over: they are asked
    /// because nobody else can be, and the new log says that nobody proved anything to it.
    pub vouched: bool,
}

/// The accounts of the log in `directory`, which does not open; or, of an epoch that was begun and cut short, those of the log before, wherever its files are by now.
/// `None`: there are none, or they cannot be read.
pub fn accounts_left(directory: &Path) -> Result<Option<AccountsLeft>, FileError> {
    let mut heard = None;
    for paths in epoch::places(directory)? {
        let Some(key) = epoch::key(&paths)? else { continue };
        let remains = Remains::find(&paths, &key)?;
        let accounts = remains.said(&key).1.accounts();
        if !accounts.is_empty() {
            return Ok(Some(AccountsLeft { accounts, vouched: true }));
        }
        if heard.is_none() {
            let accounts = remains.heard(&key).accounts();
            heard = (!accounts.is_empty()).then_some(AccountsLeft { accounts, vouched: false });
        }
    }
    Ok(heard)
}
