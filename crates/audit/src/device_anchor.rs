//! What a keyed device says of the log: it carries the begin of the root that the log had at its intent
//! (`docs/audit-format.md`, section 11).

use keystation_core::credential::LogAnchor;
use keystation_core::record::Seq;
use keystation_core::registration::RegistrationId;

use crate::note::VerifierKey;
use crate::reader::ReadError;
use crate::snapshot::Snapshot;
use crate::standing;
use crate::tree::Frontier;

/// What came of holding the anchor of a device against a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceAnchor {
    /// The log begins with the records that it had then, and this one is the intent of the device.
    Agrees(Seq),
    /// It is of a log with another key: this one says nothing of it.
    OtherLog([u8; 4]),
    /// The log had so many records when the device was keyed, and now it has fewer: it was cut back.
    CutBack {
        /// Records that there were.
        size: u64,
        /// Records that there are.
        log: u64,
    },
    /// The log has as many records, and they are not those that it had: it was replaced.
    Replaced {
        /// Records that there were.
        size: u64,
    },
    /// The log is the same, and its record is not an intent to key this device: the set is not from this station.
    NotItsIntent(Seq),
    /// An anchor that no station writes: there is no log of so many records.
    Void,
}

impl DeviceAnchor {
    /// A stable name, for programs.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Agrees(_) => "agrees",
            Self::OtherLog(_) => "other-log",
            Self::CutBack { .. } => "log-cut-back",
            Self::Replaced { .. } => "log-replaced",
            Self::NotItsIntent(_) => "not-its-intent",
            Self::Void => "anchor-void",
        }
    }
}

/// The anchor of the log whose tree has this frontier.
pub(crate) fn of(frontier: &Frontier, key: &VerifierKey) -> LogAnchor {
    LogAnchor { log: key.id(), size: frontier.size(), root: begin(&frontier.root()) }
}

fn begin(root: &[u8; 32]) -> [u8; 8] {
    root[..8].try_into().expect("a hash has 32 bytes")
}

impl Snapshot<'_> {
    /// Holds the anchor that a device keyed as `id` carries against this log.
    pub fn device_anchor(&self, anchor: LogAnchor, id: &RegistrationId) -> Result<DeviceAnchor, ReadError> {
        let LogAnchor { log, size, root } = anchor;
        if log != self.key().id() {
            return Ok(DeviceAnchor::OtherLog(log));
        }
        let Some(intent) = anchor.intent().filter(|_| size < 1 << 53) else { return Ok(DeviceAnchor::Void) };
        let Some(now) = self.root(size)? else {
            return Ok(DeviceAnchor::CutBack { size, log: self.checkpoint().size });
        };
        if begin(&now) != root {
            return Ok(DeviceAnchor::Replaced { size });
        }
        let of_this_device = standing::with_record(&self.conn, intent, |record| {
            Ok(record.event() == "inject.intent" && record.text("rid").as_deref() == Some(id.as_str()))
        })?;
        Ok(if of_this_device { DeviceAnchor::Agrees(intent) } else { DeviceAnchor::NotItsIntent(intent) })
    }
}
