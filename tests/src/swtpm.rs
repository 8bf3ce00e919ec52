//! A TPM 2.0 for tests: swtpm, in a process of its own, on a UNIX socket.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A running swtpm. It is killed with its handle.
#[derive(Debug)]
pub struct Swtpm {
    directory: PathBuf,
    process: Option<Child>,
}

impl Swtpm {
    /// Starts the TPM whose state is in `directory`, made if there is none. Its socket is `directory/sock`: whoever connects
    /// from now on is served, one after the other.
    pub fn start(directory: &Path) -> io::Result<Self> {
        let mut swtpm = Self { directory: directory.to_owned(), process: None };
        swtpm.again()?;
        Ok(swtpm)
    }

    /// Starts it again after [`Swtpm::kill`], with the state that it had.
    pub fn again(&mut self) -> io::Result<()> {
        self.kill()?;
        let state = self.directory.join("state");
        fs::create_dir_all(&state)?;
        if self.socket().exists() {
            fs::remove_file(self.socket())?;
        }
        // It inherits a socket that listens already, so there is nothing to wait for.
        let listener = UnixListener::bind(self.socket())?;
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
            .arg(format!("dir={}", state.display()))
            .stdin(OwnedFd::from(listener))
            .stdout(Stdio::null())
            .stderr(Stdio::null()) // it tells of each client that leaves
            .spawn()?;
        self.process = Some(process);
        Ok(())
    }

    /// Ends it at once, as a power cut does.
    pub fn kill(&mut self) -> io::Result<()> {
        let Some(mut process) = self.process.take() else { return Ok(()) };
        process.kill()?;
        process.wait().map(|_| ())
    }

    /// Its process; `None` after a kill.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(Child::id)
    }

    /// What `[tpm] swtpm` of `station.toml` names.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.directory.join("sock")
    }
}

impl Drop for Swtpm {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.kill();
    }
}
