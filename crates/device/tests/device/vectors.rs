//! `tests/vectors/device-protocol.json`: the bytes of the specification, made by a program that shares no code with us.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use base64ct::{Base64, Encoding};
use keystation_core::credential::{CredentialSet, LogAnchor, Overwrite};
use keystation_core::flow::{Device, DeviceError, DeviceState, Refusal};
use keystation_core::key::DeviceKey;
use keystation_core::proof::Nonce;
use keystation_core::registration::{IdRule, RegistrationId};
use keystation_core::repair::ReasonCode;
use keystation_device::driver::SmpDevice;
use keystation_device::link::{Port, STEP_LIMIT, Timing};
use keystation_device::smp::{Decoder, frame};
use serde_json::Value;

use crate::support::{DEVICE_KEY, published};

pub(crate) fn vectors() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/vectors/device-protocol.json");
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

pub(crate) fn bytes(value: &Value) -> Vec<u8> {
    let digits = value.as_str().unwrap();
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

pub(crate) fn rows<'a>(vectors: &'a Value, name: &str) -> &'a [Value] {
    let rows = vectors[name].as_array().unwrap();
    assert!(!rows.is_empty());
    rows
}

pub(crate) fn row<'a>(vectors: &'a Value, table: &str, name: &str) -> &'a Value {
    rows(vectors, table).iter().find(|row| row["name"] == name).unwrap()
}

pub(crate) fn delivered(line: &[u8]) -> Vec<Vec<u8>> {
    let mut decoder = Decoder::default();
    line.iter().filter_map(|&byte| decoder.push(byte).map(<[u8]>::to_vec)).collect()
}

/// They come from the document by another hand, so that agreeing with them means something.
#[test]
fn vectors_are_those_that_the_script_makes() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors");
    let mut script = std::process::Command::new("python3");
    let script =
        script.args(["-B", "make_device_protocol.py", "--check"]).current_dir(folder).output().unwrap();
    assert!(script.status.success(), "{}", String::from_utf8_lossy(&script.stderr));
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

/// The anchor of the worked example.
fn anchor() -> LogAnchor {
    LogAnchor::from_bytes(&bytes(&vectors()["set"]["anchor"]).try_into().unwrap())
}

fn credential_set() -> CredentialSet {
    bare_set().anchored(anchor())
}

fn bare_set() -> CredentialSet {
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
    let again = device.glance().unwrap();
    assert_eq!((again.identity, again.state, again.boot), (seen.identity, DeviceState::Keyed, 8));
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
    // 695 bytes and the ready byte.
    assert_eq!(injection(&mut worked_example()), 696);
}

#[test]
fn answer_may_arrive_in_two_pieces_cut_anywhere() {
    let table = worked_example();
    for step in 0..table.rows.len() {
        for cut in 1..table.rows[step].1[0].len() {
            let mut table = worked_example();
            let tail = table.rows[step].1[0].split_off(cut);
            table.rows[step].1.push(tail);
            assert_eq!(injection(&mut table), 696, "step {step} cut at {cut}");
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
    assert_eq!(set.anchor, Some(anchor()));
    assert_eq!(at("set without an anchor").public_set().unwrap().anchor, None);
    at("stage without an anchor").stage(&bare_set()).unwrap();
    at("commit without an anchor").commit(&bare_set(), &identity, None).unwrap();
    at("lock").lock(&identity).unwrap();
    let overwrite = Overwrite::approved(ReasonCode::Returned.into(), "op-1", "sup-1").unwrap();
    at("commit that overwrites").commit(&credential_set(), &identity, Some(&overwrite)).unwrap();
    let refused = at("refused: keyed").commit(&credential_set(), &identity, None);
    assert!(matches!(refused, Err(DeviceError::Refused(Refusal::AlreadyKeyed))));
    let elsewhere = CredentialSet::new(
        credential_set().id().clone(),
        credential_set().scope().clone(),
        "dps.example.com".parse().unwrap(),
        DeviceKey::filled_by(|key| *key = *credential_set().key().expose()),
    )
    .anchored(anchor());
    at("stage with endpoint").stage(&elsewhere).unwrap();
}

/// What `ask` makes of a packet that comes as the answer to the first request.
fn answered<T>(
    row: &Value,
    ask: impl FnOnce(&mut SmpDevice<Answer>) -> Result<T, DeviceError>,
) -> Result<T, DeviceError> {
    let answer = Answer(VecDeque::from([frame::encode(&bytes(&row["packet"])).to_vec()]));
    ask(&mut SmpDevice::with_timing(answer, LIMITS))
}

/// A port whose far end says something once, whatever it is asked.
struct Answer(VecDeque<Vec<u8>>);

impl Port for Answer {
    fn receive(&mut self, buffer: &mut [u8], _: Duration) -> io::Result<usize> {
        let answer = self.0.pop_front().ok_or(io::ErrorKind::TimedOut)?;
        buffer[..answer.len()].copy_from_slice(&answer);
        Ok(answer.len())
    }

    fn send(&mut self, bytes: &[u8], _: Duration) -> io::Result<usize> {
        Ok(bytes.len())
    }
}

fn verdict<T>(result: Result<T, DeviceError>) -> &'static str {
    match result {
        Ok(_) => "accepted",
        Err(DeviceError::Silent { .. }) => "ignored",
        Err(DeviceError::Garbled(_)) => "garbled",
        Err(DeviceError::Unsupported(_)) => "unsupported",
        Err(DeviceError::Identity(_)) => "no-identity",
        Err(DeviceError::Refused(Refusal::Storage)) => "storage-failed",
        Err(DeviceError::Refused(_)) => "refused",
        Err(DeviceError::Unplugged(_)) => "unplugged",
        Err(DeviceError::Moved(_)) => "moved",
    }
}

#[test]
fn driver_refuses_what_the_vectors_refuse() {
    let vectors = vectors();
    for row in rows(&vectors, "info_refused") {
        assert_eq!(verdict(answered(row, Device::identify)), row["verdict"], "{}", row["name"]);
    }
    for row in rows(&vectors, "who_refused") {
        assert_eq!(verdict(answered(row, Device::glance)), row["verdict"], "{}", row["name"]);
    }
    for row in rows(&vectors, "set_refused") {
        assert_eq!(verdict(answered(row, SmpDevice::public_set)), row["verdict"], "{}", row["name"]);
    }
    for row in rows(&vectors, "info_accepted") {
        assert!(answered(row, Device::identify).is_ok(), "{}", row["name"]);
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
