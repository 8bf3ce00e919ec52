//! The report on a shift against a recount of the records as `audit show --json` prints them, over random logs: devices that are
//! tried again, settled later, plugged in again, and hand-overs in the middle of a device.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests too")]

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicI64, Ordering};

use keystation::StationError;
use keystation::report::NewFile;
use keystation::report::shift::{Asked, Count, Devices, Scope, Settled, Shift};
use keystation_audit::{Clock, Journal, Origin, Paths, Reader, Stamp};
use keystation_core::failure::Code;
use keystation_core::identity::Identity;
use keystation_core::key::{DeviceKey, GroupKeyInfo, KeySlot};
use keystation_core::record::{
    Actor, End, Entry, Event, Holds, Intent, Mode, Outcome, Purpose, Rekey, SessionEvent, UserChange,
    UserEvent,
};
use keystation_core::registration::{IdRule, RegistrationId};
use keystation_core::repair::ReasonCode;
use keystation_core::role::{Role, Roles};
use proptest::prelude::*;
use serde_json::Value;

/// A second goes by between two records.
struct Steady(AtomicI64);

const BEGAN: i64 = 1_795_313_643_123;

impl Clock for Steady {
    fn now(&self) -> Stamp {
        let ms = self.0.fetch_add(1_000, Ordering::Relaxed);
        let boot = "9f0c2b1e-5d1f-4a52-9c0e-2f6f1f0f7a11".parse().expect("a UUID");
        Stamp { utc_ms: BEGAN + ms, mono_ms: ms.unsigned_abs(), boot }
    }
}

/// What happens at the bench.
#[derive(Debug, Clone)]
enum Act {
    /// A device is written to for a work order, if it is not in work.
    Begin { device: u8, job: u8 },
    /// The device that is longest in work is done.
    End(Option<(Code, Holds)>),
    /// Somebody plugs a device in that is refused; `None`: it does not say who it is.
    Refuse(Option<u8>),
    /// The oldest device of which nobody knows what it holds is plugged in again.
    Settle { passes: bool },
    /// Another person takes over; what is in work stays with whoever began it.
    HandOver(u8),
    /// The program is killed, starts again, and somebody signs in.
    Kill(u8),
}

fn act() -> impl Strategy<Value = Act> {
    let outcome = prop_oneof![
        4 => Just(None),
        1 => Just(Some((Code::NotKept, Holds::Old))),
        1 => Just(Some((Code::Silent, Holds::Unknown))),
        1 => Just(Some((Code::Unplugged, Holds::Unknown))),
    ];
    prop_oneof![
        8 => (0..6_u8, 0..3_u8).prop_map(|(device, job)| Act::Begin { device, job }),
        8 => outcome.prop_map(Act::End),
        2 => proptest::option::of(0..9_u8).prop_map(Act::Refuse),
        3 => any::<bool>().prop_map(|passes| Act::Settle { passes }),
        1 => (0..3_u8).prop_map(Act::HandOver),
        1 => (0..3_u8).prop_map(Act::Kill),
    ]
}

struct Bench {
    journal: Journal,
    sessions: u64,
    actor: Actor,
    /// Intents whose device is at work: who began it, device, intent.
    at_work: Vec<(Actor, u8, u64)>,
    /// Intents whose outcome is not known.
    left: Vec<(u8, u64)>,
}

fn id(device: u8) -> RegistrationId {
    RegistrationId::new(&format!("sn-{device:04}"), IdRule::Dashes).unwrap()
}

fn identity(device: u8) -> Identity {
    let mac = format!("a4cf0000{device:04x}").parse().unwrap();
    Identity { mac: Some(mac), serial: Some(format!("SN{device:04}").parse().unwrap()) }
}

