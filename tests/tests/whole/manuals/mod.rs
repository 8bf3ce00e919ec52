//! The manuals: each command in them is run, in its order, at a station with devices. PINs and passphrases are typed, so to say, by
//! files; ports, sticks, keys and days are those of the test. A command that the test does not know fails it.

mod desk;
mod text;

use std::fs;
use std::process::Command;

use base64ct::{Base64, Encoding as _};
use desk::Desk;
use keystation_tests::bench::{Bench, LABEL, PUBLISHED_CHECK_VALUE, check_value_on_paper, finished};
use keystation_tests::people;
use keystation_tests::sim::Sim;
use sha2::{Digest as _, Sha256, Sha512};

/// A simulated device, as a manual names it.
fn device(bench: &Bench, serial: &str, mac: &str) -> Sim {
    Sim::start(&bench.file(&format!("sim-{}", mac.replace(':', ""))), 1, &["--serial", serial, "--mac", mac])
}

fn port(sim: &Sim) -> String {
    sim.port(0).to_str().unwrap().to_owned()
}

fn inject(bench: &Bench, sim: &Sim) {
    let mut command = bench.keystation();
    command.args(["inject", "--profile", "thermostat.toml", "--port"]).arg(sim.port(0));
    let done = finished(bench.signed(bench.with_passphrase(&mut command), "op-0117", None));
    assert_eq!(done.exit, Some(0), "{done:?}");
}

/// A slot of the line for each device.
fn slots(desk: &Desk, devices: &[&Sim]) {
    for sim in devices {
        desk.set(&format!("[[slot]]\nport = {:?}\nprofile = \"thermostat.toml\"\n", sim.port(0)));
    }
}

/// The work order of the manuals, which is not open yet.
fn create(bench: &Bench) {
    let order =
        "--customer Contoso --profile thermostat.toml --quantity 500 --from 2026-01-01 --until 2099-12-31";
    let key = ["--key", LABEL, "--check-value", PUBLISHED_CHECK_VALUE];
    let words = ["order", "create", "--id", "WO-44192"].into_iter().chain(order.split(' ')).chain(key);
    let made = bench.run(&words.collect::<Vec<_>>());
    assert_eq!(made.exit, Some(0), "{made:?}");
}

/// 64 bytes that are a good group key, other ones for each number.
fn group_key(number: u8) -> [u8; 64] {
    std::array::from_fn(|at| (at as u8).wrapping_mul(73).wrapping_add(number.wrapping_mul(29)) ^ 0xa5)
}

#[test]
fn operator_and_supervisor() {
    let [operator, supervisor] = ["operator-manual.md", "supervisor-manual.md"].map(text::read);
    assert_eq!(operator.by_hand + supervisor.by_hand, 0);
    let mut desk = Desk::new();
    let [first, second] = [("SN00000101", "a4:cf:12:00:01:01"), ("SN00000102", "a4:cf:12:00:01:02")]
        .map(|(serial, mac)| device(&desk.bench, serial, mac));
    desk.means("/dev/ttyUSB0", port(&second));
    slots(&desk, &[&first]);
    create(&desk.bench);
    desk.follow(&operator, |_, _| {});
    assert_eq!([&first, &second].map(|sim| sim.state(0)["generation"].clone()), [1, 1]);
    // The same shift, on its other side.
    desk.follow(&supervisor, |_, _| {});
    desk.bench.assert_log_intact();
}

#[test]
fn repair() {
    let manual = text::read("repair-manual.md");
    assert_eq!(manual.by_hand, 1, "the script for the cloud");
    let mut desk = Desk::new();
    let old: Vec<_> = (1..=4)
        .map(|n| device(&desk.bench, &format!("SN0000010{n}"), &format!("a4:cf:12:00:01:0{n}")))
        .collect();
    old.iter().for_each(|sim| inject(&desk.bench, sim));
    let new = device(&desk.bench, "SN00000104", "a4:cf:12:00:02:04");
    desk.means("/dev/ttyUSB0", port(&old[0]));
    desk.means("/dev/ttyUSB1", port(&new));
    second_key(&desk.bench);
    slots(&desk, &[&old[1], &old[2], &old[3]]);
    fs::write(desk.bench.file("desk").join("returned.csv"), "serial\nSN00000102\nSN00000103\n").unwrap();
    desk.set(&printer(&desk));
    desk.follow(&manual, |_, _| {});
    desk.bench.assert_log_intact();
}

/// A second group key, and `second.toml`, a profile that names it.
fn second_key(bench: &Bench) {
    bench.private("second-key", &Base64::encode_string(&group_key(2)));
    let imported = bench.import("gk-2026b", &bench.file("second-key"));
    let check_value =
        imported.event("import").unwrap_or_else(|| panic!("{imported:?}"))["check_value"].clone();
    people::activate(&bench.data(), "gk-2026b", check_value.as_str().unwrap());
    let profiles = bench.data().join("profiles");
    let profile = fs::read_to_string(profiles.join("test.toml")).unwrap();
    fs::write(profiles.join("second.toml"), profile.replace(LABEL, "gk-2026b")).unwrap();
}

/// A printer that is a file.
fn printer(desk: &Desk) -> String {
    let file = desk.path("labels.zpl");
    format!(
        "[[printer]]\nname = \"bench\"\nfile = {file:?}\n\n[[label]]\nprofile = \"thermostat.toml\"\nprinter = \"bench\"\n\
         template = \"example.zpl\"\nsymbol = \"qr\"\nmodule_dots = 4\n"
    )
}

