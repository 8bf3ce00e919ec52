//! Somebody who can write every file, but has no checkpoint that he wants, changes the past.

use std::fs;
use std::path::Path;

use keystation_audit::{Finding, OpenError, Paths, Reader, leaf_hash};
use keystation_core::record::Event;
use rusqlite::Connection;

use crate::support::{attacker, begin, closed, copy, entry, findings, intact, open, pristine, verify, work};

const UNLOCKED: &str = "DROP TRIGGER log_in_order; DROP TRIGGER log_no_update; DROP TRIGGER log_no_delete;
                        DROP TRIGGER node_in_order; DROP TRIGGER node_no_update; DROP TRIGGER node_no_delete;";

/// Takes the triggers away, does what is asked, and puts them back as they were.
pub(crate) fn behind_the_triggers(conn: &Connection, act: impl FnOnce(&Connection)) {
    let triggers: Vec<String> = conn
        .prepare("SELECT sql FROM sqlite_schema WHERE type = 'trigger'")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    conn.execute_batch(UNLOCKED).unwrap();
    act(conn);
    conn.execute_batch(&(triggers.join(";") + ";")).unwrap();
}

/// A log of 41 records, to be spoiled by SQL.
fn spoiled(sql: &str) -> (tempfile::TempDir, Paths) {
    let (directory, paths) = pristine();
    behind_the_triggers(&attacker(&paths), |conn| conn.execute_batch(sql).unwrap());
    (directory, paths)
}

pub(crate) fn integrity(paths: &Paths) -> Finding {
    match open(paths) {
        Err(OpenError::Integrity(finding)) => finding,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it opened"),
    }
}

#[test]
fn statements_that_change_the_past_are_refused_by_the_database() {
    let directory = tempfile::tempdir().unwrap();
    let paths = closed(directory.path(), 5);
    for sql in [
        "UPDATE log SET body = body",
        "UPDATE log SET seq = seq + 100 WHERE seq = 10",
        "DELETE FROM log WHERE seq = 10",
        "DELETE FROM log",
        "INSERT INTO log SELECT seq, body, leaf FROM log WHERE seq = 1",
        "INSERT OR REPLACE INTO log SELECT 1, body, leaf FROM log WHERE seq = 2",
        "REPLACE INTO log SELECT 10, body, leaf FROM log WHERE seq = 2",
        "INSERT INTO log SELECT 12, body, leaf FROM log WHERE seq = 2",
        "INSERT INTO log (body, leaf) SELECT body, leaf FROM log WHERE seq = 2",
        "INSERT INTO log VALUES (11, x'7b', zeroblob(32))",
        "INSERT INTO log VALUES (11, zeroblob(4097), zeroblob(32))",
        "INSERT INTO log VALUES (11, zeroblob(99), zeroblob(31))",
        "UPDATE node SET hash = zeroblob(32)",
        "DELETE FROM node WHERE level = 1",
        "INSERT OR REPLACE INTO node VALUES (1, 0, zeroblob(32))",
        "INSERT INTO node VALUES (1, 7, zeroblob(32))",
    ] {
        assert!(attacker(&paths).execute(sql, []).is_err(), "{sql}");
    }
    assert_eq!(intact(&paths), 11);
    assert!(open(&paths).is_ok());
}

#[test]
fn missing_triggers_and_added_ones_are_seen() {
    let structure = |sql: &str| {
        let (_directory, paths) = pristine();
        attacker(&paths).execute_batch(sql).unwrap();
        let finding = integrity(&paths);
        assert_eq!(findings(&paths), std::slice::from_ref(&finding));
        finding
    };
    for (sql, name) in [
        ("DROP TRIGGER log_no_delete", "log_no_delete"),
        ("CREATE TRIGGER x AFTER INSERT ON log BEGIN DELETE FROM open_intent; END", "x"),
        ("CREATE VIEW y AS SELECT * FROM log", "y"),
        ("CREATE INDEX z ON log (leaf)", "z"),
    ] {
        assert_eq!(structure(sql), Finding::Structure { name: name.to_owned() });
    }
}

