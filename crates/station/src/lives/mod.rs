//! Devices that are taken out, and boards that take the place of others (docs/device-states.md).
//!
//! Who repairs asks, a supervisor approves. What is asked for and not done is a record as well: no reason, no proof, no such device.

mod cleanup;
mod commands;
mod error;

use keystation_audit::{AppendError, DeviceRefusal, Reader};
use keystation_core::flow::Retirement;
use keystation_core::identity::{Identity, Mac};
use keystation_core::record::{DeviceChange, DeviceEvent, DeviceReason, Event, Seq, Successor};
use keystation_core::registration::{IdRule, RegistrationId};

use crate::config::Profile;
use crate::error::StationError;
use crate::people::{Action, ApprovalId, Request};
use crate::station::Station;

pub use cleanup::{CleanupFiles, Listed};
pub use error::LifeError;

/// What is to become of a device.
#[derive(Debug, Clone)]
pub struct TakeOut {
    /// Registration ID, MAC address in any spelling, or serial number; several of them, with spaces between, where one is not one board's.
    pub device: String,
    /// What.
    pub act: Act,
    /// Why: one word of those that [`Act::reasons`] has.
    pub reason: String,
    /// What there is to say beside, one line of at most 200 characters, or empty.
    pub note: String,
}

/// What can become of a device.
#[derive(Debug, Clone)]
pub enum Act {
    /// The board is thrown away.
    Scrap,
    /// The identity must not register any more, for good.
    Revoke,
    /// Another board takes its place.
    Replace(Box<NewBoard>),
    /// A scrap was a mistake.
    Restore,
}

/// The board that takes the place of another.
#[derive(Debug, Clone)]
pub struct NewBoard {
    /// The product: its recipe makes the new registration ID.
    pub profile: Profile,
    /// MAC address of the new board; none, where the product has none.
    pub mac: Option<Mac>,
    /// Where it is written down that the old board was destroyed, or empty. Asked for where the new board gets the same registration ID.
    pub destroyed: String,
}

impl Act {
    /// What is asked of the gate.
    #[must_use]
    pub const fn action(&self) -> Action {
        match self {
            Self::Scrap => Action::ScrapDevice,
            Self::Revoke => Action::RevokeDevice,
            Self::Replace(_) => Action::ReplaceDevice,
            Self::Restore => Action::RestoreDevice,
        }
    }

    /// Why it can be done.
    #[must_use]
    pub const fn reasons(&self) -> &'static [DeviceReason] {
        match self {
            Self::Scrap => DeviceReason::SCRAP,
            Self::Revoke => DeviceReason::REVOKE,
            Self::Replace(_) => DeviceReason::REPLACE,
            Self::Restore => DeviceReason::RESTORE,
        }
    }
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenOut {
    /// The record of it.
    pub record: Seq,
    /// Registration ID of the device; none of scrap that was never begun.
    pub id: Option<RegistrationId>,
    /// What it is known by.
    pub identity: Identity,
    /// Registration ID of the board that takes its place.
    pub successor: Option<RegistrationId>,
    /// Of a device that was put back: the record which says that the cloud may have blocked it. Nobody but the cloud's own people can lift
    /// that.
    pub blocked: Option<Seq>,
    /// Of a device that was put back: how it is out all the same, for another record says that it is scrap.
    pub stays: Option<Retirement>,
}

/// What two people agree to.
struct Planned {
    /// The record of it, but for the second person.
    event: DeviceEvent,
    /// As in [`TakenOut`].
    blocked: Option<Seq>,
}

impl Station {
    /// What another person has to approve. Whoever is signed in must be one who may ask; what cannot be asked for is refused, and a record.
    pub fn take_out_request(&self, take_out: &TakeOut) -> Result<Request, StationError> {
        let action = take_out.act.action();
        let asker = self.may_ask(action)?;
        let planned = self.planned(take_out).map(|planned| request_of(action, &planned));
        self.done_or_told_by(action, &asker, &take_out.device, planned)
    }

