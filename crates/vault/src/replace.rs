//! One writer at a time, and a file that is replaced whole or not at all.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::error::WriteError;

/// The right to write what a lock file stands for, for as long as it lives: flock(2).
pub(crate) struct Lock(File);

/// The right to write the file at a path: the lock is `<file>.lock` beside it. Not the file itself, which every write
/// replaces by another.
pub(crate) struct Writer {
    target: PathBuf,
    _lock: Lock,
}

impl Lock {
    /// Takes the lock at `path`, which is made if there is none; whoever comes second does not wait.
    pub(crate) fn take(path: &Path) -> Result<Self, WriteError> {
        let file = private(OpenOptions::new().create(true).truncate(false), path).map_err(WriteError::of)?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(WriteError::Busy),
            Err(TryLockError::Error(cause)) => Err(WriteError::of(cause)),
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing alone would not do: a child that is between fork and exec has a copy of the descriptor, and the lock
        // lives until that is closed too. Unlocking what we locked cannot fail.
        let _ = self.0.unlock();
    }
}

impl Writer {
    /// Follows symbolic links, so that a link stays one and what it leads to is replaced.
    pub(crate) fn new(path: &Path) -> Result<Self, WriteError> {
        let target = resolve(path).map_err(WriteError::of)?;
        let lock = Lock::take(&beside(&target, ".lock"))?;
        Ok(Self { target, _lock: lock })
    }

    /// Where the file really is.
    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    /// Puts a file of these bytes in the file's place: [`replace`].
    pub(crate) fn replace(
        &self,
        bytes: &[u8],
        prove: impl FnOnce(&Path) -> Result<(), WriteError>,
    ) -> Result<(), WriteError> {
        replace(&self.target, bytes, prove)
    }
}

/// Writes `bytes` beside the file at `target`, has `prove` look at what is on the disk, and puts it in the file's place. A
/// crash at any moment leaves the old file or the new one. For the holder of the lock.
pub(crate) fn replace(
    target: &Path,
    bytes: &[u8],
    prove: impl FnOnce(&Path) -> Result<(), WriteError>,
) -> Result<(), WriteError> {
    let new = beside(target, ".new");
    let put = || -> Result<(), WriteError> {
        write(&new, bytes).map_err(WriteError::of)?;
        prove(&new)?;
        fs::rename(&new, target).map_err(WriteError::of)
    };
    if let Err(error) = put() {
        // The error that counts is the first one; what is left is sealed, and the next write removes it.
        let _ = fs::remove_file(&new);
        return Err(error);
    }
    sync_name(target)
}

/// Removes the file at `target`; it stays removed after a crash. For the holder of the lock.
pub(crate) fn remove(target: &Path) -> Result<(), WriteError> {
    fs::remove_file(target).map_err(WriteError::of)?;
    sync_name(target)
}

/// A name is durable when its directory is.
pub(crate) fn sync_name(path: &Path) -> Result<(), WriteError> {
    let directory = path.parent().filter(|d| !d.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(directory).and_then(|directory| directory.sync_all()).map_err(WriteError::of)
}

fn write(new: &Path, bytes: &[u8]) -> io::Result<()> {
    // What a killed import left. Only the holder of the lock comes here.
    match fs::remove_file(new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = private(OpenOptions::new().create_new(true), new)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn private(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    options.write(true).mode(0o600).open(path)
}

fn resolve(path: &Path) -> io::Result<PathBuf> {
    match fs::canonicalize(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let name = path.file_name().ok_or(error)?;
            let directory = path.parent().filter(|d| !d.as_os_str().is_empty()).unwrap_or(Path::new("."));
            Ok(fs::canonicalize(directory)?.join(name))
        }
        resolved => resolved,
    }
}

pub(crate) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(directory: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(directory).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn old_file_stands_until_the_new_one_is_proven() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        fs::write(&path, "old").unwrap();
        let writer = Writer::new(&path).unwrap();
        let refused = writer.replace(b"new", |new| {
            assert_eq!(
                (fs::read(&path).unwrap(), fs::read(new).unwrap()),
                (b"old".to_vec(), b"new".to_vec())
            );
            Err(WriteError::Busy)
        });
        assert!(matches!(refused, Err(WriteError::Busy)));
        assert_eq!(
            (fs::read(&path).unwrap(), names(directory.path())),
            (b"old".to_vec(), vec!["file".into(), "file.lock".into()])
        );
        writer.replace(b"new", |_| Ok(())).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
    }

    /// A child that another thread starts has copies of all descriptors until it executes its program.
    #[test]
    fn lock_ends_with_the_writer_even_where_a_child_has_a_copy() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        let writer = Writer::new(&path).unwrap();
        let copy = writer._lock.0.try_clone().unwrap();
        assert!(matches!(Writer::new(&path), Err(WriteError::Busy)));
        drop(writer);
        assert!(Writer::new(&path).is_ok());
        drop(copy);
    }

    #[test]
    fn failures_are_told_apart_by_what_has_to_be_done() {
        use rustix::io::Errno;
        let of = |errno: Errno| WriteError::of(errno.into());
        for errno in [Errno::NOSPC, Errno::DQUOT, Errno::FBIG] {
            assert!(matches!(of(errno), WriteError::NoSpace(_)), "{errno}");
        }
        for errno in [Errno::ACCESS, Errno::PERM, Errno::ROFS] {
            assert!(matches!(of(errno), WriteError::Denied(_)), "{errno}");
        }
        assert!(matches!(of(Errno::IO), WriteError::Failed(_)));
    }
}