impl Bench {
    fn new(paths: &Paths) -> Self {
        let origin = Origin::new("keylog.example.com/plant7/stn03/1").unwrap();
        let journal = Journal::create(paths, &origin, &Actor::default(), Steady(AtomicI64::new(0))).unwrap();
        for person in 0..3 {
            let change = UserChange::Added { roles: Roles::from(Role::Operator), credential: 1, once: false };
            let user = UserEvent { user: format!("op-{person}"), approver: "admin-2".to_owned(), change };
            let actor =
                Actor { operator: "admin-1".to_owned(), session: "0".to_owned(), role: String::new() };
            journal.append(&Entry { actor, event: Event::User(user) }).unwrap();
        }
        let mut bench =
            Self { journal, sessions: 0, actor: Actor::default(), at_work: Vec::new(), left: Vec::new() };
        bench.sign_in(0, Purpose::SignIn);
        bench
    }

    fn append(&self, actor: &Actor, event: Event) -> u64 {
        self.journal.append(&Entry { actor: actor.clone(), event }).unwrap()
    }

    fn sign_in(&mut self, person: u8, purpose: Purpose) {
        self.sessions += 1;
        let operator = format!("op-{person}");
        self.actor = Actor {
            session: format!("{:016x}", self.sessions),
            operator: operator.clone(),
            role: "operator".into(),
        };
        self.append(&self.actor, Event::Session(SessionEvent::Proved { user: operator, purpose }));
    }

    fn act(&mut self, act: &Act) {
        match act {
            Act::Begin { device, job } => {
                // One that is left open is settled first, as the station does.
                let busy = self.at_work.iter().any(|(_, other, _)| other == device)
                    || self.left.iter().any(|(other, _)| other == device);
                if !busy {
                    let intent = self.begin(*device, *job);
                    self.at_work.push((self.actor.clone(), *device, intent));
                }
            }
            Act::End(came) => {
                if self.at_work.is_empty() {
                    return;
                }
                let (actor, device, intent) = self.at_work.remove(0);
                let (failure, holds) = came.map_or((None, Holds::New), |(code, holds)| (Some(code), holds));
                let outcome = Outcome { intent, id: id(device), failure, holds };
                self.append(&actor, Event::Result(outcome));
                if holds == Holds::Unknown {
                    self.left.push((device, intent));
                }
            }
            Act::Refuse(device) => {
                let refuse = Event::Refuse {
                    code: if device.is_some() { Code::AlreadyKeyed } else { Code::Silent },
                    port: "p".to_owned(),
                    identity: device.map(identity),
                    // Some say who they are, and no ID can be made of it.
                    id: device.filter(|device| *device < 7).map(id),
                    job: "WO-1".to_owned(),
                };
                self.append(&self.actor, refuse);
            }
            Act::Settle { passes } => {
                if self.left.is_empty() {
                    return;
                }
                let (device, intent) = self.left.remove(0);
                let (failure, holds) =
                    if *passes { (None, Holds::New) } else { (Some(Code::NotProven), Holds::Old) };
                self.append(&self.actor, Event::Resolve(Outcome { intent, id: id(device), failure, holds }));
            }
            Act::HandOver(person) => {
                self.append(&self.actor, Event::Session(SessionEvent::Ended(End::HandOver)));
                self.sign_in(*person, Purpose::HandOver);
            }
            Act::Kill(person) => {
                self.left.extend(self.at_work.drain(..).map(|(_, device, intent)| (device, intent)));
                let open = Event::Open {
                    version: "keystation 1".to_owned(),
                    sqlite: "3".to_owned(),
                    os: "linux".to_owned(),
                    config: "00".to_owned(),
                    build: String::new(),
                    open_intents: self.left.len() as u64,
                };
                self.append(&Actor::default(), open);
                self.sign_in(*person, Purpose::SignIn);
            }
        }
    }

