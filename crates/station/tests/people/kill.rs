//! Killed in the middle of a change: whatever step it was, the next start knows which PIN counts.

use std::fs;
use std::path::Path;

use keystation::people::{Action, PersonError, SignInError};
use keystation::{DataDir, StationError, paths};
use keystation_audit::{Journal, SystemClock};
use keystation_core::record::{Actor, Entry, Event, UserChange, UserEvent};
use keystation_core::role::{Role, Roles};
use serde_json::Value;

use super::support::{ADMINS, Bench, copy, person, pin};

/// `people.json` after the first step: what both states have, the old credential and the new one.
fn both(before: &Path, after: &Path) -> String {
    let read = |dir: &Path| -> Value {
        serde_json::from_str(&fs::read_to_string(dir.join("people.json")).unwrap()).unwrap()
    };
    let (mut document, after) = (read(before), read(after));
    let people = document["people"].as_array_mut().unwrap();
    people.extend(after["people"].as_array().unwrap().iter().cloned());
    people.sort_by_key(|line| (line["user"].as_str().unwrap().to_owned(), line["cred"].as_u64()));
    people.dedup();
    document.to_string() + "\n"
}

/// Does `change`, and tries every state in which a kill could have left it.
fn at_every_step(change: impl Fn(&Bench), old: impl Fn(&Bench), new: impl Fn(&Bench)) {
    let mut bench = Bench::with_admins();
    bench.settle("op-1", "671425", "operator");
    let [before, after] = ["before", "after"].map(|name| bench.dir.path().join(name));
    bench = bench.at_rest(|data| copy(data, &before));
    change(&bench);
    bench = bench.at_rest(|data| copy(data, &after));
    let both = both(&before, &after);
    assert_ne!(both, fs::read_to_string(before.join("people.json")).unwrap());
    for (what, log, people, holds) in [
        ("before the first step", &before, None, &old as &dyn Fn(&Bench)),
        ("while the file was written", &before, None, &old),
        ("before the record", &before, Some(&both), &old),
        ("after the record", &after, Some(&both), &new),
        ("after the last step", &after, None, &new),
    ] {
        bench = bench.at_rest(|data| {
            fs::remove_dir_all(data).unwrap();
            copy(log, data);
            if what.starts_with("while") {
                fs::write(data.join("people.json.new"), &both[..both.len() / 2]).unwrap();
            }
            if let Some(people) = people {
                use std::os::unix::fs::PermissionsExt;
                let file = data.join("people.json");
                fs::write(&file, people).unwrap();
                fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
            }
        });
        let tidy = fs::read_to_string(bench.data.people()).unwrap();
        assert_eq!(
            tidy,
            fs::read_to_string(log.join("people.json")).unwrap(),
            "killed {what}: the start drops what does not count"
        );
        holds(&bench);
        // It goes on from there.
        bench.settle("op-2", "859274", "operator");
    }
}

#[test]
fn a_reset() {
    at_every_step(
        |bench| {
            bench.sign_in(ADMINS[0].0, ADMINS[0].1).unwrap();
            let approval = bench.approved(Action::ResetPin, "op-1", "").unwrap();
            bench.station.reset_pin("op-1", &pin("907153"), approval).unwrap();
        },
        |bench| {
            assert!(bench.sign_in("op-1", "907153").is_err());
            bench.sign_in("op-1", "671425").unwrap();
        },
        |bench| {
            assert!(bench.sign_in("op-1", "671425").is_err());
            bench.sign_in("op-1", "907153").unwrap();
        },
    );
}

#[test]
fn a_new_account() {
    at_every_step(
        |bench| bench.add("op-3", "907153", "operator").unwrap(),
        |bench| {
            assert!(matches!(bench.sign_in("op-3", "907153"), Err(SignInError::Unknown)));
            bench.add("op-3", "385016", "repair").unwrap();
            bench.sign_in("op-3", "385016").unwrap();
        },
        |bench| {
            bench.sign_in("op-3", "907153").unwrap();
            let again = bench.add("op-3", "385016", "repair");
            assert!(matches!(again, Err(StationError::Person(PersonError::Known(_)))));
        },
    );
}

