//! What the job sheet and the report have in common.

use keystation_audit::Checkpoint;

use crate::report::face::Face::{Bold, Mono, Plain};
use crate::report::facts::{Counts, Facts};
use crate::report::list::check_value;
use crate::report::page::{GREY, HEIGHT, INK, LEFT, PALE, Page, PageError, RIGHT};

/// From one line of a text to the next.
pub(crate) const LEADING: f32 = 14.0;

/// `2026-11-22 02:14:03` in UTC.
pub(crate) fn moment(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms)
        .map_or_else(|_| ms.to_string(), |time| format!("{time:.0}").replace('T', " ").replace('Z', ""))
}

/// `97.5 %`, or a dash where nothing was tried. Rounded down, so that 100 % means all.
pub(crate) fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "–".to_owned();
    }
    let tenths = u128::from(part) * 1000 / u128::from(whole);
    format!("{}.{} %", tenths / 10, tenths % 10)
}

/// Title, subject and station at the top of a first page; returns where the text goes on.
pub(crate) fn head(page: &mut Page, title: &str, subject: &str, checkpoint: &Checkpoint) -> f32 {
    page.text(LEFT, 62.0, Plain, 11.0, GREY, title);
    page.text_to(RIGHT, 62.0, Plain, 9.0, GREY, checkpoint.origin.as_str());
    let mut y = 92.0;
    for line in Bold.lines(subject, 26.0, RIGHT - LEFT) {
        page.text(LEFT, y, Bold, 26.0, INK, &line);
        y += 30.0;
    }
    page.ground(LEFT, y - 18.0, RIGHT - LEFT, 1.5, INK);
    y + 6.0
}

/// A line at the foot: page, log, and the root that every page can be held against. A page about a training says so all over.
pub(crate) fn foot(page: &mut Page, number: usize, of: usize, checkpoint: &Checkpoint) {
    if checkpoint.origin.is_training() {
        page.watermark("TRAINING");
    }
    let y = HEIGHT - 36.0;
    page.ground(LEFT, y - 12.0, RIGHT - LEFT, 0.5, GREY);
    let text = format!("{} · {} records · root ", checkpoint.origin, checkpoint.size);
    let end = page.text(LEFT, y, Plain, 8.0, GREY, &text);
    page.text(end, y, Mono, 8.0, GREY, &checkpoint.short_root());
    page.text_to(RIGHT, y, Plain, 8.0, GREY, &format!("page {number} of {of}"));
}

/// A small heading; returns where the text goes on.
pub(crate) fn heading(page: &mut Page, y: f32, text: &str) -> f32 {
    page.text(LEFT, y, Bold, 12.0, INK, text);
    page.ground(LEFT, y + 5.0, RIGHT - LEFT, 0.75, PALE);
    y + 20.0
}

/// A label and a value beside it, on as many lines as it takes; returns where the text goes on.
pub(crate) fn pair(page: &mut Page, y: f32, label: &str, value: &str) -> f32 {
    const INDENT: f32 = 130.0;
    page.text(LEFT, y, Plain, 10.0, GREY, label);
    let mut y = y;
    for line in Plain.lines(value, 10.0, RIGHT - LEFT - INDENT) {
        page.text(LEFT + INDENT, y, Plain, 10.0, INK, &line);
        y += LEADING;
    }
    y
}

/// What was attempted and what came of it: sums that a reader can add up.
pub(crate) fn counts(page: &mut Page, y: f32, facts: &Facts) -> f32 {
    let (devices, attempts) = (facts.devices, facts.attempts);
    let (first, last) = facts.period;
    let y = pair(page, y, "Period (UTC)", &format!("{} – {}", moment(first), moment(last)));
    let y = pair(
        page,
        y,
        "Devices",
        &format!(
            "{} written to, {} of them keyed and proven, {} not",
            devices.all,
            devices.keyed,
            devices.all - devices.keyed
        ),
    );
    let y = if devices.unsettled == 0 {
        y
    } else {
        let text = format!("{} of them: nobody knows what they hold", devices.unsettled);
        pair(page, y, "Do not ship", &text)
    };
    pair(page, y, "Attempts", &format!("{} = {}", attempts.all(), summed(attempts)))
}

/// `1 attempt`, `2 attempts`.
pub(crate) fn attempts(number: u64) -> String {
    format!("{number} attempt{}", if number == 1 { "" } else { "s" })
}

/// `12 passed + 1 failed + 0 open + 2 refused`.
pub(crate) fn summed(counts: Counts) -> String {
    let Counts { passed, failed, open, refused } = counts;
    format!("{passed} passed + {failed} failed + {open} open + {refused} refused")
}

/// The group keys, one on a line.
pub(crate) fn keys(page: &mut Page, mut y: f32, facts: &Facts) -> f32 {
    for ((label, digits), counts) in &facts.keys {
        let value = format!("{label}, check value {}: {}", check_value(digits), attempts(counts.all()));
        y = pair(page, y, "Group key", &value);
    }
    y
}

/// The signed checkpoint as a QR code with what it is for, and `more`, beside it. Takes `side` points of height.
pub(crate) fn seal(
    page: &mut Page,
    y: f32,
    side: f32,
    (checkpoint, note): (&Checkpoint, &str),
    more: &str,
) -> Result<(), PageError> {
    // Without the last newline: whatever scans the code, or the editor that it is pasted into, puts one there.
    page.qr(LEFT - 8.0, y, side, note.trim_end_matches('\n'))?;
    let x = LEFT + side + 8.0;
    let mut line = y + 22.0;
    page.text(x, line, Plain, 9.0, GREY, "Root of the log, first ten characters");
    line += 28.0;
    page.text(x, line, Mono, 24.0, INK, &checkpoint.short_root());
    line += 24.0;
    let text = format!(
        "The code holds the signed checkpoint of the log: its first {} records. Whoever keeps this page can prove later \
         that none of them was changed or removed: scan the code, and give its text to a verifier beside the log. \
         Compare the ten characters with those that the verifier shows. {more}",
        checkpoint.size
    );
    for part in Plain.lines(text.trim_end(), 9.0, RIGHT - x) {
        page.text(x, line, Plain, 9.0, INK, &part);
        line += 12.5;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_never_rounded_up() {
        assert_eq!(percent(0, 0), "–");
        assert_eq!(percent(9_999, 10_000), "99.9 %");
        assert_eq!(percent(10_000, 10_000), "100.0 %");
        assert_eq!(percent(1, 3), "33.3 %");
        assert_eq!(moment(1_795_313_643_999), "2026-11-22 02:14:03");
    }
}
