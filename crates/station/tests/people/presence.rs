//! Locking, leaving and taking over, with a custody that is really open.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use keystation::people::{Action, Away, Known, Person, SessionState, SignInError, Soon, Warning};
use keystation::{Exit, SecretText};
use keystation_vault::{Passphrase, SealedFile, WorkFactor};

use super::support::{Bench, pin};

const PEOPLE: [(&str, &str, &str); 3] =
    [("op-1", "671425", "operator"), ("op-2", "764201", "operator"), ("qa-1", "859274", "qa")];

fn staffed() -> Bench {
    let bench = Bench::with_admins();
    for (user, digits, roles) in PEOPLE {
        bench.settle(user, digits, roles);
    }
    let passphrase = passphrase();
    SealedFile::at(bench.data.vault()).with_work_factor(WorkFactor::TEST).create(&passphrase).unwrap();
    bench
}

fn passphrase() -> Passphrase {
    Passphrase::new(SecretText::new("a passphrase of a test".to_owned()).unwrap()).unwrap()
}

impl Bench {
    fn comes(&self, who: usize) {
        self.sign_in(PEOPLE[who].0, PEOPLE[who].1).unwrap();
    }

    fn unlock(&self) {
        self.station.unlock(&self.station.permit(Action::Unlock).unwrap(), &passphrase()).unwrap();
    }

    /// The events of people and custody, from the last `count` records of these.
    fn last(&self, count: usize) -> Vec<String> {
        let mut told = Vec::new();
        self.each(|record| {
            if record.event().starts_with("auth.") {
                let why = record.text("why").unwrap_or_default();
                told.push(format!("{} {} {}", record.event(), record.operator(), why).trim_end().to_owned());
            }
        });
        told.split_off(told.len() - count)
    }

    /// The last record of something that was refused: who asked, and for what.
    fn last_refusal(&self) -> String {
        let mut last = String::new();
        self.each(|record| {
            if record.event() == "policy.refuse" {
                let action = record.text("action").unwrap_or_default();
                last = format!("{} {} {action}", record.event(), record.operator());
            }
        });
        last
    }

    fn id(&self) -> String {
        match self.station.session() {
            SessionState::Open(session) | SessionState::Away(session) | SessionState::Expired(session) => {
                session.id
            }
            SessionState::None => panic!("nobody is there"),
        }
    }
}

#[test]
fn it_locks_after_five_minutes_and_the_person_comes_back_to_the_session() {
    let bench = staffed();
    bench.comes(0);
    bench.hands.pass(3600);
    bench.station.settle_session().unwrap();
    assert!(matches!(bench.station.session(), SessionState::Open(_)), "no custody is open");
    bench.station.touch();
    bench.unlock();
    let id = bench.id();
    bench.hands.pass(271);
    bench.station.settle_session().unwrap();
    let SessionState::Open(session) = bench.station.session() else { panic!("too early") };
    assert_eq!(session.warning, Some(Warning { seconds: 29, why: Soon::Idle }));
    bench.station.touch();
    bench.hands.pass(299);
    assert!(bench.station.permit(Action::Overview).is_ok(), "what anybody may is no sign of life");
    bench.station.settle_session().unwrap();
    assert!(bench.station.is_unlocked());
    bench.hands.pass(1);
    // Nobody had to be awake for it: whoever comes too late finds it locked.
    let late = bench.station.permit(Action::Inject).unwrap_err();
    assert_eq!((late.code(), late.exit()), ("away", Exit::Refused));
    assert!(!bench.station.is_unlocked(), "the keys are gone");
    assert!(matches!(bench.station.session(), SessionState::Away(session) if session.id == id));
    bench.station.touch();
    assert!(matches!(bench.station.session(), SessionState::Away(_)), "a touch opens nothing");
    bench.comes(0);
    assert!(matches!(bench.station.session(), SessionState::Open(session) if session.id == id));
    assert!(!bench.station.is_unlocked(), "the session is back, the keys are not");
    assert_eq!(bench.last(3), ["auth.away op-1 idle", "auth.lock op-1", "auth.ok op-1 resume"]);
}

#[test]
fn nothing_strikes_while_a_device_is_in_work() {
    let bench = staffed();
    bench.comes(0);
    bench.unlock();
    let at_bench = bench.station.busy();
    let other_slot = bench.station.busy();
    at_bench.known();
    other_slot.known();
    bench.hands.pass(3600);
    bench.station.settle_session().unwrap();
    assert!(bench.station.is_unlocked());
    drop(other_slot);
    bench.hands.pass(3600);
    bench.station.settle_session().unwrap();
    assert!(bench.station.is_unlocked(), "one of two is still in work");
    at_bench.known();
    drop(at_bench);
    bench.hands.pass(299);
    bench.station.settle_session().unwrap();
    assert!(bench.station.is_unlocked(), "a device that has its key is a sign of life");
    bench.hands.pass(1);
    bench.station.settle_session().unwrap();
    assert!(!bench.station.is_unlocked());
}

