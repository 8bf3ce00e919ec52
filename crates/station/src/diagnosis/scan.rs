//! The proof that a text holds no secret: nothing in it looks like one, and none that this station has is in it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use base64ct::{Base64, Base64UrlUnpadded, Encoding};
use zeroize::Zeroizing;

use crate::data_dir::DataDir;

/// Something that does not belong into a diagnostic bundle: where, and of what kind. Never what.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the bundle is not saved: its section `{section}`, line {line}, character {character}, has {kind}")]
pub struct NotClean {
    /// Which part of it.
    pub section: &'static str,
    /// Line of that section, from 1.
    pub line: usize,
    /// Where it begins on the line, from 1.
    pub character: usize,
    /// What it looks like.
    pub kind: &'static str,
}

/// Beginnings of what is secret wherever it stands; compared without regard to case.
const MARKS: [&str; 8] = [
    "sharedaccess",
    "sig=",
    "age-secret-key",
    "private+key",
    "-----begin",
    "$argon2",
    "password",
    "accountkey",
];

/// Characters of 16 bytes in Base64 without padding: the shortest group key.
const SHORTEST: usize = 22;
/// Digits of the shortest PIN. The bundle groups its own numbers, so that none of them is as long.
const PIN: usize = 6;
/// Hexadecimal digits of 16 bytes.
const HEX: usize = 32;

/// Secrets of this station, in every spelling in which they could stand in a text. Wiped when dropped.
pub(super) struct Known(Vec<Zeroizing<String>>);

impl Known {
    /// What the files of the station say that are secret and are no ciphertext: signing keys, pepper, hashes of PINs, tags of badges,
    /// private parts of key cards. A file that cannot be read says nothing; what it holds still looks like a secret.
    pub(super) fn of(data: &DataDir) -> Self {
        let mut known = Self(Vec::new());
        let mut files = vec![data.path().join("station.key"), data.pepper(), data.people()];
        let inside = |folder: &Path| {
            fs::read_dir(folder)
                .into_iter()
                .flatten()
                .filter_map(|entry| Some(entry.ok()?.path()))
                .collect::<Vec<_>>()
        };
        files.extend(inside(&data.cards()));
        files.extend(inside(&data.path().join("epochs")).iter().map(|epoch| epoch.join("station.key")));
        for file in files {
            if let Ok(bytes) = fs::read(file) {
                let bytes = Zeroizing::new(bytes);
                known.learn(&String::from_utf8_lossy(&bytes));
            }
        }
        known
    }

    /// Takes every word of `text` that is long enough to be a secret, as it stands and as its bytes are otherwise spelled.
    fn learn(&mut self, text: &str) {
        for word in text.split(|c: char| !is_secret_character(c)) {
            // The last field of a signing key begins behind one of its plus signs, and may have some itself.
            let whole = word.trim_end_matches('=');
            for part in whole.match_indices('+').map(|(at, _)| &whole[at + 1..]).chain([whole]) {
                if part.len() < SHORTEST {
                    continue;
                }
                self.0.push(Zeroizing::new(part.to_owned()));
                if let Some(bytes) = bytes_of(part) {
                    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                    self.0.push(Zeroizing::new(hex.to_uppercase()));
                    self.0.push(Zeroizing::new(hex));
                    self.0
                        .push(Zeroizing::new(Base64::encode_string(&bytes).trim_end_matches('=').to_owned()));
                    self.0.push(Zeroizing::new(Base64UrlUnpadded::encode_string(&bytes)));
                }
            }
        }
    }

    /// Where the first of them stands in `line`.
    fn find(&self, line: &str) -> Option<usize> {
        self.0.iter().filter_map(|secret| line.find(secret.as_str())).min()
    }
}

fn bytes_of(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let hex = text.len().is_multiple_of(2) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if hex {
        let pair = |at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok();
        return (0..text.len()).step_by(2).map(pair).collect::<Option<Vec<_>>>().map(Zeroizing::new);
    }
    let padded = format!("{text}{}", &"==="[..(4 - text.len() % 4) % 4]);
    Base64::decode_vec(&padded).ok().map(Zeroizing::new)
}

/// The first thing in a section that does not belong there.
pub(super) fn examine(section: &'static str, text: &str, known: &Known) -> Result<(), NotClean> {
    for (number, line) in text.lines().enumerate() {
        let looks = known.find(line).map(|at| (at, "a secret of this station")).or_else(|| suspicious(line));
        if let Some((at, kind)) = looks {
            let character = line[..at].chars().count() + 1;
            return Err(NotClean { section, line: number + 1, character, kind });
        }
    }
    Ok(())
}

