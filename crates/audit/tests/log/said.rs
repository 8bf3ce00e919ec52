//! Whoever writes into the database past the program gets no role, no account, no key and no guess by it.

use keystation_audit::{Finding, Journal, OpenError, Paths, Reader};

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
