//! Which devices stop working when a group key goes: the station's answer beside a recount from an exported bundle, by a program that
//! knows docs/audit-format.md and nothing else.

use std::process::Command;
use std::thread;

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

/// Lives of every kind, and as many at once as a line has slots.
const DEVICES: u32 = 5000;
const SLOTS: u32 = 32;
/// The key to which devices move.
const NEXT: &str = "gk-next";

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

    /// What a device that came back proves of an intent whose outcome nobody saw.
    fn settle(&self, rid: &str, intent: Seq) {
        self.append(Event::Resolve(Outcome { intent, id: id(rid), failure: None, holds: Holds::New }));
    }

    fn change(
        &self,
        rid: &str,
        identity: &Identity,
        follows: impl Into<Option<Seq>>,
        change: DeviceChange,
    ) -> Seq {
        self.append(Event::Device(DeviceEvent {
            id: Some(id(rid)),
            identity: identity.clone(),
            follows: follows.into(),
            change,
            reason: DeviceReason::Other,
            note: "because".to_owned(),
            approver: "sup-1".to_owned(),
        }))
    }

    /// One of twenty kinds of life.
    fn live(&self, number: u32) {
        let (rid, [first, second, third]) = (format!("sn-{number}"), [0, 1, 2].map(|at| board(number, at)));
        let other = format!("sn-{number}-b");
        let key = |identity: &Identity, label, holds| self.key(&rid, identity.clone(), label, holds);
        let change = |identity: &Identity, follows, to| self.change(&rid, identity, follows, to);
        let life = number % 20;
        if life == 16 {
            // Of another station, and only its identity is known here.
            self.change(&rid, &Identity { mac: None, serial: None }, None, DeviceChange::Revoked);
            return;
        }
        // One was written in vain, of another nobody saw what came of it.
        let holds = match life {
            9 => Holds::Old,
            10 => Holds::Unknown,
            _ => Holds::New,
        };
        let mut intent = key(&first, LABEL, holds);
        // A third of them was re-keyed, of these one in four in vain.
        if number.is_multiple_of(3) {
            let holds = if number.is_multiple_of(4) { Holds::Old } else { Holds::New };
            intent = key(&first, NEXT, holds);
        }
        match life {
            1 => drop(change(&first, intent, DeviceChange::Scrapped)),
            2 | 12 => {
                let scrap = change(&first, intent, DeviceChange::Scrapped);
                change(&first, scrap, DeviceChange::Restored);
                if life == 12 {
                    key(&first, NEXT, Holds::New);
                }
            }
            3 => {
                change(&first, intent, DeviceChange::Scrapped);
                change(&first, intent, DeviceChange::Revoked);
            }
            4 => {
                change(&first, intent, in_place(&other, second.clone(), ""));
                if number % 8 == 4 {
                    self.key(&other, second, LABEL, Holds::New);
                }
            }
            5 => {
                change(&first, intent, DeviceChange::Scrapped);
                change(&first, intent, in_place(&rid, second.clone(), "D-1"));
                // Until it is keyed, the key is on the board that was destroyed.
                if number % 40 == 5 {
                    key(&second, NEXT, Holds::New);
                }
            }
            6 => {
                change(&first, intent, DeviceChange::Revoked);
                change(&first, intent, in_place(&other, second, ""));
            }
            // Under way, and one of them settled later.
            7 | 8 => {
                let open = key(&first, NEXT, Holds::Unknown);
                if life == 8 {
                    self.settle(&rid, open);
                }
            }
            11 => {
                key(&first, NEXT, Holds::New);
                key(&first, LABEL, Holds::New);
            }
            13 => {
                change(&first, intent, in_place(&rid, second.clone(), "D-1"));
                change(&second, intent, in_place(&rid, third.clone(), "D-2"));
                if number % 40 == 13 {
                    key(&third, NEXT, Holds::New);
                }
            }
            14 => {
                change(&first, intent, in_place(&rid, second.clone(), "D-1"));
                change(&second, intent, DeviceChange::Scrapped);
            }
            15 => {
                let again = key(&first, NEXT, Holds::New);
                change(&first, again, DeviceChange::Revoked);
            }
            17 => {
                change(&first, intent, in_place(&other, second.clone(), ""));
                let keyed = self.key(&other, second.clone(), NEXT, Holds::New);
                self.change(&other, &second, keyed, DeviceChange::Scrapped);
                self.change(&other, &second, keyed, in_place(&format!("{other}-c"), third, ""));
            }
            // Revoked while a write was under way: what came of that is the truth all the same.
            18 if number % 40 == 18 => {
                let open = key(&first, NEXT, Holds::Unknown);
                change(&first, open, DeviceChange::Revoked);
            }
            _ => {}
        }
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
    // Together, for a rest of the log is one of all that wait for it.
    thread::scope(|line| {
        for slot in 0..SLOTS {
            let log = &log;
            line.spawn(move || (slot..DEVICES).step_by(SLOTS as usize).for_each(|number| log.live(number)));
        }
    });
    log.0.close().unwrap();
    let bundle = bench.file("bundle");
    let exported = bench.run(&["audit", "export", "--out", bundle.to_str().unwrap()]);
    assert_eq!(exported.exit, Some(0), "{exported:?}");
    let vkey = bench.data().join("log.vkey");
    Verifiers::built(&bench.file("")).accept("bundle", &bundle, &vkey, &[]);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/verify-python/keylog_verify.py");
    let recount = Command::new("python3")
        .args([script, "bundle", bundle.to_str().unwrap(), "--vkey", vkey.to_str().unwrap()])
        .args(["--devices", LABEL, "--devices", NEXT])
        .output()
        .unwrap();
    let recount = String::from_utf8(recount.stdout).unwrap();
    for (label, least) in [(LABEL, [2500, 100, 100, 400]), (NEXT, [1500, 50, 300, 100])] {
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
        let in_use = reader.in_use_under(&label.parse().unwrap(), usize::MAX).unwrap();
        assert_eq!(in_use.len() as u64, dying.in_use());
        if label == LABEL {
            let told = bench.run(&["key", "devices", label, "--count"]);
            let told = told.event("dying").unwrap();
            let said =
                ["devices", "scrapped", "revoked", "replaced"].map(|word| told[word].as_u64().unwrap());
            assert_eq!(said, found);
            let listed = bench.run(&["key", "devices", label]);
            let listed: Vec<_> = listed.events.iter().filter(|event| event["event"] == "device").collect();
            assert_eq!(listed.len() as u64, devices);
            let listed = listed.iter().filter(|event| event["retired"].is_null());
            let listed: Vec<_> = listed.map(|event| event["id"].as_str().unwrap()).collect();
            assert_eq!(listed, in_use.iter().map(RegistrationId::as_str).collect::<Vec<_>>());
        }
    }
    bench.assert_log_intact();
}
