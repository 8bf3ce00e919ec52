//! Tables that are made from the records, to find them by. All of them can be dropped and made anew.

use keystation_core::flow::{OpenIntent, Standing};
use keystation_core::key::Fingerprint;
use keystation_core::record::Seq;
use keystation_core::registration::RegistrationId;
use rusqlite::{Connection, OptionalExtension};

use crate::reader::ReadError;
use crate::record::{Record, RecordError};

/// What a record says of the device whose registration ID it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Step<'a> {
    pub(crate) rid: &'a str,
    pub(crate) kind: Kind,
    /// The intent that an outcome refers to.
    pub(crate) intent: Seq,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// `inject.intent`.
    Intent,
    /// An outcome: it holds the new set.
    New,
    /// An outcome: it holds what it held before.
    Old,
    /// An outcome: not known what it holds.
    Unknown,
    /// `inject.refuse`.
    Refused,
}

impl Kind {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Intent => "intent",
            Self::New => "new",
            Self::Old => "old",
            Self::Unknown => "unknown",
            Self::Refused => "refused",
        }
    }
}

impl<'a> Step<'a> {
    /// `None`: the record names no device.
    pub(crate) fn of(record: &Record<'a>) -> Result<Option<Self>, RecordError> {
        let event = record.event();
        if !event.starts_with("inject.") {
            return Ok(None);
        }
        let rid = record.raw_text("rid").ok_or(RecordError::Field("rid"))?;
        let kind = match event {
            "inject.intent" => Kind::Intent,
            "inject.result" | "inject.resolve" => match record.raw_text("holds") {
                Some("new") => Kind::New,
                Some("old") => Kind::Old,
                Some("unknown") => Kind::Unknown,
                _ => return Err(RecordError::Field("holds")),
            },
            "inject.refuse" => Kind::Refused,
            _ => return Ok(None),
        };
        let intent = match kind {
            Kind::New | Kind::Old | Kind::Unknown => {
                record.integer("ref").and_then(|r| u64::try_from(r).ok()).ok_or(RecordError::Field("ref"))?
            }
            Kind::Intent | Kind::Refused => record.seq(),
        };
        // A refusal may come before the device could say who it is.
        Ok((!rid.is_empty()).then_some(Self { rid, kind, intent }))
    }
}

/// Whether `intent` is an intent of `rid`.
pub(crate) fn is_intent(conn: &Connection, rid: &str, intent: Seq) -> Result<bool, rusqlite::Error> {
    conn.prepare_cached("SELECT 1 FROM device_record WHERE rid = ?1 AND seq = ?2 AND kind = 'intent'")?
        .exists((rid, intent.cast_signed()))
}

/// Adds a record to all tables. `step` is its [`Step::of`].
pub(crate) fn apply(
    conn: &Connection,
    record: &Record<'_>,
    step: Option<&Step<'_>>,
) -> Result<(), rusqlite::Error> {
    count(conn, record)?;
    step.map_or(Ok(()), |step| apply_step(conn, record.seq(), step))
}

/// Empties the tables and makes them anew from the records. Belongs into a transaction.
pub(crate) fn rebuild(conn: &Connection) -> Result<(), ReadError> {
    conn.execute_batch("DELETE FROM device_record; DELETE FROM open_intent; DELETE FROM tally;")?;
    let mut statement = conn.prepare("SELECT seq, body FROM log ORDER BY seq")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let seq = row.get::<_, i64>(0)?.cast_unsigned();
        let body = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
        let read = Record::parse(body).and_then(|record| Ok((Step::of(&record)?, record)));
        let (step, record) = read.map_err(|why| ReadError::NotARecord { seq, why })?;
        apply(conn, &record, step.as_ref())?;
    }
    Ok(())
}

/// Counts a record.
fn count(conn: &Connection, record: &Record<'_>) -> Result<(), rusqlite::Error> {
    conn.prepare_cached(
        "INSERT INTO tally (ev, rc, records) VALUES (?1, ?2, 1)
         ON CONFLICT (ev, rc) DO UPDATE SET records = records + 1",
    )?
    .execute((record.event(), record.rc()))?;
    Ok(())
}

/// Adds what `step` says to the tables.
fn apply_step(conn: &Connection, seq: Seq, step: &Step<'_>) -> Result<(), rusqlite::Error> {
    let Step { rid, kind, intent } = *step;
    conn.prepare_cached("INSERT INTO device_record (rid, seq, kind) VALUES (?1, ?2, ?3)")?.execute((
        rid,
        seq.cast_signed(),
        kind.as_str(),
    ))?;
    let change = match kind {
        Kind::Intent | Kind::Unknown => "INSERT OR IGNORE INTO open_intent (rid, seq) VALUES (?1, ?2)",
        Kind::Old => "DELETE FROM open_intent WHERE rid = ?1 AND seq = ?2",
        Kind::New => "DELETE FROM open_intent WHERE rid = ?1 AND seq <= ?2",
        Kind::Refused => return Ok(()),
    };
    conn.prepare_cached(change)?.execute((rid, intent.cast_signed()))?;
    Ok(())
}

/// What the log knows of a registration ID.
///
/// An intent is open until an outcome that refers to it says what the device holds; an outcome that does not know keeps
/// it open, or opens it again. A device that proved the set of a later intent has nothing left of an earlier one, so
/// that closes the earlier ones too: repair may overwrite a device while an intent is open, and two slots may meet the
/// same registration ID. Of several that are open the newest is told.
pub(crate) fn standing(conn: &Connection, id: &RegistrationId) -> Result<Standing, ReadError> {
    let (attempts, keyed) = conn
        .prepare_cached(
            "SELECT count(*) FILTER (WHERE kind = 'intent'), max(seq) FILTER (WHERE kind = 'new')
             FROM device_record WHERE rid = ?1",
        )?
        .query_row([id.as_str()], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Option<i64>>(1)?)))?;
    let open: Option<i64> = conn
        .prepare_cached("SELECT seq FROM open_intent WHERE rid = ?1 ORDER BY seq DESC LIMIT 1")?
        .query_row([id.as_str()], |row| row.get(0))
        .optional()?;
    let open = open
        .map(i64::cast_unsigned)
        .map(|seq| Ok::<_, ReadError>(OpenIntent { seq, fingerprint: fingerprint(conn, seq)? }));
    Ok(Standing {
        open: open.transpose()?,
        keyed: keyed.map(i64::cast_unsigned),
        attempts: attempts.cast_unsigned(),
    })
}

/// The fingerprint of the key that `intent` was to write.
pub(crate) fn fingerprint(conn: &Connection, intent: Seq) -> Result<Fingerprint, ReadError> {
    with_record(conn, intent, |record| {
        let text = record.text("dkfp").unwrap_or_default();
        text.parse().map_err(|_| RecordError::Field("dkfp"))
    })
}

/// Reads one record.
pub(crate) fn with_record<T>(
    conn: &Connection,
    seq: Seq,
    take: impl FnOnce(&Record<'_>) -> Result<T, RecordError>,
) -> Result<T, ReadError> {
    let body: Vec<u8> = conn
        .prepare_cached("SELECT body FROM log WHERE seq = ?1")?
        .query_row([seq.cast_signed()], |row| row.get(0))?;
    Record::parse(&body).and_then(|record| take(&record)).map_err(|why| ReadError::NotARecord { seq, why })
}
