//! The work instruction: how one device gets its key.
//!
//! ```text
//! port → Identity → RegistrationId → DeviceKey → intent on disk → written → restarted → proven
//!      → identity read again → result on disk → PASS
//! ```
//!
//! The intent is durable before the first byte of the write, PASS is returned only after the result is durable. A
//! kill at any arrow leaves nothing, or an open intent; [`inject`] settles it when the device is seen again.

mod contract;
mod fault;
mod settle;

pub use contract::{
    Admission, AnyDevice, Device, DeviceError, DeviceState, Glance, Log, LogError, NotAdmitted, OpenIntent,
    Receipt, Refusal, Retired, Retirement, Sighting, Standing, Vault, VaultError,
};
use fault::{Fault, KeyedHere};
use settle::NotSettled;
pub use settle::{Left, Settled, settle};

use crate::credential::{CredentialSet, Overwrite};
use crate::failure::{Code, Failure, Safety};
use crate::identity::Identity;
use crate::key::{Endpoint, Fingerprint, GroupKeyInfo};
use crate::proof::{self, Nonce};
use crate::recipe::Recipe;
use crate::record::{Actor, Entry, Event, Holds, Intent, Mode, Outcome, Rekey, Seq};
use crate::registration::RegistrationId;
use crate::repair::Effect;

/// The six steps that a person sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Who is it?
    Read,
    /// Its key is derived.
    Derive,
    /// The set is written.
    Write,
    /// The device restarts: what it only held in memory is gone.
    Restart,
    /// It proves the key.
    Prove,
    /// The result is made durable.
    Record,
}

impl Step {
    /// All six, in the order of the flow.
    pub const ALL: [Self; 6] =
        [Self::Read, Self::Derive, Self::Write, Self::Restart, Self::Prove, Self::Record];

    /// The name in JSON and on the screen.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Derive => "derive",
            Self::Write => "write",
            Self::Restart => "restart",
            Self::Prove => "prove",
            Self::Record => "record",
        }
    }
}

/// Everything about an injection that does not come from the device.
#[derive(Debug, Clone)]
pub struct Order<'a> {
    /// How the registration ID is made.
    pub recipe: &'a Recipe,
    /// The group key's description; the vault that is passed along holds that key.
    pub key: &'a GroupKeyInfo,
    /// DPS endpoint to write.
    pub endpoint: &'a Endpoint,
    /// Name and version of the product profile.
    pub profile: &'a str,
    /// SHA-256 of its file.
    pub profile_sha256: [u8; 32],
    /// Work order, or empty.
    pub job: &'a str,
    /// Which devices are meant.
    pub admission: &'a dyn Admission,
    /// Port with its USB path.
    pub port: &'a str,
    /// Who.
    pub actor: &'a Actor,
    /// Fresh random bytes: the first asks after the restart, the second before a write that may not be needed.
    pub nonces: [Nonce; 2],
    /// The try before, of which this one is the repetition, came as far as the restart: the device had acknowledged its set.
    pub acknowledged: bool,
    /// The right to overwrite, which only repair has.
    pub overwrite: Option<&'a Overwrite>,
}

/// A device that holds its key, proved it, and whose record is durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pass {
    /// Its registration ID.
    pub id: RegistrationId,
    /// What it said it is.
    pub identity: Identity,
    /// The record of the intent.
    pub intent: Seq,
    /// The record of the result.
    pub record: Seq,
}

