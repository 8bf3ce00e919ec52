//! What two people agreed to, while somebody types what it takes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use keystation::StationError;
use keystation::group_keys::{KeyPermit, NotDone};
use keystation_core::key::KeyLabel;

use crate::desk::LineDesk;
use crate::dto::{ImportOutcome, Imported};
use crate::problem::Problem;

/// A permission while a secret is asked for: each attempt takes it, and one whose secret was mistyped gives it back.
#[derive(Clone)]
pub(super) struct Held(Arc<Mutex<Option<KeyPermit>>>);

impl Held {
    pub(super) fn new(permit: KeyPermit) -> Self {
        Self(Arc::new(Mutex::new(Some(permit))))
    }

    fn lock(&self) -> MutexGuard<'_, Option<KeyPermit>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn look<T>(&self, look: impl FnOnce(&KeyPermit) -> T) -> T {
        look(self.lock().as_ref().expect("what only looks does not take it"))
    }

    /// Nobody typed what was asked for: that is a record, about `label`.
    pub(super) async fn given_up(&self, desk: &LineDesk, label: KeyLabel) -> Result<Imported, Problem> {
        let permit = self.lock().take();
        desk.at_station(move |station| {
            permit.map_or(Ok(()), |permit| station.given_up(permit, label.as_str()))
        })
        .await?;
        Ok(Imported { outcome: ImportOutcome::Cancelled, check_value: String::new() })
    }

    pub(super) fn spend<T>(
        &self,
        act: impl FnOnce(KeyPermit) -> Result<T, Box<NotDone>>,
    ) -> Result<T, StationError> {
        let mut held = self.lock();
        let permit = held.take().expect("nothing is asked for once more but what gave it back");
        act(permit).map_err(|mut not_done| {
            *held = not_done.again.take();
            not_done.into()
        })
    }
}
