//! How the secret that a person enters becomes the authValue of the TPM's keys.

use std::io;

use sha2::{Digest as _, Sha256};

use crate::os::{Locked, MemoryKind};
use crate::secret::Passphrase;

/// What is hashed before the secret, so that the authValue is no hash of the same secret elsewhere.
const DOMAIN: &[u8] = b"keystation/tpm-auth/v1\0";

/// An authValue, in locked memory.
pub(super) struct Auth {
    memory: Locked<u8>,
}

impl Auth {
    /// SHA-256(`keystation/tpm-auth/v1` ‖ 00 ‖ secret) without the zeros at its end. A TPM takes no more bytes than its name
    /// hash has, so a long passphrase has to be hashed; all are, so that there is one rule. It strips zeros at the end
    /// before it compares (TPM 2.0 Library part 1, "Authorization Values"), so we never give it any.
    #[inline(never)] // its frame has to end before `bleach` begins
    pub(super) fn of(secret: &Passphrase) -> io::Result<Self> {
        let mut memory = Locked::new(Sha256::output_size())?;
        let hash = Sha256::new().chain_update(DOMAIN).chain_update(secret.expose());
        hash.finalize_into((&mut memory[..]).try_into().expect("it is as long as a hash"));
        Ok(Self { memory })
    }

    /// 1 to 32 bytes, the last of them not zero.
    pub(super) fn expose(&self) -> &[u8] {
        let length = self.memory.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        &self.memory[..length]
    }

    pub(super) fn kind(&self) -> MemoryKind {
        self.memory.kind()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::SecretText;

    fn auth(text: &str) -> Vec<u8> {
        let secret = Passphrase::new(SecretText::new(text.to_owned()).unwrap()).unwrap();
        Auth::of(&secret).unwrap().expose().to_vec()
    }

    /// The first by `printf 'keystation/tpm-auth/v1\0…' | sha256sum`.
    #[test]
    fn auth_value_is_the_specified_hash() {
        let hex: String = auth("correct horse battery staple").iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(hex, "e14dbdde25d608ec217375d14357ab554df0d82e5573ca005a45f215da57c77a");
        assert_ne!(auth(&"a".repeat(1024)), auth(&"a".repeat(1023)));
    }

    #[test]
    fn zeros_at_the_end_are_not_part_of_it() {
        let shorter = (0..10_000).map(|n| format!("secret number {n}")).find(|text| auth(text).len() < 32);
        let text = shorter.expect("one hash in 256 ends in a zero");
        let whole = Sha256::new().chain_update(DOMAIN).chain_update(&text).finalize();
        assert_eq!((whole[31], &whole[..auth(&text).len()]), (0, &auth(&text)[..]));
    }
}
