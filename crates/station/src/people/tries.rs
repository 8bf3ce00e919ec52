//! `tries.json`: PINs that were tried where the log does not open, so that no record counts them (docs/people.md, section 4).

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use keystation_audit::BootId;
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};

use super::file_error::{PeopleFileError, private};
use super::throttle::{LOCKED_OUT_AT, Moment};
use crate::data_dir::DataDir;
use crate::error::StationError;
use crate::files;

/// Bytes at most: more than a thousand people.
const LIMIT: u64 = 1 << 18;

const FORMAT: &str = "keystation-tries/v1";

/// The tries of one person that no record counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tried {
    /// How many since the last right one: 1 to ten.
    pub(super) wrong: u32,
    /// When the last of them was.
    pub(super) last: Moment,
}

/// All of them, by person. One program at a time has the file, until this is dropped.
pub(super) struct Tries {
    path: PathBuf,
    by_user: BTreeMap<String, Tried>,
    /// The directory, locked: the file in it is replaced, so its own lock would be another one each time.
    _lock: File,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    format: String,
    tries: Vec<Line>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    boot: String,
    mono: u64,
    user: String,
    wrong: u32,
}

impl Tries {
    /// Those of a station; waits for another program that has them.
    pub(super) fn take(data: &DataDir) -> Result<Self, StationError> {
        let disk = |cause| StationError::Disk { path: data.path().to_owned(), cause };
        let lock = File::open(data.path()).map_err(disk)?;
        flock(&lock, FlockOperation::LockExclusive).map_err(|cause| disk(cause.into()))?;
        let path = data.tries();
        Ok(Self { by_user: read(&path)?, path, _lock: lock })
    }

    /// Those of `user`.
    pub(super) fn of(&self, user: &str) -> Option<&Tried> {
        self.by_user.get(user)
    }

    /// All of them, by person.
    pub(super) fn all(&self) -> impl Iterator<Item = (&str, &Tried)> {
        self.by_user.iter().map(|(user, tried)| (user.as_str(), tried))
    }

    /// One more of `user`; it is on the disk when this returns.
    pub(super) fn count(&mut self, user: &str, now: Moment) -> Result<(), StationError> {
        let wrong = self.of(user).map_or(0, |tried| tried.wrong) + 1;
        self.by_user.insert(user.to_owned(), Tried { wrong, last: now });
        self.keep()
    }

    /// Those of `user` count no more.
    pub(super) fn forget(&mut self, user: &str) -> Result<(), StationError> {
        if self.by_user.remove(user).is_some() { self.keep() } else { Ok(()) }
    }

    fn keep(&self) -> Result<(), StationError> {
        let put = || {
            if !self.by_user.is_empty() {
                return files::replace(&self.path, to_text(&self.by_user).as_bytes());
            }
            match fs::remove_file(&self.path) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            // That it is gone is durable when the directory is.
            File::open(self.path.parent().unwrap_or(Path::new("/")))?.sync_all()
        };
        put().map_err(|cause| StationError::Disk { path: self.path.clone(), cause })
    }
}

fn read(path: &Path) -> Result<BTreeMap<String, Tried>, PeopleFileError> {
    let unreadable = |cause| PeopleFileError::Unreadable { path: path.to_owned(), cause };
    let flags = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
    let file = match OpenOptions::new().read(true).custom_flags(flags).open(path) {
        Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(BTreeMap::new()),
        opened => opened.map_err(unreadable)?,
    };
    private(&file, path)?;
    let mut text = String::new();
    file.take(LIMIT + 1).read_to_string(&mut text).map_err(unreadable)?;
    parse(&text).ok_or_else(|| PeopleFileError::Form(path.to_owned()))
}

/// `None`: it is not the one spelling that these tries have.
fn parse(text: &str) -> Option<BTreeMap<String, Tried>> {
    let document: Document = serde_json::from_str(text).ok().filter(|_| text.len() as u64 <= LIMIT)?;
    let mut by_user = BTreeMap::new();
    for Line { boot, mono, user, wrong } in document.tries {
        crate::config::plain_id(&user).ok()?;
        boot.parse::<BootId>().ok().filter(|_| (1..=LOCKED_OUT_AT).contains(&wrong))?;
        by_user.insert(user, Tried { wrong, last: Moment { boot, mono_ms: mono } });
    }
    let found = document.format == FORMAT && !by_user.is_empty() && to_text(&by_user) == text;
    found.then_some(by_user)
}

