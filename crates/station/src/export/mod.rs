//! What leaves the station as proof, for verifiers that need not trust it: the bundle, and the proof file of a device.
//! `docs/audit-format.md` specifies the bytes, `docs/exports.md` the verbs.

mod bundle;
mod directory;
mod part;
mod proof;

pub use bundle::{Exported, bundle};
pub use part::Part;
pub(crate) use proof::numbered;
pub use proof::{proof, save_proof};
