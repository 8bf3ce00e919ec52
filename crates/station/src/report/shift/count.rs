//! What a number of records says was made: attempts, and the devices that they were made on.

use std::collections::{BTreeMap, HashMap, HashSet};

use keystation_core::record::Seq;

/// What was made. Attempts and devices are counted apart: a device that was tried twice lies once in a box.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Count {
    /// Intents: devices that were written to, each time. `begun` = `passed` + all of `failed` + `open`.
    pub begun: u64,
    /// Those of them whose last outcome is a proof.
    pub passed: u64,
    /// Those whose last outcome is a failure, by its code.
    pub failed: BTreeMap<String, u64>,
    /// Those that have no outcome here: still at work, or left for whoever plugs the device in again.
    pub open: u64,
    /// Intents on a device that was written to here before; part of `begun`.
    pub retried: u64,
    /// Outcomes of intents that are not among `begun`: what somebody before left open.
    pub settled: Settled,
    /// Devices that were seen and not written to, each time, by code.
    pub refused: BTreeMap<String, u64>,
    /// Devices.
    pub devices: Devices,
}

/// What came of the intents of others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Settled {
    /// The device proved its key.
    pub passed: u64,
    /// It did not.
    pub failed: u64,
}

/// Devices that said who they are, each once, by what was seen of it last: what lies in the boxes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Devices {
    /// It proved its key.
    pub passed: u64,
    /// It did not.
    pub failed: u64,
    /// It was written to, and nothing more is known.
    pub open: u64,
    /// It was never written to here, only refused. One that passed and is refused when it is plugged in again is still a
    /// device that passed.
    pub refused: u64,
    /// Of those that failed or are open: nobody knows what they hold.
    pub do_not_ship: u64,
    /// Refusals of devices that did not say who they are. How many devices those were nobody can tell, so they are no part of
    /// [`all`](Self::all).
    pub unnamed: u64,
}

impl Count {
    /// All failures.
    #[must_use]
    pub fn all_failed(&self) -> u64 {
        self.failed.values().sum()
    }

    /// All refusals.
    #[must_use]
    pub fn all_refused(&self) -> u64 {
        self.refused.values().sum()
    }
}

impl Devices {
    /// Devices that said who they are.
    #[must_use]
    pub const fn all(self) -> u64 {
        self.passed + self.failed + self.open + self.refused
    }
}

/// What one record says of a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Sight {
    /// An intent.
    Begun { seq: Seq, device: String },
    /// What came of one.
    Ended { intent: Seq, device: String, came: Came },
    /// A refusal. `device`: empty where it did not say who it is.
    Refused { device: String, code: String },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Came {
    Passed,
    /// `unknown`: nobody knows what the device holds.
    Failed {
        code: String,
        unknown: bool,
    },
}

/// Adds records up, in the order of their numbers.
#[derive(Debug, Default)]
pub(super) struct Fold {
    /// By the number of the intent.
    attempts: HashMap<Seq, Option<Came>>,
    /// Outcomes of intents that are not among them.
    elsewhere: HashMap<Seq, Came>,
    written: HashSet<String>,
    devices: HashMap<String, Seen>,
    retried: u64,
    refused: BTreeMap<String, u64>,
    unnamed: u64,
}

#[derive(Debug)]
enum Seen {
    Open,
    Ended(Came),
    Refused,
}

impl Fold {
    pub(super) fn take(&mut self, sight: &Sight) {
        match sight {
            Sight::Begun { seq, device } => {
                self.attempts.insert(*seq, None);
                self.retried += u64::from(!self.written.insert(device.clone()));
                self.devices.insert(device.clone(), Seen::Open);
            }
            Sight::Ended { intent, device, came } => {
                match self.attempts.get_mut(intent) {
                    Some(outcome) => *outcome = Some(came.clone()),
                    None => drop(self.elsewhere.insert(*intent, came.clone())),
                }
                self.devices.insert(device.clone(), Seen::Ended(came.clone()));
            }
            Sight::Refused { device, code } => {
                *self.refused.entry(code.clone()).or_default() += 1;
                if device.is_empty() {
                    self.unnamed += 1;
                } else {
                    self.devices.entry(device.clone()).or_insert(Seen::Refused);
                }
            }
        }
    }

