//! Which records of a log are asked for, and finding them.

use keystation_core::record::Seq;
use keystation_core::registration::RegistrationId;
use rusqlite::Params;

use crate::reader::ReadError;
use crate::record::Record;
use crate::snapshot::Snapshot;

/// A part of a log: what happened, and whatever came of it later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// Attempts for a work order, and their outcomes.
    Job(String),
    /// All records of a period by their own time, and the outcomes of the attempts among them. Reads the whole log.
    Period {
        /// Not before this moment, UTC, milliseconds since 1970.
        from: i64,
        /// Before this moment.
        until: i64,
    },
    /// Attempts on a device, their outcomes, and how it was taken out.
    Device(RegistrationId),
}

/// The attempts on a device, the outcomes of those, and how it was taken out: all that names it in `rid` and is said by the station.
const DEVICE: &str = "SELECT seq, body FROM log WHERE seq IN (
        SELECT seq FROM sighting WHERE rid = ?1
        UNION ALL
        SELECT outcome.seq FROM sighting CROSS JOIN outcome ON outcome.intent = sighting.seq WHERE sighting.rid = ?1
        UNION ALL
        SELECT seq FROM retired INDEXED BY retired_rid WHERE rid = ?1 AND rid <> ''
        UNION ALL
        SELECT restored FROM retired INDEXED BY retired_rid WHERE rid = ?1 AND rid <> '' AND restored IS NOT NULL)
    ORDER BY seq";

/// The attempts that have a value in a column, and the outcomes of those.
fn with_outcomes(column: &str) -> String {
    format!(
        "SELECT seq, body FROM log WHERE seq IN (
             SELECT seq FROM sighting WHERE {column} = ?1
             UNION ALL
             SELECT outcome.seq FROM sighting CROSS JOIN outcome ON outcome.intent = sighting.seq
             WHERE sighting.{column} = ?1)
         ORDER BY seq"
    )
}

impl Snapshot<'_> {
    /// Shows number and bytes of each record of `selection` to `visit`, in the order of their numbers. One at a time.
    pub(crate) fn select<E: From<ReadError>>(
        &self,
        selection: &Selection,
        mut visit: impl FnMut(Seq, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        match selection {
            Selection::Job(job) => self.rows(&with_outcomes("job"), [job], visit),
            Selection::Device(id) => self.rows(DEVICE, [id.as_str()], visit),
            Selection::Period { from, until } => {
                self.rows("SELECT seq, body FROM log ORDER BY seq", [], |seq, body| {
                    let within = self.belongs(seq, body, *from, *until)?;
                    if within { visit(seq, body) } else { Ok(()) }
                })
            }
        }
    }

    /// Whether a record is of a period, or the outcome of an attempt that is.
    fn belongs(&self, seq: Seq, body: &[u8], from: i64, until: i64) -> Result<bool, ReadError> {
        let record = Record::parse(body).map_err(|why| ReadError::NotARecord { seq, why })?;
        if (from..until).contains(&record.utc_ms()) {
            return Ok(true);
        }
        let Some(attempt) = record.integer("ref") else { return Ok(false) };
        let sql = "SELECT 1 FROM sighting WHERE seq = ?1 AND t >= ?2 AND t < ?3";
        Ok(self.conn.prepare_cached(sql)?.exists((attempt, from, until))?)
    }

    /// Shows the rows of a statement that yields number and bytes.
    pub(crate) fn rows<E: From<ReadError>>(
        &self,
        sql: &str,
        params: impl Params,
        mut visit: impl FnMut(Seq, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut statement = self.conn.prepare_cached(sql).map_err(ReadError::from)?;
        let mut rows = statement.query(params).map_err(ReadError::from)?;
        while let Some(row) = rows.next().map_err(ReadError::from)? {
            let seq = row.get::<_, i64>(0).map_err(ReadError::from)?.cast_unsigned();
            let body = row.get_ref(1).map_err(ReadError::from)?;
            visit(seq, body.as_blob().map_err(|e| ReadError::from(rusqlite::Error::from(e)))?)?;
        }
        Ok(())
    }
}
