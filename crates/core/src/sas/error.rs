//! What can be wrong with a token.

use std::fmt;

/// What a person has to look at when a token is not good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The text as a whole.
    Token,
    /// `sr`, the resource.
    Sr,
    /// `sig`, the signature.
    Sig,
    /// `se`, the expiry.
    Se,
    /// `skn`, the name of the key.
    Skn,
    /// The key that signed.
    Key,
}

impl Part {
    /// The name in the token, in JSON and on the screen.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Sr => "sr",
            Self::Sig => "sig",
            Self::Se => "se",
            Self::Skn => "skn",
            Self::Key => "key",
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a token is not good. The 401 of DPS never says which of these it was. No text of the token is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SasError {
    /// More than [`LIMIT`](super::LIMIT) bytes.
    #[error("the token has {length} bytes, more than 1024")]
    TooLong {
        /// Bytes found.
        length: usize,
    },
    /// Another beginning than [`PREFIX`](super::PREFIX).
    #[error("the token does not begin with `SharedAccessSignature` and one space")]
    Prefix,
    /// A field that is none of the four, or something that is no field.
    #[error("field {position} of the token is none of sr, sig, se, skn")]
    Unknown {
        /// Which, counted from 1.
        position: usize,
    },
    /// A field stands there twice: one reader takes the first, another the last.
    #[error("{0} stands in the token twice")]
    Repeated(Part),
    /// A field is missing.
    #[error("{0} is missing in the token")]
    Missing(Part),
    /// A character that has to be percent-encoded, or a `%` without two hexadecimal digits.
    #[error("{0} is not percent-encoded as it must be")]
    Encoding(Part),
    /// The signature is not the canonical Base64 of 32 bytes.
    #[error("sig is not 32 bytes in Base64")]
    SignatureForm,
    /// The expiry is not a number of seconds in plain digits.
    #[error("se is not a plain decimal number of seconds")]
    ExpiryForm,
    /// `skn` names another policy; a device's is `registration`.
    #[error("skn must be `registration`, or be left out")]
    KeyName,
    /// The signature is good for something else.
    #[error("the signature was made {0}")]
    MadeWrongly(SignedOver),
    /// The signature is not one of this key, nor of a known mistake with it: the device holds another key.
    #[error("the signature is not one of this device's key")]
    Signature,
    /// Signed well, but `sr` is not `{scope}/registrations/{id}` after decoding it once.
    #[error("sr is not of the form scope/registrations/ID")]
    ResourceForm,
    /// Signed well, for another ID scope.
    #[error("sr names another ID scope")]
    OtherScope,
    /// Signed well, for another registration ID.
    #[error("sr names another registration ID")]
    OtherId,
    /// Signed well, with another expiry than the one that was asked for: an old token, or one from a stock.
    #[error("se is not the expiry that was asked for")]
    OtherExpiry,
    /// It expires earlier than it may: the device's clock is behind, or its tokens live too short.
    #[error("se is {seconds} s too early: is the device's clock behind?")]
    TooEarly {
        /// By how much.
        seconds: u64,
    },
    /// It expires later than it may: the device's clock is ahead, or its tokens live too long.
    #[error("se is {seconds} s too late: is the device's clock ahead?")]
    TooLate {
        /// By how much.
        seconds: u64,
    },
}

impl SasError {
    /// The stable name, for JSON and records.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TooLong { .. } => "too-long",
            Self::Prefix => "prefix",
            Self::Unknown { .. } => "unknown-field",
            Self::Repeated(_) => "repeated",
            Self::Missing(_) => "missing",
            Self::Encoding(_) => "encoding",
            Self::SignatureForm => "signature-form",
            Self::ExpiryForm => "expiry-form",
            Self::KeyName => "key-name",
            Self::MadeWrongly(SignedOver::OtherSpelling) => "signed-over-other-spelling",
            Self::MadeWrongly(SignedOver::OtherExpiry) => "signed-over-other-expiry",
            Self::MadeWrongly(SignedOver::KeyAsText) => "signed-with-key-as-text",
            Self::Signature => "signature",
            Self::ResourceForm => "resource-form",
            Self::OtherScope => "other-scope",
            Self::OtherId => "other-id",
            Self::OtherExpiry => "other-expiry",
            Self::TooEarly { .. } => "too-early",
            Self::TooLate { .. } => "too-late",
        }
    }

    /// Which part is wrong.
    #[must_use]
    pub const fn at_fault(self) -> Part {
        match self {
            Self::TooLong { .. } | Self::Prefix | Self::Unknown { .. } => Part::Token,
            Self::Repeated(part) | Self::Missing(part) | Self::Encoding(part) => part,
            Self::SignatureForm => Part::Sig,
            Self::KeyName => Part::Skn,
            Self::Signature | Self::MadeWrongly(SignedOver::KeyAsText) => Part::Key,
            Self::ResourceForm
            | Self::OtherScope
            | Self::OtherId
            | Self::MadeWrongly(SignedOver::OtherSpelling) => Part::Sr,
            Self::ExpiryForm
            | Self::OtherExpiry
            | Self::TooEarly { .. }
            | Self::TooLate { .. }
            | Self::MadeWrongly(SignedOver::OtherExpiry) => Part::Se,
        }
    }
}

/// What a signature was made over, where the key shows it beyond doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignedOver {
    /// Another spelling of `sr` than the transmitted one: decoded, or encoded a second time.
    OtherSpelling,
    /// The expiry that was asked for, while `se` holds another.
    OtherExpiry,
    /// The right text, with the 44 characters of the key's Base64 in place of its 32 bytes.
    KeyAsText,
}

impl fmt::Display for SignedOver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OtherSpelling => "over another spelling of sr than the one in the token",
            Self::OtherExpiry => "over another expiry than the one in se",
            Self::KeyAsText => "with the Base64 text of the key, which must be decoded first",
        })
    }
}
