//! What a new epoch takes over, and what it does not: `docs/audit-format.md`, section 4.

use std::fs;

use keystation_audit::{
    Account, AppendError, BootId, EpochOrder, Finding, Journal, KeyState, Paths, Reader, Verdict,
    accounts_left, begin_epoch, leaf_hash,
};
use keystation_core::key::GroupKeyInfo;
use keystation_core::record::{
    Actor, Carried, CredentialChange, Entry, Event, KeyChange, KeyEvent, KeyOrigin, Purpose, Seq,
    SessionEvent, SignInRefusal, UserChange, UserEvent,
};
use keystation_core::role::{Role, Roles};
use tempfile::TempDir;

use crate::support::{Steady, attacker, begin, entry, findings, group_key, intact, open, work};

pub(crate) fn order() -> EpochOrder {
    EpochOrder {
        operator: "ad-1".to_owned(),
        role: "administrator".to_owned(),
        approver: "ad-2".to_owned(),
        reason: "disk replaced".to_owned(),
    }
}

fn user(user: &str, change: UserChange) -> Event {
    Event::User(UserEvent { user: user.to_owned(), approver: "ad-2".to_owned(), change })
}

fn added(roles: Roles) -> UserChange {
    UserChange::Added { roles, credential: 1, once: true }
}

fn changed(key: &GroupKeyInfo, change: KeyChange) -> Event {
    let (label, check_value) = (key.label.clone(), key.check_value);
    let (reason, approver) = ("rotation".to_owned(), "cu-2".to_owned());
    Event::GroupKey(KeyEvent::Changed { label, check_value, change, reason, approver })
}

fn destroyed() -> GroupKeyInfo {
    GroupKeyInfo {
        label: "gk-2025".parse().unwrap(),
        check_value: "0123456789".parse().unwrap(),
        ..group_key()
    }
}

/// A log that says something of everything, and devices between it.
pub(crate) fn settled() -> (TempDir, Paths) {
    let directory = tempfile::tempdir().unwrap();
    let (paths, journal) = begin(directory.path());
    people_and_keys(&journal);
    journal.close().unwrap();
    (directory, paths)
}

/// Accounts, keys and components, and devices between them.
pub(crate) fn people_and_keys(journal: &Journal) {
    let append = |event| journal.append(&entry(event)).unwrap();
    append(user("ad-1", added(Role::Administrator.into())));
    append(user("cu-2", added(Role::Custodian.into())));
    append(user("gone", added(Role::Operator.into())));
    append(user("gone", UserChange::Disabled { reason: "left".to_owned() }));
    let new_pin = UserChange::Credential { credential: 2, why: CredentialChange::Chosen, once: false };
    append(user("ad-1", new_pin));
    for key in [group_key(), destroyed()] {
        let (ceremony, cv) = ("8f3c0a51d2e6b794".to_owned(), "0A1B2C".to_owned());
        let key_of = (&key).into();
        append(Event::GroupKey(KeyEvent::Component {
            ceremony,
            key: key_of,
            part: 2,
            of: 2,
            check_value: cv,
            taken: true,
        }));
        let (custody, how, approver) = ("tpm", KeyOrigin::Ceremony, "cu-2".to_owned());
        append(Event::KeyImport { key: key.clone(), custody, how, approver });
        append(changed(&key, KeyChange::Activated));
    }
    work(journal, 10);
    append(changed(&destroyed(), KeyChange::Destroyed));
    for _ in 0..3 {
        let (why, purpose) = (SignInRefusal::Pin, Purpose::SignIn);
        append(Event::Session(SessionEvent::Refused { user: "cu-2".to_owned(), why, purpose, tries: 0 }));
    }
}

/// Label, state, and the two who imported it.
type Key = (String, KeyState, String, String);

/// Label, custodian, which part.
type Given = (String, String, u8);

/// Accounts, keys and components, but for the numbers of their records.
fn said(paths: &Paths) -> (Vec<Account>, Vec<Key>, Vec<Given>) {
    let reader = Reader::open(paths).unwrap();
    let accounts = reader.accounts().unwrap();
    let keys = reader.group_keys().unwrap();
    let components = reader.components().unwrap();
    (
        accounts.into_iter().map(|account| Account { seq: 0, ..account }).collect(),
        keys.into_iter().map(|key| (key.info.label.to_string(), key.state, key.by, key.approver)).collect(),
        components.into_iter().map(|given| (given.key.to_string(), given.user, given.part)).collect(),
    )
}

