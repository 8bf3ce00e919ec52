//! Guessing PINs: ten count, whatever is done to the station in between.

use std::fs;

use keystation::people::{Action, Person, Pin, SignInError};
use keystation::{DataDir, Station, StationError};
use keystation_audit::{Finding, OpenError, Verdict};

use super::support::{ADMINS, Bench, badge_of, copy, open, person, pin};

pub(crate) const RIGHT: &str = "671425";

/// A deterministic choice: the test does the same in every run.
pub(crate) fn dice(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *seed >> 33
}

/// Restarts, kills, a machine that is started again, clocks that are set, an older `people.json` between the guesses; and an older database, alone: that does not open. An older
/// database *with its head* is the next test's: it gives the guesses back.
#[test]
fn of_ten_thousand_guesses_ten_count() {
    let mut bench = Bench::with_admins();
    bench.settle("op-1", RIGHT, "operator");
    // What somebody took a copy of at rest, before the first guess.
    let before = bench.dir.path().join("before");
    bench = bench.at_rest(|data| copy(data, &before));
    let (mut seed, mut hashed, mut boots) = (1, 0, 0);
    let (mut wrong, mut waits, mut locked) = (0, 0, 0);
    for guess in 0..10_000 {
        match dice(&mut seed) % 100 {
            0 => {
                hashed += bench.station.pins_hashed();
                bench = bench.restart();
            }
            1 => {
                hashed += bench.station.pins_hashed();
                bench = bench.kill();
            }
            2 => {
                boots += 1;
                hashed += bench.station.pins_hashed();
                bench.hands.reboot(boots);
                bench = bench.kill();
            }
            3 => {
                fs::copy(before.join("people.json"), bench.data.people()).unwrap();
            }
            4..8 => bench.hands.set_wall(86_400 - dice(&mut seed).cast_signed() % 172_800),
            8..20 => bench.hands.pass(dice(&mut seed) % 60),
            _ => {}
        }
        let digits = Pin::new(&format!("{:07}", 1_000_000 + guess)).unwrap();
        let badge = badge_of("op-1");
        let who = if guess % 2 == 0 { Person::Id("op-1") } else { Person::Badge(&badge) };
        match bench.station.sign_in(who, &digits) {
            Err(SignInError::Wrong { .. }) => wrong += 1,
            Err(SignInError::Wait { seconds: 1..=60 }) => waits += 1,
            Err(SignInError::LockedOut) => locked += 1,
            other => panic!("guess {guess}: {other:?}"),
        }
    }
    hashed += bench.station.pins_hashed();
    println!(
        "10000 guesses: {wrong} wrong, {waits} refused for a wait, {locked} for the lock; {hashed} hashed"
    );
    assert_eq!((wrong, hashed), (9, 10), "the tenth locks");
    assert_eq!(wrong + waits + locked, 10_000);
    assert!(waits > 0, "somebody had to wait");
    let why = bench.records("auth.refuse", "why");
    assert_eq!(why.iter().filter(|why| *why == "pin").count(), 10, "ten count");
    assert_eq!(why.len(), 10_000, "each is a record");
    assert_eq!(bench.records("auth.lockout", "user"), ["op-1"]);
    // The lock persists, also for whoever knows the PIN.
    bench.hands.pass(1_000_000);
    assert!(matches!(bench.sign_in("op-1", RIGHT), Err(SignInError::LockedOut)));

    // An older database: its head knows of records that it has not.
    let now = bench.dir.path().join("now");
    let hands = bench.hands.clone();
    bench = bench.at_rest(|data| {
        copy(data, &now);
        fs::copy(before.join("audit.db"), data.join("audit.db")).unwrap();
        let opened = open(&DataDir::new(data.to_owned()), &hands);
        assert!(matches!(opened, Err(StationError::Log(_))), "the station does not open");
        fs::remove_dir_all(data).unwrap();
        copy(&now, data);
    });
    assert!(matches!(bench.sign_in("op-1", RIGHT), Err(SignInError::LockedOut)));

    // Two administrators undo it.
    bench.sign_in(ADMINS[0].0, ADMINS[0].1).unwrap();
    let approval = bench.approved(Action::ResetPin, "op-1", "").unwrap();
    bench.station.reset_pin("op-1", &pin("907153"), approval).unwrap();
    bench.sign_in("op-1", "907153").unwrap();
}

