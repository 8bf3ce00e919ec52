//! QA's review: which records somebody has looked through, and which nobody has yet.

use keystation_core::record::{Actor, Entry, Event, Seq};
use rusqlite::{Connection, OptionalExtension};

use crate::anchor::hex;
use crate::append_error::AppendError;
use crate::figures::Tally;
use crate::open_error::OpenError;
use crate::projection;
use crate::reader::{ReadError, Reader};
use crate::record::{Record, RecordError};
use crate::standing::with_record;
use crate::state;
use crate::writer::{StorageFailure, Writer};

/// A review that was signed, as its record `review.signed` says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    /// Its record.
    pub seq: Seq,
    /// When, UTC, milliseconds since 1970.
    pub time_ms: i64,
    /// Operator ID of who reviewed.
    pub reviewer: String,
    /// The first record that was reviewed.
    pub from: Seq,
    /// The last one.
    pub to: Seq,
    /// What the reviewer had to say.
    pub remark: String,
}

/// What nobody has reviewed yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreviewed {
    /// The first record.
    pub from: Seq,
    /// The last record of the log.
    pub to: Seq,
    /// When the first attempt among them was made, UTC, milliseconds since 1970; `None` if there is none.
    pub oldest_ms: Option<i64>,
}

impl Review {
    fn read(record: &Record<'_>) -> Result<Self, RecordError> {
        let number =
            |key| record.integer(key).and_then(|n| u64::try_from(n).ok()).ok_or(RecordError::Field(key));
        Ok(Self {
            seq: record.seq(),
            time_ms: record.utc_ms(),
            reviewer: record.operator().into_owned(),
            from: number("from")?,
            to: number("to")?,
            remark: record.text("remark").unwrap_or_default().into_owned(),
        })
    }
}

impl Reader {
    /// The last review.
    pub fn last_review(&self) -> Result<Option<Review>, ReadError> {
        last(&self.conn)
    }

    /// The review that is record `seq`.
    pub fn review(&self, seq: Seq) -> Result<Review, ReadError> {
        with_record(&self.conn, seq, Review::read)
    }

    /// The records since the last review. Takes the same time at any number of them.
    pub fn unreviewed(&self) -> Result<Unreviewed, ReadError> {
        let from = next(&self.conn)?;
        let to = self.size()?.saturating_sub(1);
        let oldest_ms = self
            .conn
            .prepare_cached("SELECT t FROM sighting WHERE seq BETWEEN ?1 AND ?2 ORDER BY seq LIMIT 1")?
            .query_row((from.cast_signed(), to.cast_signed()), |row| row.get(0))
            .optional()?;
        Ok(Unreviewed { from, to, oldest_ms })
    }

    /// The attempts among the records `from` to `to`. Reads each of them.
    pub fn attempts_among(&self, from: Seq, to: Seq) -> Result<Tally, ReadError> {
        let mut attempts = Tally::default();
        let mut statement = self
            .conn
            .prepare_cached("SELECT rc, count(*) FROM sighting WHERE seq BETWEEN ?1 AND ?2 GROUP BY rc")?;
        let mut rows = statement.query((from.cast_signed(), to.cast_signed()))?;
        while let Some(row) = rows.next()? {
            let rc = row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?;
            attempts.add(rc, row.get::<_, i64>(1)?.cast_unsigned());
        }
        Ok(attempts)
    }
}

impl Writer {
    /// Puts down that `reviewer` has looked through what nobody had yet, up to record `to`: what he was shown, for the line
    /// works on meanwhile. `None`: up to the last one that there is.
    pub(crate) fn review(
        &mut self,
        reviewer: Actor,
        to: Option<Seq>,
        remark: String,
    ) -> Result<Result<Seq, AppendError>, StorageFailure> {
        let from = match next(&self.conn) {
            Ok(from) => from,
            Err(ReadError::Database(e)) => return Err(e.into()),
            Err(e) => return Ok(Err(AppendError::Unread(std::sync::Arc::new(e)))),
        };
        // The log is never empty, and the record of the review before is not in what that one covers.
        let last = self.frontier.size() - 1;
        let to = to.unwrap_or(last);
        if to < from || to > last {
            return Ok(Err(AppendError::NothingToReview { from, to }));
        }
        let root = match state::root(&self.conn, to + 1) {
            Ok(root) => hex(&root),
            Err(OpenError::Database(e)) => return Err(e.into()),
            Err(OpenError::Integrity(finding)) => return Ok(Err(AppendError::Misplaced(finding))),
            Err(other) => unreachable!("a root is read from the database alone: {other}"),
        };
        let event = Event::ReviewSigned { from, to, root, remark };
        let entry = Box::new(Entry { actor: reviewer, event });
        let outcome = self.commit(&[entry])?.pop().unwrap_or(Err(AppendError::Closed));
        Ok(outcome.map(|receipt| receipt.seq))
    }
}

/// The first record that no review covers.
fn next(conn: &Connection) -> Result<Seq, ReadError> {
    Ok(last(conn)?.map_or(0, |review| review.to + 1))
}

fn last(conn: &Connection) -> Result<Option<Review>, ReadError> {
    let (_, seq) = projection::tally(conn, "review.signed", "")?;
    seq.map(|seq| with_record(conn, seq, Review::read)).transpose()
}
