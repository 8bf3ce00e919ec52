//! A TPM with the storage key in it: keys are made, loaded and used here.

use std::sync::Arc;
use std::time::Duration;

use keystation_core::key::{CheckValue, KeyLabel};

use super::command::{CAP_COMMANDS, CAP_HANDLES, Command, HMAC, Handle, LONGEST, TRANSIENT};
use super::error::TpmError;
use super::object::{is_counter, is_hmac_key};
use super::response::{Answer, DIGEST, ReturnCode, answer, refusal};
use super::transport::{Broken, Patience, TpmPlace, Transport};
use super::wire::Malformed;
use crate::error::UnlockError;
use crate::os::{Locked, rinse, wipe};

/// Keys that are loaded at a time. With the storage key that makes three objects, the least that a PC's TPM has room for
/// (TCG PC Client Platform TPM Profile, `TPM_PT_HR_TRANSIENT_MIN`) and the most that the kernel's resource manager keeps for
/// one program.
const LOADED: usize = 2;
/// A command that the TPM asks for again is given so many times at most.
const TRIES: usize = 5;
/// Time to give memory back in, when nobody waits for it.
const FLUSH: Duration = Duration::from_millis(500);

/// A key as it lies on the disk: only its TPM can load it.
#[derive(Debug)]
pub(super) struct Wrapped {
    pub(super) label: KeyLabel,
    /// `TPM2B_PUBLIC`, with its length.
    pub(super) public: Vec<u8>,
    /// `TPM2B_PRIVATE`, with its length.
    pub(super) private: Vec<u8>,
}

/// A TPM. What it loaded is flushed when it is dropped; after a fault it has to be.
pub(super) struct Chip {
    transport: Transport,
    /// The command, then the answer: both may hold secrets, and it is wiped after each.
    memory: Locked<[u8; LONGEST]>,
    /// Everything that was loaded, the storage key first.
    storage: Option<Handle>,
    /// The newest last.
    keys: Vec<(Arc<Wrapped>, Handle)>,
    broken: bool,
}

impl Chip {
    /// Connects, sees that the TPM has what is needed, and makes the storage key: 10 ms in an emulator, some 100 ms in a chip.
    pub(super) fn open(place: &TpmPlace, patience: Patience<'_>) -> Result<Self, UnlockError> {
        let memory = Locked::new(1).map_err(UnlockError::Memory)?;
        let mut chip = Self::connect(place, memory)?;
        if matches!(place, TpmPlace::Emulator(_)) {
            chip.clear_leftovers(patience)?;
        }
        let capability = Command::GetCapability { capability: CAP_COMMANDS, first: HMAC, count: 1 };
        if !chip.ask(&capability, patience, |answer| answer.has_hmac())? {
            return Err(TpmError::NoHmac.into());
        }
        chip.storage = Some(chip.ask(&Command::CreatePrimary, patience, |answer| answer.object())?);
        Ok(chip)
    }

    /// Connects, and nothing else: enough for a counter, and for no key.
    pub(super) fn connect(place: &TpmPlace, memory: Locked<[u8; LONGEST]>) -> Result<Self, TpmError> {
        let transport = Transport::open(place)?;
        Ok(Self { transport, memory, storage: None, keys: Vec::new(), broken: false })
    }

    /// Whether the counter at `index` is there and is the one that it has to be: if so, whether it was ever raised.
    pub(super) fn has_counter(&mut self, index: Handle, patience: Patience<'_>) -> Result<bool, TpmError> {
        let command = Command::NvReadPublic(index);
        match self.ask(&command, patience, |answer| Ok(is_counter(answer.nv_public()?, index))) {
            Ok(found) => found.ok_or(TpmError::OtherCounter { index: index.0 }),
            // TPM_RC_HANDLE: nothing is there.
            Err(TpmError::Refused { code, .. }) if ReturnCode(code).kind() == 0x08b => {
                Err(TpmError::NoCounter { index: index.0 })
            }
            Err(error) => Err(error),
        }
    }

    /// Makes the counter; it was never raised.
    pub(super) fn define_counter(&mut self, index: Handle, patience: Patience<'_>) -> Result<(), TpmError> {
        self.ask(&Command::NvDefineSpace(index), patience, |answer| answer.nothing())
    }

    /// Raises it by one. After an error it is not known whether it was raised.
    pub(super) fn raise_counter(&mut self, index: Handle, patience: Patience<'_>) -> Result<(), TpmError> {
        self.ask(&Command::NvIncrement(index), patience, |answer| answer.nothing())
    }

    /// How far it is.
    pub(super) fn count(&mut self, index: Handle, patience: Patience<'_>) -> Result<u64, TpmError> {
        self.ask(&Command::NvRead(index), patience, |answer| answer.count())
    }

    /// Whether an answer may still come that belongs to an earlier command: it is of no use then.
    pub(super) const fn is_broken(&self) -> bool {
        self.broken
    }

    /// An emulator speaks to one program at a time, and this is the one: what is loaded was left by one that was killed.
    fn clear_leftovers(&mut self, patience: Patience<'_>) -> Result<(), TpmError> {
        let handles = Command::GetCapability { capability: CAP_HANDLES, first: TRANSIENT, count: 64 };
        for handle in self.ask(&handles, patience, |answer| answer.loaded())? {
            self.flush(handle, patience)?;
        }
        Ok(())
    }

