//! What can go wrong with a PKCS#11 token: what happened, and what to do now.

use std::path::PathBuf;

use cryptoki::context::Function;
use cryptoki::error::{Error, RvError};
use keystation_core::key::KeyLabel;

use super::why::{TokenFault, name};

/// A token that does not do what it is asked. There is nothing to fall back to.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// `[token] module` has to be absolute: what is opened must not depend on where the program was started.
    #[error("the PKCS#11 module has to be named by an absolute path, not by {}", .0.display())]
    ModulePath(PathBuf),
    /// `[token] label` cannot be the label of a token.
    #[error(
        "a token's label has 1 to 32 printable ASCII characters, without quotation marks, backslashes and a space at the end"
    )]
    Label,
    /// There is no such file, or it may not be read.
    #[error("the PKCS#11 module {} cannot be read", path.display())]
    ModuleAbsent {
        /// Which.
        path: PathBuf,
        /// TokenFault not.
        #[source]
        cause: std::io::Error,
    },
    /// The file is no PKCS#11 module, or one for another machine.
    #[error("{} is no PKCS#11 module: {cause}", path.display())]
    NoModule {
        /// Which.
        path: PathBuf,
        /// What the loader says.
        #[source]
        cause: Box<Error>,
    },
    /// No slot holds a token of this label.
    #[error(
        "the module shows no token with the label {0}: it is not plugged in, not reached, or has another label"
    )]
    NoToken(String),
    /// Several tokens have the label.
    #[error("{count} tokens have the label {label}")]
    ManyTokens {
        /// Which label.
        label: String,
        /// How many.
        count: usize,
    },
    /// The PIN does not open the token.
    #[error("the PIN does not open the token{}", if *.last { "; one more wrong PIN locks it" } else { "" })]
    PinIncorrect {
        /// Whether the token says that the next wrong PIN is the last.
        last: bool,
    },
    /// Another PIN than the one with which the token is open.
    #[error("the token is open with another PIN")]
    PinDiffers,
    /// The token stopped taking the PIN while it was open. It is not tried again: each try counts.
    #[error("the token no longer takes the PIN that opened it")]
    PinNoLonger,
    /// The card of a key names another token than the settings.
    #[error("the key {0} is in another token than the station's")]
    OtherToken(KeyLabel),
    /// The token holds no such key.
    #[error("the token does not hold the key {0}")]
    KeyGone(KeyLabel),
    /// Several objects are it.
    #[error("the token holds {count} objects that are the key {label}")]
    ManyKeys {
        /// Which key.
        label: KeyLabel,
        /// How many.
        count: usize,
    },
    /// An object of that name is another key.
    #[error("the token holds something else under the name {0}")]
    NameTaken(KeyLabel),
    /// The key is there under another name.
    #[error("the token holds this key under another name than {0}")]
    OtherName(KeyLabel),
    /// The token would give the key out again.
    #[error("the token would give the key {0} out again")]
    Extractable(KeyLabel),
    /// What an import made could not be removed again.
    #[error(
        "the import failed ({failed}), and what it left in the token under the name {label} cannot be removed ({cause})"
    )]
    LeftBehind {
        /// Under which name it lies there.
        label: KeyLabel,
        /// TokenFault the import failed.
        failed: String,
        /// TokenFault it is still there.
        #[source]
        cause: Box<TokenError>,
    },
    /// A call to the token has not come back. What it was for is not waited for any longer; the call may come back yet.
    #[error("the token has not answered for {seconds} seconds")]
    Silent {
        /// How long.
        seconds: u64,
    },
    /// An HMAC-SHA256 that is not 32 bytes long.
    #[error("the token answered with an HMAC of {0} bytes")]
    Answer(usize),
    /// The kernel gives no memory that is never swapped.
    #[error("no locked memory for the PIN")]
    Memory(#[source] std::io::Error),
    /// A call was refused.
    #[error("{why} ({code} from {call})")]
    Refused {
        /// What that means.
        why: TokenFault,
        /// The return code by the name that PKCS#11 gives it, or in hexadecimal digits.
        code: String,
        /// Which function.
        call: String,
    },
}

