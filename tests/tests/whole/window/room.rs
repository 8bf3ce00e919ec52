//! The Audit room in the real window, as QA uses it: with the pointer and the keyboard.

use std::fs;
use std::path::Path;

use keystation_tests::bench::Bench;
use keystation_tests::sim::Sim;
use serde_json::{Value, json};
use thirtyfour::Key;

use super::page::{Page, wait};
use super::screen::Screen;
use super::{DIALOG, events, folder, station};

const SEARCH: &str = "[role=search] input";
/// The device that forgets its key when it restarts.
const FAILING: usize = 2;

/// A station that keyed some devices of two work orders; one failed.
fn worked() -> Bench {
    let bench = Bench::quick();
    let options = ["--serial", "007-888-100", "--mac", "a1:b2:c3:d4:e5:10", "--baud", "0"];
    let fault = format!("{FAILING}:lie=ram-only");
    let sim = Sim::start(&folder(&bench, "sim"), 6, &[options.as_slice(), &["--fault", &fault]].concat());
    for number in 0..6 {
        let (job, operator) = if number < 4 { ("WO-44192", "op-0117") } else { ("WO-44207", "rep-1") };
        keystation_tests::orders::open(&bench.data(), job);
        let mut inject = bench.inject_command_by(&sim.port(number), operator);
        let output = inject.args(["--job", job]).output().unwrap();
        assert_eq!(output.status.code(), Some(i32::from(number == FAILING)), "{output:?}");
    }
    bench
}

/// Opens the page of the room that this button is for, and waits until it stands.
fn go(page: &Page, name: &str, state: &str) {
    let script =
        "[...document.querySelectorAll('main nav button')].find((b) => b.innerText === arguments[0]).click()";
    page.script(script, &[name.into()]);
    page.wait_for(&format!("[data-state={state}]"));
}

/// A picture of the page as it stands, with nothing in it that shuts people out.
fn look(screen: &Screen, page: &Page, name: &str) {
    page.until_painted();
    screen.photograph(name);
    assert_eq!(page.inaccessible(), json!([]), "{name}");
}

/// Searches for one serial number, and opens the only device that is found.
fn search(screen: &Screen, page: &Page, pictures: &str) {
    page.wait_for("[data-state=results]");
    look(screen, page, &format!("{pictures}-1-all"));
    page.fill(SEARCH, "sn:007-888-102");
    page.press_here(Key::Enter);
    page.wait_until("[data-state=results] tbody", "007-888-102");
    wait(
        || (page.script("return document.querySelectorAll('tbody tr').length", &[]) == 1).then_some(()),
        || format!("more than one row: {:?}", page.text("tbody")),
    );
    assert!(page.wait_for("tbody tr").contains("FAIL"));
    page.press_here(Key::Enter);
    let life = page.wait_for("[data-state=device-not-keyed]");
    assert!(life.contains("NOT KEYED") && life.contains("holds what it held before"), "{life}");
    page.press(Key::Escape);
    page.wait_for("[data-state=results]");

    page.fill(SEARCH, "007-888-105");
    page.press_here(Key::Enter);
    page.wait_until("[data-state=results] tbody tr", "007-888-105");
    page.press_here(Key::Enter);
    let life = page.wait_for("[data-state=device-keyed]");
    for part in ["KEYED", "Proved by challenge", "WO-44207", "rep-1", "gk-test"] {
        assert!(life.contains(part), "{part}: {life}");
    }
    look(screen, page, &format!("{pictures}-2-device"));
}

fn verify(screen: &Screen, page: &Page, picture: &str, records: usize) {
    go(page, "Verify", "verify-idle");
    page.click(".deeds button");
    let said = page.wait_for("[data-state=verify-intact]");
    assert!(said.contains(&format!("Complete and unaltered: {records} records")), "{said}");
    look(screen, page, picture);
}

#[test]
fn qa_searches_verifies_and_signs_beside_the_line() {
    let bench = worked();
    let screen = Screen::start();
    let page = Page::open(&screen, &bench.data());
    page.sign_in("qa-007");

    search(&screen, &page, "audit");
    page.click(".deeds .first");
    let proof = page.wait_for(".saved .path");
    assert!(Path::new(&proof).is_file() && proof.ends_with(".tlog-proof"), "{proof}");
    verify(&screen, &page, "audit-3-verify", bench.records().len());
    go(&page, "Figures", "figures");
    page.wait_until("[data-state=figures]", "5 passed · 1 failed");
    look(&screen, &page, "audit-4-figures");

    go(&page, "Review", "review");
    look(&screen, &page, "audit-5-review");
    page.fill("textarea", "One device did not keep its key; it went to repair.");
    page.click(".sign button");
    // The form names the reviewer, too: only the last review names its record.
    page.wait_until("[data-state=review]", "signed in record");
    assert_eq!(events(&bench).last().map(String::as_str), Some("review.signed"));
    let signed = bench.records().pop().unwrap();
    assert_eq!((&signed["op"], &signed["from"]), (&json!("qa-007"), &json!(0)), "{signed}");
    look(&screen, &page, "audit-6-signed");
    drop(page);
    bench.assert_log_intact();
}