#[test]
fn changed_record_is_named() {
    let (_directory, paths) =
        spoiled("UPDATE log SET body = CAST(replace(body, 'sn-0004', 'sn-0005') AS BLOB) WHERE seq = 9");
    assert!(findings(&paths).contains(&Finding::Changed { seq: 9 }));
    // Start-up does not read old records; the verifier does.
    assert!(open(&paths).is_ok());
}

#[test]
fn changed_last_record_is_seen_at_start() {
    let (_directory, paths) =
        spoiled("UPDATE log SET body = CAST(replace(body, 'sn-0019', 'sn-0018') AS BLOB) WHERE seq = 40");
    assert_eq!(integrity(&paths), Finding::Changed { seq: 40 });
}

#[test]
fn changed_record_with_its_leaf_is_named() {
    let (_directory, paths) = spoiled("");
    behind_the_triggers(&attacker(&paths), |conn| {
        let body: Vec<u8> =
            conn.query_row("SELECT body FROM log WHERE seq = 9", [], |row| row.get(0)).unwrap();
        let forged = String::from_utf8(body).unwrap().replace("WO-44192", "WO-44193").into_bytes();
        let leaf = leaf_hash(&forged);
        conn.execute("UPDATE log SET body = ?1, leaf = ?2 WHERE seq = 9", (&forged, leaf)).unwrap();
    });
    // The leaf fits its record; the node over it does not.
    assert_eq!(findings(&paths), [Finding::Node { level: 1, first: 8, last: 9 }]);
}

#[test]
fn removed_record_is_named() {
    let (_directory, paths) = spoiled("DELETE FROM log WHERE seq BETWEEN 9 AND 11");
    assert_eq!(findings(&paths)[0], Finding::Missing { first: 9, last: 11 });
    assert_eq!(findings(&paths)[0].seq(), Some(9));
    let (_directory, paths) = spoiled("DELETE FROM log WHERE seq = 0");
    assert_eq!(findings(&paths)[0], Finding::Missing { first: 0, last: 0 });
    assert_eq!(integrity(&paths), Finding::Missing { first: 0, last: 0 });
}

#[test]
fn removed_record_is_not_hidden_by_moving_the_others_up() {
    let (_directory, paths) = spoiled(
        "DELETE FROM log WHERE seq = 9;
         UPDATE log SET seq = seq + 1000 WHERE seq > 9;
         UPDATE log SET seq = seq - 1001 WHERE seq > 1000;",
    );
    assert!(findings(&paths).contains(&Finding::Misplaced { seq: 9, says: 10 }));
    assert_eq!(integrity(&paths), Finding::Rewound { log: 40, head: 41 });
}

#[test]
fn swapped_records_are_named() {
    let (_directory, paths) = spoiled(
        "UPDATE log SET seq = 1000 WHERE seq = 9; UPDATE log SET seq = 9 WHERE seq = 11;
         UPDATE log SET seq = 11 WHERE seq = 1000;",
    );
    let findings = findings(&paths);
    assert!(findings.contains(&Finding::Misplaced { seq: 9, says: 11 }));
    assert!(findings.contains(&Finding::Misplaced { seq: 11, says: 9 }));
}

#[test]
fn added_records_are_not_signed_for() {
    let (_directory, paths) = spoiled("");
    {
        let conn = attacker(&paths);
        let body: Vec<u8> =
            conn.query_row("SELECT body FROM log WHERE seq = 40", [], |row| row.get(0)).unwrap();
        let forged = String::from_utf8(body).unwrap().replace("\"seq\":40", "\"seq\":41").into_bytes();
        let leaf = leaf_hash(&forged);
        conn.execute("INSERT INTO log VALUES (41, ?1, ?2)", (&forged, leaf)).unwrap();
        // 42 leaves have one node more than 41.
        let left: [u8; 32] =
            conn.query_row("SELECT leaf FROM log WHERE seq = 40", [], |row| row.get(0)).unwrap();
        let node = keystation_audit::node_hash(&left, &leaf);
        conn.execute("INSERT INTO node VALUES (1, 20, ?1)", [node]).unwrap();
    }
    // The station would otherwise sign at its next start what it never wrote.
    assert_eq!(integrity(&paths), Finding::CheckpointSize { log: 42, checkpoint: 41 });
    assert!(findings(&paths).contains(&Finding::CheckpointSize { log: 42, checkpoint: 41 }));
}

