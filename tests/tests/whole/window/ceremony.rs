//! The key ceremony in the real window: two custodians, their components typed into native dialogs, and nothing of a component
//! or of the key in the processes of the web view.

use std::fs;

use base64ct::{Base64, Encoding};
use keystation_tests::bench::{Bench, PUBLISHED_GROUP_KEY};
use keystation_tests::memory_scan::Needles;
use serde_json::json;

use super::DIALOG;
use super::page::{Page, pin_of};
use super::screen::Screen;

/// The example of docs/ceremony.md: two components with their check values. They make the published group key.
const COMPONENTS: [(&str, &str); 2] = [
    ("f/B7kZM+w+wLuRb2Or95r0SV66TWvFR6oQcx9dl/bDM9k5+3cPQ5l725mu2H71UzfacytRtVpQORzI/gL+yRRQ==", "CB32B3"),
    ("jdtQhR5S2S4uB+ekcusbnrQYJVljwmK+XuGQC43esmJB6PmxpcOCVO8Q/P/C+idY1CWQQjz1Y0kZxpkKFsPVxg==", "F5DFD7"),
];
const CHECK_VALUE: &str = "9B5BD-BEC8B";

/// The fields of a form, in their order.
fn fill(page: &Page, form: &str, texts: &[&str]) {
    for (index, text) in texts.iter().enumerate() {
        page.fill(&format!("{form} .field:nth-of-type({}) input", index + 1), text);
    }
}

/// Who sits on which side, and the title of the dialog there.
const PEOPLE: [(&str, &str); 2] =
    [("cus-1", "Component of cus-1, left"), ("cus-2", "Component of cus-2, right")];

/// Begins a ceremony, as `cus-1`.
fn begin(screen: &Screen, page: &Page) {
    // A custodian may open the vault, too, and does not now.
    screen.focus(DIALOG);
    screen.press("Escape");
    page.press_button("Keys");
    page.press_button("Ceremony");
    page.wait_for("[data-state=ceremony-begin]");
    fill(page, "[data-state=ceremony-begin] .fields", &["gk-two", "line-8", "0ne00EMU001"]);
    page.fill("[data-state=ceremony-begin] .short input", CHECK_VALUE);
    page.press_button("Begin the ceremony");
}

/// The custodian of a side signs in there.
fn sit_down(page: &Page, side: usize) {
    let id = PEOPLE[side].0;
    page.wait_for(&format!("[data-side='{side}'] .entry input"));
    page.name(id);
    page.enter_pin(pin_of(id));
    page.wait_until("[data-state^=ceremony]", id);
}

/// Both components, and the key that they make.
fn secrets() -> Needles {
    let mut needles = Needles::new();
    for secret in [COMPONENTS[0].0, COMPONENTS[1].0, PUBLISHED_GROUP_KEY] {
        needles.group_key(&Base64::decode_vec(secret).unwrap());
    }
    needles
}

/// The processes of the web view.
fn web(page: &Page) -> Vec<(String, u32)> {
    let web: Vec<_> = page.processes().into_iter().filter(|(name, _)| name.starts_with("WebKit")).collect();
    assert!(web.len() >= 2, "{web:?}");
    web
}

/// Nothing of a component or of the key is in the memory of these processes.
fn scan(needles: &Needles, processes: &[(String, u32)]) {
    for (name, pid) in processes {
        let hits = needles.scan(*pid).unwrap().hits;
        assert!(hits.is_empty(), "{name}: {hits:?}");
    }
}

