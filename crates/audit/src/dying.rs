//! What stops working when a group key goes.

use keystation_core::flow::Retired;
use keystation_core::key::KeyLabel;
use rusqlite::{Connection, OptionalExtension};

use crate::account::number;
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
        self.devices - self.scrapped - self.revoked - self.replaced
    }
}

impl Reader {
    /// How many devices die with a group key. Those that are out are few, and looked at one by one.
    pub fn dying(&self, label: &KeyLabel) -> Result<Dying, ReadError> {
        let moment = self.conn.unchecked_transaction()?;
        let devices = moment
            .prepare_cached(
                "SELECT count(*) FROM sighting INDEXED BY sighting_live WHERE gk = ?1 AND live = 1",
            )?
            .query_row([label.as_str()], |row| number(row, 0))?;
        let mut dying = Dying { devices, ..Dying::default() };
        let mut statement = moment.prepare_cached(
            "SELECT DISTINCT rid FROM retired INDEXED BY retired_rid WHERE rid <> '' AND restored IS NULL",
        )?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let rid = row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?;
            match out_under(&moment, rid, label)? {
                Some(Retired::Scrapped) => dying.scrapped += 1,
                Some(Retired::Revoked) => dying.revoked += 1,
                Some(Retired::Replaced) => dying.replaced += 1,
                None => {}
            }
        }
        Ok(dying)
    }
}

/// How the device of a registration ID is out whose latest proved set hangs on a key; none if none does, or it is in use.
fn out_under(conn: &Connection, rid: &str, label: &KeyLabel) -> Result<Option<Retired>, rusqlite::Error> {
    let live = conn
        .prepare_cached(
            "SELECT seq FROM sighting INDEXED BY sighting_rid WHERE rid = ?1 AND live = 1 AND gk = ?2",
        )?
        .query_row((rid, label.as_str()), |row| number(row, 0))
        .optional()?;
    let Some(live) = live else { return Ok(None) };
    if let Some(retirement) = retired::of_id(conn, rid)? {
        return Ok(Some(retirement.what));
    }
    // The key was proved by a board that is destroyed.
    let since = retired::replaces(conn, rid, None)?;
    Ok(since.is_some_and(|since| since > live).then_some(Retired::Replaced))
}
