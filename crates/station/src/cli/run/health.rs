//! What each slot did, at the end of a run: docs/line.md, section 6.

use std::fmt::Write as _;

use keystation::line::SlotView;
use serde_json::{Value, json};

/// A line for each slot; nothing where none was started.
pub(super) fn table(slots: &[SlotView]) -> String {
    let mut table = String::new();
    if !slots.is_empty() {
        let _ = writeln!(
            table,
            "{:<5} {:>6} {:>6} {:>6} {:>6} {:>8} {:>9}",
            "slot", "pass", "fail", "again", "lost", "yield", "contacts"
        );
    }
    for SlotView { number, health, contact, .. } in slots {
        let of_all =
            health.yield_percent().map_or_else(|| "-".to_owned(), |percent| format!("{percent:.1} %"));
        let _ = writeln!(
            table,
            "{number:<5} {:>6} {:>6} {:>6} {:>6} {of_all:>8} {:>9}",
            health.passed, health.failed, health.retries, health.lost_contacts, contact.cycles
        );
    }
    table
}

/// The same as objects.
pub(super) fn objects(slots: &[SlotView]) -> Vec<Value> {
    let object = |SlotView { number, health, contact, .. }: &SlotView| {
        json!({ "slot": number, "devices": health.devices, "passed": health.passed, "failed": health.failed,
                "retries": health.retries, "lost_contacts": health.lost_contacts,
                "yield_percent": health.yield_percent(),
                "contact": { "cycles": contact.cycles, "lost": contact.lost } })
    };
    slots.iter().map(object).collect()
}
