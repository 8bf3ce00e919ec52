use std::collections::BTreeMap;
use std::path::Path;

use keystation_audit::{Account, AppendError, Clock, Journal, Paths, Reader, Stamp};
use keystation_core::key::GroupKeyInfo;
use keystation_core::record::{
    Actor, CredentialChange, Entry, Event, KeyChange, KeyEvent, KeyOrigin, Purpose, Seq, SessionEvent,
    SignInRefusal, UserChange, UserEvent,
};
use keystation_core::role::{Role, Roles};
use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Steady, attacker, begin, copy, findings, group_key, intact};

const USER: &str = "op-0117";

fn by(operator: &str, event: Event) -> Entry {
    let (session, role) = ("5c1e0b7d".to_owned(), "administrator".to_owned());
    Entry { actor: Actor { session, operator: operator.to_owned(), role }, event }
}

fn change(journal: &Journal, user: &str, change: UserChange) -> Result<Seq, AppendError> {
    let event = UserEvent { user: user.to_owned(), approver: "ad-2".to_owned(), change };
    journal.append(&by("ad-1", Event::User(event)))
}

fn added(roles: impl Into<Roles>) -> UserChange {
    UserChange::Added { roles: roles.into(), credential: 1, once: true }
}

fn refused(journal: &Journal, user: &str, why: SignInRefusal, purpose: Purpose) -> Seq {
    let user = user.to_owned();
    journal.append(&by("", Event::Session(SessionEvent::Refused { user, why, purpose, tries: 0 }))).unwrap()
}

fn wrong(journal: &Journal) -> Seq {
    refused(journal, USER, SignInRefusal::Pin, Purpose::SignIn)
}

fn proved(journal: &Journal, operator: &str, user: &str, purpose: Purpose) {
    let user = user.to_owned();
    journal.append(&by(operator, Event::Session(SessionEvent::Proved { user, purpose }))).unwrap();
}

fn account(paths: &Paths, user: &str) -> Account {
    Reader::open(paths).unwrap().account(user).unwrap().unwrap()
}

fn tries(paths: &Paths) -> (u32, Option<u64>) {
    let account = account(paths, USER);
    if let Some((boot, _)) = &account.last_try {
        assert_eq!(boot, "9f0c2b1e-5d1f-4a52-9c0e-2f6f1f0f7a11");
    }
    (account.tries, account.last_try.map(|(_, mono)| mono))
}

fn mono(paths: &Paths, seq: Seq) -> u64 {
    let mut mono = None;
    let take = |record: &keystation_audit::Record<'_>| {
        mono = Some(record.mono());
        std::ops::ControlFlow::Break(())
    };
    Reader::open(paths).unwrap().records(seq..=seq, None, take).unwrap();
    mono.unwrap()
}

fn with_user() -> (TempDir, Paths, Journal) {
    let directory = tempfile::tempdir().unwrap();
    let (paths, journal) = begin(directory.path());
    change(&journal, USER, added(Role::Operator)).unwrap();
    (directory, paths, journal)
}

#[test]
fn accounts_are_what_their_records_made_of_them() {
    let directory = tempfile::tempdir().unwrap();
    let (paths, journal) = begin(directory.path());
    let reader = Reader::open(&paths).unwrap();
    assert_eq!((reader.accounts().unwrap(), reader.account(USER).unwrap()), (vec![], None));

    let mut expected = Account {
        user: USER.to_owned(),
        roles: Role::Operator.into(),
        active: true,
        cred: 1,
        once: true,
        tries: 0,
        last_try: None,
        seq: change(&journal, USER, added(Role::Operator)).unwrap(),
    };
    assert_eq!(reader.account(USER).unwrap().as_ref(), Some(&expected));

    let reason = || "on leave".to_owned();
    let chosen = UserChange::Credential { credential: 2, why: CredentialChange::Chosen, once: false };
    expected.seq = change(&journal, USER, chosen).unwrap();
    (expected.cred, expected.once) = (2, false);
    assert_eq!(reader.account(USER).unwrap().as_ref(), Some(&expected));
    expected.seq = change(&journal, USER, UserChange::Disabled { reason: reason() }).unwrap();
    expected.active = false;
    assert_eq!(reader.account(USER).unwrap().as_ref(), Some(&expected));
    expected.seq = change(&journal, USER, UserChange::Enabled { reason: reason() }).unwrap();
    expected.active = true;
    assert_eq!(reader.account(USER).unwrap().as_ref(), Some(&expected));
    expected.roles = Roles::new([Role::Supervisor, Role::Custodian]).unwrap();
    expected.seq = change(&journal, USER, UserChange::Roles(expected.roles)).unwrap();
    let badge = UserChange::Credential { credential: 3, why: CredentialChange::Badge, once: true };
    expected.seq = change(&journal, USER, badge).unwrap();
    (expected.cred, expected.once) = (3, true);

    let other = change(&journal, "QA_1.x", added(Role::Qa)).unwrap();
    let accounts = reader.accounts().unwrap();
    assert_eq!(accounts.iter().map(|account| account.user.as_str()).collect::<Vec<_>>(), ["QA_1.x", USER]);
    assert_eq!((&accounts[1], accounts[0].seq), (&expected, other));
    assert_eq!(intact(&paths), other + 1);
}