/// Gives one device its key. `watch` is told of each step as it begins.
pub fn inject(
    order: &Order<'_>,
    vault: &dyn Vault,
    device: &mut dyn Device,
    log: &dyn Log,
    watch: &mut dyn FnMut(Step),
) -> Result<Pass, Failure> {
    let mut bench = Bench { order, device, log, watch, safety: Safety::Untouched };

    bench.step(Step::Read);
    let mut seen = bench.device.identify().map_err(|e| bench.refuse(e, None, None))?;
    let id = order.recipe.registration_id(&seen.identity).map_err(|e| bench.refuse(e, Some(&seen), None))?;
    let mut standing = log.standing(&id).map_err(|e| {
        if matches!(e, LogError::Overtaken { .. }) {
            // It may be the very device that another slot still waits for.
            bench.safety = Safety::Unknown;
        }
        bench.refuse(e, Some(&seen), Some(&id))
    })?;
    if standing.open.is_some() {
        bench.safety = Safety::Unknown;
    }
    let retired = log.retired(&id, &seen.identity).map_err(|e| bench.refuse(e, Some(&seen), Some(&id)))?;
    if let Some(retirement) = retired {
        return Err(bench.refuse(retirement, Some(&seen), Some(&id)));
    }
    order.admission.admit(&seen.identity, &id).map_err(|e| bench.refuse(e, Some(&seen), Some(&id)))?;
    let unsettled = bench.unsettled(&seen, &id, &standing)?;

    bench.step(Step::Derive);
    let key = vault.derive(&id).map_err(|e| bench.refuse(e, Some(&seen), Some(&id)))?;
    let set = CredentialSet::new(id, order.key.scope.clone(), order.endpoint.clone(), key);

    let mut asked = false;
    if let Some(open) = unsettled {
        match bench.holds_already(&seen, &set, &open) {
            Ok(true) => {
                let pass = bench.confirm(&seen, &set, open.seq, Event::Resolve)?;
                // What another batch or the line had begun is settled there; this batch has not re-keyed it yet.
                if order.job.is_empty() || open.job == order.job {
                    return Ok(pass);
                }
                bench.safety = Safety::Untouched;
                // It has restarted for that: by its start now the next restart is told.
                let again =
                    bench.device.identify().map_err(|e| bench.refuse(e, Some(&seen), Some(set.id())))?;
                if again.identity != seen.identity {
                    return Err(bench.refuse(Code::Swapped, Some(&seen), Some(set.id())));
                }
                seen = again;
                standing =
                    log.standing(set.id()).map_err(|e| bench.refuse(e, Some(&seen), Some(set.id())))?;
            }
            Ok(false) if order.acknowledged => {
                // Written once more it might keep it, and be shipped by chance.
                let lost = Fault::new(Code::NotKept, Holds::Old);
                return Err(bench.fail(lost, &seen, open.seq, &set, Event::Resolve));
            }
            Ok(false) => {
                bench.settle_as_not_written(&seen, open.seq, set.id())?;
                // The next intent follows what the log knows now: the settled one is none that it could name.
                standing =
                    log.standing(set.id()).map_err(|e| bench.refuse(e, Some(&seen), Some(set.id())))?;
            }
            // Repair replaces the set, whichever it is; the new intent names the open one.
            Err(Fault { code: code @ (Code::NotProven | Code::OtherKey), .. })
                if order.overwrite.is_some() && !order.acknowledged =>
            {
                asked = code == Code::NotProven;
            }
            Err(fault) => return Err(bench.fail(fault, &seen, open.seq, &set, Event::Resolve)),
        }
    }
    bench.may_write(&seen, &set, &standing)?;
    let mode = bench.mode(&seen, &set, &standing, asked)?;

    let Receipt { seq: intent, anchor } = bench.intend(&seen, &set, &standing, mode)?;
    let set = set.anchored(anchor);
    bench.step(Step::Write);
    bench.write(&seen, &set).map_err(|fault| bench.fail(fault, &seen, intent, &set, Event::Result))?;
    bench.confirm(&seen, &set, intent, Event::Result)
}

/// One device, one order: what the steps share.
struct Bench<'a, 'b> {
    order: &'a Order<'a>,
    device: &'b mut dyn Device,
    log: &'a dyn Log,
    watch: &'b mut dyn FnMut(Step),
    /// What a refusal means for the device: an open intent makes even the untouched one uncertain.
    safety: Safety,
}

impl Bench<'_, '_> {
    fn step(&mut self, step: Step) {
        (self.watch)(step);
    }

    fn append(&self, event: Event) -> Result<Receipt, LogError> {
        self.log.append(&Entry { actor: self.order.actor.clone(), event })
    }

    /// The open intent that this device settles, if there is one.
    fn unsettled(
        &mut self,
        seen: &Sighting,
        id: &RegistrationId,
        standing: &Standing,
    ) -> Result<Option<OpenIntent>, Failure> {
        let Some(open) = &standing.open else { return Ok(None) };
        match NotSettled::judge(open, seen, self.order.job) {
            Ok(()) => Ok(Some(open.clone())),
            // Repair asks this board, whoever began it.
            Err(NotSettled::OtherOrder { .. }) if self.order.overwrite.is_some() => Ok(Some(open.clone())),
            // And replaces the set of another board; the new intent names the open one.
            Err(_) if self.order.overwrite.is_some() => Ok(None),
            Err(cause) => {
                if matches!(cause, NotSettled::OtherBoard(_)) {
                    // The intent says nothing of this one.
                    self.safety = Safety::Untouched;
                }
                Err(self.refuse(cause, Some(seen), Some(id)))
            }
        }
    }

    /// Whether a device with an open intent did store the set before it was lost from sight. Where the device does
    /// not show it clearly, the fault says why, and the intent stays open.
    fn holds_already(
        &mut self,
        seen: &Sighting,
        set: &CredentialSet,
        open: &OpenIntent,
    ) -> Result<bool, Fault> {
        if seen.state == DeviceState::Empty {
            return Ok(false);
        }
        if open.fingerprint != set.key().fingerprint() {
            return Err(Fault::new(Code::OtherKey, Holds::Unknown));
        }
        self.step(Step::Prove);
        let nonce = &self.order.nonces[1];
        let proof = self.device.prove(nonce).map_err(|e| Fault::of(e, Holds::Unknown))?;
        if !proof::holds(set.key(), nonce, set.id(), &proof) {
            return Err(Fault::new(Code::NotProven, Holds::Unknown));
        }
        Ok(true)
    }

