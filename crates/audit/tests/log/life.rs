//! A device's whole life on one page, and nobody else's.

use keystation_audit::{DeviceStanding, Journal, Keyed, Life, LifeEvent, Reader};
use keystation_core::failure::Code;
use keystation_core::identity::Identity;
use keystation_core::key::GroupKeyInfo;
use keystation_core::record::{Event, Holds, Intent, Mode, Outcome, Rekey, Seq};
use keystation_core::repair::ReasonCode;

use crate::support::{begin, device_key, entry, follow, group_key, id, intent, key_of, outcome, work};

const RID: &str = "sn-1";

fn append(journal: &Journal, event: Event) -> Seq {
    journal.append(&entry(event)).unwrap()
}

fn settle(journal: &Journal, seq: Seq, holds: Holds) -> Seq {
    append(journal, Event::Result(outcome(RID, seq, holds)))
}

fn life(reader: &Reader) -> Life {
    reader.life(&id(RID)).unwrap().unwrap()
}

/// Record, event, outcome, what it holds, how that was verified, what it refers to.
fn told(event: &LifeEvent) -> (Seq, &str, &str, &str, &str, Option<Seq>) {
    let LifeEvent { seq, event, rc, holds, verified, refers_to, .. } = event;
    (*seq, event, rc, holds, verified, *refers_to)
}

#[test]
fn a_life_is_told_from_the_first_sight_to_the_last() {
    let directory = tempfile::tempdir().unwrap();
    let (paths, journal) = begin(directory.path());
    let reader = Reader::open(&paths).unwrap();
    assert_eq!(reader.life(&id(RID)).unwrap(), None);
    work(&journal, 3);
    assert_eq!(reader.life(&id(RID)).unwrap(), None, "others are not it");

    // Seen and refused, with an identity that says less than later.
    let serial = Some("SN-OLD".parse().unwrap());
    let refuse = |code, identity| Event::Refuse {
        code,
        port: "usb-2".to_owned(),
        identity: Some(identity),
        id: Some(id(RID)),
        job: "WO-1".to_owned(),
    };
    append(&journal, refuse(Code::Twin, Identity { mac: None, serial }));
    let seen = life(&reader);
    assert_eq!((seen.standing, seen.keyed.as_ref()), (DeviceStanding::Refused, None));
    assert_eq!((seen.mac.as_str(), seen.serial.as_str()), ("", "SN-OLD"));

    // A first write that fails, a second that is not settled before the device comes back.
    let first = append(&journal, follow(&journal, intent(RID)));
    settle(&journal, first, Holds::Old);
    assert_eq!(life(&reader).standing, DeviceStanding::NotKeyed);
    let second = append(&journal, follow(&journal, intent(RID)));
    settle(&journal, second, Holds::Unknown);
    assert_eq!((life(&reader).standing, life(&reader).keyed), (DeviceStanding::Open, None));
    let proved = append(&journal, Event::Resolve(outcome(RID, second, Holds::New)));
    let keyed = life(&reader);
    assert_eq!(keyed.standing, DeviceStanding::Keyed);
    let by_first_key = Keyed {
        record: proved,
        intent: second,
        key: "gk-2026a".to_owned(),
        check_value: "9B5BD-BEC8B".to_owned(),
        fingerprint: key_of(RID).fingerprint().to_string(),
        slot: group_key().slot.as_str().to_owned(),
        scope: group_key().scope.to_string(),
        job: intent(RID).job,
    };
    assert_eq!(keyed.keyed, Some(by_first_key.clone()));

    // Re-keyed under another group key: until that is proved, the first one is what it proved last.
    let mode = Mode::Rekey(Rekey::of_unknown(ReasonCode::Returned, "op-0200"));
    let key = GroupKeyInfo {
        label: "gk-2027a".parse().unwrap(),
        check_value: "0123456789".parse().unwrap(),
        ..group_key()
    };
    let job = String::new();
    let rekey = Intent { mode, key, job, fingerprint: device_key(2).fingerprint(), ..intent(RID) };
    let third = append(&journal, follow(&journal, rekey));
    assert_eq!(
        (life(&reader).standing, life(&reader).keyed),
        (DeviceStanding::Open, Some(by_first_key.clone()))
    );
    let rekeyed = settle(&journal, third, Holds::New);
    append(&journal, refuse(Code::AlreadyKeyed, intent(RID).identity));

    let life = life(&reader);
    assert_eq!(life.standing, DeviceStanding::Keyed, "who is turned away keeps its key");
    let fingerprint = device_key(2).fingerprint().to_string();
    let (key, check_value) = ("gk-2027a".to_owned(), "01234-56789".to_owned());
    let (record, intent_of, job) = (rekeyed, third, String::new());
    let by_second_key =
        Keyed { record, intent: intent_of, key, check_value, fingerprint, job, ..by_first_key };
    assert_eq!(life.keyed, Some(by_second_key));
    let board = intent(RID).identity;
    let told_of = (life.mac.parse().ok(), life.serial.parse().ok());
    assert_eq!(told_of, (board.mac, board.serial));
    let events: Vec<_> = life.events.iter().map(told).collect();
    assert_eq!(
        events,
        [
            (7, "inject.refuse", "refused", "untouched", "none", None),
            (8, "inject.intent", "", "", "", None),
            (9, "inject.result", "write_fail", "old", "none", Some(8)),
            (10, "inject.intent", "", "", "", None),
            (11, "inject.result", "unplugged", "unknown", "none", Some(10)),
            (12, "inject.resolve", "ok", "new", "challenge", Some(10)),
            (13, "inject.intent", "", "", "", Some(12)),
            (14, "inject.result", "ok", "new", "challenge", Some(13)),
            (15, "inject.refuse", "refused", "untouched", "none", None),
        ]
    );
    let texts = |event: &LifeEvent| {
        let LifeEvent { code, operator, approver, role, key, check_value, mode, reason, .. } = event;
        [code, operator, approver, role, key, check_value, mode, reason].map(String::clone)
    };
    assert_eq!(
        [6, 7].map(|event| texts(&life.events[event])),
        [
            ["", "op-0117", "op-0200", "operator", "gk-2027a", "01234-56789", "rekey", "returned"],
            ["", "op-0117", "", "operator", "gk-2027a", "01234-56789", "", ""],
        ]
    );
    let LifeEvent { job, port, firmware, time_ms, .. } = &life.events[6];
    let place = intent(RID).port;
    assert_eq!((job.as_str(), port, firmware.as_str()), ("", &place, "2.4.1"));
    assert_eq!(*time_ms, 1_795_313_643_123 + 130);
}

#[test]
fn a_proof_that_failed_keys_nothing_and_verifies_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let (paths, journal) = begin(directory.path());
    let first = append(&journal, follow(&journal, intent(RID)));
    let failed = Outcome { failure: Some(Code::NotProven), ..outcome(RID, first, Holds::Unknown) };
    append(&journal, Event::Result(failed));
    let life = life(&Reader::open(&paths).unwrap());
    assert_eq!((life.standing, life.keyed), (DeviceStanding::Open, None));
    let last = life.events.last().unwrap();
    assert_eq!((last.code.as_str(), last.verified.as_str()), ("not-proven", "none"));
}
