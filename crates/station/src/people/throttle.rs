//! How fast PINs may be guessed. Pure: the log says how many were wrong and when, so no file that is put back helps.

use keystation_audit::Stamp;

/// When something happened, by the count since the machine was started (sleep included). The wall clock has no say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Moment {
    /// Which start of the machine.
    pub(super) boot: String,
    /// Milliseconds since it.
    pub(super) mono_ms: u64,
}

impl Moment {
    /// The moment of a stamp.
    pub(super) fn of(stamp: &Stamp) -> Self {
        Self { boot: stamp.boot.as_str().to_owned(), mono_ms: stamp.mono_ms }
    }
}

/// Whether a PIN may be tried now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Throttle {
    /// It may.
    Free,
    /// Not yet.
    Wait {
        /// Seconds that are left, at least 1.
        seconds: u64,
    },
    /// Not before two administrators reset it.
    LockedOut,
}

/// The wrong PIN that locks an account out.
pub(super) const LOCKED_OUT_AT: u32 = 10;

/// Seconds to wait after so many wrong PINs in a row.
#[must_use]
pub(super) const fn delay(tries: u32) -> u64 {
    match tries {
        0..=2 => 0,
        3 => 30,
        _ => 60,
    }
}

/// What `tries` wrong PINs in a row, of which `last` was the latest, mean now.
///
/// Within one start of the machine the time since then counts. After another start it is not known how long the machine
/// was off, so the wait begins anew with it.
#[must_use]
pub(super) fn throttle(tries: u32, last: Option<&Moment>, now: &Moment) -> Throttle {
    if tries >= LOCKED_OUT_AT {
        return Throttle::LockedOut;
    }
    let waited = match last {
        Some(last) if last.boot == now.boot => now.mono_ms.saturating_sub(last.mono_ms),
        // Without a time it is as if it had been in another start.
        _ => now.mono_ms,
    };
    let left = (delay(tries) * 1000).saturating_sub(waited);
    if left == 0 { Throttle::Free } else { Throttle::Wait { seconds: left.div_ceil(1000) } }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(boot: &str, mono_ms: u64) -> Moment {
        Moment { boot: boot.to_owned(), mono_ms }
    }

    #[test]
    fn the_waits_are_those_of_the_documents() {
        let waits: Vec<u64> = (0..10).map(delay).collect();
        assert_eq!(waits, [0, 0, 0, 30, 60, 60, 60, 60, 60, 60]);
    }

    #[test]
    fn time_counts_within_one_start_and_in_full_after_another() {
        let last = at("a", 1_000_000);
        for (tries, now, expected) in [
            (2, at("a", 1_000_000), Throttle::Free),
            (3, at("a", 1_000_000), Throttle::Wait { seconds: 30 }),
            (3, at("a", 1_029_001), Throttle::Wait { seconds: 1 }),
            (3, at("a", 1_029_999), Throttle::Wait { seconds: 1 }),
            (3, at("a", 1_030_000), Throttle::Free),
            (4, at("a", 1_030_000), Throttle::Wait { seconds: 30 }),
            (9, at("a", 1_060_000), Throttle::Free),
            // The count was less than at the wrong PIN: no such time has passed.
            (3, at("a", 5), Throttle::Wait { seconds: 30 }),
            // A machine that was started again has waited since then, however long it was off.
            (3, at("b", 0), Throttle::Wait { seconds: 30 }),
            (3, at("b", 29_000), Throttle::Wait { seconds: 1 }),
            (3, at("b", 30_000), Throttle::Free),
            (10, at("a", u64::MAX), Throttle::LockedOut),
            (11, at("b", u64::MAX), Throttle::LockedOut),
        ] {
            assert_eq!(throttle(tries, Some(&last), &now), expected, "{tries} {now:?}");
        }
        assert_eq!(throttle(3, None, &at("a", 1000)), Throttle::Wait { seconds: 29 });
    }

    /// Whoever tries as soon as it is allowed has ten, and needs more than seven minutes for them.
    #[test]
    fn an_eager_guesser_gets_ten() {
        let (mut tries, mut last, mut guesses) = (0, None, 0);
        for second in 0..86_400 {
            let now = at("a", 1000 * second);
            if throttle(tries, last.as_ref(), &now) == Throttle::Free {
                guesses += 1;
                tries += 1;
                assert!(tries < 10 || second >= 30 + 6 * 60, "{second}");
                last = Some(now);
            }
        }
        assert_eq!(guesses, 10);
    }
}
