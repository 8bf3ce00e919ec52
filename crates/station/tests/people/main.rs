//! People at a real station: a directory, a log, files; only the clock is the test's own, and the PINs are cheap.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests too")]

mod accounts;
mod approvals;
mod counter;
mod guesses;
mod kill;
mod matrix;
mod presence;
mod support;
#[allow(unreachable_pub, dead_code, reason = "where it lives it is part of a library")]
#[path = "../../../../tests/src/swtpm.rs"]
mod swtpm;
mod unopened;
