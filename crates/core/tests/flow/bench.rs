use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::LazyLock;

use base64ct::{Base64, Base64UrlUnpadded, Encoding};
use keystation_core::credential::Overwrite;
use keystation_core::derive::device_key;
use keystation_core::failure::{Code, Failure, Safety};
use keystation_core::flow::{
    Admission, AnyDevice, Left, Log, NotAdmitted, Order, Pass, Settled, Standing, Step, Vault, VaultError,
    inject, settle,
};
use keystation_core::identity::{Identity, MacRule};
use keystation_core::key::{CheckValue, DeviceKey, Endpoint, GroupKeyInfo, KeySlot};
use keystation_core::proof::Nonce;
use keystation_core::recipe::{MacSpelling, Recipe};
use keystation_core::record::{Actor, Event, Holds, Value};
use keystation_core::registration::{IdRule, RegistrationId};
use keystation_core::repair::ReasonCode;

use crate::board::Board;
use crate::log::{FakeLog, anchor};
use crate::trace::{Trace, When};

pub(crate) enum FakeVault {
    Open([u8; 64]),
    Locked,
    Broken,
}

impl Vault for FakeVault {
    fn derive(&self, id: &RegistrationId) -> Result<DeviceKey, VaultError> {
        match self {
            Self::Open(group_key) => Ok(device_key(group_key, id)),
            Self::Locked => Err(VaultError::Locked),
            Self::Broken => Err(VaultError::Custody("the token is gone".to_owned())),
        }
    }
}

/// A work order that this device is none of.
#[derive(Debug)]
struct Others;

impl Admission for Others {
    fn admit(&self, _: &Identity, id: &RegistrationId) -> Result<(), NotAdmitted> {
        assert_eq!(*id, World::id());
        Err(NotAdmitted { code: Code::Unlisted, cause: None })
    }
}

/// A station with one device plugged in.
pub(crate) struct World {
    pub(crate) vault: FakeVault,
    pub(crate) log: FakeLog,
    pub(crate) board: Board,
    pub(crate) trace: Rc<Trace>,
    pub(crate) steps: Vec<Step>,
    pub(crate) endpoint: Endpoint,
    /// Whether the device is one of the work order.
    pub(crate) listed: bool,
    /// Its work order.
    pub(crate) job: &'static str,
    /// Whether the try before came as far as the restart.
    pub(crate) acknowledged: bool,
    pub(crate) recipe: Recipe,
    key: GroupKeyInfo,
    actor: Actor,
    runs: u8,
}

pub(crate) const GROUP_KEY: [u8; 64] = [0x42; 64];
pub(crate) const OTHER_GROUP_KEY: [u8; 64] = [0x24; 64];

impl World {
    pub(crate) fn new() -> Self {
        let trace = Rc::<Trace>::default();
        let identity = Identity { mac: "a4cf12000107".parse().ok(), serial: "SN-0001".parse().ok() };
        let key = GroupKeyInfo {
            label: "gk-2026a".parse().expect("a label"),
            group: "line-7".parse().expect("a group"),
            scope: "0ne00EMU001".parse().expect("a scope"),
            slot: KeySlot::Primary,
            check_value: CheckValue::from_hmac(&[0x7c; 32]),
            length: 64,
        };
        Self {
            vault: FakeVault::Open(GROUP_KEY),
            log: FakeLog::new(Rc::clone(&trace)),
            board: Board::new(identity, Rc::clone(&trace)),
            trace,
            steps: Vec::new(),
            endpoint: Endpoint::default(),
            listed: true,
            job: "WO-44192",
            acknowledged: false,
            recipe: Recipe::new(
                "sn-{serial}-mac-{mac}",
                MacSpelling::Dashes,
                MacRule::default(),
                IdRule::Dashes,
            )
            .expect("a recipe"),
            key,
            actor: Actor {
                session: "5c1e".to_owned(),
                operator: "op-0117".to_owned(),
                role: "operator".to_owned(),
            },
            runs: 0,
        }
    }

    pub(crate) fn id() -> RegistrationId {
        RegistrationId::new("sn-sn-0001-mac-a4-cf-12-00-01-07", IdRule::Dashes).expect("an ID")
    }

