//! A whole station in the process: what is left of the group key when whoever opened its custody locks, leaves, is followed by another
//! person, or the machine or the screen goes to sleep.

use std::path::Path;
use std::sync::Barrier;

use keystation::people::{Action, Away, NewPerson, Person, Pin, PinCost, Request};
use keystation::{CustodyKind, DataDir, Station, SystemClock};
use keystation_core::derive::device_key;
use keystation_core::flow::Vault as _;
use keystation_tests::memory_scan::core_of;
use keystation_tests::people::activate;
use keystation_tests::swtpm::Swtpm;
use keystation_vault::{
    Custody as _, DerivedKeyAnswer, GroupKey, SealedFile, SecretSource, Tpm, TpmPlace, WorkFactor,
};

use crate::child::{deep, in_a_thread_that_stays, pause};
use crate::support::{Bench, LABEL, Subject, id, new_key, passphrase};

/// PINs of the people below. Known to everybody who reads this.
const PINS: [(&str, &str); 3] = [("ad-1", "493027"), ("ad-2", "580316"), ("op-1", "271946")];
const GIVEN: &str = "907153";

/// How a session is left.
const WAYS: [&str; 7] = ["lock", "suspend", "screen", "panic", "sign-out", "hand-over", "close"];
/// Where the keys are in a TPM, which stays open for whoever is only away for a moment: of the ways that close it, three.
const OF_A_TPM: [&str; 3] = ["suspend", "screen", "sign-out"];

fn leave(station: &Station, way: &str) {
    match way {
        "lock" => station.away(Away::Asked),
        "suspend" => station.away(Away::Suspend),
        "screen" => station.away(Away::Screen),
        "panic" => station.away(Away::Panic),
        "sign-out" => station.sign_out(),
        "hand-over" => {
            sign_in(station, PINS[0]);
            Ok(())
        }
        "close" => station.clone().close(),
        other => panic!("nobody leaves by {other}"),
    }
    .expect("it is recorded");
}

fn pin(digits: &str) -> Pin {
    Pin::new(digits).expect("six digits")
}

fn sign_in(station: &Station, (user, digits): (&str, &str)) {
    station.sign_in(Person::Id(user), &pin(digits)).expect("it is the PIN");
}

fn data(directory: &Path) -> DataDir {
    DataDir::new(directory.join("data"))
}

fn open(directory: &Path) -> Station {
    let clock = SystemClock::new().expect("Linux has one");
    Station::open_under(&data(directory), "test", clock, PinCost::TEST).expect("it opens")
}

/// The operator signs in and opens the custody.
fn unlock(station: &Station, directory: &Path, kind: CustodyKind) {
    sign_in(station, PINS[2]);
    let permit = station.permit(Action::Unlock).expect("an operator may");
    station.open_custody(&permit, kind, &passphrase(directory)).expect("it opens");
}

fn kind_of(word: &str) -> CustodyKind {
    CustodyKind::ALL.into_iter().find(|kind| kind.as_str() == word).expect("a custody")
}

/// Plays the station: opens the custody, derives, leaves, each in a thread that stays.
pub(crate) fn run(way: &str, custody: &str, directory: &Path) {
    let end = Barrier::new(4);
    std::thread::scope(|scope| {
        let station = in_a_thread_that_stays(scope, &end, || {
            deep(|| {
                let station = open(directory);
                unlock(&station, directory, kind_of(custody));
                station
            })
        });
        let deriving = station.clone();
        in_a_thread_that_stays(scope, &end, move || {
            let key = deriving.usable_key(&LABEL.parse().expect("a label")).expect("it is active");
            for _ in 0..100 {
                deep(|| key.derive(&id())).expect("it is unlocked");
            }
        });
        pause("derived");
        let left = station.clone();
        in_a_thread_that_stays(scope, &end, move || deep(|| leave(&left, way)));
        pause("left");
        // Until now: a station that is gone has wiped its keys as well.
        drop(station);
        end.wait();
    });
}

