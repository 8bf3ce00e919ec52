use keystation_audit::{AppendError, Component, Finding, Journal, KeyStanding, KeyState, Paths, Reader};
use keystation_core::key::{GroupKeyInfo, KeyLabel};
use keystation_core::record::{
    Check, Event, Holds, Intent, KeyChange, KeyEvent, KeyOrigin, Mode, Rekey, Seq,
};
use keystation_core::repair::ReasonCode;

use crate::support::{
    actor, attacker, begin, does_not_open, entry, findings, follow, group_key, id, intact, intent, outcome,
};

fn second() -> GroupKeyInfo {
    GroupKeyInfo {
        label: "gk-2026b".parse().unwrap(),
        check_value: "0123456789".parse().unwrap(),
        ..group_key()
    }
}

fn import(journal: &Journal, key: GroupKeyInfo) -> Seq {
    let (custody, how, approver) = ("tpm", KeyOrigin::Ceremony, "cu-2".to_owned());
    journal.append(&entry(Event::KeyImport { key, custody, how, approver })).unwrap()
}

fn change(journal: &Journal, key: &GroupKeyInfo, change: KeyChange) -> Result<Seq, AppendError> {
    let (label, check_value) = (key.label.clone(), key.check_value);
    let (reason, approver) = ("rotation".to_owned(), "cu-2".to_owned());
    journal.append(&entry(Event::GroupKey(KeyEvent::Changed {
        label,
        check_value,
        change,
        reason,
        approver,
    })))
}

/// Writes a set under `key`; what came of it.
fn write(journal: &Journal, rid: &str, key: &GroupKeyInfo, holds: Holds) -> Seq {
    let mode = match journal.standing(&id(rid)).unwrap().keyed {
        None => Mode::New,
        Some(_) => Mode::Rekey(Rekey::of_unknown(ReasonCode::Returned, "su-1")),
    };
    let job = if mode == Mode::New { intent(rid).job } else { String::new() };
    let next = Intent { key: key.clone(), mode, job, ..intent(rid) };
    let seq = journal.append(&entry(follow(journal, next))).unwrap();
    journal.append(&entry(Event::Result(outcome(rid, seq, holds)))).unwrap();
    seq
}

fn under(paths: &Paths, label: &KeyLabel) -> Vec<(String, Seq)> {
    let devices = Reader::open(paths).unwrap().devices_under(label, None, 100).unwrap();
    devices.into_iter().map(|(rid, seq)| (rid.to_string(), seq)).collect()
}

#[test]
fn a_key_is_what_its_records_made_of_it() {
    let directory = tempfile::tempdir().unwrap();
    let (paths, journal) = begin(directory.path());
    let reader = Reader::open(&paths).unwrap();
    assert_eq!((reader.group_keys().unwrap(), reader.group_key(&group_key().label).unwrap()), (vec![], None));

    let imported = import(&journal, group_key());
    let mut expected = KeyStanding {
        info: group_key(),
        custody: "tpm".to_owned(),
        how: "ceremony".to_owned(),
        state: KeyState::Imported,
        by: actor().operator,
        approver: "cu-2".to_owned(),
        imported,
        changed: imported,
        devices: 0,
    };
    assert_eq!(reader.group_key(&group_key().label).unwrap().as_ref(), Some(&expected));
    for (act, state) in [
        (KeyChange::Activated, KeyState::Active),
        (KeyChange::Suspended, KeyState::Suspended),
        (KeyChange::Activated, KeyState::Active),
        (KeyChange::Destroyed, KeyState::Destroyed),
    ] {
        expected.changed = change(&journal, &group_key(), act).unwrap();
        expected.state = state;
        assert_eq!(reader.group_key(&group_key().label).unwrap().as_ref(), Some(&expected));
    }
    // What is gone stays gone, and a key of the same name with another check value is another key.
    for act in [KeyChange::Activated, KeyChange::Suspended, KeyChange::Destroyed] {
        let refused = change(&journal, &group_key(), act);
        assert!(matches!(&refused, Err(AppendError::NoSuchKey { label }) if *label == group_key().label));
    }
    let other = import(&journal, second());
    let mistaken = GroupKeyInfo { check_value: group_key().check_value, ..second() };
    assert!(matches!(change(&journal, &mistaken, KeyChange::Activated), Err(AppendError::NoSuchKey { .. })));
    let keys = reader.group_keys().unwrap();
    assert_eq!(keys.len(), 2);
    assert_eq!((&keys[0], keys[1].imported, keys[1].state), (&expected, other, KeyState::Imported));
    Journal::rebuild(&{
        journal.close().unwrap();
        paths.clone()
    })
    .unwrap();
    assert_eq!(Reader::open(&paths).unwrap().group_keys().unwrap(), keys);
    assert_eq!(intact(&paths), other + 1);
}

