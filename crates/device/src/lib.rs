//! Devices on serial ports.
//!
//! [`ports`] lists and opens the ports, [`place`] says where one is, [`hotplug`] waits for one to come or go,
//! [`driver::SmpDevice`] speaks the
//! injection protocol of `docs/device-protocol.md` over it as [`keystation_core::flow::Device`]. Runs on Linux.
//!
//! Everything here blocks, with a limit; a slot's thread owns its port. A request that holds a key is built, framed
//! and sent from buffers that are wiped when the call returns.

mod aside;
pub mod driver;
pub mod hotplug;
pub mod link;
pub mod place;
pub mod placed;
pub mod ports;
pub mod protocol;
pub mod scanner;
pub mod sim;
pub mod smp;