#[test]
fn cut_tail_is_seen() {
    for keep in [1, 20, 40] {
        let (_directory, paths) = spoiled(&format!(
            "DELETE FROM log WHERE seq >= {keep};
             DELETE FROM node WHERE (idx + 1) << level > {keep};"
        ));
        assert_eq!(integrity(&paths), Finding::Rewound { log: keep, head: 41 });
        assert!(findings(&paths).contains(&Finding::Rewound { log: keep, head: 41 }));
        assert_eq!(Finding::Rewound { log: keep, head: 41 }.seq(), Some(keep));
    }
    let (_directory, paths) = spoiled("DELETE FROM log; DELETE FROM node;");
    assert_eq!(integrity(&paths), Finding::Rewound { log: 0, head: 41 });
    assert!(findings(&paths).contains(&Finding::Genesis { seq: 0 }));
}

#[test]
fn nodes_that_are_wrong_missing_or_too_many_are_named() {
    for (sql, finding) in [
        (
            "UPDATE node SET hash = zeroblob(32) WHERE level = 2 AND idx = 3",
            Finding::Node { level: 2, first: 12, last: 15 },
        ),
        ("DELETE FROM node WHERE level = 5", Finding::Node { level: 5, first: 0, last: 31 }),
        ("INSERT INTO node VALUES (1, 20, zeroblob(32))", Finding::SurplusNode { level: 1 }),
        ("INSERT INTO node VALUES (6, 0, zeroblob(32))", Finding::SurplusNode { level: 6 }),
        ("INSERT INTO node VALUES (40, 0, zeroblob(32))", Finding::SurplusNode { level: 6 }),
    ] {
        let (_directory, paths) = spoiled(sql);
        assert!(findings(&paths).contains(&finding), "{sql}: {:?}", findings(&paths));
    }
}

#[test]
fn derived_tables_that_lie_are_named() {
    for (sql, table) in [
        ("DELETE FROM open_intent WHERE rid = 'sn-0004'", "open_intent"),
        ("INSERT INTO open_intent VALUES ('sn-0001', 3)", "open_intent"),
        ("UPDATE open_intent SET seq = 1 WHERE rid = 'sn-0004'", "open_intent"),
        ("UPDATE sighting SET rc = 'ok' WHERE seq = 7", "sighting"),
        ("UPDATE sighting SET rid = 'sn-0001' WHERE seq = 7", "sighting"),
        ("UPDATE sighting SET op = 'op-0118' WHERE seq = 7", "sighting"),
        ("UPDATE sighting SET t = t + 1 WHERE seq = 7", "sighting"),
        ("DELETE FROM sighting WHERE seq = 39", "sighting"),
        (
            "INSERT INTO sighting SELECT 41, t, mono, rid, mac, sn, job, op, gk, port, mode, code, rc, dkfp, 0, place FROM sighting WHERE seq = 7",
            "sighting",
        ),
        ("UPDATE outcome SET holds = 'new' WHERE intent = 7", "outcome"),
        (
            "UPDATE outcome SET intent = 9 WHERE intent = 7; UPDATE sighting SET rc = 'open' WHERE seq = 7",
            "outcome",
        ),
        ("DELETE FROM outcome WHERE intent = 7; UPDATE sighting SET rc = 'open' WHERE seq = 7", "outcome"),
        ("INSERT INTO outcome VALUES (7, 40, 'old', 'write_fail', '', '', 0, 0)", "outcome"),
        ("UPDATE tally SET records = records + 1 WHERE ev = 'inject.intent'", "tally"),
        ("UPDATE tally SET last = last - 1 WHERE ev = 'inject.intent'", "tally"),
        ("INSERT INTO tally VALUES ('gk.import', '', 1, 3)", "tally"),
        ("UPDATE sighting SET live = 0 WHERE seq = 1", "sighting"),
        ("UPDATE sighting SET live = 1 WHERE seq = 7", "sighting"),
        ("INSERT INTO checked VALUES ('sn-0001', 3)", "checked"),
    ] {
        let (_directory, paths) = spoiled(sql);
        assert_eq!(findings(&paths), [Finding::Derived { table }], "{sql}");
    }
}

