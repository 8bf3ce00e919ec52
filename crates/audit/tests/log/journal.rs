use std::collections::BTreeSet;
use std::fs;
use std::ops::ControlFlow;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use keystation_audit::{
    AppendError, Clock, Finding, Journal, OpenError, Origin, Paths, Reader, Stamp, Verdict,
};
use keystation_core::flow::Log;
use keystation_core::record::{Event, Holds, Intent, Seq};

use crate::support::{
    ORIGIN, Steady, actor, attacker, begin, closed, copy, entry, follow, id, intact, intent, open, outcome,
};

fn create(paths: &Paths) -> Result<Journal, OpenError> {
    Journal::create(paths, &Origin::new(ORIGIN).unwrap(), &actor(), Steady::new())
}

#[test]
fn log_goes_on_where_it_stopped() {
    let directory = tempfile::tempdir().unwrap();
    let paths = closed(directory.path(), 3);
    let before = fs::read_to_string(&paths.head).unwrap();
    let journal = open(&paths).unwrap();
    assert_eq!(journal.checkpoint().unwrap(), before);
    assert_eq!(journal.origin().as_str(), ORIGIN);
    assert_eq!(Log::append(&journal, &entry(Event::Unlock { custody: "sealed-file" })).unwrap().seq, 7);
    drop(journal);
    assert_ne!(fs::read_to_string(&paths.head).unwrap(), before);
    assert_eq!(open(&paths).unwrap().append(&entry(Event::Lock)).unwrap(), 8);
    assert_eq!(intact(&paths), 9);
}

#[test]
fn entry_that_cannot_be_a_record_fails_alone() {
    let directory = tempfile::tempdir().unwrap();
    let (paths, journal) = begin(directory.path());
    let too_long = Event::Intent(Intent { port: "x".repeat(4096), ..intent("sn-1") });
    let refused = journal.append(&entry(too_long));
    assert!(matches!(refused, Err(AppendError::NotARecord(_))), "{refused:?}");
    let second = journal.append(&entry(Event::Genesis { vkey: journal.verifier_key().to_string() }));
    assert!(matches!(second, Err(AppendError::Misplaced(Finding::Genesis { seq: 1 }))), "{second:?}");
    assert_eq!(journal.append(&entry(Event::Unlock { custody: "sealed-file" })).unwrap(), 1);
    assert_eq!(journal.standing(&id("sn-1")).unwrap().attempts, 0);
    assert_eq!(intact(&paths), 2);
}

#[test]
fn second_writer_is_refused_and_readers_are_not() {
    let directory = tempfile::tempdir().unwrap();
    let (paths, journal) = begin(directory.path());
    assert!(matches!(open(&paths), Err(OpenError::InUse(_))));
    assert!(matches!(create(&paths), Err(OpenError::InUse(_))));
    assert!(matches!(Journal::rebuild(&paths), Err(OpenError::InUse(_))));
    let reader = Reader::open(&paths).unwrap();
    journal.append(&entry(Event::Unlock { custody: "sealed-file" })).unwrap();
    assert_eq!(reader.size().unwrap(), 2);
    journal.close().unwrap();
    assert_eq!(open(&paths).unwrap().append(&entry(Event::Lock)).unwrap(), 2);
    assert_eq!(reader.size().unwrap(), 3);
}

#[test]
fn closing_is_for_all_clones() {
    let directory = tempfile::tempdir().unwrap();
    let (paths, journal) = begin(directory.path());
    let clone = journal.clone();
    journal.close().unwrap();
    assert!(matches!(
        clone.append(&entry(Event::Unlock { custody: "sealed-file" })),
        Err(AppendError::Closed)
    ));
    assert_eq!(intact(&paths), 1);
}

