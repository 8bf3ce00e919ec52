//! What an injection needs beside a device.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use base64ct::{Base64, Encoding};
use keystation_core::credential::{LogAnchor, Overwrite};
use keystation_core::derive;
use keystation_core::failure::Failure;
use keystation_core::flow::{
    self, Log, LogError, OpenIntent, Order, Pass, Receipt, Retirement, Standing, Vault, VaultError,
};
use keystation_core::identity::{Identity, MacRule};
use keystation_core::key::{CheckValue, DeviceKey, Endpoint, GroupKeyInfo, KeySlot};
use keystation_core::proof::Nonce;
use keystation_core::recipe::{MacSpelling, Recipe};
use keystation_core::record::{Actor, Entry, Event, Holds};
use keystation_core::registration::{IdRule, RegistrationId};
use keystation_device::driver::SmpDevice;
use keystation_device::link::{Port, Timing};
use keystation_device::ports::{self, SerialPort};
use keystation_device::sim::{Bench, Faults, Persona, Script, Settings};
use tempfile::TempDir;

/// The example of *Symmetric key attestation with DPS*: group key, device, device key.
pub(crate) const GROUP_KEY: &str =
    "8isrFI1sGsIlvvFSSFRiMfCNzv21fjbE/+ah/lSh3lF8e2YG1Te7w1KpZhJFFXJrqYKi9yegxkqIChbqOS9Egw==";
pub(crate) const DEVICE_KEY: &str = "Jsm0lyGpjaVYVP2g3FnmnmG9dI/9qU24wNoykUmermc=";

pub(crate) fn published() -> Persona {
    Persona {
        mac: Some([0xa1, 0xb2, 0xc3, 0xd4, 0xe5, 0xf6]),
        serial: Some("007-888-abc".to_owned()),
        firmware: "1.0.0".to_owned(),
    }
}

pub(crate) struct TestVault;

impl Vault for TestVault {
    fn derive(&self, id: &RegistrationId) -> Result<DeviceKey, VaultError> {
        Ok(derive::device_key(&Base64::decode_vec(GROUP_KEY).unwrap(), id))
    }
}

/// A log in memory, with the standing that a real one would report.
#[derive(Default)]
pub(crate) struct TestLog {
    pub(crate) entries: RefCell<Vec<Entry>>,
    standings: RefCell<HashMap<String, Standing>>,
}

impl Log for TestLog {
    fn retired(&self, _: &RegistrationId, _: &Identity) -> Result<Option<Retirement>, LogError> {
        Ok(None)
    }

    fn append(&self, entry: &Entry) -> Result<Receipt, LogError> {
        let seq = self.entries.borrow().len() as u64;
        self.entries.borrow_mut().push(entry.clone());
        let mut standings = self.standings.borrow_mut();
        match &entry.event {
            Event::Intent(intent) => {
                let standing = standings.entry(intent.id.to_string()).or_default();
                standing.open = Some(OpenIntent {
                    seq,
                    fingerprint: intent.fingerprint,
                    identity: intent.identity.clone(),
                    job: intent.job.clone(),
                });
                standing.attempts += 1;
            }
            Event::Result(outcome) | Event::Resolve(outcome) => {
                let standing = standings.entry(outcome.id.to_string()).or_default();
                if outcome.holds != Holds::Unknown {
                    standing.open = None;
                }
                if outcome.failure.is_none() {
                    standing.keyed = Some(seq);
                }
            }
            _ => {}
        }
        let anchor = LogAnchor { log: *b"test", size: seq + 1, root: [seq as u8; 8] };
        Ok(Receipt { seq, anchor })
    }

    fn standing(&self, id: &RegistrationId) -> Result<Standing, LogError> {
        Ok(self.standings.borrow().get(id.as_str()).cloned().unwrap_or_default())
    }
}

