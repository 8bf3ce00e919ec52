//! Devices that are taken out: what the log takes, whom it refuses, and that nobody gains by writing into its tables.

use keystation_audit::{
    AppendError, DeviceRefusal, Finding, IntentRefusal, Journal, Paths, Reader, begin_epoch,
};
use keystation_core::failure::Code;
use keystation_core::flow::{Retired, Retirement};
use keystation_core::identity::Identity;
use keystation_core::record::{
    Cleanup, CleanupList, DeviceChange, DeviceEvent, DeviceReason, Event, Holds, Intent, Mode, Rekey, Seq,
    Successor,
};
use keystation_core::repair::ReasonCode;

use crate::orders::append;
use crate::support::{
    attacker, begin, does_not_open, entry, findings, follow, id, intact, intent, open, outcome,
};

const OLD: &str = "a4cf12000001";
const NEW: &str = "a4cf12000002";

pub(crate) fn board(mac: &str, serial: &str) -> Identity {
    Identity { mac: mac.parse().ok(), serial: serial.parse().ok() }
}

/// Begins `rid` on a board, and says what came of it.
pub(crate) fn make(journal: &Journal, rid: &str, identity: &Identity, holds: Holds) -> (Seq, Seq) {
    let intent = Intent { job: String::new(), identity: identity.clone(), ..intent(rid) };
    let seq = append(journal, follow(journal, intent));
    (seq, append(journal, Event::Result(outcome(rid, seq, holds))))
}

fn refused(journal: &Journal, rid: &str, identity: &Identity, mode: Mode) -> IntentRefusal {
    let intent = Intent { job: String::new(), identity: identity.clone(), mode, ..intent(rid) };
    match journal.append(&entry(follow(journal, intent))).unwrap_err() {
        AppendError::NotBegun(refusal) => refusal,
        other => panic!("{other:?}"),
    }
}

fn rekey() -> Mode {
    Mode::Rekey(Rekey::of_unknown(ReasonCode::BoardRepair, "su-1"))
}

/// What becomes of `rid`, which was on `identity`, since `follows`.
pub(crate) fn change(rid: &str, identity: &Identity, follows: Option<Seq>, change: DeviceChange) -> Event {
    Event::Device(DeviceEvent {
        id: Some(id(rid)),
        identity: identity.clone(),
        follows,
        change,
        reason: DeviceReason::Other,
        note: "because".to_owned(),
        approver: "su-1".to_owned(),
    })
}

pub(crate) fn replaced(rid: &str, mac: &str, serial: &str, destroyed: &str) -> DeviceChange {
    let (id, identity) = (id(rid), board(mac, serial));
    DeviceChange::Replaced(Box::new(Successor { id, identity, destroyed: destroyed.to_owned() }))
}

