//! MCUmgr SMP: packets, their CBOR bodies, and the frames that carry them over a serial console.
//!
//! Zephyr, *SMP protocol* and *SMP over console*:
//! <https://docs.zephyrproject.org/latest/services/device_mgmt/smp_protocol.html>,
//! <https://docs.zephyrproject.org/latest/services/device_mgmt/smp_transport.html>. What is the same for both sides
//! stands here; what a station asks is in [`crate::driver`], what a device answers in the simulated device.

pub mod body;
pub mod frame;
pub mod packet;

pub use body::Body;
pub use frame::Decoder;
pub use packet::{Header, Operation, Packet};
