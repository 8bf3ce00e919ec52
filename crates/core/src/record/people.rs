//! What is recorded of people: accounts, how they sign in, and what they were refused.

use super::Value;
use crate::role::Roles;

/// What happened to an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserEvent {
    /// Whose account: 1 to 32 characters of `a-z 0-9 -`. An ID is never given to a second person.
    pub user: String,
    /// The second person, or empty where nobody had to approve.
    pub approver: String,
    /// What.
    pub change: UserChange,
}

/// What can happen to an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserChange {
    /// `user.add`: it was made.
    Added {
        /// What the person is.
        roles: Roles,
        /// Number of the credential, from 1.
        credential: u64,
        /// Whether its PIN has to be changed at the first sign-in.
        once: bool,
    },
    /// `user.roles`: what the person is from now on.
    Roles(Roles),
    /// `user.disable`: nobody signs in with it until it is enabled.
    Disabled {
        /// Why.
        reason: String,
    },
    /// `user.enable`.
    Enabled {
        /// Why.
        reason: String,
    },
    /// `user.cred`: another credential counts from now on.
    Credential {
        /// Its number.
        credential: u64,
        /// Why there is another.
        why: CredentialChange,
        /// Whether its PIN has to be changed at the next sign-in.
        once: bool,
    },
}

/// Why there is another credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialChange {
    /// The person chose a new PIN.
    Chosen,
    /// Two administrators gave a PIN that holds once. The wrong PINs before it count no more.
    Reset,
    /// The badge is another.
    Badge,
}

/// Who signed in or out, tried to, or went away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionEvent {
    /// `auth.ok`: `user` proved who he is. The wrong PINs before it count no more.
    Proved {
        /// Who.
        user: String,
        /// What for. Where it is [`Purpose::Approval`], `user` is the second person of the record.
        purpose: Purpose,
    },
    /// `auth.refuse`: somebody did not.
    Refused {
        /// The ID that was given; empty for a badge that nobody has.
        user: String,
        /// Why not.
        why: SignInRefusal,
        /// What for: written as `sign-in` for a hand-over and for coming back too.
        purpose: Purpose,
        /// Wrong PINs of this user since the last right one, with this one.
        tries: u32,
    },
    /// `auth.lockout`: that was one wrong PIN too many; follows its `auth.refuse`.
    LockedOut {
        /// Who.
        user: String,
    },
    /// `auth.count`: how far the counter of wrong PINs is.
    Counted {
        /// The counter; of [`Counting::Ended`] 0.
        counter: u64,
        /// Why it is put down.
        why: Counting,
    },
    /// `auth.away`: the session is locked, and its work goes on.
    Away(Away),
    /// `auth.logout`: the session ended.
    Ended(End),
}

/// What somebody signs in for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Begins a session.
    SignIn,
    /// Takes over from the person before.
    HandOver,
    /// Comes back to his own session.
    Resume,
    /// Approves what another one asks for.
    Approval,
    /// Gives a component of a group key.
    Ceremony,
    /// Begins a new log in the place of one that does not open: put down when one opens again.
    NewEpoch,
    /// Nobody knows: the counter counted it, and the record of it is lost. Put down for every account.
    Lost,
}

/// Why the counter of wrong PINs is put down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counting {
    /// It was made: from now on it counts.
    Begun,
    /// There was a wrong PIN; follows its `auth.refuse`.
    Tried,
    /// It was ahead of the log. Follows what was put down of that.
    Lost,
    /// The settings do not name it any more.
    Ended,
}

/// Why somebody was not signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignInRefusal {
    /// The PIN was wrong. Only this one counts towards the lockout.
    Pin,
    /// Nobody has this ID or badge.
    Unknown,
    /// The account is disabled.
    Disabled,
    /// There were too many wrong PINs.
    LockedOut,
    /// Too soon after a wrong PIN.
    Wait,
    /// The stored credential is not the one that the log knows.
    Credential,
}

/// Why a session was locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Away {
    /// Somebody asked.
    Asked,
    /// Nobody did anything for a while.
    Idle,
    /// The machine goes to sleep.
    Suspend,
    /// The screen was locked.
    Screen,
    /// The program ran into a bug.
    Panic,
}

/// Why a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Somebody asked.
    Asked,
    /// Another person took over.
    HandOver,
    /// It was as long as a session may be.
    Expired,
    /// The program ended.
    Program,
}

/// What somebody asked for and may not do: `policy.refuse`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denial {
    /// The word of the action in the policy.
    pub action: String,
    /// Why not.
    pub why: DenialReason,
    /// What it was to be done to, or empty.
    pub what: String,
    /// The stable name of what went wrong where [`DenialReason::State`] alone does not say it, or empty.
    pub code: String,
}

