//! The hostile texts in what leaves the station for repair, for orders and for the cloud: text for whoever reads it.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use keystation_audit::{Journal, Paths, Reader, SystemClock};
use keystation_core::failure::Code;
use keystation_core::identity::{Identity, SerialNumber};
use keystation_core::key::GroupKeyInfo;
use keystation_core::record::{
    Actor, BatchTerms, DeviceChange, DeviceEvent, DeviceReason, Entry, Event, Holds, Intent, Mode, Outcome,
    RepairEvent,
};
use keystation_core::registration::{IdRule, RegistrationId};
use keystation_core::repair::{ReasonCode, RekeyReason};
use keystation_tests::bench::{Bench, LABEL, PUBLISHED_CHECK_VALUE};
use keystation_tests::orders;
use keystation_tests::sim::Sim;
use serde_json::Value;

use super::hostile::{assert_page, cut, said, table, texts};

const BATCH: &str = "RK-1";

/// The texts that a device can say as its serial number; its firmware version may be no longer.
fn serials() -> Vec<String> {
    let mut there = BTreeSet::new();
    let cut = texts().into_iter().map(|text| cut(&text, 32));
    let serials: Vec<_> = cut
        .filter(|text| text.parse::<SerialNumber>().is_ok() && text.is_ascii() && there.insert(text.clone()))
        .collect();
    assert!(serials.len() > 100, "{}", serials.len());
    serials
}

fn id(number: usize) -> RegistrationId {
    RegistrationId::new(&format!("sn-{number:04}"), IdRule::Dashes).unwrap()
}

fn path(bench: &Bench, name: &str) -> String {
    bench.file(name).to_str().unwrap().to_owned()
}

fn intent(number: usize, identity: Identity, firmware: &str, key: &GroupKeyInfo) -> Intent {
    Intent {
        id: id(number),
        identity,
        firmware: firmware.to_owned(),
        key: key.clone(),
        endpoint: "global.azure-devices-provisioning.net".to_owned(),
        fingerprint: format!("{number:024x}").parse().unwrap(),
        profile: "test 1".to_owned(),
        job: String::new(),
        port: "usb-1-1.4".to_owned(),
        mode: Mode::New,
        prior: None,
        attempt: 1,
    }
}

/// A log in which each of the texts is a serial number and a firmware version of a device that passed and was revoked, and of one that
/// a batch did not ask for.
fn history(bench: &Bench, serials: &[String]) {
    let paths = Paths::in_dir(&bench.data());
    let known = Reader::open(&paths).unwrap().known_key(&LABEL.parse().unwrap()).unwrap().unwrap();
    let key = known.info;
    let journal = Journal::open(&paths, SystemClock::new().unwrap()).unwrap();
    let append = |operator: &str, role: &str, event| {
        let actor = Actor {
            session: "0000000000000000".to_owned(),
            operator: operator.to_owned(),
            role: role.to_owned(),
        };
        journal.append(&Entry { actor, event }).unwrap()
    };
    let terms = BatchTerms {
        reason: RekeyReason::new(ReasonCode::Other, "=1+9 $(touch batch)").unwrap(),
        same_key: false,
        list: None,
        devices: 2,
        key: key.clone(),
        profile: "test.toml".to_owned(),
        profile_sha256: [0; 32],
        endpoint: "global.azure-devices-provisioning.net".to_owned(),
        from: None,
        approver: "sup-1".to_owned(),
        before: None,
    };
    let opened = RepairEvent::Opened { batch: BATCH.parse().unwrap(), terms: Box::new(terms) };
    append("rep-1", "repair", Event::Repair(opened));
    for (number, text) in serials.iter().enumerate() {
        let mac = format!("001bc507{number:04x}").parse().unwrap();
        let identity = Identity { mac: Some(mac), serial: Some(text.parse().unwrap()) };
        let intent =
            append("op-0117", "operator", Event::Intent(intent(number, identity.clone(), text, &key)));
        let result = Outcome { intent, id: id(number), failure: None, holds: Holds::New };
        append("op-0117", "operator", Event::Result(result));
        let refused = Event::Refuse {
            code: Code::NotOfBatch,
            port: "usb-1-1.4".to_owned(),
            identity: Some(identity.clone()),
            id: Some(id(number)),
            job: BATCH.to_owned(),
        };
        append("rep-1", "repair", refused);
        let revoked = DeviceEvent {
            id: Some(id(number)),
            identity,
            follows: Some(intent),
            change: DeviceChange::Revoked,
            reason: DeviceReason::Other,
            note: text.clone(),
            approver: "sup-1".to_owned(),
        };
        append("rep-1", "repair", Event::Device(revoked));
    }
    journal.close().unwrap();
}

/// The column `serial` of a table says the texts, each once, with an apostrophe before one that would be calculated and before no other.
fn assert_serials(csv: &Path, serials: &[String]) {
    let rows = table(csv);
    let mut cells: BTreeSet<_> = rows.iter().map(|row| row["serial"].clone()).collect();
    assert_eq!((rows.len(), cells.len()), (serials.len(), serials.len()));
    let mut quoted = 0;
    for serial in serials {
        let bare = cells.remove(serial);
        quoted += usize::from(!bare);
        assert!(bare || cells.remove(&format!("'{serial}")), "{serial:?}");
    }
    assert!(quoted > 20, "{quoted} cells had something to quote");
}

