//! `input-paint`: from a key to the picture, in the real window, while thirty-two slots work.
//!
//! `cargo bench -p keystation-tests --bench window`, after `cargo xtask bench --only input-paint` has built the programs.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::cast_precision_loss,
    reason = "a program for people and xtask: it talks, and stops where something fails"
)]

#[path = "../../tests/whole/window/page.rs"]
#[allow(dead_code, reason = "the tests of the window need more of it")]
mod page;
#[path = "../../../crates/audit/benches/log/row.rs"]
#[allow(dead_code, reason = "the rows of the log need more of it")]
mod row; // what is printed
#[path = "../../tests/whole/window/screen.rs"]
#[allow(dead_code, reason = "the tests of the window need more of it")]
mod screen;

use std::fmt::Write as _;
use std::fs;
use std::num::NonZeroU32;
use std::path::Path;
use std::process::ExitCode;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use keystation_device::sim::{self, Faults, Persona, Script, Settings};
use keystation_tests::bench::Bench;
use page::{Page, pin_of};
use row::{Reach, Row};
use screen::Screen;

/// Slots at work.
const SLOTS: usize = 32;
/// How long a device stays in its slot: it has PASS after a tenth of a second.
const STAYS: Duration = Duration::from_secs(2);
/// Of each kind of input.
const TIMES: usize = 24;
/// Slots whose FAIL has a key of its own, F1 to F12.
const KEYS: usize = 12;
/// A pause of a person: what comes faster is a scanner's.
const BREATH: Duration = Duration::from_millis(150);
/// What answers within a tenth of a second answers at once (Nielsen, Usability Engineering, 1993, section 5.5).
const REACH: f64 = 100.0;
/// How every second device of the slots with a key fails.
const FORGETS: &str = "lie=ram-only";

fn main() -> ExitCode {
    // `cargo bench` adds it; `cargo test` starts this program without, to see that it builds.
    if !std::env::args().any(|argument| argument == "--bench") {
        return ExitCode::SUCCESS;
    }
    eprintln!("input-paint …");
    println!("{}", measure().to_line());
    ExitCode::SUCCESS
}

fn measure() -> Row {
    let bench = Bench::quick();
    let links = bench.file("links");
    let mut settings = fs::read_to_string(bench.data().join("station.toml")).unwrap();
    for slot in 0..SLOTS {
        let port = links.join(format!("dev{slot}"));
        writeln!(settings, "\n[[slot]]\nport = {port:?}\nprofile = \"test.toml\"").unwrap();
    }
    fs::write(bench.data().join("station.toml"), settings).unwrap();
    let screen = Screen::of(1920, 1080);
    let page = Page::open(&screen, &bench.data());
    page.sign_in("op-0117");
    screen.focus("Unlock the vault");
    screen.enter(bench.passphrase());
    page.wait_for("[data-state=waiting]");
    page.maximize();

    let (stop, stopped) = mpsc::channel::<()>();
    let (mut kinds, devices) = thread::scope(|scope| {
        let (links, states) = (links.clone(), bench.file("states"));
        let hands = scope.spawn(move || exchange(&links, &states, &stopped));
        let kinds = [
            ("acknowledging a FAIL", acknowledged(&page, &screen)),
            ("changing the room", rooms(&page, &screen)),
            ("a digit of a PIN", digits(&page, &screen)),
        ];
        drop(stop);
        (kinds, hands.join().unwrap())
    });
    let mut all: Vec<f64> = kinds.iter().flat_map(|(_, times)| times).copied().collect();
    let each: Vec<_> = kinds
        .iter_mut()
        .map(|(name, times)| format!("{name} {:.0} (at most {:.0})", at(times, 0.5), at(times, 1.0)))
        .collect();
    let passed = bench
        .records()
        .iter()
        .filter(|record| record["ev"] == "inject.result" && record["rc"] == "ok")
        .count();
    Row {
        row: "input-paint",
        ours: at(&mut all, 0.95),
        peer: None,
        ratio: None,
        reach: Reach::AtMost(REACH),
        unit: "ms, 95 of 100",
        how: format!(
            "from before a key is struck on the display to the frame that shows what it did, the start of xdotool included, in the real \
             window on 1920 x 1080, {SLOTS} slots at work, a device in two seconds each ({devices} put in meanwhile, {passed} PASS); in the \
             middle: {}",
            each.join(", ")
        ),
    }
}

