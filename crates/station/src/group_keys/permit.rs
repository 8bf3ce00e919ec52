//! What two custodians agreed to do to one key: a value that the act takes.

use keystation_core::record::DenialReason;
use keystation_vault::{ImportError, TransferError};

use crate::error::StationError;
use crate::people::{ApprovalId, Permit, Request};
use crate::station::Station;

/// Milliseconds for which a permission holds that was approved: a key has to be typed within it. Counted since the machine was
/// started, its sleep included, as a session is.
const HOLDS_MS: u64 = 10 * 60_000;

/// That two people agree to one thing about one key, for ten minutes of the session that asked. The act takes it: it is done once.
#[derive(Debug)]
pub struct KeyPermit {
    permit: Permit,
    /// Milliseconds since the machine was started.
    given: u64,
}

/// A group key that is as it was.
#[derive(Debug)]
pub struct NotDone {
    /// Why.
    pub error: StationError,
    /// The permission, for as long as it holds, where a secret was mistyped or a question is open: nothing was done under it.
    /// Whatever else was refused used it up.
    pub again: Option<KeyPermit>,
}

impl From<Box<NotDone>> for StationError {
    fn from(not_done: Box<NotDone>) -> Self {
        not_done.error
    }
}

/// Whether the people who agreed to it are asked for something once more, and not the approver.
fn is_open(error: &StationError) -> bool {
    error.code() == "passphrase-wrong"
        || matches!(
            error,
            StationError::Import(ImportError::MayBeDerivedKey)
                | StationError::Transfer(TransferError::Import(ImportError::MayBeDerivedKey))
        )
}

impl Station {
    /// The permission for an approved request. The approval is used up by it.
    pub fn permit_key(&self, request: Request, approval: ApprovalId) -> Result<KeyPermit, StationError> {
        let permit = self.permit_approved(&request, approval)?;
        Ok(KeyPermit { permit, given: self.boot_ms() })
    }

    /// Nobody gave the key, or the secret of the custody: what was permitted is not done, and not permitted any more. That is a record
    /// about `what`.
    pub fn given_up(&self, permit: KeyPermit, what: &str) -> Result<(), StationError> {
        self.not_asked(&permit.permit, what, "cancelled")
    }

    /// Does `act` if `request` is what was approved, and that holds still. What is not done is a record, about `what`.
    pub(super) fn done_once<T>(
        &self,
        permit: KeyPermit,
        request: &Request,
        what: &str,
        act: impl FnOnce(&Permit) -> Result<T, StationError>,
    ) -> Result<T, Box<NotDone>> {
        let refused = |error| Box::new(NotDone { error, again: None });
        self.agreed(&permit, request).map_err(refused)?;
        self.done_or_told(&permit.permit, what, act(&permit.permit)).map_err(|error| {
            let again = is_open(&error).then_some(permit);
            Box::new(NotDone { error, again })
        })
    }

    /// Whether the permission is one for `request`, and holds.
    fn agreed(&self, permit: &KeyPermit, request: &Request) -> Result<(), StationError> {
        self.honour_request(&permit.permit, request)?;
        if self.boot_ms().checked_sub(permit.given).is_some_and(|age| age < HOLDS_MS) {
            return Ok(());
        }
        let (why, actor) = (DenialReason::ApprovalExpired, permit.permit.actor().clone());
        Err(self.refuse_action(request.action, &request.subject, why, actor)?.into())
    }

    /// What came of something that was only looked at under the permission.
    pub(super) fn looked_at<T>(
        &self,
        permit: &KeyPermit,
        done: Result<T, StationError>,
    ) -> Result<T, StationError> {
        self.done_or_told(&permit.permit, "", done)
    }
}
