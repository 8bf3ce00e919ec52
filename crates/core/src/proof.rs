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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::derive::tests::bytes;
    use crate::registration::IdRule;

    fn published() -> (DeviceKey, RegistrationId) {
        let key = bytes("Jsm0lyGpjaVYVP2g3FnmnmG9dI/9qU24wNoykUmermc=");
        let id = RegistrationId::new("sn-007-888-abc-mac-a1-b2-c3-d4-e5-f6", IdRule::Dashes).unwrap();
        (DeviceKey::filled_by(|out| out.copy_from_slice(&key)), id)
    }

    /// The worked example of `docs/device-protocol.md`, made there without this code.
    #[test]
    fn worked_example() {
        let (key, id) = published();
        let nonce = Nonce(std::array::from_fn(|n| n as u8));
        let proof = proof_of(&key, &nonce, &id);
        let hex: String = proof.0.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "f84bd63de6547927887b21fac25b98107d3d5293622a9f3810a6a28aababf44f");
        assert!(holds(&key, &nonce, &id, &proof));
    }

    #[test]
    fn a_proof_holds_for_one_key_one_nonce_and_one_id() {
        let (key, id) = published();
        let nonce = Nonce([7; 32]);
        let proof = proof_of(&key, &nonce, &id);
        for bit in 0..256 {
            let mut other = proof;
            other.0[bit / 8] ^= 1 << (bit % 8);
            assert!(!holds(&key, &nonce, &id, &other), "proof bit {bit}");
            let mut other = nonce;
            other.0[bit / 8] ^= 1 << (bit % 8);
            assert!(!holds(&key, &other, &id, &proof), "nonce bit {bit}");
        }
        let other = RegistrationId::new("sn-007-888-abc-mac-a1-b2-c3-d4-e5-f7", IdRule::Dashes).unwrap();
        assert!(!holds(&key, &nonce, &other, &proof));
        let zeros = DeviceKey::filled_by(|_| ());
        assert!(!holds(&zeros, &nonce, &id, &proof));
    }

    /// Nonce and prefix have a fixed length, so no two pairs of nonce and ID make the same text; and the NUL is in
    /// front of everything that the other side can choose.
    #[test]
    fn the_prefix_ends_with_the_nul_that_no_token_can_hold() {
        assert_eq!(PREFIX, b"keystation-verify/v1\0");
        assert_eq!(PREFIX.iter().filter(|byte| **byte == 0).count(), 1);
    }
}
