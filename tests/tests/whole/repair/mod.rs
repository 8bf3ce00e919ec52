//! Repair: devices that were keyed before get a key again.

mod one; // a look, and one device
