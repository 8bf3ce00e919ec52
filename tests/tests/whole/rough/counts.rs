//! The same counts, from everywhere that counts.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use base64ct::{Base64, Encoding};
use keystation_tests::bench::{Bench, PUBLISHED_GROUP_KEY};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::script::{Device, Kind};

/// What a slot told of one try, and of which device.
pub(super) struct Told {
    pub(super) kind: Kind,
    pub(super) device: Device,
    /// `pass`, `fail` or `retry`.
    pub(super) event: Value,
}

/// HMAC-SHA-256 (RFC 2104) for keys of at most one block, written for this test alone.
fn hmac(key: &[u8], text: &[u8]) -> [u8; 32] {
    let pad = |with: u8| {
        let mut block = [with; 64];
        block.iter_mut().zip(key).for_each(|(byte, key)| *byte ^= key);
        block
    };
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(text).finalize();
    Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize().into()
}

/// Each device that passed holds its key, which is computed here from the group key and its registration ID.
pub(super) fn assert_no_wrong_pass(told: &[Told]) {
    let group_key = Base64::decode_vec(PUBLISHED_GROUP_KEY).unwrap();
    let mut passed = BTreeSet::new();
    for Told { device, event, .. } in told.iter().filter(|told| told.event["event"] == "pass") {
        let id = device.id();
        assert_eq!(event["id"], id.as_str());
        assert!(passed.insert(id.clone()), "{id} passed twice");
        let memory: Value = serde_json::from_slice(&fs::read(&device.state).unwrap()).unwrap();
        let key = Base64::encode_string(&hmac(&group_key, id.as_bytes()));
        assert_eq!(memory["registration_id"], id.as_str());
        assert!(memory["device_key"] == key.as_str(), "{id} passed without its key");
        assert_eq!(memory["generation"], 1, "{id} was written twice");
    }
}

/// Each try that was told has one record, which says the same of the same device; and there is no other record of a try.
pub(super) fn assert_recorded(told: &[Told], records: &[Value]) -> u64 {
    let mut seen = BTreeSet::new();
    let mut unrecorded = 0;
    for Told { kind, device, event } in told {
        let Some(seq) = event["record"].as_u64() else {
            unrecorded += 1;
            assert!(
                event["mac"].is_null() && event["serial"].is_null(),
                "{kind:?} said who it is and has no record: {event}"
            );
            continue;
        };
        assert!(seen.insert(seq), "one record of two tries: {event}");
        let record = &records[usize::try_from(seq).unwrap()];
        assert_eq!(record["code"].as_str(), event["code"].as_str().or(Some("")), "{event}: {record}");
        assert_eq!(record["rc"] == "ok", event["event"] == "pass", "{event}: {record}");
        // One that has no usable identity has no registration ID.
        if let Some(rid) = record["rid"].as_str().filter(|rid| !rid.is_empty()) {
            assert_eq!(rid, device.id(), "{event}: {record}");
        }
    }
    for (seq, record) in records.iter().enumerate() {
        let outcome =
            matches!(record["ev"].as_str(), Some("inject.result" | "inject.resolve" | "inject.refuse"));
        if outcome && record["rc"] != "aborted" {
            assert!(seen.contains(&(seq as u64)), "nobody told of {record}");
        }
    }
    unrecorded
}

/// The records counted here, the run's own sum, the work order and the report on the shift.
pub(super) fn assert_sums(bench: &Bench, order: &str, told: &[Told], sum: &Value) {
    let of = |name: &str| told.iter().filter(|told| told.event["event"] == name).count() as u64;
    let (passed, failed, retries) = (of("pass"), of("fail"), of("retry"));
    let records = bench.records();
    let unrecorded = assert_recorded(told, &records);
    let said = [&sum["devices"], &sum["passed"], &sum["failed"], &sum["retries"], &sum["unrecorded"]];
    assert_eq!(
        said.map(|n| n.as_u64().unwrap()),
        [passed + failed, passed, failed, retries, unrecorded],
        "{sum}"
    );

    let count = |events: &[&str], rc: &dyn Fn(&str) -> bool| {
        let wanted = |record: &&Value| {
            events.iter().any(|event| record["ev"] == *event) && rc(record["rc"].as_str().unwrap_or_default())
        };
        records.iter().filter(wanted).count() as u64
    };
    let outcomes = ["inject.result", "inject.resolve"];
    let intents = count(&["inject.intent"], &|_| true);
    let ok = count(&outcomes, &|rc| rc == "ok");
    let aborted = count(&["inject.resolve"], &|rc| rc == "aborted");
    let bad = count(&outcomes, &|rc| rc != "ok") - aborted;
    let refused = count(&["inject.refuse"], &|_| true);
    assert_eq!(ok, passed);
    assert_eq!(bad + refused, failed + retries - unrecorded);
    let log = ["passed", "failed", "refused", "not_written"].map(|name| sum["log"][name].as_u64().unwrap());
    assert_eq!(log, [ok, bad, refused, aborted], "{sum}");

    let begun = records.iter().filter(|record| record["ev"] == "inject.intent");
    let devices: BTreeSet<_> = begun.map(|record| record["rid"].as_str().unwrap()).collect();
    let standing = bench.run(&["order", "show", order]);
    let standing = standing.event("order").unwrap();
    assert_eq!(
        (&standing["begun"], &standing["passed"]),
        (&devices.len().into(), &passed.into()),
        "{standing}"
    );

    let shift = bench.run(&["audit", "report", "shift"]);
    let total = shift.events.iter().find(|row| row["scope"] == "total").unwrap();
    let row = |name: &str| total[name].as_u64().unwrap();
    assert_eq!(
        [row("attempts"), row("refused"), row("devices_passed")],
        [intents, refused, passed],
        "{total}"
    );
    assert_eq!(row("attempts"), row("passed") + row("failed") + row("open"), "{total}");
    assert_eq!(row("passed"), ok, "{total}");

    let mut ends: BTreeMap<(Kind, &str), u32> = BTreeMap::new();
    for Told { kind, event, .. } in told {
        let end = match event["event"].as_str() {
            Some("fail") => event["code"].as_str().unwrap(),
            Some(other) => other,
            None => unreachable!("every event has a name"),
        };
        *ends.entry((*kind, end)).or_default() += 1;
    }
    println!(
        "{} devices, {passed} PASS, {failed} FAIL, {retries} retries, {unrecorded} unrecorded",
        passed + failed
    );
    println!(
        "{} records: {intents} intents, {ok} ok, {bad} failed, {refused} refused, {aborted} not written",
        records.len()
    );
    for ((kind, end), count) in ends {
        println!("  {kind:?} {end}: {count}");
    }
}
