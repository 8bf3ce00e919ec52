//! Whoever writes into the database past the program gets no role, no account, no key and no guess by it.

use keystation_audit::{Finding, Journal, OpenError, Paths, Reader, leaf_hash, node_hash};

use crate::carry::settled;
use crate::support::{attacker, does_not_open, findings, intact, open};

#[test]
fn a_station_does_not_open_over_tables_that_the_records_do_not_say() {
    let (_directory, paths) = settled();
    let kept = std::fs::read(&paths.db).unwrap();
    let said = |paths: &Paths| {
        let reader = Reader::open(paths).unwrap();
        (reader.accounts().unwrap(), reader.group_keys().unwrap(), reader.components().unwrap())
    };
    let before = said(&paths);
    for (what, table, sql) in [
        ("a role", "account", "UPDATE account SET roles = 'administrator' WHERE user = 'cu-2'"),
        ("an account that is enabled again", "account", "UPDATE account SET active = 1 WHERE user = 'gone'"),
        (
            "an account of their own",
            "account",
            "INSERT INTO account SELECT 'me', roles, 1, 1, 0, 0, NULL, NULL, 1 FROM account WHERE user = 'ad-1'",
        ),
        ("guesses", "account", "UPDATE account SET tries = 0, try_boot = NULL, try_mono = NULL"),
        ("a wait", "account", "UPDATE account SET try_mono = 0 WHERE user = 'cu-2'"),
        ("an older credential", "account", "UPDATE account SET cred = 1"),
        (
            "a key that was destroyed",
            "group_key",
            "UPDATE group_key SET state = 'suspended' WHERE gk = 'gk-2025'",
        ),
        ("a label that was taken", "group_key", "DELETE FROM group_key WHERE gk = 'gk-2025'"),
        ("who gave a component", "component", "UPDATE component SET user = 'cu-9'"),
        ("a component", "component", "DELETE FROM component WHERE seq = 6"),
        ("a refusal that nobody counts", "tally", "UPDATE tally SET records = 1 WHERE ev = 'auth.refuse'"),
        ("a record of a kind", "tally", "DELETE FROM tally WHERE ev = 'user.disable'"),
        ("a record of a kind that is none", "tally", "INSERT INTO tally VALUES ('gk.recipient', '', 1, 3)"),
    ] {
        attacker(&paths).execute_batch(sql).unwrap();
        does_not_open(&paths, table, what);
        Journal::rebuild(&paths).unwrap();
        assert_eq!(said(&paths), before, "{what}");
        drop(open(&paths).unwrap());
        std::fs::write(&paths.db, &kept).unwrap();
    }
}

/// Records are found by an index that SQLite keeps. Who takes it away is seen at a start; who takes one record out of it, at the
/// next verification: for that, too, they have to write past SQLite.
#[test]
fn a_record_cannot_be_hidden_from_the_start() {
    let (_directory, paths) = settled();
    let kept = std::fs::read(&paths.db).unwrap();
    for sql in [
        "DROP INDEX log_said",
        "DROP INDEX log_said; CREATE INDEX log_said ON log (seq) WHERE seq > 4",
        "PRAGMA writable_schema = 1; DELETE FROM sqlite_schema WHERE name = 'log_said'",
    ] {
        attacker(&paths).execute_batch(sql).unwrap();
        let refused = open(&paths).map(drop).unwrap_err();
        assert!(
            matches!(&refused, OpenError::Integrity(Finding::Structure { name }) if name == "log_said"),
            "{refused}"
        );
        std::fs::write(&paths.db, &kept).unwrap();
    }
    // The end of `gone` is record 4. The structure is as it was, and the index is not.
    attacker(&paths)
        .execute_batch(
            "PRAGMA writable_schema = 1;
             UPDATE sqlite_schema SET sql = replace(sql, ' IN (x''75', ' AND seq <> 4 AND substr(body, instr(body, x''226576223a22'') + 6, 3) IN (x''75')
             WHERE name = 'log_said'",
        )
        .unwrap();
    attacker(&paths).execute_batch("REINDEX log_said").unwrap();
    attacker(&paths)
        .execute_batch(
            "PRAGMA writable_schema = 1;
             UPDATE sqlite_schema SET sql = replace(sql, ' AND seq <> 4 AND substr(body, instr(body, x''226576223a22'') + 6, 3)', '')
             WHERE name = 'log_said';",
        )
        .unwrap();
    assert_eq!(findings(&paths), [Finding::Derived { table: "log_said" }]);
    does_not_open(&paths, "account", "a record that the index does not have");
    Journal::rebuild(&paths).unwrap();
    drop(open(&paths).unwrap());
    intact(&paths);
}

