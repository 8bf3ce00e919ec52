//! What leaves the station for people and other programs: lists of devices, the job sheet, the signed report. Read from
//! the log, never from memory; `docs/exports.md` describes the files.

pub(crate) mod face;
mod facts;
mod file;
pub(crate) mod list;
pub(crate) mod page;
mod paper;
mod parts;
mod printed;
mod sheet;
pub mod shift;
mod signed;

pub(crate) use face::Face;
pub(crate) use file::rename_new;
pub use file::{NewFile, OutError};
pub use list::{Format, Listed, list};
pub(crate) use list::{check_value, dashed, harmless, unwritten};
pub use page::PageError;
pub(crate) use page::{INK, LEFT};
pub(crate) use paper::Paper;
pub(crate) use parts::{LEADING, head, heading, moment, pair, seal};
pub use signed::{Judgement, Made, job_sheet, judge};
