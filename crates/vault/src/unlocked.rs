//! Group keys in use: only what deriving needs, until the vault is locked.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use keystation_core::flow::{Vault, VaultError};
use keystation_core::key::{DeviceKey, GroupKeyInfo, KeyLabel};
use keystation_core::registration::RegistrationId;

use crate::midstate::{Midstates, mac};
use crate::os::{Locked, MemoryKind, bleach, wipe_registers};

/// A sealed file that was opened. Dropping it locks it: there is one, and whoever owns it decides how long the keys
/// can be used.
pub struct UnlockedVault {
    keys: Arc<Keys>,
}

/// The use of one group key, for a slot's thread. It survives the lock, but from then on it derives nothing.
#[derive(Clone)]
pub struct VaultKey {
    keys: Arc<Keys>,
    index: usize,
}

struct Keys {
    infos: Vec<GroupKeyInfo>,
    /// In the order of `infos`; `None` once locked. A derivation holds the lock for its two compressions.
    midstates: RwLock<Option<Locked<Midstates>>>,
}

impl UnlockedVault {
    /// `midstates` in the order of `infos`.
    pub(crate) fn new(infos: Vec<GroupKeyInfo>, midstates: Locked<Midstates>) -> Self {
        Self { keys: Arc::new(Keys { infos, midstates: RwLock::new(Some(midstates)) }) }
    }

    /// What the vault holds, in order of import. Also known after the lock.
    #[must_use]
    pub fn keys(&self) -> &[GroupKeyInfo] {
        &self.keys.infos
    }

    /// The use of the key `label`.
    #[must_use]
    pub fn key(&self, label: &KeyLabel) -> Option<VaultKey> {
        let index = self.keys.infos.iter().position(|info| info.label == *label)?;
        Some(VaultKey { keys: Arc::clone(&self.keys), index })
    }

    /// How the states are kept from others; `None` once locked.
    #[must_use]
    pub fn memory(&self) -> Option<MemoryKind> {
        let midstates = self.keys.midstates.read().unwrap_or_else(PoisonError::into_inner);
        midstates.as_ref().map(Locked::kind)
    }

    /// Wipes the states. Returns when they are gone, whoever still holds a [`VaultKey`]; again is harmless.
    pub fn lock(&self) {
        drop(self.keys.midstates.write().unwrap_or_else(PoisonError::into_inner).take());
        bleach();
    }
}

impl Drop for UnlockedVault {
    fn drop(&mut self) {
        self.lock();
    }
}

impl fmt::Debug for UnlockedVault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnlockedVault").field("keys", &self.keys.infos).finish_non_exhaustive()
    }
}

impl VaultKey {
    /// Which key it is.
    #[must_use]
    pub fn info(&self) -> &GroupKeyInfo {
        &self.keys.infos[self.index]
    }
}

impl Vault for VaultKey {
    fn derive(&self, id: &RegistrationId) -> Result<DeviceKey, VaultError> {
        let midstates = self.keys.midstates.read().unwrap_or_else(PoisonError::into_inner);
        let midstates = midstates.as_ref().ok_or(VaultError::Locked)?;
        let key = DeviceKey::filled_by(|key| mac(&midstates[self.index], id.as_str().as_bytes(), key));
        wipe_registers();
        Ok(key)
    }
}

impl fmt::Debug for VaultKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("VaultKey").field(self.info()).finish()
    }
}
