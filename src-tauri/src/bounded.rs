//! Arguments of commands that say how much they take. What is more is no argument, and the command is not called.

use keystation::{SecretRefused, SecretText};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use zeroize::Zeroizing;

/// A text of at most `LIMIT` characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Text<const LIMIT: usize>(String);

impl<const LIMIT: usize> Text<LIMIT> {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The first `LIMIT` characters of what the station says.
    pub(crate) fn shortened(text: &str) -> Self {
        Self(text.chars().take(LIMIT).collect())
    }
}

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

impl<const LIMIT: usize> Serialize for Text<LIMIT> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// A secret of at most `LIMIT` characters. It cannot be printed or sent back, is wiped when it is dropped, and no error
/// repeats any of it.
pub(crate) struct Hidden<const LIMIT: usize>(Zeroizing<String>);

impl<const LIMIT: usize> Hidden<LIMIT> {
    /// The characters. Whoever calls this answers for every copy that is made of them.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    /// As the station takes a secret.
    pub(crate) fn into_secret(self) -> Result<SecretText, SecretRefused> {
        SecretText::from_line(Zeroizing::new(self.0.as_bytes().to_vec()))
    }
}

impl<'de, const LIMIT: usize> Deserialize<'de> for Hidden<LIMIT> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // serde would repeat a value of another type in its error.
        let text = String::deserialize(deserializer).map_err(|_| de::Error::custom("a text is expected"))?;
        let text = Zeroizing::new(text);
        if text.chars().count() > LIMIT {
            return Err(de::Error::custom(format_args!("more than {LIMIT} characters")));
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