    fn settle_as_not_written(
        &mut self,
        seen: &Sighting,
        open: Seq,
        id: &RegistrationId,
    ) -> Result<Seq, Failure> {
        let failure = Some(Code::NotWritten);
        let outcome = Outcome { intent: open, id: id.clone(), failure, holds: Holds::Old };
        let receipt = self
            .append(Event::Resolve(outcome))
            .map_err(|e| unrecorded(e, Safety::NotKeyed, Some(seen), Some(id)))?;
        self.safety = Safety::Untouched;
        Ok(receipt.seq)
    }

    /// Policy, before the first byte of a write.
    fn may_write(&self, seen: &Sighting, set: &CredentialSet, standing: &Standing) -> Result<(), Failure> {
        let refused: Fault = match (seen.state, self.order.overwrite, standing.keyed) {
            (DeviceState::Locked, _, _) => Code::Locked.into(),
            (DeviceState::Keyed, None, Some(record)) => KeyedHere(record).into(),
            (DeviceState::Keyed, None, None) => Code::ForeignKey.into(),
            (DeviceState::Empty, None, Some(_)) => Code::AlreadyRecorded.into(),
            // Or repair would make new devices, past every work order.
            (DeviceState::Empty, Some(_), None) if standing.open.is_none() => Code::NeverKeyed.into(),
            _ => return Ok(()),
        };
        Err(self.refuse(refused, Some(seen), Some(set.id())))
    }

    /// A first key, or a re-key with what it does to the key: what the device holds is what it proved last, or what a write
    /// without a known outcome may have left in it. `asked`: it was asked for that one, and does not hold it.
    fn mode(
        &self,
        seen: &Sighting,
        set: &CredentialSet,
        standing: &Standing,
        asked: bool,
    ) -> Result<Mode, Failure> {
        let Some(overwrite) = self.order.overwrite else { return Ok(Mode::New) };
        let open = standing.open.as_ref().filter(|_| !asked).map(|open| open.fingerprint);
        let held: Vec<Fingerprint> = standing.proved.into_iter().chain(open).collect();
        let effect = Effect::of(&set.key().fingerprint(), &held);
        if !overwrite.permits(effect) {
            let code = if effect == Effect::UnknownKey { Code::UnknownKey } else { Code::SameKey };
            return Err(self.refuse(code, Some(seen), Some(set.id())));
        }
        Ok(Mode::Rekey(Box::new(Rekey {
            reason: overwrite.reason().clone(),
            approver: overwrite.approver().to_owned(),
            effect,
            before: standing.proved,
            same_key: overwrite.accepts_same_key(),
            profile: self.order.profile_sha256,
            place: self.order.admission.place(&seen.identity, set.id()),
        })))
    }

    fn intend(
        &self,
        seen: &Sighting,
        set: &CredentialSet,
        standing: &Standing,
        mode: Mode,
    ) -> Result<Receipt, Failure> {
        let order = self.order;
        let intent = Intent {
            id: set.id().clone(),
            identity: seen.identity.clone(),
            firmware: seen.firmware.clone(),
            key: order.key.clone(),
            endpoint: set.endpoint().to_string(),
            fingerprint: set.key().fingerprint(),
            profile: order.profile.to_owned(),
            job: order.job.to_owned(),
            port: order.port.to_owned(),
            mode,
            prior: standing.follows(),
            attempt: standing.attempts + 1,
        };
        self.append(Event::Intent(intent)).map_err(|e| match e {
            LogError::Overtaken { .. } | LogError::Refused { .. } => {
                self.refuse(e, Some(seen), Some(set.id()))
            }
            LogError::Storage(_) => unrecorded(e, self.safety, Some(seen), Some(set.id())),
        })
    }

    fn write(&mut self, seen: &Sighting, set: &CredentialSet) -> Result<(), Fault> {
        // A stage is held in memory only: whatever happens to it, the device still has what it had.
        self.device.stage(set).map_err(|e| Fault::of(e, Holds::Old))?;
        let Err(error) = self.device.commit(set, &seen.identity, self.order.overwrite) else {
            return Ok(());
        };
        // The commit may have arrived and only its answer be lost; the refusal may be that of a repetition. And a device
        // that refuses because it is keyed, having said that it is empty, is believed in neither.
        let empty = matches!(error, DeviceError::Refused(refusal) if refusal != Refusal::AlreadyKeyed)
            && self
                .device
                .glance()
                .is_ok_and(|again| again.identity == seen.identity && again.state == DeviceState::Empty);
        Err(Fault::of(error, if empty { Holds::Old } else { Holds::Unknown }))
    }

