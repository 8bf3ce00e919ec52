//! A batch from the request to its end: what is asked of the second person, opening, going on, closing.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use keystation_audit::{AppendError, BatchRefusal};
use keystation_core::key::{GroupKeyInfo, KeyLabel};
use keystation_core::order::OrderId;
use keystation_core::record::{BatchTerms, Event, ListHashes, RepairEvent, Seq};
use keystation_core::repair::RekeyReason;

use super::batch::{ApprovedProfile, Batch, batch, batches, keep, list_of, next_ids};
use super::error::RekeyError;
use super::list::BatchList;
use super::list_tree::ListTree;
use super::reconcile::{Reconciliation, reconcile};
use super::working::BatchWork;
use crate::config::Profile;
use crate::custodies::Custodies;
use crate::error::StationError;
use crate::people::{Action, Permit, Request};
use crate::station::{Station, hex};

/// Which devices a batch is for.
#[derive(Debug, Clone)]
pub enum BatchDevices {
    /// Those of a list.
    List {
        /// Its bytes.
        bytes: Vec<u8>,
        /// Where it came from, for errors.
        file: PathBuf,
    },
    /// So many, whichever are plugged in.
    Count(u64),
    /// A campaign: all in use that hang on this group key when the batch is opened.
    Under(KeyLabel),
}

/// What a batch is to be: what two people agree to.
#[derive(Debug, Clone)]
pub struct BatchAsked {
    list: Option<BatchList>,
    /// What the list is known by.
    hashes: Option<ListHashes>,
    devices: u64,
    from: Option<KeyLabel>,
    key: GroupKeyInfo,
    /// As the record names it: its file name in the station's folder, or the path to it.
    profile: String,
    approved: ApprovedProfile,
    reason: RekeyReason,
    same_key: bool,
}

impl BatchAsked {
    /// So many devices.
    #[must_use]
    pub const fn devices(&self) -> u64 {
        self.devices
    }

    /// What the second person has to approve: this list, so many devices, under this group key, ID scope, endpoint and profile, for
    /// this reason.
    #[must_use]
    pub fn request(&self) -> Request {
        let list = self.list.as_ref().map_or_else(|| "any".to_owned(), |list| hex(&list.digest()));
        let mut subject = format!("{list} {} {}", self.devices, target(&self.key, &self.approved));
        if let Some(from) = &self.from {
            subject += &format!(" from {from}");
        }
        if self.same_key {
            subject += " same-key";
        }
        Request { action: Action::Rekey, subject, reason: self.reason.to_string() }
    }

    /// Whether `batch` is what is asked for. A campaign is known by the key that is left: its devices become fewer.
    fn is(&self, batch: &Batch) -> bool {
        let devices = match &self.from {
            Some(_) => true,
            None => batch.devices == self.devices && batch.list == self.hashes,
        };
        devices
            && batch.from == self.from
            && (&batch.key, batch.check_value) == (&self.key.label, self.key.check_value)
            && batch.reason == self.reason
            && batch.same_key == self.same_key
            && batch.profile == self.profile
            && batch.approved.as_ref() == Some(&self.approved)
    }
}

/// Under what a key is written, as two people agree to it.
pub(super) fn target(key: &GroupKeyInfo, profile: &ApprovedProfile) -> String {
    let GroupKeyInfo { label, check_value, .. } = key;
    let ApprovedProfile { sha256, endpoint, scope } = profile;
    format!("{label} {check_value} {scope} {endpoint} profile {}", hex(sha256))
}

impl ApprovedProfile {
    /// What is asked for of a profile, under this group key.
    pub(super) fn of(profile: &Profile, key: &GroupKeyInfo) -> Self {
        Self { sha256: profile.sha256, endpoint: profile.endpoint.to_string(), scope: key.scope.to_string() }
    }
}

