//! One device: the one that was looked at, and no other.

use keystation_audit::Reader;
use keystation_core::credential::Overwrite;
use keystation_core::failure::{Code, Failure};
use keystation_core::flow::{Admission, NotAdmitted, Pass, Step};
use keystation_core::identity::Identity;
use keystation_core::key::GroupKeyInfo;
use keystation_core::record::Seq;
use keystation_core::registration::RegistrationId;
use keystation_core::repair::{Effect, ReasonCode, RekeyReason};
use keystation_device::ports::SerialPort;

use super::batch::ApprovedProfile;
use super::begin::target;
use super::error::RekeyError;
use crate::config::Profile;
use crate::custodies::Custodies;
use crate::error::StationError;
use crate::injection::{Meant, Repair, Work, not_permitted};
use crate::people::{Action, Permit, Request};
use crate::station::Station;

/// What one re-key is to be: what two people agree to.
#[derive(Debug, Clone)]
pub struct Asked {
    id: RegistrationId,
    key: GroupKeyInfo,
    approved: ApprovedProfile,
    reason: RekeyReason,
    same_key: bool,
}

impl Asked {
    /// Why.
    #[must_use]
    pub const fn reason(&self) -> &RekeyReason {
        &self.reason
    }

    /// What the second person has to approve: this device, under this group key, ID scope, endpoint and profile, for this reason.
    #[must_use]
    pub fn request(&self) -> Request {
        let Self { id, key, approved, reason, same_key } = self;
        let same_key = if *same_key { " same-key" } else { "" };
        let subject = format!("{id} {}{same_key}", target(key, approved));
        Request { action: Action::Rekey, subject, reason: reason.to_string() }
    }
}

/// A device that was re-keyed, and what that did.
#[derive(Debug, Clone)]
pub struct Rekeyed {
    /// The device, and its records.
    pub pass: Pass,
    /// What it did to the key; `None`: nothing was overwritten. A write of before was found complete, and is settled.
    pub effect: Option<Effect>,
    /// The record that the new one follows.
    pub follows: Option<Seq>,
}

/// The device that was looked at.
#[derive(Debug)]
struct ThisOne<'a>(&'a RegistrationId);

impl Admission for ThisOne<'_> {
    fn admit(&self, _: &Identity, id: &RegistrationId) -> Result<(), NotAdmitted> {
        if id == self.0 { Ok(()) } else { Err(NotAdmitted { code: Code::Swapped, cause: None }) }
    }
}

impl Station {
    /// A reason out of what was typed. What is none is refused, and that is a record: nothing is overwritten without one.
    pub fn rekey_reason(&self, code: &str, note: &str) -> Result<RekeyReason, StationError> {
        let actor = self.may_ask(Action::Rekey)?;
        let reason = code.parse::<ReasonCode>().and_then(|code| RekeyReason::new(code, note));
        self.done_or_told_by(Action::Rekey, &actor, "", reason.map_err(|e| RekeyError::from(e).into()))
    }

    /// What is asked of the second person before the device `id` is re-keyed under the group key of `profile`. `same_key`: that the
    /// same key heals nothing is known, and it is to be written all the same. Only for whoever may ask.
    pub fn ask_rekey(
        &self,
        id: &RegistrationId,
        profile: &Profile,
        reason: RekeyReason,
        same_key: bool,
    ) -> Result<Asked, StationError> {
        let actor = self.may_ask(Action::Rekey)?;
        let known = self.reader().and_then(|reader| Custodies::active(&reader, &profile.group_key));
        let (info, _) = self.done_or_told_by(Action::Rekey, &actor, id.as_str(), known)?;
        let approved = ApprovedProfile::of(profile, &info);
        Ok(Asked { id: id.clone(), key: info, approved, reason, same_key })
    }

    /// Overwrites the key of the device on an open port, if it is the one that was asked for. Permit: [`Action::Rekey`], approved
    /// for this.
    pub fn rekey(
        &self,
        permit: &Permit,
        asked: &Asked,
        work: &Work,
        port: &mut SerialPort,
        watch: &mut dyn FnMut(Step),
    ) -> Result<Rekeyed, Failure> {
        self.honour_request(permit, &asked.request()).map_err(not_permitted)?;
        if ApprovedProfile::of(&work.profile, &asked.key) != asked.approved {
            let file = work.profile.path.clone();
            let other = RekeyError::OtherProfile { what: "the re-key".to_owned(), file };
            return Err(self.refused(permit, work, Code::NotPermitted, work.place.to_string(), other));
        }
        let overwrite =
            Overwrite::approved(asked.reason.clone(), &permit.actor().operator, permit.approver());
        let overwrite = overwrite.map_err(|e| {
            self.refused(permit, work, Code::NotPermitted, work.place.to_string(), RekeyError::from(e))
        })?;
        let overwrite = if asked.same_key { overwrite.accepting_same_key() } else { overwrite };
        let repair = Repair { overwrite: &overwrite, admission: &ThisOne(&asked.id) };
        let before = self.size_now()?;
        let pass = self.key_device(permit, work, Meant::default(), Some(repair), port, watch)?;
        let (effect, follows) = self.done_by(&pass, before)?;
        Ok(Rekeyed { pass, effect, follows })
    }

    fn size_now(&self) -> Result<u64, Failure> {
        self.look().and_then(|reader| Ok(reader.size()?)).map_err(unread)
    }

    /// What the records say of a device that has PASS: an intent that is older than this act was only settled by it.
    fn done_by(&self, pass: &Pass, before: u64) -> Result<(Option<Effect>, Option<Seq>), Failure> {
        let read = || {
            let reader = self.look()?;
            Ok(said_of(&reader, pass.intent)?)
        };
        let (effect, follows) = read().map_err(unread)?;
        Ok((if pass.intent >= before { effect } else { None }, follows))
    }
}

/// What the intent of a re-key says: its effect, and the record that it follows.
fn said_of(
    reader: &Reader,
    intent: Seq,
) -> Result<(Option<Effect>, Option<Seq>), keystation_audit::ReadError> {
    let mut said = (None, None);
    reader.records(intent..=intent, None, |record| {
        let effect = record.text("effect").and_then(|word| Effect::named(&word));
        said = (effect, record.integer("prior").and_then(|prior| u64::try_from(prior).ok()));
        std::ops::ControlFlow::Break(())
    })?;
    Ok(said)
}

/// The device has what it has; only what the log says of it cannot be told.
fn unread(error: StationError) -> Failure {
    use keystation_core::failure::Safety;
    Failure { cause: Some(Box::new(error)), ..Failure::new(Code::LogFailed, Safety::Unrecorded) }
}
