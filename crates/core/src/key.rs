//! Keys and what may be said of them: the device key, its fingerprint, a group key's check value and label.

use std::fmt;
use std::str::FromStr;

use base64ct::{Base64, Encoding};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::identity::{IdentifierError, Reason};

/// The symmetric key of one device: 32 bytes, HMAC-SHA256 of its registration ID under the group key.
///
/// It cannot be printed, cloned, compared with `==` or serialised, and is wiped when it is dropped. It lives in one
/// heap cell and is filled in place, so that moving it leaves no copy behind.
pub struct DeviceKey(Box<Zeroizing<[u8; 32]>>);

impl DeviceKey {
    /// Bytes of a device key.
    pub const LENGTH: usize = 32;

    /// A key whose bytes `fill` writes where they will stay.
    pub fn filled_by(fill: impl FnOnce(&mut [u8; 32])) -> Self {
        let mut key = Self(Box::new(Zeroizing::new([0; 32])));
        fill(&mut key.0);
        key
    }

    /// The 32 bytes. Whoever calls this answers for every copy that is made of them.
    #[must_use]
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// The key as Azure's tools write it: 44 characters of Base64. Wiped when dropped; keep it for one call.
    #[must_use]
    pub fn to_base64(&self) -> Zeroizing<String> {
        Zeroizing::new(Base64::encode_string(self.expose()))
    }

    /// The name by which records speak of this key.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        let digest =
            Sha256::new().chain_update(b"keystation/dkfp/v1\0").chain_update(self.expose()).finalize();
        let mut fingerprint = [0; 12];
        fingerprint.copy_from_slice(&digest[..12]);
        Fingerprint(fingerprint)
    }
}

impl ConstantTimeEq for DeviceKey {
    fn ct_eq(&self, other: &Self) -> subtle::Choice {
        self.expose().ct_eq(other.expose())
    }
}

/// `keystation/dkfp/v1`: the first 12 bytes of SHA-256("keystation/dkfp/v1" ‖ 00 ‖ device key), shown as 24
/// hexadecimal digits. Not secret: 256 random bits cannot be guessed from it, and it is no credential anywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 12]);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for Fingerprint {
    type Err = IdentifierError;

    /// 24 lower-case hexadecimal digits, as records have them.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let what = "key fingerprint";
        if let Some((index, character)) = text.chars().enumerate().find(|(_, c)| c.is_ascii_uppercase()) {
            return Err(IdentifierError {
                what,
                reason: Reason::Character { position: index + 1, character },
            });
        }
        hex(what, text.chars().enumerate()).map(Self)
    }
}

/// `N` bytes from hexadecimal digits, each with its place in the text, counted from 0.
fn hex<const N: usize>(
    what: &'static str,
    digits: impl Iterator<Item = (usize, char)>,
) -> Result<[u8; N], IdentifierError> {
    let fail = |reason| IdentifierError { what, reason };
    let mut bytes = [0; N];
    let mut count = 0;
    for (index, character) in digits {
        let digit = character
            .to_digit(16)
            .filter(|_| count < 2 * N)
            .ok_or(fail(Reason::Character { position: index + 1, character }))?;
        bytes[count / 2] = bytes[count / 2] << 4 | digit as u8;
        count += 1;
    }
    if count < 2 * N {
        return Err(fail(Reason::TooShort { length: count }));
    }
    Ok(bytes)
}

/// The first 5 bytes of HMAC-SHA256(group key, "keystation/gkcv/v1" ‖ 00), shown as `7C1D0-A4E91`.
///
/// Every custody can compute it without giving the key out. No registration ID can hold the NUL byte, so the value
/// is no device's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CheckValue([u8; 5]);

impl CheckValue {
    /// The text whose HMAC under the group key begins with the check value.
    pub const MESSAGE: &[u8] = b"keystation/gkcv/v1\0";

