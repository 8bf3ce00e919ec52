//! What is recorded of group keys beside their import: components, what they may be used for, and their end.

use super::Value;
use super::fields::parent;
use super::people::words;
use crate::key::{CheckValue, EnrollmentGroup, GroupKeyInfo, IdScope, KeyLabel, KeySlot};

/// How a group key came to the station.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyOrigin {
    /// As one text that two custodians answer for.
    Single,
    /// In components, one from each custodian.
    Ceremony,
    /// Sealed by its owner to the station's own key.
    Transfer,
    /// It was in the custody when that was opened, and no record knew of it. Nobody answers for it yet.
    Found,
}

words!(KeyOrigin: Single = "single", Ceremony = "ceremony", Transfer = "transfer", Found = "found");

/// What happened to a group key that is in a custody, or on its way into one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyEvent {
    /// `gk.component`: a custodian gave one part of a key.
    Component {
        /// The ceremony, 16 hexadecimal digits.
        ceremony: String,
        /// The key that is to come of it.
        key: CeremonyKey,
        /// Which part, from 1.
        part: u8,
        /// How many there are.
        of: u8,
        /// Check value of the component: 6 hexadecimal digits.
        check_value: String,
        /// Whether it was taken, or ended the ceremony because one person has given two of the key. It was given in either case.
        taken: bool,
    },
    /// `gk.abort`: a ceremony ended without a key.
    Aborted {
        /// The ceremony, 16 hexadecimal digits.
        ceremony: String,
        /// The key that was to come of it.
        key: CeremonyKey,
        /// Why, in one word.
        why: &'static str,
    },
    /// `gk.activate`, `gk.suspend`, `gk.destroy`.
    Changed {
        /// Label of the key.
        label: KeyLabel,
        /// Its check value.
        check_value: CheckValue,
        /// What it is from now on.
        change: KeyChange,
        /// Why.
        reason: String,
        /// The second person, or empty where nobody had to approve.
        approver: String,
    },
    /// `gk.recipient`: the station made the key to which others seal a group key.
    Recipient {
        /// Its public half, `age1…`.
        recipient: String,
    },
}

/// The group key that a ceremony is to make: all but its length, which nobody knows before the first component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CeremonyKey {
    /// The station's own name for it.
    pub label: KeyLabel,
    /// The enrollment group whose key it is.
    pub group: EnrollmentGroup,
    /// The DPS instance of that group.
    pub scope: IdScope,
    /// Primary or secondary.
    pub slot: KeySlot,
    /// The check value that it must have.
    pub check_value: CheckValue,
}

/// What can be done with a group key from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyChange {
    /// Devices may be keyed under it.
    Activated,
    /// No device may, for now.
    Suspended,
    /// It is gone.
    Destroyed,
}

impl From<&GroupKeyInfo> for CeremonyKey {
    fn from(key: &GroupKeyInfo) -> Self {
        let GroupKeyInfo { label, group, scope, slot, check_value, length: _ } = key.clone();
        Self { label, group, scope, slot, check_value }
    }
}

impl KeyEvent {
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Component { .. } => "gk.component",
            Self::Aborted { .. } => "gk.abort",
            Self::Changed { change: KeyChange::Activated, .. } => "gk.activate",
            Self::Changed { change: KeyChange::Suspended, .. } => "gk.suspend",
            Self::Changed { change: KeyChange::Destroyed, .. } => "gk.destroy",
            Self::Recipient { .. } => "gk.recipient",
        }
    }

    pub(super) const fn rc(&self) -> &'static str {
        match self {
            Self::Aborted { .. } => "aborted",
            Self::Component { taken: false, .. } => "refused",
            _ => "",
        }
    }

    pub(super) fn approver(&self) -> &str {
        match self {
            Self::Changed { approver, .. } => approver,
            _ => "",
        }
    }

    pub(super) fn fields(&self) -> Vec<(&'static str, Value)> {
        match self {
            Self::Component { ceremony, key, part, of, check_value, taken: _ } => {
                let mut fields = key.fields(ceremony);
                fields.extend([
                    ("part", u64::from(*part).into()),
                    ("of", u64::from(*of).into()),
                    ("cv", check_value.as_str().into()),
                ]);
                fields
            }
            Self::Aborted { ceremony, key, why } => {
                let mut fields = key.fields(ceremony);
                fields.push(("why", (*why).into()));
                fields
            }
            Self::Changed { label, check_value, reason, .. } => vec![
                ("gk", label.as_str().into()),
                ("gkcv", check_value.digits().into()),
                ("reason", reason.as_str().into()),
            ],
            Self::Recipient { recipient } => vec![("recipient", recipient.as_str().into())],
        }
    }
}

impl CeremonyKey {
    pub(super) fn fields(&self, ceremony: &str) -> Vec<(&'static str, Value)> {
        let mut fields = parent(&self.label, self.check_value, &self.group, &self.scope, self.slot);
        fields.push(("cer", ceremony.into()));
        fields
    }
}
