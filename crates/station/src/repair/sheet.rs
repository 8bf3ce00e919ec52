//! The reconciliation of a batch for people and spreadsheets: docs/repair.md, section 6.

use std::io::Write;
use std::path::Path;

use super::reconcile::{Reconciliation, Row, State};
use super::standing::{Campaign, Standing};
use crate::error::StationError;
use crate::report::{
    Face, INK, LEADING, LEFT, NewFile, OutError, Paper, check_value, dashed, harmless, head, heading, moment,
    pair, seal, unwritten,
};
use crate::training::MARK;

/// The columns of the CSV, in their order.
const COLUMNS: [&str; 12] = [
    "batch", "state", "id", "mac", "serial", "attempts", "record", "time", "operator", "code", "effect",
    "now",
];

/// Writes one row for each device, those that were asked for first: RFC 4180, UTF-8, no cell that a spreadsheet would take for a
/// formula. Says how many rows there are.
pub fn csv(reconciled: &Reconciliation, path: &Path) -> Result<usize, StationError> {
    let mut file = NewFile::create(path)?;
    if reconciled.checkpoint.origin.is_training() {
        let mark = format!("{}\r\n", MARK.replace(',', ";"));
        let written = file.write_all(mark.as_bytes());
        written.map_err(|cause| OutError::Disk { path: path.to_owned(), cause })?;
    }
    let unwritten = unwritten(path);
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(&mut file);
    writer.write_record(COLUMNS).map_err(&unwritten)?;
    for row in &reconciled.rows {
        let cells = cells(reconciled, row).map(|cell| harmless(&cell).into_owned());
        writer.write_record(&cells).map_err(&unwritten)?;
    }
    writer.flush().map_err(|e| unwritten(e.into()))?;
    drop(writer);
    file.keep()?;
    Ok(reconciled.rows.len())
}

fn cells(reconciled: &Reconciliation, row: &Row) -> [String; 12] {
    [
        reconciled.batch.id.to_string(),
        row.state.as_str().to_owned(),
        row.id.clone(),
        dashed(&row.mac),
        row.serial.clone(),
        row.attempts.to_string(),
        row.record.map_or_else(String::new, |record| record.to_string()),
        row.time_ms.map_or_else(String::new, moment),
        row.operator.clone(),
        row.code.clone(),
        row.effect.map_or("", |effect| effect.as_str()).to_owned(),
        row.standing.map_or("", Standing::as_str).to_owned(),
    ]
}

/// Writes the same as a PDF: the sums, what they mean, and every device that was not done. Holds the checkpoint of the log that it
/// was made from.
pub fn pdf(reconciled: &Reconciliation, path: &Path) -> Result<(), StationError> {
    let mut file = NewFile::create(path)?;
    let written = file.write_all(&pages(reconciled)?);
    written.map_err(|cause| OutError::Disk { path: path.to_owned(), cause })?;
    Ok(file.keep()?)
}

