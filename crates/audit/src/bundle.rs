//! The bundle (`docs/audit-format.md`, section 6): a log, or some of its records, as C2SP tlog-tiles.
//!
//! It is told file by file to whoever asks, who puts the files on a disk. No file has more than a mebibyte, and what is held
//! at a time does not grow with the log.

use keystation_core::record::Seq;

use crate::checkpoint::Checkpoint;
use crate::cosignature::WitnessKey;
use crate::finding::Finding;
use crate::reader::ReadError;
use crate::record::RecordError;
use crate::selection::Selection;
use crate::snapshot::Snapshot;
use crate::tree::{Frontier, Hash, Subtree, leaf_hash, node_hash};

/// Hashes of a full tile, and records of a full file of entries.
const WIDTH: u64 = 256;
/// Levels of the tree in one level of tiles: 2^8 = 256.
const HEIGHT: u32 = 8;

impl Snapshot<'_> {
    /// Tells `write` path and bytes of each file of the whole bundle, but for its README. Every hash is computed anew from the
    /// records: where they do not lead to the signed root it fails, and what was written so far is worth nothing.
    /// Returns how many records there are.
    pub fn bundle<E: From<ReadError>>(
        &self,
        witnesses: &[WitnessKey],
        mut write: impl FnMut(&str, &[u8]) -> Result<(), E>,
    ) -> Result<u64, E> {
        let now = self.checkpoint();
        self.frame(witnesses, &mut write)?;
        self.earlier(witnesses, &mut write)?;
        let mut tree = Frontier::default();
        let mut tiles = Tiles::default();
        let mut entries = Vec::new();
        self.rows::<E>("SELECT seq, body FROM log ORDER BY seq", [], |seq, body| {
            let expected = tree.size();
            if seq != expected {
                return Err(damaged(Finding::Missing { first: expected, last: expected }));
            }
            let length = u16::try_from(body.len()).map_err(|_| {
                damaged::<E>(Finding::NotARecord { seq, why: RecordError::Size { bytes: body.len() } })
            })?;
            entries.extend_from_slice(&length.to_be_bytes());
            entries.extend_from_slice(body);
            let leaf = leaf_hash(body);
            tiles.add(0, leaf, &mut write)?;
            tree.push(leaf, |at, hash| {
                if at.level.is_multiple_of(HEIGHT) {
                    tiles.add(at.level / HEIGHT, hash, &mut write)?;
                }
                Ok::<_, E>(hash)
            })?;
            if tree.size().is_multiple_of(WIDTH) {
                write(&path("entries", seq / WIDTH, WIDTH), &entries)?;
                entries.clear();
            }
            Ok(())
        })?;
        if tree.size() != now.size || tree.root() != now.root {
            return Err(damaged(Finding::CheckpointRoot { size: now.size }));
        }
        if !entries.is_empty() {
            write(&path("entries", now.size / WIDTH, now.size % WIDTH), &entries)?;
        }
        tiles.end(&mut write)?;
        Ok(now.size)
    }

    /// The same for a selection: record 0, the records that were asked for, and the tiles that they hang on. Each record is
    /// held against its leaf and each tile against the one above it. Returns how many records were asked for and are there.
    pub fn bundle_of<E: From<ReadError>>(
        &self,
        selection: &Selection,
        witnesses: &[WitnessKey],
        mut write: impl FnMut(&str, &[u8]) -> Result<(), E>,
    ) -> Result<u64, E> {
        self.frame(witnesses, &mut write)?;
        let mut parts = Parts { snapshot: self, last: Vec::new() };
        parts.record(0, &self.body(0)?, &mut write)?;
        let mut count = 0;
        self.select(selection, |seq, body| {
            count += 1;
            if seq == 0 { Ok(()) } else { parts.record(seq, body, &mut write) }
        })?;
        parts.end(&mut write)?;
        Ok(count)
    }

    /// What every bundle has.
    fn frame<E: From<ReadError>>(
        &self,
        witnesses: &[WitnessKey],
        write: &mut impl FnMut(&str, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let note = self.cosigned_note()?;
        self.vouched(&note, self.checkpoint().size, witnesses)?;
        write("checkpoint", note.as_bytes())?;
        write("log.vkey", format!("{}\n", self.key()).as_bytes())?;
        let witnesses: String = witnesses.iter().map(|key| format!("{key}\n")).collect();
        write("witness.vkeys", witnesses.as_bytes())
    }

    /// The checkpoints that witnesses signed before.
    fn earlier<E: From<ReadError>>(
        &self,
        witnesses: &[WitnessKey],
        write: &mut impl FnMut(&str, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let sql = "SELECT size, CAST(note || cosig AS BLOB) FROM checkpoint
                   WHERE cosig IS NOT NULL AND size < ?1 ORDER BY size";
        self.rows(sql, [self.checkpoint().size.cast_signed()], |size, note| {
            self.vouched(&String::from_utf8_lossy(note), size, witnesses)?;
            write(&format!("checkpoints/{size}"), note)
        })
    }

    /// Refuses what is not the checkpoint of the first `size` records, or has a wrong line of a witness.
    fn vouched(&self, note: &str, size: u64, witnesses: &[WitnessKey]) -> Result<(), ReadError> {
        let checkpoint = Checkpoint::open(note, self.key()).map_err(Finding::Checkpoint)?;
        if checkpoint.size != size || self.root(size)? != Some(checkpoint.root) {
            return Err(Finding::CosignedRoot { size }.into());
        }
        let wrong = witnesses.iter().find_map(|witness| witness.cosigned_at(note).err());
        wrong.map_or(Ok(()), |why| Err(Finding::Checkpoint(why.into()).into()))
    }

    /// Tile `index` of a level, `width` hashes one behind the other; held against the tile above it where it is full.
    fn tile(&self, level: u32, index: u64, width: u64) -> Result<Vec<Hash>, ReadError> {
        let sql = match level {
            0 => "SELECT leaf FROM log WHERE ?1 = 0 AND seq BETWEEN ?2 AND ?3 ORDER BY seq",
            _ => "SELECT hash FROM node WHERE level = ?1 AND idx BETWEEN ?2 AND ?3 ORDER BY idx",
        };
        let first = index * WIDTH;
        let mut statement = self.conn.prepare_cached(sql)?;
        let range = (level * HEIGHT, first.cast_signed(), (first + width - 1).cast_signed());
        let hashes = statement.query_map(range, |row| row.get(0))?.collect::<Result<Vec<Hash>, _>>()?;
        let above = Subtree { level: (level + 1) * HEIGHT, index };
        let agrees =
            hashes.len() as u64 == width && (width < WIDTH || tree(&hashes).root() == self.hash(above)?);
        if agrees { Ok(hashes) } else { Err(disagrees(above)) }
    }
}

/// The tiles of a tree that grows.
#[derive(Default)]
struct Tiles {
    /// For each level the number of its last tile, and what is in that so far.
    levels: Vec<(u64, Vec<u8>)>,
}

impl Tiles {
    fn add<E>(
        &mut self,
        level: u32,
        hash: Hash,
        write: &mut impl FnMut(&str, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let at = level as usize;
        if at == self.levels.len() {
            self.levels.push((0, Vec::new()));
        }
        let (index, bytes) = &mut self.levels[at];
        bytes.extend_from_slice(&hash);
        if width(bytes) == WIDTH {
            write(&path(&level.to_string(), *index, WIDTH), bytes)?;
            *index += 1;
            bytes.clear();
        }
        Ok(())
    }

    fn end<E>(self, write: &mut impl FnMut(&str, &[u8]) -> Result<(), E>) -> Result<(), E> {
        for (level, (index, bytes)) in
            self.levels.iter().enumerate().filter(|(_, (_, bytes))| !bytes.is_empty())
        {
            write(&path(&level.to_string(), *index, width(bytes)), bytes)?;
        }
        Ok(())
    }
}

/// Records in the order of their numbers, and the tiles that they hang on, each once.
struct Parts<'s, 'c> {
    snapshot: &'s Snapshot<'c>,
    /// For each level the full tile that was written last.
    last: Vec<Option<u64>>,
}

impl Parts<'_, '_> {
    fn record<E: From<ReadError>>(
        &mut self,
        seq: Seq,
        body: &[u8],
        write: &mut impl FnMut(&str, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        if self.snapshot.hash(Subtree { level: 0, index: seq })? != leaf_hash(body) {
            return Err(damaged(Finding::Changed { seq }));
        }
        write(&format!("records/{seq}.json"), body)?;
        for level in levels(self.snapshot.checkpoint().size) {
            let (index, (full, _)) = (seq >> (HEIGHT * (level + 1)), self.edge(level));
            let at = level as usize;
            if at == self.last.len() {
                self.last.push(None);
            }
            if index < full && self.last[at] != Some(index) {
                let tile = self.snapshot.tile(level, index, WIDTH)?;
                write(&path(&level.to_string(), index, WIDTH), tile.as_flattened())?;
                self.last[at] = Some(index);
            }
        }
        Ok(())
    }

    /// The partial tiles, which have to lead to the root.
    fn end<E: From<ReadError>>(self, write: &mut impl FnMut(&str, &[u8]) -> Result<(), E>) -> Result<(), E> {
        let now = self.snapshot.checkpoint();
        let mut root: Option<Hash> = None;
        for level in levels(now.size) {
            let (index, width) = self.edge(level);
            if width > 0 {
                let tile = self.snapshot.tile(level, index, width)?;
                write(&path(&level.to_string(), index, width), tile.as_flattened())?;
                for left in tree(&tile).roots().iter().rev() {
                    root = Some(root.map_or(*left, |right| node_hash(left, &right)));
                }
            }
        }
        if root == Some(now.root) { Ok(()) } else { Err(damaged(Finding::CheckpointRoot { size: now.size })) }
    }

    /// Full tiles of a level, and the width of the one behind them.
    fn edge(&self, level: u32) -> (u64, u64) {
        let hashes = self.snapshot.checkpoint().size >> (HEIGHT * level);
        (hashes / WIDTH, hashes % WIDTH)
    }
}

/// The levels on which a log of `size` records has tiles.
fn levels(size: u64) -> impl Iterator<Item = u32> {
    (0..u64::BITS / HEIGHT).take_while(move |level| size >> (HEIGHT * level) > 0)
}

/// `tile/<level>/<number>`, the number in groups of three digits, with `.p/<width>` where it is not full.
fn path(level: &str, index: u64, width: u64) -> String {
    let mut number = format!("{:03}", index % 1000);
    let mut rest = index / 1000;
    while rest > 0 {
        number = format!("x{:03}/{number}", rest % 1000);
        rest /= 1000;
    }
    let partial = if width == WIDTH { String::new() } else { format!(".p/{width}") };
    format!("tile/{level}/{number}{partial}")
}

fn width(bytes: &[u8]) -> u64 {
    (bytes.len() / size_of::<Hash>()) as u64
}

fn tree(hashes: &[Hash]) -> Frontier {
    let mut tree = Frontier::default();
    hashes.iter().for_each(|hash| tree.add(*hash));
    tree
}

fn disagrees(at: Subtree) -> ReadError {
    let (first, last) = at.leaves();
    Finding::Node { level: at.level, first, last }.into()
}

fn damaged<E: From<ReadError>>(finding: Finding) -> E {
    ReadError::from(finding).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of C2SP tlog-tiles, and the edges of a group.
    #[test]
    fn paths_are_in_groups_of_three_digits() {
        for (index, expected) in [
            (0, "tile/0/000"),
            (999, "tile/0/999"),
            (1000, "tile/0/x001/000"),
            (1_234_067, "tile/0/x001/x234/067"),
            (1_000_000_000, "tile/0/x001/x000/x000/000"),
        ] {
            assert_eq!(path("0", index, WIDTH), expected);
        }
        assert_eq!(path("entries", 1_234_067, 8), "tile/entries/x001/x234/067.p/8");
    }
}
