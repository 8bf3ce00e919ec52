//! Rough handling: what a floor does to a line in a month, in one run.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test ends by a panic and prints its seed and its counts"
)]

mod counts; // what was told, what the log says, and what the devices hold
mod hands; // who plugs in and pulls out
mod hostile; // five hundred texts that mean something to somebody else
mod month; // ten thousand devices in one run
mod outputs; // the same texts in what repair, orders and the cloud are given
mod quota; // no device more than the order is for
mod script; // what is plugged in, and what is wrong with it
mod terminal; // what stands on a terminal
