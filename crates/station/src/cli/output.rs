//! What a verb prints: sentences for people, or one JSON object per line for programs.

use std::io::{self, Write};

use keystation_audit::Notice;
use keystation_core::failure::Failure;
use keystation_core::flow::{Pass, Step};
use serde_json::{Value, json};

/// Standard output in the form that was asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    pub(crate) json: bool,
}

impl Output {
    /// Prints `sentence` to people, or `object` to programs. A reader that went away ends the program's output, not
    /// its work.
    pub(crate) fn say(self, sentence: impl AsRef<str>, object: &Value) {
        self.line(if self.json { plain_json(&object.to_string()) } else { sentence.as_ref().to_owned() });
    }

    /// Prints a line as it is, in both forms.
    pub(crate) fn line(self, line: String) {
        let mut out = io::stdout().lock();
        if let Err(error) = writeln!(out, "{line}").and_then(|()| out.flush()) {
            tracing::warn!(%error, "standard output is gone");
        }
    }

    /// A message beside the result, on standard error in both forms.
    pub(crate) fn note(self, sentence: impl AsRef<str>) {
        let mut err = io::stderr().lock();
        if let Err(error) = writeln!(err, "{}", sentence.as_ref()) {
            tracing::warn!(%error, "standard error is gone");
        }
    }

    /// Something about the station that a person has to see, beside the result.
    pub(crate) fn notice(self, notice: &Notice) {
        let (sentence, remedy) = (notice.sentence(), notice.remedy());
        self.note(format!("{sentence} {}", remedy.join(" ")));
        if self.json {
            self.say(
                "",
                &json!({ "event": "notice", "code": notice.word(), "blocks": notice.blocks(),
                         "sentence": sentence, "remedy": remedy }),
            );
        }
    }

    pub(crate) fn step(self, step: Step) {
        self.say(format!("  {}…", step.as_str()), &json!({ "event": "step", "step": step.as_str() }));
    }

    pub(crate) fn pass(self, pass: &Pass) {
        self.say(format!("PASS  {}  (record {})", pass.id, pass.record), &pass_object(pass));
    }

    pub(crate) fn fail(self, failure: &Failure) {
        let mut sentence = format!("FAIL  {}\n", failed(failure));
        for (number, step) in (1..).zip(failure.code.remedy()) {
            sentence.push_str(&format!("  {number}. {step}\n"));
        }
        sentence.push_str(format!("  [{}] {}", failure.code, causes(failure)).trim_end());
        self.say(sentence, &fail_object(failure));
    }
}

/// A device that passed, for programs.
pub(crate) fn pass_object(pass: &Pass) -> Value {
    let mac = pass.identity.mac.map(|mac| mac.to_string());
    let serial = pass.identity.serial.as_ref().map(ToString::to_string);
    json!({ "event": "pass", "id": pass.id.as_str(), "mac": mac, "serial": serial,
            "intent": pass.intent, "record": pass.record })
}

/// One that did not.
pub(crate) fn fail_object(failure: &Failure) -> Value {
    let [id, serial, mac] = names(failure);
    json!({ "event": "fail", "code": failure.code.as_str(), "sentence": failure.code.sentence(),
            "id": id, "mac": mac, "serial": serial,
            "safety": failure.safety.as_str(), "remedy": failure.code.remedy(),
            "record": failure.record, "cause": causes(failure) })
}

/// Which device it was, where that is known, what happened to it, and what that means: one line.
pub(crate) fn failed(failure: &Failure) -> String {
    let who = names(failure).into_iter().flatten().next();
    let who = who.map_or(String::new(), |who| format!("{}  ", printable(&who)));
    format!("{who}{failure}")
}

/// Registration ID, serial number, MAC address, as far as they are known.
fn names(failure: &Failure) -> [Option<String>; 3] {
    let identity = failure.identity.as_ref();
    [
        failure.id.as_ref().map(|id| id.as_str().to_owned()),
        identity.and_then(|identity| identity.serial.as_ref()).map(ToString::to_string),
        identity.and_then(|identity| identity.mac).map(|mac| mac.to_string()),
    ]
}

/// The errors underneath, outermost first, in one line without control characters: some come from a device. A cause that
/// was named already is not said twice.
pub(crate) fn causes(error: &dyn std::error::Error) -> String {
    let mut said = error.to_string();
    let mut causes = Vec::new();
    for cause in std::iter::successors(error.source(), |cause| cause.source()) {
        let more = cause.to_string();
        if !said.contains(&more) {
            said.push_str(&more);
            causes.push(more);
        }
    }
    printable(&causes.join(": "))
}

/// JSON that means the same, and in which nothing moves the cursor of a terminal or turns the direction of a line: outside of
/// ASCII, and at DEL, JSON itself asks for no escape.
pub(crate) fn plain_json(json: &str) -> String {
    let mut plain = String::with_capacity(json.len());
    for c in json.chars() {
        if c.is_ascii() && c != '\u{7f}' || c.is_alphanumeric() {
            plain.push(c);
        } else {
            plain.extend(c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")));
        }
    }
    plain
}

/// A moment in seconds since 1970, for people: `2026-11-22 02:14:03 UTC`.
pub(crate) fn utc(seconds: u64) -> String {
    let time = i64::try_from(seconds).ok().and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
    time.map_or_else(|| format!("{seconds} s"), |time| time.strftime("%F %T UTC").to_string())
}

/// `text` with everything that could move a cursor, change a direction or hide replaced by its escape.
pub(crate) fn printable(text: &str) -> String {
    text.chars()
        .flat_map(|c| {
            let plain = c.is_ascii_graphic() || c == ' ' || (c.is_alphanumeric() && !c.is_control());
            let escaped: Vec<char> = if plain { vec![c] } else { c.escape_unicode().collect() };
            escaped
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_means_the_same_and_moves_nothing() {
        let text = "\u{1b}[2J \u{9b}2J \u{7f} \u{202e} \u{feff} \u{1f600} \u{ad} M\u{fc}ller \u{5d0}";
        let object = json!({ "serial": text });
        let plain = plain_json(&object.to_string());
        assert_eq!(serde_json::from_str::<Value>(&plain).unwrap(), object);
        assert!(plain.chars().all(|c| c.is_ascii_graphic() || c == ' ' || c.is_alphanumeric()), "{plain}");
        assert!(plain.contains("M\u{fc}ller"));
    }

    #[test]
    fn a_cause_is_said_once() {
        let cause = io::Error::other(io::Error::other("no space left"));
        let full = keystation::StationError::Disk { path: "/x".into(), cause };
        assert_eq!(causes(&full), "no space left");
        let source = io::Error::from_raw_os_error(2);
        let file = std::path::PathBuf::from("/no.toml");
        let named = keystation::config::ConfigError::Unreadable { file, source };
        assert_eq!(causes(&keystation::StationError::Config(named)), "");
    }

    #[test]
    fn what_a_device_says_cannot_move_the_cursor() {
        assert_eq!(printable("ok 1.2é\u{1b}[2J\u{202e}\n"), "ok 1.2é\\u{1b}[2J\\u{202e}\\u{a}");
    }
}
