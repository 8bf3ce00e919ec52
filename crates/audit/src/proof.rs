//! Merkle proofs (RFC 6962 sections 2.1.1 and 2.1.2, the same as RFC 9162 sections 2.1.3 and 2.1.4): that a record is
//! in a log, and that a log has only grown.
//!
//! Making one asks for the roots of complete subtrees, which the database keeps; checking one needs nothing else.

use std::ops::Range;

use crate::tree::{Frontier, Hash, Subtree, node_hash};

/// A proof that does not prove what it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// There is no such record, or the later log is smaller.
    #[error("it is about a tree that does not have as many records")]
    Range,
    /// It has more or fewer hashes than such a proof has.
    #[error("it has not the number of hashes that such a proof has")]
    Length,
    /// It leads to another root.
    #[error("it leads to another root")]
    Root,
}

/// The hashes beside the way from leaf `index` up to the root of a tree of `size` leaves, lowest first.
/// `index` is below `size`.
pub(crate) fn inclusion<E>(
    index: u64,
    size: u64,
    mut hash: impl FnMut(Subtree) -> Result<Hash, E>,
) -> Result<Vec<Hash>, E> {
    debug_assert!(index < size, "record {index} of {size}");
    let mut proof = Vec::new();
    let mut tree = 0..size;
    while tree.end - tree.start > 1 {
        let (left, right) = halves(&tree);
        let (inside, beside) = if index < left.end { (left, right) } else { (right, left) };
        proof.push(root_of(beside, &mut hash)?);
        tree = inside;
    }
    proof.reverse();
    Ok(proof)
}

/// The hashes that lead from the tree of the first `old` leaves to that of the first `size`; none where the two are
/// the same. `old` is from 1 to `size`.
pub(crate) fn consistency<E>(
    old: u64,
    size: u64,
    mut hash: impl FnMut(Subtree) -> Result<Hash, E>,
) -> Result<Vec<Hash>, E> {
    debug_assert!((1..=size).contains(&old), "{old} of {size}");
    let mut proof = Vec::new();
    let mut tree = 0..size;
    while tree.end != old {
        let (left, right) = halves(&tree);
        let (inside, beside) = if old <= left.end { (left, right) } else { (right, left) };
        proof.push(root_of(beside, &mut hash)?);
        tree = inside;
    }
    // The verifier knows the root of the old tree, but not that of a part of it.
    if tree.start > 0 {
        proof.push(root_of(tree, &mut hash)?);
    }
    proof.reverse();
    Ok(proof)
}

