use keystation_core::credential::Overwrite;
use keystation_core::derive::device_key;
use keystation_core::failure::{Code, Safety};
use keystation_core::flow::{DeviceError, Refusal};
use keystation_core::key::Fingerprint;
use keystation_core::record::{Event, Holds, Intent, Mode, Value};
use keystation_core::repair::{Effect, ReasonCode};

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
    let Mode::Rekey(rekey) = &intent.mode else { panic!("a re-key") };
    assert_eq!((rekey.effect, rekey.before), (Effect::NewKey, Some(fingerprint(&GROUP_KEY))));
    assert_eq!(event.approver(), "sup-0002");
    let fields = event.fields();
    for (name, value) in [("mode", "rekey"), ("reason", "returned"), ("effect", "new-key"), ("note", "")] {
        assert!(fields.contains(&(name, Value::Text(value.to_owned()))), "{name}");
    }
}

#[test]
fn an_erased_board_is_keyed_again_by_repair_only() {
    let mut world = keyed();
    world.vault = FakeVault::Open(GROUP_KEY);
    world.board.stored = None;
    assert_eq!(world.inject().expect_err("recorded as keyed").code, Code::AlreadyRecorded);
    let pass = world.repair().expect("repair may");
    assert!(world.is_keyed());
    assert_eq!(effect(&world, pass.intent), Effect::SameKey, "the log knows which key it had");
}

fn fingerprint(group_key: &[u8]) -> Fingerprint {
    device_key(group_key, &World::id()).fingerprint()
}

fn effect(world: &World, intent: u64) -> Effect {
    let entries = world.log.entries.borrow();
    let Event::Intent(Intent { mode: Mode::Rekey(rekey), .. }) = &entries[intent as usize].event else {
        panic!("the intent of a re-key")
    };
    rekey.effect
}

/// The same parent and the same ID make the same key: for a leak that is refused before anything is intended, unless somebody
/// says that it is meant.
#[test]
fn a_leaked_key_is_not_written_again_unless_somebody_says_so() {
    for reason in ReasonCode::ALL {
        let mut world = World::new();
        world.inject().expect("a good device");
        world.board.replug();
        let overwrite = Overwrite::approved(reason.into(), "op-0117", "sup-0002").expect("two people");
        let came = world.inject_with(Some(&overwrite));
        if reason.needs_new_key() {
            let failure = came.expect_err("it heals nothing");
            assert_eq!((failure.code, failure.safety), (Code::SameKey, Safety::Untouched), "{reason}");
            assert!(!world.trace.acts().contains(&"inject.intent"));
            let meant = world.inject_with(Some(&overwrite.accepting_same_key())).expect("it is meant");
            assert_eq!(effect(&world, meant.intent), Effect::SameKey);
        } else {
            assert_eq!(effect(&world, came.expect("it may").intent), Effect::SameKey, "{reason}");
        }
    }
}

/// Nobody knows whether the write that was cut off left this very key in the device.
#[test]
fn a_key_that_may_be_in_the_device_counts_as_the_same_one() {
    let mut world = World::new();
    world.board.fault = Some(Fault { call: 2, when: When::After, error: || DeviceError::Unplugged(None) });
    assert!(world.inject().is_err());
    world.board.fault = None;
    world.board.replug();
    // Begun under a work order: repair does not settle it.
    world.job = "RK-1";
    let overwrite = Overwrite::approved(ReasonCode::LeakedKey.into(), "op-0117", "sup-0002").expect("two");
    assert_eq!(world.inject_with(Some(&overwrite)).expect_err("the same").code, Code::SameKey);
    world.vault = FakeVault::Open(OTHER_GROUP_KEY);
    let pass = world.inject_with(Some(&overwrite)).expect("another parent");
    assert_eq!(effect(&world, pass.intent), Effect::NewKey);
}

#[test]
fn a_device_that_no_record_knows_is_rekeyed_and_the_record_says_so() {
    let mut world = keyed();
    world.log.entries.borrow_mut().clear();
    // A leak is not healed by a key of which nobody can say that it is another one, unless two people know that.
    for reason in ReasonCode::ALL.into_iter().filter(|reason| reason.needs_new_key()) {
        let overwrite = Overwrite::approved(reason.into(), "op-0117", "sup-0002").expect("two people");
        let failure = world.inject_with(Some(&overwrite)).expect_err("nobody can say");
        assert_eq!((failure.code, failure.safety), (Code::UnknownKey, Safety::Untouched), "{reason}");
        assert!(!world.trace.acts().contains(&"inject.intent"));
    }
    let pass = world.repair().expect("repair may");
    assert_eq!(effect(&world, pass.intent), Effect::UnknownKey);
}

/// A repetition of a try that the device had acknowledged asks, and does not write again.
#[test]
fn a_device_that_lost_what_it_acknowledged_is_not_written_a_second_time() {
    let mut world = keyed();
    world.board.lie = Some(Lie::StoresNothing);
    assert!(world.repair().is_err());
    world.board.lie = None;
    world.board.replug();
    world.acknowledged = true;
    let failure = world.repair().expect_err("it has the old key");
    assert_eq!(failure.code, Code::NotProven);
    assert!(!world.trace.acts().contains(&"stage"));
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
        Lie::StoresNothing,
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
