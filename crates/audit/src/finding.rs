//! What can be wrong with a log.

use keystation_core::record::Seq;

use crate::batch_rules::BatchRefusal;
use crate::checkpoint::CheckpointError;
use crate::record::RecordError;

/// One thing that is wrong with a log. Its text is a sentence for a person; [`Finding::remedy`] says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Finding {
    /// Records are not there.
    #[error("Records {first} to {last} are missing.")]
    Missing {
        /// The first that is missing.
        first: Seq,
        /// The last.
        last: Seq,
    },
    /// The bytes of a record are not a record.
    #[error("Record {seq} is not a record: {why}.")]
    NotARecord {
        /// Which.
        seq: Seq,
        /// Why not.
        why: RecordError,
    },
    /// The bytes of a record are not those that were hashed when it was written.
    #[error("Record {seq} was changed after it was written.")]
    Changed {
        /// Which.
        seq: Seq,
    },
    /// A record says that it is another one.
    #[error("Record {seq} stands in the wrong place: it says that it is record {says}.")]
    Misplaced {
        /// Where it stands.
        seq: Seq,
        /// What it says.
        says: Seq,
    },
    /// A record says that it belongs to another log.
    #[error("Record {seq} belongs to another log: {log}.")]
    Foreign {
        /// Which.
        seq: Seq,
        /// The origin it names.
        log: String,
    },
    /// Record 0 is not a genesis record, or another record is one.
    #[error("Record {seq} is not what it has to be: a log has one genesis record, and it is record 0.")]
    Genesis {
        /// Which.
        seq: Seq,
    },
    /// What an epoch took over from the one before stands where it may not, or is none.
    #[error(
        "Record {seq} is not what it has to be: what an epoch takes over stands directly behind its first record, complete and in \
         order, and nowhere else."
    )]
    Carried {
        /// Which.
        seq: Seq,
    },
    /// The key in the genesis record is not the key that is used to check.
    #[error("The log was begun with another key than the one it is checked with.")]
    Key,
    /// A node of the Merkle tree is not the hash of what is under it, is missing, or is there without leaves.
    #[error("A hash over records {first} to {last} does not agree with them (level {level}).")]
    Node {
        /// Levels above the leaves.
        level: u32,
        /// First record under it.
        first: Seq,
        /// Last record under it.
        last: Seq,
    },
    /// There are nodes of the Merkle tree that belong to no records.
    #[error("There are hashes that belong to no records (level {level}).")]
    SurplusNode {
        /// Levels above the leaves.
        level: u32,
    },
    /// The database holds no checkpoint.
    #[error("The database holds no checkpoint.")]
    CheckpointMissing,
    /// The checkpoint in the database is none, or not signed by the key of the log.
    #[error("The checkpoint in the database is not valid: {0}.")]
    Checkpoint(CheckpointError),
    /// The newest checkpoint in the database covers more or fewer records than there are.
    #[error("The log has {log} records, but its checkpoint was signed for {checkpoint}.")]
    CheckpointSize {
        /// Records in the log.
        log: u64,
        /// Records that the checkpoint covers.
        checkpoint: u64,
    },
    /// The records are not those that the checkpoint in the database was signed for.
    #[error("The {size} records are not those that the checkpoint in the database was signed for.")]
    CheckpointRoot {
        /// Records that the checkpoint covers.
        size: u64,
    },
    /// There is no head beside the database.
    #[error("The head of the log is missing beside the database.")]
    HeadMissing,
    /// The head is no checkpoint, or not signed by the key of the log.
    #[error("The head of the log is not valid: {0}.")]
    Head(CheckpointError),
    /// The log ends before the head.
    #[error(
        "The log has {log} records, but its head was signed for {head}: \
         records were removed, or an older copy of the database was brought back."
    )]
    Rewound {
        /// Records in the log.
        log: u64,
        /// Records that the head covers.
        head: u64,
    },
    /// The records are not those that the head was signed for.
    #[error("The first {size} records are not those that the head of the log was signed for.")]
    HeadRoot {
        /// Records that the head covers.
        size: u64,
    },
    /// The records are not those that a witness cosigned.
    #[error("The first {size} records are not those that a witness cosigned.")]
    CosignedRoot {
        /// Records that the witness cosigned.
        size: u64,
    },
    /// Tables, triggers or indexes are not those that this program makes.
    #[error("The database has another structure than this program gave it: `{name}`.")]
    Structure {
        /// The first table, trigger or index that differs.
        name: String,
    },
    /// A table that is derived from the records does not agree with them.
    #[error("The table `{table}`, which is made from the records, does not agree with them.")]
    Derived {
        /// Its name.
        table: &'static str,
    },
    /// A record that the station has to refuse, by what the records before it say of its device.
    #[error("Record {seq} is one that the station has to refuse: its device was out by then.")]
    NotRefused {
        /// Which.
        seq: Seq,
    },
    /// A record that the station has to refuse, by what the records before it say of its batch of repair.
    #[error("Record {seq} is one that the station has to refuse: {why}.")]
    Batch {
        /// Which.
        seq: Seq,
        /// Why.
        why: BatchRefusal,
    },
    /// The database cannot be read.
    #[error("The database cannot be read from record {seq} on: {why}.")]
    Unreadable {
        /// The first record that could not be read.
        seq: Seq,
        /// What SQLite says.
        why: String,
    },
}

impl Finding {
    /// The first record that it concerns, where it can be told. Records before it are as they were written, as far as
    /// no other finding concerns them.
    #[must_use]
    pub const fn seq(&self) -> Option<Seq> {
        match self {
            Self::Missing { first: seq, .. }
            | Self::NotARecord { seq, .. }
            | Self::Changed { seq }
            | Self::Misplaced { seq, .. }
            | Self::Foreign { seq, .. }
            | Self::Genesis { seq }
            | Self::Carried { seq }
            | Self::NotRefused { seq }
            | Self::Batch { seq, .. }
            | Self::Node { first: seq, .. }
            | Self::Unreadable { seq, .. }
            | Self::Rewound { log: seq, .. } => Some(*seq),
            Self::CheckpointSize { log, checkpoint } => {
                Some(if *log < *checkpoint { *log } else { *checkpoint })
            }
            Self::Key
            | Self::CheckpointMissing
            | Self::Checkpoint(_)
            | Self::CheckpointRoot { .. }
            | Self::HeadMissing
            | Self::Head(_)
            | Self::HeadRoot { .. }
            | Self::CosignedRoot { .. }
            | Self::SurplusNode { .. }
            | Self::Structure { .. }
            | Self::Derived { .. } => None,
        }
    }

    /// What to do now: one to three steps.
    #[must_use]
    pub const fn remedy(&self) -> &'static [&'static str] {
        match self {
            Self::Derived { .. } => {
                &["No record is affected.", "Close the station and have the derived tables made anew."]
            }
            Self::Unreadable { .. } => &[
                "Stop: nothing more may be injected.",
                "Copy database and head to another disk: this one may be failing.",
                "Give both to QA, with the last checkpoint that left this machine.",
            ],
            _ => &[
                "Stop: nothing more may be injected.",
                "Leave database and head as they are.",
                "Give both to QA, with the last checkpoint that left this machine.",
            ],
        }
    }
}