    fn begin(&self, device: u8, job: u8) -> u64 {
        let standing = self.journal.standing(&id(device)).unwrap();
        let intent = Intent {
            id: id(device),
            identity: identity(device),
            firmware: "2.4.1".to_owned(),
            key: GroupKeyInfo {
                label: "gk-2026a".parse().unwrap(),
                group: "contoso-line-7".parse().unwrap(),
                scope: "0ne00EMU001".parse().unwrap(),
                slot: KeySlot::Primary,
                check_value: "9B5BDBEC8B".parse().unwrap(),
                length: 64,
            },
            endpoint: "global.azure-devices-provisioning.net".to_owned(),
            fingerprint: DeviceKey::filled_by(|key| key.fill(device + 1)).fingerprint(),
            profile: "thermostat 3".to_owned(),
            // None, and one that a spreadsheet must not take for a formula.
            job: if standing.keyed.is_some() { "" } else { ["", "WO-1", "=1+1"][usize::from(job)] }
                .to_owned(),
            port: "usb-1-1.4".to_owned(),
            mode: match standing.keyed {
                None => Mode::New,
                Some(_) => Mode::Rekey(Rekey::of_unknown(ReasonCode::Returned, "sup-1")),
            },
            prior: standing.follows(),
            attempt: standing.attempts + 1,
        };
        self.append(&self.actor, Event::Intent(intent))
    }
}

/// The lines of `audit show --json`.
fn lines(reader: &Reader) -> Vec<Value> {
    let mut lines = Vec::new();
    reader
        .records(.., None, |record| {
            lines.push(serde_json::from_str(record.json()).unwrap());
            ControlFlow::Continue(())
        })
        .unwrap();
    lines
}

fn field<'a>(line: &'a Value, name: &str) -> &'a str {
    line[name].as_str().unwrap_or_default()
}

/// Who a device is; empty where it does not say.
fn who(line: &Value) -> String {
    match field(line, "rid") {
        "" if field(line, "sn").is_empty() => String::new(),
        "" => format!("{} {}", field(line, "mac"), field(line, "sn")),
        rid => rid.to_owned(),
    }
}

/// The same count, record by record and device by device, with no state in between.
fn recount(all: &[Value], mine: &[&Value]) -> Count {
    let of = |event: &str| mine.iter().copied().filter(|line| field(line, "ev") == event).collect::<Vec<_>>();
    let begun = of("inject.intent");
    let outcomes: Vec<_> = mine
        .iter()
        .copied()
        .filter(|line| matches!(field(line, "ev"), "inject.result" | "inject.resolve"))
        .collect();
    let refusals = of("inject.refuse");
    let mut count = Count { begun: begun.len() as u64, ..Count::default() };
    for intent in all.iter().filter(|line| field(line, "ev") == "inject.intent") {
        let last = outcomes.iter().rfind(|outcome| outcome["ref"] == intent["seq"]);
        let own = begun.iter().any(|line| line["seq"] == intent["seq"]);
        match (own, last) {
            (true, None) => count.open += 1,
            (true, Some(outcome)) if field(outcome, "rc") == "ok" => count.passed += 1,
            (true, Some(outcome)) => *count.failed.entry(field(outcome, "code").to_owned()).or_default() += 1,
            (false, Some(outcome)) if field(outcome, "rc") == "ok" => count.settled.passed += 1,
            (false, Some(_)) => count.settled.failed += 1,
            (false, None) => {}
        }
    }
    let written: BTreeSet<_> = begun.iter().map(|line| who(line)).collect();
    count.retried = (begun.len() - written.len()) as u64;
    for refusal in &refusals {
        *count.refused.entry(field(refusal, "code").to_owned()).or_default() += 1;
    }
    count.devices.unnamed = refusals.iter().filter(|line| who(line).is_empty()).count() as u64;
    let worked: Vec<_> = mine
        .iter()
        .filter(|line| matches!(field(line, "ev"), "inject.intent" | "inject.result" | "inject.resolve"))
        .collect();
    let seen: BTreeSet<_> = worked.iter().map(|line| who(line)).collect();
    for device in &seen {
        let last = worked.iter().rfind(|line| who(line) == *device).unwrap();
        match (field(last, "ev"), field(last, "rc")) {
            ("inject.intent", _) => count.devices.open += 1,
            (_, "ok") => count.devices.passed += 1,
            _ => count.devices.failed += 1,
        }
        if field(last, "ev") == "inject.intent" || field(last, "holds") == "unknown" {
            count.devices.do_not_ship += 1;
        }
    }
    let only_refused: BTreeSet<_> =
        refusals.iter().map(|line| who(line)).filter(|who| !who.is_empty()).collect();
    count.devices.refused = only_refused.difference(&seen).count() as u64;
    count
}

