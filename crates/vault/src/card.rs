//! Key cards: what a station knows of a group key that lives in a TPM or in a token, and where it is to be found there.
//!
//! One file for each key, `<label>.json`, as `docs/vault-format.md` has it. Nothing on a card is secret: what the TPM gave
//! out of a key it has encrypted, and only this TPM can use it.

mod text;

use std::fs::{self, DirBuilder, File};
use std::io::{self, Read as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use keystation_core::key::{CheckValue, GroupKeyInfo, KeyLabel};
use rustix::fs::OFlags;

pub use self::text::CardFault;
use self::text::{read, write};
use crate::custody::CustodyKind;
use crate::error::{ImportError, UnlockError, WriteError};
use crate::permissions::{Exposure, check};
use crate::replace::{Lock, beside, remove, replace, sync_name};

/// Cards in one directory at most.
pub(crate) const CARDS: usize = 64;
/// Bytes of a card at most.
const LIMIT: usize = 4096;

/// One card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Card {
    /// Everything about the key but the key.
    pub info: GroupKeyInfo,
    /// Where it lives.
    pub home: Home,
}

/// Where a key with a card lives, and how it is found there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Home {
    /// In a TPM 2.0, which gave it out as only it can load it.
    Tpm {
        /// `TPM2B_PUBLIC`, 1 to 128 bytes.
        public: Vec<u8>,
        /// `TPM2B_PRIVATE`, 1 to 1024 bytes.
        private: Vec<u8>,
    },
    /// In a PKCS#11 token.
    Pkcs11 {
        /// The token's label, without its padding: 1 to 32 printable ASCII characters but `"` and `\`, no space at the end.
        token: String,
        /// The key's `CKA_ID`, 1 to 32 bytes.
        id: Vec<u8>,
    },
}

impl Home {
    /// Which kind of custody it is.
    #[must_use]
    pub const fn kind(&self) -> CustodyKind {
        match self {
            Self::Tpm { .. } => CustodyKind::Tpm,
            Self::Pkcs11 { .. } => CustodyKind::Pkcs11,
        }
    }
}

/// Cards that cannot be read. As long as one is wrong no key of them is used, and nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum CardError {
    /// The directory or a card cannot be read.
    #[error("the key card {} cannot be read", file.display())]
    Unreadable {
        /// Which.
        file: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// Others than its owner may read or replace it.
    #[error("the key card {} is not private: {exposure}", file.display())]
    Exposed {
        /// Which.
        file: PathBuf,
        /// How.
        exposure: Exposure,
    },
    /// Not the document of a card.
    #[error("the key card {}: {fault}", file.display())]
    Fault {
        /// Which.
        file: PathBuf,
        /// What is wrong.
        fault: CardFault,
    },
    /// One key under two labels.
    #[error("the key cards {} and {} are of the same key", file.display(), other.display())]
    KeyTwice {
        /// One.
        file: PathBuf,
        /// The other.
        other: PathBuf,
    },
    /// More cards than a station takes.
    #[error("there are more than {CARDS} key cards in {}", directory.display())]
    TooMany {
        /// Where.
        directory: PathBuf,
    },
}

impl CardError {
    /// What to do now: one to three steps.
    #[must_use]
    pub const fn remedy(&self) -> &'static [&'static str] {
        match self {
            Self::Unreadable { .. } => &["Check the disk.", "Restore the card from its copy."],
            Self::Exposed { .. } => {
                &["Give it to the station's user: chown.", "Close it: chmod 600.", "Ask who had access."]
            }
            Self::Fault { fault, .. } => match fault {
                CardFault::UnknownVersion | CardFault::UnknownCustody | CardFault::UnknownField { .. } => {
                    &["Update Keystation: a newer version wrote this card."]
                }
                CardFault::FileName(_) => &["Take the copy away, or name it after its label."],
                _ => &["Restore the card from its copy."],
            },
            Self::KeyTwice { .. } => &["Take one of the two away.", "Ask who put it there."],
            Self::TooMany { .. } => &["Destroy keys that no line uses any more."],
        }
    }
}

