//! The logs of a station, one behind the other: those that were put aside for a new epoch, and what the next one says of each.

use std::ops::ControlFlow;

use keystation_audit::{Past, Paths, Reader, Record, leaf_hash};
use keystation_core::record::Seq;

use crate::after::position::Position;
use crate::data_dir::DataDir;
use crate::error::StationError;
use crate::station::digest;

/// A log that was put aside.
pub(super) struct Older {
    /// Its name.
    pub(super) origin: String,
    /// The name of the one behind it.
    pub(super) follower: String,
    paths: Paths,
    /// What that one says of it, unless it cannot be read.
    said: Option<Said>,
}

/// What the first record of a log says of the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Said {
    /// Records of its last checkpoint.
    size: u64,
    /// Records that a checkpoint vouched for when it was put aside, and their Merkle root.
    vouched: (u64, Option<[u8; 32]>),
}

/// Why records of a log that was put aside are not delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lost {
    /// Its files are not where they were put.
    Missing,
    /// They are not there any more as they were signed for.
    Damaged,
    /// Other records were delivered under its name.
    OtherLog,
}

impl Lost {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Damaged => "damaged",
            Self::OtherLog => "other-log",
        }
    }
}

/// Name of the station, and the epoch, of a log.
pub(super) fn parts(origin: &str) -> Option<(&str, u32)> {
    let (station, epoch) = origin.rsplit_once('/')?;
    Some((station, epoch.parse().ok()?))
}

/// Where delivery goes on: at the position that was kept of a log of this station, and otherwise at the very first record.
/// `None`: the position is of a later epoch than `origin`.
pub(super) fn resume(kept: Option<Position>, data: &DataDir, origin: &str) -> Option<Position> {
    let Some((station, epoch)) = parts(origin) else { return kept };
    let first = || Position::at(&data.after().join(super::NAME), &format!("{station}/1"), 0);
    let kept = kept.filter(|kept| parts(kept.origin()).is_some_and(|(of, _)| of == station));
    let position = kept.unwrap_or_else(first);
    let of = parts(position.origin()).map(|(_, of)| of);
    of.is_some_and(|of| of <= epoch).then_some(position)
}

/// Whether other records were delivered under the name of a log of `records` than it has, or more.
pub(super) fn is_ahead(reader: &Reader, position: &Position, records: u64) -> Result<bool, StationError> {
    let next = position.next();
    let (Some(before), Some(delivered)) = (next.checked_sub(1), position.leaf()) else {
        return Ok(next > records);
    };
    let mut there = None;
    reader.records(before..=before, None, |record| {
        there = Some(leaf_hash(record.json().as_bytes()));
        ControlFlow::Break(())
    })?;
    Ok(there != Some(delivered))
}

/// The logs from the one called `from` on, oldest first, up to that which `reader` reads, which is called `origin`.
pub(super) fn older(
    data: &DataDir,
    reader: &Reader,
    origin: &str,
    from: &str,
) -> Result<Vec<Older>, StationError> {
    let (Some((station, last)), Some((_, first))) = (parts(origin), parts(from)) else {
        return Ok(Vec::new());
    };
    let mut older = Vec::new();
    for epoch in first..last {
        let (origin, follower) = (format!("{station}/{epoch}"), format!("{station}/{}", epoch + 1));
        let said = if epoch + 1 == last {
            Said::by(reader, &origin)?
        } else {
            let next = Reader::open(&Paths::in_dir(&data.epoch(epoch + 1)));
            // What a damaged log says of the one before is not known; that is told with what is lost of it.
            next.ok().and_then(|next| Said::by(&next, &origin).ok().flatten())
        };
        older.push(Older { origin, follower, paths: Paths::in_dir(&data.epoch(epoch)), said });
    }
    Ok(older)
}

impl Said {
    /// What the first record of a log says of the one before, if that is called `origin`.
    fn by(reader: &Reader, origin: &str) -> Result<Option<Self>, keystation_audit::ReadError> {
        let mut said = None;
        reader.records(0..=0, None, |genesis| {
            said = Self::of(genesis).filter(|_| genesis.text("prev").is_some_and(|prev| prev == origin));
            ControlFlow::Break(())
        })?;
        Ok(said)
    }

    fn of(genesis: &Record<'_>) -> Option<Self> {
        let number = |name| genesis.integer(name).and_then(|number| u64::try_from(number).ok());
        let root = |name| genesis.text(name).and_then(|digits| digest(&digits));
        let size = number("prev_size")?;
        // An older program took nothing over, and said nothing of it.
        let vouched = match number("carried_size") {
            Some(vouched) => (vouched, root("carried_root")),
            None => (size, root("prev_root")),
        };
        Some(Self { size, vouched })
    }
}

impl Older {
    /// Its records, unless nobody knows how many there were.
    pub(super) fn size(&self) -> Option<u64> {
        self.said.map(|said| said.size)
    }

    /// How many of its last records nobody vouched for any more when it was put aside.
    pub(super) fn lost(&self) -> u64 {
        self.said.map_or(0, |said| said.size.saturating_sub(said.vouched.0))
    }

    /// Whether its files are there.
    pub(super) fn is_there(&self) -> bool {
        self.paths.db.is_file()
    }

    /// Its records from `next` on, for whoever has those before, the last of them with this leaf hash.
    pub(super) fn open(&self, next: Seq, leaf: Option<[u8; 32]>) -> Result<Past, Lost> {
        if self.size().is_some_and(|size| next > size) {
            return Err(Lost::OtherLog);
        }
        if !self.is_there() {
            return Err(Lost::Missing);
        }
        let past = Past::open(&self.paths).unwrap_or_else(|error| {
            tracing::warn!(%error, log = self.origin, "a log that was put aside cannot be read");
            None
        });
        let past = past.filter(|past| past.origin() == self.origin).ok_or(Lost::Damaged)?;
        // Its key lies beside it: that it is the log which was put aside the next one says.
        if self.said.is_some_and(|said| said.vouched != (past.size(), Some(past.root()))) {
            return Err(Lost::Damaged);
        }
        let before = next.checked_sub(1).and_then(|seq| past.leaf(seq));
        match (before, leaf) {
            (Some(there), Some(delivered)) if there != delivered => Err(Lost::OtherLog),
            _ => Ok(past),
        }
    }
}
