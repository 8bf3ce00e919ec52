//! The work instruction against devices, vaults and logs that fail or lie at every step.

/// A station in memory with one device plugged in, and what must hold after every run of the flow.
mod bench;
/// A device in memory that can fail at any call and tell any lie.
mod board;
/// A device, a log or a vault that fails at each step, and the plugging-in that mends it.
mod faults;
/// Devices that say what is not so.
mod liars;
/// A log in memory.
mod log;
/// The order of effects, and what the records say.
mod order;
/// Repair: overwriting with permission.
mod rekey;
/// Open intents, settled by seeing the device again.
mod settle;
/// What was done, in order, and a station that dies in between.
mod trace;