    /// Whether the device holds the key of the first group key for its own ID.
    pub(crate) fn is_keyed(&self) -> bool {
        self.holds_key_of(&GROUP_KEY)
    }

    pub(crate) fn holds_key_of(&self, group_key: &[u8]) -> bool {
        let expected = device_key(group_key, &Self::id());
        self.board.stored.as_ref().is_some_and(|s| s.id == Self::id() && s.key.expose() == expected.expose())
    }

    pub(crate) fn standing(&self) -> Standing {
        self.log.standing(&Self::id()).expect("the log is readable")
    }

    /// Runs the flow on the device as it is plugged in, and holds what must hold after every run.
    pub(crate) fn inject(&mut self) -> Result<Pass, Failure> {
        self.inject_with(None)
    }

    pub(crate) fn repair(&mut self) -> Result<Pass, Failure> {
        let overwrite = Overwrite::approved(ReasonCode::Returned.into(), "op-0117", "sup-0002")
            .expect("two people, a reason");
        self.inject_with(Some(&overwrite))
    }

    /// Runs the flow in a station that is killed at its act number `number`, counted from 0. `false`: it had ended
    /// before.
    pub(crate) fn inject_and_die(&mut self, number: usize, when: When) -> bool {
        self.trace.kill.set(Some((number, when)));
        let died = catch_unwind(AssertUnwindSafe(|| self.inject())).is_err();
        self.trace.kill.set(None);
        died
    }

    /// Looks at what was left open, with these keys.
    pub(crate) fn settle(&mut self, old: Option<&dyn Vault>) -> Result<Option<Settled>, Failure> {
        self.trace.clear();
        self.runs += 1;
        let order = Order {
            recipe: &self.recipe,
            key: &self.key,
            endpoint: &self.endpoint,
            profile: "thermostat/3",
            profile_sha256: [0x33; 32],
            job: "",
            admission: &AnyDevice,
            port: "usb-1-1.4",
            actor: &self.actor,
            nonces: [Nonce([self.runs; 32]), Nonce([self.runs | 0x80; 32])],
            acknowledged: false,
            overwrite: None,
        };
        let keys = Left { new: &self.vault, old };
        let settled = settle(&order, keys, &mut self.board, &self.log, &mut |_| {});
        let acts = self.trace.acts();
        assert!(!acts.contains(&"stage") && !acts.contains(&"inject.intent"), "nothing is written: {acts:?}");
        settled
    }

    pub(crate) fn inject_with(&mut self, overwrite: Option<&Overwrite>) -> Result<Pass, Failure> {
        self.trace.clear();
        self.steps.clear();
        self.runs += 1;
        let order = Order {
            recipe: &self.recipe,
            key: &self.key,
            endpoint: &self.endpoint,
            profile: "thermostat/3",
            profile_sha256: [0x33; 32],
            job: self.job,
            admission: if self.listed { &AnyDevice } else { &Others },
            port: "usb-1-1.4",
            actor: &self.actor,
            nonces: [Nonce([self.runs; 32]), Nonce([self.runs | 0x80; 32])],
            acknowledged: self.acknowledged,
            overwrite,
        };
        let before = self.log.entries.borrow().len();
        let steps = &mut self.steps;
        let outcome = inject(&order, &self.vault, &mut self.board, &self.log, &mut |step| steps.push(step));
        self.check(&outcome, before);
        outcome
    }

