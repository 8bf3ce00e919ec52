//! A database that an older program wrote: `tests/vectors/audit-v1.db`, 43 records signed with the example key of RFC 8032.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use keystation_audit::{Finding, Journal, OpenError, Paths, Query, Reader, Signer};
use tempfile::TempDir;

use crate::support::{attacker, entry, follow, id, intact, intent, open};
use crate::vectors::{bytes, text, vectors};

fn older() -> (TempDir, Paths) {
    let directory = tempfile::tempdir().unwrap();
    let paths = Paths::in_dir(directory.path());
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors");
    fs::copy(kept.join("audit-v1.db"), &paths.db).unwrap();
    fs::copy(kept.join("audit-v1.note"), &paths.head).unwrap();
    let file = vectors("audit-log.json");
    let signer = Signer::from_seed(text(&file, "origin"), &bytes(text(&file, "seed")).try_into().unwrap());
    crate::support::write_private(&paths.key, &signer.to_text());
    (directory, paths)
}

fn log(paths: &Paths) -> Vec<(i64, Vec<u8>, Vec<u8>)> {
    let conn = attacker(paths);
    let mut statement = conn.prepare("SELECT seq, body, leaf FROM log ORDER BY seq").unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
    rows.map(Result::unwrap).collect()
}

#[test]
fn older_database_gets_new_tables_and_keeps_its_records() {
    let (_directory, paths) = older();
    let before = log(&paths);
    assert_eq!(before.len(), 43);
    let refused = Reader::open(&paths).err().unwrap().to_string();
    assert!(refused.contains("when the station opens it"), "{refused}");

    let journal = open(&paths).unwrap();
    assert_eq!(log(&paths), before);
    assert_eq!(intact(&paths), 43);
    let standing = journal.standing(&id("sn-0004")).unwrap();
    assert_eq!((standing.open.map(|open| open.seq), standing.keyed, standing.attempts), (Some(9), None, 1));
    let seq = journal.append(&entry(follow(&journal, intent("sn-0003")))).unwrap();
    journal.close().unwrap();

    let reader = Reader::open(&paths).unwrap();
    let found = reader.search(&Query::parse("id:sn-0003").unwrap(), None, 10).unwrap();
    assert_eq!(found.rows.iter().map(|row| row.seq).collect::<BTreeSet<_>>(), [seq, 7].into());
    assert_eq!(intact(&paths), 44);
    open(&paths).unwrap();
}

#[test]
fn older_database_that_was_tampered_with_stays_as_it_is() {
    let (_directory, paths) = older();
    attacker(&paths).execute_batch("DROP TRIGGER log_no_update").unwrap();
    let tampered = fs::read(&paths.db).unwrap();
    let refused = open(&paths).err().unwrap();
    assert!(matches!(refused, OpenError::Integrity(Finding::Structure { .. })), "{refused:?}");
    assert!(matches!(Journal::rebuild(&paths), Err(OpenError::Integrity(_))));
    assert_eq!(fs::read(&paths.db).unwrap(), tampered);
}
