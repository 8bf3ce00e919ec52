//! What can go wrong with a TPM: what happened, and what to do now.

use std::io;
use std::path::PathBuf;

use keystation_core::key::KeyLabel;

/// A TPM that does not do what it is asked. Nothing was changed, and there is no other custody to fall back to.
#[derive(Debug, thiserror::Error)]
pub enum TpmError {
    /// There is nothing at its path, or nothing that answers.
    #[error("there is no TPM at {}", place.display())]
    Absent {
        /// The path.
        place: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// It may not be used.
    #[error("the TPM at {} may not be used", place.display())]
    Denied {
        /// The path.
        place: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// Something else is at its path.
    #[error("{} is no TPM", place.display())]
    NotATpm {
        /// The path.
        place: PathBuf,
    },
    /// The connection ended, or the device went away, before the answer was there.
    #[error("the connection to the TPM broke off")]
    Lost(#[source] io::Error),
    /// No answer in time.
    #[error("the TPM gave no answer within {limit_ms} ms")]
    Silent {
        /// The limit that ran out, in milliseconds.
        limit_ms: u128,
    },
    /// The keys were locked while the TPM was at work; what it answers is not waited for.
    #[error("the keys were locked meanwhile")]
    Stopped,
    /// What came is no answer to the command. Its bytes are never repeated.
    #[error("what the TPM answered to {command} is no answer to it")]
    Garbled {
        /// Name of the command.
        command: &'static str,
    },
    /// A TPM 1.2, or something that takes no TPM 2.0 commands.
    #[error("it is no TPM 2.0")]
    NotTwo,
    /// Nobody started it since it has had power.
    #[error("the TPM was not started")]
    NotStarted,
    /// It found a fault in itself.
    #[error("the TPM is in failure mode: it found a fault in itself")]
    Failed,
    /// It does not have the command.
    #[error("the TPM has no TPM2_HMAC, so it cannot use group keys")]
    NoHmac,
    /// The secret is not the one that the keys were imported with. The TPM counted it.
    #[error("the secret does not open the TPM's keys; the TPM counts wrong ones and locks itself after some")]
    WrongSecret,
    /// Too many wrong secrets, of this or of another program: it takes none now, not even the right one.
    #[error("the TPM has locked itself after too many wrong secrets")]
    LockedOut,
    /// Too short for keys that come in first.
    #[error("the secret for the TPM's keys has fewer than {} characters", crate::Tpm::SHORTEST)]
    ShortSecret,
    /// The owner hierarchy has an authValue, which the station does not know.
    #[error("the TPM's owner hierarchy is closed by a secret of its own")]
    OwnerSecret,
    /// The owner hierarchy is switched off.
    #[error("the TPM's owner hierarchy is disabled")]
    OwnerDisabled,
    /// It does not load the key.
    #[error(
        "the TPM does not take the key {label}: it is another TPM, it was cleared, or the card is damaged (0x{code:03x})"
    )]
    Foreign {
        /// Whose.
        label: KeyLabel,
        /// `TPM_RC`; 0 where the card already is no card of such a key.
        code: u32,
    },
    /// No memory for another object or session.
    #[error("the TPM has no memory for another object (0x{code:03x})")]
    NoRoom {
        /// `TPM_RC`.
        code: u32,
    },
    /// There is nothing at the index of a counter.
    #[error("the TPM has no counter at 0x{index:08x}: it was removed, or it is another TPM")]
    NoCounter {
        /// The index.
        index: u32,
    },
    /// Something is there that is not such a counter, or one that was never raised.
    #[error("what the TPM has at 0x{index:08x} is not the station's counter")]
    OtherCounter {
        /// The index.
        index: u32,
    },
    /// A counter is to be made where there is one that was raised already.
    #[error("the TPM has a counter at 0x{index:08x} already, and nothing says what it counted")]
    CounterThere {
        /// The index.
        index: u32,
    },
    /// It has something else to do, and kept saying so.
    #[error("the TPM is occupied")]
    Occupied,
    /// Another return code.
    #[error("the TPM refused {command} (0x{code:03x})")]
    Refused {
        /// Name of the command.
        command: &'static str,
        /// `TPM_RC`.
        code: u32,
    },
}

impl TpmError {
    /// One word for the record of the attempt; `passphrase` is a secret that was wrong, in every custody.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Absent { .. } | Self::NotATpm { .. } | Self::NotTwo => "absent",
            Self::Denied { .. } => "denied",
            Self::Lost(_) | Self::Stopped => "lost",
            Self::Silent { .. } | Self::Occupied => "silent",
            Self::Garbled { .. } => "garbled",
            Self::NotStarted | Self::Failed | Self::NoHmac | Self::Refused { .. } => "refused",
            Self::WrongSecret | Self::ShortSecret => "passphrase",
            Self::LockedOut => "locked-out",
            Self::OwnerSecret | Self::OwnerDisabled => "owner",
            Self::Foreign { .. } | Self::CounterThere { .. } | Self::OtherCounter { .. } => "foreign",
            Self::NoCounter { .. } => "absent",
            Self::NoRoom { .. } => "no-room",
        }
    }

    /// What to do now: one to three steps.
    #[must_use]
    pub const fn remedy(&self) -> &'static [&'static str] {
        match self {
            Self::Absent { .. } | Self::NotATpm { .. } | Self::NotTwo => &[
                "Switch the TPM 2.0 on in the firmware's settings.",
                "Check `[tpm]` in station.toml: `device = \"/dev/tpmrm0\"`.",
            ],
            Self::Denied { .. } => {
                &["Let the station's user use the TPM: on Debian it has to be in the group `tss`."]
            }
            Self::Lost(_) | Self::Stopped => {
                &["Unlock again: the station connects anew.", "Again: check the TPM, or start its emulator."]
            }
            Self::Silent { .. } | Self::Occupied => {
                &["See whether another program occupies the TPM.", "Try again.", "Again: restart the PC."]
            }
            Self::Garbled { .. } | Self::Failed => {
                &["Restart the PC.", "Again: have the TPM replaced, and import the keys there."]
            }
            Self::NotStarted => {
                &["Restart the PC.", "An emulator: start it with `--flags not-need-init,startup-clear`."]
            }
            Self::NoHmac => &["Import the group key into another custody."],
            Self::WrongSecret => &[
                "Enter the secret again: mind the keyboard layout.",
                "Stop after the second wrong one, and ask the custodian.",
            ],
            Self::LockedOut => &[
                "Wait: the TPM forgets a wrong secret after some time, on many PCs ten minutes to two hours.",
                "Or have the TPM's owner reset it: `tpm2_dictionarylockout --clear-lockout`.",
                "Ask who entered wrong secrets.",
            ],
            Self::ShortSecret => &["Choose a longer one."],
            Self::OwnerSecret => {
                &["Have the TPM's owner empty the owner secret: `tpm2_changeauth --object-context=owner`."]
            }
            Self::OwnerDisabled => &["Enable the owner (storage) hierarchy in the firmware's settings."],
            Self::Foreign { .. } => &[
                "Put the disk back into its own PC, or restore the card from its copy.",
                "Was the TPM cleared: destroy the key here and import it again.",
            ],
            Self::NoRoom { .. } => &[
                "Stop other programs that use the TPM, and see that `[tpm]` names /dev/tpmrm0.",
                "An emulator: `tpm2_flushcontext --transient-object`, or start it again.",
            ],
            Self::NoCounter { .. } => &[
                "Put the disk back into its own PC. Never make the counter by hand.",
                "Was the TPM cleared or replaced: docs/people.md, section 4, says how a station begins to count anew.",
            ],
            Self::OtherCounter { .. } => &[
                "Find out which program uses this index, or who changed it: `tpm2_nvreadpublic`.",
                "Then docs/people.md, section 4: how a station begins to count anew.",
            ],
            Self::CounterThere { .. } => &[
                "Was a copy of this station put back? Put back the newest one instead.",
                "Otherwise remove the counter: `tpm2_nvundefine` with this index. The station makes it anew.",
            ],
            Self::Refused { .. } => &["Restart the PC.", "Again: note the number, and call support."],
        }
    }
}
