//! How far somebody who follows the log has come: a small file beside it, replaced as a whole.
//!
//! For labels it only saves time: what was printed the log says. Of the outbox it is the truth: an older one delivers records again.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use keystation_audit::Hash;
use keystation_core::record::Seq;

use crate::station::{digest, hex};

/// The first line of the file.
const FORM: &str = "keystation-position/v2";

/// How far one of them is.
#[derive(Debug)]
pub(super) struct Position {
    file: PathBuf,
    origin: String,
    now: Now,
    /// What the file says.
    kept: Option<Now>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Now {
    next: Seq,
    under_way: Option<Seq>,
    /// The leaf hash of the record before the next one, where the file is the truth: another log has another one there.
    leaf: Option<Hash>,
}

impl Position {
    /// What the file says, of whichever log. `None`: nothing that can be used, and then there is none.
    pub(super) fn read(file: &Path) -> io::Result<Option<Self>> {
        let text = match fs::read_to_string(file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => return Ok(None),
            text => text?,
        };
        let Some((origin, now)) = parse(&text) else { return Ok(None) };
        Ok(Some(Self { file: file.to_owned(), origin: origin.to_owned(), now, kept: Some(now) }))
    }

    /// At record `next`, and no file says so yet.
    pub(super) fn at(file: &Path, origin: &str, next: Seq) -> Self {
        let now = Now { next, under_way: None, leaf: None };
        Self { file: file.to_owned(), origin: origin.to_owned(), now, kept: None }
    }

    /// The name of the log.
    pub(super) fn origin(&self) -> &str {
        &self.origin
    }

    /// The record that comes next.
    pub(super) const fn next(&self) -> Seq {
        self.now.next
    }

    /// The leaf hash of the record before that, if it is kept.
    pub(super) const fn leaf(&self) -> Option<Hash> {
        self.now.leaf
    }

    /// Records of which nobody knows yet that they are done.
    pub(super) fn unkept(&self) -> u64 {
        self.kept.map_or(u64::MAX, |kept| self.now.next.saturating_sub(kept.next))
    }

    /// Moves on; in memory.
    pub(super) fn move_to(&mut self, next: Seq) {
        self.now = Now { next, under_way: None, leaf: None };
    }

    /// Moves on behind record `seq`, whose leaf hash this is; in memory.
    pub(super) fn move_behind(&mut self, seq: Seq, leaf: Hash) {
        self.now = Now { next: seq + 1, under_way: None, leaf: Some(leaf) };
    }

    /// Whether what record `seq` asks for was begun before, and perhaps done.
    pub(super) fn was_begun(&self, seq: Seq) -> bool {
        self.now.under_way == Some(seq)
    }

    /// What record `seq` asks for is begun now: on the disk when this returns.
    pub(super) fn begin(&mut self, seq: Seq) -> io::Result<()> {
        self.now.under_way = Some(seq);
        self.keep()
    }

    /// On the disk when this returns.
    pub(super) fn keep(&mut self) -> io::Result<()> {
        let Now { next, under_way, leaf } = self.now;
        if self.kept == Some(self.now) {
            return Ok(());
        }
        let under_way = under_way.map_or(String::new(), |seq| seq.to_string());
        let leaf = leaf.map_or(String::new(), |leaf| hex(&leaf));
        let text = format!("{FORM}\n{}\n{next}\n{under_way}\n{leaf}\n", self.origin);
        let folder = self.file.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        replace(&self.file, text.as_bytes())?;
        self.kept = Some(self.now);
        Ok(())
    }
}

fn parse(text: &str) -> Option<(&str, Now)> {
    let lines: Vec<_> = text.strip_suffix('\n')?.split('\n').collect();
    let [FORM, origin, next, under_way, leaf] = lines[..] else { return None };
    let under_way = match under_way {
        "" => None,
        seq => Some(seq.parse().ok()?),
    };
    let leaf = match leaf {
        "" => None,
        digits => Some(digest(digits)?),
    };
    Some((origin, Now { next: next.parse().ok()?, under_way, leaf }))
}

/// Puts `bytes` in the place of what `path` holds: a crash at any moment leaves the old file or the new one, and it is the new one, on
/// the disk, once this has returned.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    let part = PathBuf::from(name);
    let mut file = File::create(&part)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&part, path)?;
    let folder = path.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_found_again_and_belongs_to_one_log() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("after/outbox");
        assert!(Position::read(&file).unwrap().is_none());
        let mut position = Position::at(&file, "a/1", 7);
        assert_eq!(position.unkept(), u64::MAX);
        position.begin(9).unwrap();
        let read = || Position::read(&file).unwrap().unwrap();
        assert_eq!((read().next(), read().was_begun(9), read().was_begun(8)), (7, true, false));
        assert_eq!((read().origin(), read().leaf()), ("a/1", None));
        position.move_behind(9, [0xab; 32]);
        assert_eq!(position.unkept(), 3);
        position.keep().unwrap();
        assert_eq!((read().next(), read().was_begun(9), read().leaf()), (10, false, Some([0xab; 32])));
        position.move_to(11);
        assert_eq!(position.leaf(), None, "it is that of the record before");
        for wrong in [
            "",
            "keystation-position/v1\na/1\n7\n\n",
            "keystation-position/v2\na/1\n7\n\n",
            "keystation-position/v2\na/1\n-7\n\n\n",
            "keystation-position/v2\na/1\n7\n\nabab\n",
            "keystation-position/v2\na/1\n7\n\n\n\n",
            "\u{0}",
        ] {
            fs::write(&file, wrong).unwrap();
            assert!(Position::read(&file).unwrap().is_none(), "{wrong:?}");
        }
        fs::write(&file, [0xff]).unwrap();
        assert!(Position::read(&file).unwrap().is_none());
    }
}
