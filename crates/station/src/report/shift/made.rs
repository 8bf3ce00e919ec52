//! The signed report on a shift: made by a station that may write.

use std::path::Path;

use keystation_core::record::Event;

use super::{Asked, Shift, paper};
use crate::error::StationError;
use crate::export::numbered;
use crate::people::{Action, Permit};
use crate::report::signed::Made;
use crate::station::Station;

impl Station {
    /// Makes the report on a shift, a PDF, and the signed note beside it: `path` with `.note` behind it. The export is in the log
    /// before either has its name. Permit: [`Action::Report`].
    pub fn shift_report(&self, permit: &Permit, asked: &Asked, path: &Path) -> Result<Made, StationError> {
        self.honour(permit, Action::Report)?;
        self.made(permit, asked, path)
    }

    /// What the person of this session made in it until now. Permit: [`Action::OwnShift`].
    pub fn own_shift(&self, permit: &Permit) -> Result<Shift, StationError> {
        self.honour(permit, Action::OwnShift)?;
        Shift::of(&self.reader()?, own(permit))
    }

    /// The same as a signed file in `folder`: `shift-<session>.pdf`, or with `-2` and so on where there is one. Permit:
    /// [`Action::OwnShift`].
    pub fn save_own_shift(&self, permit: &Permit, folder: &Path) -> Result<Made, StationError> {
        self.honour(permit, Action::OwnShift)?;
        let asked = own(permit);
        let stem = format!("shift-{}", permit.actor().session);
        numbered(folder, &stem, "pdf", |path| self.made(permit, &asked, path))
    }

    fn made(&self, permit: &Permit, asked: &Asked, path: &Path) -> Result<Made, StationError> {
        self.signed(permit, path, || {
            let shift = Shift::of(&self.reader()?, asked.clone())?;
            let (pdf, records) = (paper::paper(&shift)?, shift.checkpoint.size);
            let event = move |sha256| Event::ShiftReported {
                shift: shift.asked.session.unwrap_or_default(),
                user: shift.asked.operator.unwrap_or_default(),
                from: written(shift.asked.from),
                until: written(shift.asked.until),
                sha256,
                records,
            };
            Ok((pdf, records, event))
        })
    }
}

fn own(permit: &Permit) -> Asked {
    let actor = permit.actor();
    Asked { session: Some(actor.session.clone()), operator: Some(actor.operator.clone()), ..Asked::default() }
}

/// A moment as the time of a record is written.
fn written(ms: Option<i64>) -> String {
    let time = ms.and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    time.map_or_else(String::new, |time| format!("{time:.3}"))
}
