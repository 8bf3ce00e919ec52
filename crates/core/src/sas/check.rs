//! Checking a token that a device made.

use std::ops::RangeInclusive;

use base64ct::{Base64, Encoding};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::{Dialect, LIMIT, PREFIX, Part, SasError, SasToken, SignedOver, sign};
use crate::key::{DeviceKey, IdScope};
use crate::registration::RegistrationId;

/// Which expiry a token must have, in seconds since 1970-01-01 UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expiry {
    /// The one that the station picked at random: a token holds no other challenge.
    Exactly(u64),
    /// `now` plus a life within these bounds, where the device picks. Who only asks whether a token has expired never
    /// notices a clock that runs ahead.
    Within {
        /// The station's clock.
        now: u64,
        /// The shortest and the longest life that this firmware gives a token, in seconds.
        life: RangeInclusive<u64>,
    },
}

/// What a good token says beside being good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified {
    /// `se`, seconds since 1970-01-01 UTC.
    pub expiry: u64,
    /// `skn`.
    pub key_name: KeyName,
    /// The client that writes this token letter by letter, if one does.
    pub dialect: Option<Dialect>,
}

/// What stands in `skn`: clients differ, and each of these three is in the field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyName {
    /// There is no such field.
    Absent,
    /// It is empty.
    Empty,
    /// `registration`.
    Registration,
}

/// Checks a token of any [`Dialect`] against the key, ID scope and registration ID of the device.
///
/// The signature is checked over `sr` as it was transmitted; only then is `sr` decoded, once, and compared without
/// case, as DPS does. So a token in capitals is good when the capitals were signed.
pub fn verify(
    token: &str,
    key: &DeviceKey,
    scope: &IdScope,
    id: &RegistrationId,
    expected: &Expiry,
) -> Result<Verified, SasError> {
    let fields = Fields::parse(token)?;
    let key_name = match fields.skn {
        None => KeyName::Absent,
        Some("") => KeyName::Empty,
        Some("registration") => KeyName::Registration,
        Some(_) => return Err(SasError::KeyName),
    };
    let expiry = decimal(fields.se).ok_or(SasError::ExpiryForm)?;
    let signature = signature(fields.sig)?;
    let good = |key: &[u8], sr: &str, se: &str| bool::from(sign(key, sr, se).ct_eq(&*signature));

    if !good(key.expose(), fields.sr, fields.se) {
        let respelled = || Dialect::ALL.iter().map(|dialect| dialect.resource(scope, id));
        return Err(if good(key.to_base64().as_bytes(), fields.sr, fields.se) {
            SasError::MadeWrongly(SignedOver::KeyAsText)
        } else if respelled().any(|sr| good(key.expose(), &sr, fields.se)) {
            SasError::MadeWrongly(SignedOver::OtherSpelling)
        } else if matches!(expected, Expiry::Exactly(asked) if good(key.expose(), fields.sr, &asked.to_string()))
        {
            SasError::MadeWrongly(SignedOver::OtherExpiry)
        } else {
            SasError::Signature
        });
    }
    names(fields.sr, scope, id)?;
    in_time(expiry, expected)?;

    let dialect = Dialect::ALL.iter().copied().find(|dialect| {
        SasToken::new(key, scope, id, expiry, *dialect).expose().as_bytes().ct_eq(token.as_bytes()).into()
    });
    Ok(Verified { expiry, key_name, dialect })
}

/// The fields as they were transmitted. Every character in them is a letter, a digit, one of `-._~/:` or part of an
/// escape, so `sr` holds neither the LF that ends it in the signed text nor the NUL that marks a proof.
struct Fields<'a> {
    sr: &'a str,
    sig: &'a str,
    se: &'a str,
    skn: Option<&'a str>,
}

