//! `keystation audit list`, `sheet` and `report`: files for people and other programs.

use std::path::Path;

use keystation::files::read_text;
use keystation::people::Action;
use keystation::report::{self, Format, Judgement, Listed, Made, NewFile};
use keystation::{DataDir, Exit, StationError, paths};
use keystation_audit::{Query, Reader, VerifierKey};
use serde_json::json;

use super::args::ListFormat;
use super::output::Output;
use super::session::Bench;

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

/// Writes the job sheet.
pub(super) fn sheet(data: &DataDir, job: &str, file: &Path, out: Output) -> Result<Exit, StationError> {
    let records = report::job_sheet(&Reader::open(&paths(data))?, job, file)?;
    out.say(
        format!(
            "Job sheet of {job}, with the checkpoint of {records} records, written to {}.",
            file.display()
        ),
        &json!({ "event": "sheet", "job": job, "records": records, "file": file }),
    );
    Ok(Exit::Done)
}

/// Writes the report and its note.
pub(super) fn report(bench: &Bench<'_>, job: &str, file: &Path) -> Result<Exit, StationError> {
    let permit = bench.permit(Action::Report)?;
    let Made { note, record, records, sha256, .. } = bench.station.report(&permit, job, file)?;
    let sha256: String = sha256.iter().map(|byte| format!("{byte:02x}")).collect();
    bench.out.say(
        format!(
            "Report on {job}, out of {records} records, written to {}; its signature to {}. Recorded as {record}.",
            file.display(),
            note.display()
        ),
        &json!({ "event": "report", "job": job, "records": records, "record": record, "sha256": sha256,
                 "file": file, "note": note }),
    );
    Ok(Exit::Done)
}

/// Says whether a station made this report.
pub(super) fn verify(file: &Path, vkey: &Path, out: Output) -> Result<Exit, StationError> {
    let key: VerifierKey = read_text(vkey)?
        .trim_end()
        .parse()
        .map_err(|why| StationError::VerifierKey { path: vkey.to_owned(), why })?;
    let (genuine, sentence, records) = match report::judge(file, &key)? {
        Judgement::Genuine(said) => {
            let sentence =
                format!("Genuine: {} made this report out of {} records.", said.origin, said.records);
            (true, sentence, Some(said.records))
        }
        Judgement::NotSigned(why) => (false, format!("Not genuine. Its note is worth nothing: {why}."), None),
        Judgement::OtherFile => {
            (false, "Not genuine: the file is not the one that the station signed.".to_owned(), None)
        }
    };
    out.say(
        &sentence,
        &json!({ "event": "report-verify", "genuine": genuine, "origin": key.name(), "records": records,
                 "sentence": sentence }),
    );
    Ok(if genuine { Exit::Done } else { Exit::Failed })
}
