//! A station with somebody in front of it.

use keystation_audit::SystemClock;

use keystation::people::{Action, NewPerson, Person, Pin, PinCost, Request};
use keystation::{DataDir, Station};

fn person(user: &str, roles: &str, digits: &str) -> NewPerson {
    let pin = Pin::new(digits).unwrap();
    NewPerson { user: user.to_owned(), roles: roles.parse().unwrap(), badge: None, pin }
}

/// Opens the station of `data`, in which PINs cost next to nothing.
pub(crate) fn open(data: &DataDir) -> Station {
    Station::open_under(data, "test", SystemClock::new().unwrap(), PinCost::TEST).unwrap()
}

/// Makes the first two administrators and `user`, and signs `user` in.
pub(crate) fn sign_in(station: &Station, user: &str, roles: &str) {
    let [first, second] = [("ad-1", "493027"), ("ad-2", "580316")];
    station
        .begin(person(first.0, "administrator", first.1), person(second.0, "administrator", second.1))
        .unwrap();
    station.sign_in(Person::Id(first.0), &Pin::new(first.1).unwrap()).unwrap();
    let request =
        Request { action: Action::AddPerson, subject: format!("{user} {roles}"), reason: String::new() };
    let approval = station.approve(&request, Person::Id(second.0), &Pin::new(second.1).unwrap()).unwrap();
    station.add_person(person(user, roles, "907153"), approval).unwrap();
    station.sign_in(Person::Id(user), &Pin::new("907153").unwrap()).unwrap();
    station.change_pin(&Pin::new("907153").unwrap(), &Pin::new("271946").unwrap()).unwrap();
}
