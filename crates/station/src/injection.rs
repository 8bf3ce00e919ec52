//! One device on one port: the flow of `core` on the station's vault, port and log.

use std::error::Error;
use std::path::Path;

use keystation_core::credential::Overwrite;
use keystation_core::failure::{Code, Failure, Safety};
use keystation_core::flow::{self, Admission, AnyDevice, DeviceError, NotAdmitted, Order, Pass, Step};
use keystation_core::identity::Identity;
use keystation_core::key::KeyLabel;
use keystation_core::record::{Entry, Event, ListPlace};
use keystation_core::registration::RegistrationId;
use keystation_device::place::Place;
use keystation_device::placed::Placed;
use keystation_device::ports::{self, PortInfo, SerialPort};

use crate::config::Profile;
use crate::error::StationError;
use crate::line::{Label, LabelRule};
use crate::orders::{OpenOrder, OrderError};
use crate::people::{Action, Denied, Permit, SessionState, may_ever};
use crate::random;
use crate::station::Station;

/// Why no new job is begun.
#[derive(Debug, thiserror::Error)]
#[error("`keystation audit anchor status` says since when")]
struct NotSecured;

/// What a device on a port becomes.
#[derive(Debug, Clone)]
pub struct Work {
    /// Where its port is.
    pub place: Place,
    /// Product profile.
    pub profile: Profile,
    /// Work order, or empty.
    pub job: String,
}

/// Which device is meant, beside what the work order says.
#[derive(Debug, Clone, Copy, Default)]
pub struct Meant<'a> {
    /// The label that was scanned for it; a profile that asks for one refuses the device without.
    pub label: Option<&'a Label>,
    /// Who failed a moment ago: a retry is for the same device.
    pub before: Option<&'a Identity>,
    /// That device had acknowledged its set: in a retry it must have it.
    pub acknowledged: bool,
}

/// What repair brings to an injection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Repair<'a> {
    /// The permission to overwrite.
    pub(crate) overwrite: &'a Overwrite,
    /// Which devices are meant.
    pub(crate) admission: &'a dyn Admission,
}

/// A retry is for the device that failed. Another one in its place is refused: nobody would see that the first one failed.
#[derive(Debug, Clone, Copy)]
struct SameDevice<'a> {
    before: Option<&'a Identity>,
    inner: &'a dyn Admission,
}

impl Admission for SameDevice<'_> {
    fn admit(&self, identity: &Identity, id: &RegistrationId) -> Result<(), NotAdmitted> {
        match self.before {
            Some(before) if before != identity => Err(NotAdmitted { code: Code::Swapped, cause: None }),
            _ => self.inner.admit(identity, id),
        }
    }

    fn place(&self, identity: &Identity, id: &RegistrationId) -> Option<ListPlace> {
        self.inner.place(identity, id)
    }
}

impl Station {
    /// Whether whoever is signed in may give the next device its key: [`Action::Inject`], asked for each device. A refusal is a
    /// record, and the device is not touched.
    pub fn may_inject(&self) -> Result<Permit, Failure> {
        self.permit(Action::Inject).map_err(not_permitted)
    }

    /// Whether a device that is plugged in now would be begun, as far as people and custody are concerned. Asks without a record:
    /// while the screen is locked a device only waits. What is wrong with the key itself the device is told.
    #[must_use]
    pub fn is_ready_for(&self, key: &KeyLabel) -> bool {
        self.is_ready_to(Action::Inject, key)
    }

    /// The same for another action that touches devices.
    pub(crate) fn is_ready_to(&self, action: Action, key: &KeyLabel) -> bool {
        self.is_open_to(action) && self.custody_of(key).map_or(true, |kind| self.is_open(kind))
    }

    /// Whether somebody is signed in who may do this, as far as their roles say. Asks without a record and gives no permit: it is for
    /// what the station does by itself, so that nobody is put down as one who asked for it.
    #[must_use]
    pub fn is_open_to(&self, action: Action) -> bool {
        match self.session() {
            SessionState::Open(session) => !session.must_change_pin && may_ever(action, session.roles),
            _ => false,
        }
    }

    /// Opens the port, to give its device a key or to look at it. That it cannot be opened is recorded.
    pub fn open_port(&self, permit: &Permit, work: &Work) -> Result<SerialPort, Failure> {
        let action = match permit.action() {
            touching @ (Action::Look | Action::Rekey | Action::ContinueRekey) => touching,
            _ => Action::Inject,
        };
        self.honour(permit, action).map_err(not_permitted)?;
        ports::open_in(&work.place, work.profile.baud)
            .map_err(|e| self.refused(permit, work, Code::PortUnavailable, work.place.to_string(), e))
    }

