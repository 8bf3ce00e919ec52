//! What stops working when a group key goes.

use std::collections::HashSet;

use keystation_core::flow::Retired;
use keystation_core::key::KeyLabel;
use keystation_core::record::Seq;
use keystation_core::registration::RegistrationId;
use rusqlite::{Connection, OptionalExtension};

use crate::account::{number, parsed};
use crate::known::registration_id;
use crate::reader::{ReadError, Reader};
use crate::retired;

/// How many devices hang on a group key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Dying {
    /// All of them: registration IDs whose latest proved set hangs on it.
    pub devices: u64,
    /// Of these, boards that were put down as scrap.
    pub scrapped: u64,
    /// Of these, identities that were revoked.
    pub revoked: u64,
    /// Of these, boards whose place another one took; also where that one has their registration ID and was not keyed yet.
    pub replaced: u64,
}

impl Dying {
    /// Those that nobody took out: so many stop working.
    #[must_use]
    pub const fn in_use(self) -> u64 {
        self.devices - self.out()
    }

    /// Those that somebody took out.
    #[must_use]
    pub const fn out(self) -> u64 {
        self.scrapped + self.revoked + self.replaced
    }
}

impl Reader {
    /// How many devices die with a group key. Those that are out are few, and looked at one by one.
    pub fn dying(&self, label: &KeyLabel) -> Result<Dying, ReadError> {
        let _moment = self.moment()?;
        let devices = self
            .conn
            .prepare_cached(
                "SELECT count(*) FROM sighting INDEXED BY sighting_live WHERE gk = ?1 AND live = 1",
            )?
            .query_row([label.as_str()], |row| number(row, 0))?;
        let mut dying = Dying { devices, ..Dying::default() };
        each_out(&self.conn, label, |_, how| match how {
            Retired::Scrapped => dying.scrapped += 1,
            Retired::Revoked => dying.revoked += 1,
            Retired::Replaced => dying.replaced += 1,
        })?;
        Ok(dying)
    }

    /// The registration IDs of those that stop working: that hang on a group key and that nobody took out, at most `limit`, in the order
    /// of the intents by which they do.
    pub fn in_use_under(&self, label: &KeyLabel, limit: usize) -> Result<Vec<RegistrationId>, ReadError> {
        let _moment = self.moment()?;
        let mut out = HashSet::new();
        each_out(&self.conn, label, |rid, _| {
            out.insert(rid.to_owned());
        })?;
        let mut statement =
            self.conn.prepare_cached("SELECT rid FROM sighting WHERE gk = ?1 AND live = 1 ORDER BY seq")?;
        let mut rows = statement.query([label.as_str()])?;
        let mut ids = Vec::new();
        while let Some(row) = rows.next()? {
            let rid = row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?;
            if !out.contains(rid) {
                ids.push(registration_id(rid)?);
            }
            if ids.len() == limit {
                break;
            }
        }
        Ok(ids)
    }

    /// On which group key a registration ID hangs, and how it is out, if it is; none of one that proved no key.
    pub fn hangs_on(&self, id: &RegistrationId) -> Result<Option<(KeyLabel, Option<Retired>)>, ReadError> {
        let _moment = self.moment()?;
        let live = "SELECT gk, seq FROM sighting INDEXED BY sighting_rid WHERE rid = ?1 AND live = 1";
        let live: Option<(KeyLabel, Seq)> = self
            .conn
            .prepare_cached(live)?
            .query_row([id.as_str()], |row| Ok((parsed(row, 0)?, number(row, 1)?)))
            .optional()?;
        let Some((label, live)) = live else { return Ok(None) };
        Ok(Some((label, out_by(&self.conn, id.as_str(), live)?)))
    }
}

/// Shows each device of a key that is out, and how.
fn each_out(
    conn: &Connection,
    label: &KeyLabel,
    mut show: impl FnMut(&str, Retired),
) -> Result<(), rusqlite::Error> {
    let mut statement = conn.prepare_cached(
        "SELECT DISTINCT rid FROM retired INDEXED BY retired_rid WHERE rid <> '' AND restored IS NULL",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let rid = row.get_ref(0)?.as_str()?;
        if let Some(how) = out_under(conn, rid, label)? {
            show(rid, how);
        }
    }
    Ok(())
}

/// How the device of a registration ID is out whose latest proved set hangs on a key; none if none does, or it is in use.
fn out_under(conn: &Connection, rid: &str, label: &KeyLabel) -> Result<Option<Retired>, rusqlite::Error> {
    let live = conn
        .prepare_cached(
            "SELECT seq FROM sighting INDEXED BY sighting_rid WHERE rid = ?1 AND live = 1 AND gk = ?2",
        )?
        .query_row((rid, label.as_str()), |row| number(row, 0))
        .optional()?;
    live.map_or(Ok(None), |live| out_by(conn, rid, live))
}

/// How the device of a registration ID is out whose latest proved set is that of the intent `live`.
fn out_by(conn: &Connection, rid: &str, live: Seq) -> Result<Option<Retired>, rusqlite::Error> {
    if let Some(retirement) = retired::of_id(conn, rid)? {
        return Ok(Some(retirement.what));
    }
    // The key was proved by a board that is destroyed.
    let since = retired::replaces(conn, rid, None)?;
    Ok(since.is_some_and(|since| since > live).then_some(Retired::Replaced))
}