/// A field of the first record.
fn first(paths: &Paths, field: &str) -> i64 {
    let stored = Reader::open(paths).unwrap();
    let mut found = None;
    let genesis = |record: &keystation_audit::Record<'_>| {
        found = record.integer(field);
        std::ops::ControlFlow::Break(())
    };
    stored.records(0..=0, None, genesis).unwrap();
    found.unwrap()
}

fn next(directory: &TempDir) {
    begin_epoch(directory.path(), &order(), Steady::new()).unwrap();
}

#[test]
fn an_epoch_begins_with_what_the_old_log_said() {
    let (directory, paths) = settled();
    let before = said(&paths);
    let size = i64::try_from(intact(&paths)).unwrap();
    assert_eq!((before.0.len(), before.1.len(), before.2.len()), (3, 2, 2));
    // The third epoch follows one that has nothing but what it took over.
    for _ in 0..2 {
        let left = i64::try_from(intact(&paths)).unwrap();
        next(&directory);
        assert_eq!(said(&paths), before);
        let told = ["carried", "carried_size", "carried_lost"].map(|field| first(&paths, field));
        assert_eq!(told, [7, left, 0]);
        assert_eq!(intact(&paths), 8);
    }
    assert_eq!(size, 1 + 5 + 6 + 20 + 4);

    // None of the rules ends with the log: an ID, a label that was destroyed, and the count of wrong PINs.
    let journal = open(&paths).unwrap();
    let again = journal.append(&entry(user("gone", added(Role::Operator.into()))));
    assert!(matches!(again, Err(AppendError::AccountExists { .. })), "{again:?}");
    let again = journal.append(&entry(changed(&destroyed(), KeyChange::Activated)));
    assert!(matches!(again, Err(AppendError::NoSuchKey { .. })), "{again:?}");
    let reader = Reader::open(&paths).unwrap();
    let custodian = reader.account("cu-2").unwrap().unwrap();
    let boot: BootId = "9f0c2b1e-5d1f-4a52-9c0e-2f6f1f0f7a11".parse().unwrap();
    assert_eq!((custodian.tries, custodian.last_try.unwrap().0.as_str()), (3, boot.as_str()));
    assert_eq!(reader.account("ad-1").unwrap().unwrap().cred, 2);
    journal.append(&entry(user("gone", UserChange::Enabled { reason: "back".to_owned() }))).unwrap();
    assert!(reader.account("gone").unwrap().unwrap().active);
    drop(journal);
    Journal::rebuild(&paths).unwrap();
    assert_eq!(intact(&paths), 9);
}

