//! Group keys in a TPM 2.0: each becomes an HMAC key that the TPM encrypts for itself, lies on the disk as its card, and is
//! used inside the TPM. `docs/vault-format.md`, section 8, has the objects and the bytes.
//!
//! The commands are our own: ten of them, over one page of locked memory that is wiped after each. `tss-esapi` needs C
//! libraries to build and marshals secrets into buffers of its own; `tpm2-protocol` would replace `wire` and `object`,
//! which is little for an interface that still moves.

mod auth;
mod chip;
mod command;
mod counter;
mod error;
mod object;
mod response;
mod transport;
mod wire;

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use keystation_core::flow::VaultError;
use keystation_core::key::{DeviceKey, GroupKeyInfo, KeyLabel};
use keystation_core::registration::RegistrationId;

use self::auth::Auth;
use self::chip::{Chip, Wrapped};
pub use self::counter::Counter;
pub use self::error::TpmError;
use self::transport::{Patience, Stop};
pub use self::transport::{TpmPlace, TpmPlaceRefused};
use crate::card::{Card, Cards, Home};
use crate::custody::{Custody, CustodyKind};
use crate::error::{DestroyError, ImportError, UnlockError};
use crate::group_key::GroupKey;
use crate::os::{MemoryKind, bleach, rinse};
use crate::sealed_file::NewKey;
use crate::secret::Passphrase;
use crate::unlocked::{InUse, UnlockedVault};

/// The TPM of a station, with the cards of its keys.
#[derive(Clone)]
pub struct Tpm {
    place: TpmPlace,
    cards: Cards,
    limit: Duration,
    /// One connection for all that this process does with it: an emulator has no second one.
    chip: Arc<Mutex<Option<Chip>>>,
}

impl Tpm {
    /// Characters of the secret that the first key is imported with. Fewer would do against a TPM that locks itself after
    /// some wrong ones (NIST SP 800-63B-4 asks eight of a secret whose tries are limited).
    pub const SHORTEST: usize = 8;

    /// The TPM at `place`, whose keys have their cards in the directory `cards`; nothing is opened yet.
    #[must_use]
    pub fn new(place: TpmPlace, cards: impl Into<PathBuf>) -> Self {
        let limit = Duration::from_secs(20);
        Self { place, cards: Cards::at(cards), limit, chip: Arc::default() }
    }

    /// Waits so long for each answer instead of 20 seconds, which slow chips need to make a key.
    #[must_use]
    pub fn with_time_limit(self, limit: Duration) -> Self {
        Self { limit, ..self }
    }

    /// Does something with the chip in `slot`, which is connected if it is not. After an error it is thrown away, with all
    /// that was loaded: whoever comes next connects anew.
    fn with<T>(
        &self,
        slot: &mut Option<Chip>,
        stop: Option<&Stop>,
        work: impl FnOnce(&mut Chip, Patience<'_>) -> Result<T, UnlockError>,
    ) -> Result<T, UnlockError> {
        let patience = Patience { limit: self.limit, stop };
        let done = match slot {
            Some(chip) => work(chip, patience),
            None => Chip::open(&self.place, patience).and_then(|chip| work(slot.insert(chip), patience)),
        };
        if done.is_err() {
            *slot = None;
        }
        done
    }

    fn slot(&self) -> MutexGuard<'_, Option<Chip>> {
        self.chip.lock().unwrap_or_else(|poisoned| {
            // Whoever panicked may have left an answer unread: that connection is of no use.
            self.chip.clear_poison();
            let mut slot = poisoned.into_inner();
            *slot = None;
            slot
        })
    }

    /// Lets go of the TPM, with all that was loaded.
    fn leave(&self) {
        *self.slot() = None;
    }

    #[inline(never)] // its frame has to end before `bleach` begins
    fn unlock(&self, secret: &Passphrase) -> Result<UnlockedVault, UnlockError> {
        let cards = self.cards.of(CustodyKind::Tpm)?;
        if cards.is_empty() {
            return Err(UnlockError::NoKeys(CustodyKind::Tpm));
        }
        let auth = Auth::of(secret).map_err(UnlockError::Memory)?;
        let stop = Stop::new().map_err(TpmError::Lost)?;
        let mut slot = self.slot();
        let (mut infos, mut keys) = (Vec::new(), Vec::new());
        for card in cards {
            let key = Arc::new(wrapped(&card));
            self.with(&mut slot, None, |chip, patience| prove(chip, &key, &card.info, &auth, patience))?;
            infos.push(card.info);
            keys.push(key);
        }
        let auth = Mutex::new(Some(auth));
        Ok(UnlockedVault::of(Keys { tpm: self.clone(), infos, keys, stop, auth }))
    }

    #[inline(never)] // its frame has to end before `bleach` begins
    fn add(&self, secret: &Passphrase, new: NewKey, key: &GroupKey) -> Result<GroupKeyInfo, ImportError> {
        let NewKey { label, group, scope, slot } = new;
        let check_value = key.check_value()?;
        let info = GroupKeyInfo { label, group, scope, slot, check_value, length: key.length() };
        let writer = self.cards.writer()?;
        let cards = writer.admit(&info.label, info.check_value)?;
        let auth = Auth::of(secret).map_err(UnlockError::Memory)?;
        let held = cards.iter().find(|card| card.home.kind() == CustodyKind::Tpm);
        if held.is_none() && secret.expose().chars().count() < Self::SHORTEST {
            return Err(UnlockError::from(TpmError::ShortSecret).into());
        }
        let home = self.with(&mut self.slot(), None, |chip, patience| {
            // All keys of a TPM have one secret: the one that opens those that are there.
            if let Some(card) = held {
                prove(chip, &Arc::new(wrapped(card)), &card.info, &auth, patience)?;
            }
            let bytes = &key.block()[..usize::from(info.length)];
            let made = Arc::new(chip.wrap(&info.label, auth.expose(), bytes, patience)?);
            prove(chip, &made, &info, &auth, patience)?;
            Ok(Home::Tpm { public: made.public.clone(), private: made.private.clone() })
        })?;
        let card = Card { info, home };
        writer.put(&card)?;
        Ok(card.info)
    }

