//! Whether a slot does its work: what it counts, and when it is taken out.
//!
//! A worn contact, a bad cable or a dying adapter makes good devices fail, and each of them costs a repair. So a slot is taken
//! out when what fails is the slot, not the devices: after [`FAILURES`] failures in a row that a device cannot be blamed for,
//! on different devices, or after [`CYCLES`] contacts within [`MINUTE`] that were lost before there was a result. The
//! others go on. Put back, it begins anew.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use keystation_core::failure::{Code, Failure};
use keystation_core::identity::Identity;
use keystation_core::record::Event;

/// Failures in a row, on different devices, after which a slot is out.
pub const FAILURES: u32 = 5;
/// Contacts lost within [`MINUTE`] after which it is out.
pub const CYCLES: usize = 6;
/// The time in which they count.
pub const MINUTE: Duration = Duration::from_secs(60);

/// What a failure says of the device and of the slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Nature {
    /// Whether the same device may do better a moment later: then it is tried once more, free and at once.
    pub transient: bool,
    /// Whether it says more of cable, contact and port than of the device.
    pub of_the_slot: bool,
}

/// The table of `docs/line.md`, section 3.
#[must_use]
pub const fn nature(code: Code) -> Nature {
    let (transient, of_the_slot) = match code {
        // A contact that bounced, a byte that was lost: the protocol is made to be repeated.
        Code::Unplugged | Code::Silent | Code::Garbled => (true, true),
        // What came back was not the proof; the set was written, and asking again changes nothing in the device.
        Code::NotProven => (true, false),
        // Somebody else has the port, or it is not ours to open: a moment later it is the same.
        Code::PortUnavailable => (false, true),
        // The device lost what it had acknowledged, did not do what it had acknowledged, or cannot store: its flash wears with
        // each try, and one that does it by chance must not be shipped by chance.
        Code::NotKept | Code::NotWritten | Code::NotRestarted | Code::StorageFailed => (false, false),
        // An answer of the device that will be the same again.
        Code::Unsupported | Code::Refused | Code::Locked | Code::NoIdentity => (false, false),
        // Another device than was meant: somebody has to look, before anything is tried again.
        Code::Swapped
        | Code::Moved
        | Code::Twin
        | Code::WrongLabel
        | Code::NoLabel
        | Code::OtherBoard
        | Code::Scrapped
        | Code::Revoked
        | Code::Replaced
        | Code::Collision => (false, false),
        // Policy.
        Code::AlreadyKeyed
        | Code::ForeignKey
        | Code::AlreadyRecorded
        | Code::OtherKey
        | Code::NotPermitted
        | Code::KeyInactive
        | Code::Unsecured
        | Code::Unlisted
        | Code::WrongMaker
        | Code::WrongSerial
        | Code::NoOrder
        | Code::OrderFull
        | Code::SameKey
        | Code::NeverKeyed
        | Code::NotOfBatch
        | Code::AlreadyRekeyed
        | Code::BatchFull
        | Code::BatchClosed
        | Code::BatchTerms
        | Code::UnknownKey => (false, false),
        // The station: it stays so until somebody has been there.
        Code::VaultLocked | Code::VaultFailed | Code::SpaceLow | Code::ClockDoubted | Code::LogFailed => {
            (false, false)
        }
    };
    Nature { transient, of_the_slot }
}

/// Why a slot was taken out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutReason {
    /// So many failures in a row that no device can be blamed for.
    Failures {
        /// How many.
        count: u32,
        /// The last of them.
        last: Code,
    },
    /// So many contacts within a minute were lost before there was a result.
    Flapping {
        /// How many.
        count: u32,
    },
}

impl OutReason {
    /// The name in JSON and on the screen.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Failures { .. } => "failures",
            Self::Flapping { .. } => "flapping",
        }
    }

    /// Its record in the log, for the slot of this number.
    pub(super) const fn record(self, number: u32) -> Event {
        let (count, code) = match self {
            Self::Failures { count, last } => (count, Some(last)),
            Self::Flapping { count } => (count, None),
        };
        Event::SlotOut { number, why: self.as_str(), count, code }
    }

    /// What to do now.
    #[must_use]
    pub const fn remedy(self) -> &'static [&'static str] {
        &[
            "Go on with the other slots.",
            "Check cable, contact and adapter.",
            "A supervisor puts the slot back.",
        ]
    }
}

impl fmt::Display for OutReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failures { count, last } => {
                write!(
                    f,
                    "The slot was taken out: {count} devices in a row failed in it, the last one as \"{last}\"."
                )
            }
            Self::Flapping { count } => {
                write!(f, "The slot was taken out: its contact was lost {count} times within a minute.")
            }
        }
    }
}

/// What a slot counts. Everything is since the line was started; a slot that is put back goes on counting.
#[derive(Debug, Clone, Default)]
pub struct Health {
    /// Devices that came to a result.
    pub devices: u64,
    /// Those that passed.
    pub passed: u64,
    /// Those that failed.
    pub failed: u64,
    /// Free retries.
    pub retries: u64,
    /// Contacts that were lost before there was a result.
    pub lost_contacts: u64,
    /// Failures of the slot in a row.
    streak: u32,
    /// Who failed last: the same device plugged in again says nothing new of the slot.
    last: Option<Identity>,
    /// When contacts were lost, since the start of the line.
    lost: VecDeque<Duration>,
}

