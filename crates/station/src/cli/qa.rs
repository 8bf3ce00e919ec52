//! `keystation audit history` and `review`: one device's whole life, and QA's look through the log.

use keystation::people::Action;
use keystation::{Archive, DataDir, Exit, Remark, Reviewed, StationError};
use keystation_audit::{Keyed, LifeEvent, Review, Tally};
use serde_json::json;

use super::output::{Output, printable};
use super::search::time;
use super::session::Bench;

/// Prints every record of a device, oldest first, and then what that makes of it.
pub(super) fn history(data: &DataDir, id: &str, out: Output) -> Result<Exit, StationError> {
    let archive = Archive::open(data)?;
    let (id, life) = archive.life(id)?;
    let secured = archive.secured()?.map(|secured| secured.checkpoint.size - 1);
    for event in &life.events {
        out.say(line(event), &object(event));
    }
    // What it holds is one thing, whether it may be used another.
    let out_of_use = life
        .retired
        .map_or(String::new(), |retired| format!(", {} by record {}", retired.what.as_str(), retired.record));
    let standing = life.standing.as_str();
    let proved = match &life.keyed {
        Some(Keyed { record, key, check_value, fingerprint, .. }) => {
            format!("last proved a key of {key} ({check_value}), fingerprint {fingerprint}, record {record}")
        }
        None => "never proved a key".to_owned(),
    };
    let vouched = secured.map_or("no witness vouches for the log".to_owned(), |record| {
        format!("a witness vouches for the log to record {record}")
    });
    let (mac, serial) = (&life.mac, &life.serial);
    out.say(
        printable(&format!("{id}: {standing}{out_of_use}. MAC {mac}, serial {serial}; {proved}; {vouched}.")),
        &json!({ "event": "device", "id": id.as_str(), "mac": mac, "serial": serial, "standing": standing,
                 "retired": life.retired.map(|retired| retired.what.as_str()),
                 "key": life.keyed.as_ref().map(|keyed| &keyed.key),
                 "check_value": life.keyed.as_ref().map(|keyed| &keyed.check_value),
                 "fingerprint": life.keyed.as_ref().map(|keyed| &keyed.fingerprint),
                 "record": life.keyed.as_ref().map(|keyed| keyed.record), "secured": secured }),
    );
    Ok(Exit::Done)
}

fn line(event: &LifeEvent) -> String {
    let LifeEvent { seq, time_ms, event: ev, rc, code, operator, approver, .. } = event;
    let LifeEvent { key, check_value, job, mode, reason, note, other, holds, verified, .. } = event;
    let mut line = format!("{seq:>6}  {}  {ev:<15} {rc:<15} {operator}", time(*time_ms));
    for (word, value) in [
        ("with", approver),
        ("mode", mode),
        ("reason", reason),
        ("note", note),
        ("other board", other),
        ("key", key),
        ("check value", check_value),
        ("job", job),
        ("code", code),
        ("holds", holds),
        ("verified", verified),
    ] {
        if !value.is_empty() {
            line.push_str(&format!("  {word} {value}"));
        }
    }
    printable(&line)
}

fn object(event: &LifeEvent) -> serde_json::Value {
    json!({ "event": "life", "record": event.seq, "time": time(event.time_ms), "ev": event.event, "rc": event.rc,
            "code": event.code, "operator": event.operator, "approver": event.approver, "role": event.role,
            "key": event.key, "check_value": event.check_value, "job": event.job, "port": event.port,
            "firmware": event.firmware, "mode": event.mode, "reason": event.reason,
            "note": event.note, "other": event.other, "holds": event.holds,
            "verified": event.verified, "refers_to": event.refers_to })
}

/// Says how far the log was reviewed.
pub(super) fn review_status(data: &DataDir, out: Output) -> Result<Exit, StationError> {
    let Reviewed { last, rest, attempts, denials, due } = Archive::open(data)?.review()?;
    let before = last.as_ref().map_or("Never reviewed.".to_owned(), |review| {
        let Review { seq, time_ms, reviewer, to, .. } = review;
        format!("Reviewed to record {to} by {reviewer}, {} (record {seq}).", time(*time_ms))
    });
    let Tally { passed, failed, refused, open, .. } = attempts;
    out.say(
        format!(
            "{before} Since then records {} to {}: {passed} passed, {failed} failed, {refused} refused, {open} open; {denials} times somebody asked for what is not permitted.{}",
            rest.from,
            rest.to,
            if due { " A review is due." } else { "" }
        ),
        &json!({ "event": "review-status", "due": due, "last": last.as_ref().map(fields), "from": rest.from,
                 "to": rest.to, "passed": passed, "failed": failed, "refused": refused, "open": open,
                 "not_permitted": denials }),
    );
    Ok(Exit::Done)
}

/// Signs a review.
pub(super) fn review(bench: &Bench<'_>, to: Option<u64>, remark: &Remark) -> Result<Exit, StationError> {
    let permit = bench.permit(Action::SignReview)?;
    let review = bench.station.sign_review(&permit, to, remark)?;
    let mut object = fields(&review);
    object["event"] = "review".into();
    bench.out.say(
        format!(
            "Records {} to {} reviewed by {}. (record {})",
            review.from, review.to, review.reviewer, review.seq
        ),
        &object,
    );
    Ok(Exit::Done)
}

fn fields(review: &Review) -> serde_json::Value {
    let Review { seq, time_ms, reviewer, from, to, remark } = review;
    json!({ "record": seq, "time": time(*time_ms), "reviewer": reviewer, "from": from, "to": to, "remark": remark })
}
