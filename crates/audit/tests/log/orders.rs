use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use keystation_audit::{
    AppendError, Finding, IntentRefusal, Journal, OrderRefusal, OrderState, Paths, Reader, WorkOrder,
};
use keystation_core::failure::Code;
use keystation_core::flow::LogError;
use keystation_core::identity::Identity;
use keystation_core::key::GroupKeyInfo;
use keystation_core::order::OrderId;
use keystation_core::record::{Event, Holds, Intent, Mode, OrderChange, OrderEvent, OrderTerms, Seq, Value};

use crate::support::{
    attacker, begin, copy, entry, findings, follow, group_key, intact, intent, key_of, open, outcome,
};

fn order_id(id: &str) -> OrderId {
    id.parse().unwrap()
}

pub(crate) fn order(id: &str, change: OrderChange) -> Event {
    Event::Order(OrderEvent { order: order_id(id), change })
}

fn terms(quantity: u64) -> OrderTerms {
    OrderTerms {
        digest: [0xa5; 32],
        quantity,
        key: group_key().label,
        check_value: group_key().check_value,
        profile: "thermostat.toml".to_owned(),
        from: "2026-11-22".to_owned(),
        until: "2026-11-22".to_owned(),
        signer: String::new(),
    }
}

pub(crate) fn created(id: &str, quantity: u64) -> Event {
    order(id, OrderChange::Created(Box::new(terms(quantity))))
}

fn raised(quantity: u64) -> OrderChange {
    OrderChange::Raised { quantity, reason: "spare parts".to_owned(), approver: "su-2".to_owned() }
}

fn scrapped(rid: Option<&str>, serial: &str) -> OrderChange {
    let identity = Identity { mac: None, serial: Some(serial.parse().unwrap()) };
    OrderChange::Scrapped { id: rid.map(crate::support::id), identity, reason: "it fell".to_owned() }
}

fn closed(counts: (u64, u64, u64), reason: &str) -> OrderChange {
    let (begun, passed, scrapped) = counts;
    OrderChange::Closed { begun, passed, scrapped, reason: reason.to_owned() }
}

fn append(journal: &Journal, event: Event) -> Seq {
    journal.append(&entry(event)).unwrap()
}

/// An intent for `rid`, with a serial number of its own, under the order `job`.
fn intent_under(journal: &Journal, job: &str, rid: &str) -> Event {
    let identity = Identity { mac: None, serial: Some(format!("S-{rid}").parse().unwrap()) };
    follow(journal, Intent { job: job.to_owned(), identity, ..intent(rid) })
}

fn begin_device(journal: &Journal, job: &str, rid: &str) -> Result<Seq, AppendError> {
    journal.append(&entry(intent_under(journal, job, rid)))
}

/// Begins a device and says what came of it.
fn make(journal: &Journal, job: &str, rid: &str, holds: Holds) -> Seq {
    let seq = begin_device(journal, job, rid).unwrap();
    append(journal, Event::Result(outcome(rid, seq, holds)));
    seq
}

