//! A key in components.

use base64ct::{Base64, Encoding};
use keystation::ceremony::{Abort, CeremonyError, CeremonyOrder, Phase};
use keystation::people::{Action, Away, Person};
use keystation::{SecretText, StationError};
use keystation_core::record::DenialReason;
use keystation_vault::{ComponentRefused, ImportError, KeyRefused};

use crate::support::{Bench, CHECK, PAPERS, key_of, order, part, passphrase, pin_of, secret};

impl Bench {
    /// `cu-1` begins a ceremony.
    pub(crate) fn begin(&self, order: CeremonyOrder) -> Result<(), CeremonyError> {
        self.sign_in("cu-1");
        let permit = self.station.permit(Action::Ceremony).unwrap();
        self.station.ceremony_begin(&permit, order).map(drop)
    }

    pub(crate) fn seat(&self, number: u8, user: &str) -> Result<(), CeremonyError> {
        self.station.ceremony_sign_in(part(number), Person::Id(user), &pin_of(user))
    }

    fn give(&self, number: u8, text: &str) -> Result<(), CeremonyError> {
        self.station.ceremony_component(part(number), &secret(text)).map(drop)
    }

    /// A custodian with the right paper.
    pub(crate) fn whole_side(&self, number: u8, user: &str) -> Result<(), CeremonyError> {
        let (text, check) = PAPERS[usize::from(number) - 1];
        self.seat(number, user)?;
        self.give(number, text)?;
        self.station.ceremony_confirm(part(number), check)
    }

    fn change_roles(&self, user: &str, roles: &str) {
        self.sign_in("ad-1");
        let (action, subject, reason) = (Action::SetRoles, format!("{user} {roles}"), String::new());
        let request = keystation::people::Request { action, subject, reason };
        let approval = self.station.approve(&request, Person::Id("ad-2"), &pin_of("ad-2")).unwrap();
        self.station.set_roles(user, roles.parse().unwrap(), approval).unwrap();
    }

    fn phase(&self) -> Phase {
        self.station.ceremony().unwrap().phase
    }

    /// The ceremony has ended, nothing is left of it, and there is the record.
    fn assert_ended(&self, why: Abort) {
        let ended = self.station.ceremony().unwrap();
        assert_eq!((ended.phase, ended.aborted, ended.seconds_left), (Phase::Aborted, Some(why), 0));
        assert_eq!(self.records("gk.abort", "why").last().unwrap(), why.as_str());
        assert!(matches!(self.give(1, PAPERS[0].0), Err(CeremonyError::None)));
        let finish = self.station.ceremony_finish(CHECK, &passphrase());
        assert!(matches!(finish, Err(CeremonyError::None | CeremonyError::Denied(_))), "{finish:?}");
        assert_eq!(self.records("gk.import", "gk"), [""; 0]);
        assert!(!self.data.vault().exists());
    }
}

fn text_of(error: &CeremonyError) -> String {
    assert!(!error.code().is_empty() && (1..=3).contains(&error.remedy().len()), "{error:?}");
    error.to_string()
}

#[test]
fn two_custodians_make_a_key_that_neither_has() {
    for numbers in [[1, 2], [2, 1]] {
        let bench = Bench::new();
        bench.begin(order("gk-a")).unwrap();
        assert_eq!(bench.phase(), Phase::SignIn);
        let users = ["cu-1", "cu-3"];
        for (at, number) in numbers.into_iter().enumerate() {
            let user = users[usize::from(number) - 1];
            bench.seat(number, user).unwrap();
            assert_eq!(bench.phase(), Phase::Components);
            let (text, check) = PAPERS[usize::from(number) - 1];
            let found = bench.station.ceremony_component(part(number), &secret(text)).unwrap();
            assert_eq!(found.to_string(), check);
            assert!(matches!(
                bench.station.ceremony_finish(CHECK, &passphrase()),
                Err(CeremonyError::Turn(_))
            ));
            bench.station.ceremony_confirm(part(number), &check.to_lowercase()).unwrap();
            assert_eq!(bench.phase(), if at == 0 { Phase::SignIn } else { Phase::Result });
        }
        let info = bench.station.ceremony_finish("9b5bd-bec8b", &passphrase()).unwrap();
        assert_eq!((info.check_value.to_string().as_str(), info.length), (CHECK, 64));
        assert_eq!(bench.phase(), Phase::Done);
        let expected: Vec<_> = numbers.iter().map(|n| users[usize::from(*n) - 1]).collect();
        assert_eq!(bench.records("gk.component", "op"), expected);
        assert_eq!(bench.records("gk.component", "cv"), numbers.map(|n| PAPERS[usize::from(n) - 1].1));
        assert_eq!(bench.records("gk.import", "how"), ["ceremony"]);
        assert_eq!(
            (bench.records("gk.import", "op"), bench.records("gk.import", "op2")),
            (vec!["cu-1".to_owned()], vec!["cu-3".to_owned()])
        );
        assert_eq!(bench.records("auth.ok", "why").iter().filter(|why| *why == "ceremony").count(), 2);
        bench.unlock().unwrap();
        assert!(bench.station.has_key(&"gk-a".parse().unwrap()));
    }
}

