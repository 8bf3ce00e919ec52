//! Which files of a station's directory are in a backup, and their hashes.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::error::BackupError;
use super::manifest::is_plain;

/// What is not copied as it lies there, by its path in the directory.
///
/// The log is copied by SQLite. Its signing key stays: whoever has a backup must not be able to write another past, and a
/// restored station has a new one. Personal names stay, so that what is erased here is not kept elsewhere.
fn stays(path: &str) -> bool {
    const OF_THE_LOG: [&str; 7] =
        ["audit.db", "audit.db-wal", "audit.db-shm", "head.note", "head.tail", "log.vkey", "ballast"];
    const FOLDERS: [&str; 4] = ["after", "exports", "training", super::make::PART];
    let name = path.rsplit('/').next().unwrap_or_default();
    let first = path.split('/').next().unwrap_or_default();
    OF_THE_LOG.contains(&path)
        || FOLDERS.contains(&first)
        || name == "station.key"
        || first.starts_with("names.db")
        || [".lock", ".tmp", ".new", ".part"].iter().any(|end| name.ends_with(end))
}

/// The files that a backup has of `directory`, but for those of the log: path in it, and SHA-256. In the order of the paths.
pub(super) fn hashed(directory: &Path) -> Result<Vec<(String, [u8; 32])>, BackupError> {
    let mut paths = Vec::new();
    collect(directory, "", &mut paths)?;
    paths.sort();
    let hash = |path: String| {
        let file = directory.join(&path);
        Ok((path, sha256(&file).map_err(unread(&file))?))
    };
    paths.into_iter().map(hash).collect()
}

fn collect(directory: &Path, below: &str, paths: &mut Vec<String>) -> Result<(), BackupError> {
    let folder = directory.join(below);
    for entry in fs::read_dir(&folder).map_err(unread(&folder))? {
        let path = entry.map_err(unread(&folder))?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        let name = name.filter(|name| is_plain(name)).ok_or_else(|| BackupError::Name(path.clone()))?;
        let relative = if below.is_empty() { name.to_owned() } else { format!("{below}/{name}") };
        if stays(&relative) {
            continue;
        }
        // A link to a file is followed, as the station does; one that leads nowhere, or out of the station into a folder, is
        // said. Pipes and sockets are nobody's data.
        let link = fs::symlink_metadata(&path).map_err(unread(&path))?.is_symlink();
        let found = fs::metadata(&path).map_err(unread(&path))?;
        if found.is_dir() && link {
            return Err(unread(&path)(io::Error::other("it is a link to a folder")));
        } else if found.is_dir() {
            collect(directory, &relative, paths)?;
        } else if found.is_file() {
            paths.push(relative);
        }
    }
    Ok(())
}

pub(super) fn sha256(path: &Path) -> io::Result<[u8; 32]> {
    let mut hashing = Hashing { inner: File::open(path)?, hash: Sha256::new() };
    io::copy(&mut hashing, &mut io::sink())?;
    Ok(hashing.hash.finalize().into())
}

/// Hashes what passes through it.
pub(super) struct Hashing<T> {
    pub(super) inner: T,
    pub(super) hash: Sha256,
}

impl<T: io::Read> io::Read for Hashing<T> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.hash.update(&buffer[..read]);
        Ok(read)
    }
}

/// A folder for its owner only, that goes unless it is [kept](Folder::keep).
pub(super) struct Folder(Option<PathBuf>);

impl Folder {
    /// Makes one that is not there yet.
    pub(super) fn make(path: &Path) -> io::Result<Self> {
        DirBuilder::new().mode(0o700).create(path)?;
        Ok(Self(Some(path.to_owned())))
    }

    pub(super) fn path(&self) -> &Path {
        self.0.as_deref().expect("it is there until it is kept, which takes it")
    }

    pub(super) fn keep(mut self) -> PathBuf {
        self.0.take().expect("it is kept once")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Some(path) = &self.0
            && let Err(error) = fs::remove_dir_all(path)
        {
            tracing::warn!(%error, "a folder was left behind");
        }
    }
}

pub(super) fn unread(path: &Path) -> impl FnOnce(io::Error) -> BackupError {
    let path = PathBuf::from(path);
    move |cause| BackupError::Unread { path, cause }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn keys_of_logs_names_and_what_can_be_made_again_stay() {
        let directory = tempfile::tempdir().unwrap();
        let put = |path: &str| {
            let path = directory.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x").unwrap();
        };
        let taken = [
            "epochs/1/audit.db",
            "epochs/1/log.vkey",
            "people.json",
            "pepper.key",
            "profiles/a.toml",
            "station.toml",
        ];
        taken.into_iter().for_each(put);
        for path in [
            "station.key",
            "epochs/1/station.key",
            "audit.db",
            "audit.db-wal",
            "audit.lock",
            "head.note",
            "names.db",
            "names.db-journal",
            "exports/a.tlog-proof",
            "after/outbox",
            "training/station.toml",
            "vault.age.new",
            "ballast",
        ] {
            put(path);
        }
        let found = hashed(directory.path()).unwrap();
        assert_eq!(found.iter().map(|(path, _)| path.as_str()).collect::<Vec<_>>(), taken);
        assert_eq!(found[0].1, <[u8; 32]>::from(Sha256::digest("x")));
        let link = directory.path().join("keys");
        for place in [directory.path().join("nowhere"), std::env::temp_dir()] {
            symlink(&place, &link).unwrap();
            let refused = hashed(directory.path());
            assert!(
                matches!(&refused, Err(BackupError::Unread { path, .. }) if *path == link),
                "{refused:?}"
            );
            fs::remove_file(&link).unwrap();
        }
        put("a\nb");
        assert!(matches!(hashed(directory.path()), Err(BackupError::Name(_))));
    }
}