/// The directory of the cards, of all custodies that have any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cards {
    directory: PathBuf,
}

impl Cards {
    /// The cards in `directory`, which need not be there; nothing is read yet.
    #[must_use]
    pub fn at(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into() }
    }

    /// Where they are.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// All cards, in the order of their labels. Files whose names do not end in `.json` are not looked at; one that is
    /// wrong refuses them all.
    pub fn read(&self) -> Result<Vec<Card>, CardError> {
        let mut files = Vec::new();
        let unreadable = |cause| CardError::Unreadable { file: self.directory.clone(), cause };
        match fs::read_dir(&self.directory) {
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => {}
            Err(cause) => return Err(unreadable(cause)),
            Ok(entries) => {
                for entry in entries {
                    let file = entry.map_err(unreadable)?.path();
                    if file.extension().is_some_and(|ending| ending == "json") {
                        files.push(file);
                    }
                    if files.len() > CARDS {
                        return Err(CardError::TooMany { directory: self.directory.clone() });
                    }
                }
            }
        }
        files.sort();
        let mut cards: Vec<Card> = Vec::with_capacity(files.len());
        for file in files {
            let card = card(&file)?;
            let same = |other: &&Card| other.info.check_value == card.info.check_value;
            if let Some(other) = cards.iter().find(same) {
                return Err(CardError::KeyTwice { file, other: self.file(&other.info.label) });
            }
            cards.push(card);
        }
        Ok(cards)
    }

    /// Those of one custody.
    pub(crate) fn of(&self, kind: CustodyKind) -> Result<Vec<Card>, CardError> {
        let mut cards = self.read()?;
        cards.retain(|card| card.home.kind() == kind);
        Ok(cards)
    }

    /// The right to change them, for as long as it lives. Makes the directory if it is not there, mode 0700.
    pub(crate) fn writer(&self) -> Result<CardWriter<'_>, WriteError> {
        let lock = Lock::take(&beside(&self.directory, ".lock"))?;
        match DirBuilder::new().mode(0o700).create(&self.directory) {
            Ok(()) => sync_name(&self.directory)?,
            Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => {}
            Err(cause) => return Err(WriteError::of(cause)),
        }
        Ok(CardWriter { cards: self, _lock: lock })
    }

    fn file(&self, label: &KeyLabel) -> PathBuf {
        self.directory.join(format!("{label}.json"))
    }
}

/// The one who changes the cards: flock(2) on `<directory>.lock`.
pub(crate) struct CardWriter<'a> {
    cards: &'a Cards,
    _lock: Lock,
}

impl CardWriter<'_> {
    /// Whether a key may come in: its label and its check value are on no card of any custody, and there is room.
    /// Returns the cards that are there.
    pub(crate) fn admit(&self, label: &KeyLabel, check: CheckValue) -> Result<Vec<Card>, ImportError> {
        let cards = self.cards.read().map_err(UnlockError::from)?;
        if cards.iter().any(|card| card.info.label == *label) {
            return Err(ImportError::LabelTaken(label.clone()));
        }
        if let Some(same) = cards.iter().find(|card| card.info.check_value == check) {
            return Err(ImportError::SameKey(same.info.label.clone()));
        }
        if cards.len() == CARDS { Err(ImportError::Full) } else { Ok(cards) }
    }

    /// Writes a card, mode 0600, durable when this returns. It was read again before it got its name.
    pub(crate) fn put(&self, card: &Card) -> Result<(), WriteError> {
        let text = write(card);
        replace(&self.cards.file(&card.info.label), text.as_bytes(), |new| {
            let again = fs::read(new).map_err(WriteError::Failed)?;
            match read(&again) {
                Ok(read) if read == *card => Ok(()),
                _ => Err(WriteError::Failed(io::ErrorKind::InvalidData.into())),
            }
        })
    }

    /// Removes a card; it stays removed after a crash.
    pub(crate) fn remove(&self, label: &KeyLabel) -> Result<(), WriteError> {
        remove(&self.cards.file(label))
    }
}

