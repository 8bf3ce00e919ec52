//! The life of a group key: imported, activated, suspended, destroyed. Who may, and who has to approve, says
//! `docs/ceremony.md`, section 6.

mod announced;
mod permit;

use std::path::Path;

use keystation_audit::{KeyStanding, KeyState};
use keystation_core::key::{CheckValue, GroupKeyInfo, KeyLabel};
use keystation_core::record::{
    Actor, Denial, DenialReason, Entry, Event, KeyChange, KeyEvent, KeyOrigin, Seq,
};
use keystation_core::registration::RegistrationId;
use keystation_vault::{
    CustodyKind, DerivedKeyAnswer, DestroyError, GroupKey, ImportError, NewKey, Passphrase, SecretText,
};

use crate::error::StationError;
use crate::people::{Action, Denied, Permit, Request};
use crate::station::Station;

pub use announced::Announced;
pub use permit::{KeyPermit, NotDone};

impl Station {
    /// What another custodian has to approve before a key comes in by this action, [`Action::ImportKey`] or
    /// [`Action::TakeTransfer`]: all that is said of it. No part of it has a blank in it.
    #[must_use]
    pub fn import_request(action: Action, announced: &Announced) -> Request {
        let Announced { key: NewKey { label, group, scope, slot }, custody, check_value } = announced;
        let subject = format!("{label} {group} {scope} {slot} {check_value} {}", custody.as_str());
        Request { action, subject, reason: String::new() }
    }

    /// What another custodian has to approve before a key is activated or destroyed. Only for whoever may ask for it: nobody else
    /// is told which keys there are.
    pub fn change_request(
        &self,
        action: Action,
        label: &KeyLabel,
        reason: &str,
    ) -> Result<Request, StationError> {
        let actor = self.may_ask(action)?;
        let reason = reason_of(reason)?;
        let standing = self.done_or_told_by(action, &actor, label.as_str(), self.standing(label))?;
        Ok(changing(action, &standing, &reason))
    }

    /// The custody that is meant for a key that comes in by `action`: the one that was named, or the only one that there is.
    pub fn custody_for(
        &self,
        action: Action,
        named: Option<CustodyKind>,
    ) -> Result<CustodyKind, StationError> {
        let actor = self.may_ask(action)?;
        let meant = match named {
            Some(kind) => self.all_custodies().get(kind).map(|_| kind),
            None => self.only_custody(),
        };
        self.done_or_told_by(action, &actor, named.map_or("", CustodyKind::as_str), meant)
    }

    /// Whether a text can be a group key, for whoever is to be asked for a secret to take it in. That it cannot is a record.
    pub fn expect_key(
        &self,
        permit: &KeyPermit,
        key: &SecretText,
        answer: DerivedKeyAnswer,
    ) -> Result<(), StationError> {
        let judged = GroupKey::judged(key, answer).map(drop).map_err(StationError::from);
        self.looked_at(permit, judged)
    }

    /// Takes in a group key that came as one text.
    pub fn import_key(
        &self,
        permit: KeyPermit,
        announced: &Announced,
        secret: &Passphrase,
        key: &SecretText,
        answer: DerivedKeyAnswer,
    ) -> Result<GroupKeyInfo, Box<NotDone>> {
        let request = Self::import_request(Action::ImportKey, announced);
        self.done_once(permit, &request, announced.key.label.as_str(), |permit| {
            let key = GroupKey::judged(key, answer)?;
            let found = key.check_value().map_err(ImportError::from)?;
            announced.expect_check_value(found)?;
            let origin = Origin::approved(KeyOrigin::Single, permit);
            self.take_in(announced.custody, secret, announced.key.clone(), key, origin)
        })
    }

