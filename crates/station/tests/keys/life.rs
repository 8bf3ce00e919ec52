//! What may become of a key, and who says so.

use keystation::group_keys::{Announced, NotDone};
use keystation::people::{Action, Person};
use keystation::{CustodyKind, Exit, Station, StationError};
use keystation_audit::KeyState;
use keystation_core::record::DenialReason;
use keystation_vault::{DerivedKeyAnswer, ImportError};

use crate::support::{Bench, CHECK, KEY, SEALED, announced, key_of, label, passphrase, pin_of, secret};

impl Bench {
    fn state(&self, name: &str) -> KeyState {
        self.station.standing(&label(name)).unwrap().state
    }

    /// A key in this state.
    fn with(state: KeyState) -> Self {
        let bench = Self::new();
        bench.import("gk-a", KEY).unwrap();
        if state != KeyState::Imported {
            bench.activate("gk-a").unwrap();
        }
        match state {
            KeyState::Suspended => bench.suspend("cu-1", "gk-a").unwrap(),
            KeyState::Destroyed => bench.destroy("gk-a").unwrap(),
            KeyState::Imported | KeyState::Active => {}
        }
        assert_eq!(bench.state("gk-a"), state);
        bench
    }
}

/// R09: every state and every step.
#[test]
fn from_each_state_each_step_is_taken_or_refused() {
    use KeyState::{Active, Destroyed, Imported, Suspended};
    type Step = fn(&Bench) -> Result<(), StationError>;
    let steps: [(&str, Step); 3] = [
        ("activate", |bench| bench.activate("gk-a")),
        ("suspend", |bench| bench.suspend("su-1", "gk-a")),
        ("destroy", |bench| bench.destroy("gk-a")),
    ];
    let table = [
        (Imported, [Some(Active), None, Some(Destroyed)]),
        (Active, [None, Some(Suspended), Some(Destroyed)]),
        (Suspended, [Some(Active), None, Some(Destroyed)]),
        (Destroyed, [None, None, None]),
    ];
    let mut tried = 0;
    for (state, after) in table {
        for ((name, step), after) in steps.iter().zip(after) {
            let bench = Bench::with(state);
            let records = bench.station.overview().unwrap().records;
            match (step(&bench), after) {
                (Ok(()), Some(after)) => assert_eq!(bench.state("gk-a"), after, "{name} from {state:?}"),
                (Err(error), None) => {
                    assert!(
                        matches!(error, StationError::KeyState { .. }),
                        "{name} from {state:?}: {error:?}"
                    );
                    assert_eq!((bench.state("gk-a"), error.exit()), (state, Exit::Usage));
                }
                (result, after) => panic!("{name} from {state:?}: {result:?}, expected {after:?}"),
            }
            assert!(bench.station.overview().unwrap().records > records);
            tried += 1;
        }
    }
    assert_eq!(tried, 12);
}

#[test]
fn only_an_active_key_is_used() {
    for state in [KeyState::Imported, KeyState::Suspended, KeyState::Destroyed, KeyState::Active] {
        let bench = Bench::with(state);
        bench.unlock().unwrap();
        let used = bench.station.usable_key(&label("gk-a"));
        match (state, used) {
            (KeyState::Active, Ok(key)) => assert_eq!(key.info().check_value.to_string(), CHECK),
            (state, Err(StationError::KeyInactive { state: found, .. })) => assert_eq!(found, state),
            (state, used) => panic!("{state:?}: {used:?}"),
        }
    }
}

/// The emergency stop counts at once, for a custody that is open as well.
#[test]
fn a_suspended_key_is_not_used_from_then_on() {
    let bench = Bench::with(KeyState::Active);
    bench.unlock().unwrap();
    assert!(bench.station.usable_key(&label("gk-a")).is_ok());
    bench.suspend("su-1", "gk-a").unwrap();
    assert!(bench.station.is_open(SEALED));
    assert!(matches!(bench.station.usable_key(&label("gk-a")), Err(StationError::KeyInactive { .. })));
    bench.activate("gk-a").unwrap();
    assert!(bench.station.usable_key(&label("gk-a")).is_ok());
    assert_eq!(bench.records("gk.suspend", "op"), ["su-1"]);
    assert_eq!(bench.records("gk.activate", "op2"), ["cu-2", "cu-2"]);
}

