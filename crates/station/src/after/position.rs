//! How far somebody who follows the log has come: a small file beside it, replaced as a whole.
//!
//! For labels it only saves time: what was printed the log says. Of the outbox it is the truth: an older one delivers records again.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use keystation_core::record::Seq;

/// The first line of the file.
const FORM: &str = "keystation-position/v1";

/// How far one of them is.
#[derive(Debug)]
pub(super) struct Position {
    file: PathBuf,
    origin: String,
    next: Seq,
    under_way: Option<Seq>,
    /// What the file says.
    kept: Option<(Seq, Option<Seq>)>,
}

impl Position {
    /// What the file says of the log `origin`. `None`: nothing that can be used, and then there is none.
    pub(super) fn read(file: &Path, origin: &str) -> io::Result<Option<Self>> {
        let text = match fs::read_to_string(file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => return Ok(None),
            text => text?,
        };
        let Some((next, under_way)) = parse(&text, origin) else { return Ok(None) };
        let kept = Some((next, under_way));
        Ok(Some(Self { file: file.to_owned(), origin: origin.to_owned(), next, under_way, kept }))
    }

    /// At record `next`, and no file says so yet.
    pub(super) fn at(file: &Path, origin: &str, next: Seq) -> Self {
        Self { file: file.to_owned(), origin: origin.to_owned(), next, under_way: None, kept: None }
    }

    /// The record that comes next.
    pub(super) const fn next(&self) -> Seq {
        self.next
    }

    /// Records of which nobody knows yet that they are done.
    pub(super) fn unkept(&self) -> u64 {
        self.kept.map_or(u64::MAX, |(next, _)| self.next.saturating_sub(next))
    }

    /// Moves on; in memory.
    pub(super) fn move_to(&mut self, next: Seq) {
        self.next = next;
        self.under_way = None;
    }

    /// Whether what record `seq` asks for was begun before, and perhaps done.
    pub(super) fn was_begun(&self, seq: Seq) -> bool {
        self.under_way == Some(seq)
    }

    /// What record `seq` asks for is begun now: on the disk when this returns.
    pub(super) fn begin(&mut self, seq: Seq) -> io::Result<()> {
        self.under_way = Some(seq);
        self.keep()
    }

    /// On the disk when this returns.
    pub(super) fn keep(&mut self) -> io::Result<()> {
        let now = (self.next, self.under_way);
        if self.kept == Some(now) {
            return Ok(());
        }
        let under_way = self.under_way.map_or(String::new(), |seq| seq.to_string());
        let text = format!("{FORM}\n{}\n{}\n{under_way}\n", self.origin, self.next);
        let folder = self.file.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        replace(&self.file, text.as_bytes())?;
        self.kept = Some(now);
        Ok(())
    }
}

fn parse(text: &str, origin: &str) -> Option<(Seq, Option<Seq>)> {
    let mut lines = text.strip_suffix('\n')?.split('\n');
    if lines.next()? != FORM || lines.next()? != origin {
        return None;
    }
    let next = lines.next()?.parse().ok()?;
    let under_way = match lines.next()? {
        "" => None,
        seq => Some(seq.parse().ok()?),
    };
    lines.next().is_none().then_some((next, under_way))
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
        assert!(Position::read(&file, "a/1").unwrap().is_none());
        let mut position = Position::at(&file, "a/1", 7);
        assert_eq!(position.unkept(), u64::MAX);
        position.begin(9).unwrap();
        let read = Position::read(&file, "a/1").unwrap().unwrap();
        assert_eq!((read.next(), read.was_begun(9), read.was_begun(8)), (7, true, false));
        position.move_to(10);
        assert_eq!(position.unkept(), 3);
        position.keep().unwrap();
        let read = Position::read(&file, "a/1").unwrap().unwrap();
        assert_eq!((read.next(), read.was_begun(9)), (10, false));
        assert!(Position::read(&file, "a/2").unwrap().is_none(), "of another epoch");
        for wrong in ["", "keystation-position/v1\na/1\n7\n", "keystation-position/v1\na/1\n-7\n\n", "\u{0}"]
        {
            fs::write(&file, wrong).unwrap();
            assert!(Position::read(&file, "a/1").unwrap().is_none(), "{wrong:?}");
        }
        fs::write(&file, [0xff]).unwrap();
        assert!(Position::read(&file, "a/1").unwrap().is_none());
    }
}
