//! What the station says of group keys, as the page is told it.

use keystation::CustodyKind;
use keystation::ceremony::{self, Phase};
use keystation::log::{KeyStanding, KeyState as Standing};
use keystation_core::key;

use super::{Ceremony, CeremonyPhase, Custody, KeyCard, KeyOrigin, KeySlot, KeyState, NewKey, Side};
use crate::bounded::Text;
use crate::problem::{Problem, sentence};

impl From<Standing> for KeyState {
    fn from(state: Standing) -> Self {
        match state {
            Standing::Imported => Self::Imported,
            Standing::Active => Self::Active,
            Standing::Suspended => Self::Suspended,
            Standing::Destroyed => Self::Destroyed,
        }
    }
}

impl From<CustodyKind> for Custody {
    fn from(kind: CustodyKind) -> Self {
        match kind {
            CustodyKind::SealedFile => Self::SealedFile,
            CustodyKind::Pkcs11 => Self::Pkcs11,
            CustodyKind::Tpm => Self::Tpm,
        }
    }
}

impl From<Custody> for CustodyKind {
    fn from(custody: Custody) -> Self {
        match custody {
            Custody::SealedFile => Self::SealedFile,
            Custody::Pkcs11 => Self::Pkcs11,
            Custody::Tpm => Self::Tpm,
        }
    }
}

impl From<key::KeySlot> for KeySlot {
    fn from(slot: key::KeySlot) -> Self {
        match slot {
            key::KeySlot::Primary => Self::Primary,
            key::KeySlot::Secondary => Self::Secondary,
        }
    }
}

impl From<KeySlot> for key::KeySlot {
    fn from(slot: KeySlot) -> Self {
        match slot {
            KeySlot::Primary => Self::Primary,
            KeySlot::Secondary => Self::Secondary,
        }
    }
}

impl KeyCard {
    /// Of a key that was imported at `time`.
    pub(crate) fn of(standing: KeyStanding, time: String) -> Result<Self, Problem> {
        let KeyStanding { info, custody, how, state, by, approver, devices, .. } = standing;
        let kind = CustodyKind::ALL.into_iter().find(|kind| kind.as_str() == custody);
        let kind = kind.ok_or_else(|| {
            let what = format!("This program knows no custody `{custody}`.");
            Problem::new("custody-unknown", &what, &["Was this log written by a newer program?"])
        })?;
        Ok(Self {
            label: info.label.to_string(),
            group: info.group.to_string(),
            scope: info.scope.to_string(),
            slot: info.slot.into(),
            custody: kind.into(),
            check_value: info.check_value.to_string(),
            bytes: info.length,
            state: state.into(),
            how: match how.as_str() {
                "single" => KeyOrigin::Single,
                "ceremony" => KeyOrigin::Ceremony,
                "transfer" => KeyOrigin::Transfer,
                _ => KeyOrigin::Unknown,
            },
            imported_by: by,
            approver,
            imported_at: time,
            devices,
        })
    }
}

impl NewKey {
    /// As the station takes it.
    pub(crate) fn parsed(&self) -> Result<keystation::NewKey, Problem> {
        fn part<T: std::str::FromStr<Err = E>, E: std::error::Error>(
            what: &str,
            text: &str,
        ) -> Result<T, Problem> {
            text.parse().map_err(|error| {
                let what = format!("This is no {what}: {}", sentence(&error));
                Problem::new("key-name", &what, &["Compare it with the portal, then enter it again."])
            })
        }
        Ok(keystation::NewKey {
            label: part("label", self.label.as_str())?,
            group: part("enrollment group", self.group.as_str())?,
            scope: part("ID scope", self.scope.as_str())?,
            slot: self.slot.into(),
        })
    }
}

impl From<&ceremony::CeremonyOrder> for NewKey {
    fn from(order: &ceremony::CeremonyOrder) -> Self {
        let keystation::NewKey { label, group, scope, slot } = order.key.clone();
        Self {
            label: Text::shortened(label.as_str()),
            group: Text::shortened(group.as_str()),
            scope: Text::shortened(scope.as_str()),
            slot: slot.into(),
            custody: order.custody.into(),
        }
    }
}

impl From<ceremony::Side> for Side {
    /// A check value is its custodian's until it was typed from the paper.
    fn from(side: ceremony::Side) -> Self {
        let confirmed = side.confirmed;
        let shown = |value: &dyn ToString| if confirmed { value.to_string() } else { String::new() };
        Self { user: side.user, check_value: side.check_value.map(|value| shown(&value)), confirmed }
    }
}

impl From<ceremony::Ceremony> for Ceremony {
    fn from(now: ceremony::Ceremony) -> Self {
        let mut sides = now.sides.into_iter().map(Side::from);
        let nobody = Side { user: None, check_value: None, confirmed: false };
        let mut side = || sides.next().unwrap_or(nobody.clone());
        let sides = [side(), side()];
        Self {
            id: now.id,
            key: NewKey::from(&now.order),
            check_value: now.order.check_value.to_string(),
            phase: match now.phase {
                Phase::SignIn => CeremonyPhase::SignIn,
                Phase::Components => CeremonyPhase::Components,
                Phase::Result => CeremonyPhase::Result,
                Phase::Done => CeremonyPhase::Done,
                Phase::Aborted => CeremonyPhase::Aborted,
            },
            sides,
            problem: now.aborted.map(|why| ceremony::CeremonyError::Aborted(why).into()),
        }
    }
}
