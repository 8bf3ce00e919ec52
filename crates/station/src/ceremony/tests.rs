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
    assert!(running.custodian(part(), five, Limits::STATION).is_ok());
    let late = running.custodian(part(), five + Duration::from_millis(1), Limits::STATION);
    assert!(matches!(late, Err(CeremonyError::SignInFirst(1))));
    assert_eq!(running.shown(five).phase, Phase::SignIn, "the seat is free");

    running.seat_custodian(part(), known(&station), five).unwrap();
    let component = Component::judged(&SecretText::new(COMPONENT.to_owned()).unwrap(), part(), 64).unwrap();
    running.keep(part(), component).unwrap();
    assert!(matches!(running.custodian(part(), five, Limits::STATION), Err(CeremonyError::Turn(_))));
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
