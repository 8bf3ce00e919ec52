//! The station of a training. It goes the way that every station goes: two administrators, one account, one group key that two
//! custodians import and activate. All that authenticates here stands in this file.

use base64ct::{Base64, Encoding};
use keystation_audit::SystemClock;
use keystation_core::key::KeySlot;
use keystation_vault::{
    CustodyKind, DerivedKeyAnswer, GroupKey, ImportError, NewKey, Passphrase, SecretText,
};
use sha2::{Digest, Sha512};

use super::{MARK, NAME, Training, TrainingError};
use crate::config::SlotConfig;
use crate::data_dir::DataDir;
use crate::error::StationError;
use crate::group_keys::Announced;
use crate::people::{Action, NewPerson, Person, Pin, PinCost, Request, SessionState, may_ever};
use crate::station::Station;

/// Who trains. An example account: it exists in the log of a training, and nowhere else.
pub const TRAINEE: &str = "trainee";
/// The PIN of the trainee. It stands on the screen.
pub const PIN: &str = "274190";
/// The passphrase of the training's vault.
pub const PASSPHRASE: &str = "training training training";
/// Label of the example key.
pub const LABEL: &str = "gk-training";
/// The group key of every training, 64 bytes in Base64: an example that anybody can make, the SHA-512 of the text `keystation/training/v1`.
/// Made when it is needed, so that no key lies in the program.
fn group_key() -> SecretText {
    let text = Base64::encode_string(&Sha512::digest(b"keystation/training/v1"));
    SecretText::new(text).expect("it is as long as a group key")
}

/// Administrators and custodians, who only prepare the training.
const TWO: [(&str, &str); 2] = [("example-1", "640217"), ("example-2", "953081")];
/// Places for devices.
const SLOTS: usize = 4;

/// Where the devices of a slot are plugged in.
pub(super) fn port(data: &DataDir, slot: u32) -> std::path::PathBuf {
    data.path().join(format!("devices/slot{slot}/dev0"))
}

/// Makes the station of a training, in a directory that has nothing in it.
pub(super) fn make(data: &DataDir) -> Result<(), StationError> {
    const { assert!(SLOTS <= SlotConfig::LIMIT) };
    let profile = include_str!("../../defaults/example.toml")
        .replace("name = \"example\"", "name = \"training\"")
        .replace("gk-2026a", LABEL)
        .replace("match = \"none\"", "match = \"serial\"");
    let mut slots = String::new();
    for slot in (1..).take(SLOTS) {
        let port = port(data, slot);
        let port = toml::Value::String(port.display().to_string());
        slots.push_str(&format!("\n[[slot]]\nport = {port}\nprofile = \"example.toml\"\n"));
    }
    Station::make(data, NAME, &format!("# {MARK}\n"), &profile, &slots)?;
    let station = open(data, "training")?;
    people(&station)?;
    key(&station)?;
    station.close()
}

/// Opens it. Its PINs are known to everybody, so that they cost nothing: nobody waits for them.
fn open(data: &DataDir, program: &str) -> Result<Station, StationError> {
    let clock = SystemClock::new().map_err(StationError::Clock)?;
    Station::open_training(data, program, clock, PinCost::TEST)
}

impl Training {
    /// Opens the station of the training, which goes with it.
    pub fn open(self, program: &str) -> Result<Station, StationError> {
        let station = open(self.data(), program)?;
        station.hold(self);
        Ok(station)
    }
}

impl Station {
    /// Signs the trainee in, at the command line of a training.
    pub fn sign_in_trainee(&self) -> Result<(), StationError> {
        self.sign_in(Person::Id(TRAINEE), &pin(PIN)).map_err(example)?;
        self.open_example()
    }

    /// Opens the vault of a training for whoever has signed in and may open it: its passphrase is known to everybody, so nobody is
    /// asked. In production this does nothing.
    pub fn open_example(&self) -> Result<(), StationError> {
        let may = match self.session() {
            SessionState::Open(session) => {
                !session.must_change_pin && may_ever(Action::Unlock, session.roles)
            }
            _ => false,
        };
        if !self.is_training() || !may || self.is_unlocked() {
            return Ok(());
        }
        self.unlock(&self.permit(Action::Unlock)?, &passphrase())
    }
}

fn example(why: impl std::error::Error + Send + Sync + 'static) -> StationError {
    TrainingError::Account(Box::new(why)).into()
}

fn pin(digits: &str) -> Pin {
    Pin::new(digits).expect("the PINs of this file are PINs")
}

fn passphrase() -> Passphrase {
    let text = SecretText::new(PASSPHRASE.to_owned()).expect("it is no longer than a passphrase may be");
    Passphrase::new(text).expect("it is long enough")
}

fn person((user, digits): (&str, &str), roles: &str) -> NewPerson {
    let roles = roles.parse().expect("the roles of this file may be together");
    NewPerson { user: user.to_owned(), roles, badge: None, pin: pin(digits) }
}

fn sign_in(station: &Station, (user, digits): (&str, &str)) -> Result<(), StationError> {
    station.sign_in(Person::Id(user), &pin(digits)).map_err(example)?;
    Ok(())
}

fn people(station: &Station) -> Result<(), StationError> {
    let [first, second] = TWO;
    let roles = "custodian+administrator";
    station.begin(person(first, roles), person(second, roles))?;
    sign_in(station, first)?;
    let roles = "operator+supervisor";
    let request =
        Request { action: Action::AddPerson, subject: format!("{TRAINEE} {roles}"), reason: String::new() };
    let once = "907153";
    let approval = station.approve(&request, Person::Id(second.0), &pin(second.1)).map_err(example)?;
    station.add_person(person((TRAINEE, once), roles), approval)?;
    sign_in(station, (TRAINEE, once))?;
    station.change_pin(&pin(once), &pin(PIN)).map_err(example)
}

fn key(station: &Station) -> Result<(), StationError> {
    const REASON: &str = "training";
    let [first, second] = TWO;
    sign_in(station, first)?;
    let text = group_key();
    let check_value =
        GroupKey::judged(&text, DerivedKeyAnswer::GroupKey)?.check_value().map_err(ImportError::from)?;
    let key = NewKey {
        label: LABEL.parse().expect("it is a label"),
        group: "training".parse().expect("it is a group"),
        scope: "0ne00EMU001".parse().expect("it is an ID scope"),
        slot: KeySlot::Primary,
    };
    let label = key.label.clone();
    let announced = Announced { key, custody: CustodyKind::SealedFile, check_value };
    let request = Station::import_request(Action::ImportKey, &announced);
    let approval = station.approve(&request, Person::Id(second.0), &pin(second.1)).map_err(example)?;
    let permit = station.permit_key(request, approval)?;
    station.import_key(permit, &announced, &passphrase(), &text, DerivedKeyAnswer::GroupKey)?;
    let request = station.change_request(Action::ActivateKey, &label, REASON)?;
    let approval = station.approve(&request, Person::Id(second.0), &pin(second.1)).map_err(example)?;
    let permit = station.permit_key(request, approval)?;
    station.activate_key(permit, &label, REASON, check_value)?;
    Ok(())
}
