//! Where the devices of a work order are: what is counted in the boxes at the bench.

use crate::reader::{ReadError, Reader};
use crate::work_order::WorkOrder;

/// The devices of a work order, each once. Together they are those that were begun, and scrap that never was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OrderTally {
    /// They proved their key, and are neither scrap nor open: the box.
    pub passed: u64,
    /// They did not, and are not scrap yet.
    pub failed: u64,
    /// Nobody knows what they hold: they are in work, or have to be plugged in again.
    pub open: u64,
    /// They were put down as scrap.
    pub scrapped: u64,
}

/// The device of `$rid` proved its key under the order `?1`, created by record `?2`.
macro_rules! proved {
    ($rid:literal) => {
        concat!(
            "EXISTS (SELECT 1 FROM sighting AS proved INDEXED BY sighting_rid
                     CROSS JOIN outcome ON outcome.intent = proved.seq
                     WHERE proved.rid = ",
            $rid,
            " AND proved.job = ?1 AND proved.seq > ?2 AND outcome.holds = 'new')"
        )
    };
}

const SCRAP_BEGUN: &str = "SELECT count(*) FROM scrap WHERE job = ?1 AND EXISTS (
     SELECT 1 FROM sighting INDEXED BY sighting_rid
     WHERE sighting.rid = scrap.rid AND sighting.job = ?1 AND sighting.mode <> 'refused' AND sighting.seq > ?2)";
const SCRAP_PASSED: &str = concat!("SELECT count(*) FROM scrap WHERE job = ?1 AND ", proved!("scrap.rid"));
const OPEN: &str = "SELECT count(DISTINCT open_intent.rid) FROM open_intent CROSS JOIN sighting USING (seq)
     WHERE sighting.job = ?1 AND sighting.seq > ?2
       AND NOT EXISTS (SELECT 1 FROM scrap WHERE scrap.job = ?1 AND scrap.rid = open_intent.rid)";
const OPEN_PASSED: &str = concat!(
    "SELECT count(DISTINCT open_intent.rid) FROM open_intent CROSS JOIN sighting USING (seq)
     WHERE sighting.job = ?1 AND sighting.seq > ?2
       AND NOT EXISTS (SELECT 1 FROM scrap WHERE scrap.job = ?1 AND scrap.rid = open_intent.rid) AND ",
    proved!("open_intent.rid")
);

impl Reader {
    /// Where the devices of an order are. The tables of scrap and of open intents are read, not the devices.
    pub fn order_tally(&self, order: &WorkOrder) -> Result<OrderTally, ReadError> {
        let count = |sql: &str| -> Result<u64, ReadError> {
            let count: i64 = self
                .conn
                .prepare_cached(sql)?
                .query_row((order.id.as_str(), order.created.cast_signed()), |row| row.get(0))?;
            Ok(count.cast_unsigned())
        };
        let open = count(OPEN)?;
        // A number that another connection changed in between is a moment old, never below nought.
        let passed = order.passed.saturating_sub(count(SCRAP_PASSED)? + count(OPEN_PASSED)?);
        let failed = order.begun.saturating_sub(count(SCRAP_BEGUN)? + passed + open);
        Ok(OrderTally { passed, failed, open, scrapped: order.scrapped })
    }
}
