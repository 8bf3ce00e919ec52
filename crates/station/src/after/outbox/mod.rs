//! The outbox: every record of the log, in order, at least once, to a directory or an HTTP endpoint.
//!
//! The log is the store, a number beside it is how far delivery has come. Where a new log follows an old one, what was left of the old one
//! goes first. A record is delivered when it is durable, and the next one not
//! before it was taken; so nothing is lost, nothing overtakes, and after a kill at most [`KEEP`] records come a second time. They are
//! known by their number and their hash.

mod chain;
mod delivery;
mod folder;
mod http;
mod status;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use keystation_core::record::Seq;
use serde::Serialize;

use super::follow::Stop;
use crate::config::ConfigError;
use crate::error::StationError;
use crate::people::{Action, Permit};
use crate::station::Station;

pub(super) use delivery::{Until, deliver};
pub use status::{OlderLog, OutboxStatus, status};

/// Delivered records that the file of the position may not know of.
pub const KEEP: u64 = 64;
/// The file of the position.
const NAME: &str = "outbox";

/// Where records go.
#[derive(Debug, Clone)]
pub enum OutboxConfig {
    /// A file for each.
    Folder(PathBuf),
    /// A POST for each.
    Http(Endpoint),
}

/// An HTTP endpoint.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// `https://…`, or `http://…`.
    pub url: String,
    /// PEM: which authorities may vouch for it. With `https` there is one.
    pub ca_file: Option<PathBuf>,
    /// What is in there is sent as `Authorization: Bearer`.
    pub token_file: Option<PathBuf>,
    /// How long one delivery may take.
    pub limit: Duration,
}

/// Why a record was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Undelivered {
    /// Nobody is there.
    Away,
    /// There is no answer in time.
    Silent,
    /// Whoever is there cannot show that it is the endpoint.
    Tls,
    /// It cannot now: 5xx, 408, 425, 429, or a redirect.
    Busy,
    /// It says that it never will: 4xx.
    Refused,
    /// The disk does not take it.
    Disk,
    /// Another record lies under its name.
    Other,
    /// More was delivered than the log has.
    Ahead,
}

impl Undelivered {
    const fn word(self) -> &'static str {
        match self {
            Self::Away => "away",
            Self::Silent => "silent",
            Self::Tls => "tls",
            Self::Busy => "busy",
            Self::Refused => "refused",
            Self::Disk => "disk",
            Self::Other => "other-record",
            Self::Ahead => "ahead",
        }
    }
}

/// What takes records.
pub(super) enum Sink {
    Folder(PathBuf),
    Http(Box<http::Http>),
}

impl Sink {
    /// Reads what the settings name: certificates and token.
    pub(super) fn new(config: &OutboxConfig) -> Result<Self, ConfigError> {
        Ok(match config {
            OutboxConfig::Folder(folder) => Self::Folder(folder.clone()),
            OutboxConfig::Http(endpoint) => Self::Http(Box::new(http::Http::new(endpoint)?)),
        })
    }

    fn deliver(&self, origin: &str, seq: Seq, body: &[u8]) -> Result<(), Undelivered> {
        match self {
            Self::Folder(folder) => folder::deliver(folder, origin, seq, body),
            Self::Http(http) => http.deliver(origin, seq, body),
        }
    }
}

/// How far delivery came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    /// The log of which the next record is.
    pub log: String,
    /// Whether that is the log of now, and not one before it.
    pub is_last: bool,
    /// The record that is delivered next.
    pub next: Seq,
    /// Records that this log had; 0 where nobody knows.
    pub of: u64,
    /// Why it was left, in one word, if it was.
    pub why: Option<&'static str>,
    /// What of the logs before was found to be lost.
    pub skipped: Vec<Skipped>,
}

/// Records of a log before this one that are not delivered, and never will be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Skipped {
    /// The name of that log.
    pub log: String,
    /// The first of them.
    pub first: Seq,
    /// How many follow each other; 0 where nobody knows.
    pub count: u64,
    /// `missing`: the log is not where it was put. `damaged`: they are not there as they were signed for. `other-log`: others were
    /// delivered under its name.
    pub why: String,
}

impl Station {
    /// Delivers what the log has now, in order, until nothing was taken for `patience`. Permit: [`Action::Deliver`]. `None`: the settings
    /// switch no outbox on.
    pub fn deliver(&self, permit: &Permit, patience: Duration) -> Result<Option<Delivered>, StationError> {
        self.honour(permit, Action::Deliver)?;
        let Some(config) = &self.config().outbox else { return Ok(None) };
        let follower = self.follower(&Arc::new(Stop::default()), &Arc::new(AtomicU64::new(0)));
        let until = Until { of: self.journal().growth().records(), patience };
        if self.after().delivers() {
            // Two at once would deliver twice, and overtake each other.
            let log = follower.origin().to_owned();
            let next = follower.position(NAME)?.map_or(0, |position| position.next());
            let why = Some("line-delivers");
            return Ok(Some(Delivered { log, is_last: true, next, of: until.of, why, skipped: Vec::new() }));
        }
        deliver(&follower, &Sink::new(config)?, Some(until)).map(Some)
    }
}
