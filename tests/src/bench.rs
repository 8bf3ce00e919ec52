//! A station in a directory of its own, used as a person or a script uses it: through its headless binary.

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use keystation_core::key::KeySlot;
use keystation_vault::{DerivedKeyAnswer, GroupKey, NewKey, SealedFile, SecretSource, WorkFactor};
use serde_json::Value;
use tempfile::TempDir;

use crate::binaries::program;
use crate::copy::{self, Copied};
use crate::people::{self, PEOPLE};

/// The group key that Microsoft publishes as an example, 64 bytes (*Symmetric key attestation with DPS*).
pub const PUBLISHED_GROUP_KEY: &str =
    "8isrFI1sGsIlvvFSSFRiMfCNzv21fjbE/+ah/lSh3lF8e2YG1Te7w1KpZhJFFXJrqYKi9yegxkqIChbqOS9Egw==";
/// The registration ID of that example.
pub const PUBLISHED_ID: &str = "sn-007-888-abc-mac-a1-b2-c3-d4-e5-f6";
/// The device key that belongs to it.
pub const PUBLISHED_DEVICE_KEY: &str = "Jsm0lyGpjaVYVP2g3FnmnmG9dI/9qU24wNoykUmermc=";

/// The check value of the published group key.
pub const PUBLISHED_CHECK_VALUE: &str = "9B5BD-BEC8B";

/// The label under which a bench holds its group key.
pub const LABEL: &str = "gk-test";

/// A station with [people](PEOPLE), one group key and a profile that accepts the published example's MAC, which is a multicast one.
pub struct Bench {
    dir: TempDir,
    passphrase: String,
}

/// What a verb of the headless binary did.
#[derive(Debug)]
pub struct Run {
    /// Exit code; `None` when a signal ended it.
    pub exit: Option<i32>,
    /// The JSON objects of standard output.
    pub events: Vec<Value>,
    /// Standard error.
    pub stderr: String,
}

impl Run {
    /// The first object with this `event`.
    #[must_use]
    pub fn event(&self, name: &str) -> Option<&Value> {
        self.events.iter().find(|event| event["event"] == name)
    }

    /// From a program that has ended.
    #[must_use]
    pub fn of(output: &std::process::Output) -> Self {
        let stdout = String::from_utf8_lossy(&output.stdout);
        let events = stdout
            .lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("no JSON ({e}): {line}")))
            .collect();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        Self { exit: output.status.code(), events, stderr }
    }
}

impl Bench {
    /// A station with the published example key.
    #[must_use]
    pub fn new() -> Self {
        Self::with_key(PUBLISHED_GROUP_KEY)
    }

    /// A place without a station.
    #[must_use]
    pub const fn in_place(dir: TempDir) -> Self {
        Self { dir, passphrase: String::new() }
    }

    /// A station with this group key, in Base64.
    #[must_use]
    pub fn with_key(group_key: &str) -> Self {
        let dir =
            tempfile::Builder::new().prefix("keystation-test-").tempdir().expect("a temporary directory");
        let passphrase = format!("pass-{}", random_hex(12));
        let bench = Self { dir, passphrase };
        bench.private("passphrase", &bench.passphrase);
        for person in &PEOPLE {
            bench.private(&pin_file(person.id), person.pin);
        }
        bench.private("group-key", group_key);
        let made = bench.run(&["init", "--origin", "keylog.example.com/plant7/stn03"]);
        assert_eq!(made.exit, Some(0), "{made:?}");
        people::settle(&bench.data());
        let profile = fs::read_to_string(bench.data().join("profiles/example.toml")).expect("init wrote it");
        let profile = profile
            .replace("allow_multicast_mac = false", "allow_multicast_mac = true")
            .replace("gk-2026a", LABEL);
        fs::write(bench.data().join("profiles/test.toml"), profile).expect("the folder is ours");
        let imported = bench.import(LABEL, &bench.file("group-key"));
        assert_eq!(imported.exit, Some(0), "{imported:?}");
        let check_value = imported.event("import").expect("it says so")["check_value"].as_str();
        people::activate(&bench.data(), LABEL, check_value.expect("it has one"));
        bench
    }

