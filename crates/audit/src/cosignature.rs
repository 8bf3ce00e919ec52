//! Cosignatures (<https://c2sp.org/tlog-cosignature>), type Ed25519: what a witness adds to a checkpoint.
//!
//! A signed note may carry lines of any number of keys, so cosignatures of another type (ML-DSA-44 is 06) can stand beside
//! these without a change of the format.

use std::fmt;
use std::str::FromStr;

use base64ct::{Base64, Encoding};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use zeroize::Zeroizing;

use crate::note::{self, KeyError, NoteError};

/// The type of a timestamped Ed25519 cosignature.
const COSIGNATURE: u8 = 0x04;

/// The public half of a witness's key, a vkey of type 04:
/// `<name>+<key ID, 8 hexadecimal digits>+<Base64 of 04 ‖ public key>`.
#[derive(Clone, PartialEq, Eq)]
pub struct WitnessKey {
    name: String,
    id: [u8; 4],
    key: VerifyingKey,
}

impl WitnessKey {
    fn new(name: &str, key: VerifyingKey) -> Self {
        Self { name: name.to_owned(), id: note::key_id(name, COSIGNATURE, &key), key }
    }

    /// The name of the witness.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// When this witness cosigned `note`, in seconds since 1970; `None` where it did not. Of several lines the newest
    /// counts; a wrong one under its name and key ID refuses the note. Says nothing of the signatures of others.
    pub fn cosigned_at(&self, note: &str) -> Result<Option<u64>, NoteError> {
        let (text, lines) = note::split(note)?;
        let mut newest = None;
        for line in lines.iter().filter(|line| line.name == self.name && line.id == self.id) {
            let (time, signature) = line.value.split_first_chunk().ok_or(NoteError::Signature)?;
            let time = u64::from_be_bytes(*time);
            let signature = Signature::from_slice(signature).map_err(|_| NoteError::Signature)?;
            if i64::try_from(time).is_err() {
                return Err(NoteError::Signature);
            }
            self.key
                .verify_strict(message(text, time).as_bytes(), &signature)
                .map_err(|_| NoteError::Signature)?;
            newest = newest.max(Some(time));
        }
        Ok(newest)
    }
}

/// What is signed: `text` is the note without its signatures, the final newline included.
fn message(text: &str, time: u64) -> String {
    format!("cosignature/v1\ntime {time}\n{text}")
}

impl fmt::Display for WitnessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [&[COSIGNATURE][..], self.key.as_bytes()].concat();
        write!(f, "{}+{}+{}", self.name, note::hex(self.id), Base64::encode_string(&bytes))
    }
}

impl fmt::Debug for WitnessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WitnessKey({self})")
    }
}

impl FromStr for WitnessKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, id, bytes) = note::parts(text, COSIGNATURE)?;
        let key = VerifyingKey::from_bytes(&bytes).map_err(|_| KeyError::Point)?;
        let this = Self::new(name, key);
        if note::hex(this.id) == id { Ok(this) } else { Err(KeyError::Id) }
    }
}

/// The private half. Cannot be printed or cloned; wiped when it is dropped.
pub(crate) struct Cosigner {
    /// In one heap cell, so that moving it leaves no copy behind.
    key: Box<SigningKey>,
    verifier: WitnessKey,
}

impl Cosigner {
    /// A new key, out of the random numbers of the operating system. A name has no space and no `+`.
    pub(crate) fn generate(name: &str) -> Result<Self, getrandom::Error> {
        let mut seed = Zeroizing::new([0; 32]);
        getrandom::fill(&mut *seed)?;
        Ok(Self::from_seed(name, &seed))
    }

    pub(crate) fn from_seed(name: &str, seed: &[u8; 32]) -> Self {
        let key = Box::new(SigningKey::from_bytes(seed));
        let verifier = WitnessKey::new(name, key.verifying_key());
        Self { key, verifier }
    }

    /// Reads the text that [`Cosigner::to_text`] writes.
    pub(crate) fn from_text(text: &str) -> Result<Self, KeyError> {
        let text = text.strip_prefix(note::PRIVATE).ok_or(KeyError::Form)?;
        let (name, id, seed) = note::parts(text, COSIGNATURE)?;
        let this = Self::from_seed(name, &seed);
        if note::hex(this.verifier.id) == id { Ok(this) } else { Err(KeyError::Id) }
    }

    /// `PRIVATE+KEY+<name>+<key ID>+<Base64 of 04 ‖ seed>`. Secret: for the key file only.
    pub(crate) fn to_text(&self) -> Zeroizing<String> {
        note::private_text(&self.verifier.name, self.verifier.id, COSIGNATURE, &self.key)
    }

    pub(crate) const fn verifier(&self) -> &WitnessKey {
        &self.verifier
    }

    /// The signature line for `note` at `time`, seconds since 1970.
    pub(crate) fn cosign(&self, note: &str, time: u64) -> Result<String, NoteError> {
        let (text, _) = note::split(note)?;
        let signature = self.key.sign(message(text, time).as_bytes());
        let value = [&time.to_be_bytes()[..], &signature.to_bytes()].concat();
        Ok(note::signature_line(&self.verifier.name, self.verifier.id, &value))
    }
}
