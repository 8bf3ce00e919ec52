//! What a simulated device computes: which device and which set a commit means, and what it signs.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::Persona;
use super::state::Set;

/// The first 8 bytes of SHA-256("keystation/device/v1" ‖ 00 ‖ L(mac) ‖ L(sn)).
pub(super) fn device(persona: &Persona) -> [u8; 8] {
    let mut text = b"keystation/device/v1\0".to_vec();
    lengthed(&mut text, persona.mac.as_ref().map_or(&[], |mac| mac.as_slice()));
    lengthed(&mut text, persona.serial.as_deref().unwrap_or_default().as_bytes());
    first_8(&text)
}

/// The first 8 bytes of SHA-256("keystation/set/v1" ‖ 00 ‖ L(rid) ‖ L(scope) ‖ L(ep) ‖ L(an) ‖ key).
pub(super) fn set(set: &Set) -> [u8; 8] {
    let mut text = Zeroizing::new(Vec::with_capacity(320));
    text.extend_from_slice(b"keystation/set/v1\0");
    lengthed(&mut text, set.id.as_bytes());
    lengthed(&mut text, set.scope.as_bytes());
    lengthed(&mut text, set.endpoint.as_bytes());
    lengthed(&mut text, set.anchor.as_ref().map_or(&[], |anchor| anchor.as_slice()));
    text.extend_from_slice(set.key.as_slice());
    first_8(&text)
}

/// HMAC-SHA256 under the key of a set.
pub(super) fn hmac(set: &Set, parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(set.key.as_slice()).expect("any length is a key");
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}

fn lengthed(text: &mut Vec<u8>, part: &[u8]) {
    text.push(u8::try_from(part.len()).expect("a persona's texts are shorter than 256 bytes"));
    text.extend_from_slice(part);
}

fn first_8(text: &[u8]) -> [u8; 8] {
    Sha256::digest(text)[..8].try_into().expect("SHA-256 has 32 bytes")
}
