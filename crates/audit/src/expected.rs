//! What the derived tables should hold, told by the records that go by. Needs the same memory at any size of the log.

use std::collections::BTreeSet;
use std::hash::{BuildHasher, RandomState};

use keystation_core::record::Seq;
use rusqlite::{Connection, Row, Rows, Statement};

use crate::projection::{Holds, Mode, Outcome, Sighting, Step};
use crate::record::Record;

/// The sightings in the order of their numbers, with the outcome that counts for each.
const SIGHTINGS: &str = "
    SELECT seq, t, mono, rid, mac, sn, job, op, gk, port, mode, code,
           rc IS coalesce(
               (SELECT outcome.rc FROM outcome WHERE outcome.intent = sighting.seq ORDER BY outcome.seq DESC LIMIT 1),
               CASE mode WHEN 'refused' THEN 'refused' ELSE 'open' END)
    FROM sighting ORDER BY seq";

/// Rows of `sighting`, prepared.
pub(crate) struct Sightings<'c>(Statement<'c>);

impl<'c> Sightings<'c> {
    pub(crate) fn prepare(conn: &'c Connection) -> Result<Self, rusqlite::Error> {
        Ok(Self(conn.prepare(SIGHTINGS)?))
    }

    /// What the tables should hold, from no record on.
    pub(crate) fn expected(&mut self) -> Result<Expected<'_>, rusqlite::Error> {
        Ok(Expected {
            sightings: self.0.query([])?,
            sightings_differ: false,
            hasher: RandomState::new(),
            outcomes: 0,
            tally: Vec::new(),
            open: BTreeSet::new(),
        })
    }
}

/// What the derived tables should hold, without holding it.
pub(crate) struct Expected<'s> {
    /// Goes along with the records.
    sightings: Rows<'s>,
    sightings_differ: bool,
    hasher: RandomState,
    /// A sum of hashes under a random key is the same for the same rows in any order, and rows that were chosen to add
    /// up cannot be found without the key.
    outcomes: u64,
    /// As many as there are kinds of events.
    tally: Vec<(String, String, u64, Seq)>,
    /// Few on a healthy line, whatever the size of the log.
    open: BTreeSet<(String, Seq)>,
}

impl Expected<'_> {
    pub(crate) fn add(&mut self, record: &Record<'_>, step: Option<&Step<'_>>) {
        self.count(record);
        match step {
            Some(Step::Sighting(sighting)) => {
                if !self.sightings_differ {
                    // A row that cannot be read is not the row that it should be; the records go on being checked.
                    let row = self.sightings.next().and_then(|row| is_row(sighting, row));
                    self.sightings_differ = !row.unwrap_or(false);
                }
                if sighting.mode != Mode::Refused {
                    self.open.insert((sighting.rid.clone().into_owned(), sighting.seq));
                }
            }
            Some(Step::Outcome(outcome)) => {
                self.outcomes = self.outcomes.wrapping_add(self.hasher.hash_one(row_of(outcome)));
                self.settle(outcome);
            }
            None => {}
        }
    }

    fn settle(&mut self, outcome: &Outcome<'_>) {
        let rid = || outcome.rid.clone().into_owned();
        match outcome.holds {
            Holds::Unknown => {
                self.open.insert((rid(), outcome.intent));
            }
            Holds::Old => {
                self.open.remove(&(rid(), outcome.intent));
            }
            Holds::New => {
                while let Some(earlier) = self.open.range((rid(), 0)..=(rid(), outcome.intent)).next() {
                    let earlier = earlier.clone();
                    self.open.remove(&earlier);
                }
            }
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
        let agree = [
            ("sighting", !self.sightings_differ && self.sightings.next()?.is_none()),
            ("outcome", self.outcomes_agree(conn)?),
            ("open_intent", self.open_intents_agree(conn)?),
            ("tally", self.tally_agrees(conn)?),
        ];
        Ok(agree.into_iter().filter(|(_, agrees)| !agrees).map(|(table, _)| table).collect())
    }

    fn outcomes_agree(&self, conn: &Connection) -> Result<bool, rusqlite::Error> {
        let mut sum = 0u64;
        let mut before = (-1, -1);
        let mut statement =
            conn.prepare("SELECT intent, seq, holds, rc, code, vmode, mono, later FROM outcome")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (intent, seq): (i64, i64) = (row.get(0)?, row.get(1)?);
            // Out of order a row would be there and not be found.
            if before >= (intent, seq) {
                return Ok(false);
            }
            before = (intent, seq);
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
        Ok(sum == self.outcomes)
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

fn is_row(sighting: &Sighting<'_>, row: Option<&Row<'_>>) -> Result<bool, rusqlite::Error> {
    let Some(row) = row else { return Ok(false) };
    let Sighting { seq, t, mono, rid, mac, sn, job, op, gk, port, mode, code } = sighting;
    let numbers = [seq.cast_signed(), *t, mono.cast_signed()];
    let texts = [rid.as_ref(), mac, sn, job, op, gk, port, mode.as_str(), code];
    for (column, number) in numbers.into_iter().enumerate() {
        if row.get::<_, i64>(column)? != number {
            return Ok(false);
        }
    }
    for (column, text) in texts.into_iter().enumerate() {
        if row.get_ref(column + numbers.len())?.as_str()? != text {
            return Ok(false);
        }
    }
    row.get(numbers.len() + texts.len())
}
