//! What can go wrong with a PKCS#11 token: what happened, and what to do now.

use std::fmt;
use std::path::PathBuf;

use cryptoki::context::Function;
use cryptoki::error::{Error, RvError};
use keystation_core::key::KeyLabel;

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
        /// Why not.
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
        /// Why the import failed.
        failed: String,
        /// Why it is still there.
        #[source]
        cause: Box<TokenError>,
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
        why: Why,
        /// The return code by the name that PKCS#11 gives it, or in hexadecimal digits.
        code: String,
        /// Which function.
        call: String,
    },
}

/// What a return code means to the person in front of the station.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Too many wrong PINs.
    PinLocked,
    /// The PIN has to be changed first.
    PinExpired,
    /// The token has no user PIN yet.
    PinUnset,
    /// The text cannot be a PIN of this token.
    PinForm,
    /// The slot is empty, or holds something else.
    Absent,
    /// The token was taken out.
    Removed,
    /// The session is gone.
    Session,
    /// Nobody is logged in any more.
    Login,
    /// The object is not what it was.
    Handle,
    /// There are too many sessions.
    Sessions,
    /// No HMAC-SHA256.
    Mechanism,
    /// The key is too short or too long.
    KeySize,
    /// The key may not be used for this.
    KeyUse,
    /// The key is not taken in this form.
    Template,
    /// There is no room.
    Full,
    /// Nothing can be written.
    WriteProtected,
    /// The token or the way to it does not work.
    Device,
    /// A return code of the maker.
    Vendor,
    /// Any other.
    Other,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PinLocked => "the token has locked its PIN",
            Self::PinExpired => "the PIN of the token has expired",
            Self::PinUnset => "the token has no user PIN yet",
            Self::PinForm => "this cannot be a PIN of the token",
            Self::Absent => "the token is not there",
            Self::Removed => "the token was removed",
            Self::Session => "the session with the token is lost",
            Self::Login => "the token is no longer logged in",
            Self::Handle => "the token no longer knows the key by its handle",
            Self::Sessions => "the token has no session left",
            Self::Mechanism => "the token has no HMAC-SHA256",
            Self::KeySize => "the token makes no HMAC-SHA256 with a key of this length",
            Self::KeyUse => "the token does not allow this use of the key",
            Self::Template => "the token does not take the key in this form",
            Self::Full => "the token is full",
            Self::WriteProtected => "the token is write-protected",
            Self::Device => "the token fails",
            Self::Vendor => "the token refuses for a reason of its maker",
            Self::Other => "the token refuses",
        })
    }
}

impl Why {
    fn of(code: RvError) -> Self {
        use RvError as Rv;
        match code {
            Rv::PinLocked => Self::PinLocked,
            Rv::PinExpired => Self::PinExpired,
            Rv::UserPinNotInitialized => Self::PinUnset,
            Rv::PinInvalid | Rv::PinLenRange => Self::PinForm,
            Rv::TokenNotPresent | Rv::TokenNotRecognized | Rv::SlotIdInvalid => Self::Absent,
            Rv::DeviceRemoved => Self::Removed,
            Rv::SessionHandleInvalid | Rv::SessionClosed => Self::Session,
            Rv::UserNotLoggedIn => Self::Login,
            Rv::ObjectHandleInvalid | Rv::KeyHandleInvalid => Self::Handle,
            Rv::SessionCount => Self::Sessions,
            Rv::MechanismInvalid | Rv::MechanismParamInvalid => Self::Mechanism,
            Rv::KeySizeRange => Self::KeySize,
            Rv::KeyFunctionNotPermitted | Rv::KeyTypeInconsistent => Self::KeyUse,
            Rv::AttributeTypeInvalid
            | Rv::AttributeValueInvalid
            | Rv::AttributeReadOnly
            | Rv::TemplateIncomplete
            | Rv::TemplateInconsistent => Self::Template,
            Rv::DeviceMemory => Self::Full,
            Rv::TokenWriteProtected | Rv::SessionReadOnly => Self::WriteProtected,
            Rv::DeviceError | Rv::GeneralError | Rv::FunctionFailed | Rv::HostMemory => Self::Device,
            Rv::VendorDefined(_) => Self::Vendor,
            _ => Self::Other,
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::PinLocked => "pin-locked",
            Self::PinExpired => "pin-expired",
            Self::PinUnset => "pin-unset",
            Self::PinForm => "pin-form",
            Self::Absent => "token-absent",
            Self::Removed => "token-removed",
            Self::Session | Self::Login | Self::Handle => "session-lost",
            Self::Sessions => "sessions",
            Self::Mechanism => "mechanism",
            Self::KeySize => "key-size",
            Self::KeyUse => "key-use",
            Self::Template => "template",
            Self::Full => "token-full",
            Self::WriteProtected => "write-protected",
            Self::Device => "token-failed",
            Self::Vendor => "vendor",
            Self::Other => "token-refused",
        }
    }

