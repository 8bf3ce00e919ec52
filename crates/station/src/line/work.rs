//! What a device in a slot becomes: the work that is open at that moment, and who may be that device.

use std::sync::Arc;

use keystation_core::failure::{Code, Failure};
use keystation_core::flow::{Admission, AnyDevice, NotAdmitted};
use keystation_core::identity::Identity;
use keystation_core::registration::RegistrationId;

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

/// A retry is for the device that failed. Another one in its place is refused: nobody would see that the first one failed.
#[derive(Debug, Clone, Copy)]
pub(super) struct SameDevice<'a> {
    /// Who it was, where it said so.
    pub(super) before: Option<&'a Identity>,
    /// Who else decides.
    pub(super) inner: &'a dyn Admission,
}

impl Admission for SameDevice<'_> {
    fn admit(&self, identity: &Identity, id: &RegistrationId) -> Result<(), NotAdmitted> {
        match self.before {
            Some(before) if before != identity => Err(NotAdmitted { code: Code::Swapped, cause: None }),
            _ => self.inner.admit(identity, id),
        }
    }
}
