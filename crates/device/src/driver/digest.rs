//! What a commit names: the device that is meant, and the set.

use keystation_core::credential::{CredentialSet, LogAnchor};
use keystation_core::identity::Identity;
use sha2::{Digest, Sha256};

/// The first 8 bytes of SHA-256("keystation/device/v1" ‖ 00 ‖ L(mac) ‖ L(sn)).
pub(super) fn device(identity: &Identity) -> [u8; 8] {
    let mac = identity.mac.map(|mac| mac.bytes());
    let mut hash = Sha256::new_with_prefix(b"keystation/device/v1\0");
    lengthed(&mut hash, mac.as_ref().map_or(&[], |mac| mac.as_slice()));
    lengthed(&mut hash, identity.serial.as_ref().map_or("", |serial| serial.as_str()).as_bytes());
    first_8(&mut hash)
}

/// The first 8 bytes of SHA-256("keystation/set/v1" ‖ 00 ‖ L(rid) ‖ L(scope) ‖ L(ep) ‖ L(an) ‖ key).
pub(super) fn set(set: &CredentialSet) -> [u8; 8] {
    let mut hash = Sha256::new_with_prefix(b"keystation/set/v1\0");
    for text in [set.id().as_str(), set.scope().as_str(), set.endpoint().as_str()] {
        lengthed(&mut hash, text.as_bytes());
    }
    lengthed(
        &mut hash,
        set.anchor().map(LogAnchor::to_bytes).as_ref().map_or(&[], |anchor| anchor.as_slice()),
    );
    hash.update(set.key().expose());
    first_8(&mut hash)
}

fn lengthed(hash: &mut Sha256, bytes: &[u8]) {
    hash.update([u8::try_from(bytes.len()).expect("identifiers have at most 128 characters")]);
    hash.update(bytes);
}

/// In place: a hash that is moved leaves its last block, with the key in it, on the stack.
fn first_8(hash: &mut Sha256) -> [u8; 8] {
    hash.finalize_reset()[..8].try_into().expect("SHA-256 has 32 bytes")
}
