//! One record: the common fields and those of its event, as canonical JSON.

use std::borrow::Cow;
use std::str;

use jiff::Timestamp;
use jiff::civil;
use keystation_core::record::{Entry, Seq, Value};

use crate::clock::{BootId, Stamp};
use crate::json::{self, Raw};
use crate::origin::Origin;

/// The version of the record format, the field `v`.
pub(crate) const VERSION: i64 = 1;

/// The fields of every record, in the order in which they stand.
const COMMON: [&str; 12] = ["boot", "ev", "log", "mono", "op", "op2", "rc", "role", "seq", "ses", "t", "v"];
const BOOT: usize = 0;
const EV: usize = 1;
const LOG: usize = 2;
const MONO: usize = 3;
const OP: usize = 4;
const OP2: usize = 5;
const RC: usize = 6;
const ROLE: usize = 7;
const SEQ: usize = 8;
const SES: usize = 9;
const T: usize = 10;
const V: usize = 11;

/// Bytes or an entry that are no record. `at` counts bytes from 0.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// Fewer than 2 or more than 4096 bytes.
    #[error("it has {bytes} bytes, a record has 2 to 4096")]
    Size {
        /// How many.
        bytes: usize,
    },
    /// Not UTF-8.
    #[error("byte {at} is not UTF-8")]
    Encoding {
        /// The first byte that does not fit.
        at: usize,
    },
    /// Not JSON, or not its canonical spelling.
    #[error("byte {at} is not canonical JSON")]
    Syntax {
        /// The first byte that does not fit.
        at: usize,
    },
    /// The keys do not ascend, or one stands twice.
    #[error("the key at byte {at} is out of order or stands twice")]
    KeyOrder {
        /// Where the key begins.
        at: usize,
    },
    /// A number with a leading zero, a fraction, or beyond ±(2^53 − 1).
    #[error("the number at byte {at} is not a canonical whole number")]
    Number {
        /// Where the number begins.
        at: usize,
    },
    /// A common field is missing, of the wrong type, or has a value that it cannot have.
    #[error("the field `{0}` is missing or has a value that it cannot have")]
    Field(&'static str),
    /// An event has a field of this name, and so have all records, or it has it twice.
    #[error("the field `{0}` would stand twice")]
    FieldTwice(String),
    /// A number that is written is beyond ±(2^53 − 1).
    #[error("the number {0} is beyond 2^53")]
    TooGreat(i64),
}

/// A record in its canonical form, read out of the bytes that are stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record<'a> {
    /// The bytes.
    json: &'a str,
    /// All fields, in the order of their keys.
    fields: Vec<(&'a str, Raw<'a>)>,
    /// Where in `fields` each of [`COMMON`] stands.
    common: [u8; 12],
}

impl<'a> Record<'a> {
    /// Reads a record. Refuses every spelling but the canonical one, and values that a common field cannot have.
    /// Events and fields that this program does not know are read all the same.
    pub fn parse(body: &'a [u8]) -> Result<Self, RecordError> {
        Self::parse_of(body, None)
    }

    /// The same, sparing itself a look at the origin where that is `log`.
    pub(crate) fn parse_of(body: &'a [u8], log: Option<&Origin>) -> Result<Self, RecordError> {
        let (json, fields) = json::read(body)?;
        let mut common = [0; 12];
        let mut known = 0;
        for (index, (key, _)) in fields.iter().enumerate() {
            if known < COMMON.len() && *key == COMMON[known] {
                common[known] = u8::try_from(index).map_err(|_| RecordError::Field(COMMON[known]))?;
                known += 1;
            }
        }
        if known < COMMON.len() {
            return Err(RecordError::Field(COMMON[known]));
        }
        let record = Self { json, fields, common };
        record.check(log)?;
        Ok(record)
    }