    /// Does it, by two people.
    pub fn take_out(&self, take_out: &TakeOut, approval: ApprovalId) -> Result<TakenOut, StationError> {
        let action = take_out.act.action();
        let asker = self.may_ask(action)?;
        let planned = self.done_or_told_by(action, &asker, &take_out.device, self.planned(take_out))?;
        let permit = self.permit_approved(&request_of(action, &planned), approval)?;
        let Planned { event, blocked } = planned;
        let event = DeviceEvent { approver: permit.approver().to_owned(), ..event };
        let (id, identity) = (event.id.clone(), event.identity.clone());
        let successor = match &event.change {
            DeviceChange::Replaced(successor) => Some(successor.id.clone()),
            _ => None,
        };
        let record = self.append_by(&permit, Event::Device(event)).map_err(LifeError::of_log);
        let record = self.done_or_told(&permit, &take_out.device, record)?;
        let stays = match (&take_out.act, &id) {
            (Act::Restore, Some(id)) => self.reader()?.retired_device(id, &identity)?,
            _ => None,
        };
        Ok(TakenOut { record, id, identity, successor, blocked, stays })
    }

    fn planned(&self, take_out: &TakeOut) -> Result<Planned, StationError> {
        let note = one_line(&take_out.note, true)?;
        let reasons = take_out.act.reasons();
        let reason =
            DeviceReason::named(&take_out.reason, reasons, &note).ok_or(LifeError::Reason(reasons))?;
        let reader = self.reader()?;
        let (id, identity, follows) = known(&reader, take_out)?;
        let change = match &take_out.act {
            Act::Scrap => DeviceChange::Scrapped,
            Act::Revoke => DeviceChange::Revoked,
            Act::Restore => DeviceChange::Restored,
            Act::Replace(board) => DeviceChange::Replaced(Box::new(successor(board, &identity)?)),
        };
        let blocked = match (&change, follows) {
            (DeviceChange::Restored, Some(scrap)) if id.is_some() => reader.blocked_in_cloud(scrap)?,
            _ => None,
        };
        let event = DeviceEvent { id, identity, follows, change, reason, note, approver: String::new() };
        // Nobody approves what cannot be.
        reader.may_take_out(&event)?.map_err(LifeError::Refused)?;
        Ok(Planned { event, blocked })
    }
}

/// The board that is meant, and what the record follows.
fn known(
    reader: &Reader,
    TakeOut { device, act, .. }: &TakeOut,
) -> Result<(Option<RegistrationId>, Identity, Option<Seq>), StationError> {
    let unknown = || LifeError::NoDevice(crate::orders::error::shown(device));
    let found: Vec<(Option<RegistrationId>, Identity, Seq)> = match act {
        Act::Restore => {
            let scraps = reader.scraps_in_force(device)?.into_iter();
            scraps.map(|scrap| (scrap.id, scrap.identity, scrap.record)).collect()
        }
        _ => {
            let boards = reader.known_devices(device)?.into_iter();
            boards.map(|board| (Some(board.id), board.identity, board.newest)).collect()
        }
    };
    match (<[_; 1]>::try_from(found), act) {
        (Ok([(id, identity, follows)]), _) => Ok((id, identity, Some(follows))),
        (Err(several), _) if !several.is_empty() => {
            let boards = several.iter().map(|(id, identity, _)| (id.as_ref(), identity));
            Err(LifeError::several(device, boards).into())
        }
        // Of another station, or another epoch of the log: an ID can be blocked wherever it was keyed.
        (Err(_), Act::Revoke) => {
            let (id, identity) = stranger(device).ok_or_else(unknown)?;
            // An identity that is known, on a board that is not, was not meant.
            if !reader.known_devices(id.as_str())?.is_empty() {
                return Err(unknown().into());
            }
            Ok((Some(id), identity, None))
        }
        (Err(_), _) => Err(unknown().into()),
    }
}

