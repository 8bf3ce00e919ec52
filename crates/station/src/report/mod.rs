//! What leaves the station for people and other programs: lists of devices. Read from the log, never from memory.

mod file;
mod list;

pub use file::{NewFile, OutError};
pub use list::{Format, Listed, list};
