//! Two checkpoints of one log: did the one grow out of the other, or are there two logs?

use crate::checkpoint::Checkpoint;
use crate::proof::{self, verify_consistency};
use crate::reader::ReadError;
use crate::snapshot::Snapshot;
use crate::tree::Hash;

/// What two checkpoints that one key signed say of each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Comparison {
    /// The same records.
    Same,
    /// The greater one grew out of the smaller.
    Grown,
    /// There are two logs: as many records, and another root. Whoever has the key can check it; nothing else is needed.
    TwoLogs,
    /// There are two logs: the log of the greater checkpoint had another root when it had as many records as the smaller.
    /// With `proof` whoever has the key can check it.
    Forked {
        /// The root that it had then.
        then: Hash,
        /// From there to the greater checkpoint (RFC 6962 section 2.1.2).
        proof: Vec<Hash>,
    },
    /// Nothing that was given tells.
    Unknown,
}

/// Compares two checkpoints of one origin, both signed by its key. `log` helps where their sizes differ: it must be the
/// log of the greater one.
pub fn compare(a: &Checkpoint, b: &Checkpoint, log: Option<&Snapshot<'_>>) -> Result<Comparison, ReadError> {
    let (less, more) = if a.size <= b.size { (a, b) } else { (b, a) };
    if less.size == more.size {
        return Ok(if less.root == more.root { Comparison::Same } else { Comparison::TwoLogs });
    }
    let Some(log) = log else { return Ok(Comparison::Unknown) };
    if log.root(more.size)? != Some(more.root) {
        return Ok(Comparison::Unknown);
    }
    let Some(then) = log.root(less.size)? else { return Ok(Comparison::Unknown) };
    let proof = proof::consistency(less.size, more.size, |at| log.hash(at))?;
    if then == less.root {
        return Ok(Comparison::Grown);
    }
    // What is given out as a proof is one.
    let proven = verify_consistency(less.size, &then, more.size, &more.root, &proof).is_ok();
    Ok(if proven { Comparison::Forked { then, proof } } else { Comparison::Unknown })
}
