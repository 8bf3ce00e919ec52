//! The custodies of this station, put together from its settings: each key is in one of them, and none stands in for another.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use keystation_audit::{KeyState, KnownKey, Reader};
use keystation_core::key::{GroupKeyInfo, KeyLabel};
use keystation_core::record::{Entry, Event, KeyOrigin};
use keystation_vault::{
    Cards, Counter, Custody, CustodyKind, MemoryKind, Passphrase, SealedFile, Token, Tpm, TransferKey,
    UnlockError, UnlockedVault, VaultKey, WorkFactor,
};

use crate::config::StationConfig;
use crate::data_dir::DataDir;
use crate::error::StationError;
use crate::people::{Action, Permit, counter_index};
use crate::station::Station;

/// What the settings name: the sealed file always, a token and a TPM where they have a section.
pub struct Custodies {
    all: Vec<Box<dyn Custody>>,
    /// Of wrong PINs, where the settings name it.
    counter: Option<Counter>,
    work: WorkFactor,
}

impl Custodies {
    /// The custodies of a station; nothing is opened.
    pub fn of(data: &DataDir, config: &StationConfig) -> Result<Self, StationError> {
        Self::sealing(data, config, WorkFactor::STATION)
    }

    /// The same, with another cost of what is sealed under a passphrase.
    pub(crate) fn sealing(
        data: &DataDir,
        config: &StationConfig,
        work: WorkFactor,
    ) -> Result<Self, StationError> {
        let mut all: Vec<Box<dyn Custody>> =
            vec![Box::new(SealedFile::at(data.vault()).with_work_factor(work))];
        if let Some(settings) = &config.token {
            let token = Token::new(settings.clone(), Cards::at(data.cards()));
            all.push(Box::new(token.map_err(UnlockError::from)?));
        }
        let mut counter = None;
        if let Some(place) = &config.tpm {
            let tpm = Tpm::new(place.clone(), data.cards());
            counter = config.pin_counter.then(|| Counter::of(&tpm, counter_index(&config.origin)));
            all.push(Box::new(tpm));
        }
        Ok(Self { all, counter, work })
    }

    /// The cost of what is sealed under a passphrase.
    pub(crate) const fn work(&self) -> WorkFactor {
        self.work
    }

    /// The counter of wrong PINs.
    pub(crate) fn counter(&self) -> Option<&Counter> {
        self.counter.as_ref()
    }

    /// The station's key for transfers.
    pub(crate) fn transfer_key(&self, data: &DataDir) -> TransferKey {
        TransferKey::at(data.transfer_key()).with_work_factor(self.work)
    }

    /// Which there are.
    #[must_use]
    pub fn kinds(&self) -> Vec<CustodyKind> {
        self.all.iter().map(|custody| custody.kind()).collect()
    }

    /// The one that is meant where none is named: there is one only if the settings leave no choice.
    #[must_use]
    pub fn only(&self) -> Option<CustodyKind> {
        match &self.all[..] {
            [custody] => Some(custody.kind()),
            _ => None,
        }
    }

    /// The first that holds something, whatever the log knows of it.
    fn first_there(&self) -> Option<CustodyKind> {
        self.all.iter().find(|custody| custody.is_there()).map(|custody| custody.kind())
    }

    /// The custody of this kind; an error where the settings do not name one.
    pub fn get(&self, kind: CustodyKind) -> Result<&dyn Custody, StationError> {
        let custody = self.all.iter().find(|custody| custody.kind() == kind);
        custody.map(|custody| &**custody).ok_or(StationError::NoCustody(kind))
    }

    /// The key `label` as the log knows it, and where it is; an error if it may not be used.
    pub fn active(reader: &Reader, label: &KeyLabel) -> Result<(GroupKeyInfo, CustodyKind), StationError> {
        let known = reader.known_key(label)?;
        let KnownKey { info, custody, state } = known.ok_or_else(|| StationError::NoKey(label.clone()))?;
        match state {
            KeyState::Active => Ok((info, custody_named(&custody)?)),
            state => Err(StationError::KeyInactive { label: label.clone(), state }),
        }
    }