impl TokenError {
    /// One word for the record of the attempt.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::ModulePath(_) | Self::ModuleAbsent { .. } | Self::NoModule { .. } => "module",
            Self::Label => "settings",
            Self::NoToken(_) => "token-absent",
            Self::OtherToken(_) => "token-other",
            Self::ManyTokens { .. } => "tokens",
            Self::PinIncorrect { .. } | Self::PinDiffers | Self::PinNoLonger => "pin",
            Self::KeyGone(_) => "key-gone",
            Self::ManyKeys { .. } | Self::NameTaken(_) | Self::OtherName(_) => "objects",
            Self::Extractable(_) => "extractable",
            Self::LeftBehind { .. } => "left-behind",
            Self::Silent { .. } => "token-silent",
            Self::Answer(_) => "token-failed",
            Self::Memory(_) => "memory",
            Self::Refused { why, .. } => why.word(),
        }
    }

    /// What to do now: one to three steps.
    #[must_use]
    pub const fn remedy(&self) -> &'static [&'static str] {
        match self {
            Self::ModulePath(_) | Self::ModuleAbsent { .. } | Self::NoModule { .. } => {
                &["Check `[token] module` in station.toml.", "Install the module of the token's maker."]
            }
            Self::NoToken(_) => {
                &["Plug the token in, or check the way to it.", "Check `[token] label` in station.toml."]
            }
            Self::Label => &["Check `[token] label` in station.toml."],
            Self::OtherToken(_) => &[
                "Check `[token] label` in station.toml.",
                "If the station has a new token: destroy the key in the old one first.",
            ],
            Self::ManyTokens { .. } => &["Take the other tokens out, or give each its own label."],
            Self::PinIncorrect { last: true } => &[
                "Stop: ask the custodian for the PIN before you try again.",
                "A locked token needs its security officer.",
            ],
            Self::PinIncorrect { last: false } => {
                &["Enter the PIN again: most tokens lock after a few wrong ones."]
            }
            Self::PinDiffers => &["Enter the PIN that opened the token.", "Or lock it first."],
            Self::PinNoLonger => &["Lock the token.", "Unlock it with the PIN that it has now."],
            Self::KeyGone(_) => &[
                "Check that this is the station's token: `[token] label`.",
                "If the key was deleted in the token, destroy it here and import it again.",
            ],
            Self::ManyKeys { .. } | Self::NameTaken(_) | Self::OtherName(_) => &[
                "List the objects of the token, with pkcs11-tool or the tool of its maker.",
                "Remove the one that does not belong there, or take another label.",
            ],
            Self::Extractable(_) => &[
                "Do not use this key in this token.",
                "Look at docs/tokens.md: not every token can hold a group key.",
            ],
            Self::LeftBehind { .. } => &[
                "Mend what failed, and import the same key again: what was left is taken over if it is this key.",
                "Otherwise remove it with the tool of the token's maker.",
            ],
            Self::Silent { .. } => &[
                "Check the token and the way to it.",
                "Try again.",
                "If it stays silent: end the program and start it again.",
            ],
            Self::Answer(_) => TokenFault::Device.remedy(),
            Self::Memory(_) => {
                &["Raise the limit of locked memory (ulimit -l, LimitMEMLOCK=) to 1 MiB at least."]
            }
            Self::Refused { why, .. } => why.remedy(),
        }
    }

    /// Whether the PIN was wrong: the person may enter it again.
    #[must_use]
    pub const fn is_wrong_pin(&self) -> bool {
        matches!(self, Self::PinIncorrect { .. } | Self::PinDiffers)
    }

    /// Whether only what this process knew of the token was outdated: another session may do, as after the idle limit of a
    /// network module or when one unit took over from another.
    pub(super) const fn is_stale(&self) -> bool {
        matches!(
            self,
            Self::Refused { why: TokenFault::Session | TokenFault::Login | TokenFault::Handle, .. }
        )
    }

    /// Whether the token refused the PIN, and counted it.
    pub(super) const fn is_about_the_pin(&self) -> bool {
        matches!(
            self,
            Self::PinIncorrect { .. }
                | Self::Refused {
                    why: TokenFault::PinLocked
                        | TokenFault::PinExpired
                        | TokenFault::PinUnset
                        | TokenFault::PinForm,
                    ..
                }
        )
    }

    /// Whether the key may be taken in another form.
    pub(super) const fn is_about_the_form(&self) -> bool {
        matches!(self, Self::Refused { why: TokenFault::Template | TokenFault::KeyUse, .. })
    }

    /// Nobody is logged in, though no call said so.
    pub(super) fn logged_out() -> Self {
        refused(RvError::UserNotLoggedIn, "C_GetSessionInfo".to_owned())
    }

    /// Several objects or none where one is wanted.
    pub(super) fn not_one(label: &KeyLabel, count: usize) -> Self {
        match count {
            0 => Self::KeyGone(label.clone()),
            _ => Self::ManyKeys { label: label.clone(), count },
        }
    }
}

impl From<Error> for TokenError {
    fn from(error: Error) -> Self {
        match error {
            Error::Pkcs11(RvError::PinIncorrect, Function::Login) => Self::PinIncorrect { last: false },
            Error::Pkcs11(code, function) => refused(code, format!("C_{function:?}")),
            // The module lacks a function, or gave numbers that cannot be.
            other => Self::Refused {
                why: TokenFault::Other,
                code: other.to_string(),
                call: "the module".to_owned(),
            },
        }
    }
}

fn refused(code: RvError, call: String) -> TokenError {
    TokenError::Refused { why: TokenFault::of(code), code: name(code), call }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(code: RvError) -> TokenError {
        Error::Pkcs11(code, Function::Sign).into()
    }

    #[test]
    fn codes_have_the_names_of_the_standard() {
        assert_eq!(
            of(RvError::SessionHandleInvalid).to_string(),
            "the session with the token is lost (CKR_SESSION_HANDLE_INVALID from C_Sign)"
        );
        assert_eq!(
            of(RvError::VendorDefined(0x8000_0042)).to_string(),
            "the token refuses for a reason of its maker (0x80000042 from C_Sign)"
        );
        assert!(of(RvError::UnknownErrorCode(0x1234)).to_string().contains("0x00001234"));
    }

    #[test]
    fn wrong_pin_is_told_from_a_locked_one() {
        let wrong = TokenError::from(Error::Pkcs11(RvError::PinIncorrect, Function::Login));
        assert!(wrong.is_wrong_pin() && wrong.is_about_the_pin());
        let locked = TokenError::from(Error::Pkcs11(RvError::PinLocked, Function::Login));
        assert!(!locked.is_wrong_pin() && locked.is_about_the_pin());
        assert_eq!((wrong.word(), locked.word()), ("pin", "pin-locked"));
    }
}