    /// The check value of the group key that made this HMAC of [`CheckValue::MESSAGE`].
    #[must_use]
    pub fn from_hmac(hmac: &[u8; 32]) -> Self {
        let [a, b, c, d, e, ..] = *hmac;
        Self([a, b, c, d, e])
    }

    /// The five bytes.
    #[must_use]
    pub const fn bytes(&self) -> [u8; 5] {
        self.0
    }

    /// Ten upper-case hexadecimal digits without the dash, as records have it.
    #[must_use]
    pub fn digits(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02X}")).collect()
    }
}

impl fmt::Display for CheckValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.digits();
        write!(f, "{}-{}", &digits[..5], &digits[5..])
    }
}

impl FromStr for CheckValue {
    type Err = IdentifierError;

    /// Ten hexadecimal digits of either case, with or without the dash in the middle.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let dash = |(index, character): &(usize, char)| *index == 5 && *character == '-';
        hex("check value", text.chars().enumerate().filter(|place| !dash(place))).map(Self)
    }
}

/// The name that people give a group key, for example `gk-2026a`: 1 to 32 characters of `a-z 0-9 - .`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyLabel(String);

/// The name of an enrollment group in DPS: 1 to 128 characters of `a-z A-Z 0-9 - . _ :`, alphanumeric at both ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnrollmentGroup(String);

/// The ID scope of a DPS instance, for example `0ne00EMU001`: 1 to 32 alphanumeric characters. Opaque, case kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdScope(String);

impl IdScope {
    /// Whether it looks as DPS makes them today, `0ne` and eight hexadecimal digits; a reason to warn, no more.
    #[must_use]
    pub fn looks_usual(&self) -> bool {
        self.0.strip_prefix("0ne").is_some_and(|r| r.len() == 8 && r.chars().all(|c| c.is_ascii_hexdigit()))
    }
}

/// The host name of a DPS endpoint, without scheme or path: 1 to 64 characters of `a-z 0-9 - .`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint(String);

impl Endpoint {
    /// The endpoint that every DPS instance answers at, and the one a device takes when it is told none.
    pub const GLOBAL: &str = "global.azure-devices-provisioning.net";
}

impl Default for Endpoint {
    fn default() -> Self {
        Self(Self::GLOBAL.to_owned())
    }
}

fn name(
    text: &str,
    what: &'static str,
    limit: usize,
    inner: impl Fn(char) -> bool,
    end: impl Fn(char) -> bool,
) -> Result<String, IdentifierError> {
    let fail = |reason| IdentifierError { what, reason };
    let last = text.chars().count().saturating_sub(1);
    if text.is_empty() {
        return Err(fail(Reason::Empty));
    }
    for (index, character) in text.chars().enumerate() {
        if !(if index == 0 || index == last { end(character) } else { inner(character) }) {
            return Err(fail(Reason::Character { position: index + 1, character }));
        }
    }
    if text.len() > limit {
        return Err(fail(Reason::TooLong { length: text.len(), limit }));
    }
    Ok(text.to_owned())
}

fn lower(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit()
}

macro_rules! named {
    ($type:ident, $what:literal, $limit:literal, $inner:expr, $end:expr) => {
        impl $type {
            /// The characters, all ASCII.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $type {
            type Err = IdentifierError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                name(text, $what, $limit, $inner, $end).map(Self)
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

named!(KeyLabel, "key label", 32, |c| lower(c) || matches!(c, '-' | '.'), lower);
named!(
    EnrollmentGroup,
    "enrollment group",
    128,
    |c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | ':'),
    |c: char| c.is_ascii_alphanumeric()
);
named!(IdScope, "ID scope", 32, |c: char| c.is_ascii_alphanumeric(), |c: char| c.is_ascii_alphanumeric());
named!(Endpoint, "endpoint", 64, |c| lower(c) || matches!(c, '-' | '.'), lower);

/// Which of an enrollment group's two keys: they are equals in DPS, and a rotation moves from one to the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeySlot {
    /// The primary key.
    Primary,
    /// The secondary key.
    Secondary,
}

impl KeySlot {
    /// `primary` or `secondary`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Secondary => "secondary",
        }
    }
}

