//! A station with custodians, components on paper, and a log to look into.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use base64ct::{Base64, Encoding};
use keystation::ceremony::CeremonyOrder;
use keystation::group_keys::{Announced, KeyPermit};
use keystation::people::{Action, NewPerson, Person, Pin, PinCost, Request};
use keystation::{CustodyKind, DataDir, Passphrase, SecretText, Station, StationError};
use keystation_audit::{Clock, Reader, Stamp, SystemClock};
use keystation_core::key::{GroupKeyInfo, KeyLabel};
use keystation_vault::{DerivedKeyAnswer, GroupKey, NewKey, Part};
use tempfile::TempDir;

/// The group key that Microsoft publishes.
pub(crate) const KEY: &str =
    "8isrFI1sGsIlvvFSSFRiMfCNzv21fjbE/+ah/lSh3lF8e2YG1Te7w1KpZhJFFXJrqYKi9yegxkqIChbqOS9Egw==";
/// Its check value.
pub(crate) const CHECK: &str = "9B5BD-BEC8B";
/// Its two components, as docs/ceremony.md has them, with their check values.
pub(crate) const PAPERS: [(&str, &str); 2] = [
    ("f/B7kZM+w+wLuRb2Or95r0SV66TWvFR6oQcx9dl/bDM9k5+3cPQ5l725mu2H71UzfacytRtVpQORzI/gL+yRRQ==", "CB32B3"),
    ("jdtQhR5S2S4uB+ekcusbnrQYJVljwmK+XuGQC43esmJB6PmxpcOCVO8Q/P/C+idY1CWQQjz1Y0kZxpkKFsPVxg==", "F5DFD7"),
];
pub(crate) const PASSPHRASE: &str = "correct horse battery staple";
pub(crate) const SEALED: CustodyKind = CustodyKind::SealedFile;

/// IDs and PINs of those who are there from the beginning.
const PEOPLE: [(&str, &str, &str); 6] = [
    ("ad-1", "493027", "administrator+custodian"),
    ("ad-2", "580316", "administrator"),
    ("cu-1", "648201", "custodian"),
    ("cu-2", "731954", "custodian"),
    ("cu-3", "862407", "custodian"),
    ("su-1", "975130", "supervisor"),
];

/// The clock of the system, and what the machine slept besides.
#[derive(Clone)]
struct Hands(SystemClock, Arc<AtomicU64>);

impl Clock for Hands {
    fn now(&self) -> Stamp {
        let (stamp, slept) = (self.0.now(), self.1.load(Ordering::SeqCst));
        Stamp { mono_ms: stamp.mono_ms + slept, utc_ms: stamp.utc_ms + slept.cast_signed(), ..stamp }
    }
}

pub(crate) struct Bench {
    pub(crate) dir: TempDir,
    pub(crate) data: DataDir,
    pub(crate) station: Station,
    slept: Arc<AtomicU64>,
}

pub(crate) fn pin_of(user: &str) -> Pin {
    let found = PEOPLE.iter().find(|(id, ..)| *id == user);
    Pin::new(found.map_or("195206", |(_, pin, _)| pin)).unwrap()
}

pub(crate) fn secret(text: &str) -> SecretText {
    SecretText::new(text.to_owned()).unwrap()
}

pub(crate) fn passphrase() -> Passphrase {
    Passphrase::new(secret(PASSPHRASE)).unwrap()
}

pub(crate) fn label(text: &str) -> KeyLabel {
    text.parse().unwrap()
}

pub(crate) fn part(number: u8) -> Part {
    Part::new(number).unwrap()
}

pub(crate) fn new_key(name: &str) -> NewKey {
    NewKey {
        label: label(name),
        group: "line-7".parse().unwrap(),
        scope: "0ne00EMU001".parse().unwrap(),
        slot: "primary".parse().unwrap(),
    }
}

/// What is said of `key` before it comes in; of a text that is no key, the check value of another.
pub(crate) fn announced(name: &str, key: &str) -> Announced {
    let judged = GroupKey::judged(&secret(key), DerivedKeyAnswer::GroupKey);
    let check_value = judged.map_or_else(|_| CHECK.parse().unwrap(), |key| key.check_value().unwrap());
    Announced { key: new_key(name), custody: SEALED, check_value }
}

pub(crate) fn order(name: &str) -> CeremonyOrder {
    CeremonyOrder::new(new_key(name), SEALED, CHECK.parse().unwrap())
}

/// A key that is no other one's: 64 bytes that say `seed`.
pub(crate) fn key_of(seed: &str) -> String {
    let bytes: Vec<u8> =
        (0..64u8).map(|n| n.wrapping_mul(37) ^ seed.as_bytes()[usize::from(n) % seed.len()]).collect();
    Base64::encode_string(&bytes)
}

