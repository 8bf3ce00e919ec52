//! An honest device in memory, and a vault for its key.

use std::path::PathBuf;

use keystation_audit::{Paths, Reader, Verdict};
use keystation_core::credential::{CredentialSet, Overwrite};
use keystation_core::derive::device_key;
use keystation_core::flow::{Device, DeviceError, DeviceState, Refusal, Sighting, Vault, VaultError};
use keystation_core::identity::Identity;
use keystation_core::key::DeviceKey;
use keystation_core::proof::{Nonce, Proof, proof_of};
use keystation_core::registration::RegistrationId;

use crate::vfs;

/// A group key that is no secret.
pub(crate) struct OpenVault;

impl Vault for OpenVault {
    fn derive(&self, id: &RegistrationId) -> Result<DeviceKey, VaultError> {
        Ok(device_key(&[0x42; 64], id))
    }
}

/// Does what it is asked, and looks into the log when it is written.
pub(crate) struct Board {
    identity: Identity,
    /// Where it looks for its intent.
    log: Option<PathBuf>,
    staged: Option<(RegistrationId, DeviceKey)>,
    stored: Option<(RegistrationId, DeviceKey)>,
    boot: u32,
    /// A byte of a write came.
    pub(crate) touched: bool,
}

impl Board {
    /// A device as it comes from assembly. It looks for its intent in `log`, if it is told where that is.
    pub(crate) fn new(number: u32, log: Option<PathBuf>) -> Self {
        let serial = Some(format!("SN-{number:04}").parse().unwrap());
        let identity = Identity { mac: Some(format!("a4cf12{number:06x}").parse().unwrap()), serial };
        Self { identity, log, staged: None, stored: None, boot: 7, touched: false }
    }

    /// No byte of a write comes before its intent can be read in the log, under a head that covers it.
    fn touch(&mut self, id: &RegistrationId) {
        self.touched = true;
        let Some(log) = &self.log else { return };
        vfs::paused(|| {
            let paths = Paths::in_dir(log);
            let reader = Reader::open(&paths).unwrap();
            let open = reader.open_intents().unwrap();
            let intent = open.iter().find(|open| open.rid == id.as_str());
            let seq = intent.expect("the device is written, and there is no intent").seq;
            let Verdict::Intact { head: covered, .. } = reader.verify().unwrap() else {
                panic!("a damaged log")
            };
            assert!(covered > seq, "the head covers {covered} records, the intent is {seq}");
        });
    }
}

fn copy(key: &DeviceKey) -> DeviceKey {
    DeviceKey::filled_by(|bytes| *bytes = *key.expose())
}

impl Device for Board {
    fn identify(&mut self) -> Result<Sighting, DeviceError> {
        let state = if self.stored.is_some() { DeviceState::Keyed } else { DeviceState::Empty };
        let generation = u32::from(self.stored.is_some());
        let firmware = "2.4.1".to_owned();
        Ok(Sighting { identity: self.identity.clone(), state, generation, boot: self.boot, firmware })
    }

    fn stage(&mut self, set: &CredentialSet) -> Result<(), DeviceError> {
        self.touch(set.id());
        self.staged = Some((set.id().clone(), copy(set.key())));
        Ok(())
    }

    fn commit(
        &mut self,
        set: &CredentialSet,
        _: &Identity,
        _: Option<&Overwrite>,
    ) -> Result<(), DeviceError> {
        self.touch(set.id());
        if self.stored.is_some() {
            return Err(DeviceError::Refused(Refusal::AlreadyKeyed));
        }
        self.stored = Some(self.staged.take().ok_or(DeviceError::Refused(Refusal::NotStaged))?);
        Ok(())
    }

    fn restart(&mut self) -> Result<(), DeviceError> {
        self.staged = None;
        self.boot += 1;
        Ok(())
    }

    fn prove(&mut self, nonce: &Nonce) -> Result<Proof, DeviceError> {
        let (id, key) = self.stored.as_ref().ok_or(DeviceError::Refused(Refusal::Empty))?;
        Ok(proof_of(key, nonce, id))
    }
}
