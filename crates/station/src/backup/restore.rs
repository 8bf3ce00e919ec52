//! A station out of a backup: a new log that follows the one in it, begun by two administrators of that station.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use keystation_audit::{Clock, EpochError, EpochOrder, Origin, UNPROVEN, begin_epoch};
use keystation_core::record::{Actor, BackupEvent, Entry, Event, Seq};
use keystation_vault::{Passphrase, UnlockError, unseal};
use sha2::{Digest, Sha256};

use super::error::BackupError;
use super::files::{Folder, Hashing};
use super::make::backup_of;
use super::manifest::{Manifest, is_plain};
use crate::data_dir::DataDir;
use crate::error::StationError;
use crate::people::{Pin, PinCost, Unopened};
use crate::random;
use crate::station::{Station, clock};

/// Bytes of a manifest at most: some hundred thousand files.
const MANIFEST_LIMIT: u64 = 32 << 20;

const CUT_OFF: &str = "it is cut off";

/// A backup that was opened, is whole, and whose administrators asked for it: its files lie beside the place of the station until they
/// become one, and go if they do not.
pub struct Unpacked {
    folder: Folder,
    manifest: Manifest,
    target: PathBuf,
    order: EpochOrder,
    cost: PinCost,
}

/// One of the two who decide it.
pub struct Administrator<'a> {
    /// Operator ID.
    pub user: &'a str,
    /// The PIN, as at the station that was copied.
    pub pin: &'a Pin,
}

/// A station that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// Name of the new log.
    pub origin: Origin,
    /// The record that says of which backup it was made.
    pub record: Seq,
    /// Whether the two proved who they are. They cannot where the backup has no account.
    pub proven: bool,
}

impl Unpacked {
    /// Opens a backup for a station in `data`, which must be empty or not there. Any changed, missing or added bit refuses it.
    ///
    /// Both people prove by their PINs that they are administrators of the station that was copied: against what is in the backup, so it is
    /// unpacked for that, where its owner alone can read it. Where they do not prove it nothing of it is left when this returns.
    pub fn open(
        file: &Path,
        passphrase: &Passphrase,
        data: &DataDir,
        two: [Administrator<'_>; 2],
    ) -> Result<Self, StationError> {
        Self::open_under(file, passphrase, data, two, clock()?, PinCost::STATION)
    }

    /// The same under another clock and with another cost of PINs than the usual ones. For tests.
    pub fn open_under(
        file: &Path,
        passphrase: &Passphrase,
        data: &DataDir,
        [first, second]: [Administrator<'_>; 2],
        clock: impl Clock,
        cost: PinCost,
    ) -> Result<Self, StationError> {
        if first.user == second.user {
            return Err(EpochError::OnePerson.into());
        }
        // Without the slash that may stand behind it.
        let target: PathBuf = data.path().components().collect();
        if fs::read_dir(&target).is_ok_and(|mut entries| entries.next().is_some()) || target.is_file() {
            return Err(BackupError::Occupied(target).into());
        }
        let disk = |path: &Path| {
            let path = path.to_owned();
            move |cause| StationError::Disk { path, cause }
        };
        let unreadable = |cause| StationError::Unreadable { path: file.to_owned(), cause };
        let sealed = File::open(file).map_err(unreadable)?;
        // Whoever does not know the passphrase writes nothing.
        let plain = unseal(sealed, passphrase).map_err(refused)?;
        let mut name = target.clone().into_os_string();
        name.push(".restoring");
        let beside = PathBuf::from(name);
        if let Some(parent) = beside.parent() {
            DirBuilder::new().recursive(true).mode(0o700).create(parent).map_err(disk(parent))?;
        }
        let folder = Folder::make(&beside).map_err(|cause| match cause.kind() {
            io::ErrorKind::AlreadyExists => BackupError::LeftOver(beside.clone()).into(),
            _ => disk(&beside)(cause),
        })?;
        let manifest = unpack(plain, folder.path())?;
        let role = match Unopened::read_under(&DataDir::new(folder.path().to_owned()), clock, cost)? {
            None => UNPROVEN.to_owned(),
            Some(people) => {
                let roles = people.administrator(first.user, first.pin)?;
                people.administrator(second.user, second.pin)?;
                if people.is_vouched() { roles.to_string() } else { UNPROVEN.to_owned() }
            }
        };
        let (operator, approver) = (first.user.to_owned(), second.user.to_owned());
        let order = EpochOrder { operator, role, approver, reason: String::new() };
        Ok(Self { folder, manifest, target, order, cost })
    }

    /// What is in it.
    #[must_use]
    pub const fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Makes the station: a new log follows the one of the backup, which stays as it was, and the new one says of what it was made.
    pub fn restore(self, reason: &str) -> Result<Restored, StationError> {
        self.restore_under(reason, clock()?)
    }

    /// The same under another clock than the usual one. For tests.
    pub fn restore_under(
        mut self,
        reason: &str,
        clock: impl Clock + Clone + Sync,
    ) -> Result<Restored, StationError> {
        reason.clone_into(&mut self.order.reason);
        let data = DataDir::new(self.folder.path().to_owned());
        let origin = begin_epoch(data.path(), &self.order, clock.clone())?;
        let station = Station::open_under(&data, "keystation", clock, self.cost)?;
        let EpochOrder { operator, role, approver, reason } = self.order.clone();
        let restored = BackupEvent::Restored {
            backup: backup_of(&self.manifest),
            made: self.manifest.made.clone(),
            reason,
            approver,
        };
        let proven = role != UNPROVEN;
        let actor = Actor { session: random::session()?, operator, role };
        let record = station.journal().append(&Entry { actor, event: Event::Backup(restored) })?;
        station.close()?;
        self.take_place()?;
        Ok(Restored { origin, record, proven })
    }

    /// The station has its name when everything of it is on the disk.
    fn take_place(self) -> Result<(), StationError> {
        let target = self.target;
        let disk = |cause| StationError::Disk { path: target.clone(), cause };
        let flushed = File::open(self.folder.path()).and_then(|folder| Ok(rustix::fs::syncfs(folder)?));
        flushed.map_err(disk)?;
        // It is empty, or not there; whoever put something there meanwhile keeps it.
        match fs::remove_dir(&target) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(BackupError::Occupied(target).into());
            }
            _ => {}
        }
        crate::report::rename_new(self.folder.path(), &target).map_err(disk)?;
        self.folder.keep();
        let parent = target.parent().filter(|parent| *parent != Path::new(""));
        let parent = File::open(parent.unwrap_or(Path::new(".")));
        parent.and_then(|parent| parent.sync_all()).map_err(disk)
    }
}

