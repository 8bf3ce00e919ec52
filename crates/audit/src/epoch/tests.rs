//! Kills at every step, and what is left to follow.

use super::*;
use crate::checkpoint::Checkpoint;
use crate::clock::SystemClock;
use crate::reader::Reader;
use crate::remains::accounts_left;
use keystation_core::record::{Entry, Event, UserChange, UserEvent};
use keystation_core::role::Role;

fn order() -> EpochOrder {
    let text = str::to_owned;
    EpochOrder {
        operator: text("op-1"),
        role: text("custodian+administrator"),
        approver: text("qa-1"),
        reason: text("disk replaced"),
    }
}

fn clock() -> SystemClock {
    SystemClock::new().unwrap()
}

/// A closed log of four records, one of which makes an account, and the root of its checkpoint.
fn old(directory: &Path) -> Checkpoint {
    let origin = Origin::new("keylog.example.com/plant7/stn03/1").unwrap();
    let journal = Journal::create(&Paths::in_dir(directory), &origin, &Actor::default(), clock()).unwrap();
    let change = UserChange::Added { roles: Role::Administrator.into(), credential: 1, once: true };
    let account = UserEvent { user: "op-1".to_owned(), approver: "qa-1".to_owned(), change };
    for event in [Event::Unlock { custody: "sealed-file" }, Event::User(account), Event::Lock] {
        journal.append(&Entry { actor: Actor::default(), event }).unwrap();
    }
    let checkpoint = Checkpoint::open(&journal.checkpoint().unwrap(), journal.verifier_key()).unwrap();
    journal.close().unwrap();
    checkpoint
}

/// The new log opens, its first record names the old one, and the old one is whole where it was put.
fn check(directory: &Path, last: &Checkpoint) {
    check_by(directory, last, "op-1");
}

fn check_by(directory: &Path, last: &Checkpoint, operator: &str) {
    let journal = Journal::open(&Paths::in_dir(directory), clock()).unwrap();
    assert_eq!(journal.origin().as_str(), "keylog.example.com/plant7/stn03/2");
    drop(journal);
    let stored = Reader::open(&Paths::in_dir(directory)).unwrap().recent(9).unwrap();
    let [genesis, carried] = stored.as_slice() else { panic!("{stored:?}") };
    let (genesis, carried) = (genesis.parse().unwrap(), carried.parse().unwrap());
    assert_eq!((carried.event(), carried.text("user").as_deref()), ("carry.account", Some("op-1")));
    assert_eq!((carried.integer("was"), genesis.integer("carried")), (Some(2), Some(1)));
    assert_eq!(genesis.text("carried_root"), genesis.text("prev_root"));
    assert_eq!((genesis.seq(), genesis.event()), (0, "log.genesis"));
    assert_eq!((&*genesis.operator(), &*genesis.approver()), (operator, "qa-1"));
    assert_eq!(genesis.text("role").unwrap(), "custodian+administrator");
    assert_eq!(genesis.text("prev").unwrap(), last.origin.as_str());
    assert_eq!(genesis.integer("prev_size"), Some(last.size.cast_signed()));
    let root: String = last.root.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(genesis.text("prev_root").unwrap(), root);
    let verdict = Reader::open(&Paths::in_dir(&directory.join("epochs/1"))).unwrap().verify().unwrap();
    assert!(matches!(verdict, crate::Verdict::Intact { checkpoint, .. } if checkpoint == *last));
    assert!(!plan_file(directory).exists() && !directory.join("epochs/next").exists());
}

