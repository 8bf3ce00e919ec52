//! The one spelling of a record: a flat JSON object of texts and whole numbers (RFC 8259, restricted).
//!
//! `docs/audit-format.md` has the rules. [`write`] knows no other spelling, [`read`] refuses every other one in a
//! single pass, which is what "serialise again and compare" would do in two (a test holds them to each other).

use std::borrow::Cow;
use std::str;

use keystation_core::record::Value;

use crate::record::RecordError;

/// Whole numbers lie in ±(2^53 − 1): what every JSON reader keeps exactly (RFC 7493 section 2.2).
pub(crate) const NUMBER_LIMIT: i64 = (1 << 53) - 1;

/// Bytes of a record at most.
pub(crate) const BODY_LIMIT: usize = 4096;

/// A value as it stands in the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Raw<'a> {
    /// What is between the quotation marks, escapes and all.
    Text(&'a str),
    /// A whole number.
    Number(i64),
}

impl Raw<'_> {
    /// The value without escapes.
    pub(crate) fn value(self) -> Value {
        match self {
            Raw::Text(raw) => Value::Text(unescape(raw).into_owned()),
            Raw::Number(number) => Value::Number(number),
        }
    }
}

/// Writes `fields`, sorted by key, as one object. Whether it is too long [`read`] tells.
pub(crate) fn write(fields: &mut [(&str, Value)]) -> Result<Vec<u8>, RecordError> {
    fields.sort_by(|a, b| a.0.cmp(b.0));
    if let Some(twice) = fields.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        return Err(RecordError::FieldTwice(twice[0].0.to_owned()));
    }
    let mut body = String::with_capacity(512);
    for (index, (key, value)) in fields.iter().enumerate() {
        body.push_str(if index == 0 { "{\"" } else { ",\"" });
        body.push_str(key);
        body.push_str("\":");
        match value {
            Value::Number(number) if (-NUMBER_LIMIT..=NUMBER_LIMIT).contains(number) => {
                body.push_str(&number.to_string());
            }
            Value::Number(number) => return Err(RecordError::TooGreat(*number)),
            Value::Text(text) => {
                body.push('"');
                escape(text, &mut body);
                body.push('"');
            }
        }
    }
    body.push_str(if fields.is_empty() { "{}" } else { "}" });
    Ok(body.into_bytes())
}

fn escape(text: &str, body: &mut String) {
    for c in text.chars() {
        match c {
            '"' => body.push_str("\\\""),
            '\\' => body.push_str("\\\\"),
            // U+0000 to U+001F and U+007F to U+009F: one byte's worth, so \u00XX reaches all of them.
            c if c.is_control() => body.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => body.push(c),
        }
    }
}

/// Undoes what [`read`] let pass.
pub(crate) fn unescape(raw: &str) -> Cow<'_, str> {
    if !raw.contains('\\') {
        return Cow::Borrowed(raw);
    }
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find('\\') {
        text.push_str(&rest[..at]);
        let length = if let Some(hex) = rest[at..].strip_prefix("\\u") {
            let code = u32::from_str_radix(&hex[..4], 16).expect("four digits were read");
            text.push(char::from_u32(code).expect("a control character was read"));
            6
        } else {
            text.push_str(&rest[at + 1..at + 2]);
            2
        };
        rest = &rest[at + length..];
    }
    text.push_str(rest);
    Cow::Owned(text)
}

/// The fields of an object, in the order of their keys.
pub(crate) type Fields<'a> = Vec<(&'a str, Raw<'a>)>;

/// Reads an object in canonical form: its text, and its fields.
pub(crate) fn read(body: &[u8]) -> Result<(&str, Fields<'_>), RecordError> {
    if !(2..=BODY_LIMIT).contains(&body.len()) {
        return Err(RecordError::Size { bytes: body.len() });
    }
    let text = str::from_utf8(body).map_err(|e| RecordError::Encoding { at: e.valid_up_to() })?;
    let mut cursor = Cursor { text, bytes: body, at: 0 };
    let mut fields: Fields<'_> = Vec::with_capacity(32);
    cursor.expect(b'{')?;
    if body[1] != b'}' {
        loop {
            let at = cursor.at;
            let key = cursor.key()?;
            // Most keys differ in their first letter, which is cheaper to compare than two texts.
            let first = |key: &str| key.as_bytes()[0];
            if fields.last().is_some_and(|(before, _)| first(before) >= first(key) && *before >= key) {
                return Err(RecordError::KeyOrder { at });
            }
            cursor.expect(b':')?;
            fields.push((key, cursor.value()?));
            match cursor.peek() {
                Some(b',') => cursor.at += 1,
                _ => break,
            }
        }
    }
    cursor.expect(b'}')?;
    if cursor.at == body.len() { Ok((text, fields)) } else { Err(cursor.fail()) }
}

struct Cursor<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
}

/// What a byte means inside a text.
const PLAIN: u8 = 0;
const QUOTE: u8 = 1;
const ESCAPE: u8 = 2;
const CONTROL: u8 = 3;
/// May begin U+0080 to U+009F.
const C1: u8 = 4;
const CLASS: [u8; 256] = {
    let mut class = [PLAIN; 256];
    let mut control = 0;
    while control < 0x20 {
        class[control] = CONTROL;
        control += 1;
    }
    class[0x7f] = CONTROL;
    class[b'"' as usize] = QUOTE;
    class[b'\\' as usize] = ESCAPE;
    class[0xc2] = C1;
    class
};