    /// Has the TPM make an HMAC key of a group key: as `label`'s, to be used with `auth`.
    pub(super) fn wrap(
        &mut self,
        label: &KeyLabel,
        auth: &[u8],
        key: &[u8],
        patience: Patience<'_>,
    ) -> Result<Wrapped, TpmError> {
        self.make_room(patience)?; // a new key takes room for a moment, though it is not loaded
        let create = Command::Create { parent: self.storage(), auth, key };
        self.ask(&create, patience, |answer| {
            let (private, public) = answer.created()?;
            Ok(Wrapped { label: label.clone(), public: public.to_vec(), private: private.to_vec() })
        })
    }

    /// HMAC-SHA256 of `message` under `key`, at most 1024 bytes, into `out`.
    pub(super) fn hmac(
        &mut self,
        key: &Arc<Wrapped>,
        auth: &[u8],
        message: &[u8],
        out: &mut [u8; DIGEST],
        patience: Patience<'_>,
    ) -> Result<(), TpmError> {
        let key = self.load(key, patience)?;
        self.ask(&Command::Hmac { key, auth, message }, patience, |answer| {
            out.copy_from_slice(answer.digest()?);
            Ok(())
        })
    }

    /// The check value that `key` makes.
    pub(super) fn check_value(
        &mut self,
        key: &Arc<Wrapped>,
        auth: &[u8],
        patience: Patience<'_>,
    ) -> Result<CheckValue, TpmError> {
        let mut mac = [0; DIGEST];
        self.hmac(key, auth, CheckValue::MESSAGE, &mut mac, patience)?;
        Ok(CheckValue::from_hmac(&mac))
    }

    /// Loads `key` unless it is there; the one that was longest not used makes room.
    fn load(&mut self, key: &Arc<Wrapped>, patience: Patience<'_>) -> Result<Handle, TpmError> {
        if let Some(at) = self.keys.iter().position(|(loaded, _)| Arc::ptr_eq(loaded, key)) {
            let loaded = self.keys.remove(at);
            let handle = loaded.1;
            self.keys.push(loaded);
            return Ok(handle);
        }
        if !is_hmac_key(&key.public) {
            return Err(TpmError::Foreign { label: key.label.clone(), code: 0 });
        }
        self.make_room(patience)?;
        let load = Command::Load { parent: self.storage(), private: &key.private, public: &key.public };
        let refused = |error| match error {
            TpmError::Refused { code, .. } if ReturnCode(code).about_a_parameter() => {
                TpmError::Foreign { label: key.label.clone(), code }
            }
            other => other,
        };
        let handle = self.ask(&load, patience, |answer| answer.object()).map_err(refused)?;
        self.keys.push((Arc::clone(key), handle));
        Ok(handle)
    }

    /// Room for one more object.
    fn make_room(&mut self, patience: Patience<'_>) -> Result<(), TpmError> {
        if self.keys.len() < LOADED {
            return Ok(());
        }
        let (_, oldest) = self.keys.remove(0);
        self.flush(oldest, patience)
    }

    fn storage(&self) -> Handle {
        self.storage.expect("it is made before a chip is handed out")
    }

    fn flush(&mut self, handle: Handle, patience: Patience<'_>) -> Result<(), TpmError> {
        self.ask(&Command::FlushContext(handle), patience, |_| Ok(()))
    }

    /// Gives a command until the TPM takes it, and reads the answer.
    fn ask<T>(
        &mut self,
        command: &Command<'_>,
        patience: Patience<'_>,
        read: impl FnOnce(Answer<'_>) -> Result<T, Malformed>,
    ) -> Result<T, TpmError> {
        let asked = self.ask_once_or_more(command, patience, read);
        wipe(&mut self.memory[0]);
        rinse();
        self.broken |= matches!(
            asked,
            Err(TpmError::Lost(_) | TpmError::Silent { .. } | TpmError::Stopped | TpmError::Garbled { .. })
        );
        asked
    }

    #[inline(never)] // its frame has to end before `rinse` begins
    fn ask_once_or_more<T>(
        &mut self,
        command: &Command<'_>,
        patience: Patience<'_>,
        read: impl FnOnce(Answer<'_>) -> Result<T, Malformed>,
    ) -> Result<T, TpmError> {
        let [memory] = &mut *self.memory else { unreachable!("there is one page") };
        let mut tries = TRIES;
        loop {
            let length = command.write(memory);
            let exchanged = self.transport.exchange(memory, length, patience);
            let length = exchanged.map_err(|broken| match broken {
                Broken::Lost(cause) => TpmError::Lost(cause),
                Broken::Silent { limit_ms } => TpmError::Silent { limit_ms },
                Broken::Stopped => TpmError::Stopped,
                Broken::Garbled => TpmError::Garbled { command: command.name() },
            })?;
            let garbled = |Malformed| TpmError::Garbled { command: command.name() };
            match answer(command, &memory[..length]).map_err(garbled)? {
                Ok(answer) => return read(answer).map_err(garbled),
                Err(code) if code.again() && tries > 1 => tries -= 1,
                Err(code) => return Err(refusal(command, code)),
            }
        }
    }
}

impl Drop for Chip {
    fn drop(&mut self) {
        let patience = Patience { limit: FLUSH, stop: None };
        let keys: Vec<_> = self.keys.drain(..).map(|(_, handle)| handle).collect();
        for handle in keys.into_iter().chain(self.storage.take()) {
            // The resource manager flushes what we leave, and an emulator is cleared by the next one who opens it.
            if self.broken || self.flush(handle, patience).is_err() {
                return;
            }
        }
    }
}
