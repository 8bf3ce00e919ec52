//! Arguments of commands that say how much they take. What is more is no argument, and the command is not called.

use serde::{Deserialize, Deserializer, de};

/// A text of at most `LIMIT` characters.
#[derive(Debug)]
pub(crate) struct Text<const LIMIT: usize>(String);

impl<const LIMIT: usize> From<Text<LIMIT>> for String {
    fn from(text: Text<LIMIT>) -> Self {
        text.0
    }
}

impl<'de, const LIMIT: usize> Deserialize<'de> for Text<LIMIT> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let length = text.chars().count();
        if length > LIMIT {
            return Err(de::Error::custom(format_args!("{length} characters, {LIMIT} are allowed")));
        }
        Ok(Self(text))
    }
}

/// A number of rows, at most `LIMIT`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rows<const LIMIT: u32>(u32);

impl<const LIMIT: u32> Rows<LIMIT> {
    pub(crate) const fn get(self) -> u32 {
        self.0
    }
}

impl<'de, const LIMIT: u32> Deserialize<'de> for Rows<LIMIT> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let rows = u32::deserialize(deserializer)?;
        if rows > LIMIT {
            return Err(de::Error::custom(format_args!("{rows} rows, {LIMIT} are allowed")));
        }
        Ok(Self(rows))
    }
}
