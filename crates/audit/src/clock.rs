//! What the time is, and since which start of the machine.

use std::fmt;
use std::io;
use std::str::FromStr;

use crate::record::{self, RecordError};

/// Gives the time of a record. The writing thread asks it once for each record, in the order of the records.
pub trait Clock: Send + 'static {
    /// The time now.
    fn now(&self) -> Stamp;
}

/// The time of a record, told twice: the wall clock can be set by anybody, the count since boot cannot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// UTC, milliseconds since 1970-01-01T00:00:00Z. Leap seconds are not counted (POSIX).
    pub utc_ms: i64,
    /// Milliseconds since the machine was started, sleep included.
    pub mono_ms: u64,
    /// Which start of the machine that was.
    pub boot: BootId,
}

impl Stamp {
    /// The wall clock as records have it, `2026-11-22T02:14:03.123Z`; fails beyond the years 0 to 9999.
    pub fn time(&self) -> Result<String, RecordError> {
        record::time(self.utc_ms)
    }
}

/// The UUID that the kernel makes at each start, RFC 9562 text in lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BootId([u8; 36]);

impl BootId {
    /// 36 characters, for example `9f0c2b1e-5d1f-4a52-9c0e-2f6f1f0f7a11`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("only ASCII gets in")
    }
}

impl fmt::Display for BootId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text is no boot ID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a UUID in lower case")]
pub struct NotABootId;

impl FromStr for BootId {
    type Err = NotABootId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bytes: [u8; 36] = text.as_bytes().try_into().map_err(|_| NotABootId)?;
        let fits = bytes.iter().enumerate().all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
        });
        if fits { Ok(Self(bytes)) } else { Err(NotABootId) }
    }
}

/// The clock of this machine.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock {
    boot: BootId,
}

impl SystemClock {
    /// Asks the kernel which start of the machine this is (`/proc/sys/kernel/random/boot_id`, Linux).
    pub fn new() -> io::Result<Self> {
        let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id")?;
        let boot = text.trim_end().parse().map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e))?;
        Ok(Self { boot })
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Stamp {
        // Boottime, not Monotonic: it goes on while the machine sleeps.
        let since_boot = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        let seconds = u64::try_from(since_boot.tv_sec).expect("time since boot is not negative");
        let nanos = u64::try_from(since_boot.tv_nsec).expect("nanoseconds are not negative");
        Stamp {
            utc_ms: jiff::Timestamp::now().as_millisecond(),
            mono_ms: seconds * 1000 + nanos / 1_000_000,
            boot: self.boot,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boot_id_is_a_uuid_in_lower_case() {
        let text = "9f0c2b1e-5d1f-4a52-9c0e-2f6f1f0f7a11";
        assert_eq!(text.parse::<BootId>().unwrap().as_str(), text);
        for text in
            ["", "9F0C2B1E-5d1f-4a52-9c0e-2f6f1f0f7a11", "9f0c2b1e05d1f-4a52-9c0e-2f6f1f0f7a11", &text[1..]]
        {
            assert!(text.parse::<BootId>().is_err(), "{text}");
        }
    }

    #[test]
    fn system_clock_knows_this_boot_and_goes_forward() {
        let clock = SystemClock::new().unwrap();
        let (first, second) = (clock.now(), clock.now());
        assert_eq!(first.boot, second.boot);
        assert!(first.mono_ms <= second.mono_ms);
        assert!(first.utc_ms > 1_700_000_000_000);
    }
}
