//! A label once more: torn, lost, or never seen.

use std::ops::ControlFlow;

use keystation_core::record::{AfterEvent, Event, Seq};
use keystation_core::registration::RegistrationId;

use super::queue::{self, Asked};
use crate::error::StationError;
use crate::group_keys::reason_of;
use crate::people::{Action, Permit};
use crate::station::Station;

impl Station {
    /// Asks for the label of a device that passed once more, on every printer that its product has a label on; it is printed like any
    /// other, when its turn comes, and marked as a copy. Permit: [`Action::Reprint`].
    pub fn reprint(&self, permit: &Permit, id: &RegistrationId, reason: &str) -> Result<Seq, StationError> {
        self.honour(permit, Action::Reprint)?;
        let asked = reason_of(reason).and_then(|reason| {
            let result = self.last_pass(id)?;
            self.has_label(id, result)?;
            self.append_by(permit, Event::After(AfterEvent::LabelAsked { id: id.clone(), result, reason }))
        });
        self.done_or_told(permit, id.as_str(), asked)
    }

    /// Whether the product of a device has a label at all.
    fn has_label(&self, id: &RegistrationId, result: Seq) -> Result<(), StationError> {
        let subject = queue::subject(&*self.look()?, Asked { seq: result, result, copy: true })?;
        let title = subject.map(|subject| subject.title);
        let labelled = self.config().labels.iter().any(|label| Some(&label.title) == title.as_ref());
        if labelled { Ok(()) } else { Err(StationError::NoProductLabel(id.clone())) }
    }

    /// The record by which a device passed last.
    fn last_pass(&self, id: &RegistrationId) -> Result<Seq, StationError> {
        let mut passed = None;
        self.look()?.records(.., Some(id), |record| {
            if matches!(record.event(), "inject.result" | "inject.resolve") && record.rc() == "ok" {
                passed = Some(record.seq());
            }
            ControlFlow::Continue(())
        })?;
        passed.ok_or_else(|| StationError::NoDevice(id.clone()))
    }
}
