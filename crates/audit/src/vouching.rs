//! Which records a signed root vouches for, where some were changed: a tree of which not every leaf is known.
//!
//! A record stands there twice, as its bytes and as the leaf that was made of them, and the nodes above it are stored too. Whoever changes one of these leaves the others. So a
//! subtree may be one of several, and a root that was signed tells which: no other choice gives it.

use keystation_core::record::Seq;

use crate::tree::{Hash, Subtree, node_hash};

/// What one subtree may be at most. Whoever changes more than these without changing the nodes above is found by the nodes.
const CHOICES: usize = 16;
/// The same where one of them is what is stored of it.
const CHOICES_BESIDE_THE_STORED: usize = 4;
/// What the whole tree may be at most.
const ROOTS: usize = 4096;

/// Records that are not there as they were signed for: ranges, ascending, first and last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Lost(Vec<(Seq, Seq)>);

impl Lost {
    pub(crate) fn has(&self, seq: Seq) -> bool {
        let after = self.0.partition_point(|(first, _)| *first <= seq);
        after > 0 && self.0[after - 1].1 >= seq
    }

    fn and(&self, behind: &Self) -> Self {
        let mut both = self.0.clone();
        for &(first, last) in &behind.0 {
            match both.last_mut() {
                Some(before) if before.1 + 1 == first => before.1 = last,
                _ => both.push((first, last)),
            }
        }
        Self(both)
    }
}

/// What a subtree may be: its hash, and what is lost if it is that.
#[derive(Debug, Clone)]
struct Choice {
    hash: Hash,
    lost: Lost,
}

/// A tree that grows, and of whose complete subtrees each may be one of several. Largest first.
#[derive(Debug, Default)]
pub(crate) struct Vouching {
    size: u64,
    subtrees: Vec<Vec<Choice>>,
}

impl Vouching {
    pub(crate) const fn size(&self) -> u64 {
        self.size
    }

    /// Adds the next record: the hash of its bytes and the leaf that is stored of it. `node` tells what is stored of a subtree.
    pub(crate) fn push(
        &mut self,
        of_body: Option<Hash>,
        stored: Option<Hash>,
        node: impl Fn(Subtree) -> Option<Hash>,
    ) {
        let body = of_body.map(|hash| Choice { hash, lost: Lost::default() });
        let leaf = stored.filter(|leaf| of_body != Some(*leaf));
        let leaf = leaf.map(|hash| Choice { hash, lost: Lost(vec![(self.size, self.size)]) });
        let mut choices: Vec<_> = body.into_iter().chain(leaf).collect();
        let mut level = 0;
        while self.size >> level & 1 == 1 {
            let left = self.subtrees.pop().expect("one subtree for each bit that is set");
            level += 1;
            let at = Subtree { level, index: self.size >> level };
            choices = above(&left, &choices, at, node(at));
        }
        self.subtrees.push(choices);
        self.size += 1;
    }

    /// What is lost if a tree of `size` records has this root; from then on it is known to be that tree. `None`: it cannot have it.
    pub(crate) fn settle(&mut self, size: u64, root: Hash) -> Option<Lost> {
        if size != self.size {
            return None;
        }
        let mut subtrees = self.subtrees.iter().enumerate().rev();
        // Of each what was chosen, from the last subtree on.
        let mut roots: Vec<(Hash, Vec<usize>)> = match subtrees.next() {
            Some((_, last)) => last.iter().enumerate().map(|(at, choice)| (choice.hash, vec![at])).collect(),
            None => return None,
        };
        for (_, left) in subtrees {
            let both = roots.iter().flat_map(|(right, chosen)| {
                left.iter()
                    .enumerate()
                    .map(move |(at, choice)| (node_hash(&choice.hash, right), [&chosen[..], &[at]].concat()))
            });
            roots = both.take(ROOTS).collect();
        }
        let (_, chosen) = roots.into_iter().find(|(hash, _)| *hash == root)?;
        let mut lost = Lost::default();
        for (subtree, at) in self.subtrees.iter_mut().zip(chosen.into_iter().rev()) {
            let choice = subtree.swap_remove(at);
            lost = lost.and(&choice.lost);
            *subtree = vec![choice];
        }
        Some(lost)
    }
}

/// What the subtree over two may be. What is stored of it is one of these, or stands for records that are lost.
fn above(left: &[Choice], right: &[Choice], at: Subtree, stored: Option<Hash>) -> Vec<Choice> {
    let both = left.iter().flat_map(|left| {
        right.iter().map(|right| Choice {
            hash: node_hash(&left.hash, &right.hash),
            lost: left.lost.and(&right.lost),
        })
    });
    let mut choices: Vec<_> = both.collect();
    let found = stored.and_then(|stored| choices.iter().position(|choice| choice.hash == stored));
    match (found, stored) {
        (Some(found), _) => {
            choices.swap(0, found);
            choices.truncate(CHOICES_BESIDE_THE_STORED);
        }
        (None, stored) => {
            // The first is that of all bytes, the last one that of all leaves.
            if choices.len() > CHOICES {
                choices.drain(CHOICES - 1..choices.len() - 1);
            }
            choices.extend(stored.map(|hash| Choice { hash, lost: Lost(vec![at.leaves()]) }));
        }
    }
    choices
}
