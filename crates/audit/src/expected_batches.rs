//! What the table of batches should hold, and whether each record of a batch follows from those before it, told by the records that go
//! by. Remembers the devices of batches that are open.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::convert::Infallible;
use std::hash::{BuildHasher, RandomState};

use keystation_core::record::Seq;
use rusqlite::Connection;

use crate::batch::{Batch, BatchStep, Terms};
use crate::batch_rules::{
    BatchRefusal, Places, judge_closing, judge_effect, judge_member, judge_opening, judge_prior, needs_batch,
};
use crate::projection::{Holds, Mode, Outcome, Sighting, Step};
use crate::record::Record;
use crate::said;
use crate::work_order::Change;

#[derive(Debug, Default)]
pub(crate) struct ExpectedBatches {
    hasher: RandomState,
    /// As many as a plant has, by ID.
    batches: BTreeMap<String, Known>,
    /// IDs of work orders: no ID is given twice.
    orders: BTreeSet<String>,
    /// Intents of open batches that nobody proved yet: the batch, and a hash under a random key for the device.
    intents: HashMap<Seq, (String, u64)>,
    /// The newest `rekey.open` and `rekey.close`.
    newest: [Option<Seq>; 2],
}

#[derive(Debug)]
struct Known {
    batch: Batch,
    terms: Terms,
    devices: Devices,
}

/// Devices of a batch that is open: hashes stand for their registration IDs.
#[derive(Debug, Default)]
struct Devices {
    hasher: RandomState,
    /// Whether each proved its key.
    begun: HashMap<u64, bool>,
    /// Who has which row.
    rows: HashMap<i64, u64>,
}

impl Places for Devices {
    type Error = Infallible;

    fn has_begun(&self, rid: &str) -> Result<bool, Infallible> {
        Ok(self.begun.contains_key(&self.hasher.hash_one(rid)))
    }

    fn has_done(&self, rid: &str) -> Result<bool, Infallible> {
        Ok(self.begun.get(&self.hasher.hash_one(rid)) == Some(&true))
    }

    fn is_taken(&self, row: i64, rid: &str) -> Result<bool, Infallible> {
        Ok(self.rows.get(&row).is_some_and(|by| *by != self.hasher.hash_one(rid)))
    }

    fn done(&self) -> Result<u64, Infallible> {
        Ok(self.begun.values().filter(|done| **done).count() as u64)
    }
}

impl ExpectedBatches {
    /// Whether the station must have refused the next record, by what went by before it.
    pub(crate) fn judge(&mut self, record: &Record<'_>, step: &Step<'_>) -> Option<BatchRefusal> {
        match step {
            Step::Sighting(sighting) if sighting.mode != Mode::Refused => self.judge_intent(record).err(),
            Step::Batch(step) => {
                let refused = self.judge_batch(record, step).err();
                // Also one that is refused is what the next one has to name: only that is wrong then which is.
                self.newest[usize::from(matches!(step, BatchStep::Closed(_)))] = Some(record.seq());
                if let BatchStep::Opened(batch) = step
                    && !self.batches.contains_key(batch.id.as_str())
                {
                    let devices = Devices { hasher: self.hasher.clone(), ..Devices::default() };
                    let known = Known { batch: (**batch).clone(), terms: Terms::of(record), devices };
                    self.batches.insert(batch.id.to_string(), known);
                }
                refused
            }
            Step::Order(step) if matches!(step.change, Change::Created { .. }) => {
                self.orders.insert(step.order.to_string());
                let known = self.batches.contains_key(step.order.as_str());
                known.then(|| BatchRefusal::Known(step.order.clone()))
            }
            _ => None,
        }
    }

    fn judge_intent(&self, intent: &Record<'_>) -> Result<(), BatchRefusal> {
        judge_effect(intent)?;
        let job = intent.text("job").unwrap_or_default();
        match self.batches.get(&*job) {
            Some(Known { batch, terms, devices }) => {
                let Ok(judged) = judge_member(intent, batch, terms, devices);
                judged
            }
            None if !job.is_empty() && needs_batch(intent) => Err(BatchRefusal::Unknown(job.into_owned())),
            None => Ok(()),
        }
    }

