//! Group keys at a station: how they come in, what may become of them, and who may have which part of them.

#![allow(clippy::unwrap_used)] // the helpers are tests too, though clippy sees no `#[test]` on them

mod away; // what is left open by whoever is away
mod ceremony; // components from several custodians
mod check; // QA looks at a device
mod history; // who gave one component never gives another
mod life; // activated, suspended, destroyed
mod refused; // what passes the gate and is not done
mod support;
#[allow(dead_code, unreachable_pub, reason = "of a crate that has more use for it")]
#[path = "../../../../tests/src/swtpm.rs"]
mod swtpm; // the TPM's process, as the whole-station tests start it too
mod transfer; // sealed by its owner
