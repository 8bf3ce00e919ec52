//! What the derived tables should hold, told by the records that go by.

use std::collections::BTreeSet;
use std::hash::{BuildHasher, RandomState};

use keystation_core::record::Seq;
use rusqlite::Connection;

use crate::projection::{Kind, Step};
use crate::record::Record;

/// What the derived tables should hold, without holding it: a sum of hashes under a random key is the same for the
/// same rows in any order, and rows that were chosen to add up cannot be found without the key.
#[derive(Default)]
pub(crate) struct Expected {
    hasher: RandomState,
    records: u64,
    /// As many as there are kinds of events.
    tally: Vec<(String, String, u64)>,
    /// Few on a healthy line, whatever the size of the log.
    open: BTreeSet<(String, Seq)>,
}

impl Expected {
    pub(crate) fn add(&mut self, record: &Record<'_>, step: Option<&Step<'_>>) {
        self.count(record);
        let Some(&Step { rid, kind, intent }) = step else { return };
        let seq = record.seq();
        self.records = self.records.wrapping_add(self.hasher.hash_one((rid, seq, kind.as_str())));
        match kind {
            Kind::Intent | Kind::Unknown => {
                self.open.insert((rid.to_owned(), intent));
            }
            Kind::Old => {
                self.open.remove(&(rid.to_owned(), intent));
            }
            Kind::New => {
                while let Some(earlier) =
                    self.open.range((rid.to_owned(), 0)..=(rid.to_owned(), intent)).next()
                {
                    let earlier = earlier.clone();
                    self.open.remove(&earlier);
                }
            }
            Kind::Refused => {}
        }
    }

    fn count(&mut self, record: &Record<'_>) {
        let (event, rc) = (record.event(), record.rc());
        match self.tally.iter_mut().find(|(e, r, _)| e == event && r == rc) {
            Some((_, _, records)) => *records += 1,
            None => self.tally.push((event.to_owned(), rc.to_owned(), 1)),
        }
    }

    /// The tables that do not hold it.
    pub(crate) fn differing(mut self, conn: &Connection) -> Result<Vec<&'static str>, rusqlite::Error> {
        self.tally.sort();
        let agree = [
            ("device_record", self.device_records_agree(conn)?),
            ("open_intent", self.open_intents_agree(conn)?),
            ("tally", self.tally_agrees(conn)?),
        ];
        Ok(agree.into_iter().filter(|(_, agrees)| !agrees).map(|(table, _)| table).collect())
    }

    fn device_records_agree(&self, conn: &Connection) -> Result<bool, rusqlite::Error> {
        let mut sum = 0u64;
        let mut before = (String::new(), -1);
        let mut statement = conn.prepare("SELECT rid, seq, kind FROM device_record")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (rid, seq, kind) =
                (row.get_ref(0)?.as_str()?, row.get::<_, i64>(1)?, row.get_ref(2)?.as_str()?);
            // Out of order a row would be there and not be found.
            if (before.0.as_str(), before.1) >= (rid, seq) {
                return Ok(false);
            }
            sum = sum.wrapping_add(self.hasher.hash_one((rid, seq.cast_unsigned(), kind)));
            before.0.clear();
            before.0.push_str(rid);
            before.1 = seq;
        }
        Ok(sum == self.records)
    }

    fn open_intents_agree(&self, conn: &Connection) -> Result<bool, rusqlite::Error> {
        let mut statement = conn.prepare("SELECT rid, seq FROM open_intent")?;
        let mut rows = statement.query([])?;
        for (rid, seq) in &self.open {
            match rows.next()? {
                Some(row)
                    if row.get_ref(0)?.as_str()? == rid && row.get::<_, i64>(1)? == seq.cast_signed() => {}
                _ => return Ok(false),
            }
        }
        Ok(rows.next()?.is_none())
    }

    fn tally_agrees(&self, conn: &Connection) -> Result<bool, rusqlite::Error> {
        let mut statement = conn.prepare("SELECT ev, rc, records FROM tally")?;
        let rows = statement
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get::<_, i64>(2)?.cast_unsigned())))?;
        let stored: Vec<(String, String, u64)> = rows.collect::<Result<_, _>>()?;
        Ok(stored == self.tally)
    }
}
