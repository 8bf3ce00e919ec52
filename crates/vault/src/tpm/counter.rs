//! A counter in the TPM's non-volatile memory: it goes up, and nothing turns it back. `docs/people.md`, section 4, has what it
//! is for, `docs/vault-format.md`, section 8, its bytes.

use super::chip::Chip;
use super::command::{Handle, LONGEST};
use super::error::TpmError;
use super::transport::Patience;
use super::{Tpm, TpmPlace};
use crate::os::Locked;

/// One counter of a TPM, by its index. Nothing stands in for it: where it is not what it has to be, each use is an error.
///
/// A TPM remembers how far the counters were that it removed, and begins another beyond them (TPM 2.0 Library part 3,
/// "TPM2_NV_Increment"): one that was removed and made anew is never behind.
#[derive(Debug, Clone)]
pub struct Counter {
    tpm: Tpm,
    index: u32,
}

impl Counter {
    /// The indices of a TPM's owner, 22 bits of them (TCG Registry of Reserved TPM 2.0 Handles and Localities, section 2.2).
    pub const OWNERS: std::ops::RangeInclusive<u32> = 0x0180_0000..=0x01bf_ffff;

    /// The counter of `tpm` at `index`, one of [`Counter::OWNERS`]; nothing is asked or made yet.
    #[must_use]
    pub fn of(tpm: &Tpm, index: u32) -> Self {
        debug_assert!(Self::OWNERS.contains(&index));
        Self { tpm: tpm.clone(), index }
    }

    /// Its index.
    #[must_use]
    pub const fn index(&self) -> u32 {
        self.index
    }

    /// Makes it and raises it once; returns how far it is. One that is there and was raised is refused: nobody knows by whom.
    pub fn begin(&self) -> Result<u64, TpmError> {
        self.with(|chip, index, patience| {
            match chip.has_counter(index, patience) {
                Err(TpmError::NoCounter { .. }) => chip.define_counter(index, patience)?,
                // Whoever made it was killed.
                Ok(false) => {}
                Ok(true) => return Err(TpmError::CounterThere { index: index.0 }),
                Err(error) => return Err(error),
            }
            chip.raise_counter(index, patience)?;
            chip.count(index, patience)
        })
    }

    /// How far it is. Wears nothing.
    pub fn value(&self) -> Result<u64, TpmError> {
        self.with(|chip, index, patience| {
            there(chip, index, patience)?;
            chip.count(index, patience)
        })
    }

    /// Raises it by one; returns how far it is, which the TPM has kept by then. After an error it may have been raised or not.
    pub fn raise(&self) -> Result<u64, TpmError> {
        self.with(|chip, index, patience| {
            there(chip, index, patience)?;
            chip.raise_counter(index, patience)?;
            chip.count(index, patience)
        })
    }

    /// Over the connection that the keys have, where they have one: an emulator has no second one.
    fn with<T>(
        &self,
        work: impl FnOnce(&mut Chip, Handle, Patience<'_>) -> Result<T, TpmError>,
    ) -> Result<T, TpmError> {
        let patience = Patience { limit: self.tpm.limit, stop: None };
        let mut slot = self.tpm.slot();
        let Some(chip) = &mut *slot else {
            let memory: Locked<[u8; LONGEST]> = Locked::new(1).map_err(TpmError::Lost)?;
            return work(&mut Chip::connect(self.place(), memory)?, Handle(self.index), patience);
        };
        let done = work(chip, Handle(self.index), patience);
        if chip.is_broken() {
            *slot = None;
        }
        done
    }

    const fn place(&self) -> &TpmPlace {
        &self.tpm.place
    }
}

fn there(chip: &mut Chip, index: Handle, patience: Patience<'_>) -> Result<(), TpmError> {
    match chip.has_counter(index, patience)? {
        true => Ok(()),
        false => Err(TpmError::OtherCounter { index: index.0 }),
    }
}
