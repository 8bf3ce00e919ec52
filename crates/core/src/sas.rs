//! SAS tokens of a device.
