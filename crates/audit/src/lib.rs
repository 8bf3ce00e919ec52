//! The audit log of a station: an append-only Merkle log on SQLite, with a signed checkpoint outside the database.
//!
//! [`Journal`] writes: one thread owns the connection and commits the waiting records of all callers together. A
//! record counts when its transaction *and* the checkpoint beside the database are on disk. [`Reader`] reads and
//! [verifies](Reader::verify) while the line runs. The bytes of records and checkpoints are specified in
//! `docs/audit-format.md`. [`Names`] is beside the log and no part of it.
//!
//! Deliberately absent: any way to change or delete a record, to append without a checkpoint, or to begin a log
//! where there was one.

mod account;
mod anchor;
mod append_error;
mod batch;
mod batch_rules;
mod branches;
mod bundle;
mod carry;
mod checkpoint;
mod cleanup;
mod clock;
mod clock_rules;
mod compare;
mod component;
mod copy;
mod cosignature;
mod denial;
mod device_anchor;
mod device_rules;
mod device_verdict;
mod draft;
mod dying;
mod epoch;
mod examine;
mod expected;
mod expected_batches;
mod expected_orders;
mod expected_retired;
mod figures;
mod files;
mod finding;
mod group_key;
mod growth;
mod head;
mod journal;
mod json;
mod known;
mod life;
mod names;
mod note;
mod open_error;
mod order_reader;
mod order_rules;
mod order_tally;
mod origin;
mod past;
mod projection;
mod proof;
mod proof_file;
mod reader;
mod record;
mod remains;
mod report_note;
mod request;
mod retired;
mod review;
mod said;
mod schema;
mod search;
mod selection;
mod snapshot;
mod space;
mod standing;
mod state;
mod tail;
mod tree;
mod verify;
mod vouching;
mod watch;
mod witness;
mod work_order;
mod writer;

pub use account::Account;
pub use anchor::{AnchorRefusal, Secured};
pub use append_error::AppendError;
pub use batch_rules::BatchRefusal;
pub use checkpoint::{Checkpoint, CheckpointError};
pub use cleanup::{Blocked, Parent, ToBlock};
pub use clock::{BootId, Clock, Stamp, SystemClock};
pub use clock_rules::{AcceptRefusal, RELEASED};
pub use compare::{Comparison, compare};
pub use component::Component;
pub use cosignature::WitnessKey;
pub use denial::{Denial, Denials};
pub use device_anchor::DeviceAnchor;
pub use device_rules::DeviceRefusal;
pub use dying::Dying;
pub use epoch::{EpochError, EpochOrder, UNPROVEN, begin_epoch};
pub use figures::{Figures, Slot, Tally};
pub use files::{FileError, Paths};
pub use finding::Finding;
pub use group_key::{KeyStanding, KeyState, KnownKey, NotAKeyState};
pub use growth::Growth;
pub use journal::Journal;
pub use known::{KnownDevice, ScrapInForce};
pub use life::{DeviceStanding, Keyed, Life, LifeEvent};
pub use names::{Names, NamesError};
pub use note::{KeyError, NoteError, Signer, VerifierKey};
pub use open_error::OpenError;
pub use order_reader::Unaccounted;
pub use order_rules::{IntentRefusal, OrderRefusal};
pub use order_tally::OrderTally;
pub use origin::Origin;
pub use past::Past;
pub use proof::{ProofError, verify_consistency, verify_inclusion};
pub use reader::{Counts, ReadError, Reader, StoredRecord, Unsettled};
pub use record::{Record, RecordError};
pub use remains::{AccountsLeft, accounts_left};
pub use report_note::{ReportNote, ReportNoteError};
pub use request::{RequestError, WitnessRequest};
pub use review::{Review, Unreviewed};
pub use search::{Attempt, AttemptOutcome, Field, Page, Query, QueryError};
pub use selection::Selection;
pub use snapshot::Snapshot;
pub use space::{SpaceRefusal, SpaceRules};
pub use tree::{Frontier, Hash, leaf_hash, node_hash};
pub use verify::{Progress, Verdict};
pub use watch::{Notice, Rules};
pub use witness::{Refusal, WatchedLog, Witness, WitnessError};
pub use work_order::{NotAnOrderState, OrderState, WorkOrder};
pub use writer::StorageFailure;

/// The version of SQLite inside this program, for example `3.54.1`.
#[must_use]
pub fn sqlite_version() -> &'static str {
    rusqlite::version()
}
