//! What a new epoch took over, held to its place in the new log; [`crate::remains`] reads it out of the old one. `docs/audit-format.md`, section 4.

use rusqlite::Connection;

use crate::finding::Finding;
use crate::record::Record;

/// Whether `record`, which carries something over, may be the next of the log.
pub(crate) fn may_follow(
    conn: &Connection,
    record: &Record<'_>,
) -> Result<Result<(), Finding>, rusqlite::Error> {
    let mut beginning = Beginning::default();
    let mut statement = conn.prepare_cached("SELECT body FROM log WHERE seq IN (0, ?1) ORDER BY seq")?;
    let mut rows = statement.query([record.seq().cast_signed() - 1])?;
    while let Some(row) = rows.next()? {
        let stored = Record::parse(row.get_ref(0)?.as_blob()?);
        // The one before may be none that is carried: then this one may be none either.
        if !stored.is_ok_and(|stored| beginning.check(&stored).is_ok()) {
            return Ok(Err(Finding::Carried { seq: record.seq() }));
        }
    }
    Ok(beginning.check(record))
}

/// Holds what an epoch took over to its place, record after record: all of them, or some of them and the first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Beginning {
    carried: u64,
    /// Event, whose, and the record of the old log.
    before: Option<(String, String, i64)>,
}

impl Beginning {
    /// Of a log whose first record this is.
    pub(crate) fn of(genesis: &Record<'_>) -> Result<Self, Finding> {
        let refused = Finding::Carried { seq: 0 };
        let carried = match genesis.integer("carried") {
            Some(carried) => u64::try_from(carried).map_err(|_| refused.clone())?,
            None if genesis.own().any(|(key, _)| key == "carried") => return Err(refused),
            None => 0,
        };
        let root = genesis.text("carried_root").unwrap_or_default();
        let named = genesis.text("prev").is_some_and(|prev| !prev.is_empty())
            && genesis.integer("carried_size").is_some_and(|size| size > 0)
            && root.len() == 64
            && root.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if carried > 0 && !named { Err(refused) } else { Ok(Self { carried, ..Self::default() }) }
    }

    /// Looks at the next record.
    pub(crate) fn check(&mut self, record: &Record<'_>) -> Result<(), Finding> {
        let seq = record.seq();
        if seq == 0 {
            *self = Self::of(record)?;
            return Ok(());
        }
        let event = record.event();
        let carries = event.starts_with("carry.");
        if carries != (seq <= self.carried) {
            return Err(Finding::Carried { seq });
        }
        if carries {
            let whose = match event {
                "carry.account" => record.text("user"),
                "carry.key" => record.text("gk"),
                _ => None,
            };
            let by_number = matches!(event, "carry.component" | "carry.device");
            let was = if by_number { record.integer("was") } else { None };
            let place = (event.to_owned(), whose.unwrap_or_default().into_owned(), was.unwrap_or_default());
            if self.before.as_ref().is_some_and(|before| *before >= place) {
                return Err(Finding::Carried { seq });
            }
            self.before = Some(place);
        }
        Ok(())
    }

    /// Whether a log of `size` records has all that it took over.
    pub(crate) fn is_complete(&self, size: u64) -> Result<(), Finding> {
        if size > self.carried || size == 0 { Ok(()) } else { Err(Finding::Carried { seq: size }) }
    }
}

#[cfg(test)]
mod tests;
