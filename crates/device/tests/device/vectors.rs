//! `tests/vectors/device-protocol.json`: the bytes of the specification, made by a program that shares no code with us.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use base64ct::{Base64, Encoding};
use keystation_core::credential::{CredentialSet, Overwrite};
use keystation_core::flow::{Device, DeviceError, DeviceState, Refusal};
use keystation_core::key::DeviceKey;
use keystation_core::proof::Nonce;
use keystation_core::registration::{IdRule, RegistrationId};
use keystation_device::driver::SmpDevice;
use keystation_device::link::{Port, STEP_LIMIT, Timing};
use keystation_device::sim::{Faults, SimDevice};
use keystation_device::smp::{Body, Decoder, Header, frame};
use serde_json::Value;

use crate::support::{DEVICE_KEY, published};

fn vectors() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/vectors/device-protocol.json");
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn bytes(value: &Value) -> Vec<u8> {
    let digits = value.as_str().unwrap();
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

fn rows<'a>(vectors: &'a Value, name: &str) -> &'a [Value] {
    let rows = vectors[name].as_array().unwrap();
    assert!(!rows.is_empty());
    rows
}

fn row<'a>(vectors: &'a Value, table: &str, name: &str) -> &'a Value {
    rows(vectors, table).iter().find(|row| row["name"] == name).unwrap()
}

fn delivered(line: &[u8]) -> Vec<Vec<u8>> {
    let mut decoder = Decoder::default();
    line.iter().filter_map(|&byte| decoder.push(byte).map(<[u8]>::to_vec)).collect()
}

#[test]
fn receiver_delivers_exactly_the_packets_of_the_vectors() {
    let vectors = vectors();
    for row in rows(&vectors, "framing") {
        let expected: Vec<_> = row["packets"].as_array().unwrap().iter().map(bytes).collect();
        assert_eq!(delivered(&bytes(&row["bytes"])), expected, "{}", row["name"]);
    }
}

#[test]
fn frames_are_made_as_the_vectors_have_them() {
    let vectors = vectors();
    for row in rows(&vectors, "exchange").iter().chain(rows(&vectors, "more")) {
        for (packet, wire) in [("request", "request_wire"), ("response", "response_wire")] {
            assert_eq!(*frame::encode(&bytes(&row[packet])), bytes(&row[wire]), "{}", row["name"]);
        }
    }
}

/// A port at whose far end stands a table: request, answer, request, answer. An answer comes in pieces.
struct Table {
    rows: VecDeque<(Vec<u8>, Vec<Vec<u8>>)>,
    sent: Vec<u8>,
    pending: VecDeque<Vec<u8>>,
}

impl Table {
    fn new<'a>(rows: impl IntoIterator<Item = &'a Value>) -> Self {
        let row = |row: &Value| (bytes(&row["request_wire"]), vec![bytes(&row["response_wire"])]);
        Self { rows: rows.into_iter().map(row).collect(), sent: Vec::new(), pending: VecDeque::new() }
    }
}

impl Port for Table {
    fn receive(&mut self, buffer: &mut [u8], _: Duration) -> io::Result<usize> {
        let mut piece = self.pending.pop_front().ok_or(io::ErrorKind::TimedOut)?;
        let count = piece.len().min(buffer.len());
        buffer[..count].copy_from_slice(&piece[..count]);
        if count < piece.len() {
            self.pending.push_front(piece.split_off(count));
        }
        Ok(count)
    }

    fn send(&mut self, bytes: &[u8], _: Duration) -> io::Result<usize> {
        self.sent.extend_from_slice(bytes);
        if let Some((request, answer)) = self.rows.pop_front_if(|(request, _)| *request == self.sent) {
            self.sent.clear();
            self.pending.extend(answer);
            assert!(!request.is_empty());
        }
        Ok(bytes.len())
    }
}

fn credential_set() -> CredentialSet {
    CredentialSet::new(
        RegistrationId::new("sn-007-888-abc-mac-a1-b2-c3-d4-e5-f6", IdRule::Dashes).unwrap(),
        "0ne00EMU001".parse().unwrap(),
        keystation_core::key::Endpoint::default(),
        DeviceKey::filled_by(|key| {
            Base64::decode(DEVICE_KEY, key).unwrap();
        }),
    )
}

fn nonce() -> Nonce {
    Nonce(std::array::from_fn(|index| index as u8))
}

/// One injection as the flow does it; the table answers only to exactly the bytes of the specification.
fn injection(port: &mut Table) -> u64 {
    let mut device = SmpDevice::with_timing(port, LIMITS);
    let set = credential_set();
    let seen = device.identify().unwrap();
    assert_eq!((seen.state, seen.generation, seen.boot), (DeviceState::Empty, 0, 7));
    assert_eq!(
        (seen.firmware.as_str(), seen.identity.mac.unwrap().bytes()),
        ("1.0.0", published().mac.unwrap())
    );
    device.stage(&set).unwrap();
    device.commit(&set, &seen.identity, None).unwrap();
    device.restart().unwrap();
    let proof = device.prove(&nonce()).unwrap();
    assert!(keystation_core::proof::holds(set.key(), &nonce(), set.id(), &proof));
    let again = device.identify().unwrap();
    assert_eq!((again.state, again.generation, again.boot), (DeviceState::Keyed, 1, 8));
    device.traffic().total()
}

