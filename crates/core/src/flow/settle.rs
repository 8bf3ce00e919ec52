//! Which device settles an intent that is open: what it proves must not become the PASS of another board or of another
//! work order.

use super::fault::Fault;
use super::{DeviceState, OpenIntent, Sighting};
use crate::failure::Code;
use crate::record::{Holds, Seq};

/// Why a device is not asked what came of an intent that is open.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotSettled {
    #[error("record {0} began this registration ID on a board with another MAC address or serial number")]
    OtherBoard(Seq),
    #[error("record {seq} began it {}", under(.job))]
    OtherOrder { seq: Seq, job: String },
}

impl NotSettled {
    /// Whether `seen`, in work under `job`, settles the intent.
    pub(super) fn judge(open: &OpenIntent, seen: &Sighting, job: &str) -> Result<(), Self> {
        if !open.is_of(&seen.identity) {
            Err(Self::OtherBoard(open.seq))
        } else if seen.state == DeviceState::Empty {
            // It holds nothing of that intent, and the next one is judged by the log.
            Ok(())
        } else if open.job != job {
            Err(Self::OtherOrder { seq: open.seq, job: open.job.clone() })
        } else {
            Ok(())
        }
    }
}

fn under(job: &str) -> String {
    if job.is_empty() { "under no work order".to_owned() } else { format!("under the work order {job}") }
}

impl From<NotSettled> for Fault {
    fn from(cause: NotSettled) -> Self {
        let code = match cause {
            NotSettled::OtherBoard(_) => Code::OtherBoard,
            NotSettled::OtherOrder { .. } => Code::NoOrder,
        };
        Self { code, holds: Holds::Unknown, cause: Some(cause.into()) }
    }
}