/// Checks that `leaf` is number `index` of the tree of `size` leaves with this `root`.
pub fn verify_inclusion(
    leaf: &Hash,
    index: u64,
    size: u64,
    root: &Hash,
    proof: &[Hash],
) -> Result<(), ProofError> {
    if index >= size {
        return Err(ProofError::Range);
    }
    // RFC 9162 section 2.1.3.2.
    let (mut at, mut last, mut hash) = (index, size - 1, *leaf);
    for beside in proof {
        if last == 0 {
            return Err(ProofError::Length);
        }
        if at & 1 == 1 || at == last {
            hash = node_hash(beside, &hash);
            skip_levels_without_a_sibling(&mut at, &mut last);
        } else {
            hash = node_hash(&hash, beside);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    match (last, hash == *root) {
        (0, true) => Ok(()),
        (0, false) => Err(ProofError::Root),
        _ => Err(ProofError::Length),
    }
}

/// Checks that the first `old` leaves of the tree of `size` leaves with this `root` are the tree with `old_root`.
pub fn verify_consistency(
    old: u64,
    old_root: &Hash,
    size: u64,
    root: &Hash,
    proof: &[Hash],
) -> Result<(), ProofError> {
    if old == 0 || old > size {
        return Err(ProofError::Range);
    }
    if old == size {
        return match (proof.is_empty(), old_root == root) {
            (false, _) => Err(ProofError::Length),
            (true, false) => Err(ProofError::Root),
            (true, true) => Ok(()),
        };
    }
    // RFC 9162 section 2.1.4.2. An old tree that is complete is its own first hash.
    let (first, rest) = match proof.split_first() {
        _ if old.is_power_of_two() => (old_root, proof),
        Some((first, rest)) => (first, rest),
        None => return Err(ProofError::Length),
    };
    let (mut at, mut last) = (old - 1, size - 1);
    let levels = at.trailing_ones();
    (at, last) = (at >> levels, last >> levels);
    let (mut before, mut after) = (*first, *first);
    for beside in rest {
        if last == 0 {
            return Err(ProofError::Length);
        }
        if at & 1 == 1 || at == last {
            before = node_hash(beside, &before);
            after = node_hash(beside, &after);
            skip_levels_without_a_sibling(&mut at, &mut last);
        } else {
            after = node_hash(&after, beside);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    match (last, before == *old_root && after == *root) {
        (0, true) => Ok(()),
        (0, false) => Err(ProofError::Root),
        _ => Err(ProofError::Length),
    }
}

/// A node at the right edge goes up unchanged until it has a left neighbour.
fn skip_levels_without_a_sibling(at: &mut u64, last: &mut u64) {
    if *at & 1 == 0 {
        let levels = at.trailing_zeros().min(u64::BITS - 1);
        (*at, *last) = (*at >> levels, *last >> levels);
    }
}

/// The two subtrees of a tree of more than one leaf: the left one has the largest power of two below its size.
fn halves(tree: &Range<u64>) -> (Range<u64>, Range<u64>) {
    let size = tree.end - tree.start;
    let middle = tree.start + (1 << (size - 1).ilog2());
    (tree.start..middle, middle..tree.end)
}

/// The root over the leaves of a subtree that [`halves`] made.
fn root_of<E>(tree: Range<u64>, hash: &mut impl FnMut(Subtree) -> Result<Hash, E>) -> Result<Hash, E> {
    let whole = |at: Subtree| Subtree { level: at.level, index: at.index + (tree.start >> at.level) };
    Ok(Frontier::load(tree.end - tree.start, |at| hash(whole(at)))?.root())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::leaf_hash;
    use ct_merkle::mem_backed_tree::MemoryBackedTree;
    use proptest::prelude::*;
    use sha2::Sha256;
    use std::collections::HashMap;

    /// A tree of ours with all that the database would keep, and the same tree by another implementation.
    struct Trees {
        nodes: HashMap<(u32, u64), Hash>,
        roots: Vec<Hash>,
        theirs: MemoryBackedTree<Sha256, Vec<u8>>,
    }

    fn body(seq: u64) -> Vec<u8> {
        seq.to_be_bytes().to_vec()
    }

    impl Trees {
        fn grown(size: u64) -> Self {
            let mut nodes = HashMap::new();
            let mut tree = Frontier::default();
            let mut roots = vec![tree.root()];
            let mut theirs = MemoryBackedTree::new();
            for seq in 0..size {
                let leaf = leaf_hash(&body(seq));
                nodes.insert((0, seq), leaf);
                let Ok(()) = tree.push(leaf, |at, hash| {
                    nodes.insert((at.level, at.index), hash);
                    Ok::<_, std::convert::Infallible>(hash)
                });
                theirs.push(body(seq));
                roots.push(tree.root());
            }
            Self { nodes, roots, theirs }
        }

        fn hash(&self, at: Subtree) -> Result<Hash, Subtree> {
            self.nodes.get(&(at.level, at.index)).copied().ok_or(at)
        }

        fn root(&self, size: u64) -> Hash {
            self.roots[usize::try_from(size).unwrap()]
        }
    }

    fn joined(proof: &[Hash]) -> Vec<u8> {
        proof.concat()
    }

    #[test]
    fn every_proof_of_every_small_tree_is_that_of_another_implementation() {
        for size in 1..=40 {
            let trees = Trees::grown(size);
            for index in 0..size {
                let proof = inclusion(index, size, |at| trees.hash(at)).unwrap();
                let theirs = trees.theirs.prove_inclusion(usize::try_from(index).unwrap());
                assert_eq!(joined(&proof), theirs.as_bytes(), "record {index} of {size}");
                assert_eq!(
                    verify_inclusion(&leaf_hash(&body(index)), index, size, &trees.root(size), &proof),
                    Ok(())
                );
            }
            for old in 1..=size {
                let proof = consistency(old, size, |at| trees.hash(at)).unwrap();
                if old < size {
                    let theirs = trees.theirs.prove_consistency(usize::try_from(size - old).unwrap());
                    assert_eq!(joined(&proof), theirs.as_bytes(), "{old} of {size}");
                }
                let (before, after) = (trees.root(old), trees.root(size));
                assert_eq!(verify_consistency(old, &before, size, &after, &proof), Ok(()), "{old} of {size}");
            }
        }
    }

    /// The numbers at which a careless shift or comparison would go wrong.
    #[test]
    fn numbers_beyond_any_log_are_refused_and_do_not_panic() {
        let hash = [0; 32];
        for size in [1, 2, u64::MAX - 1, u64::MAX] {
            for index in [0, 1, size - 1, size, u64::MAX] {
                for length in [0, 1, 63, 64, 65, 200] {
                    let proof = vec![hash; length];
                    let included = verify_inclusion(&hash, index, size, &[1; 32], &proof);
                    assert!(included.is_err(), "{index} of {size} with {length}");
                    let grown = verify_consistency(index, &hash, size, &[1; 32], &proof);
                    assert!(grown.is_err(), "{index} of {size} with {length}");
                }
            }
        }
        assert_eq!(verify_inclusion(&hash, 0, 0, &hash, &[]), Err(ProofError::Range));
        assert_eq!(verify_consistency(0, &hash, 0, &hash, &[]), Err(ProofError::Range));
        assert_eq!(verify_consistency(0, &hash, 5, &hash, &[]), Err(ProofError::Range));
    }

    proptest! {
        #[test]
        fn a_changed_inclusion_proof_is_refused(size in 2u64..300, index in any::<prop::sample::Index>(), change in 0usize..7, bit in 0usize..256) {
            let index = index.index(usize::try_from(size).unwrap()) as u64;
            let trees = Trees::grown(size);
            let (mut leaf, mut at, mut of, mut root) = (leaf_hash(&body(index)), index, size, trees.root(size));
            let mut proof = inclusion(index, size, |at| trees.hash(at)).unwrap();
            prop_assert_eq!(verify_inclusion(&leaf, at, of, &root, &proof), Ok(()));
            let flip = |hash: &mut Hash| hash[bit / 8] ^= 1 << (bit % 8);
            let length = proof.len();
            match change {
                0 => flip(&mut leaf),
                1 => flip(&mut root),
                2 => flip(&mut proof[bit % length]),
                3 => { proof.remove(bit % length); }
                4 => proof.insert(bit % (length + 1), leaf),
                5 => at = (index + 1 + bit as u64 % (size - 1)) % size,
                _ => of = size.next_power_of_two() * 2 + 1,
            }
            prop_assert!(verify_inclusion(&leaf, at, of, &root, &proof).is_err());
        }

        #[test]
        fn a_changed_consistency_proof_is_refused(size in 2u64..300, old in any::<prop::sample::Index>(), change in 0usize..6, bit in 0usize..256) {
            let old = 1 + old.index(usize::try_from(size - 1).unwrap()) as u64;
            let trees = Trees::grown(size);
            let (mut before, mut after) = (trees.root(old), trees.root(size));
            let mut proof = consistency(old, size, |at| trees.hash(at)).unwrap();
            prop_assert_eq!(verify_consistency(old, &before, size, &after, &proof), Ok(()));
            let flip = |hash: &mut Hash| hash[bit / 8] ^= 1 << (bit % 8);
            let length = proof.len();
            match change {
                0 => flip(&mut before),
                1 => flip(&mut after),
                2 => flip(&mut proof[bit % length]),
                3 => { proof.remove(bit % length); }
                4 => proof.push(before),
                _ => std::mem::swap(&mut before, &mut after),
            }
            prop_assert!(verify_consistency(old, &before, size, &after, &proof).is_err());
        }

        /// Two logs that differ in one record below the old size: no proof of the one speaks for the other.
        #[test]
        fn a_fork_has_no_proof(size in 2u64..120, old in any::<prop::sample::Index>(), changed in any::<prop::sample::Index>()) {
            let old = 1 + old.index(usize::try_from(size - 1).unwrap()) as u64;
            let changed = changed.index(usize::try_from(old).unwrap()) as u64;
            let trees = Trees::grown(size);
            let mut fork = Frontier::default();
            (0..old).for_each(|seq| fork.add(leaf_hash(&body(if seq == changed { u64::MAX } else { seq }))));
            let proof = consistency(old, size, |at| trees.hash(at)).unwrap();
            prop_assert_eq!(verify_consistency(old, &fork.root(), size, &trees.root(size), &proof), Err(ProofError::Root));
        }
    }
}
