mod custody;
mod device;
mod people;
mod repair;

use super::*;
use crate::key::{CheckValue, KeySlot};
use crate::registration::IdRule;

fn key() -> GroupKeyInfo {
    GroupKeyInfo {
        label: "gk-2026a".parse().unwrap(),
        group: "line-7".parse().unwrap(),
        scope: "0ne00EMU001".parse().unwrap(),
        slot: KeySlot::Secondary,
        check_value: CheckValue::from_hmac(&[0xab; 32]),
        length: 32,
    }
}

fn outcome(failure: Option<Code>, holds: Holds) -> Outcome {
    Outcome { intent: 5127, id: RegistrationId::new("sn-1", IdRule::Dashes).unwrap(), failure, holds }
}

fn sorted(event: &Event) -> Vec<(&'static str, Value)> {
    let mut fields = event.fields();
    fields.sort_by_key(|(name, _)| *name);
    fields
}

#[test]
fn an_outcome_says_proven_only_where_there_is_no_failure() {
    let event = Event::Resolve(outcome(None, Holds::New));
    assert_eq!((event.name(), event.rc()), ("inject.resolve", "ok"));
    assert!(event.fields().contains(&("vmode", "challenge".into())));
    for code in Code::ALL.iter().copied() {
        let event = Event::Result(outcome(Some(code), Holds::Unknown));
        assert_eq!((event.name(), event.rc()), ("inject.result", code.rc()));
        assert_ne!(event.rc(), "ok", "{code}");
        let expected = [
            ("code", code.as_str().into()),
            ("holds", "unknown".into()),
            ("ref", Value::Number(5127)),
            ("rid", "sn-1".into()),
            ("vmode", "".into()),
        ];
        assert_eq!(sorted(&event), expected);
    }
}

#[test]
fn a_refusal_says_as_much_of_the_device_as_could_be_read() {
    let identity = Identity { mac: "A4CF12000107".parse().ok(), serial: "SN-1".parse().ok() };
    let id = RegistrationId::new("sn-1", IdRule::Dashes).unwrap();
    let rows = [(None, None, "", "", ""), (Some(identity), Some(id), "a4cf12000107", "SN-1", "sn-1")];
    for (identity, id, mac, serial, rid) in rows {
        let (port, job) = ("usb-1".to_owned(), "WO-44192".to_owned());
        let event = Event::Refuse { code: Code::Locked, port, identity, id, job };
        assert_eq!((event.name(), event.rc(), event.approver()), ("inject.refuse", "refused", ""));
        let expected = [
            ("code", "locked".into()),
            ("job", "WO-44192".into()),
            ("mac", mac.into()),
            ("port", "usb-1".into()),
            ("rid", rid.into()),
            ("sn", serial.into()),
        ];
        assert_eq!(sorted(&event), expected);
    }
}

#[test]
fn an_import_names_the_parent_in_full() {
    let how = KeyOrigin::Single;
    let event = Event::KeyImport { key: key(), custody: "sealed-file", how, approver: "cu-2".to_owned() };
    let expected = [
        ("bytes", Value::Number(32)),
        ("custody", "sealed-file".into()),
        ("gk", "gk-2026a".into()),
        ("gkcv", "ABABABABAB".into()),
        ("group", "line-7".into()),
        ("how", "single".into()),
        ("scope", "0ne00EMU001".into()),
        ("slot", "secondary".into()),
    ];
    assert_eq!(sorted(&event), expected);
    assert_eq!((event.name(), event.rc(), event.approver()), ("gk.import", "", "cu-2"));
}

#[test]
fn an_export_names_what_left_the_station() {
    let event = Event::ReportExported { job: "WO-44192".to_owned(), sha256: [0xa5; 32], records: 12 };
    let expected = [("job", "WO-44192".into()), ("records", 12.into()), ("sha256", "a5".repeat(32).into())];
    assert_eq!(sorted(&event), expected);
    assert_eq!((event.name(), event.rc(), event.approver()), ("export.report", "", ""));

    let event = Event::ShiftReported {
        shift: "0123456789abcdef".to_owned(),
        user: "op-0117".to_owned(),
        from: "2026-11-22T06:00:00.000Z".to_owned(),
        until: String::new(),
        sha256: [0xa5; 32],
        records: 12,
    };
    let expected = [
        ("from", "2026-11-22T06:00:00.000Z".into()),
        ("job", "".into()),
        ("records", 12.into()),
        ("sha256", "a5".repeat(32).into()),
        ("shift", "0123456789abcdef".into()),
        ("until", "".into()),
        ("user", "op-0117".into()),
    ];
    assert_eq!(sorted(&event), expected);
    assert_eq!((event.name(), event.rc(), event.approver()), ("export.report", "", ""));

    let event = Event::BundleExported {
        job: String::new(),
        rid: String::new(),
        from: "2026-11-01".to_owned(),
        to: "2026-11-30".to_owned(),
        records: 12,
        size: 40,
        root: [0x5a; 32],
    };
    let expected = [
        ("from", "2026-11-01".into()),
        ("job", "".into()),
        ("records", 12.into()),
        ("rid", "".into()),
        ("root", "5a".repeat(32).into()),
        ("size", 40.into()),
        ("to", "2026-11-30".into()),
    ];
    assert_eq!(sorted(&event), expected);
    assert_eq!((event.name(), event.rc(), event.approver()), ("export.bundle", "", ""));
}

