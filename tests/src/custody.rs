//! Custodies that a station under test can have beside its sealed file: swtpm in a process of its own, and a token of SoftHSM.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::bench::Bench;
use crate::binaries;
use crate::swtpm::Swtpm;

/// As Debian 12 installs it.
const SOFTHSM: &str = "/usr/lib/softhsm/libsofthsm2.so";
/// PIN of the token's user. Known to everybody who reads this.
pub const TOKEN_PIN: &str = "271828";
/// What authorises the TPM's keys. Known to everybody who reads this.
pub const TPM_AUTH: &str = "authorised by a test";

/// The TPM of a bench: killed with its handle; its state outlives restarts.
pub struct Emulator(Swtpm);

impl Emulator {
    /// A TPM that was never used before, started, in a folder of the bench. The station of the bench has it from now on.
    ///
    /// # Panics
    /// If swtpm (`apt-get install swtpm`) is not there.
    #[must_use]
    pub fn of(bench: &Bench) -> Self {
        let swtpm = Swtpm::start(&bench.file("tpm")).expect("swtpm (apt-get install swtpm)");
        bench.private("tpm-auth", TPM_AUTH);
        bench.configure(&format!("[tpm]\nswtpm = \"{}\"\n", swtpm.socket().display()));
        Self(swtpm)
    }

    /// Starts it again, as after a power cut.
    ///
    /// # Panics
    /// If it runs, or swtpm does not start.
    pub fn start(&mut self) {
        assert_eq!(self.0.pid(), None, "it runs");
        self.0.again().expect("it started before");
    }

    /// Ends it at once.
    ///
    /// # Panics
    /// If the system does not end it.
    pub fn kill(&mut self) {
        self.0.kill().expect("it is ours");
    }
}

/// A token of SoftHSM, for the programs that a bench starts.
pub struct Token {
    folder: PathBuf,
}

impl Token {
    /// A token with a user PIN, in a folder of the bench. The station of the bench has it from now on.
    ///
    /// # Panics
    /// If SoftHSM (`apt-get install softhsm2`) is not there.
    #[must_use]
    pub fn of(bench: &Bench) -> Self {
        Self::by(bench, Path::new(SOFTHSM))
    }

    /// The same behind a module that does what [`Token::fault`] orders.
    ///
    /// # Panics
    /// If SoftHSM or that module is not there.
    #[must_use]
    pub fn faulty(bench: &Bench) -> Self {
        Self::by(bench, &binaries::example("libp11fault.so"))
    }

    fn by(bench: &Bench, module: &Path) -> Self {
        let token = Self { folder: bench.file("token") };
        fs::create_dir_all(token.tokens()).expect("the folder is ours");
        let settings = format!(
            "directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\n",
            token.tokens().display()
        );
        fs::write(token.settings(), settings).expect("the folder is ours");
        let made = Command::new("softhsm2-util")
            .args([
                "--init-token",
                "--free",
                "--label",
                "factory",
                "--so-pin",
                "31415926",
                "--pin",
                TOKEN_PIN,
            ])
            .env("SOFTHSM2_CONF", token.settings())
            .output()
            .expect("softhsm2-util (apt-get install softhsm2) is there");
        assert!(made.status.success(), "{made:?}");
        bench.private("token-pin", TOKEN_PIN);
        bench.configure(&format!("[token]\nmodule = \"{}\"\nlabel = \"factory\"\n", module.display()));
        token
    }

    fn settings(&self) -> PathBuf {
        self.folder.join("softhsm2.conf")
    }

    fn tokens(&self) -> PathBuf {
        self.folder.join("tokens")
    }

    /// Tells the program of `command` where the token is.
    pub fn reached<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        let fault = self.folder.join("fault");
        command.env("SOFTHSM2_CONF", self.settings()).env("P11_REAL", SOFTHSM).env("P11_FAULT", fault)
    }

    /// Orders the module in between, in its own words. What was called before is forgotten.
    ///
    /// # Panics
    /// If the orders cannot be written.
    pub fn fault(&self, rules: &str) {
        let calls = self.folder.join("fault.calls");
        if calls.exists() {
            fs::remove_file(calls).expect("the folder is ours");
        }
        fs::write(self.folder.join("fault"), rules).expect("the folder is ours");
    }

    /// How often a function of the module in between was called since the last order.
    #[must_use]
    pub fn calls(&self, function: &str) -> usize {
        let calls = fs::read_to_string(self.folder.join("fault.calls")).unwrap_or_default();
        calls.lines().filter(|line| *line == function).count()
    }

    /// Returns when a function of the module in between was called.
    ///
    /// # Panics
    /// If it never is.
    pub fn until_called(&self, function: &str) {
        let began = Instant::now();
        while self.calls(function) == 0 {
            assert!(began.elapsed() < Duration::from_secs(60), "{function} was never called");
            std::thread::yield_now();
        }
    }

    /// Takes the token out.
    ///
    /// # Panics
    /// If it is out.
    pub fn take_out(&self) {
        fs::rename(self.tokens(), self.folder.join("away")).expect("it is there");
        fs::create_dir(self.tokens()).expect("the folder is ours");
    }

    /// Puts it back.
    ///
    /// # Panics
    /// If it is in.
    pub fn put_back(&self) {
        fs::remove_dir_all(self.tokens()).expect("the folder is ours");
        fs::rename(self.folder.join("away"), self.tokens()).expect("it was taken out");
    }
}

impl Bench {
    /// Adds a section to the settings of the station.
    ///
    /// # Panics
    /// If they cannot be written.
    pub fn configure(&self, section: &str) {
        let file = self.data().join("station.toml");
        let settings = fs::read_to_string(&file).expect("init wrote it") + "\n" + section;
        fs::write(file, settings).expect("the directory is ours");
    }

    /// Names the files with the secrets of all custodies.
    pub fn with_secrets<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        let option = |command: &mut Command, option: &str, file: &Path| {
            if file.exists() {
                command.arg(option).arg(file);
            }
        };
        option(command, "--passphrase-file", &self.file("passphrase"));
        option(command, "--token-pin-file", &self.file("token-pin"));
        option(command, "--tpm-auth-file", &self.file("tpm-auth"));
        command
    }
}
