//! A station, its people, and a clock that goes when it is told to.

use std::path::Path;
use std::sync::{Arc, Mutex};

use keystation::people::{
    Action, ApprovalId, ApproveError, NewPerson, Person, Pin, PinCost, Request, SignInError,
};
use keystation::{DataDir, Station, StationError};
use keystation_audit::{Clock, Reader, Record, Stamp, SystemClock};
use keystation_core::role::Roles;
use keystation_vault::SecretText;
use tempfile::TempDir;

/// The clock of the test: wall clock, count since the start of the machine, and which start that was.
#[derive(Clone)]
pub(crate) struct Hands(Arc<Mutex<Stamp>>);

impl Clock for Hands {
    fn now(&self) -> Stamp {
        *self.0.lock().unwrap()
    }
}

impl Hands {
    /// Time goes by.
    pub(crate) fn pass(&self, seconds: u64) {
        let mut stamp = self.0.lock().unwrap();
        stamp.mono_ms += 1000 * seconds;
        stamp.utc_ms += 1000 * seconds.cast_signed();
    }

    /// Somebody sets the wall clock.
    pub(crate) fn set_wall(&self, by_seconds: i64) {
        self.0.lock().unwrap().utc_ms += 1000 * by_seconds;
    }

    /// The machine is started again, `number` times by now.
    pub(crate) fn reboot(&self, number: u32) {
        let mut stamp = self.0.lock().unwrap();
        stamp.mono_ms = 0;
        stamp.boot = format!("9f0c2b1e-5d1f-4a52-9c0e-{number:012x}").parse().unwrap();
    }
}

pub(crate) struct Bench {
    pub(crate) dir: TempDir,
    pub(crate) data: DataDir,
    pub(crate) hands: Hands,
    pub(crate) station: Station,
}

pub(crate) const ADMINS: [(&str, &str); 2] = [("ad-1", "493027"), ("ad-2", "580316")];

pub(crate) fn pin(digits: &str) -> Pin {
    Pin::new(digits).unwrap()
}

pub(crate) fn badge_of(user: &str) -> SecretText {
    SecretText::new(format!("badge of {user}")).unwrap()
}

pub(crate) fn person(user: &str, digits: &str, roles: &str) -> NewPerson {
    NewPerson {
        user: user.to_owned(),
        roles: roles.parse().unwrap(),
        badge: Some(badge_of(user)),
        pin: pin(digits),
    }
}

impl Bench {
    /// A station that nobody was at.
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let data = DataDir::new(dir.path().join("data"));
        Station::init(&data, "keylog.example.com/plant7/stn03").unwrap();
        let hands = Hands(Arc::new(Mutex::new(SystemClock::new().unwrap().now())));
        let station = open(&data, &hands).unwrap();
        Self { dir, data, hands, station }
    }

    /// One with its two administrators.
    pub(crate) fn with_admins() -> Self {
        let bench = Self::new();
        let [first, second] = ADMINS.map(|(user, digits)| person(user, digits, "administrator"));
        bench.station.begin(first, second).unwrap();
        bench
    }

    /// Ends the program and starts it again.
    pub(crate) fn restart(self) -> Self {
        self.at_rest(|_| {})
    }

    /// The same, with something done to the directory in between.
    pub(crate) fn at_rest(self, act: impl FnOnce(&Path)) -> Self {
        let Self { dir, data, hands, station } = self;
        station.close().unwrap();
        act(data.path());
        let station = open(&data, &hands).unwrap();
        Self { dir, data, hands, station }
    }

    /// The program is gone without having closed anything, and another one is started.
    pub(crate) fn kill(self) -> Self {
        let Self { dir, data, hands, station } = self;
        drop(station);
        let station = open(&data, &hands).unwrap();
        Self { dir, data, hands, station }
    }

    pub(crate) fn sign_in(&self, user: &str, digits: &str) -> Result<(), SignInError> {
        self.station.sign_in(Person::Id(user), &pin(digits)).map(drop)
    }

    /// `ad-1` is signed in, `ad-2` approves.
    pub(crate) fn approved(
        &self,
        action: Action,
        subject: &str,
        reason: &str,
    ) -> Result<ApprovalId, ApproveError> {
        let request = Request { action, subject: subject.to_owned(), reason: reason.to_owned() };
        self.station.approve(&request, Person::Id(ADMINS[1].0), &pin(ADMINS[1].1))
    }

    /// Makes an account; its PIN is a one-time PIN.
    pub(crate) fn add(&self, user: &str, digits: &str, roles: &str) -> Result<(), StationError> {
        self.sign_in(ADMINS[0].0, ADMINS[0].1).unwrap();
        let roles: Roles = roles.parse().unwrap();
        let approval = self.approved(Action::AddPerson, &format!("{user} {roles}"), "").unwrap();
        self.station.add_person(person(user, digits, &roles.to_string()), approval)
    }

    /// Makes an account whose PIN is `digits`, chosen by the person; nobody is signed in afterwards.
    pub(crate) fn settle(&self, user: &str, digits: &str, roles: &str) {
        self.add(user, "907153", roles).unwrap();
        self.sign_in(user, "907153").unwrap();
        self.station.change_pin(&pin("907153"), &pin(digits)).unwrap();
        self.station.sign_out().unwrap();
    }

    /// `field` of the records of `event`, in their order.
    pub(crate) fn records(&self, event: &str, field: &str) -> Vec<String> {
        let mut found = Vec::new();
        self.each(|record| {
            if record.event() == event {
                found.push(record.text(field).unwrap_or_default().into_owned());
            }
        });
        found
    }

    pub(crate) fn each(&self, mut see: impl FnMut(&Record<'_>)) {
        let reader = Reader::open(&keystation::paths(&self.data)).unwrap();
        reader
            .records(.., None, |record| {
                see(record);
                std::ops::ControlFlow::Continue(())
            })
            .unwrap();
    }
}

pub(crate) fn open(data: &DataDir, hands: &Hands) -> Result<Station, StationError> {
    Station::open_under(data, "test", hands.clone(), PinCost::TEST)
}

/// A copy of a directory.
pub(crate) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let place = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &place);
        } else {
            std::fs::copy(entry.path(), place).unwrap();
        }
    }
}