/// The work order of a record.
fn job<'a>(all: &'a [Value], line: &'a Value) -> &'a str {
    match line["ref"].as_u64() {
        Some(intent) => field(&all[usize::try_from(intent).unwrap()], "job"),
        None => field(line, "job"),
    }
}

fn is_of_a_device(line: &Value) -> bool {
    field(line, "ev").starts_with("inject.")
}

/// Every number of a report against the lines that it is about.
fn reconcile(all: &[Value], shift: &Shift, belongs: impl Fn(&Value) -> bool) {
    let mine: Vec<_> = all.iter().filter(|line| !field(line, "op").is_empty() && belongs(line)).collect();
    assert_eq!(shift.total, recount(all, &mine), "{:?}", shift.asked);
    let orders = |mine: &[&Value]| {
        let jobs: BTreeSet<_> =
            mine.iter().filter(|l| is_of_a_device(l)).map(|l| job(all, l).to_owned()).collect();
        let of = |wanted: &str| mine.iter().copied().filter(|l| job(all, l) == wanted).collect::<Vec<_>>();
        jobs.iter().map(|wanted| (wanted.clone(), recount(all, &of(wanted)))).collect::<BTreeMap<_, _>>()
    };
    assert_eq!(shift.orders, orders(&mine));
    let sessions: BTreeSet<_> = mine.iter().map(|line| field(line, "ses").to_owned()).collect();
    assert_eq!(shift.sessions.iter().map(|s| s.session.clone()).collect::<BTreeSet<_>>(), sessions);
    for sitting in &shift.sessions {
        let own: Vec<_> = mine.iter().copied().filter(|line| field(line, "ses") == sitting.session).collect();
        assert_eq!(sitting.total, recount(all, &own));
        assert_eq!(sitting.orders, orders(&own));
        let ends = [own[0], own[own.len() - 1]].map(|line| line["seq"].as_u64().unwrap());
        assert_eq!([sitting.first.record, sitting.last.record], ends);
    }
    // What a reader adds up by hand.
    let Count { begun, passed, open, devices, .. } = &shift.total;
    assert_eq!(*begun, passed + shift.total.all_failed() + open);
    assert!(devices.do_not_ship <= devices.failed + devices.open && devices.all() >= devices.passed);
    assert_eq!(*begun, shift.sessions.iter().map(|sitting| sitting.total.begun).sum::<u64>());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn every_number_of_a_shift_is_that_of_the_records(acts in proptest::collection::vec(act(), 0..90)) {
        let directory = tempfile::tempdir().unwrap();
        let paths = Paths::in_dir(directory.path());
        let mut bench = Bench::new(&paths);
        acts.iter().for_each(|act| bench.act(act));
        let reader = Reader::open(&paths).unwrap();
        let all = lines(&reader);
        let of = |asked: Asked| Shift::of(&reader, asked).unwrap();
        reconcile(&all, &of(Asked::default()), |_| true);
        for number in 1..=bench.sessions {
            let session = format!("{number:016x}");
            let shift = of(Asked { session: Some(session.clone()), ..Asked::default() });
            reconcile(&all, &shift, |line| field(line, "ses") == session);
        }
        for person in 0..3 {
            let operator = format!("op-{person}");
            let shift = of(Asked { operator: Some(operator.clone()), ..Asked::default() });
            reconcile(&all, &shift, |line| field(line, "op") == operator);
        }
        // From the middle of the log on, and before it: a device in work at that moment is in both.
        let middle = BEGAN + 1_000 * i64::try_from(all.len() / 2).unwrap();
        let late = |line: &Value| field(line, "t").parse::<jiff::Timestamp>().unwrap().as_millisecond() >= middle;
        reconcile(&all, &of(Asked { from: Some(middle), ..Asked::default() }), late);
        reconcile(&all, &of(Asked { until: Some(middle), ..Asked::default() }), |line| !late(line));
    }
}

