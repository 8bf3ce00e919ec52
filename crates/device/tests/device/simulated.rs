//! The simulated device against `tests/vectors/device-protocol.json`.

use keystation_device::sim::{Faults, SimDevice};
use keystation_device::smp::{Body, Header, frame};
use serde_json::Value;

use crate::support::{DEVICE_KEY, published};
use crate::vectors::{bytes, delivered, row, rows, vectors};

/// A simulated device with the identity of the vectors, in memory `state`.
struct Sim {
    device: SimDevice,
    directory: tempfile::TempDir,
}

impl Sim {
    /// `boot` as it will be after the start.
    fn new(boot: u32) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("dev0.json");
        let memory = serde_json::json!({
            "mac": "a1:b2:c3:d4:e5:f6", "serial": "007-888-abc", "registration_id": null, "scope": null,
            "endpoint": null, "device_key": null, "generation": 0, "locked": false, "boot": boot - 1,
        });
        std::fs::write(&path, memory.to_string()).unwrap();
        let mut device = SimDevice::new(published(), &path, Faults::default());
        device.start().unwrap();
        Self { device, directory }
    }

    fn ask(&mut self, request: &[u8]) -> Vec<u8> {
        let wire = frame::encode(request);
        let replies: Vec<_> = wire.iter().filter_map(|&byte| self.device.receive(byte)).collect();
        assert_eq!(replies.len(), 1);
        let packets = delivered(&replies[0].wire);
        assert_eq!(packets.len(), 1);
        if replies[0].restarts {
            self.device.start().unwrap();
        }
        packets[0].clone()
    }

    fn memory(&self) -> Value {
        serde_json::from_slice(&std::fs::read(self.directory.path().join("dev0.json")).unwrap()).unwrap()
    }

    fn does(&mut self, row: &Value) {
        let answer = self.ask(&bytes(&row["request"]));
        assert_eq!(answer, bytes(&row["response"]), "{}", row["name"]);
    }
}

#[test]
fn simulated_device_answers_exactly_as_the_vectors_do() {
    let vectors = vectors();
    let more = |name| row(&vectors, "more", name);
    let mut sim = Sim::new(7);
    for row in rows(&vectors, "exchange") {
        sim.does(row);
    }
    // Twice: every command may be repeated without harm.
    for name in ["sas", "set", "echo", "unknown command", "sas", "set", "echo"] {
        sim.does(more(name));
    }
    sim.does(row(&vectors, "exchange", "commit"));
    sim.does(more("lock"));
    sim.does(more("lock"));
    let state = sim.memory();
    assert_eq!((state["device_key"].as_str(), &state["locked"]), (Some(DEVICE_KEY), &Value::Bool(true)));

    // Another set first, then the one of the vectors over it.
    let mut sim = Sim::new(7);
    sim.does(more("stage with endpoint"));
    let other = commit_of("dps.example.com");
    assert!(error_code(&sim.ask(&other)).is_none());
    sim.does(row(&vectors, "exchange", "stage"));
    sim.does(more("refused: keyed"));
    sim.does(more("commit that overwrites"));
    sim.does(more("commit that overwrites"));
}

/// An anchor is kept over a restart, told, and part of what a commit names; a set without one is another set.
#[test]
fn simulated_device_keeps_the_anchor_with_the_set() {
    let vectors = vectors();
    let more = |name| row(&vectors, "more", name);
    let mut sim = Sim::new(7);
    for name in ["stage without an anchor", "commit without an anchor", "set without an anchor"] {
        sim.does(more(name));
    }
    assert_eq!(sim.memory()["anchor"], Value::Null);
    sim.does(row(&vectors, "exchange", "stage"));
    sim.does(more("refused: keyed"));
    sim.does(more("commit that overwrites"));
    sim.does(row(&vectors, "exchange", "reset"));
    let told = sim.ask(&bytes(&more("set")["request"]));
    let (_, body) = Header::split(&told).unwrap();
    let anchor = *Body::parse(body).unwrap().bytes::<20>("an").unwrap().unwrap();
    assert_eq!(anchor.as_slice(), bytes(&vectors["set"]["anchor"]));
}

/// A commit of the vectors' set with another endpoint, digested here from the text of the specification.
fn commit_of(endpoint: &str) -> Vec<u8> {
    use sha2::{Digest, Sha256};
    let vectors = vectors();
    let mut text = b"keystation/set/v1\0".to_vec();
    for part in ["registration_id", "scope"].map(|name| vectors["set"][name].as_str().unwrap()) {
        text.push(part.len() as u8);
        text.extend(part.as_bytes());
    }
    text.push(endpoint.len() as u8);
    text.extend(endpoint.as_bytes());
    text.push(20);
    text.extend(bytes(&vectors["set"]["anchor"]));
    text.extend(bytes(&vectors["set"]["device_key"]));
    let mut request = bytes(&row(&vectors, "exchange", "commit")["request"]);
    let digest = request.len() - 8;
    request[digest..].copy_from_slice(&Sha256::digest(text)[..8]);
    request
}

fn error_code(answer: &[u8]) -> Option<u64> {
    let (_, body) = Header::split(answer).unwrap();
    let error = Body::parse(body).unwrap().map("err").unwrap()?;
    assert_eq!(error.uint("group").unwrap(), Some(0x4b53));
    error.uint("rc").unwrap()
}

#[test]
fn simulated_device_refuses_what_the_vectors_refuse() {
    let vectors = vectors();
    for refused in rows(&vectors, "device_refuses") {
        let mut sim = Sim::new(7);
        let before = match refused["state"].as_str().unwrap() {
            "empty" => 0,
            "staged" => 2,
            _ => 3,
        };
        for row in &rows(&vectors, "exchange")[..before] {
            sim.does(row);
        }
        if refused["state"] == "locked" {
            sim.does(row(&vectors, "more", "lock"));
        }
        let memory = sim.memory();
        let answer = sim.ask(&bytes(&refused["request"]));
        assert_eq!(error_code(&answer), refused["rc"].as_u64(), "{}", refused["name"]);
        assert_eq!(sim.memory(), memory, "{}", refused["name"]);
    }
}

#[test]
fn staged_set_is_forgotten_by_a_restart_and_by_a_commit() {
    let vectors = vectors();
    let exchange = rows(&vectors, "exchange");
    let mut sim = Sim::new(7);
    sim.does(&exchange[1]);
    sim.does(&exchange[3]);
    assert_eq!(error_code(&sim.ask(&bytes(&exchange[2]["request"]))), Some(6));

    let mut sim = Sim::new(7);
    sim.does(row(&vectors, "more", "stage with endpoint"));
    assert!(error_code(&sim.ask(&commit_of("dps.example.com"))).is_none());
    sim.does(&exchange[1]);
    sim.does(row(&vectors, "more", "commit that overwrites"));
    let mut again = commit_of("dps.example.com");
    again.splice(8..9, [0xa3]);
    again.extend(b"\x62ow\xf5");
    again[3] += 4;
    assert_eq!(error_code(&sim.ask(&again)), Some(6));
}
