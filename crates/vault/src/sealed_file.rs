//! Group keys at rest: an age v1 file under a passphrase (<https://c2sp.org/age>).

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::iter;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use age::{DecryptError, Decryptor, Encryptor, scrypt};
use keystation_core::key::{EnrollmentGroup, GroupKeyInfo, IdScope, KeyLabel, KeySlot};
use rustix::fs::OFlags;

use crate::custody::{Custody, CustodyKind};
use crate::document::{self, DocumentError};
use crate::error::{CreateError, DestroyError, ImportError, UnlockError, WriteError};
use crate::group_key::{GroupKey, NoKey, check_value};
use crate::midstate::Midstates;
use crate::os::{Locked, bleach};
use crate::permissions::check;
use crate::replace::Writer;
use crate::secret::{Passphrase, SecretText};
use crate::unlocked::UnlockedVault;

/// What age adds to the plaintext: header, nonce and tag take some 200 bytes.
const OVERHEAD: usize = 1024;

/// log2 of scrypt's cost N; its memory is N KiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkFactor(u8);

impl WorkFactor {
    /// What every station uses: 2^17 blocks, 128 MiB, about a second. Fixed, because age's own choice depends on how
    /// busy the machine is that seals the file.
    pub const STATION: Self = Self(17);
    /// For tests, which open vaults by the hundred.
    pub const TEST: Self = Self(4);
    /// log2 of the most that a file may ask for when it is opened: 1 GiB, some ten seconds.
    pub const MOST: u8 = 20;

    pub(crate) const fn log2(self) -> u8 {
        self.0
    }
}

/// What is said of a key when it is imported; its check value and length come from the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewKey {
    /// The station's own name for it; unique in the vault.
    pub label: KeyLabel,
    /// The enrollment group whose key it is.
    pub group: EnrollmentGroup,
    /// The DPS instance of that group.
    pub scope: IdScope,
    /// Primary or secondary.
    pub slot: KeySlot,
}

/// What a person answered to "this key has 32 bytes: is it a derived device key?".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DerivedKeyAnswer {
    /// Nobody was asked yet. A key of 32 bytes is then refused with [`ImportError::MayBeDerivedKey`].
    NotAsked,
    /// It is the key of an enrollment group.
    GroupKey,
    /// It is the key of a device.
    DeviceKey,
}

/// The file in which a station keeps its group keys.
#[derive(Debug, Clone)]
pub struct SealedFile {
    path: PathBuf,
    work: WorkFactor,
}

