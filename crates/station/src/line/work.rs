//! What a device in a slot becomes: the work that is open at that moment.

use std::sync::Arc;

use keystation_core::failure::Failure;
use keystation_core::flow::AnyDevice;

use crate::config::{Profile, SlotConfig};
use crate::injection::Work;
use crate::station::Station;

impl Station {
    /// The work for the next device in `slot`, whose profile was read when the line was started.
    #[allow(clippy::unnecessary_wraps, reason = "whether a work order is open is asked here")]
    pub(super) fn next_work(&self, slot: &SlotConfig, profile: &Profile) -> Result<Work, Failure> {
        Ok(Work {
            place: slot.place.clone(),
            profile: profile.clone(),
            job: String::new(),
            admission: Arc::new(AnyDevice),
        })
    }
}
