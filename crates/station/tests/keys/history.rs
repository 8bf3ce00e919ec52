//! R02: whoever gave one component of a key never gives another one, whatever has happened since.

use keystation::ceremony::{Abort, CeremonyError, CeremonyOrder};
use keystation::people::{Action, NewPerson, Person, Pin, Request};
use keystation_core::record::DenialReason;

use crate::support::{Bench, PAPERS, key_of, new_key, order, part, pin_of, secret};

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

/// Three components; their texts are what says which key they are of.
fn papers() -> [String; 3] {
    ["first", "second", "third"].map(key_of)
}

/// Nothing of what is said of the key is the same twice.
fn said_anew(number: usize) -> CeremonyOrder {
    let mut order = CeremonyOrder { parts: 3, ..order(&format!("gk-{number}")) };
    order.check_value = format!("AAAAA-{number:05}").parse().unwrap();
    order.key.group = format!("group-{number}").parse().unwrap();
    order.key.scope = format!("0ne00EMU{number:03}").parse().unwrap();
    order
}

impl Bench {
    /// A ceremony of `order` in which these people give these papers, one after the other, each confirmed.
    fn told(&self, order: CeremonyOrder, sides: &[(u8, &str)]) -> Result<(), CeremonyError> {
        let own: Vec<_> = sides.iter().map(|(number, user)| (*number, *user, *number)).collect();
        self.taken_for(order, &own)
    }

    /// The same, where the number of a paper may be another than that of the place in which it is given.
    fn taken_for(&self, order: CeremonyOrder, sides: &[(u8, &str, u8)]) -> Result<(), CeremonyError> {
        self.sign_in("cu-1");
        let permit = self.station.permit(Action::Ceremony).unwrap();
        self.station.ceremony_begin(&permit, order).unwrap();
        let given = sides.iter().try_for_each(|(number, user, paper)| {
            self.seat(*number, user)?;
            let text = secret(&papers()[usize::from(*paper) - 1]);
            let check = self.station.ceremony_component(part(*number), &text)?;
            self.station.ceremony_confirm(part(*number), &check.to_string())
        });
        self.station.ceremony_abort(&permit).unwrap();
        given
    }

    fn last_abort(&self) -> String {
        self.records("gk.abort", "why").pop().unwrap()
    }
}

/// Six orderings of two of three components by one person, each with another label, group, scope and check value the second
/// time: the component of somebody else says that it is the same key, whether it comes before theirs or after.
#[test]
fn a_key_is_the_same_by_its_components_whatever_is_said_of_it() {
    let bench = Bench::new();
    let mut number = 0;
    for (first, second) in [(1, 2), (2, 1), (1, 3), (3, 1), (2, 3), (3, 2)] {
        // A station of its own for each: texts that were seen before tell more.
        for somebody_first in [true, false] {
            let bench = Bench::new();
            number += 2;
            bench.told(said_anew(number), &[(first, "cu-2")]).unwrap();
            let (theirs, own) = ((first, "cu-3"), (second, "cu-2"));
            let sides = if somebody_first { [theirs, own] } else { [own, theirs] };
            let again = bench.told(said_anew(number + 1), &sides);
            if somebody_first {
                assert!(is_history(&again), "{first} then {second}: {again:?}");
                assert_eq!(bench.records("gk.component", "part").len(), 2, "theirs is not taken");
            } else {
                assert!(matches!(again, Err(CeremonyError::Aborted(Abort::OnePerson))), "{again:?}");
                assert_eq!(bench.last_abort(), "one-person");
            }
        }
    }
    // What they may give is what they gave, under whatever name.
    bench.told(said_anew(1), &[(1, "cu-2")]).unwrap();
    bench.told(said_anew(2), &[(1, "cu-2"), (2, "cu-3")]).unwrap();
}

/// A component that was given in the place of another was given: whoever did has both with the one that belongs there. The key
/// does not care about the order of its components.
#[test]
fn a_component_is_known_again_in_the_place_of_another() {
    for same_key in [true, false] {
        for own_first in [true, false] {
            let bench = Bench::new();
            let second = if same_key { said_anew(1) } else { said_anew(2) };
            // cu-2 has the paper of component 1 and sits at component 2.
            bench.taken_for(said_anew(1), &[(2, "cu-2", 1)]).unwrap();
            let (theirs, own) = ((1, "cu-3", 1), (2, "cu-2", 2));
            let sides = if own_first { [own, theirs] } else { [theirs, own] };
            let again = bench.taken_for(second, &sides);
            assert!(matches!(again, Err(CeremonyError::Aborted(Abort::OnePerson))), "{again:?}");
            assert_eq!(bench.last_abort(), "one-person");
        }
    }
}

