//! The contract of custody on a TPM: swtpm, which is a real one in a process of its own.

mod between; // somebody between a station and its TPM
mod counter; // what counts wrong PINs
mod emulator; // swtpm on a UNIX socket, started and killed
mod faults; // killed, silent, lying, full TPMs
mod foreign; // cards of other TPMs, damaged cards
mod lockout; // wrong secrets, and what else a TPM counts
mod owner; // the TPM's owner does the same with tpm2-tools
#[allow(unreachable_pub, reason = "where it lives it is part of a library")]
#[path = "../../../../tests/src/swtpm.rs"]
mod swtpm; // the process, as the whole-station tests start it too

use keystation_vault::{Custody, Tpm, TpmError, UnlockError};
use tempfile::TempDir;

use self::emulator::Emulator;
use crate::contract::{Place, holds};
use crate::support::PASSPHRASE;

/// A TPM with the cards of a station.
pub(crate) struct Bench {
    pub(crate) emulator: Emulator,
    pub(crate) cards: TempDir,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self { emulator: Emulator::new(), cards: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn tpm(&self) -> Tpm {
        Tpm::new(self.emulator.place(), self.cards.path().join("keys"))
    }
}

impl Place for Bench {
    fn custody(&self) -> Box<dyn Custody> {
        Box::new(self.tpm())
    }

    fn secret(&self) -> &str {
        PASSPHRASE
    }

    fn wrong(&self) -> &str {
        "correct horse battery stapler"
    }

    fn is_wrong_secret(&self, error: &UnlockError) -> bool {
        error.is_wrong_secret() && matches!(error, UnlockError::Tpm(TpmError::WrongSecret))
    }
}

#[test]
fn the_tpm_keeps_the_contract_of_custody() {
    holds(&Bench::new());
}