    const fn remedy(self) -> &'static [&'static str] {
        match self {
            Self::PinLocked => &[
                "Do not try other PINs.",
                "Have the token's security officer set a new PIN, with the tool of its maker.",
            ],
            Self::PinExpired | Self::PinUnset => &["Set the PIN with the tool of the token's maker."],
            Self::PinForm => &["Enter the PIN of the token's user: docs/tokens.md says how it is written."],
            Self::Absent | Self::Removed => {
                &["Plug the token in, or check the way to it.", "Unlock and try again."]
            }
            Self::Session | Self::Login | Self::Handle => &["Try again.", "Lock and unlock the token."],
            Self::Sessions => &["Close what else uses the token.", "Try again."],
            Self::Mechanism | Self::KeySize | Self::KeyUse | Self::Template => &[
                "Look at docs/tokens.md: not every token can hold a group key.",
                "Check `[token] key_type`.",
            ],
            Self::Full => &["Remove from the token what is no longer used."],
            Self::WriteProtected => &["Lift the write protection for the import."],
            Self::Device => &[
                "Plug the token in anew, or check the way to it.",
                "Try again.",
                "Call whoever keeps the token.",
            ],
            Self::Vendor | Self::Other => {
                &["Try again.", "Look the code up in the manual of the token's maker."]
            }
        }
    }
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
            Self::Answer(_) => Why::Device.remedy(),
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
        matches!(self, Self::Refused { why: Why::Session | Why::Login | Why::Handle, .. })
    }

    /// Whether the token refused the PIN, and counted it.
    pub(super) const fn is_about_the_pin(&self) -> bool {
        matches!(
            self,
            Self::PinIncorrect { .. }
                | Self::Refused { why: Why::PinLocked | Why::PinExpired | Why::PinUnset | Why::PinForm, .. }
        )
    }

    /// Whether the key may be taken in another form.
    pub(super) const fn is_about_the_form(&self) -> bool {
        matches!(self, Self::Refused { why: Why::Template | Why::KeyUse, .. })
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
            other => {
                Self::Refused { why: Why::Other, code: other.to_string(), call: "the module".to_owned() }
            }
        }
    }
}

fn refused(code: RvError, call: String) -> TokenError {
    TokenError::Refused { why: Why::of(code), code: name(code), call }
}

/// `CKR_PIN_LOCKED`, as manuals and search engines know it; a number where PKCS#11 has no name for it.
fn name(code: RvError) -> String {
    match code {
        RvError::VendorDefined(code) | RvError::UnknownErrorCode(code) => format!("0x{code:08X}"),
        named => format!("{named:?}").chars().fold("CKR".to_owned(), |mut name, letter| {
            if letter.is_ascii_uppercase() {
                name.push('_');
            }
            name.push(letter.to_ascii_uppercase());
            name
        }),
    }
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
