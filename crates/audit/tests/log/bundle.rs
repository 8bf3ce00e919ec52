//! Bundles and proof files, held against the vectors that another hand made.

use keystation_audit::Reader;

use crate::example::{RID, written};
use crate::support::id;
use crate::vectors::{text, vectors};

#[test]
fn the_proof_file_is_that_of_the_vectors() {
    let directory = tempfile::tempdir().unwrap();
    let (paths, _journal) = written(directory.path());
    let reader = Reader::open(&paths).unwrap();
    let snapshot = reader.snapshot().unwrap();
    let file = vectors("audit-bundle.json");
    assert_eq!(snapshot.proof_file(&id(RID)).unwrap().unwrap(), text(&file, "proof"));
    assert_eq!(snapshot.proof_file(&id("sn-0")).unwrap(), None);
}
