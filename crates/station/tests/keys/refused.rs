//! What passes the gate and is refused for the state of things: each has its record, with who asked and what stood in the way.

use keystation::ceremony::{CeremonyError, CeremonyOrder};
use keystation::group_keys::TransferFile;
use keystation::line::Line;
use keystation::people::{Action, Pin, Request};
use keystation::{CustodyKind, Passphrase, Remark, Station, StationError};
use keystation_vault::DerivedKeyAnswer;

use crate::support::{
    Bench, KEY, PAPERS, SEALED, announced, key_of, label, order, part, passphrase, pin_of, secret,
};

const NOT_ASKED: DerivedKeyAnswer = DerivedKeyAnswer::NotAsked;

/// Does something that is refused; says under which code.
type Deed = fn(&Bench) -> &'static str;

/// What is refused; the action, the code and the person of its record.
const TABLE: &[(&str, Deed, &str, &str, &str)] = &[
    ("activated twice", |b| code(b.activate("gk-a")), "activate-key", "key-state", "cu-1"),
    ("suspended twice", |b| code(b.suspend("su-1", "gk-s")), "suspend-key", "key-state", "su-1"),
    ("a key that there is not", |b| code(b.suspend("cu-2", "gk-x")), "suspend-key", "key-unknown", "cu-2"),
    ("destroyed twice", |b| code(b.destroy("gk-d")), "destroy-key", "key-state", "cu-1"),
    ("no such key", no_such_key, "activate-key", "key-unknown", "cu-1"),
    ("another check value", other_check_value, "activate-key", "key-check-value", "cu-1"),
    (
        "a label that is taken",
        |b| code(b.import("gk-d", &key_of("new"))),
        "import-key",
        "label-taken",
        "cu-1",
    ),
    ("a key that is there", |b| code(b.import("gk-n", KEY)), "import-key", "key-known", "cu-1"),
    ("a weak key", |b| code(b.import("gk-n", &"A".repeat(88))), "import-key", "import-refused", "cu-1"),
    ("no transfer file", no_transfer, "take-transfer", "transfer-refused", "cu-1"),
    ("no such custody", no_such_custody, "unlock", "custody-unknown", "cu-1"),
    ("a custody for a key", no_custody_for, "import-key", "custody-unknown", "cu-1"),
    ("a short passphrase", short_passphrase, "recipient", "vault-failed", "cu-1"),
    (
        "four components",
        |b| begun(b, CeremonyOrder { parts: 4, ..new() }),
        "ceremony",
        "ceremony-order",
        "cu-1",
    ),
    (
        "components of half length",
        |b| begun(b, CeremonyOrder { bytes: 16, ..new() }),
        "ceremony",
        "ceremony-order",
        "cu-1",
    ),
    ("a ceremony for a label", |b| begun(b, labelled("gk-d")), "ceremony", "label-taken", "cu-1"),
    ("a ceremony for a key", |b| begun(b, order("gk-c")), "ceremony", "key-known", "cu-1"),
    ("a second ceremony", second_ceremony, "ceremony", "ceremony-running", "cu-1"),
    ("no ceremony to look at", no_ceremony, "ceremony", "no-ceremony", "cu-1"),
    (
        "no ceremony to sign in for",
        |b| {
            b.sign_in("cu-1");
            step(b.seat(1, "cu-2"))
        },
        "ceremony",
        "no-ceremony",
        "cu-1",
    ),
    ("no ceremony to finish", no_finish, "ceremony", "no-ceremony", "cu-1"),
    (
        "nobody signed in for it",
        |b| at_table(b, |b| step(b.station.ceremony_enter(part(2)))),
        "ceremony",
        "ceremony-sign-in",
        "cu-1",
    ),
    (
        "entered by nobody",
        |b| at_table(b, |b| step(b.station.ceremony_component(part(2), &secret(PAPERS[1].0)))),
        "ceremony",
        "ceremony-sign-in",
        "cu-1",
    ),
    (
        "confirmed before it is given",
        |b| at_table(b, |b| step(b.station.ceremony_confirm(part(1), "CB32B3"))),
        "ceremony",
        "ceremony-turn",
        "cu-2",
    ),
    (
        "half a component",
        |b| at_table(b, |b| step(b.station.ceremony_component(part(1), &secret(&PAPERS[0].0[..44])))),
        "ceremony",
        "component-refused",
        "cu-2",
    ),
    (
        "finished too early",
        |b| at_table(b, |b| step(b.station.ceremony_finish("9B5BD-BEC8B", &passphrase()))),
        "ceremony",
        "ceremony-turn",
        "cu-1",
    ),
    ("the PIN that it was", same_pin, "change-pin", "pin-refused", "cu-1"),
    ("a PIN that anybody would try", weak_pin, "change-pin", "pin-refused", "cu-1"),
    ("a second first start", second_first_start, "first-start", "not-new", "cu-1"),
    ("nobody types the key", nobody_types, "import-key", "cancelled", "cu-1"),
    ("a review of what there is not", no_such_review, "sign-review", "log-failed", "qa-1"),
    ("a slot that there is not", no_such_slot, "put-back", "slot-unknown", "su-1"),
    ("a clock that is right", no_clock_in_doubt, "accept-clock", "clock-not-accepted", "su-1"),
];

