//! The derivation itself, for whoever holds a group key in the clear: the software vault's oracle and the vectors.
//!
//! <https://learn.microsoft.com/azure/iot-dps/concepts-symmetric-key-attestation#group-enrollments>

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

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
///
/// Written out here because the `hmac` crate leaves the padded key on the stack, where a memory scan of a release build
/// finds it; `sha2` wipes its states, the rest is ours to wipe.
pub(crate) fn hmac_sha256(key: &[u8], parts: &[&[u8]], out: &mut [u8; 32]) {
    let mut block = Zeroizing::new([0; 64]);
    let mut hash = Sha256::new();
    if key.len() > block.len() {
        hash.update(key);
        hash.finalize_into_reset((&mut block[..32]).try_into().expect("32 bytes"));
    } else {
        block[..key.len()].copy_from_slice(key);
    }

    block.iter_mut().for_each(|byte| *byte ^= 0x36);
    hash.update(block.as_slice());
    parts.iter().for_each(|part| hash.update(part));
    let mut inner = Zeroizing::new([0; 32]);
    hash.finalize_into_reset((&mut *inner).into());

    block.iter_mut().for_each(|byte| *byte ^= 0x36 ^ 0x5c);
    hash.update(block.as_slice());
    hash.update(inner.as_slice());
    hash.finalize_into_reset(out.into());
}

#[cfg(test)]
pub(crate) mod tests {
    use base64ct::{Base64, Encoding};
    use hmac::{Hmac, KeyInit, Mac};
    use proptest::prelude::*;
    use serde::Deserialize;

    use super::*;
    use crate::registration::IdRule;

    /// `tests/vectors/dps-derive.json`, which names the source of each value.
    #[derive(Deserialize)]
    pub(crate) struct Vectors {
        pub(crate) vectors: Vec<Vector>,
        edge_cases: Vec<Vector>,
        wrong_published: Vec<Wrong>,
        pub(crate) mistake_fingerprints: Vec<Fingerprint>,
    }

    #[derive(Deserialize)]
    pub(crate) struct Vector {
        pub(crate) group_key_b64: String,
        pub(crate) registration_id: String,
        pub(crate) device_key_b64: String,
        kind: Option<String>,
    }

    #[derive(Deserialize)]
    struct Wrong {
        group_key_b64: String,
        registration_id: String,
        published_device_key_b64: String,
        correct_device_key_b64: String,
    }

    #[derive(Deserialize)]
    pub(crate) struct Fingerprint {
        pub(crate) mistake: String,
        pub(crate) group_key_b64: String,
        pub(crate) secondary_group_key_b64: Option<String>,
        pub(crate) registration_id: String,
        pub(crate) wrong_device_key_b64: String,
    }

    impl Vectors {
        pub(crate) fn read() -> Self {
            serde_json::from_str(include_str!("../../../tests/vectors/dps-derive.json")).unwrap()
        }
    }

    pub(crate) fn bytes(base64: &str) -> Vec<u8> {
        Base64::decode_vec(base64).unwrap()
    }

    /// The HMAC alone, for what is no registration ID of ours: capitals, spaces, an oversized key.
    fn primitive(group_key: &str, message: &str) -> String {
        let mut out = [0; 32];
        hmac_sha256(&bytes(group_key), &[message.as_bytes()], &mut out);
        Base64::encode_string(&out)
    }

    fn derived(group_key: &str, id: &str) -> String {
        let id = RegistrationId::new(id, IdRule::Punctuation).unwrap();
        device_key(&bytes(group_key), &id).to_base64().to_string()
    }

    #[test]
    fn published_and_reconstructed_vectors() {
        let Vectors { vectors, .. } = Vectors::read();
        let kinds = |kind: &str| vectors.iter().filter(|v| v.kind.as_deref() == Some(kind)).count();
        assert_eq!((kinds("published"), kinds("primitive"), kinds("reconstructed")), (4, 1, 1));
        for Vector { group_key_b64, registration_id, device_key_b64, .. } in &vectors {
            assert_eq!(primitive(group_key_b64, registration_id), *device_key_b64, "{registration_id}");
        }
        let canonical = |v: &&Vector| RegistrationId::new(&v.registration_id, IdRule::Dashes).is_ok();
        let through_the_type: Vec<_> = vectors.iter().filter(canonical).collect();
        assert_eq!(through_the_type.len(), 3, "the others have capitals or spaces and are refused");
        for vector in through_the_type {
            assert_eq!(derived(&vector.group_key_b64, &vector.registration_id), vector.device_key_b64);
        }
    }

    #[test]
    fn edge_cases() {
        let Vectors { edge_cases, .. } = Vectors::read();
        assert_eq!(edge_cases.len(), 5);
        for Vector { group_key_b64, registration_id, device_key_b64, .. } in &edge_cases {
            assert_eq!(derived(group_key_b64, registration_id), *device_key_b64, "{registration_id}");
        }
    }

    #[test]
    fn keys_that_were_published_beside_the_wrong_id_do_not_come_out() {
        let Vectors { wrong_published, .. } = Vectors::read();
        assert_eq!(wrong_published.len(), 3);
        for wrong in &wrong_published {
            let key = derived(&wrong.group_key_b64, &wrong.registration_id);
            assert_ne!(key, wrong.published_device_key_b64, "{}", wrong.registration_id);
            assert_eq!(key, wrong.correct_device_key_b64, "{}", wrong.registration_id);
        }
    }

    proptest! {
        /// The `hmac` crate is the second opinion: keys on both sides of the block length, messages in pieces.
        #[test]
        fn hmac_is_that_of_the_hmac_crate(
            key in prop::collection::vec(any::<u8>(), 0..150),
            message in prop::collection::vec(any::<u8>(), 0..200),
            cut in any::<prop::sample::Index>(),
        ) {
            let mut theirs = Hmac::<Sha256>::new_from_slice(&key).unwrap();
            theirs.update(&message);
            let (head, tail) = message.split_at(cut.index(message.len() + 1));
            let mut ours = [0; 32];
            hmac_sha256(&key, &[head, tail], &mut ours);
            let theirs = theirs.finalize().into_bytes();
            prop_assert_eq!(ours.as_slice(), theirs.as_slice());
        }
    }
}
