//! The text of a card: one line of canonical JSON (RFC 8785), of which there is one spelling.

use base64ct::{Base64, Encoding};
use keystation_core::identity::IdentifierError;
use keystation_core::key::{GroupKeyInfo, KeyLabel};

use super::{Card, Home};
use crate::canonical::{Cursor, Spelling};
use crate::custody::CustodyKind;
use crate::group_key::{LONGEST, SHORTEST};

const FAMILY: &str = "keystation-key/v";
const FORMAT: &str = "keystation-key/v1";
const NAMES: [&str; 12] = [
    "bytes", "check", "custody", "format", "group", "id", "label", "private", "public", "scope", "slot",
    "token",
];

/// Bytes of a TPM's public area at most: that of a keyed-hash object has 50.
const PUBLIC: usize = 128;
/// Bytes of what a TPM encrypted at most: for a key of 64 bytes some 200.
const PRIVATE: usize = 1024;
/// Bytes of a `CKA_ID` at most.
const ID: usize = 32;

/// What is wrong with the text of a card. Positions are bytes, counted from 1.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum CardFault {
    /// Something else.
    #[error("it is no key card")]
    NotACard,
    /// A card of another version of this program.
    #[error("it is of another format version than {FORMAT}")]
    UnknownVersion,
    /// A kind of custody that has no cards, or that this version does not know.
    #[error("its custody is neither `tpm` nor `pkcs11`")]
    UnknownCustody,
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
    /// A name or a check value that its field cannot have.
    #[error("{0}")]
    Value(IdentifierError),
    /// Another value that its field cannot have.
    #[error("`{field}` is not what it can be")]
    Field {
        /// Which field.
        field: &'static str,
    },
    /// The file has another name than the card's label: a copy, or a second card of one label.
    #[error("its label is {0}, which its file is not named after")]
    FileName(KeyLabel),
}

impl From<Spelling> for CardFault {
    fn from(spelling: Spelling) -> Self {
        match spelling {
            Spelling::NotCanonical { position } => Self::NotCanonical { position },
            Spelling::UnknownField { position } => Self::UnknownField { position },
        }
    }
}