    /// Takes in the group key of a transfer file, which its owner sealed to this station. It must be the one that was approved.
    pub fn take_transfer(
        &self,
        permit: KeyPermit,
        announced: &Announced,
        transfer: TransferFile<'_>,
        secret: &Passphrase,
    ) -> Result<GroupKeyInfo, Box<NotDone>> {
        let request = Self::import_request(Action::TakeTransfer, announced);
        let TransferFile { file, passphrase, answer } = transfer;
        self.done_once(permit, &request, announced.key.label.as_str(), |permit| {
            let opened = self.all_custodies().transfer_key(self.data()).open(passphrase, file, answer)?;
            announced.expect(&opened.new)?;
            announced.expect_check_value(opened.check_value)?;
            let origin = Origin::approved(KeyOrigin::Transfer, permit);
            self.take_in(announced.custody, secret, opened.new, opened.key, origin)
        })
    }

    /// Puts a key into a custody, and that into the log. It is not used before it is activated.
    pub(crate) fn take_in(
        &self,
        kind: CustodyKind,
        secret: &Passphrase,
        new: NewKey,
        key: GroupKey,
        origin: Origin,
    ) -> Result<GroupKeyInfo, StationError> {
        // What is begun is finished, and recorded, also when the program is told to go: for a moment it waits.
        let _asked = self.in_custody(origin.action(), &origin.actor, new.label.as_str());
        self.journal().may_begin()?;
        let custody = self.all_custodies().get(kind)?;
        match self.expect_there(custody) {
            Err(StationError::NoVault(_)) => {} // the first key of the first vault
            other => other?,
        }
        let check_value = key.check_value().map_err(ImportError::from)?;
        self.expect_new(&new.label, check_value)?;
        let imported = custody.import(secret, new, key);
        if let Err(ImportError::Unlock(error)) = &imported {
            self.append(Event::UnlockFailed { why: error.word() })?;
        }
        let key = imported?;
        let Origin { how, actor, approver } = origin;
        let event = Event::KeyImport { key: key.clone(), custody: kind.as_str(), how, approver };
        self.journal().append(&Entry { actor, event })?;
        if self.is_open(kind) {
            self.keep_if_open(self.tried(custody.open(secret))?);
        }
        Ok(key)
    }

    /// Label and check value are those of no other key, in whichever custody, also of none that was destroyed.
    pub(crate) fn expect_new(&self, label: &KeyLabel, check_value: CheckValue) -> Result<(), StationError> {
        for known in self.reader()?.known_keys()? {
            if known.info.label == *label {
                return Err(ImportError::LabelTaken(known.info.label).into());
            }
            if known.info.check_value == check_value {
                return Err(ImportError::SameKey(known.info.label).into());
            }
        }
        Ok(())
    }

    /// From now on devices get keys from it. `typed` is its check value as its owner's paper has it: another one is refused, and
    /// that is a record.
    pub fn activate_key(
        &self,
        permit: KeyPermit,
        label: &KeyLabel,
        reason: &str,
        typed: CheckValue,
    ) -> Result<Seq, Box<NotDone>> {
        let what = format!("{label} {typed}");
        let (standing, request) = self.change_of(&permit, Action::ActivateKey, label, reason)?;
        self.done_once(permit, &request, &what, |permit| {
            let found = standing.info.check_value;
            if typed != found {
                return Err(StationError::OtherCheckValue { label: label.clone(), expected: typed, found });
            }
            self.changed(permit, &standing, KeyChange::Activated, request.reason.clone())
        })
    }

    /// From now on no device gets a key from it, until two custodians activate it again. The emergency stop: nobody approves it.
    pub fn suspend_key(&self, permit: &Permit, label: &KeyLabel, reason: &str) -> Result<Seq, StationError> {
        self.honour(permit, Action::SuspendKey)?;
        let reason = reason_of(reason)?;
        let standing = self.done_or_told(permit, label.as_str(), self.standing(label))?;
        let suspended = self.changed(permit, &standing, KeyChange::Suspended, reason);
        self.done_or_told(permit, label.as_str(), suspended)
    }

