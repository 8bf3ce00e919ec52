//! The station and the device agent, which share a specification and no code: the agent is the firmware of an
//! emulated Cortex-M3 board.

// clippy.toml allows both in tests, and sees no test in what the tests share.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test ends by a panic and prints its seed")]

mod first_key; // the published example, end to end
mod many; // sixteen boards on one line
mod parts; // vault, log and flow without the programs around them: for what these cannot be asked for
mod power_cuts; // the board loses power in the middle of injections
