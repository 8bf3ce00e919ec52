//! The report on a work order: figures on the first page, then every exception.

use std::collections::{BTreeMap, BTreeSet};

use keystation_core::failure::Code;

use crate::report::face::Face::{Bold, Mono, Plain};
use crate::report::facts::{Exception, Facts, Kind, Now};
use crate::report::list::dashed;
use crate::report::page::{GREY, INK, LEFT, PageError, RIGHT};
use crate::report::paper::Paper;
use crate::report::parts::{LEADING, attempts, counts, head, heading, keys, moment, pair, percent, summed};

const SMALL: f32 = 8.0;
const ROW: f32 = 10.5;
/// Behind every other row: pale enough for a copier to leave it out.
const SHADE: u8 = 240;

/// Where the columns of the exceptions begin, and what they are called.
const COLUMNS: [(f32, &str); 5] = [
    (LEFT, "Record, time (UTC)"),
    (LEFT + 98.0, "Serial number, MAC address"),
    (LEFT + 268.0, "What happened"),
    (LEFT + 362.0, "The device held"),
    (LEFT + 430.0, "The device now"),
];

/// The report as a PDF file. `names` are those of operators, as far as they are known.
pub(crate) fn report(facts: &Facts, names: &BTreeMap<String, String>) -> Result<Vec<u8>, PageError> {
    let mut paper = Paper::default();
    paper.y = head(&mut paper.page, "Injection report", &facts.job, &facts.checkpoint) + 8.0;
    paper.y = counts(&mut paper.page, paper.y, facts);
    let devices = facts.devices;
    let share = |part| percent(part, devices.all);
    let yielded = format!(
        "{} of the devices; {} at their first attempt",
        share(devices.keyed),
        share(devices.at_first)
    );
    paper.y = pair(&mut paper.page, paper.y, "Yield", &yielded);
    paper.y = keys(&mut paper.page, paper.y, facts);
    for (how, times) in &facts.verified {
        let meaning = match how.as_str() {
            "challenge" => "the device proved its key, with a fresh challenge, after a restart",
            "none" => "not verified: the outcome was a failure, or nobody has seen it",
            _ => "as the records say",
        };
        paper.y =
            pair(&mut paper.page, paper.y, "Verified by", &format!("{how}, {}: {meaning}", attempts(*times)));
    }
    paper.room(40.0);
    paper.y = heading(&mut paper.page, paper.y + 14.0, "Operators");
    for (id, counts) in &facts.operators {
        paper.room(2.0 * LEADING);
        let who = names.get(id).map_or_else(|| id.clone(), |name| format!("{id}, {name}"));
        let value = format!("{who}: {} = {}", counts.all(), summed(*counts));
        paper.y = pair(&mut paper.page, paper.y, "Operator", &value);
    }
    paper.anchor(&facts.checkpoint, &facts.note)?;
    exceptions(&mut paper, &facts.exceptions);
    paper.finish(&format!("Injection report {}", facts.job), &facts.checkpoint, facts.period.1)
}

fn exceptions(paper: &mut Paper, exceptions: &[Exception]) {
    paper.room(100.0);
    paper.y = heading(&mut paper.page, paper.y + 10.0, &format!("Exceptions: {}", exceptions.len()));
    let what = if exceptions.is_empty() {
        "Every attempt passed, and none overwrote a key."
    } else {
        "Every attempt that failed, was refused, has no known outcome, overwrote a key, or passed only as was found out later."
    };
    paper.page.text(LEFT, paper.y - 4.0, Plain, 9.0, GREY, what);
    paper.y += 14.0;
    if exceptions.is_empty() {
        return;
    }
    columns(paper);
    for (number, exception) in exceptions.iter().enumerate() {
        row(paper, exception, number % 2 == 1);
    }
    let codes: BTreeSet<_> = exceptions.iter().map(code).filter(|code| !code.is_empty()).collect();
    paper.y += 6.0;
    for code in codes {
        paper.room(LEADING);
        let sentence =
            Code::ALL.iter().find(|known| known.as_str() == code).map_or("", |known| known.sentence());
        let end = paper.page.text(LEFT, paper.y, Bold, SMALL, INK, code);
        paper.page.text(end + 6.0, paper.y, Plain, SMALL, INK, sentence);
        paper.y += 12.0;
    }
}

fn columns(paper: &mut Paper) {
    for (x, name) in COLUMNS {
        paper.page.text(x, paper.y, Bold, SMALL, INK, name);
    }
    paper.page.ground(LEFT, paper.y + 4.0, RIGHT - LEFT, 0.75, INK);
    paper.y += 16.0;
}