#[test]
fn records_of_all_callers_stand_once_and_in_one_order() {
    const CALLERS: u64 = 8;
    const EACH: u64 = 25;
    let directory = tempfile::tempdir().unwrap();
    let (paths, journal) = begin(directory.path());
    let numbers: Vec<Seq> = std::thread::scope(|scope| {
        let callers: Vec<_> = (0..CALLERS)
            .map(|caller| {
                let journal = journal.clone();
                scope.spawn(move || {
                    let rid = format!("sn-{caller}");
                    let append = |_| journal.append(&entry(follow(&journal, intent(&rid)))).unwrap();
                    (0..EACH).map(append).collect::<Vec<_>>()
                })
            })
            .collect();
        callers.into_iter().flat_map(|caller| caller.join().unwrap()).collect()
    });
    assert_eq!(numbers.iter().copied().collect::<BTreeSet<_>>(), (1..=CALLERS * EACH).collect());
    for caller in 0..CALLERS {
        assert_eq!(journal.standing(&id(&format!("sn-{caller}"))).unwrap().attempts, EACH);
    }
    assert_eq!(intact(&paths), 1 + CALLERS * EACH);
}

#[test]
fn log_is_never_begun_over_another_one() {
    let directory = tempfile::tempdir().unwrap();
    let paths = closed(directory.path(), 1);
    let tail = paths.head.with_extension("tail");
    for file in [&paths.db, &paths.key, &paths.head, &paths.vkey, &tail] {
        let other = tempfile::tempdir().unwrap();
        let left = other.path().join(file.file_name().unwrap());
        fs::copy(file, &left).unwrap();
        let refused = create(&Paths::in_dir(other.path()));
        assert!(matches!(&refused, Err(OpenError::Exists(path)) if *path == left), "{file:?}");
        assert_eq!(fs::read(&left).unwrap(), fs::read(file).unwrap());
    }
}

#[test]
fn log_whose_parts_are_gone_is_not_begun_anew() {
    let directory = tempfile::tempdir().unwrap();
    closed(directory.path(), 1);
    let without = |gone: &dyn Fn(&Paths) -> Vec<&Path>| {
        let other = tempfile::tempdir().unwrap();
        copy(directory.path(), other.path());
        let paths = Paths::in_dir(other.path());
        for file in gone(&paths) {
            fs::remove_file(file).unwrap();
        }
        let opened = open(&paths).map(|_| intact(&paths));
        (opened, paths)
    };
    let (opened, paths) = without(&|paths| vec![&paths.db]);
    assert!(matches!(opened, Err(OpenError::Incomplete { missing, .. }) if missing == paths.db));
    assert!(!paths.db.exists());
    let (opened, paths) = without(&|paths| vec![&paths.db, &paths.key]);
    assert!(matches!(opened, Err(OpenError::Incomplete { missing, .. }) if missing == paths.db));
    let (opened, paths) = without(&|paths| vec![&paths.db, &paths.head]);
    assert!(matches!(opened, Err(OpenError::Incomplete { missing, .. }) if missing == paths.db));
    let (opened, paths) = without(&|paths| vec![&paths.key]);
    assert!(matches!(opened, Err(OpenError::Incomplete { missing, .. }) if missing == paths.key));
    let (opened, _) = without(&|paths| vec![&paths.head]);
    assert!(matches!(opened, Err(OpenError::Integrity(Finding::HeadMissing))));
    let (opened, _) = without(&|paths| vec![&paths.db, &paths.key, &paths.head]);
    assert!(matches!(opened, Err(OpenError::NoLog(_))));
    // The verifier key is in the genesis record too.
    let (opened, _) = without(&|paths| vec![&paths.vkey]);
    assert_eq!(opened.unwrap(), 3);
}

