//! Where the devices of a batch stand: which of them live under which group key, and which are out. Nobody waits for those.

use std::collections::BTreeMap;

use keystation_audit::{Dying, Reader};
use keystation_core::flow::Retired;
use keystation_core::key::KeyLabel;
use keystation_core::registration::{IdRule, RegistrationId};

use super::batch::Batch;
use super::reconcile::Row;
use crate::error::StationError;

/// Where a device of a batch stands now, whatever came of it in the batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// In use, under the key that a campaign leaves.
    OldKey,
    /// In use, under the key of the batch.
    NewKey,
    /// In use, under another one.
    OtherKey,
    /// It proved no key here.
    NoKey,
    /// Scrapped.
    Scrapped,
    /// Revoked.
    Revoked,
    /// Another board took its place.
    Replaced,
}

impl Standing {
    /// The word in the CSV and in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OldKey => "old-key",
            Self::NewKey => "new-key",
            Self::OtherKey => "other-key",
            Self::NoKey => "no-key",
            Self::Scrapped => "scrapped",
            Self::Revoked => "revoked",
            Self::Replaced => "replaced",
        }
    }

    /// Whether it is out: it gets no key any more.
    #[must_use]
    pub const fn is_out(self) -> bool {
        matches!(self, Self::Scrapped | Self::Revoked | Self::Replaced)
    }

    const fn out(how: Retired) -> Self {
        match how {
            Retired::Scrapped => Self::Scrapped,
            Retired::Revoked => Self::Revoked,
            Retired::Replaced => Self::Replaced,
        }
    }

    /// That of a row of `batch`; none of a place that no device has taken, and of what the log does not know.
    pub(super) fn of(reader: &Reader, batch: &Batch, row: &Row) -> Result<Option<Self>, StationError> {
        let Ok(id) = RegistrationId::new(&row.id, IdRule::Punctuation) else {
            return Self::of_board(reader, batch, &format!("{} {}", row.mac, row.serial));
        };
        Self::of_id(reader, batch, &id).map(Some)
    }

    /// A list may know a device by its board alone; and scrap may be a board that was never begun.
    fn of_board(reader: &Reader, batch: &Batch, name: &str) -> Result<Option<Self>, StationError> {
        match &reader.known_devices(name)?[..] {
            [board] => Self::of_id(reader, batch, &board.id).map(Some),
            [] => Ok((!reader.scraps_in_force(name)?.is_empty()).then_some(Self::Scrapped)),
            _ => Ok(None),
        }
    }

    fn of_id(reader: &Reader, batch: &Batch, id: &RegistrationId) -> Result<Self, StationError> {
        Ok(match reader.hangs_on(id)? {
            Some((_, Some(how))) => Self::out(how),
            Some((label, None)) if label == batch.key => Self::NewKey,
            Some((label, None)) if batch.from.as_ref() == Some(&label) => Self::OldKey,
            Some(_) => Self::OtherKey,
            None => reader.retired(id)?.map_or(Self::NoKey, |out| Self::out(out.what)),
        })
    }
}

/// How many of these rows stand where.
pub(super) fn counted<'a>(rows: impl IntoIterator<Item = &'a Row>) -> BTreeMap<Standing, u64> {
    let mut standing = BTreeMap::new();
    for row in rows {
        if let Some(at) = row.standing {
            *standing.entry(at).or_default() += 1;
        }
    }
    standing
}

/// How far a campaign is, of all devices that hang on one of its two keys: those of the batch, and those that were keyed since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Campaign {
    /// The key that is left.
    pub from: KeyLabel,
    /// What dies with it.
    pub old: Dying,
    /// What dies with the key that its devices move to.
    pub new: Dying,
}

impl Campaign {
    /// Devices under one of the two keys that are out: they die as well, and nobody waits for them.
    #[must_use]
    pub const fn out(&self) -> u64 {
        self.old.out() + self.new.out()
    }

    pub(super) fn of(reader: &Reader, batch: &Batch) -> Result<Option<Self>, StationError> {
        let Some(from) = &batch.from else { return Ok(None) };
        Ok(Some(Self { from: from.clone(), old: reader.dying(from)?, new: reader.dying(&batch.key)? }))
    }
}