impl fmt::Display for KeySlot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for KeySlot {
    type Err = IdentifierError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "primary" => Ok(Self::Primary),
            "secondary" => Ok(Self::Secondary),
            _ => Err(IdentifierError {
                what: "key slot",
                reason: Reason::NotADevice("neither `primary` nor `secondary`"),
            }),
        }
    }
}

/// Everything about a group key but the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupKeyInfo {
    /// The station's own name for it; unique in a vault.
    pub label: KeyLabel,
    /// The enrollment group whose key it is.
    pub group: EnrollmentGroup,
    /// The DPS instance of that group.
    pub scope: IdScope,
    /// Primary or secondary.
    pub slot: KeySlot,
    /// Its check value.
    pub check_value: CheckValue,
    /// Its length in bytes, 16 to 64.
    pub length: u8,
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A secret has few abilities, and a compiler error is the test: a type that had one of these traits would make
    /// `ambiguous` ambiguous.
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
    pub(crate) use lacks;

    #[test]
    fn device_key_lacks_what_would_leak_it() {
        lacks!(DeviceKey: fmt::Debug, fmt::Display, Clone, Copy, PartialEq, serde::Serialize, AsRef<[u8]>);
    }

    #[test]
    fn fingerprint_is_domain_separated() {
        let key = DeviceKey::filled_by(|bytes| bytes.fill(7));
        let plain = Sha256::digest([7; 32]);
        let expected = Sha256::digest([b"keystation/dkfp/v1\0".as_slice(), &[7; 32]].concat());
        let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
        assert_eq!(key.fingerprint().to_string(), hex(&expected[..12]));
        assert_ne!(key.fingerprint().to_string(), hex(&plain[..12]));
    }

    #[test]
    fn fingerprint_is_read_as_it_is_shown() {
        let shown = DeviceKey::filled_by(|bytes| bytes.fill(7)).fingerprint().to_string();
        assert_eq!(shown.parse::<Fingerprint>().map(|read| read.to_string()), Ok(shown.clone()));
        let upper = format!("A{}", &shown[1..]);
        for text in ["", &shown[..23], &format!("{shown}0"), &upper, &format!(" {}", &shown[1..])] {
            assert!(text.parse::<Fingerprint>().is_err(), "{text}");
        }
    }

    #[test]
    fn check_value_is_read_as_it_is_shown() {
        let mut hmac = [0; 32];
        hmac[..5].copy_from_slice(&[0x7c, 0x1d, 0x0a, 0x4e, 0x91]);
        let value = CheckValue::from_hmac(&hmac);
        assert_eq!(value.to_string(), "7C1D0-A4E91");
        for text in ["7C1D0-A4E91", "7c1d0a4e91"] {
            assert_eq!(text.parse(), Ok(value));
        }
        for text in ["", "7C1D0-A4E9", "7C1D0-A4E911", "7C1D-0A4E91", "7C1D0_A4E91"] {
            assert!(text.parse::<CheckValue>().is_err(), "{text}");
        }
    }

    #[test]
    fn names_refuse_what_could_hide_in_them() {
        assert!("gk-2026a".parse::<KeyLabel>().is_ok());
        for text in ["", "GK", "gk 1", "-gk", "gk\u{202e}a", "=gk", &"a".repeat(33)] {
            assert!(text.parse::<KeyLabel>().is_err(), "{text:?}");
        }
        assert!("0ne00EMU001".parse::<IdScope>().is_ok_and(|scope| !scope.looks_usual()));
        assert!("0ne0012AB3F".parse::<IdScope>().is_ok_and(|scope| scope.looks_usual()));
        assert!(Endpoint::GLOBAL.parse::<Endpoint>().is_ok_and(|e| e == Endpoint::default()));
        assert!("https://x".parse::<Endpoint>().is_err());
    }
}
