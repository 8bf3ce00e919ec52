//! The key ceremony in the real window: two custodians, their components typed into native dialogs, and nothing of a component
//! or of the key in the processes of the web view.

use base64ct::{Base64, Encoding};
use keystation_tests::memory_scan::Needles;
use serde_json::{Value, json};

use super::page::{Page, pin_of};
use super::screen::Screen;
use super::{DIALOG, events, station};

/// The example of docs/ceremony.md: two components with their check values, and that of the key.
const COMPONENTS: [(&str, &str); 2] = [
    ("f/B7kZM+w+wLuRb2Or95r0SV66TWvFR6oQcx9dl/bDM9k5+3cPQ5l725mu2H71UzfacytRtVpQORzI/gL+yRRQ==", "CB32B3"),
    ("jdtQhR5S2S4uB+ekcusbnrQYJVljwmK+XuGQC43esmJB6PmxpcOCVO8Q/P/C+idY1CWQQjz1Y0kZxpkKFsPVxg==", "F5DFD7"),
];

#[test]
fn two_custodians_put_a_key_together_and_the_page_never_has_it() {
    let (bench, _slot) = station();
    let screen = Screen::start();
    let page = Page::open(&screen, &bench.data());
    page.sign_in("cus-1");
    // A custodian may open the vault, too, and does not now.
    screen.focus(DIALOG);
    screen.press("Escape");
    // The key of the bench is the one that the example components make: no key comes twice, so another check value.
    let key = json!({ "label": "gk-two", "group": "line-8", "scope": "0ne00EMU001", "slot": "primary",
                      "custody": "sealed-file" });
    let begun = page.invoke("ceremony_begin", &json!({ "key": key, "checkValue": "00000-00001" }));
    assert_eq!(begun["answer"]["phase"], "sign-in", "{begun}");
    for (side, id) in ["cus-1", "cus-2"].into_iter().enumerate() {
        let who = json!({ "side": side, "who": { "user": id }, "pin": pin_of(id) });
        assert_eq!(page.invoke("ceremony_sign_in", &who)["answer"]["outcome"], "open", "{id}");
    }
    for (side, (component, check_value)) in COMPONENTS.into_iter().enumerate() {
        let title = ["Component of cus-1, left", "Component of cus-2, right"][side];
        ask(&page, "ceremony_component", &json!({ "side": side }));
        screen.focus(title);
        screen.photograph(&format!("ceremony-{}", side + 1));
        screen.enter(component);
        assert_eq!(answered(&page), json!({ "answer": "given" }), "{title}");
        let confirm = json!({ "side": side, "checkValue": check_value });
        assert_eq!(page.invoke("ceremony_confirm", &confirm), json!({ "answer": true }));
    }
    assert_eq!(page.invoke("ceremony", &json!({}))["answer"]["phase"], "result");

    // While the station holds both, no process of the web view holds either, nor the key.
    let mut needles = Needles::new();
    for (component, _) in COMPONENTS {
        needles.group_key(&Base64::decode_vec(component).unwrap());
    }
    needles.group_key(&Base64::decode_vec(keystation_tests::bench::PUBLISHED_GROUP_KEY).unwrap());
    let web: Vec<_> = page.processes().into_iter().filter(|(name, _)| name.starts_with("WebKit")).collect();
    assert!(web.len() >= 2, "{web:?}");
    for (name, pid) in &web {
        let hits = needles.scan(*pid).unwrap().hits;
        assert!(hits.is_empty(), "{name}: {hits:?}");
    }

    // Given up: it is recorded, and there is no key.
    assert_eq!(page.invoke("ceremony_abort", &json!({})), json!({ "answer": null }));
    assert_eq!(events(&bench).last().map(String::as_str), Some("gk.abort"));
    for (name, pid) in page.processes() {
        let hits = needles.scan(pid).unwrap().hits;
        assert!(hits.is_empty(), "{name}: {hits:?}");
    }
    bench.assert_log_intact();
}

/// Asks for something that a native dialog has to answer first.
fn ask(page: &Page, command: &str, arguments: &Value) {
    page.script(
        &format!(
            "window.answered = null;
             window.__TAURI_INTERNALS__.invoke({command:?}, {arguments})
                 .then((answer) => (answered = {{ answer }}), (refused) => (answered = {{ refused }}))"
        ),
        &[],
    );
}

/// What came of it.
fn answered(page: &Page) -> Value {
    let look = || Some(page.script("return window.answered", &[])).filter(|answer| !answer.is_null());
    super::page::wait(look, || "no answer".to_owned())
}
