//! The plaintext of a sealed file, as `docs/vault-format.md` has it: one line of canonical JSON (RFC 8785).
//!
//! Read by hand and not through serde, so that the text of a key is never copied, not even into an error: every
//! value is borrowed from the locked memory that it was decrypted into. The reader knows one spelling of every
//! document, so what it accepts is canonical by construction.

use std::io::Write as _;

use keystation_core::identity::IdentifierError;
use keystation_core::key::{CheckValue, EnrollmentGroup, GroupKeyInfo, IdScope, KeyLabel, KeySlot};

use crate::canonical::{Cursor, Spelling};
use crate::group_key::KeyRefused;

const FAMILY: &str = "keystation-vault/v";
const FORMAT: &str = "keystation-vault/v1";
const TRANSFER_FAMILY: &str = "keystation-transfer/v";
const TRANSFER: &str = "keystation-transfer/v1";
const FIELDS: [&str; 6] = ["check", "group", "key", "label", "scope", "slot"];
/// With those of the document around the keys.
const NAMES: [&str; 8] = ["check", "format", "group", "key", "keys", "label", "scope", "slot"];

/// Keys in one sealed file at most: their states fill one page of 8 KiB.
pub(crate) const KEYS: usize = 64;
/// Bytes of a plaintext at most: 64 keys with names of full length take less.
pub(crate) const LIMIT: usize = 24 * 1024;

/// One key as the document has it; nothing but the spelling has been checked.
pub(crate) struct Entry<'a> {
    pub(crate) check: CheckValue,
    pub(crate) group: EnrollmentGroup,
    /// Base64, still in locked memory.
    pub(crate) key: &'a str,
    pub(crate) label: KeyLabel,
    pub(crate) scope: IdScope,
    pub(crate) slot: KeySlot,
}

/// A plaintext that is not the document of a vault. Positions are bytes, counted from 1.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// Something else was sealed.
    #[error("what it holds is not a vault")]
    NotAVault,
    /// A vault of another version of this program.
    #[error("it is a vault of another format version than {FORMAT}")]
    UnknownVersion,
    /// Something else than a key in transfer was sealed to the station.
    #[error("what it holds is not a group key in transfer")]
    NotATransfer,
    /// A transfer of another version of this program.
    #[error("it is a transfer of another format version than {TRANSFER}")]
    UnknownTransfer,
    /// Something else than an identity of age was sealed.
    #[error("what it holds is no identity of age")]
    NotAnIdentity,
    /// A field that this version does not know.
    #[error("byte {position} begins a field that this version does not know")]
    UnknownField {
        /// Where.
        position: usize,
    },
    /// Not the canonical spelling: white space, another order, an escape, a cut.
    #[error("byte {position} is not what the format has there")]
    NotCanonical {
        /// Where.
        position: usize,
    },
    /// A value that its field cannot have. The text of a key is never repeated.
    #[error("key {number}: {reason}")]
    Value {
        /// Which entry, counted from 1.
        number: usize,
        /// What is wrong.
        reason: IdentifierError,
    },
    /// The text of a key is no group key.
    #[error("the key {label} is refused: {reason}")]
    Key {
        /// Whose.
        label: KeyLabel,
        /// What is wrong.
        reason: KeyRefused,
    },
    /// Two keys with one label.
    #[error("the label {0} stands there twice")]
    LabelTwice(KeyLabel),
    /// One key under two labels.
    #[error("the keys {0} and {1} are the same key")]
    KeyTwice(KeyLabel, KeyLabel),
    /// More keys than a vault holds.
    #[error("it holds more than {KEYS} keys")]
    TooMany,
}

/// Writes the document of `keys` into `out` and returns its length. `out` is [`LIMIT`] bytes, in locked memory.
pub(crate) fn write<'a>(keys: impl Iterator<Item = (&'a GroupKeyInfo, &'a str)>, out: &mut [u8]) -> usize {
    let room = out.len();
    let mut rest = out;
    let mut put = |text: &str| rest.write_all(text.as_bytes()).expect("64 keys fit into the limit");
    put(r#"{"format":""#);
    put(FORMAT);
    put(r#"","keys":["#);
    for (index, (info, key)) in keys.enumerate() {
        put(if index == 0 { "{" } else { ",{" });
        let (check, slot) = (info.check_value.to_string(), info.slot.as_str());
        let values = [&check, info.group.as_str(), key, info.label.as_str(), info.scope.as_str(), slot];
        for (index, (name, value)) in FIELDS.iter().zip(values).enumerate() {
            // None of the values can hold a character that JSON escapes: see their types.
            [if index == 0 { "\"" } else { ",\"" }, name, "\":\"", value, "\""]
                .into_iter()
                .for_each(&mut put);
        }
        put("}");
    }
    put("]}\n");
    room - rest.len()
}

/// Reads a document.
pub(crate) fn read(text: &[u8]) -> Result<Vec<Entry<'_>>, DocumentError> {
    let mut cursor = Cursor::new(text, &NAMES);
    if !cursor.take(r#"{"format":""#) {
        return Err(DocumentError::NotAVault);
    }
    match cursor.value() {
        Ok(FORMAT) => {}
        Ok(other) if other.starts_with(FAMILY) => return Err(DocumentError::UnknownVersion),
        _ => return Err(DocumentError::NotAVault),
    }
    cursor.field(",\"", "keys")?;
    cursor.expect("[")?;
    let mut entries: Vec<Entry<'_>> = Vec::new();
    while !cursor.take("]") {
        if entries.len() == KEYS {
            return Err(DocumentError::TooMany);
        }
        cursor.expect(if entries.is_empty() { "{" } else { ",{" })?;
        let number = entries.len() + 1;
        let values = cursor.texts(FIELDS)?;
        let entry = entry(&cursor, number, values)?;
        if entries.iter().any(|other| other.label == entry.label) {
            return Err(DocumentError::LabelTwice(entry.label));
        }
        if let Some(other) = entries.iter().find(|other| other.check == entry.check) {
            return Err(DocumentError::KeyTwice(other.label.clone(), entry.label));
        }
        entries.push(entry);
    }
    cursor.end("}\n")?;
    cursor.finish()?;
    Ok(entries)
}

