//! The PKCS#11 custody, on SoftHSM 2 (`apt-get install softhsm2 opensc`).

mod bench;
mod fault; // return codes in the middle of a job
mod import; // what lies in the token afterwards, and what is refused
mod login; // PINs, and who is logged in
mod module; // modules and tokens that are not the right ones

use keystation_vault::KeyType;

use self::bench::{Bench, alone};
use crate::contract::holds;

#[test]
fn softhsm_keeps_the_contract_of_custody() {
    alone(|bench| {
        holds(bench);
    });
}

/// A YubiHSM 2 takes neither a generic secret nor attributes that it does not know.
#[test]
fn token_that_takes_only_hmac_keys_keeps_the_contract_of_custody() {
    alone(|bench| {
        bench.fault("C_CreateObject hmac");
        holds(bench);
        assert_eq!(
            bench.calls("C_CreateObject"),
            4 * crate::contract::LENGTHS.len(),
            "four forms for each key"
        );
    });
}

#[test]
fn key_type_of_the_settings_is_the_only_one_that_is_tried() {
    alone(|bench| {
        bench.fault("C_CreateObject hmac");
        let only = |key_type| Bench { directory: bench.directory.clone(), key_type }.faulty();
        let refused = bench::import(&only(KeyType::Generic), "gk-a", crate::support::EXAMPLE).unwrap_err();
        assert!(refused.to_string().contains("CKR_TEMPLATE_INCONSISTENT"), "{refused}");
        bench::import(&only(KeyType::Sha256Hmac), "gk-a", crate::support::EXAMPLE).unwrap();
        assert_eq!(bench.calls("C_CreateObject"), 2 + 2);
    });
}
