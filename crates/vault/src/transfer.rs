//! A group key that its owner sealed to the station: `docs/vault-format.md`, section 9. Nobody at the factory sees it.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::iter;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;

use age::secrecy::ExposeSecret as _;
use age::{DecryptError, Decryptor, x25519};
use keystation_core::key::CheckValue;
use rustix::fs::OFlags;

use crate::document::{self, DocumentError};
use crate::error::{CreateError, ImportError, TransferError, UnlockError, WriteError};
use crate::group_key::GroupKey;
use crate::os::{Locked, bleach};
use crate::replace::Writer;
use crate::sealed_file::{DerivedKeyAnswer, NewKey, Plaintext, WorkFactor, seal};
use crate::secret::Passphrase;

/// Bytes of a transfer file at most: one key with names of full length, sealed to twenty stations.
const LIMIT: usize = 4096;

/// The station's own key for transfers, an age X25519 identity, in a file sealed under a passphrase as the vault is.
#[derive(Debug, Clone)]
pub struct TransferKey {
    path: PathBuf,
    work: WorkFactor,
}

/// Whom a key is sealed to: `age1…`, 62 characters. Public.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient(x25519::Recipient);

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A key that came in a transfer file, on its way into a custody.
pub struct Transfer {
    /// What its owner says of it.
    pub new: NewKey,
    /// Its check value: as the owner says, and as the key makes it.
    pub check_value: CheckValue,
    /// The key.
    pub key: GroupKey,
}

impl TransferKey {
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

    /// Whether there is one.
    #[must_use]
    pub fn is_there(&self) -> bool {
        self.path.exists()
    }

    /// Makes the key: mode 0600, durable when this returns. It is never overwritten: what was sealed to it would be lost.
    pub fn make(&self, passphrase: &Passphrase) -> Result<Recipient, CreateError> {
        passphrase.check_length()?;
        let writer = Writer::new(&self.path)?;
        match fs::symlink_metadata(writer.target()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(WriteError::of(error).into()),
            Ok(_) => return Err(CreateError::Exists),
        }
        let made = self.put(&writer, passphrase);
        bleach();
        Ok(made?)
    }

    #[inline(never)] // its frame has to end before `bleach` begins
    fn put(&self, writer: &Writer, passphrase: &Passphrase) -> Result<Recipient, WriteError> {
        let identity = x25519::Identity::generate();
        let recipient = Recipient(identity.to_public());
        let spelled = identity.to_string();
        let spelled = spelled.expose_secret().as_bytes();
        let mut text = Locked::new(spelled.len() + 1).map_err(WriteError::Memory)?;
        text[..spelled.len()].copy_from_slice(spelled);
        text[spelled.len()] = b'\n';
        let sealed = seal(&text, passphrase, self.work).map_err(WriteError::Failed)?;
        writer.replace(&sealed, |new| {
            let again = read(new, passphrase).map_err(WriteError::NotReadBack)?;
            match again.to_public() == recipient.0 {
                true => Ok(()),
                false => Err(WriteError::NotReadBack(UnlockError::Damaged)),
            }
        })?;
        Ok(recipient)
    }

    /// Whom an owner seals to.
    pub fn recipient(&self, passphrase: &Passphrase) -> Result<Recipient, UnlockError> {
        let identity = read(&self.path, passphrase);
        bleach();
        Ok(Recipient(identity?.to_public()))
    }

    /// Opens a transfer file that was sealed to this station. The key has made its check value when this returns; who sealed
    /// it, the file does not say: anybody can, who has the recipient.
    pub fn open(
        &self,
        passphrase: &Passphrase,
        file: &Path,
        answer: DerivedKeyAnswer,
    ) -> Result<Transfer, TransferError> {
        let opened = self.take(passphrase, file, answer);
        bleach();
        opened
    }

    #[inline(never)] // its frame has to end before `bleach` begins
    fn take(
        &self,
        passphrase: &Passphrase,
        file: &Path,
        answer: DerivedKeyAnswer,
    ) -> Result<Transfer, TransferError> {
        let sealed = sealed_bytes(file)?; // before scrypt: a wrong name needs no second of work
        let decryptor = Decryptor::new_buffered(&sealed[..]).map_err(refused)?;
        if decryptor.is_scrypt() {
            return Err(TransferError::ByPassphrase);
        }
        let identity = read(&self.path, passphrase)?;
        let mut reader = decryptor.decrypt(iter::once(&identity as &dyn age::Identity)).map_err(refused)?;
        // The plaintext is shorter than the file, so it ends before the memory does.
        let mut plaintext = Locked::new(sealed.len()).map_err(memory)?;
        let mut length = 0;
        loop {
            match reader.read(&mut plaintext[length..]).map_err(broken)? {
                0 => break,
                read => length += read,
            }
        }
        let document::Entry { check, group, key, label, scope, slot } =
            document::read_transfer(&plaintext[..length])?;
        let key = GroupKey::judge(key, answer).map_err(|error| match error {
            ImportError::Key(reason) => DocumentError::Key { label: label.clone(), reason }.into(),
            other => TransferError::Import(other),
        })?;
        let found = key.check_value().map_err(ImportError::from)?;
        if found != check {
            return Err(TransferError::CheckValue { expected: check, found });
        }
        Ok(Transfer { new: NewKey { label, group, scope, slot }, check_value: check, key })
    }
}

/// The identity in a sealed file: one line.
#[inline(never)] // its frame has to end before `bleach` begins
fn read(path: &Path, passphrase: &Passphrase) -> Result<x25519::Identity, UnlockError> {
    let plaintext = Plaintext::open(path, passphrase)?;
    let not = UnlockError::Document(DocumentError::NotAnIdentity);
    let line = std::str::from_utf8(plaintext.text()).ok().and_then(|text| text.strip_suffix('\n'));
    line.and_then(|line| x25519::Identity::from_str(line).ok()).ok_or(not)
}

/// The file as it lies on the stick. Whoever can read it cannot open it, so that its rights do not count.
fn sealed_bytes(path: &Path) -> Result<Vec<u8>, TransferError> {
    let flags = OFlags::NONBLOCK.bits().cast_signed(); // a FIFO would hold the station
    let file =
        File::options().read(true).custom_flags(flags).open(path).map_err(TransferError::Unreadable)?;
    if !file.metadata().map_err(TransferError::Unreadable)?.is_file() {
        return Err(TransferError::NotAge);
    }
    let mut bytes = Vec::with_capacity(LIMIT + 1);
    file.take(LIMIT as u64 + 1).read_to_end(&mut bytes).map_err(TransferError::Unreadable)?;
    if bytes.len() > LIMIT { Err(TransferError::TooLarge) } else { Ok(bytes) }
}

fn memory(cause: io::Error) -> TransferError {
    ImportError::from(WriteError::Memory(cause)).into()
}

/// age reads from memory here: an I/O error is the end of the file or a broken seal.
fn broken(error: io::Error) -> TransferError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => TransferError::Truncated,
        _ => TransferError::Damaged,
    }
}

fn refused(error: DecryptError) -> TransferError {
    match error {
        DecryptError::NoMatchingKeys => TransferError::ForAnother,
        DecryptError::InvalidMac | DecryptError::DecryptionFailed | DecryptError::KeyDecryptionFailed => {
            TransferError::Damaged
        }
        DecryptError::Io(error) => broken(error),
        DecryptError::UnknownFormat => TransferError::NewerAge,
        _ => TransferError::NotAge,
    }
}
