//! The pepper: what a copy of `people.json` alone lacks.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::file_error::{PeopleFileError, private};
use crate::error::StationError;
use crate::random;

/// 32 random bytes of this station, in `pepper.key` as 64 hexadecimal digits and a line feed. Wiped when dropped.
pub(super) struct Pepper(Box<Zeroizing<[u8; 32]>>);

impl Pepper {
    /// The pepper that is kept there.
    pub(super) fn read(path: &Path) -> Result<Self, PeopleFileError> {
        let unreadable = |cause| PeopleFileError::Unreadable { path: path.to_owned(), cause };
        let file = File::open(path).map_err(|cause| match cause.kind() {
            ErrorKind::NotFound => PeopleFileError::NoPepper(path.to_owned()),
            _ => unreadable(cause),
        })?;
        private(&file, path)?;
        let mut text = Zeroizing::new([0; 66]);
        let mut length = 0;
        loop {
            match (&file).read(&mut text[length..]).map_err(unreadable)? {
                0 => break,
                more => length += more,
            }
        }
        Self::parse(&text[..length]).ok_or_else(|| PeopleFileError::Form(path.to_owned()))
    }

    fn parse(text: &[u8]) -> Option<Self> {
        let digits = text.strip_suffix(b"\n").filter(|digits| digits.len() == 64)?;
        let mut pepper = Self(Box::new(Zeroizing::new([0; 32])));
        for (byte, pair) in pepper.0.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Some(pepper)
    }

    /// Makes one where there is none yet.
    pub(super) fn make(path: &Path) -> Result<Self, StationError> {
        let pepper = Self(Box::new(Zeroizing::new(random::bytes()?)));
        let mut text = Zeroizing::new(Vec::with_capacity(65));
        for byte in pepper.0.iter() {
            text.extend([byte >> 4, byte & 15].map(|d| b"0123456789abcdef"[usize::from(d)]));
        }
        text.push(b'\n');
        let write = || {
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
            file.write_all(&text)?;
            file.sync_all()?;
            File::open(path.parent().unwrap_or(Path::new("/")))?.sync_all()
        };
        write().map_err(|cause| StationError::Disk { path: path.to_owned(), cause })?;
        Ok(pepper)
    }

    /// HMAC-SHA256(pepper, `domain` ‖ 00 ‖ `text`): what a PIN becomes before it is hashed, and what is kept of a badge.
    pub(super) fn tag(&self, domain: &str, text: &[u8]) -> Zeroizing<[u8; 32]> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&**self.0).expect("HMAC takes keys of any length");
        mac.update(domain.as_bytes());
        mac.update(&[0]);
        mac.update(text);
        Zeroizing::new(mac.finalize().into_bytes().into())
    }

    #[cfg(test)]
    pub(super) fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Box::new(Zeroizing::new(bytes)))
    }
}

fn digit(character: u8) -> Option<u8> {
    match character {
        b'0'..=b'9' => Some(character - b'0'),
        b'a'..=b'f' => Some(character - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pepper_is_read_as_it_was_made_and_never_made_twice() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pepper.key");
        assert!(matches!(Pepper::read(&path), Err(PeopleFileError::NoPepper(_))));
        let made = Pepper::make(&path).unwrap();
        assert_eq!(*Pepper::read(&path).unwrap().0, *made.0);
        assert!(Pepper::make(&path).is_err());
        for damaged in [&b""[..], &[b'0'; 64], &[b'0'; 66], b"0\n", &[[b'A'; 64].as_slice(), b"\n"].concat()]
        {
            std::fs::write(&path, damaged).unwrap();
            assert!(matches!(Pepper::read(&path), Err(PeopleFileError::Form(_))), "{damaged:?}");
        }
    }
}
