//! Whether records are under the root that was signed: by the audit path of each over the stored tree (RFC 6962, section 2.1.1).

use keystation_core::record::Seq;
use rusqlite::Connection;

use crate::finding::Finding;
use crate::state;
use crate::tree::{Frontier, Hash, Subtree, node_hash};

/// The way from records up to the signed root. Of a log of n records each takes at most log2(n) hashes that are stored, and fewer where the record before is near.
pub(crate) struct Branches<'c> {
    conn: &'c Connection,
    /// The complete subtrees that the log consists of; the signed root is made of their hashes.
    tops: Vec<(Subtree, Hash)>,
    /// What is above the record before, from level 1 on: index and hash.
    known: Vec<(u64, Hash)>,
}

impl<'c> Branches<'c> {
    /// Of a log with this frontier, whose root a checkpoint has.
    pub(crate) fn new(conn: &'c Connection, frontier: &Frontier) -> Self {
        let tops = Frontier::subtrees(frontier.size()).zip(frontier.roots().iter().copied()).collect();
        Self { conn, tops, known: Vec::new() }
    }

    /// Whether record `seq` has this leaf; if not, which hash above it says so.
    pub(crate) fn check(&mut self, seq: Seq, leaf: Hash) -> Result<Result<(), Finding>, rusqlite::Error> {
        let above = |(top, _): &&(Subtree, Hash)| {
            let (first, last) = top.leaves();
            (first..=last).contains(&seq)
        };
        let Some((top, root)) = self.tops.iter().find(above) else {
            return Ok(Err(Finding::Missing { first: seq, last: seq }));
        };
        let (mut hash, mut path) = (leaf, Vec::new());
        for level in 0..top.level {
            let index = seq >> level;
            let beside = Subtree { level, index: index ^ 1 };
            let at = Subtree { level: level + 1, index: index >> 1 };
            let Some(sibling) = state::stored(self.conn, beside)? else { return Ok(Err(wrong(at))) };
            hash = if index & 1 == 0 { node_hash(&hash, &sibling) } else { node_hash(&sibling, &hash) };
            let node = (index >> 1, hash);
            if self.known.get(path.len()) == Some(&node) {
                self.known[..path.len()].copy_from_slice(&path);
                return Ok(Ok(()));
            }
            path.push(node);
        }
        if hash == *root {
            self.known = path;
            return Ok(Ok(()));
        }
        // The first that is stored otherwise; if none is, the one that the root is made of.
        for (level, (index, hash)) in (1..).zip(path) {
            let at = Subtree { level, index };
            if state::stored(self.conn, at)? != Some(hash) {
                return Ok(Err(wrong(at)));
            }
        }
        Ok(Err(wrong(*top)))
    }
}

const fn wrong(at: Subtree) -> Finding {
    let (first, last) = at.leaves();
    Finding::Node { level: at.level, first, last }
}