#[test]
fn custodian() {
    let manual = text::read("custodian-manual.md");
    assert_eq!(manual.by_hand, 0);
    let mut desk = Desk::new();
    // The ceremony makes this key; both papers say so.
    let whole = group_key(3);
    let first: [u8; 64] = Sha512::digest("keystation example component 1").into();
    let second: [u8; 64] = std::array::from_fn(|at| whole[at] ^ first[at]);
    for (number, component) in [(1, first), (2, second)] {
        desk.bench.private(&format!("component-{number}"), &Base64::encode_string(&component));
        // docs/ceremony.md, section 2
        let input = [b"keystation/gkc/v1\0", &[number][..], &component].concat();
        let check = Sha256::digest(input)[..3].iter().map(|byte| format!("{byte:02X}")).collect::<String>();
        desk.means(["check of component 1", "check of component 2"][usize::from(number) - 1], check);
    }
    for (value, file, number) in
        [("3F9A2-77C10", "whole", 3), ("0D9E1-5B5C4", "sealed", 4), ("91D4C-0B7F3", "key-in-one-piece", 5)]
    {
        desk.bench.private(file, &Base64::encode_string(&group_key(number)));
        desk.means(value, check_value_on_paper(&desk.bench.file(file)));
    }
    desk.follow(&manual, |desk, verb| {
        if verb.contains(&"--transfer") {
            seal(desk, &group_key(4), &check_value_on_paper(&desk.bench.file("sealed")));
        }
    });
    let listed = desk.bench.run(&["key", "list"]);
    let state = |label: &str| {
        let key =
            listed.events.iter().find(|key| key["label"] == label).unwrap_or_else(|| panic!("{listed:?}"));
        key["state"].clone()
    };
    assert_eq!(["gk-2026b", "gk-2026c", "gk-2026d"].map(state), ["destroyed", "imported", "imported"]);
    desk.bench.assert_log_intact();
}

/// What the owner of `gk-2026c` does, with the ordinary `age` (docs/vault-format.md, section 9).
fn seal(desk: &Desk, key: &[u8], check: &str) {
    let recipient = desk.bench.run(&["key", "recipient"]);
    let recipient =
        recipient.event("recipient").unwrap_or_else(|| panic!("{recipient:?}"))["recipient"].clone();
    let document = format!(
        "{{\"check\":\"{check}\",\"format\":\"keystation-transfer/v1\",\"group\":\"pumps\",\"key\":\"{}\",\
         \"label\":\"gk-2026c\",\"scope\":\"0ne00000000\",\"slot\":\"primary\"}}\n",
        Base64::encode_string(key)
    );
    desk.bench.private("document", &document);
    let mut age = Command::new("age");
    age.args(["-r", recipient.as_str().unwrap(), "-o", &format!("{}/gk-2026c.age", desk.path("stick"))]);
    let sealed = age.arg(desk.bench.file("document")).status().expect("age (apt-get install age) is there");
    assert!(sealed.success());
}

#[test]
fn administrator() {
    let manual = text::read("administrator-manual.md");
    assert_eq!(manual.by_hand, 1, "the installation");
    let mut desk = Desk::new();
    desk.means("/var/lib/station-1", desk.path("restored"));
    fs::create_dir(desk.bench.file("outbox")).unwrap();
    desk.set(&format!("[outbox]\nfolder = {:?}\n", desk.path("outbox")));
    let sim = device(&desk.bench, "SN00000101", "a4:cf:12:00:01:01");
    inject(&desk.bench, &sim);
    desk.follow(&manual, |desk, verb| {
        if verb.starts_with(&["clock", "accept"]) {
            clock_goes_back(&desk.bench, &sim);
        }
    });
    desk.bench.assert_log_intact();
    assert!(fs::read_dir(desk.bench.file("outbox")).unwrap().count() > 20, "the records were delivered");
}

/// As `clock.rs` does it: only the wall clock moves.
fn clock_goes_back(bench: &Bench, sim: &Sim) {
    let plain = bench.inject_command(&sim.port(0));
    let mut command = Command::new("faketime");
    command.args(["-f", "-1h"]).arg(plain.get_program()).args(plain.get_args());
    let doubted = finished(&mut command);
    assert_eq!(
        doubted.event("notice").map(|notice| &notice["code"]),
        Some(&"clock-doubted".into()),
        "{doubted:?}"
    );
}

#[test]
fn qa() {
    let manual = text::read("qa-manual.md");
    assert_eq!(manual.by_hand, 1, "the window");
    let mut desk = Desk::new();
    let bench = &desk.bench;
    let stick = bench.file("stick");
    fs::copy(bench.data().join("head.note"), stick.join("last-week.note")).unwrap();
    let sim = device(bench, "SN00000101", "a4:cf:12:00:01:01");
    create(bench);
    assert_eq!(bench.run(&["order", "open", "WO-44192"]).exit, Some(0));
    inject(bench, &sim);
    fs::copy(bench.data().join("head.note"), stick.join("today.note")).unwrap();
    fs::copy(bench.data().join("log.vkey"), stick.join("log.vkey")).unwrap();
    desk.means("/dev/ttyUSB0", port(&sim));
    desk.means("/srv/witness", desk.path("witness"));
    desk.follow(&manual, |desk, verb| {
        if verb.starts_with(&["audit", "anchor", "status"]) {
            let vkey = fs::read_to_string(desk.bench.file("witness").join("witness.vkey")).unwrap();
            desk.set(&format!("[[witness]]\nvkey = {:?}\n", vkey.trim()));
        }
    });
    desk.bench.assert_log_intact();
}