#[test]
fn devices_hang_on_the_key_of_the_set_that_they_proved_last() {
    let directory = tempfile::tempdir().unwrap();
    let (paths, journal) = begin(directory.path());
    let (old, new) = (group_key(), second());
    import(&journal, old.clone());
    import(&journal, new.clone());
    let first = write(&journal, "sn-1", &old, Holds::New);
    let other = write(&journal, "sn-2", &old, Holds::New);
    write(&journal, "sn-3", &old, Holds::Old);
    let open = write(&journal, "sn-4", &old, Holds::Unknown);
    let named = |rid: &str, seq| (rid.to_owned(), seq);
    assert_eq!(under(&paths, &old.label), [named("sn-1", first), named("sn-2", other)]);

    // A re-key that failed leaves the device where it was; one whose outcome is not known too, until it is.
    write(&journal, "sn-1", &new, Holds::Old);
    let pending = write(&journal, "sn-1", &new, Holds::Unknown);
    assert_eq!((under(&paths, &old.label).len(), under(&paths, &new.label)), (2, vec![]));
    journal.append(&entry(Event::Resolve(outcome("sn-1", pending, Holds::New)))).unwrap();
    journal.append(&entry(Event::Resolve(outcome("sn-4", open, Holds::New)))).unwrap();
    assert_eq!(under(&paths, &old.label), [named("sn-2", other), named("sn-4", open)]);
    assert_eq!(under(&paths, &new.label), [named("sn-1", pending)]);

    // The same set twice is one device, hanging on the later one; and what was proved is not taken back by doubt.
    let again = write(&journal, "sn-1", &new, Holds::New);
    journal.append(&entry(Event::Resolve(outcome("sn-1", again, Holds::Unknown)))).unwrap();
    assert_eq!(under(&paths, &new.label), [named("sn-1", again)]);
    let back = write(&journal, "sn-1", &old, Holds::New);
    assert_eq!(under(&paths, &new.label), []);
    let expected = [named("sn-2", other), named("sn-4", open), named("sn-1", back)];
    assert_eq!(under(&paths, &old.label), expected);

    let reader = Reader::open(&paths).unwrap();
    let devices = |label| reader.group_key(label).unwrap().unwrap().devices;
    assert_eq!((devices(&old.label), devices(&new.label)), (3, 0));
    // Page by page.
    let mut paged = Vec::new();
    while let [(rid, seq)] =
        &reader.devices_under(&old.label, paged.last().map(|(_, seq)| *seq), 1).unwrap()[..]
    {
        paged.push((rid.to_string(), *seq));
    }
    assert_eq!(paged, expected);
    assert_eq!(reader.devices_under(&old.label, Some(u64::MAX), 9).unwrap(), []);
    intact(&paths);
    journal.close().unwrap();
    Journal::rebuild(&paths).unwrap();
    assert_eq!(under(&paths, &old.label), expected);
    intact(&paths);

    // The table lies about devices that were there more than once, which no other column tells.
    let kept = std::fs::read(&paths.db).unwrap();
    for sql in [
        format!("UPDATE sighting SET live = 1 WHERE seq = {again}"),
        format!("UPDATE sighting SET live = 0 WHERE seq = {back}"),
        format!("UPDATE sighting SET live = (seq = {again}) WHERE rid = 'sn-1'"),
    ] {
        attacker(&paths).execute_batch(&sql).unwrap();
        assert_eq!(findings(&paths), [Finding::Derived { table: "sighting" }], "{sql}");
        std::fs::write(&paths.db, &kept).unwrap();
    }
}

