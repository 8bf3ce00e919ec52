//! Whoever writes into the tables of work orders past the program gets no device more by it.

use keystation_audit::Finding;
use keystation_core::record::Holds;

use crate::orders::{append, created, make, order, scrapped, with_order};
use crate::support::{attacker, findings};

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
        std::fs::write(&paths.db, &kept).unwrap();
    }
}
