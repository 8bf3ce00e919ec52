//! Why a log did not take a record.

use std::sync::Arc;

use keystation_core::failure::Code;
use keystation_core::flow::LogError;
use keystation_core::key::KeyLabel;
use keystation_core::record::Seq;

use crate::anchor::AnchorRefusal;
use crate::batch_rules::BatchRefusal;
use crate::clock_rules::AcceptRefusal;
use crate::device_rules::DeviceRefusal;
use crate::finding::Finding;
use crate::order_rules::{IntentRefusal, OrderRefusal};
use crate::reader::ReadError;
use crate::record::RecordError;
use crate::space::SpaceRefusal;
use crate::writer::StorageFailure;

/// A record that the log did not take.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AppendError {
    /// The entry cannot be a record, for example because it would be too long. The log goes on.
    #[error("the entry cannot be a record: {0}")]
    NotARecord(#[from] RecordError),
    /// The record cannot stand there, for example because it is a second genesis. The log goes on.
    #[error("the entry cannot be the next record: {0}")]
    Misplaced(Finding),
    /// The outcome refers to a record that is not an intent of its registration ID. The log goes on.
    #[error("record {intent} is not an intent of {id}")]
    NoSuchIntent {
        /// The record.
        intent: Seq,
        /// The registration ID.
        id: String,
    },
    /// A device would have proved the key of an intent of which it is known already what became of it. The log goes on.
    #[error("it is known already what became of record {intent}, the intent of {id}")]
    Settled {
        /// The intent.
        intent: Seq,
        /// The registration ID.
        id: String,
    },
    /// The record is not that of a report. The log goes on.
    #[error("record {seq} is not that of a report")]
    NoSuchReport {
        /// The record.
        seq: Seq,
    },
    /// There is nothing to review up to that record: it was reviewed, or is not there yet. The log goes on.
    #[error("nothing is left to review up to record {to}: the next review begins at record {from}")]
    NothingToReview {
        /// The first record that nobody reviewed.
        from: Seq,
        /// The last one that was to be reviewed.
        to: Seq,
    },
    /// The intent does not follow from what the log knows of its device: another one came first. The log goes on.
    #[error("another write on {id} was begun meanwhile")]
    Overtaken {
        /// The registration ID.
        id: String,
    },
    /// An ID that was given before would be given to another person. The log goes on.
    #[error("the ID {user} was given before; an ID is never given again")]
    AccountExists {
        /// The ID.
        user: String,
    },
    /// Nobody has the account that would be changed. The log goes on.
    #[error("nobody has the account {user}")]
    NoSuchAccount {
        /// The ID.
        user: String,
    },
    /// The log knows no such group key, or knows that it was destroyed. The log goes on.
    #[error("the log knows no group key {label} with this check value, or knows that it was destroyed")]
    NoSuchKey {
        /// Its label.
        label: KeyLabel,
    },
    /// The device is not begun: its work order, its board or its key forbid it. The log goes on.
    #[error("no intent is taken: {0}")]
    NotBegun(#[from] IntentRefusal),
    /// The work order is left as it is. The log goes on.
    #[error(transparent)]
    Order(#[from] OrderRefusal),
    /// The batch of repair is left as it is. The log goes on.
    #[error(transparent)]
    Batch(#[from] BatchRefusal),
    /// The device is left as it is. The log goes on.
    #[error(transparent)]
    Device(#[from] DeviceRefusal),
    /// The cosigned checkpoint does not secure this log. The log goes on.
    #[error("the cosigned checkpoint was not taken: {0}")]
    NotAnchored(AnchorRefusal),
    /// There is too little room for an intent. The log goes on with everything else.
    #[error("no intent is taken: {0}")]
    SpaceLow(SpaceRefusal),
    /// The clock went back. No intent is taken until two people accept the time; the log goes on with everything else.
    #[error("no intent is taken: the clock went back, and the time is to be accepted by two people")]
    ClockDoubted,
    /// The time was not accepted. The log goes on.
    #[error("the time was not accepted: {0}")]
    NotAccepted(AcceptRefusal),
    /// What the log knows could not be read.
    #[error("the log cannot be asked")]
    Unread(#[source] Arc<ReadError>),
    /// The storage failed while this record was written. It may or may not be in the log after the next start.
    #[error("the record could not be made durable; the log takes no more records until the next start")]
    Failed(#[source] Arc<StorageFailure>),
    /// The storage failed before.
    #[error("the log takes no more records until the next start, because its storage failed")]
    Stopped(#[source] Arc<StorageFailure>),
    /// The log was closed.
    #[error("the log is closed")]
    Closed,
}

impl From<AnchorRefusal> for AppendError {
    fn from(refusal: AnchorRefusal) -> Self {
        Self::NotAnchored(refusal)
    }
}

impl From<AppendError> for LogError {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::Overtaken { id } => Self::Overtaken { id },
            refused @ AppendError::SpaceLow(_) => {
                Self::Refused { code: Code::SpaceLow, cause: Box::new(refused) }
            }
            refused @ AppendError::ClockDoubted => {
                Self::Refused { code: Code::ClockDoubted, cause: Box::new(refused) }
            }
            AppendError::NotBegun(refusal) => {
                Self::Refused { code: refusal.code(), cause: Box::new(AppendError::NotBegun(refusal)) }
            }
            other => Self::Storage(Box::new(other)),
        }
    }
}
