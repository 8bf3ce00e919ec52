//! The contract of custody, on the sealed file.

use keystation_vault::{Custody, SealedFile, UnlockError, WorkFactor};
use tempfile::TempDir;

use crate::contract::{Place, holds};
use crate::support::PASSPHRASE;

struct File(TempDir);

impl Place for File {
    fn custody(&self) -> Box<dyn Custody> {
        let path = self.0.path().join("vault.age");
        Box::new(SealedFile::at(path).with_work_factor(WorkFactor::TEST))
    }

    fn secret(&self) -> &str {
        PASSPHRASE
    }

    fn wrong(&self) -> &str {
        "correct horse battery stapler"
    }

    fn is_wrong_secret(&self, error: &UnlockError) -> bool {
        matches!(error, UnlockError::WrongPassphrase)
    }
}

#[test]
fn the_sealed_file_keeps_the_contract_of_custody() {
    holds(&File(tempfile::tempdir().unwrap()));
}
