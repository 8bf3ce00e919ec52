//! Where a finished device can be looked at.

use std::path::{Path, PathBuf};

use keystation_device::place::Found;
use keystation_device::ports;

use crate::config::Profile;
use crate::error::StationError;
use crate::station::Station;

/// A port on which a device may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckPort {
    /// Its path, or where it is on the USB tree.
    pub port: String,
    /// The slot that it is one's, with its profile.
    pub slot: Option<(u32, PathBuf)>,
}

impl Station {
    /// The ports of the slots, in their order, then whatever other serial port this machine has. Only asks; nothing is opened.
    pub fn check_ports(&self) -> Result<Vec<CheckPort>, StationError> {
        let slots = self.config().slots.iter();
        let mut places: Vec<_> = slots
            .map(|slot| CheckPort {
                port: slot.place.to_string(),
                slot: Some((slot.number, slot.profile.clone())),
            })
            .collect();
        for port in ports::list().map_err(StationError::Ports)? {
            let port = port.path.display().to_string();
            if places.iter().all(|known| known.port != port) {
                places.push(CheckPort { port, slot: None });
            }
        }
        Ok(places)
    }

    /// The profiles of the slots, each once.
    pub fn check_profiles(&self) -> Result<Vec<Profile>, StationError> {
        let mut profiles: Vec<Profile> = Vec::new();
        for slot in &self.config().slots {
            if profiles.iter().all(|known| known.path != slot.profile) {
                profiles.push(Profile::read(&slot.profile)?);
            }
        }
        Ok(profiles)
    }

    /// The device file of one of [`Station::check_ports`], and the one of [`Station::check_profiles`] that is in this file.
    pub fn check_at(&self, port: &str, profile: &Path) -> Result<(PathBuf, Profile), StationError> {
        let nowhere = || StationError::NoCheckPort(port.to_owned());
        let place = self.check_ports()?.into_iter().find(|known| known.port == port).ok_or_else(nowhere)?;
        let profile =
            self.check_profiles()?.into_iter().find(|known| known.path == profile).ok_or_else(nowhere)?;
        let slots = &self.config().slots;
        let slot = place.slot.and_then(|(number, _)| slots.iter().find(|slot| slot.number == number));
        let path = match slot.map(|slot| slot.place.find()) {
            Some(Ok(Found::Port(path))) => path,
            // What is not there says so when it is opened.
            _ => port.into(),
        };
        Ok((path, profile))
    }
}