/// A slot asks for a permit and opens its port whenever something seems to be there.
#[test]
fn a_plug_that_is_loose_is_no_sign_of_life() {
    for (known, locks_after) in [(false, 300), (true, 599)] {
        let bench = staffed();
        bench.comes(0);
        bench.unlock();
        let mut locked_after = 0;
        for second in 1..700 {
            bench.hands.pass(1);
            if bench.station.permit(Action::Inject).is_err() {
                locked_after = second;
                break;
            }
            let in_work = bench.station.busy();
            if known && second == 299 {
                in_work.known();
            }
        }
        assert_eq!(locked_after, locks_after);
        assert!(!bench.station.is_unlocked());
        assert_eq!(bench.records("auth.away", "why"), ["idle"]);
    }
}

/// Two of them, so that there is always one that seems to be a device.
#[test]
fn two_plugs_that_are_loose_do_not_keep_the_keys_either() {
    let bench = staffed();
    bench.comes(0);
    bench.unlock();
    let mut slots = [Some(bench.station.busy()), Some(bench.station.busy())];
    let mut second = 0;
    while bench.station.is_unlocked() {
        bench.hands.pass(1);
        second += 1;
        assert!(second < 700, "they are kept for ever");
        // One contact is lost while the other is there.
        let slot = &mut slots[second % 2];
        *slot = None;
        *slot = Some(bench.station.busy());
        bench.station.settle_session().unwrap();
    }
    assert_eq!(second, 310, "what never says who it is puts the lock off once, by ten seconds");
    assert_eq!(bench.records("auth.away", "why"), ["idle"]);
}

/// Idle, expired, asked, taken over, locked: whatever somebody was typing is nobody's.
#[test]
fn it_is_told_whenever_somebody_leaves() {
    let bench = staffed();
    let told = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&told);
    bench.station.when_left(move || {
        count.fetch_add(1, Ordering::SeqCst);
    });
    let left = |how: &str, leave: &dyn Fn()| {
        bench.comes(0);
        bench.unlock();
        told.store(0, Ordering::SeqCst);
        leave();
        assert!(told.load(Ordering::SeqCst) > 0, "{how}");
    };
    let pass = |seconds| {
        bench.hands.pass(seconds);
        bench.station.settle_session().unwrap();
    };
    left("idle", &|| pass(300));
    left("expired", &|| pass(12 * 3600));
    left("away", &|| bench.station.away(Away::Asked).unwrap());
    left("sleep", &|| bench.station.away(Away::Suspend).unwrap());
    left("out", &|| bench.station.sign_out().unwrap());
    left("locked", &|| bench.station.lock(&bench.station.permit(Action::Lock).unwrap()).unwrap());
    left("taken over", &|| bench.comes(1));
    left("end", &|| bench.station.end().unwrap());
}

#[test]
fn a_session_ends_after_its_hours_when_the_device_is_done_and_nothing_new_is_begun() {
    let bench = staffed();
    bench.comes(0);
    bench.unlock();
    let at_bench = bench.station.busy();
    at_bench.known();
    bench.hands.pass(12 * 3600);
    bench.station.settle_session().unwrap();
    assert_eq!(bench.station.permit(Action::Inject).unwrap_err().code(), "expired");
    assert!(bench.station.is_unlocked(), "the device in work has its key");
    drop(at_bench);
    bench.station.settle_session().unwrap();
    assert!(!bench.station.is_unlocked());
    assert!(matches!(bench.station.session(), SessionState::Expired(session) if session.user == "op-1"));
    let over = bench.id();
    assert_eq!(bench.last(2), ["auth.logout op-1 expired", "auth.lock op-1"]);
    bench.comes(0);
    assert_ne!(bench.id(), over, "a new session");
    assert_eq!(bench.last(1), ["auth.ok op-1 sign-in"]);
}

#[test]
fn a_hand_over_keeps_the_line_running_for_whoever_may_run_it() {
    let bench = staffed();
    bench.comes(0);
    bench.unlock();
    let first = bench.id();
    let permit = bench.station.permit(Action::Inject).unwrap();
    let at_bench = bench.station.busy();
    bench.comes(1);
    assert!(bench.station.is_unlocked(), "the line goes on");
    assert_ne!(bench.id(), first);
    assert_eq!(bench.last(2), ["auth.logout op-1 hand-over", "auth.ok op-2 hand-over"]);
    // What began before keeps its person; what begins now has the new one.
    assert_eq!((permit.actor().operator.as_str(), permit.actor().session.clone()), ("op-1", first));
    assert_eq!(bench.station.permit(Action::Inject).unwrap().actor().operator, "op-2");
    assert_eq!(bench.station.honour(&permit, Action::Inject).unwrap_err().code(), "state");
    assert_eq!(bench.last_refusal(), "policy.refuse op-1 inject", "not under whoever took over");
    drop(at_bench);
    bench.comes(2);
    assert!(!bench.station.is_unlocked(), "QA does not find the custody open");
    assert_eq!(bench.station.permit(Action::Inject).unwrap_err().code(), "role");
}

