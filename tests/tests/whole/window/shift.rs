//! A shift at the real window: sign in, open the order, eight devices of which two fail, hand over, close, report.

use std::fs;
use std::path::PathBuf;

use keystation_tests::bench::{Bench, PUBLISHED_CHECK_VALUE};
use keystation_tests::orders::text;
use keystation_tests::sim::Sim;
use serde_json::json;
use thirtyfour::Key;

use super::orders::{ORDER, come, go, key, pull, take_in_and_open};
use super::page::Page;
use super::screen::Screen;
use super::{folder, station};

/// Devices of the shift, and those of them that forget their keys when they restart.
const DEVICES: usize = 8;
const FAILING: [usize; 2] = [2, 5];

/// The folder of the reports, and the title of the dialog that asks for it.
const FOLDER: &str = "reports";
const CHOOSER: &str = "Where to put the report of the shift";

/// Has whoever is there save the report of their shift, from the page of the hand-over, and tells what the page says and the file.
fn report(page: &Page, screen: &Screen, bench: &Bench, made: [&str; 4], picture: &str) -> (String, PathBuf) {
    page.press(Key::Control + "h");
    page.wait_for("[data-state=hand-over]");
    page.press_button("Report of my shift");
    let said = page.wait_for("[data-state=shift]");
    let boxes = page.script(
        "return [...document.querySelectorAll('[data-state=shift] dd')].map((n) => n.innerText)",
        &[],
    );
    assert_eq!(boxes, json!(made), "PASS, FAIL, refused, not settled: {said}");
    page.press_button("Save, signed");
    screen.focus(CHOOSER);
    screen.enter(bench.file(FOLDER).to_str().expect("a text"));
    let saved = page.wait_for(".saved .mono");
    page.until_painted();
    screen.photograph(picture);
    assert_eq!(page.inaccessible(), json!([]), "{picture}");
    page.press(Key::Escape);
    page.wait_for("[data-state=hand-over]");
    let path = PathBuf::from(saved);
    assert_eq!(path.parent(), Some(bench.file(FOLDER).as_path()));
    assert!(fs::read(&path).unwrap().starts_with(b"%PDF-1."), "{}", path.display());
    (said, path)
}

#[test]
fn a_shift_is_worked_from_sign_in_to_report() {
    let (bench, slot) = station();
    folder(&bench, FOLDER);
    let file = bench.file("order.toml");
    fs::write(&file, text(ORDER, DEVICES as u64, PUBLISHED_CHECK_VALUE, "")).unwrap();
    let screen = Screen::start();
    let page = Page::open(&screen, &bench.data());
    // The supervisor brings the order and leaves; the operator opens the vault again.
    come(&page, &screen, &bench, "sup-1");
    take_in_and_open(&page, &screen, &file);
    page.press(Key::Control + "h");
    page.wait_for("[data-state=hand-over]");
    page.sign_in("op-0117");
    go(&page, "Line");
    page.wait_for("[data-state=waiting]");

    let options = ["--serial", "SN-100", "--mac", "a4:cf:12:00:01:00"];

    let mut sim = Sim::start(&folder(&bench, "sim"), DEVICES, &options);
    for number in FAILING {
        sim.command(&format!("fault {number} lie=ram-only"));
    }
    for number in 0..DEVICES {
        let fails = FAILING.contains(&number);
        let card = key(&page, &slot, &sim, number, if fails { "fail" } else { "pass" });
        assert!(!fails || card.contains("not-kept"), "{card}");
        pull(&slot, &mut sim, number);
        if fails {
            page.until_painted(); // and longer than between the keys of a barcode scanner
            page.press(Key::Enter);
        }
        page.wait_for("[data-state=waiting]");
    }
    page.wait_until("header", "6 of 8 · 2 failed");
    page.until_painted();
    screen.photograph("shift-1-worked");
    let (said, of_operator) = report(&page, &screen, &bench, ["6", "2", "0", "0"], "shift-2-report");
    for part in ["op-0117", ORDER, "not kept over the restart"] {
        assert!(said.contains(part), "{part}: {said}");
    }

    // The next one takes over while the line runs, accounts for the two, and closes.
    page.sign_in("sup-1");
    go(&page, "Orders");
    page.click(".cards .card.open");
    for left in (1..=FAILING.len()).rev() {
        page.wait_until("[data-state=order-open]", "Begun, and neither passed nor scrap");
        page.wait_until(".counts", &format!("{left} failed"));
        page.click("li button");
        page.wait_for("[data-state=order-open-scrap]");
        page.fill("form label:last-of-type input", "Does not keep its key");
        page.press_button("Put down as scrap");
        page.wait_for("[data-state=order-open]");
    }
    page.wait_until("[data-state=order-open]", "Every device that was begun is accounted for");
    page.press_button("Close…");
    page.press_button("Close it for good");
    page.wait_for("[data-state=order-closed]");
    page.until_painted();
    screen.photograph("shift-3-closed");
    assert_eq!(page.inaccessible(), json!([]));
    let (said, of_supervisor) = report(&page, &screen, &bench, ["0"; 4], "shift-4-report");
    assert!(said.contains("sup-1") && of_supervisor != of_operator, "{said}");

    let records = bench.records();
    let last = |event: &str| records.iter().rfind(|record| record["ev"] == event).expect("it is a record");
    let closed = last("order.close");
    let counts = ["begun", "passed", "scrapped"].map(|name| closed[name].clone());
    assert_eq!(counts, [json!(8), json!(6), json!(2)], "{closed}");
    assert_eq!(last("order.scrap")["reason"], "Does not keep its key");
    bench.assert_log_intact();
}