fn code<T, E: Into<StationError>>(result: Result<T, E>) -> &'static str {
    result.map_err(Into::into).err().expect("it is refused").code()
}

fn step<T>(result: Result<T, CeremonyError>) -> &'static str {
    result.err().expect("it is refused").code()
}

/// A ceremony for a key that the station does not have.
fn new() -> CeremonyOrder {
    CeremonyOrder { check_value: "00000-00001".parse().unwrap(), ..order("gk-c") }
}

fn labelled(name: &str) -> CeremonyOrder {
    CeremonyOrder { check_value: "00000-00002".parse().unwrap(), ..order(name) }
}

fn begun(bench: &Bench, order: CeremonyOrder) -> &'static str {
    bench.sign_in("cu-1");
    step(bench.station.ceremony_begin(&bench.station.permit(Action::Ceremony).unwrap(), order))
}

/// With a ceremony of `cu-1` under way in which `cu-2` has signed in for component 1.
fn at_table(bench: &Bench, deed: Deed) -> &'static str {
    bench.sign_in("cu-1");
    let permit = bench.station.permit(Action::Ceremony).unwrap();
    bench.station.ceremony_begin(&permit, new()).unwrap();
    bench.seat(1, "cu-2").unwrap();
    let code = deed(bench);
    bench.station.ceremony_abort(&permit).unwrap();
    code
}

fn second_ceremony(bench: &Bench) -> &'static str {
    at_table(bench, |bench| begun(bench, labelled("gk-e")))
}

fn no_ceremony(bench: &Bench) -> &'static str {
    bench.sign_in("cu-1");
    step(bench.station.ceremony_under_way(&bench.station.permit(Action::Ceremony).unwrap()))
}

fn no_finish(bench: &Bench) -> &'static str {
    bench.sign_in("cu-1");
    step(bench.station.ceremony_finish("9B5BD-BEC8B", &passphrase()))
}

fn no_such_key(bench: &Bench) -> &'static str {
    bench.sign_in("cu-1");
    code(bench.station.change_request(Action::ActivateKey, &label("gk-x"), "first use"))
}

fn other_check_value(bench: &Bench) -> &'static str {
    let request = bench.station.change_request(Action::ActivateKey, &label("gk-s"), "again");
    let permit = bench.agreed(request.unwrap());
    code(bench.station.activate_key(permit, &label("gk-s"), "again", "00000-00000".parse().unwrap()))
}

fn no_transfer(bench: &Bench) -> &'static str {
    let (announced, passphrase) = (announced("gk-t", KEY), passphrase());
    let permit = bench.agreed(Station::import_request(Action::TakeTransfer, &announced));
    let file = bench.dir.path().join("nothing.age");
    let transfer = TransferFile { file: &file, passphrase: &passphrase, answer: NOT_ASKED };
    code(bench.station.take_transfer(permit, &announced, transfer, &passphrase))
}

fn no_such_custody(bench: &Bench) -> &'static str {
    bench.sign_in("cu-1");
    let permit = bench.station.permit(Action::Unlock).unwrap();
    code(bench.station.open_custody(&permit, CustodyKind::Tpm, &passphrase()))
}

fn no_custody_for(bench: &Bench) -> &'static str {
    bench.sign_in("cu-1");
    code(bench.station.custody_for(Action::ImportKey, Some(CustodyKind::Pkcs11)))
}

fn short_passphrase(bench: &Bench) -> &'static str {
    std::fs::rename(bench.data.vault(), bench.dir.path().join("vault")).unwrap();
    bench.sign_in("cu-1");
    let permit = bench.station.permit(Action::Recipient).unwrap();
    let short = code(bench.station.make_recipient(&permit, &Passphrase::new(secret("short")).unwrap()));
    std::fs::rename(bench.dir.path().join("vault"), bench.data.vault()).unwrap();
    short
}

