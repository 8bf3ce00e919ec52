//! A station with people: somebody in each role, and for each role somebody whose PIN is a one-time PIN. Its clock goes when
//! it is told to.

use std::sync::{Arc, Mutex};

use keystation::people::{Action, NewPerson, Person, Pin, PinCost, Request, SessionState};
use keystation::{Clock, DataDir, SecretText, Stamp, Station, SystemClock};
use keystation_core::role::Roles;
use serde_json::{Value, json};
use tauri::test::MockRuntime;
use tauri::{App, Manager, WebviewWindow};
use tempfile::TempDir;

use super::super::depart;
use super::{app, call, window};
use crate::commands::Bench;
use crate::desk::{Desk, LineDesk};
use crate::machine::{Departure, Watch};
use crate::typed::Hand;

/// The roles, by the user who has each; the same with `-once` at the end has a one-time PIN.
pub(super) const STAFF: [(&str, &str); 7] = [
    ("ad-1", "administrator"),
    ("op-1", "operator"),
    ("re-1", "repair"),
    ("su-1", "supervisor"),
    ("cu-1", "custodian"),
    ("cu-2", "custodian"),
    ("qa-1", "qa"),
];
/// The second administrator, who approves.
pub(super) const APPROVER: &str = "ad-2";

/// A clock that stands still until somebody moves it.
#[derive(Clone)]
struct Hands(Arc<Mutex<Stamp>>);

impl Clock for Hands {
    fn now(&self) -> Stamp {
        *self.0.lock().unwrap()
    }
}

impl Hands {
    fn pass(&self, seconds: u64) {
        let mut stamp = self.0.lock().unwrap();
        stamp.mono_ms += 1000 * seconds;
        stamp.utc_ms += 1000 * seconds.cast_signed();
    }
}

/// What a session may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    None,
    Open,
    Away,
    Expired,
    MustChangePin,
}

impl State {
    pub(super) const ALL: [Self; 5] =
        [Self::None, Self::Open, Self::Away, Self::Expired, Self::MustChangePin];
}

/// The station, its window and its clock.
pub(super) struct Staffed {
    pub(super) station: Station,
    hands: Hands,
    app: App<MockRuntime>,
    window: WebviewWindow<MockRuntime>,
    _directory: TempDir,
}

/// The PIN of everybody here.
pub(super) fn pin_of(user: &str) -> &'static str {
    if user.ends_with("-once") { "907153" } else { "671425" }
}

fn pin(user: &str) -> Pin {
    Pin::new(pin_of(user)).unwrap()
}

fn person(user: &str, roles: &str) -> NewPerson {
    let badge = SecretText::new(format!("badge of {user}")).unwrap();
    NewPerson { user: user.to_owned(), roles: roles.parse().unwrap(), badge: Some(badge), pin: pin(user) }
}

impl Staffed {
    pub(super) fn new() -> Self {
        let (directory, data) = initialised();
        Self::over(directory, &data)
    }

    /// People at a station that is there.
    pub(super) fn over(directory: TempDir, data: &DataDir) -> Self {
        let staffed = Self::open(directory, data);
        let station = &staffed.station;
        station.begin(person("ad-1", "administrator"), person(APPROVER, "administrator")).unwrap();
        for (user, roles) in STAFF {
            if user != "ad-1" {
                settle(station, user, roles);
            }
            add(station, &format!("{user}-once"), roles);
        }
        station.sign_out().unwrap();
        staffed
    }

    /// Nobody has an account.
    pub(super) fn untouched() -> Self {
        let (directory, data) = initialised();
        Self::open(directory, &data)
    }

    fn open(directory: TempDir, data: &DataDir) -> Self {
        let hands = Hands(Arc::new(Mutex::new(SystemClock::new().unwrap().now())));
        let station = Station::open_under(data, "test", hands.clone(), PinCost::TEST).unwrap();
        let app = app(Ok(Desk::at(station.clone()).unwrap()));
        let window = window(&app, "main");
        Self { station, hands, app, window, _directory: directory }
    }

    pub(super) fn call(&self, command: &str, arguments: Value) -> Result<Value, Value> {
        call(&self.window, command, arguments)
    }

    pub(super) fn window(&self) -> &WebviewWindow<MockRuntime> {
        &self.window
    }

    /// The machine goes to sleep, or its screen is locked.
    pub(super) fn depart(&self, departure: Departure) {
        depart(self.app.handle(), departure);
    }

    /// Listens to the machine, as the window does.
    pub(super) fn listen(&self) -> Watch {
        let told = self.app.handle().clone();
        Watch::start(move |departure| depart(&told, departure)).unwrap()
    }

    /// Lays out what somebody types when a dialog of this title is shown.
    pub(super) fn lay_out(&self, title: &'static str, text: &str) {
        self.hand(|hand| hand.lay_out(title, text, || ()));
    }