impl Health {
    /// Passed devices of all, in percent; `None` before the first one.
    #[must_use]
    pub fn yield_percent(&self) -> Option<f64> {
        #[allow(clippy::cast_precision_loss, reason = "nobody makes 2^52 devices")]
        (self.devices > 0).then(|| 100.0 * self.passed as f64 / self.devices as f64)
    }

    pub(super) fn passed(&mut self) {
        self.devices += 1;
        self.passed += 1;
        self.streak = 0;
        self.last = None;
    }

    pub(super) fn retried(&mut self) {
        self.retries += 1;
    }

    /// A device that got FAIL. Says whether the slot is to go out.
    pub(super) fn failed(&mut self, failure: &Failure) -> Option<OutReason> {
        self.devices += 1;
        self.failed += 1;
        if !nature(failure.code).of_the_slot {
            // It answered: cable and contact did their work.
            self.streak = 0;
            self.last = None;
            return None;
        }
        let same = failure.identity.is_some() && failure.identity == self.last;
        if !same {
            self.streak += 1;
        }
        self.last.clone_from(&failure.identity);
        (self.streak >= FAILURES).then_some(OutReason::Failures { count: self.streak, last: failure.code })
    }

    /// A contact was lost before there was a result, `now` since the start of the line.
    pub(super) fn lost_contact(&mut self, now: Duration) -> Option<OutReason> {
        self.lost_contacts += 1;
        self.lost.push_back(now);
        while self.lost.front().is_some_and(|lost| *lost + MINUTE <= now) {
            self.lost.pop_front();
        }
        let count = u32::try_from(self.lost.len()).unwrap_or(u32::MAX);
        (self.lost.len() >= CYCLES).then_some(OutReason::Flapping { count })
    }

    /// Somebody saw to the slot.
    pub(super) fn put_back(&mut self) {
        self.streak = 0;
        self.last = None;
        self.lost.clear();
    }
}

#[cfg(test)]
mod tests {
    use keystation_core::failure::Safety;

    use super::*;

    fn failure(code: Code, serial: Option<&str>) -> Failure {
        let identity = serial.map(|serial| Identity { mac: None, serial: serial.parse().ok() });
        Failure { identity, ..Failure::new(code, Safety::Untouched) }
    }

    #[test]
    fn failures_of_the_slot_in_a_row_take_it_out_and_anything_else_ends_the_row() {
        let mut health = Health::default();
        for _ in 0..FAILURES - 1 {
            assert_eq!(health.failed(&failure(Code::Silent, None)), None);
        }
        health.passed();
        for _ in 0..FAILURES - 1 {
            assert_eq!(health.failed(&failure(Code::PortUnavailable, None)), None);
        }
        assert_eq!(health.failed(&failure(Code::AlreadyKeyed, Some("SN-1"))), None);
        for _ in 0..FAILURES - 1 {
            assert_eq!(health.failed(&failure(Code::Silent, None)), None);
        }
        let out = health.failed(&failure(Code::Garbled, None)).unwrap();
        assert_eq!(out, OutReason::Failures { count: FAILURES, last: Code::Garbled });
        health.put_back();
        assert_eq!(health.failed(&failure(Code::Silent, None)), None);
        assert_eq!((health.devices, health.passed), (u64::from(3 * FAILURES) + 1, 1));
    }

    #[test]
    fn one_bad_device_that_is_tried_again_and_again_does_not_take_the_slot_out() {
        let mut health = Health::default();
        for _ in 0..20 {
            assert_eq!(health.failed(&failure(Code::Silent, Some("SN-7"))), None);
        }
        for number in 0..FAILURES - 2 {
            assert_eq!(health.failed(&failure(Code::Silent, Some(&format!("SN-1{number}")))), None);
        }
        assert!(health.failed(&failure(Code::Silent, Some("SN-99"))).is_some());
    }

    #[test]
    fn a_contact_that_is_lost_again_and_again_takes_the_slot_out_within_a_minute_only() {
        let mut health = Health::default();
        let second = Duration::from_secs(1);
        for time in 0..20 {
            assert_eq!(health.lost_contact(time * 13 * second), None, "five a minute");
        }
        let mut health = Health::default();
        let outs: Vec<_> = (0..6).map(|time| health.lost_contact(time * second)).collect();
        assert_eq!(outs[..5], [None; 5]);
        assert_eq!(outs[5], Some(OutReason::Flapping { count: 6 }));
        health.put_back();
        assert_eq!(health.lost_contact(7 * second), None);
        assert_eq!(health.lost_contacts, 7);
    }

    /// What a person has to see is never tried again behind their back.
    #[test]
    fn only_what_cannot_harm_is_tried_again() {
        let transient: Vec<_> = Code::ALL.iter().copied().filter(|code| nature(*code).transient).collect();
        assert_eq!(transient, [Code::Unplugged, Code::Silent, Code::Garbled, Code::NotProven]);
        for code in Code::ALL.iter().filter(|code| matches!(code.rc(), "refused" | "swapped")) {
            assert_eq!(nature(*code), Nature { transient: false, of_the_slot: false }, "{code}");
        }
    }
}
