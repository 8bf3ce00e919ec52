//! Repair (docs/repair.md): a device that was keyed before gets a key again, one by one or a batch of them.
//!
//! First a look, which writes nothing. Then a reason out of a closed list and the approval of a supervisor, bound to the device that
//! was looked at or to the list of the batch; from these two is built the only permission to overwrite. The record names the
//! one before, and says by its fingerprints whether the same key was written again.

mod batch;
mod begin;
mod error;
mod left;
mod list;
mod list_tree;
mod look;
mod one;
mod reconcile;
mod seen;
mod sheet;
mod standing;
mod working;

pub(crate) use batch::PREFIX;
pub use batch::{ApprovedProfile, Batch, Ended, batch, batches, open_batches};
pub use begin::{BatchAsked, BatchDevices};
pub use error::RekeyError;
pub use keystation_core::repair::{Effect, ReasonCode, ReasonError, RekeyReason};
pub use left::{LeftOpen, NotAsked};
pub use list::{BatchList, Entry};
pub use look::{Holding, KeyedBefore, Look};
pub use one::{Asked, Rekeyed};
pub use reconcile::{Reconciliation, Row, State, reconcile};
pub use sheet::{campaign_lines, csv, pdf};
pub use standing::{Campaign, Standing};
pub use working::{BatchWork, Progress};
