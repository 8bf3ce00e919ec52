//! Changing what authenticates a person, in an order in which a kill at any step leaves something to go on with.
//!
//! First the new credential stands in `people.json` beside the old one, then the record says that it counts, then the old
//! one goes. Before the record the old one counts, after it the new one; what is left over is dropped at the next start.

use keystation_audit::Account;
use keystation_core::record::{Actor, CredentialChange, Entry, Event, UserChange, UserEvent};
use keystation_vault::SecretText;

use super::credential::{Credential, Credentials};
use super::error::PersonError;
use super::gate::Permit;
use super::pepper::Pepper;
use super::pin::{Pin, PinHash};
use super::proving::tag_of;
use crate::error::StationError;
use crate::station::Station;

impl Station {
    /// A credential from a PIN that was chosen and a badge, both judged.
    pub(super) fn credential_of(
        &self,
        pepper: &Pepper,
        user: &str,
        pin: &Pin,
        badge: Option<&SecretText>,
    ) -> Result<Credential, StationError> {
        pin.judge(user).map_err(PersonError::Pin)?;
        let badge = badge.map_or(Ok(String::new()), |badge| badge_tag(pepper, badge))?;
        Ok(Credential { pin: PinHash::of(pin, pepper, self.people().cost)?, badge })
    }

    /// Gives `account` another credential, made from the one that counts.
    pub(super) fn change_credential(
        &self,
        account: &Account,
        who: (&Actor, &str),
        why: CredentialChange,
        once: bool,
        make: impl FnOnce(Option<&Credential>, &Credentials) -> Result<Credential, StationError>,
    ) -> Result<(), StationError> {
        let mut credentials = self.credentials()?;
        let new = make(credentials.get(&account.user, account.cred), &credentials)?;
        let credential = account.cred + 1;
        credentials.put(&account.user, credential, new);
        self.keep(&credentials)?;
        self.record_change(who, &account.user, UserChange::Credential { credential, why, once })?;
        self.drop_old(&mut credentials, &account.user, credential);
        Ok(())
    }

    /// The change holds since its record; that the old credential lies there still is mended at the next start.
    pub(super) fn drop_old(&self, credentials: &mut Credentials, user: &str, current: u64) {
        if credentials.keep_only(user, current)
            && let Err(error) = self.keep(credentials)
        {
            tracing::warn!(%error, "a credential that does not count any more was not dropped yet");
        }
    }

    /// The record of a change: who did it, and who approved.
    pub(super) fn record_change(
        &self,
        (actor, approver): (&Actor, &str),
        user: &str,
        change: UserChange,
    ) -> Result<(), StationError> {
        let event = Event::User(UserEvent { user: user.to_owned(), approver: approver.to_owned(), change });
        self.journal().append(&Entry { actor: actor.clone(), event })?;
        Ok(())
    }

    /// The same with a permit.
    pub(super) fn record_by(
        &self,
        permit: &Permit,
        user: &str,
        change: UserChange,
    ) -> Result<(), StationError> {
        self.record_change((permit.actor(), permit.approver()), user, change)
    }
}

/// What is kept of a badge.
pub(super) fn badge_tag(pepper: &Pepper, badge: &SecretText) -> Result<String, PersonError> {
    let text = badge.expose();
    if (4..=128).contains(&text.len()) && text.trim() == text {
        Ok(tag_of(&pepper.tag("badge", text.as_bytes())[..]))
    } else {
        Err(PersonError::Badge)
    }
}
