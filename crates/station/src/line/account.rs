//! What a line did, counted twice: from what its slots told, and from the log. Both have to say the same.

use std::ops::ControlFlow;

use keystation_audit::Reader;
use keystation_core::failure::Code;
use keystation_core::record::Seq;

use super::event::SlotEvent;
use crate::error::StationError;

/// Counts of a line since it was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Account {
    /// Devices that got PASS.
    pub passed: u64,
    /// Devices that got FAIL.
    pub failed: u64,
    /// Free retries.
    pub retries: u64,
    /// Failed tries of which there is no record: the log did not take one.
    pub unrecorded: u64,
}

/// The same in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Logged {
    /// Outcomes of intents: PASS.
    pub passed: u64,
    /// Outcomes of intents: FAIL.
    pub failed: u64,
    /// Devices that were seen and not written to.
    pub refused: u64,
    /// Intents of before that never reached their device; a new one followed.
    pub not_written: u64,
}

impl Account {
    /// Takes what a slot told.
    pub fn count(&mut self, event: &SlotEvent) {
        let failure = match event {
            SlotEvent::Pass { .. } => {
                self.passed += 1;
                return;
            }
            SlotEvent::Retry { failure, .. } => {
                self.retries += 1;
                failure
            }
            SlotEvent::Fail { failure, .. } => {
                self.failed += 1;
                failure
            }
            _ => return,
        };
        // A refusal of the gate has its record, which is none of a device.
        self.unrecorded += u64::from(failure.record.is_none() || failure.code == Code::NotPermitted);
    }

    /// Devices that came to a result.
    #[must_use]
    pub const fn devices(&self) -> u64 {
        self.passed + self.failed
    }

    /// Whether the log says the same: a record of a PASS for each PASS, and one for each try that failed.
    #[must_use]
    pub const fn agrees(&self, log: &Logged) -> bool {
        self.passed == log.passed && self.failed + self.retries - self.unrecorded == log.failed + log.refused
    }
}

impl Logged {
    /// What the records from `from` on say.
    pub fn since(reader: &Reader, from: Seq) -> Result<Self, StationError> {
        let mut logged = Self::default();
        reader.records(from.., None, |record| {
            match (record.event(), record.rc()) {
                ("inject.result" | "inject.resolve", "ok") => logged.passed += 1,
                // What else resolves an intent is an answer of the device, and none of those is called so.
                ("inject.resolve", "aborted") => logged.not_written += 1,
                ("inject.result" | "inject.resolve", _) => logged.failed += 1,
                ("inject.refuse", _) => logged.refused += 1,
                _ => {}
            }
            ControlFlow::Continue(())
        })?;
        Ok(logged)
    }
}
