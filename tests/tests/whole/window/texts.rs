//! What a device and a person are called, in the real window: text, whatever it would be to a browser.

use std::fs;

use keystation_audit::Names;
use keystation_tests::bench::Bench;
use keystation_tests::sim::Sim;
use serde_json::Value;
use thirtyfour::Key;

use super::page::{Page, wait};
use super::screen::Screen;
use super::{DIALOG, folder, station};

/// Each begins an element that would act at once.
const SERIAL: &str = "<img/src=x/onerror=ouch()>";
const FIRMWARE: &str = "</bdi><svg onload=ouch()>&lt;";
const MAC: &str = "a1:b2:c3:d4:e5:f6";
const NAME: &str = "</p><script>ouch()</script><b>name";

/// What the page has that it should not have: elements that only a text could have made, and a title that is another.
fn assert_inert(page: &Page) {
    let found = page.script(
        "return [document.title, ...[...document.querySelectorAll(
                 'img, b, iframe:not(#__tauri_isolation__), body script, [onerror], [onload]')]
             .map((element) => element.outerHTML)]",
        &[],
    );
    assert_eq!(found, Value::from(vec!["Keystation"]), "a text is no element");
}

fn named(bench: &Bench) {
    let names = Names::open(&bench.data().join("names.db")).unwrap();
    for id in ["op-0117", "qa-007"] {
        names.set(id, NAME).unwrap();
    }
}

#[test]
fn what_a_device_and_a_person_are_called_is_text() {
    let (bench, slot) = station();
    named(&bench);
    // Of a serial number that is part of the registration ID not everything is taken.
    let profile = bench.data().join("profiles/test.toml");
    let text = fs::read_to_string(&profile).unwrap();
    fs::write(&profile, text.replace("sn-{serial}-mac-{mac}", "mac-{mac}")).unwrap();
    let sim = Sim::start(
        &folder(&bench, "sim"),
        1,
        &[&format!("--serial={SERIAL}"), &format!("--firmware={FIRMWARE}"), "--mac", MAC],
    );
    let screen = Screen::start();
    let page = Page::open(&screen, &bench.data());
    page.sign_in("op-0117");
    screen.focus(DIALOG);
    screen.enter(bench.passphrase());
    page.wait_for("[data-state=waiting]");
    slot.plug(&sim.port(0));
    let card = page.wait_for("[data-state=pass]");
    assert!(card.contains(SERIAL), "{card}");
    assert_inert(&page);

    // QA takes over, and opens its page in the Audit room.
    page.press(Key::Control + "h");
    let who = page.wait_for("[data-state=hand-over] .now");
    assert!(who.contains(NAME), "{who}");
    assert_inert(&page);
    page.sign_in("qa-007");
    page.wait_until("[data-state=results] tbody tr", SERIAL);
    assert_inert(&page);
    page.fill("[role=search] input", MAC);
    page.press_here(Key::Enter);
    wait(
        || (page.script("return document.querySelectorAll('tbody tr').length", &[]) == 1).then_some(()),
        || format!("{:?}", page.text("tbody")),
    );
    page.press_here(Key::Enter);
    let life = page.wait_for("[data-state=device-keyed]");
    assert!(life.contains(SERIAL) && life.contains(FIRMWARE), "{life}");
    assert_inert(&page);
    screen.photograph("texts-device");
}