impl Bench {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let data = DataDir::new(dir.path().join("data"));
        Station::init(&data, "keylog.example.com/plant7/stn03").unwrap();
        let slept = Arc::default();
        let bench = Self { station: open(&data, &slept), dir, data, slept };
        let person = |(user, _, roles): (&str, &str, &str)| NewPerson {
            user: user.to_owned(),
            roles: roles.parse().unwrap(),
            badge: None,
            pin: pin_of(user),
        };
        bench.station.begin(person(PEOPLE[0]), person(PEOPLE[1])).unwrap();
        for (user, _, roles) in &PEOPLE[2..] {
            bench.add(user, roles);
        }
        bench
    }

    /// Makes an account with a PIN of its own; nobody is signed in afterwards.
    pub(crate) fn add(&self, user: &str, roles: &str) {
        let station = &self.station;
        self.sign_in("ad-2"); // who is no custodian
        let request =
            Request { action: Action::AddPerson, subject: format!("{user} {roles}"), reason: String::new() };
        let approval = station.approve(&request, Person::Id("ad-1"), &pin_of("ad-1")).unwrap();
        let once = "907153";
        let person = NewPerson {
            user: user.to_owned(),
            roles: roles.parse().unwrap(),
            badge: None,
            pin: Pin::new(once).unwrap(),
        };
        station.add_person(person, approval).unwrap();
        station.sign_in(Person::Id(user), &Pin::new(once).unwrap()).unwrap();
        station.change_pin(&Pin::new(once).unwrap(), &pin_of(user)).unwrap();
        station.sign_out().unwrap();
    }

    pub(crate) fn sign_in(&self, user: &str) {
        self.station.sign_in(Person::Id(user), &pin_of(user)).unwrap();
    }

    /// Whoever is signed in opens the sealed file.
    pub(crate) fn unlock(&self) -> Result<(), StationError> {
        self.station.unlock(&self.station.permit(Action::Unlock).unwrap(), &passphrase())
    }

    pub(crate) fn lock(&self) {
        self.station.lock(&self.station.permit(Action::Lock).unwrap()).unwrap();
    }

    /// What `cu-1` asks and `cu-2` approves.
    pub(crate) fn agreed(&self, request: Request) -> KeyPermit {
        self.sign_in("cu-1");
        let approval = self.station.approve(&request, Person::Id("cu-2"), &pin_of("cu-2")).unwrap();
        self.station.permit_key(request, approval).unwrap()
    }

    /// Imports a single key; `cu-1` is signed in.
    pub(crate) fn import(&self, name: &str, key: &str) -> Result<GroupKeyInfo, StationError> {
        let announced = announced(name, key);
        let permit = self.agreed(Station::import_request(Action::ImportKey, &announced));
        let answer = DerivedKeyAnswer::NotAsked;
        Ok(self.station.import_key(permit, &announced, &passphrase(), &secret(key), answer)?)
    }

    pub(crate) fn activate(&self, name: &str) -> Result<(), StationError> {
        self.sign_in("cu-1");
        let permit =
            self.agreed(self.station.change_request(Action::ActivateKey, &label(name), "first use")?);
        let typed = self.station.standing(&label(name))?.info.check_value;
        Ok(self.station.activate_key(permit, &label(name), "first use", typed).map(drop)?)
    }

    pub(crate) fn destroy(&self, name: &str) -> Result<(), StationError> {
        self.sign_in("cu-1");
        let permit =
            self.agreed(self.station.change_request(Action::DestroyKey, &label(name), "rotation")?);
        Ok(self.station.destroy_key(permit, &label(name), "rotation", &passphrase()).map(drop)?)
    }

    pub(crate) fn suspend(&self, user: &str, name: &str) -> Result<(), StationError> {
        self.sign_in(user);
        let permit = self.station.permit(Action::SuspendKey)?;
        self.station.suspend_key(&permit, &label(name), "a paper was lost").map(drop)
    }

    /// Ends the program and starts it again.
    pub(crate) fn restart(self) -> Self {
        let Self { dir, data, station, slept } = self;
        station.close().unwrap();
        Self { station: open(&data, &slept), dir, data, slept }
    }

    /// The machine sleeps.
    pub(crate) fn sleep(&self, seconds: u64) {
        self.slept.fetch_add(1000 * seconds, Ordering::SeqCst);
    }

    /// `field` of the records of `event`, in their order.
    pub(crate) fn records(&self, event: &str, field: &str) -> Vec<String> {
        let mut found = Vec::new();
        let reader = Reader::open(&keystation::paths(&self.data)).unwrap();
        reader
            .records(.., None, |record| {
                if record.event() == event {
                    let text = match field {
                        "op" => record.operator(),
                        "op2" => record.approver(),
                        _ => record.text(field).unwrap_or_default(),
                    };
                    found.push(text.into_owned());
                }
                ControlFlow::Continue(())
            })
            .unwrap();
        found
    }
}

fn open(data: &DataDir, slept: &Arc<AtomicU64>) -> Station {
    let hands = Hands(SystemClock::new().unwrap(), Arc::clone(slept));
    Station::open_under(data, "test", hands, PinCost::TEST).unwrap()
}
