//! Batches of repair at the real window: from the list to the report, and a rotation that is ended before its last device.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use keystation_tests::bench::Bench;
use serde_json::{Value, json};
use thirtyfour::Key;

use super::folder;
use super::orders::{come, go};
use super::page::{Page, pin_of};
use super::repair::{choose, newest, picture, refused};
use super::screen::Screen;
use crate::repair::fleet::{Fleet, column};
use crate::repair::one::second_key;

/// Slots of repair; the line has the first one.
const SLOTS: usize = 2;
const CHOOSER: &str = "Choose the list of devices to re-key";
const FOLDER: &str = "Where to put the reconciliation";

/// A station with a slot of the line and two of repair, a second group key, and devices that were keyed under the first one.
fn keyed(devices: usize) -> (Bench, Fleet) {
    let bench = Bench::quick();
    second_key(&bench);
    let fleet = Fleet::keyed(&bench, SLOTS, devices);
    let mut settings = OpenOptions::new().append(true).open(bench.data().join("station.toml")).unwrap();
    let line = bench.file("line");
    writeln!(settings, "\n[[slot]]\nport = {line:?}\nprofile = \"test.toml\"").unwrap();
    for slot in 0..SLOTS {
        let port = fleet.port(slot);
        writeln!(settings, "\n[[slot]]\nport = {port:?}\nprofile = \"second.toml\"\nuse = \"repair\"")
            .unwrap();
    }
    (bench, fleet)
}

/// Whoever is there goes to a new batch.
fn make(page: &Page) {
    go(page, "Repair");
    page.press_button("Batches");
    page.wait_until("[data-state=batches]", "No batch was opened yet");
    page.press_button("New batch");
    page.wait_for("[data-state=batch-new]");
}

/// Asks for a rotation of all that hang on the first key.
fn rotate(page: &Page) {
    choose(page, "All under a group key");
    page.fill("form .field input", "gk-test");
    choose(page, "The group key is rolled");
    page.press_button("Ask the second person");
}

/// Without a reason, and without another person, no batch is opened, and that it was asked for is told.
fn nothing_without_reason_and_approval(bench: &Bench, page: &Page, from: &Value) {
    let why = json!({ "reason": "", "note": "", "sameKey": false });
    let profile = bench.data().join("profiles/second.toml");
    let ask = json!({ "from": from, "profile": profile, "why": why });
    refused(bench, page, "ask_batch", &ask, "rekey-reason", "rekey");
    refused(bench, page, "open_batch", &json!({ "approval": 0 }), "approval-missing", "rekey");
    assert!(bench.records().iter().all(|record| record["ev"] != "rekey.open"));
}

/// The supervisor comes; what they agree to they have read.
fn approved(page: &Page) -> String {
    let asked = page.wait_for("[data-state=approval]");
    page.name("sup-1");
    page.enter_pin(pin_of("sup-1"));
    page.wait_for("[data-state=batch-open]");
    asked
}

/// What a slot of the batch shows.
fn slot_shows(page: &Page, slot: usize, state: &str) -> String {
    page.wait_for(&format!(".slots li:nth-child({}).{state}", slot + 1))
}

/// Saves the report of the batch that is shown: what is in its list.
fn report(page: &Page, screen: &Screen, folder: &Path) -> String {
    page.press_button("Save the report");
    screen.focus(FOLDER);
    screen.enter(folder.to_str().expect("a text"));
    let pdf = PathBuf::from(page.wait_for(".path"));
    assert!(fs::read(&pdf).unwrap().starts_with(b"%PDF-"), "{}", pdf.display());
    fs::read_to_string(pdf.with_extension("csv")).unwrap()
}

