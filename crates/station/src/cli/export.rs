//! `keystation audit export` and `proof`: files for verifiers that need not trust the station.

use std::path::Path;

use keystation::export::{self, Exported, Part};
use keystation::people::Action;
use keystation::{DataDir, Exit, StationError, paths};
use keystation_audit::Reader;
use keystation_core::registration::{IdRule, RegistrationId};
use serde_json::json;

use super::output::Output;
use super::session::Bench;

/// How much was asked for.
pub(super) fn part(
    job: Option<&str>,
    id: Option<&str>,
    from: Option<&str>,
    to: Option<&str>,
) -> Result<Part, StationError> {
    Ok(match (job, id, from, to) {
        (Some(job), ..) => Part::Job(job.to_owned()),
        (None, Some(id), ..) => Part::Device(registration_id(id)?),
        (None, None, None, None) => Part::Whole,
        (None, None, from, to) => Part::Days { from: from.map(str::to_owned), to: to.map(str::to_owned) },
    })
}

fn registration_id(text: &str) -> Result<RegistrationId, StationError> {
    RegistrationId::new(text, IdRule::Punctuation).map_err(StationError::Id)
}

/// Writes a bundle and records that.
pub(super) fn recorded(bench: &Bench<'_>, part: &Part, path: &Path) -> Result<Exit, StationError> {
    let permit = bench.permit(Action::Export)?;
    let exported = bench.station.bundle(&permit, part, path)?;
    say(&exported, path, bench.out);
    Ok(Exit::Done)
}

/// Writes a bundle and says that this is not recorded.
pub(super) fn unrecorded(
    data: &DataDir,
    part: &Part,
    path: &Path,
    out: Output,
) -> Result<Exit, StationError> {
    super::audit::tell_of_tail(&Reader::open(&paths(data))?, out);
    let exported = export::bundle(data, part, path)?;
    say(&exported, path, out);
    Ok(Exit::Done)
}

fn say(exported: &Exported, path: &Path, out: Output) {
    let Exported { records, checkpoint, record } = exported;
    let recorded = record
        .map_or("Read-only: that is not in the log.".to_owned(), |record| format!("Recorded as {record}."));
    out.say(
        format!(
            "{records} records, out of {}, written to {}; root {}. {recorded}",
            checkpoint.size,
            path.display(),
            checkpoint.short_root()
        ),
        &json!({ "event": "export", "records": records, "size": checkpoint.size,
                 "short_root": checkpoint.short_root(), "record": record, "directory": path }),
    );
}

/// Writes the proof file of a device.
pub(super) fn proof(data: &DataDir, id: &str, file: &Path, out: Output) -> Result<Exit, StationError> {
    let id = registration_id(id)?;
    export::proof(&Reader::open(&paths(data))?, &id, file)?;
    out.say(
        format!("Proof of {id} written to {}.", file.display()),
        &json!({ "event": "proof", "id": id.as_str(), "file": file }),
    );
    Ok(Exit::Done)
}