    fn check(&self, log: Option<&Origin>) -> Result<(), RecordError> {
        let hold =
            |index: usize, fits: bool| if fits { Ok(()) } else { Err(RecordError::Field(COMMON[index])) };
        for index in [V, SEQ, MONO] {
            hold(index, matches!(self.common(index), Raw::Number(0..)))?;
        }
        for index in [BOOT, EV, LOG, OP, OP2, RC, ROLE, SES, T] {
            hold(index, matches!(self.common(index), Raw::Text(_)))?;
        }
        hold(V, self.common(V) == Raw::Number(VERSION))?;
        hold(BOOT, self.raw(BOOT).parse::<BootId>().is_ok())?;
        let known = log.is_some_and(|log| log.as_str() == self.raw(LOG));
        hold(LOG, known || Origin::new(self.raw(LOG)).is_ok())?;
        hold(T, is_time(self.raw(T)))?;
        hold(
            EV,
            self.raw(EV)
                .split('.')
                .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase())),
        )?;
        hold(RC, self.raw(RC).bytes().all(|b| b.is_ascii_lowercase() || b == b'_'))
    }

    fn common(&self, index: usize) -> Raw<'a> {
        self.fields[usize::from(self.common[index])].1
    }

    /// A common text as it stands.
    fn raw(&self, index: usize) -> &'a str {
        match self.common(index) {
            Raw::Text(raw) => raw,
            Raw::Number(_) => "",
        }
    }

    fn number(&self, index: usize) -> u64 {
        match self.common(index) {
            Raw::Number(number) => number.unsigned_abs(),
            Raw::Text(_) => 0,
        }
    }

    /// The record as it is stored: one JSON object.
    #[must_use]
    pub const fn json(&self) -> &'a str {
        self.json
    }

    /// Its number in the log.
    #[must_use]
    pub fn seq(&self) -> Seq {
        self.number(SEQ)
    }

    /// The origin of its log.
    #[must_use]
    pub fn log(&self) -> &'a str {
        self.raw(LOG)
    }

    /// When, UTC: `2026-11-22T02:14:03.123Z`.
    #[must_use]
    pub fn time(&self) -> &'a str {
        self.raw(T)
    }

    /// When, milliseconds since 1970-01-01T00:00:00Z, leap seconds not counted (POSIX).
    #[must_use]
    pub fn utc_ms(&self) -> i64 {
        utc_ms(self.raw(T)).expect("it was read when the record was")
    }

    /// When, told twice.
    pub(crate) fn stamp(&self) -> Stamp {
        let boot = self.raw(BOOT).parse().expect("it was read when the record was");
        Stamp { utc_ms: self.utc_ms(), mono_ms: self.mono(), boot }
    }

    /// When, milliseconds since the machine was started.
    #[must_use]
    pub fn mono(&self) -> u64 {
        self.number(MONO)
    }

    /// Which start of the machine, a UUID.
    #[must_use]
    pub fn boot(&self) -> &'a str {
        self.raw(BOOT)
    }

    /// The session.
    #[must_use]
    pub fn session(&self) -> Cow<'a, str> {
        json::unescape(self.raw(SES))
    }

    /// Who, or empty.
    #[must_use]
    pub fn operator(&self) -> Cow<'a, str> {
        json::unescape(self.raw(OP))
    }

    /// The second person, or empty.
    #[must_use]
    pub fn approver(&self) -> Cow<'a, str> {
        json::unescape(self.raw(OP2))
    }

    /// In which role.
    #[must_use]
    pub fn role(&self) -> Cow<'a, str> {
        json::unescape(self.raw(ROLE))
    }

    /// What happened, for example `inject.intent`.
    #[must_use]
    pub fn event(&self) -> &'a str {
        self.raw(EV)
    }

    /// What came of it: `ok`, the class of a failure, or empty.
    #[must_use]
    pub fn rc(&self) -> &'a str {
        self.raw(RC)
    }

    /// The text of a field, if there is such a field and it is a text.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<Cow<'a, str>> {
        self.raw_text(key).map(json::unescape)
    }

    /// The whole number of a field, if there is such a field and it is one.
    #[must_use]
    pub fn integer(&self, key: &str) -> Option<i64> {
        match self.find(key)? {
            Raw::Number(number) => Some(number),
            Raw::Text(_) => None,
        }
    }

    /// The fields that are the event's own, in the order of their keys.
    pub fn own(&self) -> impl Iterator<Item = (&'a str, Value)> {
        self.fields.iter().filter(|(key, _)| !COMMON.contains(key)).map(|(key, raw)| (*key, raw.value()))
    }

    /// The text of a field as it stands, escapes and all.
    pub(crate) fn raw_text(&self, key: &str) -> Option<&'a str> {
        match self.find(key)? {
            Raw::Text(raw) => Some(raw),
            Raw::Number(_) => None,
        }
    }

    fn find(&self, key: &str) -> Option<Raw<'a>> {
        // Thirty short keys: one after the other is faster than halving, which compares texts each time.
        let is_it =
            |k: &str| k.len() == key.len() && k.as_bytes().first() == key.as_bytes().first() && k == key;
        self.fields.iter().find(|(k, _)| is_it(k)).map(|(_, raw)| *raw)
    }
}