    /// What must hold after every run, honest device or not; the log had `before` records before it.
    fn check(&self, outcome: &Result<Pass, Failure>, before: usize) {
        let trace = self.trace.acts();
        let first = |wanted: &str| trace.iter().position(|act| *act == wanted);
        if let Some(stage) = first("stage").or(first("commit")) {
            let intent = first("inject.intent").expect("no byte of a key is sent without an intent");
            assert!(intent < stage, "the intent is durable before the first byte of the write: {trace:?}");
        }
        let entries = self.log.entries.borrow();
        match outcome {
            Ok(pass) => {
                let last = entries.last().expect("a pass has a record");
                assert_eq!(pass.record, entries.len() as u64 - 1, "the record of the pass is the last one");
                let (Event::Result(result) | Event::Resolve(result)) = &last.event else {
                    panic!("a pass is recorded as {}", last.event.name());
                };
                assert_eq!((result.failure, result.holds, last.event.rc()), (None, Holds::New, "ok"));
                assert_eq!(result.intent, pass.intent);
                assert!(matches!(&entries[pass.intent as usize].event, Event::Intent(i) if i.id == pass.id));
                assert_eq!(trace.last(), Some(&last.event.name()), "and nothing happens after it");
                assert!(self.is_keyed() || self.holds_key_of(&OTHER_GROUP_KEY), "PASS is never a lie");
                assert_eq!(self.standing().open, None);
                assert_eq!(self.standing().keyed, Some(pass.record));
                if first("stage").is_some() {
                    let held = self.board.stored.as_ref().and_then(|stored| stored.anchor);
                    assert_eq!(held, Some(anchor(pass.intent + 1)), "the log up to the intent of this write");
                }
            }
            Err(failure) => {
                let named =
                    failure.identity.as_ref().is_some_and(|identity| *identity == self.board.identity);
                assert_eq!(failure.id.is_some(), failure.id == Some(Self::id()), "another device is named");
                if first("stage").is_some() {
                    assert!(failure.id.is_some() && named, "a device that was written is named: {failure:?}");
                }
                if failure.safety == Safety::Untouched {
                    assert!(first("stage").is_none() && first("commit").is_none(), "untouched: {trace:?}");
                }
                if let Some(record) = failure.record {
                    assert_eq!(record, entries.len() as u64 - 1);
                    assert_ne!(entries[record as usize].event.rc(), "ok");
                } else {
                    assert_eq!(failure.code, Code::LogFailed, "every other failure is recorded");
                }
                if self.log.readable {
                    let open = self.standing().open.is_some();
                    let uncertain = matches!(failure.safety, Safety::Unknown | Safety::Unrecorded);
                    let log_failed = failure.code == Code::LogFailed;
                    // Where nobody knows who the device is, nobody knows its intents.
                    let nobody = matches!(
                        entries.last().map(|entry| &entry.event),
                        Some(Event::Refuse { id: None, .. })
                    );
                    // An intent for another board says nothing of this one.
                    let another = failure.code == Code::OtherBoard;
                    assert!(
                        open == uncertain || open && (log_failed || nobody || another),
                        "{failure:?} with open intent: {open}"
                    );
                }
            }
        }
        for entry in entries.iter().skip(before) {
            let fields = entry.event.fields();
            assert!(SECRETS.iter().all(|secret| secret.found_in(&fields).is_none()), "{fields:?}");
        }
    }
}

/// Both group keys, and the keys that they make for the device.
static SECRETS: LazyLock<Vec<Secret>> = LazyLock::new(|| {
    let keys = [GROUP_KEY, OTHER_GROUP_KEY];
    let derived = keys.map(|group_key| Secret::new(device_key(&group_key, &World::id()).expose()));
    keys.map(|group_key| Secret::new(&group_key)).into_iter().chain(derived).collect()
});

/// A secret as it would stand in a text: in hexadecimal or Base64, whole, or the beginning or the end of it.
pub(crate) struct Secret {
    pieces: [String; 4],
}

impl Secret {
    pub(crate) fn new(bytes: &[u8]) -> Self {
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let (head, tail) = (hex[..24].to_owned(), hex[hex.len() - 24..].to_owned());
        let base64 = Base64::encode_string(bytes)[..16].to_ascii_lowercase();
        let url_safe = Base64UrlUnpadded::encode_string(bytes)[..16].to_ascii_lowercase();
        Self { pieces: [head, tail, base64, url_safe] }
    }

    /// The field that holds it.
    pub(crate) fn found_in(&self, fields: &[(&'static str, Value)]) -> Option<&'static str> {
        let holds = |(_, value): &&(&'static str, Value)| match value {
            Value::Text(text) => {
                let text = text.to_ascii_lowercase();
                self.pieces.iter().any(|piece| text.contains(piece))
            }
            Value::Number(_) => false,
        };
        fields.iter().find(holds).map(|(name, _)| *name)
    }
}