const LIMITS: Timing = Timing {
    repeat: Duration::from_millis(2),
    answer: Duration::from_millis(8),
    start: Duration::from_millis(8),
};

fn worked_example() -> Table {
    let vectors = vectors();
    let mut table = Table::new(rows(&vectors, "exchange"));
    // The ready byte of the started device.
    table.rows[3].1[0].push(b'\n');
    table
}

#[test]
fn driver_sends_exactly_the_bytes_of_the_worked_example() {
    // 691 bytes and the ready byte.
    assert_eq!(injection(&mut worked_example()), 692);
}

#[test]
fn answer_may_arrive_in_two_pieces_cut_anywhere() {
    let table = worked_example();
    for step in 0..table.rows.len() {
        for cut in 1..table.rows[step].1[0].len() {
            let mut table = worked_example();
            let tail = table.rows[step].1[0].split_off(cut);
            table.rows[step].1.push(tail);
            assert_eq!(injection(&mut table), 692, "step {step} cut at {cut}");
        }
    }
}

/// A table with one row, asked with the first sequence number of a fresh driver.
fn one_row(vectors: &Value, name: &str) -> Table {
    let row = row(vectors, "more", name);
    let first = |packet: &Value| {
        let mut packet = bytes(packet);
        packet[6] = 1;
        frame::encode(&packet).to_vec()
    };
    let rows = VecDeque::from([(first(&row["request"]), vec![first(&row["response"])])]);
    Table { rows, sent: Vec::new(), pending: VecDeque::new() }
}

#[test]
fn other_commands_send_exactly_the_bytes_of_the_vectors() {
    let vectors = vectors();
    let at = |name| SmpDevice::with_timing(one_row(&vectors, name), LIMITS);
    let identity = SmpDevice::with_timing(worked_example(), LIMITS).identify().unwrap().identity;

    let token = at("sas").sas(1_800_000_000).unwrap();
    assert!(token.starts_with("SharedAccessSignature sr=0ne00EMU001%2Fregistrations%2Fsn-007-888-abc"));
    let set = at("set").public_set().unwrap();
    assert_eq!((&set.id, set.generation), (credential_set().id(), 1));
    assert_eq!(set.fingerprint, credential_set().key().fingerprint().to_string());
    at("lock").lock(&identity).unwrap();
    let overwrite = Overwrite::approved("returned", "op-1", "sup-1").unwrap();
    at("commit that overwrites").commit(&credential_set(), &identity, Some(&overwrite)).unwrap();
    let refused = at("refused: keyed").commit(&credential_set(), &identity, None);
    assert!(matches!(refused, Err(DeviceError::Refused(Refusal::AlreadyKeyed))));
    let elsewhere = CredentialSet::new(
        credential_set().id().clone(),
        credential_set().scope().clone(),
        "dps.example.com".parse().unwrap(),
        DeviceKey::filled_by(|key| *key = *credential_set().key().expose()),
    );
    at("stage with endpoint").stage(&elsewhere).unwrap();
}

/// What the driver makes of a packet that comes as the answer to its first request, `info`.
fn answered(packet: &[u8]) -> Result<keystation_core::flow::Sighting, DeviceError> {
    let vectors = vectors();
    let mut table = Table::new(&rows(&vectors, "exchange")[..1]);
    table.rows[0].1 = vec![frame::encode(packet).to_vec()];
    SmpDevice::with_timing(table, LIMITS).identify()
}

#[test]
fn driver_refuses_what_the_vectors_refuse() {
    let vectors = vectors();
    for row in rows(&vectors, "info_refused") {
        let verdict = match answered(&bytes(&row["packet"])) {
            Ok(_) => "accepted",
            Err(DeviceError::Silent { .. }) => "ignored",
            Err(DeviceError::Garbled(_)) => "garbled",
            Err(DeviceError::Unsupported(_)) => "unsupported",
            Err(DeviceError::Identity(_)) => "no-identity",
            Err(DeviceError::Refused(Refusal::Storage)) => "storage-failed",
            Err(DeviceError::Refused(_)) => "refused",
            Err(DeviceError::Unplugged(_)) => "unplugged",
        };
        assert_eq!(verdict, row["verdict"], "{}", row["name"]);
    }
    for row in rows(&vectors, "info_accepted") {
        assert!(answered(&bytes(&row["packet"])).is_ok(), "{}", row["name"]);
    }
}

/// A port whose far end says the same for ever and never what is wanted.
struct Flood(u64);

impl Port for Flood {
    fn receive(&mut self, buffer: &mut [u8], _: Duration) -> io::Result<usize> {
        buffer.fill(b'x');
        self.0 += buffer.len() as u64;
        Ok(buffer.len())
    }

    fn send(&mut self, bytes: &[u8], _: Duration) -> io::Result<usize> {
        Ok(bytes.len())
    }
}

#[test]
fn flood_ends_after_64_kibibytes() {
    let mut device = SmpDevice::new(Flood(0));
    assert!(matches!(device.identify(), Err(DeviceError::Garbled(_))));
    let read = device.traffic().received;
    assert!((STEP_LIMIT as u64..STEP_LIMIT as u64 + 1024).contains(&read), "{read}");
}

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
