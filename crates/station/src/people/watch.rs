//! The thread that locks, and writes down what waited: it sleeps until something may be due, and is woken when that changes.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, PoisonError};
use std::thread;
use std::time::Duration;

use keystation_core::record::Away;

use crate::station::Station;

/// The longest sleep while somebody is signed in. A wait is measured by a clock that stands still while the machine
/// sleeps, and a session's is not: after a sleep the keys are to be gone soon.
const NAP: Duration = Duration::from_secs(30);

impl Station {
    /// Starts the thread; it ends with the station, which it keeps from going only while it locks it.
    pub(crate) fn watch_session(&self) -> io::Result<()> {
        let people = self.people();
        let (seat, clock, rule) = (Arc::clone(&people.seat), Arc::clone(&people.clock), people.rule);
        let unread = Arc::clone(&people.unread);
        let station = self.downgrade();
        thread::Builder::new().name("session".to_owned()).spawn(move || {
            let mut floor = seat.floor();
            while !floor.closing {
                // Whether there is something to lock is asked when it matters.
                let sitting =
                    floor.sitting.as_ref().and_then(|sitting| sitting.next(rule, true, floor.work()));
                let waiting = unread.lock().unwrap_or_else(PoisonError::into_inner).next();
                if floor.sitting.is_none() && waiting.is_none() {
                    floor = seat.moved.wait(floor).unwrap_or_else(PoisonError::into_inner);
                    continue;
                }
                let left = |at: u64| at.saturating_sub(clock().mono_ms);
                let nap = match [sitting, waiting].into_iter().flatten().map(left).min() {
                    Some(0) => {
                        drop(floor);
                        let Some(station) = station.upgrade() else { return };
                        // Whatever is wrong here: who is forgotten has to be locked out all the same, now and later.
                        let settle = || station.settle_session().and(station.settle_unread());
                        let settled = catch_unwind(AssertUnwindSafe(settle));
                        let settled = settled.unwrap_or_else(|_| station.away(Away::Panic));
                        if let Err(error) = settled {
                            tracing::error!(%error, "what was due was done without a record");
                        }
                        drop(station);
                        floor = seat.floor();
                        NAP
                    }
                    left => left.map_or(NAP, |left| NAP.min(Duration::from_millis(left))),
                };
                if !floor.closing {
                    floor = seat.moved.wait_timeout(floor, nap).unwrap_or_else(PoisonError::into_inner).0;
                }
            }
        })?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Mutex;

    use keystation_audit::{Clock, Stamp, SystemClock};
    use keystation_vault::{Passphrase, SealedFile, SecretText, WorkFactor};

    use super::*;
    use crate::data_dir::DataDir;
    use crate::error::StationError;
    use crate::people::{Action, NewPerson, Person, Pin, PinCost, SessionState};

    #[derive(Clone)]
    struct Hands(Arc<Mutex<Stamp>>);

    impl Clock for Hands {
        fn now(&self) -> Stamp {
            *self.0.lock().unwrap()
        }
    }

    fn person(user: &str, roles: &str) -> NewPerson {
        NewPerson {
            user: user.to_owned(),
            roles: roles.parse().unwrap(),
            badge: None,
            pin: Pin::new("493027").unwrap(),
        }
    }

    /// A station under an open vault, and its clock.
    fn unlocked(dir: &Path) -> (Station, Hands) {
        let data = DataDir::new(dir.join("data"));
        Station::init(&data, "keylog.example.com/plant7/stn03").unwrap();
        let hands = Hands(Arc::new(Mutex::new(SystemClock::new().unwrap().now())));
        let station = Station::open_under(&data, "test", hands.clone(), PinCost::TEST).unwrap();
        station.begin(person("ad-1", "administrator+custodian"), person("ad-2", "administrator")).unwrap();
        let passphrase =
            Passphrase::new(SecretText::new("a passphrase of a test".to_owned()).unwrap()).unwrap();
        SealedFile::at(data.vault()).with_work_factor(WorkFactor::TEST).create(&passphrase).unwrap();
        station.sign_in(Person::Id("ad-1"), &Pin::new("493027").unwrap()).unwrap();
        station.unlock(&station.permit(Action::Unlock).unwrap(), &passphrase).unwrap();
        assert!(station.is_unlocked());
        (station, hands)
    }

    /// A token that does not answer keeps no other custody open.
    #[test]
    fn a_custody_that_hangs_does_not_put_off_the_lock() {
        let dir = tempfile::tempdir().unwrap();
        let (station, hands) = unlocked(dir.path());
        let actor = station.asker();
        let hung = station.in_custody(Action::ImportKey, &actor, "gk-new");
        hands.0.lock().unwrap().mono_ms += 5 * 60_000;
        station.settle_session().unwrap();
        assert!(!station.is_unlocked());
        drop(hung);
        station.close().unwrap();
    }

    /// Suspend, screen lock, panic and the end of the program wait for nothing before they wipe: a sign-in is held up by the disk.
    #[test]
    fn the_keys_are_gone_while_a_sign_in_is_held_up() {
        type Leave = fn(&Station) -> Result<(), StationError>;
        let leave: [Leave; 3] =
            [|station| station.away(Away::Suspend), |station| station.away(Away::Asked), Station::sign_out];
        for leave in leave {
            let dir = tempfile::tempdir().unwrap();
            let (station, _hands) = unlocked(dir.path());
            // As a sign-in does, until its record is on the disk.
            let sign_in = station.people().moves();
            let leaving = station.clone();
            let leaving = thread::spawn(move || leave(&leaving));
            station.wait_until(|| !station.is_unlocked());
            assert!(!leaving.is_finished(), "it waits, with the keys wiped");
            drop(sign_in);
            leaving.join().unwrap().unwrap();
            let log = station.archive().recent(2).unwrap();
            assert!(log.iter().any(|record| record.parse().unwrap().event() == "auth.lock"));
            station.close().unwrap();
        }
    }

    /// Nobody is signed in and nobody calls any more: what was counted is in the log after a minute.
    #[test]
    fn a_thread_records_what_nobody_could_read() {
        let dir = tempfile::tempdir().unwrap();
        let (station, hands) = unlocked(dir.path());
        let told = || {
            let log = station.archive().recent(30).unwrap();
            let told = |record: &keystation_audit::StoredRecord| {
                let record = record.parse().unwrap();
                let what = record.text("what").unwrap_or_default().into_owned();
                (what, record.operator().into_owned())
            };
            log.iter().map(told).filter(|(what, _)| what.starts_with("touch ×")).collect::<Vec<_>>()
        };
        for _ in 0..30 {
            station.refuse_unread(Action::Touch, "touch").unwrap();
        }
        station.sign_out().unwrap();
        assert_eq!(told(), []);
        let floor = station.people().floor();
        hands.0.lock().unwrap().mono_ms += 60_000;
        drop(floor);
        station.people().seat.moved.notify_all();
        while told().is_empty() {
            thread::yield_now();
        }
        assert_eq!(told(), [("touch ×10".to_owned(), "ad-1".to_owned())], "under whoever was there");
        station.close().unwrap();
    }

    /// Nobody asks for anything, and the keys are gone all the same.
    #[test]
    fn a_thread_locks_what_nobody_looks_at() {
        let dir = tempfile::tempdir().unwrap();
        let (station, hands) = unlocked(dir.path());
        // With the floor held the thread is asleep, or looks at the clock afterwards.
        let floor = station.people().floor();
        hands.0.lock().unwrap().mono_ms += 5 * 60_000;
        drop(floor);
        station.people().seat.moved.notify_all();
        station.wait_until(|| !station.is_unlocked());
        assert!(matches!(station.session(), SessionState::Away(_)));
        station.close().unwrap();
    }
}
