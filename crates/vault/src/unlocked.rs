//! Group keys in use: only what deriving needs, until the vault is locked.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use keystation_core::flow::{Vault, VaultError};
use keystation_core::key::{DeviceKey, GroupKeyInfo, KeyLabel};
use keystation_core::registration::RegistrationId;

use crate::custody::CustodyKind;
use crate::midstate::{Midstates, mac};
use crate::os::{Locked, MemoryKind, bleach, rinse};

/// A custody that was opened. Dropping it locks it: there is one, and whoever owns it decides how long the keys can be
/// used.
pub struct UnlockedVault {
    keys: Arc<dyn InUse>,
}

/// The use of one group key, for a slot's thread. It survives the lock, but from then on it derives nothing.
#[derive(Clone)]
pub struct VaultKey {
    keys: Arc<dyn InUse>,
    index: usize,
}

/// Keys that can be used until they are locked: what each custody has for itself.
pub(crate) trait InUse: Send + Sync {
    /// Which custody it is.
    fn kind(&self) -> CustodyKind;
    /// The keys, in order of import, or of their labels where each has a card. Also known after the lock.
    fn infos(&self) -> &[GroupKeyInfo];
    /// The device key of `id` under the key at `index`. Whatever fails leaves a custody that the next call may try anew.
    fn derive(&self, index: usize, id: &RegistrationId) -> Result<DeviceKey, VaultError>;
    /// Wipes and closes what derives. Nothing is left of it when this returns; again is harmless.
    fn lock(&self);
    /// How what this process holds of the keys is kept from others; `None` once locked, or where it holds nothing.
    fn memory(&self) -> Option<MemoryKind>;
}

/// The keys of a sealed file: their HMAC states.
struct Keys {
    infos: Vec<GroupKeyInfo>,
    /// In the order of `infos`; `None` once locked. A derivation holds the lock for its two compressions.
    midstates: RwLock<Option<Locked<Midstates>>>,
}

impl UnlockedVault {
    /// `midstates` in the order of `infos`.
    pub(crate) fn new(infos: Vec<GroupKeyInfo>, midstates: Locked<Midstates>) -> Self {
        Self::of(Keys { infos, midstates: RwLock::new(Some(midstates)) })
    }

    pub(crate) fn of(keys: impl InUse + 'static) -> Self {
        Self { keys: Arc::new(keys) }
    }

    /// Which custody was opened.
    #[must_use]
    pub fn kind(&self) -> CustodyKind {
        self.keys.kind()
    }

    /// What the vault holds, in order of import, or of their labels where each has a card. Also known after the lock.
    #[must_use]
    pub fn keys(&self) -> &[GroupKeyInfo] {
        self.keys.infos()
    }

    /// The use of the key `label`.
    #[must_use]
    pub fn key(&self, label: &KeyLabel) -> Option<VaultKey> {
        let index = self.keys().iter().position(|info| info.label == *label)?;
        Some(VaultKey { keys: Arc::clone(&self.keys), index })
    }

    /// How what this process holds of the keys is kept from others; `None` once locked, or where the custody leaves nothing
    /// in it.
    #[must_use]
    pub fn memory(&self) -> Option<MemoryKind> {
        self.keys.memory()
    }

    /// Wipes what derives. Returns when it is gone, whoever still holds a [`VaultKey`]; again is harmless.
    pub fn lock(&self) {
        self.keys.lock();
        bleach();
    }
}

impl InUse for Keys {
    fn kind(&self) -> CustodyKind {
        CustodyKind::SealedFile
    }

    fn infos(&self) -> &[GroupKeyInfo] {
        &self.infos
    }

    fn derive(&self, index: usize, id: &RegistrationId) -> Result<DeviceKey, VaultError> {
        let midstates = self.midstates.read().unwrap_or_else(PoisonError::into_inner);
        let midstates = midstates.as_ref().ok_or(VaultError::Locked)?;
        let key = DeviceKey::filled_by(|key| mac(&midstates[index], id.as_str().as_bytes(), key));
        rinse();
        Ok(key)
    }

    fn lock(&self) {
        drop(self.midstates.write().unwrap_or_else(PoisonError::into_inner).take());
    }

    fn memory(&self) -> Option<MemoryKind> {
        let midstates = self.midstates.read().unwrap_or_else(PoisonError::into_inner);
        midstates.as_ref().map(Locked::kind)
    }
}

impl Drop for UnlockedVault {
    fn drop(&mut self) {
        self.lock();
    }
}

impl fmt::Debug for UnlockedVault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnlockedVault").field("keys", &self.keys()).finish_non_exhaustive()
    }
}

impl VaultKey {
    /// Which key it is.
    #[must_use]
    pub fn info(&self) -> &GroupKeyInfo {
        &self.keys.infos()[self.index]
    }
}

impl Vault for VaultKey {
    fn derive(&self, id: &RegistrationId) -> Result<DeviceKey, VaultError> {
        self.keys.derive(self.index, id)
    }
}

impl fmt::Debug for VaultKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("VaultKey").field(self.info()).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::unix::fs::FileExt as _;

    use keystation_core::key::KeySlot;
    use keystation_core::registration::IdRule;

    use super::*;
    use crate::midstate::keep;

    const BELOW: usize = 64 * 1024;

    /// What lies on the stack below the caller, through the kernel: no reference reaches into frames that are gone.
    #[inline(never)]
    fn stack_below() -> Vec<u8> {
        let mut bytes = vec![0; BELOW];
        let here = (&raw const bytes) as u64;
        File::open("/proc/self/mem").unwrap().read_exact_at(&mut bytes, here - BELOW as u64).unwrap();
        bytes
    }

    /// Works so deep in the stack that no later call of the test reaches what is left there.
    #[inline(never)]
    fn deep<T>(work: impl FnOnce() -> T) -> T {
        let room = [0u8; BELOW / 2];
        let done = work();
        std::hint::black_box(&room);
        done
    }

    fn holds(memory: &[u8], state: &[u32; 8]) -> bool {
        let state = state.map(u32::to_ne_bytes);
        memory.windows(32).any(|window| window == state.as_flattened())
    }

    #[test]
    fn derivation_leaves_no_state_on_the_stack_of_its_thread() {
        let mut midstates = Locked::<Midstates>::new(1).unwrap();
        keep(&mut midstates[0], &mut std::array::from_fn(|n| n as u8));
        let expected = midstates[0];
        let info = GroupKeyInfo {
            label: "gk".parse().unwrap(),
            group: "line-1".parse().unwrap(),
            scope: "0ne00000001".parse().unwrap(),
            slot: KeySlot::Primary,
            check_value: "00000-00000".parse().unwrap(),
            length: 64,
        };
        let vault = UnlockedVault::new(vec![info], midstates);
        let key = vault.key(&"gk".parse().unwrap()).unwrap();
        let id = RegistrationId::new("sn-007", IdRule::Dashes).unwrap();
        bleach(); // also has the kernel map all of the stack that is read below
        deep(|| key.derive(&id)).unwrap();
        let left = stack_below();
        for state in &expected {
            assert!(!holds(&left, state));
        }

        deep(|| {
            let copies = [expected; 8]; // the way back writes over some
            std::hint::black_box(&copies);
        });
        assert!(holds(&stack_below(), &expected[1]), "a copy would be seen");
    }
}
