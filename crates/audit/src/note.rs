//! Signed notes with Ed25519 (<https://c2sp.org/signed-note>): the signature on a checkpoint, and its keys.

use std::fmt;
use std::str::FromStr;

use base64ct::{Base64, Encoding};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// The signature type of Ed25519, the byte before the public key in a key's text.
const ED25519: u8 = 0x01;

/// Bytes of a note at most. A checkpoint has about 250; witnesses add about 150 each.
const NOTE_LIMIT: usize = 16 * 1024;

/// A text is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not `<name>+<8 hexadecimal digits>+<Base64>`.
    #[error("it is not of the form <name>+<key ID>+<Base64>")]
    Form,
    /// The type byte is not that of such a key: 01 for a log, 04 for a witness.
    #[error(
        "it is a key of another type: a log has an Ed25519 key (01), a witness one for cosignatures (04)"
    )]
    Type,
    /// The key ID is not the one of this name and key.
    #[error("its key ID does not belong to its name and key")]
    Id,
    /// The 32 bytes are no public key.
    #[error("its bytes are no Ed25519 public key")]
    Point,
}

/// A note that is not what its key would have signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// Not a text, a blank line and signature lines, or too long.
    #[error("it is not a signed note")]
    Form,
    /// There is no signature of the key.
    #[error("it is not signed by the key of this log")]
    Unsigned,
    /// There is one, and it is wrong.
    #[error("its signature does not belong to its text")]
    Signature,
}

/// The public half of a log's key, written as a C2SP vkey:
/// `<name>+<key ID, 8 hexadecimal digits>+<Base64 of 01 ‖ public key>`.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    id: [u8; 4],
    key: VerifyingKey,
}

impl VerifierKey {
    fn new(name: &str, key: VerifyingKey) -> Self {
        Self { name: name.to_owned(), id: key_id(name, ED25519, &key), key }
    }

    /// The name of the key, which is the origin of the log.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key ID: the first 4 bytes of SHA-256(name ‖ 0A ‖ 01 ‖ public key).
    #[must_use]
    pub const fn id(&self) -> [u8; 4] {
        self.id
    }

    /// Checks a signed note and gives back its text, the final newline included. Signatures of other keys are
    /// passed over, as the specification wants it; a wrong one of this key refuses the note.
    pub fn open<'a>(&self, note: &'a str) -> Result<&'a str, NoteError> {
        self.open_within(note, NOTE_LIMIT)
    }

    /// The same for a note of at most `limit` bytes.
    pub fn open_within<'a>(&self, note: &'a str, limit: usize) -> Result<&'a str, NoteError> {
        let (text, lines) = split_within(note, limit)?;
        let mut signed = false;
        for line in lines.iter().filter(|line| line.name == self.name && line.id == self.id) {
            let signature = Signature::from_slice(&line.value).map_err(|_| NoteError::Signature)?;
            // Strict: no small-order keys, no second signature made out of the first.
            self.key.verify_strict(text.as_bytes(), &signature).map_err(|_| NoteError::Signature)?;
            signed = true;
        }
        if signed { Ok(text) } else { Err(NoteError::Unsigned) }
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [&[ED25519][..], self.key.as_bytes()].concat();
        write!(f, "{}+{}+{}", self.name, hex(self.id), Base64::encode_string(&bytes))
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifierKey({self})")
    }
}

impl FromStr for VerifierKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, id, bytes) = parts(text, ED25519)?;
        let key = VerifyingKey::from_bytes(&bytes).map_err(|_| KeyError::Point)?;
        let this = Self::new(name, key);
        if hex(this.id) == id { Ok(this) } else { Err(KeyError::Id) }
    }
}

/// The private half of a log's key. Cannot be printed or cloned; wiped when it is dropped.
pub struct Signer {
    /// In one heap cell, so that moving the signer leaves no copy behind.
    key: Box<SigningKey>,
    verifier: VerifierKey,
}

