//! The driver and the simulated devices, against the vectors of the protocol and against each other.

// A test may stop at what should not be; clippy knows that only of the functions that are tests themselves.
#![allow(clippy::unwrap_used)]

mod faults; // every fault of the script, and every byte of an injection lost, doubled, turned or cut
mod inject; // the work instruction over pseudo-terminals: good devices, many, paced; and every lie
mod port; // opening, exclusivity, hang-up
mod program; // keystation-sim as a process
mod simulated; // device-protocol.json, the device's side
mod support; // a vault, a log and an order for the tests
mod vectors; // device-protocol.json, the station's side
mod wire; // the frame decoder against garbage
