//! Which device settles an intent that is open: what it proves must not become the PASS of another board or of another
//! work order. And how a device is asked what came of it, where nothing is to be written.

use super::fault::Fault;
use super::{Bench, Device, DeviceState, Log, OpenIntent, Order, Pass, Sighting, Step, Vault, unrecorded};
use crate::credential::CredentialSet;
use crate::failure::{Code, Failure, Safety};
use crate::record::{Event, Holds, Outcome, Seq};

/// Why a device is not asked what came of an intent that is open.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotSettled {
    #[error("record {0} began this registration ID on a board with another MAC address or serial number")]
    OtherBoard(Seq),
    #[error("record {seq} began it {}", under(.job))]
    OtherOrder { seq: Seq, job: String },
}

impl NotSettled {
    /// Whether `seen`, in work under `job`, settles the intent.
    pub(super) fn judge(open: &OpenIntent, seen: &Sighting, job: &str) -> Result<(), Self> {
        if !open.is_of(&seen.identity) {
            Err(Self::OtherBoard(open.seq))
        } else if seen.state == DeviceState::Empty {
            // It holds nothing of that intent, and the next one is judged by the log.
            Ok(())
        } else if open.job != job {
            Err(Self::OtherOrder { seq: open.seq, job: open.job.clone() })
        } else {
            Ok(())
        }
    }
}

fn under(job: &str) -> String {
    if job.is_empty() { "under no work order".to_owned() } else { format!("under the work order {job}") }
}

impl From<NotSettled> for Fault {
    fn from(cause: NotSettled) -> Self {
        let code = match cause {
            NotSettled::OtherBoard(_) => Code::OtherBoard,
            NotSettled::OtherOrder { .. } => Code::NoOrder,
        };
        Self { code, holds: Holds::Unknown, cause: Some(cause.into()) }
    }
}

/// The keys that a device with an open intent may hold.
#[derive(Clone, Copy)]
pub struct Left<'a> {
    /// The group key of the intent: that of the order.
    pub new: &'a dyn Vault,
    /// The group key under which it proved its key last, if the station has it.
    pub old: Option<&'a dyn Vault>,
}

/// What came of a write that was left open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settled {
    /// It was complete: the device proved that it holds the set.
    New(Pass),
    /// It was not: the device holds what it had before, or nothing.
    Old {
        /// The record of that.
        record: Seq,
    },
}

/// Asks a device what came of the write that was left open on it, by the terms of that intent and on the board that it was for, under
/// whichever work order or batch that was, and whether or not it was closed since. Nothing is written to the device; it restarts.
/// `None`: no write is open.
pub fn settle(
    order: &Order<'_>,
    keys: Left<'_>,
    device: &mut dyn Device,
    log: &dyn Log,
    watch: &mut dyn FnMut(Step),
) -> Result<Option<Settled>, Failure> {
    let mut bench = Bench { order, device, log, watch, safety: Safety::Unknown };
    bench.step(Step::Read);
    let seen = bench.device.identify().map_err(|e| bench.refuse(e, None, None))?;
    let id = order.recipe.registration_id(&seen.identity).map_err(|e| bench.refuse(e, Some(&seen), None))?;
    let standing = log.standing(&id).map_err(|e| bench.refuse(e, Some(&seen), Some(&id)))?;
    let Some(open) = standing.open else { return Ok(None) };
    if !open.is_of(&seen.identity) {
        // The intent says nothing of this one.
        bench.safety = Safety::Untouched;
        return Err(bench.refuse(NotSettled::OtherBoard(open.seq), Some(&seen), Some(&id)));
    }
    let retired = log.retired(&id, &seen.identity).map_err(|e| bench.refuse(e, Some(&seen), Some(&id)))?;
    if let Some(retirement) = retired {
        return Err(bench.refuse(retirement, Some(&seen), Some(&id)));
    }
    if seen.state == DeviceState::Empty {
        // It holds nothing, so nothing of that set.
        let record = bench.settle_as_not_written(&seen, open.seq, &id)?;
        return Ok(Some(Settled::Old { record }));
    }
    bench.step(Step::Derive);
    let derived = |bench: &Bench<'_, '_>, vault: &dyn Vault| {
        let key = vault.derive(&id).map_err(|e| bench.refuse(e, Some(&seen), Some(&id)))?;
        Ok(CredentialSet::new(id.clone(), order.key.scope.clone(), order.endpoint.clone(), key))
    };
    let new = derived(&bench, keys.new)?;
    if new.key().fingerprint() != open.fingerprint {
        return Err(bench.refuse(Code::OtherKey, Some(&seen), Some(&id)));
    }
    let old = keys.old.map(|vault| derived(&bench, vault)).transpose()?;
    let old = old.filter(|old| standing.proved == Some(old.key().fingerprint()));
    let sets: Vec<&CredentialSet> = std::iter::once(&new).chain(&old).collect();
    let (failure, holds) = match bench.proven_after_restart(&seen, &sets) {
        // Also where the key that was to be written is the one that it held before.
        Ok(Some(0)) => (None, Holds::New),
        Ok(Some(_)) => (Some(Code::NotWritten), Holds::Old),
        Ok(None) => {
            let fault = Fault::new(Code::NotProven, Holds::Unknown);
            return Err(bench.fail(fault, &seen, open.seq, &new, Event::Resolve));
        }
        Err(fault) => return Err(bench.fail(fault, &seen, open.seq, &new, Event::Resolve)),
    };
    bench.step(Step::Record);
    let outcome = Outcome { intent: open.seq, id: id.clone(), failure, holds };
    let receipt = bench
        .append(Event::Resolve(outcome))
        .map_err(|e| unrecorded(e, Safety::Unknown, Some(&seen), Some(&id)))?;
    Ok(Some(match holds {
        Holds::New => {
            Settled::New(Pass { id, identity: seen.identity, intent: open.seq, record: receipt.seq })
        }
        _ => Settled::Old { record: receipt.seq },
    }))
}