#[test]
fn a_kill_after_any_step_leaves_what_the_same_order_finishes() {
    let mut steps = 0;
    loop {
        let directory = tempfile::tempdir().unwrap();
        let directory = directory.path();
        let last = old(directory);
        let mut plan = plan_of(directory, &order()).unwrap();
        let finished = (0..steps).any(|_| !plan.advance(directory, &clock()).unwrap());
        if finished {
            check(directory, &last);
            break;
        }
        let refused = Journal::open(&Paths::in_dir(directory), clock()).map(drop).unwrap_err();
        assert!(matches!(refused, OpenError::EpochUnfinished(_)), "after {steps} steps: {refused}");
        let origin = Origin::new("keylog.example.com/plant7/stn03/1").unwrap();
        let begun = Journal::create(&Paths::in_dir(directory), &origin, &Actor::default(), clock());
        assert!(matches!(begun.map(drop), Err(OpenError::EpochUnfinished(_))), "after {steps} steps");
        // Those who finish it are asked by the accounts of the old log, wherever its files are.
        let left = accounts_left(directory).unwrap().unwrap();
        assert!(left.vouched && left.accounts.len() == 1, "after {steps} steps: {left:?}");
        // Nobody signed the plan: while there is no new log the order of those who prove who they are counts. Then that says who began it.
        let other = EpochOrder { operator: "op-9".to_owned(), ..order() };
        begin_epoch(directory, &other, clock()).unwrap();
        check_by(directory, &last, if steps == 0 { "op-9" } else { "op-1" });
        steps += 1;
    }
    assert!(steps >= 10, "{steps} steps");
}

#[test]
fn a_kill_while_the_new_log_is_made_leaves_no_half_of_it() {
    let directory = tempfile::tempdir().unwrap();
    let last = old(directory.path());
    plan_of(directory.path(), &order()).unwrap();
    let next = directory.path().join("epochs/next");
    fs::create_dir_all(&next).unwrap();
    fs::write(next.join("station.key"), "half").unwrap();
    begin_epoch(directory.path(), &order(), clock()).unwrap();
    check(directory.path(), &last);
}

#[test]
fn a_lost_database_and_an_older_one_are_followed_from_the_newer_head() {
    for older in [false, true] {
        let directory = tempfile::tempdir().unwrap();
        let directory = directory.path();
        old(directory);
        let paths = Paths::in_dir(directory);
        let before = fs::read(&paths.db).unwrap();
        let journal = Journal::open(&paths, clock()).unwrap();
        journal
            .append(&Entry { actor: Actor::default(), event: Event::Unlock { custody: "sealed-file" } })
            .unwrap();
        journal.close().unwrap();
        fs::remove_file(&paths.db).unwrap();
        if older {
            fs::write(&paths.db, before).unwrap();
        }
        let refused = Journal::open(&paths, clock()).map(drop).unwrap_err();
        assert!(matches!(refused, OpenError::Integrity(_) | OpenError::Incomplete { .. }), "{refused}");
        begin_epoch(directory, &order(), clock()).unwrap();
        let stored = Reader::open(&paths).unwrap().recent(9).unwrap();
        let genesis = stored[0].parse().unwrap();
        // Of the older one there is what it has; of none nothing.
        let has = if older { (Some(1), Some(4)) } else { (Some(0), Some(0)) };
        assert_eq!((genesis.integer("carried"), genesis.integer("carried_size")), has);
        assert_eq!(genesis.integer("prev_size"), Some(5));
        assert!(directory.join("epochs/1/head.note").exists());
        // And so on: the next one follows this one.
        let third = begin_epoch(directory, &order(), clock()).unwrap();
        assert_eq!(third.as_str(), "keylog.example.com/plant7/stn03/3");
    }
}

#[test]
fn one_person_no_reason_or_no_key_begin_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    let empty = begin_epoch(directory, &order(), clock());
    assert!(matches!(empty, Err(EpochError::NoKey(_))));
    old(directory);
    for (operator, approver, reason) in
        [("a", "a", "r"), ("", "b", "r"), ("a", "", "r"), ("a", "b", " "), ("a", "b", "r\n")]
    {
        let order = EpochOrder {
            operator: operator.to_owned(),
            approver: approver.to_owned(),
            reason: reason.to_owned(),
            ..order()
        };
        let refused = begin_epoch(directory, &order, clock());
        assert!(matches!(refused, Err(EpochError::OnePerson | EpochError::Reason)), "{operator} {approver}");
    }
    let journal = Journal::open(&Paths::in_dir(directory), clock()).unwrap();
    let busy = begin_epoch(directory, &order(), clock());
    assert!(matches!(busy, Err(EpochError::Log(OpenError::InUse(_)))));
    assert_eq!(journal.origin().as_str(), "keylog.example.com/plant7/stn03/1");
}
