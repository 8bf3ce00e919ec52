//! What is written into a device: one set, stored whole or not at all.

use crate::key::{DeviceKey, Endpoint, IdScope};
use crate::registration::RegistrationId;

/// Everything that a device needs to register with DPS.
pub struct CredentialSet {
    id: RegistrationId,
    scope: IdScope,
    endpoint: Endpoint,
    key: DeviceKey,
}

impl CredentialSet {
    /// The set of these four.
    #[must_use]
    pub const fn new(id: RegistrationId, scope: IdScope, endpoint: Endpoint, key: DeviceKey) -> Self {
        Self { id, scope, endpoint, key }
    }

    /// Registration ID.
    #[must_use]
    pub const fn id(&self) -> &RegistrationId {
        &self.id
    }

    /// ID scope.
    #[must_use]
    pub const fn scope(&self) -> &IdScope {
        &self.scope
    }

    /// Host name of the DPS endpoint.
    #[must_use]
    pub const fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The device key.
    #[must_use]
    pub const fn key(&self) -> &DeviceKey {
        &self.key
    }
}

/// The right to overwrite a set that a device already holds.
///
/// Only repair can build one: it takes a reason and a second person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overwrite {
    reason: String,
    approver: String,
}

/// An overwrite that repair may not do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotApproved {
    /// No reason was given.
    #[error("overwriting a key needs a reason")]
    NoReason,
    /// No approver, or the operator approved the operator's own request.
    #[error("overwriting a key needs the approval of a second person")]
    NoSecondPerson,
}

impl Overwrite {
    /// Repair's way to the permission: `reason` is a reason code, `approver` another person than `operator`.
    pub fn approved(reason: &str, operator: &str, approver: &str) -> Result<Self, NotApproved> {
        if reason.trim().is_empty() {
            return Err(NotApproved::NoReason);
        }
        if approver.is_empty() || approver == operator {
            return Err(NotApproved::NoSecondPerson);
        }
        Ok(Self { reason: reason.to_owned(), approver: approver.to_owned() })
    }

    /// Why the old set may go.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// Who approved it.
    #[must_use]
    pub fn approver(&self) -> &str {
        &self.approver
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overwrite_takes_a_reason_and_two_people() {
        assert!(Overwrite::approved("returned", "op-1", "sup-1").is_ok());
        assert_eq!(Overwrite::approved(" ", "op-1", "sup-1"), Err(NotApproved::NoReason));
        assert_eq!(Overwrite::approved("returned", "op-1", "op-1"), Err(NotApproved::NoSecondPerson));
        assert_eq!(Overwrite::approved("returned", "op-1", ""), Err(NotApproved::NoSecondPerson));
    }
}
