use std::collections::BTreeMap;

use keystation_audit::{
    AppendError, IntentRefusal, Journal, OrderRefusal, OrderState, OrderTally, Paths, Reader, WorkOrder,
};
use keystation_core::failure::Code;
use keystation_core::flow::{Retired, Retirement};
use keystation_core::identity::Identity;
use keystation_core::key::GroupKeyInfo;
use keystation_core::order::OrderId;
use keystation_core::record::{
    Event, Holds, Intent, Mode, OrderChange, OrderEvent, OrderTerms, Rekey, Seq, Value,
};
use keystation_core::repair::ReasonCode;

use crate::support::{begin, entry, follow, group_key, intact, intent, outcome};

pub(crate) fn order_id(id: &str) -> OrderId {
    id.parse().unwrap()
}

pub(crate) fn order(id: &str, change: OrderChange) -> Event {
    Event::Order(OrderEvent { order: order_id(id), change })
}

pub(crate) fn terms(quantity: u64) -> OrderTerms {
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

pub(crate) fn raised(quantity: u64) -> OrderChange {
    OrderChange::Raised { quantity, reason: "spare parts".to_owned(), approver: "su-2".to_owned() }
}

pub(crate) fn scrapped(rid: Option<&str>, serial: &str) -> OrderChange {
    let identity = Identity { mac: None, serial: Some(serial.parse().unwrap()) };
    OrderChange::Scrapped { id: rid.map(crate::support::id), identity, reason: "it fell".to_owned() }
}

pub(crate) fn closed(counts: (u64, u64, u64), reason: &str) -> OrderChange {
    let (begun, passed, scrapped) = counts;
    OrderChange::Closed { begun, passed, scrapped, reason: reason.to_owned() }
}

pub(crate) fn append(journal: &Journal, event: Event) -> Seq {
    journal.append(&entry(event)).unwrap()
}

/// An intent for `rid`, with a serial number of its own, under the order `job`.
pub(crate) fn intent_under(journal: &Journal, job: &str, rid: &str) -> Event {
    let identity = Identity { mac: None, serial: Some(format!("S-{rid}").parse().unwrap()) };
    follow(journal, Intent { job: job.to_owned(), identity, ..intent(rid) })
}

pub(crate) fn begin_device(journal: &Journal, job: &str, rid: &str) -> Result<Seq, AppendError> {
    journal.append(&entry(intent_under(journal, job, rid)))
}

/// Begins a device and says what came of it.
pub(crate) fn make(journal: &Journal, job: &str, rid: &str, holds: Holds) -> Seq {
    let seq = begin_device(journal, job, rid).unwrap();
    append(journal, Event::Result(outcome(rid, seq, holds)));
    seq
}

pub(crate) fn refusal(result: Result<Seq, AppendError>) -> IntentRefusal {
    match result {
        Err(AppendError::NotBegun(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn order_refusal(journal: &Journal, id: &str, change: OrderChange) -> OrderRefusal {
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

pub(crate) fn standing(paths: &Paths, id: &str) -> WorkOrder {
    Reader::open(paths).unwrap().work_order(&order_id(id)).unwrap().unwrap()
}

pub(crate) fn counts(paths: &Paths, id: &str) -> (u64, u64, u64) {
    let WorkOrder { begun, passed, scrapped, .. } = standing(paths, id);
    (begun, passed, scrapped)
}

/// A log with the order `WO-1` open.
pub(crate) fn with_order(directory: &std::path::Path, quantity: u64) -> (Paths, Journal) {
    let (paths, journal) = begin(directory);
    append(&journal, created("WO-1", quantity));
    append(&journal, order("WO-1", OrderChange::Opened));
    (paths, journal)
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
    let (paths, journal) = begin(directory.path());
    make(&journal, "WO-0", "sn-1", Holds::New);
    append(&journal, created("WO-1", 1));
    append(&journal, order("WO-1", OrderChange::Opened));
    let known = |id: &str| {
        let refused = journal.append(&entry(created(id, 1)));
        assert!(matches!(&refused, Err(AppendError::Order(OrderRefusal::Known(_)))), "{refused:?}");
    };
    known("WO-1");
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
    assert_eq!(refusal(begin_device(&journal, "WO-1", "sn-2")).code(), Code::Scrapped);
    append(&journal, Event::Resolve(outcome("sn-3", doubtful, Holds::New)));
    // A device that passed, and of which nobody knows any more what it holds, is in doubt too.
    append(&journal, Event::Resolve(outcome("sn-3", doubtful, Holds::Unknown)));
    assert_eq!(missing((3, 2, 1), "enough"), ["sn-3"]);
    append(&journal, Event::Resolve(outcome("sn-3", doubtful, Holds::New)));
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
        let open = journal.standing(&crate::support::id(rid)).unwrap().open.unwrap();
        let retired = || journal.retired(&crate::support::id(rid), &open.identity).unwrap();
        assert_eq!((open.job.as_str(), retired()), ("WO-1", None));
        let serial = format!("S-{rid}");
        assert_eq!(open.identity, Identity { mac: None, serial: serial.parse().ok() });
        let record = append(&journal, order("WO-1", scrapped(by, &serial)));
        let scrap = Some(Retirement { what: Retired::Scrapped, record });
        assert_eq!(retired(), scrap, "{rid}");
    }
    intact(&paths);
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
    // Up to the next section.
    let section = section.split("\n## ").next().unwrap();
    let printed: String = section.lines().filter_map(|line| line.strip_prefix("    ")).collect();
    assert_eq!(printed, told);
}

/// While an order is open no new device goes past it, whatever job it names; before and after, any may.
#[test]
fn no_new_device_goes_past_an_order_that_is_open() {
    let directory = tempfile::tempdir().unwrap();
    let (paths, journal) = begin(directory.path());
    make(&journal, "", "sn-1", Holds::New);
    append(&journal, created("WO-1", 2));
    make(&journal, "", "sn-2", Holds::New);
    append(&journal, order("WO-1", OrderChange::Opened));
    for job in ["", "WO-9", "no order at all"] {
        let refused = refusal(begin_device(&journal, job, "sn-3"));
        assert_eq!(
            (refused.code(), &refused),
            (Code::NoOrder, &IntentRefusal::Past { open: order_id("WO-1") }),
            "{job:?}"
        );
    }
    let mode = Mode::Rekey(Rekey::of_unknown(ReasonCode::Returned, "su-1"));
    let Event::Intent(rekey) = intent_under(&journal, "", "sn-2") else { panic!() };
    append(&journal, Event::Intent(Intent { mode, ..rekey }));
    make(&journal, "WO-1", "sn-3", Holds::New);
    append(&journal, order("WO-1", closed((1, 1, 0), "one less")));
    make(&journal, "", "sn-4", Holds::New);
    intact(&paths);
}

/// Each device of an order is counted once, where it is.
#[test]
fn the_tally_is_what_lies_in_the_boxes() {
    let directory = tempfile::tempdir().unwrap();
    let (paths, journal) = with_order(directory.path(), 20);
    let tally = || {
        let OrderTally { passed, failed, open, scrapped } =
            Reader::open(&paths).unwrap().order_tally(&standing(&paths, "WO-1")).unwrap();
        (passed, failed, open, scrapped)
    };
    for (rid, holds) in [
        ("sn-1", Holds::New),
        ("sn-2", Holds::New),
        ("sn-3", Holds::New),
        ("sn-4", Holds::Old),
        ("sn-5", Holds::Old),
        ("sn-6", Holds::Unknown),
        ("sn-7", Holds::Unknown),
    ] {
        make(&journal, "WO-1", rid, holds);
    }
    assert_eq!(tally(), (3, 2, 2, 0));
    // One that passed is in work again, one of each kind is scrap, and one that nobody saw.
    begin_device(&journal, "WO-1", "sn-3").unwrap();
    assert_eq!(tally(), (2, 2, 3, 0));
    for rid in ["sn-2", "sn-4", "sn-6"] {
        append(&journal, order("WO-1", scrapped(Some(rid), &format!("S-{rid}"))));
    }
    append(&journal, order("WO-1", scrapped(None, "S-never")));
    assert_eq!(tally(), (1, 1, 2, 4));
    assert_eq!(counts(&paths, "WO-1"), (7, 3, 4));
    let unaccounted = Reader::open(&paths).unwrap().unaccounted(&standing(&paths, "WO-1")).unwrap();
    assert_eq!(unaccounted.count, 1 + 2, "those that failed and those that are open");
    intact(&paths);
}
