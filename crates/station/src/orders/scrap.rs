//! Devices of a work order that are thrown away, or were never seen.

use std::collections::HashSet;

use keystation_audit::{KnownDevice, WorkOrder};
use keystation_core::identity::{Identity, Mac};
use keystation_core::record::{OrderChange, Seq};
use keystation_core::registration::RegistrationId;

use super::error::OrderError;
use super::{NotOfOrder, OrderId};
use crate::error::StationError;
use crate::group_keys::reason_of;
use crate::lives::LifeError;
use crate::people::{Action, Permit};
use crate::station::Station;

/// What a device is known by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScrapDevice {
    /// A registration ID, a MAC address in any spelling, or a serial number.
    Word(String),
    /// Every device of the list that was never seen.
    NeverSeen,
}

impl Station {
    /// Puts devices down as scrap; how many. Permit: [`Action::Scrap`].
    pub fn scrap(
        &self,
        permit: &Permit,
        id: &OrderId,
        device: &ScrapDevice,
        reason: &str,
    ) -> Result<Vec<Seq>, StationError> {
        self.honour(permit, Action::Scrap)?;
        let reason = reason_of(reason)?;
        let order = self.work_order(id)?;
        let devices = match device {
            ScrapDevice::Word(word) => vec![self.meant(&order, word)?],
            ScrapDevice::NeverSeen => {
                self.never_seen(&order)?.into_iter().map(|identity| (None, identity)).collect()
            }
        };
        let put_down = devices.into_iter().map(|(rid, identity)| {
            let change = OrderChange::Scrapped { id: rid, identity, reason: reason.clone() };
            self.append_order(permit, id, change)
        });
        put_down.collect()
    }

    /// The device of the order that is known by `word`: one that was begun, or one that the order allows.
    fn meant(
        &self,
        order: &WorkOrder,
        word: &str,
    ) -> Result<(Option<RegistrationId>, Identity), StationError> {
        let unknown = || OrderError::NoDevice { order: order.id.clone(), device: super::error::shown(word) };
        let mac = word.parse::<Mac>().ok();
        let reader = self.reader()?;
        let mut boards = Vec::new();
        for board in reader.known_devices(word)? {
            if reader.device_of(order, board.id.as_str())?.is_some() {
                boards.push(board);
            }
        }
        if boards.len() > 1 {
            return Err(LifeError::several(
                word,
                boards.iter().map(|board| (Some(&board.id), &board.identity)),
            )
            .into());
        }
        if let Some(KnownDevice { id, identity, .. }) = boards.pop() {
            // Not one that another board took the place of, for that one has its registration ID.
            reader.may_act_on(&id, &identity)?.map_err(LifeError::Refused)?;
            return Ok((Some(id), identity));
        }
        let text = self.order_text(order)?;
        let given = match mac {
            Some(mac) => Identity { mac: Some(mac), serial: None },
            None => Identity { mac: None, serial: Some(word.parse().map_err(|_| unknown())?) },
        };
        let listed = text.devices.list().iter().find(|entry| {
            given.mac.is_some() && entry.mac == given.mac
                || given.serial.is_some() && entry.serial == given.serial
        });
        match (listed, text.devices.admit(&given)) {
            (Some(entry), _) => Ok((None, entry.clone())),
            // Of a list it has to be an entry. Elsewhere a half of the device is enough.
            (None, Ok(()) | Err(NotOfOrder::Maker(None) | NotOfOrder::Form { serial: None, .. })) => {
                Ok((None, given))
            }
            (None, Err(_)) => Err(unknown().into()),
        }
    }

    /// Devices of the list that were neither begun nor are scrap.
    pub(super) fn never_seen(&self, order: &WorkOrder) -> Result<Vec<Identity>, StationError> {
        let text = self.order_text(order)?;
        if text.devices.list().is_empty() {
            return Ok(Vec::new());
        }
        let (mut macs, mut serials) = (HashSet::new(), HashSet::new());
        for (mac, serial) in self.reader()?.devices_of(order)? {
            macs.extend(mac.parse::<Mac>().ok());
            serials.insert(serial);
        }
        let seen = |device: &&Identity| {
            device.mac.is_some_and(|mac| macs.contains(&mac))
                || device.serial.as_ref().is_some_and(|serial| serials.contains(serial.as_str()))
        };
        Ok(text.devices.list().iter().filter(|device| !seen(device)).cloned().collect())
    }
}

/// A device in one word.
pub(super) fn named(device: &Identity) -> String {
    let serial = device.serial.as_ref().map(ToString::to_string);
    serial.or_else(|| device.mac.map(|mac| mac.to_string())).unwrap_or_default()
}
