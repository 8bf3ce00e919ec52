//! Finding devices: by what they are, who keyed them, when, under which key, and what came of it.

use std::collections::BTreeSet;
use std::fmt;

use jiff::civil;
use keystation_core::failure::Code;
use keystation_core::identity::Mac;
use keystation_core::record::Seq;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, params_from_iter};

use crate::reader::ReadError;
use crate::record::Record;

/// Milliseconds of a day of UTC.
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// What can be searched by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// MAC address, in any spelling.
    Mac,
    /// Serial number, as the device says it.
    Serial,
    /// Registration ID.
    Id,
    /// Work order.
    Job,
    /// Operator ID.
    Operator,
    /// Label of the group key.
    Key,
    /// `ok`, the class of a failure such as `timeout`, `refused`, or `open` while nobody has seen the outcome.
    Outcome,
}

impl Field {
    /// All of them, in the order in which a word without a field is tried.
    pub const ALL: [Self; 7] =
        [Self::Mac, Self::Id, Self::Serial, Self::Job, Self::Key, Self::Operator, Self::Outcome];

    /// The word before the colon.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mac => "mac",
            Self::Serial => "sn",
            Self::Id => "id",
            Self::Job => "job",
            Self::Operator => "op",
            Self::Key => "key",
            Self::Outcome => "outcome",
        }
    }

    const fn column(self) -> &'static str {
        match self {
            Self::Mac => "mac",
            Self::Serial => "sn",
            Self::Id => "rid",
            Self::Job => "job",
            Self::Operator => "op",
            Self::Key => "gk",
            Self::Outcome => "rc",
        }
    }

    /// A value as the column holds it.
    fn value(self, text: &str) -> String {
        match self {
            Self::Mac => {
                text.chars().filter(char::is_ascii_hexdigit).collect::<String>().to_ascii_lowercase()
            }
            Self::Id => text.to_ascii_lowercase(),
            _ => text.to_owned(),
        }
    }
}

/// What to look for. Everything that is named must hold; nothing named finds all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// Fields and the values that they have, each at most once.
    pub terms: Vec<(Field, String)>,
    /// A word whose field has to be found out: [`Reader::resolve`](crate::Reader::resolve).
    pub word: Option<String>,
    /// Not before this moment, UTC, milliseconds since 1970.
    pub from: Option<i64>,
    /// Before this moment.
    pub until: Option<i64>,
}

/// A search that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// No such field.
    #[error("there is no field `{0}:`; there are mac, sn, id, job, op, key, outcome, from and to")]
    Field(String),
    /// A field with nothing behind it.
    #[error("`{0}:` needs a value behind the colon")]
    Empty(String),
    /// A field twice, or two words.
    #[error("`{0}` is one too many: each field may stand once, and one word without a field")]
    Twice(String),
    /// Not a MAC address. One that is cut short would find nothing, and look as if there were nothing.
    #[error(
        "`{0}` is not a MAC address: it has twelve hexadecimal digits, with -, :, . or nothing between them"
    )]
    Mac(String),
    /// No such outcome.
    #[error("there is no outcome `{0}`; there are open, ok, {known}", known = Outcomes)]
    Outcome(String),
    /// Not a day.
    #[error("`{0}` is not a day: write it as 2026-11-22")]
    Day(String),
}

impl Query {
    /// Reads what was typed: `mac:a1-b2-c3-d4-e5-f6 job:WO-44192 from:2026-11-01 to:2026-11-30`, in any order, and one
    /// word without a field. Days are days of UTC, and both belong to the period.
    pub fn parse(text: &str) -> Result<Self, QueryError> {
        let mut query = Self::default();
        for part in text.split_whitespace() {
            match part.split_once(':') {
                Some((name, "")) => return Err(QueryError::Empty(name.to_owned())),
                Some(("from", day)) => once(&mut query.from, day_ms(day)?, part)?,
                Some(("to", day)) => once(&mut query.until, day_ms(day)? + DAY_MS, part)?,
                Some((name, value)) => match Field::ALL.into_iter().find(|field| field.as_str() == name) {
                    Some(field) => query.term(field, value)?,
                    // A MAC address with colons, typed as it stands on the label.
                    None if is_mac(part) => query.term(Field::Mac, part)?,
                    None => return Err(QueryError::Field(name.to_owned())),
                },
                None => once(&mut query.word, part.to_owned(), part)?,
            }
        }
        Ok(query)
    }

