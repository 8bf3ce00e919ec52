use keystation_core::failure::{Code, Safety};
use keystation_core::flow::{DeviceError, Refusal};
use keystation_core::identity::Mac;
use keystation_core::record::Holds;

use crate::bench::World;
use crate::board::{Fault, Lie};
use crate::trace::When;

type Error = fn() -> DeviceError;

/// Every error that a device can answer with, and the code that it becomes.
const ERRORS: &[(Error, Code)] = &[
    (|| DeviceError::Unplugged(None), Code::Unplugged),
    (|| DeviceError::Silent { limit_ms: 5000 }, Code::Silent),
    (|| DeviceError::Garbled("length".to_owned()), Code::Garbled),
    (|| DeviceError::Unsupported("commit".to_owned()), Code::Unsupported),
    (|| DeviceError::Identity("x".parse::<Mac>().expect_err("no MAC")), Code::NoIdentity),
    (|| DeviceError::Refused(Refusal::WrongDevice), Code::Swapped),
    (|| DeviceError::Refused(Refusal::AlreadyKeyed), Code::AlreadyKeyed),
    (|| DeviceError::Refused(Refusal::Locked), Code::Locked),
    (|| DeviceError::Refused(Refusal::Storage), Code::StorageFailed),
    (|| DeviceError::Refused(Refusal::NotStaged), Code::Refused),
    (|| DeviceError::Refused(Refusal::Empty), Code::Refused),
    (|| DeviceError::Refused(Refusal::Other(99)), Code::Refused),
];

/// The calls of a good injection, in order.
const CALLS: &[&str] = &["identify", "stage", "commit", "restart", "prove", "identify"];

const MOMENTS: [When; 2] = [When::Before, When::After];

#[test]
fn every_error_at_every_call_has_its_code_its_safety_and_its_record() {
    for (call, name) in CALLS.iter().enumerate() {
        for when in MOMENTS {
            for (error, code) in ERRORS.iter().copied() {
                let mut world = World::new();
                world.board.fault = Some(Fault { call, when, error });
                let failure = world.inject().expect_err("a device that fails");
                let told = format!("{} {when:?} {name} (call {call})", error());
                assert_eq!(failure.code, code, "{told}");
                assert!(failure.cause.is_some(), "the engineer sees what it was: {told}");

                // A refusal of the commit is believed only when the device then says that it is empty.
                let refused = matches!(error(), DeviceError::Refused(r) if r != Refusal::AlreadyKeyed);
                let (safety, holds) = match call {
                    0 => (Safety::Untouched, None),
                    1 => (Safety::NotKeyed, Some(Holds::Old)),
                    2 if refused && when == When::Before => (Safety::NotKeyed, Some(Holds::Old)),
                    _ => (Safety::Unknown, Some(Holds::Unknown)),
                };
                assert_eq!(failure.safety, safety, "{told}");
                let outcomes = world.log.outcomes();
                assert_eq!(outcomes.last().map(|outcome| outcome.holds), holds, "{told}");
                assert_eq!(outcomes.last().map(|o| o.failure), holds.map(|_| Some(code)), "{told}");
                let records: &[&str] =
                    if call == 0 { &["inject.refuse"] } else { &["inject.intent", "inject.result"] };
                assert_eq!(world.log.names(), records, "{told}");
                assert_eq!(failure.record, Some(records.len() as u64 - 1), "{told}");
            }
        }
    }
}

/// The commit was refused, and what then says that it is empty is not the device that may hold the set.
#[test]
fn another_device_cannot_say_what_this_one_holds() {
    let mut world = World::new();
    world.board.lie = Some(Lie::IsSwappedAtCommit);
    world.board.fault =
        Some(Fault { call: 2, when: When::Before, error: || DeviceError::Refused(Refusal::WrongDevice) });
    let failure = world.inject().expect_err("swapped");
    assert_eq!((failure.code, failure.safety), (Code::Swapped, Safety::Unknown));
    assert_eq!(world.log.last_outcome().holds, Holds::Unknown);
}

