use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use keystation_vault::TpmPlace;
use tempfile::TempDir;

/// A swtpm with a state of its own. It is killed with its handle; its state stays until then, over restarts too.
pub(crate) struct Emulator {
    directory: TempDir,
    process: Option<Child>,
}

impl Emulator {
    /// A TPM that was never used before, started.
    pub(crate) fn new() -> Self {
        let mut emulator = Self { directory: tempfile::tempdir().unwrap(), process: None };
        std::fs::create_dir(emulator.directory.path().join("state")).unwrap();
        emulator.start();
        emulator
    }

    pub(crate) fn start(&mut self) {
        assert!(self.process.is_none());
        // A socket that a killed one left is nobody's.
        let _ = std::fs::remove_file(self.socket());
        // It inherits a socket that listens already: whoever connects from now on is served, so there is nothing to wait for.
        let listener = UnixListener::bind(self.socket()).unwrap();
        let state = self.directory.path().join("state");
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
            .spawn()
            .expect("swtpm (apt-get install swtpm)");
        self.process = Some(process);
    }

    /// Ends it at once, as a power cut does.
    pub(crate) fn kill(&mut self) {
        let mut process = self.process.take().unwrap();
        process.kill().unwrap();
        process.wait().unwrap();
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.directory.path().join("sock")
    }

    pub(crate) fn place(&self) -> TpmPlace {
        TpmPlace::emulator(self.socket().to_str().unwrap()).unwrap()
    }

    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Runs one of tpm2-tools on it, in its directory; returns what it printed.
    pub(crate) fn tool(&self, tool: &str, arguments: &[&str]) -> Result<Vec<u8>, String> {
        // tpm2-tss 3.2 speaks to swtpm over TCP only, so this carries its bytes to the socket.
        const BRIDGE: &str = "import os,select,socket,sys\n\
            s=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])\n\
            while True:\n\
            \x20for r in select.select([0,s],[],[])[0]:\n\
            \x20 d=os.read(0,4096) if r==0 else s.recv(4096)\n\
            \x20 if not d: sys.exit()\n\
            \x20 (s.sendall(d) if r==0 else os.write(1,d))\n";
        let bridge = self.directory().join("bridge.py");
        std::fs::write(&bridge, BRIDGE).unwrap();
        let carried = format!("cmd:/usr/bin/python3 {} {}", bridge.display(), self.socket().display());
        let done = Command::new(tool)
            .arg(format!("--tcti={carried}"))
            .args(arguments)
            .current_dir(self.directory())
            .output()
            .expect("tpm2-tools (apt-get install tpm2-tools)");
        if done.status.success() {
            Ok(done.stdout)
        } else {
            Err(String::from_utf8_lossy(&done.stderr).into_owned())
        }
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        if self.process.is_some() {
            self.kill();
        }
    }
}
