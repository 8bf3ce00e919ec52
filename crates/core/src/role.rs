//! What a person may be, and which of it together.
//!
//! Who keeps an eye on the work does none of it, and who decides about people touches no device: QA stands alone, an
//! administrator alone or as a custodian (aligned with the separation of duties in PCI PIN Annex B and CIMC).

use std::fmt;
use std::str::FromStr;

/// What a person may be. The order is that in which a set is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// Injects devices.
    Operator,
    /// Re-keys devices that came back.
    Repair,
    /// Answers for a line, and approves what an operator may not do alone.
    Supervisor,
    /// Answers for group keys, never alone.
    Custodian,
    /// Audits what was made, and makes nothing.
    Qa,
    /// Decides who is what, never alone, and injects nothing.
    Administrator,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Operator, Self::Repair, Self::Supervisor, Self::Custodian, Self::Qa, Self::Administrator];

    /// The word in records, settings and on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Repair => "repair",
            Self::Supervisor => "supervisor",
            Self::Custodian => "custodian",
            Self::Qa => "qa",
            Self::Administrator => "administrator",
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = RolesRefused;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let role = Self::ALL.into_iter().find(|role| role.as_str() == text);
        role.ok_or_else(|| RolesRefused::Unknown(text.to_owned()))
    }
}

/// What one person is: at least one role, and none beside another that it must not stand beside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Roles(u8);

/// A text that is no role, or roles that one person cannot have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RolesRefused {
    /// No role has this name.
    #[error(
        "there is no role `{0}`; there are operator, repair, supervisor, custodian, qa and administrator"
    )]
    Unknown(String),
    /// None at all.
    #[error("a person needs at least one role")]
    Empty,
    /// A role twice in one text.
    #[error("the role `{0}` stands twice")]
    Twice(Role),
    /// QA beside anything.
    #[error("who is `qa` can be nothing else: nobody audits his own work")]
    QaAlone,
    /// An administrator beside anything but a custodian.
    #[error(
        "an `administrator` can only be `custodian` too: who decides about people does no work on devices"
    )]
    AdministratorAlone,
}

impl Roles {
    /// The set of `roles`, in any order; one that comes twice counts once.
    pub fn new(roles: impl IntoIterator<Item = Role>) -> Result<Self, RolesRefused> {
        let set = Self(roles.into_iter().fold(0, |set, role| set | role.bit()));
        let beyond = |allowed: &[Role]| set.iter().any(|role| !allowed.contains(&role));
        if set.0 == 0 {
            Err(RolesRefused::Empty)
        } else if set.has(Role::Qa) && beyond(&[Role::Qa]) {
            Err(RolesRefused::QaAlone)
        } else if set.has(Role::Administrator) && beyond(&[Role::Administrator, Role::Custodian]) {
            Err(RolesRefused::AdministratorAlone)
        } else {
            Ok(set)
        }
    }

    /// Whether `role` is among them.
    #[must_use]
    pub const fn has(self, role: Role) -> bool {
        self.0 & role.bit() != 0
    }

    /// The roles, in the order of [`Role::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Role> {
        Role::ALL.into_iter().filter(move |role| self.has(*role))
    }
}

impl From<Role> for Roles {
    /// Each role can stand alone.
    fn from(role: Role) -> Self {
        Self(role.bit())
    }
}

impl fmt::Display for Roles {
    /// `operator+repair`: in the order of [`Role::ALL`], so that a set has one spelling.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, role) in self.iter().enumerate() {
            write!(f, "{}{role}", if place == 0 { "" } else { "+" })?;
        }
        Ok(())
    }
}

impl FromStr for Roles {
    type Err = RolesRefused;

    /// Role names joined by `+`, in any order, none twice.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() {
            return Err(RolesRefused::Empty);
        }
        let mut roles = Vec::new();
        for word in text.split('+') {
            let role: Role = word.parse()?;
            if roles.contains(&role) {
                return Err(RolesRefused::Twice(role));
            }
            roles.push(role);
        }
        Self::new(roles)
    }
}

#[cfg(test)]
mod tests {
    use super::Role::*;
    use super::*;

    /// Whether the two can be one person's, written out for each pair.
    const PAIRS: [(Role, Role, bool); 15] = [
        (Operator, Repair, true),
        (Operator, Supervisor, true),
        (Operator, Custodian, true),
        (Operator, Qa, false),
        (Operator, Administrator, false),
        (Repair, Supervisor, true),
        (Repair, Custodian, true),
        (Repair, Qa, false),
        (Repair, Administrator, false),
        (Supervisor, Custodian, true),
        (Supervisor, Qa, false),
        (Supervisor, Administrator, false),
        (Custodian, Qa, false),
        (Custodian, Administrator, true),
        (Qa, Administrator, false),
    ];

    #[test]
    fn each_pair_of_roles_is_allowed_or_refused() {
        for (one, other, allowed) in PAIRS {
            for pair in [[one, other], [other, one]] {
                assert_eq!(Roles::new(pair).is_ok(), allowed, "{pair:?}");
                let text = format!("{}+{}", pair[0], pair[1]);
                assert_eq!(text.parse::<Roles>(), Roles::new(pair), "{text}");
            }
        }
        for role in Role::ALL {
            assert_eq!(Roles::new([role]), Ok(role.into()), "{role} alone");
            assert_eq!(Roles::new([role, role]), Ok(role.into()), "{role} twice");
        }
    }

    #[test]
    fn set_is_allowed_if_each_pair_in_it_is() {
        for bits in 0..64u8 {
            let roles: Vec<_> = Role::ALL.into_iter().filter(|role| bits & role.bit() != 0).collect();
            let bad = PAIRS.iter().any(|(a, b, allowed)| !allowed && roles.contains(a) && roles.contains(b));
            let set = Roles::new(roles.iter().copied());
            assert_eq!(set.is_ok(), !bad && !roles.is_empty(), "{roles:?}");
            if let Ok(set) = set {
                assert_eq!(set.iter().collect::<Vec<_>>(), roles);
                assert_eq!(set.to_string().parse(), Ok(set));
                assert!(Role::ALL.iter().all(|role| set.has(*role) == roles.contains(role)));
            }
        }
    }

    #[test]
    fn refusal_says_which_rule_it_was() {
        let rows = [
            ("", RolesRefused::Empty),
            ("admin", RolesRefused::Unknown("admin".to_owned())),
            ("operator+", RolesRefused::Unknown(String::new())),
            ("Operator", RolesRefused::Unknown("Operator".to_owned())),
            ("repair+repair", RolesRefused::Twice(Repair)),
            ("qa+custodian", RolesRefused::QaAlone),
            ("administrator+qa", RolesRefused::QaAlone),
            ("administrator+supervisor+custodian", RolesRefused::AdministratorAlone),
        ];
        for (text, refused) in rows {
            assert_eq!(text.parse::<Roles>(), Err(refused), "{text:?}");
        }
        let spelled = "supervisor+custodian+repair".parse::<Roles>().map(|set| set.to_string());
        assert_eq!(spelled, Ok("repair+supervisor+custodian".to_owned()));
    }
}
