//! A copy of a station that can take its place: `docs/backup.md` specifies the file and says what is in it and what is not.

mod error;
mod files;
mod make;
mod manifest;
mod restore;

pub use error::BackupError;
pub use make::{BackedUp, back_up_unrecorded};
pub use manifest::Manifest;
pub use restore::{Administrator, Restored, Unpacked};
