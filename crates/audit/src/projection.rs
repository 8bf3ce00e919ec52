//! Tables that are made from the records, to find them by. All of them can be dropped and made anew.

use std::borrow::Cow;

use keystation_core::record::Seq;
use rusqlite::{Connection, OptionalExtension};

use crate::account::AccountStep;
use crate::batch::{self, BatchStep};
use crate::cleanup::CleanupStep;
use crate::component::Component;
use crate::group_key::KeyStep;
use crate::reader::ReadError;
use crate::record::{Record, RecordError};
use crate::retired::{self, DeviceStep};
use crate::work_order::{self, OrderStep};

/// What a record adds to the tables, beside being counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step<'a> {
    /// `inject.intent`, `inject.refuse`: a device was on a port.
    Sighting(Sighting<'a>),
    /// `inject.result`, `inject.resolve`: what came of an intent.
    Outcome(Outcome<'a>),
    /// `check.result` of a device that said who it is.
    Checked {
        rid: Cow<'a, str>,
        seq: Seq,
    },
    Account(AccountStep),
    Key(KeyStep),
    Component(Component),
    Order(OrderStep),
    Device(DeviceStep),
    Cleanup(CleanupStep),
    Batch(BatchStep),
}

/// A row of `sighting`, as the record alone tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sighting<'a> {
    pub(crate) seq: Seq,
    pub(crate) t: i64,
    pub(crate) mono: u64,
    pub(crate) rid: Cow<'a, str>,
    pub(crate) mac: Cow<'a, str>,
    pub(crate) sn: Cow<'a, str>,
    pub(crate) job: Cow<'a, str>,
    pub(crate) op: Cow<'a, str>,
    pub(crate) gk: Cow<'a, str>,
    pub(crate) port: Cow<'a, str>,
    pub(crate) mode: Mode,
    pub(crate) code: Cow<'a, str>,
    /// Fingerprint of the key that was to be written; empty of a refusal.
    pub(crate) dkfp: Cow<'a, str>,
    /// Row of the list of its batch; −1 where there is none.
    pub(crate) place: i64,
    /// Not the first intent of its device, as it says itself. No column.
    pub(crate) again: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    New,
    Rekey,
    Refused,
}

/// A row of `outcome`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Outcome<'a> {
    pub(crate) rid: Cow<'a, str>,
    pub(crate) intent: Seq,
    pub(crate) seq: Seq,
    pub(crate) holds: Holds,
    pub(crate) rc: &'a str,
    pub(crate) code: Cow<'a, str>,
    pub(crate) vmode: Cow<'a, str>,
    pub(crate) mono: u64,
    pub(crate) later: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Holds {
    New,
    Old,
    Unknown,
}

impl Mode {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Rekey => "rekey",
            Self::Refused => "refused",
        }
    }

    /// The `rc` of a sighting that has no outcome.
    pub(crate) const fn rc(self) -> &'static str {
        match self {
            Self::New | Self::Rekey => "open",
            Self::Refused => "refused",
        }
    }
}

impl Holds {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Old => "old",
            Self::Unknown => "unknown",
        }
    }
}

impl<'a> Step<'a> {
    /// `None`: the record is in no table but the count.
    pub(crate) fn of(record: &Record<'a>) -> Result<Option<Self>, RecordError> {
        let text = |key| record.text(key).unwrap_or_default();
        let needed = |key| record.text(key).ok_or(RecordError::Field(key));
        match record.event() {
            event @ ("inject.intent" | "inject.refuse") => {
                let mode = match (event, record.raw_text("mode")) {
                    ("inject.refuse", _) => Mode::Refused,
                    (_, Some("new")) => Mode::New,
                    (_, Some("rekey")) => Mode::Rekey,
                    _ => return Err(RecordError::Field("mode")),
                };
                Ok(Some(Self::Sighting(Sighting {
                    seq: record.seq(),
                    t: record.utc_ms(),
                    mono: record.mono(),
                    rid: needed("rid")?,
                    mac: text("mac"),
                    sn: text("sn"),
                    job: text("job"),
                    op: record.operator(),
                    gk: text("gk"),
                    port: text("port"),
                    mode,
                    code: text("code"),
                    dkfp: text("dkfp"),
                    place: record.integer("row").filter(|row| *row >= 0).unwrap_or(-1),
                    again: record.integer("try").is_some_and(|attempt| attempt != 1),
                })))
            }
            event @ ("inject.result" | "inject.resolve") => {
                let holds = match record.raw_text("holds") {
                    Some("new") => Holds::New,
                    Some("old") => Holds::Old,
                    Some("unknown") => Holds::Unknown,
                    _ => return Err(RecordError::Field("holds")),
                };
                let intent = record.integer("ref").and_then(|r| u64::try_from(r).ok());
                Ok(Some(Self::Outcome(Outcome {
                    rid: needed("rid")?,
                    intent: intent.ok_or(RecordError::Field("ref"))?,
                    seq: record.seq(),
                    holds,
                    rc: record.rc(),
                    code: text("code"),
                    vmode: text("vmode"),
                    mono: record.mono(),
                    later: event == "inject.resolve",
                })))
            }
            "check.result" => {
                let rid = needed("rid")?;
                Ok((!rid.is_empty()).then(|| Self::Checked { rid, seq: record.seq() }))
            }
            "gk.component" | "carry.component" => Ok(Component::of(record)?.map(Self::Component)),
            "carry.device" => Ok(DeviceStep::of(record)?.map(Self::Device)),
            "carry.account" => AccountStep::carried(record).map(|step| Some(Self::Account(step))),
            event if event.starts_with("gk.") || event == "carry.key" => {
                Ok(KeyStep::of(record)?.map(Self::Key))
            }
            event if event.starts_with("order.") => Ok(OrderStep::of(record)?.map(Self::Order)),
            event if event.starts_with("device.") => Ok(DeviceStep::of(record)?.map(Self::Device)),
            event if event.starts_with("cleanup.") => Ok(CleanupStep::of(record)?.map(Self::Cleanup)),
            event if event.starts_with("rekey.") => Ok(BatchStep::of(record)?.map(Self::Batch)),
            event if event.starts_with("user.") || event.starts_with("auth.") => {
                Ok(AccountStep::of(record)?.map(Self::Account))
            }
            _ => Ok(None),
        }
    }
}

