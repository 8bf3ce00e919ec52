use std::fs::{self, File, Permissions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use keystation_core::key::GroupKeyInfo;
use keystation_vault::{
    DerivedKeyAnswer, ImportError, NewKey, Passphrase, SealedFile, SecretText, UnlockError, UnlockedVault,
    WorkFactor,
};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};
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

/// Runs a program with a controlling terminal and answers each prompt with the secret: where such programs take one. Returns
/// whether it succeeded and what it said, or nothing if it asked for no secret.
pub(crate) fn answering(
    program: &str,
    arguments: &[&str],
    directory: &Path,
    secret: &str,
) -> Option<(bool, String)> {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
    let slave = File::options().read(true).write(true).open(name).unwrap();
    let mut child = Command::new("setsid")
        .args(["--ctty", "--wait", program])
        .args(arguments)
        .current_dir(directory)
        .stdin(Stdio::from(slave.try_clone().unwrap()))
        .stdout(Stdio::from(slave.try_clone().unwrap()))
        .stderr(Stdio::from(slave))
        .spawn()
        .expect("setsid (util-linux) is there");
    let mut master = File::from(master);
    let (mut shown, mut answered) = (String::new(), 0);
    let mut buffer = [0; 1024];
    // The terminal ends with EIO when the last program has closed it.
    while let Ok(read @ 1..) = master.read(&mut buffer) {
        shown.push_str(&String::from_utf8_lossy(&buffer[..read]));
        let line = shown.rsplit('\n').next().unwrap_or_default();
        if line.ends_with(": ") && ["Enter ", "enter ", "Confirm "].iter().any(|asks| line.contains(asks)) {
            // Some ask first, and throw away what was typed when they turn the echo off.
            while tcgetattr(&master).unwrap().local_modes.contains(LocalModes::ECHO) {
                std::thread::yield_now();
            }
            writeln!(master, "{secret}").unwrap();
            answered += 1;
        }
    }
    let succeeded = child.wait().unwrap().success();
    (answered > 0).then_some((succeeded, shown))
}
