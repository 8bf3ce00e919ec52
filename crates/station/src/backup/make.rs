//! Making a backup, beside a program that works at the station or without one.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use keystation_audit::{Clock, OpenError, Reader};
use keystation_core::record::{Backup, BackupEvent, Event, Seq};
use keystation_vault::{Passphrase, Sealing, WorkFactor};
use sha2::{Digest, Sha256};

use super::error::BackupError;
use super::files::{Folder, Hashing, hashed, sha256, unread};
use super::manifest::Manifest;
use crate::after::OUTBOX_POSITION;
use crate::data_dir::DataDir;
use crate::error::StationError;
use crate::people::{Action, Permit};
use crate::report::{NewFile, OutError};
use crate::station::{Station, clock, paths};

/// Where the log is copied to on the way, in the station's directory: it is as private as the log, and has as much room.
pub(super) const PART: &str = "backup.part";

/// How often files are looked at that change meanwhile.
const ATTEMPTS: u32 = 5;

/// A backup that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackedUp {
    /// What is in it.
    pub manifest: Manifest,
    /// The record of it; `None`: it was not recorded.
    pub record: Option<Seq>,
}

impl Station {
    /// Makes a backup, sealed under `passphrase`, in a file that is not there yet. It is in the log before the file has its name;
    /// the backup is of the moment before. Permit: [`Action::Backup`].
    pub fn back_up(
        &self,
        permit: &Permit,
        passphrase: &Passphrase,
        file: &Path,
    ) -> Result<BackedUp, StationError> {
        self.honour(permit, Action::Backup)?;
        let (sealed, manifest) = fill(self.data(), passphrase, self.all_custodies().work(), file)?;
        let backup = backup_of(&manifest);
        let record = self.append_by(permit, Event::Backup(BackupEvent::Made(backup)))?;
        sealed.keep()?;
        Ok(BackedUp { manifest, record: Some(record) })
    }
}

/// The same beside a program that works at the station. Only reads its files, so nobody is asked, and it is not recorded.
pub fn back_up_unrecorded(
    data: &DataDir,
    passphrase: &Passphrase,
    file: &Path,
) -> Result<BackedUp, StationError> {
    let (sealed, manifest) = fill(data, passphrase, WorkFactor::STATION, file)?;
    sealed.keep()?;
    Ok(BackedUp { manifest, record: None })
}

pub(super) fn backup_of(manifest: &Manifest) -> Backup {
    Backup { manifest: manifest.digest(), size: manifest.size, root: manifest.root }
}

/// A file with everything in it, without its name.
fn fill(
    data: &DataDir,
    passphrase: &Passphrase,
    work: WorkFactor,
    file: &Path,
) -> Result<(NewFile, Manifest), StationError> {
    if !data.settings().exists() {
        return Err(StationError::Missing(data.path().to_owned()));
    }
    // Half of it is one log, half of it another.
    let plan = data.path().join("epoch.plan");
    if plan.exists() {
        return Err(OpenError::EpochUnfinished(plan).into());
    }
    let sealed = NewFile::private(file)?;
    let copied = Copied::of(data)?;
    let made = clock()?.now().time().unwrap_or_default();
    let manifest = Manifest::of(&copied.checkpoint, made, copied.files.clone());
    let sealing = Sealing::begin(sealed, passphrase, work)?;
    let disk = |cause| OutError::Disk { path: file.to_owned(), cause };
    let mut archive = tar::Builder::new(sealing);
    let text = manifest.to_string();
    add(&mut archive, "MANIFEST", text.len() as u64, text.as_bytes()).map_err(disk)?;
    for (path, hash) in &copied.files {
        let from = copied.place(path);
        let opened = File::open(&from).map_err(unread(&from))?;
        let length = opened.metadata().map_err(unread(&from))?.len();
        let mut hashing = Hashing { inner: opened, hash: Sha256::new() };
        add(&mut archive, path, length, &mut hashing).map_err(disk)?;
        if <[u8; 32]>::from(hashing.hash.finalize()) != *hash {
            return Err(BackupError::Changing(from).into());
        }
    }
    let sealing = archive.into_inner().map_err(disk)?;
    Ok((sealing.finish().map_err(disk)?, manifest))
}

/// One file, with nothing said of whom it belonged to or when it was written.
fn add(
    archive: &mut tar::Builder<impl Write>,
    path: &str,
    length: u64,
    content: impl io::Read,
) -> io::Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Regular);
    header.set_mode(0o600);
    header.set_size(length);
    archive.append_data(&mut header, path, content)
}

/// The log of one moment, and the files beside it that belong to that moment.
struct Copied {
    data: PathBuf,
    log: Folder,
    checkpoint: keystation_audit::Checkpoint,
    files: Vec<(String, [u8; 32])>,
}

impl Copied {
    /// The log says which PIN and which key counts, and files beside it hold them: so these are looked at before and after it is
    /// copied, and are the same.
    fn of(data: &DataDir) -> Result<Self, StationError> {
        let log = data.path().join(PART);
        let made = |cause| StationError::Disk { path: log.clone(), cause };
        // One that a killed program left.
        if log.exists() {
            fs::remove_dir_all(&log).map_err(made)?;
        }
        let reader = Reader::open(&paths(data))?;
        let mut before = hashed(data.path())?;
        for _ in 0..ATTEMPTS {
            let log = Folder::make(&log).map_err(made)?;
            // Before the log: then it is not ahead of the copy, and what is not known of it is delivered again.
            let position = data.path().join(OUTBOX_POSITION);
            let outbox = match fs::read(&position) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => None,
                read => Some(read.map_err(unread(&position))?),
            };
            let checkpoint = reader.copy_into(log.path())?;
            let after = hashed(data.path())?;
            if before == after {
                let mut files = after;
                let mut of_log = vec!["audit.db", "head.note", "log.vkey"];
                if let Some(outbox) = outbox {
                    let copy = log.path().join(OUTBOX_POSITION);
                    let folder = copy.parent().unwrap_or(log.path());
                    fs::create_dir(folder).and_then(|()| fs::write(&copy, outbox)).map_err(made)?;
                    of_log.push(OUTBOX_POSITION);
                }
                for name in of_log {
                    let copy = log.path().join(name);
                    files.push((name.to_owned(), sha256(&copy).map_err(unread(&copy))?));
                }
                files.sort();
                return Ok(Self { data: data.path().to_owned(), log, checkpoint, files });
            }
            before = after;
        }
        Err(BackupError::Changing(data.path().to_owned()).into())
    }

    /// Where a file of it lies.
    fn place(&self, path: &str) -> PathBuf {
        let of_log = self.log.path().join(path);
        if of_log.exists() { of_log } else { self.data.join(path) }
    }
}
