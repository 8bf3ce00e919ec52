//! What the tables `retired` and `cleanup` should hold, told by the records that go by. Remembers the numbers of scraps in force; and,
//! for a new epoch, every row that is.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher, RandomState};

use keystation_core::record::{Carried, Seq};
use rusqlite::Connection;

use crate::account::number;
use crate::cleanup::CleanupStep;
use crate::retired::{DeviceStep, How, Lists, Out};

#[derive(Debug, Default)]
pub(crate) struct ExpectedRetired {
    hasher: RandomState,
    /// Sums over the rows, and over those that were taken back; those of the lists.
    out: u64,
    restored: u64,
    lists: u64,
    scraps: BTreeSet<Seq>,
    /// Rows in force, if somebody wants them, and how far lists go.
    kept: Option<BTreeMap<Seq, Out>>,
    listed: Lists,
}

impl ExpectedRetired {
    /// One that remembers what is out.
    pub(crate) fn keeping() -> Self {
        Self { kept: Some(BTreeMap::new()), ..Self::default() }
    }

    /// What is out, in the order of its records, for the next epoch.
    pub(crate) fn carried(&self) -> impl Iterator<Item = Carried> {
        self.kept.iter().flat_map(BTreeMap::values).map(|out| out.carry(self.listed))
    }

    pub(crate) fn add(&mut self, step: &DeviceStep) {
        match step {
            DeviceStep::Out(out) => self.add_out(out),
            DeviceStep::Restored { of, seq } => {
                if self.scraps.remove(of) {
                    if let Some(kept) = &mut self.kept {
                        kept.remove(of);
                    }
                    self.restored = self.restored.wrapping_add(self.hasher.hash_one((of, seq)));
                }
            }
        }
    }

    pub(crate) fn add_out(&mut self, out: &Out) {
        if let Some(kept) = &mut self.kept {
            kept.insert(out.seq, out.clone());
        }
        if out.how == How::Scrap {
            self.scraps.insert(out.seq);
        }
        let Out { seq, how, rid, mac, sn, new_rid, new_mac, cloud: _ } = out;
        let row =
            (*seq, how.as_str(), rid.as_str(), mac.as_str(), sn.as_str(), new_rid.as_str(), new_mac.as_str());
        self.out = self.out.wrapping_add(self.hasher.hash_one(row));
    }

    pub(crate) fn add_list(&mut self, CleanupStep { seq, done, sha256, devices, to }: &CleanupStep) {
        let last = if *done { &mut self.listed.done } else { &mut self.listed.made };
        *last = (*last).max(Some(*to));
        let row = (*seq, *done, sha256.as_str(), *devices, *to);
        self.lists = self.lists.wrapping_add(self.hasher.hash_one(row));
    }

    /// Of each table whether it holds it.
    pub(crate) fn agree_with(&self, conn: &Connection) -> Result<[(&'static str, bool); 2], rusqlite::Error> {
        let (mut out, mut restored, mut lists) = (0u64, 0u64, 0u64);
        let mut statement =
            conn.prepare("SELECT seq, how, rid, mac, sn, new_rid, new_mac, restored FROM retired")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let text = |column| row.get_ref(column).and_then(|value| Ok(value.as_str()?));
            let seq = number(row, 0)?;
            let values = (seq, text(1)?, text(2)?, text(3)?, text(4)?, text(5)?, text(6)?);
            out = out.wrapping_add(self.hasher.hash_one(values));
            if let Some(by) = row.get::<_, Option<i64>>(7)? {
                restored = restored.wrapping_add(self.hasher.hash_one((seq, by.cast_unsigned())));
            }
        }
        let mut statement = conn.prepare("SELECT seq, done, sha256, devices, upto FROM cleanup")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let sha256 = row.get_ref(2).and_then(|value| Ok(value.as_str()?))?;
            let values = (number(row, 0)?, row.get::<_, bool>(1)?, sha256, number(row, 3)?, number(row, 4)?);
            lists = lists.wrapping_add(self.hasher.hash_one(values));
        }
        let agrees = out == self.out && restored == self.restored;
        Ok([("retired", agrees), ("cleanup", lists == self.lists)])
    }
}
