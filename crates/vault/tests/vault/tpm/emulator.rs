use std::path::{Path, PathBuf};
use std::process::Command;

use keystation_vault::TpmPlace;
use tempfile::TempDir;

use super::swtpm::Swtpm;

/// A swtpm with a state of its own. It is killed with its handle; its state stays until then, over restarts too.
pub(crate) struct Emulator {
    // Before the directory that it works in.
    swtpm: Swtpm,
    directory: TempDir,
}

impl Emulator {
    /// A TPM that was never used before, started.
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let swtpm = Swtpm::start(directory.path()).expect("swtpm (apt-get install swtpm)");
        Self { swtpm, directory }
    }

    pub(crate) fn start(&mut self) {
        assert_eq!(self.swtpm.pid(), None);
        self.swtpm.again().unwrap();
    }

    /// Ends it at once, as a power cut does.
    pub(crate) fn kill(&mut self) {
        assert!(self.swtpm.pid().is_some());
        self.swtpm.kill().unwrap();
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.swtpm.socket()
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
