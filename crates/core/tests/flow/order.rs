use keystation_core::derive::device_key;
use keystation_core::failure::{Code, Safety};
use keystation_core::flow::Step;
use keystation_core::identity::Mac;
use keystation_core::record::{Event, Value};

use crate::bench::{FakeVault, GROUP_KEY, Secret, World};

#[test]
fn the_intent_is_durable_before_the_write_and_the_result_before_pass() {
    let mut world = World::new();
    let pass = world.inject().expect("a good device");
    assert_eq!(
        world.trace.acts(),
        ["identify", "inject.intent", "stage", "commit", "restart", "prove", "identify", "inject.result"]
    );
    assert_eq!(
        world.steps,
        [Step::Read, Step::Derive, Step::Write, Step::Restart, Step::Prove, Step::Record]
    );
    assert_eq!((pass.intent, pass.record), (0, 1));
    assert_eq!(pass.id, World::id());
    assert!(world.is_keyed());
    let stored = world.board.stored.expect("a set");
    assert_eq!(stored.endpoint, "global.azure-devices-provisioning.net");
}

#[test]
fn a_device_that_is_not_admitted_gets_no_key_and_has_a_record() {
    let mut world = World::new();
    world.listed = false;
    world.vault = FakeVault::Broken;
    let failure = world.inject().expect_err("not of the work order");
    assert_eq!(
        (failure.code, failure.safety),
        (Code::Unlisted, Safety::Untouched),
        "before anything is derived"
    );
    assert_eq!(failure.id, Some(World::id()));
    assert_eq!(world.trace.acts(), ["identify", "inject.refuse"]);
    assert!(!world.is_keyed());
}

#[test]
fn the_intent_says_everything_that_is_known_before_the_write() {
    let mut world = World::new();
    world.inject().expect("a good device");
    let entries = world.log.entries.borrow();
    let mut fields = entries[0].event.fields();
    fields.sort_by_key(|(name, _)| *name);
    let fingerprint = device_key(&GROUP_KEY, &World::id()).fingerprint().to_string();
    let text = |text: &str| Value::Text(text.to_owned());
    let expected = [
        ("dkfp", text(&fingerprint)),
        ("endpoint", text("global.azure-devices-provisioning.net")),
        ("fw", text("2.4.1")),
        ("gk", text("gk-2026a")),
        ("gkcv", text("7C7C7C7C7C")),
        ("group", text("line-7")),
        ("job", text("WO-44192")),
        ("mac", text("a4cf12000107")),
        ("mode", text("new")),
        ("port", text("usb-1-1.4")),
        ("prior", Value::Number(-1)),
        ("profile", text("thermostat/3")),
        ("rid", text("sn-sn-0001-mac-a4-cf-12-00-01-07")),
        ("scope", text("0ne00EMU001")),
        ("slot", text("primary")),
        ("sn", text("SN-0001")),
        ("try", Value::Number(1)),
    ];
    assert_eq!(fields, expected);
    assert_eq!((entries[0].event.rc(), entries[0].event.approver()), ("", ""));
    assert_eq!(entries[0].actor.operator, "op-0117");

    let mut fields = entries[1].event.fields();
    fields.sort_by_key(|(name, _)| *name);
    let expected = [
        ("code", text("")),
        ("holds", text("new")),
        ("ref", Value::Number(0)),
        ("rid", text("sn-sn-0001-mac-a4-cf-12-00-01-07")),
        ("vmode", text("challenge")),
    ];
    assert_eq!(fields, expected);
}

/// The search for secrets in records, which every run of every test here makes, finds one that is there.
#[test]
fn a_planted_secret_is_found() {
    let key = device_key(&GROUP_KEY, &World::id());
    let hex: String = key.expose().iter().map(|byte| format!("{byte:02X}")).collect();
    let secret = Secret::new(key.expose());
    for text in [format!("x{hex}"), key.to_base64().to_string(), hex[..30].to_owned()] {
        assert_eq!(secret.found_in(&[("fw", "2.4.1".into()), ("port", text.into())]), Some("port"));
    }
    assert_eq!(secret.found_in(&[("dkfp", key.fingerprint().to_string().into())]), None);
}

/// Refused before the first byte of a write: nothing but a record of it.
fn refused(world: &mut World, code: Code, acts: &[&str]) {
    let before = world.standing();
    let failure = world.inject().expect_err("refused");
    assert_eq!((failure.code, failure.safety), (code, Safety::Untouched));
    assert_eq!(world.trace.acts(), acts);
    assert_eq!(world.standing(), before);
    let entries = world.log.entries.borrow();
    assert!(matches!(&entries.last().expect("a record").event, Event::Refuse { code: c, .. } if *c == code));
}

