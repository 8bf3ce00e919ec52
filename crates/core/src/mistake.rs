//! Known mistakes, recognised by the key that each of them makes.
//!
//! A wrong device key looks like any other 32 bytes, and DPS answers 401 without a reason. But most wrong keys in the
//! field were made in one of a few ways, and whoever holds the group key can make the same ones and compare. This
//! is for tools and software custody, which have the group key's bytes.

use base64ct::{Base64, Base64Unpadded, Base64Url, Encoding};
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, Zeroizing};

use crate::derive::{device_key, hmac_sha256};
use crate::registration::RegistrationId;

/// What the right key is made of. Key bytes are decoded; the rule of 16 to 64 bytes is the vault's.
#[derive(Clone, Copy)]
pub struct Parents<'a> {
    /// The group key that should have made the device key.
    pub group_key: &'a [u8],
    /// The enrollment group's other key, where it is at hand.
    pub other_slot: Option<&'a [u8]>,
    /// The registration ID of the device.
    pub id: &'a RegistrationId,
}

/// A way to arrive at a wrong device key, or at a wrong text of the right one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mistake {
    /// The ID was hashed in capitals. Microsoft's own article of 2018 printed such a key.
    UpperCaseId,
    /// The MAC in the ID was spelled with colons.
    ColonsInMac,
    /// A line feed was hashed with the ID: `echo` without `-n`.
    LineFeed,
    /// A carriage return and a line feed were hashed with it: a line of a Windows file.
    CarriageReturn,
    /// The NUL at the end of a C string was hashed with it.
    Nul,
    /// A space was hashed with it.
    TrailingSpace,
    /// The ID was hashed as UTF-16LE, what .NET's `Encoding.Unicode` and PowerShell make.
    Utf16,
    /// The Base64 text of the group key was the HMAC key.
    KeyAsBase64Text,
    /// The hexadecimal text of the group key was the HMAC key.
    KeyAsHexText,
    /// Only the first 32 bytes of the group key were used.
    KeyCutShort,
    /// The ID was the HMAC key and the group key the message.
    Swapped,
    /// The enrollment group's other key was used.
    OtherSlot,
    /// SHA-256(group key ‖ ID) without HMAC.
    PlainSha256,
    /// The device key was taken for a group key and derived again.
    DerivedTwice,
    /// The group key itself is in the device.
    GroupKeyCopied,
    /// The right key, in the URL-safe alphabet of Base64.
    UrlSafeBase64,
    /// The right key, without the `=` at the end of its Base64.
    UnpaddedBase64,
}