    fn judge_batch(&self, record: &Record<'_>, step: &BatchStep) -> Result<(), BatchRefusal> {
        match step {
            BatchStep::Opened(batch) => {
                let id = batch.id.as_str();
                let known = self.batches.contains_key(id) || self.orders.contains(id);
                judge_opening(record, batch, known, self.newest[0])
            }
            BatchStep::Closed(closing) => {
                let unknown = || BatchRefusal::Unknown(closing.id.to_string());
                let Known { batch, devices, .. } =
                    self.batches.get(closing.id.as_str()).ok_or_else(unknown)?;
                let Ok(judged) = judge_closing(closing, batch, devices);
                judged?;
                judge_prior(record, self.newest[1])
            }
        }
    }

    pub(crate) fn add_sighting(&mut self, sighting: &Sighting<'_>) {
        if sighting.mode != Mode::Rekey {
            return;
        }
        let Some(Known { batch, devices, .. }) = self.batches.get_mut(&*sighting.job) else { return };
        if batch.closed.is_some() {
            return;
        }
        let device = self.hasher.hash_one(&*sighting.rid);
        devices.begun.entry(device).or_insert_with(|| {
            batch.begun += 1;
            false
        });
        if sighting.place >= 0 {
            devices.rows.entry(sighting.place).or_insert(device);
        }
        self.intents.insert(sighting.seq, (sighting.job.to_string(), device));
    }

    pub(crate) fn add_outcome(&mut self, outcome: &Outcome<'_>) {
        if outcome.holds != Holds::New {
            return;
        }
        let Some((job, device)) = self.intents.remove(&outcome.intent) else { return };
        if let Some(done) = self.batches.get_mut(&job).and_then(|known| known.devices.begun.get_mut(&device))
        {
            *done = true;
        }
    }

    pub(crate) fn add(&mut self, step: &BatchStep) {
        match step {
            BatchStep::Opened(_) => {}
            BatchStep::Closed(closing) => {
                let known = self.batches.get_mut(closing.id.as_str());
                let open =
                    |known: &&mut Known| known.batch.opened == closing.opened && known.batch.closed.is_none();
                if let Some(known) = known.filter(open) {
                    known.batch.closed = Some(closing.seq);
                    known.devices = Devices::default();
                    self.intents.retain(|_, (job, _)| job != closing.id.as_str());
                }
            }
        }
    }

    fn batches(&self) -> impl Iterator<Item = &Batch> {
        self.batches.values().map(|known| &known.batch)
    }

    /// Whether the table holds it.
    pub(crate) fn agree_with(&self, conn: &Connection) -> Result<bool, rusqlite::Error> {
        said::agree(self.batches(), Batch::all(conn))
    }
}

/// What the table should hold of what the records of batches alone say: their devices are counted in the table of those that were seen,
/// where a batch is open; those of one that is closed give nobody anything.
#[derive(Debug, Default)]
pub(crate) struct OpenedBatches(BTreeMap<String, Batch>);

impl OpenedBatches {
    pub(crate) fn add(&mut self, step: &BatchStep) {
        match step {
            BatchStep::Opened(batch) => {
                self.0.entry(batch.id.to_string()).or_insert_with(|| (**batch).clone());
            }
            BatchStep::Closed(closing) => {
                if let Some(batch) = self.0.get_mut(closing.id.as_str())
                    && batch.opened == closing.opened
                {
                    batch.closed.get_or_insert(closing.seq);
                }
            }
        }
    }

    /// Whether the table holds it.
    pub(crate) fn agree_with(&self, conn: &Connection) -> Result<bool, rusqlite::Error> {
        let stored = Batch::all(conn);
        for batch in stored.iter().flatten().filter(|batch| batch.closed.is_none()) {
            if batch.made(conn)?.0 != batch.begun {
                return Ok(false);
            }
        }
        let alone = |batch| Batch { begun: 0, ..batch };
        said::agree(self.0.values(), stored.map(|batches| batches.into_iter().map(alone).collect()))
    }
}
