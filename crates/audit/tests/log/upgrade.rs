//! Databases that older programs wrote: `tests/vectors/audit-v1.db`, `audit-v2.db`, `audit-v3.db`, `audit-v3-keyed.db`, `audit-v4.db`, `audit-v5.db` and `audit-v6.db`, 43, 25,
//! 20, 29, 52, 52 and 18 records signed with the example key of RFC 8032.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use keystation_audit::{
    AppendError, BatchRefusal, Finding, IntentRefusal, Journal, KeyState, OpenError, Paths, Query, Reader,
    Signer,
};
use keystation_core::record::{BatchCounts, Event, Intent, Mode, Rekey, RepairEvent};
use keystation_core::repair::ReasonCode;
use tempfile::TempDir;

use crate::support::{attacker, entry, follow, id, intact, intent, open};
use crate::vectors::{bytes, text, vectors};

fn older(name: &str) -> (TempDir, Paths) {
    let directory = tempfile::tempdir().unwrap();
    let paths = Paths::in_dir(directory.path());
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors");
    fs::copy(kept.join(format!("{name}.db")), &paths.db).unwrap();
    fs::copy(kept.join(format!("{name}.note")), &paths.head).unwrap();
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
    let (_directory, paths) = older("audit-v1");
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
fn keys_of_an_older_program_go_on_and_their_devices_are_known() {
    let (_directory, paths) = older("audit-v2");
    let before = log(&paths);
    assert_eq!(before.len(), 25);
    assert!(Reader::open(&paths).err().unwrap().to_string().contains("when the station opens it"));
    let journal = open(&paths).unwrap();
    assert_eq!((log(&paths), intact(&paths)), (before, 25));

    let reader = Reader::open(&paths).unwrap();
    let keys = reader.group_keys().unwrap();
    let told: Vec<_> = keys
        .iter()
        .map(|key| (key.info.label.as_str(), key.how.as_str(), key.state, key.imported, key.devices))
        .collect();
    // One of its devices was re-keyed under the other.
    let expected = [("gk-2026a", "", KeyState::Active, 2, 5), ("gk-2026b", "", KeyState::Active, 20, 1)];
    assert_eq!(told, expected);
    assert_eq!(reader.devices_under(&keys[1].info.label, None, 10).unwrap(), [(id("sn-0001"), 21)]);
    assert_eq!((reader.accounts().unwrap(), reader.components().unwrap()), (vec![], vec![]));
    journal.append(&entry(follow(&journal, intent("sn-0003")))).unwrap();
    assert_eq!(intact(&paths), 26);
}

#[test]
fn people_of_an_older_program_go_on() {
    let (_directory, paths) = older("audit-v3");
    let before = log(&paths);
    assert_eq!(before.len(), 20);
    assert!(Reader::open(&paths).err().unwrap().to_string().contains("when the station opens it"));
    // Its tables are made anew, whatever somebody wrote there.
    attacker(&paths).execute("UPDATE account SET active = 1, tries = 0", []).unwrap();
    let journal = open(&paths).unwrap();
    assert_eq!((log(&paths), intact(&paths)), (before, 20));
    let reader = Reader::open(&paths).unwrap();
    let told: Vec<_> = reader
        .accounts()
        .unwrap()
        .into_iter()
        .map(|account| (account.user, account.active, account.tries))
        .collect();
    assert_eq!(told, [("ad-1".to_owned(), true, 1), ("cu-2".to_owned(), false, 0)]);
    let key = &reader.group_keys().unwrap()[0];
    assert_eq!((key.state, key.devices, reader.components().unwrap().len()), (KeyState::Active, 4, 1));
    journal.append(&entry(follow(&journal, intent("sn-0003")))).unwrap();
    journal.close().unwrap();
    open(&paths).unwrap();
    assert_eq!(intact(&paths), 21);
}

#[test]
fn people_and_keys_of_an_older_program_are_kept_and_its_device_keys_are_known() {
    let (_directory, paths) = older("audit-v3-keyed");
    let before = log(&paths);
    let journal = open(&paths).unwrap();
    assert_eq!((log(&paths), intact(&paths)), (before, 29));
    let reader = Reader::open(&paths).unwrap();
    assert_eq!(reader.account("op-0118").unwrap().map(|account| account.seq), Some(25));
    assert_eq!(reader.group_keys().unwrap()[1].state, KeyState::Suspended);
    assert_eq!(reader.work_orders().unwrap(), []);
    // Its last device passed, and no other gets its key.
    let fingerprint = reader.written_key(&id("sn-0100")).unwrap().unwrap();
    let same = keystation_core::record::Intent { fingerprint, ..intent("sn-0101") };
    let refused = journal.append(&entry(follow(&journal, same))).unwrap_err();
    assert!(matches!(refused, AppendError::NotBegun(IntentRefusal::Collision { .. })), "{refused:?}");
    journal.append(&entry(crate::orders::created("WO-1", 3))).unwrap();
    assert_eq!(intact(&paths), 30);
}

#[test]
fn older_database_that_was_tampered_with_stays_as_it_is() {
    for name in ["audit-v1", "audit-v2", "audit-v3", "audit-v3-keyed", "audit-v4", "audit-v5", "audit-v6"] {
        let (_directory, paths) = older(name);
        attacker(&paths).execute_batch("DROP TRIGGER log_no_update").unwrap();
        let tampered = fs::read(&paths.db).unwrap();
        let refused = open(&paths).err().unwrap();
        assert!(matches!(refused, OpenError::Integrity(Finding::Structure { .. })), "{refused:?}");
        assert!(matches!(Journal::rebuild(&paths), Err(OpenError::Integrity(_))));
        assert_eq!(fs::read(&paths.db).unwrap(), tampered);
    }
}

/// One of an order that is closed, one that is open and one that waits.
#[test]
fn work_orders_of_an_older_program_go_on() {
    for name in ["audit-v4", "audit-v5"] {
        orders_go_on(name);
    }
}

fn orders_go_on(name: &str) {
    let (_directory, paths) = older(name);
    let before = log(&paths);
    assert!(Reader::open(&paths).err().unwrap().to_string().contains("when the station opens it"));
    // Its tables are made anew, whatever somebody wrote there.
    attacker(&paths).execute("UPDATE work_order SET begun = 0, qty = 9 WHERE job = 'WO-2'", []).unwrap();
    let journal = open(&paths).unwrap();
    assert_eq!((log(&paths), intact(&paths)), (before.clone(), 52));
    let orders = Reader::open(&paths).unwrap().work_orders().unwrap();
    let told: Vec<_> = orders
        .iter()
        .map(|order| {
            (
                order.id.as_str(),
                order.state.as_str(),
                order.terms.quantity,
                order.begun,
                order.passed,
                order.scrapped,
            )
        })
        .collect();
    let expected =
        [("WO-1", "closed", 2, 2, 2, 0), ("WO-2", "open", 3, 2, 1, 1), ("WO-3", "waiting", 1, 0, 0, 0)];
    assert_eq!(told, expected);
    // What was scrap of an order is scrap of the station.
    let named = |part: &(i64, Vec<u8>, Vec<u8>)| str::from_utf8(&part.1).unwrap().contains("\"order.scrap\"");
    let scrap = before.iter().find(|part| named(part)).unwrap();
    let body = str::from_utf8(&scrap.1).unwrap();
    let serial = body.split("\"sn\":\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let found = Reader::open(&paths).unwrap().scraps_in_force(serial).unwrap();
    let found: Vec<_> = found.into_iter().map(|scrap| scrap.record).collect();
    assert_eq!(found, [scrap.0.cast_unsigned()], "{body}");
    journal.close().unwrap();
    open(&paths).unwrap();
}

/// One batch that is closed, with an intent that came a moment after its end, and one that is open: its program asked nothing in the
/// transaction, and said too little for anybody to go on.
#[test]
fn batches_of_an_older_program_are_kept_and_nobody_goes_on_with_them() {
    let (_directory, paths) = older("audit-v6");
    let before = log(&paths);
    assert!(Reader::open(&paths).err().unwrap().to_string().contains("when the station opens it"));
    let journal = open(&paths).unwrap();
    assert_eq!((log(&paths), intact(&paths)), (before, 18));
    let reader = Reader::open(&paths).unwrap();
    let (first, second) = ("RK-1".parse().unwrap(), "RK-2".parse().unwrap());
    assert_eq!(
        [reader.seen_in(&first, "sn-0001").unwrap(), reader.seen_in(&second, "sn-0003").unwrap()],
        [(true, true), (true, false)]
    );
    let (_, opened) = reader.newest("rekey.open").unwrap();
    let (_, closed) = reader.newest("rekey.close").unwrap();
    let mode = Mode::Rekey(Rekey::of_unknown(ReasonCode::Returned, "su-1"));
    let next = Intent { job: "RK-2".to_owned(), mode, ..intent("sn-0003") };
    let refused = journal.append(&entry(follow(&journal, next))).unwrap_err();
    let expected = BatchRefusal::Terms { batch: second.clone(), field: "profile_sha256" };
    assert!(
        matches!(&refused, AppendError::NotBegun(IntentRefusal::Batch(why)) if *why == expected),
        "{refused:?}"
    );
    let counts = BatchCounts { asked: 2, done: 0, failed: 1, missing: 1, unexpected: 0 };
    let end = RepairEvent::Closed { batch: second, opened: opened.unwrap(), counts, before: closed };
    journal.append(&entry(Event::Repair(end))).unwrap();
    assert_eq!(intact(&paths), 19);
    journal.close().unwrap();
    open(&paths).unwrap();
}
