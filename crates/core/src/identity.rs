//! Who a device says it is: its MAC address, its serial number, or both.

use std::fmt;
use std::str::FromStr;

/// A text was not the identifier that it should be.
///
/// `position` counts characters from 1, as a person counts them on a label.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}: {reason}")]
pub struct IdentifierError {
    /// Which identifier was read, for example `MAC address`.
    pub what: &'static str,
    /// What is wrong with it.
    pub reason: Reason,
}

/// Why an identifier is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// No character at all.
    #[error("it is empty")]
    Empty,
    /// More characters than allowed.
    #[error("it has {length} characters, at most {limit} are allowed")]
    TooLong {
        /// Characters found.
        length: usize,
        /// Characters allowed.
        limit: usize,
    },
    /// The text ends before the identifier is complete.
    #[error("it ends after {length} characters")]
    TooShort {
        /// Characters found.
        length: usize,
    },
    /// A character that cannot stand at this place.
    #[error("character {position} is {}, which cannot stand there", Shown(*.character))]
    Character {
        /// Where, counted from 1.
        position: usize,
        /// The character itself.
        character: char,
    },
    /// A well-formed value that no single device can own.
    #[error("it is {0}")]
    NotADevice(&'static str),
}

/// A character as a person can be shown it: control, bidirectional and other invisible ones by their number.
struct Shown(char);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            c if c.is_ascii_graphic() => write!(f, "'{c}'"),
            ' ' => f.write_str("a space"),
            c => write!(f, "U+{:04X}", u32::from(c)),
        }
    }
}

/// A 48-bit MAC address (IEEE 802 EUI-48), first byte first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Mac([u8; 6]);

/// Which MAC addresses a product may have beside the globally unique ones. The default allows none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MacRule {
    /// Accept all zero, all ones and the addresses of example code: for trials on a bench only.
    pub allow_placeholder: bool,
    /// Accept addresses with the multicast bit. Microsoft's published example, `a1:b2:c3:d4:e5:f6`, is one.
    pub allow_multicast: bool,
    /// Accept addresses with the locally administered bit (`02:…`): what a virtual interface has.
    pub allow_locally_administered: bool,
}

impl Mac {
    /// The address in these six bytes, as it stands. Whether a device may have it is asked of [`Mac::check`].
    #[must_use]
    pub const fn new(bytes: [u8; 6]) -> Self {
        Self(bytes)
    }

    /// The six bytes, first byte first.
    #[must_use]
    pub const fn bytes(&self) -> [u8; 6] {
        self.0
    }

    /// Refuses an address that no single device can own, unless `rule` allows it: all zero, all ones or a
    /// placeholder of example code; multicast (bit 0 of the first byte); locally administered (bit 1).
    pub fn check(&self, rule: MacRule) -> Result<(), IdentifierError> {
        let placeholder = match self.0 {
            [0, 0, 0, 0, 0, 0] => Some("all zero: the chip has no address yet"),
            [0xff, 0xff, 0xff, 0xff, 0xff, 0xff] => Some("all ones: the address memory is empty"),
            [0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc] | [0x00, 0x11, 0x22, 0x33, 0x44, 0x55] => {
                Some("a placeholder from example code")
            }
            _ => None,
        };
        let refused = match (placeholder, self.0[0]) {
            (Some(reason), _) => (!rule.allow_placeholder).then_some(reason),
            (None, first) if first & 0x01 != 0 => (!rule.allow_multicast)
                .then_some("a multicast address, which the product's profile does not allow"),
            (None, first) if first & 0x02 != 0 => (!rule.allow_locally_administered)
                .then_some("locally administered, which the product's profile does not allow"),
            _ => None,
        };
        match refused {
            Some(reason) => Err(IdentifierError { what: "MAC address", reason: Reason::NotADevice(reason) }),
            None => Ok(()),
        }
    }

    /// Twelve lower-case hexadecimal digits, with `separator` between the bytes.
    #[must_use]
    pub fn spelled(&self, separator: &str) -> String {
        self.0.map(|byte| format!("{byte:02x}")).join(separator)
    }
}

impl fmt::Display for Mac {
    /// `a1:b2:c3:d4:e5:f6`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.spelled(":"))
    }
}

impl FromStr for Mac {
    type Err = IdentifierError;

    /// Twelve hexadecimal digits of either case: bare, in six pairs with one kind of separator (`:` or `-`), or in
    /// three groups of four with dots (`a1b2.c3d4.e5f6`).
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fail = |reason| IdentifierError { what: "MAC address", reason };
        let (group, separator) = match text.chars().nth(2) {
            Some(c @ (':' | '-')) => (2, Some(c)),
            _ if text.chars().nth(4) == Some('.') => (4, Some('.')),
            _ => (12, None),
        };
        let mut bytes = [0u8; 6];
        let mut digits = 0;
        let mut since_separator = 0;
        for (index, character) in text.chars().enumerate() {
            let misplaced = fail(Reason::Character { position: index + 1, character });
            if since_separator == group && digits < 12 {
                if Some(character) != separator {
                    return Err(misplaced);
                }
                since_separator = 0;
                continue;
            }
            let Some(digit) = character.to_digit(16).filter(|_| digits < 12) else {
                return Err(misplaced);
            };
            bytes[digits / 2] = bytes[digits / 2] << 4 | digit as u8;
            digits += 1;
            since_separator += 1;
        }
        match digits {
            12 => Ok(Self(bytes)),
            0 if text.is_empty() => Err(fail(Reason::Empty)),
            _ => Err(fail(Reason::TooShort { length: text.chars().count() })),
        }
    }
}

