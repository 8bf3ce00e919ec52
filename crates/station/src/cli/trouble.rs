//! What kept the station from working, as it is said.

use keystation::StationError;
use keystation_core::failure::Safety;
use serde_json::{Value, json};

use super::output::{Output, causes};

/// An error and its causes, for people.
pub(super) fn sentence_of(error: &StationError) -> String {
    match causes(error) {
        cause if cause.is_empty() => format!("{error}."),
        cause => format!("{error}. ({cause})"),
    }
}

/// What kept the station from working. In front of a device, whether that is safe comes first of all.
pub(super) fn report(out: Output, error: &StationError, injecting: bool) {
    let mut sentence = sentence_of(error);
    let safety = injecting.then_some(Safety::Untouched);
    if let Some(safety) = safety {
        sentence.push_str(&format!(" {}", safety.sentence()));
    }
    for (number, step) in (1..).zip(error.remedy()) {
        sentence.push_str(&format!("\n  {number}. {step}"));
    }
    out.note(sentence);
    if out.json {
        let object: Value = json!({ "event": "error", "code": error.code(), "sentence": error.to_string(),
                                    "safety": safety.map(Safety::as_str), "cause": causes(error),
                                    "remedy": error.remedy() });
        out.say("", &object);
    }
}
