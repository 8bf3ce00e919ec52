//! The vault as its users see it: files on a disk, refused or opened, and keys that derive.

#![allow(clippy::unwrap_used)] // the helpers are tests too, though clippy sees no `#[test]` on them

mod age_tool; // Debian's age opens what we seal, and we open what it seals
mod cards; // key cards: taken, refused, and which file is to blame
mod component; // components of a key, and every mistyped character
mod contract; // what every custody must do
mod custody; // unlocking, deriving, locking
mod damage; // every altered, cut or foreign file is refused
mod format; // docs/vault-format.md and its vectors
mod import; // what may come into a vault, and what stays out
mod permissions; // who may read files that hold secrets
mod sealed; // the contract on the sealed file
mod support;
mod token; // the contract and the faults on a PKCS#11 token
mod tpm; // the contract and the faults of a TPM
mod transfer; // a key that its owner sealed to the station