impl SealedFile {
    /// The file at `path`; nothing is read yet.
    #[must_use]
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), work: WorkFactor::STATION }
    }

    /// Seals with another cost. Opening takes the cost from the file.
    #[must_use]
    pub fn with_work_factor(self, work: WorkFactor) -> Self {
        Self { work, ..self }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes a vault without keys: mode 0600, durable when this returns. Takes two scrypt runs, about two seconds.
    pub fn create(&self, passphrase: &Passphrase) -> Result<(), CreateError> {
        passphrase.check_length()?;
        let writer = Writer::new(&self.path)?;
        match fs::symlink_metadata(writer.target()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(WriteError::of(error).into()),
            Ok(_) => return Err(CreateError::Exists),
        }
        let made = self.put(&writer, passphrase, iter::empty());
        bleach();
        Ok(made?)
    }

    /// Opens the vault and keeps what deriving needs. Takes one scrypt run, about a second.
    pub fn unlock(&self, passphrase: &Passphrase) -> Result<UnlockedVault, UnlockError> {
        let unlocked = Plaintext::open(&self.path, passphrase).and_then(|plaintext| plaintext.custody());
        bleach();
        unlocked
    }

    /// Adds a group key, given as canonical Base64 of 16 to 64 bytes. The new file is opened again before it takes
    /// the place of the old one: three scrypt runs. An import that is interrupted leaves the old file.
    pub fn import(
        &self,
        passphrase: &Passphrase,
        new: NewKey,
        key: &SecretText,
        answer: DerivedKeyAnswer,
    ) -> Result<GroupKeyInfo, ImportError> {
        let imported = GroupKey::judged(key, answer).and_then(|key| self.add(passphrase, new, key));
        bleach();
        imported
    }

    #[inline(never)] // its frame has to end before `bleach` begins
    fn add(
        &self,
        passphrase: &Passphrase,
        new: NewKey,
        mut group_key: GroupKey,
    ) -> Result<GroupKeyInfo, ImportError> {
        let length = group_key.length();
        let mut midstates = Locked::new(1).map_err(WriteError::Memory)?;
        group_key.hash_into(&mut midstates[0]);
        let NewKey { label, group, scope, slot } = new;
        let info =
            GroupKeyInfo { label, group, scope, slot, check_value: check_value(&midstates[0]), length };

        let writer = Writer::new(&self.path)?;
        let old = Plaintext::open(writer.target(), passphrase)?;
        let held = old.custody()?;
        if held.keys().iter().any(|other| other.label == info.label) {
            return Err(ImportError::LabelTaken(info.label));
        }
        if let Some(other) = held.keys().iter().find(|other| other.check_value == info.check_value) {
            return Err(ImportError::SameKey(other.label.clone()));
        }
        if held.keys().len() == document::KEYS {
            return Err(ImportError::Full);
        }
        let texts = old.entries().map_err(UnlockError::from)?;
        let all = held.keys().iter().zip(texts.iter().map(|entry| entry.key));
        self.put(&writer, passphrase, all.chain(iter::once((&info, group_key.text()))))?;
        Ok(info)
    }

    #[inline(never)] // its frame has to end before `bleach` begins
    fn remove(&self, passphrase: &Passphrase, label: &KeyLabel) -> Result<(), DestroyError> {
        let writer = Writer::new(&self.path)?;
        let old = Plaintext::open(writer.target(), passphrase)?;
        let held = old.custody()?;
        if !held.keys().iter().any(|key| key.label == *label) {
            return Err(DestroyError::NoKey(label.clone()));
        }
        let texts = old.entries().map_err(UnlockError::from)?;
        let all = held.keys().iter().zip(texts.iter().map(|entry| entry.key));
        // What is on the disk is opened and compared before it takes the place of the old file.
        self.put(&writer, passphrase, all.filter(|(key, _)| key.label != *label))?;
        Ok(())
    }

    /// Seals these keys and replaces the file.
    fn put<'a>(
        &self,
        writer: &Writer,
        passphrase: &Passphrase,
        keys: impl Iterator<Item = (&'a GroupKeyInfo, &'a str)>,
    ) -> Result<(), WriteError> {
        let mut text = Locked::new(document::LIMIT).map_err(WriteError::Memory)?;
        let length = document::write(keys, &mut text);
        let sealed = seal(&text[..length], passphrase, self.work).map_err(WriteError::Failed)?;
        writer.replace(&sealed, |new| {
            let again = Plaintext::open(new, passphrase).map_err(WriteError::NotReadBack)?;
            again.custody().map_err(WriteError::NotReadBack)?;
            if again.text() == &text[..length] {
                Ok(())
            } else {
                Err(WriteError::NotReadBack(UnlockError::Damaged))
            }
        })
    }
}

impl Custody for SealedFile {
    fn kind(&self) -> CustodyKind {
        CustodyKind::SealedFile
    }

    fn is_there(&self) -> bool {
        self.path.exists()
    }

    fn open(&self, secret: &Passphrase) -> Result<UnlockedVault, UnlockError> {
        self.unlock(secret)
    }

    fn import(&self, secret: &Passphrase, new: NewKey, key: GroupKey) -> Result<GroupKeyInfo, ImportError> {
        if !self.is_there() {
            self.create(secret)?;
        }
        let imported = self.add(secret, new, key);
        bleach();
        imported
    }

    fn destroy(&self, secret: &Passphrase, label: &KeyLabel) -> Result<(), DestroyError> {
        let removed = self.remove(secret, label);
        bleach();
        removed
    }
}

/// Seals `text` under a passphrase.
pub(crate) fn seal(text: &[u8], passphrase: &Passphrase, work: WorkFactor) -> io::Result<Vec<u8>> {
    let mut recipient = scrypt::Recipient::new(passphrase.expose().into());
    recipient.set_work_factor(work.0);
    let encryptor = Encryptor::with_recipients(iter::once(&recipient as &dyn age::Recipient))
        .expect("a passphrase alone is a valid set of recipients");
    let mut sealed = encryptor.wrap_output(Vec::with_capacity(text.len() + OVERHEAD))?;
    sealed.write_all(text)?;
    sealed.finish()
}

/// What is in a file that is sealed under a passphrase, in locked memory.
pub(crate) struct Plaintext {
    memory: Locked<u8>,
    length: usize,
}