#[test]
fn two_custodians_put_a_key_together_and_the_page_never_has_it() {
    // The bench has another key than the one that is put together: no key comes twice.
    let bench = Bench::with_key(COMPONENTS[1].0);
    let screen = Screen::start();
    let page = Page::open(&screen, &bench.data());
    page.sign_in("cus-1");
    begin(&screen, &page);

    // One after the other: each signs in on their own side, gives a component in a dialog of the system, and compares its check
    // value with the paper.
    for side in [0, 1] {
        sit_down(&page, side);
        if side == 0 {
            page.until_painted();
            screen.photograph("ceremony-1-signed-in");
        }
        page.press_button("Give my component");
        screen.focus(PEOPLE[side].1);
        screen.photograph(&format!("ceremony-{}-dialog", side + 2));
        screen.enter(COMPONENTS[side].0);
        page.fill(&format!("[data-side='{side}'] form input"), COMPONENTS[side].1);
        page.press_button("Compare");
        if side == 0 {
            page.press_button("Next: right");
        }
    }
    page.wait_for("[data-state=ceremony-result]");
    page.until_painted();
    screen.photograph("ceremony-4-result");

    // While the station holds both, no process of the web view holds either, nor the key.
    let mut needles = secrets();
    scan(&needles, &web(&page));

    page.fill("[data-state=ceremony-result] input", CHECK_VALUE);
    page.press_button("Put the key together");
    screen.focus(DIALOG);
    screen.enter(bench.passphrase());
    let done = page.wait_for("[data-state=ceremony-done]");
    page.until_painted();
    screen.photograph("ceremony-5-done");
    assert!(done.contains("gk-two") && done.contains(CHECK_VALUE), "{done}");
    let records = bench.records();
    let imported = records.iter().rev().find(|record| record["ev"] == "gk.import").unwrap();
    assert_eq!(
        ["how", "op", "op2", "gk"].map(|name| imported[name].as_str().unwrap_or_default()),
        ["ceremony", "cus-1", "cus-2", "gk-two"]
    );
    needles.midstates(&Base64::decode_vec(PUBLISHED_GROUP_KEY).unwrap());
    // Neither in the web view nor, the vault being closed, in the window itself.
    scan(&needles, &page.processes());
    drop(page);
    bench.assert_log_intact();
}

/// Whether the kernel keeps the page at this address out of the swap: `VmFlags` of proc(5).
fn is_locked(process: u32, address: u64) -> bool {
    let maps = fs::read_to_string(format!("/proc/{process}/smaps")).unwrap();
    let mut inside = false;
    for line in maps.lines() {
        let range = line.split_once(' ').and_then(|(range, _)| range.split_once('-'));
        if let Some((Ok(from), Ok(to))) =
            range.map(|(from, to)| (u64::from_str_radix(from, 16), u64::from_str_radix(to, 16)))
        {
            inside = (from..to).contains(&address);
        } else if inside && let Some(flags) = line.strip_prefix("VmFlags:") {
            return flags.split_whitespace().any(|flag| flag == "lo");
        }
    }
    false
}

/// T21 for a component. While the ceremony goes on it is in one place of the station, which is locked or which nobody else can
/// read, and in no process of the web view; when the ceremony has ended, in whichever way, it is nowhere.
#[test]
fn a_component_is_in_one_locked_place_until_its_ceremony_ends() {
    for end in ["ceremony_abort", "lock", "away"] {
        let bench = Bench::with_key(COMPONENTS[1].0);
        let screen = Screen::start();
        let page = Page::open(&screen, &bench.data());
        page.sign_in("cus-1");
        begin(&screen, &page);
        let mut needles = Needles::new();
        needles.bytes("component", &Base64::decode_vec(COMPONENTS[0].0).unwrap());
        needles.text("component as it was typed", COMPONENTS[0].0);
        let window = page.window();
        let held_in_one_place = |when: &str| {
            scan(&needles, &web(&page));
            let seen = needles.scan(window).unwrap();
            if seen.unread.iter().any(|mapping| mapping.contains("secretmem")) {
                assert!(seen.hits.is_empty(), "{when}: {:?}", seen.hits);
                return;
            }
            let first = seen.hits.iter().map(|hit| hit.at).min().expect("the ceremony has it");
            for hit in &seen.hits {
                assert!(
                    hit.at < first + 64 && is_locked(window, hit.at),
                    "{when}: {hit:?} of {:?}",
                    seen.hits
                );
            }
        };

        sit_down(&page, 0);
        page.press_button("Give my component");
        screen.focus(PEOPLE[0].1);
        screen.enter(COMPONENTS[0].0);
        page.wait_for("[data-side='0'] form input");
        held_in_one_place("given");
        page.fill("[data-side='0'] form input", COMPONENTS[0].1);
        page.press_button("Compare");
        page.press_button("Next: right");
        held_in_one_place("confirmed");

        assert_eq!(page.invoke(end, &json!({})), json!({ "answer": null }));
        scan(&needles, &page.processes());
    }
}
