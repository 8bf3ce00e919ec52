//! What takes too long: tried with times that the test sets.

use std::time::Duration;

use keystation_audit::SystemClock;
use keystation_vault::{Component, CustodyKind, NewKey, Part, SecretText};

use super::running::{Limits, Running, Table};
use super::watch::now;
use super::{Abort, CeremonyError, CeremonyOrder, Phase};
use crate::data_dir::DataDir;
use crate::people::{Known, NewPerson, Person, Pin, PinCost};
use crate::station::Station;

/// Component 1 of docs/ceremony.md.
const COMPONENT: &str =
    "f/B7kZM+w+wLuRb2Or95r0SV66TWvFR6oQcx9dl/bDM9k5+3cPQ5l725mu2H71UzfacytRtVpQORzI/gL+yRRQ==";

fn station() -> (tempfile::TempDir, Station) {
    let dir = tempfile::tempdir().unwrap();
    let data = DataDir::new(dir.path().join("data"));
    Station::init(&data, "keylog.example.com/plant7/stn03").unwrap();
    let station = Station::open_under(&data, "test", SystemClock::new().unwrap(), PinCost::TEST).unwrap();
    let person = |user: &str, pin: &str| NewPerson {
        user: user.to_owned(),
        roles: "administrator+custodian".parse().unwrap(),
        badge: None,
        pin: Pin::new(pin).unwrap(),
    };
    station.begin(person("ad-1", "493027"), person("ad-2", "580316")).unwrap();
    (dir, station)
}

fn known(station: &Station) -> Known {
    station.sign_in_beside(Person::Id("ad-1"), &Pin::new("493027").unwrap()).unwrap()
}

fn part() -> Part {
    Part::new(1).unwrap()
}

fn running(now: Duration) -> Running {
    let key = NewKey {
        label: "gk-a".parse().unwrap(),
        group: "line-7".parse().unwrap(),
        scope: "0ne00EMU001".parse().unwrap(),
        slot: "primary".parse().unwrap(),
    };
    let order = CeremonyOrder::new(key, CustodyKind::SealedFile, "9B5BD-BEC8B".parse().unwrap());
    Running::begin("00112233aabbccdd".to_owned(), order, now, Limits::STATION)
}

#[test]
fn a_sign_in_is_good_for_five_minutes_and_one_component() {
    let (_dir, station) = station();
    let start = Duration::from_secs(1000);
    let mut running = running(start);
    running.seat_custodian(part(), known(&station), start).unwrap();
    let five = start + Duration::from_secs(300);
    assert!(running.custodian(part(), five).is_ok());
    assert_eq!(running.shown(five).sides[0].user.as_deref(), Some("ad-1"));
    let over = running.shown(five + Duration::from_millis(1));
    assert_eq!((over.phase, &over.sides[0].user), (Phase::SignIn, &None), "whoever looks is told");
    let late = running.custodian(part(), five + Duration::from_millis(1));
    assert!(matches!(late, Err(CeremonyError::SignInFirst(1))));
    assert_eq!(running.shown(five).phase, Phase::SignIn, "the seat is free");

    running.seat_custodian(part(), known(&station), five).unwrap();
    let component = Component::judged(&SecretText::new(COMPONENT.to_owned()).unwrap(), part(), 64).unwrap();
    running.keep(part(), component).unwrap();
    assert!(matches!(running.custodian(part(), five), Err(CeremonyError::Turn(_))));
    assert!(running.seat_custodian(part(), known(&station), five).is_err(), "nobody takes a seat twice");
}

/// A component that was given is gone, and there is a record, although nobody touches the station any more.
#[test]
fn a_ceremony_that_takes_too_long_ends_by_itself() {
    let (_dir, station) = station();
    let mut running = running(now());
    running.seat_custodian(part(), known(&station), now()).unwrap();
    let component = Component::judged(&SecretText::new(COMPONENT.to_owned()).unwrap(), part(), 64).unwrap();
    running.keep(part(), component).unwrap();
    let id = running.id.clone();
    *station.ceremonies().table() = Table { running: Some(running), last: None };
    station.watch_ceremony("another one".to_owned(), Duration::ZERO).unwrap();
    station.watch_ceremony(id, now() + Duration::from_millis(20)).unwrap();
    let shared = station.ceremonies().share();
    let ended = shared.changed.wait_while(shared.table(), |table| table.running.is_some()).unwrap();
    assert_eq!(ended.last.as_ref().unwrap().aborted, Some(Abort::Expired));
    drop(ended);
    let records = station.archive().recent(1).unwrap();
    let record = records[0].parse().unwrap();
    assert_eq!((record.event(), record.text("why").as_deref()), ("gk.abort", Some("expired")));
}

/// The machine slept through the end of the ceremony: the first step after it finds that out.
#[test]
fn no_step_is_taken_after_the_end() {
    let (_dir, station) = station();
    let mut over = running(now());
    over.ends = now();
    *station.ceremonies().table() = Table { running: Some(over), last: None };
    let late = station.ceremony_confirm(part(), "CB32B3");
    assert!(matches!(late, Err(CeremonyError::Aborted(Abort::Expired))), "{late:?}");
    assert!(station.ceremonies().table().running.is_none());
}

/// Whoever began in time may take longer to type than the sign-in lasts, and is the one whose component it is.
#[test]
fn a_sign_in_is_held_while_its_component_is_entered() {
    let (_dir, station) = station();
    let at = |seconds: u64| Duration::from_secs(1000 + seconds);
    let mut running = running(at(0));
    assert!(matches!(running.enter(part(), at(0)), Err(CeremonyError::SignInFirst(1))));
    running.seat_custodian(part(), known(&station), at(0)).unwrap();
    running.enter(part(), at(300)).unwrap();
    assert!(running.custodian(part(), at(1500)).is_ok());
    assert_eq!(running.shown(at(1500)).phase, Phase::Components);
    let other = running.seat_custodian(part(), known(&station), at(1500));
    assert!(matches!(other, Err(CeremonyError::Turn(_))), "nobody sits down before somebody's text");
    assert!(matches!(running.enter(part(), at(1500)), Err(CeremonyError::Turn(_))));
    running.leave(part());
    assert!(matches!(running.enter(part(), at(1500)), Err(CeremonyError::SignInFirst(1))));
}

/// An entry that ended holds nothing any more, and not the next ceremony's.
#[test]
fn an_entry_lets_go_of_its_own_ceremony() {
    let (_dir, station) = station();
    let seated = |id: &str| {
        let mut running = running(now());
        id.clone_into(&mut running.id);
        running.seat_custodian(part(), known(&station), now()).unwrap();
        *station.ceremonies().table() = Table { running: Some(running), last: None };
    };
    let is_free = || station.ceremonies().table().running.as_mut().unwrap().expect_free(part()).is_ok();
    seated("00112233aabbccdd");
    let first = station.ceremony_enter(part()).unwrap();
    assert_eq!(first.user(), "ad-1");
    assert!(!is_free());
    seated("ffeeddccbbaa9988");
    let second = station.ceremony_enter(part()).unwrap();
    drop(first);
    assert!(!is_free(), "another ceremony's entry");
    drop(second);
    assert!(is_free());
}
