//! The two objects: the storage key that wraps, and the HMAC key that a group key becomes (TPM 2.0 Library part 2,
//! "TPMT_PUBLIC", "TPMA_OBJECT"). And the counter ("TPMS_NV_PUBLIC", "TPMA_NV").

use super::command::Handle;
use super::wire::{In, Malformed, Out};

/// `TPM_ALG_ID` (part 2).
const ECC: u16 = 0x0023;
const KEYEDHASH: u16 = 0x0008;
const SHA256: u16 = 0x000b;
const AES: u16 = 0x0006;
const CFB: u16 = 0x0043;
const HMAC: u16 = 0x0005;
const NULL: u16 = 0x0010;
/// `TPM_ECC_NIST_P256` (part 2, "TPM_ECC_CURVE").
const P256: u16 = 0x0003;

/// `TPMA_OBJECT` (part 2), as bits.
const FIXED_TPM: u32 = 1 << 1;
const FIXED_PARENT: u32 = 1 << 4;
const SENSITIVE_DATA_ORIGIN: u32 = 1 << 5;
const USER_WITH_AUTH: u32 = 1 << 6;
const NO_DA: u32 = 1 << 10;
const RESTRICTED: u32 = 1 << 16;
const DECRYPT: u32 = 1 << 17;
const SIGN: u32 = 1 << 18;

/// `TPMA_NV` (part 2), as bits; `TPM_NT_COUNTER` in bits 4 to 7.
const NV_AUTH_WRITE: u32 = 1 << 2;
const NV_COUNTER: u32 = 1 << 4;
const NV_AUTH_READ: u32 = 1 << 18;
const NV_NO_DA: u32 = 1 << 25;
const NV_WRITTEN: u32 = 1 << 29;

/// Bytes of a counter: an unsigned number, big-endian.
pub(super) const COUNTER_BYTES: u16 = 8;

/// The storage key: ECC P-256 with AES-128 in CFB mode, made again from the owner's seed whenever it is needed, so that it
/// takes no place in the TPM. It has no authValue, and so no part in the count of wrong ones (`noDA`): the HMAC key has.
pub(super) fn storage_key(out: &mut Out<'_>) {
    out.u16(ECC);
    out.u16(SHA256);
    out.u32(FIXED_TPM | FIXED_PARENT | SENSITIVE_DATA_ORIGIN | USER_WITH_AUTH | NO_DA | RESTRICTED | DECRYPT);
    out.sized(|_| ()); // no policy
    // TPMS_ECC_PARMS: symmetric, scheme, curve, key derivation.
    for value in [AES, 128, CFB, NULL, P256, NULL] {
        out.u16(value);
    }
    // TPMS_ECC_POINT: the TPM computes it.
    out.sized(|_| ());
    out.sized(|_| ());
}

/// The HMAC key: it signs and does nothing else, with its authValue, in this TPM and under this storage key only. It was
/// brought in (`sensitiveDataOrigin` is clear), and without `noDA` the TPM counts wrong authValues and locks itself.
/// It cannot be unsealed, duplicated or changed.
pub(super) fn hmac_key(out: &mut Out<'_>) {
    fixed_of_hmac_key(out);
    out.sized(|_| ()); // unique: the TPM computes it
}

fn fixed_of_hmac_key(out: &mut Out<'_>) {
    out.u16(KEYEDHASH);
    out.u16(SHA256);
    out.u32(FIXED_TPM | FIXED_PARENT | USER_WITH_AUTH | SIGN);
    out.sized(|_| ()); // no policy
    // TPMS_KEYEDHASH_PARMS: HMAC with SHA-256.
    out.u16(HMAC);
    out.u16(SHA256);
}

