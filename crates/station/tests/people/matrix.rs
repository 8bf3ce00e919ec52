//! Every action, for every set of roles that a person may have, in every state of a session: held against a table that was
//! written by hand from the security requirements, and not against the policy.

use std::collections::HashMap;

use keystation::people::{Action, Away, Person, Request};
use keystation_core::role::{Role, Roles};

use super::support::{ADMINS, Bench, pin};

/// Action; to whom it is open: `*` anyone, `+` whoever is signed in, `~` the same while the screen is locked, letters for
/// roles (operator, repair, supervisor, custodian, qa, administrator); `2` if another person has to approve, who has one of
/// these roles too, or with `^` a supervisor; `1` if a one-time PIN is enough.
const TABLE: &str = "
first-start    *
sign-in        *
overview       *
watch          *
ports          *
selftest       *
read-log       *
verify-log     *
copy-log       *
anchor-request *
witness        *
lock           ~1
sign-out       ~1
touch          +1
change-pin     +1
inject         ors
acknowledge    ors
put-back       s
orders         ors
own-shift      ors
unlock         orsc
check          rsq
look           rsq
rekey          rs2^
continue-rekey rs
close-rekey    rs
search-room    rsqa
audit-room     sqa
save-proof     sqa
sign-review    q
report         sq
create-order   s
open-order     ors
close-order    s
raise-quota    sa2
scrap          s
scrap-device   rs2^
revoke-device  rs2^
replace-device rs2^
restore-device rs2^
list-cleanup   rs
cleaned-up     rs2^
reprint        rs
deliver        sa
export         sqa
anchor-accept  sqa
keys           scqa
import-key     c2
take-transfer  c2
recipient      c
ceremony       c
activate-key   c2
suspend-key    sc
destroy-key    c2
people         sqa
add-person     a2
set-roles      a2
disable-person a2
enable-person  a2
reset-pin      a2
set-badge      a2
set-name       a
forget-name    a
accept-clock   sa2
new-epoch      a2
backup         a
copy-station   *
restore        a2
diagnose       *
rebuild        a
";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    None,
    MustChangePin,
    Open,
    Away,
    Expired,
}

fn letter(role: Role) -> char {
    match role {
        Role::Operator => 'o',
        Role::Repair => 'r',
        Role::Supervisor => 's',
        Role::Custodian => 'c',
        Role::Qa => 'q',
        Role::Administrator => 'a',
    }
}

/// What the table says, approval apart.
fn expected(row: &str, state: State, roles: Roles) -> Result<(), &'static str> {
    let open_to = |kind: char| row.contains(kind);
    if open_to('*') {
        return Ok(());
    }
    match state {
        State::None => return Err("no-session"),
        State::Expired => return Err("expired"),
        State::Away if !open_to('~') => return Err("away"),
        State::MustChangePin if !open_to('1') => return Err("pin-change"),
        State::Open | State::Away | State::MustChangePin => {}
    }
    if open_to('~') || open_to('+') || roles.iter().any(|role| open_to(letter(role))) {
        Ok(())
    } else {
        Err("role")
    }
}

/// All sets of roles that one person may have: counted by hand there are 15 of the four that combine, QA, and the
/// administrator alone and as a custodian.
fn legal() -> Vec<Roles> {
    let sets = (1..64_u8).filter_map(|bits| {
        Roles::new(
            Role::ALL.into_iter().enumerate().filter(|(at, _)| bits >> at & 1 == 1).map(|(_, role)| role),
        )
        .ok()
    });
    let sets: Vec<_> = sets.collect();
    assert_eq!(sets.len(), 15 + 1 + 2);
    sets
}

struct Trial {
    bench: Bench,
    table: HashMap<&'static str, &'static str>,
    tried: usize,
    allowed: u32,
    refused: usize,
}