/// What looks like a secret in a line, and at which byte it begins.
fn suspicious(line: &str) -> Option<(usize, &'static str)> {
    let lower = line.to_ascii_lowercase();
    if let Some(at) = MARKS.iter().filter_map(|mark| lower.find(mark)).min() {
        return Some((at, "the mark of a secret"));
    }
    let pins = runs(line, |c| c.is_ascii_digit()).find(|(_, run)| run.len() >= PIN);
    if let Some((at, _)) = pins {
        return Some((at, "digits as of a PIN"));
    }
    if let Some((at, _)) = runs(line, |c| c.is_ascii_hexdigit()).find(|(_, run)| run.len() >= HEX) {
        return Some((at, "hexadecimal digits as of a key"));
    }
    let keys = |run: &str| run.len() >= SHORTEST && is_mixed(run);
    runs(line, is_secret_character).find(|(_, run)| keys(run)).map(|(at, _)| (at, "Base64 as of a key"))
}

/// Characters of Base64 in both of its alphabets.
const fn is_secret_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=' | '_' | '-')
}

/// Runs of characters of a kind, and where they begin.
fn runs(line: &str, of: impl Fn(char) -> bool) -> impl Iterator<Item = (usize, &str)> {
    line.split(move |c| !of(c)).map(move |run| (run.as_ptr() as usize - line.as_ptr() as usize, run))
}

/// Not words: more than lower-case letters, and as many different characters as random ones have.
fn is_mixed(run: &str) -> bool {
    let plain = run.chars().all(|c| c.is_ascii_lowercase() || matches!(c, '-' | '_' | '/'));
    let mut counts = BTreeMap::new();
    run.chars().for_each(|c| *counts.entry(c).or_insert(0_u32) += 1);
    let length = run.len() as f64;
    let bits: f64 =
        counts.values().map(|&count| -f64::from(count) / length * (f64::from(count) / length).log2()).sum();
    let letters: BTreeSet<char> = run.chars().filter(|c| c.is_ascii_lowercase()).collect();
    // Sixteen random letters of lower case have more of the alphabet than words of that length.
    bits >= 3.0 && (!plain || letters.len() > 17 && !run.contains(['-', '_', '/']))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(line: &str) -> Option<&'static str> {
        examine("x", line, &Known(Vec::new())).err().map(|found| found.kind)
    }

    #[test]
    fn what_looks_like_a_secret_is_found() {
        let (key, hex) = ("a key", "hexadecimal digits as of a key");
        for (line, expected) in [
            // Published examples: a group key of 64 bytes, a device key of 32, 16 bytes in both alphabets.
            (
                "k 8isrFI1sGsIlvvFSSFRiMfCNzv21fjbE/+ah/lSh3lF8e2YG1Te7w1KpZhJFFXJrqYKi9yegxkqIChbqOS9Egw==",
                key,
            ),
            ("Jsm0lyGpjaVYVP2g3FnmnmG9dI/9qU24wNoykUmermc=", key),
            ("(AAECAwQFBgcICQoLDA0ODw)", key),
            ("-_8isrFI1sGsIlvvFSSFRg", key),
            ("0ea7f4c1d2938a75feedfacecafe0123", hex),
            ("00000000000000000000000000000000", "digits as of a PIN"),
            ("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", hex),
            ("pin 493027.", "digits as of a PIN"),
            ("HostName=x;SharedAccessKey=", "the mark of a secret"),
            ("&SIG=", "the mark of a secret"),
            ("AGE-SECRET-KEY-1", "the mark of a secret"),
            ("PRIVATE+KEY+", "the mark of a secret"),
            ("$argon2id$v=19", "the mark of a secret"),
            ("-----BEGIN", "the mark of a secret"),
        ] {
            let found = kind(line);
            let expected = if expected == key { "Base64 as of a key" } else { expected };
            assert_eq!(found, Some(expected), "{line}");
        }
    }

    #[test]
    fn what_a_bundle_says_is_none() {
        for line in [
            "made 2026-11-26T03:54:53.123Z",
            "12_345_678 records",
            "keystation 0.1.0, build 0a1b-2c3d-4e5f",
            "    12_345  2026-11-26T03:54:53.123Z  inject.result  failed  not-kept",
            "head-behind-the-log-of-another-station",
            "port ttyUSB0 0403:6001",
        ] {
            assert_eq!(kind(line), None, "{line}");
        }
    }

    #[test]
    fn a_secret_of_the_station_is_found_in_any_spelling() {
        let mut known = Known(Vec::new());
        known.learn("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n");
        for line in [
            "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
            "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F",
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        ] {
            let found = examine("x", &format!("\né: {line}"), &known).unwrap_err();
            assert_eq!(
                (found.line, found.character, found.kind),
                (2, 4, "a secret of this station"),
                "{line}"
            );
            assert!(!found.to_string().contains(line));
        }
    }
}