/// A product's serial number as the device reports it: 1 to 64 printable ASCII characters without a space.
///
/// The case is kept: what a registration ID makes of it is the recipe's business.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SerialNumber(String);

impl SerialNumber {
    /// Characters at most.
    pub const LIMIT: usize = 64;

    /// The characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SerialNumber {
    type Err = IdentifierError;

    /// Also refuses what unprogrammed parts report: only zeros, only `f`s, the USB bridge default `0001`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fail = |reason| IdentifierError { what: "serial number", reason };
        if text.is_empty() {
            return Err(fail(Reason::Empty));
        }
        if let Some((index, character)) = text.chars().enumerate().find(|(_, c)| !c.is_ascii_graphic()) {
            return Err(fail(Reason::Character { position: index + 1, character }));
        }
        if text.len() > Self::LIMIT {
            return Err(fail(Reason::TooLong { length: text.len(), limit: Self::LIMIT }));
        }
        let only = |wanted: char| text.chars().all(|c| c.eq_ignore_ascii_case(&wanted));
        if only('0') || only('f') || only('x') || only('?') || text == "0001" {
            return Err(fail(Reason::NotADevice("a placeholder: the serial number was never programmed")));
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for SerialNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a device says of itself that never changes: the same before the write and after the restart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Its MAC address, if it has one.
    pub mac: Option<Mac>,
    /// Its serial number, if it has one.
    pub serial: Option<SerialNumber>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mac(text: &str) -> Result<Mac, Reason> {
        text.parse().map_err(|e: IdentifierError| e.reason)
    }

    #[test]
    fn mac_is_read_in_every_spelling() {
        let expected = Mac::new([0xa1, 0xb2, 0xc3, 0xd4, 0xe5, 0xf6]);
        for text in ["a1:b2:c3:d4:e5:f6", "A1-B2-C3-D4-E5-F6", "a1b2.c3d4.e5f6", "A1b2C3d4E5f6"] {
            assert_eq!(mac(text), Ok(expected), "{text}");
        }
        assert_eq!(expected.to_string(), "a1:b2:c3:d4:e5:f6");
    }

    #[test]
    fn mac_error_names_position_and_character() {
        let at = |position, character| Err(Reason::Character { position, character });
        assert_eq!(mac("a1:b2:c3:d4:e5:g6"), at(16, 'g'));
        assert_eq!(mac("a1:b2-c3:d4:e5:f6"), at(6, '-'));
        assert_eq!(mac("a1b2c3d4e5f60"), at(13, '0'));
        assert_eq!(mac("a1:b2:c3:d4:e5:f6 "), at(18, ' '));
        assert_eq!(mac("a1b2.c3d4:e5f6"), at(10, ':'));
        assert_eq!(mac("a1:b2:c3:d4:e5:"), Err(Reason::TooShort { length: 15 }));
        assert_eq!(mac(""), Err(Reason::Empty));
        assert_eq!(
            "a1\u{202e}".parse::<Mac>().unwrap_err().to_string(),
            "MAC address: character 3 is U+202E, which cannot stand there"
        );
    }

    #[test]
    fn mac_that_no_device_owns_is_refused_unless_the_rule_allows_it() {
        let placeholder = MacRule { allow_placeholder: true, ..MacRule::default() };
        let multicast = MacRule { allow_multicast: true, ..MacRule::default() };
        let local = MacRule { allow_locally_administered: true, ..MacRule::default() };
        let rows = [
            ([0; 6], placeholder),
            ([0xff; 6], placeholder),
            ([0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc], placeholder),
            ([0x01, 0, 0x5e, 0, 0, 1], multicast),
            ([0xa1, 0xb2, 0xc3, 0xd4, 0xe5, 0xf6], multicast),
            ([0x02, 0, 0, 0, 0, 1], local),
        ];
        for (bytes, allowing) in rows {
            for rule in [MacRule::default(), placeholder, multicast, local] {
                assert_eq!(Mac::new(bytes).check(rule).is_ok(), rule == allowing, "{bytes:x?} {rule:?}");
            }
        }
        assert!(Mac::new([0xa4, 0xcf, 0x12, 0, 1, 7]).check(MacRule::default()).is_ok());
    }

    #[test]
    fn serial_number_is_printable_and_programmed() {
        assert!("007-888-abc".parse::<SerialNumber>().is_ok());
        for text in ["", "0000000", "FFFFFF", "0001", "a b", "a\u{1b}[2J", "é", &"1".repeat(65)] {
            assert!(text.parse::<SerialNumber>().is_err(), "{text:?}");
        }
    }
}
