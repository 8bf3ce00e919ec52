//! Proofs out of the stored nodes, as a witness or a customer checks them.

use std::fs;

use keystation_audit::{Checkpoint, ReadError, Reader, leaf_hash, verify_consistency, verify_inclusion};

use crate::support::{attacker, begin, pristine, work};

#[test]
fn every_record_and_every_earlier_checkpoint_is_proved_while_the_log_grows() {
    let directory = tempfile::tempdir().unwrap();
    let (paths, journal) = begin(directory.path());
    let earlier: Vec<_> = (0..20)
        .map(|_| {
            work(&journal, 1);
            Checkpoint::open(&journal.checkpoint().unwrap(), journal.verifier_key()).unwrap()
        })
        .collect();
    let reader = Reader::open(&paths).unwrap();
    let snapshot = reader.snapshot().unwrap();
    work(&journal, 1);
    let now = snapshot.checkpoint();
    assert_eq!((now.size, now), (41, earlier.last().unwrap()), "what came later is not seen");
    assert_eq!(&Checkpoint::open(snapshot.note(), snapshot.key()).unwrap(), now);
    for stored in Reader::open(&paths).unwrap().recent(43).unwrap().iter().take(41) {
        let proof = snapshot.inclusion_proof(stored.seq).unwrap().unwrap();
        assert_eq!(
            verify_inclusion(&leaf_hash(&stored.body), stored.seq, now.size, &now.root, &proof),
            Ok(())
        );
    }
    for old in &earlier {
        let proof = snapshot.consistency_proof(old.size).unwrap().unwrap();
        assert_eq!(verify_consistency(old.size, &old.root, now.size, &now.root, &proof), Ok(()));
    }
    assert_eq!(snapshot.inclusion_proof(41).unwrap(), None);
    assert_eq!(snapshot.consistency_proof(0).unwrap(), None);
    assert_eq!(snapshot.consistency_proof(42).unwrap(), None);
}

#[test]
fn a_log_that_disagrees_with_its_head_proves_nothing() {
    let (_directory, paths) = pristine();
    attacker(&paths).execute_batch("DROP TRIGGER log_no_delete; DELETE FROM log WHERE seq = 40").unwrap();
    assert!(matches!(Reader::open(&paths).unwrap().snapshot(), Err(ReadError::Damaged(_))));

    let (_directory, paths) = pristine();
    fs::remove_file(&paths.head).unwrap();
    assert!(matches!(Reader::open(&paths).unwrap().snapshot(), Err(ReadError::Damaged(_))));
}