impl Station {
    /// What is asked of the second person before a batch is opened. Only for whoever may ask.
    pub fn ask_batch(
        &self,
        devices: &BatchDevices,
        profile: &Profile,
        reason: RekeyReason,
        same_key: bool,
    ) -> Result<BatchAsked, StationError> {
        let actor = self.may_ask(Action::Rekey)?;
        let asked = self.batch_asked(devices, profile, reason, same_key);
        self.done_or_told_by(Action::Rekey, &actor, profile.group_key.as_str(), asked)
    }

    fn batch_asked(
        &self,
        devices: &BatchDevices,
        profile: &Profile,
        reason: RekeyReason,
        same_key: bool,
    ) -> Result<BatchAsked, StationError> {
        let reader = self.reader()?;
        let (key, _) = Custodies::active(&reader, &profile.group_key)?;
        let mut asked = BatchAsked {
            list: None,
            hashes: None,
            devices: 0,
            from: None,
            approved: ApprovedProfile::of(profile, &key),
            key,
            profile: self.profile_name(&profile.path),
            reason,
            same_key,
        };
        match devices {
            BatchDevices::List { bytes, file } => {
                asked.list = Some(BatchList::read(bytes, file).map_err(RekeyError::from)?);
            }
            BatchDevices::Count(count @ 1..=1_000_000) => asked.devices = *count,
            BatchDevices::Count(count) => return Err(RekeyError::Count(*count).into()),
            BatchDevices::Under(from) => {
                if *from == asked.key.label {
                    return Err(RekeyError::NoMove(from.clone()).into());
                }
                asked.from = Some(from.clone());
                if self.same_batch(&asked)?.is_none() {
                    // Nobody waits for one that is out.
                    let under = reader.in_use_under(from, BatchList::LIMIT)?;
                    if under.is_empty() {
                        return Err(RekeyError::NoDevices(from.clone()).into());
                    }
                    let text = BatchList::text_of(&under);
                    let list = BatchList::read(text.as_bytes(), Path::new("the devices under the key"));
                    asked.list = Some(list.map_err(RekeyError::from)?);
                }
            }
        }
        if let Some(list) = &asked.list {
            asked.devices = list.entries().len() as u64;
            asked.hashes = Some(ListHashes { sha256: list.digest(), root: ListTree::of(list).root() });
        }
        Ok(asked)
    }

    /// The open batch that was asked for before: the same devices, key and reason. It goes on, and needs no second approval.
    pub fn same_batch(&self, asked: &BatchAsked) -> Result<Option<Batch>, StationError> {
        let open = batches(&self.reader()?)?;
        Ok(open.into_iter().find(|batch| batch.closed.is_none() && asked.is(batch)))
    }

    /// Opens a batch. Permit: [`Action::Rekey`], approved for this.
    pub fn open_batch(&self, permit: &Permit, asked: &BatchAsked) -> Result<Batch, StationError> {
        self.honour_request(permit, &asked.request())?;
        self.done_or_told(permit, asked.key.label.as_str(), self.batch_opened(permit, asked))
    }

    fn batch_opened(&self, permit: &Permit, asked: &BatchAsked) -> Result<Batch, StationError> {
        let _alone = self.with_batches();
        let reader = self.reader()?;
        let mut ids = next_ids(&reader)?;
        let id = loop {
            let id = ids.next().expect("there is always another number")?;
            match &asked.list {
                // A list that lies there under a name that no record has is of before: it is left as it is.
                Some(list) if !keep(self.data(), &id, list)? => {}
                _ => break id,
            }
        };
        let terms = BatchTerms {
            reason: asked.reason.clone(),
            same_key: asked.same_key,
            list: asked.hashes,
            devices: asked.devices,
            key: asked.key.clone(),
            endpoint: asked.approved.endpoint.clone(),
            profile: asked.profile.clone(),
            profile_sha256: asked.approved.sha256,
            from: asked.from.clone(),
            approver: permit.approver().to_owned(),
            before: reader.newest("rekey.open")?.1,
        };
        let event = RepairEvent::Opened { batch: id.clone(), terms: Box::new(terms) };
        self.append_by(permit, Event::Repair(event))?;
        batch(&self.reader()?, &id)
    }

