//! Where devices are plugged in, and what scans their labels.

use std::path::{Path, PathBuf};

use keystation_device::place::Place;
use serde::Deserialize;

use super::source::Source;
use super::{ConfigError, port_path};

/// One place where a device is plugged in.
#[derive(Debug, Clone)]
pub struct SlotConfig {
    /// From 1, in the order of the file.
    pub number: u32,
    /// The serial port, or the port of the USB tree.
    pub place: Place,
    /// The profile file.
    pub profile: PathBuf,
    /// What is plugged in there.
    pub purpose: Purpose,
}

/// What a slot is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// New devices: the line begins each by itself.
    #[default]
    Line,
    /// Devices that come back. The line never touches one: somebody looks at it first and says what becomes of it.
    Repair,
}

/// A serial code scanner for labels.
#[derive(Debug, Clone)]
pub struct ScannerConfig {
    /// The port it is on.
    pub place: Place,
    /// Its speed.
    pub baud: u32,
}

impl SlotConfig {
    /// Slots of one station: each has a thread, a port and a card on the screen.
    pub const LIMIT: usize = 64;
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SlotSection {
    port: Option<toml::Spanned<String>>,
    usb: Option<toml::Spanned<String>>,
    interface: Option<u8>,
    profile: toml::Spanned<String>,
    #[serde(default, rename = "use")]
    purpose: Purpose,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ScannerSection {
    port: Option<toml::Spanned<String>>,
    usb: Option<toml::Spanned<String>>,
    interface: Option<u8>,
    baud: toml::Spanned<u32>,
}

/// A speed that a serial line can have.
pub(super) fn baud(source: &Source<'_>, baud: &toml::Spanned<u32>) -> Result<u32, ConfigError> {
    let fits = match *baud.get_ref() {
        baud @ 1200..=4_000_000 => Ok(baud),
        _ => Err("1200 to 4000000 baud are possible"),
    };
    source.checked("baud", baud.span(), fits)
}

pub(super) fn slots(
    source: &Source<'_>,
    sections: Vec<toml::Spanned<SlotSection>>,
    profiles: &Path,
) -> Result<Vec<SlotConfig>, ConfigError> {
    let mut slots: Vec<SlotConfig> = Vec::new();
    for (number, section) in (1..).zip(sections) {
        let span = section.span();
        let room =
            if slots.len() < SlotConfig::LIMIT { Ok(()) } else { Err("a station has at most 64 slots") };
        source.checked("slot", span.clone(), room)?;
        let SlotSection { port, usb, interface, profile, purpose } = section.into_inner();
        let file = profiles.join(profile.get_ref());
        let found = if file.is_file() { Ok(()) } else { Err(format!("no file {}", file.display())) };
        source.checked("profile", profile.span(), found)?;
        let place = place(source, "slot", &span, [port, usb], interface)?;
        alone(source, "slot", span, &place, &slots)?;
        slots.push(SlotConfig { number, place, profile: file, purpose });
    }
    Ok(slots)
}

pub(super) fn scanner(
    source: &Source<'_>,
    section: toml::Spanned<ScannerSection>,
    slots: &[SlotConfig],
) -> Result<ScannerConfig, ConfigError> {
    let span = section.span();
    let ScannerSection { port, usb, interface, baud: speed } = section.into_inner();
    let place = place(source, "scanner", &span, [port, usb], interface)?;
    alone(source, "scanner", span, &place, slots)?;
    Ok(ScannerConfig { place, baud: baud(source, &speed)? })
}

/// The place that exactly one of `port` and `usb` names.
fn place(
    source: &Source<'_>,
    section: &str,
    span: &std::ops::Range<usize>,
    [port, usb]: [Option<toml::Spanned<String>>; 2],
    interface: Option<u8>,
) -> Result<Place, ConfigError> {
    let wrong = |why: &str| source.checked(section, span.clone(), Err::<Place, _>(why));
    match (port, usb) {
        (Some(_), None) if interface.is_some() => wrong("`interface` belongs to `usb`"),
        (Some(port), None) => source.checked("port", port.span(), port_path(port.get_ref())).map(Place::Path),
        (None, Some(usb)) => {
            let path = source.checked("usb", usb.span(), usb.get_ref().parse())?;
            Ok(Place::Usb { path, interface })
        }
        _ => wrong("either `port` or `usb` says where it is, and not both"),
    }
}

fn alone(
    source: &Source<'_>,
    section: &str,
    span: std::ops::Range<usize>,
    place: &Place,
    slots: &[SlotConfig],
) -> Result<(), ConfigError> {
    let twin = slots.iter().find(|other| other.place.overlaps(place));
    let alone = twin.map_or(Ok(()), |twin| Err(format!("slot {} has this port already", twin.number)));
    source.checked(section, span, alone)
}
