//! A device whose port must stay where it was.

use keystation_core::credential::{CredentialSet, Overwrite};
use keystation_core::flow::{Device, DeviceError, Glance, Sighting};
use keystation_core::identity::Identity;
use keystation_core::proof::{Nonce, Proof};

use crate::driver::SmpDevice;
use crate::place::{Found, Place, Spot};
use crate::ports::SerialPort;

/// A device on a port of a place. Between staging and commit, and after the restart, the port must be the one that it was at the
/// beginning, by device number and by its place on the USB tree: what was plugged in anew meanwhile may be another device.
pub struct Placed<'a> {
    device: SmpDevice<&'a mut SerialPort>,
    place: &'a Place,
    begun: Spot,
}

impl<'a> Placed<'a> {
    /// The device at the far end of `port`, which was opened at `place`. [`DeviceError::Moved`] if it is not there any more.
    pub fn new(port: &'a mut SerialPort, place: &'a Place) -> Result<Self, DeviceError> {
        let begun = port.spot().map_err(|e| DeviceError::Moved(e.to_string()))?;
        let placed = Self { device: SmpDevice::new(port), place, begun };
        placed.stays()?;
        Ok(placed)
    }

    /// The port is still the one of the beginning, and the place still leads to it and to no other.
    fn stays(&self) -> Result<(), DeviceError> {
        let Self { place, begun, .. } = self;
        let now = self.device.port().spot().map_err(|e| DeviceError::Moved(e.to_string()))?;
        let leads = match place.find().map_err(|e| DeviceError::Moved(e.to_string()))? {
            Found::Port(path) => path.canonicalize().is_ok_and(|path| path == now.path()),
            Found::Nothing | Found::Several => false,
        };
        if now == *begun && leads {
            return Ok(());
        }
        Err(DeviceError::Moved(format!("{place} was {begun}, and is not any more")))
    }
}

impl Device for Placed<'_> {
    fn identify(&mut self) -> Result<Sighting, DeviceError> {
        self.device.identify()
    }

    fn glance(&mut self) -> Result<Glance, DeviceError> {
        self.device.glance()
    }

    /// Checked here and not in the commit: until then the device holds what it held, and the record can say so.
    fn stage(&mut self, set: &CredentialSet) -> Result<(), DeviceError> {
        self.device.stage(set)?;
        self.stays()
    }

    fn commit(
        &mut self,
        set: &CredentialSet,
        identity: &Identity,
        overwrite: Option<&Overwrite>,
    ) -> Result<(), DeviceError> {
        self.device.commit(set, identity, overwrite)
    }

    fn restart(&mut self) -> Result<(), DeviceError> {
        self.device.restart()?;
        self.stays()
    }

    fn prove(&mut self, nonce: &Nonce) -> Result<Proof, DeviceError> {
        self.device.prove(nonce)
    }
}
