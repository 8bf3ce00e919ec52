use std::fs;
use std::path::Path;
use std::process::Command;

use keystation_tests::bench::Killed;
use keystation_tests::binaries::program;

use crate::hygiene::sockets::{made, traced};

use super::page::wait;
use super::screen::Screen;
use super::station;

/// The families of the sockets that the window makes from its start until it was closed, WebKit's processes among it.
fn families(window: &str, data: &Path, trace: &Path) -> Vec<String> {
    let screen = Screen::start();
    let mut command = Command::new(program(window));
    command.arg("--data").arg(data);
    let mut window = Killed(screen.put(&mut traced(&command, trace)).spawn().unwrap());
    screen.focus("Keystation");
    // The processes that show the page and that would fetch it have begun to talk.
    let talks = || fs::read_to_string(trace).is_ok_and(|text| processes(&text) >= 3);
    wait(
        || talks().then_some(()),
        || format!("{} processes", processes(&fs::read_to_string(trace).unwrap())),
    );
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

/// Processes, not threads, in a trace: those that set up a socket pair or take over one, told by who got `SO_PASSCRED` or
/// connected.
fn processes(trace: &str) -> usize {
    let mut seen: Vec<_> = trace.lines().filter_map(|line| line.split_whitespace().next()).collect();
    seen.sort_unstable();
    seen.dedup();
    seen.len()
}

#[test]
fn the_window_makes_no_network_socket() {
    let (bench, _slot) = station();
    let families = |window| families(window, &bench.data(), &bench.file("trace"));
    let ships = families("keystation-desktop");
    println!("{} sockets", ships.len());
    assert!(ships.len() > 4, "{ships:?}");
    assert!(ships.iter().all(|family| family == "AF_UNIX"), "{ships:?}");
    // The control: the program that a driver may drive leaves the environment as it is, and WebKit asks the kernel for its routes.
    let driven = families("keystation-desktop-driven");
    assert!(driven.iter().any(|family| family == "AF_NETLINK"), "{driven:?}");
    assert!(!driven.iter().any(|family| family.starts_with("AF_INET")), "{driven:?}");
}
