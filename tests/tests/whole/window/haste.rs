//! Hands in a hurry at the real window: an Enter that is held down, double clicks, twenty keys a second, a scanner whose codes are keys.
//! Whatever they do, one device has one intent, and nothing is answered that nobody read.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use keystation_tests::bench::Bench;
use keystation_tests::line::slots_on;
use serde_json::{Value, json};
use thirtyfour::Key;

use super::orders::come;
use super::page::{Page, wait};
use super::screen::Screen;
use crate::repair::fleet::Fleet;

/// So many are cards, and what has to be answered first stands below all of them.
const SLOTS: usize = 6;
const TITLE: &str = "Keystation";
/// A device that forgets its key when it restarts: it fails, and is not tried again.
const FORGETS: &str = "lie=ram-only";

/// The window with everything that it hears from keyboard and pointer.
struct Bystander<'a> {
    screen: &'a Screen,
    page: &'a Page,
}

impl<'a> Bystander<'a> {
    fn new(screen: &'a Screen, page: &'a Page) -> Self {
        let listen = "window.heard = { keys: 0, repeats: 0, ups: 0 };
             addEventListener('keydown', (event) => { heard.keys++; if (event.repeat) heard.repeats++; }, true);
             addEventListener('pointerup', () => heard.ups++, true);";
        page.script(listen, &[]);
        screen.focus(TITLE);
        Self { screen, page }
    }

    /// How often the window heard one of these, since the last time that it was set to nothing.
    fn heard(&self, what: &str) -> i64 {
        self.page.script("return heard[arguments[0]]", &[what.into()]).as_i64().expect("a number")
    }

    fn forget(&self) {
        self.page.script("Object.assign(heard, { keys: 0, repeats: 0, ups: 0 })", &[]);
    }

    fn until(&self, what: &str, count: i64) {
        wait(
            || (self.heard(what) >= count).then_some(()),
            || format!("{} of {count} {what}", self.heard(what)),
        );
        // What was heard last is acted on, and shown.
        self.page.until_painted();
    }

    /// Clicks an element twice, by hand.
    fn double_click(&self, css: &str) {
        self.forget();
        self.screen.click(TITLE, self.middle(css), 2);
        self.until("ups", 2);
    }

    /// Where the middle of an element is in the window.
    fn middle(&self, css: &str) -> (i64, i64) {
        self.page.wait_for(css);
        let script =
            "const { x, y, width, height } = document.querySelector(arguments[0]).getBoundingClientRect();
                      return [Math.round(x + width / 2), Math.round(y + height / 2)]";
        let at = self.page.script(script, &[css.into()]);
        (at[0].as_i64().expect("a number"), at[1].as_i64().expect("a number"))
    }
}

/// What the slots show, from the first on.
fn states(page: &Page) -> Vec<String> {
    let script = "return [...document.querySelectorAll('[data-slot]')].map((slot) => slot.dataset.state)";
    let states = page.script(script, &[]);
    states
        .as_array()
        .expect("a list")
        .iter()
        .map(|state| state.as_str().expect("a word").to_owned())
        .collect()
}

fn until_states(page: &Page, expected: &[&str]) {
    wait(|| (states(page) == expected).then_some(()), || format!("{:?}, not {expected:?}", states(page)));
}

/// Records of what people do at the station, in place of what devices do.
fn of_people(bench: &Bench) -> Vec<Value> {
    let device = |record: &Value| record["ev"].as_str().is_some_and(|event| event.starts_with("inject."));
    bench.records().into_iter().filter(|record| !device(record)).collect()
}

/// How often each device has a record of this event.
fn of_devices(bench: &Bench, event: &str) -> BTreeMap<String, u32> {
    let mut times = BTreeMap::new();
    for record in bench.records().iter().filter(|record| record["ev"] == event) {
        *times.entry(record["rid"].as_str().expect("a text").to_owned()).or_default() += 1;
    }
    times
}