#[test]
fn older_copy_of_the_database_is_seen() {
    let directory = tempfile::tempdir().unwrap();
    let paths = closed(directory.path(), 5);
    let yesterday = tempfile::tempdir().unwrap();
    copy(directory.path(), yesterday.path());
    let journal = open(&paths).unwrap();
    work(&journal, 5);
    journal.close().unwrap();
    fs::copy(yesterday.path().join("audit.db"), &paths.db).unwrap();
    assert_eq!(integrity(&paths), Finding::Rewound { log: 11, head: 21 });
    assert_eq!(findings(&paths), [Finding::Rewound { log: 11, head: 21 }]);
}

/// A log that was copied and written on twice: each branch is signed, and neither is the other.
#[test]
fn other_branch_of_a_copied_log_is_seen() {
    let directory = tempfile::tempdir().unwrap();
    let paths = closed(directory.path(), 5);
    let twin = tempfile::tempdir().unwrap();
    copy(directory.path(), twin.path());
    for (path, event) in
        [(directory.path(), Event::Unlock { custody: "sealed-file" }), (twin.path(), Event::Lock)]
    {
        let journal = open(&Paths::in_dir(path)).unwrap();
        journal.append(&entry(event)).unwrap();
        journal.close().unwrap();
    }
    fs::copy(twin.path().join("audit.db"), &paths.db).unwrap();
    assert_eq!(integrity(&paths), Finding::HeadRoot { size: 12 });
    assert_eq!(findings(&paths), [Finding::HeadRoot { size: 12 }]);
}

#[test]
fn database_of_another_station_is_seen() {
    let (directory, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (paths, others) = (closed(directory.path(), 2), closed(other.path(), 2));
    fs::copy(&others.db, &paths.db).unwrap();
    assert!(matches!(integrity(&paths), Finding::Checkpoint(_)));
    assert!(findings(&paths).contains(&Finding::Key));
    // With its head too: the key still is another.
    fs::copy(&others.head, &paths.head).unwrap();
    assert!(matches!(integrity(&paths), Finding::Head(_)));
    // With everything but what QA wrote down: only a key from elsewhere can tell.
    let trusted = fs::read_to_string(&paths.vkey).unwrap().trim_end().parse().unwrap();
    for (from, to) in [(&others.vkey, &paths.vkey), (&others.key, &paths.key)] {
        fs::copy(from, to).unwrap();
    }
    assert_eq!(intact(&paths), 5);
    let verdict = Reader::open(&paths).unwrap().verify_with(&trusted).unwrap();
    assert!(matches!(verdict, keystation_audit::Verdict::Damaged { .. }));
}

#[test]
fn head_that_is_edited_or_gone_is_seen() {
    let directory = tempfile::tempdir().unwrap();
    let paths = closed(directory.path(), 2);
    let head = fs::read_to_string(&paths.head).unwrap();
    for edited in [
        String::new(),
        head.replace("\n5\n", "\n4\n"),
        head.replace("stn03/1\n5", "stn04/1\n5"),
        head[..head.len() - 1].to_owned(),
        head.clone() + &head,
    ] {
        fs::write(&paths.head, edited).unwrap();
        assert!(matches!(integrity(&paths), Finding::Head(_)));
        assert!(matches!(findings(&paths)[..], [Finding::Head(_)]));
    }
    fs::remove_file(&paths.head).unwrap();
    assert_eq!(integrity(&paths), Finding::HeadMissing);
    assert_eq!(findings(&paths), [Finding::HeadMissing]);
}

#[test]
fn checkpoint_in_the_database_that_is_edited_or_gone_is_seen() {
    let (_directory, paths) = spoiled("DELETE FROM checkpoint");
    assert_eq!(integrity(&paths), Finding::CheckpointMissing);
    assert_eq!(findings(&paths), [Finding::CheckpointMissing]);
    let (_directory, paths) = spoiled("UPDATE checkpoint SET note = replace(note, 'plant7', 'plant8')");
    assert!(matches!(integrity(&paths), Finding::Checkpoint(_)));
    assert!(matches!(findings(&paths)[..], [Finding::Checkpoint(_)]));
}

/// What a program that was killed left behind: acknowledged records that are only in the write-ahead log.
fn killed(directory: &Path) -> Paths {
    let living = tempfile::tempdir().unwrap();
    let (_, journal) = begin(living.path());
    work(&journal, 20);
    copy(living.path(), directory);
    let paths = Paths::in_dir(directory);
    assert!(fs::metadata(wal(&paths)).unwrap().len() > 0);
    paths
}

fn wal(paths: &Paths) -> std::path::PathBuf {
    paths.db.with_extension("db-wal")
}

#[test]
fn write_ahead_log_of_a_killed_writer_is_taken_up() {
    let directory = tempfile::tempdir().unwrap();
    let paths = killed(directory.path());
    assert_eq!(intact(&paths), 41);
    let journal = open(&paths).unwrap();
    // Nothing stays in it: neither frames that SQLite passed over nor checkpoints of records that never were.
    assert_eq!(fs::metadata(wal(&paths)).unwrap().len(), 0);
    drop(journal);
    assert_eq!(intact(&paths), 41);
}

/// Looking at a damaged log must not change it, least of all mend it.
#[test]
fn refused_log_stays_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let paths = killed(directory.path());
    let (_other, others) = pristine();
    fs::copy(&others.head, &paths.head).unwrap();
    let bytes = || [&paths.db, &wal(&paths), &paths.head].map(|path| fs::read(path).unwrap());
    let before = bytes();
    assert!(matches!(integrity(&paths), Finding::Head(_)));
    assert!(keystation_audit::Journal::rebuild(&paths).is_err());
    assert!(!findings(&paths).is_empty());
    assert_eq!(bytes(), before);
}

