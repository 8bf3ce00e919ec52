//! `keystation audit …`: the log.

use std::ops::ControlFlow;

use keystation::people::{Action, Request, Unopened};
use keystation::{DataDir, Exit, Remark, StationError, paths};
use keystation_audit::{
    EpochError, EpochOrder, Journal, OpenError, Paths, Reader, Record, SystemClock, UNPROVEN, Verdict,
    begin_epoch,
};
use keystation_core::registration::{IdRule, RegistrationId};
use serde_json::json;

use super::args::{AnchorVerb, AuditVerb, Cli, People, ReportVerb};
use super::output::{Output, printable};
use super::session::at_station;
use super::{anchor, compare, export, qa, reports, search, secrets};

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
        AuditVerb::Report { verify: Some(ReportVerb::Verify { file, vkey }), .. } => {
            reports::verify(file, vkey, out)
        }
        AuditVerb::Report { verify: None, job, out: file } => {
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
        AuditVerb::NewEpoch { reason } => new_epoch(cli, data, reason, out),
        AuditVerb::Verify => verify(data, out),
        AuditVerb::Rebuild => rebuild(cli, data, out),
    }
}

/// Prints records, oldest first; with `--json` the stored bytes themselves, so that their hashes can be checked.
fn show(data: &DataDir, last: Option<u64>, id: Option<&str>, out: Output) -> Result<Exit, StationError> {
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

/// Makes the derived tables anew. Whoever signs in is looked up in one of them: where it does not follow from the records any
/// more, nobody can.
fn rebuild(cli: &Cli, data: &DataDir, out: Output) -> Result<Exit, StationError> {
    let permitted = at_station(cli, data, out, |bench| bench.permit(Action::Rebuild).map(|_| Exit::Done));
    if let Some(why) = does_not_open(permitted)? {
        out.note(format!("The log does not open, so nobody can sign in: {why}."));
    }
    Journal::rebuild(&paths(data))?;
    out.say(
        "The tables that are made from the records were made anew. The records are as they were.",
        &json!({ "event": "rebuild" }),
    );
    Ok(Exit::Done)
}

/// Why the log does not open, so that the gate cannot be asked: what is done to it then is the way to one that opens.
fn does_not_open(permitted: Result<Exit, StationError>) -> Result<Option<OpenError>, StationError> {
    match permitted {
        Err(StationError::Log(why)) if !matches!(why, OpenError::InUse(_) | OpenError::NoLog(_)) => {
            Ok(Some(why))
        }
        permitted => permitted.map(|_| None),
    }
}

/// The two who begin a new log in the place of one that does not open: what the first of them is. Both prove who they are by
/// what can still be read of the old log; where that is nothing, the new one says so.
fn proven_without_a_log(
    cli: &Cli,
    data: &DataDir,
    why: &OpenError,
    out: Output,
) -> Result<String, StationError> {
    let People { operator: Some(operator), approver: Some(approver), .. } = &cli.people else {
        return Err(EpochError::OnePerson.into());
    };
    if operator == approver {
        return Err(EpochError::OnePerson.into());
    }
    let Some(people) = Unopened::read(data)? else {
        out.note(format!(
            "The log does not open, and nothing in it says who has an account: {why}. The new log will say that nobody proved \
             who they are."
        ));
        return Ok(UNPROVEN.to_owned());
    };
    out.note(format!(
        "The log does not open: {why}. Both prove who they are by the accounts that are still in it."
    ));
    let People { pin_file, pin_fd, approver_pin_file, approver_pin_fd, .. } = &cli.people;
    let pin = secrets::pin(pin_file.as_deref(), *pin_fd, operator)?;
    let roles = people.administrator(operator, &pin)?;
    let pin = secrets::pin(approver_pin_file.as_deref(), *approver_pin_fd, approver)?;
    people.administrator(approver, &pin)?;
    Ok(roles.to_string())
}

/// Begins the next epoch, or finishes one that was cut short.
fn new_epoch(cli: &Cli, data: &DataDir, reason: &str, out: Output) -> Result<Exit, StationError> {
    let name = |person: &Option<String>| person.clone().unwrap_or_default();
    let (operator, approver) = (name(&cli.people.operator), name(&cli.people.approver));
    let request = Request { action: Action::NewEpoch, subject: String::new(), reason: reason.to_owned() };
    let mut role = String::new();
    let permitted = at_station(cli, data, out, |bench| {
        bench.approved(&request)?.actor().role.clone_into(&mut role);
        Ok(Exit::Done)
    });
    if let Some(why) = does_not_open(permitted)? {
        role = proven_without_a_log(cli, data, &why, out)?;
    }
    let order = EpochOrder { operator, role, approver, reason: reason.to_owned() };
    let clock = SystemClock::new().map_err(StationError::Clock)?;
    let origin = begin_epoch(data.path(), &order, clock)?;
    out.say(
        format!(
            "A new log was begun: {origin}. The old one is in {}. Give {} to the witnesses. Nobody has an account in it yet: \
             keystation person begin.",
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
    let mut unproven = false;
    reader.records(0..=0, None, |genesis| {
        unproven = genesis.text("role").is_some_and(|role| role == UNPROVEN);
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
        "It follows {prev}, whose last known checkpoint has {size} records, root {}…: {reason}.{} {}",
        root.get(..16).unwrap_or_default(),
        match unproven {
            true => " NOBODY PROVED who began it: nothing could be read of the old log.",
            false => "",
        },
        match agrees {
            Some(true) => "The log in epochs is that one.",
            Some(false) => "The log in epochs is ANOTHER one: call QA.",
            None => "That log cannot be compared here.",
        }
    );
    out.say(
        printable(&sentence),
        &json!({ "event": "follows", "origin": prev, "records": size, "root": root, "reason": reason,
                 "unproven": unproven, "agrees": agrees }),
    );
    Ok(if agrees == Some(false) { Exit::Failed } else { Exit::Done })
}

/// Verifies every record, the tree, the signature and the head.
fn verify(data: &DataDir, out: Output) -> Result<Exit, StationError> {
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
