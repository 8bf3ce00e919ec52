//! A key that is to come in, as its owner's paper has it.

use keystation_core::key::CheckValue;
use keystation_vault::{CustodyKind, NewKey};

use crate::error::StationError;

/// What a key is said to be before it comes in: its owner's paper, and where it is to go. Another custodian approves all of it,
/// and the key has to be that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announced {
    /// Label, enrollment group, scope and slot.
    pub key: NewKey,
    /// Where the key goes.
    pub custody: CustodyKind,
    /// The check value that it must have.
    pub check_value: CheckValue,
}

impl Announced {
    pub(super) fn expect_check_value(&self, found: CheckValue) -> Result<(), StationError> {
        if found == self.check_value {
            return Ok(());
        }
        let (label, expected) = (self.key.label.clone(), self.check_value);
        Err(StationError::OtherCheckValue { label, expected, found })
    }

    pub(super) fn expect(&self, found: &NewKey) -> Result<(), StationError> {
        let NewKey { label, group, scope, slot } = &self.key;
        for (what, approved, found) in [
            ("label", label.as_str(), found.label.as_str()),
            ("enrollment group", group.as_str(), found.group.as_str()),
            ("ID scope", scope.as_str(), found.scope.as_str()),
            ("slot", slot.as_str(), found.slot.as_str()),
        ] {
            if approved != found {
                let (approved, found) = (approved.to_owned(), found.to_owned());
                return Err(StationError::OtherTransfer { what, approved, found });
            }
        }
        Ok(())
    }
}