impl<'a> Cursor<'a> {
    fn fail(&self) -> RecordError {
        RecordError::Syntax { at: self.at }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn expect(&mut self, byte: u8) -> Result<(), RecordError> {
        if self.peek() != Some(byte) {
            return Err(self.fail());
        }
        self.at += 1;
        Ok(())
    }

    /// `"`, a lower-case letter, then lower-case letters, digits and `_`, `"`.
    fn key(&mut self) -> Result<&'a str, RecordError> {
        self.expect(b'"')?;
        let start = self.at;
        let rest = self.bytes.get(start..).unwrap_or_default();
        let ends = |byte: &u8| !matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_');
        let length = rest.iter().position(ends).unwrap_or(rest.len());
        if rest.first().is_none_or(|byte| !byte.is_ascii_lowercase()) {
            return Err(self.fail());
        }
        self.at += length;
        let key = &self.text[start..self.at];
        self.expect(b'"')?;
        Ok(key)
    }

    fn value(&mut self) -> Result<Raw<'a>, RecordError> {
        match self.peek() {
            Some(b'"') => self.string().map(Raw::Text),
            Some(b'-' | b'0'..=b'9') => self.number().map(Raw::Number),
            _ => Err(self.fail()),
        }
    }

    fn string(&mut self) -> Result<&'a str, RecordError> {
        self.at += 1;
        let start = self.at;
        loop {
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            self.at += rest.iter().position(|byte| CLASS[*byte as usize] != PLAIN).unwrap_or(rest.len());
            match self.peek().map(|byte| CLASS[byte as usize]) {
                Some(QUOTE) => break,
                Some(ESCAPE) => self.escape()?,
                Some(C1) if self.bytes[self.at + 1] >= 0xa0 => self.at += 2,
                _ => return Err(self.fail()),
            }
        }
        let raw = &self.text[start..self.at];
        self.at += 1;
        Ok(raw)
    }

    /// `\"`, `\\`, or a control character as `\u00` and two lower-case digits.
    fn escape(&mut self) -> Result<(), RecordError> {
        match self.bytes.get(self.at + 1) {
            Some(b'"' | b'\\') => self.at += 2,
            Some(b'u') => {
                let digits = self.bytes.get(self.at + 2..self.at + 6).ok_or(self.fail())?;
                let lower = digits.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
                let code = str::from_utf8(digits).ok().and_then(|text| u8::from_str_radix(text, 16).ok());
                if !(lower && code.is_some_and(|code| char::from(code).is_control())) {
                    return Err(self.fail());
                }
                self.at += 6;
            }
            _ => return Err(self.fail()),
        }
        Ok(())
    }

    /// No leading zero, no `-0`, no fraction, no exponent.
    fn number(&mut self) -> Result<i64, RecordError> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        let first = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        let leading_zero = self.bytes.get(first) == Some(&b'0') && (self.at - first > 1 || first > start);
        let number = self.text[start..self.at].parse::<i64>().ok();
        match number.filter(|n| !leading_zero && (-NUMBER_LIMIT..=NUMBER_LIMIT).contains(n)) {
            Some(number) => Ok(number),
            None => Err(RecordError::Number { at: start }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn value() -> impl Strategy<Value = Value> {
        prop_oneof![
            any::<String>().prop_map(Value::Text),
            "[\u{0}-\u{a1}\"\\\\]{0,12}".prop_map(Value::Text),
            (-NUMBER_LIMIT..=NUMBER_LIMIT).prop_map(Value::Number),
        ]
    }

    fn object() -> impl Strategy<Value = std::collections::BTreeMap<String, Value>> {
        prop::collection::btree_map("[a-z][a-z0-9_]{0,3}", value(), 0..6)
    }

    fn spelled(fields: &std::collections::BTreeMap<String, Value>) -> Vec<u8> {
        // Handed over in the wrong order.
        let mut fields: Vec<_> = fields.iter().rev().map(|(k, v)| (k.as_str(), v.clone())).collect();
        write(&mut fields).unwrap()
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(fields in object()) {
            let body = spelled(&fields);
            let read: Vec<_> = read(&body).unwrap().1.into_iter().map(|(k, v)| (k.to_owned(), v.value())).collect();
            prop_assert_eq!(read, fields.into_iter().collect::<Vec<_>>());
        }

        /// Another JSON reader sees the same, and there is no control character in the bytes.
        #[test]
        fn it_is_json(fields in object()) {
            let body = spelled(&fields);
            let theirs: serde_json::Value = serde_json::from_slice(&body).unwrap();
            let ours: serde_json::Map<_, _> = fields.into_iter().map(|(k, v)| (k, match v {
                Value::Text(text) => json!(text),
                Value::Number(number) => json!(number),
            })).collect();
            prop_assert_eq!(theirs, serde_json::Value::Object(ours));
            prop_assert!(!std::str::from_utf8(&body).unwrap().chars().any(char::is_control));
        }

        /// Whatever is changed in a record: what is read is what would be written again, byte for byte.
        #[test]
        fn only_the_canonical_spelling_is_read(
            fields in object(),
            at in any::<prop::sample::Index>(),
            change in prop::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(b"{}\":,\\u0019afAF-. \n".to_vec())], 0..4),
            cut in 0usize..4,
        ) {
            let mut body = spelled(&fields);
            let at = at.index(body.len());
            body.splice(at..(at + cut).min(body.len()), change);
            if let Ok((_, fields)) = read(&body) {
                let mut again: Vec<_> = fields.into_iter().map(|(k, v)| (k, v.value())).collect();
                prop_assert_eq!(write(&mut again).unwrap(), body);
            }
        }
    }
}
