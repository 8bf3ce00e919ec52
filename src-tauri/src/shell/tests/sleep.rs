//! The machine goes to sleep, or down, while the vault is open: from the signal on a real bus to the wiped keys of a real station.

use std::time::Instant;

use serde_json::json;

use super::custody::open_a_vault;
use super::staff::Staffed;
use crate::machine::tests::{Bus, Logind, SECOND, in_a_process, own_process, released};

#[test]
fn the_keys_are_gone_before_the_machine_sleeps() {
    let Some(address) = own_process() else {
        let bus = Bus::start();
        let name = "shell::tests::sleep::the_keys_are_gone_before_the_machine_sleeps";
        return in_a_process(name, &bus.address);
    };
    let logind = Logind::start(&address);
    let staffed = Staffed::new();
    open_a_vault(&staffed);
    let _watch = staffed.listen();
    let lock = logind.delay();
    assert!(staffed.station.is_unlocked());

    let size = staffed.size();
    let asked = Instant::now();
    logind.sleep(true);
    released(lock);
    assert!(!staffed.station.is_unlocked(), "wiped before the machine was let go");
    assert!(asked.elapsed() < SECOND);
    assert_eq!(staffed.since(size, "auth.away")[0]["why"], "suspend");
    assert_eq!(staffed.since(size, "auth.lock").len(), 1);
    assert_eq!(staffed.call("overview", json!({})).unwrap()["session"]["state"], "away");
}

#[test]
fn the_log_is_closed_before_the_machine_is_shut_down() {
    let Some(address) = own_process() else {
        let bus = Bus::start();
        let name = "shell::tests::sleep::the_log_is_closed_before_the_machine_is_shut_down";
        return in_a_process(name, &bus.address);
    };
    let logind = Logind::start(&address);
    let staffed = Staffed::new();
    open_a_vault(&staffed);
    let _watch = staffed.listen();
    let lock = logind.delay();

    let size = staffed.size();
    logind.shutdown(true);
    released(lock);
    assert!(!staffed.station.is_unlocked(), "wiped before the machine was let go");
    let told = ["auth.lock", "auth.logout", "log.close"].map(|event| staffed.since(size, event).len());
    assert_eq!(told, [1, 1, 1]);
}
