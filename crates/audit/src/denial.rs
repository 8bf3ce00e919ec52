//! What somebody asked for and was not permitted: the records `policy.refuse`.

use keystation_core::record::Seq;

use crate::projection;
use crate::reader::{ReadError, Reader};
use crate::record::{Record, RecordError};

/// How a body says what it is. Within a text every quotation mark has a backslash before it, so no text can look like this.
const MARK: &[u8] = br#""ev":"policy.refuse""#;
/// Records that one page looks through. A page of a log without refusals ends, too.
const SPAN: u64 = 100_000;

/// Somebody asked for something and was not permitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denial {
    /// Its record.
    pub seq: Seq,
    /// When, UTC, milliseconds since 1970.
    pub time_ms: i64,
    /// Operator ID; empty where nobody was signed in.
    pub operator: String,
    /// The roles that the person had then, or empty.
    pub role: String,
    /// The word of the action.
    pub action: String,
    /// What it was about, or empty.
    pub what: String,
    /// The reason, a word such as `role`.
    pub why: String,
}

/// Some of the refusals, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denials {
    /// Perhaps none, although there are older ones.
    pub rows: Vec<Denial>,
    /// Where to go on, if there is anything older: ask again for what is before this record.
    pub next: Option<Seq>,
}

impl Denial {
    fn read(record: &Record<'_>) -> Result<Self, RecordError> {
        let text = |key| record.text(key).map(|text| text.into_owned()).ok_or(RecordError::Field(key));
        Ok(Self {
            seq: record.seq(),
            time_ms: record.utc_ms(),
            operator: record.operator().into_owned(),
            role: record.role().into_owned(),
            action: text("action")?,
            what: text("what")?,
            why: text("why")?,
        })
    }
}

impl Reader {
    /// Denials, newest first: at most `limit` of them, older than record `before`. Looks through 100 000 records at most, and
    /// says where to go on.
    pub fn denials(&self, before: Option<Seq>, limit: u32) -> Result<Denials, ReadError> {
        let (_, newest) = projection::tally(&self.conn, "policy.refuse", "refused")?;
        let end = newest.map_or(0, |newest| newest + 1);
        let end = before.map_or(end, |before| before.min(end));
        let start = end.saturating_sub(SPAN);
        let mut statement = self.conn.prepare_cached(
            "SELECT seq, body FROM log WHERE seq >= ?1 AND seq < ?2 AND instr(body, ?3) ORDER BY seq DESC LIMIT ?4",
        )?;
        let mut found = statement.query((start.cast_signed(), end.cast_signed(), MARK, limit))?;
        let mut rows = Vec::new();
        while let Some(row) = found.next()? {
            let seq = row.get::<_, i64>(0)?.cast_unsigned();
            let body = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
            let denial = Record::parse(body).and_then(|record| Denial::read(&record));
            rows.push(denial.map_err(|why| ReadError::NotARecord { seq, why })?);
        }
        let looked_through = match rows.last() {
            Some(last) if rows.len() == limit as usize => last.seq,
            _ => start,
        };
        Ok(Denials { rows, next: (looked_through > 0).then_some(looked_through) })
    }

    /// How many refusals there are from record `from` on. Reads each of these records, unless there is none or they are all.
    pub fn denials_since(&self, from: Seq) -> Result<u64, ReadError> {
        let (count, newest) = projection::tally(&self.conn, "policy.refuse", "refused")?;
        let Some(newest) = newest.filter(|newest| *newest >= from) else { return Ok(0) };
        if from == 0 {
            return Ok(count);
        }
        let mut statement = self
            .conn
            .prepare_cached("SELECT count(*) FROM log WHERE seq BETWEEN ?1 AND ?2 AND instr(body, ?3)")?;
        let range = (from.cast_signed(), newest.cast_signed(), MARK);
        Ok(statement.query_row(range, |row| row.get::<_, i64>(0))?.cast_unsigned())
    }
}
