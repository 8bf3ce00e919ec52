use keystation_core::credential::Overwrite;
use keystation_core::failure::{Code, Safety};
use keystation_core::flow::{DeviceError, Refusal, Retired, Settled};
use keystation_core::identity::MacRule;
use keystation_core::recipe::{MacSpelling, Recipe};
use keystation_core::record::{Event, Holds, Mode};
use keystation_core::registration::IdRule;
use keystation_core::repair::ReasonCode;

use crate::bench::{FakeVault, GROUP_KEY, OTHER_GROUP_KEY, World};
use crate::board::{Fault, Lie};
use crate::log::anchor;
use crate::trace::When;

/// A device whose commit was not answered: it holds the set (`After`) or not (`Before`). It is plugged in again.
fn lost_at_commit(when: When) -> World {
    let mut world = World::new();
    world.board.fault = Some(Fault { call: 2, when, error: || DeviceError::Silent { limit_ms: 5000 } });
    let failure = world.inject().expect_err("silent");
    assert_eq!((failure.code, failure.safety), (Code::Silent, Safety::Unknown));
    assert_eq!(world.board.stored.is_some(), when == When::After);
    world.board.fault = None;
    world.board.replug();
    world
}

#[test]
fn a_set_that_did_arrive_is_proven_and_not_written_again() {
    let mut world = lost_at_commit(When::After);
    let pass = world.inject().expect("it holds the set");
    assert_eq!((pass.intent, pass.record), (0, 2));
    assert_eq!(world.trace.acts(), ["identify", "prove", "restart", "prove", "identify", "inject.resolve"]);
    let held = world.board.stored.expect("a set").anchor;
    assert_eq!(held, Some(anchor(1)), "the log up to the intent that is settled");
}

/// What a work order leaves out is not said to be untouched while nobody knows whether it is.
#[test]
fn a_device_that_is_not_admitted_any_more_may_still_hold_the_set() {
    let mut world = lost_at_commit(When::After);
    world.listed = false;
    let failure = world.inject().expect_err("not of the work order");
    assert_eq!((failure.code, failure.safety), (Code::Unlisted, Safety::Unknown));
    assert!(world.standing().open.is_some());
    world.board.replug();
    world.listed = true;
    world.inject().expect("it holds the set");
}

#[test]
fn a_set_that_did_not_arrive_is_recorded_so_and_written_under_a_new_intent() {
    let mut world = lost_at_commit(When::Before);
    let pass = world.inject().expect("a good device");
    assert_eq!(
        world.trace.acts(),
        [
            "identify",
            "inject.resolve",
            "inject.intent",
            "stage",
            "commit",
            "restart",
            "prove",
            "identify",
            "inject.result"
        ]
    );
    let outcomes = world.log.outcomes();
    assert_eq!((outcomes[1].intent, outcomes[1].failure), (0, Some(Code::NotWritten)));
    assert_eq!(outcomes[1].holds, Holds::Old);
    let entries = world.log.entries.borrow();
    let Event::Intent(intent) = &entries[pass.intent as usize].event else { panic!("an intent") };
    assert_eq!(
        (intent.prior, intent.attempt, &intent.mode),
        (None, 2, &Mode::New),
        "it follows no open intent"
    );
}

/// The group key was changed while the intent was open. The device may hold the set of the old one, and the station
/// cannot ask it: what it cannot know it must not record.
#[test]
fn an_intent_under_another_group_key_stays_open() {
    let mut world = lost_at_commit(When::After);
    world.vault = FakeVault::Open(OTHER_GROUP_KEY);
    for _ in 0..2 {
        let failure = world.inject().expect_err("another key");
        assert_eq!((failure.code, failure.safety), (Code::OtherKey, Safety::Unknown));
        assert_eq!(world.trace.acts(), ["identify", "inject.resolve"], "and it is not even asked");
        assert_eq!(world.log.last_outcome().holds, Holds::Unknown);
        assert_eq!(world.standing().open.map(|open| open.seq), Some(0));
    }
    world.vault = FakeVault::Open(GROUP_KEY);
    assert_eq!(world.inject().expect("the right key").intent, 0);
}

#[test]
fn an_empty_device_needs_no_key_to_settle() {
    let mut world = lost_at_commit(When::Before);
    world.vault = FakeVault::Open(OTHER_GROUP_KEY);
    world.inject().expect("a good device");
    assert!(world.holds_key_of(&OTHER_GROUP_KEY));
}

