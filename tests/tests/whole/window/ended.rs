//! The window when a signal tells it to go, with a device in hand.

use std::fs;

use keystation_tests::bench::Bench;
use keystation_tests::sim::Sim;
use keystation_tests::tap::Tap;

use crate::hygiene::ended::{half_of_the_write, holds_a_key, until_locked};
use crate::hygiene::{last_events, signal};

use super::page::{Page, wait};
use super::screen::Screen;
use super::{DIALOG, station};

/// A window that was told to go while the request that carries the key was half sent, and has locked since.
struct Told {
    bench: Bench,
    device: Sim,
    tap: Tap,
    page: Page,
    window: u32,
    _screen: Screen,
}

impl Told {
    fn by(name: &str) -> Self {
        let (bench, slot) = station();
        let device = Sim::start(&bench.file("sim"), 1, &["--baud", "0"]);
        let tap = Tap::new(&device.port(0), half_of_the_write(&bench)).unwrap();
        let screen = Screen::start();
        let page = Page::open_awaited(&screen, &bench.data(), &bench.file("ended"));
        page.sign_in("op-0117");
        screen.focus(DIALOG);
        screen.enter(bench.passphrase());
        page.wait_for("[data-state=waiting]");
        let window = page.window();
        assert!(holds_a_key(window), "the vault is open");
        slot.plug(tap.port());
        // At once: the device is given up after a few seconds.
        tap.until_held();
        signal(name, window);
        until_locked(&bench);
        Self { bench, device, tap, page, window, _screen: screen }
    }

    /// Waits for the end of the window: its exit code, or the signal that ended it as a negative number.
    fn ended(&self) -> String {
        let ended = || fs::read_to_string(self.bench.file("ended")).ok();
        wait(ended, || "the window goes on".to_owned())
    }

    /// The log is whole, and the device gets its key when it is plugged in again.
    fn goes_on(self) {
        drop(self.page);
        drop(self.tap.cut());
        self.bench.assert_log_intact();
        let again = self.bench.inject(&self.device.port(0));
        assert_eq!(again.exit, Some(0), "{again:?}");
    }
}

#[test]
fn a_window_that_is_told_to_go_wipes_its_keys_finishes_the_device_in_hand_and_closes_the_log() {
    for (name, number) in [("TERM", "-15"), ("INT", "-2"), ("HUP", "-1")] {
        let told = Told::by(name);
        assert!(!holds_a_key(told.window), "{name}");
        // The device never answers: it is finished by the time limit of the step, and its result is in the log.
        assert_eq!(told.ended(), number);
        let last = ["auth.lock", "inject.result", "auth.logout", "log.close"];
        assert_eq!(last_events(&told.bench, 4), last, "{name}");
        let records = told.bench.records();
        let result = records.iter().rfind(|record| record["ev"] == "inject.result").unwrap();
        assert_ne!(result["rc"], "ok");
        told.goes_on();
    }
}

#[test]
fn the_second_signal_ends_the_window_as_a_kill_does() {
    let told = Told::by("TERM");
    signal("TERM", told.window);
    assert_eq!(told.ended(), "-15");
    assert_eq!(last_events(&told.bench, 2), ["inject.intent", "auth.lock"]);
    told.goes_on();
}