    /// Gives the device on an open port its key, as the person of `permit`, whoever takes over meanwhile. Whatever happens is in
    /// the log when this returns.
    pub fn inject(
        &self,
        permit: &Permit,
        work: &Work,
        meant: Meant<'_>,
        port: &mut SerialPort,
        watch: &mut dyn FnMut(Step),
    ) -> Result<Pass, Failure> {
        self.honour(permit, Action::Inject).map_err(not_permitted)?;
        self.key_device(permit, work, meant, None, port, watch)
    }

    /// The same for whoever was let through: a first key by what the work order admits, or a re-key by what repair does.
    pub(crate) fn key_device(
        &self,
        permit: &Permit,
        work: &Work,
        meant: Meant<'_>,
        repair: Option<Repair<'_>>,
        port: &mut SerialPort,
        watch: &mut dyn FnMut(Step),
    ) -> Result<Pass, Failure> {
        let in_work = self.busy();
        let place = PortInfo::of(port.path())
            .map_err(|e| self.refused(permit, work, Code::PortUnavailable, work.place.to_string(), e))?
            .label();
        let key = self.usable_key(&work.profile.group_key).map_err(|e| {
            let code = match e {
                StationError::Locked => Code::VaultLocked,
                StationError::KeyInactive { .. } => Code::KeyInactive,
                StationError::Read(_) => Code::LogFailed,
                _ => Code::VaultFailed,
            };
            self.refused(permit, work, code, place.clone(), e)
        })?;
        let nonces =
            random::nonces().map_err(|e| self.refused(permit, work, Code::VaultFailed, place.clone(), e))?;
        match self.may_work_on(&work.job) {
            Ok(true) => {}
            Ok(false) => return Err(self.refused(permit, work, Code::Unsecured, place, NotSecured)),
            Err(e) => return Err(self.refused(permit, work, Code::LogFailed, place, e)),
        }
        let open = match repair {
            // A work order is about new devices, and a label about what they are called.
            Some(_) => None,
            None => self.order_of(work).map_err(|e| {
                let code = if matches!(e, StationError::Read(_)) { Code::LogFailed } else { Code::NoOrder };
                self.refused(permit, work, code, place.clone(), e)
            })?,
        };
        let open: &dyn Admission = open.as_ref().map_or(&AnyDevice, |open| open);
        let label = LabelRule { scanned: meant.label, matching: work.profile.label, inner: open };
        let inner = repair.map_or(&label as &dyn Admission, |repair| repair.admission);
        let order = Order {
            recipe: &work.profile.recipe,
            key: key.info(),
            endpoint: &work.profile.endpoint,
            profile: &work.profile.title,
            profile_sha256: work.profile.sha256,
            job: &work.job,
            port: &place,
            actor: permit.actor(),
            nonces,
            acknowledged: meant.acknowledged,
            overwrite: repair.map(|repair| repair.overwrite),
            admission: &SameDevice { before: meant.before, inner },
        };
        let mut device = Placed::new(port, &work.place)
            .map_err(|e: DeviceError| self.refused(permit, work, Code::Moved, order.port.to_owned(), e))?;
        let mut watch = |step| {
            if step > Step::Read {
                in_work.known();
            }
            watch(step);
        };
        let result = flow::inject(&order, &key, &mut device, &self.in_work().log(self.journal()), &mut watch);
        if result.is_ok() {
            in_work.known();
        }
        if let Err(Failure { code: Code::Collision, .. }) = &result
            && let Err(error) = self.lock_custody()
        {
            tracing::error!(%error, "the custody was locked after two devices had one key, without a record");
        }
        result
    }

    /// The work order that the device is made under, which names the same profile.
    fn order_of(&self, work: &Work) -> Result<Option<OpenOrder>, StationError> {
        let open = self.order_for(&work.job)?;
        match open {
            Some(open) if work.profile.path != self.data().profile(Path::new(&open.profile)) => {
                Err(OrderError::OtherProfile { order: open.id, profile: open.profile }.into())
            }
            open => Ok(open),
        }
    }

    /// Nothing was sent to the device, and the log says so.
    pub(crate) fn refused(
        &self,
        permit: &Permit,
        work: &Work,
        code: Code,
        port: String,
        cause: impl Error + Send + Sync + 'static,
    ) -> Failure {
        let event = Event::Refuse { code, port, identity: None, id: None, job: work.job.clone() };
        match self.journal().append(&Entry { actor: permit.actor().clone(), event }) {
            Ok(record) => Failure {
                record: Some(record),
                cause: Some(Box::new(cause)),
                ..Failure::new(code, Safety::Untouched)
            },
            Err(e) => {
                Failure { cause: Some(Box::new(e)), ..Failure::new(Code::LogFailed, Safety::Untouched) }
            }
        }
    }
}

/// What a slot says to somebody who may not inject.
pub(crate) fn not_permitted(denied: Denied) -> Failure {
    let code = if denied.cause.is_some() { Code::LogFailed } else { Code::NotPermitted };
    let record = denied.record;
    Failure { record, cause: Some(Box::new(denied)), ..Failure::new(code, Safety::Untouched) }
}