#[test]
fn a_first_start_is_begun_again_with_the_one_whom_the_log_has() {
    let bench = Bench::new();
    // The first of the two records, and no second one; the file has both.
    let two =
        |other: &str| (person("ad-1", "493027", "administrator"), person(other, "580316", "administrator"));
    let Bench { dir, data, hands, station } = bench;
    station.close().unwrap();
    let journal = Journal::open(&paths(&data), SystemClock::new().unwrap()).unwrap();
    let change = UserChange::Added { roles: Roles::from(Role::Administrator), credential: 1, once: false };
    let event = Event::User(UserEvent { user: "ad-1".to_owned(), approver: "ad-2".to_owned(), change });
    journal.append(&Entry { actor: Actor::default(), event }).unwrap();
    journal.close().unwrap();
    let bench = Bench { station: super::support::open(&data, &hands).unwrap(), dir, data, hands };
    assert!(bench.station.is_new().unwrap());
    let strangers = bench.station.begin(person("ad-8", "493027", "administrator"), two("ad-9").1);
    assert!(matches!(strangers, Err(StationError::Person(PersonError::HalfBegun(user))) if user == "ad-1"));
    let (first, second) = two("ad-3");
    bench.station.begin(second, first).unwrap();
    assert!(!bench.station.is_new().unwrap());
    bench.sign_in("ad-1", "493027").unwrap();
    bench.sign_in("ad-3", "580316").unwrap();
    assert_eq!(bench.records("user.cred", "user"), ["ad-1"]);
}

#[test]
fn an_older_people_json_authenticates_nobody_whose_credential_changed() {
    let bench = Bench::with_admins();
    bench.settle("op-1", "671425", "operator");
    let old = fs::read_to_string(bench.data.people()).unwrap();
    bench.sign_in("op-1", "671425").unwrap();
    bench.station.change_pin(&pin("671425"), &pin("764201")).unwrap();
    bench.station.sign_out().unwrap();
    fs::write(bench.data.people(), &old).unwrap();
    for digits in ["671425", "764201"] {
        let refused = bench.sign_in("op-1", digits);
        assert!(matches!(refused, Err(SignInError::Credential)), "{refused:?}");
    }
    // The start leaves it as it is, and two administrators mend it.
    let bench = bench.restart();
    assert_eq!(fs::read_to_string(bench.data.people()).unwrap(), old);
    assert!(matches!(bench.sign_in("op-1", "671425"), Err(SignInError::Credential)));
    bench.sign_in(ADMINS[0].0, ADMINS[0].1).unwrap();
    let approval = bench.approved(Action::ResetPin, "op-1", "").unwrap();
    bench.station.reset_pin("op-1", &pin("907153"), approval).unwrap();
    bench.sign_in("op-1", "907153").unwrap();
    assert_eq!(bench.records("auth.refuse", "why"), ["credential"; 3]);
}

#[test]
fn without_its_pepper_nobody_signs_in_and_no_other_is_made() {
    let bench = Bench::with_admins();
    fs::remove_file(bench.data.pepper()).unwrap();
    for _ in 0..2 {
        let refused = bench.sign_in(ADMINS[0].0, ADMINS[0].1);
        let Err(SignInError::Station(error)) = refused else { panic!("{refused:?}") };
        assert_eq!(error.code(), "pepper-gone");
    }
    let data = DataDir::new(bench.data.path().to_owned());
    let bench = bench.restart();
    assert!(!data.pepper().exists());
    let begun = bench
        .station
        .begin(person("ad-1", "493027", "administrator"), person("ad-2", "580316", "administrator"));
    assert!(matches!(begun, Err(StationError::Person(PersonError::NotNew))));
}
