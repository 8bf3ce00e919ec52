//! Each kind of event as a record.

use keystation_audit::Reader;
use keystation_core::failure::Code;
use keystation_core::record::{
    AfterEvent, Backup, BackupEvent, BatchCounts, BatchTerms, Check, Cleanup, CleanupList, Denial,
    DenialReason, DeviceChange, Event, Holds, Intent, KeyEvent, KeyOrigin, Mode, OrderChange, Purpose, Rekey,
    RepairEvent, SessionEvent, UserChange, UserEvent,
};
use keystation_core::repair::ReasonCode;
use keystation_core::role::Role;

use crate::orders::{created, order};
use crate::support::{ORIGIN, begin, entry, group_key, id, intact, intent, outcome};

fn added(user: &str) -> Event {
    let change = UserChange::Added { roles: Role::Administrator.into(), credential: 1, once: false };
    Event::User(UserEvent { user: user.to_owned(), approver: "ad-2".to_owned(), change })
}

/// One of each. The match makes whoever adds an event add it here too.
fn every_event() -> Vec<Event> {
    let list = CleanupList { sha256: [0xa5; 32], devices: 1, to: 0 };
    let mut events = vec![
        Event::Genesis { vkey: "v".to_owned() },
        Event::Open {
            version: "1".to_owned(),
            sqlite: "1".to_owned(),
            os: "1".to_owned(),
            config: "1".to_owned(),
            build: "1".to_owned(),
            open_intents: 0,
        },
        Event::Close,
        Event::Unlock { custody: "sealed-file" },
        Event::Lock,
        Event::UnlockFailed { why: "passphrase" },
        Event::KeyImport {
            key: group_key(),
            custody: "sealed-file",
            how: KeyOrigin::Single,
            approver: "cu-2".to_owned(),
        },
        added("ad-1"),
        Event::Session(SessionEvent::Proved { user: "ad-1".to_owned(), purpose: Purpose::SignIn }),
        Event::Denied(Denial {
            action: "x".to_owned(),
            why: DenialReason::Role,
            what: String::new(),
            code: String::new(),
        }),
        Event::GroupKey(KeyEvent::Recipient { recipient: "age1q".to_owned() }),
        Event::Intent(intent("sn-1")),
        Event::Intent(Intent {
            mode: Mode::Rekey(Rekey::of_unknown(ReasonCode::Returned, "op-2")),
            ..intent("sn-2")
        }),
        Event::Result(outcome("sn-1", 11, Holds::Unknown)),
        Event::Resolve(outcome("sn-1", 11, Holds::New)),
        Event::Refuse {
            code: Code::Silent,
            port: "p".to_owned(),
            identity: None,
            id: None,
            job: String::new(),
        },
        Event::Refuse {
            code: Code::AlreadyKeyed,
            port: "p".to_owned(),
            identity: Some(intent("sn-1").identity),
            id: Some(id("sn-1")),
            job: "WO-44192".to_owned(),
        },
        Event::Anchor {
            size: 5,
            root: "00".repeat(32),
            witness: "witness.example.com/qa".to_owned(),
            time: 7,
        },
        Event::IntegrityFailed { why: "checkpoint-forked", note: "a\nb\n".to_owned() },
        Event::ReportExported { job: "WO-44192".to_owned(), sha256: [0xa5; 32], records: 1 },
        Event::ShiftReported {
            shift: "0123456789abcdef".to_owned(),
            user: "op-0117".to_owned(),
            from: String::new(),
            until: "2026-11-22T14:00:00.000Z".to_owned(),
            sha256: [0xa5; 32],
            records: 1,
        },
        Event::BundleExported {
            job: String::new(),
            rid: "sn-1".to_owned(),
            from: String::new(),
            to: String::new(),
            records: 2,
            size: 5,
            root: [0x5a; 32],
        },
        Event::SpaceLow { place: "data", free_mib: 1, warn_mib: 2, ballast_given_up: false },
        Event::SpaceLow { place: "head", free_mib: 0, warn_mib: 2, ballast_given_up: true },
        Event::SpaceOk { free_mib: 3 },
        Event::ClockJump { by_ms: -2001, before: "t".to_owned(), against: "record", blocks: false },
        Event::ClockJump { by_ms: -300_001, before: "t".to_owned(), against: "record", blocks: true },
        Event::ClockAccepted { reason: "radio clock".to_owned(), approver: "qa-1".to_owned() },
        created("WO-1", 2),
        order("WO-1", OrderChange::Opened),
        order(
            "WO-1",
            OrderChange::Raised { quantity: 3, reason: "spare".to_owned(), approver: "su-2".to_owned() },
        ),
        order(
            "WO-1",
            OrderChange::Scrapped { id: None, identity: intent("sn-1").identity, reason: "fell".to_owned() },
        ),
        order(
            "WO-1",
            OrderChange::Closed { begun: 0, passed: 0, scrapped: 1, reason: "cancelled".to_owned() },
        ),
        crate::retired::change("sn-9", &intent("sn-9").identity, None, DeviceChange::Revoked),
        Event::Cleanup(Cleanup::Listed(list.clone())),
        Event::Cleanup(Cleanup::Done { list, approver: "su-2".to_owned() }),
        Event::Repair(RepairEvent::Looked {
            id: id("sn-1"),
            identity: intent("sn-1").identity,
            holding: "lost",
        }),
        Event::Repair(RepairEvent::Opened {
            batch: "RK-1".parse().unwrap(),
            terms: Box::new(BatchTerms {
                reason: ReasonCode::KeyRotation.into(),
                same_key: false,
                list: Some([7; 32]),
                devices: 2,
                key: group_key(),
                profile: "second.toml".to_owned(),
                from: Some(group_key().label),
                approver: "su-1".to_owned(),
                before: None,
            }),
        }),
        Event::Repair(RepairEvent::Closed {
            batch: "RK-1".parse().unwrap(),
            opened: 1,
            counts: BatchCounts { asked: 2, done: 1, failed: 0, missing: 1, unexpected: 3 },
            before: Some(0),
        }),
        Event::Rebuilt { why: "asked" },
        Event::SlotOut { number: 5, why: "failures", count: 6, code: Some(Code::Silent) },
        Event::SlotOut { number: 6, why: "flapping", count: 6, code: None },
        Event::SlotBack { number: 5 },
        Event::Backup(BackupEvent::Made(Backup { manifest: [0xa5; 32], size: 5, root: [0x5a; 32] })),
        Event::Backup(BackupEvent::Restored {
            backup: Backup { manifest: [0xa5; 32], size: 5, root: [0x5a; 32] },
            made: "2026-11-22T14:00:00.000Z".to_owned(),
            reason: "the disk broke".to_owned(),
            approver: "ad-2".to_owned(),
        }),
        Event::ReviewSigned { from: 0, to: 0, root: "00".repeat(32), remark: "x".to_owned() },
        Event::Checked(Check { id: None, identity: None, passed: false, code: "silent".to_owned() }),
    ];
    events.extend(after().map(Event::After));
    for event in &events {
        match event {
            Event::Genesis { .. }
            | Event::Open { .. }
            | Event::Close
            | Event::Unlock { .. }
            | Event::Rebuilt { .. }
            | Event::Lock => {}
            Event::UnlockFailed { .. } | Event::KeyImport { .. } | Event::Intent(_) => {}
            Event::User(_)
            | Event::Session(_)
            | Event::Denied(_)
            | Event::GroupKey(_)
            | Event::Order(_)
            | Event::Device(_)
            | Event::Cleanup(_)
            | Event::Checked(_) => {}
            Event::ReportExported { .. } | Event::ShiftReported { .. } => {}
            Event::BundleExported { .. } | Event::ReviewSigned { .. } | Event::Backup(_) => {}
            Event::SpaceLow { .. } | Event::SpaceOk { .. } => {}
            Event::SlotOut { .. } | Event::SlotBack { .. } => {}
            Event::ClockJump { .. } | Event::ClockAccepted { .. } => {}
            Event::Result(_) | Event::Resolve(_) | Event::Refuse { .. } => {}
            Event::Carried(_) | Event::After(_) | Event::Repair(_) => {}
            Event::Anchor { .. } | Event::NextEpoch { .. } | Event::IntegrityFailed { .. } => {}
        }
    }
    events
}