#[test]
fn one_person_gives_one_component() {
    let bench = Bench::new();
    bench.begin(order("gk-a")).unwrap();
    bench.whole_side(1, "cu-1").unwrap();
    let Err(CeremonyError::Denied(denied)) = bench.seat(2, "cu-1") else { panic!("the same person") };
    assert_eq!(denied.why, DenialReason::ApprovalSamePerson);
    assert!(denied.record.is_some());
    assert!(matches!(bench.give(2, PAPERS[1].0), Err(CeremonyError::SignInFirst(2))), "nobody sits there");
    let Err(CeremonyError::Denied(denied)) = bench.seat(2, "su-1") else { panic!("no custodian") };
    assert_eq!(denied.why, DenialReason::Role);
    assert!(matches!(bench.seat(2, "nobody"), Err(CeremonyError::SignIn(_))));
    assert_eq!(bench.records("policy.refuse", "why"), ["approval-same-person", "state", "role"]);
    bench.whole_side(2, "cu-2").unwrap();
    bench.station.ceremony_finish(CHECK, &passphrase()).unwrap();
}

/// A component is given and confirmed by the person who signed in for it, with nobody else at the table in between.
#[test]
fn one_custodian_at_a_time_is_at_the_table() {
    let bench = Bench::new();
    let occupied = |bench: &Bench| {
        let second = bench.seat(2, "cu-2").unwrap_err();
        assert!(matches!(second, CeremonyError::Turn(_)), "{second:?}");
        assert_eq!(bench.records("policy.refuse", "code").pop().unwrap(), "ceremony-turn");
    };
    bench.begin(order("gk-a")).unwrap();
    bench.seat(1, "cu-1").unwrap();
    occupied(&bench);
    bench.give(1, PAPERS[0].0).unwrap();
    occupied(&bench);
    assert_eq!(
        bench.records("auth.ok", "why").iter().filter(|why| *why == "ceremony").count(),
        1,
        "nor is a PIN asked for"
    );
    bench.station.ceremony_confirm(part(1), PAPERS[0].1).unwrap();
    bench.seat(2, "cu-2").unwrap();
}

/// R03: whoever confirms is the component's custodian, and a custodian still.
#[test]
fn a_component_is_confirmed_by_its_custodian() {
    let bench = Bench::new();
    bench.begin(order("gk-a")).unwrap();
    bench.seat(1, "cu-2").unwrap();
    bench.give(1, PAPERS[0].0).unwrap();
    bench.change_roles("cu-2", "operator");
    bench.sign_in("cu-1");
    let Err(CeremonyError::Denied(denied)) = bench.station.ceremony_confirm(part(1), PAPERS[0].1) else {
        panic!("no custodian any more")
    };
    assert_eq!(denied.why, DenialReason::Role);
    assert_eq!(bench.records("policy.refuse", "op").pop(), Some("cu-1".to_owned()));
    assert!(!bench.station.ceremony().unwrap().sides[0].confirmed);
    bench.station.away(Away::Asked).unwrap();
    assert!(bench.station.ceremony_confirm(part(1), PAPERS[0].1).is_err());
}

