//! The keys of an open token. This process holds nothing of them, only sessions, and the PIN in locked memory.

use std::sync::{PoisonError, RwLock};

use keystation_core::flow::VaultError;
use keystation_core::key::{DeviceKey, GroupKeyInfo};
use keystation_core::registration::RegistrationId;

use super::error::TokenError;
use super::login::LoggedIn;
use super::object::{Name, Seat};
use crate::custody::CustodyKind;
use crate::os::{MemoryKind, rinse};
use crate::unlocked::InUse;

/// The keys; once locked, only what is no secret.
pub(super) struct TokenKeys {
    infos: Vec<GroupKeyInfo>,
    /// In the order of `infos`.
    names: Vec<Name>,
    /// A derivation holds the lock while the token works.
    login: RwLock<Option<LoggedIn>>,
}

impl TokenKeys {
    /// `names` in the order of `infos`.
    pub(super) fn new(login: LoggedIn, infos: Vec<GroupKeyInfo>, names: Vec<Name>) -> Self {
        Self { infos, names, login: RwLock::new(Some(login)) }
    }
}

impl InUse for TokenKeys {
    fn kind(&self) -> CustodyKind {
        CustodyKind::Pkcs11
    }

    fn infos(&self) -> &[GroupKeyInfo] {
        &self.infos
    }

    fn derive(&self, index: usize, id: &RegistrationId) -> Result<DeviceKey, VaultError> {
        let login = self.login.read().unwrap_or_else(PoisonError::into_inner);
        let login = login.as_ref().ok_or(VaultError::Locked)?;
        let (name, message) = (&self.names[index], id.as_str().as_bytes());
        let mut derived = Ok(());
        let key = DeviceKey::filled_by(|key| {
            derived = match mac(login, name, message, key) {
                Err(error) if error.is_stale() => mac(login, name, message, key),
                other => other,
            }
        });
        rinse();
        derived.map(|()| key).map_err(|error| VaultError::Custody(error.to_string()))
    }

    fn lock(&self) {
        drop(self.login.write().unwrap_or_else(PoisonError::into_inner).take());
    }

    fn memory(&self) -> Option<MemoryKind> {
        None
    }
}

/// One try. After an error the session is gone with what was found in it, and the next try logs in anew.
fn mac(login: &LoggedIn, name: &Name, message: &[u8], out: &mut [u8; 32]) -> Result<(), TokenError> {
    let standing = login.stand()?;
    let time = standing.time();
    let tried = standing.kept().and_then(|mut kept| {
        let seat = Seat::new(&standing, &kept.session);
        let object = match kept.objects.get(name) {
            Some(object) => *object,
            None => seat.find(name)?,
        };
        seat.mac(object, message, out)?;
        kept.objects.insert(name.clone(), object);
        standing.keep(kept);
        Ok(())
    });
    drop(standing);
    tried.inspect_err(|_| login.mistrust(time))
}
