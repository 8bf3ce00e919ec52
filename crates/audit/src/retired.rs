//! What the log says of devices that were taken out: the table `retired`. A row is in force until the scrap that it is of was taken back.

use keystation_core::flow::{Retired, Retirement};
use keystation_core::identity::{Identity, Mac};
use keystation_core::record::{Carried, Cleanup, CloudState, DeviceEvent, Seq};
use keystation_core::registration::RegistrationId;
use rusqlite::{Connection, OptionalExtension, Row};

use crate::account::{natural, number};
use crate::device_rules::{DeviceRefusal, judge_board, judge_cleanup, judge_device};
use crate::reader::{ReadError, Reader};
use crate::record::{Record, RecordError};

/// What a record does to devices that are out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DeviceStep {
    /// One more is.
    Out(Box<Out>),
    /// The scrap of record `of` was none.
    Restored { of: Seq, seq: Seq },
}

/// A row of `retired`, as the record alone tells it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Out {
    pub(crate) seq: Seq,
    pub(crate) how: How,
    /// Empty of what was never begun.
    pub(crate) rid: String,
    pub(crate) mac: String,
    pub(crate) sn: String,
    /// The board that takes its place; empty where none does.
    pub(crate) new_rid: String,
    pub(crate) new_mac: String,
    /// What the log before says of its identity in the cloud. No column.
    pub(crate) cloud: CloudState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum How {
    Scrap,
    Revoke,
    Replace,
}

impl How {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Scrap => "scrap",
            Self::Revoke => "revoke",
            Self::Replace => "replace",
        }
    }
}

impl DeviceStep {
    /// `None`: the record is of a later program.
    pub(crate) fn of(record: &Record<'_>) -> Result<Option<Self>, RecordError> {
        let text = |key| record.text(key).map(std::borrow::Cow::into_owned).ok_or(RecordError::Field(key));
        let how = match record.event() {
            "device.scrap" => How::Scrap,
            "device.revoke" => How::Revoke,
            "device.replace" => How::Replace,
            "carry.device" => match record.raw_text("how") {
                Some("scrap") => How::Scrap,
                Some("revoke") => How::Revoke,
                Some("replace") => How::Replace,
                _ => return Err(RecordError::Field("how")),
            },
            "device.restore" => {
                return Ok(Some(Self::Restored { of: natural(record, "ref")?, seq: record.seq() }));
            }
            _ => return Ok(None),
        };
        let (new_rid, new_mac) = match how {
            How::Replace => (text("new_rid")?, text("new_mac")?),
            How::Scrap | How::Revoke => (String::new(), String::new()),
        };
        let (rid, mac, sn) = (text("rid")?, text("mac")?, text("sn")?);
        // What an epoch takes over may be scrap that was never begun.
        let carried = record.event() == "carry.device";
        let mut cloud = CloudState::Unlisted;
        if carried {
            natural::<Seq>(record, "was")?;
            cloud = carried_cloud(record)?;
        }
        let nobody = rid.is_empty() && (!carried || how != How::Scrap || mac.is_empty() && sn.is_empty());
        if nobody || how == How::Replace && new_rid.is_empty() {
            return Err(RecordError::Field("rid"));
        }
        Ok(Some(Self::Out(Box::new(Out { seq: record.seq(), how, rid, mac, sn, new_rid, new_mac, cloud }))))
    }

    pub(crate) fn apply(&self, conn: &Connection) -> Result<(), rusqlite::Error> {
        match self {
            Self::Out(out) => out.store(conn),
            Self::Restored { of, seq } => conn
                .prepare_cached(
                    "UPDATE retired SET restored = ?2 WHERE seq = ?1 AND how = 'scrap' AND restored IS NULL",
                )?
                .execute((of.cast_signed(), seq.cast_signed()))
                .map(drop),
        }
    }
}

impl Out {
    /// What the next epoch takes over of it, after lists that go so far.
    pub(crate) fn carry(&self, lists: Lists) -> Carried {
        let Self { seq, how, rid, mac, sn, new_rid, new_mac, cloud } = self.clone();
        let (id, serial, new_id) = (rid, sn, new_rid);
        let cloud = cloud.max(lists.state_of(seq));
        Carried::Device { how: how.as_str(), id, mac, serial, new_id, new_mac, cloud, was: seq }
    }

