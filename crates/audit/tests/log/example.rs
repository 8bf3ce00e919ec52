//! The worked example of `docs/audit-format.md`: made by this program, by `make_audit.py`, and printed in the document.

use std::path::Path;
use std::sync::Mutex;

use keystation_audit::{
    Checkpoint, Clock, Frontier, Journal, Paths, Reader, Record, Signer, Stamp, leaf_hash, node_hash,
};
use keystation_core::flow::{Log, OpenIntent, Receipt};
use keystation_core::key::DeviceKey;
use keystation_core::record::{Actor, Event, Holds};
use serde_json::Value;

use crate::support::{actor, entry, id, intact, intent, outcome};
use crate::vectors::{bytes, text, vectors};

pub(crate) const RID: &str = "sn-007-888-abc-mac-a1-b2-c3-d4-e5-f6";

/// Gives out the stamps that it was made of.
struct Written(Mutex<Vec<(i64, u64)>>);

impl Clock for Written {
    fn now(&self) -> Stamp {
        let (utc_ms, mono_ms) = self.0.lock().unwrap().pop().unwrap();
        Stamp { utc_ms, mono_ms, boot: "9f0c2b1e-5d1f-4a52-9c0e-2f6f1f0f7a11".parse().unwrap() }
    }
}

fn list<'a>(file: &'a Value, key: &str) -> Vec<&'a str> {
    file[key].as_array().unwrap().iter().map(|value| value.as_str().unwrap()).collect()
}

/// The published key of this registration ID, see `dps-derive.json`.
fn published() -> DeviceKey {
    let file = vectors("dps-derive.json");
    let row = &file["vectors"][0];
    assert_eq!(text(row, "registration_id"), RID);
    let key = <base64ct::Base64 as base64ct::Encoding>::decode_vec(text(row, "device_key_b64")).unwrap();
    DeviceKey::filled_by(|bytes| bytes.copy_from_slice(&key))
}

/// The log of the example in `directory`, and the receipts of its records from 1 on.
pub(crate) fn written(directory: &Path) -> (Paths, Journal, Vec<Receipt>) {
    let file = vectors("audit-log.json");
    let paths = Paths::in_dir(directory);
    let seconds = [(12_000, 8877), (11_340, 8217), (9500, 6377), (4000, 877), (3123, 0)];
    let stamps = seconds.map(|(ms, mono)| (1_795_313_640_000 + ms, 81_233_412 + mono));
    let signer = Signer::from_seed(text(&file, "origin"), &bytes(text(&file, "seed")).try_into().unwrap());
    let station = Actor { operator: String::new(), role: "station".to_owned(), ..actor() };
    let clock = Written(Mutex::new(stamps.to_vec()));
    let journal = Journal::create_signed_by(&paths, signer, &station, clock).unwrap();
    let open = Event::Open {
        version: "keystation 0.1.0".to_owned(),
        sqlite: "3.54.1".to_owned(),
        os: "linux x86_64".to_owned(),
        config: "00".repeat(32),
        // The example is of a program that did not say.
        build: String::new(),
        open_intents: 0,
    };
    let mut device = intent(RID);
    device.fingerprint = published().fingerprint();
    let fingerprint = device.fingerprint;
    let (identity, job) = (device.identity.clone(), device.job.clone());
    let append = |event| Log::append(&journal, &entry(event)).unwrap();
    let mut receipts = vec![append(open), append(Event::Intent(device))];
    let seq = receipts[1].seq;
    let open = OpenIntent { seq, fingerprint, identity, job };
    assert_eq!(journal.standing(&id(RID)).unwrap().open, Some(open));
    receipts.extend([append(Event::Result(outcome(RID, seq, Holds::New))), append(Event::Close)]);
    (paths, journal, receipts)
}

#[test]
fn station_writes_the_example() {
    let file = vectors("audit-log.json");
    let directory = tempfile::tempdir().unwrap();
    let (paths, journal, _) = written(directory.path());
    let reader = Reader::open(&paths).unwrap();
    let stored = reader.recent(100).unwrap();
    let bodies: Vec<_> = stored.iter().map(|r| str::from_utf8(&r.body).unwrap()).collect();
    assert_eq!(bodies, list(&file, "records"));
    assert_eq!(journal.checkpoint().unwrap(), text(&file, "note"));
    journal.close().unwrap();
    assert_eq!(std::fs::read_to_string(&paths.head).unwrap(), text(&file, "note"));
    assert_eq!(std::fs::read_to_string(&paths.vkey).unwrap().trim_end(), text(&file, "vkey"));
    assert_eq!(intact(&paths), 5);
    assert_eq!(reader.written_key(&id(RID)).unwrap(), Some(published().fingerprint()));
}

#[test]
fn example_hashes_to_its_checkpoint() {
    let file = vectors("audit-log.json");
    let hash = |hex: &str| -> [u8; 32] { bytes(hex).try_into().unwrap() };
    let roots = list(&file, "roots");
    let mut tree = Frontier::default();
    assert_eq!(tree.root(), hash(roots[0]));
    for ((body, leaf), root) in list(&file, "records").iter().zip(list(&file, "leaves")).zip(&roots[1..]) {
        Record::parse(body.as_bytes()).unwrap();
        assert_eq!(leaf_hash(body.as_bytes()), hash(leaf));
        tree.add(hash(leaf));
        assert_eq!(tree.root(), hash(root));
    }
    let leaves = list(&file, "leaves");
    assert_eq!(node_hash(&hash(leaves[0]), &hash(leaves[1])), hash(text(&file["nodes"][0], "hash")));
    let checkpoint = Checkpoint::open(text(&file, "note"), &text(&file, "vkey").parse().unwrap()).unwrap();
    assert_eq!((checkpoint.size, checkpoint.root), (tree.size(), tree.root()));
}

#[test]
fn document_prints_the_example() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/audit-format.md");
    let document = std::fs::read_to_string(path).unwrap();
    // Long lines are broken in the document; nothing in the example depends on white space at a line's end.
    let squeezed: String = document.split('\n').map(str::trim).collect();
    let file = vectors("audit-log.json");
    let mut parts = list(&file, "records");
    parts.extend(list(&file, "leaves"));
    parts.extend([roots_last(&file), text(&file, "vkey"), text(&file, "seed")]);
    parts.extend(file["nodes"].as_array().unwrap().iter().map(|node| text(node, "hash")));
    parts.extend(text(&file, "note").lines());
    let device = vectors("audit-device.json");
    parts.push(text(&device, "anchor"));
    let bundle = vectors("audit-bundle.json");
    let proof = text(&bundle, "proof").rsplit("c2sp.org/tlog-proof@v1\n").next().unwrap();
    parts.extend(proof.lines());
    for part in parts {
        assert!(squeezed.contains(part.trim()), "not in the document: {part}");
    }
}

fn roots_last(file: &Value) -> &str {
    list(file, "roots").pop().unwrap()
}