/// Adds a record to all tables. `step` is its [`Step::of`].
pub(crate) fn apply(
    conn: &Connection,
    record: &Record<'_>,
    step: Option<&Step<'_>>,
) -> Result<(), rusqlite::Error> {
    count(conn, record)?;
    match step {
        Some(Step::Sighting(sighting)) => add_sighting(conn, sighting),
        Some(Step::Outcome(outcome)) => add_outcome(conn, outcome),
        Some(Step::Checked { rid, seq }) => {
            let mut statement = conn.prepare_cached("INSERT INTO checked (rid, seq) VALUES (?1, ?2)")?;
            statement.execute((rid, seq.cast_signed())).map(drop)
        }
        Some(Step::Account(step)) => step.apply(conn),
        Some(Step::Key(step)) => step.apply(conn),
        Some(Step::Component(component)) => component.store(conn),
        Some(Step::Order(step)) => step.apply(conn),
        Some(Step::Device(step)) => step.apply(conn),
        Some(Step::Cleanup(step)) => step.apply(conn),
        Some(Step::Batch(step)) => step.apply(conn),
        None => Ok(()),
    }
}

/// Empties the tables and makes them anew from the records. Belongs into a transaction.
pub(crate) fn rebuild(conn: &Connection) -> Result<(), ReadError> {
    conn.execute_batch(
        "DELETE FROM sighting; DELETE FROM outcome; DELETE FROM open_intent; DELETE FROM tally; DELETE FROM checked;
         DELETE FROM account; DELETE FROM group_key; DELETE FROM component; DELETE FROM work_order; DELETE FROM scrap;
         DELETE FROM retired; DELETE FROM cleanup; DELETE FROM batch;",
    )?;
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

fn count(conn: &Connection, record: &Record<'_>) -> Result<(), rusqlite::Error> {
    conn.prepare_cached(
        "INSERT INTO tally (ev, rc, records, last) VALUES (?1, ?2, 1, ?3)
         ON CONFLICT (ev, rc) DO UPDATE SET records = records + 1, last = excluded.last",
    )?
    .execute((record.event(), record.rc(), record.seq().cast_signed()))?;
    Ok(())
}

fn add_sighting(conn: &Connection, sighting: &Sighting<'_>) -> Result<(), rusqlite::Error> {
    let Sighting { seq, t, mono, rid, mac, sn, job, op, gk, port, mode, code, dkfp, place, again: _ } =
        sighting;
    work_order::count_begun(conn, sighting)?;
    batch::count_begun(conn, sighting)?;
    conn.prepare_cached(
        "INSERT INTO sighting (seq, t, mono, rid, mac, sn, job, op, gk, port, mode, code, rc, dkfp, live, place)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, 0, ?15)",
    )?
    .execute((
        seq.cast_signed(),
        t,
        mono.cast_signed(),
        rid,
        mac,
        sn,
        job,
        op,
        gk,
        port,
        mode.as_str(),
        code,
        mode.rc(),
        dkfp,
        place,
    ))?;
    if *mode != Mode::Refused {
        open(conn, rid, *seq)?;
    }
    Ok(())
}

fn add_outcome(conn: &Connection, outcome: &Outcome<'_>) -> Result<(), rusqlite::Error> {
    let Outcome { rid, intent, seq, holds, rc, code, vmode, mono, later } = outcome;
    if *holds == Holds::New {
        work_order::count_passed(conn, outcome)?;
    }
    conn.prepare_cached(
        "INSERT INTO outcome (intent, seq, holds, rc, code, vmode, mono, later)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute((
        intent.cast_signed(),
        seq.cast_signed(),
        holds.as_str(),
        rc,
        code,
        vmode,
        mono.cast_signed(),
        later,
    ))?;
    if *holds == Holds::New {
        // Another set of this device was the last one, if it had one.
        conn.prepare_cached(
            "UPDATE sighting SET live = 0
             WHERE rid = (SELECT rid FROM sighting WHERE seq = ?1) AND live = 1 AND seq <> ?1",
        )?
        .execute([intent.cast_signed()])?;
        conn.prepare_cached("UPDATE sighting SET rc = ?2, live = 1 WHERE seq = ?1")?
            .execute((intent.cast_signed(), rc))?;
    } else {
        conn.prepare_cached("UPDATE sighting SET rc = ?2 WHERE seq = ?1")?
            .execute((intent.cast_signed(), rc))?;
    }
    let closes = match holds {
        Holds::Unknown => return open(conn, rid, *intent),
        Holds::Old => "DELETE FROM open_intent WHERE rid = ?1 AND seq = ?2",
        Holds::New => "DELETE FROM open_intent WHERE rid = ?1 AND seq <= ?2",
    };
    conn.prepare_cached(closes)?.execute((rid, intent.cast_signed()))?;
    Ok(())
}