    /// Whether the board that takes its place has its registration ID: that is in use then.
    pub(crate) fn keeps_id(&self) -> bool {
        self.how == How::Replace && self.new_rid == self.rid
    }

    pub(crate) fn store(&self, conn: &Connection) -> Result<(), rusqlite::Error> {
        let Self { seq, how, rid, mac, sn, new_rid, new_mac, cloud: _ } = self;
        conn.prepare_cached(
            "INSERT INTO retired (seq, how, rid, mac, sn, new_rid, new_mac) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute((seq.cast_signed(), how.as_str(), rid, mac, sn, new_rid, new_mac))?;
        if self.keeps_id() {
            // Nobody will ever see what became of a write to a board that is destroyed.
            conn.prepare_cached("DELETE FROM open_intent WHERE rid = ?1 AND seq < ?2")?
                .execute((rid, seq.cast_signed()))?;
        }
        Ok(())
    }
}

/// How far lists for the cloud go, by the last record that each holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Lists {
    pub(crate) made: Option<Seq>,
    pub(crate) done: Option<Seq>,
}

impl Lists {
    /// What they say of what the record `out` took out.
    pub(crate) fn state_of(self, out: Seq) -> CloudState {
        if self.done.is_some_and(|to| out <= to) {
            CloudState::Done
        } else if self.made.is_some_and(|to| out <= to) {
            CloudState::Listed
        } else {
            CloudState::Unlisted
        }
    }
}

/// What a `carry.device` says of the cloud. An older program did not say: then a list may have it.
pub(crate) fn carried_cloud(record: &Record<'_>) -> Result<CloudState, RecordError> {
    if !record.own().any(|(key, _)| key == "cloud") {
        return Ok(CloudState::Listed);
    }
    record.raw_text("cloud").and_then(CloudState::named).ok_or(RecordError::Field("cloud"))
}

fn retirement(row: &Row<'_>) -> Result<Retirement, rusqlite::Error> {
    let what = match row.get_ref(1)?.as_str()? {
        "scrap" => Retired::Scrapped,
        "revoke" => Retired::Revoked,
        _ => Retired::Replaced,
    };
    Ok(Retirement { what, record: number(row, 0)? })
}

/// Whether a registration ID is out. The board that has it can be out all the same: [`of_device`].
pub(crate) fn of_id(conn: &Connection, rid: &str) -> Result<Option<Retirement>, rusqlite::Error> {
    let newest = conn
        .prepare_cached(
            "SELECT seq, how, new_rid = rid FROM retired INDEXED BY retired_rid
             WHERE rid = ?1 AND rid <> '' AND restored IS NULL ORDER BY seq DESC LIMIT 1",
        )?
        .query_row([rid], |row| Ok((retirement(row)?, row.get::<_, bool>(2)?)))
        .optional()?;
    Ok(newest.and_then(|(retirement, in_use)| (!in_use).then_some(retirement)))
}

/// The record by which the board with this MAC address (any, if `None`) takes the place of another under this registration ID.
pub(crate) fn replaces(
    conn: &Connection,
    rid: &str,
    mac: Option<&str>,
) -> Result<Option<Seq>, rusqlite::Error> {
    conn.prepare_cached(
        "SELECT max(seq) FROM retired INDEXED BY retired_new WHERE new_rid = ?1 AND new_rid <> '' AND (?2 IS NULL OR new_mac = ?2)",
    )?
    .query_row((rid, mac), |row| row.get::<_, Option<i64>>(0))
    .map(|seq| seq.map(i64::cast_unsigned))
}

/// The record by which another board took the place of the one with this MAC address, whatever its registration ID is.
pub(crate) fn exchanged(conn: &Connection, mac: Mac) -> Result<Option<Seq>, rusqlite::Error> {
    conn.prepare_cached(
        "SELECT max(seq) FROM retired INDEXED BY retired_mac WHERE mac = ?1 AND mac <> '' AND how = 'replace'",
    )?
    .query_row([mac.spelled("")], |row| row.get::<_, Option<i64>>(0))
    .map(|seq| seq.map(i64::cast_unsigned))
}

