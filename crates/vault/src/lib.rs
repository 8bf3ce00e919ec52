//! Custody of group keys: the vault offers the derivation and keeps the key.
//!
//! A [`SealedFile`] holds the keys at rest. [`SealedFile::unlock`] turns each into the two HMAC states that deriving
//! needs and wipes the key itself; the [`UnlockedVault`] that comes of it hands out a [`VaultKey`] per label, which
//! slots share, and wipes the states when it is locked. There is no way from any of these back to a group key, and
//! no custody to fall back to: what does not open stays closed.
//!
//! Two things are left to each program, because only a program can do them: it calls [`harden_process`] first, and it
//! installs the [`WipingAllocator`], so that what libraries free is wiped and not left to luck.

mod canonical;
mod card;
mod component;
mod custody;
mod document;
mod error;
mod group_key;
mod midstate;
mod os;
mod parcel;
mod permissions;
mod prompt;
mod replace;
mod sealed_file;
mod secret;
mod source;
mod token;
mod tpm;
mod transfer;
mod unlocked;

pub use card::{Card, CardError, CardFault, Cards, Home};
pub use component::{COMPONENT_BYTES, Component, ComponentCheck, ComponentRefused, NoKeyOfThem, PARTS, Part};
pub use custody::{Custody, CustodyKind};
pub use document::DocumentError;
pub use error::{CreateError, DestroyError, ImportError, TransferError, UnlockError, WriteError};
pub use group_key::{GroupKey, KeyRefused};
pub use os::{HardenError, MemoryKind, WipingAllocator, harden_process};
pub use parcel::{Sealing, unseal};
pub use permissions::Exposure;
pub use sealed_file::{DerivedKeyAnswer, NewKey, SealedFile, WorkFactor};
pub use secret::{Passphrase, SecretRefused, SecretText};
pub use source::{SecretSource, SourceError};
pub use token::{KeyType, NoKeyType, Token, TokenError, TokenFault, TokenSettings};
pub use tpm::{Counter, Tpm, TpmError, TpmPlace, TpmPlaceRefused};
pub use transfer::{Recipient, Transfer, TransferKey};
pub use unlocked::{UnlockedVault, VaultKey};
