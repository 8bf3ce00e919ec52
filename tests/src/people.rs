//! Eight people with accounts, for stations under test. What authenticates them is written here by docs/people.md alone, with
//! fixed salts and a fixed pepper: no test waits for it.

use std::path::Path;

use keystation_audit::{Journal, Paths, SystemClock};
use keystation_core::record::{Actor, Entry, Event, KeyChange, KeyEvent, UserChange, UserEvent};
use keystation_core::role::Role;

/// A person: ID, role, PIN, and the hash of it for `people.json` under [`PEPPER`].
pub struct Person {
    /// User ID.
    pub id: &'static str,
    /// The one role.
    pub role: Role,
    /// PIN. Known to everybody who reads this.
    pub pin: &'static str,
    hash: &'static str,
}

const fn person(id: &'static str, role: Role, pin: &'static str, hash: &'static str) -> Person {
    Person { id, role, pin, hash }
}

/// Everybody, in the order of `people.json`. Each PIN is hashed at the cost that every station demands.
pub const PEOPLE: [Person; 8] = [
    person(
        "admin-1",
        Role::Administrator,
        "640217",
        "YWRtaW4tMS0tLS0tLS0tLQ$AEm8eCQ8CvsIYcwqbbb5AzTOy36YJwsjW0vX9H4BSXQ",
    ),
    person(
        "admin-2",
        Role::Administrator,
        "953081",
        "YWRtaW4tMi0tLS0tLS0tLQ$3aJNiL1Nm5YezEr9GzBRUZ21G96apFSYL4ZJo4FVhxg",
    ),
    person(
        "cus-1",
        Role::Custodian,
        "271946",
        "Y3VzLTEtLS0tLS0tLS0tLQ$6xrgEA2VsV4oh+qcRvxib9hrbTySq2/jBwirUbx37lA",
    ),
    person(
        "cus-2",
        Role::Custodian,
        "806352",
        "Y3VzLTItLS0tLS0tLS0tLQ$y6GQ2Gs7f3JvdFfO6RuodtQ/QZKMdri5ujWFr23slRY",
    ),
    person(
        "op-0117",
        Role::Operator,
        "394085",
        "b3AtMDExNy0tLS0tLS0tLQ$PCGZ3fAvBubHB6VvxeSyEtq8Pf3RkP+BoUEN0YelG7Q",
    ),
    person(
        "qa-007",
        Role::Qa,
        "518263",
        "cWEtMDA3LS0tLS0tLS0tLQ$brsFN8DRtLtdrKc1Oi9fzTsa607wFooOxSzXe8C5iMU",
    ),
    person(
        "rep-1",
        Role::Repair,
        "729504",
        "cmVwLTEtLS0tLS0tLS0tLQ$NUTohQXCgpSPaSMrrVL5PyXPRq/wtS51i8s9vZq709E",
    ),
    person(
        "sup-1",
        Role::Supervisor,
        "463819",
        "c3VwLTEtLS0tLS0tLS0tLQ$/oEh0R+wScfZ3KKdK2uWkxm6bj0Dfq47jq6ifH29ojw",
    ),
];

/// The pepper, as `pepper.key` has it.
const PEPPER: &str = "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a";

