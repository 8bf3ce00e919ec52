//! What is recorded of labels, hooks and the outbox: what happens after a result is durable.

use super::{Seq, Value};
use crate::registration::RegistrationId;

/// What became of a label, a hook or a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AfterEvent {
    /// `label.begin`: devices that pass from this record on get a label from a printer that the settings name now.
    LabelsBegun {
        /// The printer.
        printer: String,
    },
    /// `label.end`: the settings do not name a printer any more; what was still to be printed there is not.
    LabelsEnded {
        /// The printer.
        printer: String,
    },
    /// `label.reprint`: somebody wants the label of a device once more.
    LabelAsked {
        /// The device.
        id: RegistrationId,
        /// The record of its PASS.
        result: Seq,
        /// Why.
        reason: String,
    },
    /// `label.print`: a printer has taken a label.
    LabelPrinted {
        /// What asked for it: a PASS, or a `label.reprint`.
        asked: Seq,
        /// The device.
        id: String,
        /// The printer.
        printer: String,
        /// Whether one of the same device may be there already.
        copy: bool,
    },
    /// `label.fail`: a label that cannot be drawn; the printer goes on with the next.
    LabelFailed {
        /// What asked for it.
        asked: Seq,
        /// The device.
        id: String,
        /// The printer.
        printer: String,
        /// Why, in one word.
        why: &'static str,
    },
    /// `label.stall`: a printer has taken nothing for a minute.
    PrinterStalled {
        /// The printer.
        printer: String,
        /// What waits for it.
        asked: Seq,
        /// Why, in one word.
        why: &'static str,
    },
    /// `hook.fail`: a program of the settings did not do what it was called for.
    HookFailed {
        /// What it was called for, in one word: `docs/after.md`, section 2.
        on: &'static str,
        /// The record that it was given.
        record: Seq,
        /// File name of the program.
        program: String,
        /// `start`, `exit`, `signal` or `time`.
        why: &'static str,
        /// Exit code or signal; 0 where there is none.
        number: i64,
    },
    /// `hook.drop`: calls that were due and are not made.
    HooksDropped {
        /// File name of the program.
        program: String,
        /// How many.
        count: u64,
        /// The record of the first.
        first: Seq,
        /// The record of the last.
        last: Seq,
        /// `full` (the program is slower than the line) or `end` (of the station's program).
        why: &'static str,
    },
    /// `outbox.stall`: nothing could be delivered for a minute.
    OutboxStalled {
        /// The log before this one of which it is a record; `None`: of this one.
        of: Option<String>,
        /// The record that is to be delivered next.
        next: Seq,
        /// Why, in one word.
        why: &'static str,
    },
    /// `outbox.flow`: after an `outbox.stall` something was delivered again.
    OutboxFlows {
        /// As above.
        of: Option<String>,
        /// The record that is to be delivered next.
        next: Seq,
    },
    /// `outbox.skip`: records of a log before this one that are not delivered, and never will be.
    OutboxSkipped {
        /// The name of that log.
        of: String,
        /// The first of them.
        first: Seq,
        /// How many follow each other; 0 where nobody knows.
        count: u64,
        /// Why, in one word.
        why: &'static str,
    },
}

impl AfterEvent {
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::LabelsBegun { .. } => "label.begin",
            Self::LabelsEnded { .. } => "label.end",
            Self::LabelAsked { .. } => "label.reprint",
            Self::LabelPrinted { .. } => "label.print",
            Self::LabelFailed { .. } => "label.fail",
            Self::PrinterStalled { .. } => "label.stall",
            Self::HookFailed { .. } => "hook.fail",
            Self::HooksDropped { .. } => "hook.drop",
            Self::OutboxStalled { .. } => "outbox.stall",
            Self::OutboxFlows { .. } => "outbox.flow",
            Self::OutboxSkipped { .. } => "outbox.skip",
        }
    }

    pub(super) const fn rc(&self) -> &'static str {
        match self {
            Self::LabelFailed { .. } | Self::HookFailed { .. } => "failed",
            Self::PrinterStalled { .. } | Self::OutboxStalled { .. } => "waits",
            Self::HooksDropped { .. } | Self::OutboxSkipped { .. } => "dropped",
            _ => "",
        }
    }

    pub(super) fn fields(&self) -> Vec<(&'static str, Value)> {
        match self {
            Self::LabelsBegun { printer } | Self::LabelsEnded { printer } => {
                vec![("printer", printer.as_str().into())]
            }
            Self::LabelAsked { id, result, reason } => vec![
                ("rid", id.as_str().into()),
                ("ref", (*result).into()),
                ("reason", reason.as_str().into()),
            ],
            Self::LabelPrinted { asked, id, printer, copy } => vec![
                ("ref", (*asked).into()),
                ("rid", id.as_str().into()),
                ("printer", printer.as_str().into()),
                ("copy", u64::from(*copy).into()),
            ],
            Self::LabelFailed { asked, id, printer, why } => vec![
                ("ref", (*asked).into()),
                ("rid", id.as_str().into()),
                ("printer", printer.as_str().into()),
                ("why", (*why).into()),
            ],
            Self::PrinterStalled { printer, asked, why } => {
                vec![("printer", printer.as_str().into()), ("ref", (*asked).into()), ("why", (*why).into())]
            }
            Self::HookFailed { on, record, program, why, number } => vec![
                ("on", (*on).into()),
                ("ref", (*record).into()),
                ("program", program.as_str().into()),
                ("why", (*why).into()),
                ("number", Value::Number(*number)),
            ],
            Self::HooksDropped { program, count, first, last, why } => vec![
                ("program", program.as_str().into()),
                ("count", (*count).into()),
                ("first", (*first).into()),
                ("last", (*last).into()),
                ("why", (*why).into()),
            ],
            Self::OutboxStalled { of, next, why } => {
                let mut fields = vec![("next", (*next).into()), ("why", (*why).into())];
                fields.extend(of.iter().map(|of| ("prev", of.as_str().into())));
                fields
            }
            Self::OutboxFlows { of, next } => {
                let mut fields = vec![("next", (*next).into())];
                fields.extend(of.iter().map(|of| ("prev", of.as_str().into())));
                fields
            }
            Self::OutboxSkipped { of, first, count, why } => vec![
                ("prev", of.as_str().into()),
                ("first", (*first).into()),
                ("count", (*count).into()),
                ("why", (*why).into()),
            ],
        }
    }
}
