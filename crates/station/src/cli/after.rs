//! `keystation after`, `keystation label …` and `keystation outbox …`.

use std::time::Duration;

use keystation::after::{
    self, Delivered, HooksStatus, OlderLog, OutboxStatus, PrinterStatus, Skipped, Trouble, label_status,
    outbox_status,
};
use keystation::people::Action;
use keystation::{DataDir, Exit, StationError};
use keystation_core::registration::RegistrationId;
use serde_json::json;

use super::args::{Cli, LabelVerb, OutboxVerb};
use super::output::{Output, printable};
use super::session::{Bench, at_station};

/// What a printer has for a copy, and a hook for an act, before the program ends; the rest is printed when the station works again.
const PRINTING: Duration = Duration::from_secs(15);

pub(super) fn label(cli: &Cli, data: &DataDir, verb: &LabelVerb, out: Output) -> Result<Exit, StationError> {
    match verb {
        LabelVerb::Status => {
            printers(&label_status(data)?, out);
            Ok(Exit::Done)
        }
        LabelVerb::Reprint { id, reason } => at_station(cli, data, out, |bench| reprint(bench, id, reason)),
    }
}

/// Does `work`, and has the hooks called for what it records before the program ends. What is wrong with a hook harms no act.
pub(super) fn with_hooks(
    bench: &Bench<'_>,
    work: impl FnOnce(&Bench<'_>) -> Result<Exit, StationError>,
) -> Result<Exit, StationError> {
    if let Err(error) = bench.station.begin_hooks() {
        bench.out.note(format!("No hook is called: {error}."));
    }
    let exit = work(bench);
    if !bench.station.hooks_done(PRINTING) {
        bench.out.note("A hook is not done: what is not called is dropped, and recorded. keystation after");
    }
    exit
}

fn reprint(bench: &Bench<'_>, id: &RegistrationId, reason: &str) -> Result<Exit, StationError> {
    let permit = bench.permit(Action::Reprint)?;
    // A printer that is new here begins ahead of what is asked for.
    bench.station.begin_after_one()?;
    let record = bench.station.reprint(&permit, id, reason)?;
    let printed = bench.station.after_done(PRINTING);
    bench.out.say(
        format!("The label of {id} is asked for once more (record {record})."),
        &json!({ "event": "reprint", "id": id.as_str(), "record": record, "printed": printed }),
    );
    if !printed {
        bench.out.note("It waits for its printer: keystation label status.");
    }
    Ok(Exit::Done)
}

/// How far all three are.
pub(super) fn status(data: &DataDir, out: Output) -> Result<Exit, StationError> {
    let status = after::status(data)?;
    printers(&status.printers, out);
    hooks(&status.hooks, out);
    how_far(&status.outbox, out);
    Ok(Exit::Done)
}

fn printers(printers: &[PrinterStatus], out: Output) {
    if printers.is_empty() {
        out.note("station.toml has no [[printer]].");
    }
    for PrinterStatus { name, begun, waiting, trouble } in printers {
        let waiting: Vec<_> = waiting.iter().map(|label| label.id.as_str()).collect();
        let first = waiting.first().map_or(String::new(), |id| format!(", the first for {id}"));
        let begins = if *begun { "" } else { "; it begins when the station works next" };
        let since = trouble.as_ref().map_or(String::new(), not_taken);
        out.say(
            format!("{name:<16} {} labels wait{first}{begins}{since}", waiting.len()),
            &json!({ "event": "printer", "name": name, "begun": begun, "waiting": waiting, "trouble": trouble }),
        );
    }
}

fn hooks(hooks: &HooksStatus, out: Output) {
    let HooksStatus { programs, failed, last_failed, drops, last_drop } = hooks;
    if programs.is_empty() {
        out.note("station.toml has no [[hook]].");
    }
    if programs.is_empty() && *failed == 0 && *drops == 0 {
        return;
    }
    let last = |trouble: &Option<Trouble>| {
        trouble.as_ref().map_or(String::new(), |Trouble { time, of, why, number, .. }| {
            format!(", the last at {time}: {of} ({why} {number})")
        })
    };
    let (failure, drop) = (last(last_failed), last(last_drop));
    let mut object = json!(hooks);
    object["event"] = "hooks".into();
    out.say(
        printable(&format!(
            "{:<16} {failed} calls failed{failure}; {drops} times calls were dropped{drop}",
            programs.join(", ")
        )),
        &object,
    );
}

/// Why something waits, and since when the log says so.
fn not_taken(Trouble { time, why, .. }: &Trouble) -> String {
    format!("; not taken at {time}: {why}")
}

fn how_far(outbox: &OutboxStatus, out: Output) {
    let mut object = json!(outbox);
    object["event"] = "outbox".into();
    out.say(sentence(outbox), &object);
}

fn sentence(outbox: &OutboxStatus) -> String {
    let OutboxStatus { on, log, next, records, waiting, older, ahead, trouble, skips, skipped } = outbox;
    let mut told = match (ahead, older.first()) {
        (true, _) => format!(
            "The outbox STOPPED: it delivered the first {next} records of {log}, and the log of this station does not have them. Nothing is delivered: \
             call QA."
        ),
        (false, None) => format!("Record {next} is delivered next; {waiting} of {records} wait."),
        (false, Some(_)) => format!("Record {next} of {log} is delivered next; {waiting} records wait."),
    };
    for OlderLog { log, lost, there, .. } in older {
        told += &match (there, lost) {
            (false, _) => format!(" The files of {log} are GONE: what waits of it cannot be delivered."),
            (true, 0) => String::new(),
            (true, lost) => format!(" The last {lost} of {log} are LOST: they cannot be delivered."),
        };
    }
    told += &trouble
        .as_ref()
        .map_or(String::new(), |trouble| format!(" It was not taken at {}: {}.", trouble.time, trouble.why));
    if let Some(skipped) = skipped {
        told += &format!(" Given up {skips} times, the last: {}", gap(skipped));
    }
    if !on {
        told += " station.toml has no [outbox].";
    }
    told
}

/// Records that never come.
fn gap(Skipped { log, first, count, why }: &Skipped) -> String {
    match count {
        0 => {
            format!("the records of {log} from {first} on, nobody knows how many, are NOT delivered: {why}.")
        }
        _ => format!("{count} records of {log}, from {first} on, are NOT delivered: {why}."),
    }
}

/// An outbox that delivers nothing has to be seen where the line is begun.
pub(super) fn warns_of_outbox(data: &DataDir, out: Output) -> Result<(), StationError> {
    let outbox = outbox_status(data)?;
    if outbox.on && outbox.ahead {
        out.note(sentence(&outbox));
    }
    Ok(())
}

/// What a new log means for the outbox, if it is on.
pub(super) fn after_new_log(data: &DataDir, out: Output) {
    match outbox_status(data) {
        Ok(outbox) if outbox.on => how_far(&outbox, out),
        Ok(_) => {}
        // The log is begun; what is wrong with the settings the next start says, too.
        Err(error) => out.note(format!("How far the outbox is cannot be said: {error}.")),
    }
}

pub(super) fn outbox(
    cli: &Cli,
    data: &DataDir,
    verb: &OutboxVerb,
    out: Output,
) -> Result<Exit, StationError> {
    match verb {
        OutboxVerb::Status => {
            how_far(&outbox_status(data)?, out);
            Ok(Exit::Done)
        }
        OutboxVerb::Run { patience } => at_station(cli, data, out, |bench| run(bench, *patience)),
    }
}

fn run(bench: &Bench<'_>, patience: u64) -> Result<Exit, StationError> {
    let (permit, out) = (bench.permit(Action::Deliver)?, bench.out);
    let Some(delivered) = bench.station.deliver(&permit, Duration::from_secs(patience))? else {
        out.note("station.toml has no [outbox].");
        return Ok(Exit::Usage);
    };
    let Delivered { log, is_last, next, of, why, skipped } = delivered;
    for skipped in &skipped {
        let mut object = json!(skipped);
        object["event"] = "not-delivered".into();
        out.say(gap(skipped), &object);
    }
    let of_log = if is_last { String::new() } else { format!(" of {log}") };
    let left = why.map_or(String::new(), |why| format!(" Record {next}{of_log} was not taken: {why}."));
    out.say(
        format!("Delivered up to record {next} of {of}{of_log}.{left}"),
        &json!({ "event": "delivered", "log": log, "next": next, "of": of, "why": why }),
    );
    // What can be delivered was; that something cannot is no reason to call it done.
    Ok(if is_last && next >= of && skipped.is_empty() { Exit::Done } else { Exit::Failed })
}
