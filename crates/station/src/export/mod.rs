//! What leaves the station as proof, for verifiers that need not trust it: the proof file of a device, and the bundle.
//! `docs/audit-format.md` specifies the bytes, `docs/exports.md` the verbs.

mod proof;

pub use proof::{proof, save_proof};