#[test]
fn a_batch_goes_from_its_list_over_a_pause_to_its_last_device_and_closes_by_itself() {
    let (bench, fleet) = keyed(5);
    let screen = Screen::start();
    let reports = folder(&bench, "reports");
    let list = bench.file("list.csv");
    let page = Page::open(&screen, &bench.data());
    come(&page, &screen, &bench, "rep-1");
    make(&page);
    nothing_without_reason_and_approval(&bench, &page, &json!({ "count": 2 }));

    // A list with a mistake is refused with row and column; then the right one, by ID, MAC address and serial number.
    fs::write(&list, "mac\nxyz\n").unwrap();
    choose(&page, "Somebody else may know its key");
    picture(&screen, &page, "batch-1-new");
    page.press_button("Choose the list");
    screen.focus(CHOOSER);
    screen.enter(list.to_str().unwrap());
    page.wait_until("[role=alert]", "row 2, column A (mac)");
    let rows = [
        fleet.id(0) + ",,",
        fleet.id(1) + ",,",
        format!(",{},", fleet.mac(2)),
        format!(",,{}", fleet.serial(3)),
    ];
    fs::write(&list, format!("id,mac,serial\n{}\n", rows.join("\n"))).unwrap();
    page.press_button("Choose the list");
    screen.focus(CHOOSER);
    screen.enter(list.to_str().unwrap());
    let asked = approved(&page);
    for part in ["Re-key 4 devices under group key gk-second", "Somebody else may know its key"] {
        assert!(asked.contains(part), "{part}: {asked}");
    }
    page.wait_until("[data-state=batch-open] .number", "0 of 4");

    // Two at once, and one that is none of it.
    page.press_button("Work on it");
    page.wait_for("[data-state=batch-running]");
    for slot in 0..SLOTS {
        fleet.put(slot, slot);
        slot_shows(&page, slot, "passed");
    }
    page.wait_until(".number", "2 of 4");
    fleet.put(0, 4);
    let shown = slot_shows(&page, 0, "failed");
    assert!(shown.contains("Not of batch"), "{shown}");
    picture(&screen, &page, "batch-2-running");
    assert_eq!(fleet.state(4)["generation"], 1);

    // It rests: the next device waits, and is begun when it goes on.
    page.press_button("Pause");
    page.wait_for("[data-state=batch-paused]");
    fleet.put(1, 2);
    slot_shows(&page, 1, "locked");
    assert_eq!(fleet.state(2)["generation"], 1);
    page.press_button("Go on");
    slot_shows(&page, 1, "passed");
    page.wait_until(".number", "3 of 4");

    // For today that is all. Closing it now would leave one out: that is said, and nothing is closed.
    page.press_button("Stop for today");
    page.wait_for("[data-state=batch-open]");
    let text = report(&page, &screen, &reports);
    let mut states = column(&text, "state");
    states.sort_unstable();
    assert_eq!(states, ["done", "done", "done", "missing", "unexpected"], "{text}");
    page.press_button("Close…");
    page.wait_until("[role=alert]", "1 device is not done");
    picture(&screen, &page, "batch-3-close");
    page.press_button("Cancel");

    // The last one: the batch closes by itself, and says so.
    page.press_button("Work on it");
    page.wait_for("[data-state=batch-running]");
    fleet.put(0, 3);
    page.wait_until("[data-state=batch-closed]", "Every device is done");
    let closed = newest(&bench, "rekey.close");
    page.wait_until("[data-state=batch-closed]", &format!("Closed by record {}", closed["seq"]));
    picture(&screen, &page, "batch-4-closed");
    let sums = ["asked", "done", "failed", "missing", "unexpected"].map(|name| closed[name].clone());
    assert_eq!(sums, [4, 4, 0, 0, 1].map(Value::from), "{closed}");
    assert_eq!(closed["op"], "rep-1");
    let intents = bench
        .records()
        .into_iter()
        .filter(|record| record["job"] == "RK-1" && record["ev"] == "inject.intent");
    let mut rekeyed = Vec::new();
    for intent in intents {
        let said = ["mode", "reason", "effect", "op", "op2"].map(|field| intent[field].clone());
        assert_eq!(said, ["rekey", "leaked-key", "new-key", "rep-1", "sup-1"].map(Value::from), "{intent}");
        rekeyed.push(intent["rid"].as_str().unwrap().to_owned());
    }
    assert_eq!(rekeyed, (0..4).map(|device| fleet.id(device)).collect::<Vec<_>>());
    bench.assert_log_intact();
}

#[test]
fn a_rotation_says_who_hangs_on_the_old_key_and_is_ended_as_it_is() {
    let (bench, fleet) = keyed(3);
    let screen = Screen::start();
    let reports = folder(&bench, "reports");
    let page = Page::open(&screen, &bench.data());
    // From the key whose devices are to leave it. The supervisor who asks cannot be the other person.
    come(&page, &screen, &bench, "sup-1");
    go(&page, "Keys");
    page.wait_for("[data-state=keys]");
    page.script("document.querySelectorAll('.cards .card').forEach((key) => key.innerText.includes('gk-test') && key.click())", &[]);
    page.wait_for("[data-state=key]");
    page.press_button("Move them to another key…");
    page.wait_for("[data-state=batch-new]");
    assert_eq!(page.script("return document.querySelector('form .field input').value", &[]), "gk-test");
    page.press_button("Ask the second person");
    page.wait_for("[data-state=approval]");
    page.name("sup-1");
    page.enter_pin(pin_of("sup-1"));
    page.wait_for("[data-state=approval] [role=alert]");
    assert_eq!(newest(&bench, "policy.refuse")["why"], "approval-same-person");
    page.press(Key::Escape);
    page.wait_for("[data-state=batch-new]");
    page.until_painted(); // and longer than between the keys of a barcode scanner
    page.press(Key::Control + "h");
    page.wait_for("[data-state=hand-over]");
    page.sign_in("rep-1");
    make(&page);
    nothing_without_reason_and_approval(&bench, &page, &json!({ "under": "gk-test" }));

    rotate(&page);
    let asked = approved(&page);
    for part in ["Re-key 3 devices under group key gk-second", "they leave group key gk-test"] {
        assert!(asked.contains(part), "{part}: {asked}");
    }
    page.wait_until("[data-state=batch-open]", "3 devices still hang on group key gk-test");
    page.press_button("Work on it");
    page.wait_for("[data-state=batch-running]");
    fleet.put(0, 1);
    page.wait_until("[data-state=batch-running]", "2 devices still hang on group key gk-test");
    page.wait_until("[data-state=batch-running]", "1 done, 33 % by then");
    picture(&screen, &page, "rotation-1-running");
    page.press_button("Stop for today");
    page.wait_for("[data-state=batch-open]");

    // The same again goes on, and nobody has to approve it once more.
    page.press_button("All batches");
    page.press_button("New batch");
    rotate(&page);
    page.wait_until("[data-state=batch-open]", "goes on without another approval");

    page.press_button("Close…");
    page.wait_until("[role=alert]", "2 devices are not done");
    page.press_button("Close it for good");
    page.wait_for("[data-state=batch-closed]");
    let text = report(&page, &screen, &reports);
    let mut states = column(&text, "state");
    states.sort_unstable();
    assert_eq!(states, ["done", "missing", "missing"], "{text}");
    picture(&screen, &page, "rotation-2-closed");
    let closed = newest(&bench, "rekey.close");
    let sums = ["asked", "done", "failed", "missing", "unexpected"].map(|name| closed[name].clone());
    assert_eq!(sums, [3, 1, 0, 2, 0].map(Value::from), "{closed}");
    let opened = bench.records().into_iter().filter(|record| record["ev"] == "rekey.open").count();
    assert_eq!(opened, 1);
    bench.assert_log_intact();
}