    fn profile_name(&self, path: &Path) -> String {
        let name = path.file_name().map(Path::new).filter(|name| self.data().profile(name) == path);
        name.unwrap_or(path).display().to_string()
    }

    /// An open batch, as whoever works on it needs it: with its list, and with what the log says of its devices.
    pub fn work_on(&self, id: &OrderId) -> Result<Arc<BatchWork>, StationError> {
        let actor = self.may_ask(Action::ContinueRekey)?;
        let work = self.batch_work(id).map(Arc::new);
        self.done_or_told_by(Action::ContinueRekey, &actor, id.as_str(), work)
    }

    fn batch_work(&self, id: &OrderId) -> Result<BatchWork, StationError> {
        let reader = self.reader()?;
        let batch = open(batch(&reader, id)?)?;
        let profile = Profile::read(&self.data().profile(Path::new(&batch.profile)))?;
        let known = reader.known_key(&profile.group_key)?;
        let expected = format!("{} ({})", batch.key, batch.check_value);
        let found = known.as_ref().map_or_else(
            || format!("{}, which is not here", profile.group_key),
            |known| format!("{} ({})", known.info.label, known.info.check_value),
        );
        if found != expected {
            return Err(RekeyError::OtherKey { batch: batch.id, expected, found }.into());
        }
        let found = known.map(|known| ApprovedProfile::of(&profile, &known.info));
        match &batch.approved {
            None => return Err(RekeyError::Older(batch.id).into()),
            approved if *approved == found => {}
            Some(_) => {
                let file = profile.path;
                return Err(RekeyError::OtherProfile { what: format!("the batch {}", batch.id), file }.into());
            }
        }
        let list = list_of(self.data(), &batch)?;
        let so_far = reconcile(&reader, self.data(), &batch)?;
        Ok(BatchWork::new(self.clone(), batch, list, profile, &so_far))
    }

    /// Closes a batch for good, with what came of its devices. Nobody may be at work on it. Permit: [`Action::CloseRekey`].
    pub fn close_batch(&self, permit: &Permit, id: &OrderId) -> Result<(Seq, Reconciliation), StationError> {
        self.honour(permit, Action::CloseRekey)?;
        self.done_or_told(permit, id.as_str(), self.batch_closed(permit, id))
    }

    fn batch_closed(&self, permit: &Permit, id: &OrderId) -> Result<(Seq, Reconciliation), StationError> {
        let _alone = self.with_batches();
        let mut tries = 0;
        let record = loop {
            tries += 1;
            match self.append_by(permit, self.closing(id)?) {
                // A device that was in work was done since it was counted: it is counted again.
                Err(StationError::Append(AppendError::Batch(BatchRefusal::Counts(_)))) if tries < 3 => {}
                closed => break closed?,
            }
        };
        // Under a checkpoint that covers the record of the end.
        let reader = self.reader()?;
        Ok((record, reconcile(&reader, self.data(), &batch(&reader, id)?)?))
    }
}

impl Station {
    /// The record by which a batch would end now.
    fn closing(&self, id: &OrderId) -> Result<Event, StationError> {
        let reader = self.reader()?;
        let closing = open(batch(&reader, id)?)?;
        Ok(Event::Repair(RepairEvent::Closed {
            batch: id.clone(),
            opened: closing.opened,
            counts: reconcile(&reader, self.data(), &closing)?.counts,
            before: reader.newest("rekey.close")?.1,
        }))
    }
}

fn open(batch: Batch) -> Result<Batch, RekeyError> {
    match batch.closed {
        Some(ended) => Err(RekeyError::Closed { batch: batch.id, record: ended.record }),
        None => Ok(batch),
    }
}
