//! Group keys at a station: how they come in, what may become of them, and who may have which part of them.

#![allow(clippy::unwrap_used)] // the helpers are tests too, though clippy sees no `#[test]` on them

mod ceremony; // components from several custodians
mod check; // QA looks at a device
mod history; // who gave one component never gives another
mod life; // activated, suspended, destroyed
mod refused; // what passes the gate and is not done
mod support;
mod transfer; // sealed by its owner
