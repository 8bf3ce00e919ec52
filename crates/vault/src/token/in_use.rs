//! The keys of an open token. This process holds nothing of them, only sessions, and the PIN in locked memory.

use std::panic::resume_unwind;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, PoisonError, RwLock};
use std::thread;
use std::time::Duration;

use keystation_core::flow::VaultError;
use keystation_core::key::{DeviceKey, GroupKeyInfo};
use keystation_core::registration::RegistrationId;

use super::error::TokenError;
use super::login::LoggedIn;
use super::object::{Name, Seat};
use crate::custody::CustodyKind;
use crate::os::{MemoryKind, rinse};
use crate::unlocked::InUse;

/// How long a derivation waits for its token. A network module answers in milliseconds, and its standby unit in seconds.
const PATIENCE: Duration = Duration::from_secs(10);

/// The keys; once locked, only what is no secret.
pub(super) struct TokenKeys {
    infos: Vec<GroupKeyInfo>,
    /// In the order of `infos`.
    names: Vec<Name>,
    /// A derivation holds the lock while the token works.
    login: Arc<RwLock<Option<LoggedIn>>>,
}

impl TokenKeys {
    /// `names` in the order of `infos`.
    pub(super) fn new(login: LoggedIn, infos: Vec<GroupKeyInfo>, names: Vec<Name>) -> Self {
        Self { infos, names, login: Arc::new(RwLock::new(Some(login))) }
    }
}

impl InUse for TokenKeys {
    fn kind(&self) -> CustodyKind {
        CustodyKind::Pkcs11
    }

    fn infos(&self) -> &[GroupKeyInfo] {
        &self.infos
    }

    /// On a thread of its own: PKCS#11 has no call that ends another one, and a token that never answers would hold the slot, and the
    /// device in it, for ever.
    fn derive(&self, index: usize, id: &RegistrationId) -> Result<DeviceKey, VaultError> {
        let (login, name, id) = (Arc::clone(&self.login), self.names[index].clone(), id.clone());
        let (tell, told) = mpsc::sync_channel(1);
        let work = move || {
            let derived = derived(&login, &name, id.as_str().as_bytes());
            rinse();
            // Whoever asked may wait no longer: then the key is wiped here.
            drop(tell.send(derived));
        };
        let asking = thread::Builder::new().name("token".to_owned()).spawn(work);
        let asking =
            asking.map_err(|cause| VaultError::Custody(format!("no thread for the token: {cause}")))?;
        match told.recv_timeout(PATIENCE) {
            Ok(derived) => derived,
            Err(RecvTimeoutError::Timeout) => {
                let silent = TokenError::Silent { seconds: PATIENCE.as_secs() };
                Err(VaultError::Custody(silent.to_string()))
            }
            Err(RecvTimeoutError::Disconnected) => match asking.join() {
                Err(panic) => resume_unwind(panic),
                Ok(()) => unreachable!("it tells before it ends"),
            },
        }
    }

    fn lock(&self) {
        drop(self.login.write().unwrap_or_else(PoisonError::into_inner).take());
    }

    fn memory(&self) -> Option<MemoryKind> {
        None
    }
}

fn derived(login: &RwLock<Option<LoggedIn>>, name: &Name, message: &[u8]) -> Result<DeviceKey, VaultError> {
    let login = login.read().unwrap_or_else(PoisonError::into_inner);
    let login = login.as_ref().ok_or(VaultError::Locked)?;
    let mut derived = Ok(());
    let key = DeviceKey::filled_by(|key| {
        derived = match mac(login, name, message, key) {
            Err(error) if error.is_stale() => mac(login, name, message, key),
            other => other,
        }
    });
    derived.map(|()| key).map_err(|error| VaultError::Custody(error.to_string()))
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
