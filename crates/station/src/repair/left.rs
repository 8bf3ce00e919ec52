//! A write that was left open: the device was pulled, or the station was killed, and nobody saw what came of it. Whoever has the device
//! in front of them asks it, by the terms of that write, whichever order or batch it was of, and whether or not that was closed since.

use std::ops::ControlFlow;

use keystation_core::failure::{Code, Failure};
use keystation_core::flow::{self, AnyDevice, Left, OpenIntent, Order, Settled, Vault};
use keystation_core::identity::Identity;
use keystation_core::key::{Endpoint, KeyLabel};
use keystation_core::record::Seq;
use keystation_core::registration::RegistrationId;
use keystation_device::driver::SmpDevice;
use keystation_device::ports::{PortInfo, SerialPort};

use crate::error::StationError;
use crate::injection::Work;
use crate::people::Permit;
use crate::random;
use crate::station::Station;

/// What came of a write that was left open on a device that is looked at.
#[derive(Debug, Clone)]
pub enum LeftOpen {
    /// The device was asked, and it is known now.
    Settled(Settled),
    /// It was asked, and showed neither the one nor the other key. What it holds is not known still.
    NotShown {
        /// What it did instead.
        code: Code,
        /// The record of that.
        record: Option<Seq>,
    },
    /// It was not asked.
    NotAsked(NotAsked),
}

/// Why a device was not asked what came of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotAsked {
    /// The custody of the group key of that write is closed: open it, and look again.
    Locked(KeyLabel),
    /// That group key is not here, or is not active.
    NoKey(String),
    /// The write was for another board.
    OtherBoard,
    /// The device was taken out since.
    Out,
}

impl LeftOpen {
    /// Whether the device was asked: it restarts for that.
    #[must_use]
    pub const fn was_asked(&self) -> bool {
        !matches!(self, Self::NotAsked(_))
    }

    /// The word in JSON.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Settled(Settled::New(_)) => "new",
            Self::Settled(Settled::Old { .. }) => "old",
            Self::NotShown { .. } => "not-shown",
            Self::NotAsked(NotAsked::Locked(_)) => "locked",
            Self::NotAsked(NotAsked::NoKey(_)) => "no-key",
            Self::NotAsked(NotAsked::OtherBoard) => "other-board",
            Self::NotAsked(NotAsked::Out) => "out",
        }
    }

    /// What it means, for people.
    #[must_use]
    pub fn sentence(&self) -> String {
        match self {
            Self::Settled(Settled::New(pass)) => format!(
                "A write was left open on it. It was asked: that write was complete, and record {} says so now.",
                pass.record
            ),
            Self::Settled(Settled::Old { record }) => format!(
                "A write was left open on it. It was asked: nothing of that write is in it, and record {record} says so now."
            ),
            Self::NotShown { code, .. } => format!(
                "A write was left open on it. It was asked, and did not show which key it holds: {}",
                code.sentence()
            ),
            Self::NotAsked(NotAsked::Locked(label)) => format!(
                "A write was left open on it. Look again when the custody of {label} is open: then it is asked what came of that."
            ),
            Self::NotAsked(NotAsked::NoKey(label)) => format!(
                "A write was left open on it, under the group key {label}, which cannot be used here: nobody can ask what came of that."
            ),
            Self::NotAsked(NotAsked::OtherBoard) => {
                "A write was left open on another board of this registration ID: this one is not asked."
                    .to_owned()
            }
            Self::NotAsked(NotAsked::Out) => {
                "A write was left open on it, and it was taken out since: it is not asked.".to_owned()
            }
        }
    }
}

/// The terms of an intent that its record alone has.
struct Terms {
    key: Option<KeyLabel>,
    check_value: String,
    endpoint: Option<Endpoint>,
}

impl Station {
    /// Asks the device on an open port, which has this registration ID and said this of itself, what came of the write that was left
    /// open on it. `None`: none was, or somebody else knows it by now.
    pub(super) fn ask_what_was_left(
        &self,
        permit: &Permit,
        work: &Work,
        port: &mut SerialPort,
        (id, device): (&RegistrationId, &Identity),
    ) -> Result<Option<LeftOpen>, StationError> {
        let Some((open, terms, out)) = self.left_of(id, device)? else { return Ok(None) };
        let not_asked = |why| Ok(Some(LeftOpen::NotAsked(why)));
        if !open.is_of(device) {
            return not_asked(NotAsked::OtherBoard);
        }
        if out {
            return not_asked(NotAsked::Out);
        }
        let Terms { key: Some(label), check_value, endpoint: Some(endpoint) } = terms else {
            return not_asked(NotAsked::NoKey(String::new()));
        };
        let key = match self.usable_key(&label) {
            Ok(key) if key.info().check_value.digits() == check_value => key,
            Err(StationError::Locked) => return not_asked(NotAsked::Locked(label)),
            Err(error @ StationError::Read(_)) => return Err(error),
            Ok(_) | Err(_) => return not_asked(NotAsked::NoKey(label.to_string())),
        };
        // Where the key of before cannot be used any more, a device that holds it can only fail to prove the other one.
        let old = self.key_of_before(id)?.and_then(|label| self.usable_key(&label).ok());
        let place = PortInfo::of(port.path()).map_or_else(|_| work.place.to_string(), |port| port.label());
        let order = Order {
            recipe: &work.profile.recipe,
            key: key.info(),
            endpoint: &endpoint,
            profile: &work.profile.title,
            profile_sha256: work.profile.sha256,
            // What is refused of a look is no attempt of an order or a batch.
            job: "",
            admission: &AnyDevice,
            port: &place,
            actor: permit.actor(),
            nonces: random::nonces()?,
            acknowledged: false,
            overwrite: None,
        };
        let keys = Left { new: &key, old: old.as_ref().map(|key| key as &dyn Vault) };
        let mut device = SmpDevice::new(port);
        let log = self.in_work().log(self.journal());
        Ok(match flow::settle(&order, keys, &mut device, &log, &mut |_| {}) {
            Ok(settled) => settled.map(LeftOpen::Settled),
            Err(Failure { code, record, .. }) => Some(LeftOpen::NotShown { code, record }),
        })
    }

    /// The open intent of a device, its terms, and whether the device was taken out since.
    fn left_of(
        &self,
        id: &RegistrationId,
        device: &Identity,
    ) -> Result<Option<(OpenIntent, Terms, bool)>, StationError> {
        let reader = self.look()?;
        let Some(open) = reader.standing(id)?.open else { return Ok(None) };
        let mut terms = Terms { key: None, check_value: String::new(), endpoint: None };
        reader.records(open.seq..=open.seq, None, |record| {
            let text = |key| record.text(key).unwrap_or_default();
            terms = Terms {
                key: text("gk").parse().ok(),
                check_value: text("gkcv").into_owned(),
                endpoint: text("endpoint").parse().ok(),
            };
            ControlFlow::Break(())
        })?;
        let out = reader.retired_device(id, device)?.is_some();
        Ok(Some((open, terms, out)))
    }

    /// The group key under which a device proved its key last.
    fn key_of_before(&self, id: &RegistrationId) -> Result<Option<KeyLabel>, StationError> {
        let life = self.look()?.life(id)?;
        Ok(life.and_then(|life| life.keyed).and_then(|keyed| keyed.key.parse().ok()))
    }
}
