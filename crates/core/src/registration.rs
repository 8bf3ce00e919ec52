//! The registration ID: the one string that is hashed, sent, stored in the device and logged.

use std::fmt;

use crate::identity::{IdentifierError, Reason};

/// A DPS registration ID in canonical form: 1 to 128 characters, lower case, alphanumeric at both ends.
///
/// DPS compares IDs without case, HMAC does not: so a text that is not canonical is refused, never converted.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RegistrationId(String);

/// What may stand between the ends of a registration ID.
///
/// Microsoft's texts disagree (<https://learn.microsoft.com/azure/iot-dps/concepts-service#registration-id> against
/// the REST reference). The default is legal under all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IdRule {
    /// `a-z 0-9 -`
    #[default]
    Dashes,
    /// `a-z 0-9 - . _ :`, which only the newer texts allow.
    Punctuation,
}

impl RegistrationId {
    /// Characters at most (DPS). More than 64 will not fit the common name of a later certificate.
    pub const LIMIT: usize = 128;

    /// The only way to a registration ID. The error names the first character that cannot stand where it does.
    pub fn new(text: &str, rule: IdRule) -> Result<Self, IdentifierError> {
        let fail = |reason| IdentifierError { what: "registration ID", reason };
        let inner: &[char] = match rule {
            IdRule::Dashes => &['-'],
            IdRule::Punctuation => &['-', '.', '_', ':'],
        };
        let last = text.chars().count().saturating_sub(1);
        if text.is_empty() {
            return Err(fail(Reason::Empty));
        }
        for (index, character) in text.chars().enumerate() {
            let alphanumeric = character.is_ascii_lowercase() || character.is_ascii_digit();
            let inside = index != 0 && index != last;
            if !(alphanumeric || inside && inner.contains(&character)) {
                return Err(fail(Reason::Character { position: index + 1, character }));
            }
        }
        if text.len() > Self::LIMIT {
            return Err(fail(Reason::TooLong { length: text.len(), limit: Self::LIMIT }));
        }
        Ok(Self(text.to_owned()))
    }

    /// The characters, all ASCII.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RegistrationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn id(text: &str) -> Result<RegistrationId, Reason> {
        RegistrationId::new(text, IdRule::Dashes).map_err(|e| e.reason)
    }

    #[test]
    fn canonical_ids_pass() {
        for text in ["a", "0", "sn-007-888-abc-mac-a1-b2-c3-d4-e5-f6", &"a".repeat(128), "a--b"] {
            assert!(id(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn error_names_position_and_character() {
        assert_eq!(id("sn-A"), Err(Reason::Character { position: 4, character: 'A' }));
        assert_eq!(id("-a"), Err(Reason::Character { position: 1, character: '-' }));
        assert_eq!(id("a-"), Err(Reason::Character { position: 2, character: '-' }));
        assert_eq!(id("ac:67"), Err(Reason::Character { position: 3, character: ':' }));
        assert_eq!(id("x_y"), Err(Reason::Character { position: 2, character: '_' }));
        assert_eq!(id("a\n"), Err(Reason::Character { position: 2, character: '\n' }));
        assert_eq!(id("sign this"), Err(Reason::Character { position: 5, character: ' ' }));
        assert_eq!(id(""), Err(Reason::Empty));
        assert_eq!(id(&"a".repeat(129)), Err(Reason::TooLong { length: 129, limit: 128 }));
    }

    #[test]
    fn punctuation_only_where_the_profile_allows_it() {
        for text in ["ac:67:b2:0f:11:2c", "x_y.z:w-1"] {
            assert!(id(text).is_err());
            assert!(RegistrationId::new(text, IdRule::Punctuation).is_ok(), "{text}");
        }
        for text in [".a", "a:", "A:b", "a b"] {
            assert!(RegistrationId::new(text, IdRule::Punctuation).is_err(), "{text}");
        }
    }

    proptest! {
        /// The rule in its shortest form, as a second opinion.
        #[test]
        fn accepts_exactly_the_canonical_form(text in "[a-zA-Z0-9._: -]{0,130}") {
            let canonical = (1..=128).contains(&text.len())
                && text.bytes().all(|b| b"abcdefghijklmnopqrstuvwxyz0123456789-".contains(&b))
                && !text.starts_with('-') && !text.ends_with('-');
            prop_assert_eq!(id(&text).is_ok(), canonical);
        }
    }
}
