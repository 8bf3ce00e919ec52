//! A station of the parts that ship: real vault, real log, the real flow. It can overwrite, which the headless binary
//! cannot yet, and cut a board's power at a chosen moment of an injection.

use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use base64ct::{Base64, Encoding};
use keystation_audit::{DeviceAnchor, Journal, Origin, Paths, Reader, SystemClock, Verdict};
use keystation_core::credential::{LogAnchor, Overwrite};
use keystation_core::derive;
use keystation_core::failure::Failure;
use keystation_core::flow::{self, Order, Pass, Standing, Step};
use keystation_core::identity::{Identity, MacRule};
use keystation_core::key::{Endpoint, KeySlot};
use keystation_core::proof::Nonce;
use keystation_core::recipe::{MacSpelling, Recipe};
use keystation_core::record::{Actor, Seq};
use keystation_core::registration::{IdRule, RegistrationId};
use keystation_device::driver::SmpDevice;
use keystation_device::ports;
use keystation_tests::bench::{PUBLISHED_GROUP_KEY, random_hex};
use keystation_tests::qemu::Board;
use keystation_tests::qemu::storage::Set;
use keystation_vault::{
    DerivedKeyAnswer, NewKey, Passphrase, SealedFile, SecretText, UnlockedVault, WorkFactor,
};
use tempfile::TempDir;

/// One of the two group keys of a [`Station`]: an injection that overwrites has to write another set.
#[derive(Debug, Clone, Copy)]
pub(super) struct GroupKey {
    label: &'static str,
    scope: &'static str,
    base64: &'static str,
}

/// The published example key.
pub(super) const KEY_A: GroupKey =
    GroupKey { label: "gk-a", scope: "0ne00EMU001", base64: PUBLISHED_GROUP_KEY };
/// "keystation-test-group-key-b-32bytes+more"
pub(super) const KEY_B: GroupKey = GroupKey {
    label: "gk-b",
    scope: "0ne00EMU002",
    base64: "a2V5c3RhdGlvbi10ZXN0LWdyb3VwLWtleS1iLTMyYnl0ZXMrbW9yZQ==",
};

impl GroupKey {
    /// The set that an injection under this key writes as the `generation`th, without its anchor. Derived beside the vault.
    pub(super) fn set(self, id: &RegistrationId, generation: u32) -> Set {
        let group_key = Base64::decode_vec(self.base64).unwrap();
        Set {
            generation,
            id: id.as_str().to_owned(),
            scope: self.scope.to_owned(),
            endpoint: Endpoint::GLOBAL.to_owned(),
            key: derive::device_key(&group_key, id).to_base64().to_string(),
            anchor: None,
        }
    }
}

/// A moment: so long after a step has begun.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    pub(super) after: Step,
    pub(super) delay: Duration,
}

/// When the steps of an injection began, and when it was over.
#[derive(Debug, Default)]
pub(super) struct Course {
    steps: Vec<(Step, Instant)>,
    end: Option<Instant>,
}

impl Course {
    /// From the beginning of a step to that of another one, or to the end of the injection. `None` when it did not come
    /// to these steps.
    pub(super) fn span(&self, from: Step, until: Option<Step>) -> Option<Duration> {
        let begin = |wanted| self.steps.iter().find(|(step, _)| *step == wanted).map(|(_, at)| *at);
        let end = until.map_or(self.end, begin)?;
        Some(end - begin(from)?)
    }
}

/// What a whole station puts together.
pub(super) struct Station {
    dir: TempDir,
    vault: UnlockedVault,
    journal: Journal,
    recipe: Recipe,
}