/// The last component of a key tells it, too: who has it by a ceremony in between is found when it is entered.
#[test]
fn a_component_leads_to_the_key_over_a_ceremony_in_between() {
    let bench = Bench::new();
    // cu-2 has component 1 of gk-1; the component 2 of gk-1 was given by cu-3 in a ceremony of that label.
    bench.told(said_anew(1), &[(1, "cu-2")]).unwrap();
    bench.told(said_anew(1), &[(2, "cu-3")]).unwrap();
    // And now cu-2 enters component 2 as one of quite another key.
    let again = bench.told(said_anew(2), &[(2, "cu-2")]);
    assert!(matches!(again, Err(CeremonyError::Aborted(Abort::OnePerson))), "{again:?}");
    assert_eq!(
        bench.records("gk.component", "op"),
        ["cu-2", "cu-3", "cu-2"],
        "it was seen: it has its record"
    );
    // With what came of it: it was judged before it was recorded.
    assert_eq!(bench.records("gk.component", "rc"), ["", "", "refused"]);
    // From then on nobody makes that key of these papers: one person has had both.
    let others = bench.told(said_anew(3), &[(1, "cu-1"), (2, "ad-1")]);
    assert!(matches!(others, Err(CeremonyError::Aborted(Abort::OnePerson))), "{others:?}");
}

/// Somebody who says of one ceremony what belongs to two keys joins them for nobody else: that is said, and no component shows it.
#[test]
fn a_lie_about_a_key_bars_nobody_from_another() {
    let bench = Bench::new();
    let lie = || {
        let (mut lie, other) = (said_anew(1), said_anew(2));
        (lie.check_value, lie.key.scope) = (other.check_value, "0ne00EMU999".parse().unwrap());
        lie
    };
    // cu-2 gave component 1 of the first key; cu-3 says that the label of that one and the check value of the second are of one key.
    bench.told(said_anew(1), &[(1, "cu-2")]).unwrap();
    bench.taken_for(lie(), &[(3, "cu-3", 3)]).unwrap();
    // Another component of the second key is another key's.
    bench
        .taken_for(said_anew(2), &[(2, "cu-2", 2)])
        .expect("nothing but a lie leads from one key to the other");
    // Of what they said themselves they are held to every word: here the label of the first, where cu-2 gave component 1.
    let again = bench.told(lie(), &[(2, "cu-2")]);
    assert!(is_history(&again), "{again:?}");
    // And no key is made of what one person has had.
    let others = bench.told(said_anew(3), &[(1, "cu-1"), (2, "cu-3")]);
    assert!(matches!(others, Err(CeremonyError::Aborted(Abort::OnePerson))), "{others:?}");
}

/// Whoever enters both papers under two names of the key has them both; the ceremony of two others finds it out.
#[test]
fn papers_that_one_person_entered_under_two_names_make_no_key() {
    let bench = Bench::new();
    bench.told(said_anew(1), &[(1, "cu-2")]).unwrap();
    bench.told(said_anew(2), &[(2, "cu-2")]).expect("nothing says that this is the same key");
    let others = bench.told(said_anew(3), &[(1, "cu-1"), (2, "cu-3")]);
    assert!(matches!(others, Err(CeremonyError::Aborted(Abort::OnePerson))), "{others:?}");
    assert_eq!(bench.last_abort(), "one-person");
    assert_eq!(bench.station.ceremony().unwrap().aborted, Some(Abort::OnePerson));
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
    bench.sign_in("ad-2"); // who is no custodian, so that only this rule refuses it
    let request =
        Request { action: Action::AddPerson, subject: "cu-2 custodian".to_owned(), reason: String::new() };
    let approval = bench.station.approve(&request, Person::Id("ad-1"), &pin_of("ad-1")).unwrap();
    let again = keystation::people::NewPerson {
        user: "cu-2".to_owned(),
        roles: "custodian".parse().unwrap(),
        badge: None,
        pin: keystation::people::Pin::new("907153").unwrap(),
    };
    assert_eq!(bench.station.add_person(again, approval).unwrap_err().code(), "person-exists");
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
    // Who has given the role back still is the custodian who gave a component.
    bench.sign_in("ad-2");
    let (action, subject) = (Action::SetRoles, "ad-1 administrator".to_owned());
    let request = Request { action, subject, reason: String::new() };
    let agreed = station.approve(&request, Person::Id("ad-1"), &pin_of("ad-1")).unwrap();
    station.set_roles("ad-1", "administrator".parse().unwrap(), agreed).unwrap();
    let custodian = "custodian".parse().unwrap();
    let again = station.set_roles("op-7", custodian, approval(Action::SetRoles, "op-7 custodian"));
    assert_eq!(again.unwrap_err().code(), "own-interest");
}
