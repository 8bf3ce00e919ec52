//! Yield, causes and cycle times over a period.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};

use crate::reader::ReadError;
use crate::record;

/// What came of the devices of a period. An attempt is one intent; a device that was tried twice counts twice.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Figures {
    /// By day of UTC, oldest first.
    pub days: Vec<Tally>,
    /// By work order; the empty name stands for none.
    pub jobs: Vec<Tally>,
    /// By port, with the time that a pass takes.
    pub slots: Vec<Slot>,
    /// Why devices failed or were refused: code and how often, most frequent first.
    pub causes: Vec<(String, u64)>,
}

/// Attempts that belong together, by what came of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// The day (`2026-11-22`), or the work order.
    pub name: String,
    /// The device proved that it holds its key.
    pub passed: u64,
    /// It did not.
    pub failed: u64,
    /// It was seen and not written to.
    pub refused: u64,
    /// Nobody has seen the outcome yet.
    pub open: u64,
}

/// One port.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Slot {
    /// Attempts on it; the name is the port with its USB path.
    pub tally: Tally,
    /// The median time from intent to PASS, in milliseconds; `None` without a PASS.
    pub median_ms: Option<u64>,
}

impl Tally {
    fn count(&mut self, rc: &str) {
        self.add(rc, 1);
    }

    /// Adds as many attempts whose last `rc` is this.
    pub(crate) fn add(&mut self, rc: &str, attempts: u64) {
        *match rc {
            "ok" => &mut self.passed,
            "refused" => &mut self.refused,
            "open" => &mut self.open,
            _ => &mut self.failed,
        } += attempts;
    }
}

/// The figures of the attempts from `from` on and before `until` (UTC, milliseconds since 1970), of one work order or all.
pub(crate) fn figures(
    conn: &Connection,
    from: i64,
    until: i64,
    job: Option<&str>,
) -> Result<Figures, ReadError> {
    let (mut days, mut jobs) = (BTreeMap::<i64, Tally>::new(), BTreeMap::<String, Tally>::new());
    let mut slots: BTreeMap<String, (Tally, Vec<u32>)> = BTreeMap::new();
    let mut causes: BTreeMap<String, u64> = BTreeMap::new();
    let mut statement = conn.prepare_cached(
        "SELECT s.t, s.job, s.port, s.rc, s.mono, o.mono, coalesce(o.code, s.code), o.later
         FROM sighting AS s LEFT JOIN outcome AS o
              ON o.intent = s.seq AND o.seq = (SELECT max(seq) FROM outcome WHERE intent = s.seq)
         WHERE s.t >= ?1 AND s.t < ?2 AND (?3 IS NULL OR s.job = ?3)",
    )?;
    let mut rows = statement.query(params![from, until, job])?;
    while let Some(row) = rows.next()? {
        let t: i64 = row.get(0)?;
        let (job, port, rc) = (row.get_ref(1)?.as_str(), row.get_ref(2)?.as_str(), row.get_ref(3)?.as_str());
        let (job, port, rc) = (job.map_err(from_sql)?, port.map_err(from_sql)?, rc.map_err(from_sql)?);
        days.entry(t.div_euclid(DAY_MS)).or_default().count(rc);
        counted(&mut jobs, job).count(rc);
        let (slot, times) = counted(&mut slots, port);
        slot.count(rc);
        if rc == "ok" && row.get(7) == Ok(false) {
            let took = row.get::<_, i64>(5)? - row.get::<_, i64>(4)?;
            times.extend(u32::try_from(took));
        }
        let code: String = row.get(6)?;
        if !code.is_empty() {
            *causes.entry(code).or_default() += 1;
        }
    }
    let mut causes: Vec<_> = causes.into_iter().collect();
    causes.sort_by_key(|(_, times)| std::cmp::Reverse(*times));
    let named = |(name, tally)| Tally { name, ..tally };
    Ok(Figures {
        days: days
            .into_iter()
            .map(|(day, tally)| {
                let name = record::time(day * DAY_MS).map(|time| time[..10].to_owned()).unwrap_or_default();
                Tally { name, ..tally }
            })
            .collect(),
        jobs: jobs.into_iter().map(named).collect(),
        slots: slots
            .into_iter()
            .map(|(name, (tally, times))| Slot { tally: Tally { name, ..tally }, median_ms: median(times) })
            .collect(),
        causes,
    })
}

/// Milliseconds of a day of UTC.
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// The entry of `name`, without a copy of the name where there is one.
fn counted<'m, T: Default>(map: &'m mut BTreeMap<String, T>, name: &str) -> &'m mut T {
    if !map.contains_key(name) {
        map.insert(name.to_owned(), T::default());
    }
    map.get_mut(name).expect("it was put there")
}

fn median(mut times: Vec<u32>) -> Option<u64> {
    let middle = times.len() / 2;
    (!times.is_empty()).then(|| u64::from(*times.select_nth_unstable(middle).1))
}

fn from_sql(error: rusqlite::types::FromSqlError) -> rusqlite::Error {
    error.into()
}