impl Mistake {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::UpperCaseId,
        Self::ColonsInMac,
        Self::LineFeed,
        Self::CarriageReturn,
        Self::Nul,
        Self::TrailingSpace,
        Self::Utf16,
        Self::KeyAsBase64Text,
        Self::KeyAsHexText,
        Self::KeyCutShort,
        Self::Swapped,
        Self::OtherSlot,
        Self::PlainSha256,
        Self::DerivedTwice,
        Self::GroupKeyCopied,
        Self::UrlSafeBase64,
        Self::UnpaddedBase64,
    ];

    /// The stable name, for JSON and records.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.told().0
    }

    /// What was done, in one sentence.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        self.told().1
    }

    /// What to do instead, in one sentence.
    #[must_use]
    pub const fn remedy(self) -> &'static str {
        self.told().2
    }

    const fn told(self) -> (&'static str, &'static str, &'static str) {
        const EXACT_ID: &str = "Hash the bytes of the registration ID and nothing after them.";
        const DECODE: &str = "Decode the group key to bytes first.";
        match self {
            Self::UpperCaseId => (
                "upper-case-id",
                "The registration ID was hashed in capitals.",
                "Hash it in lower case, as it is registered.",
            ),
            Self::ColonsInMac => (
                "colons-in-mac",
                "The MAC in the registration ID was spelled with colons.",
                "Spell the MAC as the product profile says.",
            ),
            Self::LineFeed => ("line-feed", "A line feed was hashed with the registration ID.", EXACT_ID),
            Self::CarriageReturn => (
                "carriage-return",
                "A carriage return and a line feed were hashed with the registration ID.",
                EXACT_ID,
            ),
            Self::Nul => ("nul", "The NUL after a C string was hashed with the registration ID.", EXACT_ID),
            Self::TrailingSpace => {
                ("trailing-space", "A space was hashed with the registration ID.", EXACT_ID)
            }
            Self::Utf16 => ("utf-16", "The registration ID was hashed as UTF-16.", "Hash it as UTF-8."),
            Self::KeyAsBase64Text => {
                ("key-as-base64-text", "The Base64 text of the group key was used as the key.", DECODE)
            }
            Self::KeyAsHexText => {
                ("key-as-hex-text", "The hexadecimal text of the group key was used as the key.", DECODE)
            }
            Self::KeyCutShort => (
                "key-cut-short",
                "Only the first 32 bytes of the group key were used.",
                "Use the whole group key, up to 64 bytes.",
            ),
            Self::Swapped => (
                "swapped",
                "Key and message of the HMAC were exchanged.",
                "The group key is the HMAC's key, the registration ID its message.",
            ),
            Self::OtherSlot => (
                "other-slot",
                "The other key of the enrollment group was used.",
                "Use the slot that the record names; both work at DPS until that key is replaced.",
            ),
            Self::PlainSha256 => (
                "plain-sha-256",
                "SHA-256 of key and registration ID was taken, without HMAC.",
                "Use HMAC-SHA256 (RFC 2104).",
            ),
            Self::DerivedTwice => (
                "derived-twice",
                "A device key was taken for the group key and derived again.",
                "Import the key of the enrollment group, which has 64 bytes today.",
            ),
            Self::GroupKeyCopied => (
                "group-key-copied",
                "The device holds the group key itself: whoever opens it can be any device of the group.",
                "Replace the group key in DPS at once, then re-key the devices that hang on it.",
            ),
            Self::UrlSafeBase64 => (
                "url-safe-base64",
                "The key is right, its text uses the URL-safe alphabet of Base64.",
                "Write it in the standard alphabet, with + and /.",
            ),
            Self::UnpaddedBase64 => (
                "unpadded-base64",
                "The key is right, its text lacks the = at the end.",
                "Write all 44 characters; some of Microsoft's clients refuse fewer.",
            ),
        }
    }

    /// The Base64 text that this mistake makes. `None` where it cannot be made, or where it is none: an ID without
    /// letters is the same in capitals.
    #[must_use]
    pub fn text(self, parents: &Parents<'_>) -> Option<Zeroizing<String>> {
        let right = device_key(parents.group_key, parents.id);
        let text = Zeroizing::new(match self {
            Self::UrlSafeBase64 => Base64Url::encode_string(right.expose()),
            Self::UnpaddedBase64 => Base64Unpadded::encode_string(right.expose()),
            _ => Base64::encode_string(&self.key(parents)?),
        });
        (*text != *right.to_base64()).then_some(text)
    }

    /// The bytes that this mistake makes; none for the two that only spell the right ones wrongly.
    fn key(self, parents: &Parents<'_>) -> Option<Zeroizing<Vec<u8>>> {
        let Parents { group_key, other_slot, id } = *parents;
        let id = id.as_str();
        let hmac = |key: &[u8], message: &[u8]| {
            let mut out = Zeroizing::new([0; 32]);
            hmac_sha256(key, &[message], &mut out);
            Some(Zeroizing::new(out.to_vec()))
        };
        let with = |tail: &str| hmac(group_key, format!("{id}{tail}").as_bytes());
        match self {
            Self::UpperCaseId => hmac(group_key, id.to_ascii_uppercase().as_bytes()),
            Self::ColonsInMac => hmac(group_key, with_colons(id)?.as_bytes()),
            Self::LineFeed => with("\n"),
            Self::CarriageReturn => with("\r\n"),
            Self::Nul => with("\0"),
            Self::TrailingSpace => with(" "),
            Self::Utf16 => hmac(group_key, &id.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>()),
            Self::KeyAsBase64Text => {
                hmac(Zeroizing::new(Base64::encode_string(group_key)).as_bytes(), id.as_bytes())
            }
            Self::KeyAsHexText => hmac(&hex(group_key), id.as_bytes()),
            Self::KeyCutShort => hmac(group_key.get(..32)?, id.as_bytes()),
            Self::Swapped => hmac(id.as_bytes(), group_key),
            Self::OtherSlot => hmac(other_slot?, id.as_bytes()),
            Self::PlainSha256 => {
                let mut digest = Sha256::new().chain_update(group_key).chain_update(id).finalize();
                let key = Zeroizing::new(digest.to_vec());
                digest.as_mut_slice().zeroize();
                Some(key)
            }
            Self::DerivedTwice => hmac(device_key(group_key, parents.id).expose(), id.as_bytes()),
            Self::GroupKeyCopied => Some(Zeroizing::new(group_key.to_vec())),
            Self::UrlSafeBase64 | Self::UnpaddedBase64 => None,
        }
    }
}