/// A device that this log never began: a registration ID, and behind it perhaps MAC address and serial number. A MAC address alone is none.
fn stranger(name: &str) -> Option<(RegistrationId, Identity)> {
    let mut words = name.split_whitespace();
    let id = words.next().filter(|word| word.parse::<Mac>().is_err())?;
    let mut identity = Identity { mac: None, serial: None };
    for word in words {
        match word.parse::<Mac>() {
            Ok(mac) => identity.mac = Some(mac),
            Err(_) => identity.serial = Some(word.parse().ok()?),
        }
    }
    Some((RegistrationId::new(id, IdRule::Dashes).ok()?, identity))
}

/// The new board, as the recipe of its product names it.
fn successor(board: &NewBoard, old: &Identity) -> Result<Successor, StationError> {
    let identity = Identity { mac: board.mac, serial: old.serial.clone() };
    let id = board.profile.recipe.registration_id(&identity).map_err(LifeError::NoId)?;
    Ok(Successor { id, identity, destroyed: one_line(&board.destroyed, true)? })
}

/// One board, as people compare it with what lies before them. Without a word that would have to be translated.
fn named(id: Option<&RegistrationId>, Identity { mac, serial }: &Identity) -> String {
    let id = id.map_or("–", RegistrationId::as_str);
    if mac.is_none() && serial.is_none() {
        return id.to_owned();
    }
    let mac = mac.map_or_else(|| "–".to_owned(), |mac| mac.to_string());
    let serial = serial.as_ref().map_or("–", |serial| serial.as_str());
    format!("{id} (MAC {mac}, S/N {serial})")
}

/// What is approved: all that the record will say.
fn request_of(action: Action, Planned { event, blocked }: &Planned) -> Request {
    let device = named(event.id.as_ref(), &event.identity);
    let subject = match (&event.change, event.follows) {
        (DeviceChange::Replaced(successor), _) => {
            let Successor { id, identity, destroyed } = &**successor;
            let mac = identity.mac.map_or_else(|| "no MAC".to_owned(), |mac| mac.to_string());
            let proof = if destroyed.is_empty() {
                String::new()
            } else {
                format!(", old board destroyed: {destroyed}")
            };
            format!("{device} by {id} ({mac}){proof}")
        }
        (DeviceChange::Restored, Some(scrap)) => {
            let listed =
                blocked.map_or_else(String::new, |list| format!(", listed for the cloud in record {list}"));
            format!("{device}, scrap of record {scrap}{listed}")
        }
        // Whoever approves knows that no record here can tell whether it was spelled right.
        (_, None) => format!("{device}, which this log never began"),
        _ => device,
    };
    let why = event.reason.as_str();
    let reason = if event.note.is_empty() { why.to_owned() } else { format!("{why}: {}", event.note) };
    Request { action, subject, reason }
}

/// A text that a record takes.
fn one_line(text: &str, may_be_empty: bool) -> Result<String, LifeError> {
    let text = text.trim();
    let fits = text.chars().count() <= 200 && !text.chars().any(char::is_control);
    if fits && (may_be_empty || !text.is_empty()) { Ok(text.to_owned()) } else { Err(LifeError::Text) }
}

impl LifeError {
    /// More than one board is called so.
    pub(crate) fn several<'a>(
        name: &str,
        boards: impl Iterator<Item = (Option<&'a RegistrationId>, &'a Identity)>,
    ) -> Self {
        let boards = boards.map(|(id, identity)| named(id, identity)).collect();
        Self::Several { name: crate::orders::error::shown(name), boards }
    }

    /// What the log refused, by the name of that.
    fn of_log(error: StationError) -> StationError {
        match error {
            StationError::Append(AppendError::Device(refusal)) => Self::Refused(refusal).into(),
            other => other,
        }
    }
}

impl From<DeviceRefusal> for StationError {
    fn from(refusal: DeviceRefusal) -> Self {
        LifeError::Refused(refusal).into()
    }
}

#[cfg(test)]
mod tests;
