//! What is written into a device: one set, stored whole or not at all.

use crate::key::{DeviceKey, Endpoint, IdScope};
use crate::record::Seq;
use crate::registration::RegistrationId;
use crate::repair::{Effect, RekeyReason};

/// Everything that a device needs to register with DPS.
pub struct CredentialSet {
    id: RegistrationId,
    scope: IdScope,
    endpoint: Endpoint,
    key: DeviceKey,
    anchor: Option<LogAnchor>,
}

impl CredentialSet {
    /// The set of these four, without an anchor.
    #[must_use]
    pub const fn new(id: RegistrationId, scope: IdScope, endpoint: Endpoint, key: DeviceKey) -> Self {
        Self { id, scope, endpoint, key, anchor: None }
    }

    /// The same set as the write writes it that `anchor` is of.
    #[must_use]
    pub fn anchored(self, anchor: LogAnchor) -> Self {
        Self { anchor: Some(anchor), ..self }
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

    /// The log as it was when the intent to write this set was durable.
    #[must_use]
    pub const fn anchor(&self) -> Option<LogAnchor> {
        self.anchor
    }
}

/// What a device keeps of the log under which it was keyed: with it, every shipped device is a witness of that log
/// (`docs/audit-format.md`, section 11). Not secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogAnchor {
    /// Key ID of the log's verifier key.
    pub log: [u8; 4],
    /// Records in the log, at least 1; the intent is the last one.
    pub size: u64,
    /// The first 8 bytes of their Merkle root.
    pub root: [u8; 8],
}

impl LogAnchor {
    /// Bytes of an anchor.
    pub const LENGTH: usize = 20;

    /// `log` ‖ `size`, big-endian ‖ `root`.
    #[must_use]
    pub fn to_bytes(self) -> [u8; Self::LENGTH] {
        let mut bytes = [0; Self::LENGTH];
        bytes[..4].copy_from_slice(&self.log);
        bytes[4..12].copy_from_slice(&self.size.to_be_bytes());
        bytes[12..].copy_from_slice(&self.root);
        bytes
    }

    /// Reads what [`LogAnchor::to_bytes`] wrote. A device may answer any bytes: nothing of them is checked.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; Self::LENGTH]) -> Self {
        let mut anchor = Self { log: [0; 4], size: 0, root: [0; 8] };
        let mut size = [0; 8];
        anchor.log.copy_from_slice(&bytes[..4]);
        size.copy_from_slice(&bytes[4..12]);
        anchor.root.copy_from_slice(&bytes[12..]);
        Self { size: u64::from_be_bytes(size), ..anchor }
    }

    /// The record of the intent; an anchor of no records names none.
    #[must_use]
    pub const fn intent(self) -> Option<Seq> {
        self.size.checked_sub(1)
    }
}

/// The right to overwrite a set that a device already holds.
///
/// Only repair can build one: it takes a reason and a second person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overwrite {
    reason: RekeyReason,
    approver: String,
    same_key: bool,
}

/// An overwrite that repair may not do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotApproved {
    /// No approver, or the operator approved the operator's own request.
    #[error("overwriting a key needs the approval of a second person")]
    NoSecondPerson,
}

impl Overwrite {
    /// Repair's way to the permission: `approver` is another person than `operator`.
    pub fn approved(reason: RekeyReason, operator: &str, approver: &str) -> Result<Self, NotApproved> {
        if approver.is_empty() || approver == operator {
            return Err(NotApproved::NoSecondPerson);
        }
        Ok(Self { reason, approver: approver.to_owned(), same_key: false })
    }

    /// The same permission for whoever knows that the same key may be written again, and that this heals nothing.
    #[must_use]
    pub fn accepting_same_key(self) -> Self {
        Self { same_key: true, ..self }
    }

    /// Whether a re-key with this effect is what was permitted: where only another key serves the purpose, the same one, or one of
    /// which nobody can say whether it is, is written for somebody who said so, and for nobody else.
    #[must_use]
    pub const fn permits(&self, effect: Effect) -> bool {
        self.same_key || !self.reason.code().needs_new_key() || matches!(effect, Effect::NewKey)
    }

    /// Whether it is known that the key may be the one that the device holds.
    #[must_use]
    pub const fn accepts_same_key(&self) -> bool {
        self.same_key
    }

    /// Why the old set may go.
    #[must_use]
    pub const fn reason(&self) -> &RekeyReason {
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
    use crate::repair::ReasonCode;

    #[test]
    fn an_anchor_is_20_bytes() {
        // The one of docs/device-protocol.md, section 6.
        let bytes = *b"\xf8\x05\x65\xcd\0\0\0\0\0\0\0\x03\xc2\x07\x6f\x0b\x85\xb9\xd1\xc1";
        let anchor = LogAnchor::from_bytes(&bytes);
        let expected = LogAnchor {
            log: [0xf8, 0x05, 0x65, 0xcd],
            size: 3,
            root: [0xc2, 0x07, 0x6f, 0x0b, 0x85, 0xb9, 0xd1, 0xc1],
        };
        assert_eq!((anchor, anchor.intent()), (expected, Some(2)));
        assert_eq!(anchor.to_bytes(), bytes);
        assert_eq!(LogAnchor::from_bytes(&[0; 20]).intent(), None);
    }

    #[test]
    fn overwrite_takes_a_reason_and_two_people() {
        let reason = || RekeyReason::from(ReasonCode::Returned);
        assert!(Overwrite::approved(reason(), "op-1", "sup-1").is_ok());
        assert_eq!(Overwrite::approved(reason(), "op-1", "op-1"), Err(NotApproved::NoSecondPerson));
        assert_eq!(Overwrite::approved(reason(), "op-1", ""), Err(NotApproved::NoSecondPerson));
    }

    #[test]
    fn the_same_key_heals_no_leak_and_rolls_no_key() {
        for code in ReasonCode::ALL {
            let permission = Overwrite::approved(code.into(), "op-1", "sup-1").unwrap();
            let heals_nothing = matches!(code, ReasonCode::LeakedKey | ReasonCode::KeyRotation);
            assert_eq!(permission.permits(Effect::SameKey), !heals_nothing, "{code}");
            assert_eq!(permission.permits(Effect::UnknownKey), !heals_nothing, "{code}");
            assert!(permission.permits(Effect::NewKey), "{code}");
            let knowing = permission.accepting_same_key();
            assert!(Effect::ALL.into_iter().all(|effect| knowing.permits(effect)), "{code}");
        }
    }
}