/// Whether a `TPM2B_PUBLIC`, with its length, is that of such an HMAC key: all of it but the 32 bytes of `unique`, which
/// only the TPM can judge. A key that could leave the TPM, or that needs no authValue, is none.
pub(super) fn is_hmac_key(public: &[u8]) -> bool {
    let mut expected = [0; 16];
    let mut out = Out::new(&mut expected);
    fixed_of_hmac_key(&mut out);
    let fixed = out.length();
    let read = || -> Result<bool, Malformed> {
        let mut whole = In::new(public);
        let mut area = In::new(whole.sized()?);
        whole.end()?;
        let same = area.bytes(fixed)? == &expected[..fixed];
        let unique = area.sized()?;
        area.end()?;
        Ok(same && unique.len() == 32)
    };
    read() == Ok(true)
}

/// `TPMS_NV_PUBLIC` of the counter at `index`, which was raised before or was not. It is kept in non-volatile memory at each
/// step (not `TPMA_NV_ORDERLY`), nothing locks it, its authValue is empty and not among those that a TPM counts wrong ones of.
pub(super) fn counter(out: &mut Out<'_>, index: Handle, written: bool) {
    out.u32(index.0);
    out.u16(SHA256);
    let attributes = NV_AUTH_WRITE | NV_COUNTER | NV_AUTH_READ | NV_NO_DA;
    out.u32(if written { attributes | NV_WRITTEN } else { attributes });
    out.sized(|_| ()); // no policy
    out.u16(COUNTER_BYTES);
}

/// Whether the content of a `TPM2B_NV_PUBLIC` is that of the counter at `index`: if so, whether it was ever raised.
pub(super) fn is_counter(public: &[u8], index: Handle) -> Option<bool> {
    [true, false].into_iter().find(|written| {
        let mut expected = [0; 16];
        let mut out = Out::new(&mut expected);
        counter(&mut out, index, *written);
        let length = out.length();
        public == &expected[..length]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn public(unique: &[u8]) -> Vec<u8> {
        let mut memory = [0; 128];
        let mut out = Out::new(&mut memory);
        out.sized(|out| {
            fixed_of_hmac_key(out);
            out.sized(|out| out.bytes(unique));
        });
        let length = out.length();
        memory[..length].to_vec()
    }

    /// What a TPM checks by itself when it loads the key is the `unique` part; all others are checked here.
    #[test]
    fn public_area_with_any_bit_changed_outside_of_unique_is_no_hmac_key() {
        let public = public(&[7; 32]);
        assert!(is_hmac_key(&public));
        assert_eq!(public.len(), 50);
        for bit in 0..public.len() * 8 {
            let mut other = public.clone();
            other[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(is_hmac_key(&other), bit / 8 >= 18, "bit {bit}");
        }
    }

    #[test]
    fn public_area_of_another_length_is_no_hmac_key() {
        let whole = public(&[7; 32]);
        for length in 0..whole.len() {
            assert!(!is_hmac_key(&whole[..length]));
        }
        assert!(!is_hmac_key(&[&whole[..], &[0]].concat()));
        for length in [0, 31, 33] {
            assert!(!is_hmac_key(&public(&vec![7; length])));
        }
    }

    /// Another kind of memory, one that is lost, locked or turned back, another policy, another length.
    #[test]
    fn counter_with_any_bit_changed_is_none() {
        let index = Handle(0x0180_0001);
        for written in [true, false] {
            let mut memory = [0; 16];
            let mut out = Out::new(&mut memory);
            counter(&mut out, index, written);
            let length = out.length();
            let public = memory[..length].to_vec();
            assert_eq!(is_counter(&public, index), Some(written));
            for bit in 0..public.len() * 8 {
                let mut other = public.clone();
                other[bit / 8] ^= 1 << (bit % 8);
                // `TPMA_NV_WRITTEN` is the one bit of which there are both.
                let expected = (bit == 6 * 8 + 5).then_some(!written);
                assert_eq!(is_counter(&other, index), expected, "bit {bit}");
            }
            for length in 0..public.len() {
                assert_eq!(is_counter(&public[..length], index), None);
            }
            assert_eq!(is_counter(&[&public[..], &[0]].concat(), index), None);
        }
    }
}