/// A station with its people, and a key that is active in the custody.
fn settle(bench: &Bench, kind: CustodyKind) -> Option<Swtpm> {
    let data = data(bench.path());
    Station::init(&data, "keylog.example.com/plant7/stn03").expect("there is room");
    let text = SecretSource::File(bench.path().join("key")).text().expect("it was written");
    let key = || GroupKey::judged(&text, DerivedKeyAnswer::GroupKey).expect("it is a key");
    let check_value = key().check_value().expect("there is memory for one key").to_string();
    let (new, secret) = (new_key(LABEL), passphrase(bench.path()));
    let mut tpm = None;
    if kind == CustodyKind::Tpm {
        let folder = bench.path().join("tpm");
        std::fs::create_dir(&folder).expect("there is room");
        let swtpm = tpm.insert(Swtpm::start(&folder).expect("swtpm (apt-get install swtpm)"));
        let socket = swtpm.socket().display().to_string();
        let settings = std::fs::read_to_string(data.settings()).expect("it was made");
        let settings = format!("{settings}\n[tpm]\nswtpm = \"{socket}\"\n");
        std::fs::write(data.settings(), settings).expect("there is room");
        let place = TpmPlace::emulator(&socket).expect("it is short");
        Tpm::new(place, data.cards()).import(&secret, new, key()).expect("it is imported");
    } else {
        let sealed = SealedFile::at(data.vault()).with_work_factor(WorkFactor::TEST);
        sealed.create(&secret).expect("there is none");
        sealed.import(&secret, new, &text, DerivedKeyAnswer::GroupKey).expect("it is imported");
    }
    let station = open(bench.path());
    let person = |user: &str, roles: &str, digits| NewPerson {
        user: user.to_owned(),
        roles: roles.parse().expect("a role"),
        badge: None,
        pin: pin(digits),
    };
    let [first, second, (operator, own)] = PINS;
    let admin = |(user, digits)| person(user, "administrator", digits);
    station.begin(admin(first), admin(second)).expect("nobody is there");
    sign_in(&station, first);
    let subject = format!("{operator} operator");
    let request = Request { action: Action::AddPerson, subject, reason: String::new() };
    let approval = station.approve(&request, Person::Id(second.0), &pin(second.1)).expect("another one");
    station.add_person(person(operator, "operator", GIVEN), approval).expect("it is new");
    sign_in(&station, (operator, GIVEN));
    station.change_pin(&pin(GIVEN), &pin(own)).expect("it is a PIN");
    // The station finds the key when it opens its custody, and nobody uses it before two custodians say so.
    unlock(&station, bench.path(), kind);
    station.close().expect("it closes");
    activate(data.path(), LABEL, &check_value);
    tpm
}

pub(crate) fn whoever_leaves_a_station_leaves_no_group_key_in_it() {
    let mut looked_at = 0;
    for (kind, ways) in [(CustodyKind::SealedFile, &WAYS[..]), (CustodyKind::Tpm, &OF_A_TPM)] {
        let bench = Bench::new();
        let _tpm = settle(&bench, kind);
        for way in ways {
            let when = format!("{}, {way}", kind.as_str());
            let directory = bench.path().to_str().expect("it is text");
            let mut subject = Subject::start(&["leave", way, kind.as_str(), directory], bench.path());
            let pid = subject.process.id();
            let mut opened = bench.needles();
            match kind {
                CustodyKind::Tpm => opened.bytes("authValue", &bench.auth_value()),
                _ => opened.midstates(&bench.key),
            }
            subject.after("derived");
            let scan = opened.scan(pid).expect("it can be read");
            let secret = |scan: &keystation_tests::memory_scan::Scan| {
                scan.unread.iter().any(|mapping| mapping.contains("secretmem"))
            };
            assert!(
                secret(&scan) || !scan.hits.is_empty(),
                "{when}: the custody is open, and nothing shows it"
            );
            subject.go_on();
            subject.after("left");
            let mut needles = opened;
            needles.midstates(&bench.key);
            needles.bytes("device key", device_key(&bench.key, &id()).expose());
            let scan = needles.scan(pid).expect("it can be read");
            assert!(scan.bytes > 1 << 20, "{when}: only {} bytes could be read", scan.bytes);
            assert!(scan.hits.is_empty(), "{when}: {:#?}", scan.hits);
            assert!(!secret(&scan), "{when}: what derives is unmapped");
            // Registers are in no mapping; how somebody leaves makes no difference to them.
            if *way == "suspend" {
                let core = core_of(pid, bench.path()).expect("gcore (apt-get install gdb)");
                assert!(needles.find(&core).is_empty(), "{when}, core: {:#?}", needles.find(&core));
            }
            looked_at += 1;
        }
    }
    println!("{looked_at} ways to leave");
}
