//! Places under a work order: as many devices are begun as it is for, whatever happens in between.

use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use keystation_audit::{AppendError, IntentRefusal, Journal, OrderRefusal, Paths};
use keystation_core::failure::Code;
use keystation_core::flow::LogError;
use keystation_core::record::{Event, Holds};

use crate::orders::{
    append, begin_device, counts, make, order, order_id, order_refusal, raised, refusal, standing, with_order,
};
use crate::support::{copy, intact, open, outcome};

#[test]
fn eleventh_device_of_ten_is_refused_over_restarts_and_retries_take_no_place() {
    let directory = tempfile::tempdir().unwrap();
    let (paths, journal) = with_order(directory.path(), 10);
    for number in 0..9 {
        let holds = [Holds::New, Holds::Old, Holds::Unknown][number % 3];
        make(&journal, "WO-1", &format!("sn-{number}"), holds);
    }
    // The one that failed again and again has one place.
    for _ in 0..5 {
        make(&journal, "WO-1", "sn-1", Holds::Old);
    }
    assert_eq!(counts(&paths, "WO-1"), (9, 3, 0));
    // Its intent is all that there is of the tenth, and the station is killed.
    begin_device(&journal, "WO-1", "sn-9").unwrap();
    drop(journal);
    let journal = open(&paths).unwrap();
    let full = begin_device(&journal, "WO-1", "sn-10").unwrap_err();
    let told = full.to_string();
    assert!(told.contains("10 devices were begun under the work order WO-1"), "{told}");
    let LogError::Refused { code, .. } = full.into() else { panic!() };
    assert_eq!(code, Code::OrderFull);
    // Those that have a place are ended.
    make(&journal, "WO-1", "sn-1", Holds::New);
    assert_eq!(counts(&paths, "WO-1"), (10, 4, 0));
    assert_eq!(
        order_refusal(&journal, "WO-1", raised(10)),
        OrderRefusal::NotMore { order: order_id("WO-1"), quantity: 10 }
    );
    append(&journal, order("WO-1", raised(11)));
    begin_device(&journal, "WO-1", "sn-10").unwrap();
    assert!(matches!(
        refusal(begin_device(&journal, "WO-1", "sn-11")),
        IntentRefusal::Full { quantity: 11, .. }
    ));
    let size = intact(&paths);
    let before = standing(&paths, "WO-1");
    journal.close().unwrap();
    Journal::rebuild(&paths).unwrap();
    assert_eq!((standing(&paths, "WO-1"), intact(&paths)), (before, size));
}

#[test]
fn sixteen_slots_begin_as_many_devices_as_the_order_is_for() {
    let directory = tempfile::tempdir().unwrap();
    let (paths, journal) = with_order(directory.path(), 40);
    let (next, begun, full) = (AtomicU32::new(0), AtomicU32::new(0), AtomicU32::new(0));
    thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                for _ in 0..5 {
                    let rid = format!("sn-{}", next.fetch_add(1, Ordering::Relaxed));
                    match begin_device(&journal, "WO-1", &rid) {
                        Ok(seq) => {
                            begun.fetch_add(1, Ordering::Relaxed);
                            append(&journal, Event::Result(outcome(&rid, seq, Holds::New)));
                        }
                        Err(AppendError::NotBegun(IntentRefusal::Full { .. })) => {
                            full.fetch_add(1, Ordering::Relaxed);
                        }
                        Err(other) => panic!("{other:?}"),
                    }
                }
            });
        }
    });
    assert_eq!((begun.into_inner(), full.into_inner()), (40, 40));
    assert_eq!(counts(&paths, "WO-1"), (40, 40, 0));
    intact(&paths);
}
/// A power cut takes the last transaction; the tail puts it back, and the place stays taken.
#[test]
fn a_place_that_only_the_tail_knows_of_is_taken() {
    let directory = tempfile::tempdir().unwrap();
    let (paths, journal) = with_order(directory.path(), 1);
    drop(journal);
    let before = tempfile::tempdir().unwrap();
    copy(directory.path(), before.path());
    let journal = open(&paths).unwrap();
    begin_device(&journal, "WO-1", "sn-1").unwrap();
    let after = tempfile::tempdir().unwrap();
    copy(directory.path(), after.path());
    drop(journal);
    // Database of before, head and tail of after.
    let cut = Paths::in_dir(after.path());
    for name in ["audit.db", "audit.db-wal", "audit.db-shm"] {
        let (from, to) = (before.path().join(name), after.path().join(name));
        let _ = std::fs::remove_file(&to);
        if from.exists() {
            std::fs::copy(from, to).unwrap();
        }
    }
    let journal = open(&cut).unwrap();
    assert!(matches!(refusal(begin_device(&journal, "WO-1", "sn-2")), IntentRefusal::Full { .. }));
    assert_eq!(counts(&cut, "WO-1"), (1, 0, 0));
    intact(&cut);
}