/// The device is on the port of a slot, which waits for somebody who may inject; the passphrase is typed into a dialog of the system.
#[test]
fn qa_looks_at_a_device_that_is_finished_and_at_one_that_is_not() {
    let (bench, slot) = station();
    let mut good = Sim::published(&folder(&bench, "good"));
    assert_eq!(bench.inject(&good.port(0)).exit, Some(0));
    let screen = Screen::start();
    let page = Page::open(&screen, &bench.data());
    page.sign_in("qa-007");
    let check = |state: &str| {
        page.press_button("Check the device");
        screen.focus(DIALOG);
        screen.enter(bench.passphrase());
        page.wait_for(&format!("[data-state={state}]"))
    };

    slot.plug(&good.port(0));
    go(&page, "Device", "check-idle");
    let said = check("check-pass");
    for part in
        ["The device is as it should be", "007-888-abc", "It proved the key of gk-test", "as it should be"]
    {
        assert!(said.contains(part), "{part}: {said}");
    }
    look(&screen, &page, "audit-7-check");
    let told = |bench: &Bench| {
        let checked = bench.records().into_iter().rfind(|record| record["ev"] == "check.result").unwrap();
        ["op", "rc", "code"].map(|field| checked[field].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(told(&bench), ["qa-007", "ok", ""]);
    let last = events(&bench);
    assert_eq!(
        last[last.len() - 3..],
        ["auth.unlock", "auth.lock", "check.result"],
        "what was opened is closed"
    );

    slot.unplug(&mut good);
    let options = ["--serial", "007-888-abe", "--mac", "a1:b2:c3:d4:e5:f8"];
    let fresh = Sim::start(&folder(&bench, "fresh"), 1, &options);
    slot.plug(&fresh.port(0));
    let said = check("check-fail");
    for part in ["Do not ship this device", "007-888-abe", "It holds no credential set"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    look(&screen, &page, "audit-8-check");
    assert_eq!(fresh.state(0)["device_key"], Value::Null, "nothing was written");
    let [op, rc, code] = told(&bench);
    assert_eq!((op.as_str(), code.as_str()), ("qa-007", "set"));
    assert_ne!(rc, "ok");

    // Whoever closes the dialog has nothing checked.
    page.press_button("Check the device");
    screen.focus(DIALOG);
    screen.press("Escape");
    page.wait_until("[data-state=check-idle]", "nothing was checked");
    drop(page);
    bench.assert_log_intact();
}

#[test]
fn qa_searches_and_verifies_in_a_window_of_its_own() {
    let bench = worked();
    let screen = Screen::of(1920, 1080);
    let page = Page::open_to_look(&screen, &bench.data());
    page.maximize();
    assert!(page.wait_for("header").contains("Read-only"));
    assert_eq!(page.text("nav[aria-label=Rooms]").as_deref(), Some("\nAudit\n\nKeys\n\nPeople\n"));

    search(&screen, &page, "qa");
    assert_eq!(page.text(".deeds .first"), None, "no file is made here");
    verify(&screen, &page, "qa-3-verify", bench.records().len());
    go(&page, "Figures", "figures");
    look(&screen, &page, "qa-4-figures");
    go(&page, "Device", "check-read-only");
    assert_eq!(page.text("form.card"), None, "it knows no port");
    go(&page, "Review", "review-read-only");
    look(&screen, &page, "qa-5-review");
    assert_eq!(page.text(".sign button"), None, "nothing is signed here");
    drop(page);
    bench.assert_log_intact();
}

#[test]
fn a_log_that_cannot_be_read_is_said_at_once() {
    let bench = worked();
    let database = bench.data().join("audit.db");
    let mut bytes = fs::read(&database).unwrap();
    let record = br#""ev":"log.close""#;
    let places: Vec<_> =
        (0..bytes.len() - record.len()).filter(|at| bytes[*at..].starts_with(record)).collect();
    for at in places {
        bytes[at..at + record.len()].copy_from_slice(br#""ev":"log.clown""#);
    }
    fs::write(&database, bytes).unwrap();

    let screen = Screen::start();
    let page = Page::open_to_look(&screen, &bench.data());
    page.wait_for("[data-state=verify-idle]");
    assert!(page.wait_for("header.red").contains("Cannot be read"));
    page.click(".deeds button");
    let said = page.wait_for("[data-state=verify-damaged]");
    assert!(said.contains("was changed"), "{said}");
    look(&screen, &page, "qa-6-damaged");
}
