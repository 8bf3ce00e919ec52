//! What was scanned, as the page shows it.

use keystation::line::{Label, LabelError, ScannerFault, Scans};
use serde::Serialize;

use crate::problem::{Problem, sentence};

/// The labels that wait for their devices, and what is wrong with the last code or with the scanner.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct ScanLine {
    /// The slot whose code was scanned: the next label is for its device.
    pub(crate) named: Option<u32>,
    /// The end of the label of the device that is plugged in next.
    pub(crate) next: Option<String>,
    /// Labels that wait for the device of one slot.
    pub(crate) slots: Vec<SlotLabel>,
    /// What the device has that came into a slot last.
    pub(crate) taken: Vec<SlotLabel>,
    /// Why the last code was not taken.
    pub(crate) refused: Option<Problem>,
    /// Why the serial scanner cannot be used.
    pub(crate) scanner: Option<Problem>,
}

/// A label and its slot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct SlotLabel {
    /// From 1.
    pub(crate) slot: u32,
    /// The end of the label.
    pub(crate) label: String,
}

/// Characters of a label that are shown: enough to tell the devices on a bench apart. A badge that was scanned as a label by
/// mistake is not on the screen for whoever would like another one.
const SHOWN: usize = 4;

fn end(label: &Label) -> String {
    let text = label.as_str();
    // A label is ASCII.
    text[text.len().saturating_sub(SHOWN)..].to_owned()
}

impl ScanLine {
    /// Takes what the line says that there is now.
    pub(crate) fn take(&mut self, scans: &Scans) {
        let of = |(slot, label): (&u32, &Label)| SlotLabel { slot: *slot, label: end(label) };
        self.named = scans.named;
        self.next = scans.next.as_ref().map(end);
        self.slots = scans.of_slot.iter().map(of).collect();
        self.taken = scans.taken.iter().map(of).collect();
    }
}

/// Why a code was not taken.
pub(crate) fn refused(why: LabelError) -> Problem {
    let what = sentence(&why);
    match why {
        LabelError::Empty => Problem::new("label-empty", &what, &["Scan the label again."]),
        LabelError::TooLong => {
            Problem::new("label-long", &what, &["Scan the label of the device, and only that."])
        }
        LabelError::Two => {
            Problem::new("label-two", &what, &["Scan one label again, then plug its device in."])
        }
        LabelError::Character(_) => Problem::new(
            "label-character",
            &what,
            &["Scan the label again.", "Again: the label or the scanner is wrong. Call the supervisor."],
        ),
        LabelError::NoSlot(_) => {
            Problem::new("label-no-slot", &what, &["Scan the code of a slot of this line."])
        }
    }
}

/// Why there is no serial scanner.
pub(crate) fn scanner(fault: &ScannerFault) -> Problem {
    Problem::new(
        "scanner-away",
        &sentence(fault),
        &["Plug the scanner in: it is used at once.", "Again: call the administrator."],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_end_of_a_label_is_shown() {
        for (text, shown) in [("007-888-abc", "-abc"), ("KS:op-0121", "0121"), ("abc", "abc")] {
            assert_eq!(end(&Label::new(text).unwrap()), shown);
        }
    }
}