    /// The use of the key in an open custody: it has to be the one that the log knows.
    pub fn key_in(vault: &UnlockedVault, info: &GroupKeyInfo) -> Result<VaultKey, StationError> {
        let key = vault.key(&info.label).ok_or_else(|| StationError::NoKey(info.label.clone()))?;
        if key.info() == info {
            return Ok(key);
        }
        let check_value = key.info().check_value;
        Err(StationError::OtherKey { label: info.label.clone(), check_value, custody: vault.kind() })
    }

    /// Those that hold a key, as the log says, or as they say themselves.
    pub fn with_keys(&self, reader: &Reader) -> Result<Vec<CustodyKind>, StationError> {
        let known = reader.known_keys()?;
        let holds =
            |custody: &dyn Custody| custody.is_there() || known.iter().any(|key| is_in(key, custody.kind()));
        Ok(self.all.iter().filter(|custody| holds(&***custody)).map(|custody| custody.kind()).collect())
    }
}

/// Whether the log says that the key is in this custody, and not destroyed.
fn is_in(key: &KnownKey, kind: CustodyKind) -> bool {
    key.custody == kind.as_str() && key.state != KeyState::Destroyed
}

/// The custody that a record names.
fn custody_named(name: &str) -> Result<CustodyKind, StationError> {
    let kind = CustodyKind::ALL.into_iter().find(|kind| kind.as_str() == name);
    kind.ok_or_else(|| StationError::Custody(format!("this program knows no custody `{name}`")))
}

/// The custodies that are open.
#[derive(Default)]
pub(crate) struct Opened(Vec<UnlockedVault>);

impl Opened {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn get(&self, kind: CustodyKind) -> Option<&UnlockedVault> {
        self.0.iter().find(|vault| vault.kind() == kind)
    }

    /// All keys, of all of them.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &GroupKeyInfo> {
        self.0.iter().flat_map(UnlockedVault::keys)
    }

    /// Puts one in; gives back what was there of its kind.
    fn put(&mut self, vault: UnlockedVault) -> Vec<UnlockedVault> {
        let before = self.take(|kind| kind == vault.kind());
        self.0.push(vault);
        before
    }

    /// Takes some out. Whoever gets them locks them, and holds no lock of the station meanwhile: a token may keep it waiting.
    fn take(&mut self, which: impl Fn(CustodyKind) -> bool) -> Vec<UnlockedVault> {
        self.0.extract_if(.., |vault| which(vault.kind())).collect()
    }
}

/// How long whoever locks waits for a token and a TPM: it holds no key of theirs.
const LEAVING: Duration = Duration::from_secs(5);

/// Locks the sealed file, whose keys are in this process, and then what is outside of it. A token that does not answer is left on a thread
/// of its own, which takes leave of it as soon as it does.
pub(crate) fn lock_all(vaults: Vec<UnlockedVault>) {
    let (inside, outside): (Vec<_>, Vec<_>) =
        vaults.into_iter().partition(|vault| vault.kind() == CustodyKind::SealedFile);
    drop(inside);
    if outside.is_empty() {
        return;
    }
    let (done, left) = mpsc::channel();
    let leave = move || {
        drop(outside);
        if done.send(()).is_err() {
            tracing::info!("a custody that did not answer was left after all");
        }
    };
    match thread::Builder::new().name("custody".to_owned()).spawn(leave) {
        Ok(_) => {
            if left.recv_timeout(LEAVING) == Err(RecvTimeoutError::Timeout) {
                tracing::warn!("a custody does not answer, and is left as it is");
            }
        }
        // The closure was dropped, and with it what it was to leave.
        Err(error) => tracing::warn!(%error, "a custody was left on the thread that locks"),
    }
}

impl Station {
    /// The custodies that the settings name.
    #[must_use]
    pub fn custodies(&self) -> Vec<CustodyKind> {
        self.all_custodies().kinds()
    }

    /// The custody that is meant where none is named.
    pub fn only_custody(&self) -> Result<CustodyKind, StationError> {
        self.all_custodies().only().ok_or_else(|| StationError::WhichCustody(self.custodies()))
    }

