//! The files of a log, and how they get onto the disk for good.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use zeroize::Zeroizing;

use crate::tail;

/// Where the parts of a log are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    /// The SQLite database.
    pub db: PathBuf,
    /// The signed checkpoint of the last moment at which the log was at rest; what came since is in a file beside it,
    /// `head.tail`. Best on another medium than the database: whoever brings back an old copy of one has then to bring
    /// back the other too.
    pub head: PathBuf,
    /// The signing key, secret, mode 0600.
    pub key: PathBuf,
    /// The verifier key, for whoever checks the log.
    pub vkey: PathBuf,
    /// Locked by the one program that writes.
    pub lock: PathBuf,
    /// Room that is given up for the last records, beside the database.
    pub ballast: PathBuf,
}

impl Paths {
    /// All of them in one directory, under their usual names.
    #[must_use]
    pub fn in_dir(data: &Path) -> Self {
        Self {
            db: data.join("audit.db"),
            head: data.join("head.note"),
            key: data.join("station.key"),
            vkey: data.join("log.vkey"),
            lock: data.join("audit.lock"),
            ballast: data.join("ballast"),
        }
    }

    /// Those that hold something, in the order in which a new log makes them.
    pub(crate) fn all(&self) -> [PathBuf; 5] {
        let tail = tail::path(&self.head);
        [self.key.clone(), self.vkey.clone(), self.db.clone(), tail, self.head.clone()]
    }
}

/// What a file was for, which one, and what the system said.
#[derive(Debug, thiserror::Error)]
#[error("cannot {doing} {}", path.display())]
pub struct FileError {
    doing: &'static str,
    path: PathBuf,
    source: io::Error,
}

impl FileError {
    pub(crate) fn new(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self { doing, path: path.to_owned(), source }
    }
}

impl FileError {
    /// The file was read, and is no UTF-8.
    pub(crate) fn is_no_text(&self) -> bool {
        self.source.kind() == io::ErrorKind::InvalidData
    }
}

/// The right to write, held until it is dropped or the process ends.
#[derive(Debug)]
pub(crate) struct Lock {
    file: File,
}

impl Lock {
    /// `None`: another program holds it.
    pub(crate) fn take(path: &Path) -> Result<Option<Self>, FileError> {
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).write(true).mode(0o600);
        let file = options.open(path).map_err(FileError::new("open", path))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(Self { file })),
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
            Err(e) => Err(FileError::new("lock", path)(e.into())),
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing alone would not do: a child that is between fork and exec has a copy of the descriptor, and the lock lives until
        // that is closed too. Unlocking what we locked cannot fail.
        let _ = flock(&self.file, FlockOperation::Unlock);
    }
}

/// Puts `text` in the place of what `path` holds, so that a crash at any moment leaves the old text or the new one, and
/// that it is the new one once this has returned.
pub(crate) fn replace(path: &Path, text: &str) -> Result<(), FileError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".tmp");
    let temporary = PathBuf::from(name);
    let write = || {
        let mut file = File::create(&temporary)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    };
    write().map_err(FileError::new("write", &temporary))?;
    std::fs::rename(&temporary, path).map_err(FileError::new("replace", path))?;
    sync_directory(path)
}

/// Makes a file that must not be there yet.
pub(crate) fn create(path: &Path, text: &str, mode: u32) -> Result<(), FileError> {
    let write = || {
        let mut file = OpenOptions::new().create_new(true).write(true).mode(mode).open(path)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    };
    write().map_err(FileError::new("create", path))?;
    sync_directory(path)
}

/// The directory entry of `path` is on the disk too.
pub(crate) fn sync_directory(path: &Path) -> Result<(), FileError> {
    let directory = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    File::open(directory).and_then(|d| d.sync_all()).map_err(FileError::new("sync", directory))
}

/// A text file of at most 16 KiB; `None` where there is none.
pub(crate) fn read(path: &Path) -> Result<Option<Zeroizing<String>>, FileError> {
    let read = || {
        // Read in one piece into a buffer that does not grow: growing would leave copies of a key behind.
        let mut text = Zeroizing::new(String::with_capacity(16 * 1024 + 1));
        File::open(path)?.take(16 * 1024).read_to_string(&mut text)?;
        Ok(text)
    };
    match read() {
        Ok(text) => Ok(Some(text)),
        Err(e) if io::Error::kind(&e) == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(FileError::new("read", path)(e)),
    }
}

/// Whether somebody beside the owner may read or write the file.
pub(crate) fn is_open_to_others(path: &Path) -> Result<bool, FileError> {
    let metadata = std::fs::metadata(path).map_err(FileError::new("read", path))?;
    Ok(metadata.permissions().mode() & 0o077 != 0)
}