#[test]
fn a_device_that_does_not_prove_the_set_keeps_its_intent_open() {
    for lie in [Lie::EchoesNonce, Lie::ReplaysProof, Lie::SignsWithoutPrefix] {
        let mut world = lost_at_commit(When::After);
        world.board.lie = Some(lie);
        let failure = world.inject().expect_err("not proven");
        assert_eq!((failure.code, failure.safety), (Code::NotProven, Safety::Unknown));
        assert_eq!(world.log.last_outcome().holds, Holds::Unknown);
        assert_eq!(world.standing().open.map(|open| open.seq), Some(0));
        assert!(!world.trace.acts().contains(&"stage"), "and nothing is written over it");
    }
}

#[test]
fn a_device_that_will_not_prove_keeps_its_intent_open() {
    let refusals: [fn() -> DeviceError; 4] = [
        || DeviceError::Refused(Refusal::Empty),
        || DeviceError::Refused(Refusal::Storage),
        || DeviceError::Refused(Refusal::Other(99)),
        || DeviceError::Unplugged(None),
    ];
    for error in refusals {
        let mut world = lost_at_commit(When::After);
        world.board.fault = Some(Fault { call: 1, when: When::Before, error });
        let failure = world.inject().expect_err("no proof");
        assert_eq!(failure.safety, Safety::Unknown);
        assert_eq!(world.standing().open.map(|open| open.seq), Some(0));
        world.board.fault = None;
        world.board.replug();
        assert_eq!(world.inject().expect("it holds the set").intent, 0);
    }
}

/// The proof before the restart only says whether it is worth asking; PASS needs the one after it.
#[test]
fn settling_takes_restart_proof_and_identity_like_any_other_pass() {
    for (lie, code) in [(Lie::DoesNotRestart, Code::NotRestarted), (Lie::RepeatsItself, Code::NotProven)] {
        let mut world = lost_at_commit(When::After);
        world.board.lie = Some(lie);
        let failure = world.inject().expect_err("a liar");
        assert_eq!((failure.code, failure.safety), (code, Safety::Unknown), "{lie:?}");
        assert_eq!(world.standing().open.map(|open| open.seq), Some(0), "{lie:?}");
    }
    let mut world = lost_at_commit(When::After);
    world.board.fault =
        Some(Fault { call: 3, when: When::Before, error: || DeviceError::Refused(Refusal::Empty) });
    assert_eq!(world.inject().expect_err("not proven").safety, Safety::Unknown);
}

/// The set was in memory only, and the power that it needed stayed on while the station lost sight of it.
#[test]
fn a_set_in_memory_does_not_survive_the_settling() {
    let mut world = World::new();
    world.board.lie = Some(Lie::StoresInMemory);
    world.board.fault =
        Some(Fault { call: 2, when: When::After, error: || DeviceError::Silent { limit_ms: 5000 } });
    assert!(world.inject().is_err());
    world.board.fault = None;
    // Not unplugged: it proves the set, and loses it at the restart.
    let failure = world.inject().expect_err("not kept");
    assert_eq!((failure.code, failure.safety), (Code::NotKept, Safety::NotKeyed));
    assert_eq!(world.standing().open, None);
}

/// Nothing is written in this run either, but the operator must not hear that the device is untouched.
#[test]
fn no_refusal_calls_a_device_with_an_open_intent_untouched() {
    for vault in [FakeVault::Locked, FakeVault::Broken] {
        let mut world = lost_at_commit(When::After);
        world.vault = vault;
        assert_eq!(world.inject().expect_err("no key").safety, Safety::Unknown);
        assert!(world.standing().open.is_some());
    }
}

#[test]
fn a_locked_device_can_still_be_settled() {
    let mut world = lost_at_commit(When::After);
    world.board.locked = true;
    assert_eq!(world.inject().expect("it holds the set").intent, 0);
}

#[test]
fn an_empty_device_with_an_open_intent_that_was_keyed_before_is_still_refused() {
    let mut world = World::new();
    world.inject().expect("a good device");
    world.board.replug();
    world.board.fault =
        Some(Fault { call: 2, when: When::After, error: || DeviceError::Silent { limit_ms: 5000 } });
    assert!(world.repair().is_err());
    world.board.fault = None;
    world.board.replug();
    world.board.stored = None;
    let failure = world.inject().expect_err("erased");
    assert_eq!((failure.code, failure.safety), (Code::AlreadyRecorded, Safety::Untouched));
    assert_eq!(world.standing().open, None, "the intent is settled nevertheless");
}