impl Station {
    pub(super) fn new() -> Self {
        let dir = tempfile::Builder::new().prefix("keystation-qemu-").tempdir().unwrap();
        let file = SealedFile::at(dir.path().join("vault")).with_work_factor(WorkFactor::TEST);
        let passphrase = Passphrase::new(SecretText::new(random_hex(16)).unwrap()).unwrap();
        file.create(&passphrase).unwrap();
        for GroupKey { label, scope, base64 } in [KEY_A, KEY_B] {
            let new = NewKey {
                label: label.parse().unwrap(),
                group: "line-7".parse().unwrap(),
                scope: scope.parse().unwrap(),
                slot: KeySlot::Primary,
            };
            let text = SecretText::new(base64.to_owned()).unwrap();
            file.import(&passphrase, new, &text, DerivedKeyAnswer::NotAsked).unwrap();
        }
        let vault = file.unlock(&passphrase).unwrap();
        let origin = Origin::new("keylog.example.com/plant7/stn03/1").unwrap();
        let clock = SystemClock::new().unwrap();
        let journal = Journal::create(&Paths::in_dir(dir.path()), &origin, &Actor::default(), clock).unwrap();
        let rule = MacRule::default();
        let recipe = Recipe::new("ks-{serial}", MacSpelling::Dashes, rule, IdRule::Dashes).unwrap();
        Self { dir, vault, journal, recipe }
    }

    /// The directory of the station and its boards.
    pub(super) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// The registration ID of a board with this serial number.
    pub(super) fn id(&self, serial: &str) -> RegistrationId {
        let identity = Identity { mac: None, serial: Some(serial.parse().unwrap()) };
        self.recipe.registration_id(&identity).unwrap()
    }

    /// What the log knows of a device.
    pub(super) fn standing(&self, id: &RegistrationId) -> Standing {
        self.journal.standing(id).unwrap()
    }

    /// The set carries the log as it was when the record `intent` was written to key `id`.
    pub(super) fn assert_anchored(&self, set: &Set, id: &RegistrationId, intent: Seq) {
        let anchor = LogAnchor::from_bytes(&set.anchor.expect("an anchor"));
        let reader = Reader::open(&Paths::in_dir(self.dir())).unwrap();
        let verdict = reader.snapshot().unwrap().device_anchor(anchor, id).unwrap();
        assert_eq!(verdict, DeviceAnchor::Agrees(intent));
    }

    /// Verifies every record, and that no intent is open.
    pub(super) fn assert_settled(&self) {
        let reader = Reader::open(&Paths::in_dir(self.dir())).unwrap();
        assert!(reader.open_intents().unwrap().is_empty());
        let verdict = reader.verify().unwrap();
        assert!(matches!(verdict, Verdict::Intact { .. }), "{verdict:?}");
    }

    /// One injection. Power goes at `cut`, or when the injection is over if that is earlier.
    pub(super) fn inject(
        &self,
        board: &Board,
        key: GroupKey,
        overwrite: Option<&Overwrite>,
        cut: Option<Moment>,
    ) -> (Result<Pass, Failure>, Course) {
        let key = self.vault.key(&key.label.parse().unwrap()).unwrap();
        let actor = Actor { session: "5e55".into(), operator: "op-1".into(), role: "repair".into() };
        let order = Order {
            recipe: &self.recipe,
            key: key.info(),
            endpoint: &Endpoint::default(),
            profile: "qemu",
            profile_sha256: [0; 32],
            job: "",
            port: "dev0",
            actor: &actor,
            nonces: [nonce(), nonce()],
            acknowledged: false,
            overwrite,
            admission: &flow::AnyDevice,
        };
        let mut device = SmpDevice::new(ports::open(board.port()).expect("the board is on"));
        let mut course = Course::default();
        let (tell, told) = mpsc::channel();
        let result = thread::scope(|scope| {
            if let Some(Moment { after, delay }) = cut {
                let power = board.power();
                scope.spawn(move || {
                    // The channel ends with the injection.
                    while told.recv().is_ok_and(|step| step != after) {}
                    let moment = Instant::now() + delay;
                    while told.recv_timeout(moment.saturating_duration_since(Instant::now())).is_ok() {}
                    power.cut();
                });
            }
            let result = flow::inject(&order, &key, &mut device, &self.journal, &mut |step| {
                course.steps.push((step, Instant::now()));
                // Nobody listens when there is no cut, or after it.
                let _ = tell.send(step);
            });
            drop(tell);
            result
        });
        course.end = Some(Instant::now());
        (result, course)
    }
}

fn nonce() -> Nonce {
    let hex = random_hex(32);
    Nonce(std::array::from_fn(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap()))
}
