//! Devices that were keyed once, and hands that put them into slots; a batch that runs as a child of the test.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use base64ct::{Base64, Encoding};
use keystation_audit::{Journal, Paths, SystemClock};
use keystation_core::derive::device_key;
use keystation_core::identity::Identity;
use keystation_core::key::{GroupKeyInfo, KeySlot};
use keystation_core::record::{Actor, Entry, Event, Holds, Intent, Mode, Outcome};
use keystation_core::registration::{IdRule, RegistrationId};
use keystation_device::sim::{self, Persona, Settings};
use keystation_tests::bench::{Bench, Killed, LABEL, PUBLISHED_CHECK_VALUE, PUBLISHED_GROUP_KEY};
use serde_json::{Value, json};

/// Who signs in, and who approves.
pub(crate) type Who<'a> = (&'a str, Option<&'a str>);

/// Longer than anything takes, on a busy computer too: a test that waits for it has failed.
const LONG: Duration = Duration::from_secs(120);

/// Simulated devices with sets of their own, and slots to put them into.
pub(crate) struct Fleet {
    sim: sim::Bench,
    states: PathBuf,
}

fn persona(number: usize) -> Persona {
    let first = Persona {
        mac: Some([0xa4, 0xcf, 0x12, 0, 0, 0]),
        serial: Some("SN-00000".to_owned()),
        firmware: "2.4.1".to_owned(),
    };
    first.numbered(number)
}

impl Fleet {
    /// So many slots without a device, and devices that hold the key of the published group key, as a log of the station at rest
    /// says: written by the formats alone, for nobody waits until a thousand devices were made.
    pub(crate) fn keyed(bench: &Bench, slots: usize, devices: usize) -> Self {
        let settings = Settings {
            count: slots,
            persona: Persona::default(),
            links: bench.file("links"),
            states: bench.file("none"),
            baud: None,
            script: sim::Script::default(),
        };
        let sim = sim::Bench::start(&settings, |event| {
            if let sim::What::Failed(why) = event.what {
                panic!("simulated device {}: {why}", event.device);
            }
        });
        let fleet = Self { sim: sim.unwrap(), states: bench.file("states") };
        (0..slots).for_each(|slot| assert!(fleet.sim.unplug(slot)));
        fs::create_dir_all(&fleet.states).unwrap();
        let group_key = Base64::decode_vec(PUBLISHED_GROUP_KEY).unwrap();
        let journal = Journal::open(&Paths::in_dir(&bench.data()), SystemClock::new().unwrap()).unwrap();
        for number in 0..devices {
            fleet.key(number, &group_key, &journal);
        }
        journal.close().unwrap();
        fleet
    }

    fn key(&self, number: usize, group_key: &[u8], journal: &Journal) {
        let id = RegistrationId::new(&self.id(number), IdRule::Dashes).unwrap();
        let key = device_key(group_key, &id);
        let state = json!({
            "mac": self.mac(number), "serial": self.serial(number), "registration_id": id.as_str(),
            "scope": "0ne00EMU001", "endpoint": "global.azure-devices-provisioning.net",
            "device_key": Base64::encode_string(key.expose()), "anchor": null,
            "generation": 1, "locked": false, "boot": 1
        });
        fs::write(self.state_file(number), state.to_string()).unwrap();
        let actor = Actor {
            session: "0000000000000000".to_owned(),
            operator: "op-0117".to_owned(),
            role: "operator".to_owned(),
        };
        let intent = Intent {
            id: id.clone(),
            identity: Identity {
                mac: Some(self.mac(number).parse().unwrap()),
                serial: Some(self.serial(number).parse().unwrap()),
            },
            firmware: "2.4.1".to_owned(),
            key: GroupKeyInfo {
                label: LABEL.parse().unwrap(),
                group: "line-7".parse().unwrap(),
                scope: "0ne00EMU001".parse().unwrap(),
                slot: KeySlot::Primary,
                check_value: PUBLISHED_CHECK_VALUE.parse().unwrap(),
                length: 64,
            },
            endpoint: "global.azure-devices-provisioning.net".to_owned(),
            fingerprint: key.fingerprint(),
            profile: "example 1".to_owned(),
            job: String::new(),
            port: "/dev/ttyS0".to_owned(),
            mode: Mode::New,
            prior: None,
            attempt: 1,
        };
        let append = |event| journal.append(&Entry { actor: actor.clone(), event }).unwrap();
        let intent = append(Event::Intent(intent));
        append(Event::Result(Outcome { intent, id, failure: None, holds: Holds::New }));
    }

