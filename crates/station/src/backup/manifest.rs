//! `MANIFEST`, the first file of a backup: what the others are, as `sha256sum --check` reads it.

use std::fmt;

use keystation_audit::Checkpoint;
use sha2::{Digest, Sha256};

use super::error::BackupError;
use crate::station::{digest, hex};

/// The first line.
const FORMAT: &str = "# keystation-backup/v1";

/// What is in a backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// Name of the log.
    pub origin: String,
    /// When it was made: UTC, RFC 3339, as the time of a record is written.
    pub made: String,
    /// Records of the log.
    pub size: u64,
    /// Their Merkle root.
    pub root: [u8; 32],
    /// Paths with `/`, and the SHA-256 of each file; in the order of the paths, each once.
    pub files: Vec<(String, [u8; 32])>,
}

impl Manifest {
    pub(super) fn of(checkpoint: &Checkpoint, made: String, files: Vec<(String, [u8; 32])>) -> Self {
        Self {
            origin: checkpoint.origin.to_string(),
            made,
            size: checkpoint.size,
            root: checkpoint.root,
            files,
        }
    }

    /// What the records of backups name it by.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(self.to_string()).into()
    }

    /// Reads one. Only the spelling that [`Display`](fmt::Display) gives is one.
    pub(super) fn parse(text: &str) -> Result<Self, BackupError> {
        let parsed = Self::read(text).filter(|manifest| manifest.to_string() == text);
        parsed.ok_or(BackupError::Damaged("its first file is no manifest"))
    }

    fn read(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        lines.next().filter(|line| *line == FORMAT)?;
        let mut said = |name: &str| lines.next()?.strip_prefix(&format!("# {name} ")).map(str::to_owned);
        let (origin, made) = (said("origin")?, said("made")?);
        let (size, root) = (said("records")?.parse().ok()?, digest(&said("root")?)?);
        let files: Option<Vec<_>> = lines
            .map(|line| {
                let (hash, path) = line.split_once("  ")?;
                Some((path.to_owned(), digest(hash)?)).filter(|_| is_plain(path))
            })
            .collect();
        let files = files.filter(|files| files.is_sorted_by(|a, b| a.0 < b.0))?;
        Some(Self { origin, made, size, root, files })
    }
}

impl fmt::Display for Manifest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { origin, made, size, root, files } = self;
        writeln!(f, "{FORMAT}\n# origin {origin}\n# made {made}\n# records {size}\n# root {}", hex(root))?;
        files.iter().try_for_each(|(path, hash)| writeln!(f, "{}  {path}", hex(hash)))
    }
}

/// Whether a path leads to a file below the directory that it is taken from, and fits on a line.
pub(super) fn is_plain(path: &str) -> bool {
    // `sha256sum` spells a backslash otherwise.
    !path.chars().any(|c| c.is_control() || c == '\\')
        && path.split('/').all(|name| !matches!(name, "" | "." | ".."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Manifest {
        Manifest {
            origin: "keylog.example.com/plant7/stn03/1".to_owned(),
            made: "2026-11-26T03:00:00.000Z".to_owned(),
            size: 7,
            root: [1; 32],
            files: vec![("audit.db".to_owned(), [2; 32]), ("profiles/a b.toml".to_owned(), [3; 32])],
        }
    }

    #[test]
    fn what_was_written_is_read() {
        let manifest = manifest();
        assert_eq!(Manifest::parse(&manifest.to_string()).unwrap(), manifest);
    }

    #[test]
    fn any_other_spelling_is_refused() {
        let text = manifest().to_string();
        for (part, other) in [
            ("backup/v1", "backup/v2"),
            ("# records 7", "# records 07"),
            ("0202", "02 2"),
            ("0303", "0A0a"),
            ("audit.db", "zudit.db"),
            ("audit.db", "profiles/a b.toml"),
            ("audit.db", "../audit.db"),
            ("audit.db", "/audit.db"),
            ("audit.db", "a//b"),
            ("audit.db", "a\\b"),
            ("audit.db\n", "audit.db\r\n"),
            ("# root", "# more\n# root"),
        ] {
            assert!(Manifest::parse(&text.replace(part, other)).is_err(), "{part:?} as {other:?}");
        }
        assert!(Manifest::parse(text.trim_end()).is_err());
        assert!(Manifest::parse("").is_err());
    }
}
