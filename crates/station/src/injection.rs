//! One device on one port: the flow of `core` on the station's vault, port and log.

use std::error::Error;
use std::path::{Path, PathBuf};

use keystation_core::failure::{Code, Failure, Safety};
use keystation_core::flow::{self, Admission, Order, Pass, Step};
use keystation_core::key::KeyLabel;
use keystation_core::record::{Entry, Event};
use keystation_device::driver::SmpDevice;
use keystation_device::ports::{self, PortInfo, SerialPort};

use crate::config::Profile;
use crate::error::StationError;
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
    /// Serial port.
    pub port: PathBuf,
    /// Product profile.
    pub profile: Profile,
    /// Work order, or empty.
    pub job: String,
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
        let may = match self.session() {
            SessionState::Open(session) => {
                !session.must_change_pin && may_ever(Action::Inject, session.roles)
            }
            _ => false,
        };
        may && self.custody_of(key).map_or(true, |kind| self.is_open(kind))
    }

    /// Opens the port. That it cannot be opened is recorded.
    pub fn open_port(&self, permit: &Permit, work: &Work) -> Result<SerialPort, Failure> {
        self.honour(permit, Action::Inject).map_err(not_permitted)?;
        ports::open_at(&work.port, work.profile.baud).map_err(|e| {
            self.refused(permit, work, Code::PortUnavailable, work.port.display().to_string(), e)
        })
    }

    /// Gives the device on an open port its key, as the person of `permit`, whoever takes over meanwhile. Whatever happens is in
    /// the log when this returns.
    pub fn inject(
        &self,
        permit: &Permit,
        work: &Work,
        port: &mut SerialPort,
        watch: &mut dyn FnMut(Step),
    ) -> Result<Pass, Failure> {
        let _in_work = self.busy();
        self.honour(permit, Action::Inject).map_err(not_permitted)?;
        let place = PortInfo::of(&work.port)
            .map_err(|e| {
                self.refused(permit, work, Code::PortUnavailable, work.port.display().to_string(), e)
            })?
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
        let open = self.order_of(work).map_err(|e| {
            let code = if matches!(e, StationError::Read(_)) { Code::LogFailed } else { Code::NoOrder };
            self.refused(permit, work, code, place.clone(), e)
        })?;
        let order = Order {
            recipe: &work.profile.recipe,
            key: key.info(),
            endpoint: &work.profile.endpoint,
            profile: &work.profile.title,
            job: &work.job,
            port: &place,
            actor: permit.actor(),
            nonces,
            overwrite: None,
            admission: open.as_ref().map_or(&flow::AnyDevice as &dyn Admission, |open| open),
        };
        let injected = flow::inject(&order, &key, &mut SmpDevice::new(port), self.journal(), watch);
        if let Err(Failure { code: Code::Collision, .. }) = &injected
            && let Err(error) = self.lock_custody()
        {
            tracing::error!(%error, "the custody was locked after two devices had one key, without a record");
        }
        injected
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
    fn refused(
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
fn not_permitted(denied: Denied) -> Failure {
    let code = if denied.cause.is_some() { Code::LogFailed } else { Code::NotPermitted };
    let record = denied.record;
    Failure { record, cause: Some(Box::new(denied)), ..Failure::new(code, Safety::Untouched) }
}