    /// The custodies that hold keys and are closed: each is opened with its own secret.
    pub fn closed_custodies(&self) -> Result<Vec<CustodyKind>, StationError> {
        let mut kinds = self.all_custodies().with_keys(&self.reader()?)?;
        kinds.retain(|kind| self.desk().opened.get(*kind).is_none());
        Ok(kinds)
    }

    /// Whether this custody is open.
    #[must_use]
    pub fn is_open(&self, kind: CustodyKind) -> bool {
        self.desk().opened.get(kind).is_some()
    }

    /// How many keys an open custody holds, and in which memory those that are in this program are; `None` if it is closed.
    #[must_use]
    pub fn held_in(&self, kind: CustodyKind) -> Option<(usize, Option<MemoryKind>)> {
        self.desk().opened.get(kind).map(|vault| (vault.keys().len(), vault.memory()))
    }

    /// Opens a custody with its secret: the passphrase of the sealed file, the PIN of the token, the authorisation of the TPM.
    /// A wrong one is recorded. Permit: [`Action::Unlock`].
    ///
    /// What an import or a destruction left half-done when it was cut short is finished before a key can be used: a key
    /// that no record knows of gets one, and one that the log says is destroyed is destroyed.
    pub fn open_custody(
        &self,
        permit: &Permit,
        kind: CustodyKind,
        secret: &Passphrase,
    ) -> Result<(), StationError> {
        self.honour(permit, Action::Unlock)?;
        self.done_or_told(permit, kind.as_str(), self.opened(permit, kind, secret))
    }

    fn opened(&self, permit: &Permit, kind: CustodyKind, secret: &Passphrase) -> Result<(), StationError> {
        let closings = self.desk().closings;
        let custody = self.all_custodies().get(kind)?;
        self.expect_there(custody)?;
        let mut vault = self.tried(custody.open(secret))?;
        let destroyed = self.reconcile(&vault)?;
        if !destroyed.is_empty() {
            vault.lock();
            for label in &destroyed {
                custody.destroy(secret, label)?;
            }
            vault = self.tried(self.left_in(custody, secret)?.ok_or(UnlockError::NoKeys(kind)))?;
        }
        self.append(Event::Unlock { custody: kind.as_str() })?;
        self.keep_open(vault, closings)?;
        // Opening takes a second: whoever asked may have gone meanwhile, and what was wiped then is not open now.
        self.honour(permit, Action::Unlock).or_else(|denied| {
            self.lock_custody()?;
            Err(denied.into())
        })
    }

    /// The keys that the log says are destroyed. A key of another station's vault, or of another custody, closes this one.
    fn reconcile(&self, vault: &UnlockedVault) -> Result<Vec<KeyLabel>, StationError> {
        let on_record = self.reader()?.known_keys()?;
        let kind = vault.kind();
        let mut destroyed = Vec::new();
        for key in vault.keys() {
            let same = |known: &&KnownKey| {
                known.info.label == key.label || known.info.check_value == key.check_value
            };
            match on_record.iter().find(same) {
                // An import was cut short between the custody and the log, the log was begun anew, or somebody put it there:
                // nobody knows who, and nobody is named. It is used once two custodians compared it with its paper.
                None => {
                    let custody = kind.as_str();
                    let (how, approver) = (KeyOrigin::Found, String::new());
                    let event = Event::KeyImport { key: key.clone(), custody, how, approver };
                    self.journal().append(&Entry { actor: self.nobody(), event })?;
                }
                Some(known) if known.info != *key || known.custody != kind.as_str() => {
                    return Err(StationError::OtherKey {
                        label: key.label.clone(),
                        check_value: key.check_value,
                        custody: kind,
                    });
                }
                Some(known) if known.state == KeyState::Destroyed => destroyed.push(key.label.clone()),
                Some(_) => {}
            }
        }
        Ok(destroyed)
    }

    /// A custody that the log says holds keys, and that is not there, is not made anew unseen.
    pub(crate) fn expect_there(&self, custody: &dyn Custody) -> Result<(), StationError> {
        if custody.is_there() {
            return Ok(());
        }
        let file = self.data().vault();
        match custody.kind() {
            CustodyKind::SealedFile if self.held_keys(CustodyKind::SealedFile)? => {
                Err(StationError::VaultGone(file))
            }
            CustodyKind::SealedFile => Err(StationError::NoVault(file)),
            // Whether a token or a TPM has lost its cards it says itself.
            CustodyKind::Pkcs11 | CustodyKind::Tpm => Ok(()),
        }
    }

