//! A station's log as QA sees it.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;

use keystation_audit::{
    Counts, Denials, Figures, Finding, KeyStanding, Life, Names, Page, Progress, Query, ReadError, Reader,
    Secured, StoredRecord, Verdict,
};
use keystation_core::key::KeyLabel;
use keystation_core::record::Seq;
use keystation_core::registration::{IdRule, RegistrationId};

use crate::anchoring::{AnchorState, Anchoring};
use crate::config::StationConfig;
use crate::data_dir::DataDir;
use crate::error::StationError;
use crate::export;
use crate::overview::Overview;
use crate::people::PersonStanding;
use crate::station::paths;
use crate::training;

/// The log and the settings of a station, to be read: beside the program that writes, or without one. Takes no lock, and
/// opens neither vault nor port. Nothing here writes into the log; [`save_proof`](Self::save_proof) writes a file beside it.
#[derive(Clone)]
pub struct Archive {
    data: DataDir,
    config: Arc<StationConfig>,
}

impl Archive {
    /// Reads the settings. The log is not opened yet: QA comes when it is damaged, too.
    pub fn open(data: &DataDir) -> Result<Self, StationError> {
        if !data.settings().exists() {
            return Err(StationError::Missing(data.path().to_owned()));
        }
        Ok(Self::of(data.clone(), Arc::new(StationConfig::read(&data.settings())?)))
    }

    pub(crate) const fn of(data: DataDir, config: Arc<StationConfig>) -> Self {
        Self { data, config }
    }

    /// The directory of the station.
    #[must_use]
    pub const fn data(&self) -> &DataDir {
        &self.data
    }

    /// Its settings.
    #[must_use]
    pub fn config(&self) -> &StationConfig {
        &self.config
    }

    /// A read-only connection to the log.
    pub fn reader(&self) -> Result<Reader, StationError> {
        Ok(Reader::open(&paths(&self.data))?)
    }

    /// What is in sight of a log that cannot be read: its name.
    #[must_use]
    pub fn unread(&self) -> Overview {
        Overview {
            origin: self.config.origin.clone(),
            operator: String::new(),
            locked: true,
            keys: Vec::new(),
            records: 0,
            open_intents: Vec::new(),
            counts: Counts::default(),
            anchoring: Anchoring { state: AnchorState::None, secured: None, open: 0 },
            training: training::is_name(&self.config.origin),
            review_due: false,
            notices: Vec::new(),
            slots: self.config.slots.clone(),
        }
    }

    /// Holds the log against its checkpoint and its head, as a start of the station does: what is wrong at first sight.
    pub fn glance(&self) -> Result<(), StationError> {
        self.reader()?.snapshot()?;
        Ok(())
    }

    /// What is always in sight, as far as the log tells it: nobody is signed in, and nothing is unlocked.
    pub fn overview(&self) -> Result<Overview, StationError> {
        let reader = self.reader()?;
        Ok(Overview {
            records: reader.size()?,
            open_intents: reader.open_intents()?.into_iter().map(|open| (open.rid, open.seq)).collect(),
            counts: reader.counts()?,
            anchoring: Anchoring::of(&reader, &self.config)?,
            review_due: self.review_due(&reader)?,
            ..self.unread()
        })
    }

    /// The last `count` records, oldest first.
    pub fn recent(&self, count: u32) -> Result<Vec<StoredRecord>, StationError> {
        Ok(self.reader()?.recent(count)?)
    }

    /// Devices that were on a port, newest first: at most `limit` of those that fit the search, from the one after the
    /// record `before` on. [`Query::parse`] reads the search.
    pub fn search(&self, text: &str, before: Option<Seq>, limit: u32) -> Result<Page, StationError> {
        Ok(self.reader()?.search(&Query::parse(text)?, before, limit)?)
    }

    /// Who asked for what is not permitted, newest first: at most `limit` of those before record `before`.
    pub fn denials(&self, before: Option<Seq>, limit: u32) -> Result<Denials, StationError> {
        Ok(self.reader()?.denials(before, limit)?)
    }

    /// What came of the attempts from `from` on and before `until` (UTC, milliseconds since 1970), of one work order or all.
    pub fn figures(&self, from: i64, until: i64, job: Option<&str>) -> Result<Figures, StationError> {
        Ok(self.reader()?.figures(from, until, job)?)
    }

    /// Writes the proof file of a device into `exports/`, and tells its path.
    pub fn save_proof(&self, id: &RegistrationId) -> Result<PathBuf, StationError> {
        export::save_proof(&self.data, &self.reader()?, id)
    }

    /// Everything that the log has of a device.
    pub fn life(&self, id: &str) -> Result<(RegistrationId, Life), StationError> {
        let id = RegistrationId::new(id, IdRule::Punctuation).map_err(StationError::Id)?;
        match self.reader()?.life(&id)? {
            Some(life) => Ok((id, life)),
            None => Err(StationError::NoDevice(id)),
        }
    }

    /// Group keys, those that were destroyed too.
    pub fn group_keys(&self) -> Result<Vec<KeyStanding>, StationError> {
        Ok(self.reader()?.group_keys()?)
    }

    /// Devices that die with a key, as [`Station::devices_under`](crate::Station::devices_under) says.
    pub fn devices_under(
        &self,
        label: &KeyLabel,
        after: Option<Seq>,
        limit: u32,
    ) -> Result<Vec<(RegistrationId, Seq)>, StationError> {
        Ok(self.reader()?.devices_under(label, after, limit)?)
    }

    /// When record `seq` was made: UTC, RFC 3339; empty if there is no such record.
    pub fn time_of(&self, seq: Seq) -> Result<String, StationError> {
        let mut time = String::new();
        self.reader()?.records(seq..=seq, None, |record| {
            record.time().clone_into(&mut time);
            ControlFlow::Break(())
        })?;
        Ok(time)
    }

    /// Everybody who has or had an account, by ID, as far as the log says: badges are not in it.
    pub fn accounts(&self) -> Result<Vec<PersonStanding>, StationError> {
        PersonStanding::all(&self.reader()?, |_| None)
    }

    /// The names that are known, by ID.
    pub fn names(&self) -> Result<BTreeMap<String, String>, StationError> {
        let names = Names::open_read_only(&self.data.names())?;
        Ok(names.map_or_else(|| Ok(Vec::new()), |names| names.all())?.into_iter().collect())
    }

    /// What a witness vouches for; `None` also where the settings name none.
    pub fn secured(&self) -> Result<Option<Secured>, StationError> {
        Ok(self.reader()?.secured(&self.config.witnesses)?)
    }

    /// Verifies every record, the tree, the signature and the head; `None` when `watch` broke it off. That SQLite cannot
    /// make sense of the file is a finding like any other here.
    pub fn verify(
        &self,
        watch: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<Option<Verdict>, StationError> {
        let paths = paths(&self.data);
        let verdict =
            Reader::open(&paths).and_then(|reader| reader.verify_while(&reader.verifier_key()?, watch));
        match verdict {
            Err(ReadError::Database(why)) => {
                let finding = Finding::Unreadable { seq: 0, why: why.to_string() };
                Ok(Some(Verdict::Damaged { findings: vec![finding], more: 0 }))
            }
            verdict => Ok(verdict?),
        }
    }
}
