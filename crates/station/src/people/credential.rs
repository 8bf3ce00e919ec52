//! `people.json`: hashes of PINs and tags of badges. Which of them count, the log says (docs/people.md).

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Read as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::file_error::{PeopleFileError, private};
use super::pin::{PinCost, PinHash};
use crate::error::StationError;
use crate::files;

/// Bytes at most: four thousand credentials.
const LIMIT: u64 = 1 << 20;

/// What authenticates one person, from one change to the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Credential {
    /// Hash of the PIN.
    pub(super) pin: PinHash,
    /// Tag of the badge, 64 hexadecimal digits; empty without one.
    pub(super) badge: String,
}

/// All of them, by person and number. While a change is on its way there are two of a person: the old one and the next.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Credentials(BTreeMap<(String, u64), Credential>);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    format: String,
    people: Vec<Line>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    badge: String,
    cred: u64,
    pin: String,
    user: String,
}

const FORMAT: &str = "keystation-people/v1";

impl Credentials {
    /// What is kept there; nothing where there is no file.
    pub(super) fn read(path: &Path, cost: PinCost) -> Result<Self, PeopleFileError> {
        let unreadable = |cause| PeopleFileError::Unreadable { path: path.to_owned(), cause };
        let flags = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
        let file = match OpenOptions::new().read(true).custom_flags(flags).open(path) {
            Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(Self::default()),
            opened => opened.map_err(unreadable)?,
        };
        private(&file, path)?;
        let mut text = String::new();
        file.take(LIMIT + 1).read_to_string(&mut text).map_err(unreadable)?;
        Self::parse(&text, cost).ok_or_else(|| PeopleFileError::Form(path.to_owned()))
    }

    /// `None`: it is not the one spelling that these credentials have.
    fn parse(text: &str, cost: PinCost) -> Option<Self> {
        let document: Document = serde_json::from_str(text).ok().filter(|_| text.len() as u64 <= LIMIT)?;
        let mut credentials = Self::default();
        for Line { badge, cred, pin, user } in document.people {
            let tag = badge.is_empty() || badge.len() == 64 && badge.bytes().all(is_hex);
            crate::config::plain_id(&user).ok().filter(|_| tag && cred > 0)?;
            let credential = Credential { pin: PinHash::from_text(&pin, cost)?, badge };
            credentials.0.insert((user, cred), credential);
        }
        // Order, blanks, fields that stand twice: whatever else there could be is another text.
        (document.format == FORMAT && credentials.to_text(cost) == text).then_some(credentials)
    }

    fn to_text(&self, cost: PinCost) -> String {
        let line = |((user, cred), credential): (&(String, u64), &Credential)| Line {
            badge: credential.badge.clone(),
            cred: *cred,
            pin: credential.pin.to_text(cost),
            user: user.clone(),
        };
        let document = Document { format: FORMAT.to_owned(), people: self.0.iter().map(line).collect() };
        let mut text = serde_json::to_string(&document).expect("texts and numbers can be written");
        text.push('\n');
        text
    }

    /// Puts the file in the place of the one before. A crash at any moment leaves one or the other.
    pub(super) fn write(&self, path: &Path, cost: PinCost) -> Result<(), StationError> {
        files::replace(path, self.to_text(cost).as_bytes())
            .map_err(|cause| StationError::Disk { path: path.to_owned(), cause })
    }

    /// The one of `user` under this number.
    pub(super) fn get(&self, user: &str, number: u64) -> Option<&Credential> {
        self.0.get(&(user.to_owned(), number))
    }

    /// Puts one beside those that are there.
    pub(super) fn put(&mut self, user: &str, number: u64, credential: Credential) {
        self.0.insert((user.to_owned(), number), credential);
    }

    /// Drops all of `user` but the one under `number`; says whether there were others.
    pub(super) fn keep_only(&mut self, user: &str, number: u64) -> bool {
        let before = self.0.len();
        self.0.retain(|(whose, other), _| whose != user || *other == number);
        self.0.len() < before
    }

    /// Drops what belongs to nobody or was never recorded, as a kill in the middle of a change leaves it. `counts` says
    /// which number of a person counts; of a person whose number is not there everything is left as it was found.
    pub(super) fn tidy(&mut self, counts: impl Fn(&str) -> Option<u64>) -> bool {
        let before = self.0.len();
        let there: Vec<(String, u64)> = self.0.keys().cloned().collect();
        self.0.retain(|(user, number), _| match counts(user) {
            None => false,
            Some(current) => current == *number || !there.contains(&(user.clone(), current)),
        });
        self.0.len() < before
    }

