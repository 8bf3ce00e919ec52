//! Why a device is left as it is.

use keystation_audit::DeviceRefusal;
use keystation_core::recipe::NoRegistrationId;
use keystation_core::record::DeviceReason;

use crate::error::Exit;

/// A device that is not taken out, not replaced, or not put back. It is what it was.
#[derive(Debug, thiserror::Error)]
pub enum LifeError {
    /// No reason, or none that there is for this.
    #[error("it takes a reason: {}", words(.0))]
    Reason(&'static [DeviceReason]),
    /// A text that fits no record.
    #[error("a note, and where a destruction is written down, is one line of at most 200 characters")]
    Text,
    /// No device is known by this.
    #[error("the log knows no such device: {0}")]
    NoDevice(String),
    /// More than one board is called so.
    #[error("{name} is not one board: there are {}", listed(.boards))]
    Several {
        /// What was typed.
        name: String,
        /// Each with registration ID, MAC address and serial number.
        boards: Vec<String>,
    },
    /// The recipe makes no registration ID of the new board.
    #[error("the new board has no registration ID by this profile")]
    NoId(#[source] NoRegistrationId),
    /// The log does not take it.
    #[error(transparent)]
    Refused(DeviceRefusal),
}

fn words(reasons: &[DeviceReason]) -> String {
    let words: Vec<_> = reasons.iter().map(|reason| reason.as_str()).collect();
    format!("{} (with a note)", words.join(", "))
}

fn listed(boards: &[String]) -> String {
    const TOLD: usize = 8;
    let more =
        if boards.len() > TOLD { format!(", and {} more", boards.len() - TOLD) } else { String::new() };
    format!("{}{more}", boards[..boards.len().min(TOLD)].join("; "))
}

impl LifeError {
    /// A stable name, for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Reason(_) => "device-reason",
            Self::Text => "device-note",
            Self::NoDevice(_) | Self::Refused(DeviceRefusal::Unknown(_)) => "device-unknown",
            Self::Several { .. } => "device-ambiguous",
            Self::NoId(_) => "successor-id",
            Self::Refused(refusal) => match refusal {
                DeviceRefusal::Unknown(_) => "device-unknown",
                DeviceRefusal::Overtaken(_) => "device-overtaken",
                DeviceRefusal::Out { .. }
                | DeviceRefusal::Exchanged { .. }
                | DeviceRefusal::OtherBoard { .. } => "device-out",
                DeviceRefusal::Taken { .. } | DeviceRefusal::OtherSerial | DeviceRefusal::SameBoard => {
                    "successor"
                }
                DeviceRefusal::NotDestroyed(_) => "board-proof",
                DeviceRefusal::NoScrap(_) => "no-scrap",
                DeviceRefusal::CleanedUp { .. } => "cleaned-up",
                DeviceRefusal::NoList | DeviceRefusal::ListDone(_) => "cleanup-list",
            },
        }
    }

    /// How the headless binary ends.
    #[must_use]
    pub const fn exit(&self) -> Exit {
        match self {
            Self::Text
            | Self::NoDevice(_)
            | Self::Several { .. }
            | Self::NoId(_)
            | Self::Refused(DeviceRefusal::Unknown(_) | DeviceRefusal::NoScrap(_) | DeviceRefusal::NoList) => {
                Exit::Usage
            }
            Self::Reason(_) | Self::Refused(_) => Exit::Refused,
        }
    }

    /// What to do now: one to three steps.
    #[must_use]
    pub const fn remedy(&self) -> &'static [&'static str] {
        match self {
            Self::Reason(_) => &["Say why, by one of these words.", "Other: say it in a note."],
            Self::Text => &["Say it in fewer words, on one line."],
            Self::NoDevice(_) | Self::Refused(DeviceRefusal::Unknown(_)) => {
                &["Give its registration ID, MAC address or serial number as the records have it."]
            }
            Self::Several { .. } => &[
                "Give its registration ID and its MAC address, one behind the other.",
                "Look at what stands on the board.",
            ],
            Self::NoId(_) => &["Check the MAC address on the new board.", "Check the product profile."],
            Self::Refused(refusal) => match refusal {
                DeviceRefusal::Overtaken(_) => &["Take the device out of the slot.", "Try again."],
                DeviceRefusal::Out { .. }
                | DeviceRefusal::Exchanged { .. }
                | DeviceRefusal::OtherBoard { .. } => &["Look at its records: nothing may be left to do."],
                DeviceRefusal::Taken { .. } | DeviceRefusal::OtherSerial | DeviceRefusal::SameBoard => {
                    &["Check MAC address and serial number of the new board.", "Look at the records of both."]
                }
                DeviceRefusal::NotDestroyed(_) => &[
                    "Destroy the old board, and have that written down.",
                    "Say where: the second person confirms that they saw it.",
                    "Not possible: make it another device, with another serial number.",
                ],
                DeviceRefusal::CleanedUp { .. } => &[
                    "It stays out.",
                    "The board is good: give it another serial number, and so another identity.",
                ],
                DeviceRefusal::NoScrap(_) => &["Look at its records: was it put down as scrap?"],
                DeviceRefusal::NoList | DeviceRefusal::ListDone(_) => {
                    &["Take the file as it was made, and the newest one that was not done."]
                }
                DeviceRefusal::Unknown(_) => &["Look at the records of the device."],
            },
        }
    }
}