/// One exception: as many lines as its longest cell needs, never torn over two pages.
fn row(paper: &mut Paper, exception: &Exception, shaded: bool) {
    let attempt = &exception.attempt;
    let width =
        |column: usize| COLUMNS.get(column + 1).map_or(RIGHT, |next| next.0) - COLUMNS[column].0 - 6.0;
    let unknown = |text: &str| if text.is_empty() { "–".to_owned() } else { text.to_owned() };
    let mut device = Mono.lines(&unknown(&attempt.serial), SMALL, width(1));
    device.push(unknown(&dashed(&attempt.mac)));
    let mut happened = vec![happened(exception).to_owned()];
    for detail in [code(exception), &exception.reason, &exception.approver] {
        if !detail.is_empty() {
            happened.extend(Plain.lines(detail, SMALL, width(2)));
        }
    }
    let now = match exception.now {
        Now::Keyed(record) => vec!["keyed,".to_owned(), format!("record {record}")],
        Now::Open => vec!["open: do".to_owned(), "not ship it".to_owned()],
        Now::NotKeyed => vec!["not keyed".to_owned(), "here".to_owned()],
    };
    let cells = [
        vec![attempt.seq.to_string(), moment(attempt.time_ms)],
        device,
        happened,
        vec![held(exception).to_owned()],
        now,
    ];
    let lines = cells.iter().map(Vec::len).max().unwrap_or(1);
    let height = lines as f32 * ROW + 5.0;
    if paper.room(height) {
        columns(paper);
    }
    if shaded {
        paper.page.ground(LEFT - 4.0, paper.y - 9.5, RIGHT - LEFT + 8.0, height, SHADE);
    }
    for (column, cell) in cells.iter().enumerate() {
        for (line, text) in cell.iter().enumerate() {
            let face = if column == 1 { Mono } else { Plain };
            let grey = if column == 0 && line == 1 { GREY } else { INK };
            paper.page.text(COLUMNS[column].0, paper.y + line as f32 * ROW, face, SMALL, grey, text);
        }
    }
    paper.y += height;
}

const fn happened(exception: &Exception) -> &'static str {
    match exception.kind {
        Kind::Failed => "failed",
        Kind::Refused => "refused",
        Kind::Open => "open: nobody saw it",
        Kind::Rekeyed => "re-keyed",
        Kind::Settled => "passed, seen later",
    }
}

fn code(exception: &Exception) -> &str {
    let attempt = &exception.attempt;
    attempt.outcome.as_ref().map_or(&attempt.code, |outcome| &outcome.code)
}

fn held(exception: &Exception) -> &'static str {
    let holds = exception.attempt.outcome.as_ref().map(|outcome| outcome.holds.as_str());
    match (exception.kind, holds) {
        (Kind::Refused, _) => "untouched",
        (_, Some("new")) => "the new key",
        (_, Some("old")) => "not the new key",
        _ => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use keystation_audit::{Attempt, Checkpoint, Origin};

    use super::*;
    use crate::report::facts::{Counts, Devices};

    /// A work order whose exceptions hold whatever a device may call itself.
    fn facts(serials: &[&str]) -> Facts {
        let exception = |serial: &&str| Exception {
            attempt: Attempt {
                seq: 7,
                time_ms: 0,
                rid: String::new(),
                mac: String::new(),
                serial: (*serial).to_owned(),
                job: "WO-1".to_owned(),
                operator: "op-1".to_owned(),
                key: String::new(),
                port: String::new(),
                mode: "refused".to_owned(),
                code: "no-identity".to_owned(),
                outcome: None,
            },
            kind: Kind::Refused,
            approver: String::new(),
            reason: String::new(),
            now: Now::NotKeyed,
        };
        let counts = Counts { refused: serials.len() as u64, ..Counts::default() };
        Facts {
            job: "WO-1".to_owned(),
            checkpoint: Checkpoint {
                origin: Origin::new("keylog.example.com/plant7/stn03/1").unwrap(),
                size: 12,
                root: [7; 32],
            },
            note: "a note".to_owned(),
            period: (0, 1_795_313_643_123),
            attempts: counts,
            devices: Devices::default(),
            operators: BTreeMap::from([("op-1".to_owned(), counts)]),
            keys: BTreeMap::new(),
            verified: BTreeMap::new(),
            exceptions: serials.iter().map(exception).collect(),
        }
    }

    #[test]
    fn the_same_facts_give_the_same_bytes() {
        let names = BTreeMap::from([("op-1".to_owned(), "Ada".to_owned())]);
        let one = report(&facts(&["SN-1"]), &names).unwrap();
        assert_eq!(one, report(&facts(&["SN-1"]), &names).unwrap());
        assert_ne!(one, report(&facts(&["SN-2"]), &names).unwrap());
        assert_ne!(one, report(&facts(&["SN-1"]), &BTreeMap::new()).unwrap());
    }

    #[test]
    fn whatever_a_device_calls_itself_can_be_printed() {
        let long = "\u{1f600}".repeat(64);
        let serials = ["", " ", "\u{0}", "a\u{301}", "\u{202e}gnp", &long, "(\\)<</Type/Page>>", "\u{ffff}"];
        assert!(report(&facts(&serials), &BTreeMap::new()).unwrap().starts_with(b"%PDF-1."));
    }
}