#[test]
fn hands_in_a_hurry_begin_each_device_once_and_answer_nothing_that_they_did_not_read() {
    let bench = Bench::quick();
    let fleet = Fleet::keyed(&bench, SLOTS, 0);
    slots_on(&bench, (0..SLOTS).map(|slot| fleet.port(slot)));
    let screen = Screen::start();
    let page = Page::open(&screen, &bench.data());
    come(&page, &screen, &bench, "op-0117");
    let hands = Bystander::new(&screen, &page);
    let before = of_people(&bench);

    // Three FAILs, one after the other: that is the order in which they are answered.
    for slot in 0..3 {
        fleet.put_with(slot, slot, FORGETS);
        page.wait_for(&format!("[data-slot=\"{}\"][data-state=fail]", slot + 1));
    }
    // A scanner whose codes are keys: each of them would do something, had a hand pressed it.
    let mut code =
        vec!["s", "n", "F1", "F2", "F3", "Return", "ctrl+h", "ctrl+l", "ctrl+1", "Escape", "space"];
    code.extend(["Tab", "Return", "Return", "x"]);
    for _ in 0..3 {
        hands.forget();
        screen.press_all(&code, 0);
        // Each of the three combinations has a key more.
        hands.until("keys", code.len() as i64 + 3);
    }
    until_states(&page, &["fail", "fail", "fail", "waiting", "waiting", "waiting"]);
    screen.photograph("haste-1-scanned");

    // An Enter that is held answers one FAIL.
    hands.forget();
    screen.hold("Return");
    hands.until("keys", 12);
    screen.let_go("Return");
    page.until_painted();
    until_states(&page, &["remove", "fail", "fail", "waiting", "waiting", "waiting"]);

    // So does a double click, although the next one stands in its place by the second one.
    hands.double_click(".foremost button");
    until_states(&page, &["remove", "remove", "fail", "waiting", "waiting", "waiting"]);
    // On what opens a page it does not press what the page has there.
    hands.double_click("header button[aria-keyshortcuts='Control+H']");
    page.wait_for("[data-state=hand-over]");
    page.press(Key::Escape);
    page.wait_for(".foremost");
    until_states(&page, &["remove", "remove", "fail", "waiting", "waiting", "waiting"]);
    page.until_painted();
    screen.photograph("haste-2-answered");

    // Twenty keys a second and double clicks everywhere, while devices come and go in all slots.
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let storm = scope.spawn(|| {
            let slots: Vec<_> = (1..=SLOTS as i64).map(|slot| (slot * 190, 300)).collect();
            while !over.load(Ordering::Relaxed) {
                screen.press_all(&["Return"; 10], 50);
                screen.press_all(&["F1", "F2", "F3", "F4", "F5", "F6", "space", "Return"], 50);
                for &place in &slots {
                    screen.click(TITLE, place, 2);
                }
            }
        });
        for round in 1..=2 {
            for slot in 0..SLOTS {
                // One of each round fails, and is answered by whatever key comes next.
                fleet.put_with(slot, round * 10 + slot, if slot == round { FORGETS } else { "" });
            }
            for slot in 0..SLOTS {
                let state = if slot == round { "remove" } else { "pass" };
                page.wait_for(&format!("[data-slot=\"{}\"][data-state={state}]", slot + 1));
            }
        }
        over.store(true, Ordering::Relaxed);
        storm.join().expect("it presses on to the end");
    });
    page.wait_until("header", "op-0117");
    page.wait_until("header", "10 done · 5 failed");
    screen.photograph("haste-3-storm");

    let numbers = (0..3).chain((1..=2).flat_map(|round| (0..SLOTS).map(move |slot| round * 10 + slot)));
    let once: BTreeMap<_, _> = numbers.map(|number| (fleet.id(number), 1)).collect();
    for event in ["inject.intent", "inject.result"] {
        assert_eq!(of_devices(&bench, event), once, "{event}");
    }
    assert_eq!(json!(of_people(&bench)), json!(before), "nobody left, locked, opened or refused anything");
    bench.assert_log_intact();
}