/// A set that was acknowledged and is gone is no write that never arrived: written once more it may be kept by chance.
#[test]
fn a_device_that_lost_a_set_which_it_had_acknowledged_is_not_written_again() {
    let mut world = World::new();
    // The restart is the fourth call.
    world.board.fault = Some(Fault { call: 3, when: When::After, error: || DeviceError::Unplugged(None) });
    assert_eq!(world.inject().expect_err("unplugged").code, Code::Unplugged);
    world.board.fault = None;
    world.board.replug();
    world.board.stored = None;
    world.acknowledged = true;
    let failure = world.inject().expect_err("it lost the set");
    assert_eq!((failure.code, failure.safety), (Code::NotKept, Safety::NotKeyed));
    assert_eq!(world.trace.acts(), ["identify", "inject.resolve"]);
    assert_eq!(world.standing().open, None);
    assert!(world.board.stored.is_none());
}

/// What it did not acknowledge may have been lost on the way.
#[test]
fn a_device_that_kept_what_it_acknowledged_passes_in_the_second_try() {
    let mut world = World::new();
    world.board.fault = Some(Fault { call: 3, when: When::After, error: || DeviceError::Unplugged(None) });
    assert!(world.inject().is_err());
    world.board.fault = None;
    world.board.replug();
    world.acknowledged = true;
    assert_eq!(world.inject().expect("it kept the set").intent, 0);
}

#[test]
fn a_device_that_was_taken_out_or_is_of_another_work_order_is_not_settled() {
    let mut world = lost_at_commit(When::After);
    for (what, code) in [
        (Retired::Scrapped, Code::Scrapped),
        (Retired::Revoked, Code::Revoked),
        (Retired::Replaced, Code::Replaced),
    ] {
        world.log.retired = Some(what);
        let failure = world.inject().expect_err("taken out");
        assert_eq!((failure.code, failure.safety), (code, Safety::Unknown));
        assert_eq!(world.trace.acts(), ["identify", "inject.refuse"], "it is not asked");
        // Nor by repair, whatever was approved.
        let failure = world.repair().expect_err("taken out");
        assert_eq!((failure.code, failure.safety), (code, Safety::Unknown));
        assert_eq!(world.trace.acts(), ["identify", "inject.refuse"]);
    }
    world.log.retired = None;
    for job in ["WO-2", ""] {
        world.job = job;
        let failure = world.inject().expect_err("of another work order");
        assert_eq!((failure.code, failure.safety), (Code::NoOrder, Safety::Unknown));
        let cause = failure.cause.expect("a cause").to_string();
        assert_eq!(cause, "record 0 began it under the work order WO-44192");
        assert_eq!(world.standing().open.map(|open| open.seq), Some(0));
    }
    world.job = "WO-44192";
    assert_eq!(world.inject().expect("where it belongs").intent, 0);

    // One that holds nothing is begun under the order that is open; the other one has to account for it.
    let mut world = lost_at_commit(When::Before);
    world.job = "WO-2";
    assert_eq!(world.inject().expect("a good device").intent, 3);
}

/// Under a recipe of serial numbers alone two boards have one registration ID.
#[test]
fn an_intent_is_settled_by_the_board_that_it_was_for() {
    for when in [When::Before, When::After] {
        let mut world = World::new();
        world.recipe = Recipe::new(
            "sn-{serial}-mac-a4-cf-12-00-01-07",
            MacSpelling::Dashes,
            MacRule::default(),
            IdRule::Dashes,
        )
        .expect("a recipe");
        world.board.fault = Some(Fault { call: 2, when, error: || DeviceError::Silent { limit_ms: 5000 } });
        assert!(world.inject().is_err());
        world.board.fault = None;
        world.board.replug();
        let first = world.board.identity.clone();
        for mac in ["a4cf12000108".parse().ok(), None] {
            world.board.identity.mac = mac;
            let failure = world.inject().expect_err("another board");
            assert_eq!((failure.code, failure.safety), (Code::OtherBoard, Safety::Untouched), "{mac:?}");
            assert_eq!(world.trace.acts(), ["identify", "inject.refuse"]);
            assert_eq!(world.standing().open.map(|open| open.seq), Some(0));
        }
        world.board.identity = first;
        world.inject().expect("the board that it was for");
        assert!(world.is_keyed());
    }
}

/// A device that was keyed, and whose re-key under another group key was cut off: behind the commit (`After`) or before it.
fn cut_off(when: When) -> World {
    let mut world = World::new();
    world.inject().expect("a good device");
    world.board.replug();
    world.vault = FakeVault::Open(OTHER_GROUP_KEY);
    world.job = "RK-1";
    world.board.fault = Some(Fault { call: 2, when, error: || DeviceError::Unplugged(None) });
    assert!(world.repair().is_err());
    world.board.fault = None;
    world.board.replug();
    world
}

