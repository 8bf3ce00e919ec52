//! Logged in at a token. PKCS#11 logs in an application, not a session: there is one login at a token, for all who use it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use cryptoki::context::Function;
use cryptoki::error::{Error, RvError};
use cryptoki::object::ObjectHandle;
use cryptoki::session::{Session, UserType};
use cryptoki::slot::Slot;
use cryptoki::types::AuthPin;

use super::error::TokenError;
use super::module::{Access, Module};
use super::object::Name;
use crate::os::Locked;
use crate::secret::Passphrase;

/// The logins of this process, each with how many use it.
static LOGINS: Mutex<Vec<(Arc<Login>, usize)>> = Mutex::new(Vec::new());

/// Counts logins: nothing that was learnt of a token during one of them holds in another.
static TIMES: AtomicU64 = AtomicU64::new(0);

/// A login at one token.
pub(super) struct Login {
    module: Module,
    path: PathBuf,
    label: String,
    /// To log in anew when the token comes back. Wiped when the last user leaves.
    pin: Locked<u8>,
    /// Whoever uses the token reads, whoever logs out and in writes: so no handle of an object outlives the login in which it
    /// was found, while it is being used.
    gate: RwLock<Gate>,
}

enum Gate {
    In(In),
    /// Something failed. The next who wants to use the token logs in.
    Out,
    /// The token refused the PIN that it had taken before. Trying again would lock it.
    Refused,
}

struct In {
    slot: Slot,
    time: u64,
    /// With the last session the login would end.
    session: Mutex<Session>,
    /// Sessions for the threads that derive at the same time: a network module answers several at once.
    idle: Mutex<Vec<Kept>>,
}

/// A session for one thread at a time, with the objects that were found in it. It ends with the login and with the first error.
pub(super) struct Kept {
    pub(super) session: Session,
    pub(super) objects: BTreeMap<Name, ObjectHandle>,
}

/// The use of a [`Login`]. The last one that is dropped logs out.
pub(super) struct LoggedIn(Arc<Login>);

/// A login that stays as long as this lives.
pub(super) struct Standing<'a> {
    module: &'a Module,
    gate: RwLockReadGuard<'a, Gate>,
}

impl LoggedIn {
    /// Logs in at the token `label` of the module at `path`. Where this process is logged in already the token would not look at
    /// the PIN, so it is compared with the one that the token took.
    pub(super) fn enter(path: &Path, label: &str, pin: &Passphrase) -> Result<Self, TokenError> {
        let mut logins = LOGINS.lock().unwrap_or_else(PoisonError::into_inner);
        // A new PIN is asked of the token; whoever used the old one locks or fails.
        logins.retain(|(login, _)| !login.is_refused());
        if let Some((login, users)) = logins.iter_mut().find(|(login, _)| login.is_at(path, label)) {
            if login.pin[..] != *pin.expose().as_bytes() {
                return Err(TokenError::PinDiffers);
            }
            drop(login.stand()?);
            *users += 1;
            return Ok(Self(Arc::clone(login)));
        }
        let mut kept = Locked::new(pin.expose().len()).map_err(TokenError::Memory)?;
        kept.copy_from_slice(pin.expose().as_bytes());
        let login = Login {
            module: Module::open(path)?,
            path: path.to_owned(),
            label: label.to_owned(),
            pin: kept,
            gate: RwLock::new(Gate::Out),
        };
        drop(login.stand()?);
        let login = Arc::new(login);
        logins.push((Arc::clone(&login), 1));
        Ok(Self(login))
    }

    /// The login as it stands; logs in anew where it does not.
    pub(super) fn stand(&self) -> Result<Standing<'_>, TokenError> {
        self.0.stand()
    }

    /// Logs out because something failed during the login `time`, unless that is over already. Waits until nobody uses it.
    pub(super) fn mistrust(&self, time: u64) {
        let mut gate = self.0.gate.write().unwrap_or_else(PoisonError::into_inner);
        if matches!(&*gate, Gate::In(now) if now.time == time) {
            *gate = Gate::Out;
        }
    }
}

impl Drop for LoggedIn {
    fn drop(&mut self) {
        let mut logins = LOGINS.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(index) = logins.iter().position(|(login, _)| Arc::ptr_eq(login, &self.0)) {
            logins[index].1 -= 1;
            if logins[index].1 == 0 {
                logins.swap_remove(index);
                *self.0.gate.write().unwrap_or_else(PoisonError::into_inner) = Gate::Out;
            }
        }
    }
}

