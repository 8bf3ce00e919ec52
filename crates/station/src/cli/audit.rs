//! `keystation audit …`: looking at the log, read-only.

use std::ops::ControlFlow;

use keystation::{DataDir, Exit, StationError, paths};
use keystation_audit::{EpochOrder, Journal, Paths, Reader, Record, SystemClock, Verdict, begin_epoch};
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

/// One record on one line: number, time, event, outcome with its cause and what the device holds, device, who.
fn sentence(record: &Record<'_>) -> String {
    let device = record.text("rid").unwrap_or_default();
    let subject = if device.is_empty() { record.text("gk").unwrap_or_default() } else { device };
    let line = format!(
        "{:>6}  {}  {:<15} {:<15} {:<30} {:<44} {}",
        record.seq(),
        record.time(),
        record.event(),
        record.rc(),
        cause(record),
        subject,
        record.operator()
    );
    printable(line.trim_end())
}

/// Why, and what the device holds: an outcome that nobody knows leaves its intent open.
fn cause(record: &Record<'_>) -> String {
    let text = |name| record.text(name).unwrap_or_default();
    let holds = match text("holds") {
        holds if holds.is_empty() => String::new(),
        holds if holds == "unknown" => "holds unknown: still open".to_owned(),
        holds => format!("holds {holds}"),
    };
    [text("code").as_ref(), &holds].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
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

/// Begins the next epoch, or finishes one that was cut short.
pub(super) fn new_epoch(
    data: &DataDir,
    operator: Option<&str>,
    approver: &str,
    reason: &str,
    out: Output,
) -> Result<Exit, StationError> {
    let order = EpochOrder {
        operator: operator.unwrap_or_default().to_owned(),
        approver: approver.to_owned(),
        reason: reason.to_owned(),
    };
    let clock = SystemClock::new().map_err(StationError::Clock)?;
    let origin = begin_epoch(data.path(), &order, clock)?;
    out.say(
        format!(
            "A new log was begun: {origin}. The old one is in {}. Give {} to the witnesses.",
            data.path().join("epochs").display(),
            paths(data).vkey.display()
        ),
        &json!({ "event": "new-epoch", "origin": origin.as_str() }),
    );
    Ok(Exit::Done)
}

/// Which log this one follows, as its first record says; failed where the old log is still there and was another.
fn follows(data: &DataDir, reader: &Reader, out: Output) -> Result<Exit, StationError> {
    let mut said = None;
    reader.records(0..=0, None, |genesis| {
        let text = |name| genesis.text(name).map_or_else(String::new, std::borrow::Cow::into_owned);
        let size = genesis.integer("prev_size").unwrap_or_default().cast_unsigned();
        said =
            Some((text("prev"), size, text("prev_root"), text("reason"))).filter(|said| !said.0.is_empty());
        ControlFlow::Break(())
    })?;
    let Some((prev, size, root, reason)) = said else { return Ok(Exit::Done) };
    let aside = data.path().join("epochs").join(prev.rsplit('/').next().unwrap_or_default());
    // A log that was put aside may be damaged: then it says nothing, and has to be verified by itself.
    let found = Reader::open(&Paths::in_dir(&aside))
        .and_then(|old| old.snapshot()?.root(size))
        .ok()
        .flatten()
        .map(|root| root.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
    let agrees = found.map(|found| found == root);
    let sentence = format!(
        "It follows {prev}, whose last known checkpoint has {size} records, root {}…: {reason}. {}",
        root.get(..16).unwrap_or_default(),
        match agrees {
            Some(true) => "The log in epochs is that one.",
            Some(false) => "The log in epochs is ANOTHER one: call QA.",
            None => "That log cannot be compared here.",
        }
    );
    out.say(
        printable(&sentence),
        &json!({ "event": "follows", "origin": prev, "records": size, "root": root, "reason": reason, "agrees": agrees }),
    );
    Ok(if agrees == Some(false) { Exit::Failed } else { Exit::Done })
}

/// Verifies every record, the tree, the signature and the head.
pub(super) fn verify(data: &DataDir, out: Output) -> Result<Exit, StationError> {
    let reader = Reader::open(&paths(data))?;
    match reader.verify()? {
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
            follows(data, &reader, out)
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