/// Two bad runs in a row, each failing anywhere, then a good one: the device holds its key and the log knows it.
#[test]
fn plugging_in_again_always_ends_in_pass() {
    let mut settled_without_a_second_write = 0;
    let faults = |calls: usize| {
        (0..calls)
            .flat_map(|call| MOMENTS.map(|when| (call, when)))
            .flat_map(|(call, when)| [0, 1, 2, 8].map(|error| Fault { call, when, error: ERRORS[error].0 }))
    };
    for first in faults(CALLS.len()) {
        // A run that settles and then writes makes at most eight calls.
        for second in faults(8) {
            let mut world = World::new();
            world.board.fault = Some(first);
            assert!(world.inject().is_err());
            world.board.replug();
            world.board.fault = Some(second);
            if world.inject().is_ok() {
                // The second fault lay behind the last call.
                assert!(world.is_keyed());
                continue;
            }
            world.board.replug();
            world.board.fault = None;
            let pass = world.inject().expect("a good device");
            assert!(world.is_keyed());
            assert_eq!(world.standing().keyed, Some(pass.record));
            let intents = world.log.names().iter().filter(|name| **name == "inject.intent").count();
            assert_eq!(world.standing().attempts, intents as u64);
            settled_without_a_second_write += usize::from(intents == 1 && first.call > 1);
        }
    }
    assert!(settled_without_a_second_write > 0, "some of them only had to prove it again");
}

/// The station dies before or after each of its effects, twice in a row, and starts again.
#[test]
fn a_kill_at_any_arrow_leaves_nothing_or_an_open_intent_that_settles() {
    let mut kills = 0;
    for first in (0..9).flat_map(|act| MOMENTS.map(|when| (act, when))) {
        for second in (0..12).flat_map(|act| MOMENTS.map(|when| (act, when))) {
            let mut world = World::new();
            let died = world.inject_and_die(first.0, first.1);
            assert_eq!(died, first.0 < 8, "a good injection has eight effects");
            assert!(world.board.stored.is_none() || world.standing().attempts == 1, "no key without intent");
            let done = world.standing().keyed.is_some();
            world.board.replug();
            if done {
                assert!(world.is_keyed(), "what the log says is so");
                assert_eq!(world.inject().expect_err("keyed").code, Code::AlreadyKeyed);
                continue;
            }
            kills += usize::from(died);
            kills += usize::from(world.inject_and_die(second.0, second.1));
            world.board.replug();
            if world.standing().keyed.is_none() {
                world.inject().expect("a good device");
            }
            assert!(world.is_keyed());
            assert_eq!(world.standing().open, None);
        }
    }
    assert!(kills > 300, "only {kills} kills");
}

#[test]
fn a_log_that_fails_never_gives_pass_and_the_next_run_settles() {
    let rows = [
        (0, None, Safety::Untouched),
        (1, None, Safety::Unrecorded),
        (1, Some(Lie::StoresInMemory), Safety::NotKeyed),
        (1, Some(Lie::EchoesNonce), Safety::Unknown),
    ];
    for (room, lie, safety) in rows {
        let mut world = World::new();
        world.log.room.replace(room);
        world.board.lie = lie;
        let failure = world.inject().expect_err("no record, no pass");
        assert_eq!((failure.code, failure.safety, failure.record), (Code::LogFailed, safety, None));
        assert!(failure.cause.is_some());
        assert_eq!(world.board.stored.is_some(), room == 1 && lie != Some(Lie::StoresInMemory));

        world.log.room.replace(usize::MAX);
        world.board.lie = None;
        world.board.replug();
        let pass = world.inject().expect("a good device");
        assert!(world.is_keyed());
        assert_eq!(world.standing().keyed, Some(pass.record));
    }
}

#[test]
fn a_log_that_fails_while_it_settles_never_gives_pass() {
    // The set arrived, or it did not; the log takes no resolve.
    for (when, safety) in [(When::After, Safety::Unrecorded), (When::Before, Safety::NotKeyed)] {
        let mut world = World::new();
        world.board.fault = Some(Fault { call: 2, when, error: ERRORS[1].0 });
        assert!(world.inject().is_err());
        world.board.replug();
        world.board.fault = None;
        world.log.room.replace(0);
        let failure = world.inject().expect_err("no record, no pass");
        assert_eq!((failure.code, failure.safety, failure.record), (Code::LogFailed, safety, None));
        assert!(world.standing().open.is_some(), "the intent is still open");

        world.log.room.replace(usize::MAX);
        world.board.replug();
        world.inject().expect("a good device");
    }
}

#[test]
fn an_error_that_cannot_be_recorded_is_a_log_failure() {
    for (call, safety) in [(0, Safety::Untouched), (1, Safety::NotKeyed), (2, Safety::Unknown)] {
        let mut world = World::new();
        world.board.fault = Some(Fault { call, when: When::Before, error: ERRORS[1].0 });
        world.log.room.replace(usize::from(call > 0));
        let failure = world.inject().expect_err("a device that fails");
        assert_eq!((failure.code, failure.safety, failure.record), (Code::LogFailed, safety, None));
    }
}
