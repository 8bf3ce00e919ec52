//! Proof of possession: the device shows that it holds the key without showing the key.

use subtle::ConstantTimeEq;

use crate::derive::hmac_sha256;
use crate::key::DeviceKey;
use crate::registration::RegistrationId;

/// 32 random bytes that the station has never used before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Nonce(pub [u8; 32]);

/// What a device answered to a nonce: 32 bytes, not secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proof(pub [u8; 32]);

/// Begins every text that a device signs as a proof.
///
/// The same key signs `URI \n expiry` for Azure. The NUL byte stands in no URI, so no nonce can make a proof pass
/// for a token: a device that signed bare nonces would sell tokens to whoever reaches its serial port.
pub const PREFIX: &[u8] = b"keystation-verify/v1\0";

/// HMAC-SHA256(device key, [`PREFIX`] ‖ nonce ‖ registration ID).
#[must_use]
pub fn proof_of(key: &DeviceKey, nonce: &Nonce, id: &RegistrationId) -> Proof {
    let mut proof = Proof([0; 32]);
    hmac_sha256(key.expose(), &[PREFIX, &nonce.0, id.as_str().as_bytes()], &mut proof.0);
    proof
}

/// Whether `proof` answers `nonce`; the time does not depend on where the bytes differ.
#[must_use]
pub fn holds(key: &DeviceKey, nonce: &Nonce, id: &RegistrationId, proof: &Proof) -> bool {
    proof_of(key, nonce, id).0.ct_eq(&proof.0).into()
}
