//! One row for each attempt, for a spreadsheet (CSV) or an MES (JSON Lines). `docs/exports.md` describes both.

use std::borrow::Cow;
use std::io::Write;
use std::path::Path;

use keystation_audit::{Attempt, Query, Reader, Record};
use serde_json::{Map, Value, json};

use crate::error::StationError;
use crate::report::file::{NewFile, OutError};
use crate::training::MARK;

/// How a list is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// RFC 4180, UTF-8, a header row, no cell that a spreadsheet would take for a formula.
    Csv,
    /// One JSON object on each line, numbers as numbers, values as the log has them.
    JsonLines,
}

/// What a list holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listed {
    /// Attempts.
    pub rows: u64,
    /// Records that the log had at that moment.
    pub records: u64,
}

/// The columns, in their order.
const COLUMNS: [&str; 20] = [
    "log",
    "record",
    "time",
    "id",
    "mac",
    "serial",
    "job",
    "operator",
    "key",
    "check_value",
    "mode",
    "outcome",
    "code",
    "holds",
    "verified",
    "cycle_ms",
    "outcome_record",
    "approver",
    "reason",
    "firmware",
];

/// Writes every attempt that fits `query`, newest first, to `file`: all of one moment of the log. Refuses a log that
/// does not agree with its head. Needs the memory of a few hundred rows, however many there are.
pub fn list(
    reader: &Reader,
    query: &Query,
    format: Format,
    mut file: NewFile,
) -> Result<Listed, StationError> {
    let moment = reader.snapshot()?;
    let records = moment.checkpoint().size;
    if moment.checkpoint().origin.is_training() {
        let mark = match format {
            Format::Csv => format!("{}\r\n", MARK.replace(',', ";")),
            Format::JsonLines => format!("{}\n", json!({ "TRAINING": MARK })),
        };
        let written = file.write_all(mark.as_bytes());
        written.map_err(|cause| OutError::Disk { path: file.path().to_owned(), cause })?;
    }
    let rows = match format {
        Format::Csv => csv(reader, query, &mut file)?,
        Format::JsonLines => json_lines(reader, query, &mut file)?,
    };
    file.keep()?;
    Ok(Listed { rows, records })
}

fn csv(reader: &Reader, query: &Query, file: &mut NewFile) -> Result<u64, StationError> {
    let unwritten = unwritten(file.path());
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(file);
    writer.write_record(COLUMNS).map_err(&unwritten)?;
    let mut rows = 0;
    reader.attempts(query, |attempt, record| {
        let cells = row(attempt, record).map(|cell| match cell {
            Value::Null => String::new(),
            Value::String(text) => harmless(&text).into_owned(),
            number => number.to_string(),
        });
        rows += 1;
        writer.write_record(&cells).map_err(&unwritten)
    })?;
    writer.flush().map_err(|e| unwritten(e.into()))?;
    Ok(rows)
}

fn json_lines(reader: &Reader, query: &Query, file: &mut NewFile) -> Result<u64, StationError> {
    let unwritten = unwritten(file.path());
    let mut rows = 0;
    reader.attempts(query, |attempt, record| {
        let object: Map<_, _> = COLUMNS.map(str::to_owned).into_iter().zip(row(attempt, record)).collect();
        rows += 1;
        writeln!(file, "{}", Value::Object(object)).map_err(|e| unwritten(e.into()))
    })?;
    Ok(rows)
}

