//! Batches of repair: what the log takes, whom it refuses, and that a log which says otherwise is found though it is signed.

use keystation_audit::{
    AppendError, BatchRefusal, Finding, IntentRefusal, Journal, OrderRefusal, Paths, leaf_hash, node_hash,
};
use keystation_core::failure::Code;
use keystation_core::key::KeySlot;
use keystation_core::record::{
    BatchCounts, BatchTerms, Event, Holds, Intent, ListHashes, ListPlace, Mode, Rekey, RepairEvent, RowNames,
    Seq,
};
use keystation_core::repair::{Effect, ReasonCode, RekeyReason};

use crate::orders::append;
use crate::support::{
    attacker, begin, does_not_open, entry, findings, follow, group_key, intact, intent, key_of, open, outcome,
};

const PROFILE: [u8; 32] = [0x21; 32];
const BY_ID: RowNames = RowNames { id: true, mac: false, serial: false };

fn terms(list: Option<ListHashes>, devices: u64) -> BatchTerms {
    BatchTerms {
        reason: ReasonCode::Returned.into(),
        same_key: false,
        list,
        devices,
        key: group_key(),
        endpoint: "global.azure-devices-provisioning.net".to_owned(),
        profile: "second.toml".to_owned(),
        profile_sha256: PROFILE,
        from: None,
        approver: "su-1".to_owned(),
        before: None,
    }
}

fn opened(id: &str, terms: BatchTerms) -> Event {
    Event::Repair(RepairEvent::Opened { batch: id.parse().unwrap(), terms: Box::new(terms) })
}

fn closed(id: &str, opened: Seq, [done, failed, missing]: [u64; 3], before: Option<Seq>) -> Event {
    let counts = BatchCounts { asked: done + failed + missing, done, failed, missing, unexpected: 0 };
    Event::Repair(RepairEvent::Closed { batch: id.parse().unwrap(), opened, counts, before })
}

/// A re-key as a batch asks for it.
fn rekey(place: Option<ListPlace>) -> Rekey {
    Rekey {
        reason: ReasonCode::Returned.into(),
        approver: "su-1".to_owned(),
        effect: Effect::NewKey,
        before: None,
        same_key: false,
        profile: PROFILE,
        place,
    }
}

fn of(job: &str, rid: &str, rekey: Rekey) -> Intent {
    Intent { job: job.to_owned(), mode: Mode::Rekey(Box::new(rekey)), ..intent(rid) }
}

/// A device that was keyed once, outside of every order.
fn keyed(journal: &Journal, rid: &str) {
    let seq = append(journal, follow(journal, Intent { job: String::new(), ..intent(rid) }));
    append(journal, Event::Result(outcome(rid, seq, Holds::New)));
}