/// Who uses this verb in the tests, and who approves. `None`: nobody has to sign in for it.
#[must_use]
pub fn who(verb: &[&str]) -> Option<(&'static str, Option<&'static str>)> {
    Some(match verb {
        ["inject" | "selftest", ..] => ("op-0117", None),
        ["check", ..] => ("qa-007", None),
        ["look", ..] => ("rep-1", None),
        ["rekey", ..] => ("rep-1", Some("sup-1")),
        ["batch", "list" | "show", ..] => return None,
        ["batch", ..] => ("rep-1", None),
        ["key", "list" | "devices", ..] => return None,
        ["key", "ceremony" | "recipient", ..] => ("cus-1", None),
        ["key", "suspend", ..] => ("sup-1", None),
        ["key", ..] => ("cus-1", Some("cus-2")),
        ["audit", "review", "--status", ..] | ["audit", "report", "verify", ..] => return None,
        ["audit", "export", rest @ ..] if rest.contains(&"--read-only") => return None,
        ["audit", "review" | "report" | "export", ..] | ["audit", "anchor", "accept", ..] => ("qa-007", None),
        ["backup", rest @ ..] if rest.contains(&"--read-only") => return None,
        ["backup", ..] => ("admin-1", None),
        ["restore", ..] => ("admin-1", Some("admin-2")),
        ["audit", "rebuild", ..] => ("admin-1", None),
        ["audit", "new-epoch", ..] => ("admin-1", Some("admin-2")),
        ["label" | "outbox", "status"] => return None,
        ["label" | "outbox", ..] => ("sup-1", None),
        ["order", "list" | "show", ..] => return None,
        ["order", "open", ..] => ("op-0117", None),
        ["order", "quota", ..] => ("sup-1", Some("admin-1")),
        ["order", ..] => ("sup-1", None),
        ["cleanup", "list", ..] => ("rep-1", None),
        ["device" | "cleanup", ..] => ("rep-1", Some("sup-1")),
        ["clock", ..] => ("sup-1", Some("admin-1")),
        ["person", "begin", ..] => return None,
        ["person", "change-pin", ..] => ("op-0117", None),
        ["person", "set" | "forget" | "list", ..] => ("admin-1", None),
        ["person", ..] => ("admin-1", Some("admin-2")),
        _ => return None,
    })
}

/// Gives everybody an account of the station in `data`, which is at rest and has none yet.
///
/// # Panics
/// If the log does not take the records.
pub fn settle(data: &Path) {
    let journal = journal(data);
    for Person { id, role, .. } in &PEOPLE {
        let actor = Actor {
            session: "0000000000000000".into(),
            operator: "admin-1".into(),
            role: Role::Administrator.to_string(),
        };
        let change = UserChange::Added { roles: (*role).into(), credential: 1, once: false };
        let user = UserEvent { user: (*id).to_owned(), approver: "admin-2".to_owned(), change };
        journal.append(&Entry { actor, event: Event::User(user) }).expect("it is taken");
    }
    journal.close().expect("it closes");
    let line = |Person { id, hash, .. }: &Person| {
        format!(
            "{{\"badge\":\"\",\"cred\":1,\"pin\":\"$argon2id$v=19$m=65536,t=3,p=1${hash}\",\"user\":\"{id}\"}}"
        )
    };
    let lines: Vec<_> = PEOPLE.iter().map(line).collect();
    let people = format!("{{\"format\":\"keystation-people/v1\",\"people\":[{}]}}\n", lines.join(","));
    crate::bench::private_file(&data.join("people.json"), &people);
    crate::bench::private_file(&data.join("pepper.key"), &format!("{PEPPER}\n"));
}

/// Two custodians activate the group key `label`, at a station that is at rest: what `keystation key activate` does, without
/// waiting for two PINs.
///
/// # Panics
/// If the log does not take the record.
pub fn activate(data: &Path, label: &str, check_value: &str) {
    let actor = Actor {
        session: "0000000000000000".into(),
        operator: "cus-1".into(),
        role: Role::Custodian.to_string(),
    };
    let event = KeyEvent::Changed {
        label: label.parse().expect("a label"),
        check_value: check_value.parse().expect("a check value"),
        change: KeyChange::Activated,
        reason: "first use".to_owned(),
        approver: "cus-2".to_owned(),
    };
    let journal = journal(data);
    journal.append(&Entry { actor, event: Event::GroupKey(event) }).expect("it is taken");
    journal.close().expect("it closes");
}

fn journal(data: &Path) -> Journal {
    Journal::open(&Paths::in_dir(data), SystemClock::new().expect("Linux has one")).expect("it opens")
}
