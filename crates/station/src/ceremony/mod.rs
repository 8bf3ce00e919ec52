//! The key ceremony: a group key comes in components, each from another custodian (`docs/ceremony.md`). The window and the
//! command line take the same steps here.

mod error;
mod history;
mod running;
mod steps;
#[cfg(test)]
mod tests;
mod watch;

use keystation_audit::Component as Given;
use keystation_core::key::CheckValue;
use keystation_core::record::CeremonyKey;
use keystation_vault::{COMPONENT_BYTES, ComponentCheck, CustodyKind, NewKey, PARTS, Part};

pub use error::{Abort, CeremonyError};
pub(crate) use running::{Ceremonies, Limits};
pub use steps::CeremonyEntry;

/// What a ceremony is to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CeremonyOrder {
    /// Label, enrollment group, scope and slot.
    pub key: NewKey,
    /// Where the key goes.
    pub custody: CustodyKind,
    /// The check value that it must have, from the owner's paper.
    pub check_value: CheckValue,
    /// Bytes of the key and of each component, 32 to 64.
    pub bytes: u8,
    /// Components, 2 or 3.
    pub parts: u8,
}

impl CeremonyOrder {
    /// A key as Azure makes it, 64 bytes, in two components.
    #[must_use]
    pub const fn new(key: NewKey, custody: CustodyKind, check_value: CheckValue) -> Self {
        Self { key, custody, check_value, bytes: *COMPONENT_BYTES.end(), parts: *PARTS.start() }
    }

    fn check(&self) -> Result<(), CeremonyError> {
        if !PARTS.contains(&self.parts) {
            Err(CeremonyError::Order("a key has two or three components"))
        } else if !COMPONENT_BYTES.contains(&self.bytes) {
            Err(CeremonyError::Order("components have 32 to 64 bytes"))
        } else {
            Ok(())
        }
    }

    /// As records have it.
    fn for_record(&self) -> CeremonyKey {
        let NewKey { label, group, scope, slot } = self.key.clone();
        CeremonyKey { label, group, scope, slot, check_value: self.check_value }
    }

    /// Whether this component was given for the key of this order, or for one whose place it takes.
    fn is_of(&self, given: &Given) -> bool {
        given.key == self.key.label
            || given.check_value == self.check_value
            || (given.group == self.key.group && given.scope == self.key.scope && given.slot == self.key.slot)
    }
}

/// How far a ceremony is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// A custodian has to sign in for a component that is still missing.
    SignIn,
    /// The custodian who signed in has to give the component, or to confirm it.
    Components,
    /// All components are confirmed: the check value of the key has to be typed.
    Result,
    /// The key is in its custody.
    Done,
    /// It ended without a key.
    Aborted,
}

impl Phase {
    /// The name in JSON and on the screen.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SignIn => "sign-in",
            Self::Components => "components",
            Self::Result => "result",
            Self::Done => "done",
            Self::Aborted => "aborted",
        }
    }
}

/// A ceremony as people may see it: nothing of a component but its check value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ceremony {
    /// Its name in the records: 16 hexadecimal digits.
    pub id: String,
    /// What it is to make.
    pub order: CeremonyOrder,
    /// How far it is.
    pub phase: Phase,
    /// Why it ended without a key.
    pub aborted: Option<Abort>,
    /// One for each component, in their order.
    pub sides: Vec<Side>,
    /// Seconds until it ends by itself; 0 when it has ended.
    pub seconds_left: u64,
}

/// One component's side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Side {
    /// Which component.
    pub part: Part,
    /// Who signed in for it.
    pub user: Option<String>,
    /// The check value of what was entered. Only its own custodian is to see it, and only after typing it.
    pub check_value: Option<ComponentCheck>,
    /// Whether that custodian confirmed it.
    pub confirmed: bool,
}
