use keystation_core::failure::{Code, Safety};
use keystation_core::record::Holds;

use crate::bench::World;
use crate::board::Lie;

/// What becomes of each lie told to a write: never PASS.
const LIARS: &[(Lie, Code, Safety, Holds)] = &[
    (Lie::StoresNothing, Code::NotProven, Safety::Unknown, Holds::Unknown),
    (Lie::StoresInMemory, Code::NotKept, Safety::NotKeyed, Holds::Old),
    (Lie::StoresZeros, Code::NotProven, Safety::Unknown, Holds::Unknown),
    (Lie::StoresOtherId, Code::NotProven, Safety::Unknown, Holds::Unknown),
    (Lie::ReplaysProof, Code::NotProven, Safety::Unknown, Holds::Unknown),
    (Lie::EchoesNonce, Code::NotProven, Safety::Unknown, Holds::Unknown),
    (Lie::SignsWithoutPrefix, Code::NotProven, Safety::Unknown, Holds::Unknown),
    (Lie::SignsWithoutId, Code::NotProven, Safety::Unknown, Holds::Unknown),
    (Lie::IsSwapped, Code::Swapped, Safety::Unknown, Holds::Unknown),
    (Lie::DoesNotRestart, Code::NotRestarted, Safety::Unknown, Holds::Unknown),
    (Lie::SaysEmpty, Code::NotKept, Safety::Unknown, Holds::Unknown),
];

#[test]
fn no_liar_gets_pass_at_the_first_attempt() {
    for (lie, code, safety, holds) in LIARS.iter().copied() {
        let mut world = World::new();
        world.board.lie = Some(lie);
        let failure = world.inject().expect_err("a liar");
        assert_eq!((failure.code, failure.safety), (code, safety), "{lie:?}");
        let outcome = world.log.last_outcome();
        assert_eq!((outcome.failure, outcome.holds), (Some(code), holds), "{lie:?}");
        assert_eq!(world.log.names(), ["inject.intent", "inject.result"], "{lie:?}");
        assert_eq!(world.standing().keyed, None, "{lie:?}");
    }
}

#[test]
fn no_liar_gets_pass_by_being_plugged_in_again() {
    for (lie, ..) in LIARS.iter().copied() {
        let mut world = World::new();
        world.board.lie = Some(lie);
        for attempt in 1..=5 {
            assert!(world.inject().is_err(), "{lie:?}, attempt {attempt}");
            world.board.replug();
        }
        assert_eq!(world.standing().keyed, None, "{lie:?}");
    }
}

/// What a device holds does not depend on what it said of it: once it is honest, the station finds out.
#[test]
fn a_liar_that_was_mended_is_settled() {
    for (lie, ..) in LIARS.iter().copied() {
        let mut world = World::new();
        world.board.lie = Some(lie);
        assert!(world.inject().is_err());
        world.board.lie = None;
        world.board.replug();
        // One that stored something else than it was sent proves nothing, and is repair's.
        let stored_something_else = matches!(lie, Lie::StoresZeros | Lie::StoresOtherId);
        match world.inject() {
            Ok(_) => assert!(!stored_something_else, "{lie:?}"),
            Err(failure) => {
                assert!(stored_something_else, "{lie:?}: {failure:?}");
                assert_eq!((failure.code, failure.safety), (Code::NotProven, Safety::Unknown), "{lie:?}");
                world.repair().expect("repair overwrites it");
            }
        }
        assert!(world.is_keyed(), "{lie:?}");
    }
}

#[test]
fn a_device_that_says_it_is_keyed_is_not_written() {
    let mut world = World::new();
    world.board.lie = Some(Lie::SaysKeyed);
    let failure = world.inject().expect_err("keyed, it says");
    assert_eq!((failure.code, failure.safety), (Code::ForeignKey, Safety::Untouched));
    assert_eq!(world.log.names(), ["inject.refuse"]);
}

/// It holds another set, says that it is empty, and refuses the write because it is keyed.
#[test]
fn a_device_that_hides_its_set_is_not_recorded_as_empty() {
    let mut world = World::new();
    world.inject().expect("a good device");
    let stored = world.board.stored.take();
    let mut world = World::new();
    world.board.stored = stored;
    world.board.lie = Some(Lie::SaysEmpty);
    let failure = world.inject().expect_err("it hides a set");
    assert_eq!((failure.code, failure.safety), (Code::AlreadyKeyed, Safety::Unknown));
    assert_eq!(world.log.last_outcome().holds, Holds::Unknown);
}
