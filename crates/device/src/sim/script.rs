//! The fault script: what a simulated device does wrong.

use std::str::FromStr;
use std::time::Duration;

/// The text format, as `keystation-sim --help` and [`super`] show it.
pub const GRAMMAR: &str = include_str!("script.txt");

/// How a device deceives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lie {
    /// Acknowledges what it does not store.
    OkStoresNothing,
    /// Stores in memory only.
    RamOnly,
    /// Answers with a proof that was recorded once.
    ReplayProof,
    /// Answers with the nonce.
    EchoNonce,
    /// Signs whatever it is given.
    UnprefixedProof,
    /// Stores zeros.
    ZeroKey,
    /// Becomes another device.
    OtherIdentityAfterWrite,
    /// Does not restart.
    NoRestart,
    /// Hides what it holds.
    ClaimsEmpty,
    /// Stores nothing and proves before it is asked.
    AnswersEarly,
}

impl Lie {
    /// Every one, with its name.
    pub const ALL: [(&str, Self); 10] = [
        ("ok-stores-nothing", Self::OkStoresNothing),
        ("ram-only", Self::RamOnly),
        ("replay-proof", Self::ReplayProof),
        ("echo-nonce", Self::EchoNonce),
        ("unprefixed-proof", Self::UnprefixedProof),
        ("zero-key", Self::ZeroKey),
        ("other-identity-after-write", Self::OtherIdentityAfterWrite),
        ("no-restart", Self::NoRestart),
        ("claims-empty", Self::ClaimsEmpty),
        ("answers-early", Self::AnswersEarly),
    ];
}

/// Which way a byte goes, seen from the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Received,
    Sent,
}

/// What happens to one byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Blow {
    Drop,
    Duplicate,
    Flip,
    Reset,
    Unplug,
}

/// One byte, counted since the device was plugged in, and what happens to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Strike {
    pub(super) direction: Direction,
    pub(super) byte: u64,
    pub(super) blow: Blow,
}

/// The faults of one device. The default is none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults {
    pub(super) lie: Option<Lie>,
    pub(super) storage_fail: bool,
    pub(super) strikes: Vec<Strike>,
    pub(super) reset_before_ack: bool,
    pub(super) delay: Duration,
    pub(super) boot: Duration,
    pub(super) split: Option<Duration>,
    pub(super) no_ready: bool,
    pub(super) banner: bool,
    pub(super) chatter: bool,
    pub(super) noise: usize,
    pub(super) flood: bool,
    pub(super) huge_frame: bool,
    pub(super) half_frame: Option<String>,
    pub(super) silent: Option<String>,
    pub(super) silent_after: Option<String>,
}

/// A script with something in it that is no fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a fault: see --help for the list")]
pub struct NotAFault(String);

/// A script for all devices.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Script {
    items: Vec<(Option<usize>, String)>,
}

impl Script {
    /// What the script says of device `number`.
    #[must_use]
    pub fn faults(&self, number: usize) -> Faults {
        let mut faults = Faults::default();
        for (_, item) in self.items.iter().filter(|(only, _)| only.is_none_or(|only| only == number)) {
            faults.add(item).expect("checked when the script was read");
        }
        faults
    }
}

impl FromStr for Script {
    type Err = NotAFault;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut items = Vec::new();
        for line in text.lines() {
            let line = line.split('#').next().unwrap_or_default();
            for item in line.split(';').map(str::trim).filter(|item| !item.is_empty()) {
                let (only, fault) = match item.split_once(':') {
                    Some((number, fault)) => {
                        (Some(number.trim().parse().map_err(|_| NotAFault(item.to_owned()))?), fault.trim())
                    }
                    None => (None, item),
                };
                Faults::default().add(fault)?;
                items.push((only, fault.to_owned()));
            }
        }
        Ok(Self { items })
    }
}

impl Faults {
    fn add(&mut self, item: &str) -> Result<(), NotAFault> {
        let wrong = || NotAFault(item.to_owned());
        let (name, value) = item.split_once('=').unwrap_or((item, ""));
        let number = || value.parse::<u64>().map_err(|_| wrong());
        let command = || match value {
            "info" | "stage" | "commit" | "prove" | "sas" | "set" | "lock" | "who" | "echo" | "reset" => {
                Ok(Some(value.to_owned()))
            }
            _ => Err(wrong()),
        };
        match name {
            "lie" => {
                let lie = Lie::ALL.iter().find(|(name, _)| *name == value).ok_or_else(wrong)?;
                self.lie = Some(lie.1);
            }
            "delay" => self.delay = Duration::from_millis(number()?),
            "boot" => self.boot = Duration::from_millis(number()?),
            "split" => self.split = Some(Duration::from_millis(number()?)),
            "noise" => self.noise = usize::try_from(number()?).map_err(|_| wrong())?,
            "half-frame" => self.half_frame = command()?,
            "silent" => self.silent = command()?,
            "silent-after" => self.silent_after = command()?,
            "reset" if value == "ack" => self.reset_before_ack = true,
            "drop" | "dup" | "flip" | "reset" | "unplug" => {
                let (direction, byte) = value.split_once('@').ok_or_else(wrong)?;
                let direction = match direction {
                    "rx" => Direction::Received,
                    "tx" => Direction::Sent,
                    _ => return Err(wrong()),
                };
                let blow = match name {
                    "drop" => Blow::Drop,
                    "dup" => Blow::Duplicate,
                    "flip" => Blow::Flip,
                    "reset" => Blow::Reset,
                    _ => Blow::Unplug,
                };
                let byte = byte.parse().map_err(|_| wrong())?;
                self.strikes.push(Strike { direction, byte, blow });
            }
            _ if !value.is_empty() || item.contains('=') => return Err(wrong()),
            "storage-fail" => self.storage_fail = true,
            "no-ready" => self.no_ready = true,
            "banner" => self.banner = true,
            "chatter" => self.chatter = true,
            "flood" => self.flood = true,
            "huge-frame" => self.huge_frame = true,
            _ => return Err(wrong()),
        }
        Ok(())
    }

    /// What happens to byte number `byte`; it will not happen again.
    pub(super) fn strike(&mut self, direction: Direction, byte: u64) -> Option<Blow> {
        let index = self.strikes.iter().position(|s| s.direction == direction && s.byte == byte)?;
        Some(self.strikes.swap_remove(index).blow)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn script_is_read_for_each_device() {
        let script: Script = "delay=5; 1: lie=ram-only # why\n 1:flip=tx@12;0: no-ready".parse().unwrap();
        assert_eq!(script.faults(2), Faults { delay: Duration::from_millis(5), ..Faults::default() });
        assert!(script.faults(0).no_ready);
        let mut one = script.faults(1);
        assert_eq!(one.lie, Some(Lie::RamOnly));
        assert_eq!(one.strike(Direction::Received, 12), None);
        assert_eq!(one.strike(Direction::Sent, 12), Some(Blow::Flip));
        assert_eq!(one.strike(Direction::Sent, 12), None);
    }

    #[test]
    fn what_is_no_fault_is_refused() {
        for text in [
            "lie",
            "lie=",
            "lie=white",
            "drop=12",
            "drop=xx@1",
            "drop=tx@",
            "delay=soon",
            "flood=1",
            "x:flood",
            "silent=nothing",
            "reset",
            "no-ready=",
            "storage fail",
        ] {
            assert!(text.parse::<Script>().is_err(), "{text}");
        }
    }

    #[test]
    fn every_lie_is_in_the_help() {
        for (name, _) in Lie::ALL {
            assert!(GRAMMAR.contains(&format!("lie={name} ")), "{name}");
        }
    }
}