    /// Destroys it: first the record, then the key, then the proof that it is gone. If the custody fails in between it is
    /// destroyed when that custody is opened next, and never used again.
    pub fn destroy_key(
        &self,
        permit: KeyPermit,
        label: &KeyLabel,
        reason: &str,
        secret: &Passphrase,
    ) -> Result<Seq, Box<NotDone>> {
        let (standing, request) = self.change_of(&permit, Action::DestroyKey, label, reason)?;
        self.done_once(permit, &request, label.as_str(), |permit| {
            self.destroy(permit, &standing, request.reason.clone(), secret)
        })
    }

    /// The key that is to be changed, and what must have been approved for it.
    fn change_of(
        &self,
        permit: &KeyPermit,
        action: Action,
        label: &KeyLabel,
        reason: &str,
    ) -> Result<(KeyStanding, Request), Box<NotDone>> {
        let asked = || {
            let (reason, standing) = (reason_of(reason)?, self.standing(label)?);
            let request = changing(action, &standing, &reason);
            Ok((standing, request))
        };
        self.looked_at(permit, asked()).map_err(|error| Box::new(NotDone { error, again: None }))
    }

    fn destroy(
        &self,
        permit: &Permit,
        standing: &KeyStanding,
        reason: String,
        secret: &Passphrase,
    ) -> Result<Seq, StationError> {
        let label = &standing.info.label;
        let _asked = self.in_custody_by(permit, label.as_str());
        let kind = self.custody_of(label)?;
        let custody = self.all_custodies().get(kind)?;
        self.expect_there(custody)?;
        // With the wrong secret nothing is destroyed, so nothing is recorded as destroyed.
        let held = self.left_in(custody, secret)?;
        let there = held.is_some_and(|held| held.keys().contains(&standing.info));
        let record = self.changed(permit, standing, KeyChange::Destroyed, reason)?;
        if there {
            custody.destroy(secret, label)?;
        }
        match self.left_in(custody, secret)? {
            Some(left) if left.key(label).is_some() => {
                return Err(DestroyError::StillThere(label.clone()).into());
            }
            Some(left) => self.keep_if_open(left),
            None if self.close_one(kind) => drop(self.append(Event::Lock)?),
            None => {}
        }
        Ok(record)
    }

    /// Records that something is not permitted.
    pub(crate) fn refuse_action(
        &self,
        action: Action,
        subject: &str,
        why: DenialReason,
        actor: Actor,
    ) -> Result<Denied, StationError> {
        let (what, code) = (subject.to_owned(), String::new());
        let denial = Denial { action: action.word().to_owned(), why, what, code };
        let record = Some(self.journal().append(&Entry { actor, event: Event::Denied(denial) })?);
        Ok(Denied { action, why, record, cause: None })
    }

    fn changed(
        &self,
        permit: &Permit,
        standing: &KeyStanding,
        change: KeyChange,
        reason: String,
    ) -> Result<Seq, StationError> {
        let label = standing.info.label.clone();
        if !may_become(standing.state, change) {
            return Err(StationError::KeyState { label, state: standing.state });
        }
        let (check_value, approver) = (standing.info.check_value, permit.approver().to_owned());
        let event = KeyEvent::Changed { label, check_value, change, reason, approver };
        self.append_by(permit, Event::GroupKey(event))
    }

    /// What the log says of a group key.
    pub fn standing(&self, label: &KeyLabel) -> Result<KeyStanding, StationError> {
        self.reader()?.group_key(label)?.ok_or_else(|| StationError::NoKey(label.clone()))
    }

    /// Every group key that was ever imported, by label.
    pub fn group_keys(&self) -> Result<Vec<KeyStanding>, StationError> {
        Ok(self.reader()?.group_keys()?)
    }

    /// When record `seq` was made: UTC, RFC 3339; empty if there is no such record.
    pub fn time_of(&self, seq: Seq) -> Result<String, StationError> {
        self.archive().time_of(seq)
    }

    /// Which devices die if this key goes: those whose latest proved set is under it, each with the record of its intent, from
    /// the one after `after` on.
    pub fn devices_under(
        &self,
        label: &KeyLabel,
        after: Option<Seq>,
        limit: u32,
    ) -> Result<Vec<(RegistrationId, Seq)>, StationError> {
        Ok(self.reader()?.devices_under(label, after, limit)?)
    }

