//! Why nothing was re-keyed.

use std::path::PathBuf;

use keystation_core::credential::NotApproved;
use keystation_core::key::KeyLabel;
use keystation_core::order::OrderId;
use keystation_core::record::Seq;
use keystation_core::repair::ReasonError;

use crate::error::Exit;
use crate::orders::ListError;

/// A re-key that was not begun. No device was touched.
#[derive(Debug, thiserror::Error)]
pub enum RekeyError {
    /// The reason is none of the list, or says too little.
    #[error(transparent)]
    Reason(#[from] ReasonError),
    /// Nobody else agreed.
    #[error(transparent)]
    NotApproved(#[from] NotApproved),
    /// Who agreed may not agree any more.
    #[error("{0} approved the batch, and may not approve one any more")]
    NoApprover(String),
    /// The list of a batch is none.
    #[error(transparent)]
    List(#[from] ListError),
    /// A batch is for one device at least.
    #[error("a batch is for 1 to 1000000 devices, not {0}")]
    Count(u64),
    /// No such batch.
    #[error("the log knows no batch {0}")]
    NoBatch(OrderId),
    /// It was closed.
    #[error("the batch {batch} was closed in record {record}")]
    Closed {
        /// Which.
        batch: OrderId,
        /// By which record.
        record: Seq,
    },
    /// A record of a batch is not what it should be.
    #[error("record {0} is none of a batch that this program can read")]
    Unreadable(Seq),
    /// Its list is gone, or another one.
    #[error("the list of the batch {batch} is not what was approved: {} {what}", file.display())]
    Altered {
        /// Which.
        batch: OrderId,
        /// The list.
        file: PathBuf,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The profile names another group key today.
    #[error("the batch {batch} is for the group key {expected}, its profile has {found}")]
    OtherKey {
        /// Which.
        batch: OrderId,
        /// What was approved: label and check value.
        expected: String,
        /// What there is.
        found: String,
    },
    /// The profile is not the one that was approved.
    #[error("{what} was approved for another profile, ID scope or endpoint than {} has now", file.display())]
    OtherProfile {
        /// The batch, or the re-key.
        what: String,
        /// The profile.
        file: PathBuf,
    },
    /// It was opened by a program that did not say enough of what was approved.
    #[error(
        "the batch {0} was opened by an older program, and no record says which profile was approved for it"
    )]
    Older(OrderId),
    /// Nothing hangs on the key that is to be left.
    #[error("no device in use hangs on the group key {0}")]
    NoDevices(KeyLabel),
    /// From a key to itself.
    #[error("the devices hang on the group key {0} already: name a profile with another one")]
    NoMove(KeyLabel),
}

impl RekeyError {
    /// A stable name, for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Reason(_) => "rekey-reason",
            Self::NotApproved(_) | Self::NoApprover(_) => "rekey-not-approved",
            Self::List(_) | Self::Count(_) => "rekey-list",
            Self::NoBatch(_) | Self::Closed { .. } | Self::Unreadable(_) | Self::Older(_) => "rekey-batch",
            Self::Altered { .. } | Self::OtherKey { .. } | Self::OtherProfile { .. } => "rekey-altered",
            Self::NoDevices(_) | Self::NoMove(_) => "rekey-empty",
        }
    }

    /// How the headless binary ends.
    #[must_use]
    pub const fn exit(&self) -> Exit {
        match self {
            Self::List(_) | Self::Count(_) | Self::NoBatch(_) | Self::NoDevices(_) | Self::NoMove(_) => {
                Exit::Usage
            }
            Self::Reason(_)
            | Self::NotApproved(_)
            | Self::NoApprover(_)
            | Self::Closed { .. }
            | Self::Altered { .. }
            | Self::OtherKey { .. }
            | Self::OtherProfile { .. }
            | Self::Older(_) => Exit::Refused,
            Self::Unreadable(_) => Exit::Broken,
        }
    }

    /// What to do now: one to three steps.
    #[must_use]
    pub const fn remedy(&self) -> &'static [&'static str] {
        match self {
            Self::Reason(_) => &["Say why: `--reason`, and `--note` where the list has no word for it."],
            Self::NotApproved(_) => &["Another person approves it, who is a supervisor: `--approver`."],
            Self::NoApprover(_) => {
                &["Close the batch.", "Have the rest of it approved by another supervisor."]
            }
            Self::List(_) => &["Mend the row and give the list again: nothing of it was taken."],
            Self::Count(_) => &["Name how many devices there are: `--count`."],
            Self::NoBatch(_) => &["keystation batch list shows what there is."],
            Self::Closed { .. } => &["Have the rest approved as a batch of its own."],
            Self::Unreadable(_) => &["Use the program that wrote it, or a newer one.", "Call QA."],
            Self::Altered { .. } => {
                &["Re-key nothing by it.", "Bring the list back as it was, or close the batch.", "Tell QA."]
            }
            Self::Older(_) => {
                &["Close it: keystation batch close.", "Have the rest approved as a batch of its own."]
            }
            Self::OtherKey { .. } | Self::OtherProfile { .. } => {
                &["Bring the profile back as it was.", "Or close the batch and have another one approved."]
            }
            Self::NoDevices(_) => {
                &["keystation key list shows how many devices hang on each key.", "Check the label."]
            }
            Self::NoMove(_) => &["Name the profile with the key that they are to get: `--profile`."],
        }
    }
}
