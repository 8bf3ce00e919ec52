//! The name of a person, which is kept beside the log and never in it.

use std::collections::BTreeMap;
use std::fmt;

use keystation_audit::Names;

use crate::error::StationError;
use crate::people::{Action, Permit};
use crate::station::Station;

/// A name as people write it: 1 to 100 characters, no control characters, no blanks around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonName(String);

/// A text is no name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAName {
    /// Nothing, or blanks only.
    #[error("no name was given")]
    Empty,
    /// More than 100 characters.
    #[error("the name has {0} characters, 100 are allowed")]
    Long(usize),
    /// A control character.
    #[error("character {0} of the name is a control character")]
    Control(usize),
}

impl PersonName {
    /// The name on the first line of `text`, without the blanks around it.
    pub fn new(text: &str) -> Result<Self, NotAName> {
        let name = text.lines().next().unwrap_or_default().trim();
        if let Some(place) = name.chars().position(char::is_control) {
            return Err(NotAName::Control(place + 1));
        }
        match name.chars().count() {
            0 => Err(NotAName::Empty),
            1..=100 => Ok(Self(name.to_owned())),
            more => Err(NotAName::Long(more)),
        }
    }

    /// As it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PersonName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Station {
    /// Keeps the name behind an ID, outside of the log. With a permit of [`Action::SetName`], or of the first start for
    /// those whom it made.
    pub fn set_name(&self, permit: &Permit, id: &str, name: &PersonName) -> Result<(), StationError> {
        let action = match permit.action() {
            Action::FirstStart => Action::FirstStart,
            _ => Action::SetName,
        };
        self.honour(permit, action)?;
        Ok(Names::open(&self.data().names())?.set(id, name.as_str())?)
    }

    /// Erases the name behind an ID; says whether there was one. Permit: [`Action::ForgetName`].
    pub fn forget_name(&self, permit: &Permit, id: &str) -> Result<bool, StationError> {
        self.honour(permit, Action::ForgetName)?;
        Ok(Names::open(&self.data().names())?.forget(id)?)
    }

    /// The names that are known, by ID.
    pub fn names(&self) -> Result<BTreeMap<String, String>, StationError> {
        self.archive().names()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_line_of_plain_text() {
        let name = |text: &str| PersonName::new(text).map(|name| name.to_string());
        assert_eq!(name(" Ada Lovelace \nop-0117\n"), Ok("Ada Lovelace".to_owned()));
        assert_eq!(name("Józef Ćwikła"), Ok("Józef Ćwikła".to_owned()));
        assert_eq!(name(&"ż".repeat(100)), Ok("ż".repeat(100)));
        assert_eq!(name(&"ż".repeat(101)), Err(NotAName::Long(101)));
        assert_eq!(name("  \n"), Err(NotAName::Empty));
        assert_eq!(name("A\u{1b}[2J"), Err(NotAName::Control(2)));
    }
}