    /// Whose badge this is, under the numbers that count.
    pub(super) fn owner(&self, tag: &str, counts: impl Fn(&str) -> Option<u64>) -> Option<&str> {
        let found = self.0.iter().find(|((user, number), credential)| {
            !tag.is_empty() && credential.badge == tag && counts(user) == Some(*number)
        });
        found.map(|((user, _), _)| user.as_str())
    }
}

fn is_hex(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

#[cfg(test)]
mod tests {
    use super::super::pepper::Pepper;
    use super::super::pin::Pin;
    use super::*;
    use std::fs;

    fn credential(pin: &str, badge: &str) -> Credential {
        let pepper = Pepper::from_bytes([7; 32]);
        let pin = PinHash::of(&Pin::new(pin).unwrap(), &pepper, PinCost::TEST).unwrap();
        Credential { pin, badge: badge.repeat(64) }
    }

    fn two() -> Credentials {
        let mut credentials = Credentials::default();
        credentials.put("cu-2", 1, credential("493027", "a"));
        credentials.put("ad-1", 10, credential("580316", ""));
        credentials.put("ad-1", 9, credential("671425", "b"));
        credentials
    }

    #[test]
    fn what_was_written_is_read_and_private() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("people.json");
        assert_eq!(Credentials::read(&path, PinCost::TEST).unwrap(), Credentials::default());
        two().write(&path, PinCost::TEST).unwrap();
        let read = Credentials::read(&path, PinCost::TEST).unwrap();
        read.write(&path, PinCost::TEST).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(read, Credentials::parse(&text, PinCost::TEST).unwrap());
        let order: Vec<usize> =
            ["\"cred\":9", "\"cred\":10", "cu-2"].map(|part| text.find(part).unwrap()).into();
        assert!(order.is_sorted(), "by person and number: {text}");
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(Credentials::read(&path, PinCost::TEST), Err(PeopleFileError::Exposed(_))));
        let link = dir.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert!(matches!(Credentials::read(&link, PinCost::TEST), Err(PeopleFileError::Unreadable { .. })));
    }

    #[test]
    fn any_other_spelling_is_damage() {
        let text = two().to_text(PinCost::TEST);
        assert!(Credentials::parse(&text, PinCost::TEST).is_some());
        let twice = text.replace("\"cred\":9", "\"cred\":10");
        for (what, damaged) in [
            ("empty", String::new()),
            ("no line feed", text.trim_end().to_owned()),
            ("a blank", text.replacen(":", ": ", 1)),
            ("another format", text.replace("/v1", "/v2")),
            ("an unknown field", text.replacen("{\"badge\"", "{\"also\":1,\"badge\"", 1)),
            ("a field less", text.replacen("\"cred\":9,", "", 1)),
            ("number 0", text.replace("\"cred\":9", "\"cred\":0")),
            ("one twice", twice),
            ("a badge that is no tag", text.replace(&"b".repeat(64), &"B".repeat(64))),
            ("an ID that is none", text.replace("cu-2", "cu 2")),
            ("another cost", text.replace("m=8,", "m=9,")),
            ("another order", text.replace("ad-1", "zz-1")),
            ("more behind it", format!("{text}\n")),
        ] {
            assert!(damaged != text && Credentials::parse(&damaged, PinCost::TEST).is_none(), "{what}");
        }
    }

    #[test]
    fn tidying_leaves_what_counts_and_what_cannot_be_explained() {
        let mut credentials = two();
        credentials.put("nobody", 1, credential("493027", "c"));
        assert!(credentials.tidy(|user| (user == "ad-1").then_some(10).or((user == "cu-2").then_some(3))));
        let left: Vec<_> = credentials.0.keys().map(|(user, number)| (user.as_str(), *number)).collect();
        assert_eq!(left, [("ad-1", 10), ("cu-2", 1)], "cu-2's number 3 is not there: evidence");
        assert!(!credentials.tidy(|user| (user == "ad-1").then_some(10).or((user == "cu-2").then_some(3))));
    }

    #[test]
    fn a_badge_of_a_number_that_does_not_count_is_nobodys() {
        let credentials = two();
        let counts = |number| move |user: &str| (user == "ad-1").then_some(number);
        assert_eq!(credentials.owner(&"b".repeat(64), counts(9)), Some("ad-1"));
        assert_eq!(credentials.owner(&"b".repeat(64), counts(10)), None);
        assert_eq!(credentials.owner("", counts(10)), None, "no badge is nobody's badge");
    }
}
