use keystation_core::failure::{Code, Safety};
use keystation_core::flow::{DeviceError, Refusal};
use keystation_core::record::{Event, Holds, Mode, Value};

use crate::bench::{FakeVault, GROUP_KEY, OTHER_GROUP_KEY, World};
use crate::board::{Fault, Lie};
use crate::trace::When;

/// A device that was keyed and recorded; from now on another group key is in use.
fn keyed() -> World {
    let mut world = World::new();
    world.inject().expect("a good device");
    world.board.replug();
    world.vault = FakeVault::Open(OTHER_GROUP_KEY);
    world
}

#[test]
fn repair_overwrites_with_reason_and_approver_on_record() {
    let mut world = keyed();
    assert_eq!(world.inject().expect_err("no permission").code, Code::AlreadyKeyed);
    let pass = world.repair().expect("repair may");
    assert!(world.holds_key_of(&OTHER_GROUP_KEY));
    let entries = world.log.entries.borrow();
    let event = &entries[pass.intent as usize].event;
    let Event::Intent(intent) = event else { panic!("an intent") };
    assert_eq!((intent.prior, intent.attempt), (Some(1), 2));
    assert!(matches!(&intent.mode, Mode::Rekey { .. }));
    assert_eq!(event.approver(), "sup-0002");
    let fields = event.fields();
    for (name, value) in [("mode", "rekey"), ("reason", "returned")] {
        assert!(fields.contains(&(name, Value::Text(value.to_owned()))), "{name}");
    }
}

#[test]
fn an_erased_board_is_keyed_again_by_repair_only() {
    let mut world = keyed();
    world.vault = FakeVault::Open(GROUP_KEY);
    world.board.stored = None;
    assert_eq!(world.inject().expect_err("recorded as keyed").code, Code::AlreadyRecorded);
    world.repair().expect("repair may");
    assert!(world.is_keyed());
}

/// The device kept its old key and refused the new one: it is not empty, so the refusal alone settles nothing.
#[test]
fn a_refused_overwrite_leaves_the_intent_open_until_repair_writes_again() {
    let mut world = keyed();
    world.board.fault =
        Some(Fault { call: 2, when: When::Before, error: || DeviceError::Refused(Refusal::Storage) });
    let failure = world.repair().expect_err("storage failed");
    assert_eq!((failure.code, failure.safety), (Code::StorageFailed, Safety::Unknown));
    assert_eq!(world.log.last_outcome().holds, Holds::Unknown);
    let open = world.standing().open.expect("an open intent");
    assert!(world.is_keyed(), "it holds the old key");

    world.board.fault = None;
    world.board.replug();
    assert_eq!(world.inject().expect_err("the old key proves nothing").code, Code::NotProven);
    let pass = world.repair().expect("repair may");
    assert!(world.holds_key_of(&OTHER_GROUP_KEY));
    let entries = world.log.entries.borrow();
    let Event::Intent(intent) = &entries[pass.intent as usize].event else { panic!("an intent") };
    assert_eq!(intent.prior, Some(open.seq), "the new intent names the one that it takes over");
}

#[test]
fn repair_takes_over_an_intent_under_a_group_key_that_is_gone() {
    let mut world = World::new();
    world.board.fault = Some(Fault { call: 2, when: When::After, error: || DeviceError::Unplugged(None) });
    assert!(world.inject().is_err());
    world.board.fault = None;
    world.board.replug();
    world.vault = FakeVault::Open(OTHER_GROUP_KEY);
    assert_eq!(world.inject().expect_err("another key").code, Code::OtherKey);
    world.repair().expect("repair may");
    assert!(world.holds_key_of(&OTHER_GROUP_KEY));
    assert_eq!(world.standing().open, None);
}

#[test]
fn repair_does_not_take_over_what_it_could_not_ask() {
    let mut world = keyed();
    world.board.fault = Some(Fault { call: 2, when: When::After, error: || DeviceError::Unplugged(None) });
    assert!(world.repair().is_err());
    world.board.replug();
    world.board.fault =
        Some(Fault { call: 1, when: When::Before, error: || DeviceError::Silent { limit_ms: 5000 } });
    let failure = world.repair().expect_err("silent");
    assert_eq!((failure.code, failure.safety), (Code::Silent, Safety::Unknown));
    assert!(!world.trace.acts().contains(&"stage"));
}

#[test]
fn no_liar_gets_pass_from_repair() {
    for lie in [
        Lie::StoresNothing,
        Lie::StoresInMemory,
        Lie::StoresZeros,
        Lie::StoresOtherId,
        Lie::ReplaysProof,
        Lie::EchoesNonce,
        Lie::SignsWithoutPrefix,
        Lie::IsSwapped,
        Lie::DoesNotRestart,
        Lie::SaysEmpty,
    ] {
        let mut world = keyed();
        world.board.lie = Some(lie);
        for attempt in 1..=3 {
            assert!(world.repair().is_err(), "{lie:?}, attempt {attempt}");
            world.board.replug();
        }
    }
}
