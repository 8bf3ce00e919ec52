//! A log that is not continued, read for whoever still has to have its records.

use std::ops::ControlFlow;

use keystation_core::record::Seq;

use crate::epoch;
use crate::files::{FileError, Paths};
use crate::remains::Remains;
use crate::tree::{Hash, leaf_hash};
use crate::vouching::Lost;

/// The records of a log that was put aside, as far as a checkpoint that its key signed vouches for them. What is missing, damaged or
/// forged is no error: the log has it no more.
pub struct Past {
    remains: Remains,
    origin: String,
    size: u64,
    root: Hash,
    lost: Lost,
}

impl Past {
    /// Reads and hashes every record of the log. `None`: nothing that is left of it is vouched for.
    pub fn open(paths: &Paths) -> Result<Option<Self>, FileError> {
        let Some(key) = epoch::key(paths)? else { return Ok(None) };
        let remains = Remains::find(paths, &key)?;
        let Some((size, root, lost)) = remains.vouched() else { return Ok(None) };
        Ok(Some(Self { remains, origin: key.name().to_owned(), size, root, lost }))
    }

    /// The name of the log.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Records that a checkpoint vouches for.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Their Merkle root.
    #[must_use]
    pub const fn root(&self) -> Hash {
        self.root
    }

    /// At most `limit` of these records from `from` on, in their order: number, and the bytes unless they are lost.
    #[must_use]
    pub fn records(&self, from: Seq, limit: usize) -> Vec<(Seq, Option<Vec<u8>>)> {
        let mut found = Vec::new();
        if limit == 0 {
            return found;
        }
        self.remains.each_from(from, |seq, body, _| {
            if seq >= self.size {
                return ControlFlow::Break(());
            }
            found.push((seq, body.filter(|_| !self.lost.has(seq)).map(<[u8]>::to_vec)));
            if found.len() < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        found
    }

    /// The leaf hash of a record, unless it is lost.
    #[must_use]
    pub fn leaf(&self, seq: Seq) -> Option<Hash> {
        self.records(seq, 1).pop()?.1.map(|body| leaf_hash(&body))
    }
}
