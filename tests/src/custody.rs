//! Custodies that a station under test can have beside its sealed file: swtpm in a process of its own, and a token of SoftHSM.

use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::bench::Bench;

/// As Debian 12 installs it.
const SOFTHSM: &str = "/usr/lib/softhsm/libsofthsm2.so";
/// PIN of the token's user. Known to everybody who reads this.
pub const TOKEN_PIN: &str = "271828";
/// What authorises the TPM's keys. Known to everybody who reads this.
pub const TPM_AUTH: &str = "authorised by a test";

/// A swtpm that is killed with its handle; its state outlives restarts.
pub struct Emulator {
    folder: PathBuf,
    process: Option<Child>,
}

impl Emulator {
    /// A TPM that was never used before, started, in a folder of the bench. The station of the bench has it from now on.
    ///
    /// # Panics
    /// If swtpm (`apt-get install swtpm`) is not there.
    #[must_use]
    pub fn of(bench: &Bench) -> Self {
        let folder = bench.file("tpm");
        fs::create_dir_all(folder.join("state")).expect("the folder is ours");
        let mut emulator = Self { folder, process: None };
        emulator.start();
        bench.private("tpm-auth", TPM_AUTH);
        bench.configure(&format!("[tpm]\nswtpm = \"{}\"\n", emulator.socket().display()));
        emulator
    }

    fn socket(&self) -> PathBuf {
        self.folder.join("sock")
    }

    /// Starts it again, as after a power cut.
    ///
    /// # Panics
    /// If it runs.
    pub fn start(&mut self) {
        assert!(self.process.is_none(), "it runs");
        // A socket that a killed one left is nobody's.
        drop(fs::remove_file(self.socket()));
        // It inherits a socket that listens already: whoever connects from now on is served, so there is nothing to wait for.
        let listener = UnixListener::bind(self.socket()).expect("the folder is ours");
        let process = Command::new("swtpm")
            .args([
                "socket",
                "--tpm2",
                "--flags",
                "not-need-init,startup-clear",
                "--server",
                "type=unixio,fd=0",
            ])
            .arg("--tpmstate")
            .arg(format!("dir={}", self.folder.join("state").display()))
            .stdin(OwnedFd::from(listener))
            .stdout(Stdio::null())
            .spawn()
            .expect("swtpm (apt-get install swtpm) is there");
        self.process = Some(process);
    }

    /// Ends it at once.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            // It may have ended by itself.
            drop(process.kill());
            drop(process.wait());
        }
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.kill();
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
        bench.configure(&format!("[token]\nmodule = \"{SOFTHSM}\"\nlabel = \"factory\"\n"));
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
        command.env("SOFTHSM2_CONF", self.settings())
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