#[test]
fn an_id_is_given_once_and_nobody_else_is_changed() {
    let (_directory, paths, journal) = with_user();
    change(&journal, USER, UserChange::Disabled { reason: "left".to_owned() }).unwrap();
    wrong(&journal);
    let before = account(&paths, USER);
    let again = change(&journal, USER, added(Role::Custodian));
    assert!(matches!(&again, Err(AppendError::AccountExists { user }) if user == USER), "{again:?}");
    for unknown in [
        UserChange::Roles(Role::Qa.into()),
        UserChange::Enabled { reason: String::new() },
        UserChange::Credential { credential: 2, why: CredentialChange::Reset, once: true },
    ] {
        let refused = change(&journal, "OP-0117", unknown);
        assert!(matches!(&refused, Err(AppendError::NoSuchAccount { user }) if user == "OP-0117"));
    }
    // Who has no account leaves no trace in the table, whatever is tried with his ID.
    refused(&journal, "nobody", SignInRefusal::Pin, Purpose::SignIn);
    proved(&journal, "", "nobody", Purpose::SignIn);
    assert_eq!(Reader::open(&paths).unwrap().accounts().unwrap(), [before]);
    assert_eq!(intact(&paths), 6);
}

#[test]
fn only_a_wrong_pin_counts() {
    let (_directory, paths, journal) = with_user();
    let seq = account(&paths, USER).seq;
    for purpose in Purpose::ALL {
        for why in SignInRefusal::ALL {
            let before = tries(&paths);
            let record = refused(&journal, USER, *why, *purpose);
            let counted = (before.0 + 1, Some(mono(&paths, record)));
            let expected = if *why == SignInRefusal::Pin { counted } else { before };
            assert_eq!(tries(&paths), expected, "{why:?} {purpose:?}");
        }
    }
    let user = USER.to_owned();
    journal.append(&by("", Event::Session(SessionEvent::LockedOut { user }))).unwrap();
    assert_eq!(tries(&paths).0, u32::try_from(Purpose::ALL.len()).unwrap());
    assert_eq!(account(&paths, USER).seq, seq, "what auth does is no change of the account");
    intact(&paths);
}

#[test]
fn right_pin_reset_and_approval_take_the_wrong_ones_back() {
    let (_directory, paths, journal) = with_user();
    let spoil = || {
        let last = (wrong(&journal), wrong(&journal)).1;
        assert_eq!(tries(&paths), (2, Some(mono(&paths, last))));
    };
    for purpose in Purpose::ALL {
        spoil();
        let operator = if *purpose == Purpose::Approval { "op-0001" } else { USER };
        proved(&journal, operator, USER, *purpose);
        assert_eq!(tries(&paths), (0, None), "{purpose:?}");
    }
    spoil();
    // What somebody else proves, or approves for this person, says nothing of this person's PIN.
    proved(&journal, "su-1", "su-1", Purpose::SignIn);
    proved(&journal, USER, "su-1", Purpose::Approval);
    assert_eq!(tries(&paths).0, 2);
    for why in [CredentialChange::Chosen, CredentialChange::Badge] {
        change(&journal, USER, UserChange::Credential { credential: 2, why, once: false }).unwrap();
        assert_eq!(tries(&paths).0, 2, "{why:?}");
    }
    for unrelated in [
        UserChange::Disabled { reason: "x".to_owned() },
        UserChange::Enabled { reason: "x".to_owned() },
        UserChange::Roles(Role::Repair.into()),
    ] {
        change(&journal, USER, unrelated).unwrap();
        assert_eq!(tries(&paths).0, 2);
    }
    let reset = CredentialChange::Reset;
    change(&journal, USER, UserChange::Credential { credential: 3, why: reset, once: true }).unwrap();
    assert_eq!(tries(&paths), (0, None));
    intact(&paths);
}