#[test]
fn components_tell_who_gave_which() {
    let directory = tempfile::tempdir().unwrap();
    let (paths, journal) = begin(directory.path());
    let component = |operator: &str, part| {
        let key = (&group_key()).into();
        let (ceremony, check_value) = ("0123456789abcdef".to_owned(), "0A1B2C".to_owned());
        let mut entry = entry(Event::GroupKey(KeyEvent::Component {
            ceremony,
            key,
            part,
            of: 2,
            check_value,
            taken: true,
        }));
        entry.actor.operator = operator.to_owned();
        journal.append(&entry).unwrap()
    };
    let told = |user: &str, part, seq| {
        let GroupKeyInfo { label: key, check_value, group, scope, slot, .. } = group_key();
        let (ceremony, user) = ("0123456789abcdef".to_owned(), user.to_owned());
        let component = "0A1B2C".to_owned();
        Component { ceremony, key, check_value, group, scope, slot, part, component, user, seq }
    };
    let expected = [told("cu-1", 1, component("cu-1", 1)), told("cu-2", 2, component("cu-2", 2))];
    // What was given stays known when nothing came of it.
    let (ceremony, key) = ("0123456789abcdef".to_owned(), (&group_key()).into());
    let abort = KeyEvent::Aborted { ceremony, key, why: "check-value" };
    journal.append(&entry(Event::GroupKey(abort))).unwrap();
    journal.append(&entry(Event::GroupKey(KeyEvent::Recipient { recipient: "age1q".to_owned() }))).unwrap();
    let reader = Reader::open(&paths).unwrap();
    assert_eq!(reader.components().unwrap(), expected);
    assert_eq!(reader.group_keys().unwrap(), []);
    journal.close().unwrap();
    Journal::rebuild(&paths).unwrap();
    assert_eq!(Reader::open(&paths).unwrap().components().unwrap(), expected);
    intact(&paths);
}

#[test]
fn what_was_changed_past_the_log_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let (paths, journal) = begin(directory.path());
    import(&journal, group_key());
    let key = (&group_key()).into();
    let (ceremony, check_value) = ("0123456789abcdef".to_owned(), "0A1B2C".to_owned());
    let given = KeyEvent::Component { ceremony, key, part: 1, of: 2, check_value, taken: true };
    journal.append(&entry(Event::GroupKey(given))).unwrap();
    journal.close().unwrap();
    let kept = std::fs::read(&paths.db).unwrap();
    for (sql, table) in [
        ("UPDATE group_key SET state = 'active'", "group_key"),
        ("UPDATE group_key SET gkcv = '0123456789'", "group_key"),
        ("UPDATE group_key SET gkcv = 'no check value'", "group_key"),
        ("UPDATE group_key SET bytes = 999", "group_key"),
        ("UPDATE group_key SET op2 = ''", "group_key"),
        ("DELETE FROM group_key", "group_key"),
        (
            "INSERT INTO group_key SELECT 'x', gkcv, grp, scope, slot, bytes, custody, how, state, op, op2, 1, 1 FROM group_key",
            "group_key",
        ),
        ("UPDATE component SET user = 'cu-9'", "component"),
        ("UPDATE component SET part = 2", "component"),
        ("DELETE FROM component", "component"),
        (
            "INSERT INTO component SELECT 9, cer, gk, gkcv, grp, scope, slot, part, user FROM component",
            "component",
        ),
    ] {
        attacker(&paths).execute_batch(sql).unwrap();
        assert_eq!(findings(&paths), [Finding::Derived { table }], "{sql}");
        does_not_open(&paths, table, sql);
        std::fs::write(&paths.db, &kept).unwrap();
    }
}

#[test]
fn a_check_is_part_of_the_life_of_its_device() {
    let directory = tempfile::tempdir().unwrap();
    let (paths, journal) = begin(directory.path());
    let seq = write(&journal, "sn-1", &group_key(), Holds::New);
    let check = |rid: Option<&str>, passed| {
        let identity = rid.map(|_| intent("sn-1").identity);
        let code = if passed { String::new() } else { "key-differs".to_owned() };
        journal.append(&entry(Event::Checked(Check { id: rid.map(id), identity, passed, code }))).unwrap()
    };
    let checks = [check(Some("sn-1"), true), check(None, false), check(Some("sn-1"), false)];
    let reader = Reader::open(&paths).unwrap();
    let life = reader.life(&id("sn-1")).unwrap().unwrap();
    let told: Vec<_> =
        life.events.iter().map(|event| (event.seq, event.event.as_str(), event.rc.as_str())).collect();
    let expected = [
        (seq, "inject.intent", ""),
        (seq + 1, "inject.result", "ok"),
        (checks[0], "check.result", "ok"),
        (checks[2], "check.result", "failed"),
    ];
    assert_eq!(told, expected);
    assert_eq!(life.events[3].code, "key-differs");
    // Nothing was written: it is no attempt, and the device stands as it stood.
    assert_eq!(reader.standing(&id("sn-1")).unwrap().attempts, 1);
    assert_eq!(life.standing, keystation_audit::DeviceStanding::Keyed);
    assert_eq!(reader.counts().unwrap().passed, 1);
    journal.close().unwrap();
    Journal::rebuild(&paths).unwrap();
    assert_eq!(Reader::open(&paths).unwrap().life(&id("sn-1")).unwrap(), Some(life));
    intact(&paths);
}
