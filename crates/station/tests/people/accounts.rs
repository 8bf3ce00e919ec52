//! Accounts: the first two, and what two administrators change.

use keystation::people::{Action, PersonError, SessionState, SignInError};
use keystation::{Exit, StationError};

use super::support::{ADMINS, Bench, badge_of, person, pin};

fn refused(result: Result<(), StationError>) -> PersonError {
    match result {
        Err(StationError::Person(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_new_station_has_nobody_and_the_first_start_makes_two() {
    let bench = Bench::new();
    assert!(bench.station.is_new().unwrap());
    for (user, digits) in [("admin", "493027"), ("op-0117", "493027"), ("ad-1", "493027")] {
        let refused = bench.sign_in(user, digits);
        assert!(matches!(refused, Err(SignInError::Unknown)), "there is no default account: {refused:?}");
    }
    let two = |a: &str, b: &str| (person("ad-1", "493027", a), person("ad-2", "580316", b));
    let begin = |(first, second)| bench.station.begin(first, second);
    assert_eq!(refused(begin(two("administrator", "supervisor"))), PersonError::NotAdministrators);
    let (first, mut second) = two("administrator", "administrator");
    second.user = "ad-1".to_owned();
    assert_eq!(refused(begin((first, second))), PersonError::OnePerson);
    let (first, mut second) = two("administrator", "administrator");
    second.badge = Some(badge_of("ad-1"));
    assert_eq!(refused(begin((first, second))), PersonError::OnePerson);
    assert!(bench.records("user.add", "user").is_empty());
    begin(two("administrator", "administrator+custodian")).unwrap();
    assert_eq!(bench.records("user.add", "user"), ["ad-1", "ad-2"]);
    assert_eq!(bench.records("user.add", "op2"), ["ad-2", "ad-1"]);
    assert!(!bench.station.is_new().unwrap());
    assert_eq!(refused(begin(two("administrator", "administrator"))), PersonError::NotNew);
    bench.sign_in("ad-1", "493027").unwrap();
    assert!(matches!(bench.station.session(), SessionState::Open(session) if session.user == "ad-1"));
}

#[test]
fn an_id_is_given_once() {
    let bench = Bench::with_admins();
    bench.settle("cu-1", "671425", "custodian");
    assert_eq!(refused(bench.add("cu-1", "671425", "custodian")), PersonError::Known("cu-1".to_owned()));
    let approval = bench.approved(Action::DisablePerson, "cu-1", "left").unwrap();
    bench.station.disable("cu-1", "left", approval).unwrap();
    assert!(matches!(bench.sign_in("cu-1", "671425"), Err(SignInError::Disabled)));
    // Deleted is disabled, and made anew is enabled: what it entered, it entered.
    let bench = bench.restart();
    assert_eq!(refused(bench.add("cu-1", "671425", "custodian")), PersonError::Known("cu-1".to_owned()));
    let approval = bench.approved(Action::EnablePerson, "cu-1", "back").unwrap();
    bench.station.enable("cu-1", "back", approval).unwrap();
    bench.sign_in("cu-1", "671425").unwrap();
    assert_eq!(bench.records("policy.refuse", "why"), ["state", "state"]);
}

#[test]
fn two_administrators_remain() {
    let bench = Bench::with_admins();
    bench.sign_in(ADMINS[0].0, ADMINS[0].1).unwrap();
    for user in ["ad-1", "ad-2"] {
        let approval = bench.approved(Action::DisablePerson, user, "left").unwrap();
        let disabled = bench.station.disable(user, "left", approval);
        assert_eq!(disabled.as_ref().unwrap_err().exit(), Exit::Refused);
        assert_eq!(refused(disabled), PersonError::LastAdministrators);
        let approval = bench.approved(Action::SetRoles, &format!("{user} qa"), "").unwrap();
        let changed = bench.station.set_roles(user, "qa".parse().unwrap(), approval);
        assert_eq!(refused(changed), PersonError::LastAdministrators);
    }
    bench.settle("ad-3", "671425", "administrator");
    bench.sign_in(ADMINS[0].0, ADMINS[0].1).unwrap();
    let approval = bench.approved(Action::SetRoles, "ad-3 qa", "").unwrap();
    bench.station.set_roles("ad-3", "qa".parse().unwrap(), approval).unwrap();
    let approval = bench.approved(Action::SetRoles, "ad-2 supervisor", "").unwrap();
    let changed = bench.station.set_roles("ad-2", "supervisor".parse().unwrap(), approval);
    assert_eq!(refused(changed), PersonError::LastAdministrators);
}

/// With two, a PIN that one of them forgets can be given by nobody: the list says so while there is time.
#[test]
fn fewer_than_three_administrators_are_said_to_be_too_few() {
    let bench = Bench::with_admins();
    let few = || {
        bench.sign_in(ADMINS[0].0, ADMINS[0].1).unwrap();
        let list = bench.station.accounts(&bench.station.permit(Action::People).unwrap()).unwrap();
        let few = list.into_iter().filter(|person| person.irreplaceable).map(|person| person.user);
        few.collect::<Vec<_>>().join(" ")
    };
    bench.settle("su-1", "764201", "supervisor");
    assert_eq!(few(), "ad-1 ad-2");
    bench.settle("ad-3", "671425", "administrator+custodian");
    assert_eq!(few(), "");
    // What they are to each other: two others give a PIN.
    let approval = bench.approved(Action::ResetPin, "ad-3", "").unwrap();
    bench.station.reset_pin("ad-3", &pin("907153"), approval).unwrap();
    let approval = bench.approved(Action::DisablePerson, "ad-3", "left").unwrap();
    bench.station.disable("ad-3", "left", approval).unwrap();
    assert_eq!(few(), "ad-1 ad-2", "disabled is not there");
}

#[test]
fn a_one_time_pin_comes_from_two_others_and_opens_the_choice_of_another_only() {
    let bench = Bench::with_admins();
    bench.settle("op-1", "671425", "operator");
    bench.sign_in(ADMINS[0].0, ADMINS[0].1).unwrap();
    for user in ["ad-1", "ad-2"] {
        let approval = bench.approved(Action::ResetPin, user, "").unwrap();
        assert_eq!(refused(bench.station.reset_pin(user, &pin("907153"), approval)), PersonError::OwnPin);
    }
    let approval = bench.approved(Action::ResetPin, "op-1", "").unwrap();
    bench.station.reset_pin("op-1", &pin("907153"), approval).unwrap();
    assert!(matches!(bench.sign_in("op-1", "671425"), Err(SignInError::Wrong { tries_left: 9 })));
    bench.sign_in("op-1", "907153").unwrap();
    assert!(bench.station.permit(Action::Inject).is_err_and(|denied| denied.code() == "pin-change"));
    bench.station.change_pin(&pin("907153"), &pin("764201")).unwrap();
    bench.station.permit(Action::Inject).unwrap();
    bench.station.sign_out().unwrap();
    assert!(bench.sign_in("op-1", "907153").is_err());
    bench.sign_in("op-1", "764201").unwrap();
    assert_eq!(bench.records("user.cred", "why"), ["chosen", "reset", "chosen"]);
}
