//! `keystation audit list`: files for people and other programs, read-only.

use std::path::Path;

use keystation::report::{self, Format, Listed, NewFile};
use keystation::{DataDir, Exit, StationError, paths};
use keystation_audit::{Query, Reader};
use serde_json::json;

use super::args::ListFormat;
use super::output::Output;

/// Writes the attempts that are searched for.
pub(super) fn list(
    data: &DataDir,
    words: &[String],
    format: ListFormat,
    file: &Path,
    out: Output,
) -> Result<Exit, StationError> {
    let query = Query::parse(&words.join(" "))?;
    let reader = Reader::open(&paths(data))?;
    let format = match format {
        ListFormat::Csv => Format::Csv,
        ListFormat::Jsonl => Format::JsonLines,
    };
    let Listed { rows, records } = report::list(&reader, &query, format, NewFile::create(file)?)?;
    out.say(
        format!("{rows} attempts, out of {records} records, written to {}.", file.display()),
        &json!({ "event": "list", "rows": rows, "records": records, "file": file }),
    );
    Ok(Exit::Done)
}
