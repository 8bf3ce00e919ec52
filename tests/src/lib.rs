//! What the whole-station tests share.

pub mod bench;
pub mod binaries;
mod copy;
pub mod custody;
pub mod line;
pub mod memory_scan;
pub mod orders;
pub mod people;
pub mod production;
pub mod qemu;
pub mod sim;
pub mod swtpm;
pub mod tap;
pub mod verifiers;
