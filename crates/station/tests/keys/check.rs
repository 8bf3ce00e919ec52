//! QA's look at a device: its custody is opened as any other is, with its records, and nothing strikes in the middle.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::thread;

use keystation::StationError;
use keystation::check::Report;
use keystation::config::Profile;
use keystation::people::{Action, SessionState};
use keystation_vault::Passphrase;

use crate::support::{Bench, KEY, passphrase, secret};

/// A serial line to a device that listens and never answers: our end of it, and the station's.
fn mute_device() -> (std::fs::File, PathBuf) {
    use rustix::pty::OpenptFlags;
    let device = rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    rustix::pty::grantpt(&device).unwrap();
    rustix::pty::unlockpt(&device).unwrap();
    let name = rustix::pty::ptsname(&device, Vec::new()).unwrap();
    (device.into(), name.into_string().unwrap().into())
}

impl Bench {
    /// QA is there, and the key of the example profile is active.
    fn for_qa() -> (Self, Profile) {
        let bench = Self::new();
        bench.add("qa-1", "qa");
        bench.import("gk-2026a", KEY).unwrap();
        bench.activate("gk-2026a").unwrap();
        bench.sign_in("qa-1");
        let profile = Profile::read(&bench.data.profile(Path::new("example.toml"))).unwrap();
        (bench, profile)
    }

    fn check(&self, port: &Path, profile: &Profile, secret: &Passphrase) -> Result<Report, StationError> {
        self.station.check(&self.station.permit(Action::Check).unwrap(), port, profile, secret)
    }

    /// The events of custody and check of QA, each with its person.
    fn looked(&self) -> Vec<String> {
        let of = |event: &&str| {
            let theirs = self.records(event, "op").into_iter().filter(|who| who == "qa-1");
            theirs.map(|who| format!("{event} {who}")).collect::<Vec<_>>()
        };
        ["auth.unlock", "auth.lock", "auth.fail", "check.result", "policy.refuse"]
            .iter()
            .flat_map(of)
            .collect()
    }
}

#[test]
fn what_a_check_opens_is_in_the_log_as_opened_and_closed() {
    let (bench, profile) = Bench::for_qa();
    let (device, port) = mute_device();
    let wrong = Passphrase::new(secret("something else altogether")).unwrap();
    assert_eq!(bench.check(&port, &profile, &wrong).unwrap_err().code(), "passphrase-wrong");
    assert_eq!(bench.looked(), ["auth.fail qa-1"]);
    let report = bench.check(&port, &profile, &passphrase()).unwrap();
    assert!(!report.holds());
    let opened = ["auth.unlock qa-1", "auth.lock qa-1"];
    assert_eq!(bench.looked(), [&opened[..], &["auth.fail qa-1", "check.result qa-1"]].concat());
    assert!(!bench.station.is_unlocked(), "QA may open nothing but this");
    // And where the port fails behind it, the custody is closed all the same.
    drop(device);
    let gone = bench.check(Path::new("/dev/nothing-is-here"), &profile, &passphrase()).unwrap_err();
    assert_eq!(gone.code(), "port-unavailable");
    assert_eq!(bench.records("auth.lock", "op").iter().filter(|who| *who == "qa-1").count(), 2);
    assert_eq!(bench.records("policy.refuse", "code"), ["port-unavailable"]);
}

/// As an injection: whoever plugs a device in is there, however long the device takes.
#[test]
fn no_session_ends_while_a_device_is_looked_at() {
    let (bench, profile) = Bench::for_qa();
    let (mut device, port) = mute_device();
    thread::scope(|scope| {
        let looking = scope.spawn(|| bench.check(&port, &profile, &passphrase()));
        device.read_exact(&mut [0; 1]).unwrap();
        bench.sleep(13 * 3600);
        bench.station.settle_session().unwrap();
        assert!(matches!(bench.station.session(), SessionState::Open(_)), "the device is in work");
        looking.join().unwrap().unwrap();
    });
    bench.station.settle_session().unwrap();
    assert!(matches!(bench.station.session(), SessionState::Expired(_)));
}
