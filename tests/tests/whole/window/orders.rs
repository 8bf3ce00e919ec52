//! Work orders at the real window: taken in from a file, opened, filled to the last place, closed.

use std::fs;
use std::path::Path;

use keystation_tests::bench::{Bench, PUBLISHED_CHECK_VALUE};
use keystation_tests::orders::text;
use keystation_tests::sim::Sim;
use serde_json::{Value, json};
use thirtyfour::Key;

use super::page::{Page, wait};
use super::screen::Screen;
use super::{DIALOG, Slot, folder, station};

pub(super) const ORDER: &str = "WO-7";
const CHOOSER: &str = "Choose the work order";

/// Signs somebody in, and opens the vault.
pub(super) fn come(page: &Page, screen: &Screen, bench: &Bench, who: &str) {
    page.sign_in(who);
    screen.focus(DIALOG);
    screen.enter(bench.passphrase());
    page.wait_for("[data-state=waiting]");
}

/// Goes to a room by the rail.
pub(super) fn go(page: &Page, room: &str) {
    let script = "const room = [...document.querySelectorAll('nav[aria-label=Rooms] button')]
                      .find((b) => b.innerText.trim() === arguments[0]);
                  room?.click();
                  return room !== undefined";
    let there = || page.script(script, &[room.into()]).as_bool().filter(|there| *there);
    wait(there, || format!("no room {room}"));
}

/// Has the supervisor who is there take the order in and open it, without a mouse but for the rail.
pub(super) fn take_in_and_open(page: &Page, screen: &Screen, file: &Path) {
    go(page, "Orders");
    page.wait_for("[data-state=orders]");
    page.press_button("New work order");
    page.wait_for("[data-state=order-new]");
    page.until_painted(); // and longer than between the keys of a barcode scanner
    page.press_here(Key::Enter);
    screen.focus(CHOOSER);
    screen.enter(file.to_str().expect("a text"));
    page.wait_for("[data-state=order-waiting]");
    page.until_painted();
    page.press_here(Key::Enter);
    page.wait_for("[data-state=order-open]");
}

/// Plugs device `number` of `sim` in, and tells what its card says.
pub(super) fn key(page: &Page, slot: &Slot, sim: &Sim, number: usize, state: &str) -> String {
    slot.plug(&sim.port(number));
    page.wait_for(&format!("[data-state={state}]"))
}

/// Pulls it.
pub(super) fn pull(slot: &Slot, sim: &mut Sim, number: usize) {
    fs::remove_file(&slot.0).unwrap();
    sim.command(&format!("unplug {number}"));
}

/// The records of work orders: what, and by whom.
pub(super) fn changes(bench: &Bench) -> Vec<(String, String)> {
    let text = |record: &Value, name: &str| record[name].as_str().unwrap_or_default().to_owned();
    let records = bench.records();
    let of_order = records.iter().filter(|record| text(record, "ev").starts_with("order."));
    of_order.map(|record| (text(record, "ev"), text(record, "op"))).collect()
}

/// A picture, with nothing on the page that shuts people out.
fn look(screen: &Screen, page: &Page, name: &str) {
    page.until_painted();
    screen.photograph(name);
    assert_eq!(page.inaccessible(), json!([]), "{name}");
}

#[test]
fn an_order_is_opened_filled_and_closed_and_the_next_device_is_refused() {
    let (bench, slot) = station();
    let file = bench.file("order.toml");
    let devices = "oui = [\"a4:cf:12\"]\nrange = { first = \"SN-100\", last = \"SN-199\" }\n";
    fs::write(&file, text(ORDER, 2, PUBLISHED_CHECK_VALUE, "seriel = \"SN#\"\n")).unwrap();
    let screen = Screen::start();
    let page = Page::open(&screen, &bench.data());
    come(&page, &screen, &bench, "sup-1");

    // A file with a mistake is refused with its line, and nothing of it is taken.
    go(&page, "Orders");
    page.wait_until("[data-state=orders]", "There is no work order yet");
    page.press_button("New work order");
    page.press_button("Choose the file");
    screen.focus(CHOOSER);
    page.until_painted();
    screen.photograph("orders-1-chooser");
    screen.enter(file.to_str().unwrap());
    let refused = page.wait_for("[role=alert]");
    assert!(refused.contains("order.toml:14: unknown field `seriel`"), "{refused}");
    look(&screen, &page, "orders-2-refused");
    page.press(Key::Escape);

    fs::write(&file, text(ORDER, 2, PUBLISHED_CHECK_VALUE, devices)).unwrap();
    take_in_and_open(&page, &screen, &file);
    page.wait_until("header", "0 of 2 · 0 failed");
    look(&screen, &page, "orders-3-open");

    // As many as it is for, and no one more.
    go(&page, "Line");
    let options = ["--serial", "SN-100", "--mac", "a4:cf:12:00:01:00"];
    let mut sim = Sim::start(&folder(&bench, "sim"), 3, &options);
    for number in 0..2 {
        key(&page, &slot, &sim, number, "pass");
        page.wait_until("header", &format!("{} of 2 · 0 failed", number + 1));
        pull(&slot, &mut sim, number);
        page.wait_for("[data-state=waiting]");
    }
    let refused = key(&page, &slot, &sim, 2, "fail");
    for part in ["The work order is complete", "Nothing was written", "count the box", "order-full"] {
        assert!(refused.contains(part), "{part}: {refused}");
    }
    assert_eq!(sim.state(2)["generation"], 0);
    page.wait_until("header", "WO-7 · complete");
    look(&screen, &page, "orders-4-full");
    pull(&slot, &mut sim, 2);
    page.press(Key::Enter);
    page.wait_for("[data-state=waiting]");

    go(&page, "Orders");
    // The page is where it was left.
    page.wait_until("[data-state=order-open]", "Every device that was begun is accounted for");
    page.press_button("Close…");
    page.wait_for("[data-state=order-open-close]");
    look(&screen, &page, "orders-5-close");
    page.press_button("Close it for good");
    page.wait_for("[data-state=order-closed]");
    page.wait_until("header", "2 done · 1 failed");
    look(&screen, &page, "orders-6-closed");
    let by = |event: &str| (event.to_owned(), "sup-1".to_owned());
    assert_eq!(changes(&bench), ["order.create", "order.open", "order.close"].map(by));
    bench.assert_log_intact();
}
