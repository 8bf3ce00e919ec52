use std::rc::Rc;

use keystation_core::credential::{CredentialSet, LogAnchor, Overwrite};
use keystation_core::flow::{Device, DeviceError, DeviceState, Refusal, Sighting};
use keystation_core::identity::Identity;
use keystation_core::key::DeviceKey;
use keystation_core::proof::{self, Nonce, Proof, proof_of};
use keystation_core::registration::{IdRule, RegistrationId};

use crate::trace::{Trace, When};

/// What a device says that is not so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lie {
    /// OK to everything, and nothing is stored; says that it is keyed.
    StoresNothing,
    /// Keeps the set in memory, as long as that lasts.
    StoresInMemory,
    /// Stores a key of zeros in place of the one it was sent.
    StoresZeros,
    /// Stores and proves the set under another registration ID.
    StoresOtherId,
    /// Answers with the proof of an earlier nonce, one that was overheard.
    ReplaysProof,
    /// Proves once, and answers every later nonce with the same proof.
    RepeatsItself,
    /// Answers with the nonce.
    EchoesNonce,
    /// Signs nonce and ID without the prefix.
    SignsWithoutPrefix,
    /// Signs the prefix and the nonce without the ID.
    SignsWithoutId,
    /// Proves the key after the restart, and is another device then: the set went into a copy.
    IsSwapped,
    /// Is unplugged when it is told to commit, and an empty one of the same product answers in its place.
    IsSwappedAtCommit,
    /// OK to the restart, and goes on as it was.
    DoesNotRestart,
    /// Says that it is empty, whatever it holds.
    SaysEmpty,
    /// Says that it is keyed, whatever it holds.
    SaysKeyed,
}

/// One call that fails.
#[derive(Clone, Copy)]
pub(crate) struct Fault {
    /// Which call to the device, counted from 0.
    pub(crate) call: usize,
    pub(crate) when: When,
    pub(crate) error: fn() -> DeviceError,
}

pub(crate) struct Stored {
    pub(crate) id: RegistrationId,
    pub(crate) key: DeviceKey,
    pub(crate) endpoint: String,
    pub(crate) anchor: Option<LogAnchor>,
}

impl Stored {
    fn of(set: &CredentialSet) -> Self {
        let key = DeviceKey::filled_by(|key| *key = *set.key().expose());
        Self { id: set.id().clone(), key, endpoint: set.endpoint().to_string(), anchor: set.anchor() }
    }
}

pub(crate) struct Board {
    pub(crate) identity: Identity,
    pub(crate) stored: Option<Stored>,
    pub(crate) locked: bool,
    pub(crate) lie: Option<Lie>,
    pub(crate) fault: Option<Fault>,
    staged: Option<Stored>,
    first_proof: Option<Proof>,
    asked_to_commit: bool,
    written: bool,
    restarted: bool,
    generation: u32,
    boot: u32,
    calls: usize,
    trace: Rc<Trace>,
}

impl Board {
    /// A device as it comes from assembly.
    pub(crate) fn new(identity: Identity, trace: Rc<Trace>) -> Self {
        Self {
            identity,
            stored: None,
            locked: false,
            lie: None,
            fault: None,
            staged: None,
            first_proof: None,
            asked_to_commit: false,
            written: false,
            restarted: false,
            generation: 0,
            boot: 7,
            calls: 0,
            trace,
        }
    }

    fn call<T>(
        &mut self,
        name: &'static str,
        act: impl FnOnce(&mut Self) -> Result<T, DeviceError>,
    ) -> Result<T, DeviceError> {
        let call = self.calls;
        self.calls += 1;
        let trace = Rc::clone(&self.trace);
        trace.act(name, || match self.fault {
            Some(Fault { call: at, when, error }) if at == call => {
                if when == When::After {
                    act(self)?;
                }
                Err(error())
            }
            _ => act(self),
        })
    }

    /// Power off, power on; faults and lies that were set are over when the test takes them away.
    pub(crate) fn replug(&mut self) {
        self.staged = None;
        self.asked_to_commit = false;
        self.restarted = false;
        self.boot += 1;
        self.calls = 0;
        if self.lie == Some(Lie::StoresInMemory) {
            self.stored = None;
        }
    }

    fn is(&self, lie: Lie) -> bool {
        self.lie == Some(lie)
    }

