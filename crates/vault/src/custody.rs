//! What every custody of group keys can do, whichever it is: a sealed file, a PKCS#11 token, a TPM.
//!
//! A key is in one custody, which is chosen when the key is imported and stands in its record. There is no way from one
//! to another and nothing to fall back to: a custody that does not open stays closed, and its keys derive nothing.

use keystation_core::key::{GroupKeyInfo, KeyLabel};

use crate::error::{DestroyError, ImportError, UnlockError};
use crate::group_key::GroupKey;
use crate::sealed_file::NewKey;
use crate::secret::Passphrase;
use crate::unlocked::UnlockedVault;

/// The kinds of custody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CustodyKind {
    /// A file that age sealed under a passphrase. While it is open the HMAC states of its keys are in this process.
    SealedFile,
    /// A PKCS#11 token: the key is used inside it.
    Pkcs11,
    /// A TPM 2.0: the key is used inside it, and lies on the disk as the TPM wrapped it.
    Tpm,
}

impl CustodyKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::SealedFile, Self::Pkcs11, Self::Tpm];

    /// As records, settings and options spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SealedFile => "sealed-file",
            Self::Pkcs11 => "pkcs11",
            Self::Tpm => "tpm",
        }
    }
}

/// A place where group keys are kept and used. None of its methods gives a key out.
pub trait Custody: Send + Sync {
    /// Which kind it is.
    fn kind(&self) -> CustodyKind;

    /// Whether there is something to open: a vault file, a key's card.
    fn is_there(&self) -> bool;

    /// Opens it, with the passphrase of the file, the user PIN of the token or the authorisation of the TPM's keys. Every key
    /// has made its check value when this returns.
    fn open(&self, secret: &Passphrase) -> Result<UnlockedVault, UnlockError>;

    /// Takes a key in. It has been used once, from the place where it will stay, when this returns: its check value is that of
    /// `key`. An import that fails or is interrupted leaves the custody as it was.
    fn import(&self, secret: &Passphrase, new: NewKey, key: GroupKey) -> Result<GroupKeyInfo, ImportError>;

    /// Destroys a key. When this returns it was looked for again, and is not there.
    fn destroy(&self, secret: &Passphrase, label: &KeyLabel) -> Result<(), DestroyError>;
}