impl Drop for In {
    fn drop(&mut self) {
        self.idle.get_mut().unwrap_or_else(PoisonError::into_inner).clear();
        // A token that is gone cannot be logged out of. One that is there and refuses is logged out of by the close of its last
        // session, and a login that survives both is ended before the next one.
        let _ = self.session.get_mut().unwrap_or_else(PoisonError::into_inner).logout();
    }
}

impl Login {
    fn is_at(&self, path: &Path, label: &str) -> bool {
        self.path == path && self.label == label
    }

    fn is_refused(&self) -> bool {
        matches!(*self.gate.read().unwrap_or_else(PoisonError::into_inner), Gate::Refused)
    }

    fn stand(&self) -> Result<Standing<'_>, TokenError> {
        let mut gate = self.gate.read().unwrap_or_else(PoisonError::into_inner);
        if matches!(*gate, Gate::Out) {
            drop(gate);
            let mut closed = self.gate.write().unwrap_or_else(PoisonError::into_inner);
            if matches!(*closed, Gate::Out) {
                *closed = Gate::In(self.log_in_or_renew().inspect_err(|error| {
                    if error.is_about_the_pin() {
                        *closed = Gate::Refused;
                    }
                })?);
            }
            gate = RwLockWriteGuard::downgrade(closed);
        }
        match *gate {
            Gate::In(_) => Ok(Standing { module: &self.module, gate }),
            Gate::Out | Gate::Refused => Err(TokenError::PinNoLonger),
        }
    }

    fn log_in_or_renew(&self) -> Result<In, TokenError> {
        match self.log_in() {
            // No session is open here: this login has none, and there is no other at the module.
            Err(error) if !error.is_about_the_pin() && self.module.renew()? => self.log_in(),
            tried => tried,
        }
    }

    fn log_in(&self) -> Result<In, TokenError> {
        const TAKEN: RvError = RvError::UserAlreadyLoggedIn;
        let slot = self.module.slot(&self.label)?;
        let session = self.module.session(slot, Access::Use)?;
        // Wiped when it is dropped. The module makes copies of its own.
        let pin: AuthPin = std::str::from_utf8(&self.pin).expect("it came as text").into();
        let tried = session.login(UserType::User, Some(&pin)).or_else(|error| match error {
            // A login that we did not make, or that outlived us: the token did not look at this PIN.
            Error::Pkcs11(TAKEN, Function::Login) => {
                session.logout()?;
                session.login(UserType::User, Some(&pin))
            }
            other => Err(other),
        });
        tried.map_err(|error| match error.into() {
            TokenError::PinIncorrect { .. } => TokenError::PinIncorrect { last: self.module.last_try(slot) },
            other => other,
        })?;
        Ok(In {
            slot,
            time: TIMES.fetch_add(1, Ordering::Relaxed),
            session: Mutex::new(session),
            idle: Mutex::new(Vec::new()),
        })
    }
}

impl Standing<'_> {
    fn now(&self) -> &In {
        match &*self.gate {
            Gate::In(now) => now,
            Gate::Out | Gate::Refused => {
                unreachable!("it was in when this was made, and nobody writes meanwhile")
            }
        }
    }

    /// Which login it is.
    pub(super) fn time(&self) -> u64 {
        self.now().time
    }

    /// A session that is idle, or another one.
    pub(super) fn kept(&self) -> Result<Kept, TokenError> {
        match self.now().idle.lock().unwrap_or_else(PoisonError::into_inner).pop() {
            Some(kept) => Ok(kept),
            None => Ok(Kept { session: self.session(Access::Use)?, objects: BTreeMap::new() }),
        }
    }

    /// Keeps a session in which nothing failed.
    pub(super) fn keep(&self, kept: Kept) {
        self.now().idle.lock().unwrap_or_else(PoisonError::into_inner).push(kept);
    }

    /// A session of this login.
    pub(super) fn session(&self, access: Access) -> Result<Session, TokenError> {
        self.module.session(self.now().slot, access)
    }

    /// Asks whether the token is still there. To be asked when it says that it holds nothing: it says so too when it was taken
    /// out.
    pub(super) fn ask(&self) -> Result<(), TokenError> {
        self.module.ask(self.now().slot)
    }
}
