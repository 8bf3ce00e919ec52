//! A station with a group key, somebody signed in, and slots whose devices are exchanged like a person does it.

use std::fmt::Write as _;
use std::fs;
use std::num::NonZeroU32;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use keystation::people::{Action, Person, Pin};
use keystation::{DataDir, Passphrase, SecretText, Station};
use keystation_core::key::KeySlot;
use keystation_device::sim::{self, Persona, Script, Settings};
use keystation_tests::bench::{LABEL, PUBLISHED_CHECK_VALUE, PUBLISHED_GROUP_KEY};
use keystation_tests::people::{self, PEOPLE};
use keystation_vault::{DerivedKeyAnswer, NewKey, SealedFile, WorkFactor};

/// The speed of the device protocol.
pub(crate) const BAUD: u32 = 115_200;

/// Where the stations are: on the disk that the build is on, as their log is made to last.
pub(crate) const DISK: &str = env!("CARGO_TARGET_TMPDIR");

/// Where slot `number` finds its device.
pub(crate) fn place(directory: &Path, number: u32) -> PathBuf {
    directory.join(format!("slot{number}"))
}

/// A station with `slots` slots and an open vault. The passphrase is of this run only.
pub(crate) fn open(directory: &Path, slots: u32) -> Station {
    open_for(directory, slots, "op-0117")
}

/// The same with somebody else signed in.
pub(crate) fn open_for(directory: &Path, slots: u32, operator: &str) -> Station {
    let row = directory.file_name().expect("a row has a directory of its own");
    let data = DataDir::new(Path::new(DISK).join(row).join("data"));
    Station::init(&data, "keylog.example.com/plant7/stn03").unwrap();
    people::settle(data.path());
    let profile = fs::read_to_string(data.path().join("profiles/example.toml")).unwrap();
    fs::write(data.path().join("profiles/test.toml"), profile.replace("gk-2026a", LABEL)).unwrap();
    let mut settings = fs::read_to_string(data.settings()).unwrap();
    for number in 1..=slots {
        let port = place(directory, number);
        writeln!(settings, "\n[[slot]]\nport = {port:?}\nprofile = \"test.toml\"").unwrap();
    }
    fs::write(data.settings(), settings).unwrap();
    let text = |text: &str| SecretText::new(text.to_owned()).unwrap();
    let passphrase = || Passphrase::new(text("the passphrase of a bench")).unwrap();
    let sealed = SealedFile::at(data.vault()).with_work_factor(WorkFactor::TEST);
    sealed.create(&passphrase()).unwrap();
    let new = NewKey {
        label: LABEL.parse().unwrap(),
        group: "line-7".parse().unwrap(),
        scope: "0ne00EMU001".parse().unwrap(),
        slot: KeySlot::Primary,
    };
    sealed.import(&passphrase(), new, &text(PUBLISHED_GROUP_KEY), DerivedKeyAnswer::NotAsked).unwrap();
    let unlocked = || {
        let station = Station::open(&data, "bench").unwrap();
        let operator = PEOPLE.iter().find(|person| person.id == operator).unwrap();
        station.sign_in(Person::Id(operator.id), &Pin::new(operator.pin).unwrap()).unwrap();
        let permit = station.permit(Action::Unlock).unwrap();
        station.unlock(&permit, &passphrase()).unwrap();
        station
    };
    // The first unlock gives the key its record, which the activation follows.
    unlocked().close().unwrap();
    people::activate(data.path(), LABEL, PUBLISHED_CHECK_VALUE);
    unlocked()
}

/// Who the first device of a lot is; the others count up.
pub(crate) fn persona(lot: u32) -> Persona {
    let mac = [0xa4, 0xcf, 0x12, u8::try_from(lot).unwrap(), 0, 0];
    // As long as those of the worked example in docs/device-protocol.md, and so are the messages.
    let (serial, firmware) = (format!("{lot:03}-88-0000"), "1.0.0".to_owned());
    Persona { mac: Some(mac), serial: Some(serial), firmware }
}

/// Powered devices that were never keyed, each `lot` with others than the one before.
pub(crate) fn devices(directory: &Path, lot: u32, count: usize) -> sim::Bench {
    let settings = Settings {
        count,
        persona: persona(lot),
        links: directory.join(format!("links{lot}")),
        states: directory.join(format!("states{lot}")),
        baud: NonZeroU32::new(BAUD),
        script: Script::default(),
    };
    sim::Bench::start(&settings, |_| ()).unwrap()
}

/// Puts the device on `port` into slot `number`.
pub(crate) fn put(directory: &Path, number: u32, port: &Path) {
    let beside = directory.join(format!("slot{number}.new"));
    symlink(port, &beside).unwrap();
    fs::rename(&beside, place(directory, number)).unwrap();
}
