//! What the derived tables should hold, told by the records that go by. Needs the same memory at any size of the log.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher, RandomState};

use keystation_core::record::Seq;
use rusqlite::{Connection, Row};

use crate::batch_rules::BatchRefusal;
use crate::expected_batches::ExpectedBatches;
use crate::expected_orders::ExpectedOrders;
use crate::expected_retired::ExpectedRetired;
use crate::projection::{Holds, Mode, Outcome, Sighting, Step};
use crate::record::Record;
use crate::retired::DeviceStep;
use crate::said::{self, Said};
use crate::work_order::WorkOrder;

/// The sightings in the order of their numbers, with the outcome that counts for each.
const SIGHTINGS: &str = "
    SELECT seq, t, mono, rid, mac, sn, job, op, gk, port, mode, code,
           rc IS coalesce(
               (SELECT outcome.rc FROM outcome WHERE outcome.intent = sighting.seq ORDER BY outcome.seq DESC LIMIT 1),
               CASE mode WHEN 'refused' THEN 'refused' ELSE 'open' END),
           live, dkfp, place
    FROM sighting ORDER BY seq";

/// The sets that a device proved before the last one.
const SUPERSEDED: &str = "
    SELECT seq FROM sighting
    WHERE rid = ?1 AND EXISTS (SELECT 1 FROM outcome WHERE intent = sighting.seq AND holds = 'new')
      AND seq <> (
          SELECT outcome.intent FROM sighting AS other CROSS JOIN outcome ON outcome.intent = other.seq
          WHERE other.rid = ?1 AND outcome.holds = 'new' ORDER BY outcome.seq DESC LIMIT 1)";

/// Devices that were written more than once, as many as are remembered: a few hundred kilobytes.
const AGAIN: usize = 4096;

/// What the derived tables should hold, without holding it.
pub(crate) struct Expected {
    hasher: RandomState,
    /// A sum of hashes under a random key is the same for the same rows in any order, and rows that were chosen to add
    /// up cannot be found without the key.
    sightings: u64,
    outcomes: u64,
    /// As many as there are kinds of events.
    tally: Vec<(String, String, u64, Seq)>,
    /// By registration ID, ascending. Few on a healthy line, whatever the size of the log.
    open: BTreeMap<String, Vec<Seq>>,
    /// Registration IDs with a second intent; no more of them than [`AGAIN`], and one for the fact that there are more.
    again: BTreeSet<String>,
    checked: u64,
    said: Said,
    /// Of the numbers of the records that are found by an index.
    indexed: u64,
    orders: ExpectedOrders,
    batches: ExpectedBatches,
    retired: ExpectedRetired,
}

impl Expected {
    /// What the tables should hold of no record.
    pub(crate) fn new() -> Self {
        let hasher = RandomState::new();
        Self {
            hasher,
            sightings: 0,
            outcomes: 0,
            tally: Vec::new(),
            open: BTreeMap::new(),
            again: BTreeSet::new(),
            checked: 0,
            said: Said::default(),
            indexed: 0,
            orders: ExpectedOrders::default(),
            batches: ExpectedBatches::default(),
            retired: ExpectedRetired::default(),
        }
    }

    /// Takes the next record. Says why the station has to refuse it, if the batches of repair are why.
    pub(crate) fn add(&mut self, record: &Record<'_>, step: Option<&Step<'_>>) -> Option<BatchRefusal> {
        let refused = step.and_then(|step| self.batches.judge(record, step));
        self.count(record);
        if said::is_indexed(record.event()) {
            self.indexed = self.indexed.wrapping_add(self.hasher.hash_one(record.seq().cast_signed()));
        }
        match step {
            Some(Step::Sighting(sighting)) => {
                self.orders.add_sighting(sighting);
                self.batches.add_sighting(sighting);
                self.sightings = self.sightings.wrapping_add(self.hasher.hash_one(sighting_row(sighting)));
                if sighting.mode != Mode::Refused {
                    if sighting.again && self.again.len() <= AGAIN && !self.again.contains(&*sighting.rid) {
                        self.again.insert(sighting.rid.to_string());
                    }
                    self.open_again(&sighting.rid, sighting.seq);
                }
            }
            Some(Step::Outcome(outcome)) => {
                self.orders.add_outcome(outcome);
                self.batches.add_outcome(outcome);
                self.outcomes = self.outcomes.wrapping_add(self.hasher.hash_one(row_of(outcome)));
                self.settle(outcome);
            }
            Some(Step::Checked { rid, seq }) => {
                self.checked = self.checked.wrapping_add(self.hasher.hash_one((&**rid, *seq)));
            }
            Some(step @ (Step::Account(_) | Step::Key(_) | Step::Component(_))) => self.said.add(step),
            Some(Step::Order(step)) => self.orders.add(step, &mut self.retired),
            Some(Step::Device(step)) => {
                if let DeviceStep::Out(out) = step
                    && out.keeps_id()
                {
                    self.open.remove(&out.rid);
                }
                self.retired.add(step);
            }
            Some(Step::Cleanup(step)) => self.retired.add_list(step),
            Some(Step::Batch(step)) => self.batches.add(step),
            None => {}
        }
        refused
    }

