//! What leaves the station for people and other programs: lists of devices, the job sheet, the signed report. Read from
//! the log, never from memory; `docs/exports.md` describes the files.

pub(crate) mod face;
mod facts;
mod file;
mod list;
pub(crate) mod page;
mod paper;
mod parts;
mod printed;
mod sheet;
pub mod shift;
mod signed;

pub(crate) use file::rename_new;
pub use file::{NewFile, OutError};
pub use list::{Format, Listed, list};
pub use page::PageError;
pub use signed::{Judgement, Made, job_sheet, judge};