/// A log with one of each: a device that is handed over in the middle, one that is settled by the next shift.
fn two_shifts(paths: &Paths) -> Reader {
    let mut bench = Bench::new(paths);
    for act in [
        Act::Begin { device: 1, job: 1 },
        Act::End(None),
        Act::Begin { device: 2, job: 1 },
        Act::End(Some((Code::NotKept, Holds::Old))),
        Act::Begin { device: 2, job: 1 },
        Act::End(None),
        Act::Begin { device: 3, job: 1 },
        Act::End(Some((Code::Silent, Holds::Unknown))),
        Act::Begin { device: 4, job: 2 },
        Act::HandOver(1),
        Act::End(None),
        Act::Settle { passes: true },
        Act::Refuse(Some(1)),
        Act::Begin { device: 5, job: 1 },
    ] {
        bench.act(&act);
    }
    Reader::open(paths).unwrap()
}

#[test]
fn the_counts_of_two_shifts_are_apart() {
    let directory = tempfile::tempdir().unwrap();
    let reader = two_shifts(&Paths::in_dir(directory.path()));
    let of = |number: u64| {
        Shift::of(&reader, Asked { session: Some(format!("{number:016x}")), ..Asked::default() }).unwrap()
    };
    let (first, second) = (of(1), of(2));
    assert_eq!((first.total.begun, first.total.passed, first.total.retried), (5, 3, 1));
    assert_eq!(first.total.failed, BTreeMap::from([("not-kept".to_owned(), 1), ("silent".to_owned(), 1)]));
    let devices = Devices { passed: 3, failed: 1, do_not_ship: 1, ..Devices::default() };
    assert_eq!(first.total.devices, devices, "the one in work is finished by whoever began it");
    let ends = first.sessions[0].ended.clone().unwrap();
    assert!(first.sessions[0].last.record > ends.0.record, "it was finished after the hand-over");
    assert_eq!((first.sessions[0].began.clone().unwrap().1, ends.1), ("sign-in".into(), "hand-over".into()));
    assert_eq!(second.sessions[0].began.clone().unwrap().1, "hand-over");
    assert_eq!((second.total.begun, second.total.open), (1, 1));
    assert_eq!(second.total.settled, Settled { passed: 1, failed: 0 });
    let devices = Devices { passed: 1, open: 1, refused: 1, do_not_ship: 1, ..Devices::default() };
    assert_eq!(second.total.devices, devices);

    let nobody = Shift::of(&reader, Asked { session: Some("ffff".to_owned()), ..Asked::default() });
    assert!(matches!(nobody, Err(StationError::NotInLog(_))), "{nobody:?}");
}

#[test]
fn no_cell_of_the_table_is_a_formula() {
    let directory = tempfile::tempdir().unwrap();
    let reader = two_shifts(&Paths::in_dir(directory.path()));
    let shift = Shift::of(&reader, Asked::default()).unwrap();
    let path = directory.path().join("shift.csv");
    shift.csv(NewFile::create(&path).unwrap()).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    let mut table = csv::Reader::from_reader(text.as_bytes());
    let at = table.headers().unwrap().iter().position(|name| name == "order").unwrap();
    let orders: Vec<_> = table.records().map(|row| row.unwrap()[at].to_owned()).collect();
    assert!(orders.contains(&"'=1+1".to_owned()) && !orders.contains(&"=1+1".to_owned()), "{text}");
    let total = shift.rows().into_iter().next_back().unwrap();
    assert_eq!((total.scope, total.count.begun), (Scope::Total, 6));
    assert_eq!(shift.object(&total)["failed_by"], serde_json::json!({ "not-kept": 1 }), "one was settled");
}
