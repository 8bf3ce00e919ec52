//! Proving who one is at a station whose log does not open: before a log that does is begun in its place.

use keystation_audit::{Account, AccountsLeft, Clock, OpenError, accounts_left};
use keystation_core::record::{Entry, Event, Purpose, SessionEvent, SignInRefusal};
use keystation_core::role::{Role, Roles};

use super::counter::PinCounterError;
use super::credential::Credentials;
use super::error::SignInError;
use super::pepper::Pepper;
use super::pin::{Pin, PinCost, PinHash};
use super::throttle::{LOCKED_OUT_AT, Moment, Throttle, throttle};
use super::tries::Tries;
use crate::config::StationConfig;
use crate::data_dir::DataDir;
use crate::error::StationError;
use crate::station::{Station, clock};

/// The accounts that the records of a log which does not open still say, and what authenticates their people. No log
/// takes a record, so the tries are counted in a file, and put into the log as soon as one opens.
pub struct Unopened {
    data: DataDir,
    accounts: Vec<Account>,
    vouched: bool,
    credentials: Credentials,
    pepper: Pepper,
    cost: PinCost,
    now: Box<dyn Fn() -> Moment>,
}

impl Unopened {
    /// What the files say as they are. `None`: there is no account that could be read, so nobody can prove anything.
    pub fn read(data: &DataDir) -> Result<Option<Self>, StationError> {
        Self::read_under(data, clock()?, PinCost::STATION)
    }

    /// The same under another clock and with another cost of PINs than the usual ones. For tests.
    pub fn read_under(
        data: &DataDir,
        clock: impl Clock,
        cost: PinCost,
    ) -> Result<Option<Self>, StationError> {
        // Tries in a file are no match for a counter, and nothing vouches for where the log saw it.
        if StationConfig::read(&data.settings())?.pin_counter {
            return Err(PinCounterError::NoLog.into());
        }
        // Out of its records, not out of its tables: whoever broke the log may have written there what they liked.
        let Some(AccountsLeft { accounts, vouched }) = accounts_left(data.path()).map_err(OpenError::File)?
        else {
            return Ok(None);
        };
        let (credentials, pepper) = (Credentials::read(&data.people(), cost)?, Pepper::read(&data.pepper())?);
        let now = Box::new(move || Moment::of(&clock.now()));
        Ok(Some(Self { data: data.clone(), accounts, vouched, credentials, pepper, cost, now }))
    }

    /// Whether the accounts were signed for. Where they were not nobody else can be asked, and what is proved by them proves nothing to the new log.
    #[must_use]
    pub const fn is_vouched(&self) -> bool {
        self.vouched
    }

    /// What an administrator is who proves it with their PIN: enabled, not locked, and with a PIN of their own.
    ///
    /// The PIN of nobody else is looked at, and whoever is not, or types another PIN, is told one and the same thing. A try counts, and is on the disk,
    /// before the PIN is looked at: so a program that is killed in between gives none back.
    pub fn administrator(&self, user: &str, pin: &Pin) -> Result<Roles, StationError> {
        let mut tries = Tries::take(&self.data)?;
        let may =
            |account: &&Account| account.active && !account.once && account.roles.has(Role::Administrator);
        let account = self.accounts.iter().find(|account| account.user == user).filter(may);
        let kept = account.and_then(|account| self.credentials.get(user, account.cred));
        let Some((account, kept)) = account.zip(kept) else {
            // It takes as long as another wrong PIN.
            PinHash::of_nobody()?.fits(pin, &self.pepper, self.cost);
            return Err(SignInError::Unknown.into());
        };
        let now = (self.now)();
        let tried = tries.of(user).cloned();
        let wrong = account.tries.saturating_add(tried.as_ref().map_or(0, |tried| tried.wrong));
        let of_log = account.last_try.clone().map(|(boot, mono_ms)| Moment { boot, mono_ms });
        match throttle(wrong, tried.map(|tried| tried.last).or(of_log).as_ref(), &now) {
            Throttle::Free => {}
            Throttle::Wait { seconds } => return Err(SignInError::Wait { seconds }.into()),
            Throttle::LockedOut => return Err(SignInError::LockedOut.into()),
        }
        tries.count(user, now)?;
        if !kept.pin.fits(pin, &self.pepper, self.cost) {
            return Err(SignInError::Unknown.into());
        }
        tries.forget(user)?;
        Ok(account.roles)
    }
}

impl Station {
    /// Puts the tries into the log that were made while none opened, and drops the file. A kill in between counts them twice, never not at all.
    pub(crate) fn record_tries(&self) -> Result<(), StationError> {
        let mut tries = Tries::take(self.data())?;
        let tried: Vec<_> = tries.all().map(|(user, tried)| (user.to_owned(), tried.wrong)).collect();
        for (user, wrong) in tried {
            // A new log may not know the person any more.
            let before = self.account(&user)?.map(|account| account.tries);
            let event = |event| Entry { actor: self.nobody(), event: Event::Session(event) };
            for tries in before.into_iter().flat_map(|before| before + 1..=before + wrong) {
                let (why, purpose) = (SignInRefusal::Pin, Purpose::NewEpoch);
                let refused = SessionEvent::Refused { user: user.clone(), why, purpose, tries };
                self.journal().append(&event(refused))?;
                if tries == LOCKED_OUT_AT {
                    self.journal().append(&event(SessionEvent::LockedOut { user: user.clone() }))?;
                }
            }
            tries.forget(&user)?;
        }
        Ok(())
    }
}