/// Another start of the machine, whose clock has been set back by a day.
struct Later;

impl Clock for Later {
    fn now(&self) -> Stamp {
        let boot = "00000000-0000-4000-8000-000000000002".parse().unwrap();
        Stamp { utc_ms: 1_795_227_243_123, mono_ms: 77, boot }
    }
}

/// A copy of the files of a living station is what a kill leaves of it.
fn killed(from: &Path) -> (TempDir, Paths) {
    let directory = tempfile::tempdir().unwrap();
    copy(from, directory.path());
    let paths = Paths::in_dir(directory.path());
    (directory, paths)
}

#[test]
fn wrong_pins_outlive_a_kill_a_start_and_new_tables() {
    let (directory, paths, journal) = with_user();
    for count in 1..=9 {
        let last = mono(&paths, wrong(&journal));
        let (_killed, copy) = killed(directory.path());
        let again = Journal::open(&copy, Steady::new()).unwrap();
        assert_eq!(tries(&copy), (count, Some(last)));
        again.close().unwrap();
        Journal::rebuild(&copy).unwrap();
        assert_eq!(tries(&copy), (count, Some(last)));
        intact(&copy);
    }
    let (_killed, copy) = killed(directory.path());
    drop(journal);
    let again = Journal::open(&copy, Later).unwrap();
    wrong(&again);
    let tenth = account(&copy, USER);
    assert_eq!(tenth.tries, 10);
    assert_eq!(tenth.last_try, Some(("00000000-0000-4000-8000-000000000002".to_owned(), 77)));
    again.close().unwrap();
    Journal::rebuild(&copy).unwrap();
    assert_eq!(account(&copy, USER), tenth);
    let again = Journal::open(&copy, Later).unwrap();
    proved(&again, USER, USER, Purpose::SignIn);
    again.close().unwrap();
    Journal::rebuild(&copy).unwrap();
    assert_eq!(tries(&copy), (0, None));
    intact(&copy);
}

#[test]
fn an_account_that_was_changed_past_the_log_is_named() {
    let (_directory, paths, journal) = with_user();
    wrong(&journal);
    journal.close().unwrap();
    let kept = std::fs::read(&paths.db).unwrap();
    for sql in [
        "UPDATE account SET tries = 0",
        "UPDATE account SET try_mono = 0",
        "UPDATE account SET try_boot = NULL",
        "UPDATE account SET roles = 'administrator'",
        "UPDATE account SET roles = 'administrator+qa'",
        "UPDATE account SET active = 0",
        "UPDATE account SET cred = 7",
        "UPDATE account SET once = 0",
        "UPDATE account SET seq = 2",
        "UPDATE account SET tries = -1",
        "DELETE FROM account",
        "INSERT INTO account VALUES ('ad-9', 'administrator', 1, 1, 0, 0, NULL, NULL, 1)",
    ] {
        attacker(&paths).execute_batch(sql).unwrap();
        assert_eq!(findings(&paths), [keystation_audit::Finding::Derived { table: "account" }], "{sql}");
        crate::support::does_not_open(&paths, "account", sql);
        Journal::rebuild(&paths).unwrap();
        assert_eq!(tries(&paths).0, 1, "{sql}");
        intact(&paths);
        std::fs::write(&paths.db, &kept).unwrap();
    }
}