/// The tables are not asked, and neither is a record that nobody signed for.
#[test]
fn only_what_was_signed_for_is_carried_over() {
    let (directory, paths) = settled();
    let before = said(&paths);
    let conn = attacker(&paths);
    conn.execute_batch(
        "UPDATE account SET active = 1, tries = 0; UPDATE group_key SET state = 'active'; DELETE FROM component;",
    )
    .unwrap();
    let size = conn.query_row("SELECT count(*) FROM log", [], |row| row.get::<_, i64>(0)).unwrap();
    let body: Vec<u8> = conn.query_row("SELECT body FROM log WHERE seq = 1", [], |row| row.get(0)).unwrap();
    let text = String::from_utf8(body).unwrap();
    let forged =
        text.replace(r#""seq":1"#, &format!(r#""seq":{size}"#)).replace(r#""user":"ad-1""#, r#""user":"me""#);
    let leaf = leaf_hash(forged.as_bytes());
    conn.execute("INSERT INTO log (seq, body, leaf) VALUES (?1, ?2, ?3)", (size, forged.as_bytes(), leaf))
        .unwrap();
    drop(conn);
    assert!(open(&paths).is_err());
    let left = accounts_left(directory.path()).unwrap().unwrap();
    assert!(left.vouched);
    assert_eq!(
        left.accounts.into_iter().map(|account| Account { seq: 0, ..account }).collect::<Vec<_>>(),
        before.0
    );
    next(&directory);
    assert_eq!(said(&paths), before);
    assert_eq!(["carried_size", "carried_lost"].map(|field| first(&paths, field)), [size, 0]);
    intact(&paths);
}

#[test]
fn what_is_lost_of_the_old_log_is_told() {
    // A record that is not the one whose leaf was signed for: all others are.
    let (directory, paths) = settled();
    crate::attacks::behind_the_triggers(&attacker(&paths), |conn| {
        conn.execute("UPDATE log SET body = x'7b7d' WHERE seq = 4", []).unwrap();
    });
    next(&directory);
    assert_eq!(["carried", "carried_lost"].map(|field| first(&paths, field)), [7, 1]);
    assert!(said(&paths).0.iter().all(|account| account.active), "the record of the end of `gone` is lost");

    // An older copy of the database under a newer head: what it has, and how much that is.
    let (directory, paths) = settled();
    let older = fs::read(&paths.db).unwrap();
    let journal = open(&paths).unwrap();
    let seq = journal.append(&entry(user("late", added(Role::Operator.into())))).unwrap();
    journal.close().unwrap();
    fs::write(&paths.db, older).unwrap();
    next(&directory);
    let told = ["carried_size", "prev_size"].map(|field| first(&paths, field).cast_unsigned());
    assert_eq!(told, [seq, seq + 1]);
    assert!(Reader::open(&paths).unwrap().account("late").unwrap().is_none());

    // A record and all that stands for it is gone, and a database that is gone: nothing is vouched for. Whoever has an account in
    // the records is asked all the same.
    type Spoil = fn(&Paths);
    let spoil: [(Spoil, Option<usize>); 2] = [
        (
            |paths| {
                crate::attacks::behind_the_triggers(&attacker(paths), |conn| {
                    conn.execute("UPDATE log SET leaf = zeroblob(32), body = x'7b7d' WHERE seq = 4", [])
                        .unwrap();
                    conn.execute("UPDATE node SET hash = zeroblob(32)", []).unwrap();
                });
            },
            Some(3),
        ),
        (|paths| fs::remove_file(&paths.db).unwrap(), None),
    ];
    for (spoil, asked) in spoil {
        let (directory, paths) = settled();
        spoil(&paths);
        let left = accounts_left(directory.path()).unwrap();
        assert_eq!(left.map(|left| (left.accounts.len(), left.vouched)), asked.map(|asked| (asked, false)));
        next(&directory);
        assert_eq!(["carried", "carried_size", "carried_lost"].map(|field| first(&paths, field)), [0; 3]);
        assert_eq!(intact(&paths), 1);
        assert_eq!(said(&paths), (vec![], vec![], vec![]));
    }
}

/// What an epoch took over and of how much, after `sql` was done to the old log.
fn after(sql: &str) -> (TempDir, Paths, [i64; 3]) {
    let (directory, paths) = settled();
    crate::attacks::behind_the_triggers(&attacker(&paths), |conn| conn.execute_batch(sql).unwrap());
    let left = accounts_left(directory.path()).unwrap().unwrap();
    assert!(left.vouched, "{sql}");
    next(&directory);
    intact(&paths);
    let told = ["carried", "carried_size", "carried_lost"].map(|field| first(&paths, field));
    (directory, paths, told)
}

/// Whoever changes a part of the log takes nothing else out of the new one: each record is vouched for by its bytes, by its leaf, or by the nodes above it.
#[test]
fn one_change_does_not_empty_the_next_epoch() {
    let (_directory, before) = settled();
    let (whole, size) = (said(&before), i64::try_from(intact(&before)).unwrap());
    // Nothing of it is lost: the bytes are there.
    for sql in [
        "UPDATE log SET leaf = zeroblob(32) WHERE seq = 0",
        "UPDATE log SET leaf = zeroblob(32)",
        "UPDATE log SET leaf = randomblob(32); UPDATE node SET hash = randomblob(32)",
        "UPDATE node SET hash = zeroblob(32)",
        "UPDATE log SET leaf = zeroblob(32) WHERE seq IN (1, 7); UPDATE node SET hash = zeroblob(32) WHERE level > 1",
    ] {
        let (_directory, paths, told) = after(sql);
        assert_eq!((said(&paths), told), (whole.clone(), [7, size, 0]), "{sql}");
    }
    // Bytes that are gone are lost, and what was signed only together with them. `device` is of no interest to the new log.
    let device = 20;
    for (lost, sql) in [
        (1, format!("UPDATE log SET body = x'7b7d' WHERE seq = {device}")),
        (1, format!("UPDATE log SET body = x'7b7d' WHERE seq = {device}; UPDATE log SET leaf = zeroblob(32) WHERE seq < 4")),
        (
            1,
            format!(
                "UPDATE log SET body = x'7b7d' WHERE seq = {device}; UPDATE log SET leaf = zeroblob(32) WHERE seq = 1;
                 UPDATE node SET hash = zeroblob(32)"
            ),
        ),
        (2, format!("UPDATE log SET body = x'7b7d', leaf = zeroblob(32) WHERE seq = {device}")),
        (10, "UPDATE log SET body = x'7b7d' WHERE seq BETWEEN 14 AND 23".to_owned()),
        (10, "UPDATE log SET body = x'7b7d', leaf = zeroblob(32) WHERE seq BETWEEN 14 AND 23".to_owned()),
    ] {
        let (_directory, paths, told) = after(&sql);
        assert_eq!((said(&paths), told), (whole.clone(), [7, size, lost]), "{sql}");
    }
}

/// More than a transaction takes.
#[test]
fn a_plant_of_many_people_is_carried_over() {
    let directory = tempfile::tempdir().unwrap();
    let (paths, journal) = begin(directory.path());
    for number in 0..600 {
        journal.append(&entry(user(&format!("op-{number:04}"), added(Role::Operator.into())))).unwrap();
    }
    journal.close().unwrap();
    next(&directory);
    assert_eq!((intact(&paths), first(&paths, "carried")), (601, 600));
}

#[test]
fn nothing_is_carried_over_behind_the_beginning() {
    let (directory, paths) = settled();
    next(&directory);
    let journal = open(&paths).unwrap();
    let carried = |was: Seq| Carried::Account {
        user: "zz".to_owned(),
        roles: Role::Operator.into(),
        active: true,
        cred: 1,
        once: false,
        tries: 0,
        last_try: None,
        was,
    };
    for was in [0, 99] {
        let refused = journal.append(&entry(Event::Carried(carried(was))));
        assert!(matches!(refused, Err(AppendError::Misplaced(Finding::Carried { seq: 8 }))), "{refused:?}");
    }
    journal.close().unwrap();
    assert_eq!(intact(&paths), 8);
    // A genesis that says less, in a log that is signed for: not this program's, and no verifier takes it.
    assert!(matches!(Reader::open(&paths).unwrap().verify().unwrap(), Verdict::Intact { .. }));
    assert_eq!(findings(&paths), []);
}

/// The second example of section 12.
#[test]
fn document_prints_what_is_carried_over() {
    let directory = tempfile::tempdir().unwrap();
    let (paths, journal) = begin(directory.path());
    let by = |operator: &str, event| {
        let (session, role) = (String::new(), String::new());
        journal
            .append(&Entry { actor: Actor { session, operator: operator.to_owned(), role }, event })
            .unwrap()
    };
    by("ad-1", user("op-0117", added(Roles::new([Role::Operator, Role::Repair]).unwrap())));
    let (name, why, purpose) = ("op-0117".to_owned(), SignInRefusal::Pin, Purpose::SignIn);
    by("", Event::Session(SessionEvent::Refused { user: name.clone(), why, purpose, tries: 1 }));
    by("op-0117", Event::Session(SessionEvent::Proved { user: name, purpose }));
    let (ceremony, check_value) = ("8f3c0a51d2e6b794".to_owned(), "0A1B2C".to_owned());
    let component = KeyEvent::Component {
        ceremony,
        key: (&group_key()).into(),
        part: 2,
        of: 2,
        check_value,
        taken: true,
    };
    by("cu-2", Event::GroupKey(component));
    let (key, custody, how) = (group_key(), "tpm", KeyOrigin::Ceremony);
    by("cu-1", Event::KeyImport { key, custody, how, approver: "cu-2".to_owned() });
    by("cu-1", changed(&group_key(), KeyChange::Activated));
    journal.close().unwrap();
    next(&directory);
    crate::accounts::assert_printed("The records that carry", &paths, 3);
}
