//! What a new epoch takes over: read out of the old log, and held to its place in the new one. `docs/audit-format.md`, section 4.

use std::convert::Infallible;

use keystation_core::record::{CarriedFrom, Seq};
use rusqlite::Connection;

use crate::account::Account;
use crate::checkpoint::Checkpoint;
use crate::epoch;
use crate::files::{self, FileError, Paths};
use crate::finding::Finding;
use crate::note::VerifierKey;
use crate::projection::Step;
use crate::record::Record;
use crate::said::Said;
use crate::schema;
use crate::state;
use crate::tail::{self, Batch};
use crate::tree::{Frontier, Hash, leaf_hash};

/// What is left of a log that is not continued. Nothing that is missing, damaged or not signed for is an error: it says nothing.
pub(crate) struct Remains {
    /// A database that cannot be read is one of the reasons to be here.
    conn: Option<Connection>,
    tail: Vec<Batch>,
    /// Ascending.
    signed: Vec<Checkpoint>,
}

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
        let Some((size, root)) = self.vouched() else { return Default::default() };
        let (mut said, mut lost) = (Said::default(), 0);
        self.each(|seq, body, leaf| {
            if seq < size {
                let step = body.filter(|body| leaf_hash(body) == leaf).and_then(|body| step(body, seq, key));
                match step {
                    Some(step) => step.iter().for_each(|step| said.add(step)),
                    None => lost += 1,
                }
            }
        });
        let records = said.carried().count() as u64;
        let root = root.iter().map(|byte| format!("{byte:02x}")).collect();
        (CarriedFrom { records, size, root, lost }, said)
    }

    /// The greatest checkpoint whose root the leaves have.
    fn vouched(&self) -> Option<(u64, Hash)> {
        let mut tree = Frontier::default();
        let mut signed = self.signed.iter().peekable();
        let mut found = None;
        self.each(|_, _, leaf| {
            let Ok(()) = tree.push(leaf, |_, hash| Ok::<_, Infallible>(hash));
            while let Some(checkpoint) = signed.next_if(|checkpoint| checkpoint.size <= tree.size()) {
                if checkpoint.root == tree.root() {
                    found = Some((checkpoint.size, checkpoint.root));
                }
            }
        });
        found
    }

    /// Shows the records of the database, and those that only the tail has: number, bytes if they are some, leaf.
    fn each(&self, mut visit: impl FnMut(Seq, Option<&[u8]>, Hash)) {
        let mut next = 0;
        if let Some(conn) = &self.conn {
            // It ends where there is a gap, or where SQLite can read no more: what is behind says nothing, and the number of
            // records that a checkpoint vouches for tells that it is so.
            drop(rows(conn, &mut next, &mut visit));
        }
        for batch in &self.tail {
            for (seq, body) in (batch.first()..).zip(&batch.bodies) {
                if seq == next {
                    visit(seq, Some(body), leaf_hash(body));
                    next += 1;
                }
            }
        }
    }
}

fn rows(
    conn: &Connection,
    next: &mut Seq,
    visit: &mut impl FnMut(Seq, Option<&[u8]>, Hash),
) -> Result<(), rusqlite::Error> {
    let mut statement = conn.prepare("SELECT seq, body, leaf FROM log ORDER BY seq")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        if row.get::<_, i64>(0)?.cast_unsigned() != *next {
            break;
        }
        visit(*next, row.get_ref(1)?.as_blob().ok(), row.get(2)?);
        *next += 1;
    }
    Ok(())
}

/// The accounts of a log that does not open, as far as a checkpoint which its key signed vouches for their records. `None`: there
/// are none, or they cannot be read.
pub fn vouched_accounts(paths: &Paths) -> Result<Option<Vec<Account>>, FileError> {
    let Some(key) = epoch::key(paths)? else { return Ok(None) };
    let (_, said) = Remains::find(paths, &key)?.said(&key);
    let accounts = said.accounts();
    Ok((!accounts.is_empty()).then_some(accounts))
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

/// Whether `record`, which carries something over, may be the next of the log.
pub(crate) fn may_follow(
    conn: &Connection,
    record: &Record<'_>,
) -> Result<Result<(), Finding>, rusqlite::Error> {
    let mut beginning = Beginning::default();
    let mut statement = conn.prepare_cached("SELECT body FROM log WHERE seq IN (0, ?1) ORDER BY seq")?;
    let mut rows = statement.query([record.seq().cast_signed() - 1])?;
    while let Some(row) = rows.next()? {
        let stored = Record::parse(row.get_ref(0)?.as_blob()?);
        // The one before may be none that is carried: then this one may be none either.
        if !stored.is_ok_and(|stored| beginning.check(&stored).is_ok()) {
            return Ok(Err(Finding::Carried { seq: record.seq() }));
        }
    }
    Ok(beginning.check(record))
}

/// Holds what an epoch took over to its place, record after record: all of them, or some of them and the first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Beginning {
    carried: u64,
    /// Event, whose, and the record of the old log.
    before: Option<(String, String, i64)>,
}

impl Beginning {
    /// Of a log whose first record this is.
    pub(crate) fn of(genesis: &Record<'_>) -> Result<Self, Finding> {
        let refused = Finding::Carried { seq: 0 };
        let carried = match genesis.integer("carried") {
            Some(carried) => u64::try_from(carried).map_err(|_| refused.clone())?,
            None if genesis.own().any(|(key, _)| key == "carried") => return Err(refused),
            None => 0,
        };
        let root = genesis.text("carried_root").unwrap_or_default();
        let named = genesis.text("prev").is_some_and(|prev| !prev.is_empty())
            && genesis.integer("carried_size").is_some_and(|size| size > 0)
            && root.len() == 64
            && root.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if carried > 0 && !named { Err(refused) } else { Ok(Self { carried, ..Self::default() }) }
    }

    /// Looks at the next record.
    pub(crate) fn check(&mut self, record: &Record<'_>) -> Result<(), Finding> {
        let seq = record.seq();
        if seq == 0 {
            *self = Self::of(record)?;
            return Ok(());
        }
        let event = record.event();
        let carries = event.starts_with("carry.");
        if carries != (seq <= self.carried) {
            return Err(Finding::Carried { seq });
        }
        if carries {
            let whose = match event {
                "carry.account" => record.text("user"),
                "carry.key" => record.text("gk"),
                _ => None,
            };
            let was = if event == "carry.component" { record.integer("was") } else { None };
            let place = (event.to_owned(), whose.unwrap_or_default().into_owned(), was.unwrap_or_default());
            if self.before.as_ref().is_some_and(|before| *before >= place) {
                return Err(Finding::Carried { seq });
            }
            self.before = Some(place);
        }
        Ok(())
    }

    /// Whether a log of `size` records has all that it took over.
    pub(crate) fn is_complete(&self, size: u64) -> Result<(), Finding> {
        if size > self.carried || size == 0 { Ok(()) } else { Err(Finding::Carried { seq: size }) }
    }
}

#[cfg(test)]
mod tests;
