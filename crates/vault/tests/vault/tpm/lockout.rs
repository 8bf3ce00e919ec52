use keystation_core::flow::{Vault, VaultError};
use keystation_vault::{Custody, TpmError, UnlockError};

use super::Bench;
use super::faults::{import, open, tpm_error, with_key};
use crate::contract::id;
use crate::support::{PASSPHRASE, passphrase};

fn wrong(bench: &Bench) -> TpmError {
    tpm_error(bench.tpm().open(&passphrase("correct horse battery stapler")))
}

/// The emulator takes three wrong ones, as it is made; a chip takes what its owner set.
#[test]
fn three_wrong_secrets_lock_the_tpm_until_its_owner_clears_it() {
    let bench = with_key();
    let opened = open(&bench.tpm()).unwrap();
    let key = opened.key(&"gk-a".parse().unwrap()).unwrap();
    opened.key(&"gk-a".parse().unwrap()).unwrap().derive(&id(1)).unwrap();
    opened.lock();
    for _ in 0..3 {
        assert!(matches!(wrong(&bench), TpmError::WrongSecret));
    }
    assert!(matches!(wrong(&bench), TpmError::LockedOut));
    assert!(matches!(tpm_error(open(&bench.tpm())), TpmError::LockedOut), "not even the right one");
    assert!(matches!(key.derive(&id(1)), Err(VaultError::Locked)));
    bench.emulator.tool("tpm2_dictionarylockout", &["--clear-lockout"]).unwrap();
    assert!(open(&bench.tpm()).is_ok());
}

/// One wrong try is one, however many keys there are.
#[test]
fn wrong_secret_counts_once_for_all_keys() {
    let bench = with_key();
    import(&bench.tpm(), "gk-b", 32, PASSPHRASE).unwrap();
    import(&bench.tpm(), "gk-c", 16, PASSPHRASE).unwrap();
    for _ in 0..2 {
        assert!(matches!(wrong(&bench), TpmError::WrongSecret));
    }
    assert_eq!(open(&bench.tpm()).unwrap().keys().len(), 3);
}

/// Part 1 of the library, "Dictionary Attack Protection": whoever cuts the power gets no free try, so a power cut while a
/// key was in use is counted like a wrong secret.
#[test]
fn power_cuts_are_counted_and_the_error_says_that_the_tpm_is_locked() {
    let mut bench = with_key();
    let opened = open(&bench.tpm()).unwrap();
    let key = opened.key(&"gk-a".parse().unwrap()).unwrap();
    let mut cuts = 0;
    let error = loop {
        bench.emulator.kill();
        bench.emulator.start();
        cuts += 1;
        // The first use after the cut finds the connection gone.
        let _ = key.derive(&id(1));
        match key.derive(&id(1)) {
            Ok(_) => assert!(cuts < 5),
            Err(error) => break error.to_string(),
        }
    };
    assert_eq!(error, "the group key cannot be used: the TPM has locked itself after too many wrong secrets");
    assert_eq!(cuts, 3);
    bench.emulator.tool("tpm2_dictionarylockout", &["--clear-lockout"]).unwrap();
    assert!(key.derive(&id(1)).is_ok(), "and the job goes on");
}

#[test]
fn owner_hierarchy_with_a_secret_is_an_error_of_its_own() {
    let bench = with_key();
    bench.emulator.tool("tpm2_changeauth", &["--object-context=owner", "somebody"]).unwrap();
    assert!(matches!(tpm_error(open(&bench.tpm())), TpmError::OwnerSecret));
    bench.emulator.tool("tpm2_changeauth", &["--object-context=owner", "--object-auth=somebody"]).unwrap();
    assert!(open(&bench.tpm()).is_ok());
    bench.emulator.tool("tpm2_hierarchycontrol", &["--hierarchy=o", "shEnable", "clear"]).unwrap();
    let error = open(&bench.tpm()).unwrap_err();
    assert!(matches!(error, UnlockError::Tpm(TpmError::OwnerDisabled)), "{error:?}");
}
