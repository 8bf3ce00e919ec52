//! What takes too long: tried with times that the test sets.

use std::io::Read as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use keystation_audit::SystemClock;
use keystation_vault::{Component, CustodyKind, NewKey, Part, Passphrase, SecretText};

use super::running::{Limits, Running, Table};
use super::watch::now;
use super::{Abort, CeremonyError, CeremonyOrder, Phase};
use crate::data_dir::DataDir;
use crate::people::{Action, Known, NewPerson, Person, Pin, PinCost};
use crate::station::Station;

/// Component 1 of docs/ceremony.md.
const COMPONENT: &str =
    "f/B7kZM+w+wLuRb2Or95r0SV66TWvFR6oQcx9dl/bDM9k5+3cPQ5l725mu2H71UzfacytRtVpQORzI/gL+yRRQ==";

fn station() -> (tempfile::TempDir, Station) {
    station_with(|_| String::new())
}

/// A station with `settings` besides its own, made from its directory.
fn station_with(settings: impl FnOnce(&Path) -> String) -> (tempfile::TempDir, Station) {
    let dir = tempfile::tempdir().unwrap();
    let data = DataDir::new(dir.path().join("data"));
    Station::init(&data, "keylog.example.com/plant7/stn03").unwrap();
    let text = std::fs::read_to_string(data.settings()).unwrap();
    std::fs::write(data.settings(), text + &settings(dir.path())).unwrap();
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

/// The second one; they make the key of check value 9B5BD-BEC8B.
const SECOND: &str =
    "jdtQhR5S2S4uB+ekcusbnrQYJVljwmK+XuGQC43esmJB6PmxpcOCVO8Q/P/C+idY1CWQQjz1Y0kZxpkKFsPVxg==";

/// A ceremony for a TPM that takes a command and answers nothing, up to the moment in which the key is on its way into it. What
/// ends the TPM's part is dropping the stream.
fn on_its_way() -> (tempfile::TempDir, Station, UnixStream, thread::JoinHandle<CeremonyError>) {
    let mut socket = None;
    let (dir, station) = station_with(|dir| {
        let path = dir.join("tpm");
        socket = Some(UnixListener::bind(&path).unwrap());
        format!("\n[tpm]\nswtpm = \"{}\"\n", path.display())
    });
    let pins = [("ad-1", "493027"), ("ad-2", "580316")];
    station.sign_in(Person::Id("ad-1"), &Pin::new("493027").unwrap()).unwrap();
    let order = CeremonyOrder { custody: CustodyKind::Tpm, ..running(now()).order };
    station.ceremony_begin(&station.permit(Action::Ceremony).unwrap(), order).unwrap();
    for (number, ((user, pin), text)) in (1..).zip(pins.into_iter().zip([COMPONENT, SECOND])) {
        let part = Part::new(number).unwrap();
        station.ceremony_sign_in(part, Person::Id(user), &Pin::new(pin).unwrap()).unwrap();
        let check = station.ceremony_component(part, &SecretText::new(text.to_owned()).unwrap()).unwrap();
        station.ceremony_confirm(part, &check.to_string()).unwrap();
    }
    let own = station.clone();
    let finishing = thread::spawn(move || {
        let secret = Passphrase::new(SecretText::new("an authorisation".to_owned()).unwrap()).unwrap();
        own.ceremony_finish("9B5BD-BEC8B", &secret).expect_err("the TPM never answers")
    });
    let (mut tpm, _) = socket.unwrap().accept().unwrap();
    tpm.read_exact(&mut [0; 10]).unwrap();
    (dir, station, tpm, finishing)
}

/// Does something at another thread, as another person's window would; `None` if it has not come back after a long while.
fn elsewhere<T: Send + 'static>(
    station: &Station,
    act: impl FnOnce(&Station) -> T + Send + 'static,
) -> Option<T> {
    let (told, hear) = mpsc::channel();
    let station = station.clone();
    thread::spawn(move || told.send(act(&station)));
    hear.recv_timeout(Duration::from_secs(5)).ok()
}

#[test]
fn whoever_asks_is_answered_while_a_custody_takes_its_time() {
    let (_dir, station, tpm, finishing) = on_its_way();
    let shown = elsewhere(&station, Station::ceremony).expect("it is shown").unwrap();
    assert_eq!((shown.phase, shown.aborted), (Phase::Result, None));
    let other = elsewhere(&station, move |station| {
        station.ceremony_sign_in(part(), Person::Id("ad-1"), &Pin::new("493027").unwrap())
    });
    assert!(matches!(other.expect("it is refused"), Err(CeremonyError::Turn(_))));
    let second = elsewhere(&station, |station| {
        let secret = Passphrase::new(SecretText::new("an authorisation".to_owned()).unwrap()).unwrap();
        station.ceremony_finish("9B5BD-BEC8B", &secret)
    });
    assert!(
        matches!(second.expect("it is refused"), Err(CeremonyError::Turn(_))),
        "nobody finishes it twice"
    );
    drop(tpm);
    let error = finishing.join().unwrap();
    assert!(matches!(error, CeremonyError::Station(_)), "{error:?}");
    assert_eq!(station.ceremony().unwrap().phase, Phase::Result, "the TPM is back: once more");
    station.sign_out().unwrap();
    assert_eq!(station.ceremony().unwrap().aborted, Some(Abort::Locked));
}

/// Whoever leaves does not wait for the TPM to have every component gone; the record follows when it is known that there is no key.
#[test]
fn a_lock_wipes_while_a_custody_takes_its_time() {
    let (_dir, station, tpm, finishing) = on_its_way();
    elsewhere(&station, Station::sign_out).expect("nobody waits for the TPM").unwrap();
    assert_eq!(
        station.ceremonies().table().running.as_ref().unwrap().papers(),
        [],
        "nothing is left of them"
    );
    let aborts = || {
        let records = station.archive().recent(3).unwrap();
        records.iter().filter(|record| record.parse().unwrap().event() == "gk.abort").count()
    };
    assert_eq!(aborts(), 0, "it may still become a key");
    drop(tpm);
    let error = finishing.join().unwrap();
    assert!(matches!(error, CeremonyError::Aborted(Abort::Locked)), "{error:?}");
    assert_eq!((aborts(), station.ceremony().unwrap().aborted), (1, Some(Abort::Locked)));
    assert!(station.ceremonies().table().running.is_none());
}
