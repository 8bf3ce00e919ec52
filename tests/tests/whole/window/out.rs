//! Devices that are taken out at the real window: revoked, scrapped and put back, and a board in the place of another one that has the
//! same registration ID.

use std::fs::{self, OpenOptions};
use std::io::Write as _;

use keystation_tests::bench::{Bench, finished};
use keystation_tests::sim::Sim;
use serde_json::{Value, json};

use super::orders::{come, go, key};
use super::page::Page;
use super::repair::{approved, choose, newest, picture, refused};
use super::screen::Screen;
use super::{Slot, folder};

/// Three devices of the recipe with the MAC address, and one whose recipe has the serial number alone.
const BY_SERIAL: usize = 2;

fn id(number: usize) -> String {
    match number {
        BY_SERIAL => format!("sn-sn-10{number}"),
        _ => format!("sn-sn-10{number}-mac-a4-cf-12-00-01-0{number}"),
    }
}

/// A station whose line goes by the serial number alone, and whose slot of repair does not.
fn with_serial_only() -> (Bench, Slot) {
    let bench = Bench::quick();
    let folder = bench.data().join("profiles");
    let profile = fs::read_to_string(folder.join("test.toml")).unwrap();
    let made = profile.replace("sn-{serial}-mac-{mac}", "sn-{serial}");
    assert_ne!(made, profile);
    fs::write(folder.join("serial.toml"), made).unwrap();
    let line = Slot(bench.file("slot"));
    let mut settings = OpenOptions::new().append(true).open(bench.data().join("station.toml")).unwrap();
    writeln!(settings, "\n[[slot]]\nport = {:?}\nprofile = \"serial.toml\"", line.0).unwrap();
    let repair = bench.file("repair");
    writeln!(settings, "\n[[slot]]\nport = {repair:?}\nprofile = \"test.toml\"\nuse = \"repair\"").unwrap();
    (bench, line)
}

fn inject(bench: &Bench, sim: &Sim, number: usize) {
    let profile = if number == BY_SERIAL { "serial.toml" } else { "test.toml" };
    let mut command = bench.keystation();
    command.arg("inject").arg("--port").arg(sim.port(number)).args(["--profile", profile]);
    let run = finished(bench.signed(bench.with_passphrase(&mut command), "op-0117", None));
    assert_eq!(run.exit, Some(0), "{run:?}");
}

/// Finds the record of a device, by what stands on its label.
fn find(page: &Page, number: usize) -> String {
    page.wait_for("[data-state=repair]");
    page.fill("form input", &format!("SN-10{number}"));
    page.press_button("Find");
    page.wait_for("[data-state=repair-device]")
}

