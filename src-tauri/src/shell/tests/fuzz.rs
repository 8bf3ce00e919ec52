//! Whatever a page sends: generated arguments for every command, in every state of the station.

use std::env;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Map, Number, Value, json};
use tauri::WebviewWindow;
use tauri::ipc::InvokeBody;
use tauri::test::MockRuntime;

use super::audit::{READS, closed};
use super::matrix::{code, expected};
use super::staff::{STAFF, Staffed, State};
use super::unread::calls_in;
use super::{app, call_with, commands, nowhere, window};
use crate::desk::Desk;

/// Calls in all.
const CALLS: u64 = 100_000;

/// What has hurt other programs, as a text.
const TEXTS: &[&str] = &[
    "",
    " ",
    "0",
    "-1",
    "null",
    "true",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "'; DROP TABLE log; --",
    "\" OR 1=1 --",
    "../../../../etc/passwd",
    "/dev/zero",
    "C:\\Windows\\System32",
    "%s%s%n%x",
    "{0}{}{{",
    "=cmd|' /C calc'!A0",
    "\u{0}",
    "\u{1b}[2J\u{1b}]0;x\u{7}",
    "\u{202e}gpj.exe",
    "\u{feff}",
    "e\u{301}\u{301}\u{301}\u{301}",
    "\u{10348}\u{1f468}\u{200d}\u{1f469}",
    "\r\nev: inject.result",
    "__CHANNEL__:0",
    "__CHANNEL__:99999999999999999999",
    "__proto__",
    "constructor",
    "administrator",
    "op-17",
    "key-activate",
    "gk-2026a",
    "482916",
    "000000",
    "0123456789012",
    "9223372036854775808",
    "mac:a1b2c3d4e5f6",
    "sn-0001",
];

/// A generator of its own (SplitMix64): the same seed makes the same calls.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Less than `count`.
    fn below(&mut self, count: usize) -> usize {
        usize::try_from(self.next() % count as u64).expect("it is less than a usize")
    }

    fn one_of<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len())]
    }

    fn text(&mut self) -> String {
        let text = *self.one_of(TEXTS);
        match self.below(40) {
            0 => text.repeat(1 + self.below(4096)),
            1 => (0..self.below(64)).filter_map(|_| char::from_u32(self.next() as u32 % 0x11_0000)).collect(),
            2 => (0..6 + self.below(7)).map(|_| char::from(b'0' + self.below(10) as u8)).collect(),
            _ => text.to_owned(),
        }
    }

    fn number(&mut self) -> Value {
        let whole = [0, 1, 2, 64, 65, 500, 501, u64::from(u32::MAX), 1 << 53, i64::MAX as u64, u64::MAX];
        match self.below(4) {
            0 => json!(self.next()),
            1 => json!(-(self.below(1 << 20) as i64)),
            2 => Number::from_f64(*self.one_of(&[0.5, -0.0, 1e308, 5e-324, 1e19, -1e19])).into(),
            _ => json!(self.one_of(&whole)),
        }
    }

    fn value(&mut self, depth: usize) -> Value {
        match self.below(if depth == 0 { 5 } else { 8 }) {
            0 => Value::Null,
            1 => json!(self.below(2) == 0),
            2 => self.number(),
            3 | 4 => json!(self.text()),
            5 => (0..self.below(4)).map(|_| self.value(depth - 1)).collect(),
            6 => self.object(depth - 1),
            _ => {
                // Deeper than any argument, and not as deep as the recursion limit of JSON.
                let layers = self.below(100);
                // Not `json!`, which would copy all layers for each.
                (0..layers).fold(self.value(0), |inside, _| Value::Array(vec![inside]))
            }
        }
    }

    fn object(&mut self, depth: usize) -> Value {
        (0..self.below(5)).map(|_| (self.text(), self.value(depth))).collect::<Map<_, _>>().into()
    }

    /// Arguments that a command takes, with something changed in them.
    fn spoilt(&mut self, mut arguments: Value) -> Value {
        for _ in 0..=self.below(2) {
            self.spoil(&mut arguments);
        }
        arguments
    }

    fn spoil(&mut self, value: &mut Value) {
        let fields = match value {
            Value::Object(fields) if !fields.is_empty() && self.below(8) != 0 => fields,
            other => return *other = self.value(3),
        };
        let name = fields.keys().nth(self.below(fields.len())).expect("there are as many").clone();
        match self.below(6) {
            0 => drop(fields.remove(&name)),
            1 => drop(fields.insert(self.text(), self.value(2))),
            2 => {
                let wrapped = fields.remove(&name).map(|inside| Value::Array(vec![inside]));
                fields.insert(name, wrapped.into());
            }
            _ => self.spoil(fields.get_mut(&name).expect("it is there")),
        }
    }

    fn body(&mut self, arguments: &Value) -> InvokeBody {
        match self.below(20) {
            0 => InvokeBody::Raw((0..self.below(64)).map(|_| self.next() as u8).collect()),
            1 => InvokeBody::Json(self.value(3)),
            2 | 3 => InvokeBody::Json(self.object(3)),
            _ => InvokeBody::Json(self.spoilt(arguments.clone())),
        }
    }
}

