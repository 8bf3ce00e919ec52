//! Who is at the station, and who may be. A PIN and a badge come in here and never go out.

mod approved;
mod told;

use serde::{Deserialize, Serialize};

use crate::bounded::{Hidden, Text};
use crate::problem::Problem;

pub(crate) use approved::Approved;

/// The session of this window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct SessionLine {
    /// Whether somebody is signed in.
    pub(crate) state: SessionState,
    /// User ID, or empty.
    pub(crate) user: String,
    /// Name, where the station knows one.
    pub(crate) name: String,
    /// What the person may do.
    pub(crate) roles: Vec<Role>,
    /// Whether the PIN is a one-time PIN: nothing else is done before it is changed.
    pub(crate) must_change_pin: bool,
    /// Seconds until the session is locked or ends, in the last 30 of them.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub(crate) seconds_left: Option<u64>,
    /// Why it does, in those 30 seconds.
    pub(crate) reason: Option<Soon>,
}

/// Why a session is locked or ends soon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) enum Soon {
    /// Nobody gave a sign of life: one puts it off.
    Idle,
    /// It is as old as a session may be: somebody signs in anew.
    Hours,
}

/// Who is at the station.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) enum SessionState {
    /// There is no account yet: two administrators are made first.
    FirstStart,
    /// Nobody.
    None,
    /// A person at work.
    Open,
    /// A person who has to enter the PIN before the work goes on.
    Away,
    /// A person whose session ran out.
    Expired,
}

/// What a person may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) enum Role {
    Operator,
    Repair,
    Supervisor,
    Custodian,
    Qa,
    Administrator,
}

/// Who signs in: by the badge that was scanned, or by the user ID.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) enum Who {
    Badge(#[cfg_attr(test, ts(type = "string"))] Badge),
    User(#[cfg_attr(test, ts(type = "string"))] UserId),
}

/// Text of a badge.
pub(crate) type Badge = Hidden<128>;
/// 6 to 12 digits.
pub(crate) type Pin = Hidden<12>;
/// A user ID.
pub(crate) type UserId = Text<32>;
/// Name of a person, or empty.
pub(crate) type Name = Text<100>;
/// Why something is done.
pub(crate) type Reason = Text<200>;

/// A person to add.
#[derive(Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct NewPerson {
    /// User ID: 1 to 32 of `a-z 0-9 -`, never used before.
    #[cfg_attr(test, ts(type = "string"))]
    pub(crate) user: UserId,
    /// Name, or empty. It stands outside of the log.
    #[cfg_attr(test, ts(type = "string"))]
    pub(crate) name: Name,
    /// Text of the badge, at most 128 characters.
    #[cfg_attr(test, ts(type = "string | null"))]
    pub(crate) badge: Option<Badge>,
    /// One-time PIN, 6 to 12 digits.
    #[cfg_attr(test, ts(type = "string"))]
    pub(crate) pin: Pin,
}

/// A person to add, and what the person may do.
#[derive(Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct AddedPerson {
    /// The person.
    #[serde(flatten)]
    pub(crate) person: NewPerson,
    /// At least one.
    pub(crate) roles: Vec<Role>,
}

/// What the station answers to a PIN.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct SignIn {
    /// What came of it.
    pub(crate) outcome: SignInOutcome,
    /// Wrong PINs that are left before the account is locked; none where nobody has this badge or ID.
    pub(crate) tries_left: Option<u32>,
    /// Seconds before the next try counts.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub(crate) wait_seconds: Option<u64>,
    /// Why it was refused for another reason than the PIN.
    pub(crate) problem: Option<Problem>,
}

/// What came of a PIN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) enum SignInOutcome {
    /// It was right.
    Open,
    /// It was wrong; it counted if there is such a user.
    Wrong,
    /// It was not looked at: too early after a wrong one.
    Wait,
    /// It was not looked at: ten wrong ones before it.
    LockedOut,
    /// It was not looked at for another reason.
    Refused,
}

/// A person who has an account here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct PersonLine {
    /// User ID.
    pub(crate) user: String,
    /// Name, where the station knows one.
    pub(crate) name: String,
    /// What the person may do.
    pub(crate) roles: Vec<Role>,
    /// Whether the account is enabled.
    pub(crate) active: bool,
    /// Whether ten wrong PINs locked it.
    pub(crate) locked_out: bool,
    /// Whether the PIN is a one-time PIN.
    pub(crate) must_change_pin: bool,
    /// Whether there is a badge; none where only the log was read.
    pub(crate) has_badge: Option<bool>,
    /// Whether this is one of fewer than three active administrators: nobody could give them another PIN.
    pub(crate) irreplaceable: bool,
    /// What changed the account last.
    pub(crate) changed: AccountChange,
}

/// The last record that changed an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct AccountChange {
    /// The record.
    #[cfg_attr(test, ts(type = "number"))]
    pub(crate) seq: u64,
    /// When.
    #[cfg_attr(test, ts(type = "number"))]
    pub(crate) time: i64,
    /// The `ev` field, such as `user.roles`.
    pub(crate) event: String,
    /// Who did it, an operator ID.
    pub(crate) operator: String,
    /// Who approved it, or empty.
    pub(crate) approver: String,
}

/// What a second person approves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct ApprovalRequest {
    /// The word of the action.
    #[cfg_attr(test, ts(type = "string"))]
    pub(crate) action: Text<40>,
    /// What it is done to.
    #[cfg_attr(test, ts(type = "string"))]
    pub(crate) subject: Text<1024>,
    /// Why, or empty: a word of a list may stand before it.
    #[cfg_attr(test, ts(type = "string"))]
    pub(crate) reason: Text<240>,
}

/// What came of asking a second person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct Approval {
    /// Number of the approval; it is good for this request, once, for one minute.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub(crate) approval: Option<u64>,
    /// What the station answers to the PIN.
    pub(crate) sign_in: SignIn,
}