fn pages(reconciled: &Reconciliation) -> Result<Vec<u8>, StationError> {
    let Reconciliation {
        batch,
        checkpoint,
        note,
        counts,
        rows,
        days,
        effects,
        settled_since,
        standing,
        out,
        campaign,
    } = reconciled;
    let mut paper = Paper::default();
    paper.y = head(&mut paper.page, "Re-key reconciliation", batch.id.as_str(), checkpoint) + 8.0;
    let key = format!("{}, check value {}", batch.key, check_value(batch.check_value.digits().as_str()));
    let agreed = format!(
        "{} and {}, record {}, {} UTC",
        batch.by,
        batch.approver,
        batch.opened,
        moment(batch.time_ms)
    );
    let state = match batch.closed {
        Some(ended) => format!("closed in record {}", ended.record),
        None => "open".to_owned(),
    };
    for (label, value) in [
        ("Reason", batch.reason.to_string()),
        ("Agreed by", agreed),
        ("Group key", key),
        ("Moved from", batch.from.as_ref().map_or_else(String::new, ToString::to_string)),
        ("State", state),
        (
            "Devices",
            format!(
                "{} = {} done + {} failed + {} missing",
                counts.asked, counts.done, counts.failed, counts.missing
            ),
        ),
        ("Out of these", if *out > 0 { format!("{out}, not waited for") } else { String::new() }),
        ("Unexpected", counts.unexpected.to_string()),
        ("Settled since its end", if *settled_since > 0 { settled_since.to_string() } else { String::new() }),
    ] {
        if !value.is_empty() {
            say(&mut paper, label, &value);
        }
    }
    for (effect, devices) in effects {
        let meaning = keystation_core::repair::Effect::named(effect).map_or("", |effect| effect.sentence());
        say(&mut paper, "Done", &format!("{devices} × {effect}. {meaning}"));
    }
    for (at, devices) in standing {
        say(&mut paper, "Now", &format!("{devices} × {}", at.as_str()));
    }
    if let Some(campaign) = campaign {
        campaign_lines(campaign, batch.key.as_str())
            .iter()
            .for_each(|line| say(&mut paper, "Campaign", line));
    }
    for (day, devices) in days {
        say(&mut paper, "Done on (UTC)", &format!("{day}: {devices}"));
    }
    paper.room(210.0);
    paper.y = heading(&mut paper.page, paper.y + 14.0, "Anchor of the audit log");
    seal(&mut paper.page, paper.y, 150.0, (checkpoint, note), "")?;
    paper.y += 160.0;
    for (state, title) in
        [(State::Failed, "Failed"), (State::Missing, "Missing"), (State::Unexpected, "Unexpected")]
    {
        listed(&mut paper, title, rows.iter().filter(|row| row.state == state && !row.is_out()));
    }
    listed(
        &mut paper,
        "Out, not waited for",
        rows.iter().filter(|row| row.state != State::Done && row.is_out()),
    );
    let last = rows.iter().filter_map(|row| row.time_ms).max().unwrap_or(batch.time_ms);
    Ok(paper.finish(&format!("Re-key reconciliation {}", batch.id), checkpoint, last)?)
}

fn listed<'a>(paper: &mut Paper, title: &str, rows: impl Iterator<Item = &'a Row>) {
    let rows: Vec<_> = rows.collect();
    if rows.is_empty() {
        return;
    }
    paper.room(3.0 * LEADING);
    paper.y = heading(&mut paper.page, paper.y + 14.0, &format!("{title}: {}", rows.len()));
    for row in rows {
        let mac = dashed(&row.mac);
        let named: Vec<&str> =
            [row.id.as_str(), &row.serial, &mac].into_iter().filter(|part| !part.is_empty()).collect();
        let name = if named.is_empty() { "not named".to_owned() } else { named.join("  ") };
        let record = row.record.map_or_else(String::new, |record| format!("  record {record}  {}", row.code));
        for line in Face::Mono.lines(&format!("{name}{record}"), 8.0, 480.0) {
            paper.room(LEADING);
            paper.page.text(LEFT, paper.y, Face::Mono, 8.0, INK, &line);
            paper.y += 11.0;
        }
    }
}

/// How far a campaign is, for people.
#[must_use]
pub fn campaign_lines(campaign: &Campaign, to: &str) -> [String; 3] {
    let Campaign { from, old, new } = campaign;
    [
        format!("{} devices in use still hang on {from}", old.in_use()),
        format!("{} devices in use hang on {to}", new.in_use()),
        format!(
            "{} devices are out: {} scrapped, {} revoked, {} replaced",
            campaign.out(),
            old.scrapped + new.scrapped,
            old.revoked + new.revoked,
            old.replaced + new.replaced
        ),
    ]
}

fn say(paper: &mut Paper, label: &str, value: &str) {
    paper.room(2.0 * LEADING);
    paper.y = pair(&mut paper.page, paper.y, label, value);
}
