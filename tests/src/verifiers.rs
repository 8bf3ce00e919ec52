//! The two verifiers that share no code with the station, as programs.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The verifiers in `tests/verify-go` and `tests/verify-python`.
pub struct Verifiers {
    /// The Go program, built.
    go: PathBuf,
    /// The Python script.
    python: PathBuf,
}

impl Verifiers {
    /// Builds the Go program into `folder`, with nothing but Debian's packages.
    ///
    /// # Panics
    /// If it cannot be built.
    #[must_use]
    pub fn built(folder: &Path) -> Self {
        let sources = Path::new(env!("CARGO_MANIFEST_DIR"));
        let go = folder.join("keylog-verify");
        let mut build = Command::new("go");
        build.args(["build", "-o"]).arg(&go).arg(".").current_dir(sources.join("verify-go"));
        // The packages of Debian are a GOPATH, without modules and without a network.
        build.env("GO111MODULE", "off").env("GOPATH", "/usr/share/gocode").env("GOFLAGS", "");
        build.env("GOCACHE", folder.join("go-cache"));
        let built = build.output().expect("Go is there: cargo xtask setup");
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        Self { go, python: sources.join("verify-python/keylog_verify.py") }
    }

    /// Has both verify a bundle or a proof file (`kind`) with a key that is in a file, and with checkpoints that left the
    /// machine before.
    ///
    /// # Panics
    /// If one of them does not accept it, or does not say so.
    pub fn accept(&self, kind: &str, what: &Path, vkey: &Path, seen: &[&Path]) {
        for (output, name) in self.run(kind, what, vkey, seen) {
            let said = String::from_utf8_lossy(&output.stdout);
            let more = String::from_utf8_lossy(&output.stderr);
            assert!(
                output.status.success() && said.contains("ACCEPTED"),
                "{name}, {}: {said}{more}",
                what.display()
            );
        }
    }

    /// Has both verify what they must refuse.
    ///
    /// # Panics
    /// If one of them accepts it, or fails in another way.
    pub fn refuse(&self, kind: &str, what: &Path, vkey: &Path, seen: &[&Path]) {
        for (output, name) in self.run(kind, what, vkey, seen) {
            assert_eq!(output.status.code(), Some(1), "{name}, {}: {output:?}", what.display());
        }
    }

    fn run(&self, kind: &str, what: &Path, vkey: &Path, seen: &[&Path]) -> [(Output, &'static str); 2] {
        let run = |command: &mut Command| {
            command.arg(kind).arg(what).arg("--vkey").arg(vkey);
            for note in seen {
                command.arg("--seen").arg(note);
            }
            command.output().expect("the verifier starts")
        };
        [
            (run(&mut Command::new(&self.go)), "Go"),
            // Debian's own interpreter: another one does not see python3-cryptography.
            (run(Command::new("/usr/bin/python3").arg("-B").arg(&self.python)), "Python"),
        ]
    }
}
