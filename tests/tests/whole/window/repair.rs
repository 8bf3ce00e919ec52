//! The room of repair at the real window: a look, a re-key, a scrap, a board swap, the clean-up; and what is refused.

use std::fs::{self, OpenOptions};
use std::io::Write;

use keystation_tests::bench::Bench;
use keystation_tests::sim::Sim;
use serde_json::{Value, json};

use super::orders::{come, go, key, pull};
use super::page::{Page, pin_of, wait};
use super::screen::Screen;
use super::{Slot, folder, station};

/// The slot of repair: the line has the first one.
pub(super) const REPAIR: u32 = 2;

fn id(number: usize) -> String {
    format!("sn-sn-10{number}-mac-a4-cf-12-00-01-0{number}")
}

/// The station with a slot of repair beside that of the line.
fn with_repair() -> (Bench, Slot, Slot) {
    let (bench, slot) = station();
    let repair = Slot(bench.file("repair"));
    let mut settings = OpenOptions::new().append(true).open(bench.data().join("station.toml")).unwrap();
    writeln!(settings, "\n[[slot]]\nport = {:?}\nprofile = \"test.toml\"\nuse = \"repair\"", repair.0)
        .unwrap();
    (bench, slot, repair)
}

pub(super) fn newest(bench: &Bench, event: &str) -> Value {
    let records = bench.records();
    records.into_iter().rfind(|record| record["ev"] == event).unwrap_or_else(|| panic!("no {event}"))
}

/// Takes a choice by its words.
pub(super) fn choose(page: &Page, words: &str) {
    let click = "const label = [...document.querySelectorAll('label')]
                     .find((one) => one.innerText.trim().startsWith(arguments[0]));
                 label?.querySelector('input').click();
                 return label !== undefined";
    let there = || page.script(click, &[words.into()]).as_bool().filter(|there| *there);
    wait(there, || format!("no choice of {words}"));
}

/// Asks the supervisor, who comes.
pub(super) fn approved(page: &Page, state: &str) -> String {
    page.press_button("Ask the second person");
    page.wait_for("[data-state=approval]");
    page.name("sup-1");
    page.enter_pin(pin_of("sup-1"));
    page.wait_for(&format!("[data-state={state}]"))
}

pub(super) fn look_at(page: &Page, repair: &Slot, sim: &Sim, number: usize) -> String {
    repair.plug(&sim.port(number));
    page.press_button(&format!("Look at slot {REPAIR}"));
    page.wait_for("[data-state=repair-device]")
}

pub(super) fn picture(screen: &Screen, page: &Page, name: &str) {
    page.until_painted();
    screen.photograph(name);
    assert_eq!(page.inaccessible(), json!([]), "{name}");
}

/// By hand, as a page that was taken over would ask: the station decides, and puts down that it was asked.
pub(super) fn refused(
    bench: &Bench,
    page: &Page,
    command: &str,
    arguments: &Value,
    code: &str,
    action: &str,
) {
    let before = bench.records().len();
    assert_eq!(page.invoke(command, arguments)["refused"]["code"], code, "{command}");
    let told: Vec<Value> = bench
        .records()
        .split_off(before)
        .into_iter()
        .filter(|record| record["ev"] == "policy.refuse")
        .collect();
    let [record] = &told[..] else { panic!("{command}: {told:?}") };
    assert_eq!((&record["action"], &record["op"]), (&json!(action), &json!("rep-1")), "{record}");
}

