//! What a record says by itself, looked at in a second thread: hashing and reading take as long as SQLite does.

use std::ops::Range;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender};

use keystation_core::record::Seq;
use rusqlite::Rows;

use crate::carry::Beginning;
use crate::expected::Expected;
use crate::finding::Finding;
use crate::note::VerifierKey;
use crate::origin::Origin;
use crate::projection::Step;
use crate::record::Record;
use crate::state;
use crate::tree::{Hash, leaf_hash};

/// Records of a chunk: few enough that their memory does not count.
const CHUNK: usize = 256;

/// Records as they are stored, one behind the other.
#[derive(Default)]
pub(crate) struct Chunk {
    rows: Vec<(Seq, Range<usize>, Hash)>,
    bytes: Vec<u8>,
}

impl Chunk {
    /// The next rows of `seq, body, leaf`, fewer than there could be where they end or cannot be read.
    pub(crate) fn read(rows: &mut Rows<'_>) -> (Self, Result<(), rusqlite::Error>) {
        let mut chunk = Self::default();
        let read = chunk.fill(rows);
        (chunk, read)
    }

    fn fill(&mut self, rows: &mut Rows<'_>) -> Result<(), rusqlite::Error> {
        while self.rows.len() < CHUNK
            && let Some(row) = rows.next()?
        {
            let seq = row.get::<_, i64>(0)?.cast_unsigned();
            let (body, leaf) = (row.get_ref(1)?.as_blob()?, row.get(2)?);
            let start = self.bytes.len();
            self.bytes.extend_from_slice(body);
            self.rows.push((seq, start..self.bytes.len(), leaf));
        }
        Ok(())
    }

    /// Places of records whose leaf is not their hash, among every second one from `first` on, 0 or 1: hashing is most of the
    /// work, so each of the two threads does one half of it.
    pub(crate) fn changed(&self, first: usize) -> impl Iterator<Item = usize> {
        let half = self.rows.iter().enumerate().skip(first).step_by(2);
        half.filter(|(_, (_, body, leaf))| leaf_hash(&self.bytes[body.clone()]) != *leaf)
            .map(|(place, _)| place)
    }

    /// Whether no row may come behind these.
    pub(crate) fn is_last(&self) -> bool {
        self.rows.len() < CHUNK
    }

    /// Number and stored leaf of each.
    pub(crate) fn leaves(&self) -> impl Iterator<Item = (Seq, Hash)> {
        self.rows.iter().map(|(seq, _, leaf)| (*seq, *leaf))
    }
}

/// What is wrong with records of a chunk by themselves, in their order.
pub(crate) struct Examined {
    /// Places of records whose leaf is not their hash, in the half of the second thread.
    pub(crate) changed: Vec<usize>,
    /// Places of records with what else is wrong.
    pub(crate) faults: Vec<(usize, Finding)>,
}

/// Looks at each chunk that comes until there are no more; gives back what the derived tables should hold,
/// and what it took over.
pub(crate) fn examine(
    key: &VerifierKey,
    chunks: &Receiver<Arc<Chunk>>,
    results: &SyncSender<Examined>,
) -> (Expected, Beginning) {
    let (mut expected, mut beginning) = (Expected::new(), Beginning::default());
    let log = Origin::new(key.name()).ok();
    let log = log.as_ref();
    for chunk in chunks {
        let mut examined = Examined { changed: chunk.changed(1).collect(), faults: Vec::new() };
        for (place, (seq, body, _)) in chunk.rows.iter().enumerate() {
            let (seq, body) = (*seq, &chunk.bytes[body.clone()]);
            let not_a_record = |why| Finding::NotARecord { seq, why };
            let record = match Record::parse_of(body, log) {
                Ok(record) => record,
                Err(why) => {
                    examined.faults.push((place, not_a_record(why)));
                    continue;
                }
            };
            match state::check_place(&record, seq, key) {
                Ok(()) => {
                    examined.faults.extend(beginning.check(&record).err().map(|finding| (place, finding)));
                }
                Err(finding) => examined.faults.push((place, finding)),
            }
            match Step::of(&record) {
                Ok(step) => {
                    let refused = expected.add(&record, step.as_ref());
                    examined.faults.extend(refused.map(|why| (place, Finding::Batch { seq, why })));
                }
                Err(why) => examined.faults.push((place, not_a_record(why))),
            }
        }
        if results.send(examined).is_err() {
            break;
        }
    }
    (expected, beginning)
}
