//! The station: what the headless binary and the window have in common.
//!
//! Settings and profiles are read strictly, the three crates in the middle (device, vault, audit) are put together,
//! and the flow of `keystation_core` is run on them.

// What the integration tests have too calls this crate by its name.
#[cfg(test)]
extern crate self as keystation;

pub mod after;
pub mod anchoring;
mod archive;
pub mod backup;
pub mod ceremony;
pub mod check;
pub mod config;
mod custodies;
mod data_dir;
pub mod diagnosis;
mod ending;
mod error;
pub mod export;
pub mod files;
pub mod group_keys;
mod in_work;
mod injection;
mod leaving;
pub mod line;
pub mod lives;
pub mod log;
pub mod orders;
mod overview;
pub mod people;
mod person;
mod program;
mod random;
mod readers;
mod rebuild;
pub mod repair;
pub mod report;
mod review;
pub mod selftest;
mod station;
pub mod training;

pub use anchoring::{AnchorRule, AnchorState, Anchoring};
pub use archive::Archive;
pub use custodies::Custodies;
pub use data_dir::DataDir;
pub use ending::Ending;
pub use error::{Exit, StationError};
pub use injection::{Meant, Work};
pub use overview::Overview;
pub use person::{NotAName, PersonName};
pub use rebuild::rebuild;
pub use review::{Remark, ReviewRule, Reviewed};
pub use station::{Station, paths};

pub use keystation_audit::{Clock, Counts, Notice, Stamp, SystemClock};
/// What the window and the tests need of the vault to hand a passphrase, a key or a component over.
pub use keystation_vault::{
    CustodyKind, DerivedKeyAnswer, GroupKey, ImportError, NewKey, Part, Passphrase, SecretRefused,
    SecretText, TransferError, WipingAllocator, harden_process,
};