/// What comes after a result.
fn after() -> [AfterEvent; 12] {
    let printer = || "bench".to_owned();
    let program = || "mes".to_owned();
    [
        AfterEvent::LabelsBegun { printer: printer() },
        AfterEvent::LabelAsked { id: id("sn-1"), result: 3, reason: "torn".to_owned() },
        AfterEvent::LabelPrinted { asked: 3, id: "sn-1".to_owned(), printer: printer(), copy: true },
        AfterEvent::LabelFailed { asked: 3, id: "sn-1".to_owned(), printer: printer(), why: "size" },
        AfterEvent::PrinterStalled { printer: printer(), asked: 3, why: "away" },
        AfterEvent::LabelsEnded { printer: printer() },
        AfterEvent::HookFailed { on: "pass", record: 3, program: program(), why: "exit", number: 1 },
        AfterEvent::HooksDropped { program: program(), count: 2, first: 3, last: 5, why: "full" },
        AfterEvent::OutboxStalled { of: None, next: 3, why: "away" },
        AfterEvent::OutboxFlows { of: None, next: 3 },
        AfterEvent::OutboxFlows { of: Some(ORIGIN.to_owned()), next: 3 },
        AfterEvent::OutboxSkipped { of: ORIGIN.to_owned(), first: 3, count: 2, why: "damaged" },
    ]
}

#[test]
fn every_event_becomes_a_record_with_all_its_fields() {
    let directory = tempfile::tempdir().unwrap();
    let (paths, journal) = begin(directory.path());
    // A second genesis is no event of a log that is begun.
    let events = every_event().split_off(1);
    for (event, expected) in events.iter().zip(1..) {
        // An event whose field had the name of a common one would be refused here.
        assert_eq!(journal.append(&entry(event.clone())).unwrap(), expected);
    }
    let reader = Reader::open(&paths).unwrap();
    let records = reader.recent(u32::try_from(events.len()).unwrap()).unwrap();
    for (stored, event) in records.iter().zip(&events) {
        let record = stored.parse().unwrap();
        assert_eq!((record.event(), record.rc()), (event.name(), event.rc()));
        assert_eq!(record.approver(), event.approver());
        assert_eq!((record.operator(), record.role()), ("op-0117".into(), "operator".into()));
        let mut fields = event.fields();
        fields.sort_by_key(|(key, _)| *key);
        assert_eq!(record.own().collect::<Vec<_>>(), fields);
    }
    assert_eq!(intact(&paths), 1 + events.len() as u64);
}