#[test]
fn a_permit_is_good_for_its_action_and_its_session() {
    let bench = staffed();
    bench.comes(0);
    let station = &bench.station;
    let permit = station.permit(Action::Unlock).unwrap();
    station.honour(&permit, Action::Unlock).unwrap();
    assert_eq!(station.honour(&permit, Action::Inject).unwrap_err().code(), "state");
    let anybodys = station.permit(Action::Overview).unwrap();
    assert_eq!(station.honour(&anybodys, Action::Unlock).unwrap_err().code(), "state");
    station.away(Away::Screen).unwrap();
    assert_eq!(station.honour(&permit, Action::Unlock).unwrap_err().code(), "state");
    let lock = station.permit(Action::Lock).unwrap();
    station.honour(&lock, Action::Lock).unwrap();
    station.sign_out().unwrap();
    assert_eq!(station.honour(&lock, Action::Lock).unwrap_err().code(), "state");
}

#[test]
fn leaving_locks_the_custody_and_a_restart_leaves() {
    let bench = staffed();
    for why in [Away::Asked, Away::Suspend, Away::Screen, Away::Panic] {
        bench.comes(0);
        bench.unlock();
        bench.station.away(why).unwrap();
        assert!(!bench.station.is_unlocked());
        assert_eq!(bench.last(2), [format!("auth.away op-1 {}", why.as_str()), "auth.lock op-1".to_owned()]);
    }
    bench.comes(0);
    bench.unlock();
    bench.station.sign_out().unwrap();
    assert!(!bench.station.is_unlocked());
    assert_eq!(bench.station.session(), SessionState::None);
    assert_eq!(bench.last(2), ["auth.logout op-1 asked", "auth.lock op-1"]);
    bench.comes(1);
    bench.station.change_pin(&pin("764201"), &pin("385016")).unwrap();
    let bench = bench.restart();
    assert_eq!(bench.station.session(), SessionState::None, "nobody is signed in by a restart");
    assert_eq!(bench.last(1), ["auth.logout op-2 end"]);
}

/// A custodian on their side of a ceremony: known at this screen for half an hour.
#[test]
fn who_is_known_beside_the_session_acts_for_half_an_hour() {
    let bench = staffed();
    bench.settle("cu-1", "385016", "custodian");
    bench.settle("cu-2", "907416", "custodian");
    let beside = |user: &str, digits: &str| bench.station.sign_in_beside(Person::Id(user), &pin(digits));
    let why = |action, known: &Known| bench.station.permit_known(action, known).unwrap_err().code();
    bench.sign_in("cu-1", "385016").unwrap();
    assert!(matches!(beside("cu-2", "907417"), Err(SignInError::Wrong { tries_left: 9 })));
    let known = beside("cu-2", "907416").unwrap();
    let permit = bench.station.permit_known(Action::Ceremony, &known).unwrap();
    assert_eq!((permit.actor().operator.as_str(), permit.actor().session.clone()), ("cu-2", bench.id()));
    bench.station.honour(&permit, Action::Ceremony).unwrap();
    assert_eq!(bench.station.honour(&permit, Action::ImportKey).unwrap_err().code(), "state");
    assert_eq!(why(Action::ImportKey, &known), "approval-missing");
    assert_eq!(why(Action::Overview, &known), "approval-missing");
    assert_eq!(why(Action::Inject, &known), "role");
    let operator = beside("op-2", "764201").unwrap();
    assert_eq!(why(Action::Ceremony, &operator), "role");
    bench.station.away(Away::Asked).unwrap();
    assert_eq!(why(Action::Ceremony, &known), "away");
    assert_eq!(bench.station.honour(&permit, Action::Ceremony).unwrap_err().code(), "state");
    bench.sign_in("cu-1", "385016").unwrap();
    bench.hands.pass(1799);
    bench.station.permit_known(Action::Ceremony, &known).unwrap();
    bench.hands.pass(1);
    assert_eq!(why(Action::Ceremony, &known), "expired");
    let known = beside("cu-2", "907416").unwrap();
    bench.comes(0);
    let permit = bench.station.permit_known(Action::Ceremony, &known).unwrap();
    assert_eq!(permit.actor().session, bench.id(), "whoever the session belongs to");
    assert_eq!(bench.records("auth.refuse", "for"), ["ceremony"]);
}
