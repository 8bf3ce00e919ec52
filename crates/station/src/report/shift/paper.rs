//! The report on a shift as a PDF file. IDs only: who is behind them is not in it.

use std::collections::BTreeMap;

use super::{Count, Shift, Sitting};
use crate::report::page::PageError;
use crate::report::paper::Paper;
use crate::report::parts::{LEADING, attempts, head, heading, moment, pair};

/// All pages.
pub(super) fn paper(shift: &Shift) -> Result<Vec<u8>, PageError> {
    let title = shift.asked.title();
    let mut paper = Paper::default();
    paper.y = head(&mut paper.page, "Shift report", &title, &shift.checkpoint) + 8.0;
    let first = shift.sessions.iter().map(|sitting| sitting.first.time_ms).min();
    let last = shift.sessions.iter().map(|sitting| sitting.last.time_ms).max();
    if let (Some(first), Some(last)) = (first, last) {
        say(&mut paper, "Period (UTC)", &format!("{} – {}", moment(first), moment(last)));
    }
    counted(&mut paper, &shift.total);
    for (job, count) in &shift.orders {
        titled(&mut paper, &order(job));
        counted(&mut paper, count);
    }
    paper.anchor(&shift.checkpoint, &shift.note)?;
    for sitting in &shift.sessions {
        session(&mut paper, sitting);
    }
    paper.finish(&format!("Shift report {title}"), &shift.checkpoint, last.unwrap_or_default())
}

fn session(paper: &mut Paper, sitting: &Sitting) {
    titled(paper, &format!("{}, session {}", sitting.operator, sitting.session));
    let mark = |at: &Option<(super::Mark, String)>, none: &str| {
        at.as_ref().map_or_else(
            || none.to_owned(),
            |(mark, how)| format!("{}, {how} (record {})", moment(mark.time_ms), mark.record),
        )
    };
    say(paper, "Began (UTC)", &mark(&sitting.began, "before this period"));
    say(paper, "Ended (UTC)", &mark(&sitting.ended, "no record of it here"));
    say(paper, "Records", &format!("{} – {}", sitting.first.record, sitting.last.record));
    counted(paper, &sitting.total);
    if sitting.orders.len() > 1 {
        for (job, count) in &sitting.orders {
            titled(paper, &format!("{}, {}", sitting.operator, order(job)));
            counted(paper, count);
        }
    }
}

fn order(job: &str) -> String {
    if job.is_empty() { "Devices without a work order".to_owned() } else { format!("Work order {job}") }
}

fn titled(paper: &mut Paper, text: &str) {
    paper.room(90.0);
    paper.y = heading(&mut paper.page, paper.y + 14.0, text);
}

fn say(paper: &mut Paper, label: &str, value: &str) {
    paper.room(2.0 * LEADING);
    paper.y = pair(&mut paper.page, paper.y, label, value);
}

/// Devices first: that is what lies in the boxes.
fn counted(paper: &mut Paper, count: &Count) {
    let devices = count.devices;
    say(
        paper,
        "Devices",
        &format!(
            "{} = {} passed + {} failed + {} open + {} refused",
            devices.all(),
            devices.passed,
            devices.failed,
            devices.open,
            devices.refused
        ),
    );
    if devices.do_not_ship > 0 {
        let text = format!("{} of them: nobody knows what they hold", devices.do_not_ship);
        say(paper, "Do not ship", &text);
    }
    if devices.unnamed > 0 {
        let text = format!("{} more did not say who they are", attempts(devices.unnamed));
        say(paper, "Without a name", &text);
    }
    say(
        paper,
        "Attempts",
        &format!(
            "{} = {} passed + {} failed + {} open; {} of them on a device that had been tried before",
            count.begun,
            count.passed,
            count.all_failed(),
            count.open,
            count.retried
        ),
    );
    if count.settled != super::Settled::default() {
        let text = format!("{} passed, {} failed", count.settled.passed, count.settled.failed);
        say(paper, "Left by others", &text);
    }
    causes(paper, "Failed by", &count.failed);
    causes(paper, "Refused by", &count.refused);
}

fn causes(paper: &mut Paper, label: &str, causes: &BTreeMap<String, u64>) {
    if !causes.is_empty() {
        let list: Vec<_> = causes.iter().map(|(code, times)| format!("{times} {code}")).collect();
        say(paper, label, &list.join(", "));
    }
}
