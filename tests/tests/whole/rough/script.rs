//! Which device is plugged in next, what is wrong with it, and how it may end.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use keystation_device::sim::Persona;

/// One device: who it is, and the memory that it keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Device {
    pub(super) persona: Persona,
    pub(super) state: PathBuf,
}

impl Device {
    /// The registration ID by the recipe of the profile, put together here.
    pub(super) fn id(&self) -> String {
        let mac = self.persona.mac.unwrap().map(|byte| format!("{byte:02x}")).join("-");
        format!("sn-{}-mac-{mac}", self.serial().to_lowercase())
    }

    pub(super) fn serial(&self) -> &str {
        self.persona.serial.as_deref().unwrap()
    }
}

/// What somebody does with a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Good,
    /// Slow, or with noise and log lines on its port.
    Slow,
    /// One byte on its line is lost, comes twice or is another.
    Garbled,
    /// It stops answering in the middle.
    Mute,
    /// Its contact is lost somewhere, and is back at once.
    Bounced,
    /// It is pulled somewhere, and plugged in again when the FAIL is seen.
    Pulled,
    /// One that has its key already.
    Again,
    /// An empty one that says it is one that has its key already.
    Clone,
    /// Two that say they are the same, one after the other or at once on two ports.
    Twin,
    /// The serial number of one that has its key, with another address.
    OtherBoard,
    /// Another one answers after the write.
    Swapped,
    /// Its part was never programmed.
    Placeholder,
    /// It forgets its key, or never stored it.
    NotKept,
    /// It cannot prove its key.
    Liar,
    /// Its storage is broken.
    Broken,
    WrongLabel,
    NoLabel,
    /// One that failed by chance, seen again with nothing wrong.
    Mended,
}

impl Kind {
    /// How a device may end that was handled so.
    pub(super) const fn ends(self) -> &'static [&'static str] {
        match self {
            Self::Good | Self::Slow | Self::Mended => &["pass"],
            Self::Garbled => &["pass", "garbled", "silent"],
            // One that only did not say that it stored its set is found to hold it.
            Self::Mute => &["pass", "silent", "garbled"],
            Self::Bounced | Self::Pulled => &["pass", "unplugged"],
            Self::Again => &["already-keyed"],
            Self::Clone => &["already-recorded"],
            Self::Twin => &["pass", "twin", "already-recorded"],
            Self::OtherBoard => &["other-board"],
            Self::Swapped => &["swapped"],
            Self::Placeholder => &["no-identity"],
            Self::NotKept => &["not-kept"],
            Self::Liar => &["not-proven", "not-kept", "not-written"],
            Self::Broken => &["storage-failed"],
            Self::WrongLabel => &["wrong-label"],
            Self::NoLabel => &["no-label"],
        }
    }

    /// Whether it failed by chance, and is seen again.
    pub(super) const fn by_chance(self) -> bool {
        matches!(self, Self::Garbled | Self::Mute | Self::Bounced | Self::Pulled)
    }
}

/// One plugging-in.
#[derive(Debug, Clone)]
pub(super) struct Visit {
    pub(super) device: Device,
    pub(super) kind: Kind,
    /// A fault script.
    pub(super) faults: String,
    /// What is scanned before it.
    pub(super) label: Option<String>,
    /// The device that it pretends to be, which lies in no slot meanwhile.
    pub(super) of: Option<Device>,
}

impl Visit {
    /// With nothing wrong on its line, and no label.
    pub(super) const fn new(device: Device, kind: Kind) -> Self {
        Self { device, kind, faults: String::new(), label: None, of: None }
    }
}

/// The script: the same for the same seed and the same order of results.
pub(super) struct Script {
    states: PathBuf,
    /// Marsaglia's xorshift64.
    random: u64,
    made: u32,
    left: u32,
    /// What comes before anything new.
    waiting: VecDeque<Visit>,
    /// Devices that have their keys.
    keyed: Vec<Device>,
}

/// In a thousand; the rest is good.
const SHARES: [(u64, Kind); 16] = [
    (15, Kind::Slow),
    (40, Kind::Garbled),
    (3, Kind::Mute),
    (50, Kind::Bounced),
    (20, Kind::Pulled),
    (40, Kind::Again),
    (30, Kind::Clone),
    (20, Kind::Twin),
    (20, Kind::OtherBoard),
    (20, Kind::Swapped),
    (30, Kind::Placeholder),
    (20, Kind::NotKept),
    (20, Kind::Liar),
    (10, Kind::Broken),
    (20, Kind::WrongLabel),
    (10, Kind::NoLabel),
];

impl Script {
    pub(super) fn new(states: &Path, seed: u64, devices: u32) -> Self {
        Self {
            states: states.to_owned(),
            random: seed | 1,
            made: 0,
            left: devices,
            waiting: VecDeque::new(),
            keyed: Vec::new(),
        }
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % limit
    }

    fn one_of(&mut self, choices: &[&str]) -> String {
        let at = self.below(choices.len() as u64);
        choices[usize::try_from(at).unwrap()].to_owned()
    }

