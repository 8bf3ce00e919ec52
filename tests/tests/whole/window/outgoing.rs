//! A printer that is off and an outbox that nobody takes from, at the real window: whoever looks after them is told, and no operator is.

use std::fs::OpenOptions;
use std::io::Write as _;

use keystation_audit::{Journal, Paths, SystemClock};
use keystation_core::record::{Actor, AfterEvent, Entry, Event};
use keystation_core::registration::{IdRule, RegistrationId};
use keystation_tests::bench::Bench;
use keystation_tests::sim::Sim;
use serde_json::json;
use thirtyfour::Key;

use super::orders::{come, key};
use super::page::Page;
use super::repair::newest;
use super::screen::Screen;
use super::{folder, station};

/// Nobody listens there.
const OFF: &str = "127.0.0.1:1";

/// What a station of yesterday left: a label that is asked for, and a printer that did not take it for a minute.
fn waits_since_yesterday(bench: &Bench) {
    let sim = Sim::start(&folder(bench, "sim"), 1, &["--serial", "SN-1", "--mac", "a4:cf:12:00:00:01"]);
    assert_eq!(bench.inject(&sim.port(0)).exit, Some(0));
    let result = newest(bench, "inject.result");
    let journal = Journal::open(&Paths::in_dir(&bench.data()), SystemClock::new().unwrap()).unwrap();
    let append = |event| {
        let actor = Actor { session: String::new(), operator: String::new(), role: String::new() };
        journal.append(&Entry { actor, event: Event::After(event) }).unwrap()
    };
    let printer = || "bench".to_owned();
    append(AfterEvent::LabelsBegun { printer: printer() });
    let id = RegistrationId::new(result["rid"].as_str().unwrap(), IdRule::Dashes).unwrap();
    let result = result["seq"].as_u64().unwrap();
    let asked = append(AfterEvent::LabelAsked { id, result, reason: "torn".to_owned() });
    append(AfterEvent::PrinterStalled { printer: printer(), asked, why: "away" });
    journal.close().unwrap();
    let mut settings = OpenOptions::new().append(true).open(bench.data().join("station.toml")).unwrap();
    writeln!(
        settings,
        "\n[[printer]]\nname = \"bench\"\naddress = \"{OFF}\"\n\n[[label]]\nprofile = \"test.toml\"\nprinter = \"bench\"\n\
         template = \"example.zpl\"\nsymbol = \"qr\"\nmodule_dots = 6\n\n[outbox]\nurl = \"http://{OFF}/\"\nseconds = 5"
    )
    .unwrap();
}

#[test]
fn a_printer_that_is_off_is_said_to_whoever_looks_after_it_and_disturbs_no_operator() {
    let (bench, slot) = station();
    waits_since_yesterday(&bench);
    let screen = Screen::start();
    let page = Page::open(&screen, &bench.data());
    come(&page, &screen, &bench, "op-0117");
    let good = Sim::published(&folder(&bench, "good"));
    key(&page, &slot, &good, 0, "pass");
    page.until_painted();
    screen.photograph("outgoing-0-operator");
    assert_eq!((page.text(".outgoing"), page.text("[role=alert]")), (None, None));

    page.press(Key::Control + "h");
    page.wait_for("[data-state=hand-over]");
    page.sign_in("sup-1");
    page.wait_until(".outgoing", "Printer bench takes no label: it cannot be reached. Is it on?");
    page.wait_until(".outgoing", "Printer bench: 2 labels wait");
    page.wait_until(".outgoing", "records wait for delivery");
    // The PASS stands, and nothing of this is louder.
    page.wait_for("[data-state=pass]");
    page.until_painted();
    screen.photograph("outgoing-1-supervisor");
    assert_eq!(page.inaccessible(), json!([]));

    page.press(Key::Control + "h");
    page.wait_for("[data-state=hand-over]");
    page.sign_in("qa-007");
    page.wait_until(".outgoing", "Printer bench takes no label");
    page.until_painted();
    screen.photograph("outgoing-2-qa");
    bench.assert_log_intact();
}