fn change_pin(bench: &Bench, new: &Pin) -> &'static str {
    bench.sign_in("cu-1");
    let refused = bench.station.change_pin(&pin_of("cu-1"), new).unwrap_err();
    assert!(matches!(refused, keystation::people::ChangePinError::Pin(_)), "{refused:?}");
    "pin-refused"
}

fn same_pin(bench: &Bench) -> &'static str {
    change_pin(bench, &pin_of("cu-1"))
}

fn weak_pin(bench: &Bench) -> &'static str {
    change_pin(bench, &Pin::new("777777").unwrap())
}

fn second_first_start(bench: &Bench) -> &'static str {
    bench.sign_in("cu-1");
    let person = |user: &str, digits: &str| keystation::people::NewPerson {
        user: user.to_owned(),
        roles: "administrator".parse().unwrap(),
        badge: None,
        pin: Pin::new(digits).unwrap(),
    };
    code(bench.station.begin(person("ad-8", "493027"), person("ad-9", "580316")))
}

fn no_clock_in_doubt(bench: &Bench) -> &'static str {
    bench.add("su-2", "supervisor");
    bench.sign_in("su-1");
    let request =
        Request { action: Action::AcceptClock, subject: String::new(), reason: "battery".to_owned() };
    let by = keystation::people::Person::Id("su-2");
    let approval = bench.station.approve(&request, by, &pin_of("su-2")).unwrap();
    let permit = bench.station.permit_approved(&request, approval).unwrap();
    code(bench.station.accept_clock(&permit, "battery"))
}

fn nobody_types(bench: &Bench) -> &'static str {
    let announced = announced("gk-n", &key_of("new"));
    let permit = bench.agreed(Station::import_request(Action::ImportKey, &announced));
    bench.station.given_up(permit, "gk-n").unwrap();
    "cancelled"
}

fn no_such_review(bench: &Bench) -> &'static str {
    bench.add("qa-1", "qa");
    bench.sign_in("qa-1");
    let permit = bench.station.permit(Action::SignReview).unwrap();
    code(bench.station.sign_review(&permit, Some(1 << 40), &Remark::default()))
}

fn no_such_slot(bench: &Bench) -> &'static str {
    let line = Line::start(&bench.station, &[], |_| {}).unwrap();
    bench.sign_in("su-1");
    code(line.put_back(&bench.station.permit(Action::PutBack).unwrap(), 7))
}

#[test]
fn every_refusal_behind_the_gate_is_a_record() {
    let bench = Bench::new();
    for (name, key) in
        [("gk-a", KEY.to_owned()), ("gk-s", key_of("suspended")), ("gk-d", key_of("destroyed"))]
    {
        bench.import(name, &key).unwrap();
        bench.activate(name).unwrap();
    }
    bench.suspend("cu-1", "gk-s").unwrap();
    bench.destroy("gk-d").unwrap();
    for (refused, deed, action, expected, who) in TABLE {
        let before = bench.records("policy.refuse", "code").len();
        assert_eq!(deed(&bench), *expected, "{refused}");
        let told = |field| bench.records("policy.refuse", field).split_off(before);
        assert_eq!(told("code"), [*expected], "{refused}: one record, and its code");
        assert_eq!([told("action"), told("why"), told("op")].concat(), [*action, "state", *who], "{refused}");
    }
    let log = std::fs::read(bench.data.path().join("audit.db")).unwrap();
    for hidden in [&PAPERS[0].0[..44], "777777", "short"] {
        assert!(!log.windows(hidden.len()).any(|window| window == hidden.as_bytes()), "{hidden}");
    }
    println!("{} refusals, each with its record", TABLE.len());
}

/// Whoever has not the right is told so, and nothing of what they asked about: neither which keys there are nor their states.
#[test]
fn whoever_may_not_ask_learns_nothing_of_what_they_ask_about() {
    let bench = Bench::new();
    bench.import("gk-a", KEY).unwrap();
    bench.sign_in("su-1");
    for action in [Action::ActivateKey, Action::DestroyKey] {
        for name in ["gk-a", "gk-x"] {
            let refused = bench.station.change_request(action, &label(name), "first use").unwrap_err();
            assert_eq!(refused.code(), "role");
            assert_eq!(bench.records("policy.refuse", "action").pop().unwrap(), action.word());
        }
    }
    for named in [None, Some(SEALED), Some(CustodyKind::Tpm)] {
        assert_eq!(code(bench.station.custody_for(Action::ImportKey, named)), "role");
    }
    assert_eq!(bench.records("policy.refuse", "why"), ["role"; 7]);
}
