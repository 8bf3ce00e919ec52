//! What a device in a slot becomes: the work that is open at that moment.

use keystation_core::failure::{Code, Failure, Safety};

use crate::config::{Profile, SlotConfig};
use crate::injection::Work;
use crate::station::Station;

impl Station {
    /// The work for the next device in `slot`, whose profile was read when the line was started: under the order that the log says
    /// is open. What that order admits is judged when the device is there.
    pub(super) fn next_work(&self, slot: &SlotConfig, profile: &Profile) -> Result<Work, Failure> {
        let job = self.open_job().map_err(|e| Failure {
            cause: Some(Box::new(e)),
            ..Failure::new(Code::LogFailed, Safety::Untouched)
        })?;
        Ok(Work { place: slot.place.clone(), profile: profile.clone(), job })
    }
}