    /// Whom the owner of a group key seals it to: `age1…`. `None` if the station has not made its key for transfers yet.
    pub fn recipient(&self, permit: &Permit) -> Result<Option<String>, StationError> {
        self.honour(permit, Action::Recipient)?;
        Ok(self.reader()?.recipient()?)
    }

    /// Makes the station's key for transfers, sealed under `passphrase`: the vault's, where there is a vault. Once made it stays.
    pub fn make_recipient(&self, permit: &Permit, passphrase: &Passphrase) -> Result<String, StationError> {
        self.honour(permit, Action::Recipient)?;
        self.done_or_told(permit, "", self.made_recipient(permit, passphrase))
    }

    fn made_recipient(&self, permit: &Permit, passphrase: &Passphrase) -> Result<String, StationError> {
        let key = self.all_custodies().transfer_key(self.data());
        let recipient = if key.is_there() {
            self.tried(key.recipient(passphrase))?
        } else {
            let vault = self.all_custodies().get(CustodyKind::SealedFile)?;
            if vault.is_there() {
                self.tried(vault.open(passphrase))?.lock();
            }
            key.make(passphrase)?
        };
        let recipient = recipient.to_string();
        // Also where it was made, and the program ended before its record.
        if self.reader()?.recipient()?.as_ref() != Some(&recipient) {
            let (actor, event) =
                (permit.actor().clone(), KeyEvent::Recipient { recipient: recipient.clone() });
            self.journal().append(&Entry { actor, event: Event::GroupKey(event) })?;
        }
        Ok(recipient)
    }
}

/// A transfer file, and what opens it.
pub struct TransferFile<'a> {
    /// Where the file is.
    pub file: &'a Path,
    /// Opens the station's key for transfers: the passphrase of the vault.
    pub passphrase: &'a Passphrase,
    /// Whether 32 bytes are a group key.
    pub answer: DerivedKeyAnswer,
}

/// How a key came, and who answers for it.
pub(crate) struct Origin {
    pub(crate) how: KeyOrigin,
    pub(crate) actor: Actor,
    pub(crate) approver: String,
}

impl Origin {
    /// The verb by which it comes in.
    const fn action(&self) -> Action {
        match self.how {
            KeyOrigin::Transfer => Action::TakeTransfer,
            KeyOrigin::Ceremony => Action::Ceremony,
            KeyOrigin::Single | KeyOrigin::Found => Action::ImportKey,
        }
    }

    /// What one asked for and another approved.
    fn approved(how: KeyOrigin, permit: &Permit) -> Self {
        Self { how, actor: permit.actor().clone(), approver: permit.approver().to_owned() }
    }
}

/// R09: what may become of a key in each state. From destroyed there is no way back.
const fn may_become(state: KeyState, change: KeyChange) -> bool {
    match (state, change) {
        (KeyState::Imported | KeyState::Suspended, KeyChange::Activated)
        | (KeyState::Active, KeyChange::Suspended)
        | (KeyState::Imported | KeyState::Active | KeyState::Suspended, KeyChange::Destroyed) => true,
        (KeyState::Active, KeyChange::Activated)
        | (KeyState::Imported | KeyState::Suspended, KeyChange::Suspended)
        | (KeyState::Destroyed, _) => false,
    }
}

fn changing(action: Action, standing: &KeyStanding, reason: &str) -> Request {
    let GroupKeyInfo { label, check_value, .. } = &standing.info;
    Request { action, subject: format!("{label} {check_value}"), reason: reason.to_owned() }
}

/// Why, for the record: one line of 1 to 200 characters.
pub(crate) fn reason_of(text: &str) -> Result<String, StationError> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > 200 || text.chars().any(char::is_control) {
        return Err(StationError::Reason);
    }
    Ok(text.to_owned())
}
