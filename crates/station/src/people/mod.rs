//! People: who they are, how they prove it, what they may do. Everything is decided here; what is not permitted is refused,
//! and the refusal is a record.
//!
//! The log knows accounts, roles, wrong PINs and which credential counts; `people.json` beside it has the hashes
//! (docs/people.md). [`Station::permit`] is the one gate: whoever acts shows a [`Permit`], and there is no other way to
//! one.

mod accounts;
mod action;
mod approval;
mod change;
mod counter;
mod credential;
mod denied;
mod error;
mod file_error;
mod gate;
mod in_custody;
mod pepper;
mod pin;
mod policy;
mod presence;
mod proving;
mod session;
mod sign_in;
#[cfg(test)]
#[path = "../../tests/signed/mod.rs"] // the integration tests have it too
pub(crate) mod testing;
mod throttle;
mod tries;
mod undone;
mod unopened;
mod unread;
mod watch;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use keystation_audit::{Account, Clock, Stamp};

pub use accounts::{AccountChange, ChangePinError, ENOUGH_ADMINISTRATORS, NewPerson, PersonStanding};
pub use action::Action;
pub use approval::{ApprovalId, Request};
pub use counter::PinCounterError;
pub(crate) use counter::index_of as counter_index;
pub use denied::Denied;
pub use error::{ApproveError, PersonError, SignInError};
pub use file_error::PeopleFileError;
pub use gate::Permit;
pub use keystation_core::record::{Away, DenialReason};
pub use pin::{Pin, PinCost, PinRefused};
pub(crate) use policy::may_ever;
pub use policy::{Rule, Who, rule, table};
pub use presence::AtBench;
pub use proving::{Known, Person};
pub use session::{Session, SessionRule, SessionState, Soon, Warning};
pub use unopened::Unopened;

use crate::error::StationError;
use crate::station::Station;
use approval::Approvals;
use credential::Credentials;
use in_custody::Asked;
use pepper::Pepper;
use pin::PinHash;
use session::{Sitting, Work};
use throttle::Moment;
use unread::Unread;

/// What an open station knows of people.
pub(crate) struct People {
    clock: Arc<dyn Fn() -> Stamp + Send + Sync>,
    cost: PinCost,
    rule: SessionRule,
    /// Held by whoever proves who they are or changes an account: one at a time.
    door: Mutex<()>,
    /// Held by whoever begins, locks or ends a session, until the records of it are made: they stand in the order in which it
    /// happened, and whoever asks after it finds all of it done.
    moves: Mutex<()>,
    /// PINs that were hashed, for the test that a stranger costs what a wrong PIN costs.
    hashed: AtomicU64,
    /// Calls that nobody could read.
    unread: Arc<Mutex<Unread>>,
    seat: Arc<Seat>,
}

/// The place in front of the station.
struct Seat {
    floor: Mutex<Floor>,
    /// Told whenever it changes.
    moved: Condvar,
}

#[derive(Default)]
struct Floor {
    sitting: Option<Sitting>,
    approvals: Approvals,
    /// What is plugged in and in work.
    at_work: usize,
    /// How many of these are devices that said who they are.
    devices: usize,
    /// What a custody was asked for and has not answered, by the order in which it was asked.
    in_custody: BTreeMap<u64, Asked>,
    /// The station is going.
    closing: bool,
}

impl Floor {
    /// What counts for whoever leaves: a custody that does not answer is no work.
    const fn work(&self) -> Work {
        match (self.at_work, self.devices) {
            (0, _) => Work::None,
            (_, 0) => Work::Plugged,
            _ => Work::Device,
        }
    }
}

impl People {
    pub(crate) fn new(clock: impl Clock + Sync, cost: PinCost, rule: SessionRule) -> Self {
        Self {
            clock: Arc::new(move || clock.now()),
            cost,
            rule,
            door: Mutex::new(()),
            moves: Mutex::new(()),
            hashed: AtomicU64::new(0),
            unread: Arc::default(),
            seat: Arc::new(Seat { floor: Mutex::default(), moved: Condvar::new() }),
        }
    }

    fn now(&self) -> Moment {
        Moment::of(&(self.clock)())
    }

    fn floor(&self) -> MutexGuard<'_, Floor> {
        self.seat.floor()
    }

    /// One attempt, or one change, at a time.
    fn door(&self) -> MutexGuard<'_, ()> {
        self.door.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One change of the session at a time.
    fn moves(&self) -> MutexGuard<'_, ()> {
        self.moves.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn unread(&self) -> MutexGuard<'_, Unread> {
        self.unread.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether `pin` is the one of `hash`; counted.
    fn fits(&self, hash: &PinHash, pin: &Pin, pepper: &Pepper) -> bool {
        self.hashed.fetch_add(1, Ordering::Relaxed);
        hash.fits(pin, pepper, self.cost)
    }
}

impl Drop for People {
    fn drop(&mut self) {
        self.floor().closing = true;
        self.seat.moved.notify_all();
    }
}

impl Seat {
    /// A thread that panicked while it held it left nothing half-done there.
    fn floor(&self) -> MutexGuard<'_, Floor> {
        self.floor.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Station {
    /// Milliseconds since the machine was started, its sleep included: what sessions and approvals are counted with.
    pub(crate) fn boot_ms(&self) -> u64 {
        self.people().now().mono_ms
    }

    /// PINs that were hashed since the station was opened.
    #[doc(hidden)]
    #[must_use]
    pub fn pins_hashed(&self) -> u64 {
        self.people().hashed.load(Ordering::Relaxed)
    }

    /// The account of `user`, as the log has it now.
    fn account(&self, user: &str) -> Result<Option<Account>, StationError> {
        Ok(self.look()?.account(user)?)
    }

    /// The number of each person's credential that counts.
    fn counting(accounts: &[Account]) -> impl Fn(&str) -> Option<u64> {
        move |user| accounts.iter().find(|account| account.user == user).map(|account| account.cred)
    }

    fn credentials(&self) -> Result<Credentials, StationError> {
        Ok(Credentials::read(&self.data().people(), self.people().cost)?)
    }

    fn keep(&self, credentials: &Credentials) -> Result<(), StationError> {
        credentials.write(&self.data().people(), self.people().cost)
    }

    fn pepper(&self) -> Result<Pepper, StationError> {
        Ok(Pepper::read(&self.data().pepper())?)
    }

    /// What a kill in the middle of a change left in `people.json` is dropped. What cannot be read is left as it is: whoever
    /// signs in is told.
    pub(crate) fn tidy_people(&self) -> Result<(), StationError> {
        let accounts = self.reader()?.accounts()?;
        if accounts.is_empty() {
            // A new log: what lies there is of the one before, or of a first start that was cut short.
            return Ok(());
        }
        let mut credentials = match self.credentials() {
            Ok(credentials) => credentials,
            Err(error) => {
                tracing::warn!(%error, "nobody can sign in");
                return Ok(());
            }
        };
        if credentials.tidy(Self::counting(&accounts)) { self.keep(&credentials) } else { Ok(()) }
    }
}