/// The text of a card: one line of canonical JSON (RFC 8785) and a line feed.
pub(super) fn write(card: &Card) -> String {
    let GroupKeyInfo { label, group, scope, slot, check_value, length } = &card.info;
    let custody = card.home.kind().as_str();
    // None of the values can hold a character that JSON escapes: see their types.
    let head = format!(
        r#"{{"bytes":{length},"check":"{check_value}","custody":"{custody}","format":"{FORMAT}","group":"{group}","#
    );
    let rest = match &card.home {
        Home::Tpm { public, private } => {
            let (public, private) = (Base64::encode_string(public), Base64::encode_string(private));
            format!(
                r#""label":"{label}","private":"{private}","public":"{public}","scope":"{scope}","slot":"{slot}""#
            )
        }
        Home::Pkcs11 { token, id } => {
            let id: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
            format!(r#""id":"{id}","label":"{label}","scope":"{scope}","slot":"{slot}","token":"{token}""#)
        }
    };
    format!("{head}{rest}}}\n")
}

/// Reads the text of a card.
pub(super) fn read(text: &[u8]) -> Result<Card, CardFault> {
    let mut cursor = Cursor::new(text, &NAMES);
    if !text.starts_with(b"{\"") {
        return Err(CardFault::NotACard);
    }
    cursor.field("{\"", "bytes")?;
    let length = cursor.number()?;
    let check = cursor.text("check")?;
    let custody = cursor.text("custody")?;
    match cursor.text("format")? {
        FORMAT => {}
        other if other.starts_with(FAMILY) => return Err(CardFault::UnknownVersion),
        _ => return Err(CardFault::NotACard),
    }
    let group = cursor.text("group")?;
    let (home, [label, scope, slot]) = match custody {
        _ if custody == CustodyKind::Tpm.as_str() => {
            let label = cursor.text("label")?;
            let private = bytes("private", cursor.text("private")?, PRIVATE)?;
            let public = bytes("public", cursor.text("public")?, PUBLIC)?;
            (Home::Tpm { public, private }, [label, cursor.text("scope")?, cursor.text("slot")?])
        }
        _ if custody == CustodyKind::Pkcs11.as_str() => {
            let id = digits("id", cursor.text("id")?)?;
            let names = [cursor.text("label")?, cursor.text("scope")?, cursor.text("slot")?];
            let token = cursor.text("token")?;
            let label = (1..=32).contains(&token.len()) && !token.ends_with(' ');
            let token = label.then(|| token.to_owned()).ok_or(CardFault::Field { field: "token" })?;
            (Home::Pkcs11 { token, id }, names)
        }
        _ => return Err(CardFault::UnknownCustody),
    };
    cursor.end("}\n")?;
    cursor.finish()?;
    let length = u8::try_from(length).ok().filter(|n| (SHORTEST..=LONGEST).contains(&usize::from(*n)));
    let info = GroupKeyInfo {
        label: label.parse().map_err(CardFault::Value)?,
        group: group.parse().map_err(CardFault::Value)?,
        scope: scope.parse().map_err(CardFault::Value)?,
        slot: slot.parse().map_err(CardFault::Value)?,
        check_value: check.parse().map_err(CardFault::Value)?,
        length: length.ok_or(CardFault::Field { field: "bytes" })?,
    };
    // The one field that can be spelled in several ways.
    if info.check_value.to_string() == check {
        Ok(Card { info, home })
    } else {
        Err(CardFault::Field { field: "check" })
    }
}

/// 1 to `most` bytes in canonical Base64 (RFC 4648, section 4).
fn bytes(field: &'static str, text: &str, most: usize) -> Result<Vec<u8>, CardFault> {
    let decoded = Base64::decode_vec(text).ok().filter(|bytes| (1..=most).contains(&bytes.len()));
    decoded.filter(|bytes| Base64::encode_string(bytes) == text).ok_or(CardFault::Field { field })
}

/// 1 to 32 bytes in lower-case hexadecimal digits.
fn digits(field: &'static str, text: &str) -> Result<Vec<u8>, CardFault> {
    let digit = |c: u8| char::from(c).to_digit(16).filter(|_| !c.is_ascii_uppercase());
    let pairs = text.as_bytes().chunks(2).map(|pair| match *pair {
        [high, low] => Some((digit(high)? << 4 | digit(low)?) as u8),
        _ => None,
    });
    let decoded: Option<Vec<u8>> = pairs.collect();
    decoded.filter(|bytes| (1..=ID).contains(&bytes.len())).ok_or(CardFault::Field { field })
}

#[cfg(test)]
mod tests {
    use keystation_core::key::KeySlot;

    use super::*;

    fn cards() -> [Card; 2] {
        let info = GroupKeyInfo {
            label: "gk-a".parse().unwrap(),
            group: "line-1".parse().unwrap(),
            scope: "0ne00000001".parse().unwrap(),
            slot: KeySlot::Secondary,
            check_value: "9B5BD-BEC8B".parse().unwrap(),
            length: 16,
        };
        let tpm = Home::Tpm { public: (0..50).collect(), private: (0..190).collect() };
        let token = Home::Pkcs11 { token: "factory 7".to_owned(), id: vec![0, 0x7f, 0xff] };
        [Card { info: info.clone(), home: tpm }, Card { info, home: token }]
    }

    #[test]
    fn what_is_written_is_read() {
        for card in cards() {
            assert_eq!(read(write(&card).as_bytes()), Ok(card));
        }
    }

    /// One spelling for each card: whatever one changed, missing or added byte leaves, it is refused or it is the
    /// canonical spelling of another card.
    #[test]
    fn what_is_read_is_canonical() {
        let mut taken = 0;
        for text in cards().map(|card| write(&card).into_bytes()) {
            for at in 0..text.len() {
                for byte in b" \"\\,:{}[]\n\0\x80-.=+/0159aAfzZ".iter().copied() {
                    let (before, after) = text.split_at(at);
                    let changed = [before, &[byte], &after[1..]].concat();
                    let added = [before, &[byte], after].concat();
                    let missing = [before, &after[1..]].concat();
                    for other in [changed, added, missing] {
                        let Ok(card) = read(&other) else { continue };
                        assert_eq!(write(&card).as_bytes(), other, "{}", other.escape_ascii());
                        taken += 1;
                    }
                }
            }
        }
        assert!(taken > 0, "a label of another letter is another card");
    }

    #[test]
    fn longest_card_fits() {
        let [mut tpm, mut token] = cards();
        for card in [&mut tpm, &mut token] {
            card.info.label = "a".repeat(32).parse().unwrap();
            card.info.group = "g".repeat(128).parse().unwrap();
            card.info.scope = "s".repeat(32).parse().unwrap();
        }
        tpm.home = Home::Tpm { public: vec![255; PUBLIC], private: vec![255; PRIVATE] };
        token.home = Home::Pkcs11 { token: "t".repeat(32), id: vec![255; ID] };
        for card in [tpm, token] {
            let text = write(&card);
            assert!(text.len() <= crate::card::LIMIT, "{}", text.len());
            assert_eq!(read(text.as_bytes()), Ok(card));
        }
    }
}
