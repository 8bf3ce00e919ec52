//! Labels: what passed gets one, printed when its result is durable, and never with a key.
//!
//! The queue is the log: a device that passed (`mode` `new`) has a label to come until a `label.print` says that it was taken. One
//! thread for each printer works it off in the order of the records, so a printer that is off, slow or broken blocks no slot, no other
//! printer, and loses nothing.

mod file;
mod folder;
mod paper;
mod queue;
mod reprint;
mod status;
mod symbol;
mod tcp;
mod template;
mod work;
mod zpl;

use std::net::SocketAddr;
use std::path::PathBuf;

pub use paper::Paper;
pub use status::{PrinterStatus, Waiting, status};
pub use symbol::SymbolKind;
pub(super) use work::{begin, print};
pub use zpl::Zpl;

/// A printer of the settings.
#[derive(Debug, Clone)]
pub struct PrinterConfig {
    /// What records call it.
    pub name: String,
    /// Where it is.
    pub way: Way,
}

/// How a label gets there.
#[derive(Debug, Clone)]
pub enum Way {
    /// ZPL over TCP.
    Tcp {
        /// Where.
        address: SocketAddr,
        /// How the printer says that it has a label.
        answer: PrinterAnswer,
    },
    /// ZPL to a device file, or behind what is in any other file.
    File(PathBuf),
    /// A PDF file for each label.
    Folder(PathBuf),
}

/// How a printer says that it has a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrinterAnswer {
    /// It answers `~HS`, the question for its state. It is asked before a label, too, and gets none while it has no paper.
    Status,
    /// It closes the connection when it has read everything.
    Close,
}

/// The label of a product on a printer.
#[derive(Debug, Clone)]
pub struct LabelConfig {
    /// Title of the profile, as records have it.
    pub title: String,
    /// Name of the printer.
    pub printer: String,
    /// What it looks like.
    pub design: Design,
}

/// What a label looks like.
#[derive(Debug, Clone)]
pub enum Design {
    /// On a printer.
    Zpl(Zpl),
    /// In a file.
    Paper(Paper),
}

impl Design {
    pub(crate) fn draw(&self, subject: &Subject) -> Result<Vec<u8>, DrawError> {
        match self {
            Self::Zpl(zpl) => zpl.draw(subject),
            Self::Paper(paper) => paper.draw(subject),
        }
    }
}

/// The device that a label is for, as its records have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Subject {
    pub(crate) registration_id: String,
    pub(crate) serial: String,
    /// With colons, or empty.
    pub(crate) mac: String,
    pub(crate) firmware: String,
    /// When it passed, UTC: `2026-11-26`.
    pub(crate) date: String,
    pub(crate) order: String,
    /// Whether one of the same device may be there already.
    pub(crate) copy: bool,
    /// When it passed, milliseconds since 1970.
    pub(crate) moment: i64,
    /// Title of its profile.
    pub(crate) title: String,
}

/// A label that cannot be drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DrawError {
    /// The registration ID does not fit the code.
    Symbol,
    /// The library refuses the page.
    Page,
}

impl DrawError {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Symbol => "symbol",
            Self::Page => "page",
        }
    }
}

/// Why a printer has not taken a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// Nobody is there.
    Away,
    /// It says that it has no paper or ribbon, is open, or paused.
    NotReady,
    /// It went away in the middle.
    Cut,
    /// It takes or says nothing for too long.
    Silent,
    /// It answers something else than a printer does.
    Garbled,
    /// The disk does not take it.
    Disk,
    /// The program ends.
    Ending,
}

impl Trouble {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Away => "away",
            Self::NotReady => "not-ready",
            Self::Cut => "cut",
            Self::Silent => "silent",
            Self::Garbled => "garbled",
            Self::Disk => "disk",
            Self::Ending => "ending",
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::Subject;

    pub(super) fn subject() -> Subject {
        Subject {
            registration_id: "sn-263-mac-a4-cf-12-00-01-07".to_owned(),
            serial: "SN00000263".to_owned(),
            mac: "a4:cf:12:00:01:07".to_owned(),
            firmware: "2.4.1".to_owned(),
            date: "2026-11-26".to_owned(),
            order: "WO-44192".to_owned(),
            copy: false,
            moment: 1_795_651_200_000,
            title: "thermostat/1".to_owned(),
        }
    }
}
