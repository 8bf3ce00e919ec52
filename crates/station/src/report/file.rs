//! A file that is there whole or not at all, and never in the place of another.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

/// A file that is being written under a name of its own, and goes unless it is [kept](NewFile::keep).
#[derive(Debug)]
pub struct NewFile {
    path: PathBuf,
    /// `path` with `.part` behind it, until it is kept.
    part: Option<PathBuf>,
    file: BufWriter<File>,
}

/// A file that was not written.
#[derive(Debug, thiserror::Error)]
pub enum OutError {
    /// There is one of this name.
    #[error("{} is there already; it is left as it is", .0.display())]
    Exists(PathBuf),
    /// The disk does not do what it should.
    #[error("{} cannot be written", path.display())]
    Disk {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
}

impl NewFile {
    /// Begins a file that is not there yet.
    pub fn create(path: &Path) -> Result<Self, OutError> {
        // A dangling link is something, too.
        if path.symlink_metadata().is_ok() {
            return Err(OutError::Exists(path.to_owned()));
        }
        let mut name = path.as_os_str().to_owned();
        name.push(".part");
        let part = PathBuf::from(name);
        let file = File::create_new(&part).map_err(|cause| match cause.kind() {
            io::ErrorKind::AlreadyExists => OutError::Exists(part.clone()),
            _ => OutError::Disk { path: part.clone(), cause },
        })?;
        Ok(Self { path: path.to_owned(), part: Some(part), file: BufWriter::new(file) })
    }

    /// The same for what its owner alone may read.
    pub(crate) fn private(path: &Path) -> Result<Self, OutError> {
        let file = Self::create(path)?;
        let private = fs::Permissions::from_mode(0o600);
        let closed = file.file.get_ref().set_permissions(private);
        closed.map_err(|cause| OutError::Disk { path: path.to_owned(), cause })?;
        Ok(file)
    }

    /// The name that it will have.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Flushes the file to the disk and gives it its name.
    pub fn keep(mut self) -> Result<(), OutError> {
        let disk = |cause| OutError::Disk { path: self.path.clone(), cause };
        self.file.flush().and_then(|()| self.file.get_ref().sync_all()).map_err(disk)?;
        let Some(part) = self.part.take() else { return Ok(()) };
        match rename_new(&part, &self.path) {
            Ok(()) => {
                let directory = self.path.parent().filter(|parent| *parent != Path::new(""));
                let directory = File::open(directory.unwrap_or(Path::new(".")));
                directory.and_then(|directory| directory.sync_all()).map_err(disk)
            }
            Err(cause) => {
                let error = if cause.kind() == io::ErrorKind::AlreadyExists {
                    OutError::Exists(self.path.clone())
                } else {
                    disk(cause)
                };
                self.part = Some(part);
                Err(error)
            }
        }
    }
}

/// Renames without replacing. Where a file system cannot (some over a network), a look before has to do.
pub(crate) fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Err(Errno::INVAL | Errno::NOSYS) if to.symlink_metadata().is_err() => fs::rename(from, to),
        renamed => Ok(renamed?),
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if let Some(part) = &self.part
            && let Err(error) = fs::remove_file(part)
        {
            tracing::warn!(%error, "a part of a file was left behind");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(directory: &Path) -> Vec<String> {
        let files = fs::read_dir(directory).unwrap();
        files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn a_file_is_there_whole_or_not_at_all() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("list.csv");
        let mut file = NewFile::create(&path).unwrap();
        file.write_all(b"half").unwrap();
        assert!(!path.exists());
        drop(file);
        assert_eq!(names(directory.path()), Vec::<String>::new());

        let mut file = NewFile::create(&path).unwrap();
        file.write_all(b"whole").unwrap();
        file.keep().unwrap();
        assert_eq!(names(directory.path()), ["list.csv"]);
        assert_eq!(fs::read(&path).unwrap(), b"whole");
    }

    #[test]
    fn nothing_is_ever_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("list.csv");
        fs::write(&path, "old").unwrap();
        assert!(matches!(NewFile::create(&path), Err(OutError::Exists(_))));
        fs::remove_file(&path).unwrap();

        // Somebody else is quicker between the look and the end.
        let mut file = NewFile::create(&path).unwrap();
        file.write_all(b"new").unwrap();
        fs::write(&path, "old").unwrap();
        assert!(matches!(file.keep(), Err(OutError::Exists(_))));
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(names(directory.path()), ["list.csv"], "no part is left behind");

        fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink("nowhere", &path).unwrap();
        assert!(matches!(NewFile::create(&path), Err(OutError::Exists(_))));
    }
}