    /// The same, of somebody who needs so many seconds for it.
    pub(super) fn lay_out_slowly(&self, title: &'static str, text: &str, seconds: u64) {
        let hands = self.hands.clone();
        self.hand(|hand| hand.lay_out(title, text, move || hands.pass(seconds)));
    }

    /// The same, of somebody who leaves for the night while typing: the station's screen is locked.
    pub(super) fn lay_out_and_leave(&self, title: &'static str, text: &str) {
        let station = self.station.clone();
        self.hand(|hand| {
            hand.lay_out(title, text, move || station.away(keystation::people::Away::Screen).unwrap())
        });
    }

    /// Whether all that was laid out was asked for.
    pub(super) fn nothing_is_left(&self) -> bool {
        self.hand(Hand::is_empty)
    }

    /// A defect shows while a dialog of this title is open.
    pub(super) fn lay_out_a_panic(&self, title: &'static str) {
        self.hand(|hand| hand.lay_out(title, "", || panic!("a defect while somebody types")));
    }

    fn hand<T>(&self, look: impl FnOnce(&Hand) -> T) -> T {
        self.desk(|desk| look(&desk.dialogs.hand))
    }

    /// What is behind the window.
    pub(super) fn desk<T>(&self, look: impl FnOnce(&LineDesk) -> T) -> T {
        match self.app.state::<Bench>().inner() {
            Bench(Ok(Desk::Line(desk))) => look(desk),
            _ => panic!("this station is open for work"),
        }
    }

    /// Seconds go by.
    pub(super) fn pass(&self, seconds: u64) {
        self.hands.pass(seconds);
    }

    /// Brings the session of `user` into this state, unless it is in it.
    pub(super) fn bring(&self, user: &str, state: State) {
        let once = format!("{user}-once");
        let user = if state == State::MustChangePin { &once } else { user };
        let there = match (self.station.session(), state) {
            (SessionState::None, State::None) => true,
            (SessionState::Open(session), State::Open | State::MustChangePin)
            | (SessionState::Away(session), State::Away)
            | (SessionState::Expired(session), State::Expired) => session.user == user,
            _ => false,
        };
        if there {
            return;
        }
        self.station.sign_out().unwrap();
        if state == State::None {
            return;
        }
        // Whoever mistyped the PIN before has waited.
        self.pass(60);
        self.station.sign_in(Person::Id(user), &pin(user)).unwrap();
        match state {
            State::Away => self.station.away(keystation::people::Away::Asked).unwrap(),
            State::Expired => {
                self.pass(12 * 60 * 60);
                self.station.settle_session().unwrap();
            }
            _ => {}
        }
    }

    /// `approver` approves what whoever is signed in asks for.
    pub(super) fn approved(&self, approver: &str, action: &str, subject: &str, reason: &str) -> Value {
        let request = json!({ "action": action, "subject": subject, "reason": reason });
        let arguments = json!({ "request": request, "who": { "user": approver }, "pin": pin_of(approver) });
        let answer = self.call("approve", arguments).unwrap();
        assert!(answer["approval"].is_number(), "{answer}");
        answer["approval"].clone()
    }

    /// How many records there are.
    pub(super) fn size(&self) -> u64 {
        self.station.reader().unwrap().size().unwrap()
    }

    /// Every record, as it stands.
    pub(super) fn all(&self) -> Vec<String> {
        let records = self.station.archive().recent(10_000).unwrap();
        records.into_iter().map(|record| String::from_utf8(record.body).unwrap()).collect()
    }

    /// The records with this `ev` after the first `size`, oldest first.
    pub(super) fn since(&self, size: u64, event: &str) -> Vec<Value> {
        let new = u32::try_from(self.size() - size).unwrap();
        let records = self.station.archive().recent(new).unwrap();
        let records = records.iter().map(|record| serde_json::from_slice::<Value>(&record.body).unwrap());
        records.filter(|record| record["ev"] == event).collect()
    }
}

fn initialised() -> (TempDir, DataDir) {
    let directory = tempfile::tempdir().unwrap();
    let data = DataDir::new(directory.path().join("data"));
    Station::init(&data, "keylog.example.com/plant7/stn03").unwrap();
    (directory, data)
}

/// An account with a one-time PIN.
fn add(station: &Station, user: &str, roles: &str) {
    station.sign_in(Person::Id("ad-1"), &pin("ad-1")).unwrap();
    let roles: Roles = roles.parse().unwrap();
    let request =
        Request { action: Action::AddPerson, subject: format!("{user} {roles}"), reason: String::new() };
    let approval = station.approve(&request, Person::Id(APPROVER), &pin(APPROVER)).unwrap();
    let first = NewPerson { pin: Pin::new("907153").unwrap(), ..person(user, &roles.to_string()) };
    station.add_person(first, approval).unwrap();
}

/// An account whose PIN was chosen by its person.
fn settle(station: &Station, user: &str, roles: &str) {
    add(station, user, roles);
    let first = Pin::new("907153").unwrap();
    station.sign_in(Person::Id(user), &first).unwrap();
    station.change_pin(&first, &pin(user)).unwrap();
}
