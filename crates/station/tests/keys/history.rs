//! R02: whoever gave one component of a key never gives another one, whatever has happened since.

use keystation::ceremony::{CeremonyError, CeremonyOrder};
use keystation::people::{Action, NewPerson, Person, Pin, Request};
use keystation_core::record::DenialReason;

use crate::support::{Bench, PAPERS, new_key, order, part, pin_of, secret};

impl Bench {
    /// A ceremony of `order` in which these people give these components, and which is then given up.
    fn attempt(&self, order: CeremonyOrder, sides: &[(u8, &str)]) -> Result<(), CeremonyError> {
        self.sign_in("cu-1");
        let permit = self.station.permit(Action::Ceremony).unwrap();
        self.station.ceremony_begin(&permit, order).unwrap();
        let given = sides.iter().try_for_each(|(number, user)| {
            self.seat(*number, user)?;
            self.station
                .ceremony_component(part(*number), &secret(PAPERS[usize::from(*number) % 2].0))
                .map(drop)
        });
        self.station.ceremony_abort(&permit).unwrap();
        given
    }

    fn change_account(&self, action: Action, user: &str) {
        self.sign_in("ad-2"); // who is no custodian
        let request = Request { action, subject: user.to_owned(), reason: "leave".to_owned() };
        let approval = self.station.approve(&request, Person::Id("ad-1"), &pin_of("ad-1")).unwrap();
        match action {
            Action::DisablePerson => self.station.disable(user, "leave", approval).unwrap(),
            _ => self.station.enable(user, "leave", approval).unwrap(),
        }
    }
}

fn is_history(result: &Result<(), CeremonyError>) -> bool {
    matches!(result, Err(CeremonyError::Denied(denied)) if denied.why == DenialReason::State && denied.record.is_some())
}

/// Six orderings of two attempts at a key of three components: each pair of different components is refused to one person,
/// and the same one is not.
#[test]
fn no_second_component_in_a_later_attempt() {
    let bench = Bench::new();
    let three = |name: &str| CeremonyOrder { parts: 3, ..order(name) };
    let mut refused = 0;
    for (number, (first, second)) in [(1, 2), (2, 1), (1, 3), (3, 1), (2, 3), (3, 2)].into_iter().enumerate()
    {
        let user = format!("cu-1{number}");
        bench.add(&user, "custodian");
        let name = format!("gk-{number}");
        let order = CeremonyOrder {
            check_value: format!("00000-0000{number}").parse().unwrap(),
            key: keystation_vault::NewKey {
                group: format!("group-{number}").parse().unwrap(),
                ..new_key(&name)
            },
            ..three(&name)
        };
        bench.attempt(order.clone(), &[(first, &user)]).unwrap();
        let later = bench.attempt(order.clone(), &[(second, &user)]);
        assert!(is_history(&later), "{first} then {second}: {later:?}");
        bench.attempt(order, &[(first, &user)]).unwrap();
        refused += 1;
    }
    assert_eq!((refused, bench.records("policy.refuse", "why").len()), (6, 6));
}

/// The same key may be meant under another label, with another check value, or as the successor in its slot.
#[test]
fn a_key_is_the_same_by_its_label_its_check_value_or_its_slot() {
    let bench = Bench::new();
    bench.attempt(order("gk-a"), &[(1, "cu-2")]).unwrap();
    let elsewhere = || {
        let mut order = order("gk-b");
        order.key.group = "line-8".parse().unwrap();
        order.check_value = "11111-11111".parse().unwrap();
        order
    };
    bench.attempt(elsewhere(), &[(2, "cu-2")]).unwrap();
    let mut by_label = elsewhere();
    by_label.key.label = "gk-a".parse().unwrap();
    let mut by_check = elsewhere();
    (by_check.check_value, by_check.key.label) = (order("gk-a").check_value, "gk-c".parse().unwrap());
    by_check.key.group = "line-9".parse().unwrap();
    let mut by_slot = order("gk-d");
    by_slot.check_value = "22222-22222".parse().unwrap();
    for same in [by_label, by_check, by_slot.clone()] {
        let again = bench.attempt(same.clone(), &[(2, "cu-2")]);
        assert!(is_history(&again), "{same:?}: {again:?}");
    }
    by_slot.key.slot = "secondary".parse().unwrap();
    bench.attempt(by_slot, &[(2, "cu-2")]).unwrap();
}

/// An account that was disabled and enabled, and a station that was started anew.
#[test]
fn it_holds_over_the_end_of_an_account_and_of_the_program() {
    let bench = Bench::new();
    bench.attempt(order("gk-a"), &[(1, "cu-2")]).unwrap();
    bench.change_account(Action::DisablePerson, "cu-2");
    bench.sign_in("cu-1");
    let gone = bench.attempt(order("gk-a"), &[(1, "cu-2")]);
    assert!(matches!(gone, Err(CeremonyError::SignIn(_))), "{gone:?}");
    bench.change_account(Action::EnablePerson, "cu-2");
    let bench = bench.restart();
    assert!(is_history(&bench.attempt(order("gk-a"), &[(2, "cu-2")])));
    bench.attempt(order("gk-a"), &[(1, "cu-2")]).unwrap();
    // An ID is never given to another account, so there is no way to begin without a history.
    bench.sign_in("ad-1");
    let request =
        Request { action: Action::AddPerson, subject: "cu-2 custodian".to_owned(), reason: String::new() };
    let approval = bench.station.approve(&request, Person::Id("ad-2"), &pin_of("ad-2")).unwrap();
    let again = keystation::people::NewPerson {
        user: "cu-2".to_owned(),
        roles: "custodian".parse().unwrap(),
        badge: None,
        pin: keystation::people::Pin::new("907153").unwrap(),
    };
    assert!(bench.station.add_person(again, approval).is_err());
}

/// One person with two accounts would be both custodians.
#[test]
fn a_custodian_gives_nobody_else_the_means_of_one() {
    let bench = Bench::new();
    bench.add("op-7", "operator");
    let (once, station) = (Pin::new("907153").unwrap(), &bench.station);
    let approval = |action: Action, subject: &str| {
        bench.sign_in("ad-1");
        let request = Request { action, subject: subject.to_owned(), reason: String::new() };
        station.approve(&request, Person::Id("ad-2"), &pin_of("ad-2")).unwrap()
    };
    let new = NewPerson {
        user: "cu-9".to_owned(),
        roles: "custodian".parse().unwrap(),
        badge: None,
        pin: Pin::new("907153").unwrap(),
    };
    for refused in [
        station.add_person(new, approval(Action::AddPerson, "cu-9 custodian")),
        station.set_roles("op-7", "custodian".parse().unwrap(), approval(Action::SetRoles, "op-7 custodian")),
        station.reset_pin("cu-1", &once, approval(Action::ResetPin, "cu-1")),
    ] {
        assert_eq!(refused.unwrap_err().code(), "own-interest");
    }
    station.reset_pin("op-7", &once, approval(Action::ResetPin, "op-7")).unwrap();
}
