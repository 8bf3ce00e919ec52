//! Proving who one is: badge or ID, and PIN.

use keystation_audit::Account;
use keystation_core::record::{Actor, Counting, Entry, Event, Purpose, SessionEvent, SignInRefusal};
use keystation_core::role::Roles;
use keystation_vault::SecretText;

use super::error::SignInError;
use super::pin::{Pin, PinHash};
use super::throttle::{LOCKED_OUT_AT, Moment, Throttle, throttle};
use crate::config::plain_id;
use crate::error::StationError;
use crate::station::Station;

/// Who somebody says they are.
#[derive(Clone, Copy)]
pub enum Person<'a> {
    /// By an ID that was typed.
    Id(&'a str),
    /// By a badge that was scanned.
    Badge(&'a SecretText),
}

/// Somebody who proved who they are, at this screen. Only a right PIN makes one.
#[derive(Debug)]
pub struct Known {
    pub(super) user: String,
    pub(super) roles: Roles,
    pub(super) once: bool,
    /// When: milliseconds since the machine was started.
    pub(super) at: u64,
}

impl Known {
    /// User ID.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.user
    }

    /// What the person is.
    #[must_use]
    pub const fn roles(&self) -> Roles {
        self.roles
    }

    /// Whether the PIN is a one-time PIN, which opens nothing but the choice of another.
    #[must_use]
    pub const fn must_change_pin(&self) -> bool {
        self.once
    }
}

/// An attempt, for the records that it makes.
struct Attempt {
    user: String,
    purpose: Purpose,
    tries: u32,
}

impl Station {
    /// Holds PIN and badge against what is kept. Whatever comes of it is in the log before this returns, apart from the
    /// `auth.ok` of a right PIN, which the caller writes.
    ///
    /// An ID that nobody has, an account that is disabled and one whose credential is not there cost one hash, as a wrong
    /// PIN does. Call it with the door held.
    pub(super) fn prove(&self, purpose: Purpose, who: Person<'_>, pin: &Pin) -> Result<Known, SignInError> {
        self.settle_counter()?;
        let accounts = self.reader().and_then(|reader| Ok(reader.accounts()?))?;
        if accounts.is_empty() {
            // Before the first start there is no pepper, and nobody to be told from anybody.
            let attempt = Attempt { user: String::new(), purpose, tries: 0 };
            self.refuse(&attempt, SignInRefusal::Unknown)?;
            return Err(SignInError::Unknown);
        }
        let pepper = self.pepper()?;
        let credentials = self.credentials()?;
        let user = match who {
            Person::Id(id) => plain_id(id).ok(),
            Person::Badge(badge) => {
                let tag = tag_of(&pepper.tag("badge", badge.expose().as_bytes())[..]);
                credentials.owner(&tag, Self::counting(&accounts)).map(str::to_owned)
            }
        };
        let account = accounts.into_iter().find(|account| Some(&account.user) == user.as_ref());
        let tries = account.as_ref().map_or(0, |account| account.tries);
        // Only an ID that has an account: what was typed in its place may be a PIN, and the log is for ever.
        let known = account.as_ref().map_or_else(String::new, |account| account.user.clone());
        let attempt = Attempt { user: known, purpose, tries };
        if let Some(account) = &account
            && account.active
        {
            let last = account.last_try.clone().map(|(boot, mono_ms)| Moment { boot, mono_ms });
            match throttle(account.tries, last.as_ref(), &self.people().now()) {
                Throttle::Free => {}
                Throttle::Wait { seconds } => {
                    self.refuse(&attempt, SignInRefusal::Wait)?;
                    return Err(SignInError::Wait { seconds });
                }
                Throttle::LockedOut => {
                    self.refuse(&attempt, SignInRefusal::LockedOut)?;
                    return Err(SignInError::LockedOut);
                }
            }
        }
        let kept = account.as_ref().and_then(|account| credentials.get(&account.user, account.cred));
        let of_nobody = PinHash::of_nobody()?;
        let right = self.people().fits(kept.map_or(&of_nobody, |credential| &credential.pin), pin, &pepper);
        match account {
            None => {
                self.refuse(&attempt, SignInRefusal::Unknown)?;
                Err(SignInError::Unknown)
            }
            Some(Account { active: false, .. }) => {
                self.refuse(&attempt, SignInRefusal::Disabled)?;
                Err(SignInError::Disabled)
            }
            Some(_) if kept.is_none() => {
                self.refuse(&attempt, SignInRefusal::Credential)?;
                Err(SignInError::Credential)
            }
            Some(account) if right && kept.is_some() => {
                let Account { user, roles, once, .. } = account;
                Ok(Known { user, roles, once, at: self.people().now().mono_ms })
            }
            Some(account) => {
                let attempt = Attempt { tries: account.tries + 1, ..attempt };
                // First the counter, then the log: cut short in between it is ahead, and the try counts all the same. A counter
                // that fails now saves nobody the record.
                let raised = self.raise_counter();
                self.refuse(&attempt, SignInRefusal::Pin)?;
                let tries_left = LOCKED_OUT_AT.saturating_sub(attempt.tries);
                if tries_left == 0 {
                    self.attempted(purpose, SessionEvent::LockedOut { user: account.user })?;
                }
                if let Some(counter) = raised {
                    self.counted(counter.map_err(StationError::from)?, Counting::Tried)?;
                }
                Err(match tries_left {
                    0 => SignInError::LockedOut,
                    _ => SignInError::Wrong { tries_left },
                })
            }
        }
    }

    fn refuse(&self, attempt: &Attempt, why: SignInRefusal) -> Result<(), StationError> {
        let Attempt { user, purpose, tries } = attempt;
        let refused = SessionEvent::Refused { user: user.clone(), why, purpose: *purpose, tries: *tries };
        self.attempted(*purpose, refused)
    }

    /// A record of an attempt. Nobody has proved anything, so it is the station's; an approval is asked for by somebody.
    fn attempted(&self, purpose: Purpose, event: SessionEvent) -> Result<(), StationError> {
        let actor = if purpose == Purpose::Approval { self.asker() } else { self.nobody() };
        self.journal().append(&Entry { actor, event: Event::Session(event) })?;
        Ok(())
    }

    /// The station itself.
    pub(crate) fn nobody(&self) -> Actor {
        Actor {
            session: self.program_session().to_owned(),
            operator: String::new(),
            role: "station".to_owned(),
        }
    }
}

/// As `people.json` has it.
pub(super) fn tag_of(tag: &[u8]) -> String {
    tag.iter().map(|byte| format!("{byte:02x}")).collect()
}