#[test]
fn a_device_is_looked_at_rekeyed_scrapped_replaced_and_cleaned_up_by_two_people() {
    let (bench, line, repair) = with_repair();
    let options = ["--serial", "SN-100", "--mac", "a4:cf:12:00:01:00"];
    let mut sim = Sim::start(&folder(&bench, "sim"), 3, &options);
    for number in [1, 2] {
        assert_eq!(bench.inject(&sim.port(number)).exit, Some(0));
    }
    let screen = Screen::start();
    let page = Page::open(&screen, &bench.data());
    come(&page, &screen, &bench, "rep-1");
    key(&page, &line, &sim, 0, "pass");
    pull(&line, &mut sim, 0);

    // Look first: nothing is written, and the line leaves the device alone.
    go(&page, "Repair");
    page.wait_for("[data-state=repair]");
    let before = sim.state(1);
    let seen = look_at(&page, &repair, &sim, 1);
    for part in ["ALIVE", "SN-101", "generation 1", "It says that it holds the key that the log has of it"] {
        assert!(seen.contains(part), "{part}: {seen}");
    }
    assert_eq!(sim.state(1), before);
    picture(&screen, &page, "repair-1-look");

    // Without a reason, and without another person, nothing is done, and that it was asked for is told.
    let why = |reason: &str| json!({ "reason": reason, "note": "", "sameKey": false });
    let profile = bench.data().join("profiles/test.toml");
    let rekey = |reason| json!({ "slot": REPAIR, "device": id(1), "profile": profile, "why": why(reason) });
    let scrap =
        |reason| json!({ "device": id(2), "act": "scrap", "reason": reason, "note": "", "board": null });
    let ask = |asked: Value| json!({ "asked": asked });
    let act = |asked: Value| json!({ "asked": asked, "approval": 0 });
    refused(&bench, &page, "ask_rekey", &ask(rekey("")), "rekey-reason", "rekey");
    refused(&bench, &page, "rekey_device", &act(rekey("returned")), "approval-missing", "rekey");
    refused(&bench, &page, "ask_take_out", &ask(scrap("")), "device-reason", "scrap-device");
    refused(&bench, &page, "take_out", &act(scrap("broken")), "approval-missing", "scrap-device");
    refused(&bench, &page, "open_batch", &json!({ "approval": 0 }), "approval-missing", "rekey");
    refused(&bench, &page, "cleaned_up", &json!({ "approval": 0 }), "approval-missing", "cleaned-up");
    assert_eq!(sim.state(1), before);

    page.press_button("Re-key…");
    choose(&page, "Came back, goes out again");
    picture(&screen, &page, "repair-2-reason");
    let came = approved(&page, "repair-came-pass");
    for part in ["Same key rewritten", "Whoever knew the key of this device still knows it"] {
        assert!(came.contains(part), "{part}: {came}");
    }
    picture(&screen, &page, "repair-3-rekeyed");
    let after = sim.state(1);
    assert_eq!((&after["device_key"], &after["generation"]), (&before["device_key"], &json!(2)));
    let intent = newest(&bench, "inject.intent");
    let said = ["mode", "reason", "effect", "op", "op2"].map(|field| intent[field].clone());
    assert_eq!(said, ["rekey", "returned", "same-key", "rep-1", "sup-1"].map(Value::from), "{intent}");

    // Scrap, with the device in the slot.
    page.press_button("Next device");
    fs::remove_file(&repair.0).unwrap();
    page.wait_for("[data-state=repair]");
    look_at(&page, &repair, &sim, 2);
    page.press_button("Scrap…");
    choose(&page, "Broken");
    approved(&page, "repair-came-scrap");
    assert_eq!(newest(&bench, "device.scrap")["rid"], id(2));

    // A board swap, from the record of a device that is not here.
    page.press_button("Next device");
    fs::remove_file(&repair.0).unwrap();
    page.wait_for("[data-state=repair]");
    page.fill("form input", "SN-100");
    page.press_button("Find");
    page.wait_until("[data-state=repair-device]", "from the log");
    page.press_button("Board swap…");
    choose(&page, "The board failed");
    page.fill("input.mono", "a4:cf:12:00:01:99");
    let came = approved(&page, "repair-came-replace");
    assert!(came.contains("sn-sn-100-mac-a4-cf-12-00-01-99 takes its place"), "{came}");
    picture(&screen, &page, "repair-4-replaced");

    // Both are to be cleaned up; the list is saved, and put down as done.
    let lists = folder(&bench, "lists");
    page.press_button("Next: the clean-up list");
    page.wait_for("[data-state=cleanup]");
    page.press_button("Save the list");
    screen.focus("Where to put the list of the clean-up");
    screen.enter(lists.to_str().unwrap());
    page.wait_until("[data-state=cleanup-saved]", "2 identities to block");
    picture(&screen, &page, "repair-5-cleanup");
    let list = fs::read_dir(&lists).unwrap().map(|entry| entry.unwrap().path());
    let list = list.filter(|path| path.extension().is_some_and(|end| end == "csv")).collect::<Vec<_>>();
    let text = fs::read_to_string(&list[0]).unwrap();
    assert!(text.contains(&id(0)) && text.contains(&id(2)) && !text.contains(&id(1)), "{text}");
    page.press_button("Choose the list that was done");
    screen.focus("Choose the list that was cleaned up");
    screen.enter(list[0].to_str().unwrap());
    page.wait_for("[data-state=approval]");
    page.name("sup-1");
    page.enter_pin(pin_of("sup-1"));
    page.wait_until("[data-state=cleanup-done]", "2 identities are put down as cleaned up");
    assert_eq!(newest(&bench, "cleanup.done")["op2"], "sup-1");
    bench.assert_log_intact();
}