pub(crate) fn judged(journal: &Journal, event: Event) -> DeviceRefusal {
    match journal.append(&entry(event)).unwrap_err() {
        AppendError::Device(refusal) => refusal,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn rebuilt(paths: &Paths, journal: Journal) -> Journal {
    let size = intact(paths);
    journal.close().unwrap();
    let before = Reader::open(paths).unwrap().to_block(true).unwrap();
    Journal::rebuild(paths).unwrap();
    assert_eq!((Reader::open(paths).unwrap().to_block(true).unwrap(), intact(paths)), (before, size));
    open(paths).unwrap()
}

#[test]
fn who_is_out_is_begun_by_nobody_and_settled_by_nobody() {
    let directory = tempfile::tempdir().unwrap();
    let (paths, journal) = begin(directory.path());
    let device = board(OLD, "S-1");
    let (first, _) = make(&journal, "sn-1", &device, Holds::New);
    let (open, _) = make(&journal, "sn-2", &board(NEW, "S-2"), Holds::Unknown);
    for (rid, seq, identity, state, what) in [
        ("sn-1", first, &device, DeviceChange::Scrapped, Retired::Scrapped),
        ("sn-2", open, &board(NEW, "S-2"), DeviceChange::Revoked, Retired::Revoked),
    ] {
        assert_eq!(
            judged(&journal, change(rid, identity, None, state.clone())),
            DeviceRefusal::Overtaken(id(rid))
        );
        let record = append(&journal, change(rid, identity, Some(seq), state));
        let out = Retirement { what, record };
        assert_eq!(journal.retired(&id(rid), identity).unwrap(), Some(out));
        for mode in [Mode::New, rekey()] {
            let refusal = refused(&journal, rid, identity, mode);
            assert_eq!((refusal.code(), refusal), (what.code(), IntentRefusal::Retired(out)));
        }
    }
    // What a device proves that was revoked since is no PASS; what came of a write that was under way is the truth.
    let proved = Event::Resolve(outcome("sn-2", open, Holds::New));
    let AppendError::NotBegun(refusal) = journal.append(&entry(proved)).unwrap_err() else { panic!() };
    assert_eq!(refusal.code(), Code::Revoked);
    append(&journal, Event::Resolve(outcome("sn-2", open, Holds::Old)));
    // Scrap is a board, under whatever registration ID; revoked is an identity.
    assert_eq!(refused(&journal, "other", &board(OLD, ""), Mode::New).code(), Code::Scrapped);
    assert_eq!(refused(&journal, "other", &board("", "S-1"), rekey()).code(), Code::Scrapped);
    let (other, _) = make(&journal, "other", &board(NEW, "S-2"), Holds::New);

    // One state at a time, and from scrap to revoked; only a scrap is taken back, once.
    let out = |event| judged(&journal, event);
    let scrap = journal.retired(&id("sn-1"), &device).unwrap().unwrap().record;
    let revoked = Reader::open(&paths).unwrap().retired(&id("sn-2")).unwrap().unwrap().record;
    assert!(matches!(
        out(change("sn-1", &device, Some(first), DeviceChange::Scrapped)),
        DeviceRefusal::Out { .. }
    ));
    assert!(matches!(
        out(change("sn-2", &device, Some(open), DeviceChange::Scrapped)),
        DeviceRefusal::Out { .. }
    ));
    for wrong in [revoked, scrap + 1, other] {
        assert_eq!(
            out(change("sn-1", &device, Some(wrong), DeviceChange::Restored)),
            DeviceRefusal::NoScrap(wrong)
        );
    }
    assert_eq!(
        out(change("sn-2", &device, Some(scrap), DeviceChange::Restored)),
        DeviceRefusal::NoScrap(scrap)
    );
    append(&journal, change("sn-1", &device, Some(scrap), DeviceChange::Restored));
    assert_eq!(
        out(change("sn-1", &device, Some(scrap), DeviceChange::Restored)),
        DeviceRefusal::NoScrap(scrap)
    );
    let intent = Intent { job: String::new(), identity: device.clone(), mode: rekey(), ..intent("sn-1") };
    let again = append(&journal, follow(&journal, intent));
    append(&journal, Event::Result(outcome("sn-1", again, Holds::New)));
    append(&journal, change("sn-1", &device, Some(again), DeviceChange::Scrapped));
    append(&journal, change("sn-1", &device, Some(again), DeviceChange::Revoked));
    // Who was never begun is no scrap; their identity can be blocked all the same.
    let stranger = board("", "");
    assert_eq!(
        out(change("sn-9", &stranger, None, DeviceChange::Scrapped)),
        DeviceRefusal::Unknown(id("sn-9"))
    );
    append(&journal, change("sn-9", &stranger, None, DeviceChange::Revoked));
    let journal = rebuilt(&paths, journal);
    assert_eq!(refused(&journal, "sn-9", &board("a4cf12000099", "S-9"), Mode::New).code(), Code::Revoked);
}

#[test]
fn a_new_board_takes_the_place_of_the_old_one_and_no_other_does() {
    let directory = tempfile::tempdir().unwrap();
    let (paths, journal) = begin(directory.path());
    let (old, new) = (board(OLD, "S-1"), board(NEW, "S-1"));
    let (first, keyed) = make(&journal, "one", &old, Holds::New);
    assert!(matches!(refused(&journal, "two", &new, Mode::New), IntentRefusal::OtherBoard { .. }));
    let swap = |to: DeviceChange| change("one", &old, Some(first), to);
    assert_eq!(judged(&journal, swap(replaced("two", NEW, "S-2", ""))), DeviceRefusal::OtherSerial);
    assert_eq!(judged(&journal, swap(replaced("two", OLD, "S-1", ""))), DeviceRefusal::SameBoard);
    let (taken, _) = make(&journal, "taken", &board("a4cf12000077", "S-7"), Holds::Old);
    let refusal = judged(&journal, swap(replaced("taken", NEW, "S-1", "")));
    assert_eq!(refusal, DeviceRefusal::Taken { id: id("taken"), record: taken });
    let record = append(&journal, swap(replaced("two", NEW, "S-1", "")));
    assert!(matches!(judged(&journal, swap(replaced("three", NEW, "S-1", ""))), DeviceRefusal::Out { .. }));

    // The first intent of the new board follows the record, and a third board is none that was meant.
    assert!(matches!(
        refused(&journal, "three", &board("a4cf12000003", "S-1"), Mode::New),
        IntentRefusal::OtherBoard { .. }
    ));
    assert_eq!(journal.standing(&id("two")).unwrap().follows(), Some(record));
    make(&journal, "two", &new, Holds::Old);
    assert_eq!(journal.standing(&id("two")).unwrap().follows(), Some(record));
    let (second, _) = make(&journal, "two", &new, Holds::New);
    assert!(matches!(
        refused(&journal, "three", &board("a4cf12000003", "S-1"), Mode::New),
        IntentRefusal::OtherBoard { .. }
    ));
    for mode in [Mode::New, rekey()] {
        assert_eq!(refused(&journal, "one", &old, mode.clone()).code(), Code::Replaced);
        assert_eq!(refused(&journal, "under-another-name", &board(OLD, ""), mode).code(), Code::Replaced);
    }
    // And so on: both old boards are gone for good.
    append(&journal, change("two", &new, Some(second), replaced("three", "a4cf12000003", "S-1", "")));
    make(&journal, "three", &board("a4cf12000003", "S-1"), Holds::New);
    assert_eq!(refused(&journal, "two", &new, rekey()).code(), Code::Replaced);
    let listed = Reader::open(&paths).unwrap().to_block(false).unwrap();
    let told: Vec<_> = listed.devices.iter().map(|one| (one.id.as_str(), one.successor.as_str())).collect();
    assert_eq!(told, [("one", "two"), ("two", "three")]);
    assert_eq!(Reader::open(&paths).unwrap().life(&id("one")).unwrap().unwrap().keyed.unwrap().record, keyed);
    rebuilt(&paths, journal);
}

/// A recipe of serial numbers alone: the new board gets the same registration ID, and so the same key.
#[test]
fn one_key_is_on_two_boards_only_if_the_first_one_was_destroyed() {
    let directory = tempfile::tempdir().unwrap();
    let (paths, journal) = begin(directory.path());
    let (old, new) = (board(OLD, "S-1"), board(NEW, "S-1"));
    let (first, _) = make(&journal, "s-1", &old, Holds::New);
    // A write to the old board whose outcome nobody will ever see.
    let again = Intent { job: String::new(), identity: old.clone(), mode: rekey(), ..intent("s-1") };
    let open = append(&journal, follow(&journal, again));
    append(&journal, Event::Result(outcome("s-1", open, Holds::Unknown)));
    assert!(first < open);
    let swap = |proof| change("s-1", &old, Some(open), replaced("s-1", NEW, "S-1", proof));
    for none in ["", " "] {
        assert_eq!(judged(&journal, swap(none)), DeviceRefusal::NotDestroyed(id("s-1")));
    }
    let record = append(&journal, swap("D-2026-114"));
    let standing = journal.standing(&id("s-1")).unwrap();
    assert_eq!((standing.open, standing.keyed), (None, None));
    assert_eq!(journal.retired(&id("s-1"), &new).unwrap(), None);
    assert_eq!((standing.replaces, standing.attempts), (Some(record), 2));
    // The old board, should it turn up; and a third one.
    for mode in [Mode::New, rekey()] {
        assert_eq!(refused(&journal, "s-1", &old, mode).code(), Code::Replaced);
    }
    assert_eq!(refused(&journal, "s-1", &board("a4cf12000003", "S-1"), Mode::New).code(), Code::Replaced);
    let (intent, _) = make(&journal, "s-1", &new, Holds::New);
    assert_eq!(refused(&journal, "s-1", &old, rekey()).code(), Code::Replaced);
    let reader = Reader::open(&paths).unwrap();
    assert_eq!(reader.to_block(true).unwrap().devices, [], "it is in use");
    let life = reader.life(&id("s-1")).unwrap().unwrap();
    assert_eq!(
        (life.mac.as_str(), life.events.iter().any(|event| event.event == "device.replace")),
        (NEW, true)
    );
    // Out for good is out for good.
    append(&journal, change("s-1", &new, Some(intent), DeviceChange::Revoked));
    let third = change("s-1", &new, Some(intent), replaced("s-1", "a4cf12000003", "S-1", "D-2026-115"));
    assert!(matches!(judged(&journal, third), DeviceRefusal::Out { .. }));
    rebuilt(&paths, journal);
}

#[test]
fn a_list_that_was_done_is_not_made_again_and_what_it_names_stays_out() {
    let directory = tempfile::tempdir().unwrap();
    let (paths, journal) = begin(directory.path());
    let device = |number: u8| board(&format!("a4cf120000{number:02x}"), &format!("S-{number}"));
    let mut scraps = Vec::new();
    for number in 1..=3 {
        let rid = format!("sn-{number}");
        let (seq, _) = make(&journal, &rid, &device(number), Holds::New);
        scraps.push(append(&journal, change(&rid, &device(number), Some(seq), DeviceChange::Scrapped)));
    }
    let named = |all| {
        let list = Reader::open(&paths).unwrap().to_block(all).unwrap();
        (list.devices.iter().map(|one| one.id.to_string()).collect::<Vec<_>>(), list.to)
    };
    append(&journal, change("sn-1", &device(1), Some(scraps[0]), DeviceChange::Restored));
    let (list, to) = named(false);
    assert_eq!(list, ["sn-2", "sn-3"]);
    let list = CleanupList { sha256: [7; 32], devices: 2, to };
    let done = |list: &CleanupList| {
        Event::Cleanup(Cleanup::Done { list: list.clone(), approver: "su-1".to_owned() })
    };
    assert_eq!(judged(&journal, done(&list)), DeviceRefusal::NoList);
    append(&journal, Event::Cleanup(Cleanup::Listed(list.clone())));
    assert_eq!(judged(&journal, done(&CleanupList { to: to + 1, ..list.clone() })), DeviceRefusal::NoList);
    // What came since is not on it.
    let (seq, _) = make(&journal, "sn-4", &device(4), Holds::New);
    append(&journal, change("sn-4", &device(4), Some(seq), DeviceChange::Revoked));
    let record = append(&journal, done(&list));
    assert_eq!(judged(&journal, done(&list)), DeviceRefusal::ListDone(record));
    assert_eq!((named(false).0, named(true).0.len()), (vec!["sn-4".to_owned()], 3));
    let back = change("sn-2", &device(2), Some(scraps[1]), DeviceChange::Restored);
    assert_eq!(judged(&journal, back), DeviceRefusal::CleanedUp { id: "sn-2".to_owned(), done: record });
    rebuilt(&paths, journal);
}

/// What a new epoch takes over says whether the cloud blocked it: what was done there is not undone by another log.
#[test]
fn what_was_blocked_in_the_cloud_is_not_put_back_in_a_later_epoch_either() {
    let directory = tempfile::tempdir().unwrap();
    let (paths, journal) = begin(directory.path());
    let device = |number: u8| board(&format!("a4cf120000{number:02x}"), &format!("S-{number}"));
    let scrap = |journal: &Journal, number: u8| {
        let rid = format!("sn-{number}");
        let (seq, _) = make(journal, &rid, &device(number), Holds::New);
        append(journal, change(&rid, &device(number), Some(seq), DeviceChange::Scrapped))
    };
    let list = |journal: &Journal, hash: u8, done: bool| {
        let to = Reader::open(&paths).unwrap().to_block(false).unwrap().to;
        let list = CleanupList { sha256: [hash; 32], devices: 1, to };
        append(journal, Event::Cleanup(Cleanup::Listed(list.clone())));
        if done {
            append(journal, Event::Cleanup(Cleanup::Done { list, approver: "su-1".to_owned() }));
        }
    };
    scrap(&journal, 1);
    list(&journal, 1, true);
    scrap(&journal, 2);
    list(&journal, 2, false);
    scrap(&journal, 3);
    journal.close().unwrap();
    let scraps = |number: u8| {
        Reader::open(&paths).unwrap().scraps_in_force(&format!("sn-{number}")).unwrap()[0].record
    };
    // Two epochs later it is what it was.
    for _ in 0..2 {
        begin_epoch(directory.path(), &crate::carry::order(), crate::support::Steady::new()).unwrap();
        let reader = Reader::open(&paths).unwrap();
        let blocked = [1, 2, 3].map(|number| reader.blocked_in_cloud(scraps(number)).unwrap());
        assert_eq!(blocked, [Some(scraps(1)), Some(scraps(2)), None]);
    }
    let journal = open(&paths).unwrap();
    let back = |number: u8| {
        change(&format!("sn-{number}"), &device(number), Some(scraps(number)), DeviceChange::Restored)
    };
    let done = scraps(1);
    assert_eq!(judged(&journal, back(1)), DeviceRefusal::CleanedUp { id: "sn-1".to_owned(), done });
    append(&journal, back(2));
    append(&journal, back(3));
    journal.close().unwrap();
    // An older program did not say: it may have been on a list.
    let unsaid = |_, body: String| body.replace("\"cloud\":\"done\",", "").replace("\"cloud\":\"none\",", "");
    crate::forge::resign(&paths, unsaid);
    let reader = Reader::open(&paths).unwrap();
    assert_eq!(reader.blocked_in_cloud(done).unwrap(), Some(done));
    let journal = open(&paths).unwrap();
    append(&journal, back(1));
    rebuilt(&paths, journal);
}

/// Each DPS instance for which a device was keyed knows its key.
#[test]
fn who_is_out_is_listed_for_each_scope_and_endpoint_of_its_life() {
    let directory = tempfile::tempdir().unwrap();
    let (paths, journal) = begin(directory.path());
    let device = board(OLD, "S-1");
    let mut newest = 0;
    for (scope, endpoint, holds) in [
        ("0ne00EMU001", "global.azure-devices-provisioning.net", Holds::New),
        ("0ne00EMU002", "global.azure-devices-provisioning.net", Holds::Old),
        ("0ne00EMU001", "dps-7.azure-devices-provisioning.net", Holds::New),
        ("0ne00EMU001", "global.azure-devices-provisioning.net", Holds::New),
    ] {
        let mut intent = Intent { job: String::new(), identity: device.clone(), ..intent("sn-1") };
        intent.key.scope = scope.parse().unwrap();
        endpoint.clone_into(&mut intent.endpoint);
        if newest > 0 {
            intent.mode = rekey();
        }
        newest = append(&journal, follow(&journal, intent));
        append(&journal, Event::Result(outcome("sn-1", newest, holds)));
    }
    append(&journal, change("sn-1", &device, Some(newest), DeviceChange::Revoked));
    append(&journal, change("sn-9", &board("", ""), None, DeviceChange::Revoked));
    let listed = Reader::open(&paths).unwrap().to_block(false).unwrap().devices;
    let told: Vec<Vec<_>> = listed
        .iter()
        .map(|one| one.parents.iter().map(|at| (at.scope.as_str(), &at.endpoint.as_str()[..6])).collect())
        .collect();
    let of_life = vec![("0ne00EMU001", "global"), ("0ne00EMU001", "dps-7."), ("0ne00EMU002", "global")];
    assert_eq!(told, [of_life, vec![]]);
    assert_eq!(listed.iter().map(|one| one.elsewhere).collect::<Vec<_>>(), [false, true]);
    // Of what the epoch before took out its log knows more.
    journal.close().unwrap();
    begin_epoch(directory.path(), &crate::carry::order(), crate::support::Steady::new()).unwrap();
    let listed = Reader::open(&paths).unwrap().to_block(false).unwrap().devices;
    assert!(listed.iter().all(|one| one.elsewhere && one.parents.is_empty()), "{listed:?}");
}

#[test]
fn nobody_is_put_back_by_writing_into_the_tables() {
    let directory = tempfile::tempdir().unwrap();
    let (paths, journal) = begin(directory.path());
    let (old, new) = (board(OLD, "S-1"), board(NEW, "S-1"));
    let (first, _) = make(&journal, "one", &old, Holds::New);
    append(&journal, change("one", &old, Some(first), replaced("two", NEW, "S-1", "")));
    let (second, _) = make(&journal, "two", &new, Holds::New);
    let scrap = append(&journal, change("two", &new, Some(second), DeviceChange::Scrapped));
    append(&journal, change("two", &new, Some(scrap), DeviceChange::Restored));
    append(&journal, change("two", &new, Some(second), DeviceChange::Revoked));
    append(&journal, Event::Cleanup(Cleanup::Listed(CleanupList { sha256: [7; 32], devices: 2, to: 3 })));
    journal.close().unwrap();
    let kept = std::fs::read(&paths.db).unwrap();
    for (sql, table) in [
        ("DELETE FROM retired WHERE how = 'revoke'", "retired"),
        ("DELETE FROM retired", "retired"),
        ("UPDATE retired SET restored = 1 WHERE how = 'revoke'", "retired"),
        ("UPDATE retired SET restored = NULL", "retired"),
        ("UPDATE retired SET new_rid = 'three' WHERE how = 'replace'", "retired"),
        ("UPDATE retired SET mac = '' WHERE how = 'replace'", "retired"),
        ("INSERT INTO cleanup VALUES (99, 1, '', 0, 99)", "cleanup"),
        ("DELETE FROM cleanup", "cleanup"),
        ("UPDATE cleanup SET done = 1", "cleanup"),
    ] {
        attacker(&paths).execute_batch(sql).unwrap();
        assert_eq!(findings(&paths), [Finding::Derived { table }], "{sql}");
        does_not_open(&paths, table, sql);
        std::fs::write(&paths.db, &kept).unwrap();
    }
    open(&paths).unwrap();
}

/// Whoever has the signing key can write what no station writes: the records themselves say so.
#[test]
fn what_the_station_has_to_refuse_is_found_though_it_is_signed() {
    let directory = tempfile::tempdir().unwrap();
    let (_, journal) = begin(directory.path());
    let device = board(OLD, "S-1");
    let (first, _) = make(&journal, "one", &device, Holds::New);
    let scrap = append(&journal, change("one", &device, Some(first), DeviceChange::Scrapped));
    let back = append(&journal, change("one", &device, Some(scrap), DeviceChange::Restored));
    let again = Intent { job: String::new(), identity: device.clone(), mode: rekey(), ..intent("one") };
    let again = append(&journal, follow(&journal, again));
    append(&journal, Event::Result(outcome("one", again, Holds::New)));
    let revoked = append(&journal, change("one", &device, Some(again), DeviceChange::Revoked));
    journal.close().unwrap();
    let forged = |at: Seq, old: &str, new: &str| {
        let other = tempfile::tempdir().unwrap();
        crate::support::copy(directory.path(), other.path());
        let paths = Paths::in_dir(other.path());
        let checkpoint =
            crate::forge::forge(&paths, |seq, body| if seq == at { body.replace(old, new) } else { body });
        crate::forge::sign(&paths, &checkpoint);
        Journal::rebuild(&paths).unwrap();
        let found: Vec<_> = findings(&paths).iter().map(|finding| finding.seq().unwrap()).collect();
        found
    };
    assert_eq!(forged(scrap, "", ""), [] as [Seq; 0]);
    // It was revoked, so it is not restored, not begun again and not revoked again.
    assert_eq!(forged(scrap, "device.scrap", "device.revoke"), [back, again, revoked]);
    // It was never restored.
    assert_eq!(forged(back, "device.restore", "device.rename"), [again]);
    let (old, new) = (format!("\"ref\":{scrap},"), format!("\"ref\":{first},"));
    assert_eq!(forged(back, &old, &new), [back, again]);
}

/// A new epoch puts nobody back; a scrap that was a mistake is taken back there as well.
#[test]
fn what_is_out_stays_out_in_the_next_epoch() {
    let directory = tempfile::tempdir().unwrap();
    let (_, journal) = begin(directory.path());
    let device = |number: u8| board(&format!("a4cf120000{number:02x}"), &format!("S-{number}"));
    let mut begun = Vec::new();
    for number in 1..=5 {
        begun.push(make(&journal, &format!("sn-{number}"), &device(number), Holds::New).0);
    }
    let out = |number: u8, to| {
        let follows = Some(begun[usize::from(number) - 1]);
        append(&journal, change(&format!("sn-{number}"), &device(number), follows, to))
    };
    out(1, DeviceChange::Scrapped);
    out(2, DeviceChange::Revoked);
    out(3, replaced("sn-3-b", "a4cf12000033", "S-3", ""));
    let mistake = out(4, DeviceChange::Scrapped);
    append(&journal, change("sn-4", &device(4), Some(mistake), DeviceChange::Restored));
    append(&journal, crate::orders::created("WO-1", 4));
    let never = Identity { mac: None, serial: "S-9".parse().ok() };
    append(&journal, crate::orders::order("WO-1", crate::orders::scrapped(None, "S-9")));
    journal.close().unwrap();
    begin_epoch(directory.path(), &crate::carry::order(), crate::support::Steady::new()).unwrap();
    let paths = Paths::in_dir(directory.path());
    let journal = open(&paths).unwrap();
    for (rid, identity, code) in [
        ("sn-1", device(1), Code::Scrapped),
        ("sn-2", device(2), Code::Revoked),
        ("sn-3", device(3), Code::Replaced),
        ("sn-9", never, Code::Scrapped),
    ] {
        assert_eq!(refused(&journal, rid, &identity, Mode::New).code(), code, "{rid}");
    }
    for number in [4, 5] {
        make(&journal, &format!("sn-{number}"), &device(number), Holds::New);
    }
    make(&journal, "sn-3-b", &board("a4cf12000033", "S-3"), Holds::New);
    let reader = Reader::open(&paths).unwrap();
    let listed = reader.to_block(false).unwrap();
    assert_eq!(
        listed.devices.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(),
        ["sn-1", "sn-2", "sn-3"]
    );
    let scrap = reader.scraps_in_force("sn-1").unwrap()[0].record;
    append(&journal, change("sn-1", &device(1), Some(scrap), DeviceChange::Restored));
    make(&journal, "sn-1", &device(1), Holds::New);
    rebuilt(&paths, journal);
}
