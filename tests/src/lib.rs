//! What the whole-station tests share.

pub mod bench;
pub mod binaries;