fn refused(journal: &Journal, intent: Intent) -> BatchRefusal {
    match journal.append(&entry(follow(journal, intent))).unwrap_err() {
        AppendError::NotBegun(IntentRefusal::Batch(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

fn left(journal: &Journal, event: Event) -> BatchRefusal {
    match journal.append(&entry(event)).unwrap_err() {
        AppendError::Batch(refusal) => refusal,
        other => panic!("{other:?}"),
    }
}

/// The hashes of a list of two rows, and where each of them stands.
fn list_of_two(rows: [&str; 2], named: RowNames) -> (ListHashes, [ListPlace; 2]) {
    let [one, two] = rows.map(|row| leaf_hash(row.as_bytes()));
    let place = |row, beside| ListPlace { row, named, path: vec![beside] };
    (ListHashes { sha256: [0x74; 32], root: node_hash(&one, &two) }, [place(0, two), place(1, one)])
}

fn rebuilt(paths: &Paths, journal: Journal) -> Journal {
    let size = intact(paths);
    journal.close().unwrap();
    Journal::rebuild(paths).unwrap();
    assert_eq!(intact(paths), size);
    open(paths).unwrap()
}

#[test]
fn a_batch_is_opened_once_by_two_people_and_closed_once_with_its_own_sums() {
    let directory = tempfile::tempdir().unwrap();
    let (paths, journal) = begin(directory.path());
    keyed(&journal, "sn-1");
    let one = || terms(None, 1);
    let alone = BatchTerms { approver: "op-0117".to_owned(), ..one() };
    assert_eq!(left(&journal, opened("RK-1", alone)), BatchRefusal::OnePerson("RK-1".to_owned()));
    let nobody = BatchTerms { approver: String::new(), ..one() };
    assert_eq!(left(&journal, opened("RK-1", nobody)), BatchRefusal::OnePerson("RK-1".to_owned()));
    append(&journal, crate::orders::created("WO-1", 2));
    let known = |id: &str| BatchRefusal::Known(id.parse().unwrap());
    assert_eq!(left(&journal, opened("WO-1", one())), known("WO-1"));
    let first = append(&journal, opened("RK-1", one()));
    let follows = |before| BatchTerms { before: Some(before), ..one() };
    assert_eq!(left(&journal, opened("RK-1", follows(first))), known("RK-1"));
    assert_eq!(left(&journal, opened("RK-2", one())), BatchRefusal::Prior, "it names the one before it");
    let order = journal.append(&entry(crate::orders::created("RK-1", 2))).unwrap_err();
    assert!(matches!(order, AppendError::Order(OrderRefusal::Known(_))), "{order:?}");
    let second = append(&journal, opened("RK-2", follows(first)));

    let unknown = |id: &str| BatchRefusal::Unknown(id.to_owned());
    assert_eq!(left(&journal, closed("RK-9", first, [0, 0, 1], None)), unknown("RK-9"));
    assert_eq!(left(&journal, closed("RK-1", second, [0, 0, 1], None)), unknown("RK-1"));
    let begun = append(&journal, follow(&journal, of("RK-1", "sn-1", rekey(None))));
    let counts = || BatchRefusal::Counts("RK-1".parse().unwrap());
    for sums in [[1, 0, 0], [0, 0, 1], [0, 1, 1]] {
        assert_eq!(left(&journal, closed("RK-1", first, sums, None)), counts(), "{sums:?}");
    }
    append(&journal, Event::Result(outcome("sn-1", begun, Holds::New)));
    assert_eq!(left(&journal, closed("RK-1", first, [0, 1, 0], None)), counts());
    assert_eq!(left(&journal, closed("RK-1", first, [1, 0, 0], Some(7))), BatchRefusal::Prior);
    let end = append(&journal, closed("RK-1", first, [1, 0, 0], None));
    let again = BatchRefusal::Closed { batch: "RK-1".parse().unwrap(), record: end };
    assert_eq!(left(&journal, closed("RK-1", first, [1, 0, 0], Some(end))), again);
    append(&journal, closed("RK-2", second, [0, 0, 1], Some(end)));
    assert_eq!(left(&journal, opened("RK-1", follows(second))), known("RK-1"), "also of one that is closed");
    rebuilt(&paths, journal);
}

#[test]
fn an_intent_is_of_a_batch_that_is_open_and_says_what_was_approved() {
    let directory = tempfile::tempdir().unwrap();
    let (paths, journal) = begin(directory.path());
    keyed(&journal, "sn-1");
    keyed(&journal, "sn-2");
    let unknown = refused(&journal, of("RK-1", "sn-1", rekey(None)));
    assert_eq!((unknown.code(), unknown), (Code::BatchClosed, BatchRefusal::Unknown("RK-1".to_owned())));
    let batch = append(&journal, opened("RK-1", terms(None, 3)));
    let (id, device) = (|| "RK-1".parse().unwrap(), || of("RK-1", "sn-1", rekey(None)));
    let other_key = |change: &dyn Fn(&mut Intent)| {
        let mut intent = device();
        change(&mut intent);
        refused(&journal, intent)
    };
    type Change = (&'static str, &'static dyn Fn(&mut Intent));
    let changes: [Change; 5] = [
        ("gk", &|intent| intent.key.label = "gk-2026b".parse().unwrap()),
        ("gkcv", &|intent| intent.key.check_value = "0102030405".parse().unwrap()),
        ("scope", &|intent| intent.key.scope = "0ne00EMU002".parse().unwrap()),
        ("slot", &|intent| intent.key.slot = KeySlot::Secondary),
        ("endpoint", &|intent| intent.endpoint = "elsewhere.example.com".to_owned()),
    ];
    for (field, change) in changes {
        let refusal = other_key(change);
        assert_eq!((refusal.code(), refusal), (Code::BatchTerms, BatchRefusal::Terms { batch: id(), field }));
    }
    let why = RekeyReason::new(ReasonCode::Returned, "another note").unwrap();
    for (field, other) in [
        ("profile_sha256", Rekey { profile: [0x22; 32], ..rekey(None) }),
        ("reason", Rekey { reason: ReasonCode::BoardRepair.into(), ..rekey(None) }),
        ("note", Rekey { reason: why, ..rekey(None) }),
        ("op2", Rekey { approver: "su-2".to_owned(), ..rekey(None) }),
        ("same_key", Rekey { same_key: true, ..rekey(None) }),
    ] {
        let refusal = refused(&journal, of("RK-1", "sn-1", other));
        assert_eq!(refusal, BatchRefusal::Terms { batch: id(), field });
    }
    let first_key = Intent { job: "RK-1".to_owned(), ..intent("sn-3") };
    assert_eq!(refused(&journal, first_key), BatchRefusal::Terms { batch: id(), field: "mode" });

    // A slot that asked before the end comes after it.
    let begun = append(&journal, follow(&journal, device()));
    let late = follow(&journal, of("RK-1", "sn-2", rekey(None)));
    let end = append(&journal, closed("RK-1", batch, [0, 1, 2], None));
    let AppendError::NotBegun(refusal) = journal.append(&entry(late)).unwrap_err() else { panic!() };
    assert_eq!(refusal.code(), Code::BatchClosed);
    assert_eq!(refusal, IntentRefusal::Batch(BatchRefusal::Closed { batch: id(), record: end }));
    // What comes of a write that was under way is the truth, and nobody begins it again.
    append(&journal, Event::Result(outcome("sn-1", begun, Holds::Unknown)));
    append(&journal, Event::Resolve(outcome("sn-1", begun, Holds::New)));
    assert!(matches!(refused(&journal, device()), BatchRefusal::Closed { .. }));
    // One device is of no batch.
    append(&journal, follow(&journal, Intent { job: String::new(), ..device() }));
    rebuilt(&paths, journal);
}

#[test]
fn so_many_devices_are_begun_as_were_approved_and_each_is_done_once() {
    let directory = tempfile::tempdir().unwrap();
    let (paths, journal) = begin(directory.path());
    for rid in ["sn-1", "sn-2", "sn-3"] {
        keyed(&journal, rid);
    }
    append(&journal, opened("RK-1", terms(None, 2)));
    let device = |rid: &str| of("RK-1", rid, rekey(None));
    let first = append(&journal, follow(&journal, device("sn-1")));
    append(&journal, Event::Result(outcome("sn-1", first, Holds::New)));
    let done = refused(&journal, device("sn-1"));
    assert_eq!((done.code(), done), (Code::AlreadyRekeyed, BatchRefusal::Done("RK-1".parse().unwrap())));
    for holds in [Holds::Old, Holds::Unknown] {
        // Whoever failed keeps the place, and is begun again.
        let seq = append(&journal, follow(&journal, device("sn-2")));
        append(&journal, Event::Result(outcome("sn-2", seq, holds)));
    }
    let full = refused(&journal, device("sn-3"));
    assert_eq!(full.code(), Code::BatchFull);
    assert_eq!(full, BatchRefusal::Full { batch: "RK-1".parse().unwrap(), quantity: 2 });
    let journal = rebuilt(&paths, journal);
    assert!(matches!(refused(&journal, device("sn-3")), BatchRefusal::Full { .. }));
    append(&journal, follow(&journal, device("sn-2")));
}

#[test]
fn the_log_tells_who_is_on_the_list_without_the_list() {
    let directory = tempfile::tempdir().unwrap();
    let (paths, journal) = begin(directory.path());
    for rid in ["sn-1", "sn-2", "sn-3", "sn-4"] {
        keyed(&journal, rid);
    }
    let board = intent("sn-2").identity;
    let (mac, serial) = (board.mac.unwrap().spelled(""), board.serial.unwrap());
    let second = format!("sn-2,{mac},{serial}");
    let (hashes, [first, mut other]) = list_of_two(["sn-1,,", &second], BY_ID);
    other.named = RowNames { id: true, mac: true, serial: true };
    append(&journal, opened("RK-1", terms(Some(hashes), 2)));
    let device = |rid: &str, place: &ListPlace| of("RK-1", rid, rekey(Some(place.clone())));
    let strangers = [
        of("RK-1", "sn-1", rekey(None)),
        device("sn-3", &first),
        device("sn-1", &other),
        device("sn-1", &ListPlace { row: 1, ..first.clone() }),
        device("sn-1", &ListPlace { row: 2, ..first.clone() }),
        device("sn-1", &ListPlace { path: vec![], ..first.clone() }),
        device("sn-1", &ListPlace { path: vec![first.path[0]; 2], ..first.clone() }),
        device("sn-2", &ListPlace { named: BY_ID, ..other.clone() }),
    ];
    for stranger in strangers {
        let refusal = refused(&journal, stranger.clone());
        assert_eq!(refusal.code(), Code::NotOfBatch);
        assert_eq!(refusal, BatchRefusal::NotListed("RK-1".parse().unwrap()), "{stranger:?}");
    }
    append(&journal, follow(&journal, device("sn-1", &first)));
    append(&journal, follow(&journal, device("sn-2", &other)));
    append(&journal, follow(&journal, device("sn-1", &first)));

    // Two boards that are what one row says: the one that came first is meant.
    let named = RowNames { id: false, mac: false, serial: true };
    let same = intent("sn-3").identity.serial.unwrap();
    let (hashes, [row, _]) = list_of_two([&format!(",,{same}"), ",,S-9"], named);
    append(&journal, opened("RK-2", BatchTerms { before: Some(9), ..terms(Some(hashes), 2) }));
    let third = |rid: &str| Intent {
        identity: intent("sn-3").identity,
        fingerprint: key_of(rid).fingerprint(),
        ..of("RK-2", rid, rekey(Some(row.clone())))
    };
    append(&journal, follow(&journal, third("sn-3")));
    let taken = refused(&journal, third("sn-3-b"));
    let expected = BatchRefusal::Taken { batch: "RK-2".parse().unwrap(), row: 0 };
    assert_eq!((taken.code(), taken), (Code::NotOfBatch, expected));
    let journal = rebuilt(&paths, journal);
    assert!(matches!(refused(&journal, third("sn-3-b")), BatchRefusal::Taken { .. }));
}

/// A leak is healed by another key: the record says that it was one, or that two people knew that it may be none.
#[test]
fn a_reason_that_asks_for_another_key_gets_one_or_two_people_said_so() {
    let directory = tempfile::tempdir().unwrap();
    let (paths, journal) = begin(directory.path());
    keyed(&journal, "sn-1");
    for reason in [ReasonCode::LeakedKey, ReasonCode::KeyRotation] {
        for (effect, code) in [(Effect::SameKey, Code::SameKey), (Effect::UnknownKey, Code::UnknownKey)] {
            let said = |same_key| Rekey { reason: reason.into(), effect, same_key, ..rekey(None) };
            let refusal = refused(&journal, of("", "sn-1", said(false)));
            assert_eq!((refusal.code(), refusal), (code, BatchRefusal::Effect { reason, effect }));
            append(&journal, follow(&journal, of("", "sn-1", said(true))));
        }
        let healed = Rekey { reason: reason.into(), ..rekey(None) };
        append(&journal, follow(&journal, of("", "sn-1", healed)));
    }
    rebuilt(&paths, journal);
}

#[test]
fn nobody_gains_by_writing_into_the_table_of_batches() {
    let directory = tempfile::tempdir().unwrap();
    let (paths, journal) = begin(directory.path());
    keyed(&journal, "sn-1");
    let (hashes, [place, _]) = list_of_two(["sn-1,,", "sn-2,,"], BY_ID);
    let first = append(&journal, opened("RK-1", terms(Some(hashes), 2)));
    append(&journal, follow(&journal, of("RK-1", "sn-1", rekey(Some(place)))));
    let second = append(&journal, opened("RK-2", BatchTerms { before: Some(first), ..terms(None, 1) }));
    append(&journal, closed("RK-2", second, [0, 0, 1], None));
    journal.close().unwrap();
    let kept = std::fs::read(&paths.db).unwrap();
    for sql in [
        "DELETE FROM batch WHERE job = 'RK-2'",
        "UPDATE batch SET closed = NULL",
        "UPDATE batch SET qty = 99 WHERE job = 'RK-1'",
        "UPDATE batch SET list_root = '' WHERE job = 'RK-1'",
        "UPDATE batch SET judged = 0 WHERE job = 'RK-1'",
        "UPDATE batch SET begun = 0 WHERE job = 'RK-1'",
        "UPDATE batch SET opened = opened + 1 WHERE job = 'RK-1'",
        "INSERT INTO batch VALUES ('RK-3', 1, NULL, 9, '', 1, 0)",
    ] {
        attacker(&paths).execute_batch(sql).unwrap();
        assert_eq!(findings(&paths), [Finding::Derived { table: "batch" }], "{sql}");
        does_not_open(&paths, "batch", sql);
        std::fs::write(&paths.db, &kept).unwrap();
    }
    // Who has which row nobody is told by; a verification finds it.
    attacker(&paths).execute_batch("UPDATE sighting SET place = 1 WHERE place = 0").unwrap();
    assert_eq!(findings(&paths), [Finding::Derived { table: "sighting" }]);
    std::fs::write(&paths.db, &kept).unwrap();
    open(&paths).unwrap();
}

/// Whoever has the signing key can write what no station writes: the records themselves say so.
#[test]
fn what_no_batch_allows_is_found_though_it_is_signed() {
    let directory = tempfile::tempdir().unwrap();
    let (_, journal) = begin(directory.path());
    for rid in ["sn-1", "sn-2"] {
        keyed(&journal, rid);
    }
    let (hashes, [one, two]) = list_of_two(["sn-1,,", "sn-2,,"], BY_ID);
    let first = append(&journal, opened("RK-1", terms(Some(hashes), 2)));
    let begun = append(&journal, follow(&journal, of("RK-1", "sn-1", rekey(Some(one)))));
    let proved = append(&journal, Event::Result(outcome("sn-1", begun, Holds::New)));
    let second = append(&journal, follow(&journal, of("RK-1", "sn-2", rekey(Some(two)))));
    let end = append(&journal, closed("RK-1", first, [1, 1, 0], None));
    let single = append(&journal, follow(&journal, of("", "sn-2", rekey(None))));
    journal.close().unwrap();
    let forged = |at: Seq, old: &str, new: &str| -> Vec<(Seq, BatchRefusal)> {
        let other = tempfile::tempdir().unwrap();
        crate::support::copy(directory.path(), other.path());
        let paths = Paths::in_dir(other.path());
        let checkpoint = crate::forge::forge(&paths, |seq, body| {
            assert!(seq != at || body.contains(old), "{body}");
            if seq == at { body.replace(old, new) } else { body }
        });
        crate::forge::sign(&paths, &checkpoint);
        Journal::rebuild(&paths).unwrap();
        let found = findings(&paths).into_iter().map(|finding| match finding {
            Finding::Batch { seq, why } => (seq, why),
            other => panic!("{other}"),
        });
        found.collect()
    };
    let batch = || "RK-1".parse().unwrap();
    assert_eq!(forged(first, "", ""), []);
    // Under another ID its devices and its end are of none.
    let unknown = |id: &str| BatchRefusal::Unknown(id.to_owned());
    let all = [(begun, unknown("RK-1")), (second, unknown("RK-1")), (end, unknown("RK-1"))];
    assert_eq!(forged(first, "\"job\":\"RK-1\"", "\"job\":\"RK-2\""), all);
    assert_eq!(forged(single, "\"job\":\"\"", "\"job\":\"RK-9\""), [(single, unknown("RK-9"))]);
    // Also under its own, once it was closed.
    let late = BatchRefusal::Closed { batch: batch(), record: end };
    assert_eq!(forged(single, "\"job\":\"\"", "\"job\":\"RK-1\""), [(single, late)]);
    let terms = |field| BatchRefusal::Terms { batch: batch(), field };
    assert_eq!(forged(begun, "9B5BDBEC8B", "0102030405"), [(begun, terms("gkcv"))]);
    assert_eq!(forged(begun, "\"op2\":\"su-1\"", "\"op2\":\"su-2\""), [(begun, terms("op2"))]);
    let counts = BatchRefusal::Counts(batch());
    // Another device than that of the row; the outcome is that of nobody then.
    assert_eq!(
        forged(begun, "\"rid\":\"sn-1\"", "\"rid\":\"sn-2\"")[0],
        (begun, BatchRefusal::NotListed(batch()))
    );
    assert_eq!(forged(second, "\"row\":1", "\"row\":0"), [(second, BatchRefusal::NotListed(batch()))]);
    assert_eq!(forged(proved, "\"holds\":\"new\"", "\"holds\":\"unknown\""), [(end, counts.clone())]);
    assert_eq!(forged(end, "\"done\":1,", "\"done\":2,"), [(end, counts.clone())]);
    assert_eq!(
        forged(first, "\"op2\":\"su-1\"", "\"op2\":\"op-0117\"")[0].1,
        BatchRefusal::OnePerson("RK-1".to_owned())
    );
    // One that says too little is of an older program, which asked nothing: it binds nobody.
    assert_eq!(forged(first, "\"profile_sha256\"", "\"profile_sha257\""), []);
    let lies = BatchRefusal::Effect { reason: ReasonCode::LeakedKey, effect: Effect::SameKey };
    assert_eq!(
        forged(single, "\"effect\":\"new-key\"", "\"effect\":\"same-key\""),
        [],
        "whoever came back gets the same key again"
    );
    let leak = "\"effect\":\"same-key\"";
    let other = tempfile::tempdir().unwrap();
    crate::support::copy(directory.path(), other.path());
    let paths = Paths::in_dir(other.path());
    let checkpoint = crate::forge::forge(&paths, |seq, body| match seq == single {
        true => body.replace("\"effect\":\"new-key\"", leak).replace("\"returned\"", "\"leaked-key\""),
        false => body,
    });
    crate::forge::sign(&paths, &checkpoint);
    Journal::rebuild(&paths).unwrap();
    assert_eq!(findings(&paths), [Finding::Batch { seq: single, why: lies }]);
}
