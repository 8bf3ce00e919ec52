//! The real window on a display of its own, with simulated devices, as an operator meets it.

mod audit; // a window that only looks
mod batch; // batches of repair, and a rotation
mod ceremony; // two custodians put a key together
mod ended; // SIGTERM, SIGINT, SIGHUP
mod haste; // double clicks, held keys, scanners
mod left; // what was half typed when somebody left
mod orders; // work orders, from the file to the last device
mod out; // revoked, put back, a board in the place of another
mod outgoing; // labels and records that do not go out
mod page; // the page, through WebDriver
mod people; // who is there, and who may come
mod repair; // devices that come back
mod room; // the Audit room, as somebody uses it
pub(crate) mod screen; // display, keyboard, camera
mod shift; // a shift, from sign-in to report
mod sockets; // no network
mod texts; // what a device and a person are called

use std::collections::HashSet;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64ct::{Base64, Encoding};
use keystation_tests::bench::{Bench, Killed, PUBLISHED_DEVICE_KEY, PUBLISHED_GROUP_KEY, PUBLISHED_ID};
use keystation_tests::binaries::program;
use keystation_tests::memory_scan::{Hit, Needles, core_of};
use keystation_tests::sim::Sim;
use serde_json::{Value, json};
use thirtyfour::Key;

use page::{Page, wait};
use screen::Screen;

const DIALOG: &str = "Unlock the vault";
/// What a scan of memory is sure to find.
const CONTROL: &str = "registration ID";

/// A station with one slot. What is plugged into it is a link, as a udev rule makes it.
fn station() -> (Bench, Slot) {
    let bench = Bench::quick();
    let slot = Slot(bench.file("slot"));
    let mut settings = OpenOptions::new().append(true).open(bench.data().join("station.toml")).unwrap();
    writeln!(settings, "\n[[slot]]\nport = {:?}\nprofile = \"test.toml\"", slot.0).unwrap();
    (bench, slot)
}

struct Slot(PathBuf);

impl Slot {
    fn plug(&self, port: &Path) {
        symlink(port, &self.0).unwrap();
    }

    /// Pulls device 0 of `sim`.
    fn unplug(&self, sim: &mut Sim) {
        fs::remove_file(&self.0).unwrap();
        sim.command("unplug 0");
    }
}

fn folder(bench: &Bench, name: &str) -> PathBuf {
    let folder = bench.file(name);
    fs::create_dir(&folder).unwrap();
    folder
}

