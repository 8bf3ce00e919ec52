//! The work instruction over real pseudo-terminals, with the flow of the core crate.

use std::time::{Duration, Instant};

use keystation_core::credential::Overwrite;
use keystation_core::failure::{Code, Safety};
use keystation_core::flow::Device;
use keystation_core::identity::{Identity, Mac};
use keystation_core::record::{Event, Holds};
use keystation_core::repair::ReasonCode;
use keystation_device::sim::{Lie, Persona};

use crate::support::{DEVICE_KEY, STEADY, TestBench, TestLog, TestVault, faults, inject, published};

#[test]
fn published_device_gets_the_published_key() {
    let bench = TestBench::new(1, 0, "");
    let (mut device, log) = (bench.open_with(0, STEADY), TestLog::default());
    let pass = inject(&mut device, &log, None).unwrap();
    assert_eq!(pass.id.as_str(), "sn-007-888-abc-mac-a1-b2-c3-d4-e5-f6");
    let state = bench.state(0);
    assert_eq!(state["device_key"], DEVICE_KEY);
    assert_eq!((state["generation"].as_u64(), state["locked"].as_bool()), (Some(1), Some(false)));
    assert!(is_one_injection(device.traffic().total()));
    assert!(
        log.entries
            .borrow()
            .iter()
            .any(|entry| matches!(&entry.event, Event::Result(outcome) if outcome.holds == Holds::New))
    );
}

/// The 695 bytes of the worked example and the ready byte after the restart; and the one of the first start, if it came
/// after the port was opened.
fn is_one_injection(bytes: u64) -> bool {
    (696..=697).contains(&bytes)
}

#[test]
fn device_without_a_ready_byte_is_asked_until_it_answers() {
    let bench = TestBench::new(1, 0, "no-ready; boot=100");
    inject(&mut bench.open(0), &TestLog::default(), None).unwrap();
    assert_eq!(bench.key(0).as_deref(), Some(DEVICE_KEY));
}

#[test]
fn line_ends_of_a_boot_banner_are_not_the_ready_byte() {
    let bench = TestBench::new(1, 0, "");
    assert!(bench.bench.set_faults(0, faults("banner; boot=100")));
    let mut device = bench.open_with(0, STEADY);
    inject(&mut device, &TestLog::default(), None).unwrap();
    // No request went into the start, where it would be lost, and had to be repeated.
    assert_eq!(device.traffic().sent, 381);
}

#[test]
fn sixteen_devices_at_once_at_the_speed_of_the_line() {
    // Its serial number counts up without becoming longer than the worked example's.
    let persona = Persona { serial: Some("007-888-100".to_owned()), ..published() };
    let bench = TestBench::of(persona.clone(), 16, 115_200, "");
    std::thread::scope(|scope| {
        for number in 0..16 {
            let (bench, persona) = (&bench, persona.numbered(number));
            scope.spawn(move || {
                let mut device = bench.open_with(number, STEADY);
                let begin = Instant::now();
                let pass = inject(&mut device, &TestLog::default(), None).unwrap();
                // No faster than the bytes need on the wire: request and answer take turns.
                let bytes = device.traffic().total();
                assert!(is_one_injection(bytes), "{bytes}");
                assert!(begin.elapsed() >= Duration::from_secs(1) * (bytes as u32 - 2) * 10 / 115_200);
                let identity = Identity {
                    mac: persona.mac.map(Mac::new),
                    serial: persona.serial.map(|serial| serial.parse().unwrap()),
                };
                assert_eq!(pass.identity, identity);
                use keystation_core::flow::Vault as _;
                let key = TestVault.derive(&pass.id).unwrap();
                assert_eq!(bench.key(number).as_deref(), Some(key.to_base64().as_str()));
            });
        }
    });
}

/// What each lie comes to. None is PASS.
#[test]
fn device_that_lies_never_passes() {
    let expected = |lie| match lie {
        Lie::OkStoresNothing | Lie::RamOnly | Lie::ClaimsEmpty => Code::NotKept,
        Lie::ReplayProof | Lie::EchoNonce | Lie::UnprefixedProof | Lie::ZeroKey | Lie::AnswersEarly => {
            Code::NotProven
        }
        Lie::OtherIdentityAfterWrite => Code::Swapped,
        Lie::NoRestart => Code::NotRestarted,
    };
    let bench = TestBench::new(1, 0, "");
    for (name, lie) in Lie::ALL {
        bench.renew(0, &format!("lie={name}"));
        let log = TestLog::default();
        let outcome = inject(&mut bench.open(0), &log, None);
        assert_eq!(outcome.err().map(|failure| failure.code), Some(expected(lie)), "{name}");
        // Seen again, as long as it lies: still no PASS.
        for _ in 0..3 {
            assert!(inject(&mut bench.open(0), &log, None).is_err(), "{name}");
        }
        let passed = log.entries.borrow().iter().any(|entry| {
            matches!(&entry.event, Event::Result(outcome) | Event::Resolve(outcome) if outcome.failure.is_none())
        });
        assert!(!passed, "{name}");
    }
}

#[test]
fn keyed_device_is_refused_and_repair_overwrites_it() {
    let bench = TestBench::new(1, 0, "");
    let log = TestLog::default();
    inject(&mut bench.open(0), &log, None).unwrap();
    let failure = inject(&mut bench.open(0), &log, None).unwrap_err();
    assert_eq!((failure.code, failure.safety), (Code::AlreadyKeyed, Safety::Untouched));
    // The key is derived, so it is the same; the anchor is that of repair's intent.
    let overwrite = Overwrite::approved(ReasonCode::Returned.into(), "op-1", "sup-1").unwrap();
    let pass = inject(&mut bench.open(0), &log, Some(&overwrite)).unwrap();
    assert_eq!((bench.key(0).as_deref(), &bench.state(0)["generation"]), (Some(DEVICE_KEY), &2.into()));
    let held = bench.open(0).public_set().unwrap().anchor.unwrap();
    assert_eq!(held.intent(), Some(pass.intent));
}

#[test]
fn locked_device_still_proves_and_takes_nothing() {
    let bench = TestBench::new(1, 0, "");
    let log = TestLog::default();
    let identity = inject(&mut bench.open(0), &log, None).unwrap().identity;
    let mut device = bench.open(0);
    let token = device.sas(1_900_000_000).unwrap();
    assert!(token.contains("&se=1900000000&"));
    device.lock(&identity).unwrap();
    assert_eq!(device.identify().unwrap().state, keystation_core::flow::DeviceState::Locked);
    assert_eq!(device.public_set().unwrap().generation, 1);
    assert!(device.sas(1_900_000_000).is_err());
    let failure = inject(&mut device, &log, None).unwrap_err();
    assert_eq!(failure.code, Code::Locked);
}