impl Signer {
    /// A new key, out of the random numbers of the operating system.
    pub fn generate(name: &str) -> Result<Self, getrandom::Error> {
        let mut seed = Zeroizing::new([0; 32]);
        getrandom::fill(&mut *seed)?;
        Ok(Self::from_seed(name, &seed))
    }

    /// The key of a seed of 32 bytes (RFC 8032 section 5.1.5).
    #[must_use]
    pub fn from_seed(name: &str, seed: &[u8; 32]) -> Self {
        let key = Box::new(SigningKey::from_bytes(seed));
        let verifier = VerifierKey::new(name, key.verifying_key());
        Self { key, verifier }
    }

    /// Reads the text that [`Signer::to_text`] writes.
    pub fn from_text(text: &str) -> Result<Self, KeyError> {
        let (name, id, seed) = parts(text.strip_prefix(PRIVATE).ok_or(KeyError::Form)?, ED25519)?;
        let signer = Self::from_seed(name, &seed);
        if hex(signer.verifier.id) == id { Ok(signer) } else { Err(KeyError::Id) }
    }

    /// `PRIVATE+KEY+<name>+<key ID>+<Base64 of 01 ‖ seed>`, the form that Go's `golang.org/x/mod/sumdb/note` keeps
    /// keys in. Secret: for the key file only.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        private_text(&self.verifier.name, self.verifier.id, ED25519, &self.key)
    }

    /// The public half.
    #[must_use]
    pub const fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// `text`, which ends with a newline, as a signed note.
    #[must_use]
    pub fn sign(&self, text: &str) -> String {
        let signature = self.key.sign(text.as_bytes());
        format!("{text}\n{}", signature_line(&self.verifier.name, self.verifier.id, &signature.to_bytes()))
    }
}

/// A signature line of a note, not yet checked.
pub(crate) struct Line<'a> {
    pub(crate) name: &'a str,
    pub(crate) id: [u8; 4],
    /// What stands behind the key ID: at least one byte.
    pub(crate) value: Vec<u8>,
}

/// The text of a note, its final newline included, and the signature lines, at least one.
pub(crate) fn split(note: &str) -> Result<(&str, Vec<Line<'_>>), NoteError> {
    split_within(note, NOTE_LIMIT)
}

fn split_within(note: &str, limit: usize) -> Result<(&str, Vec<Line<'_>>), NoteError> {
    if note.len() > limit || note.bytes().any(|byte| byte < 0x20 && byte != b'\n') {
        return Err(NoteError::Form);
    }
    let blank = note.rfind("\n\n").ok_or(NoteError::Form)?;
    let (text, lines) = (&note[..=blank], &note[blank + 2..]);
    let lines = lines.strip_suffix('\n').ok_or(NoteError::Form)?;
    let lines = lines.split('\n').map(|line| Line::parse(line).ok_or(NoteError::Form));
    Ok((text, lines.collect::<Result<_, _>>()?))
}

impl<'a> Line<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let (name, value) = line.strip_prefix("\u{2014} ")?.split_once(' ')?;
        let value = Base64::decode_vec(value).ok()?;
        let (id, rest) = value.split_first_chunk()?;
        (is_name(name) && !rest.is_empty()).then(|| Self { name, id: *id, value: rest.to_vec() })
    }
}

/// The line that a signature stands in, with its newline.
pub(crate) fn signature_line(name: &str, id: [u8; 4], value: &[u8]) -> String {
    format!("\u{2014} {name} {}\n", Base64::encode_string(&[&id[..], value].concat()))
}

/// The first four bytes of SHA-256(name ‖ 0A ‖ kind ‖ public key).
pub(crate) fn key_id(name: &str, kind: u8, key: &VerifyingKey) -> [u8; 4] {
    let digest = Sha256::digest([name.as_bytes(), b"\n", &[kind], key.as_bytes()].concat());
    [digest[0], digest[1], digest[2], digest[3]]
}

