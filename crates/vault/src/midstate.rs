//! HMAC-SHA256 from the two states that are left when the key blocks have been hashed.
//!
//! HMAC(K, m) = H((K ⊕ opad) ‖ H((K ⊕ ipad) ‖ m)) (RFC 2104, section 2). The blocks K ⊕ ipad and K ⊕ opad come
//! first in both hashes, so their states can be kept instead of the key (RFC 2104, section 4). Whoever has them can
//! derive every device key of the group, and cannot get the group key back.

use sha2::block_api::compress256;

use crate::os::wipe;

/// Bytes of a SHA-256 block.
pub(crate) const BLOCK: usize = 64;
/// Longest message: a registration ID. Three blocks hold it with its padding.
pub(crate) const MESSAGE_LIMIT: usize = 128;

const IPAD: u8 = 0x36;
const OPAD: u8 = 0x5c;

/// SHA-256's initial state (FIPS 180-4, section 5.3.3).
const INITIAL: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

/// The states after K ⊕ ipad and after K ⊕ opad. They stay in locked memory.
pub(crate) type Midstates = [[u32; 8]; 2];

/// Hashes the key block, XORed in place, and leaves it all zero. `key` is the key padded with zeros.
pub(crate) fn keep(midstates: &mut Midstates, key: &mut [u8; BLOCK]) {
    let [inner, outer] = midstates;
    *inner = INITIAL;
    *outer = INITIAL;
    key.iter_mut().for_each(|byte| *byte ^= IPAD);
    compress256(inner, std::slice::from_ref(key));
    key.iter_mut().for_each(|byte| *byte ^= IPAD ^ OPAD);
    compress256(outer, std::slice::from_ref(key));
    wipe(key);
}

/// HMAC-SHA256 of `message`, at most [`MESSAGE_LIMIT`] bytes, into `out`: two compressions for up to 55 bytes. What is
/// left on the stack, by this and by the compressions, is the caller's to wipe.
pub(crate) fn mac(midstates: &Midstates, message: &[u8], out: &mut [u8; 32]) {
    assert!(message.len() <= MESSAGE_LIMIT, "a registration ID has at most 128 characters");
    let [inner, outer] = midstates;
    let mut blocks = [[0; BLOCK]; 3];
    let used = pad(blocks.as_flattened_mut(), message);
    let mut state = [0; 8];
    state.copy_from_slice(inner); // an assignment may go through a temporary that nobody wipes
    compress256(&mut state, &blocks[..used]);
    spell(&state, out);

    let [last, ..] = &mut blocks;
    *last = LAST;
    last[..out.len()].copy_from_slice(out);
    state.copy_from_slice(outer);
    compress256(&mut state, std::slice::from_ref(last));
    spell(&state, out);
    wipe(&mut state);
    wipe(last);
}

/// The block of the outer hash: an inner hash of 32 bytes, and the padding behind it and the key block.
const LAST: [u8; BLOCK] = {
    let mut block = [0; BLOCK];
    block[32] = 0x80;
    [block[BLOCK - 2], block[BLOCK - 1]] = ((BLOCK as u16 + 32) * 8).to_be_bytes();
    block
};

/// Writes `message` with SHA-256's padding behind one block already hashed (FIPS 180-4, section 5.1.1); returns the
/// number of blocks it takes.
fn pad(blocks: &mut [u8], message: &[u8]) -> usize {
    let used = (message.len() + 9).div_ceil(BLOCK);
    let bits = 8 * (BLOCK + message.len()) as u64;
    blocks[..message.len()].copy_from_slice(message);
    blocks[message.len()] = 0x80;
    blocks[used * BLOCK - 8..used * BLOCK].copy_from_slice(&bits.to_be_bytes());
    used
}

fn spell(state: &[u32; 8], out: &mut [u8; 32]) {
    for (bytes, word) in out.chunks_exact_mut(4).zip(state) {
        bytes.copy_from_slice(&word.to_be_bytes());
    }
}

#[cfg(test)]
mod tests {
    use keystation_core::derive::device_key;
    use keystation_core::registration::{IdRule, RegistrationId};
    use proptest::prelude::*;

    use super::*;

    fn midstates(key: &[u8]) -> Midstates {
        let mut block = [0; BLOCK];
        block[..key.len()].copy_from_slice(key);
        let mut midstates = [[0; 8]; 2];
        keep(&mut midstates, &mut block);
        assert_eq!(block, [0; BLOCK], "the key block is wiped");
        midstates
    }

    fn mac_of(midstates: &Midstates, id: &RegistrationId) -> [u8; 32] {
        let mut out = [0; 32];
        mac(midstates, id.as_str().as_bytes(), &mut out);
        out
    }

    #[test]
    fn midstates_make_the_mac_of_every_key_length_and_every_id_length() {
        for length in 16..=64 {
            let key: Vec<u8> = (0..length).map(|n| 255 - 3 * n).collect();
            let midstates = midstates(&key);
            for characters in 1..=RegistrationId::LIMIT {
                let id = RegistrationId::new(&"a".repeat(characters), IdRule::Dashes).unwrap();
                assert_eq!(
                    &mac_of(&midstates, &id),
                    device_key(&key, &id).expose(),
                    "{length} bytes, {characters} characters"
                );
            }
        }
    }

    proptest! {
        #[test]
        fn midstates_make_the_mac_of_any_key_and_id(
            key in proptest::collection::vec(any::<u8>(), 16..=64),
            id in "[a-z0-9]([a-z0-9-]{0,126}[a-z0-9])?",
        ) {
            let id = RegistrationId::new(&id, IdRule::Dashes).unwrap();
            let expected = device_key(&key, &id);
            prop_assert_eq!(&mac_of(&midstates(&key), &id), expected.expose());
        }
    }
}