/// R12: record, then gone, then shown to be gone.
#[test]
fn a_destroyed_key_is_nowhere() {
    use keystation_core::flow::{Vault as _, VaultError};
    use keystation_core::registration::{IdRule, RegistrationId};
    let bench = Bench::with(KeyState::Active);
    bench.import("gk-b", &key_of("other")).unwrap();
    bench.activate("gk-b").unwrap();
    bench.unlock().unwrap();
    let (held, other) = (bench.station.usable_key(&label("gk-a")).unwrap(), label("gk-b"));
    let id = RegistrationId::new("sn-1", IdRule::Dashes).unwrap();
    assert!(held.derive(&id).is_ok());
    bench.destroy("gk-a").unwrap();
    assert!(matches!(held.derive(&id), Err(VaultError::Locked)), "whoever still holds it derives nothing");
    assert!(!bench.station.has_key(&label("gk-a")));
    assert!(bench.station.usable_key(&other).unwrap().derive(&id).is_ok(), "the other one is as it was");
    let sealed = keystation_vault::SealedFile::at(bench.data.vault()).unlock(&passphrase()).unwrap();
    assert!(sealed.key(&label("gk-a")).is_none() && sealed.key(&other).is_some());
    let again = bench.import("gk-a", &key_of("new")).unwrap_err();
    assert!(matches!(again, StationError::Import(ImportError::LabelTaken(_))), "{again:?}");
    let same = bench.import("gk-c", KEY).unwrap_err();
    assert!(matches!(same, StationError::Import(ImportError::SameKey(_))), "{same:?}");
    assert_eq!(bench.records("gk.destroy", "gkcv"), [CHECK.replace('-', "")]);
    assert_eq!(bench.records("gk.destroy", "op2"), ["cu-2"]);
}

/// The program was killed between the record and the custody; or somebody put an old copy of the vault back.
#[test]
fn a_destruction_that_was_cut_short_is_finished_when_the_custody_is_opened() {
    let bench = Bench::with(KeyState::Active);
    let copy = std::fs::read(bench.data.vault()).unwrap();
    bench.destroy("gk-a").unwrap();
    std::fs::write(bench.data.vault(), copy).unwrap();
    let bench = bench.restart();
    bench.sign_in("cu-1");
    bench.unlock().unwrap();
    assert!(!bench.station.has_key(&label("gk-a")));
    let sealed = keystation_vault::SealedFile::at(bench.data.vault()).unlock(&passphrase()).unwrap();
    assert_eq!(sealed.keys(), []);
    assert_eq!(bench.records("gk.destroy", "gk"), ["gk-a"], "it has its record already");
}

#[test]
fn a_wrong_passphrase_destroys_nothing() {
    let bench = Bench::with(KeyState::Active);
    let permit = bench.agreed(bench.station.change_request(Action::DestroyKey, &label("gk-a"), "x").unwrap());
    let wrong = keystation::Passphrase::new(secret("something else altogether")).unwrap();
    let refused = bench.station.destroy_key(permit, &label("gk-a"), "x", &wrong).unwrap_err();
    assert_eq!((bench.state("gk-a"), bench.records("gk.destroy", "gk").len()), (KeyState::Active, 0));
    let permit = refused.again.expect("nothing was done: it may be entered again");
    bench.station.destroy_key(permit, &label("gk-a"), "x", &passphrase()).unwrap();
}

/// Two people who agree do not make up for the paper: what they type is held against the key.
#[test]
fn a_key_with_another_check_value_than_its_paper_is_not_activated() {
    let bench = Bench::with(KeyState::Imported);
    let station = &bench.station;
    let found = station.standing(&label("gk-a")).unwrap().info.check_value;
    let typed = "00000-00000".parse().unwrap();
    let permit = bench.agreed(station.change_request(Action::ActivateKey, &label("gk-a"), "x").unwrap());
    let refused = station.activate_key(permit, &label("gk-a"), "x", typed).unwrap_err();
    assert_eq!((refused.error.code(), refused.error.exit()), ("key-check-value", Exit::Refused));
    assert!(refused.again.is_none(), "whoever tries another value has it approved again");
    assert_eq!((bench.state("gk-a"), bench.records("gk.activate", "gk").len()), (KeyState::Imported, 0));
    let last = |field| bench.records("policy.refuse", field).pop().unwrap();
    assert_eq!([last("action"), last("why"), last("what")], ["activate-key", "state", "gk-a 00000-00000"]);
    assert_eq!(bench.records("policy.refuse", "op").pop().unwrap(), "cu-1");
    let permit = bench.agreed(station.change_request(Action::ActivateKey, &label("gk-a"), "x").unwrap());
    station.activate_key(permit, &label("gk-a"), "x", found).unwrap();
    assert_eq!(bench.state("gk-a"), KeyState::Active);
}

