//! Identities that have to be blocked in the cloud: the lists that were made of them, and which were done.

use keystation_core::flow::Retirement;
use keystation_core::identity::Identity;
use keystation_core::key::{Endpoint, EnrollmentGroup, IdScope, KeyLabel};
use keystation_core::record::{CloudState, Seq};
use keystation_core::registration::RegistrationId;
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension};

use crate::account::{natural, number};
use crate::group_key::field;
use crate::known::registration_id;
use crate::reader::{ReadError, Reader};
use crate::record::{Record, RecordError};
use crate::retired::{self, Lists};
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

/// Whether what the record `out` took out was blocked in the cloud, and the record that says so.
pub(crate) fn state_of(conn: &Connection, out: Seq) -> Result<(CloudState, Option<Seq>), rusqlite::Error> {
    let made = "SELECT upto, seq FROM cleanup WHERE done = 0 ORDER BY upto DESC, seq DESC LIMIT 1";
    let made =
        conn.prepare_cached(made)?.query_row([], |row| Ok((number(row, 0)?, number(row, 1)?))).optional()?;
    let done = done(conn)?;
    let lists = Lists { made: made.map(|(to, _)| to), done: done.map(|(to, _)| to) };
    // The log before, where a new epoch took it over from there.
    let body: Vec<u8> = conn
        .prepare_cached("SELECT body FROM log WHERE seq = ?1")?
        .query_row([out.cast_signed()], |row| row.get(0))?;
    let before = Record::parse(&body).and_then(|record| match record.event() {
        "carry.device" => retired::carried_cloud(&record),
        _ => Ok(CloudState::Unlisted),
    });
    let before = before.map_err(|e| rusqlite::Error::FromSqlConversionFailure(0, Type::Blob, Box::new(e)))?;
    let state = lists.state_of(out);
    Ok(if before > state {
        (before, Some(out))
    } else {
        let by = match state {
            CloudState::Unlisted => None,
            CloudState::Listed => made,
            CloudState::Done => done,
        };
        (state, by.map(|(_, record)| record))
    })
}

/// Under what a device was keyed, or was to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parent {
    /// Label of the group key.
    pub key: KeyLabel,
    /// Its enrollment group.
    pub group: EnrollmentGroup,
    /// Its ID scope.
    pub scope: IdScope,
    /// The endpoint that it was told.
    pub endpoint: Endpoint,
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
    /// Each ID scope and endpoint for which it was begun in its life, the newest first.
    pub parents: Vec<Parent>,
    /// Whether the log of another epoch, or another station, knows for which: it was taken out there, or this one never began it.
    pub elsewhere: bool,
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

    /// Whether the cloud may have blocked what the record of a scrap took out. What a list that was done names is not put back at all.
    /// The record that says so: of the list which names it, or by which a new epoch took it over from a log that made one.
    pub fn blocked_in_cloud(&self, scrap: Seq) -> Result<Option<Seq>, ReadError> {
        Ok(state_of(&self.conn, scrap)?.1)
    }

    /// What of a list (its hash, as [`Self::cleanup_list`] has it) was put back since it was made: whoever does what the list says
    /// blocks these, too.
    pub fn put_back_since(&self, sha256: &str) -> Result<Vec<RegistrationId>, ReadError> {
        let made = "SELECT upto FROM cleanup WHERE done = 0 AND sha256 = ?1 ORDER BY seq LIMIT 1";
        let made =
            self.conn.prepare_cached(made)?.query_row([sha256], |row| row.get::<_, i64>(0)).optional()?;
        // Up to which record it was made, which is before its own: what was put back in between is on it, too.
        let Some(to) = made else { return Ok(Vec::new()) };
        let mut statement = self.conn.prepare_cached(
            "SELECT DISTINCT rid FROM retired WHERE rid <> '' AND seq <= ?1 AND restored > ?1 ORDER BY seq",
        )?;
        let mut rows = statement.query([to])?;
        let mut ids = Vec::new();
        while let Some(row) = rows.next()? {
            let rid = row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?;
            // It may be out again.
            if retired::of_id(&self.conn, rid)?.is_none() {
                ids.push(registration_id(rid)?);
            }
        }
        Ok(ids)
    }

    /// The list with this hash (SHA-256 of the CSV file, hexadecimal): the last record that it was made of and how many devices it
    /// names. None: no record says that it was made.
    pub fn cleanup_list(&self, sha256: &str) -> Result<Option<(Seq, u64)>, ReadError> {
        Ok(listed(&self.conn, sha256)?)
    }
}

fn blocked(conn: &Connection, rid: &str, retirement: Retirement) -> Result<Blocked, ReadError> {
    let id = registration_id(rid)?;
    let parents = parents(conn, rid)?;
    let elsewhere = parents.is_empty() || carried(conn, rid)?;
    with_record(conn, retirement.record, |record| {
        let text = |key| record.text(key).unwrap_or_default();
        Ok(Blocked {
            id,
            retirement,
            time: record.time().to_owned(),
            reason: text("reason").into_owned(),
            identity: Identity { mac: text("mac").parse().ok(), serial: text("sn").parse().ok() },
            successor: text("new_rid").into_owned(),
            parents,
            elsewhere,
        })
    })
}

/// For which ID scopes and endpoints a registration ID was begun, the newest first. Whatever came of a write, its key had left the
/// station.
fn parents(conn: &Connection, rid: &str) -> Result<Vec<Parent>, ReadError> {
    let mut statement = conn.prepare_cached(
        "SELECT seq FROM sighting INDEXED BY sighting_rid WHERE rid = ?1 AND mode <> 'refused' ORDER BY seq DESC",
    )?;
    let mut rows = statement.query([rid])?;
    let mut parents: Vec<Parent> = Vec::new();
    while let Some(row) = rows.next()? {
        let parent = with_record(conn, number(row, 0)?, |intent| {
            Ok(Parent {
                key: field(intent, "gk")?,
                group: field(intent, "group")?,
                scope: field(intent, "scope")?,
                endpoint: field(intent, "endpoint")?,
            })
        })?;
        if !parents.iter().any(|known| (&known.scope, &known.endpoint) == (&parent.scope, &parent.endpoint)) {
            parents.push(parent);
        }
    }
    Ok(parents)
}

/// Whether an epoch before this one had taken the registration ID out.
fn carried(conn: &Connection, rid: &str) -> Result<bool, ReadError> {
    let mut statement =
        conn.prepare_cached("SELECT seq FROM retired INDEXED BY retired_rid WHERE rid = ?1 AND rid <> ''")?;
    let mut rows = statement.query([rid])?;
    while let Some(row) = rows.next()? {
        if with_record(conn, number(row, 0)?, |record| Ok(record.event() == "carry.device"))? {
            return Ok(true);
        }
    }
    Ok(false)
}
