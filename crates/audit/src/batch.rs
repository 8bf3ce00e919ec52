//! What the log says of batches of repair: the table `batch`, and what its records say (docs/audit-format.md, section 13).

use keystation_core::order::OrderId;
use keystation_core::record::Seq;
use rusqlite::{Connection, OptionalExtension, Row};

use crate::account::{natural, number, parsed};
use crate::group_key::field;
use crate::projection::{Mode, Sighting};
use crate::reader::{ReadError, Reader};
use crate::record::{Record, RecordError};
use crate::tree::Hash;

/// A row of `batch`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Batch {
    pub(crate) id: OrderId,
    pub(crate) opened: Seq,
    pub(crate) closed: Option<Seq>,
    /// Devices that it is for: with a list its rows.
    pub(crate) quantity: u64,
    /// Root of the rows of its list, if it has one.
    pub(crate) list: Option<Hash>,
    /// Whether its records are judged: a program before version 7 of the database said too little when it opened it, and asked
    /// nothing in the transaction of an intent.
    pub(crate) judged: bool,
    /// Devices that were begun in it, by registration ID.
    pub(crate) begun: u64,
}

/// What a record does to a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum BatchStep {
    Opened(Box<Batch>),
    Closed(Closing),
}

/// What `rekey.close` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Closing {
    pub(crate) id: OrderId,
    pub(crate) seq: Seq,
    /// The record that opened it.
    pub(crate) opened: Seq,
    pub(crate) asked: u64,
    pub(crate) done: u64,
    pub(crate) failed: u64,
    pub(crate) missing: u64,
}

/// What each intent of a batch has to say as the record that opened it does: what two people agreed to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Terms {
    texts: [String; Self::TEXTS.len()],
    same_key: i64,
}

impl Terms {
    const TEXTS: [&'static str; 10] =
        ["gk", "gkcv", "group", "scope", "slot", "endpoint", "profile_sha256", "reason", "note", "op2"];

    /// What a record says; what it does not say is empty, as in no record that has to say it.
    pub(crate) fn of(record: &Record<'_>) -> Self {
        let text = |key| record.text(key).unwrap_or_default().into_owned();
        Self { texts: Self::TEXTS.map(text), same_key: record.integer("same_key").unwrap_or(-1) }
    }

    /// The first field in which the two differ.
    pub(crate) fn differs(&self, other: &Self) -> Option<&'static str> {
        let texts = self.texts.iter().zip(&other.texts).position(|(one, other)| one != other);
        let texts = texts.map(|at| Self::TEXTS[at]);
        texts.or_else(|| (self.same_key != other.same_key).then_some("same_key"))
    }
}

impl BatchStep {
    /// `None`: the record opens and closes none.
    pub(crate) fn of(record: &Record<'_>) -> Result<Option<Self>, RecordError> {
        match record.event() {
            "rekey.open" => opened(record).map(|batch| Some(Self::Opened(Box::new(batch)))),
            "rekey.close" => Ok(Some(Self::Closed(Closing {
                id: field(record, "job")?,
                seq: record.seq(),
                opened: natural(record, "ref")?,
                asked: natural(record, "asked")?,
                done: natural(record, "done")?,
                failed: natural(record, "failed")?,
                missing: natural(record, "missing")?,
            }))),
            _ => Ok(None),
        }
    }

    /// Changes the table. An ID is given once, and what is closed stays so.
    pub(crate) fn apply(&self, conn: &Connection) -> Result<(), rusqlite::Error> {
        match self {
            Self::Opened(batch) => batch.store(conn),
            Self::Closed(Closing { id, seq, opened, .. }) => conn
                .prepare_cached(
                    "UPDATE batch SET closed = ?3 WHERE job = ?1 AND opened = ?2 AND closed IS NULL",
                )?
                .execute((id.as_str(), opened.cast_signed(), seq.cast_signed()))
                .map(drop),
        }
    }
}

fn opened(record: &Record<'_>) -> Result<Batch, RecordError> {
    let quantity = natural(record, "qty")?;
    if quantity == 0 {
        return Err(RecordError::Field("qty"));
    }
    let judged = record.text("profile_sha256").is_some();
    let hash = |key| {
        let text = record.text(key).ok_or(RecordError::Field(key))?;
        if text.is_empty() { Ok(None) } else { unhex(&text).map(Some).ok_or(RecordError::Field(key)) }
    };
    let mut list = None;
    if judged {
        list = hash("list_root")?;
        if hash("sha256")?.is_some() != list.is_some() {
            return Err(RecordError::Field("list_root"));
        }
        hash("profile_sha256")?.ok_or(RecordError::Field("profile_sha256"))?;
        for key in Terms::TEXTS {
            let needed = key != "note" && key != "op2";
            if record.text(key).is_none_or(|text| needed && text.is_empty()) {
                return Err(RecordError::Field(key));
            }
        }
        if !matches!(record.integer("same_key"), Some(0 | 1)) {
            return Err(RecordError::Field("same_key"));
        }
    }
    let (id, opened) = (field(record, "job")?, record.seq());
    Ok(Batch { id, opened, closed: None, quantity, list, judged, begun: 0 })
}

const COLUMNS: &str = "job, opened, closed, qty, list_root, judged, begun";

impl Batch {
    pub(crate) fn find(conn: &Connection, job: &str) -> Result<Option<Self>, rusqlite::Error> {
        conn.prepare_cached(&format!("SELECT {COLUMNS} FROM batch WHERE job = ?1"))?
            .query_row([job], Self::read)
            .optional()
    }