/// The card in a file, which has to be named after it.
fn card(file: &Path) -> Result<Card, CardError> {
    let unreadable = |cause| CardError::Unreadable { file: file.to_owned(), cause };
    let wrong = |fault| CardError::Fault { file: file.to_owned(), fault };
    let flags = OFlags::NONBLOCK.bits().cast_signed(); // a FIFO would hold the station
    let opened = File::options().read(true).custom_flags(flags).open(file).map_err(unreadable)?;
    if let Some(exposure) = check(&opened).map_err(unreadable)? {
        return Err(CardError::Exposed { file: file.to_owned(), exposure });
    }
    let mut text = Vec::with_capacity(LIMIT + 1);
    opened.take(LIMIT as u64 + 1).read_to_end(&mut text).map_err(unreadable)?;
    if text.len() > LIMIT {
        return Err(wrong(CardFault::NotACard));
    }
    let card = read(&text).map_err(wrong)?;
    let named = file.file_stem().is_some_and(|name| name == card.info.label.as_str());
    if named { Ok(card) } else { Err(wrong(CardFault::FileName(card.info.label))) }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn card_of(label: &str, check: &str) -> Card {
        let info = GroupKeyInfo {
            label: label.parse().unwrap(),
            group: "line-1".parse().unwrap(),
            scope: "0ne00000001".parse().unwrap(),
            slot: keystation_core::key::KeySlot::Primary,
            check_value: check.parse().unwrap(),
            length: 64,
        };
        Card { info, home: Home::Pkcs11 { token: "factory".to_owned(), id: vec![1] } }
    }

    #[test]
    fn card_is_private_stands_until_it_is_removed_and_one_writes_at_a_time() {
        let directory = tempfile::tempdir().unwrap();
        let cards = Cards::at(directory.path().join("keys"));
        assert_eq!(cards.read().unwrap(), []);
        let card = card_of("gk-a", "00000-00000");
        let writer = cards.writer().unwrap();
        assert!(matches!(cards.writer(), Err(WriteError::Busy)));
        writer.put(&card).unwrap();
        let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(cards.file(&card.info.label)), 0o600);
        assert_eq!(mode(cards.directory.clone()), 0o700);
        assert_eq!(cards.read().unwrap(), std::slice::from_ref(&card));
        assert_eq!(cards.of(CustodyKind::Tpm).unwrap(), []);
        writer.remove(&card.info.label).unwrap();
        assert_eq!(cards.read().unwrap(), []);
        assert!(matches!(writer.remove(&card.info.label), Err(WriteError::Failed(_))));
        drop(writer);
        assert!(cards.writer().is_ok());
    }

    #[test]
    fn key_comes_in_once_under_one_label_and_while_there_is_room() {
        let directory = tempfile::tempdir().unwrap();
        let cards = Cards::at(directory.path().join("keys"));
        let writer = cards.writer().unwrap();
        let number = |n: usize| (format!("gk-{n}"), format!("00000-{n:05}"));
        let admit =
            |n: usize, m: usize| writer.admit(&number(n).0.parse().unwrap(), number(m).1.parse().unwrap());
        for n in 0..CARDS {
            assert_eq!(admit(n, n).unwrap().len(), n);
            writer.put(&card_of(&number(n).0, &number(n).1)).unwrap();
        }
        assert!(matches!(admit(CARDS, CARDS), Err(ImportError::Full)));
        assert!(matches!(admit(5, CARDS), Err(ImportError::LabelTaken(label)) if label.as_str() == "gk-5"));
        assert!(matches!(admit(CARDS, 6), Err(ImportError::SameKey(label)) if label.as_str() == "gk-6"));
    }
}
