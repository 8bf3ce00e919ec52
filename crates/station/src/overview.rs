//! What is always in sight of a station.

use keystation_audit::{AppendError, Counts, Notice};
use keystation_core::key::GroupKeyInfo;
use keystation_core::record::Seq;

use crate::anchoring::Anchoring;
use crate::config::SlotConfig;
use crate::error::StationError;
use crate::station::Station;

/// What is always in sight.
#[derive(Debug, Clone)]
pub struct Overview {
    /// Origin of the log.
    pub origin: String,
    /// ID of the person who is signed in, or empty.
    pub operator: String,
    /// Whether the vault is locked.
    pub locked: bool,
    /// The group keys, while the vault is unlocked.
    pub keys: Vec<GroupKeyInfo>,
    /// Records in the log.
    pub records: u64,
    /// Intents whose outcome is not known: device and record.
    pub open_intents: Vec<(String, Seq)>,
    /// Results of the whole log.
    pub counts: Counts,
    /// How far the log is secured outside of this machine.
    pub anchoring: Anchoring,
    /// Whether this is a training, and no station in production.
    pub training: bool,
    /// Whether it is time for QA's review.
    pub review_due: bool,
    /// What a person has to see of disk and clock.
    pub notices: Vec<Notice>,
    /// Where devices are plugged in.
    pub slots: Vec<SlotConfig>,
}

impl Station {
    /// What is always in sight.
    pub fn overview(&self) -> Result<Overview, StationError> {
        let log = self.archive().overview()?;
        let operator = self.actor().operator;
        let desk = self.desk();
        Ok(Overview {
            operator,
            locked: desk.opened.is_empty(),
            keys: desk.opened.keys().cloned().collect(),
            notices: self.notices()?,
            ..log
        })
    }

    /// What a person has to see of disk and clock.
    fn notices(&self) -> Result<Vec<Notice>, StationError> {
        match self.journal().notices() {
            // A log that stopped says so to whoever appends; what it holds can still be looked at.
            Err(AppendError::Stopped(_) | AppendError::Closed) => Ok(Vec::new()),
            notices => Ok(notices?),
        }
    }
}