    /// The same station with a vault that opens in no time. Every one of them is a copy of the first one of this process: the same
    /// log until now, the same key under it, the same passphrase. For another log: [`Self::stranger`].
    ///
    /// To make one takes three starts of the program and half a gigabyte of scrypt and argon2, in each of a hundred tests.
    #[must_use]
    pub fn quick() -> Self {
        static FIRST: OnceLock<(Vec<Copied>, String)> = OnceLock::new();
        let (copied, passphrase) = FIRST.get_or_init(|| {
            let first = Self::stranger();
            (copy::of(first.dir.path()), first.passphrase.clone())
        });
        let dir =
            tempfile::Builder::new().prefix("keystation-test-").tempdir().expect("a temporary directory");
        copy::into(dir.path(), copied);
        Self { dir, passphrase: passphrase.clone() }
    }

    /// The same with a log and a signing key that no other station of the test has: the key is sealed again at the least cost.
    #[must_use]
    pub fn stranger() -> Self {
        let bench = Self::new();
        let file = bench.data().join("vault.age");
        fs::remove_file(&file).expect("import made it");
        let sealed = SealedFile::at(&file).with_work_factor(WorkFactor::TEST);
        let passphrase = SecretSource::File(bench.file("passphrase")).passphrase().expect("it is private");
        let key = SecretSource::File(bench.file("group-key")).text().expect("it is private");
        let new = NewKey {
            label: LABEL.parse().expect("a label"),
            group: "line-7".parse().expect("a group"),
            scope: "0ne00EMU001".parse().expect("a scope"),
            slot: KeySlot::Primary,
        };
        sealed.create(&passphrase).expect("there is none");
        sealed.import(&passphrase, new, &key, DerivedKeyAnswer::NotAsked).expect("a group key");
        bench
    }

    /// Imports the group key in `file`.
    #[must_use]
    pub fn import(&self, label: &str, file: &Path) -> Run {
        let mut command = self.keystation();
        command.args(["key", "import", "--label", label, "--group", "line-7", "--scope", "0ne00EMU001"]);
        command.args(["--slot", "primary", "--key-file"]).arg(file);
        command.args(["--check-value", &check_value_on_paper(file)]);
        self.signed(&mut command, "cus-1", Some("cus-2"));
        finished(self.with_passphrase(&mut command))
    }

    /// The data directory.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// A path in the bench's own directory, outside of the station's data.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The passphrase of the vault: a canary that must be found nowhere.
    #[must_use]
    pub fn passphrase(&self) -> &str {
        &self.passphrase
    }

    /// The headless binary on this station, with JSON output.
    #[must_use]
    pub fn keystation(&self) -> Command {
        self.with_program(&program("keystation"))
    }

    /// This build of the headless binary on this station, with JSON output.
    #[must_use]
    pub fn with_program(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.arg("--data").arg(self.data()).arg("--json").stdin(Stdio::null());
        command
    }