impl Trial {
    /// Asks for every action.
    fn every_action(&mut self, state: State, user: &str, roles: Roles) {
        for action in Action::ALL {
            let row = self.table[action.word()];
            let mut expected = expected(row, state, roles);
            if row.contains('2') {
                expected = expected.and(Err("approval-missing"));
            }
            let permit = self.bench.station.permit(action);
            let told = format!("{action} in {state:?} as {roles}");
            match &permit {
                Ok(permit) => {
                    assert_eq!(expected, Ok(()), "{told}");
                    assert_eq!((permit.action(), permit.approver()), (action, ""));
                    if !row.contains('*') {
                        assert_eq!(permit.actor().operator, user, "{told}");
                        assert_eq!(permit.actor().role, roles.to_string(), "{told}");
                    }
                    self.allowed += 1;
                }
                Err(denied) => {
                    assert_eq!(expected, Err(denied.why.as_str()), "{told}");
                    assert!(denied.record.is_some() && denied.cause.is_none(), "{told}");
                    assert_eq!(denied.exit(), keystation::Exit::Refused);
                    self.refused += 1;
                }
            }
            self.tried += 1;
        }
    }

    /// Has another person approve what has to be approved: `helper` is one for everybody but themselves.
    fn every_approval(
        &mut self,
        state: State,
        roles: Roles,
        helper: impl Fn(&str) -> (&'static str, &'static str),
    ) {
        for action in Action::ALL {
            let row = self.table[action.word()];
            let request = Request { action, subject: "somebody".to_owned(), reason: String::new() };
            let (user, digits) = helper(row);
            let given = self.bench.station.approve(&request, Person::Id(user), &pin(digits));
            let expected = if row.contains('2') { expected(row, state, roles) } else { Err("state") };
            let told = format!("{action} approved in {state:?} as {roles}");
            self.tried += 1;
            match given {
                Ok(approval) => {
                    assert_eq!(expected, Ok(()), "{told}");
                    let permit = self.bench.station.permit_approved(&request, approval).unwrap();
                    assert_eq!(permit.approver(), user);
                    self.allowed += 1;
                }
                Err(error) => {
                    let keystation::people::ApproveError::Denied(denied) = error else {
                        panic!("{told}: {error}")
                    };
                    assert_eq!(expected, Err(denied.why.as_str()), "{told}");
                    self.refused += 1;
                }
            }
        }
    }
}

#[test]
fn every_action_for_every_role_in_every_state() {
    let table: HashMap<_, _> =
        TABLE.lines().filter_map(|line| line.split_once(' ')).map(|(word, to)| (word, to.trim())).collect();
    assert_eq!(table.len(), Action::ALL.len(), "the table has a row for every action");
    let bench = Bench::with_admins();
    bench.settle("cu-9", "671425", "custodian");
    bench.settle("su-9", "418305", "supervisor");
    let mut trial = Trial { bench, table, tried: 0, allowed: 0, refused: 0 };
    let helper = |row: &str| match row {
        row if row.starts_with('c') => ("cu-9", "671425"),
        row if row.contains('^') => ("su-9", "418305"),
        _ => ADMINS[1],
    };
    for (number, roles) in legal().into_iter().enumerate() {
        let user = format!("p-{number}");
        trial.bench.add(&user, "907153", &roles.to_string()).unwrap();
        trial.bench.station.sign_out().unwrap();
        trial.every_action(State::None, "", roles);
        trial.every_approval(State::None, roles, helper);
        trial.bench.sign_in(&user, "907153").unwrap();
        trial.every_action(State::MustChangePin, &user, roles);
        trial.every_approval(State::MustChangePin, roles, helper);
        trial.bench.station.change_pin(&pin("907153"), &pin("764201")).unwrap();
        trial.every_action(State::Open, &user, roles);
        trial.every_approval(State::Open, roles, helper);
        trial.bench.station.away(Away::Asked).unwrap();
        trial.every_action(State::Away, &user, roles);
        trial.every_approval(State::Away, roles, helper);
        trial.bench.hands.pass(12 * 3600);
        trial.every_action(State::Expired, &user, roles);
        trial.every_approval(State::Expired, roles, helper);
    }
    let Trial { bench, tried, allowed, refused, .. } = trial;
    println!("{tried} requests: {allowed} allowed, {refused} refused");
    assert_eq!(tried, Action::ALL.len() * 18 * 5 * 2);
    let why = bench.records("policy.refuse", "why");
    assert_eq!(why.len(), refused, "every refusal is a record");
}