impl Plaintext {
    #[inline(never)] // its frame has to end before `bleach` begins
    pub(crate) fn open(path: &Path, passphrase: &Passphrase) -> Result<Self, UnlockError> {
        let sealed = sealed_bytes(path)?;
        let decryptor = Decryptor::new_buffered(&sealed[..]).map_err(refused)?;
        if !decryptor.is_scrypt() {
            return Err(UnlockError::NotByPassphrase);
        }
        let mut identity = scrypt::Identity::new(passphrase.expose().into());
        identity.set_max_work_factor(WorkFactor::MOST);
        let mut reader = decryptor.decrypt(iter::once(&identity as &dyn age::Identity)).map_err(refused)?;
        // The plaintext is shorter than the file, so it ends before the memory does.
        let mut memory = Locked::new(sealed.len()).map_err(UnlockError::Memory)?;
        let mut length = 0;
        loop {
            match reader.read(&mut memory[length..]).map_err(broken)? {
                0 => return Ok(Self { memory, length }),
                read => length += read,
            }
        }
    }

    pub(crate) fn text(&self) -> &[u8] {
        &self.memory[..self.length]
    }

    fn entries(&self) -> Result<Vec<document::Entry<'_>>, DocumentError> {
        document::read(self.text())
    }

    /// Turns every key into its midstates and compares the check values.
    #[inline(never)] // its frame has to end before `bleach` begins
    fn custody(&self) -> Result<UnlockedVault, UnlockError> {
        let entries = self.entries()?;
        let mut midstates: Locked<Midstates> = Locked::new(entries.len()).map_err(UnlockError::Memory)?;
        let mut infos = Vec::with_capacity(entries.len());
        for (entry, midstates) in entries.into_iter().zip(midstates.iter_mut()) {
            let mut key = GroupKey::from_base64(entry.key).map_err(|no| match no {
                NoKey::Refused(reason) => DocumentError::Key { label: entry.label.clone(), reason }.into(),
                NoKey::Memory(cause) => UnlockError::Memory(cause),
            })?;
            let length = key.length();
            key.hash_into(midstates);
            let (expected, found) = (entry.check, check_value(midstates));
            if found != expected {
                return Err(UnlockError::CheckValue { label: entry.label, expected, found });
            }
            let document::Entry { label, group, scope, slot, .. } = entry;
            infos.push(GroupKeyInfo { label, group, scope, slot, check_value: found, length });
        }
        Ok(UnlockedVault::new(infos, midstates))
    }
}

/// The file as it stands on the disk; refuses one that others can reach.
fn sealed_bytes(path: &Path) -> Result<Vec<u8>, UnlockError> {
    let unopened = |cause: io::Error| match cause.kind() {
        io::ErrorKind::NotFound => UnlockError::Absent,
        io::ErrorKind::PermissionDenied => UnlockError::Denied(cause),
        _ => UnlockError::Unreadable(cause),
    };
    let flags = OFlags::NONBLOCK.bits().cast_signed(); // a FIFO would hold the station
    let file = File::options().read(true).custom_flags(flags).open(path).map_err(unopened)?;
    if let Some(exposure) = check(&file).map_err(UnlockError::Unreadable)? {
        return Err(UnlockError::Exposed(exposure));
    }
    let limit = document::LIMIT + OVERHEAD;
    let mut bytes = Vec::with_capacity(limit + 1);
    file.take(limit as u64 + 1).read_to_end(&mut bytes).map_err(UnlockError::Unreadable)?;
    if bytes.len() > limit { Err(UnlockError::TooLarge) } else { Ok(bytes) }
}

/// age reads from memory here: an I/O error is the end of the file or a broken seal.
fn broken(error: io::Error) -> UnlockError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => UnlockError::Truncated,
        _ => UnlockError::Damaged,
    }
}

pub(crate) fn refused(error: DecryptError) -> UnlockError {
    match error {
        DecryptError::DecryptionFailed | DecryptError::KeyDecryptionFailed => UnlockError::WrongPassphrase,
        DecryptError::ExcessiveWork { required, .. } => UnlockError::TooMuchWork { required },
        DecryptError::InvalidMac => UnlockError::Damaged,
        DecryptError::Io(error) => broken(error),
        DecryptError::NoMatchingKeys => UnlockError::NotByPassphrase,
        DecryptError::UnknownFormat => UnlockError::NewerAge,
        _ => UnlockError::NotAge,
    }
}
