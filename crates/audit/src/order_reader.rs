//! What is asked of work orders: which there are, what keeps one from being closed, which devices it has.

use keystation_core::order::OrderId;
use rusqlite::{Connection, OptionalExtension};

use crate::reader::{ReadError, Reader};
use crate::work_order::WorkOrder;

/// What keeps an order from being closed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Unaccounted {
    /// Devices that were begun, neither passed nor are scrap, or have an intent whose outcome is not known: the first ten
    /// registration IDs.
    pub devices: Vec<String>,
    /// How many there are.
    pub count: u64,
    /// How many fewer devices passed or are scrap than the order is for.
    pub short: u64,
}

impl Unaccounted {
    pub(crate) fn of(conn: &Connection, order: &WorkOrder) -> Result<Self, rusqlite::Error> {
        let mut this = Self::default();
        let mut statement = conn.prepare_cached(
            "SELECT rid FROM sighting AS device INDEXED BY sighting_job
             WHERE job = ?1 AND mode <> 'refused' AND seq > ?2
               AND NOT EXISTS (SELECT 1 FROM scrap WHERE scrap.job = ?1 AND scrap.rid = device.rid)
               AND (EXISTS (SELECT 1 FROM open_intent WHERE open_intent.rid = device.rid AND open_intent.seq = device.seq)
                 OR NOT EXISTS (
                    SELECT 1 FROM sighting AS proved INDEXED BY sighting_rid
                    CROSS JOIN outcome ON outcome.intent = proved.seq
                    WHERE proved.rid = device.rid AND proved.job = ?1 AND proved.seq > ?2 AND outcome.holds = 'new'))
             GROUP BY rid ORDER BY min(seq)",
        )?;
        let mut rows = statement.query((order.id.as_str(), order.created.cast_signed()))?;
        while let Some(row) = rows.next()? {
            this.count += 1;
            if this.devices.len() < 10 {
                this.devices.push(row.get(0)?);
            }
        }
        // Scrap that passed before is counted once.
        let only_scrap: i64 = conn
            .prepare_cached(
                "SELECT count(*) FROM scrap WHERE job = ?1 AND NOT EXISTS (
                     SELECT 1 FROM sighting INDEXED BY sighting_rid CROSS JOIN outcome ON outcome.intent = sighting.seq
                     WHERE sighting.rid = scrap.rid AND sighting.job = ?1 AND sighting.seq > ?2 AND outcome.holds = 'new')",
            )?
            .query_row((order.id.as_str(), order.created.cast_signed()), |row| row.get(0))?;
        let done = order.passed + only_scrap.cast_unsigned();
        this.short = order.terms.quantity.saturating_sub(done);
        Ok(this)
    }
}

impl Reader {
    /// Every work order, by ID.
    pub fn work_orders(&self) -> Result<Vec<WorkOrder>, ReadError> {
        Ok(WorkOrder::all(&self.conn)?)
    }

    /// The work order of this ID.
    pub fn work_order(&self, id: &OrderId) -> Result<Option<WorkOrder>, ReadError> {
        Ok(WorkOrder::find(&self.conn, id)?)
    }

    /// The one that is open.
    pub fn open_order(&self) -> Result<Option<WorkOrder>, ReadError> {
        Ok(WorkOrder::open(&self.conn)?)
    }

    /// What keeps an order from being closed.
    pub fn unaccounted(&self, order: &WorkOrder) -> Result<Unaccounted, ReadError> {
        Ok(Unaccounted::of(&self.conn, order)?)
    }

    /// MAC address (twelve digits, or empty) and serial number (or empty) of every device that was begun under the order or is
    /// scrap of it.
    pub fn devices_of(&self, order: &WorkOrder) -> Result<Vec<(String, String)>, ReadError> {
        let mut statement = self.conn.prepare_cached(
            "SELECT mac, sn FROM sighting INDEXED BY sighting_job WHERE job = ?1 AND mode <> 'refused' AND seq > ?2
             UNION SELECT mac, sn FROM scrap WHERE job = ?1",
        )?;
        let rows = statement.query_map((order.id.as_str(), order.created.cast_signed()), |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Registration ID, MAC address and serial number, as records have them, of the device that was begun last under the order and
    /// has this registration ID, MAC address (twelve digits) or serial number.
    pub fn device_of(
        &self,
        order: &WorkOrder,
        word: &str,
    ) -> Result<Option<(String, String, String)>, ReadError> {
        for index in ["rid", "mac", "sn"] {
            let found = self
                .conn
                .prepare_cached(&format!(
                    "SELECT rid, mac, sn FROM sighting INDEXED BY sighting_{index}
                     WHERE {index} = ?1 AND job = ?2 AND mode <> 'refused' AND seq > ?3 ORDER BY seq DESC LIMIT 1"
                ))?
                .query_row((word, order.id.as_str(), order.created.cast_signed()), |row| {
                    Ok((row.get(0)?, row.get(1)?, row.get(2)?))
                })
                .optional()?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }
}