fn to_text(by_user: &BTreeMap<String, Tried>) -> String {
    let line = |(user, Tried { wrong, last }): (&String, &Tried)| Line {
        boot: last.boot.clone(),
        mono: last.mono_ms,
        user: user.clone(),
        wrong: *wrong,
    };
    let document = Document { format: FORMAT.to_owned(), tries: by_user.iter().map(line).collect() };
    let mut text = serde_json::to_string(&document).expect("texts and numbers can be written");
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOOT: &str = "9f0c2b1e-5d1f-4a52-9c0e-2f6f1f0f7a11";

    fn at(mono_ms: u64) -> Moment {
        Moment { boot: BOOT.to_owned(), mono_ms }
    }

    #[test]
    fn what_was_counted_is_there_for_the_next_and_private() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let data = DataDir::new(dir.path().to_owned());
        let mut tries = Tries::take(&data).unwrap();
        assert_eq!(tries.of("ad-1"), None);
        tries.count("ad-2", at(4)).unwrap();
        tries.count("ad-1", at(5)).unwrap();
        tries.count("ad-1", at(6)).unwrap();
        drop(tries);
        assert_eq!(fs::metadata(data.tries()).unwrap().permissions().mode() & 0o777, 0o600);
        // The example of docs/people.md.
        let printed = format!(
            "{{\"format\":\"keystation-tries/v1\",\"tries\":[{{\"boot\":\"{BOOT}\",\"mono\":6,\"user\":\"ad-1\",\"wrong\":2}},\
             {{\"boot\":\"{BOOT}\",\"mono\":4,\"user\":\"ad-2\",\"wrong\":1}}]}}\n"
        );
        assert_eq!(fs::read_to_string(data.tries()).unwrap(), printed);
        let mut tries = Tries::take(&data).unwrap();
        assert_eq!(tries.of("ad-1"), Some(&Tried { wrong: 2, last: at(6) }));
        assert_eq!(tries.all().count(), 2);
        tries.forget("ad-1").unwrap();
        tries.forget("ad-1").unwrap();
        tries.forget("ad-2").unwrap();
        assert!(!data.tries().exists() && Tries::take(&DataDir::new(dir.path().join("none"))).is_err());
    }

    #[test]
    fn one_program_at_a_time_counts() {
        let dir = tempfile::tempdir().unwrap();
        let data = DataDir::new(dir.path().to_owned());
        let threads: Vec<_> = (0..8)
            .map(|number| {
                let data = data.clone();
                std::thread::spawn(move || Tries::take(&data).unwrap().count("ad-1", at(number)).unwrap())
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(Tries::take(&data).unwrap().of("ad-1").unwrap().wrong, 8);
    }

    /// It is never taken for a file in which nobody tried anything.
    #[test]
    fn any_other_spelling_is_damage() {
        let line = |user: &str, wrong: &str| {
            format!("{{\"boot\":\"{BOOT}\",\"mono\":6,\"user\":\"{user}\",\"wrong\":{wrong}}}")
        };
        let file = |lines: &[String]| {
            format!("{{\"format\":\"keystation-tries/v1\",\"tries\":[{}]}}\n", lines.join(","))
        };
        let good = file(&[line("ad-1", "2"), line("ad-2", "10")]);
        assert_eq!(parse(&good).unwrap().len(), 2);
        for (what, damaged) in [
            ("empty", String::new()),
            ("nobody", file(&[])),
            ("no line feed", good.trim_end().to_owned()),
            ("none", file(&[line("ad-1", "0")])),
            ("eleven", file(&[line("ad-1", "11")])),
            ("fewer than none", file(&[line("ad-1", "-1")])),
            ("an ID that is none", file(&[line("ad 1", "2")])),
            ("another order", file(&[line("ad-2", "2"), line("ad-1", "2")])),
            ("one twice", file(&[line("ad-1", "2"), line("ad-1", "2")])),
            ("no start of a machine", good.replacen(BOOT, "today", 1)),
            ("another format", good.replace("/v1", "/v2")),
            ("a blank", good.replacen(':', ": ", 1)),
            ("an unknown field", good.replacen("{\"boot\"", "{\"also\":1,\"boot\"", 1)),
        ] {
            assert!(damaged != good && parse(&damaged).is_none(), "{what}");
        }
        let dir = tempfile::tempdir().unwrap();
        let data = DataDir::new(dir.path().to_owned());
        fs::write(data.tries(), "").unwrap();
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(data.tries(), fs::Permissions::from_mode(0o600)).unwrap();
        assert!(matches!(Tries::take(&data), Err(StationError::People(PeopleFileError::Form(_)))));
    }
}
