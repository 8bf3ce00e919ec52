//! A thread of the window panics under an open vault: one that works for a command, the command itself, any other.

use std::thread;

use serde_json::json;
use tauri::async_runtime::block_on;

use super::custody::{come_and_unlock, open_a_vault};
use super::staff::{Staffed, State};
use crate::machine::tests::{in_a_process, own_process};
use crate::problem::Problem;

/// Locked, recorded and said; and whoever comes back goes on.
fn locked_and_usable(staffed: &Staffed, size: u64) {
    assert!(!staffed.station.is_unlocked(), "the keys are there after the panic");
    let away = staffed.since(size, "auth.away");
    assert_eq!(away.iter().map(|record| &record["why"]).collect::<Vec<_>>(), ["panic"]);
    assert_eq!(staffed.since(size, "auth.lock").len(), 1);
    let overview = staffed.call("overview", json!({})).unwrap();
    assert_eq!(overview["session"]["state"], "away");
    assert_eq!(overview["notices"][0]["code"], Problem::PANICKED);
    come_and_unlock(staffed);
    assert!(staffed.station.is_unlocked());
}

#[test]
fn a_command_that_panics_locks_the_station_before_the_page_is_told() {
    let staffed = Staffed::new();
    open_a_vault(&staffed);
    assert_eq!(staffed.call("overview", json!({})).unwrap()["notices"], json!([]));

    let size = staffed.size();
    let work = |_: &_| -> Result<(), Problem> { panic!("a defect in the work of a command") };
    let answer = staffed.desk(|desk| block_on(desk.at_station(work)));
    assert_eq!(answer, Err(Problem::panicked()));
    locked_and_usable(&staffed, size);

    // In the command itself, while somebody types: the page has its answer all the same, and the next dialog its turn.
    staffed.station.sign_out().unwrap();
    staffed.bring("op-1", State::Open);
    staffed.lay_out_a_panic("Unlock the vault");
    let size = staffed.size();
    let refused = staffed.call("unlock", json!({})).unwrap_err();
    assert_eq!(refused, serde_json::to_value(Problem::panicked()).unwrap());
    assert_eq!(staffed.since(size, "auth.away")[0]["why"], "panic");
    come_and_unlock(&staffed);
}

#[test]
fn a_panic_on_any_thread_of_the_process_locks_the_station() {
    if own_process().is_none() {
        // What hears of panics is the process's: here none of another test may be heard.
        let name = "shell::tests::panics::a_panic_on_any_thread_of_the_process_locks_the_station";
        return in_a_process(name, "unix:path=/nonexistent/bus");
    }
    let staffed = Staffed::new();
    open_a_vault(&staffed);
    staffed.desk(|desk| desk.alarm.listen()).unwrap();
    for _ in 0..2 {
        let size = staffed.size();
        let failed = thread::spawn(|| panic!("a defect of some thread")).join();
        assert!(failed.is_err());
        while staffed.since(size, "auth.lock").is_empty() {
            thread::yield_now();
        }
        locked_and_usable(&staffed, size);
    }
}
