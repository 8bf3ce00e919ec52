//! Work orders for stations under test, that are at rest: made and opened past the command line, which would wait for PINs.

use std::fs;
use std::path::Path;

use keystation_audit::{Journal, OrderState, Paths, Reader, SystemClock};
use keystation_core::key::KeyLabel;
use keystation_core::order::OrderId;
use keystation_core::record::{Actor, Entry, Event, OrderChange, OrderEvent, OrderTerms};
use keystation_core::role::Role;
use sha2::{Digest, Sha256};

use crate::bench::LABEL;

/// The days of every order here: no test waits for one.
pub const DAYS: [&str; 2] = ["2026-01-01", "2099-12-31"];

/// The text of an order for the profile `test.toml`, with what `devices` says of its devices.
#[must_use]
pub fn text(id: &str, quantity: u64, check_value: &str, devices: &str) -> String {
    let [from, until] = DAYS;
    format!(
        "format = \"keystation-order/v1\"\nid = \"{id}\"\ncustomer = \"Contoso Thermostats\"\nprofile = \"test.toml\"\n\
         quantity = {quantity}\nfrom = \"{from}\"\nuntil = \"{until}\"\n\n[key]\nlabel = \"{LABEL}\"\n\
         check_value = \"{check_value}\"\n\n[devices]\n{devices}"
    )
}

/// Makes the order `id` the one that is open at the station in `data`, for any thousand devices; creates it if it is not there.
///
/// # Panics
/// If the log does not take the records.
pub fn open(data: &Path, id: &str) {
    open_for(data, id, 1000);
}

/// The same for any `quantity` of devices.
///
/// # Panics
/// If the log does not take the records.
pub fn open_for(data: &Path, id: &str, quantity: u64) {
    let paths = Paths::in_dir(data);
    let reader = Reader::open(&paths).expect("the station has a log");
    let order: OrderId = id.parse().expect("an ID");
    let known = reader.work_order(&order).expect("it is read");
    if known.as_ref().is_some_and(|known| known.state == OrderState::Open) {
        return;
    }
    let label: KeyLabel = LABEL.parse().expect("a label");
    let key = reader.known_key(&label).expect("it is read").expect("the bench imported it");
    let check_value = key.info.check_value;
    drop(reader);
    let journal = Journal::open(&paths, SystemClock::new().expect("Linux has one")).expect("it opens");
    let append = |change| {
        let actor = Actor {
            session: "0000000000000000".into(),
            operator: "sup-1".into(),
            role: Role::Supervisor.to_string(),
        };
        let event = Event::Order(OrderEvent { order: order.clone(), change });
        journal.append(&Entry { actor, event }).expect("it is taken");
    };
    if known.is_none() {
        let text = text(id, quantity, &check_value.to_string(), "");
        fs::create_dir_all(data.join("orders")).expect("the directory is ours");
        fs::write(data.join(format!("orders/{id}.toml")), &text).expect("the directory is ours");
        let [from, until] = DAYS.map(str::to_owned);
        append(OrderChange::Created(Box::new(OrderTerms {
            digest: Sha256::digest(&text).into(),
            quantity,
            key: label,
            check_value,
            profile: "test.toml".to_owned(),
            from,
            until,
            signer: String::new(),
        })));
    }
    append(OrderChange::Opened);
    journal.close().expect("it closes");
}
