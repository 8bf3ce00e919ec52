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
        /// What it was called for: `pass`, `fail`, `job-closed`, `scrap`.
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
        /// The record that is to be delivered next.
        next: Seq,
        /// Why, in one word.
        why: &'static str,
    },
    /// `outbox.flow`: after an `outbox.stall` something was delivered again.
    OutboxFlows {
        /// The record that is to be delivered next.
        next: Seq,
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
        }
    }

    pub(super) const fn rc(&self) -> &'static str {
        match self {
            Self::LabelFailed { .. } | Self::HookFailed { .. } => "failed",
            Self::PrinterStalled { .. } | Self::OutboxStalled { .. } => "waits",
            Self::HooksDropped { .. } => "dropped",
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
            Self::OutboxStalled { next, why } => vec![("next", (*next).into()), ("why", (*why).into())],
            Self::OutboxFlows { next } => vec![("next", (*next).into())],
        }
    }
}