/// What an older copy gives whoever puts it back where no TPM counts (`counter.rs` has the other case): alone nothing, with its head the state of then. Whoever can do that can copy
/// hashes and pepper as well, and needs no station to guess; what left the machine before tells that it was done.
#[test]
fn an_older_database_gives_guesses_back_only_with_its_head() {
    let mut bench = Bench::with_admins();
    bench.settle("op-1", RIGHT, "operator");
    let before = bench.dir.path().join("before");
    bench = bench.at_rest(|data| copy(data, &before));
    let then = bench.station.reader().unwrap().size().unwrap() - 1;
    for _ in 0..10 {
        bench.hands.pass(61);
        bench.sign_in("op-1", "900001").unwrap_err();
    }
    assert!(matches!(bench.sign_in("op-1", RIGHT), Err(SignInError::LockedOut)));
    let seen = bench.station.reader().unwrap().snapshot().unwrap().checkpoint().clone();

    let hands = bench.hands.clone();
    bench = bench.at_rest(|data| {
        let [db, head] = ["audit.db", "head.note"];
        fs::copy(before.join(db), data.join(db)).unwrap();
        let Err(StationError::Log(refused)) = open(&DataDir::new(data.to_owned()), &hands) else {
            panic!("the station opens over a database that is older than its head");
        };
        let rewound = OpenError::Integrity(Finding::Rewound { log: then, head: seen.size + 1 });
        assert_eq!(format!("{refused:?}"), format!("{rewound:?}"), "the close came behind what was seen");
        fs::copy(before.join(head), data.join(head)).unwrap();
    });
    // It opens, and knows of no guess: ten more, or the right PIN.
    assert!(matches!(bench.sign_in("op-1", "900001"), Err(SignInError::Wrong { tries_left: 9 })));
    bench.sign_in("op-1", RIGHT).unwrap();
    let reader = bench.station.reader().unwrap();
    assert!(matches!(reader.verify().unwrap(), Verdict::Intact { .. }), "nothing in the directory tells");
    // A checkpoint that left the machine does: the log is shorter than it was, and has another past when it is as long again.
    assert_eq!(reader.snapshot().unwrap().root(seen.size).unwrap(), None);
    while reader.size().unwrap() < seen.size {
        bench.sign_in("op-1", RIGHT).unwrap();
    }
    assert!(reader.snapshot().unwrap().root(seen.size).unwrap().is_some_and(|root| root != seen.root));
}

#[test]
fn a_right_pin_begins_the_count_anew_and_a_wait_does_not() {
    let bench = Bench::with_admins();
    bench.settle("op-1", RIGHT, "operator");
    let wrong = || bench.sign_in("op-1", "900001");
    for left in [9, 8] {
        assert!(matches!(wrong(), Err(SignInError::Wrong { tries_left }) if tries_left == left));
    }
    bench.sign_in("op-1", RIGHT).unwrap();
    for left in [9, 8, 7] {
        assert!(matches!(wrong(), Err(SignInError::Wrong { tries_left }) if tries_left == left));
    }
    assert!(matches!(bench.sign_in("op-1", RIGHT), Err(SignInError::Wait { seconds: 30 })));
    bench.hands.pass(29);
    assert!(matches!(bench.sign_in("op-1", RIGHT), Err(SignInError::Wait { seconds: 1 })));
    bench.hands.set_wall(86_400);
    assert!(matches!(wrong(), Err(SignInError::Wait { seconds: 1 })), "the wall clock has no say");
    bench.hands.pass(1);
    bench.sign_in("op-1", RIGHT).unwrap();
    assert_eq!(
        bench.records("auth.refuse", "why"),
        ["pin", "pin", "pin", "pin", "pin", "wait", "wait", "wait"]
    );
}

/// An attempt by somebody whom nobody knows takes as long as a wrong PIN: it does the same work. Counted, not timed.
#[test]
fn whoever_is_refused_costs_one_hash() {
    let bench = Bench::with_admins();
    bench.settle("op-1", RIGHT, "operator");
    bench.settle("op-2", "764201", "operator");
    bench.sign_in(ADMINS[0].0, ADMINS[0].1).unwrap();
    let approval = bench.approved(Action::DisablePerson, "op-2", "left").unwrap();
    bench.station.disable("op-2", "left", approval).unwrap();
    let cost = |who: Person<'_>, digits: &str| {
        let before = bench.station.pins_hashed();
        assert!(bench.station.sign_in(who, &pin(digits)).is_err());
        bench.station.pins_hashed() - before
    };
    let stranger = badge_of("a stranger");
    for (what, who, digits) in [
        ("a wrong PIN", Person::Id("op-1"), "900001"),
        ("a wrong PIN with a badge", Person::Badge(&badge_of("op-1")), "900001"),
        ("nobody's ID", Person::Id("op-3"), RIGHT),
        ("what is no ID", Person::Id("' OR 1=1 --"), RIGHT),
        ("nobody's badge", Person::Badge(&stranger), RIGHT),
        ("a disabled account, wrong PIN", Person::Id("op-2"), "900001"),
        ("a disabled account, right PIN", Person::Id("op-2"), "764201"),
    ] {
        assert_eq!(cost(who, digits), 1, "{what}");
    }
    let refused: Vec<_> =
        bench.records("auth.refuse", "user").into_iter().zip(bench.records("auth.refuse", "why")).collect();
    let told = [
        ("op-1", "pin"),
        ("op-1", "pin"),
        ("", "unknown"),
        ("", "unknown"),
        ("", "unknown"),
        ("op-2", "disabled"),
        ("op-2", "disabled"),
    ];
    assert_eq!(refused, told.map(|(user, why)| (user.to_owned(), why.to_owned())));
}

/// With the cost that stations have, on the system's own clock.
#[test]
fn a_real_pin_is_checked_as_a_cheap_one_is() {
    let dir = tempfile::tempdir().unwrap();
    let data = DataDir::new(dir.path().join("data"));
    Station::init(&data, "keylog.example.com/plant7/stn03").unwrap();
    let station = Station::open(&data, "test").unwrap();
    let [first, second] = ADMINS.map(|(user, digits)| person(user, digits, "administrator"));
    station.begin(first, second).unwrap();
    let wrong = station.sign_in(Person::Id("ad-1"), &pin("580316"));
    assert!(matches!(wrong, Err(SignInError::Wrong { tries_left: 9 })));
    station.sign_in(Person::Id("ad-1"), &pin("493027")).unwrap();
    assert!(fs::read_to_string(data.people()).unwrap().contains("$argon2id$v=19$m=65536,t=3,p=1$"));
    station.close().unwrap();
}
