//! People at the real window: the first two, a shift, wrong PINs, somebody new.

use keystation_tests::bench::{Bench, finished};
use serde_json::{Value, json};
use thirtyfour::Key;

use super::page::{Page, pin_of, wait};
use super::screen::Screen;
use super::{DIALOG, events, station};

/// The last record of this kind.
fn last(bench: &Bench, event: &str) -> Value {
    let records = bench.records();
    let found = records.into_iter().rev().find(|record| record["ev"] == event);
    found.unwrap_or_else(|| panic!("no {event}"))
}

/// A PIN, and the same again.
fn choose(page: &Page, pin: &str) {
    page.enter_pin(pin);
    page.enter_pin(pin);
}

#[test]
fn the_first_start_makes_two_administrators() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let mut init = std::process::Command::new(keystation_tests::binaries::program("keystation"));
    init.arg("--data").arg(&data).args(["--json", "init", "--origin", "keylog.example.com/plant7/stn03"]);
    assert_eq!(finished(&mut init).exit, Some(0));

    let screen = Screen::start();
    let page = Page::open(&screen, &data);
    page.wait_for("main[data-state=first-start]");
    page.until_painted();
    screen.photograph("people-1-first-start");
    for (id, pin) in [("admin-1", pin_of("admin-1")), ("admin-2", pin_of("admin-2"))] {
        page.fill(".wide input", id);
        page.press_button("Next: PIN");
        choose(&page, pin);
    }
    page.click("button.first");
    page.wait_for("[data-state=door-none]");
    page.sign_in("admin-1");
    page.wait_for("nav[aria-label=Rooms]");
    page.until_painted();
    screen.photograph("people-2-administrator");
}

#[test]
fn a_shift_signs_in_hands_over_locks_and_comes_back() {
    let (bench, _slot) = station();
    let screen = Screen::start();
    let page = Page::open(&screen, &bench.data());
    page.wait_for("[data-state=door-none]");
    page.until_painted();
    screen.photograph("people-3-sign-in");
    page.sign_in("op-0117");
    screen.focus(DIALOG);
    screen.enter(bench.passphrase());
    page.wait_for("[data-state=waiting]");

    // The next one takes over while the vault stays open.
    page.press(Key::Control + "h");
    page.wait_for("[data-state=hand-over]");
    page.until_painted();
    screen.photograph("people-4-hand-over");
    page.sign_in("sup-1");
    page.wait_for("[data-state=waiting]");
    let over = last(&bench, "auth.ok");
    assert_eq!((&over["why"], &over["op"]), (&json!("hand-over"), &json!("sup-1")), "{over}");
    assert!(!events(&bench).contains(&"auth.lock".to_owned()), "the line runs on");

    // A lock leaves the slots in sight and wipes the keys; the same person comes back.
    page.press(Key::Control + "l");
    page.wait_for("[data-state=door-away]");
    page.until_painted();
    screen.photograph("people-5-locked");
    let records = events(&bench);
    assert!(records.ends_with(&["auth.away".to_owned(), "auth.lock".to_owned()]), "{records:?}");
    page.sign_in("sup-1");
    screen.focus(DIALOG);
    assert_eq!(last(&bench, "auth.ok")["why"], "resume");
    screen.enter(bench.passphrase());
    page.wait_for("[data-state=waiting]");
    bench.assert_log_intact();
}

#[test]
fn after_three_wrong_pins_one_has_to_wait() {
    let (bench, _slot) = station();
    let screen = Screen::start();
    let page = Page::open(&screen, &bench.data());
    page.name("op-0117");
    for left in [9, 8, 7] {
        page.enter_pin("135790");
        page.wait_until(".entry", &format!("{left} tries are left"));
    }
    page.enter_pin(pin_of("op-0117"));
    page.wait_for(".wait");
    page.until_painted();
    screen.photograph("people-6-wait");
    let refused = last(&bench, "auth.refuse");
    assert_eq!((&refused["why"], &refused["tries"]), (&json!("wait"), &json!(3)), "{refused}");
    assert_eq!(page.text("[data-state=waiting]"), None);
}

#[test]
fn somebody_new_comes_by_two_administrators() {
    let (bench, _slot) = station();
    let screen = Screen::start();
    let page = Page::open(&screen, &bench.data());
    page.sign_in("admin-1");
    // By hand as a page that was taken over would: the station decides.
    let person =
        json!({ "user": "op-0200", "name": "", "badge": null, "pin": "618204", "roles": ["operator"] });
    let add = |approval: Value| page.invoke("add_person", &json!({ "person": person, "approval": approval }));
    assert_eq!(add(json!(0))["refused"]["code"], "approval-missing");
    let request = json!({ "action": "add-person", "subject": "op-0200 operator", "reason": "" });
    let approve = |id: &str| {
        let arguments = json!({ "request": request, "who": { "user": id }, "pin": pin_of(id) });
        page.invoke("approve", &arguments)["answer"].clone()
    };
    assert_eq!(approve("admin-1")["signIn"]["problem"]["code"], "approval-same-person");
    assert_eq!(approve("sup-1")["signIn"]["problem"]["code"], "approval-role");
    let approval = approve("admin-2")["approval"].clone();
    assert_eq!(add(approval.clone()), json!({ "answer": null }));
    assert_eq!(add(approval)["refused"]["code"], "approval-used");
    let added = last(&bench, "user.add");
    assert_eq!((&added["op"], &added["op2"]), (&json!("admin-1"), &json!("admin-2")), "{added}");
    page.press_button("People");
    wait(
        || page.text("main").filter(|text| text.contains("op-0200")),
        || format!("nobody new in {:?}", page.text("body")),
    );
    page.until_painted();
    screen.photograph("people-7-people");
    bench.assert_log_intact();
}
