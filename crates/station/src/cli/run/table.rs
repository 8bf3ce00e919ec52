//! The slots on a terminal: a line each, written over again with each event.

use std::collections::BTreeMap;

use keystation::line::{LineEvent, Scan, SlotEvent};

use super::super::output::{failed, printable};

/// What each slot shows.
pub(in crate::cli) struct Table {
    rows: BTreeMap<u32, Row>,
    /// The last line: what was scanned, what the scanner says, or how far a batch is.
    foot: String,
    drawn: bool,
}

#[derive(Default)]
struct Row {
    passed: u64,
    failed: u64,
    retries: u64,
    shows: String,
}

/// Columns of a line: one that wraps would shift all others.
const WIDTH: usize = 79;

impl Table {
    pub(in crate::cli) fn new(numbers: &[u32]) -> Self {
        let rows = numbers.iter().map(|number| (*number, Row::default())).collect();
        Self { rows, foot: "scan:".to_owned(), drawn: false }
    }

    /// Takes an event.
    pub(in crate::cli) fn take(&mut self, event: &LineEvent) {
        let (number, event) = match event {
            LineEvent::Slot(number, event) => (number, event),
            LineEvent::Scan(Ok(Scan::Label(label))) => return self.foot = format!("scan: label {label}"),
            LineEvent::Scan(Ok(Scan::Slot(number))) => {
                return self.foot = format!("scan: the next label is for slot {number}");
            }
            LineEvent::Scan(Err(why)) => return self.foot = format!("scan: {why}"),
            LineEvent::Labels(_) => return,
            LineEvent::Scanner(None) => return self.foot = "scan: scanner ready".to_owned(),
            LineEvent::Scanner(Some(why)) => return self.foot = format!("scan: {why}"),
        };
        let Some(row) = self.rows.get_mut(number) else { return };
        row.shows = match event {
            SlotEvent::Waiting | SlotEvent::Gone | SlotEvent::Back => "ready".to_owned(),
            SlotEvent::Locked => "locked".to_owned(),
            SlotEvent::Step(step) => format!("{}…", step.as_str()),
            SlotEvent::Retry { failure, .. } => {
                row.retries += 1;
                format!("once more: {}", failure.code)
            }
            SlotEvent::Pass { pass, .. } => {
                row.passed += 1;
                format!("PASS  {}", pass.id)
            }
            SlotEvent::Fail { failure, .. } => {
                row.failed += 1;
                format!("FAIL  [{}] {}", failure.code, failed(failure))
            }
            SlotEvent::Out(reason) => format!("OUT   {reason}"),
            SlotEvent::Broken { cause, .. } => format!("STOP  {cause}"),
        };
    }

    /// Says something below the slots.
    pub(in crate::cli) fn foot(&mut self, text: String) {
        self.foot = text;
    }

    /// The whole table, over the one that was drawn before (ECMA-48: cursor up, erase to the end of the line).
    pub(in crate::cli) fn redrawn(&mut self) -> String {
        let mut lines = vec![format!(
            "{:<5} {:>6} {:>6} {:>6} {:>6}  {}",
            "slot", "pass", "fail", "again", "yield", "now"
        )];
        lines.extend(self.rows.iter().map(|(number, row)| {
            let Row { passed, failed, retries, shows } = row;
            // Rounded down: 100 % is said of a slot that never failed, and of no other.
            let of_all = (100 * passed)
                .checked_div(passed + failed)
                .map_or_else(|| "-".to_owned(), |percent| format!("{percent} %"));
            format!("{number:<5} {passed:>6} {failed:>6} {retries:>6} {of_all:>6}  {shows}")
        }));
        lines.push(self.foot.clone());
        let up = if std::mem::replace(&mut self.drawn, true) {
            format!("\u{1b}[{}A", lines.len())
        } else {
            String::new()
        };
        // Some of it comes from devices: nothing of that moves the cursor.
        let cut =
            |line: &String| printable(line).replace("\\u{2026}", "…").chars().take(WIDTH).collect::<String>();
        up + &lines.iter().map(|line| format!("{}\u{1b}[K", cut(line))).collect::<Vec<_>>().join("\n")
    }
}

#[cfg(test)]
mod tests {
    use keystation_core::failure::{Code, Failure, Safety};

    use super::*;

    #[test]
    fn the_table_is_written_over_itself_and_no_line_of_it_wraps() {
        let mut table = Table::new(&[1, 3]);
        let first = table.redrawn();
        assert!(!first.contains("\u{1b}[4A"), "nothing is there yet");
        assert_eq!(first.lines().count(), 4);
        let failure = Failure::new(Code::Silent, Safety::Unknown);
        let fail = SlotEvent::Fail { failure, took: std::time::Duration::ZERO };
        table.take(&LineEvent::Slot(3, fail));
        let second = table.redrawn();
        assert!(second.starts_with("\u{1b}[4A"), "{second:?}");
        let row = second.lines().find(|line| line.starts_with('3')).unwrap();
        assert!(row.contains("FAIL  [silent]") && row.contains("     1      0    0 %  FAIL"), "{row}");
        assert!(second.lines().all(|line| line.chars().count() <= WIDTH + 10), "{second}");
    }
}