fn refusal(result: Result<Seq, AppendError>) -> IntentRefusal {
    match result {
        Err(AppendError::NotBegun(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

fn order_refusal(journal: &Journal, id: &str, change: OrderChange) -> OrderRefusal {
    match journal.append(&entry(order(id, change))) {
        Err(AppendError::Order(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

/// What a customer signed nobody on the floor raises.
#[test]
fn a_signed_quantity_is_not_raised() {
    let directory = tempfile::tempdir().unwrap();
    let (_paths, journal) = begin(directory.path());
    let signed = OrderTerms { signer: "customer.example.com/orders".to_owned(), ..terms(2) };
    journal.append(&entry(order("WO-1", OrderChange::Created(Box::new(signed))))).unwrap();
    journal.append(&entry(created("WO-2", 2))).unwrap();
    let refused = order_refusal(&journal, "WO-1", raised(3));
    assert!(matches!(refused, OrderRefusal::Signed(ref id) if *id == order_id("WO-1")), "{refused:?}");
    journal.append(&entry(order("WO-2", raised(3)))).unwrap();
}

fn standing(paths: &Paths, id: &str) -> WorkOrder {
    Reader::open(paths).unwrap().work_order(&order_id(id)).unwrap().unwrap()
}

fn counts(paths: &Paths, id: &str) -> (u64, u64, u64) {
    let WorkOrder { begun, passed, scrapped, .. } = standing(paths, id);
    (begun, passed, scrapped)
}

/// A log with the order `WO-1` open.
fn with_order(directory: &std::path::Path, quantity: u64) -> (Paths, Journal) {
    let (paths, journal) = begin(directory);
    append(&journal, created("WO-1", quantity));
    append(&journal, order("WO-1", OrderChange::Opened));
    (paths, journal)
}

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

#[test]
fn nothing_is_begun_under_an_order_that_is_not_open_or_for_another_day_or_key() {
    let directory = tempfile::tempdir().unwrap();
    let (paths, journal) = begin(directory.path());
    append(&journal, created("WO-1", 5));
    append(&journal, created("WO-2", 5));
    let not_open = |job: &str, state| {
        let refused = refusal(begin_device(&journal, job, "sn-1"));
        assert_eq!(refused, IntentRefusal::NotOpen { order: order_id(job), state });
        assert_eq!(refused.code(), Code::NoOrder);
    };
    not_open("WO-1", OrderState::Waiting);
    append(&journal, order("WO-1", OrderChange::Opened));
    assert!(matches!(order_refusal(&journal, "WO-1", OrderChange::Opened), OrderRefusal::State { .. }));
    make(&journal, "WO-1", "sn-1", Holds::New);
    // One at a time: the other waits, keeps its counts and goes on later.
    append(&journal, order("WO-2", OrderChange::Opened));
    not_open("WO-1", OrderState::Waiting);
    assert_eq!(Reader::open(&paths).unwrap().open_order().unwrap(), Some(standing(&paths, "WO-2")));
    append(&journal, order("WO-1", OrderChange::Opened));
    assert_eq!(counts(&paths, "WO-1"), (1, 1, 0));
    let key = GroupKeyInfo { check_value: "0123456789".parse().unwrap(), ..group_key() };
    let Event::Intent(other) = intent_under(&journal, "WO-1", "sn-2") else { panic!() };
    let other = Event::Intent(Intent { key, ..other });
    assert_eq!(refusal(journal.append(&entry(other))).code(), Code::NoOrder);
    for (from, until) in [("2026-11-23", "2026-12-31"), ("2026-01-01", "2026-11-21")] {
        let id = format!("WO-{until}");
        let days = OrderTerms { from: from.to_owned(), until: until.to_owned(), ..terms(5) };
        append(&journal, order(&id, OrderChange::Created(Box::new(days))));
        append(&journal, order(&id, OrderChange::Opened));
        let refused = refusal(begin_device(&journal, &id, "sn-3"));
        assert!(
            matches!(&refused, IntentRefusal::NotToday { day, .. } if day == "2026-11-22"),
            "{refused:?}"
        );
    }
    let bad = OrderTerms { until: "2026-02-30".to_owned(), ..terms(1) };
    let refused = journal.append(&entry(order("WO-9", OrderChange::Created(Box::new(bad)))));
    assert!(matches!(refused, Err(AppendError::NotARecord(_))), "{refused:?}");
    let none = order("WO-9", OrderChange::Created(Box::new(terms(0))));
    assert!(matches!(journal.append(&entry(none)), Err(AppendError::NotARecord(_))));
    intact(&paths);
}

#[test]
fn an_id_is_given_once_also_where_only_devices_of_before_name_it() {
    let directory = tempfile::tempdir().unwrap();
    let (paths, journal) = with_order(directory.path(), 1);
    let known = |id: &str| {
        let refused = journal.append(&entry(created(id, 1)));
        assert!(matches!(&refused, Err(AppendError::Order(OrderRefusal::Known(_)))), "{refused:?}");
    };
    known("WO-1");
    make(&journal, "WO-0", "sn-1", Holds::New);
    known("WO-0");
    append(&journal, order("WO-1", closed((0, 0, 0), "cancelled")));
    known("WO-1");
    assert_eq!(order_refusal(&journal, "WO-7", OrderChange::Opened), OrderRefusal::Unknown(order_id("WO-7")));
    intact(&paths);
}

#[test]
fn an_order_is_closed_when_every_device_is_accounted_for() {
    let directory = tempfile::tempdir().unwrap();
    let (paths, journal) = with_order(directory.path(), 4);
    make(&journal, "WO-1", "sn-1", Holds::New);
    make(&journal, "WO-1", "sn-2", Holds::Old);
    let doubtful = make(&journal, "WO-1", "sn-3", Holds::Unknown);
    let missing = |counts, reason| match order_refusal(&journal, "WO-1", closed(counts, reason)) {
        OrderRefusal::Unaccounted { missing, .. } => missing.devices,
        other => panic!("{other:?}"),
    };
    assert_eq!(missing((3, 1, 0), "enough"), ["sn-2", "sn-3"]);
    append(&journal, order("WO-1", scrapped(Some("sn-2"), "S-sn-2")));
    assert_eq!(
        order_refusal(&journal, "WO-1", scrapped(Some("sn-2"), "S-sn-2")),
        OrderRefusal::Scrap(order_id("WO-1"))
    );
    assert_eq!(missing((3, 1, 1), "enough"), ["sn-3"]);
    // What is scrap is not begun again.
    assert_eq!(refusal(begin_device(&journal, "WO-1", "sn-2")).code(), Code::Unlisted);
    append(&journal, Event::Resolve(outcome("sn-3", doubtful, Holds::New)));
    // A device that passed and may have been written again since is in doubt too.
    let mode = Mode::Rekey { reason: "repair".to_owned(), approver: "su-1".to_owned() };
    let Event::Intent(again) = intent_under(&journal, "WO-1", "sn-3") else { panic!() };
    let again = append(&journal, Event::Intent(Intent { mode, ..again }));
    assert_eq!(missing((3, 2, 1), "enough"), ["sn-3"]);
    append(&journal, Event::Result(outcome("sn-3", again, Holds::Old)));
    let short = order_refusal(&journal, "WO-1", closed((3, 2, 1), " "));
    assert_eq!(short, OrderRefusal::Short { order: order_id("WO-1"), short: 1 });
    let stale = order_refusal(&journal, "WO-1", closed((3, 1, 1), "enough"));
    assert_eq!(stale, OrderRefusal::Counts(order_id("WO-1")));
    append(&journal, order("WO-1", closed((3, 2, 1), "the customer took three")));
    for change in [OrderChange::Opened, raised(9), scrapped(None, "S-sn-9"), closed((3, 2, 1), "again")] {
        let refused = order_refusal(&journal, "WO-1", change);
        assert!(matches!(refused, OrderRefusal::State { state: OrderState::Closed, .. }), "{refused:?}");
    }
    assert!(matches!(refusal(begin_device(&journal, "WO-1", "sn-9")), IntentRefusal::NotOpen { .. }));
    assert_eq!(Reader::open(&paths).unwrap().open_order().unwrap(), None);

    // With as many as ordered it takes no reason; a dead device whose outcome nobody knows is scrap.
    append(&journal, created("WO-2", 2));
    append(&journal, order("WO-2", OrderChange::Opened));
    make(&journal, "WO-2", "sn-21", Holds::New);
    make(&journal, "WO-2", "sn-22", Holds::Unknown);
    append(&journal, order("WO-2", scrapped(Some("sn-22"), "S-sn-22")));
    append(&journal, order("WO-2", closed((2, 1, 1), "")));
    let size = intact(&paths);
    let before = Reader::open(&paths).unwrap().work_orders().unwrap();
    journal.close().unwrap();
    Journal::rebuild(&paths).unwrap();
    assert_eq!((Reader::open(&paths).unwrap().work_orders().unwrap(), intact(&paths)), (before, size));
}

/// What the flow needs to know before it asks a device what came of an intent.
#[test]
fn an_open_intent_says_which_board_and_order_it_was_for_and_whether_that_is_scrap() {
    let directory = tempfile::tempdir().unwrap();
    let (paths, journal) = with_order(directory.path(), 4);
    for (rid, by) in [("sn-1", Some("sn-1")), ("sn-2", None)] {
        make(&journal, "WO-1", rid, Holds::Unknown);
        let open = || journal.standing(&crate::support::id(rid)).unwrap().open.unwrap();
        assert_eq!((open().job.as_str(), open().scrap), ("WO-1", false));
        let serial = format!("S-{rid}");
        assert_eq!(open().identity, Identity { mac: None, serial: serial.parse().ok() });
        append(&journal, order("WO-1", scrapped(by, &serial)));
        assert!(open().scrap, "{rid}");
    }
    intact(&paths);
}

/// Another recipe makes another registration ID of the same board, and would give it a second key.
#[test]
fn a_board_has_one_key_under_whichever_registration_id() {
    let directory = tempfile::tempdir().unwrap();
    let (paths, journal) = begin(directory.path());
    let try_it = |rid: &str, mac: &str, serial: &str| {
        let mac = (!mac.is_empty()).then(|| mac.parse().unwrap());
        let serial = (!serial.is_empty()).then(|| serial.parse().unwrap());
        let Event::Intent(intent) = follow(&journal, intent(rid)) else { panic!() };
        let intent = Intent { identity: Identity { mac, serial }, job: String::new(), ..intent };
        journal.append(&entry(Event::Intent(intent)))
    };
    let (a, b) = ("a4:cf:12:00:00:01", "a4:cf:12:00:00:02");
    let first = try_it("sn-1", a, "SN-1").unwrap();
    let refused = |rid, mac, serial| refusal(try_it(rid, mac, serial));
    let other_id = IntentRefusal::OtherId { record: first, id: "sn-1".to_owned() };
    // While it is in work, and when it has its key.
    for _ in 0..2 {
        for (rid, mac, serial) in [("mac-a", a, "SN-1"), ("mac-a", a, ""), ("serial-1", "", "SN-1")] {
            let found = refused(rid, mac, serial);
            assert_eq!((found.code(), &found), (Code::AlreadyRecorded, &other_id), "{rid} {mac} {serial}");
        }
        assert_eq!(refused("mac-b", b, "SN-1"), IntentRefusal::OtherBoard { record: first });
        assert_eq!(refused("mac-a", a, "SN-2"), IntentRefusal::OtherBoard { record: first });
        append(&journal, Event::Result(outcome("sn-1", first, Holds::New)));
    }
    try_it("mac-b", b, "SN-2").unwrap();
    // One that failed has none, under whichever.
    let failed = try_it("sn-3", "", "SN-3").unwrap();
    append(&journal, Event::Result(outcome("sn-3", failed, Holds::Old)));
    try_it("serial-3", "", "SN-3").unwrap();
    intact(&paths);
}

/// R13 and R14 of a line: no two boards under one label, no two devices with one key.
#[test]
fn another_board_and_a_key_of_another_device_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let (paths, journal) = begin(directory.path());
    let board = |rid: &str, mac: &str, serial: &str| {
        let mac = (!mac.is_empty()).then(|| mac.parse().unwrap());
        let serial = (!serial.is_empty()).then(|| serial.parse().unwrap());
        let Event::Intent(intent) = follow(&journal, intent(rid)) else { panic!() };
        Intent { identity: Identity { mac, serial }, job: String::new(), ..intent }
    };
    let try_it = |intent: Intent| journal.append(&entry(Event::Intent(intent)));
    let (a, b) = ("a4:cf:12:00:00:01", "a4:cf:12:00:00:02");
    let first = try_it(board("sn-1-a", a, "SN-1")).unwrap();
    // Not known yet what became of it: it may hold a key.
    let refused = refusal(try_it(board("sn-1-b", b, "SN-1")));
    assert_eq!((refused.code(), &refused), (Code::OtherBoard, &IntentRefusal::OtherBoard { record: first }));
    append(&journal, Event::Result(outcome("sn-1-a", first, Holds::Old)));
    // It failed: another board may take its label.
    let second = try_it(board("sn-1-b", b, "SN-1")).unwrap();
    append(&journal, Event::Result(outcome("sn-1-b", second, Holds::New)));
    for (rid, mac, serial) in [("sn-1-a", a, "SN-1"), ("sn-2-b", b, "SN-2")] {
        let refused = refusal(try_it(board(rid, mac, serial)));
        assert_eq!(refused, IntentRefusal::OtherBoard { record: second }, "{rid}");
    }
    // The same board again, also where it does not say the other half.
    for (mac, serial) in [(b, "SN-1"), ("", "SN-1"), (b, "")] {
        let again = try_it(board("sn-1-b", mac, serial)).unwrap();
        append(&journal, Event::Result(outcome("sn-1-b", again, Holds::Old)));
    }
    let mode = Mode::Rekey { reason: "new board".to_owned(), approver: "su-1".to_owned() };
    try_it(Intent { mode, ..board("sn-2-b", b, "SN-2") }).unwrap();

    let same = Intent { fingerprint: key_of("sn-1-b").fingerprint(), ..board("sn-9", "", "SN-9") };
    let refused = refusal(try_it(same));
    assert_eq!((refused.code(), refused), (Code::Collision, IntentRefusal::Collision { record: second }));
    intact(&paths);
}

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

/// The second example of section 12: its records, told without what every record has.
#[test]
fn document_prints_the_records_of_an_order() {
    let example = crate::vectors::vectors("work-order.json");
    let digest = crate::vectors::bytes(crate::vectors::text(&example, "sha256")).try_into().unwrap();
    let (from, until) = ("2026-11-25".to_owned(), "2026-12-24".to_owned());
    let terms = OrderTerms { digest, from, until, ..terms(500) };
    let identity = Identity {
        mac: Some("a4:cf:12:00:01:07".parse().unwrap()),
        serial: Some("SN00000263".parse().unwrap()),
    };
    let reason = "one more for the customer".to_owned();
    let changes = [
        ("su-1", "supervisor", OrderChange::Created(Box::new(terms))),
        ("op-0117", "operator", OrderChange::Opened),
        ("su-1", "supervisor", OrderChange::Raised { quantity: 501, reason, approver: "su-2".to_owned() }),
        (
            "su-1",
            "supervisor",
            OrderChange::Scrapped { id: None, identity, reason: "the connector broke".to_owned() },
        ),
        ("su-1", "supervisor", closed((500, 500, 1), "")),
    ];
    let mut told = String::new();
    for (operator, role, change) in changes {
        let event = order("WO-44192", change);
        let mut fields: BTreeMap<&str, serde_json::Value> = BTreeMap::new();
        for (key, value) in event.fields() {
            let value = match value {
                Value::Text(text) => text.into(),
                Value::Number(number) => number.into(),
            };
            fields.insert(key, value);
        }
        for (key, value) in [
            ("ev", event.name()),
            ("op", operator),
            ("op2", event.approver()),
            ("rc", event.rc()),
            ("role", role),
        ] {
            assert_eq!(fields.insert(key, value.into()), None);
        }
        told += &serde_json::to_string(&fields).unwrap();
    }
    let document = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/audit-format.md");
    let document = std::fs::read_to_string(document).unwrap();
    let (_, section) = document.split_once("A supervisor creates a work order").unwrap();
    let printed: String = section.lines().filter_map(|line| line.strip_prefix("    ")).collect();
    assert_eq!(printed, told);
}