    fn term(&mut self, field: Field, value: &str) -> Result<(), QueryError> {
        if self.terms.iter().any(|(known, _)| *known == field) {
            return Err(QueryError::Twice(format!("{}:{value}", field.as_str())));
        }
        match field {
            Field::Mac if value.parse::<Mac>().is_err() => return Err(QueryError::Mac(value.to_owned())),
            Field::Outcome if !matches!(value, "ok" | "open") && !classes().any(|class| class == value) => {
                return Err(QueryError::Outcome(value.to_owned()));
            }
            _ => {}
        }
        self.terms.push((field, value.to_owned()));
        Ok(())
    }
}

fn once<T>(place: &mut Option<T>, value: T, part: &str) -> Result<(), QueryError> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(QueryError::Twice(part.to_owned())),
    }
}

/// The classes of failures that records have.
fn classes() -> impl Iterator<Item = &'static str> {
    let all: BTreeSet<_> = Code::ALL.iter().map(|code| code.rc()).collect();
    all.into_iter()
}

/// [`classes`] as a list, for people.
struct Outcomes;

impl fmt::Display for Outcomes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&classes().collect::<Vec<_>>().join(", "))
    }
}

fn is_mac(text: &str) -> bool {
    text.len() == 17 && text.split(':').all(|byte| byte.len() == 2 && u8::from_str_radix(byte, 16).is_ok())
}

fn day_ms(text: &str) -> Result<i64, QueryError> {
    let day: civil::Date = text.parse().map_err(|_| QueryError::Day(text.to_owned()))?;
    let since = day.at(0, 0, 0, 0).duration_since(civil::DateTime::constant(1970, 1, 1, 0, 0, 0, 0));
    i64::try_from(since.as_millis()).map_err(|_| QueryError::Day(text.to_owned()))
}

/// A device that was on a port: an intent with what came of it, or a refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The record.
    pub seq: Seq,
    /// When, UTC, milliseconds since 1970.
    pub time_ms: i64,
    /// Registration ID; this and the next two are empty where the device could not say.
    pub rid: String,
    /// MAC address, twelve hexadecimal digits.
    pub mac: String,
    /// Serial number.
    pub serial: String,
    /// Work order, or empty.
    pub job: String,
    /// Operator ID.
    pub operator: String,
    /// Label of the group key; empty for a refusal.
    pub key: String,
    /// Port with its USB path.
    pub port: String,
    /// `new`, `rekey` or `refused`.
    pub mode: String,
    /// Why a device was refused; empty for an intent.
    pub code: String,
    /// What came of an intent, as far as it is known.
    pub outcome: Option<AttemptOutcome>,
}

/// The last outcome of an intent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptOutcome {
    /// The record.
    pub seq: Seq,
    /// `ok`, or the class of the failure.
    pub rc: String,
    /// The failure, or empty.
    pub code: String,
    /// What the device holds: `new`, `old`, `unknown`.
    pub holds: String,
    /// How that was verified: `challenge`, or empty for not at all.
    pub verified: String,
    /// Milliseconds from the intent to this; `None` where it was found out later.
    pub took_ms: Option<u64>,
}

/// Some of what was found, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The rows.
    pub rows: Vec<Attempt>,
    /// Whether there are older ones: ask again with the `seq` of the last row.
    pub more: bool,
}

