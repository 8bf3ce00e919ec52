//! The return codes of PKCS#11, as far as they ask for something else to be done.

use std::fmt;

use cryptoki::error::RvError;

/// What a return code means to the person in front of the station.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenFault {
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

impl fmt::Display for TokenFault {
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

impl TokenFault {
    pub(super) fn of(code: RvError) -> Self {
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

    pub(super) const fn word(self) -> &'static str {
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

    pub(super) const fn remedy(self) -> &'static [&'static str] {
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

/// `CKR_PIN_LOCKED`, as manuals and search engines know it; a number where PKCS#11 has no name for it.
pub(super) fn name(code: RvError) -> String {
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