/// Another seed each time, unless one is given: `KEYSTATION_SEED=7 cargo test -p keystation-desktop fuzz`.
fn seed() -> u64 {
    let given = env::var_os("KEYSTATION_SEED").and_then(|seed| seed.to_str()?.parse().ok());
    given.unwrap_or_else(|| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
        now.as_nanos() as u64
    })
}

/// Refusals of the policy, as answers have them.
const POLICY: &[&str] = &[
    "no-session",
    "away",
    "expired",
    "pin-change",
    "role",
    "approval-missing",
    "approval-same-person",
    "approval-role",
    "approval-used",
    "approval-expired",
    "approval-other-request",
];

/// Throws `calls` at a window, whose session is what `before` makes of it before each of them. `refused` says of a
/// command whether the policy refuses it then. The refusals that were told, and the calls that nobody could read.
fn throw(
    window: &WebviewWindow<MockRuntime>,
    dice: &mut Dice,
    calls: u64,
    before: impl Fn(),
    refused: impl Fn(&str) -> bool,
) -> (usize, u64) {
    let (bare, rich): (Vec<_>, Vec<_>) =
        commands().into_iter().partition(|(_, arguments)| *arguments == json!({}));
    let (mut told, mut unread) = (0, 0);
    for _ in 0..calls {
        // There is little to spoil where nothing is taken.
        let (command, arguments) = if dice.below(20) == 0 { dice.one_of(&bare) } else { dice.one_of(&rich) };
        before();
        let body = dice.body(arguments);
        let sent = match &body {
            InvokeBody::Json(arguments) => arguments.clone(),
            InvokeBody::Raw(_) => Value::Null,
        };
        let answer = call_with(window, command, body);
        let said = || format!("{command} with {:.2000}: {answer:?}", sent.to_string());
        match &answer {
            Err(Value::String(why)) => {
                assert!(["invalid args", "invalid channel"].iter().any(|no| why.contains(no)), "{}", said());
                unread += 1;
            }
            Err(problem) => assert!(problem["code"].is_string(), "{}", said()),
            Ok(_) => {}
        }
        let code = code(&answer);
        told += usize::from(POLICY.contains(&code));
        assert!(!(refused(command) && code == "allowed"), "{}", said());
        if *command == "change_pin" && answer.is_ok_and(|answer| answer["outcome"] == "open") {
            let back = json!({ "old": sent["pin"], "pin": sent["old"] });
            call_with(window, command, InvokeBody::Json(back)).expect("it is changed back");
        }
    }
    (told, unread)
}

/// Windows without a session.
fn throw_at_nobody(mut dice: Dice, share: u64) {
    let nothing = app(Err(nowhere()));
    throw(&window(&nothing, "main"), &mut dice, share, || {}, |_| true);
    let (_directory, data) = closed();
    let looking = app(Ok(Desk::audit(&data).unwrap()));
    throw(&window(&looking, "main"), &mut dice, share, || {}, |command| !READS.contains(&command));
    let new = Staffed::untouched();
    let refused = |command: &str| expected(command, "nobody", State::None).is_some();
    throw(new.window(), &mut dice, share, || {}, refused);
}

/// A station with people, in each of these states twice, with somebody else each time.
fn throw_at(states: &[State], mut dice: Dice, share: u64) {
    let staffed = Staffed::new();
    let (begun, mut unread_in_all) = (staffed.size(), 0);
    for state in states.repeat(2) {
        let (user, role) = STAFF[dice.below(STAFF.len())];
        let size = staffed.size();
        let refused = |command: &str| expected(command, role, state).is_some();
        let (told, unread) =
            throw(staffed.window(), &mut dice, share, || staffed.bring(user, state), refused);
        unread_in_all += unread;
        let records = staffed.since(size, "policy.refuse");
        let recorded = records.iter().filter(|record| record["why"] != "state").count();
        assert_eq!(told, recorded, "every refusal is a record: {user} {state:?}");
        println!(
            "{share} calls by {role} in {state:?}: {told} refused by the policy, {unread} that nobody could read"
        );
    }
    staffed.station.clone().close().unwrap();
    let counted = calls_in(&staffed.since(begun, "policy.refuse"));
    assert_eq!(counted, unread_in_all, "what nobody could read is recorded as refused, each call");
}

#[test]
fn no_argument_of_a_page_breaks_a_command() {
    let seed = seed();
    println!("KEYSTATION_SEED={seed}");
    let share = CALLS.div_ceil(3 + 2 * State::ALL.len() as u64);
    let mut dice = Dice(seed);
    let mut another = || Dice(dice.next());
    let (first, second) = State::ALL.split_at(2);
    std::thread::scope(|scope| {
        let (nobody, one, two) = (another(), another(), another());
        scope.spawn(move || throw_at_nobody(nobody, share));
        scope.spawn(move || throw_at(first, one, share));
        scope.spawn(move || throw_at(second, two, share));
    });
}