/// Why something is not permitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DenialReason {
    /// Nobody is signed in.
    NoSession,
    /// The session is locked.
    Away,
    /// The session is over.
    Expired,
    /// The PIN has to be changed first.
    PinChange,
    /// Not with these roles.
    Role,
    /// A second person has to approve.
    ApprovalMissing,
    /// Who asks cannot approve.
    ApprovalSamePerson,
    /// It was approved too long ago.
    ApprovalExpired,
    /// It was approved once and done once.
    ApprovalUsed,
    /// Something else was approved.
    ApprovalOtherRequest,
    /// The second person may not approve this.
    ApprovalRole,
    /// Not as things stand.
    State,
}

macro_rules! words {
    ($type:ident: $($variant:ident = $word:literal),+ $(,)?) => {
        impl $type {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word in the record.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word),+
                }
            }
        }
    };
}
pub(super) use words;

words!(CredentialChange: Chosen = "chosen", Reset = "reset", Badge = "badge");
words!(Purpose: SignIn = "sign-in", HandOver = "hand-over", Resume = "resume", Approval = "approval", Ceremony = "ceremony", NewEpoch = "new-epoch", Lost = "lost");
words!(Counting: Begun = "begin", Tried = "pin", Lost = "lost", Ended = "end");
words!(SignInRefusal:
    Pin = "pin",
    Unknown = "unknown",
    Disabled = "disabled",
    LockedOut = "locked-out",
    Wait = "wait",
    Credential = "credential",
);
words!(Away: Asked = "asked", Idle = "idle", Suspend = "suspend", Screen = "screen", Panic = "panic");
words!(End: Asked = "asked", HandOver = "hand-over", Expired = "expired", Program = "end");
words!(DenialReason:
    NoSession = "no-session",
    Away = "away",
    Expired = "expired",
    PinChange = "pin-change",
    Role = "role",
    ApprovalMissing = "approval-missing",
    ApprovalSamePerson = "approval-same-person",
    ApprovalExpired = "approval-expired",
    ApprovalUsed = "approval-used",
    ApprovalOtherRequest = "approval-other-request",
    ApprovalRole = "approval-role",
    State = "state",
);

type Fields = Vec<(&'static str, Value)>;

impl UserEvent {
    pub(super) const fn name(&self) -> &'static str {
        match self.change {
            UserChange::Added { .. } => "user.add",
            UserChange::Roles(_) => "user.roles",
            UserChange::Disabled { .. } => "user.disable",
            UserChange::Enabled { .. } => "user.enable",
            UserChange::Credential { .. } => "user.cred",
        }
    }

    pub(super) fn fields(&self) -> Fields {
        let mut fields = vec![("user", self.user.as_str().into())];
        fields.extend(match &self.change {
            UserChange::Added { roles, credential, once } => vec![
                ("roles", roles.to_string().into()),
                ("cred", (*credential).into()),
                ("once", u64::from(*once).into()),
            ],
            UserChange::Roles(roles) => vec![("roles", roles.to_string().into())],
            UserChange::Disabled { reason } | UserChange::Enabled { reason } => {
                vec![("reason", reason.as_str().into())]
            }
            UserChange::Credential { credential, why, once } => vec![
                ("cred", (*credential).into()),
                ("why", why.as_str().into()),
                ("once", u64::from(*once).into()),
            ],
        });
        fields
    }
}

impl SessionEvent {
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Proved { .. } => "auth.ok",
            Self::Refused { .. } => "auth.refuse",
            Self::LockedOut { .. } => "auth.lockout",
            Self::Counted { .. } => "auth.count",
            Self::Away(_) => "auth.away",
            Self::Ended(_) => "auth.logout",
        }
    }

    pub(super) fn approver(&self) -> &str {
        match self {
            Self::Proved { user, purpose: Purpose::Approval } => user,
            _ => "",
        }
    }

    pub(super) fn fields(&self) -> Fields {
        match self {
            Self::Proved { user, purpose } => {
                vec![("user", user.as_str().into()), ("why", purpose.as_str().into())]
            }
            Self::Refused { user, why, purpose, tries } => vec![
                ("user", user.as_str().into()),
                ("why", why.as_str().into()),
                ("for", purpose.when_refused().into()),
                ("tries", u64::from(*tries).into()),
            ],
            Self::LockedOut { user } => vec![("user", user.as_str().into())],
            Self::Counted { counter, why } => {
                vec![("counter", (*counter).into()), ("why", why.as_str().into())]
            }
            Self::Away(why) => vec![("why", why.as_str().into())],
            Self::Ended(why) => vec![("why", why.as_str().into())],
        }
    }
}

impl Purpose {
    /// Who is refused begins nothing: whether it would have been another person or the same is not known yet.
    const fn when_refused(self) -> &'static str {
        match self {
            Self::SignIn | Self::HandOver | Self::Resume => Self::SignIn.as_str(),
            Self::Approval | Self::Ceremony | Self::NewEpoch | Self::Lost => self.as_str(),
        }
    }
}

impl Denial {
    pub(super) fn fields(&self) -> Fields {
        vec![
            ("action", self.action.as_str().into()),
            ("why", self.why.as_str().into()),
            ("what", self.what.as_str().into()),
            ("code", self.code.as_str().into()),
        ]
    }
}
