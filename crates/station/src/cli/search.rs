//! `keystation audit search` and `figures`: finding devices and adding them up, read-only.

use keystation::{DataDir, Exit, StationError, paths};
use keystation_audit::{Attempt, Query, QueryError, Reader, Tally};
use serde_json::json;

use super::output::{Output, printable};

/// Prints what was found, newest first.
pub(super) fn search(
    data: &DataDir,
    words: &[String],
    limit: u32,
    before: Option<u64>,
    out: Output,
) -> Result<Exit, StationError> {
    let query = Query::parse(&words.join(" "))?;
    let page = Reader::open(&paths(data))?.search(&query, before, limit)?;
    for row in &page.rows {
        out.say(sentence(row), &object(row));
    }
    if let (Some(last), true) = (page.rows.last(), page.more) {
        out.note(format!("There are older ones: --before {}", last.seq));
    } else if page.rows.is_empty() {
        out.note("Nothing was found.");
    }
    Ok(Exit::Done)
}

fn sentence(row: &Attempt) -> String {
    let outcome = row.outcome.as_ref();
    let came = match (row.mode.as_str(), outcome) {
        ("refused", _) => format!("refused {}", row.code),
        (_, None) => "open".to_owned(),
        (_, Some(outcome)) if outcome.code.is_empty() => outcome.rc.clone(),
        (_, Some(outcome)) => format!("{} {}", outcome.rc, outcome.code),
    };
    let line = format!(
        "{:>6}  {}  {:<30} {:<44} {:<12} {:<12} {}",
        row.seq,
        time(row.time_ms),
        came,
        row.rid,
        row.job,
        row.key,
        row.operator
    );
    printable(line.trim_end())
}

fn object(row: &Attempt) -> serde_json::Value {
    let outcome = row.outcome.as_ref().map(|outcome| {
        json!({ "record": outcome.seq, "rc": outcome.rc, "code": outcome.code, "holds": outcome.holds,
                "verified": outcome.verified, "took_ms": outcome.took_ms })
    });
    json!({ "event": "attempt", "record": row.seq, "time": time(row.time_ms), "id": row.rid, "mac": row.mac,
            "serial": row.serial, "job": row.job, "operator": row.operator, "key": row.key, "port": row.port,
            "mode": row.mode, "code": row.code, "outcome": outcome })
}

pub(super) fn time(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).map_or_else(|_| ms.to_string(), |time| format!("{time:.3}"))
}

/// Prints yield, causes and cycle times of a period.
pub(super) fn figures(
    data: &DataDir,
    from: Option<&str>,
    to: Option<&str>,
    job: Option<&str>,
    out: Output,
) -> Result<Exit, StationError> {
    let period = period(from, to)?;
    let figures = Reader::open(&paths(data))?.figures(
        period.from.unwrap_or(i64::MIN),
        period.until.unwrap_or(i64::MAX),
        job,
    )?;
    for (kind, tallies) in [("day", &figures.days), ("job", &figures.jobs)] {
        for tally in tallies {
            out.say(line(kind, tally, ""), &counted(kind, tally));
        }
    }
    for slot in &figures.slots {
        let median = slot.median_ms.map_or(String::new(), |ms| format!("  median {ms} ms"));
        let mut object = counted("slot", &slot.tally);
        object["median_ms"] = json!(slot.median_ms);
        out.say(line("slot", &slot.tally, &median), &object);
    }
    for (code, times) in &figures.causes {
        out.say(
            format!("cause  {times:>7}  {code}"),
            &json!({ "event": "cause", "code": code, "times": times }),
        );
    }
    Ok(Exit::Done)
}

fn period(from: Option<&str>, to: Option<&str>) -> Result<Query, QueryError> {
    let term = |name: &str, day: Option<&str>| day.map_or(String::new(), |day| format!("{name}:{day} "));
    Query::parse(&(term("from", from) + &term("to", to)))
}

fn line(kind: &str, tally: &Tally, more: &str) -> String {
    let Tally { name, passed, failed, refused, open } = tally;
    let yielded = if passed + failed == 0 {
        "     –".to_owned()
    } else {
        format!("{:>5.1}%", 100.0 * *passed as f64 / (passed + failed) as f64)
    };
    let name = if name.is_empty() { "(none)" } else { name };
    printable(&format!(
        "{kind:<5}  {passed:>7} passed {failed:>7} failed {refused:>7} refused {open:>5} open  {yielded}  {name}{more}"
    ))
}

fn counted(kind: &str, tally: &Tally) -> serde_json::Value {
    let Tally { name, passed, failed, refused, open } = tally;
    json!({ "event": kind, "name": name, "passed": passed, "failed": failed, "refused": refused, "open": open })
}
