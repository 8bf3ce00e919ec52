//! The number of an approval, as a page sends it with what was approved.

use keystation::people::ApprovalId;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// What can be no number of an approval is no approval, and not a call that nobody can read: whoever asks without one is refused by the
/// gate, like everybody who may not ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Approved(Option<u64>);

impl Approved {
    /// Whether the page names one at all.
    pub(crate) const fn is_given(self) -> bool {
        self.0.is_some()
    }

    /// Whether anybody can have given it: they count from 1.
    pub(crate) fn can_be(self) -> bool {
        self.0.is_some_and(|number| number > 0)
    }
}

impl From<Approved> for ApprovalId {
    /// Approvals count from 1: nobody gave that of number 0.
    fn from(Approved(number): Approved) -> Self {
        Self(number.unwrap_or(0))
    }
}

impl<'de> Deserialize<'de> for Approved {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let sent = Option::<Value>::deserialize(deserializer)?;
        Ok(Self(sent.and_then(|value| value.as_u64())))
    }
}