/// A permission is for one thing about one key, of the session that asked.
#[test]
fn an_approval_for_one_thing_is_none_for_another() {
    let bench = Bench::with(KeyState::Imported);
    bench.import("gk-b", &key_of("other")).unwrap();
    let station = &bench.station;
    let other = |refused: Box<NotDone>| match *refused {
        NotDone { error: StationError::Denied(denied), again: None } => denied.why,
        other => panic!("{other:?}"),
    };
    let request = station.change_request(Action::ActivateKey, &label("gk-a"), "first use").unwrap();
    let typed = station.standing(&label("gk-a")).unwrap().info.check_value;
    for (name, reason) in [("gk-b", "first use"), ("gk-a", "second use")] {
        let permit = bench.agreed(request.clone());
        let refused = station.activate_key(permit, &label(name), reason, typed).unwrap_err();
        assert_eq!(other(refused), DenialReason::ApprovalOtherRequest);
    }
    let permit = bench.agreed(request.clone());
    let refused = station.destroy_key(permit, &label("gk-a"), "first use", &passphrase()).unwrap_err();
    assert_eq!(other(refused), DenialReason::State, "a permission for another action");
    let permit = bench.agreed(request.clone());
    bench.sign_in("cu-3");
    let refused = station.activate_key(permit, &label("gk-a"), "first use", typed).unwrap_err();
    assert_eq!(other(refused), DenialReason::State, "another session");
    assert_eq!((bench.state("gk-a"), bench.state("gk-b")), (KeyState::Imported, KeyState::Imported));
    assert_eq!(bench.records("gk.activate", "gk").len(), 0);
    let own = station.approve(&request, Person::Id("cu-3"), &pin_of("cu-3"));
    assert!(own.is_err(), "nobody approves their own request");
}

/// What the second custodian saw is what comes in: none of it may be another, and nothing else is let in under it.
#[test]
fn an_import_is_approved_with_all_that_is_said_of_the_key() {
    let bench = Bench::new();
    let text = key_of("third");
    let approved = announced("gk-c", &text);
    let changed = |change: fn(&mut Announced)| {
        let mut other = approved.clone();
        change(&mut other);
        other
    };
    let others = [
        ("label", changed(|other| other.key.label = label("gk-d"))),
        ("group", changed(|other| other.key.group = "line-8".parse().unwrap())),
        ("scope", changed(|other| other.key.scope = "0ne00EMU002".parse().unwrap())),
        ("slot", changed(|other| other.key.slot = "secondary".parse().unwrap())),
        ("custody", changed(|other| other.custody = CustodyKind::Tpm)),
        ("check value", changed(|other| other.check_value = CHECK.parse().unwrap())),
    ];
    for action in [Action::ImportKey, Action::TakeTransfer] {
        for (what, other) in &others {
            bench.sign_in("cu-1");
            let asked = Station::import_request(action, &approved);
            let approval = bench.station.approve(&asked, Person::Id("cu-2"), &pin_of("cu-2")).unwrap();
            let denied = bench.station.permit_key(Station::import_request(action, other), approval);
            assert_eq!(denied.unwrap_err().code(), "approval-other-request", "{what}");
            let last = |field| bench.records("policy.refuse", field).pop().unwrap();
            assert_eq!([last("action"), last("why")], [action.word(), "approval-other-request"], "{what}");
        }
    }
    for (what, other) in &others {
        // The same behind the permission, at the act itself.
        let permit = bench.agreed(Station::import_request(Action::ImportKey, &approved));
        let answer = DerivedKeyAnswer::NotAsked;
        let refused = bench.station.import_key(permit, other, &passphrase(), &secret(&text), answer);
        assert_eq!(refused.unwrap_err().error.code(), "approval-other-request", "{what}");
    }
    // Approved as it is, and another key is typed.
    let permit = bench.agreed(Station::import_request(Action::ImportKey, &approved));
    let typed = secret(&key_of("fourth"));
    let refused =
        bench.station.import_key(permit, &approved, &passphrase(), &typed, DerivedKeyAnswer::NotAsked);
    assert_eq!(refused.unwrap_err().error.code(), "key-check-value");
    assert!(!bench.data.vault().exists());
    assert_eq!(bench.records("gk.import", "gk"), [""; 0]);
    bench.import("gk-c", &text).unwrap();
}