    fn state(&self) -> DeviceState {
        match (&self.stored, self.lie) {
            (_, Some(Lie::SaysEmpty)) => DeviceState::Empty,
            (_, Some(Lie::SaysKeyed)) => DeviceState::Keyed,
            (None, Some(Lie::StoresNothing)) if self.written => DeviceState::Keyed,
            (None, _) => DeviceState::Empty,
            (Some(_), _) if self.locked => DeviceState::Locked,
            (Some(_), _) => DeviceState::Keyed,
        }
    }
}

impl Device for Board {
    fn identify(&mut self) -> Result<Sighting, DeviceError> {
        self.call("identify", |board| {
            let mut identity = board.identity.clone();
            let swapped = board.is(Lie::IsSwapped) && board.restarted
                || board.is(Lie::IsSwappedAtCommit) && board.asked_to_commit;
            if swapped {
                identity.serial = Some("another".parse().expect("a serial number"));
            }
            Ok(Sighting {
                identity,
                state: board.state(),
                generation: board.generation,
                boot: board.boot,
                firmware: "2.4.1".to_owned(),
            })
        })
    }

    fn stage(&mut self, set: &CredentialSet) -> Result<(), DeviceError> {
        self.call("stage", |board| {
            board.staged = Some(Stored::of(set));
            Ok(())
        })
    }

    fn commit(
        &mut self,
        set: &CredentialSet,
        identity: &Identity,
        overwrite: Option<&Overwrite>,
    ) -> Result<(), DeviceError> {
        self.asked_to_commit = true;
        self.call("commit", |board| {
            if *identity != board.identity {
                return Err(DeviceError::Refused(Refusal::WrongDevice));
            }
            if board.locked {
                return Err(DeviceError::Refused(Refusal::Locked));
            }
            let staged = board.staged.take().filter(|staged| staged.id == *set.id());
            let mut staged = staged.ok_or(DeviceError::Refused(Refusal::NotStaged))?;
            if board.stored.is_some() && overwrite.is_none() {
                return Err(DeviceError::Refused(Refusal::AlreadyKeyed));
            }
            board.written = true;
            match board.lie {
                Some(Lie::StoresNothing) => return Ok(()),
                Some(Lie::StoresZeros) => staged.key = DeviceKey::filled_by(|key| key.fill(0)),
                Some(Lie::StoresOtherId) => {
                    staged.id = RegistrationId::new("other", IdRule::Dashes).expect("an ID");
                }
                _ => {}
            }
            board.stored = Some(staged);
            board.generation += 1;
            Ok(())
        })
    }

    fn restart(&mut self) -> Result<(), DeviceError> {
        self.call("restart", |board| {
            board.staged = None;
            board.restarted = true;
            if board.is(Lie::StoresInMemory) {
                board.stored = None;
            }
            if !board.is(Lie::DoesNotRestart) {
                board.boot += 1;
            }
            Ok(())
        })
    }

    fn prove(&mut self, nonce: &Nonce) -> Result<Proof, DeviceError> {
        self.call("prove", |board| {
            if board.is(Lie::EchoesNonce) {
                return Ok(Proof(nonce.0));
            }
            if board.is(Lie::StoresNothing) {
                return Ok(Proof([0x5a; 32]));
            }
            let Some(Stored { id, key, .. }) = &board.stored else {
                return Err(DeviceError::Refused(Refusal::Empty));
            };
            let signed = |message: &[&[u8]]| Proof(*hmac_sha256(key.expose(), &message.concat()));
            Ok(match board.lie {
                Some(Lie::ReplaysProof) => proof_of(key, &Nonce([0xee; 32]), id),
                Some(Lie::RepeatsItself) => *board.first_proof.get_or_insert(proof_of(key, nonce, id)),
                Some(Lie::SignsWithoutPrefix) => signed(&[&nonce.0, id.as_str().as_bytes()]),
                Some(Lie::SignsWithoutId) => signed(&[proof::PREFIX, &nonce.0]),
                _ => proof_of(key, nonce, id),
            })
        })
    }
}

/// HMAC-SHA256 of any message, written down here a second time: the crate offers none that would sign anything.
fn hmac_sha256(key: &[u8; 32], message: &[u8]) -> Box<[u8; 32]> {
    use hmac::{Hmac, KeyInit, Mac};
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(message);
    Box::new(mac.finalize().into_bytes().into())
}
