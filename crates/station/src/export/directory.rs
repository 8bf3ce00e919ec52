//! A directory that is there whole or not at all, and never in the place of another.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use rustix::fs::syncfs;

use crate::report::{OutError, rename_new};

/// A directory that is being filled under a name of its own, and goes unless it is [kept](NewDirectory::keep).
#[derive(Debug)]
pub(crate) struct NewDirectory {
    path: PathBuf,
    /// `path` with `.part` behind it, until it is kept.
    part: Option<PathBuf>,
}

impl NewDirectory {
    /// Begins a directory that is not there yet.
    pub(crate) fn create(path: &Path) -> Result<Self, OutError> {
        // Without the slash that may stand behind it.
        let path: PathBuf = path.components().collect();
        // A dangling link is something, too.
        if path.symlink_metadata().is_ok() {
            return Err(OutError::Exists(path));
        }
        let mut name = path.clone().into_os_string();
        name.push(".part");
        let part = PathBuf::from(name);
        fs::create_dir(&part).map_err(|cause| match cause.kind() {
            io::ErrorKind::AlreadyExists => OutError::Exists(part.clone()),
            _ => OutError::Disk { path: part.clone(), cause },
        })?;
        Ok(Self { path, part: Some(part) })
    }

    /// Writes a file of it. `name` is relative and has only `/` and plain names; the directories in it are made.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> Result<(), OutError> {
        let path = self.part.as_deref().unwrap_or(&self.path).join(name);
        let create = || match File::create_new(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                path.parent().map_or(Ok(()), fs::create_dir_all)?;
                File::create_new(&path)
            }
            created => created,
        };
        let written = create().and_then(|mut file| file.write_all(bytes));
        written.map_err(|cause| OutError::Disk { path: path.clone(), cause })
    }

    /// Flushes everything to the disk and gives the directory its name.
    pub(crate) fn keep(mut self) -> Result<(), OutError> {
        let disk = |path: &Path| {
            let path = path.to_owned();
            |cause| OutError::Disk { path, cause }
        };
        let Some(part) = self.part.take() else { return Ok(()) };
        // One call for thousands of files; it reports what could not be written.
        let flushed = File::open(&part).and_then(|directory| Ok(syncfs(directory)?));
        let named = flushed.map_err(disk(&part)).and_then(|()| {
            rename_new(&part, &self.path).map_err(|cause| match cause.kind() {
                io::ErrorKind::AlreadyExists => OutError::Exists(self.path.clone()),
                _ => disk(&self.path)(cause),
            })
        });
        if named.is_err() {
            self.part = Some(part);
        }
        named?;
        let parent = self.path.parent().filter(|parent| *parent != Path::new(""));
        let parent = File::open(parent.unwrap_or(Path::new(".")));
        parent.and_then(|parent| parent.sync_all()).map_err(disk(&self.path))
    }
}

impl Drop for NewDirectory {
    fn drop(&mut self) {
        if let Some(part) = &self.part
            && let Err(error) = fs::remove_dir_all(part)
        {
            tracing::warn!(%error, "a part of a directory was left behind");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn names(directory: &Path) -> Vec<String> {
        let files = fs::read_dir(directory).unwrap();
        files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn a_directory_is_there_whole_or_not_at_all() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("bundle/");
        let made = NewDirectory::create(&path).unwrap();
        made.write("tile/0/x001/234", b"half").unwrap();
        assert!(made.write("tile/0/x001/234", b"again").is_err());
        assert_eq!(names(directory.path()), ["bundle.part"]);
        assert!(
            matches!(NewDirectory::create(&path), Err(OutError::Exists(part)) if part.ends_with("bundle.part"))
        );
        drop(made);
        assert_eq!(names(directory.path()), Vec::<String>::new());

        let made = NewDirectory::create(&path).unwrap();
        made.write("tile/0/x001/234", b"whole").unwrap();
        made.keep().unwrap();
        assert_eq!(names(directory.path()), ["bundle"]);
        assert_eq!(fs::read(path.join("tile/0/x001/234")).unwrap(), b"whole");
    }

    #[test]
    fn nothing_is_ever_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("bundle");
        fs::create_dir(&path).unwrap();
        assert!(matches!(NewDirectory::create(&path), Err(OutError::Exists(_))));
        fs::remove_dir(&path).unwrap();

        // Somebody else is quicker between the look and the end, with a directory or a link.
        for quicker in [|path: &Path| fs::create_dir(path), |path: &Path| symlink("nowhere", path)] {
            let made = NewDirectory::create(&path).unwrap();
            made.write("checkpoint", b"new").unwrap();
            quicker(&path).unwrap();
            assert!(matches!(made.keep(), Err(OutError::Exists(_))));
            assert_eq!(names(directory.path()), ["bundle"], "no part is left behind");
            assert!(matches!(NewDirectory::create(&path), Err(OutError::Exists(_))));
            fs::remove_dir(&path).or_else(|_| fs::remove_file(&path)).unwrap();
        }
    }
}