#[test]
fn only_what_stops_the_line_has_an_outcome() {
    let low =
        |ballast_given_up| Event::SpaceLow { place: "data", free_mib: 1, warn_mib: 2, ballast_given_up };
    assert_eq!([low(false).rc(), low(true).rc()], ["", "ballast"]);
    let jump =
        |blocks| Event::ClockJump { by_ms: -300_001, before: "t".to_owned(), against: "record", blocks };
    assert_eq!([jump(false).rc(), jump(true).rc()], ["", "blocked"]);
    assert!(jump(true).fields().contains(&("by_ms", Value::Number(-300_001))));
    let accepted = Event::ClockAccepted { reason: "radio clock".to_owned(), approver: "qa-1".to_owned() };
    assert_eq!((accepted.name(), accepted.rc(), accepted.approver()), ("clock.accept", "", "qa-1"));
}

#[test]
fn a_review_names_the_records_and_their_root() {
    let event = Event::ReviewSigned { from: 3, to: 11, root: "5a".repeat(32), remark: "x".to_owned() };
    let expected =
        [("from", 3.into()), ("remark", "x".into()), ("root", "5a".repeat(32).into()), ("to", 11.into())];
    assert_eq!(sorted(&event), expected);
    assert_eq!((event.name(), event.rc(), event.approver()), ("review.signed", "", ""));
}

#[test]
fn a_check_says_what_was_seen_and_whether_it_agrees() {
    let identity = Identity { mac: "A4CF12000107".parse().ok(), serial: None };
    let id = RegistrationId::new("sn-1", IdRule::Dashes).unwrap();
    let rows = [(true, "", "ok"), (false, "key-mismatch", "failed")];
    for (passed, code, rc) in rows {
        let (id, identity) = (Some(id.clone()), Some(identity.clone()));
        let event = Event::Checked(Check { id, identity, passed, code: code.to_owned() });
        assert_eq!((event.name(), event.rc(), event.approver()), ("check.result", rc, ""));
        let expected = [
            ("code", code.into()),
            ("mac", "a4cf12000107".into()),
            ("rid", "sn-1".into()),
            ("sn", "".into()),
        ];
        assert_eq!(sorted(&event), expected);
    }
}

#[test]
fn a_start_says_which_program_it_was_if_that_is_known() {
    let open = |build: &str| Event::Open {
        version: "keystation 0".to_owned(),
        sqlite: "3".to_owned(),
        os: "linux".to_owned(),
        config: "00".to_owned(),
        build: build.to_owned(),
        open_intents: 2,
    };
    assert!(open("11").fields().contains(&("build", "11".into())));
    assert!(open("").fields().iter().all(|(name, _)| *name != "build"));
    assert_eq!(open("").fields().len(), 5);
}

#[test]
fn a_slot_goes_out_for_a_reason_and_comes_back() {
    let out = |code| Event::SlotOut { number: 5, why: "failures", count: 6, code };
    for (code, said) in [(Some(Code::Silent), "silent"), (None, "")] {
        let event = out(code);
        assert_eq!((event.name(), event.rc(), event.approver()), ("slot.out", "", ""));
        let expected =
            [("code", said.into()), ("count", 6.into()), ("number", 5.into()), ("why", "failures".into())];
        assert_eq!(sorted(&event), expected);
    }
    let back = Event::SlotBack { number: 5 };
    assert_eq!((back.name(), back.rc(), back.fields()), ("slot.back", "", vec![("number", 5.into())]));
}

#[test]
fn what_has_no_outcome_has_an_empty_one() {
    for event in [Event::Close, Event::Lock] {
        assert_eq!((event.rc(), event.approver(), event.fields()), ("", "", vec![]));
    }
    let unlocked = Event::Unlock { custody: "tpm" };
    assert_eq!((unlocked.name(), unlocked.rc()), ("auth.unlock", ""));
    assert_eq!(unlocked.fields(), [("custody", "tpm".into())]);
    let failed = Event::UnlockFailed { why: "passphrase" };
    assert_eq!((failed.name(), failed.rc()), ("auth.fail", "refused"));
    assert_eq!(failed.fields(), [("why", "passphrase".into())]);
}
