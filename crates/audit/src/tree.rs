//! The Merkle tree of RFC 6962 section 2.1 (the same as RFC 9162 section 2.1.1).

use sha2::{Digest, Sha256};

/// A SHA-256 hash, 32 bytes.
pub type Hash = [u8; 32];

/// SHA-256(0x00 ‖ body): the leaf of a record, over the bytes as they are stored.
#[must_use]
pub fn leaf_hash(body: &[u8]) -> Hash {
    Sha256::new().chain_update([0]).chain_update(body).finalize().into()
}

/// SHA-256(0x01 ‖ left ‖ right): the prefix keeps a node from being passed off as a record.
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}

/// The right edge of a growing tree: the roots of its complete subtrees, one for each bit of its size that is set.
///
/// All that is needed to add a leaf or to tell the root: at most 64 hashes, however long the log.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frontier {
    size: u64,
    /// Largest subtree first.
    roots: Vec<Hash>,
}

/// A complete subtree of `2^level` leaves, the `index`-th of its level: leaves `index · 2^level` and up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Subtree {
    pub(crate) level: u32,
    pub(crate) index: u64,
}

impl Subtree {
    /// First and last leaf under it.
    pub(crate) const fn leaves(self) -> (u64, u64) {
        let first = self.index << self.level;
        (first, first + ((1 << self.level) - 1))
    }
}

impl Frontier {
    /// The complete subtrees that a tree of `size` leaves consists of, largest first.
    pub(crate) fn subtrees(size: u64) -> impl Iterator<Item = Subtree> {
        let set = (0..u64::BITS).rev().filter(move |level| size >> level & 1 == 1);
        // Clearing the bit itself leaves the number of the subtree among those of its size.
        set.map(move |level| Subtree { level, index: size >> level ^ 1 })
    }

    /// The frontier whose subtrees have the hashes that `hash` tells.
    pub(crate) fn load<E>(size: u64, mut hash: impl FnMut(Subtree) -> Result<Hash, E>) -> Result<Self, E> {
        let roots = Self::subtrees(size).map(&mut hash).collect::<Result<_, E>>()?;
        Ok(Self { size, roots })
    }

    /// Leaves so far.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The roots of its complete subtrees, largest first.
    pub(crate) fn roots(&self) -> &[Hash] {
        &self.roots
    }

    /// Adds a leaf. `complete` is told of each node above it that is now final and gives back the hash to go on with.
    pub(crate) fn push<E>(
        &mut self,
        leaf: Hash,
        mut complete: impl FnMut(Subtree, Hash) -> Result<Hash, E>,
    ) -> Result<(), E> {
        let mut hash = leaf;
        let mut level = 0;
        while self.size >> level & 1 == 1 {
            let left = self.roots.pop().expect("one root for each bit that is set");
            level += 1;
            hash = complete(Subtree { level, index: self.size >> level }, node_hash(&left, &hash))?;
        }
        self.roots.push(hash);
        self.size += 1;
        Ok(())
    }

    /// Adds a leaf.
    pub fn add(&mut self, leaf: Hash) {
        let Ok(()) = self.push(leaf, |_, hash| Ok::<_, std::convert::Infallible>(hash));
    }

    /// The root; of an empty tree SHA-256 of nothing.
    #[must_use]
    pub fn root(&self) -> Hash {
        let mut roots = self.roots.iter().rev();
        match roots.next() {
            None => Sha256::digest([]).into(),
            Some(last) => roots.fold(*last, |right, left| node_hash(left, &right)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    fn hex(hash: &[u8]) -> String {
        hash.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The tree of certificate-transparency-go's `merkle/rfc6962` tests: the vectors that go with RFC 6962.
    #[test]
    fn roots_are_those_published_for_rfc_6962() {
        let leaves = [
            "",
            "00",
            "10",
            "2021",
            "3031",
            "40414243",
            "5051525354555657",
            "606162636465666768696a6b6c6d6e6f",
        ];
        let roots = [
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ];
        let mut tree = Frontier::default();
        assert_eq!(hex(&tree.root()), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        for (leaf, root) in leaves.iter().zip(roots) {
            let bytes: Vec<u8> = (0..leaf.len())
                .step_by(2)
                .map(|i| u8::from_str_radix(&leaf[i..i + 2], 16).unwrap())
                .collect();
            tree.add(leaf_hash(&bytes));
            assert_eq!(hex(&tree.root()), root);
        }
    }

    proptest! {
        #[test]
        fn root_is_that_of_another_implementation(bodies in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..70)) {
            let mut ours = Frontier::default();
            let mut theirs = ct_merkle::mem_backed_tree::MemoryBackedTree::<Sha256, Vec<u8>>::new();
            for body in bodies {
                ours.add(leaf_hash(&body));
                theirs.push(body);
                prop_assert_eq!(ours.root(), <Hash>::from(*theirs.root().as_bytes()));
            }
        }

        /// What is stored of complete subtrees is enough for the root at every earlier size.
        #[test]
        fn stored_nodes_give_the_root_at_every_size(size in 1u64..200) {
            let mut nodes = HashMap::new();
            let mut tree = Frontier::default();
            let mut roots = vec![tree.root()];
            for seq in 0..size {
                let leaf = leaf_hash(&seq.to_be_bytes());
                nodes.insert((0, seq), leaf);
                let mut keep = |at: Subtree, hash| {
                    nodes.insert((at.level, at.index), hash);
                    Ok::<_, ()>(hash)
                };
                tree.push(leaf, &mut keep).unwrap();
                roots.push(tree.root());
            }
            prop_assert_eq!(nodes.len() as u64, 2 * size - u64::from(size.count_ones()));
            for (size, root) in roots.iter().enumerate() {
                let again = Frontier::load(size as u64, |at| nodes.get(&(at.level, at.index)).copied().ok_or(())).unwrap();
                prop_assert_eq!(&again.root(), root);
            }
        }
    }

    #[test]
    fn subtree_tells_its_leaves() {
        let all: Vec<_> = Frontier::subtrees(13).map(|at| at.leaves()).collect();
        assert_eq!(all, [(0, 7), (8, 11), (12, 12)]);
    }
}