/// What a record of an account must say. A program never writes another; a reader says so and stops there.
#[test]
fn an_account_record_without_what_it_is_about_is_none() {
    let (_directory, paths, journal) = with_user();
    journal.close().unwrap();
    for (from, to) in [
        (r#""roles":"operator""#, r#""roles":"qa+operator""#),
        (r#""roles":"operator""#, r#""roles":"""#),
        (r#""roles":"operator""#, r#""rolez":"operator""#),
        (r#""cred":1"#, r#""cred":-1"#),
        (r#""once":1"#, r#""once":2"#),
        (r#""user":"op-0117""#, r#""user":7"#),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let (copied, key) = (directory.path().join("log"), &paths.key);
        copy(key.parent().unwrap(), &copied);
        let copied = Paths::in_dir(&copied);
        crate::attacks::behind_the_triggers(&attacker(&copied), |conn| {
            let sql = "UPDATE log SET body = CAST(replace(CAST(body AS TEXT), ?1, ?2) AS BLOB) WHERE seq = 1";
            assert_eq!(conn.execute(sql, [from, to]).unwrap(), 1);
        });
        let found = findings(&copied);
        let none = |finding: &keystation_audit::Finding| {
            matches!(finding, keystation_audit::Finding::NotARecord { seq: 1, .. })
        };
        assert!(found.iter().any(none), "{to}: {found:?}");
    }
}

/// The example of section 12: its records, told without what every record has.
#[test]
fn document_prints_these_records() {
    let directory = tempfile::tempdir().unwrap();
    let (paths, journal) = begin(directory.path());
    let append = |role: &str, operator: &str, event| {
        let (session, role, operator) = (String::new(), role.to_owned(), operator.to_owned());
        journal.append(&Entry { actor: Actor { session, operator, role }, event }).unwrap()
    };
    let roles = Roles::new([Role::Operator, Role::Repair]).unwrap();
    let (user, approver) = (USER.to_owned(), "ad-2".to_owned());
    let change = UserChange::Added { roles, credential: 1, once: true };
    append("administrator", "ad-1", Event::User(UserEvent { user, approver, change }));
    let (why, purpose) = (SignInRefusal::Pin, Purpose::SignIn);
    let refused = SessionEvent::Refused { user: USER.to_owned(), why, purpose, tries: 1 };
    append("station", "", Event::Session(refused));
    append("operator", USER, Event::Session(SessionEvent::Proved { user: USER.to_owned(), purpose }));
    let (ceremony, check_value) = ("8f3c0a51d2e6b794".to_owned(), "0A1B2C".to_owned());
    let component = KeyEvent::Component {
        ceremony,
        key: (&group_key()).into(),
        part: 2,
        of: 2,
        check_value,
        taken: true,
    };
    append("custodian", "cu-2", Event::GroupKey(component));
    let (key, custody, how, approver) = (group_key(), "tpm", KeyOrigin::Ceremony, "cu-2".to_owned());
    append("custodian", "cu-1", Event::KeyImport { key, custody, how, approver: approver.clone() });
    let GroupKeyInfo { label, check_value, .. } = group_key();
    let (change, reason) = (KeyChange::Activated, "line 7 starts".to_owned());
    append(
        "custodian",
        "cu-1",
        Event::GroupKey(KeyEvent::Changed { label, check_value, change, reason, approver }),
    );

    assert_printed("An example:", &paths, 6);
}

/// The lines of section 12 behind `begins` are the last `count` records, told without what every record has.
pub(crate) fn assert_printed(begins: &str, paths: &Paths, count: u32) {
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/audit-format.md");
    let document = std::fs::read_to_string(document).unwrap();
    let (_, section) = document.split_once("## 12 ").unwrap();
    let (_, example) = section.split_once(begins).unwrap();
    let lines = example.lines().skip_while(|line| !line.starts_with("    "));
    let printed: String = lines.map_while(|line| line.strip_prefix("    ")).collect();
    let mut told = String::new();
    for stored in Reader::open(paths).unwrap().recent(count).unwrap() {
        let mut fields: BTreeMap<String, Value> = serde_json::from_slice(&stored.body).unwrap();
        for left_out in ["boot", "log", "mono", "seq", "ses", "t", "v"] {
            assert!(fields.remove(left_out).is_some());
        }
        told += &serde_json::to_string(&fields).unwrap();
    }
    assert_eq!(printed, told);
}