#[test]
fn key_is_for_the_station_alone() {
    let directory = tempfile::tempdir().unwrap();
    let paths = closed(directory.path(), 1);
    assert_eq!(fs::metadata(&paths.key).unwrap().permissions().mode() & 0o777, 0o600);
    let key = fs::read_to_string(&paths.key).unwrap();
    for file in [&paths.db, &paths.head, &paths.vkey] {
        let bytes = fs::read(file).unwrap();
        let secret = key.splitn(5, '+').nth(4).unwrap().trim_end().as_bytes(); // Base64 may hold a plus
        assert!(!bytes.windows(secret.len()).any(|window| window == secret), "{file:?}");
    }
    fs::set_permissions(&paths.key, fs::Permissions::from_mode(0o640)).unwrap();
    assert!(matches!(open(&paths), Err(OpenError::KeyExposed(_))));
    fs::set_permissions(&paths.key, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(&paths.key, &key[1..]).unwrap();
    let refused = open(&paths).err().unwrap();
    assert!(matches!(refused, OpenError::Key { .. }));
    assert!(!refused.to_string().contains(&key[20..60]));
}

#[test]
fn database_of_another_program_or_version_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let paths = closed(directory.path(), 1);
    for version in [0, 8, -1] {
        attacker(&paths).pragma_update(None, "user_version", version).unwrap();
        assert!(matches!(open(&paths), Err(OpenError::Version { found, .. }) if found == version));
        assert!(Reader::open(&paths).is_err());
    }
    // One that says it is older, and is not.
    attacker(&paths).pragma_update(None, "user_version", 1).unwrap();
    assert!(matches!(open(&paths), Err(OpenError::Integrity(Finding::Structure { .. }))));
    attacker(&paths).pragma_update(None, "user_version", 7).unwrap();
    attacker(&paths).pragma_update(None, "application_id", 7).unwrap();
    assert!(matches!(open(&paths), Err(OpenError::NotALog { id: 7, .. })));
    assert!(Reader::open(&paths).is_err());
    fs::write(&paths.db, b"not a database at all, but long enough to look like one if nobody looks").unwrap();
    assert!(matches!(open(&paths), Err(OpenError::Database(_))));
}

