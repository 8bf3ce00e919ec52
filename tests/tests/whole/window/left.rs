//! What somebody was typing when the session was locked, ended or taken over.

use keystation_tests::memory_scan::Needles;
use serde_json::json;
use thirtyfour::Key;

use super::page::{Page, pin_of, wait};
use super::screen::Screen;
use super::{DIALOG, station};

#[test]
fn what_is_half_typed_is_gone_with_whoever_typed_it() {
    let (bench, _slot) = station();
    let screen = Screen::start();
    let page = Page::open(&screen, &bench.data());
    let mut needles = Needles::new();
    needles.text("passphrase", bench.passphrase());
    let typed = || !needles.scan(page.window()).unwrap().hits.is_empty();
    let type_half = || {
        screen.focus(DIALOG);
        screen.type_secret(bench.passphrase());
        wait(|| typed().then_some(()), || "it is not in the dialog".to_owned());
    };
    let gone = |how: &str| wait(|| (!typed()).then_some(()), || format!("{how}: it is still there"));

    page.sign_in("op-0117");
    type_half();
    // As if by itself: nobody can use the page while the dialog is open.
    assert_eq!(page.invoke("lock", &json!({})), json!({ "answer": null }));
    gone("locked");
    wait(|| (!screen.shows(DIALOG)).then_some(()), || "the dialog stays".to_owned());

    page.press(Key::Enter);
    type_half();
    assert_eq!(page.invoke("sign_out", &json!({})), json!({ "answer": null }));
    gone("signed out");

    page.sign_in("op-0117");
    type_half();
    let other = json!({ "who": { "user": "cus-1" }, "pin": pin_of("cus-1") });
    assert_eq!(page.invoke("sign_in", &other)["answer"]["outcome"], "open");
    gone("taken over");
}
