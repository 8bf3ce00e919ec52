//! Repair: devices that were keyed before get a key again.

mod batch; // a few devices at once: lists, counts, campaigns
pub(crate) mod fleet; // devices that were keyed once, and hands for them
mod killed; // a thousand, and twenty kills
pub(crate) mod one; // a look, and one device
mod rotation; // a group key that is rolled, over weeks
