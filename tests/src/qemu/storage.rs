//! The storage of the reference agent, read as section 7 of `docs/device-protocol.md` says.

use base64ct::{Base64, Encoding};
use crc::{CRC_32_ISO_HDLC, Crc};
use minicbor::Decoder;

const SLOT: usize = 512;
const PAYLOAD: usize = 32;
/// Bytes of both slots and the lock mark.
pub const SIZE: usize = 2 * SLOT + 16;

/// A credential set, and which one of those that the device ever stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Set {
    /// From 1.
    pub generation: u32,
    /// Registration ID.
    pub id: String,
    /// ID scope.
    pub scope: String,
    /// DPS endpoint.
    pub endpoint: String,
    /// Device key, Base64. Only example keys come here.
    pub key: String,
    /// The station's log at the write; `None` of a set that came without.
    pub anchor: Option<[u8; 20]>,
}

impl Set {
    /// The same set without its anchor: what one can know before the log has the intent.
    #[must_use]
    pub fn bare(&self) -> Self {
        Self { anchor: None, ..self.clone() }
    }
}

/// The set in the active slot; `None` when no slot is valid.
///
/// # Panics
/// When a slot is valid and holds no set: that is no damage but a fault of the firmware.
#[must_use]
pub fn active_set(storage: &[u8; SIZE]) -> Option<Set> {
    let slots = storage.chunks_exact(SLOT).filter_map(valid);
    let (generation, payload) = slots.max_by_key(|(generation, _)| *generation)?;
    Some(set(generation, payload).expect("a valid slot holds a set"))
}

/// Whether power was cut while a slot was erased or written: it is not erased, and not valid.
#[must_use]
pub fn is_torn(storage: &[u8; SIZE]) -> bool {
    let mut slots = storage.chunks_exact(SLOT);
    slots.any(|slot| valid(slot).is_none() && slot.iter().any(|byte| *byte != 0xFF))
}

/// Generation and payload of a slot, if magic, length and CRC are right.
fn valid(slot: &[u8]) -> Option<(u32, &[u8])> {
    let number = |range: std::ops::Range<usize>| {
        slot[range].iter().rev().fold(0, |value, byte| value << 8 | u32::from(*byte))
    };
    let payload = slot.get(PAYLOAD..PAYLOAD + number(8..10) as usize)?;
    let crc = Crc::<u32>::new(&CRC_32_ISO_HDLC);
    let mut digest = crc.digest();
    digest.update(&slot[..12]);
    digest.update(payload);
    (slot.starts_with(b"KS1\0") && digest.finalize() == number(12..16)).then_some((number(4..8), payload))
}

/// The map with its four or five fields in their order, and nothing after it.
fn set(generation: u32, payload: &[u8]) -> Result<Set, minicbor::decode::Error> {
    let wrong = minicbor::decode::Error::message;
    let mut cbor = Decoder::new(payload);
    let anchored = match cbor.map()? {
        Some(4) => false,
        Some(5) => true,
        _ => return Err(wrong("not a map of four or five")),
    };
    let mut text = |key| {
        if cbor.str()? != key {
            return Err(wrong("another key"));
        }
        cbor.str().map(str::to_owned)
    };
    let (id, scope, endpoint) = (text("rid")?, text("scope")?, text("ep")?);
    if cbor.str()? != "key" {
        return Err(wrong("another key"));
    }
    let key = cbor.bytes()?;
    let mut anchor = None;
    if anchored {
        if cbor.str()? != "an" {
            return Err(wrong("another key"));
        }
        anchor = Some(cbor.bytes()?.try_into().map_err(|_| wrong("no anchor"))?);
    }
    if key.len() != 32 || cbor.position() != payload.len() {
        return Err(wrong("no device key, or something after it"));
    }
    Ok(Set { generation, id, scope, endpoint, key: Base64::encode_string(key), anchor })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vector() -> [u8; SIZE] {
        vector_of("storage_slot")
    }

    fn vector_of(name: &str) -> [u8; SIZE] {
        let vectors = include_str!("../../vectors/device-protocol.json");
        let vectors: serde_json::Value = serde_json::from_str(vectors).expect("it is JSON");
        let hex = vectors[name]["bytes"].as_str().expect("it is there");
        let mut storage = [0xFF; SIZE];
        for (byte, digits) in storage.iter_mut().zip(hex.as_bytes().chunks_exact(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(digits).unwrap(), 16).unwrap();
        }
        storage
    }

    #[test]
    fn the_slot_of_the_specification_is_read() {
        let set = active_set(&vector()).unwrap();
        assert_eq!((set.generation, set.key.as_str()), (1, crate::bench::PUBLISHED_DEVICE_KEY));
        assert_eq!((set.id.as_str(), set.scope.as_str()), (crate::bench::PUBLISHED_ID, "0ne00EMU001"));
        assert_eq!(set.endpoint, "global.azure-devices-provisioning.net");
        let anchor = set.anchor.unwrap();
        assert_eq!(anchor[..12], [0xf8, 0x05, 0x65, 0xcd, 0, 0, 0, 0, 0, 0, 0, 3]);
        assert_eq!(active_set(&vector_of("storage_slot_without_anchor")), Some(set.bare()));
    }

    #[test]
    fn a_damaged_slot_holds_nothing() {
        for byte in [0, 4, 8, 12, 32, 100] {
            let mut storage = vector();
            storage[byte] ^= 1;
            assert_eq!(active_set(&storage), None, "byte {byte}");
            assert!(is_torn(&storage), "byte {byte}");
        }
        assert_eq!(active_set(&[0xFF; SIZE]), None);
        assert!(!is_torn(&[0xFF; SIZE]) && !is_torn(&vector()));
    }
}
