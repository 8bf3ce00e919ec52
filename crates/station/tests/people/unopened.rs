//! Guessing PINs at a station whose log does not open: ten count here, too, and an answer is the same for whoever may begin no new log.

use std::fs;

use keystation::people::{PinCost, SignInError, Unopened};
use keystation::{DataDir, StationError};

use super::support::{ADMINS, Bench, Hands, open, pin};

/// What is left of a station, by a program that was just started.
fn unopened(data: &DataDir, hands: &Hands) -> Unopened {
    Unopened::read_under(data, hands.clone(), PinCost::TEST).unwrap().unwrap()
}

fn try_pin(data: &DataDir, hands: &Hands, user: &str, digits: &str) -> Result<String, SignInError> {
    match unopened(data, hands).administrator(user, &pin(digits)) {
        Ok(roles) => Ok(roles.to_string()),
        Err(StationError::SignIn(refused)) => Err(refused),
        Err(other) => panic!("{other:?}"),
    }
}

/// A station with more people than administrators, closed, whose head is torn; what the head was.
fn torn() -> (Bench, Vec<u8>) {
    let bench = Bench::with_admins();
    bench.settle("op-1", "671425", "operator");
    bench.settle("ad-3", "764201", "administrator");
    bench.add("ad-4", "907153", "administrator").unwrap();
    bench.station.sign_out().unwrap();
    let mut before = Vec::new();
    let Bench { dir, data, hands, station } = bench;
    station.close().unwrap();
    let head = data.path().join("head.note");
    before.extend(fs::read(&head).unwrap());
    fs::write(&head, "no head\n").unwrap();
    assert!(matches!(open(&data, &hands), Err(StationError::Log(_))));
    // A station of its own for the bench, so that this one is not held.
    let other = Bench::new();
    (Bench { dir, data, hands, station: other.station }, before)
}

#[test]
fn of_many_guesses_without_a_log_ten_count_and_the_log_gets_to_know_of_them() {
    let (bench, head) = torn();
    let Bench { data, hands, .. } = &bench;
    let (mut wrong, mut waits, mut locked) = (0, 0, 0);
    for guess in 0..600 {
        match guess % 7 {
            0 => hands.pass(30),
            1 => hands.set_wall(86_400 * (guess % 5 - 2)),
            2 if guess % 49 == 2 => hands.reboot(guess.try_into().unwrap()),
            _ => {}
        }
        match try_pin(data, hands, "ad-1", &format!("{}", 1_000_000 + guess)) {
            Err(SignInError::Unknown) => wrong += 1,
            Err(SignInError::Wait { seconds: 1..=60 }) => waits += 1,
            Err(SignInError::LockedOut) => locked += 1,
            other => panic!("guess {guess}: {other:?}"),
        }
    }
    assert_eq!(wrong, 10, "ten count");
    assert!(waits > 0 && locked > 300, "{waits} {locked}");
    hands.pass(1_000_000);
    assert!(matches!(try_pin(data, hands, ADMINS[0].0, ADMINS[0].1), Err(SignInError::LockedOut)));
    // Another administrator is another count; the right PIN begins it anew.
    assert!(matches!(try_pin(data, hands, "ad-2", "900001"), Err(SignInError::Unknown)));
    assert_eq!(try_pin(data, hands, ADMINS[1].0, ADMINS[1].1).unwrap(), "administrator");
    assert!(matches!(try_pin(data, hands, "ad-3", "900001"), Err(SignInError::Unknown)));

    // The log is put right: what was tried meanwhile is in it, and counts.
    fs::write(data.path().join("head.note"), head).unwrap();
    let station = open(data, hands).unwrap();
    assert!(!data.tries().exists());
    let bench = Bench { station, ..bench };
    assert_eq!(bench.records("auth.lockout", "user"), ["ad-1"]);
    let told = bench.records("auth.refuse", "for").into_iter().zip(bench.records("auth.refuse", "user"));
    let told: Vec<_> = told.filter(|(purpose, _)| purpose == "new-epoch").map(|(_, user)| user).collect();
    assert_eq!(told, [vec!["ad-1"; 10], vec!["ad-3"]].concat());
    assert!(matches!(bench.sign_in(ADMINS[0].0, ADMINS[0].1), Err(SignInError::LockedOut)));
    assert!(matches!(bench.sign_in("ad-3", "900001"), Err(SignInError::Wrong { tries_left: 8 })));
    bench.sign_in(ADMINS[1].0, ADMINS[1].1).unwrap();
}

/// The wrong PINs that the log knows of, and those since, are one count.
#[test]
fn the_count_goes_on_from_that_of_the_log() {
    let bench = Bench::with_admins();
    for _ in 0..8 {
        bench.hands.pass(61);
        bench.sign_in("ad-1", "900001").unwrap_err();
    }
    let Bench { dir: _dir, data, hands, station } = bench;
    station.close().unwrap();
    fs::write(data.path().join("head.note"), "no head\n").unwrap();
    assert!(matches!(try_pin(&data, &hands, "ad-1", "900001"), Err(SignInError::Wait { .. })));
    for _ in 0..2 {
        hands.pass(61);
        assert!(matches!(try_pin(&data, &hands, "ad-1", "900001"), Err(SignInError::Unknown)));
    }
    hands.pass(61);
    assert!(matches!(try_pin(&data, &hands, ADMINS[0].0, ADMINS[0].1), Err(SignInError::LockedOut)));
}

/// Nothing tells whether the PIN of somebody who may begin no new log was right.
#[test]
fn the_pin_of_who_may_begin_nothing_is_not_looked_at() {
    let (bench, _) = torn();
    for (what, user, right) in [
        ("an operator", "op-1", "671425"),
        ("an administrator with a one-time PIN", "ad-4", "907153"),
        ("nobody", "ad-9", "671425"),
        ("what is no ID", "' OR 1=1 --", "671425"),
    ] {
        for digits in [right, "900001"].repeat(8) {
            let refused = try_pin(&bench.data, &bench.hands, user, digits);
            assert!(matches!(refused, Err(SignInError::Unknown)), "{what}: {refused:?}");
        }
        assert!(!bench.data.tries().exists(), "{what}: there is nothing to count");
    }
    assert!(try_pin(&bench.data, &bench.hands, "ad-3", "764201").is_ok());
}

/// A try that cannot be counted is none: not even the right PIN is told.
#[test]
fn a_try_that_is_not_on_the_disk_is_not_answered() {
    let (bench, _) = torn();
    let Bench { data, hands, .. } = &bench;
    let (user, digits) = ADMINS[0];
    let new = data.path().join("tries.json.new");
    fs::create_dir(&new).unwrap();
    for digits in [digits, "900001"] {
        let refused = unopened(data, hands).administrator(user, &pin(digits));
        assert!(matches!(refused, Err(StationError::Disk { .. })), "{refused:?}");
    }
    fs::remove_dir(&new).unwrap();
    // A file that somebody spoiled is none in which nobody tried anything, nor does a station open over it.
    try_pin(data, hands, user, "900001").unwrap_err();
    let kept = fs::read(data.tries()).unwrap();
    fs::write(data.tries(), &kept[..kept.len() - 1]).unwrap();
    let refused = unopened(data, hands).administrator(user, &pin(digits));
    assert!(matches!(refused, Err(StationError::People(_))), "{refused:?}");
    fs::write(data.tries(), kept).unwrap();
    assert!(try_pin(data, hands, user, digits).is_ok());
}
