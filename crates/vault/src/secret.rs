//! Secrets on their way in: the passphrase and the text of a group key.

use zeroize::Zeroizing;

/// The text of a secret: at most 1024 bytes of UTF-8 without control characters. Wiped when dropped.
///
/// It cannot be printed, cloned, compared or serialised.
pub struct SecretText(Zeroizing<String>);

/// The passphrase of a sealed file: a [`SecretText`] of at least one character.
///
/// Its bytes are the UTF-8 as entered, not normalised: what `age` itself does. On a keyboard that may spell the same
/// letter in two ways, stay with ASCII.
pub struct Passphrase(SecretText);

/// A text that cannot be the secret that it was given as. The text itself is never repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretRefused {
    /// No character.
    #[error("it is empty")]
    Empty,
    /// Too many bytes.
    #[error("it is longer than {} bytes", SecretText::LIMIT)]
    TooLong,
    /// Not UTF-8.
    #[error("it is not UTF-8 text")]
    NotText,
    /// A control character: a second line, a tab, a NUL.
    #[error("character {position} is a control character; one line of text is expected")]
    Control {
        /// Where, counted from 1.
        position: usize,
    },
    /// Too short to protect a file that can be copied and attacked elsewhere.
    #[error("it has fewer than {} characters", Passphrase::SHORTEST)]
    TooShort,
}

impl SecretText {
    /// Bytes at most.
    pub const LIMIT: usize = 1024;

    /// Takes the text as it stands; `text` is wiped if it is refused.
    pub fn new(text: String) -> Result<Self, SecretRefused> {
        let text = Zeroizing::new(text);
        if text.len() > Self::LIMIT {
            return Err(SecretRefused::TooLong);
        }
        match text.chars().position(char::is_control) {
            Some(index) => Err(SecretRefused::Control { position: index + 1 }),
            None => Ok(Self(text)),
        }
    }

    /// What a file or a descriptor held: one line feed at the end, or carriage return and line feed, is not part of
    /// the secret. Nothing else is removed.
    pub fn from_line(bytes: Zeroizing<Vec<u8>>) -> Result<Self, SecretRefused> {
        let line =
            bytes.strip_suffix(b"\n").map_or(&bytes[..], |line| line.strip_suffix(b"\r").unwrap_or(line));
        Self::from_utf8(line)
    }

    /// What was typed.
    pub(crate) fn from_utf8(bytes: &[u8]) -> Result<Self, SecretRefused> {
        let text = std::str::from_utf8(bytes).map_err(|_| SecretRefused::NotText)?;
        Self::new(text.to_owned())
    }

    /// The characters. Whoever calls this answers for every copy that is made of them.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl Passphrase {
    /// Characters of a passphrase that is chosen for a new file: what NIST SP 800-63B-4 (section 3.1.1.2) asks where
    /// the password is the only factor. Here it is, for whoever took a copy of the file.
    pub const SHORTEST: usize = 15;

    /// Any text but the empty one: the file may have been sealed elsewhere.
    pub fn new(text: SecretText) -> Result<Self, SecretRefused> {
        if text.expose().is_empty() { Err(SecretRefused::Empty) } else { Ok(Self(text)) }
    }

    /// Whether it is long enough for a new file.
    #[must_use]
    pub fn is_long_enough(&self) -> bool {
        self.expose().chars().count() >= Self::SHORTEST
    }

    pub(crate) fn check_length(&self) -> Result<(), SecretRefused> {
        if self.is_long_enough() { Ok(()) } else { Err(SecretRefused::TooShort) }
    }

    /// Whether both are the same text, as when a person entered it twice.
    #[must_use]
    pub fn is(&self, again: &Self) -> bool {
        self.expose() == again.expose()
    }

    pub(crate) fn expose(&self) -> &str {
        self.0.expose()
    }
}
