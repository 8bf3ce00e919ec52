//! The number of a work order.

use std::fmt;
use std::str::FromStr;

use crate::identity::{IdentifierError, Reason};

/// The ID of a work order, the field `job` of records: 1 to 32 characters of `A-Z a-z 0-9 . _ -`, the first one a letter or a
/// digit, so that it is the name of a file everywhere. Two IDs that differ in case are two orders.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OrderId(String);

impl OrderId {
    /// Characters at most.
    pub const LIMIT: usize = 32;

    /// The characters, all ASCII.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for OrderId {
    type Err = IdentifierError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fail = |reason| IdentifierError { what: "work order", reason };
        if text.is_empty() {
            return Err(fail(Reason::Empty));
        }
        let fits =
            |index: usize, c: char| c.is_ascii_alphanumeric() || index > 0 && matches!(c, '.' | '_' | '-');
        if let Some((index, character)) = text.chars().enumerate().find(|(index, c)| !fits(*index, *c)) {
            return Err(fail(Reason::Character { position: index + 1, character }));
        }
        if text.len() > Self::LIMIT {
            return Err(fail(Reason::TooLong { length: text.len(), limit: Self::LIMIT }));
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for OrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_has_a_name_that_is_one_of_a_file() {
        for text in ["WO-44192", "0", "a.b_c-D", &"x".repeat(32)] {
            assert_eq!(text.parse::<OrderId>().unwrap().as_str(), text);
        }
        for text in ["", ".", "..", "-x", "_x", ".hidden", "a/b", "a b", "a\n", "é", "=1+1", &"x".repeat(33)]
        {
            assert!(text.parse::<OrderId>().is_err(), "{text:?}");
        }
        let error = "WO 1".parse::<OrderId>().unwrap_err().to_string();
        assert_eq!(error, "work order: character 3 is a space, which cannot stand there");
    }
}
