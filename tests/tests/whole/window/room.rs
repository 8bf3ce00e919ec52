//! The audit room: what QA searches, reads, verifies and signs, in the real window.

use std::fs;
use std::path::Path;

use keystation_tests::bench::{Bench, PUBLISHED_ID};
use keystation_tests::sim::Sim;
use serde_json::json;
use thirtyfour::Key;

use super::page::{Page, wait};
use super::screen::Screen;
use super::{DIALOG, folder};

/// A station that keyed two devices, and one that forgot its key.
fn worked() -> Bench {
    let bench = Bench::quick();
    let good = Sim::published(&folder(&bench, "good"));
    assert_eq!(bench.inject(&good.port(0)).exit, Some(0));
    let second = ["--serial", "007-888-abe", "--mac", "a1:b2:c3:d4:e5:f8"];
    let second = Sim::start(&folder(&bench, "second"), 1, &second);
    assert_eq!(bench.inject(&second.port(0)).exit, Some(0));
    let forgetful = ["--serial", "007-888-abd", "--mac", "a1:b2:c3:d4:e5:f7", "--fault", "lie=ram-only"];
    let forgetful = Sim::start(&folder(&bench, "forgetful"), 1, &forgetful);
    assert_eq!(bench.inject(&forgetful.port(0)).exit, Some(1));
    bench
}

/// What stands now is on the display, fits QA's rules, and is kept as a picture.
fn look(screen: &Screen, page: &Page, name: &str) {
    page.until_painted();
    screen.photograph(name);
    assert_eq!(page.axe(), Vec::<String>::new(), "{name}");
}

/// Finds the published device and opens its page.
fn open_device(page: &Page) {
    page.fill("[role=search] input", "007-888-abc");
    page.press_in("[role=search] input", Key::Enter);
    page.wait_until("[data-state=results] tbody tr", "007-888-abc");
    page.press_in("[data-state=results] table", Key::Enter);
    page.wait_for("[data-state=device-keyed]");
}

fn the_room_at(width: u32, height: u32) {
    let bench = worked();
    let screen = Screen::of_size(width, height);
    let page = Page::open(&screen, &bench.data());
    screen.focus(DIALOG);
    screen.enter(bench.passphrase());
    wait(|| (!screen.shows(DIALOG)).then_some(()), || "the dialog stays".to_owned());
    page.maximise();
    let named = |name: &str| format!("qa-{width}-{name}");

    page.press(Key::Control + "2");
    page.wait_for("main[aria-label=Audit]");
    page.wait_until("[data-state=results]", "007-888-abd");
    look(&screen, &page, &named("1-newest"));

    open_device(&page);
    let life = page.wait_for("[data-state=device-keyed]");
    for part in ["KEYED", PUBLISHED_ID, "gk-test", "About to write", "Proved by challenge"] {
        assert!(life.contains(part), "{part}: {life}");
    }
    look(&screen, &page, &named("2-device"));
    page.click("Save proof");
    let saved = bench.data().join("exports");
    let proof = || fs::read_dir(&saved).ok()?.flatten().next();
    let proof = wait(proof, || "no proof was saved".to_owned());
    assert!(fs::read_to_string(proof.path()).unwrap().starts_with("c2sp.org/tlog-proof@v1\n"));
    page.wait_until("[data-state=device-keyed]", proof.file_name().to_str().unwrap());

    page.click("Verify");
    page.wait_for("[data-state=verify-idle], [data-state=verify-intact], [data-state=verify-running]");
    if page.text("[data-state=verify-idle]").is_some() {
        page.click("Verify the log");
    }
    let verdict = page.wait_for("[data-state=verify-intact]");
    assert!(verdict.contains("Complete and unaltered"), "{verdict}");
    look(&screen, &page, &named("3-verified"));

    page.click("Figures");
    page.wait_until("[data-state=figures]", "2 passed · 1 failed");
    look(&screen, &page, &named("4-figures"));

    page.click("Review");
    page.wait_for("[data-state^=review]");
    page.fill("[data-state^=review] textarea", "One board forgets: to the supplier.");
    page.fill("[data-state^=review] input", "qa-0007");
    look(&screen, &page, &named("5-review"));
    page.click("Sign review");
    let signed = || bench.records().into_iter().find(|record| record["ev"] == "review.signed");
    let signed = wait(signed, || "no review in the log".to_owned());
    assert_eq!((&signed["op"], &signed["from"]), (&json!("qa-0007"), &json!(0)));
    assert_eq!(signed["remark"], "One board forgets: to the supplier.");
    page.wait_until("[data-state^=review]", "qa-0007");

    // Back at the line, the operator's window is as it was.
    page.press(Key::Control + "1");
    page.wait_for("main[aria-label=Slots]");
    drop(page);
    bench.assert_log_intact();
}

#[test]
fn qa_finds_reads_verifies_and_signs_on_a_small_screen() {
    the_room_at(1280, 800);
}

#[test]
fn qa_finds_reads_verifies_and_signs_on_a_large_screen() {
    the_room_at(1920, 1080);
}

#[test]
fn a_window_that_looks_has_neither_line_nor_signature() {
    let bench = worked();
    let screen = Screen::start();
    let page = Page::open_to_look(&screen, &bench.data());
    page.wait_for("main[aria-label=Audit]");
    open_device(&page);
    page.click("Review");
    page.wait_for("[data-state=review-read-only]");
    let text = page.text("body").unwrap();
    assert!(!text.contains("Sign review") && !text.contains("Lock"), "{text}");
    assert!(page.text("main[aria-label=Slots]").is_none());
    look(&screen, &page, "qa-read-only");
    assert!(Path::new(&bench.data()).join("audit.db").is_file());
}
