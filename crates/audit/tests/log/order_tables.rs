//! Whoever writes into the tables of work orders past the program gets no device more by it.

use keystation_audit::{Finding, OpenError, leaf_hash};
use keystation_core::record::{Holds, OrderChange};

use crate::orders::{append, counts, created, make, order, scrapped, with_order};
use crate::support::{attacker, does_not_open, findings, intact, open};

#[test]
fn tables_of_orders_that_were_changed_past_the_log_are_named() {
    let directory = tempfile::tempdir().unwrap();
    let (paths, journal) = with_order(directory.path(), 4);
    append(&journal, created("WO-2", 4));
    make(&journal, "WO-1", "sn-1", Holds::New);
    append(&journal, order("WO-1", scrapped(None, "S-9")));
    journal.close().unwrap();
    let kept = std::fs::read(&paths.db).unwrap();
    for (sql, table) in [
        ("UPDATE work_order SET qty = 5 WHERE job = 'WO-1'", "work_order"),
        ("UPDATE work_order SET begun = 0", "work_order"),
        ("UPDATE work_order SET passed = 0", "work_order"),
        ("UPDATE work_order SET scrapped = 0", "work_order"),
        ("UPDATE work_order SET until = '2027-01-01'", "work_order"),
        ("UPDATE work_order SET sha256 = replace(sha256, 'a5', 'a6')", "work_order"),
        ("UPDATE work_order SET sha256 = 'x'", "work_order"),
        ("UPDATE work_order SET state = 'closed' WHERE job = 'WO-2'", "work_order"),
        ("DELETE FROM work_order WHERE job = 'WO-2'", "work_order"),
        ("DELETE FROM scrap", "scrap"),
        ("UPDATE scrap SET sn = 'S-1'", "scrap"),
        ("UPDATE sighting SET dkfp = ''", "sighting"),
    ] {
        attacker(&paths).execute_batch(sql).unwrap();
        assert_eq!(findings(&paths), [Finding::Derived { table }], "{sql}");
        // Which devices were seen is nobody's right: the start does not look at all of them.
        if table == "sighting" {
            drop(open(&paths).unwrap());
        } else {
            does_not_open(&paths, table, sql);
        }
        std::fs::write(&paths.db, &kept).unwrap();
    }
}

/// A record of an order that was rewritten with its leaf and its table is found at the start, as one of people is.
#[test]
fn a_rewritten_order_does_not_open() {
    let directory = tempfile::tempdir().unwrap();
    let (paths, journal) = with_order(directory.path(), 4);
    journal.close().unwrap();
    let conn = attacker(&paths);
    let body: Vec<u8> = conn.query_row("SELECT body FROM log WHERE seq = 1", [], |row| row.get(0)).unwrap();
    let forged = String::from_utf8(body).unwrap().replace(r#""qty":4"#, r#""qty":9"#);
    crate::attacks::behind_the_triggers(&conn, |conn| {
        let leaf = leaf_hash(forged.as_bytes());
        conn.execute("UPDATE log SET body = ?1, leaf = ?2 WHERE seq = 1", (forged.as_bytes(), leaf)).unwrap();
        conn.execute("UPDATE work_order SET qty = 9", []).unwrap();
    });
    let refused = open(&paths).map(drop).unwrap_err();
    assert!(matches!(refused, OpenError::Integrity(Finding::Node { level: 1, .. })), "{refused}");
}

/// What goes on under an order that is open is what the start finds: begun twice, passed late, scrap, another order that waits, and one that is closed.
#[test]
fn a_start_counts_the_devices_of_an_order_as_the_line_did() {
    let directory = tempfile::tempdir().unwrap();
    let (paths, mut journal) = with_order(directory.path(), 9);
    append(&journal, created("WO-2", 9));
    for round in 0..4 {
        for (rid, holds) in [("sn-1", Holds::Old), ("sn-2", Holds::New), ("sn-3", Holds::Unknown)] {
            make(&journal, "WO-1", rid, holds);
        }
        append(&journal, order("WO-1", scrapped(None, &format!("S-{round}"))));
        append(&journal, order("WO-2", OrderChange::Opened));
        make(&journal, "WO-2", &format!("two-{round}"), Holds::New);
        if round < 3 {
            append(&journal, order("WO-1", OrderChange::Opened));
        }
        journal.close().unwrap();
        intact(&paths);
        journal = open(&paths).unwrap();
    }
    assert_eq!(counts(&paths, "WO-1"), (3, 1, 4));
    assert_eq!(counts(&paths, "WO-2"), (4, 4, 0));
}
