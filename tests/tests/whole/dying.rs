//! Which devices stop working when a group key goes: the station's answer beside a recount from an exported bundle, by a program that
//! knows docs/audit-format.md and nothing else.

use std::process::Command;

use keystation_audit::{Journal, Paths, SystemClock};
use keystation_core::identity::Identity;
use keystation_core::key::{DeviceKey, GroupKeyInfo, KeySlot};
use keystation_core::record::{
    Actor, DeviceChange, DeviceEvent, DeviceReason, Entry, Event, Holds, Intent, Mode, Outcome, Rekey, Seq,
    Successor,
};
use keystation_core::registration::{IdRule, RegistrationId};
use keystation_core::repair::ReasonCode;
use keystation_tests::bench::{Bench, LABEL};
use keystation_tests::verifiers::Verifiers;

struct Log(Journal);

fn id(text: &str) -> RegistrationId {
    RegistrationId::new(text, IdRule::Dashes).unwrap()
}

fn board(number: u32, version: u8) -> Identity {
    let mac = format!("a4cf12{version:02x}{number:04x}").parse().ok();
    Identity { mac, serial: format!("SN-{number}").parse().ok() }
}

impl Log {
    fn append(&self, event: Event) -> Seq {
        let actor =
            Actor { session: "0000000000000000".into(), operator: "rep-1".into(), role: "repair".into() };
        self.0.append(&Entry { actor, event }).unwrap()
    }

    /// Writes `rid` under a key; the intent.
    fn key(&self, rid: &str, identity: Identity, label: &str, holds: Holds) -> Seq {
        let standing = self.0.standing(&id(rid)).unwrap();
        let again = standing.keyed.is_some();
        let fill = rid.bytes().fold(7_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
        let intent = self.append(Event::Intent(Intent {
            id: id(rid),
            identity,
            firmware: "1".to_owned(),
            key: GroupKeyInfo {
                label: label.parse().unwrap(),
                group: "line-7".parse().unwrap(),
                scope: "0ne00EMU001".parse().unwrap(),
                slot: KeySlot::Primary,
                check_value: "9B5BD-BEC8B".parse().unwrap(),
                length: 64,
            },
            endpoint: "global.azure-devices-provisioning.net".to_owned(),
            fingerprint: DeviceKey::filled_by(|key| {
                key[..8].copy_from_slice(&fill.to_be_bytes());
                key[8..16].copy_from_slice(&(label.len() as u64).to_be_bytes());
            })
            .fingerprint(),
            profile: "test 1".to_owned(),
            job: String::new(),
            port: "x".to_owned(),
            mode: if again {
                Mode::Rekey(Rekey::of_unknown(ReasonCode::KeyRotation, "sup-1"))
            } else {
                Mode::New
            },
            prior: standing.follows(),
            attempt: standing.attempts + 1,
        }));
        let failure = (holds != Holds::New).then_some(keystation_core::failure::Code::Silent);
        self.append(Event::Result(Outcome { intent, id: id(rid), failure, holds }));
        intent
    }

    fn change(&self, rid: &str, identity: Identity, follows: Seq, change: DeviceChange) -> Seq {
        self.append(Event::Device(DeviceEvent {
            id: Some(id(rid)),
            identity,
            follows: Some(follows),
            change,
            reason: DeviceReason::Other,
            note: "because".to_owned(),
            approver: "sup-1".to_owned(),
        }))
    }
}

fn in_place(rid: &str, identity: Identity, destroyed: &str) -> DeviceChange {
    DeviceChange::Replaced(Box::new(Successor { id: id(rid), identity, destroyed: destroyed.to_owned() }))
}

#[test]
fn the_devices_of_a_key_are_those_that_a_recount_from_the_bundle_finds() {
    let bench = Bench::quick();
    let journal = Journal::open(&Paths::in_dir(&bench.data()), SystemClock::new().unwrap()).unwrap();
    let log = Log(journal);
    for number in 0..120 {
        let (rid, first) = (format!("sn-{number}"), board(number, 0));
        let mut intent = log.key(&rid, first.clone(), LABEL, Holds::New);
        // A third of them was re-keyed, of these one in four in vain.
        if number % 3 == 0 {
            let holds = if number % 4 == 0 { Holds::Old } else { Holds::New };
            intent = log.key(&rid, first.clone(), "gk-next", holds);
        }
        let out = |change| log.change(&rid, first.clone(), intent, change);
        match number % 20 {
            1 => drop(out(DeviceChange::Scrapped)),
            2 => {
                let scrap = out(DeviceChange::Scrapped);
                log.change(&rid, first.clone(), scrap, DeviceChange::Restored);
            }
            3 => {
                out(DeviceChange::Scrapped);
                out(DeviceChange::Revoked);
            }
            4 => {
                let (new, second) = (format!("sn-{number}-b"), board(number, 1));
                out(in_place(&new, second.clone(), ""));
                if number % 8 == 4 {
                    log.key(&new, second, LABEL, Holds::New);
                }
            }
            5 => {
                out(DeviceChange::Scrapped);
                out(in_place(&rid, board(number, 1), "D-1"));
                // Until it is keyed, the key is on the board that was destroyed.
                if number % 40 == 5 {
                    log.key(&rid, board(number, 1), "gk-next", Holds::New);
                }
            }
            6 => {
                out(DeviceChange::Revoked);
                out(in_place(&format!("sn-{number}-b"), board(number, 1), ""));
            }
            _ => {}
        }
    }
    log.0.close().unwrap();
    let bundle = bench.file("bundle");
    let exported = bench.run(&["audit", "export", "--out", bundle.to_str().unwrap()]);
    assert_eq!(exported.exit, Some(0), "{exported:?}");
    let vkey = bench.data().join("log.vkey");
    Verifiers::built(&bench.file("")).accept("bundle", &bundle, &vkey, &[]);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/verify-python/keylog_verify.py");
    let recount = Command::new("python3")
        .args([script, "bundle", bundle.to_str().unwrap(), "--vkey", vkey.to_str().unwrap()])
        .args(["--devices", LABEL, "--devices", "gk-next"])
        .output()
        .unwrap();
    let recount = String::from_utf8(recount.stdout).unwrap();
    for (label, least) in [(LABEL, [80, 4, 4, 5]), ("gk-next", [20, 1, 1, 1])] {
        // The key of before the rotation is the only one that this station has; the answer is asked of the log.
        let reader = keystation_audit::Reader::open(&Paths::in_dir(&bench.data())).unwrap();
        let dying = reader.dying(&label.parse().unwrap()).unwrap();
        let keystation_audit::Dying { devices, scrapped, revoked, replaced } = dying;
        let line = format!(
            "  key {label}: {devices} devices, {} in use; scrapped {scrapped}, revoked {revoked}, replaced {replaced}",
            dying.in_use()
        );
        assert!(recount.lines().any(|said| said == line), "{line}\n{recount}");
        let found = [devices, scrapped, revoked, replaced];
        assert!(found.iter().zip(least).all(|(found, least)| *found >= least), "{found:?}: of each some");
        if label == LABEL {
            let told = bench.run(&["key", "devices", label, "--count"]);
            let told = told.event("dying").unwrap();
            let said =
                ["devices", "scrapped", "revoked", "replaced"].map(|word| told[word].as_u64().unwrap());
            assert_eq!(said, found);
            let listed = bench.run(&["key", "devices", label]);
            let listed: Vec<_> = listed.events.iter().filter(|event| event["event"] == "device").collect();
            assert_eq!(listed.len() as u64, devices);
        }
    }
    bench.assert_log_intact();
}
