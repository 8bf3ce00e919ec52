//! How far the outbox is, for whoever looks from another program.

use keystation_audit::Reader;
use keystation_core::record::Seq;

use super::NAME;
use crate::after::position::Position;
use crate::config::StationConfig;
use crate::data_dir::DataDir;
use crate::error::StationError;
use crate::station::paths;

/// How far the outbox is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutboxStatus {
    /// Whether the settings switch it on.
    pub on: bool,
    /// The record that is delivered next; while a program works, at most [`KEEP`](super::KEEP) behind.
    pub next: Seq,
    /// Records of the log.
    pub records: u64,
}

/// How far the outbox is, in a directory that another program may work in.
pub fn status(data: &DataDir) -> Result<OutboxStatus, StationError> {
    let config = StationConfig::read(&data.settings())?;
    let reader = Reader::open(&paths(data))?;
    let file = data.after().join(NAME);
    let kept = Position::read(&file, reader.verifier_key()?.name())
        .map_err(|cause| StationError::Unreadable { path: file.clone(), cause })?;
    let next = kept.map_or(0, |position| position.next());
    Ok(OutboxStatus { on: config.outbox.is_some(), next, records: reader.size()? })
}
