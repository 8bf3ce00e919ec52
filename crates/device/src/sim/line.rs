//! How long bytes are on a line.

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

/// Start bit, eight data bits, stop bit.
const BITS: u32 = 10;

/// One direction of a line with a speed.
#[derive(Debug)]
pub(super) struct Pace {
    byte: Duration,
    free: Option<Instant>,
}

impl Pace {
    /// A line of `baud`; without one, as fast as the computer.
    pub(super) fn new(baud: Option<NonZeroU32>) -> Self {
        Self {
            byte: baud.map_or(Duration::ZERO, |baud| Duration::from_secs(1) * BITS / baud.get()),
            free: None,
        }
    }

    /// When the last of `bytes` has passed, if the first one may go at `now`: after those before it, and each in its
    /// time. The line is taken until then.
    pub(super) fn pass(&mut self, now: Instant, bytes: usize) -> Instant {
        let start = self.free.map_or(now, |free| free.max(now));
        let bytes = u32::try_from(bytes).expect("a chunk is short");
        let free = start + self.byte * bytes;
        self.free = Some(free);
        free
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn worked_example_takes_sixty_milliseconds_at_115200_baud() {
        let mut pace = Pace::new(NonZeroU32::new(115_200));
        let start = Instant::now();
        let mut end = start;
        for chunk in [32; 21].into_iter().chain([19]) {
            end = pace.pass(start, chunk);
        }
        let taken = end - start;
        assert!(taken.abs_diff(Duration::from_nanos(59_982_639)) < Duration::from_micros(1), "{taken:?}");
    }

    #[test]
    fn a_pause_is_not_made_up_for() {
        let mut pace = Pace::new(NonZeroU32::new(10_000));
        let start = Instant::now();
        assert_eq!(pace.pass(start, 3), start + Duration::from_millis(3));
        let later = start + Duration::from_millis(50);
        assert_eq!(pace.pass(later, 1), later + Duration::from_millis(1));
        assert_eq!(Pace::new(None).pass(start, 1000), start);
    }
}