fn open(conn: &Connection, rid: &str, intent: Seq) -> Result<(), rusqlite::Error> {
    conn.prepare_cached("INSERT OR IGNORE INTO open_intent (rid, seq) VALUES (?1, ?2)")?
        .execute((rid, intent.cast_signed()))?;
    Ok(())
}

/// Whether `intent` is an intent of `rid`.
pub(crate) fn is_intent(conn: &Connection, rid: &str, intent: Seq) -> Result<bool, rusqlite::Error> {
    conn.prepare_cached("SELECT 1 FROM sighting WHERE seq = ?2 AND rid = ?1 AND mode <> 'refused'")?
        .exists((rid, intent.cast_signed()))
}

/// Whether it is not known what became of an intent.
pub(crate) fn is_open(conn: &Connection, rid: &str, intent: Seq) -> Result<bool, rusqlite::Error> {
    conn.prepare_cached("SELECT 1 FROM open_intent WHERE rid = ?1 AND seq = ?2")?
        .exists((rid, intent.cast_signed()))
}

/// Records of an event with an outcome, and the newest of them.
pub(crate) fn tally(conn: &Connection, event: &str, rc: &str) -> Result<(u64, Option<Seq>), rusqlite::Error> {
    let row: Option<(i64, i64)> = conn
        .prepare_cached("SELECT records, last FROM tally WHERE ev = ?1 AND rc = ?2")?
        .query_row((event, rc), |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    Ok(row.map_or((0, None), |(records, last)| (records.cast_unsigned(), Some(last.cast_unsigned()))))
}

/// What the tables know of a registration ID.
///
/// An intent is open until an outcome that refers to it says what the device holds; an outcome that does not know keeps
/// it open, or opens it again. A device that proved the set of a later intent has nothing left of an earlier one, so
/// that closes the earlier ones too: repair may overwrite a device while an intent is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// The newest intent that is open.
    pub(crate) open: Option<Seq>,
    /// The last record by which it was keyed.
    pub(crate) keyed: Option<Seq>,
    /// Intents so far.
    pub(crate) attempts: u64,
    /// The record by which it takes the place of another board.
    pub(crate) replaces: Option<Seq>,
}

impl Place {
    pub(crate) fn of(conn: &Connection, rid: &str) -> Result<Self, rusqlite::Error> {
        let attempts: i64 = conn
            .prepare_cached("SELECT count(*) FROM sighting WHERE rid = ?1 AND mode <> 'refused'")?
            .query_row([rid], |row| row.get(0))?;
        let replaces = retired::replaces(conn, rid, None)?;
        // What was written before was written to the board whose place it takes.
        let keyed: Option<i64> = conn
            .prepare_cached(
                "SELECT max(outcome.seq) FROM sighting CROSS JOIN outcome ON outcome.intent = sighting.seq
                 WHERE sighting.rid = ?1 AND outcome.holds = 'new' AND sighting.seq > ?2",
            )?
            .query_row((rid, replaces.map_or(-1, Seq::cast_signed)), |row| row.get(0))?;
        let open: Option<i64> = conn
            .prepare_cached("SELECT seq FROM open_intent WHERE rid = ?1 ORDER BY seq DESC LIMIT 1")?
            .query_row([rid], |row| row.get(0))
            .optional()?;
        Ok(Self {
            open: open.map(i64::cast_unsigned),
            keyed: keyed.map(i64::cast_unsigned),
            attempts: attempts.cast_unsigned(),
            replaces,
        })
    }
}
