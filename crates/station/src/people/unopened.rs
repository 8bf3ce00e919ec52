//! Proving who one is at a station whose log does not open: before a log that does is begun in its place.

use keystation_audit::{Account, OpenError, vouched_accounts};
use keystation_core::record::DenialReason;
use keystation_core::role::{Role, Roles};

use super::action::Action;
use super::credential::Credentials;
use super::denied::Denied;
use super::error::SignInError;
use super::pepper::Pepper;
use super::pin::{Pin, PinCost};
use super::throttle::LOCKED_OUT_AT;
use crate::data_dir::DataDir;
use crate::error::StationError;
use crate::station::paths;

/// The accounts that the records of a log which does not open still say, as far as they were signed for, and what authenticates their people. Nothing of it is recorded:
/// there is no log that takes a record.
pub struct Unopened {
    accounts: Vec<Account>,
    credentials: Credentials,
    pepper: Pepper,
}

impl Unopened {
    /// What the files say as they are. `None`: there is no account that could be read, so nobody can prove anything.
    pub fn read(data: &DataDir) -> Result<Option<Self>, StationError> {
        // Out of its records, not out of its tables: whoever broke the log may have written there what they liked.
        let Some(accounts) = vouched_accounts(&paths(data)).map_err(OpenError::File)? else {
            return Ok(None);
        };
        let credentials = Credentials::read(&data.people(), PinCost::STATION)?;
        Ok(Some(Self { accounts, credentials, pepper: Pepper::read(&data.pepper())? }))
    }

    /// What an administrator is who proves it with their PIN: enabled, not locked, and with a PIN of their own.
    pub fn administrator(&self, user: &str, pin: &Pin) -> Result<Roles, StationError> {
        let account = self.accounts.iter().find(|account| account.user == user);
        let account = account.ok_or(SignInError::Unknown)?;
        if account.tries >= LOCKED_OUT_AT {
            return Err(SignInError::LockedOut.into());
        }
        let kept = self.credentials.get(user, account.cred).ok_or(SignInError::Credential)?;
        if !kept.pin.fits(pin, &self.pepper, PinCost::STATION) {
            return Err(SignInError::Unknown.into());
        }
        let why = match account {
            Account { active: false, .. } => return Err(SignInError::Disabled.into()),
            Account { once: true, .. } => DenialReason::PinChange,
            Account { roles, .. } if roles.has(Role::Administrator) => return Ok(*roles),
            _ => DenialReason::Role,
        };
        Err(Denied { action: Action::NewEpoch, why, record: None, cause: None }.into())
    }
}