/// The bytes of the record that `entry` becomes as number `seq` of `origin` at the time of `stamp`.
pub(crate) fn encode(entry: &Entry, seq: Seq, origin: &Origin, stamp: Stamp) -> Result<Vec<u8>, RecordError> {
    let Entry { actor, event } = entry;
    let count = |number: u64, field| i64::try_from(number).map_err(|_| RecordError::Field(field));
    let mut fields = event.fields();
    fields.extend([
        (COMMON[V], Value::Number(VERSION)),
        (COMMON[SEQ], Value::Number(count(seq, "seq")?)),
        (COMMON[MONO], Value::Number(count(stamp.mono_ms, "mono")?)),
        (COMMON[LOG], origin.as_str().into()),
        (COMMON[T], stamp.time()?.into()),
        (COMMON[BOOT], stamp.boot.as_str().into()),
        (COMMON[SES], actor.session.as_str().into()),
        (COMMON[OP], actor.operator.as_str().into()),
        (COMMON[OP2], event.approver().into()),
        (COMMON[ROLE], actor.role.as_str().into()),
        (COMMON[EV], event.name().into()),
        (COMMON[RC], event.rc().into()),
    ]);
    json::write(&mut fields)
}

/// `YYYY-MM-DDThh:mm:ss.sssZ`, always 24 characters.
pub(crate) fn time(utc_ms: i64) -> Result<String, RecordError> {
    let moment = Timestamp::from_millisecond(utc_ms).map_err(|_| RecordError::Field("t"))?;
    let text = format!("{moment:.3}");
    if is_time(&text) { Ok(text) } else { Err(RecordError::Field("t")) }
}

/// Whether a text is a day that the calendar has: `YYYY-MM-DD`.
pub(crate) fn is_day(text: &str) -> bool {
    text.len() == 10 && is_time(&format!("{text}T00:00:00.000Z"))
}

fn is_time(text: &str) -> bool {
    moment(text).is_some()
}

/// What [`time`] writes, in milliseconds since 1970-01-01T00:00:00Z.
pub(crate) fn utc_ms(text: &str) -> Option<i64> {
    let since = moment(text)?.duration_since(civil::DateTime::constant(1970, 1, 1, 0, 0, 0, 0));
    Some(i64::try_from(since.as_millis()).expect("ten thousand years are fewer"))
}

/// A leap second (`:60`) is refused: the clocks that stamp records count none.
fn moment(text: &str) -> Option<civil::DateTime> {
    let bytes = text.as_bytes();
    let shape = b"0000-00-00T00:00:00.000Z";
    let fits = bytes.len() == shape.len()
        && bytes.iter().zip(shape).all(|(b, s)| if *s == b'0' { b.is_ascii_digit() } else { b == s });
    if !fits {
        return None;
    }
    let part = |range: std::ops::Range<usize>| {
        bytes[range].iter().fold(0i16, |number, digit| number * 10 + i16::from(digit - b'0'))
    };
    let small = |range| i8::try_from(part(range)).unwrap_or(-1);
    let nanoseconds = i32::from(part(20..23)) * 1_000_000;
    civil::DateTime::new(
        part(0..4),
        small(5..7),
        small(8..10),
        small(11..13),
        small(14..16),
        small(17..19),
        nanoseconds,
    )
    .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_has_milliseconds_and_24_characters() {
        assert_eq!(time(1_795_313_643_123).unwrap(), "2026-11-22T02:14:03.123Z");
        assert_eq!(time(0).unwrap(), "1970-01-01T00:00:00.000Z");
        assert_eq!(time(1_582_934_400_000).unwrap(), "2020-02-29T00:00:00.000Z");
        for ms in [1_795_313_643_123, 0, 1_582_934_400_000, -1] {
            let text = time(ms).unwrap();
            let since = moment(&text).unwrap().duration_since(civil::date(1970, 1, 1).at(0, 0, 0, 0));
            assert_eq!(since.as_millis(), i128::from(ms));
        }
        for out_of_range in [i64::MIN, i64::MAX, -70_000_000_000_000_000] {
            assert_eq!(time(out_of_range), Err(RecordError::Field("t")));
        }
    }

    #[test]
    fn time_that_no_calendar_has_is_refused() {
        for text in [
            "2026-02-29T00:00:00.000Z",
            "2026-13-01T00:00:00.000Z",
            "2026-01-01T24:00:00.000Z",
            "2016-12-31T23:59:60.000Z",
            "2026-01-01T00:00:00Z",
            "2026-01-01 00:00:00.000Z",
            "2026-01-01T00:00:00.000z",
        ] {
            assert!(!is_time(text), "{text}");
        }
    }
}