/// The events of the log after the start of the window, oldest first.
fn events(bench: &Bench) -> Vec<String> {
    bench.records().iter().map(|record| record["ev"].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn a_good_device_gets_pass_and_a_failing_one_fail_that_stays_until_it_was_seen() {
    let (bench, slot) = station();
    let screen = Screen::start();
    let page = Page::open(&screen, &bench.data());

    page.sign_in("op-0117");
    // The vault: a wrong passphrase is refused and asked for again, the right one opens it.
    screen.focus(DIALOG);
    screen.photograph("1-unlock");
    screen.enter("not the passphrase");
    wait(|| events(&bench).contains(&"auth.fail".to_owned()).then_some(()), || "no auth.fail".to_owned());
    screen.focus(DIALOG);
    screen.photograph("2-wrong-passphrase");
    assert_eq!(page.wait_for("[data-state=locked] h2"), "Vault locked");
    screen.enter(bench.passphrase());
    assert_eq!(page.wait_for("[data-state=waiting] h2"), "Plug in a device");
    page.until_painted();
    screen.photograph("3-waiting");

    // A good device, without a key pressed.
    let mut good = Sim::published(&folder(&bench, "good"));
    slot.plug(&good.port(0));
    let card = page.wait_for("[data-state=pass]");
    page.until_painted();
    screen.photograph("4-pass");
    assert!(card.contains("PASS") && card.contains("007-888-abc") && card.contains(PUBLISHED_ID), "{card}");
    assert_eq!(good.state(0)["device_key"], PUBLISHED_DEVICE_KEY);
    let last = bench.records().pop().unwrap();
    assert_eq!(
        (&last["ev"], &last["rc"], &last["rid"]),
        (&json!("inject.result"), &json!("ok"), &json!(PUBLISHED_ID))
    );
    assert!(card.contains(&format!("record {}", last["seq"])), "{card}");
    slot.unplug(&mut good);
    page.wait_for("[data-state=waiting]");

    // A device that forgets its key when it restarts.
    let options = ["--serial", "007-888-abd", "--mac", "a1:b2:c3:d4:e5:f7", "--fault", "lie=ram-only"];
    let mut failing = Sim::start(&folder(&bench, "failing"), 1, &options);
    slot.plug(&failing.port(0));
    let card = page.wait_for("[data-state=fail]");
    page.until_painted();
    screen.photograph("5-fail");
    for part in [
        "FAIL",
        "was not kept over the restart",
        "did not take the new key",
        "Plug the device in again",
        "not-kept",
    ] {
        assert!(card.contains(part), "{part}: {card}");
    }

    // The FAIL stays when its device is gone, and the next device is not touched before it was seen.
    slot.unplug(&mut failing);
    let next =
        Sim::start(&folder(&bench, "next"), 1, &["--serial", "007-888-abe", "--mac", "a1:b2:c3:d4:e5:f8"]);
    slot.plug(&next.port(0));
    let before = events(&bench);
    page.press(Key::Escape);
    page.until_painted(); // and longer than between the keys of a barcode scanner, whose Enter does not count
    assert!(page.wait_for("[data-state=fail]").contains("FAIL"));
    assert_eq!(events(&bench), before);
    page.press(Key::Enter);
    assert!(page.wait_for("[data-state=pass]").contains("007-888-abe"));

    // The strip counts them, the last records are in sight.
    page.wait_until("header", "2 done · 1 failed");
    page.wait_until("tbody tr", "PASS");
    bench.assert_log_intact();
}

#[test]
fn the_vault_is_locked_from_the_keyboard_and_unlocked_with_the_device_waiting() {
    let (bench, slot) = station();
    let screen = Screen::start();
    let page = Page::open(&screen, &bench.data());
    page.sign_in("op-0117");
    screen.focus(DIALOG);
    screen.press("Escape");
    page.wait_for("[data-state=locked] button");
    assert!(!screen.shows(DIALOG), "who cancelled is not asked again");

    let good = Sim::published(&folder(&bench, "good"));
    slot.plug(&good.port(0));
    page.press(Key::Enter);
    screen.focus(DIALOG);
    screen.enter(bench.passphrase());
    page.wait_for("[data-state=pass]");

    page.press(Key::Control + "l");
    page.wait_for("[data-state=door-away]");
    assert_eq!(events(&bench).last().map(String::as_str), Some("auth.lock"));
    assert!(page.wait_for("[data-state=pass]").contains("PASS"), "the result stays");
}

#[test]
fn a_window_that_is_closed_closes_the_log() {
    let (bench, _slot) = station();
    let screen = Screen::start();
    let mut command = Command::new(program("keystation-desktop"));
    command.arg("--data").arg(bench.data()).stdin(Stdio::null());
    let mut window = Killed(screen.put(&mut command).spawn().unwrap());
    screen.focus("Keystation");
    let closed = || -> Option<std::process::ExitStatus> {
        // openbox asks the window to close, as its button does; a window that was only just there misses it.
        screen.press("alt+F4");
        window.0.try_wait().unwrap()
    };
    let ended = wait(closed, || "the window does not close".to_owned());
    assert!(ended.success(), "{ended}");
    assert_eq!(events(&bench).last().map(String::as_str), Some("log.close"));
    bench.assert_log_intact();
}

#[test]
fn a_station_that_cannot_start_is_said_in_the_window() {
    let screen = Screen::start();
    let nowhere = tempfile::tempdir().unwrap();
    let page = Page::open(&screen, nowhere.path());
    let said = page.wait_for("[data-state=refused]");
    page.until_painted();
    screen.photograph("6-no-station");
    assert!(said.contains("There is no station in") && said.contains("station-missing"), "{said}");
    drop(page);

    // A second window on the same station.
    let (bench, _slot) = station();
    let _first = keystation_audit::Journal::open(
        &keystation_audit::Paths::in_dir(&bench.data()),
        keystation_audit::SystemClock::new().unwrap(),
    )
    .unwrap();
    let page = Page::open(&screen, &bench.data());
    let said = page.wait_for("[data-state=refused]");
    page.until_painted();
    screen.photograph("7-second-window");
    assert!(said.contains("another program") || said.contains("Another program"), "{said}");
}

#[test]
fn the_program_that_ships_cannot_be_driven() {
    let (bench, _slot) = station();
    let screen = Screen::start();
    assert!(!Page::can_be_driven(&screen, &bench.data(), || screen.focus("Keystation")));
}

#[test]
fn a_script_in_the_page_reaches_nothing_that_it_was_not_given() {
    let (bench, _slot) = station();
    let screen = Screen::start();
    let page = Page::open(&screen, &bench.data());
    page.sign_in("op-0117");
    screen.focus(DIALOG);
    screen.enter(bench.passphrase());
    page.wait_for("[data-state=waiting]");
    let own = page.address();

    assert_eq!(page.script("return typeof window.__TAURI__", &[]), "undefined");
    let pollute = "try { Object.prototype.owned = 1 } catch {} return ({}).owned ?? null";
    assert_eq!(page.script(pollute, &[]), Value::Null);
    assert_eq!(page.script("return window.open('http://127.0.0.1:9/') === null", &[]), true);
    let inline = "const s = document.createElement('script'); s.textContent = 'window.owned = 1';
                  document.body.append(s); return window.owned ?? null";
    assert_eq!(page.script(inline, &[]), Value::Null);
    let fetched = "const done = arguments[0];
                   fetch('http://127.0.0.1:9/').then(() => done('sent'), (e) => done(e.name))";
    assert_eq!(page.script_async(fetched), "TypeError");

    // A granted command answers; the framework's own, and names that no command has, are refused.
    let call = |command: &str| {
        page.script_async(&format!(
            "const done = arguments[0];
             window.__TAURI_INTERNALS__.invoke({command:?}, {{}}).then(() => done('allowed'), (e) => done(String(e)))"
        ))
    };
    assert_eq!(call("overview"), "allowed");
    for command in
        ["plugin:window|close", "plugin:event|listen", "plugin:webview|create_webview_window", "derive"]
    {
        assert_ne!(call(command), "allowed", "{command}");
    }

    // The content security policy does not stop a navigation; the window does.
    page.script("location.href = 'http://127.0.0.1:9/'", &[]);
    page.script("const f = document.createElement('a'); f.href = 'file:///etc/hostname'; f.click()", &[]);
    assert_eq!(call("overview"), "allowed");
    assert_eq!(page.address(), own);

    // What was typed into the dialog is nowhere in the page.
    let seen = page.script(
        "return document.documentElement.outerHTML + JSON.stringify(localStorage) + JSON.stringify(sessionStorage)",
        &[],
    );
    assert!(!seen.as_str().unwrap_or_default().contains(bench.passphrase()));
}

/// T21 for the window: what is typed into the dialog and what the vault holds never comes to the web view's processes,
/// is in no message between the page and the station and in nothing that either prints or keeps, and is gone from the
/// window's own memory after the lock.
#[test]
fn the_window_leaks_no_secret_and_keeps_none_after_the_lock() {
    let (bench, slot) = station();
    let screen = Screen::start();
    let outputs = folder(&bench, "outputs");
    let page = Page::open_traced(&screen, &bench.data(), &outputs);
    page.record_messages();
    page.sign_in("op-0117");
    screen.focus(DIALOG);
    screen.enter(bench.passphrase());
    page.wait_for("[data-state=waiting]");
    let good = Sim::published(&folder(&bench, "good"));
    slot.plug(&good.port(0));
    page.wait_for("[data-state=pass]");
    page.press(Key::Control + "l");
    page.wait_for("[data-state=door-away]");

    let mut needles = Needles::new();
    needles.group_key(&Base64::decode_vec(PUBLISHED_GROUP_KEY).unwrap());
    needles.midstates(&Base64::decode_vec(PUBLISHED_GROUP_KEY).unwrap());
    needles.bytes("device key", &Base64::decode_vec(PUBLISHED_DEVICE_KEY).unwrap());
    needles.text("passphrase", bench.passphrase());
    // No secret, and surely there: the page shows it, and the window read it from the log.
    needles.text(CONTROL, PUBLISHED_ID);
    let is_control = |hit: &Hit| hit.what.starts_with(CONTROL);

    let mut seen = Vec::new();
    for (name, pid) in page.processes() {
        let (control, hits): (Vec<_>, Vec<_>) =
            needles.scan(pid).unwrap().hits.into_iter().partition(is_control);
        assert!(hits.is_empty(), "{name}: {hits:?}");
        if !control.is_empty() {
            seen.push(name);
        }
    }
    seen.sort();
    assert_eq!(seen, ["WebKitWebProces", "keystation-desk"], "the scanner sees what these two hold");
    // A core has the registers of all threads, too.
    let window = page.processes().into_iter().find(|(name, _)| name == "keystation-desk").unwrap().1;
    let core = core_of(window, &folder(&bench, "core")).expect("gcore (apt-get install gdb)");
    let (control, hits): (Vec<_>, Vec<_>) = needles.find(&core).into_iter().partition(is_control);
    assert!(!control.is_empty() && hits.is_empty(), "the core of the window: {hits:?}");
    drop(core);

    // What the page was told, what it asked for, what was printed and kept.
    let messages = page.messages();
    for command in ["sign_in", "unlock", "overview", "recent", "away"] {
        assert!(read(&outputs, "window.err").contains(&format!("command=\"{command}\"")), "{command}");
    }
    fs::write(outputs.join("messages"), &messages).unwrap();
    drop(page);
    let mut seen = HashSet::new();
    for directory in [&outputs, &bench.data()] {
        let files = needles.find_in_files(directory, &mut |file, hit| {
            assert!(is_control(hit), "{hit:?} in {}", file.display());
            seen.insert(file.file_name().unwrap().to_owned());
        });
        assert!(files.unwrap() >= 3);
    }
    // What was killed left its last records in the write-ahead log.
    for file in ["messages", "audit.db-wal"] {
        assert!(seen.iter().any(|name| name == file), "the registration ID is in {file}: {seen:?}");
    }

    // The control: one message that carried a secret would have been seen, in each spelling.
    let digits = |bytes: Vec<u8>| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    for (name, spelling) in [
        ("device key", PUBLISHED_DEVICE_KEY.to_owned()),
        ("device key", digits(Base64::decode_vec(PUBLISHED_DEVICE_KEY).unwrap())),
        ("group key", PUBLISHED_GROUP_KEY.to_owned()),
        ("group key", digits(Base64::decode_vec(PUBLISHED_GROUP_KEY).unwrap())),
        ("passphrase", bench.passphrase().to_owned()),
    ] {
        let leaking = messages.replacen(PUBLISHED_ID, &spelling, 1);
        let found = needles.find(leaking.as_bytes()).iter().any(|hit| hit.what.starts_with(name));
        assert!(found, "{name}: {spelling} was planted and not found");
    }
}

fn read(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join(name)).unwrap()
}