#[test]
fn what_cannot_be_the_component_may_be_entered_again_twice() {
    let bench = Bench::new();
    bench.begin(order("gk-a")).unwrap();
    bench.seat(1, "cu-1").unwrap();
    let half = &PAPERS[0].0[..44];
    let refused = bench.give(1, half).unwrap_err();
    assert!(matches!(refused, CeremonyError::Refused { part: 1, left: 2, .. }), "{refused:?}");
    assert!(!text_of(&refused).contains(half));
    let twice = bench.give(1, &"pQ".repeat(44)).unwrap_err();
    assert!(matches!(twice, CeremonyError::Refused { left: 1, .. }), "{twice:?}");
    bench.give(1, PAPERS[0].0).unwrap();
    assert!(matches!(bench.give(1, PAPERS[0].0), Err(CeremonyError::Turn(_))), "it was given");
    assert_eq!(bench.records("gk.component", "part").len(), 1, "only what was taken has a record");

    let bench = Bench::new();
    bench.begin(order("gk-a")).unwrap();
    bench.seat(1, "cu-1").unwrap();
    for _ in 0..2 {
        let Err(CeremonyError::Refused { why, .. }) = bench.give(1, &"A".repeat(88)) else { panic!() };
        assert!(matches!(why, ComponentRefused::Text(_) | ComponentRefused::Length { .. }), "{why:?}");
    }
    assert!(matches!(bench.give(1, half), Err(CeremonyError::Aborted(Abort::Refused))));
    bench.assert_ended(Abort::Refused);
}

/// R05 at the ceremony: constant, repeated, in another alphabet, half as long.
#[test]
fn weak_components_are_refused() {
    let halves: Vec<u8> = (0..64).map(|n| n % 32).collect();
    for bytes in [vec![0xa5; 64], [0xa5, 0x5a].repeat(32), halves] {
        let bench = Bench::new();
        bench.begin(order("gk-a")).unwrap();
        bench.seat(1, "cu-1").unwrap();
        let Err(CeremonyError::Refused { why, .. }) = bench.give(1, &Base64::encode_string(&bytes)) else {
            panic!("{bytes:?}")
        };
        let weak = ComponentRefused::Text;
        assert!(
            [
                weak(KeyRefused::Constant),
                weak(KeyRefused::Repeated { bytes: 2 }),
                weak(KeyRefused::Repeated { bytes: 32 })
            ]
            .iter()
            .any(|expected| expected.to_string() == why.to_string()),
            "{why:?}"
        );
    }
}

#[test]
fn a_wrong_check_value_ends_it() {
    let wrong: [&dyn Fn(&Bench) -> CeremonyError; 4] = [
        &|bench| bench.station.ceremony_confirm(part(2), "F5DFD8").unwrap_err(),
        &|bench| bench.station.ceremony_confirm(part(2), PAPERS[0].1).unwrap_err(),
        &|bench| bench.station.ceremony_confirm(part(2), "").unwrap_err(),
        &|bench| {
            bench.station.ceremony_confirm(part(2), PAPERS[1].1).unwrap();
            bench.station.ceremony_finish("9B5BD-BEC8C", &passphrase()).unwrap_err()
        },
    ];
    for (at, wrong) in wrong.into_iter().enumerate() {
        let bench = Bench::new();
        bench.begin(order("gk-a")).unwrap();
        bench.whole_side(1, "cu-1").unwrap();
        bench.seat(2, "cu-2").unwrap();
        bench.give(2, PAPERS[1].0).unwrap();
        let error = wrong(&bench);
        let why = if at == 3 { Abort::KeyCheck } else { Abort::ComponentCheck };
        assert!(matches!(error, CeremonyError::Aborted(found) if found == why), "{error:?}");
        assert!(text_of(&error).contains("wiped"));
        bench.assert_ended(why);
    }
}

/// The papers are consistent, and are of another key than the one that the owner announced.
#[test]
fn components_of_another_key_make_none() {
    let bench = Bench::new();
    let order = CeremonyOrder { check_value: "00000-00000".parse().unwrap(), ..order("gk-a") };
    bench.begin(order).unwrap();
    bench.whole_side(1, "cu-1").unwrap();
    bench.whole_side(2, "cu-2").unwrap();
    let error = bench.station.ceremony_finish("00000-00000", &passphrase()).unwrap_err();
    assert!(matches!(error, CeremonyError::Aborted(Abort::KeyCheck)), "{error:?}");
    bench.assert_ended(Abort::KeyCheck);
}