#[test]
fn write_ahead_log_that_is_deleted_or_cut_is_seen_or_made_good() {
    for keep in [None, Some(0), Some(31), Some(32 + 24 + 4096), Some(50_000), Some(100_000)] {
        let directory = tempfile::tempdir().unwrap();
        let paths = killed(directory.path());
        match keep {
            None => fs::remove_file(wal(&paths)).unwrap(),
            Some(length) => {
                fs::OpenOptions::new().write(true).open(wal(&paths)).unwrap().set_len(length).unwrap()
            }
        }
        let head = match Reader::open(&paths).and_then(|reader| reader.verify()) {
            Ok(keystation_audit::Verdict::Intact { head, .. }) => Some(head),
            _ => None,
        };
        match open(&paths) {
            // What is gone lies in the tail of the head.
            Ok(journal) => {
                drop(journal);
                assert_eq!((head, intact(&paths)), (Some(41), 41), "{keep:?}");
            }
            // A database in which nothing is left may not even be recognised.
            Err(OpenError::Integrity(_) | OpenError::NotALog { .. } | OpenError::Database(_)) => {
                assert_eq!(head, None, "{keep:?}");
            }
            Err(refused) => panic!("{keep:?}: {refused}"),
        }
    }
}

/// With the tail gone too, what the head says has to be there.
#[test]
fn write_ahead_log_and_tail_that_are_deleted_are_seen() {
    let directory = tempfile::tempdir().unwrap();
    let (paths, journal) = begin(directory.path());
    work(&journal, 2);
    journal.close().unwrap();
    let journal = open(&paths).unwrap();
    work(&journal, 18);
    let killed = tempfile::tempdir().unwrap();
    copy(directory.path(), killed.path());
    // At rest the head is written.
    journal.close().unwrap();
    let head = fs::read(&paths.head).unwrap();
    let paths = Paths::in_dir(killed.path());
    for gone in [wal(&paths), paths.head.with_extension("tail")] {
        fs::remove_file(gone).unwrap();
    }
    fs::write(&paths.head, head).unwrap();
    assert!(matches!(integrity(&paths), Finding::Rewound { head: 41, .. }));
}

#[test]
fn findings_are_counted_when_there_are_too_many() {
    let (_directory, paths) = spoiled("UPDATE log SET leaf = zeroblob(32), body = zeroblob(99)");
    let keystation_audit::Verdict::Damaged { findings, more } = verify(&paths) else { panic!("intact") };
    assert_eq!(findings.len(), keystation_audit::Verdict::LIMIT);
    assert!(more > 0);
    assert!(
        findings.iter().all(|finding| finding.to_string().ends_with('.') && !finding.remedy().is_empty())
    );
}
