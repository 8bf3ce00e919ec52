//! `keystation audit report shift`: what a shift made.

use keystation::people::Action;
use keystation::report::shift::{Asked, Count, Row, Scope, Shift};
use keystation::report::{Made, NewFile};
use keystation::{DataDir, Exit, StationError, paths};
use keystation_audit::Reader;
use serde_json::json;

use super::args::{Cli, ShiftArgs};
use super::output::{Output, printable};
use super::session::at_station;

/// Milliseconds of a day of UTC.
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Prints the report, or writes it into a file.
pub(super) fn run(cli: &Cli, data: &DataDir, args: &ShiftArgs, out: Output) -> Result<Exit, StationError> {
    let asked = Asked {
        session: args.session.clone(),
        operator: args.person.clone(),
        from: args.day.or(args.from),
        until: args.day.map(|day| day.saturating_add(DAY_MS)).or(args.until),
    };
    if let Some(file) = &args.pdf {
        return at_station(cli, data, out, |bench| {
            let permit = bench.permit(Action::Report)?;
            signed(&bench.station.shift_report(&permit, &asked, file)?, &asked, bench.out)
        });
    }
    if cli.people.operator.is_some() {
        out.note(
            "`--operator` says who signs in, and nobody has to for this. The report on one person: `--of`.",
        );
    }
    // Before the log is read: a name that is taken is refused at once.
    let file = args.csv.as_deref().map(NewFile::create).transpose()?;
    let shift = Shift::of(&Reader::open(&paths(data))?, asked)?;
    match (file, &args.csv) {
        (Some(file), Some(path)) => {
            shift.csv(file)?;
            let (rows, records) = (shift.rows().len(), shift.checkpoint.size);
            out.say(
                format!("{rows} rows, out of {records} records, written to {}.", path.display()),
                &json!({ "event": "shift", "rows": rows, "records": records, "file": path }),
            );
        }
        _ => print(&shift, out),
    }
    Ok(Exit::Done)
}

fn signed(made: &Made, asked: &Asked, out: Output) -> Result<Exit, StationError> {
    let Made { file, note, record, records, sha256 } = made;
    let sha256: String = sha256.iter().map(|byte| format!("{byte:02x}")).collect();
    out.say(
        format!(
            "Report on the shift ({}), out of {records} records, written to {}; its signature to {}. Recorded as {record}.",
            printable(&asked.title()),
            file.display(),
            note.display()
        ),
        &json!({ "event": "report", "records": records, "record": record, "sha256": sha256,
                 "file": file, "note": note }),
    );
    Ok(Exit::Done)
}

fn print(shift: &Shift, out: Output) {
    for row in shift.rows() {
        let mut object = shift.object(&row);
        object.insert("event".to_owned(), json!("shift"));
        out.say(sentence(&row), &object.into());
    }
}

/// One row on two lines: what it is, and what was made.
fn sentence(row: &Row<'_>) -> String {
    let order =
        |order: &str| if order.is_empty() { "without a work order".to_owned() } else { order.to_owned() };
    let what = match (row.sitting, row.order) {
        (Some(sitting), None) => format!(
            "{}  session {}  records {} to {}  {} to {}",
            sitting.operator,
            sitting.session,
            sitting.first.record,
            sitting.last.record,
            sitting.first.time,
            sitting.last.time
        ),
        (Some(sitting), Some(job)) => format!("  {}  {}", sitting.operator, order(job)),
        (None, Some(job)) => order(job),
        (None, None) => "all".to_owned(),
    };
    let indent = if row.scope == Scope::SessionOrder { "    " } else { "  " };
    format!("{}\n{indent}{}", printable(&what), made(row.count))
}

fn made(count: &Count) -> String {
    let devices = count.devices;
    let mut text = format!(
        "devices {}: {} passed, {} failed, {} open, {} refused; attempts {}: {} passed, {} failed, {} open, {} again",
        devices.all(),
        devices.passed,
        devices.failed,
        devices.open,
        devices.refused,
        count.begun,
        count.passed,
        count.all_failed(),
        count.open,
        count.retried
    );
    for (code, times) in count.failed.iter().chain(&count.refused) {
        text.push_str(&format!("; {times} {}", printable(code)));
    }
    if count.settled.passed + count.settled.failed > 0 {
        let settled = count.settled;
        text.push_str(&format!("; left by others: {} passed, {} failed", settled.passed, settled.failed));
    }
    if devices.do_not_ship > 0 {
        text.push_str(&format!("; DO NOT SHIP {}", devices.do_not_ship));
    }
    text
}