    /// All of them, by ID.
    pub(crate) fn all(conn: &Connection) -> Result<Vec<Self>, rusqlite::Error> {
        conn.prepare_cached(&format!("SELECT {COLUMNS} FROM batch ORDER BY job"))?
            .query_map([], Self::read)?
            .collect()
    }

    fn read(row: &Row<'_>) -> Result<Self, rusqlite::Error> {
        let list = match row.get_ref(4)?.as_str()? {
            "" => None,
            root => Some(unhex(root).ok_or(rusqlite::Error::IntegralValueOutOfRange(4, 0))?),
        };
        Ok(Self {
            id: parsed(row, 0)?,
            opened: number(row, 1)?,
            closed: row.get::<_, Option<i64>>(2)?.map(i64::cast_unsigned),
            quantity: number(row, 3)?,
            list,
            judged: row.get(5)?,
            begun: number(row, 6)?,
        })
    }

    fn store(&self, conn: &Connection) -> Result<(), rusqlite::Error> {
        let Self { id, opened, closed, quantity, list, judged, begun } = self;
        conn.prepare_cached(&format!(
            "INSERT OR IGNORE INTO batch ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"
        ))?
        .execute((
            id.as_str(),
            opened.cast_signed(),
            closed.map(Seq::cast_signed),
            quantity.cast_signed(),
            list.map_or_else(String::new, |root| crate::anchor::hex(&root)),
            judged,
            begun.cast_signed(),
        ))
        .map(drop)
    }

    /// Devices that the table of those that were seen has in it: begun, and of these done. Takes as long as it has devices.
    pub(crate) fn made(&self, conn: &Connection) -> Result<(u64, u64), rusqlite::Error> {
        conn.prepare_cached(
            "SELECT count(DISTINCT rid), count(DISTINCT CASE WHEN EXISTS (
                 SELECT 1 FROM outcome WHERE outcome.intent = sighting.seq AND outcome.holds = 'new') THEN rid END)
             FROM sighting INDEXED BY sighting_job WHERE job = ?1 AND mode = 'rekey' AND seq > ?2",
        )?
        .query_row((self.id.as_str(), self.opened.cast_signed()), |row| Ok((number(row, 0)?, number(row, 1)?)))
    }

    /// Whether a device was begun in it.
    pub(crate) fn has_begun(&self, conn: &Connection, rid: &str) -> Result<bool, rusqlite::Error> {
        conn.prepare_cached(
            "SELECT 1 FROM sighting INDEXED BY sighting_rid
             WHERE rid = ?1 AND job = ?2 AND mode = 'rekey' AND seq > ?3 LIMIT 1",
        )?
        .exists((rid, self.id.as_str(), self.opened.cast_signed()))
    }

    /// Whether a device proved its key in it.
    pub(crate) fn has_done(&self, conn: &Connection, rid: &str) -> Result<bool, rusqlite::Error> {
        conn.prepare_cached(
            "SELECT 1 FROM sighting INDEXED BY sighting_rid CROSS JOIN outcome ON outcome.intent = sighting.seq
             WHERE sighting.rid = ?1 AND sighting.job = ?2 AND sighting.mode = 'rekey' AND sighting.seq > ?3
               AND outcome.holds = 'new' LIMIT 1",
        )?
        .exists((rid, self.id.as_str(), self.opened.cast_signed()))
    }

    /// Whether another device was begun as the one of this row of the list.
    pub(crate) fn is_taken(&self, conn: &Connection, row: i64, rid: &str) -> Result<bool, rusqlite::Error> {
        conn.prepare_cached(
            "SELECT 1 FROM sighting INDEXED BY sighting_place
             WHERE job = ?1 AND place = ?2 AND place >= 0 AND mode = 'rekey' AND seq > ?3 AND rid <> ?4 LIMIT 1",
        )?
        .exists((self.id.as_str(), row, self.opened.cast_signed(), rid))
    }
}

/// An intent that is about to be added takes a place, unless its device has one.
pub(crate) fn count_begun(conn: &Connection, sighting: &Sighting<'_>) -> Result<(), rusqlite::Error> {
    if sighting.mode != Mode::Rekey || sighting.job.is_empty() {
        return Ok(());
    }
    conn.prepare_cached(
        "UPDATE batch SET begun = begun + 1 WHERE job = ?1 AND closed IS NULL AND NOT EXISTS (
             SELECT 1 FROM sighting INDEXED BY sighting_rid
             WHERE rid = ?2 AND job = ?1 AND mode = 'rekey' AND seq > batch.opened)",
    )?
    .execute((&sighting.job, &sighting.rid))
    .map(drop)
}

/// 64 lower-case hexadecimal digits.
fn unhex(text: &str) -> Option<Hash> {
    let mut bytes = [0; 32];
    if text.len() != 64 || !text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
        return None;
    }
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).ok()?;
    }
    Some(bytes)
}

impl Reader {
    /// Whether a batch of this ID was opened.
    pub fn knows_batch(&self, batch: &OrderId) -> Result<bool, ReadError> {
        Ok(Batch::find(&self.conn, batch.as_str())?.is_some())
    }

    /// Whether a device was begun in the batch of this ID, and whether it proved its key in it.
    pub fn seen_in(&self, batch: &OrderId, rid: &str) -> Result<(bool, bool), ReadError> {
        Ok(match Batch::find(&self.conn, batch.as_str())? {
            Some(batch) => (batch.has_begun(&self.conn, rid)?, batch.has_done(&self.conn, rid)?),
            None => (false, false),
        })
    }
}