#[test]
fn revoked_is_for_good_scrap_is_taken_back_and_a_board_with_the_same_identity_takes_proof() {
    let (bench, line) = with_serial_only();
    let sim = Sim::start(&folder(&bench, "sim"), 3, &["--serial", "SN-100", "--mac", "a4:cf:12:00:01:00"]);
    (0..3).for_each(|number| inject(&bench, &sim, number));
    let screen = Screen::start();
    let page = Page::open(&screen, &bench.data());
    come(&page, &screen, &bench, "rep-1");
    go(&page, "Repair");

    // Without a reason, and without another person, nothing is done, and that it was asked for is told.
    let board = json!({ "profile": bench.data().join("profiles/serial.toml"), "mac": "a4:cf:12:00:01:99", "destroyed": "D-1" });
    for (act, reason, board) in [
        ("revoke", "stolen", Value::Null),
        ("restore", "mistake", Value::Null),
        ("replace", "board-failed", board),
    ] {
        let asked =
            |reason| json!({ "device": id(0), "act": act, "reason": reason, "note": "", "board": board });
        let action = format!("{act}-device");
        refused(&bench, &page, "ask_take_out", &json!({ "asked": asked("") }), "device-reason", &action);
        let alone = json!({ "asked": asked(reason), "approval": 0 });
        refused(&bench, &page, "take_out", &alone, "approval-missing", &action);
    }
    assert!(bench.records().iter().all(|record| !record["ev"].as_str().unwrap().starts_with("device.")));

    // Revoked: nothing can be done with it any more.
    find(&page, 0);
    page.press_button("Revoke…");
    choose(&page, "Stolen");
    picture(&screen, &page, "out-1-revoke");
    approved(&page, "repair-came-revoke");
    let record = newest(&bench, "device.revoke");
    let said = ["rid", "reason", "op", "op2"].map(|field| record[field].clone());
    assert_eq!(said, [&id(0), "stolen", "rep-1", "sup-1"].map(Value::from), "{record}");
    page.press_button("Next device");
    let shown = find(&page, 0);
    for act in ["Put back…", "Revoke…", "Board swap…", "Scrap…"] {
        assert!(shown.contains("REVOKED") && !shown.contains(act), "{act}: {shown}");
    }
    page.press_button("Another device");

    // Scrap, which was a mistake.
    find(&page, 1);
    page.press_button("Scrap…");
    choose(&page, "Lost");
    approved(&page, "repair-came-scrap");
    page.press_button("Next device");
    assert!(find(&page, 1).contains("SCRAP"));
    page.press_button("Put back…");
    choose(&page, "It was found again");
    approved(&page, "repair-came-restore");
    picture(&screen, &page, "out-2-put-back");
    let record = newest(&bench, "device.restore");
    let said = ["rid", "reason", "op", "op2"].map(|field| record[field].clone());
    assert_eq!(said, [&id(1), "found", "rep-1", "sup-1"].map(Value::from), "{record}");
    page.press_button("Next device");
    assert!(find(&page, 1).contains("ALIVE"));
    page.press_button("Another device");

    // The new board gets the same registration ID, and so the same key: the old one has to be gone, and somebody has seen that.
    find(&page, BY_SERIAL);
    page.press_button("Board swap…");
    choose(&page, "The board failed");
    choose_profile(&page, "serial.toml");
    page.fill("input.mono", "a4:cf:12:00:01:99");
    let before = bench.records().len();
    page.press_button("Ask the second person");
    let refusal = page.wait_for("[role=alert]");
    assert!(refusal.contains("board-proof") && refusal.contains("Destroy the old board"), "{refusal}");
    picture(&screen, &page, "out-3-no-proof");
    let told = bench.records().split_off(before);
    assert!(
        told.iter().any(|record| record["ev"] == "policy.refuse" && record["code"] == "board-proof"),
        "{told:?}"
    );
    page.fill("label:has(small) input:not([type])", "D-2026-114, shredded");
    page.press_button("Ask the second person");
    page.wait_until(
        "[data-state=approval]",
        "You saw that the old board was destroyed: D-2026-114, shredded",
    );
    picture(&screen, &page, "out-4-approval");
    page.name("sup-1");
    page.enter_pin(super::page::pin_of("sup-1"));
    let came = page.wait_for("[data-state=repair-came-replace]");
    assert!(came.contains("gets the same key: no leak is healed by it"), "{came}");
    let record = newest(&bench, "device.replace");
    let said = ["rid", "op", "op2"].map(|field| record[field].clone());
    assert_eq!(said, [&id(BY_SERIAL), "rep-1", "sup-1"].map(Value::from), "{record}");
    assert!(record.to_string().contains("D-2026-114, shredded"), "{record}");

    // This board may come, under the old label, and no other.
    let new = Sim::start(&folder(&bench, "new"), 1, &["--serial", "SN-102", "--mac", "a4:cf:12:00:01:99"]);
    go(&page, "Line");
    key(&page, &line, &new, 0, "pass");
    assert_eq!(new.state(0)["registration_id"], id(BY_SERIAL));
    bench.assert_log_intact();
}

/// Takes a profile by its file.
fn choose_profile(page: &Page, file: &str) {
    let click = "const input = [...document.querySelectorAll('input[type=radio]')]
                     .find((one) => one.value.endsWith(`/${arguments[0]}`));
                 input?.click();
                 return input !== undefined";
    assert_eq!(page.script(click, &[file.into()]), true, "{file}");
}