/// How a private key begins in its file.
pub(crate) const PRIVATE: &str = "PRIVATE+KEY+";

/// `PRIVATE+KEY+<name>+<key ID>+<Base64 of kind ‖ seed>`.
pub(crate) fn private_text(name: &str, id: [u8; 4], kind: u8, key: &SigningKey) -> Zeroizing<String> {
    let mut bytes = Zeroizing::new([kind; 33]);
    bytes[1..].copy_from_slice(key.as_bytes());
    let secret = Zeroizing::new(Base64::encode_string(&*bytes));
    let mut text = Zeroizing::new(String::with_capacity(PRIVATE.len() + name.len() + 60));
    for part in [PRIVATE, name, "+", &hex(id), "+", &secret] {
        text.push_str(part);
    }
    text
}

pub(crate) fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.chars().any(|c| c.is_whitespace() || c == '+')
}

/// Name, key ID and the 32 bytes behind the type. The Base64 may hold a `+` of its own.
pub(crate) fn parts(text: &str, kind: u8) -> Result<(&str, &str, Zeroizing<[u8; 32]>), KeyError> {
    let [name, id, value] = text.splitn(3, '+').collect::<Vec<_>>()[..] else {
        return Err(KeyError::Form);
    };
    let mut bytes = Zeroizing::new([0; 33]);
    let length = Base64::decode(value, &mut *bytes).map_err(|_| KeyError::Form)?.len();
    if !is_name(name) || id.len() != 8 || length != bytes.len() {
        return Err(KeyError::Form);
    }
    if bytes[0] != kind {
        return Err(KeyError::Type);
    }
    let mut key = Zeroizing::new([0; 32]);
    key.copy_from_slice(&bytes[1..]);
    Ok((name, id, key))
}