#[test]
fn equal_components_end_it() {
    let bench = Bench::new();
    bench.begin(order("gk-a")).unwrap();
    for (number, user) in [(1, "cu-1"), (2, "cu-2")] {
        bench.seat(number, user).unwrap();
        let check = bench.station.ceremony_component(part(number), &secret(PAPERS[0].0)).unwrap();
        bench.station.ceremony_confirm(part(number), &check.to_string()).unwrap();
    }
    let error = bench.station.ceremony_finish(CHECK, &passphrase()).unwrap_err();
    assert!(matches!(error, CeremonyError::Aborted(Abort::Equal)), "{error:?}");
    bench.assert_ended(Abort::Equal);
}

/// Everything that ends a session, and whoever gives up.
#[test]
fn whoever_leaves_ends_it() {
    type End = fn(&Bench);
    let ends: [(End, Abort); 5] = [
        (|bench| bench.lock(), Abort::Locked),
        (|bench| bench.station.away(Away::Suspend).unwrap(), Abort::Locked),
        (|bench| bench.station.away(Away::Panic).unwrap(), Abort::Locked),
        (|bench| bench.station.sign_out().unwrap(), Abort::Locked),
        (
            |bench| {
                let permit = bench.station.permit(Action::Ceremony).unwrap();
                bench.station.ceremony_abort(&permit).unwrap();
            },
            Abort::Asked,
        ),
    ];
    for (end, why) in ends {
        let bench = Bench::new();
        bench.begin(order("gk-a")).unwrap();
        bench.whole_side(1, "cu-1").unwrap();
        end(&bench);
        bench.assert_ended(why);
    }
    let bench = Bench::new();
    bench.begin(order("gk-a")).unwrap();
    bench.whole_side(1, "cu-1").unwrap();
    let bench = bench.restart();
    assert_eq!(bench.records("gk.abort", "why"), ["locked"]);
    assert_eq!(bench.station.ceremony(), None);
}

#[test]
fn there_is_one_at_a_time_and_it_makes_a_new_key() {
    let bench = Bench::new();
    bench.import("gk-old", &key_of("old")).unwrap();
    let taken = bench.begin(order("gk-old")).unwrap_err();
    assert!(
        matches!(&taken, CeremonyError::Station(error) if matches!(**error, StationError::Import(ImportError::LabelTaken(_)))),
        "{taken:?}"
    );
    assert!(matches!(bench.begin(CeremonyOrder { parts: 4, ..order("gk-a") }), Err(CeremonyError::Order(_))));
    assert!(matches!(
        bench.begin(CeremonyOrder { bytes: 16, ..order("gk-a") }),
        Err(CeremonyError::Order(_))
    ));
    bench.begin(order("gk-a")).unwrap();
    assert!(matches!(bench.begin(order("gk-b")), Err(CeremonyError::Running)));
    bench.sign_in("su-1");
    assert!(bench.station.permit(Action::Ceremony).is_err(), "custodians only");
}

/// The custody does not take it: everything is there still, and the same people need not come again.
#[test]
fn a_wrong_passphrase_ends_nothing() {
    let bench = Bench::new();
    bench.import("gk-old", &key_of("old")).unwrap();
    bench.begin(order("gk-a")).unwrap();
    bench.whole_side(1, "cu-1").unwrap();
    bench.whole_side(2, "cu-2").unwrap();
    let wrong =
        keystation::Passphrase::new(SecretText::new("something else altogether".into()).unwrap()).unwrap();
    let error = bench.station.ceremony_finish(CHECK, &wrong).unwrap_err();
    assert!(matches!(error, CeremonyError::Station(_)), "{error:?}");
    assert_eq!(bench.phase(), Phase::Result);
    assert_eq!(bench.records("auth.fail", "why"), ["passphrase"]);
    bench.station.ceremony_finish(CHECK, &passphrase()).unwrap();
    assert_eq!(bench.records("gk.import", "gk"), ["gk-old", "gk-a"]);
}

/// Between component and key somebody stops being a custodian.
#[test]
fn roles_are_those_that_the_log_has_at_the_end() {
    let bench = Bench::new();
    bench.begin(order("gk-a")).unwrap();
    bench.whole_side(1, "cu-1").unwrap();
    bench.whole_side(2, "cu-2").unwrap();
    bench.change_roles("cu-2", "operator");
    bench.sign_in("cu-1");
    let error = bench.station.ceremony_finish(CHECK, &passphrase()).unwrap_err();
    let CeremonyError::Denied(denied) = error else { panic!("{error:?}") };
    assert_eq!(denied.why, DenialReason::Role);
    assert_eq!(bench.records("gk.import", "gk"), [""; 0]);
}
