//! What the gate says to whoever it does not let pass.

use keystation_core::record::{DenialReason, Seq};

use super::action::Action;
use crate::error::{Exit, StationError};

/// An action that is not permitted. Nothing was done.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.sentence())]
pub struct Denied {
    /// What was asked for.
    pub action: Action,
    /// Why not.
    pub why: DenialReason,
    /// The record of the refusal; `None` where none could be made.
    pub record: Option<Seq>,
    /// What kept the station from deciding, or from recording what it decided. It refuses then, too.
    #[source]
    pub cause: Option<Box<StationError>>,
}

impl Denied {
    /// A stable name, for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.cause.as_ref().map_or(self.why.as_str(), |cause| cause.code())
    }

    /// What happened, in one sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        let action = self.action.meaning();
        match self.why {
            DenialReason::NoSession => format!("nobody is signed in: {action}"),
            DenialReason::Away => format!("the session is locked: {action}"),
            DenialReason::Expired => format!("the session is over: {action}"),
            DenialReason::PinChange => format!("the PIN is a one-time PIN: {action}"),
            DenialReason::Role => format!("none of the person's roles may: {action}"),
            DenialReason::ApprovalMissing => format!("another person has to approve: {action}"),
            DenialReason::ApprovalSamePerson => format!("nobody approves their own request: {action}"),
            DenialReason::ApprovalExpired => format!("it was approved more than a minute ago: {action}"),
            DenialReason::ApprovalUsed => format!("it was approved once, and done once: {action}"),
            DenialReason::ApprovalOtherRequest => format!("something else was approved: {action}"),
            DenialReason::ApprovalRole => format!("the second person may not approve: {action}"),
            DenialReason::State => format!("not as things stand: {action}"),
        }
    }

    /// What to do.
    #[must_use]
    pub fn remedy(&self) -> &'static [&'static str] {
        if let Some(cause) = &self.cause {
            return cause.remedy();
        }
        match self.why {
            DenialReason::NoSession | DenialReason::Expired => &["Sign in."],
            DenialReason::Away => &["Come back with badge and PIN."],
            DenialReason::PinChange => &["Choose a PIN of your own first."],
            DenialReason::Role => &["docs/roles.md says who may.", "Call your supervisor."],
            DenialReason::ApprovalMissing
            | DenialReason::ApprovalSamePerson
            | DenialReason::ApprovalExpired
            | DenialReason::ApprovalUsed
            | DenialReason::ApprovalOtherRequest => &["Have another person approve it, here and now."],
            DenialReason::ApprovalRole => &["docs/roles.md says who may approve it."],
            DenialReason::State => &["Look at the state of the station, then ask again."],
        }
    }

    /// How the headless binary ends.
    #[must_use]
    pub fn exit(&self) -> Exit {
        self.cause.as_ref().map_or(Exit::Refused, |cause| cause.exit())
    }
}