/// Whoever has the device looks at it: no order, no reason, and nothing is written.
#[test]
fn a_look_settles_what_was_left_open_whichever_key_it_holds() {
    let mut world = cut_off(When::After);
    let intent = world.standing().open.expect("it is open").seq;
    let settled = world.settle(None).expect("it proves the new key");
    let Some(Settled::New(pass)) = settled else { panic!("{settled:?}") };
    assert_eq!((pass.intent, world.standing().open), (intent, None));
    assert_eq!(world.trace.acts(), ["identify", "restart", "prove", "identify", "inject.resolve"]);
    assert_eq!(world.settle(None).expect("nothing is open"), None);

    let old = FakeVault::Open(GROUP_KEY);
    let mut world = cut_off(When::Before);
    let settled = world.settle(Some(&old)).expect("it proves the old key");
    assert!(matches!(settled, Some(Settled::Old { .. })), "{settled:?}");
    let outcome = world.log.last_outcome();
    assert_eq!((outcome.failure, outcome.holds), (Some(Code::NotWritten), Holds::Old));
    assert!(world.standing().open.is_none() && world.is_keyed());

    // One that holds nothing needs no key.
    let mut world = cut_off(When::Before);
    world.board.stored = None;
    world.vault = FakeVault::Locked;
    assert!(matches!(world.settle(None), Ok(Some(Settled::Old { .. }))));
    assert_eq!(world.trace.acts(), ["identify", "inject.resolve"]);
}

#[test]
fn a_look_settles_nothing_that_the_device_does_not_show() {
    // It holds the old key, which nobody can ask for here, or one that is not the one of before.
    for old in [None, Some(FakeVault::Open([0x11; 64]))] {
        let mut world = cut_off(When::Before);
        let failure = world.settle(old.as_ref().map(|old| old as _)).expect_err("neither");
        assert_eq!((failure.code, failure.safety), (Code::NotProven, Safety::Unknown));
        assert!(world.standing().open.is_some());
    }
    for lie in
        [Lie::EchoesNonce, Lie::SignsWithoutPrefix, Lie::ReplaysProof, Lie::DoesNotRestart, Lie::IsSwapped]
    {
        let mut world = cut_off(When::After);
        world.board.lie = Some(lie);
        let failure = world.settle(Some(&FakeVault::Open(GROUP_KEY))).expect_err("a liar");
        assert_eq!(failure.safety, Safety::Unknown, "{lie:?}");
        assert!(world.standing().open.is_some(), "{lie:?}");
    }
    // By the terms of the intent, and on its board.
    let mut world = cut_off(When::After);
    world.vault = FakeVault::Open(GROUP_KEY);
    assert_eq!(world.settle(None).expect_err("another key").code, Code::OtherKey);
    let mut world = cut_off(When::After);
    world.log.retired = Some(Retired::Scrapped);
    assert_eq!(world.settle(None).expect_err("taken out").code, Code::Scrapped);
    assert!(world.standing().open.is_some());
}

/// What a batch that is closed by now had begun is settled first; then it is judged whether the key would be the same one.
#[test]
fn repair_asks_a_device_of_another_batch_before_it_judges_its_key() {
    let leak = Overwrite::approved(ReasonCode::LeakedKey.into(), "op-0117", "sup-0002").expect("two people");
    let mut world = cut_off(When::Before);
    world.job = "RK-2";
    let pass = world.inject_with(Some(&leak)).expect("it holds the old key: another one is written");
    assert_eq!(world.trace.acts().iter().filter(|act| **act == "prove").count(), 2);
    assert!(pass.intent > 2 && world.holds_key_of(&OTHER_GROUP_KEY));

    let mut world = cut_off(When::After);
    world.job = "RK-2";
    let failure = world.inject_with(Some(&leak)).expect_err("it has that key by now");
    assert_eq!((failure.code, failure.safety), (Code::SameKey, Safety::Untouched));
    assert_eq!(world.standing().open, None, "which is settled");
    assert_eq!(world.log.last_outcome().holds, Holds::New);
    // One device is told so, and nothing is overwritten.
    let mut world = cut_off(When::After);
    world.job = "";
    let intent = world.standing().open.expect("it is open").seq;
    assert_eq!(world.repair().expect("it holds it").intent, intent);
    assert!(!world.trace.acts().contains(&"stage"));
}