/// Writes the files of a backup into `folder` and holds each against the manifest.
fn unpack(mut plain: impl Read, folder: &Path) -> Result<Manifest, StationError> {
    let mut archive = tar::Archive::new(&mut plain);
    let mut entries = archive.entries().map_err(broken)?;
    let damaged = |what| StationError::from(BackupError::Damaged(what));
    let mut first = entries.next().ok_or_else(|| damaged("it is empty"))?.map_err(broken)?;
    let mut text = String::new();
    if &*first.path_bytes() != b"MANIFEST" {
        return Err(damaged("its first file is no manifest"));
    }
    first.by_ref().take(MANIFEST_LIMIT).read_to_string(&mut text).map_err(broken)?;
    let manifest = Manifest::parse(&text)?;
    let mut due: BTreeMap<&str, &[u8; 32]> =
        manifest.files.iter().map(|(path, hash)| (path.as_str(), hash)).collect();
    for entry in entries {
        let entry = entry.map_err(broken)?;
        let path = String::from_utf8(entry.path_bytes().into_owned());
        let path = path.map_err(|_| damaged("a name in it is no text"))?;
        if !entry.header().entry_type().is_file() {
            return Err(damaged("something in it is no file"));
        }
        let expected = due.remove(path.as_str()).filter(|_| is_plain(&path));
        let expected =
            expected.ok_or_else(|| damaged("a file in it is not in its manifest, or stands twice"))?;
        let hash = write(entry, &folder.join(&path))?;
        if hash != *expected {
            return Err(damaged("a file in it is not the one of its manifest"));
        }
    }
    if !due.is_empty() {
        return Err(damaged("a file of its manifest is missing"));
    }
    // To the end of the seal: what was cut off behind the last file is seen there.
    io::copy(&mut plain, &mut io::sink()).map_err(broken)?;
    Ok(manifest)
}

/// Writes one file, for its owner only. What is read comes from the seal: only its errors mean that the backup is damaged.
fn write(content: impl Read, path: &Path) -> Result<[u8; 32], StationError> {
    let disk = |cause| StationError::Disk { path: path.to_owned(), cause };
    if let Some(parent) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(parent).map_err(disk)?;
    }
    let mut options = OpenOptions::new();
    let mut file = options.create_new(true).write(true).mode(0o600).open(path).map_err(disk)?;
    let mut hashing = Hashing { inner: content, hash: Sha256::new() };
    let mut buffer = vec![0; 1 << 16];
    loop {
        match hashing.read(&mut buffer).map_err(broken)? {
            0 => return Ok(hashing.hash.finalize().into()),
            read => io::Write::write_all(&mut file, &buffer[..read]).map_err(disk)?,
        }
    }
}

/// What is wrong with the seal, before anything was read under it.
fn refused(error: UnlockError) -> BackupError {
    match error {
        UnlockError::WrongPassphrase => BackupError::Passphrase,
        UnlockError::Truncated => BackupError::Damaged(CUT_OFF),
        _ => BackupError::Damaged("it is sealed in no way that a backup is"),
    }
}

/// The seal says so, or the archive in it.
fn broken(error: io::Error) -> StationError {
    let what = match error.kind() {
        io::ErrorKind::UnexpectedEof => CUT_OFF,
        _ => "its content does not match its seal",
    };
    BackupError::Damaged(what).into()
}