impl<'a> Fields<'a> {
    fn parse(token: &'a str) -> Result<Self, SasError> {
        if token.len() > LIMIT {
            return Err(SasError::TooLong { length: token.len() });
        }
        let (mut sr, mut sig, mut se, mut skn) = (None, None, None, None);
        for (index, text) in token.strip_prefix(PREFIX).ok_or(SasError::Prefix)?.split('&').enumerate() {
            let unknown = SasError::Unknown { position: index + 1 };
            let (name, value) = text.split_once('=').ok_or(unknown)?;
            let (part, slot) = match name {
                "sr" => (Part::Sr, &mut sr),
                "sig" => (Part::Sig, &mut sig),
                "se" => (Part::Se, &mut se),
                "skn" => (Part::Skn, &mut skn),
                _ => return Err(unknown),
            };
            decoded(value).ok_or(SasError::Encoding(part))?;
            if slot.replace(value).is_some() {
                return Err(SasError::Repeated(part));
            }
        }
        Ok(Self {
            sr: sr.ok_or(SasError::Missing(Part::Sr))?,
            sig: sig.ok_or(SasError::Missing(Part::Sig))?,
            se: se.ok_or(SasError::Missing(Part::Se))?,
            skn,
        })
    }
}

/// Percent-decodes once. A `+` is refused: it is a space to one reader and itself to another.
fn decoded(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut rest = text.as_bytes();
    while let [byte, after @ ..] = rest {
        rest = after;
        match byte {
            b'%' => {
                let [high, low, after @ ..] = rest else { return None };
                let digit = |byte: &u8| char::from(*byte).to_digit(16);
                bytes.push((digit(high)? << 4 | digit(low)?) as u8);
                rest = after;
            }
            b'-' | b'.' | b'_' | b'~' | b'/' | b':' => bytes.push(*byte),
            byte if byte.is_ascii_alphanumeric() => bytes.push(*byte),
            _ => return None,
        }
    }
    Some(bytes)
}

/// The 32 bytes of `sig`. Its `/` has to be encoded, as every client does.
fn signature(text: &str) -> Result<Zeroizing<[u8; 32]>, SasError> {
    let encoded = decoded(text).filter(|_| !text.contains('/')).ok_or(SasError::Encoding(Part::Sig))?;
    let mut signature = Zeroizing::new([0; 32]);
    match Base64::decode(encoded.as_slice(), &mut *signature) {
        Ok(bytes) if bytes.len() == 32 => Ok(signature),
        _ => Err(SasError::SignatureForm),
    }
}

/// Digits only, no leading zero, within 64 bits.
fn decimal(text: &str) -> Option<u64> {
    let canonical = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|_| canonical)
}

/// Whether `sr`, decoded once, is this scope and this ID.
fn names(sr: &str, scope: &IdScope, id: &RegistrationId) -> Result<(), SasError> {
    let decoded = decoded(sr).ok_or(SasError::Encoding(Part::Sr))?;
    let parts: Vec<&[u8]> = decoded.split(|byte| *byte == b'/').collect();
    let [found_scope, collection, found_id] = parts[..] else { return Err(SasError::ResourceForm) };
    if !collection.eq_ignore_ascii_case(b"registrations") {
        return Err(SasError::ResourceForm);
    }
    if !found_scope.eq_ignore_ascii_case(scope.as_str().as_bytes()) {
        return Err(SasError::OtherScope);
    }
    if !found_id.eq_ignore_ascii_case(id.as_str().as_bytes()) {
        return Err(SasError::OtherId);
    }
    Ok(())
}

fn in_time(expiry: u64, expected: &Expiry) -> Result<(), SasError> {
    match expected {
        Expiry::Exactly(asked) if expiry != *asked => Err(SasError::OtherExpiry),
        Expiry::Exactly(_) => Ok(()),
        Expiry::Within { now, life } => {
            let earliest = now.saturating_add(*life.start());
            let latest = now.saturating_add(*life.end());
            if expiry < earliest {
                Err(SasError::TooEarly { seconds: earliest - expiry })
            } else if expiry > latest {
                Err(SasError::TooLate { seconds: expiry - latest })
            } else {
                Ok(())
            }
        }
    }
}
