//! `keystation audit …`: the log.

use std::ops::ControlFlow;

use keystation::people::Action;
use keystation::training::MARK;
use keystation::{DataDir, Exit, Remark, StationError, paths};
use keystation_audit::{OpenError, Reader, Record, Verdict};
use keystation_core::registration::{IdRule, RegistrationId};
use serde_json::json;

use super::args::{AnchorVerb, AuditVerb, Cli, ReportVerb};
use super::output::{Output, plain_json, printable};
use super::session::at_station;
use super::{anchor, compare, epoch, export, qa, reports, search, shift};

/// Does what a verb of the log says.
pub(super) fn run(cli: &Cli, data: &DataDir, verb: &AuditVerb, out: Output) -> Result<Exit, StationError> {
    match verb {
        AuditVerb::Show { last, id } => show(data, *last, id.as_deref(), out),
        AuditVerb::Search { words, limit, before } => search::search(data, words, *limit, *before, out),
        AuditVerb::Figures { from, to, job } => {
            search::figures(data, from.as_deref(), to.as_deref(), job.as_deref(), out)
        }
        AuditVerb::History { id } => qa::history(data, id, out),
        AuditVerb::Review { status: true, .. } => qa::review_status(data, out),
        AuditVerb::Review { remark, to, status: false } => {
            // Before the station is opened, which puts a record into the log.
            let remark = Remark::new(remark)?;
            at_station(cli, data, out, |bench| qa::review(bench, *to, &remark))
        }
        AuditVerb::List { words, format, out: file } => reports::list(data, words, *format, file, out),
        AuditVerb::Anchor(AnchorVerb::Accept { input }) => {
            at_station(cli, data, out, |bench| anchor::accept(bench, input))
        }
        AuditVerb::Anchor(verb) => anchor::look(data, verb, out),
        AuditVerb::Compare { a, b, vkey } => compare::run(data, [a, b], vkey.as_deref(), out),
        AuditVerb::Sheet { job, out: file } => reports::sheet(data, job, file, out),
        AuditVerb::Report { verb: Some(ReportVerb::Verify { file, vkey }), .. } => {
            reports::verify(file, vkey, out)
        }
        AuditVerb::Report { verb: Some(ReportVerb::Shift(args)), .. } => shift::run(cli, data, args, out),
        AuditVerb::Report { verb: None, job, out: file } => {
            let job = job.as_deref().expect("clap asks for it");
            let file = file.as_deref().expect("clap asks for it");
            at_station(cli, data, out, |bench| reports::report(bench, job, file))
        }
        AuditVerb::Export { out: path, job, id, from, to, read_only } => {
            let part = export::part(job.as_deref(), id.as_deref(), from.as_deref(), to.as_deref())?;
            if *read_only {
                return export::unrecorded(data, &part, path, out);
            }
            at_station(cli, data, out, |bench| export::recorded(bench, &part, path))
        }
        AuditVerb::Proof { id, out: file } => export::proof(data, id, file, out),
        AuditVerb::NewEpoch { reason } => epoch::begin(cli, data, reason, out),
        AuditVerb::Verify => verify(data, out),
        AuditVerb::Rebuild => rebuild(cli, data, out),
    }
}

/// Prints records, oldest first; with `--json` the stored bytes themselves, so that their hashes can be checked.
fn show(data: &DataDir, last: Option<u64>, id: Option<&str>, out: Output) -> Result<Exit, StationError> {
    let reader = Reader::open(&paths(data))?;
    tell_of_tail(&reader, out);
    let id =
        id.map(|id| RegistrationId::new(id, IdRule::Punctuation)).transpose().map_err(StationError::Id)?;
    let first = last.map_or(Ok(0), |last| reader.size().map(|size| size.saturating_sub(last)))?;
    reader.records(first.., id.as_ref(), |record| {
        out.line(if out.json { plain_json(record.json()) } else { sentence(record) });
        ControlFlow::Continue(())
    })?;
    Ok(Exit::Done)
}

/// Says how many records nobody sees here before the next start: after a power cut they lie in the tail only.
pub(super) fn tell_of_tail(reader: &Reader, out: Output) {
    match reader.only_in_tail() {
        Ok(0) => {}
        Ok(more) => out.note(format!(
            "{more} more records lie in head.tail only: a power cut took them from the database, and the next start of the station \
             puts them back. (Or a station is writing them at this moment.)"
        )),
        // What there is can be looked at all the same; `audit verify` tells what is wrong.
        Err(error) => out.note(format!("Whether records are missing at the end cannot be told: {error}.")),
    }
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

/// Makes the derived tables anew. Whoever signs in is looked up in one of them: where it does not follow from the records any
/// more, nobody can.
fn rebuild(cli: &Cli, data: &DataDir, out: Output) -> Result<Exit, StationError> {
    let mut permit = None;
    let permitted = at_station(cli, data, out, |bench| {
        permit = Some(bench.permit(Action::Rebuild)?);
        Ok(Exit::Done)
    });
    if let Some(why) = does_not_open(permitted)? {
        out.note(format!("The log does not open, so nobody can sign in: {why}."));
    }
    let record = keystation::rebuild(data, permit.as_ref())?;
    out.say(
        format!("The tables that are made from the records were made anew (record {record}). The records before it are as they were."),
        &json!({ "event": "rebuild", "record": record }),
    );
    Ok(Exit::Done)
}

/// Why the log does not open, so that the gate cannot be asked: what is done to it then is the way to one that opens.
pub(super) fn does_not_open(
    permitted: Result<Exit, StationError>,
) -> Result<Option<OpenError>, StationError> {
    match permitted {
        Err(StationError::Log(why)) if !matches!(why, OpenError::InUse(_) | OpenError::NoLog(_)) => {
            Ok(Some(why))
        }
        permitted => permitted.map(|_| None),
    }
}

/// Verifies every record, the tree, the signature and the head.
fn verify(data: &DataDir, out: Output) -> Result<Exit, StationError> {
    let reader = Reader::open(&paths(data))?;
    match reader.verify()? {
        Verdict::Intact { checkpoint, head } => {
            let (origin, size) = (checkpoint.origin.to_string(), checkpoint.size);
            let short = checkpoint.short_root();
            let root: String = checkpoint.root.iter().map(|byte| format!("{byte:02x}")).collect();
            if checkpoint.origin.is_training() {
                out.note(MARK);
            }
            out.say(
                format!(
                    "Complete and unaltered: {size} records of {origin}, root {short} ({}…).",
                    &root[..16]
                ),
                &json!({ "event": "verify", "intact": true, "origin": origin, "records": size, "root": root,
                         "short_root": short, "head": head }),
            );
            epoch::follows(data, &reader, out)
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