    pub(crate) fn port(&self, slot: usize) -> PathBuf {
        self.sim.port(slot).to_owned()
    }

    /// Takes out of a slot what is in it, and puts this device there.
    pub(crate) fn put(&self, slot: usize, device: usize) {
        self.put_with(slot, device, "");
    }

    /// The same with something that is wrong with it.
    pub(crate) fn put_with(&self, slot: usize, device: usize, faults: &str) {
        let script = if faults.is_empty() { sim::Script::default() } else { faults.parse().unwrap() };
        assert!(self.sim.insert(slot, persona(device), &self.state_file(device), script.faults(slot)));
        assert!(self.sim.plug(slot));
    }

    fn state_file(&self, device: usize) -> PathBuf {
        self.states.join(format!("{device}.json"))
    }

    /// What a device holds.
    pub(crate) fn state(&self, device: usize) -> Value {
        serde_json::from_slice(&fs::read(self.state_file(device)).unwrap()).unwrap()
    }

    /// By the recipe of the profile, put together here.
    pub(crate) fn id(&self, device: usize) -> String {
        format!("sn-{}-mac-{}", self.serial(device).to_lowercase(), self.mac(device).replace(':', "-"))
    }

    pub(crate) fn mac(&self, device: usize) -> String {
        persona(device).mac.unwrap().map(|byte| format!("{byte:02x}")).join(":")
    }

    pub(crate) fn serial(&self, device: usize) -> String {
        persona(device).serial.unwrap()
    }
}

/// A batch at work.
pub(crate) struct Session {
    process: Killed,
    input: ChildStdin,
    output: Receiver<Value>,
    told: Vec<Value>,
}

impl Session {
    pub(crate) fn start(bench: &Bench, arguments: &[&str], who: Who<'_>) -> Self {
        let mut command = bench.keystation();
        command.args(arguments);
        Self::of(bench.signed(bench.with_passphrase(&mut command), who.0, who.1))
    }

    /// Of a command that was not started.
    pub(super) fn of(command: &mut Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = Killed(command.spawn().unwrap());
        let input = process.0.stdin.take().unwrap();
        let lines = BufReader::new(process.0.stdout.take().unwrap()).lines();
        let (tell, output) = mpsc::channel();
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                // The last line of one that was killed may be half of one.
                let Ok(event) = serde_json::from_str(&line) else { return };
                if tell.send(event).is_err() {
                    return;
                }
            }
        });
        Self { process, input, output, told: Vec::new() }
    }

    /// What it tells next; `None`: it has ended.
    pub(crate) fn next(&mut self) -> Option<Value> {
        match self.output.recv_timeout(LONG) {
            Ok(event) => Some(event),
            Err(mpsc::RecvTimeoutError::Disconnected) => None,
            Err(mpsc::RecvTimeoutError::Timeout) => panic!("it says nothing: {:#?}", self.told),
        }
    }

    pub(crate) fn until(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let event = self.next().unwrap_or_else(|| panic!("it ended: {:#?}", self.told));
            self.told.push(event.clone());
            if wanted(&event) {
                return event;
            }
        }
    }

    pub(crate) fn until_slot(&mut self, slot: u64, name: &str) -> Value {
        self.until(|event| event["slot"] == slot && event["event"] == name)
    }

    pub(crate) fn types(&mut self, line: &str) {
        writeln!(self.input, "{line}").unwrap();
    }

    /// Ends it in no order at all.
    pub(crate) fn kill(mut self) {
        self.process.0.kill().unwrap();
        self.process.0.wait().unwrap();
    }

    /// Waits until it ends by itself: its exit code, and everything that it told.
    pub(crate) fn ended(mut self) -> (Option<i32>, Vec<Value>) {
        while let Some(event) = self.next() {
            self.told.push(event);
        }
        (self.process.0.wait().unwrap().code(), self.told)
    }
}

/// The cells of a column of a CSV file whose cells need no quotes.
pub(crate) fn column<'a>(text: &'a str, name: &str) -> Vec<&'a str> {
    let mut rows = text.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let at = rows.next().unwrap().iter().position(|column| *column == name).unwrap();
    rows.map(|row| row[at]).collect()
}

/// A file of a list of these devices, by ID.
pub(crate) fn list_of(path: &Path, ids: impl Iterator<Item = String>) -> PathBuf {
    let rows: Vec<String> = std::iter::once("id".to_owned()).chain(ids).collect();
    fs::write(path, rows.join("\n") + "\n").unwrap();
    path.to_owned()
}
