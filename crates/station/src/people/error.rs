//! Why somebody was not signed in, and why an account is not changed.

use super::denied::Denied;
use super::pin::PinRefused;
use crate::error::{Exit, StationError};

/// Somebody was not signed in. The attempt is in the log, unless it says otherwise.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// The PIN is wrong.
    #[error("the PIN is wrong; {tries_left} more wrong PINs lock the account")]
    Wrong {
        /// Wrong PINs until the account is locked, at least 1.
        tries_left: u32,
    },
    /// Nobody has this ID or badge.
    #[error("the ID or badge, or the PIN, is wrong")]
    Unknown,
    /// Too soon after a wrong PIN.
    #[error("after wrong PINs the next one is taken in {seconds} s")]
    Wait {
        /// Seconds that are left.
        seconds: u64,
    },
    /// Ten wrong PINs.
    #[error("the account is locked after ten wrong PINs")]
    LockedOut,
    /// The account is disabled.
    #[error("the account is disabled")]
    Disabled,
    /// `people.json` does not have the credential that the log says counts.
    #[error("people.json is not the one that this log belongs to: the PIN cannot be checked")]
    Credential,
    /// The station cannot check it. There may be no record.
    #[error(transparent)]
    Station(Box<StationError>),
}

impl SignInError {
    /// A stable name, for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Wrong { .. } | Self::Unknown => "pin-wrong",
            Self::Wait { .. } => "pin-wait",
            Self::LockedOut => "account-locked",
            Self::Disabled => "account-disabled",
            Self::Credential => "credential-old",
            Self::Station(error) => error.code(),
        }
    }

    /// What to do.
    #[must_use]
    pub fn remedy(&self) -> &'static [&'static str] {
        match self {
            Self::Wrong { .. } | Self::Unknown => {
                &["Try again.", "Forgotten: two administrators give a one-time PIN."]
            }
            Self::Wait { .. } => &["Wait, then try again."],
            Self::LockedOut => &["Two administrators give a one-time PIN."],
            Self::Disabled => &["Two administrators enable it again."],
            Self::Credential => &[
                "Was people.json restored from a copy? Put back the newest one.",
                "Otherwise two administrators give a one-time PIN.",
            ],
            Self::Station(error) => error.remedy(),
        }
    }

    /// How the headless binary ends.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::Station(error) => error.exit(),
            _ => Exit::Refused,
        }
    }
}

impl From<StationError> for SignInError {
    fn from(error: StationError) -> Self {
        Self::Station(Box::new(error))
    }
}

/// Nothing was approved.
#[derive(Debug, thiserror::Error)]
pub enum ApproveError {
    /// It may not be asked for, or not be approved by this person.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The second person did not prove who they are.
    #[error(transparent)]
    SignIn(#[from] SignInError),
}

impl From<StationError> for ApproveError {
    fn from(error: StationError) -> Self {
        Self::SignIn(error.into())
    }
}

/// An account is left as it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PersonError {
    /// The ID cannot be one.
    #[error("the ID cannot be used: {0}")]
    Id(&'static str),
    /// The PIN may not be chosen.
    #[error("this PIN may not be chosen: {0}")]
    Pin(#[from] PinRefused),
    /// The badge cannot be one.
    #[error("a badge is read as 4 to 128 characters")]
    Badge,
    /// Somebody has that badge.
    #[error("somebody has this badge")]
    BadgeTaken,
    /// An ID is given once.
    #[error("`{0}` has or had an account; an ID is given once, so that what it did stays with one person")]
    Known(String),
    /// Nobody has the ID.
    #[error("there is no account `{0}`")]
    Unknown(String),
    /// The account is what it should become.
    #[error("the account `{0}` is that already")]
    Already(String),
    /// There would be fewer than two administrators.
    #[error("two active administrators must remain")]
    LastAdministrators,
    /// Whoever asks or approves would give a PIN to themselves.
    #[error("a one-time PIN is given by two others than the person who gets it")]
    OwnPin,
    /// Whoever gives a PIN to a custodian knows it for a while, and is one.
    #[error("a custodian does not give another custodian the means to sign in: one person would be two")]
    OwnInterest,
    /// There are accounts: the first start is over.
    #[error("this station has its administrators already")]
    NotNew,
    /// The first start makes administrators.
    #[error("the first two people are administrators, and may be custodians besides")]
    NotAdministrators,
    /// One ID twice, or one badge.
    #[error("the first two administrators are two people with two badges")]
    OnePerson,
    /// A first start was cut short after the first of the two.
    #[error("a first start was cut short: `{0}` has to be one of the two")]
    HalfBegun(String),
    /// A PIN is changed by whoever is signed in.
    #[error("nobody is signed in")]
    Nobody,
}

impl PersonError {
    /// A stable name, for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Id(_) => "person-id",
            Self::Pin(_) => "pin-refused",
            Self::Badge => "badge-refused",
            Self::BadgeTaken => "badge-taken",
            Self::Known(_) => "person-exists",
            Self::Unknown(_) => "person-unknown",
            Self::Already(_) => "person-already",
            Self::LastAdministrators => "last-administrators",
            Self::OwnPin => "own-pin",
            Self::OwnInterest => "own-interest",
            Self::NotNew => "not-new",
            Self::NotAdministrators => "not-administrators",
            Self::OnePerson => "one-person",
            Self::HalfBegun(_) => "half-begun",
            Self::Nobody => "no-session",
        }
    }

    /// What to do.
    #[must_use]
    pub const fn remedy(&self) -> &'static [&'static str] {
        match self {
            Self::Id(_) => &["Take an ID that is no name, for example op-0117."],
            Self::Pin(_) => &["Choose another PIN: 6 to 12 digits that nobody would try first."],
            Self::Badge | Self::BadgeTaken => &["Scan another badge."],
            Self::Known(_) => {
                &["The same person is back: enable the account.", "Another person: another ID."]
            }
            Self::Unknown(_) => &["Check the ID: keystation person list."],
            Self::Already(_) => &["Nothing is left to do."],
            Self::LastAdministrators => &["Make another administrator first."],
            Self::OwnPin => &["Two other administrators do it."],
            Self::OwnInterest => &["Another administrator, who is no custodian, does it."],
            Self::NotNew => &["Sign in."],
            Self::NotAdministrators | Self::OnePerson => &["Name two people."],
            Self::HalfBegun(_) => &["Name this person and the second one."],
            Self::Nobody => &["Sign in first."],
        }
    }

    /// How the headless binary ends.
    #[must_use]
    pub const fn exit(&self) -> Exit {
        match self {
            Self::LastAdministrators
            | Self::OwnPin
            | Self::OwnInterest
            | Self::Nobody
            | Self::NotNew
            | Self::OnePerson => Exit::Refused,
            _ => Exit::Usage,
        }
    }
}
