//! Events as JSON objects: docs/line.md, section 6.

use std::time::Duration;

use keystation::line::{LineEvent, OutReason, Scan, SlotEvent};
use keystation_core::failure::Safety;
use serde_json::{Value, json};

use super::VERSION;
use crate::cli::output::{fail_object, pass_object, printable};

/// The object of an event; none for one that says nothing new to a program.
pub(in crate::cli) fn of(event: &LineEvent) -> Option<Value> {
    let mut object = match event {
        // What was scanned was said, and a device without its label fails.
        LineEvent::Labels(_) => return None,
        LineEvent::Slot(number, event) => {
            let mut object = of_slot(event);
            object["slot"] = (*number).into();
            object
        }
        LineEvent::Scan(Ok(Scan::Label(label))) => json!({ "event": "scan", "label": label.as_str() }),
        LineEvent::Scan(Ok(Scan::Slot(number))) => json!({ "event": "scan", "for_slot": number }),
        // What was scanned is not repeated: it was no label.
        LineEvent::Scan(Err(why)) => json!({ "event": "scan", "refused": why.to_string() }),
        LineEvent::Scanner(None) => json!({ "event": "scanner", "ready": true }),
        LineEvent::Scanner(Some(why)) => {
            json!({ "event": "scanner", "ready": false, "cause": printable(&why.to_string()) })
        }
    };
    object["v"] = VERSION.into();
    Some(object)
}

fn of_slot(event: &SlotEvent) -> Value {
    match event {
        SlotEvent::Waiting => json!({ "event": "waiting" }),
        SlotEvent::Locked => json!({ "event": "locked" }),
        SlotEvent::Step(step) => json!({ "event": "step", "step": step.as_str() }),
        SlotEvent::Retry { failure, took } => {
            let mut object = timed(fail_object(failure), *took);
            object["event"] = "retry".into();
            object
        }
        SlotEvent::Pass { pass, took } => timed(pass_object(pass), *took),
        SlotEvent::Fail { failure, took } => timed(fail_object(failure), *took),
        SlotEvent::Gone => json!({ "event": "gone" }),
        SlotEvent::Out(reason) => {
            let (OutReason::Failures { count, .. } | OutReason::Flapping { count }) = *reason;
            json!({ "event": "out", "reason": reason.as_str(), "count": count,
                    "sentence": reason.to_string(), "remedy": reason.remedy() })
        }
        SlotEvent::Back => json!({ "event": "back" }),
        SlotEvent::Broken { cause, safety } => {
            json!({ "event": "broken", "cause": printable(&cause.to_string()),
                    "safety": safety.map(Safety::as_str) })
        }
    }
}

fn timed(mut object: Value, took: Duration) -> Value {
    object["ms"] = u64::try_from(took.as_millis()).unwrap_or(u64::MAX).into();
    object
}