#[test]
fn a_keyed_device_is_refused() {
    let mut world = World::new();
    world.inject().expect("a good device");
    world.board.replug();
    refused(&mut world, Code::AlreadyKeyed, &["identify", "inject.refuse"]);
    assert!(world.is_keyed(), "and keeps its key");
    let cause = world.inject().expect_err("keyed").cause.expect("the record");
    assert_eq!(cause.to_string(), "record 1 says that it was keyed here; `keystation check` proves it");
}

#[test]
fn a_key_that_no_record_explains_is_not_taken_for_one_of_ours() {
    let mut elsewhere = World::new();
    elsewhere.inject().expect("a good device");
    let mut world = World::new();
    world.board.stored = elsewhere.board.stored.take();
    refused(&mut world, Code::ForeignKey, &["identify", "inject.refuse"]);
    assert_eq!(world.inject().expect_err("foreign").id, Some(World::id()), "and says which device");
}

#[test]
fn a_locked_device_is_refused_even_by_repair() {
    let mut world = World::new();
    world.inject().expect("a good device");
    world.board.locked = true;
    refused(&mut world, Code::Locked, &["identify", "inject.refuse"]);
    let failure = world.repair().expect_err("locked for good");
    assert_eq!((failure.code, failure.safety), (Code::Locked, Safety::Untouched));
}

/// An erased board, or a second board with the same MAC and serial number.
#[test]
fn an_empty_device_that_the_log_knows_as_keyed_is_refused() {
    let mut world = World::new();
    world.inject().expect("a good device");
    world.board.stored = None;
    refused(&mut world, Code::AlreadyRecorded, &["identify", "inject.refuse"]);
}

#[test]
fn without_the_group_key_nothing_is_written() {
    for (vault, code) in [(FakeVault::Locked, Code::VaultLocked), (FakeVault::Broken, Code::VaultFailed)] {
        let mut world = World::new();
        world.vault = vault;
        refused(&mut world, code, &["identify", "inject.refuse"]);
    }
}

#[test]
fn without_a_usable_identity_nothing_is_written() {
    for (mac, serial) in [
        (Some(Mac::new([0xff; 6])), "SN-0001".parse().ok()),
        (None, "SN-0001".parse().ok()),
        ("a4cf12000107".parse().ok(), None),
        ("a4cf12000107".parse().ok(), "SN_0001".parse().ok()),
    ] {
        let mut world = World::new();
        world.board.identity.mac = mac;
        world.board.identity.serial = serial;
        refused(&mut world, Code::NoIdentity, &["identify", "inject.refuse"]);
        let entries = world.log.entries.borrow();
        let Event::Refuse { identity, id, .. } = &entries[0].event else { panic!("refused") };
        assert_eq!((identity.as_ref(), id), (Some(&world.board.identity), &None));
    }
}

#[test]
fn without_knowing_what_the_log_says_nothing_is_written() {
    let mut world = World::new();
    world.log.readable = false;
    let failure = world.inject().expect_err("the log cannot be read");
    assert_eq!((failure.code, failure.safety), (Code::LogFailed, Safety::Untouched));
    assert_eq!(world.trace.acts(), ["identify", "inject.refuse"]);
}

#[test]
fn of_two_slots_that_meet_the_same_identity_the_later_touches_nothing() {
    let mut world = World::new();
    world.log.overtaken = true;
    let failure = world.inject().expect_err("another slot was first");
    assert_eq!((failure.code, failure.safety), (Code::Twin, Safety::Untouched));
    assert_eq!(world.trace.acts(), ["identify", "inject.refuse"]);
    let entries = world.log.entries.borrow();
    assert!(
        matches!(&entries[0].event, Event::Refuse { code: Code::Twin, id: Some(id), .. } if *id == World::id())
    );
}

#[test]
fn a_log_that_takes_no_intents_says_why_and_takes_the_refusal() {
    for code in [Code::SpaceLow, Code::ClockDoubted] {
        let mut world = World::new();
        world.log.refuses = Some(code);
        let failure = world.inject().expect_err("no intent is taken");
        assert_eq!((failure.code, failure.safety, failure.record), (code, Safety::Untouched, Some(0)));
        assert_eq!(world.trace.acts(), ["identify", "inject.refuse"]);
        assert!(
            matches!(&world.log.entries.borrow()[0].event, Event::Refuse { code: told, .. } if *told == code)
        );
    }
}