/// Puts device after device into every slot until `stopped`, one slot after the other. Says how many.
fn exchange(links: &Path, states: &Path, stopped: &mpsc::Receiver<()>) -> usize {
    let persona = |nth: usize| {
        Persona {
            mac: Some([0xa4, 0xcf, 0x12, 0x00, 0x00, 0x00]),
            serial: Some("00000".to_owned()),
            firmware: "1.0.0".to_owned(),
        }
        .numbered(nth)
    };
    let settings = Settings {
        count: SLOTS,
        persona: persona(0),
        links: links.to_owned(),
        states: states.to_owned(),
        baud: NonZeroU32::new(115_200),
        script: Script::default(),
    };
    let devices = sim::Bench::start(&settings, |_| ()).unwrap();
    let failing: Script = FORGETS.parse().unwrap();
    let mut nth = SLOTS;
    loop {
        for slot in 0..SLOTS {
            match stopped.recv_timeout(STAYS / SLOTS as u32) {
                Err(RecvTimeoutError::Timeout) => {}
                Ok(()) | Err(RecvTimeoutError::Disconnected) => return nth,
            }
            let fails = slot < KEYS && (nth / SLOTS) % 2 == 1;
            let faults = if fails { failing.faults(0) } else { Faults::default() };
            devices.insert(slot, persona(nth), &states.join(format!("{nth}.json")), faults);
            devices.plug(slot);
            nth += 1;
        }
    }
}

/// Milliseconds from before the key was struck until the page had made the frame in which `shown` is there.
fn painted(page: &Page, screen: &Screen, key: &str, shown: &str) -> f64 {
    // Behind the frame: a message is a task, and comes when the frame was made.
    let watch = "window.painted = new Promise((resolve) => {
             const shown = arguments[0];
             const look = () => {
                 if (!document.querySelector(shown)) return;
                 observer.disconnect();
                 requestAnimationFrame(() => {
                     const { port1, port2 } = new MessageChannel();
                     port1.onmessage = () => resolve(performance.timeOrigin + performance.now());
                     port2.postMessage(null);
                 });
             };
             const observer = new MutationObserver(look);
             observer.observe(document, { subtree: true, childList: true, attributes: true });
         })";
    page.script(watch, &[shown.into()]);
    let struck = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64() * 1000.0;
    screen.press(key);
    let painted = page.script_async("window.painted.then(arguments[0])").as_f64().expect("a time");
    painted - struck
}

fn breath() {
    thread::sleep(BREATH);
}

fn acknowledged(page: &Page, screen: &Screen) -> Vec<f64> {
    let mut times = Vec::new();
    for slot in (1..=KEYS).cycle().take(TIMES) {
        page.wait_for(&format!("[data-slot='{slot}'][data-state=fail]"));
        breath();
        times.push(painted(
            page,
            screen,
            &format!("F{slot}"),
            &format!("[data-slot='{slot}']:not([data-state=fail])"),
        ));
    }
    times
}

fn rooms(page: &Page, screen: &Screen) -> Vec<f64> {
    let mut times = Vec::new();
    for room in [2, 1].into_iter().cycle().take(TIMES) {
        breath();
        let there = format!("nav [aria-keyshortcuts='Control+{room}'][aria-current]");
        times.push(painted(page, screen, &format!("ctrl+{room}"), &there));
    }
    times
}

fn digits(page: &Page, screen: &Screen) -> Vec<f64> {
    breath();
    screen.press("ctrl+h");
    page.wait_for("[data-stage=who]");
    page.name("sup-1");
    page.wait_for("[data-stage=pin]");
    let digits: Vec<_> = pin_of("sup-1").chars().map(String::from).collect();
    let mut times = Vec::new();
    while times.len() < TIMES {
        for (nth, digit) in (1..).zip(&digits) {
            breath();
            times.push(painted(page, screen, digit, &format!("[data-digits='{nth}']")));
        }
        for nth in (0..digits.len()).rev() {
            breath();
            times.push(painted(page, screen, "BackSpace", &format!("[data-digits='{nth}']")));
        }
    }
    times
}

/// The value that this share of them does not exceed.
fn at(times: &mut [f64], share: f64) -> f64 {
    times.sort_by(f64::total_cmp);
    let rank = (share * times.len() as f64).ceil() as usize;
    times[rank.max(1) - 1]
}
