//! The directory of a training: `training/` in that of the station, made anew at each start. Nothing else of the station's
//! directory is opened, not even for reading.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::{MARK, station};
use crate::data_dir::DataDir;
use crate::error::StationError;

/// A training directory that this process has for itself.
#[derive(Debug)]
pub struct Training {
    data: DataDir,
    /// Locked as long as the training goes on: flock(2).
    _mark: File,
}

/// Why there is no training.
#[derive(Debug, thiserror::Error)]
pub enum TrainingError {
    /// A station in production with the name of a training.
    #[error("no station may be called `training`: that is the name of what counts for nothing")]
    Reserved,
    /// The directory of a training, opened as if it were a station.
    #[error("{} is a training: it is opened with `--training` only", .0.display())]
    Started(PathBuf),
    /// Something else has the name of the directory.
    #[error("{} was not made by a training; it is left as it is", .0.display())]
    NotOurs(PathBuf),
    /// Another program trains there.
    #[error("a training goes on in {}", .0.display())]
    InUse(PathBuf),
    /// What is proof elsewhere would be one of nothing.
    #[error("a training makes no proofs and no bundles: its log counts for nothing")]
    NoProof,
    /// An example account is not taken: a defect of this program.
    #[error("an example account does not work")]
    Account(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl TrainingError {
    /// A stable name, for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Reserved => "training-name",
            Self::Started(_) => "training-only",
            Self::NotOurs(_) => "training-directory",
            Self::InUse(_) => "training-in-use",
            Self::NoProof => "training-no-proof",
            Self::Account(_) => "training-account",
        }
    }

    /// What to do now.
    #[must_use]
    pub const fn remedy(&self) -> &'static [&'static str] {
        match self {
            Self::Reserved => &["Give the station another name."],
            Self::Started(_) => {
                &["Train: keystation run --training.", "Work: check `--data`, and leave out `/training`."]
            }
            Self::NotOurs(_) => &["Look at what is there, and move it away."],
            Self::InUse(_) => &["End the other training.", "Then try again."],
            Self::NoProof => &["Lists, job sheets and reports can be made here, to see what they look like."],
            Self::Account(_) => &["Call the administrator."],
        }
    }
}

/// The file that shows that the directory may be emptied.
const FILE: &str = "TRAINING";

impl Training {
    /// Makes the training directory of the station in `production` anew, whether or not there is such a station, and in it a
    /// station with people, an example key and places for simulated devices. Refused while another program trains there.
    pub fn begin(production: &DataDir) -> Result<Self, StationError> {
        let path = production.path().join("training");
        let disk = |cause| StationError::Disk { path: path.clone(), cause };
        DirBuilder::new().recursive(true).mode(0o700).create(production.path()).map_err(disk)?;
        let made = match DirBuilder::new().mode(0o700).create(&path) {
            Ok(()) => true,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => false,
            Err(error) => return Err(disk(error)),
        };
        let mark = path.join(FILE);
        // A link that leads elsewhere, or a directory with something else in it, is not emptied.
        let is_ours = made || (is(&path, fs::FileType::is_dir) && is(&mark, fs::FileType::is_file));
        if !is_ours {
            return Err(TrainingError::NotOurs(path).into());
        }
        let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&mark);
        let file = file.map_err(disk)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(TrainingError::InUse(path).into()),
            Err(TryLockError::Error(cause)) => return Err(disk(cause)),
        }
        empty(&path).map_err(disk)?;
        fs::write(&mark, format!("{MARK}\nThis directory is emptied at each start of a training.\n"))
            .map_err(disk)?;
        let training = Self { data: DataDir::new(path.clone()), _mark: file };
        station::make(&training.data)?;
        Ok(training)
    }

    /// The directory.
    #[must_use]
    pub const fn data(&self) -> &DataDir {
        &self.data
    }
}

fn is(path: &Path, what: impl Fn(&fs::FileType) -> bool) -> bool {
    path.symlink_metadata().is_ok_and(|found| what(&found.file_type()))
}

/// Removes everything but the mark, and follows no link.
fn empty(path: &Path) -> io::Result<()> {
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        if entry.file_name() == FILE {
            continue;
        }
        if entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        } else {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn begin(data: &Path) -> Result<Training, StationError> {
        Training::begin(&DataDir::new(data.to_owned()))
    }

    fn code(data: &Path) -> &'static str {
        begin(data).expect_err("it is refused").code()
    }

    #[test]
    fn what_a_training_did_not_make_is_left_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        let elsewhere = dir.path().join("elsewhere");
        for place in [&data, &elsewhere] {
            fs::create_dir(place).unwrap();
        }
        fs::write(elsewhere.join("audit.db"), "records").unwrap();
        fs::write(elsewhere.join(FILE), "").unwrap();
        symlink(&elsewhere, data.join("training")).unwrap();
        assert_eq!(code(&data), "training-directory", "a link is not followed");
        fs::remove_file(data.join("training")).unwrap();
        fs::create_dir(data.join("training")).unwrap();
        fs::write(data.join("training/audit.db"), "records").unwrap();
        assert_eq!(code(&data), "training-directory", "there is no mark");
        symlink(elsewhere.join(FILE), data.join("training").join(FILE)).unwrap();
        assert_eq!(code(&data), "training-directory", "the mark is a link");
        for file in [data.join("training/audit.db"), elsewhere.join("audit.db")] {
            assert_eq!(fs::read(file).unwrap(), b"records");
        }
    }

    #[test]
    fn each_start_makes_it_anew_and_one_at_a_time_trains() {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        let first = begin(&data).unwrap();
        assert_eq!(code(&data), "training-in-use");
        let left = first.data().path().join("exports");
        fs::create_dir(&left).unwrap();
        let key = fs::read(first.data().path().join("station.key")).unwrap();
        drop(first);
        let second = begin(&data).unwrap();
        assert!(!left.exists());
        assert_ne!(fs::read(second.data().path().join("station.key")).unwrap(), key, "another log");
    }
}
