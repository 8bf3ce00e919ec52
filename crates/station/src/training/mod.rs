//! Training: a station of its own in a directory of its own, with simulated devices and an example key. `docs/training.md` says
//! what keeps it apart from production.

mod acts;
mod place;
mod show;
mod station;

pub use acts::{ACTS, Act};
pub use place::{Training, TrainingError};
pub(crate) use show::{Scanner, Show};
pub use station::{LABEL, PASSPHRASE, PIN, TRAINEE};

/// The name of the log of every training, without the epoch. No station in production may be called `training`.
pub const NAME: &str = "keylog.example.com/keystation/training";

/// What is on the first line of every file that a training exports.
pub const MARK: &str = "TRAINING: simulated devices, an example key, a log that counts for nothing";

/// Whether the log of this name, without the epoch, is that of a training.
#[must_use]
pub fn is_name(name: &str) -> bool {
    name.rsplit('/').next() == Some("training")
}