/// Injects into whatever is at `device`.
pub(crate) fn inject<P: Port>(
    device: &mut SmpDevice<P>,
    log: &TestLog,
    overwrite: Option<&Overwrite>,
) -> Result<Pass, Failure> {
    let mac_rule = MacRule { allow_multicast: true, ..MacRule::default() };
    let recipe = Recipe::new("sn-{serial}-mac-{mac}", MacSpelling::Dashes, mac_rule, IdRule::Dashes).unwrap();
    let key = GroupKeyInfo {
        label: "gk-test".parse().unwrap(),
        group: "test".parse().unwrap(),
        scope: "0ne00EMU001".parse().unwrap(),
        slot: KeySlot::Primary,
        check_value: CheckValue::from_hmac(&[0; 32]),
        length: 64,
    };
    // Different in every injection, as the caller of `inject` has to see to; and none that a device has recorded.
    let fresh = 0x40 + u8::try_from(log.entries.borrow().len()).unwrap();
    let order = Order {
        recipe: &recipe,
        key: &key,
        endpoint: &Endpoint::default(),
        profile: "test-1",
        profile_sha256: [0; 32],
        job: "",
        port: "test",
        actor: &Actor::default(),
        nonces: [Nonce([fresh; 32]), Nonce([fresh ^ 0xff; 32])],
        acknowledged: false,
        overwrite,
        admission: &flow::AnyDevice,
    };
    flow::inject(&order, &TestVault, device, log, &mut |_| {})
}

/// Repeats soon, because a test loses many bytes, and waits long, because the computer may be busy.
pub(crate) const PATIENT: Timing = Timing {
    repeat: Duration::from_millis(60),
    answer: Duration::from_secs(30),
    start: Duration::from_secs(30),
};

/// Never repeats, for devices that lose nothing: what goes over the line does not depend on how busy the computer is.
pub(crate) const STEADY: Timing = Timing { repeat: Duration::from_secs(30), ..PATIENT };

/// For a device that is going to be silent.
pub(crate) const QUICK: Timing = Timing {
    repeat: Duration::from_millis(40),
    answer: Duration::from_millis(400),
    start: Duration::from_millis(400),
};

pub(crate) fn open(path: &Path) -> SmpDevice<SerialPort> {
    SmpDevice::with_timing(ports::open(path).unwrap(), PATIENT)
}

/// Simulated devices in a directory of their own.
pub(crate) struct TestBench {
    pub(crate) bench: Bench,
    _directory: TempDir,
}

impl TestBench {
    pub(crate) fn new(count: usize, baud: u32, script: &str) -> Self {
        Self::of(published(), count, baud, script)
    }

    pub(crate) fn of(persona: Persona, count: usize, baud: u32, script: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let settings = Settings {
            count,
            persona,
            links: directory.path().join("links"),
            states: directory.path().join("states"),
            baud: baud.try_into().ok(),
            script: script.parse().unwrap(),
        };
        Self { bench: Bench::start(&settings, |_| {}).unwrap(), _directory: directory }
    }

    pub(crate) fn open(&self, device: usize) -> SmpDevice<SerialPort> {
        open(self.bench.port(device))
    }

    pub(crate) fn open_with(&self, device: usize, timing: Timing) -> SmpDevice<SerialPort> {
        SmpDevice::with_timing(ports::open(self.bench.port(device)).unwrap(), timing)
    }

    /// The file of a device.
    pub(crate) fn state(&self, device: usize) -> serde_json::Value {
        serde_json::from_slice(&std::fs::read(self.bench.state(device)).unwrap()).unwrap()
    }

    /// Base64 of the key that it holds.
    pub(crate) fn key(&self, device: usize) -> Option<String> {
        self.state(device)["device_key"].as_str().map(str::to_owned)
    }

    /// A device as new, at the same place, with another script.
    pub(crate) fn renew(&self, device: usize, script: &str) {
        assert!(self.bench.unplug(device));
        std::fs::remove_file(self.bench.state(device)).unwrap();
        assert!(self.bench.set_faults(device, faults(script)));
        assert!(self.bench.plug(device));
    }
}

pub(crate) fn faults(script: &str) -> Faults {
    script.parse::<Script>().unwrap().faults(0)
}
