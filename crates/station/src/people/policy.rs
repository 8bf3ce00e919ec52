//! Who may do what. What is not said here is refused.

use keystation_core::role::{Role, Roles};

use super::action::Action;

/// Whom an action is open to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// Whoever stands before the station.
    Anyone,
    /// Whoever is signed in.
    Signed,
    /// Whoever is signed in and has one of these roles.
    Session(&'static [Role]),
}

/// What an action asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Whom it is open to.
    pub who: Who,
    /// Whether it is open while the session is locked.
    pub while_away: bool,
    /// Whether it is open to somebody who still has a one-time PIN.
    pub one_time_pin: bool,
    /// In which roles another person has to approve it, if one has to.
    pub approval: Option<&'static [Role]>,
}

const BENCH: &[Role] = &[Role::Operator, Role::Repair, Role::Supervisor];
pub(super) const KEEPERS: &[Role] = &[Role::Operator, Role::Repair, Role::Supervisor, Role::Custodian];
const CHECKERS: &[Role] = &[Role::Repair, Role::Supervisor, Role::Qa];
const SEARCHERS: &[Role] = &[Role::Repair, Role::Supervisor, Role::Qa, Role::Administrator];
const REPAIRERS: &[Role] = &[Role::Repair, Role::Supervisor];
const AUDITORS: &[Role] = &[Role::Supervisor, Role::Qa, Role::Administrator];
const REPORTERS: &[Role] = &[Role::Supervisor, Role::Qa];
const SUPERVISORS: &[Role] = &[Role::Supervisor];
const REVIEWERS: &[Role] = &[Role::Qa];
const KEY_READERS: &[Role] = &[Role::Supervisor, Role::Custodian, Role::Qa, Role::Administrator];
const CUSTODIANS: &[Role] = &[Role::Custodian];
const STOPPERS: &[Role] = &[Role::Supervisor, Role::Custodian];
const ADMINISTRATORS: &[Role] = &[Role::Administrator];
const HEADS: &[Role] = &[Role::Supervisor, Role::Administrator];

/// What `action` asks for.
#[must_use]
pub const fn rule(action: Action) -> Rule {
    match action {
        Action::FirstStart
        | Action::SignIn
        | Action::Overview
        | Action::Watch
        | Action::Ports
        | Action::Selftest
        | Action::ReadLog
        | Action::VerifyLog
        | Action::CopyLog
        | Action::CopyStation
        | Action::Diagnose
        | Action::AnchorRequest
        | Action::Witness => Rule { who: Who::Anyone, while_away: true, one_time_pin: true, approval: None },
        Action::Lock | Action::SignOut => {
            Rule { who: Who::Signed, while_away: true, one_time_pin: true, approval: None }
        }
        Action::Touch | Action::ChangePin => {
            Rule { who: Who::Signed, while_away: false, one_time_pin: true, approval: None }
        }
        Action::Inject | Action::Acknowledge | Action::Orders | Action::OpenOrder | Action::OwnShift => {
            alone(BENCH)
        }
        Action::PutBack | Action::CreateOrder | Action::CloseOrder | Action::Scrap => alone(SUPERVISORS),
        Action::Reprint => alone(REPAIRERS),
        Action::Deliver => alone(HEADS),
        Action::Unlock => alone(KEEPERS),
        Action::Check | Action::Look => alone(CHECKERS),
        Action::Rekey => Rule { approval: Some(SUPERVISORS), ..alone(REPAIRERS) },
        Action::ContinueRekey | Action::CloseRekey => alone(REPAIRERS),
        Action::SearchRoom => alone(SEARCHERS),
        Action::AuditRoom | Action::SaveProof | Action::Export | Action::AnchorAccept | Action::People => {
            alone(AUDITORS)
        }
        Action::SignReview => alone(REVIEWERS),
        Action::Report => alone(REPORTERS),
        Action::Keys => alone(KEY_READERS),
        Action::Recipient | Action::Ceremony => alone(CUSTODIANS),
        Action::SuspendKey => alone(STOPPERS),
        Action::ImportKey | Action::TakeTransfer | Action::ActivateKey | Action::DestroyKey => {
            by_two(CUSTODIANS)
        }
        Action::AddPerson
        | Action::SetRoles
        | Action::DisablePerson
        | Action::EnablePerson
        | Action::ResetPin
        | Action::SetBadge
        | Action::NewEpoch
        | Action::Restore => by_two(ADMINISTRATORS),
        Action::SetName | Action::ForgetName | Action::Rebuild | Action::Backup => alone(ADMINISTRATORS),
        Action::ScrapDevice
        | Action::RevokeDevice
        | Action::ReplaceDevice
        | Action::RestoreDevice
        | Action::CleanedUp => Rule { approval: Some(SUPERVISORS), ..alone(REPAIRERS) },
        Action::ListCleanup => alone(REPAIRERS),
        Action::AcceptClock | Action::RaiseQuota => by_two(HEADS),
    }
}