    /// A device as it comes from assembly. Numbers in between are for those who pretend.
    fn new_device(&mut self) -> Device {
        self.made += 1;
        let [_, a, b, c] = (4 * self.made).to_be_bytes();
        let persona = Persona {
            mac: Some([0x00, 0x1b, 0xc5, a, b, c]),
            serial: Some(format!("SN-{:07}", 4 * self.made)),
            firmware: "2.4.1".to_owned(),
        };
        Device { persona, state: self.memory() }
    }

    fn memory(&mut self) -> PathBuf {
        self.made += 1;
        self.states.join(format!("memory-{}.json", self.made))
    }

    /// A device that was keyed before, or none yet. It lies in no slot until it is [put back](Self::ended).
    fn keyed(&mut self) -> Option<Device> {
        let count = self.keyed.len() as u64;
        (count > 0).then(|| self.below(count)).map(|at| self.keyed.swap_remove(usize::try_from(at).unwrap()))
    }

    /// A byte on the way in one direction: some are beyond the last, and nothing happens. Before the first byte of an answer nobody
    /// knows that there is a device.
    fn byte(&mut self) -> String {
        if self.below(2) == 0 {
            format!("rx@{}", self.below(280))
        } else {
            format!("tx@{}", 1 + self.below(200))
        }
    }

    /// What is plugged in next; `None` when there is nothing left.
    pub(super) fn next(&mut self) -> Option<Visit> {
        if let Some(mut visit) = self.waiting.pop_front() {
            visit.label = Some(visit.device.serial().to_owned());
            return Some(visit);
        }
        self.left = self.left.checked_sub(1)?;
        let mut drawn = self.below(1000);
        let kind = SHARES.iter().find_map(|(share, kind)| {
            let found = drawn < *share;
            drawn = drawn.wrapping_sub(*share);
            found.then_some(*kind)
        });
        let mut kind = kind.unwrap_or(Kind::Good);
        let mut device = self.new_device();
        let (mut faults, mut of) = (String::new(), None);
        match kind {
            Kind::Slow => faults = self.one_of(&["delay=40;boot=300", "split=1", "noise=40;banner;chatter"]),
            Kind::Garbled => faults = self.one_of(&["flip=", "dup=", "drop="]) + self.byte().as_str(),
            Kind::Mute => {
                faults = self.one_of(&["silent=info", "silent=stage", "silent=commit", "silent=prove"])
            }
            Kind::Bounced | Kind::Pulled => faults = format!("unplug={}", self.byte()),
            Kind::Swapped => faults = "lie=other-identity-after-write".to_owned(),
            Kind::NotKept => faults = self.one_of(&["lie=ram-only", "lie=ok-stores-nothing"]),
            Kind::Liar => {
                let lies = [
                    "lie=echo-nonce",
                    "lie=replay-proof",
                    "lie=unprefixed-proof",
                    "lie=zero-key",
                    "lie=answers-early",
                ];
                faults = self.one_of(&lies);
            }
            Kind::Broken => faults = "storage-fail".to_owned(),
            Kind::Placeholder => match self.below(4) {
                0 => device.persona.mac = Some([0; 6]),
                1 => device.persona.mac = Some([0xff; 6]),
                2 => device.persona.serial = Some("0001".to_owned()),
                _ => device.persona.serial = Some("FFFFFFFFFFFF".to_owned()),
            },
            Kind::Again | Kind::Clone | Kind::OtherBoard => match self.keyed() {
                None => kind = Kind::Good,
                Some(keyed) if kind == Kind::Again => device = keyed,
                Some(keyed) => {
                    match kind {
                        Kind::Clone => device.persona = keyed.persona.clone(),
                        _ => device.persona.serial.clone_from(&keyed.persona.serial),
                    }
                    of = Some(keyed);
                }
            },
            Kind::Twin => {
                let twin = Device { state: self.memory(), ..device.clone() };
                self.left = self.left.saturating_sub(1);
                self.waiting.push_back(Visit::new(twin, kind));
            }
            _ => {}
        }
        let label = match kind {
            Kind::WrongLabel => Some(format!("{}X", device.serial())),
            Kind::NoLabel => None,
            _ => Some(device.serial().to_owned()),
        };
        Some(Visit { device, kind, faults, label, of })
    }

    /// How it ended.
    pub(super) fn ended(&mut self, visit: Visit, end: &str) {
        let Visit { device, kind, of, .. } = visit;
        assert!(kind.ends().contains(&end), "{kind:?} ended as {end}: {device:?}, {}", visit.faults);
        self.keyed.extend(of);
        // One of two that say they are the same is not seen again: the other may be in a slot then.
        if end == "pass" && kind != Kind::Twin || kind == Kind::Again {
            self.keyed.push(device);
        } else if kind.by_chance() {
            self.waiting.push_back(Visit::new(device, Kind::Mended));
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.left == 0 && self.waiting.is_empty()
    }
}