/// Whoever rewrites a record, its leaf, the nodes above as far as they like and the table that is made of it is found at the start: the root was signed.
#[test]
fn a_record_that_was_rewritten_with_its_leaf_and_its_table_is_found_at_the_start() {
    let (_directory, paths) = settled();
    let kept = std::fs::read(&paths.db).unwrap();
    let rewrite = |seq: i64, from: &str, to: &str, tables: &str| {
        let conn = attacker(&paths);
        let body: Vec<u8> =
            conn.query_row("SELECT body FROM log WHERE seq = ?1", [seq], |row| row.get(0)).unwrap();
        let forged = String::from_utf8(body).unwrap().replace(from, to);
        crate::attacks::behind_the_triggers(&conn, |conn| {
            conn.execute(
                "UPDATE log SET body = ?2, leaf = ?3 WHERE seq = ?1",
                (seq, forged.as_bytes(), leaf_hash(forged.as_bytes())),
            )
            .unwrap();
            conn.execute_batch(tables).unwrap();
        });
    };
    let hash = |level: i64, index: i64| -> [u8; 32] {
        let sql = if level == 0 {
            "SELECT leaf FROM log WHERE seq = ?2 AND ?1 = 0"
        } else {
            "SELECT hash FROM node WHERE level = ?1 AND idx = ?2"
        };
        attacker(&paths).query_row(sql, (level, index), |row| row.get(0)).unwrap()
    };
    let attacks = [
        (
            "a role",
            2,
            r#""roles":"custodian""#,
            r#""roles":"qa""#,
            "UPDATE account SET roles = 'qa' WHERE user = 'cu-2'",
        ),
        (
            "an account that is enabled again",
            4,
            "user.disable",
            "user.enable",
            "UPDATE account SET active = 1 WHERE user = 'gone';
             UPDATE tally SET ev = 'user.enable' WHERE ev = 'user.disable'",
        ),
        (
            "who gave a component",
            6,
            r#""op":"op-0117""#,
            r#""op":"op-0118""#,
            "UPDATE component SET user = 'op-0118' WHERE seq = 6",
        ),
    ];
    for (what, seq, from, to, tables) in attacks {
        for levels in 0..6 {
            rewrite(seq, from, to, tables);
            crate::attacks::behind_the_triggers(&attacker(&paths), |conn| {
                for level in 0..levels {
                    let index = seq >> (level + 1);
                    let node = node_hash(&hash(level, 2 * index), &hash(level, 2 * index + 1));
                    let sql = "UPDATE node SET hash = ?3 WHERE level = ?1 AND idx = ?2";
                    assert_eq!(conn.execute(sql, (level + 1, index, node)).unwrap(), 1);
                }
            });
            let refused = open(&paths).map(drop).unwrap_err();
            // The first 32 records are one subtree: with its root the root of the log is another one.
            match levels {
                5 => assert!(
                    matches!(refused, OpenError::Integrity(Finding::CheckpointRoot { .. })),
                    "{what}: {refused}"
                ),
                _ => {
                    let OpenError::Integrity(Finding::Node { level, first, last }) = refused else {
                        panic!("{what}, {levels} levels: {refused}")
                    };
                    assert_eq!(level, u32::try_from(levels).unwrap() + 1, "{what}");
                    assert!((first..=last).contains(&seq.cast_unsigned()), "{what}");
                }
            }
            // Tables that are made anew change nothing about it.
            if levels < 5 {
                Journal::rebuild(&paths).unwrap();
                assert!(open(&paths).is_err(), "{what}");
            }
            std::fs::write(&paths.db, &kept).unwrap();
        }
    }
    drop(open(&paths).unwrap());
}