    #[inline(never)] // its frame has to end before `bleach` begins
    fn remove(&self, secret: &Passphrase, label: &KeyLabel) -> Result<(), DestroyError> {
        let is_it = |card: &Card| card.info.label == *label;
        let cards = || self.cards.of(CustodyKind::Tpm).map_err(UnlockError::from);
        let writer = self.cards.writer()?;
        let card = cards()?.into_iter().find(is_it).ok_or_else(|| DestroyError::NoKey(label.clone()))?;
        let auth = Auth::of(secret).map_err(UnlockError::Memory)?;
        let key = Arc::new(wrapped(&card));
        match self
            .with(&mut self.slot(), None, |chip, patience| prove(chip, &key, &card.info, &auth, patience))
        {
            // A key that this TPM does not take is of no use to anybody here: its card goes.
            Ok(()) | Err(UnlockError::Tpm(TpmError::Foreign { .. })) => {}
            Err(error) => return Err(error.into()),
        }
        writer.remove(label)?;
        if cards()?.iter().any(is_it) { Err(DestroyError::StillThere(label.clone())) } else { Ok(()) }
    }
}

impl fmt::Debug for Tpm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tpm").field("place", &self.place).field("cards", &self.cards).finish_non_exhaustive()
    }
}

/// Uses a key once: it has to make its check value.
fn prove(
    chip: &mut Chip,
    key: &Arc<Wrapped>,
    info: &GroupKeyInfo,
    auth: &Auth,
    patience: Patience<'_>,
) -> Result<(), UnlockError> {
    let found = chip.check_value(key, auth.expose(), patience)?;
    let expected = info.check_value;
    if found == expected {
        Ok(())
    } else {
        Err(UnlockError::CheckValue { label: info.label.clone(), expected, found })
    }
}

fn wrapped(card: &Card) -> Wrapped {
    match &card.home {
        Home::Tpm { public, private } => {
            Wrapped { label: card.info.label.clone(), public: public.clone(), private: private.clone() }
        }
        Home::Pkcs11 { .. } => unreachable!("only cards of this custody are asked for"),
    }
}

impl Custody for Tpm {
    fn kind(&self) -> CustodyKind {
        CustodyKind::Tpm
    }

    fn is_there(&self) -> bool {
        // A card that is wrong is one too: opening says what is wrong with it.
        self.cards.of(CustodyKind::Tpm).map_or(true, |cards| !cards.is_empty())
    }

    fn open(&self, secret: &Passphrase) -> Result<UnlockedVault, UnlockError> {
        let opened = self.unlock(secret);
        bleach();
        opened
    }

    fn import(&self, secret: &Passphrase, new: NewKey, key: GroupKey) -> Result<GroupKeyInfo, ImportError> {
        let imported = self.add(secret, new, &key);
        drop(key);
        self.leave();
        bleach();
        imported
    }

    fn destroy(&self, secret: &Passphrase, label: &KeyLabel) -> Result<(), DestroyError> {
        let removed = self.remove(secret, label);
        self.leave();
        bleach();
        removed
    }
}

/// The keys of a TPM, and what opens them.
struct Keys {
    tpm: Tpm,
    infos: Vec<GroupKeyInfo>,
    /// In the order of `infos`.
    keys: Vec<Arc<Wrapped>>,
    stop: Stop,
    /// `None` once locked. Taken after the chip, so that nobody who waits for the chip keeps it from being wiped.
    auth: Mutex<Option<Auth>>,
}

impl Keys {
    fn auth(&self) -> MutexGuard<'_, Option<Auth>> {
        self.auth.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl InUse for Keys {
    fn kind(&self) -> CustodyKind {
        CustodyKind::Tpm
    }

    fn infos(&self) -> &[GroupKeyInfo] {
        &self.infos
    }

    fn derive(&self, index: usize, id: &RegistrationId) -> Result<DeviceKey, VaultError> {
        let mut slot = self.tpm.slot();
        let auth = self.auth();
        let auth = auth.as_ref().ok_or(VaultError::Locked)?;
        let mut derived = Ok(());
        let key = DeviceKey::filled_by(|out| {
            derived = self.tpm.with(&mut slot, Some(&self.stop), |chip, patience| {
                let message = id.as_str().as_bytes();
                Ok(chip.hmac(&self.keys[index], auth.expose(), message, out, patience)?)
            });
        });
        rinse();
        match derived {
            Ok(()) => Ok(key),
            Err(UnlockError::Tpm(TpmError::Stopped)) => Err(VaultError::Locked),
            Err(error) => Err(VaultError::Custody(error.to_string())),
        }
    }

    fn lock(&self) {
        self.stop.set(); // whoever waits for the TPM stops waiting
        drop(self.auth().take());
        self.tpm.leave();
    }

    fn memory(&self) -> Option<MemoryKind> {
        self.auth().as_ref().map(Auth::kind)
    }
}