/// The mistake that made `observed`: bytes as they were found in a device, or a Base64 text without white space.
/// `None` for the right key, and for one that no known mistake explains.
#[must_use]
pub fn recognise(observed: &[u8], parents: &Parents<'_>) -> Option<Mistake> {
    let right = device_key(parents.group_key, parents.id);
    if observed == right.expose() || observed == right.to_base64().as_bytes() {
        return None;
    }
    Mistake::ALL.iter().copied().find(|mistake| {
        mistake.text(parents).is_some_and(|text| text.as_bytes() == observed)
            || mistake.key(parents).is_some_and(|key| *key == observed)
    })
}

/// The ID with the last six pairs of hexadecimal digits in it, `a1-b2-c3-d4-e5-f6`, separated by colons.
fn with_colons(id: &str) -> Option<String> {
    let parts: Vec<&str> = id.split('-').collect();
    let pair = |part: &&str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    let start = parts.windows(6).rposition(|window| window.iter().all(pair))?;
    let mac = parts[start..start + 6].join(":");
    let (before, after) = (&parts[..start], &parts[start + 6..]);
    Some([before, &[mac.as_str()], after].concat().join("-"))
}

/// Lower-case hexadecimal digits.
fn hex(bytes: &[u8]) -> Zeroizing<Vec<u8>> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = Zeroizing::new(Vec::with_capacity(bytes.len() * 2));
    for byte in bytes {
        text.extend([DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::derive::tests::{Vectors, bytes};
    use crate::registration::IdRule;

    fn id(text: &str) -> RegistrationId {
        RegistrationId::new(text, IdRule::Dashes).unwrap()
    }

    #[test]
    fn every_mistake_has_a_name_a_sentence_and_a_remedy_of_its_own() {
        assert_eq!(Mistake::ALL.len(), 17);
        let names: HashSet<_> = Mistake::ALL.iter().map(|mistake| mistake.as_str()).collect();
        let sentences: HashSet<_> = Mistake::ALL.iter().map(|mistake| mistake.sentence()).collect();
        assert_eq!((names.len(), sentences.len()), (17, 17));
        assert!(Mistake::ALL.iter().all(|m| m.sentence().ends_with('.') && m.remedy().ends_with('.')));
    }

    #[test]
    fn the_right_key_is_no_mistake_where_a_mistake_makes_no_difference() {
        // No letter to capitalise, no MAC, a key that is not longer than 32 bytes, no other slot.
        let parents = Parents { group_key: &[7; 32], other_slot: None, id: &id("12-34") };
        let key = device_key(parents.group_key, parents.id);
        assert_eq!(recognise(key.expose(), &parents), None);
        assert_eq!(recognise(key.to_base64().as_bytes(), &parents), None);
        for mistake in [Mistake::UpperCaseId, Mistake::ColonsInMac, Mistake::KeyCutShort, Mistake::OtherSlot]
        {
            assert!(mistake.text(&parents).is_none(), "{mistake:?}");
        }
        let same = Parents { other_slot: Some(&[7; 32]), ..parents };
        assert!(Mistake::OtherSlot.text(&same).is_none());
    }

    #[test]
    fn mistakes_are_recognised_in_bytes_and_in_text() {
        // An ID whose key has `+` and `/` in its Base64, or the URL-safe alphabet would make no difference.
        let id = id("sn-11-mac-a1-b2-c3-d4-e5-f6");
        let parents = Parents { group_key: &[9; 64], other_slot: Some(&[8; 64]), id: &id };
        for mistake in Mistake::ALL.iter().copied() {
            let text = mistake.text(&parents).unwrap();
            assert_eq!(recognise(text.as_bytes(), &parents), Some(mistake));
            if let Some(key) = mistake.key(&parents) {
                assert_eq!(recognise(&key, &parents), Some(mistake));
            }
        }
        for nothing_known in [&[][..], &[0; 32], &[9; 63], b"not a key"] {
            assert_eq!(recognise(nothing_known, &parents), None);
        }
    }

    /// The keys in `tests/vectors/dps-derive.json` that the seventeen mistakes make of the published example.
    #[test]
    fn published_fingerprints_are_named_right_and_nothing_else_is_named() {
        let named = [
            ("upper-cased id", Mistake::UpperCaseId),
            ("keyed with the base64 text", Mistake::KeyAsBase64Text),
            ("keyed with the hex text of the key", Mistake::KeyAsHexText),
            ("LF hashed with the id (echo without -n)", Mistake::LineFeed),
            ("CRLF hashed with the id", Mistake::CarriageReturn),
            ("id hashed as UTF-16LE", Mistake::Utf16),
            ("trailing space", Mistake::TrailingSpace),
            ("NUL terminator hashed", Mistake::Nul),
            ("colons instead of dashes in the MAC part", Mistake::ColonsInMac),
            ("key and message swapped", Mistake::Swapped),
            ("group key copied to the device", Mistake::GroupKeyCopied),
            ("secondary group key", Mistake::OtherSlot),
            ("only 32 of 64 key bytes", Mistake::KeyCutShort),
            ("plain SHA256(key||id)", Mistake::PlainSha256),
            ("derived key derived again", Mistake::DerivedTwice),
            ("url-safe base64 alphabet", Mistake::UrlSafeBase64),
            ("padding stripped", Mistake::UnpaddedBase64),
        ];
        let vectors = Vectors::read();
        assert_eq!(vectors.mistake_fingerprints.len(), named.len());
        let secondary =
            vectors.mistake_fingerprints.iter().find_map(|f| f.secondary_group_key_b64.as_deref());
        let secondary = bytes(secondary.unwrap());
        for fingerprint in &vectors.mistake_fingerprints {
            let expected = named.iter().find(|(name, _)| *name == fingerprint.mistake).unwrap().1;
            let group_key = bytes(&fingerprint.group_key_b64);
            let id = id(&fingerprint.registration_id);
            let parents = Parents { group_key: &group_key, other_slot: Some(&secondary), id: &id };
            let found = |observed: &[u8]| recognise(observed, &parents);
            let text = &fingerprint.wrong_device_key_b64;
            assert_eq!(found(text.as_bytes()), Some(expected));
            if !matches!(expected, Mistake::UrlSafeBase64 | Mistake::UnpaddedBase64) {
                assert_eq!(found(&bytes(text)), Some(expected));
            }
            // With one bit more or less, or under another parent, the same text says nothing.
            let mut flipped = text.clone().into_bytes();
            flipped[0] ^= 1;
            assert_eq!(found(&flipped), None, "{expected:?}");
            let stranger = Parents { group_key: &[1; 64], other_slot: None, id: &id };
            assert_eq!(recognise(text.as_bytes(), &stranger), None, "{expected:?}");
        }
        // Right keys of other devices are nobody's mistake.
        let group_key = bytes(&vectors.vectors[0].group_key_b64);
        let id = id(&vectors.vectors[0].registration_id);
        let parents = Parents { group_key: &group_key, other_slot: Some(&secondary), id: &id };
        assert_eq!(recognise(vectors.vectors[0].device_key_b64.as_bytes(), &parents), None);
        for other in &vectors.vectors[1..5] {
            assert_eq!(recognise(other.device_key_b64.as_bytes(), &parents), None);
        }
    }

    #[test]
    fn colons_replace_the_dashes_of_the_mac_and_no_others() {
        let cases = [
            ("sn-007-mac-a1-b2-c3-d4-e5-f6", Some("sn-007-mac-a1:b2:c3:d4:e5:f6")),
            ("a1-b2-c3-d4-e5-f6-x", Some("a1:b2:c3:d4:e5:f6-x")),
            ("00-a1-b2-c3-d4-e5-f6", Some("00-a1:b2:c3:d4:e5:f6")),
            ("a1-b2-c3-d4-e5", None),
            ("a1-b2-c3-d4-e5-g6", None),
        ];
        for (plain, colons) in cases {
            assert_eq!(with_colons(plain).as_deref(), colons, "{plain}");
        }
    }
}
