use std::fs::{self, File, Permissions};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use base64ct::{Base64, Encoding};
use keystation_core::registration::{IdRule, RegistrationId};
use keystation_tests::memory_scan::Needles;
use keystation_vault::{
    DerivedKeyAnswer, ImportError, NewKey, Passphrase, SealedFile, SecretSource, SecretText, Tpm, TpmPlace,
    UnlockedVault, WorkFactor,
};

pub(crate) const LABEL: &str = "gk-scan";

pub(crate) fn passphrase(directory: &Path) -> Passphrase {
    SecretSource::File(directory.join("passphrase")).passphrase().expect("the parent wrote it")
}

pub(crate) fn vault(directory: &Path) -> SealedFile {
    SealedFile::at(directory.join("station.vault")).with_work_factor(WorkFactor::TEST)
}

pub(crate) fn id() -> RegistrationId {
    RegistrationId::new("sn-007-888-abc-mac-a1-b2-c3-d4-e5-f6", IdRule::Dashes).expect("it is canonical")
}

pub(crate) fn unlock(directory: &Path) -> UnlockedVault {
    vault(directory).unlock(&passphrase(directory)).expect("it opens")
}

/// The TPM that the parent started.
pub(crate) fn tpm(directory: &Path) -> Tpm {
    let socket = directory.join("tpm/sock");
    let place = TpmPlace::emulator(socket.to_str().expect("it is text")).expect("it is short");
    Tpm::new(place, directory.join("keys"))
}

pub(crate) fn new_key(label: &str) -> NewKey {
    NewKey {
        label: label.parse().expect("a label"),
        group: "line-1".parse().expect("a group"),
        scope: "0ne00000001".parse().expect("a scope"),
        slot: "primary".parse().expect("a slot"),
    }
}

pub(crate) fn add(directory: &Path, label: &str, key: &SecretText) -> Result<(), ImportError> {
    let new = new_key(label);
    vault(directory).import(&passphrase(directory), new, key, DerivedKeyAnswer::GroupKey).map(|_| ())
}

pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    let mut source = File::open("/dev/urandom").expect("the kernel has random numbers");
    source.read_exact(&mut bytes).expect("they do not end");
    bytes
}

/// A child, told apart by its words.
pub(crate) struct Subject {
    pub(crate) process: Child,
    input: ChildStdin,
    pub(crate) output: std::cell::RefCell<BufReader<ChildStdout>>,
}

impl Subject {
    pub(crate) fn start(arguments: &[&str], directory: &Path) -> Self {
        let own = std::env::current_exe().expect("the system knows the running executable");
        Self::command(Command::new(own).args(arguments), directory)
    }

    pub(crate) fn command(command: &mut Command, directory: &Path) -> Self {
        let mut process = command
            .current_dir(directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let input = process.stdin.take().expect("it is piped");
        let output = std::cell::RefCell::new(BufReader::new(process.stdout.take().expect("it is piped")));
        Self { process, input, output }
    }

    pub(crate) fn line(&self) -> String {
        let mut line = String::new();
        self.output.borrow_mut().read_line(&mut line).expect("it writes text");
        line.trim_end().to_owned()
    }

    pub(crate) fn after(&self, word: &str) {
        assert_eq!(self.line(), word);
    }

    pub(crate) fn go_on(&mut self) {
        self.input.write_all(b"\n").expect("it reads");
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A vault with a random key. Never a constant: that would stand in the program itself.
pub(crate) struct Bench {
    directory: tempfile::TempDir,
    pub(crate) key: [u8; 64],
    pub(crate) passphrase: String,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().expect("there is a temporary directory");
        let passphrase = Base64::encode_string(&random::<24>());
        let bench = Self { directory, key: random(), passphrase };
        bench.private("passphrase", &bench.passphrase);
        bench.private("key", &Base64::encode_string(&bench.key));
        vault(bench.path()).create(&self::passphrase(bench.path())).expect("it is made");
        bench
    }

    pub(crate) fn with_key() -> Self {
        let bench = Self::new();
        let key = SecretSource::File(bench.path().join("key")).text().expect("it was written");
        add(bench.path(), LABEL, &key).expect("it is imported");
        bench
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn start(&self, mode: &str) -> Subject {
        Subject::start(&[mode, self.path().to_str().expect("it is text")], self.path())
    }

    pub(crate) fn private(&self, name: &str, content: &str) -> PathBuf {
        let path = self.path().join(name);
        fs::write(&path, content).expect("there is room");
        fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("it is ours");
        path
    }

    /// What the passphrase becomes for a TPM: `docs/vault-format.md`, section 8.
    pub(crate) fn auth_value(&self) -> Vec<u8> {
        use sha2::{Digest as _, Sha256};
        Sha256::new()
            .chain_update("keystation/tpm-auth/v1\0")
            .chain_update(&self.passphrase)
            .finalize()
            .to_vec()
    }

    pub(crate) fn needles(&self) -> Needles {
        let mut needles = Needles::new();
        needles.group_key(&self.key);
        needles.text("passphrase", &self.passphrase);
        needles
    }
}
