//! `keystation audit …`: looking at the log, read-only.

use std::ops::ControlFlow;

use keystation::{DataDir, Exit, StationError, paths};
use keystation_audit::{Journal, Reader, Record, Verdict};
use keystation_core::registration::{IdRule, RegistrationId};
use serde_json::json;

use super::output::{Output, printable};

/// Prints records, oldest first; with `--json` the stored bytes themselves, so that their hashes can be checked.
pub(super) fn show(
    data: &DataDir,
    last: Option<u64>,
    id: Option<&str>,
    out: Output,
) -> Result<Exit, StationError> {
    let reader = Reader::open(&paths(data))?;
    let id =
        id.map(|id| RegistrationId::new(id, IdRule::Punctuation)).transpose().map_err(StationError::Id)?;
    let first = last.map_or(Ok(0), |last| reader.size().map(|size| size.saturating_sub(last)))?;
    reader.records(first.., id.as_ref(), |record| {
        out.line(if out.json { record.json().to_owned() } else { sentence(record) });
        ControlFlow::Continue(())
    })?;
    Ok(Exit::Done)
}

/// One record on one line: number, time, event, outcome, device, who.
fn sentence(record: &Record<'_>) -> String {
    let device = record.text("rid").unwrap_or_default();
    let subject = if device.is_empty() { record.text("gk").unwrap_or_default() } else { device };
    let line = format!(
        "{:>6}  {}  {:<15} {:<15} {:<44} {}",
        record.seq(),
        record.time(),
        record.event(),
        record.rc(),
        subject,
        record.operator()
    );
    printable(line.trim_end())
}

/// Makes the derived tables anew.
pub(super) fn rebuild(data: &DataDir, out: Output) -> Result<Exit, StationError> {
    Journal::rebuild(&paths(data))?;
    out.say(
        "The tables that are made from the records were made anew. The records are as they were.",
        &json!({ "event": "rebuild" }),
    );
    Ok(Exit::Done)
}

/// Verifies every record, the tree, the signature and the head.
pub(super) fn verify(data: &DataDir, out: Output) -> Result<Exit, StationError> {
    match Reader::open(&paths(data))?.verify()? {
        Verdict::Intact { checkpoint, head } => {
            let (origin, size) = (checkpoint.origin.to_string(), checkpoint.size);
            let short = checkpoint.short_root();
            let root: String = checkpoint.root.iter().map(|byte| format!("{byte:02x}")).collect();
            out.say(
                format!(
                    "Complete and unaltered: {size} records of {origin}, root {short} ({}…).",
                    &root[..16]
                ),
                &json!({ "event": "verify", "intact": true, "origin": origin, "records": size, "root": root,
                         "short_root": short, "head": head }),
            );
            Ok(Exit::Done)
        }
        Verdict::Damaged { findings, more } => {
            for finding in &findings {
                out.say(
                    format!("{finding}\n  {}", finding.remedy().join("\n  ")),
                    &json!({ "event": "finding", "sentence": finding.to_string(), "remedy": finding.remedy() }),
                );
            }
            let count = findings.len() as u64 + more;
            out.say(
                format!("The log is not as it was written: {count} findings. Inject nothing; leave all files as they are."),
                &json!({ "event": "verify", "intact": false, "findings": count }),
            );
            Ok(Exit::Failed)
        }
    }
}