/// Newest first by time. `before` is the record of the last row of the page before.
pub(crate) fn search(
    conn: &Connection,
    query: &Query,
    before: Option<Seq>,
    limit: u32,
) -> Result<Page, ReadError> {
    let mut terms = query.terms.clone();
    if let Some(word) = &query.word {
        let Some(field) = resolve(conn, word)? else { return Ok(Page { rows: Vec::new(), more: false }) };
        terms.push((field, word.clone()));
    }
    let mut values: Vec<Value> = Vec::new();
    let mut put = |value: Value| {
        values.push(value);
        values.len()
    };
    let mut conditions = String::from("1");
    for (field, text) in terms {
        let number = put(field.value(&text).into());
        conditions.push_str(&format!(" AND {} = ?{number}", field.column()));
    }
    if let Some(from) = query.from {
        conditions.push_str(&format!(" AND t >= ?{}", put(from.into())));
    }
    if let Some(until) = query.until {
        conditions.push_str(&format!(" AND t < ?{}", put(until.into())));
    }
    if let Some(before) = before {
        let number = put(before.cast_signed().into());
        let t = format!("(SELECT t FROM sighting WHERE seq = ?{number})");
        conditions.push_str(&format!(" AND t <= {t} AND (t < {t} OR seq < ?{number})"));
    }
    let rows = put((i64::from(limit) + 1).into());
    let sql = format!(
        "SELECT seq, t, rid, mac, sn, job, op, gk, port, mode, code, mono FROM sighting
         WHERE {conditions} ORDER BY t DESC, seq DESC LIMIT ?{rows}"
    );
    let mut statement = conn.prepare_cached(&sql)?;
    let found = statement.query_map(params_from_iter(values), |row| Ok((attempt(row)?, row.get(11)?)))?;
    let mut rows = Vec::new();
    for found in found {
        let (mut attempt, mono) = found?;
        attempt.outcome = outcome(conn, attempt.seq, mono)?;
        rows.push(attempt);
    }
    let more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    Ok(Page { rows, more })
}

/// Rows of a page that nobody waits for: few enough that their memory does not count.
const STRIDE: u32 = 512;

/// Every row with its record, newest first.
pub(crate) fn each<E: From<ReadError>>(
    conn: &Connection,
    query: &Query,
    mut visit: impl FnMut(&Attempt, &Record<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let mut before = None;
    loop {
        let page = search(conn, query, before, STRIDE)?;
        for row in &page.rows {
            let body = stored_record(conn, row.seq).map_err(ReadError::from)?;
            let record = Record::parse(&body).map_err(|why| ReadError::NotARecord { seq: row.seq, why })?;
            visit(row, &record)?;
        }
        match page.rows.last() {
            Some(last) if page.more => before = Some(last.seq),
            _ => return Ok(()),
        }
    }
}

fn stored_record(conn: &Connection, seq: Seq) -> Result<Vec<u8>, rusqlite::Error> {
    conn.prepare_cached("SELECT body FROM log WHERE seq = ?1")?
        .query_row([seq.cast_signed()], |row| row.get(0))
}

/// The field in which the log has this value.
pub(crate) fn resolve(conn: &Connection, word: &str) -> Result<Option<Field>, ReadError> {
    for field in Field::ALL {
        let value = field.value(word);
        // Any word has some hexadecimal digits; only twelve of them are an address.
        if field == Field::Mac && value.len() != 12 {
            continue;
        }
        let sql = format!("SELECT 1 FROM sighting WHERE {} = ?1", field.column());
        if conn.prepare_cached(&sql)?.exists([value])? {
            return Ok(Some(field));
        }
    }
    Ok(None)
}

fn attempt(row: &Row<'_>) -> Result<Attempt, rusqlite::Error> {
    Ok(Attempt {
        seq: row.get::<_, i64>(0)?.cast_unsigned(),
        time_ms: row.get(1)?,
        rid: row.get(2)?,
        mac: row.get(3)?,
        serial: row.get(4)?,
        job: row.get(5)?,
        operator: row.get(6)?,
        key: row.get(7)?,
        port: row.get(8)?,
        mode: row.get(9)?,
        code: row.get(10)?,
        outcome: None,
    })
}

/// The last outcome of an intent that was made `began` milliseconds after the start of the machine.
fn outcome(conn: &Connection, intent: Seq, began: i64) -> Result<Option<AttemptOutcome>, rusqlite::Error> {
    conn.prepare_cached(
        "SELECT seq, rc, code, holds, vmode, mono, later FROM outcome WHERE intent = ?1 ORDER BY seq DESC LIMIT 1",
    )?
    .query_row([intent.cast_signed()], |row| {
        let (ended, later): (i64, bool) = (row.get(5)?, row.get(6)?);
        // Found out later, perhaps after a restart of the machine, whose count begins anew.
        let took = (!later).then(|| u64::try_from(ended - began).ok()).flatten();
        Ok(AttemptOutcome {
            seq: row.get::<_, i64>(0)?.cast_unsigned(),
            rc: row.get(1)?,
            code: row.get(2)?,
            holds: row.get(3)?,
            verified: row.get(4)?,
            took_ms: took,
        })
    })
    .optional()
}
