//! A look at a device before anything is decided: what it says, and what the log says of it. Nothing is written to it.

use keystation_audit::{DeviceStanding, KeyState, Life};
use keystation_core::failure::{Code, Failure, Safety};
use keystation_core::flow::{Device, DeviceError, DeviceState, Refusal};
use keystation_core::identity::Identity;
use keystation_core::key::KeyLabel;
use keystation_core::record::{Event, RepairEvent};
use keystation_core::registration::RegistrationId;
use keystation_device::driver::{PublicSet, SmpDevice};
use keystation_device::ports::SerialPort;

use super::left::LeftOpen;
use crate::error::StationError;
use crate::injection::{Work, not_permitted};
use crate::people::{Action, Permit};
use crate::station::Station;

/// What a look found.
#[derive(Debug, Clone)]
pub struct Look {
    /// What the device says it is.
    pub identity: Identity,
    /// Its firmware version, as it says.
    pub firmware: String,
    /// Whether it holds a set.
    pub state: DeviceState,
    /// Sets that it ever stored.
    pub generation: u32,
    /// The registration ID that the profile makes of its identity.
    pub id: RegistrationId,
    /// The set that it holds, but for the key.
    pub set: Option<PublicSet>,
    /// What the log has of that ID; `None`: it has nothing.
    pub life: Option<Life>,
    /// The group key under which it was keyed last.
    pub parent: Option<KeyedBefore>,
    /// The device's own word beside the log's.
    pub holding: Holding,
    /// What came of a write that was left open on it; `None`: none was.
    pub left: Option<LeftOpen>,
    /// The record of this look.
    pub record: u64,
}

/// The group key under which a device proved its key last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyedBefore {
    /// Its label.
    pub label: String,
    /// Its check value.
    pub check_value: String,
    /// `primary` or `secondary`.
    pub slot: String,
    /// What may be done with it today; `None`: the station does not have it.
    pub state: Option<KeyState>,
}

/// What a device says that it holds, beside what the log says. The device is believed in nothing: only a proof
/// (`keystation check`) shows which key it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holding {
    /// It says that it holds the key that the log says it proved.
    AsRecorded,
    /// It says that it holds another key, or that of another ID.
    Another,
    /// It says that it holds a key, and the log knows of none.
    Foreign,
    /// It says that it holds nothing, and the log says that it was keyed.
    Lost,
    /// It says that it holds nothing, and the log says no more.
    Nothing,
    /// The outcome of a write is not known: whatever it says may be either key.
    Unsettled,
}

impl Holding {
    /// The word in JSON and on the screen.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AsRecorded => "as-recorded",
            Self::Another => "another",
            Self::Foreign => "foreign",
            Self::Lost => "lost",
            Self::Nothing => "nothing",
            Self::Unsettled => "unsettled",
        }
    }

    /// What it means, for people.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::AsRecorded => "It says that it holds the key that the log has of it.",
            Self::Another => "It says that it holds another key than the log has of it.",
            Self::Foreign => "It holds a key, and no record here says which.",
            Self::Lost => "It says that it holds no key, and the log says that it was keyed.",
            Self::Nothing => "It holds no key, and was never keyed here.",
            Self::Unsettled => "A write on it was begun and never settled: it may hold either key.",
        }
    }

    fn of(set: Option<&PublicSet>, id: &RegistrationId, life: Option<&Life>) -> Self {
        if life.is_some_and(|life| life.standing == DeviceStanding::Open) {
            return Self::Unsettled;
        }
        match (set, life.and_then(|life| life.keyed.as_ref())) {
            (Some(set), Some(keyed)) if set.fingerprint == keyed.fingerprint && set.id == *id => {
                Self::AsRecorded
            }
            (Some(_), Some(_)) => Self::Another,
            (Some(_), None) => Self::Foreign,
            (None, Some(_)) => Self::Lost,
            (None, None) => Self::Nothing,
        }
    }
}

impl Station {
    /// Looks at the device on an open port. It is asked, and not written to; that it was looked at is a record. Where a write was
    /// left open on it, and the group key of that can be used, it is asked what came of that, too. Permit: [`Action::Look`].
    pub fn look_at(&self, permit: &Permit, work: &Work, port: &mut SerialPort) -> Result<Look, Failure> {
        self.honour(permit, Action::Look).map_err(not_permitted)?;
        let in_work = self.busy();
        let place = work.place.to_string();
        let refused = |code, cause: Box<dyn std::error::Error + Send + Sync>| {
            self.refused(permit, work, code, place.clone(), Unseen(cause))
        };
        let of_device = |e: DeviceError| refused(e.code(), e.into());
        let mut device = SmpDevice::new(&mut *port);
        let mut seen = device.identify().map_err(of_device)?;
        in_work.known();
        let id = work.profile.recipe.registration_id(&seen.identity);
        let id = id.map_err(|e| refused(Code::NoIdentity, e.into()))?;
        let identity = seen.identity.clone();
        let told = |e: StationError| Failure {
            cause: Some(Box::new(e)),
            identity: Some(identity.clone()),
            id: Some(id.clone()),
            ..Failure::new(Code::LogFailed, Safety::Untouched)
        };
        let left = self.ask_what_was_left(permit, work, port, (&id, &seen.identity)).map_err(told)?;
        let mut device = SmpDevice::new(port);
        if left.as_ref().is_some_and(LeftOpen::was_asked) {
            let again = device.identify().map_err(of_device)?;
            if again.identity != seen.identity {
                return Err(refused(Code::Swapped, DeviceError::Refused(Refusal::WrongDevice).into()));
            }
            seen = again;
        }
        let set = match seen.state {
            DeviceState::Empty => None,
            DeviceState::Keyed | DeviceState::Locked => Some(device.public_set().map_err(of_device)?),
        };
        drop(in_work);
        let life = self.life_of(&id).map_err(told)?;
        let parent = self.parent_of(life.as_ref()).map_err(told)?;
        let holding = Holding::of(set.as_ref(), &id, life.as_ref());
        let (id_of, identity) = (id.clone(), seen.identity.clone());
        let event = Event::Repair(RepairEvent::Looked { id: id_of, identity, holding: holding.as_str() });
        let record = self.append_by(permit, event).map_err(told)?;
        Ok(Look {
            identity: seen.identity,
            firmware: seen.firmware,
            state: seen.state,
            generation: seen.generation,
            id,
            set,
            life,
            parent,
            holding,
            left,
            record,
        })
    }

    fn life_of(&self, id: &RegistrationId) -> Result<Option<Life>, StationError> {
        Ok(self.reader()?.life(id)?)
    }

    /// The group key under which a device proved its key last, and what may be done with that today.
    pub fn parent_of(&self, life: Option<&Life>) -> Result<Option<KeyedBefore>, StationError> {
        let Some(keyed) = life.and_then(|life| life.keyed.as_ref()) else { return Ok(None) };
        let known = match keyed.key.parse::<KeyLabel>() {
            Ok(label) => self.reader()?.known_key(&label)?,
            Err(_) => None,
        };
        // A label was another key's before that one was destroyed.
        let known = known.filter(|known| known.info.check_value.to_string() == keyed.check_value);
        Ok(Some(KeyedBefore {
            label: keyed.key.clone(),
            check_value: keyed.check_value.clone(),
            slot: keyed.slot.clone(),
            state: known.map(|known| known.state),
        }))
    }
}

/// Why nothing was seen of a device.
#[derive(Debug, thiserror::Error)]
#[error("nothing is known of the device")]
struct Unseen(#[source] Box<dyn std::error::Error + Send + Sync>);