/// Reads the document of a key in transfer: the fields of a key, and `format` at its place among them.
pub(crate) fn read_transfer(text: &[u8]) -> Result<Entry<'_>, DocumentError> {
    let mut cursor = Cursor::new(text, &NAMES);
    if !cursor.take(r#"{"check":""#) {
        return Err(DocumentError::NotATransfer);
    }
    let check = cursor.value()?;
    if !cursor.take(r#","format":""#) {
        return Err(DocumentError::NotATransfer);
    }
    match cursor.value()? {
        TRANSFER => {}
        other if other.starts_with(TRANSFER_FAMILY) => return Err(DocumentError::UnknownTransfer),
        _ => return Err(DocumentError::NotATransfer),
    }
    let mut values = [check, "", "", "", "", ""];
    for (name, value) in FIELDS.iter().zip(&mut values).skip(1) {
        *value = cursor.text(name)?;
    }
    cursor.end("}\n")?;
    let entry = entry(&cursor, 1, values)?;
    cursor.finish()?;
    Ok(entry)
}

/// The six fields as what they have to be.
fn entry<'a>(cursor: &Cursor<'a>, number: usize, values: [&'a str; 6]) -> Result<Entry<'a>, DocumentError> {
    let [check, group, key, label, scope, slot] = values;
    let value = |reason| DocumentError::Value { number, reason };
    let entry = Entry {
        check: check.parse().map_err(value)?,
        group: group.parse().map_err(value)?,
        key,
        label: label.parse().map_err(value)?,
        scope: scope.parse().map_err(value)?,
        slot: slot.parse().map_err(value)?,
    };
    if entry.check.to_string() == check { Ok(entry) } else { Err(cursor.not_canonical().into()) }
}

impl From<Spelling> for DocumentError {
    fn from(spelling: Spelling) -> Self {
        match spelling {
            Spelling::NotCanonical { position } => Self::NotCanonical { position },
            Spelling::UnknownField { position } => Self::UnknownField { position },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str =
        "8isrFI1sGsIlvvFSSFRiMfCNzv21fjbE/+ah/lSh3lF8e2YG1Te7w1KpZhJFFXJrqYKi9yegxkqIChbqOS9Egw==";

    fn info(label: &str, check: &str, slot: KeySlot) -> GroupKeyInfo {
        GroupKeyInfo {
            label: label.parse().unwrap(),
            group: "line-1".parse().unwrap(),
            scope: "0ne00000001".parse().unwrap(),
            slot,
            check_value: check.parse().unwrap(),
            length: 64,
        }
    }

    fn written(keys: &[(GroupKeyInfo, &str)]) -> Vec<u8> {
        let mut out = vec![0; LIMIT];
        let length = write(keys.iter().map(|(info, key)| (info, *key)), &mut out);
        out.truncate(length);
        out
    }

    /// Writes what was read.
    fn again(text: &[u8]) -> Option<Vec<u8>> {
        let keys: Vec<_> = read(text)
            .ok()?
            .into_iter()
            .map(|Entry { check, group, key, label, scope, slot }| {
                (GroupKeyInfo { label, group, scope, slot, check_value: check, length: 64 }, key)
            })
            .collect();
        Some(written(&keys))
    }

    fn two_keys() -> Vec<u8> {
        written(&[
            (info("gk-a", "9B5BD-BEC8B", KeySlot::Primary), KEY),
            (info("gk-b", "00000-00000", KeySlot::Secondary), "AAECAwQFBgcICQoLDA0ODw=="),
        ])
    }

    #[test]
    fn what_is_written_is_read() {
        assert_eq!(again(&two_keys()).as_deref(), Some(&two_keys()[..]));
        assert_eq!(again(b"{\"format\":\"keystation-vault/v1\",\"keys\":[]}\n"), Some(written(&[])));
    }

    /// One spelling for each document: whatever one changed, missing or added byte leaves, it is refused or it is the
    /// canonical spelling of another document.
    #[test]
    fn what_is_read_is_canonical() {
        let text = two_keys();
        let mut read = 0;
        for at in 0..text.len() {
            for byte in b" \"\\,:{}[]\n\0\x80-.=+/09aAzZ".iter().copied() {
                let (before, after) = text.split_at(at);
                let changed = [before, &[byte], &after[1..]].concat();
                let added = [before, &[byte], after].concat();
                let missing = [before, &after[1..]].concat();
                for other in [changed, added, missing] {
                    let rewritten = again(&other);
                    read += usize::from(rewritten.is_some());
                    assert!(rewritten.is_none_or(|rewritten| rewritten == other), "{}", other.escape_ascii());
                }
            }
        }
        assert!(read > 0, "a label of another letter is another document");
    }

    #[test]
    fn longest_document_fits() {
        let long = |index: usize| GroupKeyInfo {
            label: format!("{index:032}").parse().unwrap(),
            group: "g".repeat(128).parse().unwrap(),
            scope: "s".repeat(32).parse().unwrap(),
            ..info("a", "00000-00000", KeySlot::Secondary)
        };
        let keys: Vec<_> = (0..KEYS).map(|index| (long(index), KEY)).collect();
        assert!(written(&keys).len() <= LIMIT);
    }
}
