//! The life of a group key: imported, activated, suspended, destroyed. Who may, and who has to approve, says
//! `docs/ceremony.md`, section 6.

use std::path::Path;
use std::time::{Duration, Instant};

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
use crate::people::{Action, ApprovalId, Denied, Permit, Request};
use crate::station::Station;

/// How long a permission holds that was approved: a key has to be typed within it.
const HOLDS: Duration = Duration::from_secs(10 * 60);

/// That two people agree to one thing about one key, for ten minutes of the session that asked: a wrong passphrase may be entered
/// again under it.
#[derive(Debug)]
pub struct KeyPermit {
    permit: Permit,
    request: Request,
    given: Instant,
}

impl Station {
    /// What another custodian has to approve before a key comes in by this action: [`Action::ImportKey`] or
    /// [`Action::TakeTransfer`].
    #[must_use]
    pub fn import_request(action: Action, label: &KeyLabel, custody: CustodyKind) -> Request {
        Request { action, subject: format!("{label} {}", custody.as_str()), reason: String::new() }
    }

    /// What another custodian has to approve before a key is activated or destroyed.
    pub fn change_request(
        &self,
        action: Action,
        label: &KeyLabel,
        reason: &str,
    ) -> Result<Request, StationError> {
        let standing = self.standing(label)?;
        Ok(changing(action, &standing, &reason_of(reason)?))
    }

    /// The permission for an approved request. The approval is used up by it.
    pub fn permit_key(&self, request: Request, approval: ApprovalId) -> Result<KeyPermit, StationError> {
        let permit = self.permit_approved(&request, approval)?;
        Ok(KeyPermit { permit, request, given: Instant::now() })
    }

    /// Whether what is to be done is what was approved, and still holds.
    fn agreed(&self, permit: &KeyPermit, request: &Request) -> Result<(), StationError> {
        self.honour(&permit.permit, request.action)?;
        if permit.request != *request {
            return Err(self.refuse_key(permit, request, DenialReason::ApprovalOtherRequest)?.into());
        }
        if permit.given.elapsed() > HOLDS {
            return Err(self.refuse_key(permit, request, DenialReason::ApprovalExpired)?.into());
        }
        Ok(())
    }

    /// Takes in a group key that came as one text.
    pub fn import_key(
        &self,
        permit: &KeyPermit,
        custody: CustodyKind,
        secret: &Passphrase,
        new: NewKey,
        key: &SecretText,
        answer: DerivedKeyAnswer,
    ) -> Result<GroupKeyInfo, StationError> {
        self.agreed(permit, &Self::import_request(Action::ImportKey, &new.label, custody))?;
        let key = GroupKey::judged(key, answer)?;
        let (actor, approver) = (permit.permit.actor().clone(), permit.permit.approver().to_owned());
        self.take_in(custody, secret, new, key, Origin { how: KeyOrigin::Single, actor, approver })
    }

    /// Takes in the group key of a transfer file, which its owner sealed to this station. It must have the label that was approved.
    pub fn take_transfer(
        &self,
        permit: &KeyPermit,
        transfer: TransferFile<'_>,
        custody: CustodyKind,
        secret: &Passphrase,
    ) -> Result<GroupKeyInfo, StationError> {
        self.agreed(permit, &Self::import_request(Action::TakeTransfer, transfer.label, custody))?;
        let TransferFile { label, file, passphrase, answer } = transfer;
        let opened = self.all_custodies().transfer_key(self.data()).open(passphrase, file, answer)?;
        if opened.new.label != *label {
            return Err(StationError::OtherLabel { approved: label.clone(), found: opened.new.label });
        }
        let (actor, approver) = (permit.permit.actor().clone(), permit.permit.approver().to_owned());
        let origin = Origin { how: KeyOrigin::Transfer, actor, approver };
        self.take_in(custody, secret, opened.new, opened.key, origin)
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
        // What is begun is finished, and recorded, also when the program is told to go.
        let _in_work = self.busy();
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
        permit: &KeyPermit,
        label: &KeyLabel,
        reason: &str,
        typed: CheckValue,
    ) -> Result<Seq, StationError> {
        let (standing, reason) = (self.standing(label)?, reason_of(reason)?);
        self.agreed(permit, &changing(Action::ActivateKey, &standing, &reason))?;
        let (permit, found) = (&permit.permit, standing.info.check_value);
        if typed != found {
            let (what, actor) = (format!("{label} {typed}"), permit.actor().clone());
            self.refuse_action(Action::ActivateKey, &what, DenialReason::State, actor)?;
            return Err(StationError::OtherCheckValue { label: label.clone(), expected: typed, found });
        }
        self.change_key(&standing, KeyChange::Activated, reason, permit.actor(), permit.approver())
    }

    /// From now on no device gets a key from it, until two custodians activate it again. The emergency stop: nobody approves it.
    pub fn suspend_key(&self, permit: &Permit, label: &KeyLabel, reason: &str) -> Result<Seq, StationError> {
        self.honour(permit, Action::SuspendKey)?;
        let (standing, reason) = (self.standing(label)?, reason_of(reason)?);
        self.change_key(&standing, KeyChange::Suspended, reason, permit.actor(), "")
    }

    /// Destroys it: first the record, then the key, then the proof that it is gone. If the custody fails in between it is
    /// destroyed when that custody is opened next, and never used again.
    pub fn destroy_key(
        &self,
        permit: &KeyPermit,
        label: &KeyLabel,
        reason: &str,
        secret: &Passphrase,
    ) -> Result<Seq, StationError> {
        let (standing, reason) = (self.standing(label)?, reason_of(reason)?);
        self.agreed(permit, &changing(Action::DestroyKey, &standing, &reason))?;
        let _in_work = self.busy();
        let kind = self.custody_of(label)?;
        let custody = self.all_custodies().get(kind)?;
        self.expect_there(custody)?;
        // With the wrong secret nothing is destroyed, so nothing is recorded as destroyed.
        let held = self.left_in(custody, secret)?;
        let there = held.is_some_and(|held| held.keys().contains(&standing.info));
        let permit = &permit.permit;
        let record =
            self.change_key(&standing, KeyChange::Destroyed, reason, permit.actor(), permit.approver())?;
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

    fn refuse_key(
        &self,
        permit: &KeyPermit,
        request: &Request,
        why: DenialReason,
    ) -> Result<Denied, StationError> {
        self.refuse_action(request.action, &request.subject, why, permit.permit.actor().clone())
    }

    /// Records that something is not permitted.
    pub(crate) fn refuse_action(
        &self,
        action: Action,
        subject: &str,
        why: DenialReason,
        actor: Actor,
    ) -> Result<Denied, StationError> {
        let denial = Denial { action: action.word().to_owned(), why, what: subject.to_owned() };
        let record = Some(self.journal().append(&Entry { actor, event: Event::Denied(denial) })?);
        Ok(Denied { action, why, record, cause: None })
    }

    fn change_key(
        &self,
        standing: &KeyStanding,
        change: KeyChange,
        reason: String,
        actor: &Actor,
        approver: &str,
    ) -> Result<Seq, StationError> {
        let label = standing.info.label.clone();
        if !may_become(standing.state, change) {
            return Err(StationError::KeyState { label, state: standing.state });
        }
        let (check_value, approver) = (standing.info.check_value, approver.to_owned());
        let event = KeyEvent::Changed { label, check_value, change, reason, approver };
        let entry = Entry { actor: actor.clone(), event: Event::GroupKey(event) };
        Ok(self.journal().append(&entry)?)
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
    /// The label that was approved.
    pub label: &'a KeyLabel,
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