    /// Has `operator` sign in for the verb of `command`, and `approver` approve it.
    pub fn signed<'a>(
        &self,
        command: &'a mut Command,
        operator: &str,
        approver: Option<&str>,
    ) -> &'a mut Command {
        command.args(["--operator", operator, "--pin-file"]).arg(self.file(&pin_file(operator)));
        if let Some(approver) = approver {
            command.args(["--approver", approver, "--approver-pin-file"]).arg(self.file(&pin_file(approver)));
        }
        command
    }

    /// Runs a verb to its end. Whoever may do that signs in ([`people::who`]); who is named in `arguments` brings the PIN along.
    #[must_use]
    pub fn run(&self, arguments: &[&str]) -> Run {
        let mut command = self.keystation();
        command.args(arguments);
        let named = |option: &str| {
            let at = arguments.iter().position(|argument| *argument == option)?;
            arguments.get(at + 1).map(|id| self.file(&pin_file(id)))
        };
        match (named("--operator"), named("--approver"), people::who(arguments)) {
            (None, None, Some((operator, approver))) => {
                self.signed(&mut command, operator, approver);
            }
            (operator, approver, _) => {
                operator.map(|pin| command.arg("--pin-file").arg(pin));
                approver.map(|pin| command.arg("--approver-pin-file").arg(pin));
            }
        }
        finished(&mut command)
    }

    /// `inject` on this port by the operator, not started yet.
    #[must_use]
    pub fn inject_command(&self, port: &Path) -> Command {
        self.inject_command_by(port, "op-0117")
    }

    /// The same by somebody else.
    #[must_use]
    pub fn inject_command_by(&self, port: &Path, operator: &str) -> Command {
        let mut command = self.keystation();
        command.arg("inject").arg("--port").arg(port).args(["--profile", "test.toml"]);
        self.signed(self.with_passphrase(&mut command), operator, None);
        command
    }

    /// `inject` on this port by the operator under the work order `job`, which is made and opened before; not started yet.
    #[must_use]
    pub fn inject_under(&self, port: &Path, job: &str) -> Command {
        crate::orders::open(&self.data(), job);
        let mut command = self.inject_command(port);
        command.args(["--job", job]);
        command
    }

    /// `inject` on this port, to its end.
    #[must_use]
    pub fn inject(&self, port: &Path) -> Run {
        finished(&mut self.inject_command(port))
    }

    /// `check` on this port, to its end.
    #[must_use]
    pub fn check(&self, port: &Path) -> Run {
        self.check_by(port, "test.toml")
    }

    /// The same by another profile.
    #[must_use]
    pub fn check_by(&self, port: &Path, profile: &str) -> Run {
        let mut command = self.keystation();
        command.arg("check").arg("--port").arg(port).args(["--profile", profile]);
        finished(self.signed(self.with_passphrase(&mut command), "qa-007", None))
    }

    /// Names the file with the passphrase.
    pub fn with_passphrase<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.arg("--passphrase-file").arg(self.file("passphrase"))
    }

    /// Every record, oldest first.
    #[must_use]
    pub fn records(&self) -> Vec<Value> {
        let shown = self.run(&["audit", "show"]);
        assert_eq!(shown.exit, Some(0), "{shown:?}");
        shown.events
    }

    /// Verifies the whole log and panics with what is wrong with it.
    pub fn assert_log_intact(&self) {
        let verified = self.run(&["audit", "verify"]);
        assert_eq!(verified.exit, Some(0), "{verified:?}");
    }

    /// Writes a file that only its owner can read.
    pub fn private(&self, name: &str, text: &str) {
        private_file(&self.file(name), text);
    }
}

impl Default for Bench {
    fn default() -> Self {
        Self::new()
    }
}

/// Where a bench has the PIN of somebody.
#[must_use]
pub fn pin_file(id: &str) -> String {
    format!("pin-{id}")
}

/// What the owner of the group key in `file` wrote on a paper. Of a text that is no key, the check value of another.
///
/// # Panics
/// If the file cannot be read, or others can read it.
#[must_use]
pub fn check_value_on_paper(file: &Path) -> String {
    let text = SecretSource::File(file.to_owned()).text().expect("it is private");
    GroupKey::judged(&text, DerivedKeyAnswer::GroupKey).map_or_else(
        |_| PUBLISHED_CHECK_VALUE.to_owned(),
        |key| key.check_value().expect("there is memory for one key").to_string(),
    )
}

/// Writes a file that only its owner can read.
pub(crate) fn private_file(path: &Path, text: &str) {
    let file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes())).expect("the directory is ours");
}

/// Runs a command to its end.
pub fn finished(command: &mut Command) -> Run {
    Run::of(&command.output().expect("the program starts"))
}

/// Random bytes from the system, as lower-case hexadecimal digits.
#[must_use]
pub fn random_hex(bytes: usize) -> String {
    let mut buffer = vec![0; bytes];
    let mut source = fs::File::open("/dev/urandom").expect("Linux has it");
    std::io::Read::read_exact(&mut source, &mut buffer).expect("it never ends");
    buffer.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A child that does not outlive its test.
pub struct Killed(pub Child);

impl Drop for Killed {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}
