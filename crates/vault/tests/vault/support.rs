use std::fs::{self, Permissions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use keystation_core::key::GroupKeyInfo;
use keystation_vault::{
    DerivedKeyAnswer, ImportError, NewKey, Passphrase, SealedFile, SecretText, UnlockError, UnlockedVault,
    WorkFactor,
};
use serde_json::Value;
use tempfile::TempDir;

pub(crate) const PASSPHRASE: &str = "correct horse battery staple";
/// The group key that Microsoft publishes.
pub(crate) const EXAMPLE: &str =
    "8isrFI1sGsIlvvFSSFRiMfCNzv21fjbE/+ah/lSh3lF8e2YG1Te7w1KpZhJFFXJrqYKi9yegxkqIChbqOS9Egw==";
/// Another one that Microsoft publishes.
pub(crate) const OTHER: &str =
    "rLuyBPpIJ+hOre2SFIP9Ajvdty3j0EwSP/WvTVH9eZAw5HpDuEmf13nziHy5RRXmuTy84FCLpOnhhBPASSbHYg==";

pub(crate) fn passphrase(text: &str) -> Passphrase {
    Passphrase::new(secret(text)).unwrap()
}

pub(crate) fn secret(text: &str) -> SecretText {
    SecretText::new(text.to_owned()).unwrap()
}

pub(crate) fn named(label: &str) -> NewKey {
    NewKey {
        label: label.parse().unwrap(),
        group: "line-1".parse().unwrap(),
        scope: "0ne00000001".parse().unwrap(),
        slot: "primary".parse().unwrap(),
    }
}

/// A vault in a directory of its own, sealed at the cost for tests.
pub(crate) struct Bench {
    pub(crate) directory: TempDir,
    pub(crate) file: SealedFile,
}

impl Bench {
    /// No vault yet.
    pub(crate) fn empty() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let file = SealedFile::at(directory.path().join("station.vault")).with_work_factor(WorkFactor::TEST);
        Self { directory, file }
    }

    /// A vault without keys.
    pub(crate) fn new() -> Self {
        let bench = Self::empty();
        bench.file.create(&passphrase(PASSPHRASE)).unwrap();
        bench
    }

    /// A vault that holds this document, sealed with the age crate at this cost.
    pub(crate) fn sealing(document: &str, work: u8) -> Self {
        let bench = Self::empty();
        let mut recipient = age::scrypt::Recipient::new(PASSPHRASE.into());
        recipient.set_work_factor(work);
        let recipients = std::iter::once(&recipient as &dyn age::Recipient);
        let encryptor = age::Encryptor::with_recipients(recipients).unwrap();
        let mut sealed = encryptor.wrap_output(Vec::new()).unwrap();
        sealed.write_all(document.as_bytes()).unwrap();
        bench.put(&sealed.finish().unwrap());
        bench
    }

    /// Puts these bytes in the vault's place.
    pub(crate) fn put(&self, bytes: &[u8]) {
        fs::write(self.path(), bytes).unwrap();
        fs::set_permissions(self.path(), Permissions::from_mode(0o600)).unwrap();
    }

    pub(crate) fn path(&self) -> &Path {
        self.file.path()
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        fs::read(self.path()).unwrap()
    }

    pub(crate) fn import(&self, label: &str, key: &str) -> Result<GroupKeyInfo, ImportError> {
        self.file.import(&passphrase(PASSPHRASE), named(label), &secret(key), DerivedKeyAnswer::NotAsked)
    }

    pub(crate) fn unlock(&self) -> Result<UnlockedVault, UnlockError> {
        self.file.unlock(&passphrase(PASSPHRASE))
    }
}

/// The name of an error's variant: what a vector names.
pub(crate) fn variant(error: &impl std::fmt::Debug) -> String {
    format!("{error:?}").split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_owned()
}

pub(crate) fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

pub(crate) fn vectors(name: &str) -> Value {
    serde_json::from_slice(&fs::read(repository("tests/vectors").join(name)).unwrap()).unwrap()
}
