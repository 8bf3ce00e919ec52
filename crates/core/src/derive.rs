//! The derivation itself, for whoever holds a group key in the clear: the software vault's oracle and the vectors.
//!
//! <https://learn.microsoft.com/azure/iot-dps/concepts-symmetric-key-attestation#group-enrollments>

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroize;

use crate::key::DeviceKey;
use crate::registration::RegistrationId;

/// Device key = HMAC-SHA256(group key, UTF-8 of the registration ID).
///
/// `group_key` is the decoded key, 16 to 64 bytes; that rule is the vault's to hold, at import.
#[must_use]
pub fn device_key(group_key: &[u8], id: &RegistrationId) -> DeviceKey {
    DeviceKey::filled_by(|key| hmac_sha256(group_key, &[id.as_str().as_bytes()], key))
}

/// HMAC-SHA256 (RFC 2104) of the concatenated `parts`, into `out`.
pub(crate) fn hmac_sha256(key: &[u8], parts: &[&[u8]], out: &mut [u8; 32]) {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    for part in parts {
        mac.update(part);
    }
    let mut tag = mac.finalize().into_bytes();
    out.copy_from_slice(&tag);
    tag.as_mut_slice().zeroize();
}