    /// Whether a key was ever in this custody.
    pub(crate) fn held_keys(&self, kind: CustodyKind) -> Result<bool, StationError> {
        Ok(self.reader()?.known_keys()?.iter().any(|key| key.custody == kind.as_str()))
    }

    /// The custody as it is now; `None` where no key is left in it, for a token and a TPM without keys do not open.
    pub(crate) fn left_in(
        &self,
        custody: &dyn Custody,
        secret: &Passphrase,
    ) -> Result<Option<UnlockedVault>, StationError> {
        match custody.open(secret) {
            Err(UnlockError::NoKeys(_)) => Ok(None),
            opened => self.tried(opened).map(Some),
        }
    }

    /// What came of an attempt to open a custody; a failure is recorded.
    pub(crate) fn tried<T>(&self, opened: Result<T, UnlockError>) -> Result<T, StationError> {
        opened.map_err(|error| match self.append(Event::UnlockFailed { why: error.word() }) {
            Ok(_) => error.into(),
            Err(unrecorded) => unrecorded,
        })
    }

    /// From now on its keys can be used; one of the same kind that was open is closed. Whoever locked since `closings` were
    /// counted does not find it open.
    fn keep_open(&self, vault: UnlockedVault, closings: u64) -> Result<(), StationError> {
        let mut desk = self.desk();
        if desk.ending || desk.closings != closings {
            drop(desk);
            vault.lock();
            return Err(StationError::Locked);
        }
        let before = desk.opened.put(vault);
        drop(desk);
        lock_all(before);
        self.wake();
        Ok(())
    }

    /// The same, if it is open still: who locked it in the meantime does not find it open.
    pub(crate) fn keep_if_open(&self, vault: UnlockedVault) {
        let mut desk = self.desk();
        let spare =
            if desk.opened.get(vault.kind()).is_some() { desk.opened.put(vault) } else { vec![vault] };
        drop(desk);
        lock_all(spare);
        self.wake();
    }

    /// Closes the sealed file: what derives is wiped. A token and a TPM keep their keys themselves, and stay logged in while
    /// the person is only away. Says whether it was open.
    pub(crate) fn close_sealed_file(&self) -> bool {
        self.close_some(|kind| kind == CustodyKind::SealedFile)
    }

    /// Closes every custody. Says whether one was open.
    pub(crate) fn close_custodies(&self) -> bool {
        self.close_some(|_| true)
    }

    /// Closes one custody.
    pub(crate) fn close_one(&self, kind: CustodyKind) -> bool {
        self.close_some(|other| other == kind)
    }

    fn close_some(&self, which: impl Fn(CustodyKind) -> bool) -> bool {
        let mut desk = self.desk();
        desk.closings += 1;
        let mut closed = desk.opened.take(&which);
        let any = !closed.is_empty();
        closed.extend(desk.beside.extract_if(.., |_, vault| which(vault.kind())).map(|(_, vault)| vault));
        drop(desk);
        lock_all(closed);
        self.wake();
        any
    }

    /// Where the log says that the group key `label` is. A log that was begun anew knows of no key yet, and learns of those that
    /// are there when their custody is opened: the first one that holds any.
    pub fn custody_of(&self, label: &KeyLabel) -> Result<CustodyKind, StationError> {
        let reader = self.look()?;
        if let Some(key) = reader.known_key(label)? {
            return custody_named(&key.custody);
        }
        let there = if reader.known_keys()?.is_empty() { self.all_custodies().first_there() } else { None };
        there.ok_or_else(|| StationError::NoKey(label.clone()))
    }

    /// The use of the group key `label`: it is active, its custody is open, and what is in there is the key that the log
    /// means.
    pub fn usable_key(&self, label: &KeyLabel) -> Result<VaultKey, StationError> {
        let (info, kind) = Custodies::active(&*self.look()?, label)?;
        self.all_custodies().get(kind)?;
        let desk = self.desk();
        Custodies::key_in(desk.opened.get(kind).ok_or(StationError::Locked)?, &info)
    }
}
