//! Identities that have to be blocked in the cloud: the lists that were made of them, and which were done.

use keystation_core::flow::Retirement;
use keystation_core::identity::Identity;
use keystation_core::key::{EnrollmentGroup, IdScope, KeyLabel};
use keystation_core::record::Seq;
use keystation_core::registration::{IdRule, RegistrationId};
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension};

use crate::account::{natural, number};
use crate::group_key::field;
use crate::reader::{ReadError, Reader};
use crate::record::{Record, RecordError};
use crate::retired;
use crate::standing::with_record;

/// A row of `cleanup`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct CleanupStep {
    pub(crate) seq: Seq,
    pub(crate) done: bool,
    pub(crate) sha256: String,
    pub(crate) devices: u64,
    pub(crate) to: Seq,
}

impl CleanupStep {
    /// `None`: the record is of a later program.
    pub(crate) fn of(record: &Record<'_>) -> Result<Option<Self>, RecordError> {
        let done = match record.event() {
            "cleanup.list" => false,
            "cleanup.done" => true,
            _ => return Ok(None),
        };
        let sha256 = record.text("sha256").ok_or(RecordError::Field("sha256"))?.into_owned();
        let (devices, to) = (natural(record, "devices")?, natural(record, "to")?);
        Ok(Some(Self { seq: record.seq(), done, sha256, devices, to }))
    }

    pub(crate) fn apply(&self, conn: &Connection) -> Result<(), rusqlite::Error> {
        let Self { seq, done, sha256, devices, to } = self;
        conn.prepare_cached(
            "INSERT INTO cleanup (seq, done, sha256, devices, upto) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute((seq.cast_signed(), done, sha256, devices.cast_signed(), to.cast_signed()))
        .map(drop)
    }
}

/// The last record that a list which was done holds, and the record that it was done.
pub(crate) fn done(conn: &Connection) -> Result<Option<(Seq, Seq)>, rusqlite::Error> {
    conn.prepare_cached("SELECT upto, seq FROM cleanup WHERE done = 1 ORDER BY upto DESC, seq LIMIT 1")?
        .query_row([], |row| Ok((number(row, 0)?, number(row, 1)?)))
        .optional()
}

/// The last record and the number of devices of the list with this hash, if one was made.
pub(crate) fn listed(conn: &Connection, sha256: &str) -> Result<Option<(Seq, u64)>, rusqlite::Error> {
    conn.prepare_cached(
        "SELECT upto, devices FROM cleanup WHERE done = 0 AND sha256 = ?1 ORDER BY seq DESC LIMIT 1",
    )?
    .query_row([sha256], |row| Ok((number(row, 0)?, number(row, 1)?)))
    .optional()
}

/// An identity that must not register any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocked {
    /// Its registration ID.
    pub id: RegistrationId,
    /// How it was taken out, and by which record.
    pub retirement: Retirement,
    /// When, UTC, as records have it.
    pub time: String,
    /// Why, in one word; of a scrap under a work order what was said.
    pub reason: String,
    /// What it is known by.
    pub identity: Identity,
    /// The registration ID that took its place, or empty.
    pub successor: String,
    /// The key of its newest intent, with enrollment group and ID scope. None of a device that this log never began.
    pub parent: Option<(KeyLabel, EnrollmentGroup, IdScope)>,
}

/// What has to be blocked, of a log up to one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToBlock {
    /// In the order of the records by which they were taken out.
    pub devices: Vec<Blocked>,
    /// The last record that it was made of.
    pub to: Seq,
}

impl Reader {
    /// Every identity that is out, but for those of lists that were done; with `all` those, too.
    pub fn to_block(&self, all: bool) -> Result<ToBlock, ReadError> {
        let moment = self.conn.unchecked_transaction()?;
        let since = if all { None } else { done(&moment)?.map(|(to, _)| to) };
        let mut statement = moment.prepare_cached(
            "SELECT rid, max(seq) FROM retired INDEXED BY retired_rid
             WHERE rid <> '' AND restored IS NULL GROUP BY rid HAVING max(seq) > ?1 ORDER BY max(seq)",
        )?;
        let mut rows = statement.query([since.map_or(-1, Seq::cast_signed)])?;
        let mut devices = Vec::new();
        while let Some(row) = rows.next()? {
            let rid = row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?;
            // Where the board that took its place has the same one, it is in use.
            if let Some(retirement) = retired::of_id(&moment, rid)? {
                devices.push(blocked(&moment, rid, retirement)?);
            }
        }
        Ok(ToBlock { devices, to: crate::state::size(&moment)?.saturating_sub(1) })
    }

    /// How this registration ID was taken out, if it was.
    pub fn retired(&self, id: &RegistrationId) -> Result<Option<Retirement>, ReadError> {
        Ok(retired::of_id(&self.conn, id.as_str())?)
    }

    /// The list with this hash (SHA-256 of the CSV file, hexadecimal): the last record that it was made of and how many devices it
    /// names. None: no record says that it was made.
    pub fn cleanup_list(&self, sha256: &str) -> Result<Option<(Seq, u64)>, ReadError> {
        Ok(listed(&self.conn, sha256)?)
    }
}

fn blocked(conn: &Connection, rid: &str, retirement: Retirement) -> Result<Blocked, ReadError> {
    let id = RegistrationId::new(rid, IdRule::Punctuation)
        .map_err(|e| rusqlite::Error::FromSqlConversionFailure(0, Type::Text, Box::new(e)))?;
    let newest = "SELECT max(seq) FROM sighting INDEXED BY sighting_rid WHERE rid = ?1 AND mode <> 'refused'";
    let newest: Option<i64> = conn.prepare_cached(newest)?.query_row([rid], |row| row.get(0))?;
    let parent = newest
        .map(|seq| {
            with_record(conn, seq.cast_unsigned(), |intent| {
                Ok((field(intent, "gk")?, field(intent, "group")?, field(intent, "scope")?))
            })
        })
        .transpose()?;
    with_record(conn, retirement.record, |record| {
        let text = |key| record.text(key).unwrap_or_default();
        Ok(Blocked {
            id,
            retirement,
            time: record.time().to_owned(),
            reason: text("reason").into_owned(),
            identity: Identity { mac: text("mac").parse().ok(), serial: text("sn").parse().ok() },
            successor: text("new_rid").into_owned(),
            parent,
        })
    })
}