/// By what a device stays out, if the scrap of it is none: it was revoked, or exchanged.
pub(crate) fn beside_scrap(
    conn: &Connection,
    rid: &str,
    identity: &Identity,
) -> Result<Option<Retirement>, rusqlite::Error> {
    let mac = identity.mac.map_or(String::new(), |mac| mac.spelled(""));
    let since = replaces(conn, rid, Some(&mac))?.map_or(-1, Seq::cast_signed);
    conn.prepare_cached(
        "SELECT seq, how FROM (
             SELECT seq, how FROM retired INDEXED BY retired_rid
             WHERE rid = ?1 AND rid <> '' AND (how = 'revoke' OR how = 'replace' AND seq > ?3)
             UNION ALL SELECT seq, how FROM retired INDEXED BY retired_mac
             WHERE mac = ?2 AND mac <> '' AND how = 'replace')
         ORDER BY seq DESC LIMIT 1",
    )?
    .query_row((rid, mac, since), retirement)
    .optional()
}

/// Whether a device is out, by whatever it is known by. What was said of its registration ID or serial number before it took the place
/// of another board was said of that one; what was revoked stays so.
pub(crate) fn of_device(
    conn: &Connection,
    rid: &str,
    mac: &str,
    sn: &str,
) -> Result<Option<Retirement>, rusqlite::Error> {
    let since = replaces(conn, rid, Some(mac))?.map_or(-1, Seq::cast_signed);
    conn.prepare_cached(
        "SELECT seq, how FROM (
             SELECT seq, how FROM retired INDEXED BY retired_rid
             WHERE rid = ?1 AND rid <> '' AND restored IS NULL AND (how = 'revoke' OR seq > ?4)
             UNION ALL SELECT seq, how FROM retired INDEXED BY retired_mac
             WHERE mac = ?2 AND mac <> '' AND restored IS NULL AND how <> 'revoke'
             UNION ALL SELECT seq, how FROM retired INDEXED BY retired_sn
             WHERE sn = ?3 AND sn <> '' AND restored IS NULL AND how = 'scrap' AND seq > ?4)
         ORDER BY seq DESC LIMIT 1",
    )?
    .query_row((rid, mac, sn, since), retirement)
    .optional()
}

/// The same of what a device says of itself.
pub(crate) fn of_identity(
    conn: &Connection,
    rid: &str,
    identity: &Identity,
) -> Result<Option<Retirement>, rusqlite::Error> {
    let mac = identity.mac.map_or(String::new(), |mac| mac.spelled(""));
    let sn = identity.serial.as_ref().map_or("", |serial| serial.as_str());
    of_device(conn, rid, &mac, sn)
}

/// The same of the device of an intent.
pub(crate) fn of_intent(conn: &Connection, intent: Seq) -> Result<Option<Retirement>, rusqlite::Error> {
    let device = conn
        .prepare_cached("SELECT rid, mac, sn FROM sighting WHERE seq = ?1")?
        .query_row([intent.cast_signed()], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?))
        })
        .optional()?;
    device.map_or(Ok(None), |(rid, mac, sn)| of_device(conn, &rid, &mac, &sn))
}

impl Reader {
    /// How the device that has this registration ID and says this of itself was taken out, if it was.
    pub fn retired_device(
        &self,
        id: &RegistrationId,
        identity: &Identity,
    ) -> Result<Option<Retirement>, ReadError> {
        Ok(of_identity(&self.conn, id.as_str(), identity)?)
    }

    /// Whether this board is the one that has the registration ID now, if any has: what is done to a device is done to that one.
    pub fn may_act_on(
        &self,
        id: &RegistrationId,
        board: &Identity,
    ) -> Result<Result<(), DeviceRefusal>, ReadError> {
        Ok(judge_board(&self.conn, id, board)?)
    }

    /// Whether the log would take this record now: asked again in its transaction.
    pub fn may_take_out(&self, event: &DeviceEvent) -> Result<Result<(), DeviceRefusal>, ReadError> {
        Ok(judge_device(&self.conn, event)?)
    }

    /// The same of a list that was done.
    pub fn may_clean_up(&self, event: &Cleanup) -> Result<Result<(), DeviceRefusal>, ReadError> {
        Ok(judge_cleanup(&self.conn, event)?)
    }
}