pub(crate) fn hex(id: [u8; 4]) -> String {
    format!("{:08x}", u32::from_be_bytes(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A compiler error is the test: with one of these traits `ambiguous` would be ambiguous.
    macro_rules! lacks {
        ($type:ty: $($ability:path),+) => {$({
            trait Ambiguous<A> { fn ambiguous() {} }
            impl<T: ?Sized> Ambiguous<()> for T {}
            #[allow(dead_code)]
            struct Has;
            impl<T: ?Sized + $ability> Ambiguous<Has> for T {}
            let () = <$type as Ambiguous<_>>::ambiguous();
        })+};
    }

    #[test]
    fn signing_key_lacks_what_would_leak_it() {
        lacks!(Signer: fmt::Debug, fmt::Display, Clone, AsRef<[u8]>);
    }

    /// From the documentation of golang.org/x/mod/sumdb/note.
    const SKEY: &str = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
    const VKEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    const TEXT: &str = "If you think cryptography is the answer to your problem,\n\
                        then you don't know what your problem is.\n";
    const SIGNATURE: &str =
        "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=";

    fn published() -> String {
        format!("{TEXT}\n\u{2014} PeterNeumann {SIGNATURE}\n")
    }

    #[test]
    fn published_note_is_signed_and_opened() {
        let signer = Signer::from_text(SKEY).unwrap();
        assert_eq!(signer.sign(TEXT), published());
        assert_eq!(signer.to_text().as_str(), SKEY);
        assert_eq!(signer.verifier().to_string(), VKEY);
        assert_eq!(VKEY.parse::<VerifierKey>().unwrap().open(&published()), Ok(TEXT));
    }

    /// <https://c2sp.org/signed-note>, section "Verifier keys", as of 2026.
    #[test]
    fn note_of_the_specification_is_opened() {
        let key: VerifierKey =
            "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k".parse().unwrap();
        let note = "This is an example message.\n\n\u{2014} example.com/foo \
                    Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";
        assert_eq!(key.open(note), Ok("This is an example message.\n"));
    }

    /// RFC 8032 section 7.1, tests 1 to 3.
    #[test]
    fn signatures_are_those_of_rfc_8032() {
        let rows = [
            (
                "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
                "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
                "",
                "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b\
                 d25bf5f0595bbe24655141438e7a100b",
            ),
            (
                "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
                "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
                "72",
                "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c\
                 387b2eaeb4302aeeb00d291612bb0c00",
            ),
            (
                "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
                "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
                "af82",
                "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc659\
                 4a7c15e9716ed28dc027beceea1ec40a",
            ),
        ];
        let bytes = |hex: &str| -> Vec<u8> {
            (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap()).collect()
        };
        for (seed, public, message, signature) in rows {
            let signer = Signer::from_seed("x", &bytes(seed).try_into().unwrap());
            assert_eq!(signer.verifier().key.as_bytes()[..], bytes(public));
            assert_eq!(signer.key.sign(&bytes(message)).to_bytes()[..], bytes(signature));
            let signature = Signature::from_slice(&bytes(signature)).unwrap();
            assert!(signer.verifier().key.verify_strict(&bytes(message), &signature).is_ok());
        }
    }

    #[test]
    fn other_signatures_are_passed_over_and_a_wrong_one_is_not() {
        let key: VerifierKey = VKEY.parse().unwrap();
        let unknown =
            "\u{2014} witness.example/w 2QEwEwAAAABqQaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n";
        assert_eq!(key.open(&format!("{}{unknown}", published())), Ok(TEXT));
        assert_eq!(key.open(&published().replace("think", "thing")), Err(NoteError::Signature));
        assert_eq!(
            key.open(&format!(
                "{}{}",
                published(),
                format!("\u{2014} PeterNeumann {SIGNATURE}\n").replace("ZJ", "ZK")
            )),
            Err(NoteError::Signature)
        );
        assert_eq!(key.open(&format!("{TEXT}\n{unknown}")), Err(NoteError::Unsigned));
        assert_eq!(key.open(&published().replace("PeterN", "PeteRN")), Err(NoteError::Unsigned));
    }

    #[test]
    fn note_has_one_form() {
        let key: VerifierKey = VKEY.parse().unwrap();
        let good = published();
        for note in [
            String::new(),
            TEXT.to_owned(),
            good.trim_end().to_owned(),
            good.replace("\n\n", "\n"),
            good.replace('\u{2014}', "-"),
            good.replace("problem,\n", "problem,\r\n"),
            good.replace("nAM=", "nAM"),
            format!("{good}\n"),
            format!("{good}\u{2014} x AAAA\n"),
            format!("{}{good}", "a".repeat(NOTE_LIMIT)),
        ] {
            assert_eq!(key.open(&note), Err(NoteError::Form), "{note}");
        }
    }

    #[test]
    fn key_text_has_one_form() {
        let key = |text: &str| text.parse::<VerifierKey>().map(|_| ());
        assert_eq!(key(VKEY), Ok(()));
        assert_eq!(key(&VKEY.replace("c74f20a3", "c74f20a4")), Err(KeyError::Id));
        assert_eq!(key(&VKEY.replace("c74f20a3", "C74F20A3")), Err(KeyError::Id));
        assert_eq!(key(&VKEY.replace("Peter", "Pete")), Err(KeyError::Id));
        assert_eq!(key(&VKEY.replace("ARpc", "AhpC")), Err(KeyError::Type));
        assert_eq!(key(&VKEY.replace("10TW", "10T")), Err(KeyError::Form));
        assert_eq!(key(&VKEY.replacen('+', " ", 1)), Err(KeyError::Form));
        assert_eq!(key(&format!("{VKEY}\n")), Err(KeyError::Form));
        assert_eq!(key(SKEY), Err(KeyError::Form));
        assert_eq!(Signer::from_text(VKEY).err(), Some(KeyError::Form));
        assert_eq!(Signer::from_text(&SKEY.replace("Peter", "Pete")).err(), Some(KeyError::Id));
    }
}