/// Ten minutes are ten minutes, also of a machine that sleeps; and a slip of the hand does not begin them anew.
#[test]
fn a_permission_holds_ten_minutes_with_the_machine_s_sleep_in_them() {
    let bench = Bench::with(KeyState::Active);
    let destroy = |permit, secret: &keystation::Passphrase| {
        bench.station.destroy_key(permit, &label("gk-a"), "x", secret)
    };
    let request = || {
        bench.sign_in("cu-1");
        bench.station.change_request(Action::DestroyKey, &label("gk-a"), "x").unwrap()
    };
    let permit = bench.agreed(request());
    bench.sleep(600);
    let late = destroy(permit, &passphrase()).unwrap_err();
    assert!(
        matches!(&late.error, StationError::Denied(denied) if denied.why == DenialReason::ApprovalExpired)
    );
    assert!(late.again.is_none());
    assert_eq!(bench.records("policy.refuse", "why").pop().unwrap(), "approval-expired");

    let wrong = keystation::Passphrase::new(secret("something else altogether")).unwrap();
    let permit = bench.agreed(request());
    bench.sleep(590);
    let again = destroy(permit, &wrong).unwrap_err().again.expect("it may be entered again");
    bench.sleep(10);
    let late = destroy(again, &passphrase()).unwrap_err();
    assert!(
        matches!(&late.error, StationError::Denied(denied) if denied.why == DenialReason::ApprovalExpired)
    );
    assert_eq!(bench.state("gk-a"), KeyState::Active);
    let permit = bench.agreed(request());
    bench.sleep(590);
    destroy(permit, &passphrase()).unwrap();
}

#[test]
fn a_single_key_needs_two_custodians() {
    let bench = Bench::new();
    bench.sign_in("cu-1");
    assert!(bench.station.permit(Action::ImportKey).is_err());
    let request = Station::import_request(Action::ImportKey, &announced("gk-a", KEY));
    for (user, why) in [("cu-1", "approval-same-person"), ("su-1", "approval-role")] {
        assert!(bench.station.approve(&request, Person::Id(user), &pin_of(user)).is_err());
        assert_eq!(bench.records("policy.refuse", "why").last().unwrap(), why);
    }
    bench.import("gk-a", KEY).unwrap();
    assert_eq!(
        (bench.records("gk.import", "op"), bench.records("gk.import", "op2")),
        (vec!["cu-1".into()], vec!["cu-2".into()])
    );
    assert_eq!(bench.records("gk.import", "how"), ["single"]);
    let reason = bench.station.change_request(Action::ActivateKey, &label("gk-a"), " \n");
    assert!(matches!(reason, Err(StationError::Reason)));
}

/// In the vault of another station, or in one that was changed by hand, a label means another key.
#[test]
fn a_vault_of_another_station_is_not_opened() {
    let (bench, other) = (Bench::with(KeyState::Active), Bench::new());
    other.import("gk-a", &key_of("theirs")).unwrap();
    std::fs::copy(other.data.vault(), bench.data.vault()).unwrap();
    bench.sign_in("cu-1");
    let refused = bench.unlock().unwrap_err();
    assert!(matches!(refused, StationError::OtherKey { .. }), "{refused:?}");
    assert!(!bench.station.is_unlocked());
    std::fs::remove_file(bench.data.vault()).unwrap();
    assert!(matches!(bench.unlock(), Err(StationError::VaultGone(_))));
    let gone = bench.import("gk-b", &key_of("new")).unwrap_err();
    assert!(matches!(gone, StationError::VaultGone(_)), "no new vault takes its place: {gone:?}");
}
