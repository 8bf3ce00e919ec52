//! A disk that fails or is full, at each moment of a shift: never a PASS without its record, never a device that is
//! written without an intent, never a panic, and nothing lost that was acknowledged.
//!
//! This program starts itself again as the station on a disk of its own, so it has its own `main`.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it is a test, which clippy knows by the harness only"
)]

mod board; // an honest device in memory
mod full_disk; // a small disk of its own
mod head; // the system calls of the head
mod io_errors; // SQLite's calls
mod order; // which flush comes before which
mod shift; // what a station does, and what must hold afterwards
mod vfs; // SQLite's file layer with faults

use std::path::Path;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    if let [word, directory] = &arguments[..] {
        let directory = Path::new(directory);
        match word.as_str() {
            "station" => return head::station(directory),
            "small-disk" => return full_disk::on_small_disk(directory),
            _ => {}
        }
    }
    let test = |name: &str, test: fn()| {
        Trial::test(name, move || {
            test();
            Ok(())
        })
    };
    let tests = vec![
        test("an_io_error_once", io_errors::an_io_error_once),
        test("io_errors_from_one_call_on", io_errors::io_errors_from_one_call_on),
        test("no_room_once", io_errors::no_room_once),
        test("no_room_but_the_ballast", io_errors::no_room_but_the_ballast),
        test("no_room_at_all", io_errors::no_room_at_all),
        test("a_full_disk", full_disk::a_full_disk),
        test("the_head_fails_once", head::the_head_fails_once),
        test("the_head_fails_from_one_call_on", head::the_head_fails_from_one_call_on),
        test("the_head_finds_no_room_once", head::the_head_finds_no_room_once),
        test("the_disk_is_flushed_in_order", order::the_disk_is_flushed_in_order),
    ];
    // One after the other: there is one plan for the faults, and a child that is being started holds the lock of every log
    // of this process for a moment.
    let arguments = Arguments { test_threads: Some(1), ..Arguments::from_args() };
    libtest_mimic::run(&arguments, tests).exit_code()
}
