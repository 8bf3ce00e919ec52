//! The library of a token's maker, opened at run time.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Function, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::session::Session;
use cryptoki::slot::Slot;

use super::error::TokenError;

/// Every module that this process opened, by its path. None is closed again: libraries of makers run threads.
static MODULES: Mutex<BTreeMap<PathBuf, Arc<Loaded>>> = Mutex::new(BTreeMap::new());

struct Loaded {
    library: Pkcs11,
    /// Whether this station initialised it, and not another part of the program.
    ours: bool,
    /// How many use it.
    users: Mutex<usize>,
}

/// What a session is for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Access {
    /// To find keys and to sign.
    Use,
    /// To make and delete objects too.
    Change,
}

/// The use of a PKCS#11 module, which is initialised.
pub(super) struct Module(Arc<Loaded>);

impl Module {
    /// Opens the module at `path` and initialises it, once per process.
    ///
    /// The path has to be absolute and has to lead to a file: dlopen(3) looks for a bare name in the system's folders, and takes
    /// an empty one for the program itself.
    pub(super) fn open(path: &Path) -> Result<Self, TokenError> {
        let absent = |cause| TokenError::ModuleAbsent { path: path.to_owned(), cause };
        let file = path.canonicalize().map_err(absent)?;
        if !File::open(&file).and_then(|file| file.metadata()).map_err(absent)?.is_file() {
            return Err(absent(std::io::ErrorKind::InvalidInput.into()));
        }
        let mut modules = MODULES.lock().unwrap_or_else(PoisonError::into_inner);
        let loaded = match modules.get(&file) {
            Some(loaded) => Arc::clone(loaded),
            None => {
                let foreign = |cause| TokenError::NoModule { path: path.to_owned(), cause: Box::new(cause) };
                let library = Pkcs11::new(&file).map_err(foreign)?;
                let ours = initialise(&library)?;
                let loaded = Arc::new(Loaded { library, ours, users: Mutex::new(0) });
                modules.insert(file, Arc::clone(&loaded));
                loaded
            }
        };
        *loaded.users.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        Ok(Self(loaded))
    }

    /// Ends the module's work and begins it anew: some never see a token again that was away. Only where nobody else uses the
    /// module; says whether it was done. Every session must be closed before: its number may be another's afterwards.
    pub(super) fn renew(&self) -> Result<bool, TokenError> {
        let users = self.0.users.lock().unwrap_or_else(PoisonError::into_inner);
        if *users != 1 || !self.0.ours {
            return Ok(false);
        }
        match self.0.library.clone().finalize() {
            // The last renewal got as far as this: SoftHSM does not begin without its tokens.
            Ok(()) | Err(Error::Pkcs11(RvError::CryptokiNotInitialized, _)) => {}
            Err(cause) => return Err(cause.into()),
        }
        initialise(&self.0.library)?;
        Ok(true)
    }

    /// The slot of the one token with this label. Numbers of slots change when tokens come and go, so this is asked anew for
    /// every login.
    pub(super) fn slot(&self, label: &str) -> Result<Slot, TokenError> {
        let mut found = Vec::new();
        let mut unread = None;
        for slot in self.0.library.get_slots_with_token()? {
            match self.0.library.get_token_info(slot) {
                Ok(token) if token.token_initialized() && token.label() == label => found.push(slot),
                Ok(_) => {}
                // Another reader's token may be out of order; if ours is not found this is the reason that counts.
                Err(error) => unread = Some(error),
            }
        }
        match (found.as_slice(), unread) {
            ([slot], _) => Ok(*slot),
            ([], Some(error)) => Err(error.into()),
            ([], None) => Err(TokenError::NoToken(label.to_owned())),
            (many, _) => Err(TokenError::ManyTokens { label: label.to_owned(), count: many.len() }),
        }
    }

    /// A session with the token in a slot.
    pub(super) fn session(&self, slot: Slot, access: Access) -> Result<Session, TokenError> {
        Ok(match access {
            Access::Use => self.0.library.open_ro_session(slot)?,
            Access::Change => self.0.library.open_rw_session(slot)?,
        })
    }

    /// Asks whether the token is still in its slot.
    pub(super) fn ask(&self, slot: Slot) -> Result<(), TokenError> {
        self.0.library.get_token_info(slot)?;
        Ok(())
    }

    /// Whether the next wrong PIN is the last. A token that does not say is taken at its word.
    pub(super) fn last_try(&self, slot: Slot) -> bool {
        self.0.library.get_token_info(slot).is_ok_and(|token| token.user_pin_final_try())
    }
}

impl Drop for Module {
    fn drop(&mut self) {
        *self.0.users.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
    }
}

/// `false` where somebody else in this process did it before.
fn initialise(library: &Pkcs11) -> Result<bool, TokenError> {
    match library.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
        Ok(()) => Ok(true),
        Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, Function::Initialize)) => Ok(false),
        Err(cause) => Err(cause.into()),
    }
}
