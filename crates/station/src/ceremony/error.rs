//! What goes wrong in a ceremony.

use keystation_vault::{ComponentRefused, KeyRefused};

use crate::error::{Exit, StationError};
use crate::people::{Denied, SignInError};

/// Why a ceremony ended without a key. Every component is wiped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Abort {
    /// What a custodian typed is not the check value of the component.
    ComponentCheck,
    /// The key does not have the check value that it must have, or another one was typed.
    KeyCheck,
    /// Two components are the same.
    Equal,
    /// The components make a weak key.
    Weak,
    /// Somebody gave more than one of the components, now or in another ceremony.
    OnePerson,
    /// Three times what was entered could not be the component.
    Refused,
    /// It took too long.
    Expired,
    /// Somebody asked.
    Asked,
    /// The station was locked, or the session ended.
    Locked,
}

impl Abort {
    /// The word in the record.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ComponentCheck => "component-check",
            Self::KeyCheck => "key-check",
            Self::Equal => "equal",
            Self::Weak => "weak",
            Self::OnePerson => "one-person",
            Self::Refused => "refused",
            Self::Expired => "expired",
            Self::Asked => "asked",
            Self::Locked => "locked",
        }
    }

    /// What happened, for people.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::ComponentCheck => "the component does not have the check value that was typed",
            Self::KeyCheck => "the components do not make the key of the check value that was typed",
            Self::Equal => "two components are the same",
            Self::Weak => "the components make a key that no random generator makes",
            Self::OnePerson => "somebody has given more than one component of this key",
            Self::Refused => "three times what was entered could not be the component",
            Self::Expired => "it took too long",
            Self::Asked => "it was given up",
            Self::Locked => "the station was locked or the session ended",
        }
    }
}

/// A step that was not taken. Unless it is [`Aborted`](Self::Aborted) the ceremony goes on as it was.
#[derive(Debug, thiserror::Error)]
pub enum CeremonyError {
    /// There is none.
    #[error("there is no key ceremony")]
    None,
    /// There is one.
    #[error("a key ceremony is going on")]
    Running,
    /// No ceremony makes such a key.
    #[error("there is no such ceremony: {0}")]
    Order(&'static str),
    /// Nobody is signed in for this component, or not any more.
    #[error("the custodian of component {0} has to sign in")]
    SignInFirst(u8),
    /// Not in this order.
    #[error("that is not what comes next: {0}")]
    Turn(&'static str),
    /// What was entered cannot be the component. Nothing of it is kept.
    #[error("component {part} is refused: {why}")]
    Refused {
        /// Which one.
        part: u8,
        /// Why.
        #[source]
        why: ComponentRefused,
        /// How often it may be entered again.
        left: u8,
    },
    /// Somebody was not signed in.
    #[error(transparent)]
    SignIn(#[from] SignInError),
    /// Somebody may not give this component.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The ceremony ended.
    #[error("the key ceremony ended, and every component is wiped: {}", .0.sentence())]
    Aborted(Abort),
    /// The station does not do it.
    #[error(transparent)]
    Station(#[from] Box<StationError>),
}

impl From<StationError> for CeremonyError {
    fn from(error: StationError) -> Self {
        match error {
            StationError::Ceremony(error) => error,
            StationError::Denied(denied) => Self::Denied(denied),
            other => Self::Station(Box::new(other)),
        }
    }
}

impl CeremonyError {
    /// A stable name, for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::None => "no-ceremony",
            Self::Running => "ceremony-running",
            Self::Order(_) => "ceremony-order",
            Self::SignInFirst(_) => "ceremony-sign-in",
            Self::Turn(_) => "ceremony-turn",
            Self::Refused { .. } => "component-refused",
            Self::SignIn(error) => error.code(),
            Self::Denied(denied) => denied.code(),
            Self::Aborted(_) => "ceremony-aborted",
            Self::Station(error) => error.code(),
        }
    }

    /// What to do now: one to three steps.
    #[must_use]
    pub fn remedy(&self) -> &'static [&'static str] {
        match self {
            Self::None => &["Begin one."],
            Self::Running => &["Finish it, or give it up."],
            Self::Order(_) => &["docs/ceremony.md says what components are."],
            Self::SignInFirst(_) => &["Sign in with badge and PIN."],
            Self::Turn(_) => &["Go on with what the screen shows."],
            Self::Refused { why: ComponentRefused::Memory(_), .. } => {
                &["Raise the limit of locked memory (ulimit -l, LimitMEMLOCK=) to 1 MiB at least."]
            }
            Self::Refused {
                why: ComponentRefused::Text(KeyRefused::Constant | KeyRefused::Repeated { .. }),
                ..
            } => &["Ask the owner of the key for new components."],
            Self::Refused { .. } => &["Enter it again, character by character."],
            Self::SignIn(error) => error.remedy(),
            Self::Denied(denied) => denied.remedy(),
            Self::Aborted(Abort::ComponentCheck | Abort::Refused) => {
                &["Begin again.", "Compare the paper with what is typed: 0 and O, 1, l and I."]
            }
            Self::Aborted(Abort::KeyCheck | Abort::Equal | Abort::Weak) => {
                &["Begin again.", "Again: call the owner of the key, the papers do not belong together."]
            }
            Self::Aborted(Abort::OnePerson) => &[
                "Ask the owner of the key for new components.",
                "Each custodian gives one number only, always the same.",
            ],
            Self::Aborted(_) => &["Begin again."],
            Self::Station(error) => error.remedy(),
        }
    }

    /// How the headless binary ends.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::None | Self::Running | Self::Order(_) | Self::Turn(_) => Exit::Usage,
            Self::SignInFirst(_) | Self::Refused { .. } | Self::Aborted(_) => Exit::Refused,
            Self::SignIn(error) => error.exit(),
            Self::Denied(denied) => denied.exit(),
            Self::Station(error) => error.exit(),
        }
    }
}
