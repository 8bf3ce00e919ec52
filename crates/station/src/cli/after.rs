//! `keystation label …` and `keystation outbox …`.

use std::time::Duration;

use keystation::after::{self, Delivered, label_status, outbox_status};
use keystation::people::Action;
use keystation::{DataDir, Exit, StationError};
use keystation_core::registration::RegistrationId;
use serde_json::json;

use super::args::{Cli, LabelVerb, OutboxVerb};
use super::output::Output;
use super::session::{Bench, at_station};

/// What a printer has for a copy before the program ends; the rest is printed when the station works again.
const PRINTING: Duration = Duration::from_secs(15);

pub(super) fn label(cli: &Cli, data: &DataDir, verb: &LabelVerb, out: Output) -> Result<Exit, StationError> {
    match verb {
        LabelVerb::Status => printers(data, out),
        LabelVerb::Reprint { id, reason } => at_station(cli, data, out, |bench| reprint(bench, id, reason)),
    }
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

fn printers(data: &DataDir, out: Output) -> Result<Exit, StationError> {
    let printers = label_status(data)?;
    if printers.is_empty() {
        out.note("station.toml has no [[printer]].");
    }
    for printer in printers {
        let waiting: Vec<_> = printer.waiting.iter().map(|label| label.id.as_str()).collect();
        let first = waiting.first().map_or(String::new(), |id| format!(", the first for {id}"));
        let begun = if printer.begun { "" } else { "; it begins when the station works next" };
        out.say(
            format!("{:<16} {} labels wait{first}{begun}", printer.name, waiting.len()),
            &json!({ "event": "printer", "name": printer.name, "begun": printer.begun, "waiting": waiting }),
        );
    }
    Ok(Exit::Done)
}

pub(super) fn outbox(
    cli: &Cli,
    data: &DataDir,
    verb: &OutboxVerb,
    out: Output,
) -> Result<Exit, StationError> {
    match verb {
        OutboxVerb::Status => {
            let after::OutboxStatus { on, next, records } = outbox_status(data)?;
            let off = if on { "" } else { " station.toml has no [outbox]." };
            let waiting = records.saturating_sub(next);
            out.say(
                format!("Record {next} is delivered next; {waiting} of {records} wait.{off}"),
                &json!({ "event": "outbox", "on": on, "next": next, "records": records, "waiting": waiting }),
            );
            Ok(Exit::Done)
        }
        OutboxVerb::Run { patience } => at_station(cli, data, out, |bench| run(bench, *patience)),
    }
}

fn run(bench: &Bench<'_>, patience: u64) -> Result<Exit, StationError> {
    let permit = bench.permit(Action::Deliver)?;
    let Some(delivered) = bench.station.deliver(&permit, Duration::from_secs(patience))? else {
        bench.out.note("station.toml has no [outbox].");
        return Ok(Exit::Usage);
    };
    let Delivered { next, of, why } = delivered;
    let left = why.map_or(String::new(), |why| format!(" Record {next} was not taken: {why}."));
    bench.out.say(
        format!("Delivered up to record {next} of {of}.{left}"),
        &json!({ "event": "delivered", "next": next, "of": of, "why": why }),
    );
    Ok(if next >= of { Exit::Done } else { Exit::Failed })
}
