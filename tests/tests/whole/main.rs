//! Everything that takes more than one crate to test, in one binary.
//!
//! `cargo xtask test` builds the programs first; the tests find them beside their own executable. A name that
//! begins with `qemu::` needs the emulator, with `window::` a display, with `package::` root, a mirror and a minute, with `record::` or `rough::month::` some minutes:
//! `cargo xtask test --fast` leaves them out.

#![allow(
    clippy::unwrap_used,
    reason = "a test that panics has failed and says where; clippy knows only the test functions"
)]

mod after; // labels, hooks and the outbox, with a line, a printer that is off, an endpoint that fails, and kills
mod anchor; // a witness, and what is refused without one
mod architecture; // who may import whom, over `cargo metadata`
mod backup; // a copy of a station, and the station out of it
mod bundle; // what is handed over to verifiers
mod ceremony; // a key in components, from files, a scanner and two people at one terminal
mod clock; // a clock that is set back
mod device_witness; // a keyed device, and a log that is not the one it was keyed under
mod diagnosis; // what helps to find a fault, without a secret
mod disk; // too little room
mod dying; // the devices of a group key, beside a recount from the bundle
mod epochs; // a new log in the place of the old one
mod exports; // what leaves the station for people and other programs
mod first_key; // one device, end to end, and what is refused
mod hygiene; // the program as a process: sockets, memory, signals, who else may start
mod keys; // the life of a key in each custody, and custodies that fail in the middle of a job
mod kill; // the station killed at every step
mod lies; // devices that say OK and do something else
mod line; // all slots at once: unplugged devices, labels, a slot that is taken out
mod lives; // devices that are taken out, boards that take the place of others, what is cleaned up behind them
mod manuals; // each command of the manuals, at a station with devices
mod orders; // work orders: lists, places, signatures, what is accounted for
mod outage; // a line whose token is taken out, hangs or refuses its PIN, or whose TPM dies
mod package; // both packages, and the one of Debian on a clean Debian
mod people; // who may do what at the command line
mod qa; // a device's history, and the review
mod qemu; // the device agent as firmware of an emulated board, and power cuts
mod record; // logs up to a million records, accepted by two verifiers that share no code with the station
mod remedies; // what is said when something does not work, and whether it fits
mod repair; // devices that get a key again: one, a batch, a campaign
mod repository; // rules about the text of the repository
mod rough; // what a floor does to a line: ten thousand devices, kills in the middle, hostile texts
mod secrets; // no key and no passphrase in files, outputs or memory
mod shift; // what a shift made, by person, session and work order
mod training; // simulated devices, and nothing of production
mod window; // the real window on a virtual display