    pub(super) fn count(self) -> Count {
        let mut count = Count {
            begun: self.attempts.len() as u64,
            retried: self.retried,
            refused: self.refused,
            devices: Devices { unnamed: self.unnamed, ..Devices::default() },
            ..Count::default()
        };
        for outcome in self.attempts.into_values() {
            match outcome {
                None => count.open += 1,
                Some(Came::Passed) => count.passed += 1,
                Some(Came::Failed { code, .. }) => *count.failed.entry(code).or_default() += 1,
            }
        }
        for outcome in self.elsewhere.into_values() {
            match outcome {
                Came::Passed => count.settled.passed += 1,
                Came::Failed { .. } => count.settled.failed += 1,
            }
        }
        let devices = &mut count.devices;
        for seen in self.devices.into_values() {
            match seen {
                Seen::Ended(Came::Passed) => devices.passed += 1,
                Seen::Ended(Came::Failed { unknown, .. }) => {
                    devices.failed += 1;
                    devices.do_not_ship += u64::from(unknown);
                }
                Seen::Open => {
                    devices.open += 1;
                    devices.do_not_ship += 1;
                }
                Seen::Refused => devices.refused += 1,
            }
        }
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begun(seq: Seq, device: &str) -> Sight {
        Sight::Begun { seq, device: device.to_owned() }
    }

    fn ended(intent: Seq, device: &str, failure: Option<(&str, bool)>) -> Sight {
        let came =
            failure.map_or(Came::Passed, |(code, unknown)| Came::Failed { code: code.to_owned(), unknown });
        Sight::Ended { intent, device: device.to_owned(), came }
    }

    fn refused(device: &str) -> Sight {
        Sight::Refused { device: device.to_owned(), code: "already-keyed".to_owned() }
    }

    fn of(sights: &[Sight]) -> Count {
        let mut fold = Fold::default();
        sights.iter().for_each(|sight| fold.take(sight));
        fold.count()
    }

    #[test]
    fn a_device_that_passes_at_its_second_attempt_is_two_attempts_and_one_device() {
        let count = of(&[
            begun(1, "a"),
            ended(1, "a", Some(("silent", true))),
            begun(3, "a"),
            ended(3, "a", None),
            refused("a"),
        ]);
        assert_eq!((count.begun, count.passed, count.all_failed(), count.retried), (2, 1, 1, 1));
        assert_eq!(count.devices, Devices { passed: 1, ..Devices::default() });
    }

    #[test]
    fn what_another_shift_left_open_is_settled_and_not_begun() {
        let count = of(&[ended(1, "a", None), begun(5, "b")]);
        assert_eq!((count.begun, count.open, count.passed), (1, 1, 0));
        assert_eq!(count.settled, Settled { passed: 1, failed: 0 });
        assert_eq!(count.devices, Devices { passed: 1, open: 1, do_not_ship: 1, ..Devices::default() });
    }

    #[test]
    fn an_outcome_that_is_settled_counts_once_as_what_it_was_last() {
        let count = of(&[begun(1, "a"), ended(1, "a", Some(("unplugged", true))), ended(1, "a", None)]);
        assert_eq!((count.begun, count.passed, count.all_failed(), count.open), (1, 1, 0, 0));
        assert_eq!(count.devices.do_not_ship, 0);
    }

    #[test]
    fn a_device_that_names_itself_nothing_is_not_counted_as_a_device() {
        let count = of(&[refused(""), refused(""), refused("b")]);
        assert_eq!((count.all_refused(), count.devices.unnamed, count.devices.all()), (3, 2, 1));
    }
}