/// Runs the commands of a list with a program in place of `az`, in an empty folder. Gives what it was called with.
fn blocked(bench: &Bench, commands: &str) -> String {
    let checked = Command::new("sh").arg("-n").arg(commands).output().unwrap();
    assert!(checked.status.success() && checked.stderr.is_empty(), "{checked:?}");
    let mut script = fs::read_to_string(commands).unwrap();
    for name in ["DPS", "GROUP", "HUB"] {
        let unset = format!("{name}_0ne00EMU001=''");
        assert!(script.contains(&unset), "{script}");
        script = script.replace(&unset, &format!("{name}_0ne00EMU001='{name}'"));
    }
    let (folder, empty) = (bench.file("bin"), bench.file("empty"));
    fs::create_dir(&folder).unwrap();
    fs::create_dir(&empty).unwrap();
    let (az, calls) = (folder.join("az"), bench.file("calls"));
    fs::write(&az, format!("#!/bin/sh\nprintf '%s\\t' \"$@\" >> '{0}'; echo >> '{0}'\n", calls.display()))
        .unwrap();
    fs::set_permissions(&az, fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(bench.file("named.sh"), script).unwrap();
    // Nothing else is there that a text could run.
    let mut shell = Command::new("/bin/sh");
    let run = shell.arg(bench.file("named.sh")).env("PATH", &folder).current_dir(&empty).output().unwrap();
    assert!(run.status.success() && run.stderr.is_empty(), "{run:?}");
    assert_eq!(fs::read_dir(empty).unwrap().count(), 0, "a text did something");
    fs::read_to_string(calls).unwrap()
}

#[test]
fn what_repair_orders_and_the_cloud_are_given_is_text() {
    let bench = Bench::quick();
    let serials = serials();
    history(&bench, &serials);

    // Of a device all that is said of it; of every eighth, for each is a program of its own.
    for (number, serial) in serials.iter().enumerate().step_by(8) {
        let told = said(&bench, &["audit", "history", id(number).as_str()]);
        assert!(told.iter().any(|event| event["serial"] == **serial || event["sn"] == **serial), "{told:?}");
    }

    // A batch that met all of them.
    said(&bench, &["batch", "list"]);
    let told = said(&bench, &["batch", "show", BATCH]);
    // It was approved for two devices.
    let sums = told.iter().find(|event| event["event"] == "reconciliation").unwrap();
    assert_eq!((&sums["failed"], &sums["unexpected"]), (&2.into(), &(serials.len() - 2).into()), "{sums}");
    let (csv, pdf) = (path(&bench, "batch.csv"), path(&bench, "batch.pdf"));
    let run = bench.run(&["batch", "show", BATCH, "--csv", &csv, "--pdf", &pdf]);
    assert_eq!(run.exit, Some(0), "{run:?}");
    assert_serials(Path::new(&csv), &serials);
    assert!(assert_page(Path::new(&pdf)).contains(BATCH));

    // What the cloud team gets, and runs.
    let (csv, commands) = (path(&bench, "cleanup.csv"), path(&bench, "cleanup.sh"));
    let run = bench.run(&["cleanup", "list", "--csv", &csv, "--commands", &commands]);
    assert_eq!(run.exit, Some(0), "{run:?}");
    assert_serials(Path::new(&csv), &serials);
    let calls = blocked(&bench, &commands);
    assert_eq!(calls.lines().count(), 4 * serials.len());
    for number in 0..serials.len() {
        let id = format!("--device-id={}\t", id(number));
        assert_eq!(calls.lines().filter(|call| call.contains(&id)).count(), 1, "{id}");
    }

    // A work order that names all of them, and sees none.
    let listed: Vec<_> =
        serials.iter().map(|serial| format!("{{ serial = {} }}", Value::from(serial.as_str()))).collect();
    let order = orders::text(
        "WO-L",
        serials.len() as u64,
        PUBLISHED_CHECK_VALUE,
        &format!("list = [{}]\n", listed.join(", ")),
    );
    fs::write(bench.file("order.toml"), order).unwrap();
    let run = bench.run(&["order", "create", "--file", &path(&bench, "order.toml")]);
    assert_eq!(run.exit, Some(0), "{run:?}");
    said(&bench, &["order", "list"]);
    said(&bench, &["order", "show", "WO-L"]);
}

/// What somebody of repair sees first.
#[test]
fn what_a_device_says_to_a_look_is_text() {
    let bench = Bench::quick();
    // Of a serial number that is part of the registration ID not everything is taken.
    let profile = bench.data().join("profiles/test.toml");
    let text = fs::read_to_string(&profile).unwrap();
    fs::write(&profile, text.replace("sn-{serial}-mac-{mac}", "mac-{mac}")).unwrap();
    let serials = serials();
    for (number, text) in serials.iter().enumerate().step_by(serials.len() / 6) {
        let options = [format!("--serial={text}"), format!("--firmware={text}")];
        let options = options.each_ref().map(String::as_str);
        let sim = Sim::start(&bench.file(&format!("sim-{number}")), 1, &options);
        let port = sim.port(0);
        let told = said(&bench, &["look", "--port", port.to_str().unwrap(), "--profile", "test.toml"]);
        let look = told.iter().find(|event| event["event"] == "look").unwrap();
        assert_eq!(
            (&look["serial"], &look["firmware"]),
            (&text.as_str().into(), &text.as_str().into()),
            "{look}"
        );
    }
}