#[test]
fn checkpoints_that_somebody_vouched_for_are_kept() {
    let directory = tempfile::tempdir().unwrap();
    let paths = closed(directory.path(), 1);
    let sizes = || -> Vec<i64> {
        let conn = attacker(&paths);
        let mut statement = conn.prepare("SELECT size FROM checkpoint ORDER BY size").unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    assert_eq!(sizes(), [3]);
    attacker(&paths).execute("UPDATE checkpoint SET cosig = 'a witness'", []).unwrap();
    let journal = open(&paths).unwrap();
    for event in [Event::Unlock { custody: "sealed-file" }, Event::Lock, Event::Close] {
        journal.append(&entry(event)).unwrap();
    }
    assert_eq!(sizes(), [3, 6]);
    attacker(&paths).execute("UPDATE checkpoint SET anchors = 'paper' WHERE size = 6", []).unwrap();
    journal.append(&entry(Event::Unlock { custody: "sealed-file" })).unwrap();
    assert_eq!(sizes(), [3, 6, 7]);
    assert_eq!(intact(&paths), 7);
}

#[test]
fn reader_shows_a_range_or_one_device() {
    let directory = tempfile::tempdir().unwrap();
    let paths = closed(directory.path(), 6);
    let reader = Reader::open(&paths).unwrap();
    let shown = |range: std::ops::Range<Seq>, rid: Option<&str>, most: usize| {
        let mut seen = Vec::new();
        let visit = |record: &keystation_audit::Record<'_>| {
            seen.push(record.seq());
            if seen.len() == most { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        reader.records(range, rid.map(id).as_ref(), visit).unwrap();
        seen
    };
    assert_eq!(shown(0..100, None, 100), (0..13).collect::<Vec<_>>());
    assert_eq!(shown(3..6, None, 100), [3, 4, 5]);
    assert_eq!(shown(3..6, None, 2), [3, 4]);
    assert!(shown(6..6, None, 100).is_empty());
    assert_eq!(shown(0..100, Some("sn-0002"), 100), [5, 6]);
    assert_eq!(shown(6..100, Some("sn-0002"), 100), [6]);
    assert!(shown(0..100, Some("sn-9999"), 100).is_empty());
    let mut all = 0;
    reader
        .records(.., None, |_| {
            all += 1;
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(all, 13);
    let recent: Vec<_> = reader.recent(3).unwrap().iter().map(|record| record.seq).collect();
    assert_eq!(recent, [10, 11, 12]);
}

#[test]
fn derived_tables_can_be_made_anew() {
    let directory = tempfile::tempdir().unwrap();
    let paths = closed(directory.path(), 20);
    let tables = ["sighting", "outcome", "open_intent", "tally"];
    let dump = || -> Vec<Vec<String>> {
        let conn = attacker(&paths);
        let rows = |table| {
            let mut statement = conn.prepare(&format!("SELECT * FROM {table}")).unwrap();
            let columns = statement.column_count();
            let row = |row: &rusqlite::Row<'_>| {
                Ok((0..columns).map(|i| format!("{:?}", row.get_ref(i).unwrap())).collect::<String>())
            };
            statement.query_map([], row).unwrap().map(Result::unwrap).collect()
        };
        tables.into_iter().map(rows).collect()
    };
    let before = dump();
    assert!(before.iter().all(|rows| !rows.is_empty()));
    for table in tables {
        attacker(&paths).execute(&format!("DELETE FROM {table}"), []).unwrap();
        let found = crate::support::findings(&paths);
        assert!(found.contains(&Finding::Derived { table }), "{table}: {found:?}");
        Journal::rebuild(&paths).unwrap();
        assert_eq!(dump(), before);
        assert_eq!(intact(&paths), 41);
    }
}

/// Records are taken whatever the clock says; intents are not, until two people accept the time.
#[test]
fn clock_that_goes_backwards_stops_the_line_and_not_the_log() {
    struct Falling(Steady);
    impl Clock for Falling {
        fn now(&self) -> Stamp {
            let stamp = self.0.now();
            Stamp { utc_ms: stamp.utc_ms - 100_000 * stamp.mono_ms.cast_signed(), ..stamp }
        }
    }
    let directory = tempfile::tempdir().unwrap();
    let (paths, journal) = begin(directory.path());
    let seq = journal.append(&entry(follow(&journal, intent("sn-1")))).unwrap();
    journal.close().unwrap();
    let journal = Journal::open(&paths, Falling(Steady::new())).unwrap();
    journal.append(&entry(Event::Unlock { custody: "sealed-file" })).unwrap();
    let refused = journal.append(&entry(follow(&journal, intent("sn-2"))));
    assert!(matches!(refused, Err(AppendError::ClockDoubted)), "{refused:?}");
    journal.append(&entry(Event::Result(outcome("sn-1", seq, Holds::New)))).unwrap();
    journal.close().unwrap();
    intact(&paths);
}

#[test]
fn verification_says_how_far_it_is_and_can_be_broken_off() {
    let directory = tempfile::tempdir().unwrap();
    let (paths, journal) = begin(directory.path());
    std::thread::scope(|scope| {
        for _ in 0..32 {
            scope.spawn(|| {
                for _ in 0..160 {
                    journal.append(&entry(Event::Unlock { custody: "sealed-file" })).unwrap();
                }
            });
        }
    });
    let reader = Reader::open(&paths).unwrap();
    let key = reader.verifier_key().unwrap();
    let mut told = Vec::new();
    let verdict = reader.verify_while(&key, &mut |progress| {
        told.push((progress.done, progress.of));
        ControlFlow::Continue(())
    });
    assert!(matches!(verdict, Ok(Some(Verdict::Intact { .. }))), "{verdict:?}");
    assert_eq!(told, [(0, 5121), (4096, 5121)]);
    for moments in [1, 2] {
        let mut left = moments;
        let verdict = reader.verify_while(&key, &mut |_| {
            left -= 1;
            if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        assert!(matches!(verdict, Ok(None)), "{verdict:?}");
    }
    assert_eq!(reader.size().unwrap(), 5121, "and the reader reads on");
}
