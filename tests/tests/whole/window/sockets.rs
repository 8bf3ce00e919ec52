use std::fs;
use std::path::Path;
use std::process::Command;

use keystation_tests::bench::Killed;
use keystation_tests::binaries::program;

use crate::hygiene::sockets::{made, traced};

use super::page::wait;
use super::screen::Screen;
use super::station;

/// The families of the sockets that the window makes from its start until it was closed, WebKit's processes among it. It is not
/// closed before one of the `expected` family is there.
fn families(window: &str, data: &Path, trace: &Path, expected: &str) -> Vec<String> {
    let screen = Screen::start();
    let mut command = Command::new(program(window));
    command.arg("--data").arg(data);
    let mut window = Killed(screen.put(&mut traced(&command, trace)).spawn().unwrap());
    screen.focus("Keystation");
    let talk = || {
        let text = fs::read_to_string(trace).unwrap_or_default();
        text.contains(expected)
            && ["WebKitNetworkProcess", "WebKitWebProcess"].iter().all(|process| talks(&text, process))
    };
    wait(|| talk().then_some(()), || "the processes of the page do not talk".to_owned());
    // Closed in order: the trace is whole.
    wait(
        || {
            screen.press("alt+F4");
            window.0.try_wait().unwrap()
        },
        || "it does not close".to_owned(),
    );
    made(trace)
}

/// Whether a trace shows the start of a process, and that it called something since.
fn talks(trace: &str, process: &str) -> bool {
    let mut lines = trace.lines();
    let start = lines.find(|line| line.contains("execve(") && line.contains(process));
    let id = start.and_then(|line| line.split_whitespace().next());
    id.is_some_and(|id| lines.any(|line| line.split_whitespace().next() == Some(id)))
}

#[test]
fn the_window_makes_no_network_socket() {
    let (bench, _slot) = station();
    let families = |window, expected| families(window, &bench.data(), &bench.file("trace"), expected);
    let ships = families("keystation-desktop", "AF_UNIX");
    println!("{} sockets", ships.len());
    assert!(ships.len() > 4, "{ships:?}");
    assert!(ships.iter().all(|family| family == "AF_UNIX"), "{ships:?}");
    // The control: the program that a driver may drive leaves the environment as it is, and WebKit asks the kernel for its routes.
    let driven = families("keystation-desktop-driven", "AF_NETLINK");
    assert!(driven.iter().any(|family| family == "AF_NETLINK"), "{driven:?}");
    assert!(!driven.iter().any(|family| family.starts_with("AF_INET")), "{driven:?}");
}