/// Whether somebody with these roles may do this at all, signed in and with nobody's approval. No record: for what only waits.
#[must_use]
pub(crate) fn may_ever(action: Action, roles: Roles) -> bool {
    match rule(action).who {
        Who::Anyone | Who::Signed => true,
        Who::Session(open_to) => open_to.iter().any(|role| roles.has(*role)),
    }
}

const fn alone(roles: &'static [Role]) -> Rule {
    Rule { who: Who::Session(roles), while_away: false, one_time_pin: false, approval: None }
}

const fn by_two(roles: &'static [Role]) -> Rule {
    Rule { approval: Some(roles), ..alone(roles) }
}

/// The table of `docs/roles.md`, in Markdown.
#[must_use]
pub fn table() -> String {
    let roles =
        [Role::Operator, Role::Repair, Role::Supervisor, Role::Custodian, Role::Qa, Role::Administrator];
    let mut text = String::from("| action | what | nobody |");
    for role in roles {
        text += &format!(" {} |", role.as_str());
    }
    text += " approved by another | while locked |\n|---|---|---|---|---|---|---|---|---|---|---|\n";
    for action in Action::ALL {
        let rule = rule(action);
        text += &format!("| `{action}` | {} |", action.meaning());
        text += if rule.who == Who::Anyone { " ✓ |" } else { " |" };
        for role in roles {
            let open = match rule.who {
                Who::Anyone | Who::Signed => true,
                Who::Session(open_to) => open_to.contains(&role),
            };
            text += if open { " ✓ |" } else { " |" };
        }
        let approvers = rule.approval.unwrap_or_default().iter().map(|role| role.as_str());
        text += &format!(" {} |", approvers.collect::<Vec<_>>().join(", "));
        text += if rule.while_away { " ✓ |\n" } else { " |\n" };
    }
    text
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn every_action_is_listed_once_under_one_word() {
        let mut words: Vec<_> = Action::ALL.iter().map(|action| action.word()).collect();
        assert!(words.iter().all(|word| word.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')));
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), Action::ALL.len());
    }

    /// Whoever may approve could also have asked: an approval is never less than the request.
    #[test]
    fn approvers_could_have_asked() {
        for action in Action::ALL {
            let Rule { who, approval, .. } = rule(action);
            if let Some(approvers) = approval {
                let Who::Session(open_to) = who else { panic!("{action} is open to anybody") };
                assert!(approvers.iter().all(|role| open_to.contains(role)), "{action}");
            }
        }
    }

    #[test]
    fn nobody_acts_on_a_locked_screen_but_to_leave() {
        for action in Action::ALL {
            let Rule { who, while_away, one_time_pin, approval } = rule(action);
            if matches!(who, Who::Session(_)) {
                assert!(!while_away && !one_time_pin, "{action}");
            } else {
                assert_eq!(approval, None, "{action}");
            }
        }
    }

    #[test]
    fn the_table_of_the_documents_is_this_one() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/roles.md");
        let kept = std::fs::read_to_string(&file).expect("docs/roles.md is there");
        let (head, _) = kept.split_once("| action |").expect("it has the table");
        let generated = format!("{head}{}", table());
        if std::env::var_os("KEYSTATION_WRITE_ROLES").is_some() {
            std::fs::write(&file, generated).expect("docs/roles.md can be written");
            return;
        }
        assert!(
            kept == generated,
            "KEYSTATION_WRITE_ROLES=1 cargo test -p keystation table_of_the_documents"
        );
    }
}