    /// Restart, proof, identity again, result on disk: the only way to [`Pass`].
    fn confirm(
        &mut self,
        seen: &Sighting,
        set: &CredentialSet,
        intent: Seq,
        event: fn(Outcome) -> Event,
    ) -> Result<Pass, Failure> {
        self.prove_after_restart(seen, set).map_err(|fault| self.fail(fault, seen, intent, set, event))?;
        self.step(Step::Record);
        let outcome = Outcome { intent, id: set.id().clone(), failure: None, holds: Holds::New };
        let Receipt { seq: record, .. } = self.append(event(outcome)).map_err(|e| match e {
            // It was taken out since it was read: what it proves is no PASS.
            LogError::Refused { .. } => self.refuse(e, Some(seen), Some(set.id())),
            _ => unrecorded(e, Safety::Unrecorded, Some(seen), Some(set.id())),
        })?;
        Ok(Pass { id: set.id().clone(), identity: seen.identity.clone(), intent, record })
    }

    fn prove_after_restart(&mut self, seen: &Sighting, set: &CredentialSet) -> Result<(), Fault> {
        match self.proven_after_restart(seen, &[set])? {
            Some(_) => Ok(()),
            None => Err(Fault::new(Code::NotProven, Holds::Unknown)),
        }
    }

    /// Which of `sets` the device proves after a restart; `None`: none of them.
    fn proven_after_restart(
        &mut self,
        seen: &Sighting,
        sets: &[&CredentialSet],
    ) -> Result<Option<usize>, Fault> {
        let unknown = |e| Fault::of(e, Holds::Unknown);
        self.step(Step::Restart);
        self.device.restart().map_err(unknown)?;
        self.step(Step::Prove);
        let nonce = &self.order.nonces[0];
        let proof = self.device.prove(nonce);
        let again = self.device.glance().map_err(unknown)?;
        if again.identity != seen.identity {
            return Err(Fault::new(Code::Swapped, Holds::Unknown));
        }
        let proves = |proof| sets.iter().position(|set| proof::holds(set.key(), nonce, set.id(), proof));
        let proven = proof.as_ref().ok().and_then(proves);
        if again.state == DeviceState::Empty {
            // A device that proves a key and says that it has none is believed in neither.
            let holds = if proven.is_some() { Holds::Unknown } else { Holds::Old };
            return Err(Fault::new(Code::NotKept, holds));
        }
        if again.boot == seen.boot {
            return Err(Fault::new(Code::NotRestarted, Holds::Unknown));
        }
        proof.map_err(unknown)?;
        Ok(proven)
    }

    /// Nothing was written, and the log says so.
    fn refuse(
        &self,
        cause: impl Into<Fault>,
        seen: Option<&Sighting>,
        id: Option<&RegistrationId>,
    ) -> Failure {
        let Fault { code, cause, .. } = cause.into();
        let event = Event::Refuse {
            code,
            port: self.order.port.to_owned(),
            identity: seen.map(|seen| seen.identity.clone()),
            id: id.cloned(),
            job: self.order.job.to_owned(),
        };
        match self.append(event) {
            Ok(receipt) => Failure {
                record: Some(receipt.seq),
                cause,
                ..of_device(Failure::new(code, self.safety), seen, id)
            },
            Err(e) => unrecorded(e, self.safety, seen, id),
        }
    }

    /// Something was intended, and the log says what came of it.
    fn fail(
        &self,
        fault: Fault,
        seen: &Sighting,
        intent: Seq,
        set: &CredentialSet,
        event: fn(Outcome) -> Event,
    ) -> Failure {
        let Fault { code, holds, cause } = fault;
        let outcome = Outcome { intent, id: set.id().clone(), failure: Some(code), holds };
        match self.append(event(outcome)) {
            Ok(receipt) => Failure {
                record: Some(receipt.seq),
                cause,
                ..of_device(Failure::new(code, holds.into()), Some(seen), Some(set.id()))
            },
            Err(e) => unrecorded(e, holds.into(), Some(seen), Some(set.id())),
        }
    }
}

/// The failure of this device and no other, for whoever has to pick it out of the slots.
fn of_device(failure: Failure, seen: Option<&Sighting>, id: Option<&RegistrationId>) -> Failure {
    Failure { identity: seen.map(|seen| seen.identity.clone()), id: id.cloned(), ..failure }
}

fn unrecorded(
    error: LogError,
    safety: Safety,
    seen: Option<&Sighting>,
    id: Option<&RegistrationId>,
) -> Failure {
    Failure { cause: Some(error.into()), ..of_device(Failure::new(Code::LogFailed, safety), seen, id) }
}