/// The values of [`COLUMNS`]. What was not observed is never left to be guessed: an outcome is `open` and what the
/// device holds `unknown` until somebody has seen it, and a device whose key was not proven is verified by `none`.
fn row(attempt: &Attempt, record: &Record<'_>) -> [Value; 20] {
    let own = |field| record.text(field).map_or(Value::Null, |text| json!(text));
    let outcome = attempt.outcome.as_ref();
    let refused = attempt.mode == "refused";
    let came = outcome.map_or(if refused { "refused" } else { "open" }, |outcome| &outcome.rc);
    let holds = outcome.map_or(if refused { "untouched" } else { "unknown" }, |outcome| &outcome.holds);
    let verified = outcome.map(|outcome| outcome.verified.as_str()).filter(|how| !how.is_empty());
    [
        json!(record.log()),
        json!(attempt.seq),
        json!(record.time()),
        json!(attempt.rid),
        json!(dashed(&attempt.mac)),
        json!(attempt.serial),
        json!(attempt.job),
        json!(attempt.operator),
        json!(attempt.key),
        json!(record.text("gkcv").map_or(String::new(), |digits| check_value(&digits))),
        json!(attempt.mode),
        json!(came),
        json!(outcome.map_or(&attempt.code, |outcome| &outcome.code)),
        json!(holds),
        json!(verified.unwrap_or("none")),
        json!(outcome.and_then(|outcome| outcome.took_ms)),
        json!(outcome.map(|outcome| outcome.seq)),
        json!(record.approver()),
        own("reason"),
        own("fw"),
    ]
}

/// `a1-b2-c3-d4-e5-f6`: with dashes it is a text for a spreadsheet too, where 112233445566 would be a number, and
/// 12345678e901 infinite.
pub(crate) fn dashed(mac: &str) -> String {
    let pairs = mac.as_bytes().chunks(2).map(|pair| String::from_utf8_lossy(pair).into_owned());
    pairs.collect::<Vec<_>>().join("-")
}

/// `9B5BD-BEC8B`, as people read it out and a spreadsheet takes it for no number.
pub(crate) fn check_value(digits: &str) -> String {
    digits.split_at_checked(5).map_or_else(|| digits.to_owned(), |(head, tail)| format!("{head}-{tail}"))
}

/// `text` as no spreadsheet takes it for a formula: serial numbers come from devices, and a device may call itself
/// `=HYPERLINK(…)`. Such a text gets an apostrophe in front, and so does one that begins with an apostrophe: whoever
/// reads the file with a program takes one apostrophe off where there is one, and has the text again.
pub(crate) fn harmless(text: &str) -> Cow<'_, str> {
    // A sign counts behind blanks too, and in the wide form that East Asian keyboards type.
    let first = text.trim_start_matches([' ', '\u{a0}', '\u{3000}']).chars().next();
    let formula = matches!(first, Some('=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '\0' | '|' | '%'))
        || matches!(first, Some('＝' | '＋' | '－' | '＠'));
    if formula || text.starts_with('\'') { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) }
}

pub(crate) fn unwritten(path: &Path) -> impl Fn(csv::Error) -> StationError + use<> {
    let path = path.to_owned();
    move |error| {
        let cause = match error.into_kind() {
            csv::ErrorKind::Io(cause) => cause,
            other => std::io::Error::other(format!("{other:?}")),
        };
        OutError::Disk { path: path.clone(), cause }.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a program does with a cell.
    fn read_back(cell: &str) -> &str {
        cell.strip_prefix('\'').unwrap_or(cell)
    }

    #[test]
    fn no_cell_is_a_formula_and_every_cell_reads_back() {
        let hostile = [
            "=HYPERLINK(\"http://x\",\"a\")",
            "=cmd|' /C calc'!A0",
            "+1+1",
            "-2+3",
            "@SUM(1)",
            "\t=1",
            "\r=1",
            "\n=1",
            " =1",
            "\u{a0}=1",
            "＝1",
            "＋1",
            "－1",
            "＠x",
            "'=1",
            "''",
            "'",
            "|calc",
        ];
        for text in hostile {
            let cell = harmless(text);
            assert!(cell.starts_with('\''), "{text:?}");
            assert_eq!(read_back(&cell), text);
        }
        for text in ["", "SN-0001", "a=1", "0001", "Grüße", "a'b", "007-888-abc", "\"quoted\"", "a,b"] {
            assert_eq!(harmless(text), text);
            assert_eq!(read_back(&harmless(text)), text);
        }
    }

    #[test]
    fn addresses_and_check_values_are_texts_for_a_spreadsheet() {
        assert_eq!(dashed("112233445566"), "11-22-33-44-55-66");
        assert_eq!(dashed(""), "");
        assert_eq!(check_value("12345E6789"), "12345-E6789");
        assert_eq!(check_value("odd"), "odd");
    }
}