    fn open_again(&mut self, rid: &str, intent: Seq) {
        match self.open.get_mut(rid) {
            Some(open) => {
                if let Err(place) = open.binary_search(&intent) {
                    open.insert(place, intent);
                }
            }
            None => drop(self.open.insert(rid.to_owned(), vec![intent])),
        }
    }

    fn settle(&mut self, outcome: &Outcome<'_>) {
        let Outcome { rid, intent, .. } = outcome;
        if outcome.holds == Holds::Unknown {
            return self.open_again(rid, *intent);
        }
        let Some(open) = self.open.get_mut(&**rid) else { return };
        match outcome.holds {
            Holds::Old => open.retain(|seq| seq != intent),
            _ => open.retain(|seq| seq > intent),
        }
        if open.is_empty() {
            self.open.remove(&**rid);
        }
    }

    fn count(&mut self, record: &Record<'_>) {
        let (event, rc) = (record.event(), record.rc());
        match self.tally.iter_mut().find(|(e, r, ..)| e == event && r == rc) {
            Some((_, _, records, last)) => (*records, *last) = (*records + 1, record.seq()),
            None => self.tally.push((event.to_owned(), rc.to_owned(), 1, record.seq())),
        }
    }

    /// The tables that do not hold it.
    pub(crate) fn differing(mut self, conn: &Connection) -> Result<Vec<&'static str>, rusqlite::Error> {
        self.tally.sort();
        let (outcomes, live) = (self.outcomes_agree(conn)?, self.sightings_agree(conn)?);
        let sightings = match (live, outcomes) {
            (Some(live), Some(proved)) => self.live_agrees(conn, live, proved)?,
            // Which set is live is told by the outcomes: where these lie it means nothing.
            (live, None) => live.is_some(),
            (None, _) => false,
        };
        let agree = [
            ("log_said", self.index_agrees(conn)?),
            ("sighting", sightings),
            ("outcome", outcomes.is_some()),
            ("open_intent", self.open_intents_agree(conn)?),
            ("tally", self.tally_agrees(conn)?),
            ("checked", self.checks_agree(conn)?),
            ("work_order", said::agree(self.orders.orders(), WorkOrder::all(conn))?),
            ("scrap", self.orders.scrap_agrees(conn)?),
            ("batch", self.batches.agree_with(conn)?),
        ];
        let said = self.said.agrees(conn)?;
        let retired = self.retired.agree_with(conn)?;
        Ok(agree
            .into_iter()
            .chain(said)
            .chain(retired)
            .filter(|(_, agrees)| !agrees)
            .map(|(table, _)| table)
            .collect())
    }

    /// `None`: they do not. Otherwise the sum over those that are live.
    fn sightings_agree(&self, conn: &Connection) -> Result<Option<u64>, rusqlite::Error> {
        let (mut sum, mut live) = (0u64, 0u64);
        let mut before = None;
        let mut statement = conn.prepare(SIGHTINGS)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let number = |column| row.get::<_, i64>(column);
            let text = |column| row.get_ref(column).and_then(|value| Ok(value.as_str()?));
            let seq = number(0)?;
            // Out of order a row would be there and not be found; the last column tells whether its outcome is the last one.
            if before.is_some_and(|before| before >= seq) || !row.get::<_, bool>(12)? {
                return Ok(None);
            }
            before = Some(seq);
            let values = (
                (seq, number(1)?, number(2)?, number(15)?),
                (text(3)?, text(4)?, text(5)?, text(6)?, text(7)?),
                (text(8)?, text(9)?, text(10)?, text(11)?, text(14)?),
            );
            sum = sum.wrapping_add(self.hasher.hash_one(values));
            if row.get::<_, bool>(13)? {
                live = live.wrapping_add(self.hasher.hash_one(seq));
            }
        }
        Ok((sum == self.sightings).then_some(live))
    }

    /// Whether `live`, the sum over the sightings that are, is that of `proved`, the sum over those that were proved, without
    /// those that were proved before the last one of their device.
    fn live_agrees(&self, conn: &Connection, live: u64, proved: u64) -> Result<bool, rusqlite::Error> {
        let mut superseded = conn.prepare(SUPERSEDED)?;
        let mut last = |left: u64, rid: &str| {
            let mut rows = superseded.query([rid])?;
            let mut left = left;
            while let Some(row) = rows.next()? {
                left = left.wrapping_sub(self.hasher.hash_one(row.get::<_, i64>(0)?));
            }
            Ok::<_, rusqlite::Error>(left)
        };
        if self.again.len() <= AGAIN
            && live == self.again.iter().try_fold(proved, |left, rid| last(left, rid))?
        {
            return Ok(true);
        }
        // Too many, or a record did not say that it was not the first of its device: then it takes a look at each of them.
        let mut statement = conn.prepare("SELECT rid FROM sighting GROUP BY rid HAVING count(*) > 1")?;
        let mut rows = statement.query([])?;
        let mut left = proved;
        while let Some(row) = rows.next()? {
            left = last(left, row.get_ref(0)?.as_str()?)?;
        }
        Ok(live == left)
    }

    /// `None`: they do not. Otherwise the sum over the intents that were proved.
    fn outcomes_agree(&self, conn: &Connection) -> Result<Option<u64>, rusqlite::Error> {
        let (mut sum, mut proved, mut last) = (0u64, 0u64, None);
        let mut before = (-1, -1);
        let mut statement =
            conn.prepare("SELECT intent, seq, holds, rc, code, vmode, mono, later FROM outcome")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (intent, seq): (i64, i64) = (row.get(0)?, row.get(1)?);
            // Out of order a row would be there and not be found.
            if before >= (intent, seq) {
                return Ok(None);
            }
            before = (intent, seq);
            if last != Some(intent) && row.get_ref(2)?.as_str()? == Holds::New.as_str() {
                last = Some(intent);
                proved = proved.wrapping_add(self.hasher.hash_one(intent));
            }
            let text = |column| row.get_ref(column).and_then(|value| Ok(value.as_str()?));
            let values = (
                intent.cast_unsigned(),
                seq.cast_unsigned(),
                (text(2)?, text(3)?, text(4)?, text(5)?),
                row.get::<_, i64>(6)?.cast_unsigned(),
                row.get::<_, bool>(7)?,
            );
            sum = sum.wrapping_add(self.hasher.hash_one(values));
        }
        Ok((sum == self.outcomes).then_some(proved))
    }

    fn open_intents_agree(&self, conn: &Connection) -> Result<bool, rusqlite::Error> {
        let mut statement = conn.prepare("SELECT rid, seq FROM open_intent")?;
        let mut rows = statement.query([])?;
        let open = self.open.iter().flat_map(|(rid, open)| open.iter().map(move |seq| (rid, seq)));
        for (rid, seq) in open {
            match rows.next()? {
                Some(row)
                    if row.get_ref(0)?.as_str()? == rid && row.get::<_, i64>(1)? == seq.cast_signed() => {}
                _ => return Ok(false),
            }
        }
        Ok(rows.next()?.is_none())
    }

    fn index_agrees(&self, conn: &Connection) -> Result<bool, rusqlite::Error> {
        let mut statement = conn.prepare(said::INDEXED)?;
        let mut rows = statement.query([])?;
        let mut sum = 0u64;
        while let Some(row) = rows.next()? {
            sum = sum.wrapping_add(self.hasher.hash_one(row.get::<_, i64>(0)?));
        }
        Ok(sum == self.indexed)
    }

    fn checks_agree(&self, conn: &Connection) -> Result<bool, rusqlite::Error> {
        let mut sum = 0u64;
        let mut statement = conn.prepare("SELECT rid, seq FROM checked")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let values = (row.get_ref(0)?.as_str()?, row.get::<_, i64>(1)?.cast_unsigned());
            sum = sum.wrapping_add(self.hasher.hash_one(values));
        }
        Ok(sum == self.checked)
    }

    fn tally_agrees(&self, conn: &Connection) -> Result<bool, rusqlite::Error> {
        let mut statement = conn.prepare("SELECT ev, rc, records, last FROM tally")?;
        let number = |row: &Row<'_>, column| row.get::<_, i64>(column).map(i64::cast_unsigned);
        let rows = statement
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?, number(row, 2)?, number(row, 3)?)))?;
        let stored: Vec<(String, String, u64, Seq)> = rows.collect::<Result<_, _>>()?;
        Ok(stored == self.tally)
    }
}

/// The values of a row of `outcome`, in the order of its columns.
fn row_of<'o>(outcome: &'o Outcome<'_>) -> (Seq, Seq, (&'o str, &'o str, &'o str, &'o str), u64, bool) {
    let Outcome { intent, seq, holds, rc, code, vmode, mono, later, .. } = outcome;
    (*intent, *seq, (holds.as_str(), rc, code, vmode), *mono, *later)
}

/// The values of a row of `sighting`: numbers, the device and its job, key and what was done.
type SightingRow<'s> = (
    (i64, i64, i64, i64),
    (&'s str, &'s str, &'s str, &'s str, &'s str),
    (&'s str, &'s str, &'s str, &'s str, &'s str),
);

fn sighting_row<'s>(sighting: &'s Sighting<'_>) -> SightingRow<'s> {
    let Sighting { seq, t, mono, rid, mac, sn, job, op, gk, port, mode, code, dkfp, place, again: _ } =
        sighting;
    let numbers = (seq.cast_signed(), *t, mono.cast_signed(), *place);
    (numbers, (rid, mac, sn, job, op), (gk, port, mode.as_str(), code, dkfp))
}
