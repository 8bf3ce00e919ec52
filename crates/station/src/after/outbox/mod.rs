//! The outbox: every record of the log, in order, at least once, to a directory or an HTTP endpoint.
//!
//! The log is the store, a number beside it is how far delivery has come. A record is delivered when it is durable, and the next one not
//! before it was taken; so nothing is lost, nothing overtakes, and after a kill at most [`KEEP`] records come a second time. They are
//! known by their number and their hash.

mod folder;
mod http;
mod status;

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use keystation_core::record::{AfterEvent, Seq};

use super::follow::{Follower, Patience, Stop};
use super::position::Position;
use crate::config::ConfigError;
use crate::error::StationError;
use crate::people::{Action, Permit};
use crate::station::Station;

pub use status::{OutboxStatus, status};

/// Delivered records that the file of the position may not know of.
pub const KEEP: u64 = 64;
/// A record that is not taken for so long gets a record.
const STALL: Duration = Duration::from_secs(60);
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
    /// The record that is delivered next.
    pub next: Seq,
    /// Records that there were.
    pub of: u64,
    /// Why it was left, in one word, if it was.
    pub why: Option<&'static str>,
}

/// When delivery ends before the station's program does.
#[derive(Debug, Clone, Copy)]
pub(super) struct Until {
    /// So many records are delivered.
    pub(super) of: u64,
    /// Nothing was taken for so long.
    pub(super) patience: Duration,
}

/// Delivers records until the station's program ends, or as `until` says.
pub(super) fn deliver(
    follower: &Follower,
    sink: &Sink,
    until: Option<Until>,
) -> Result<Delivered, StationError> {
    let reader = follower.reader()?;
    let file = follower.file(NAME);
    let kept = follower.position(NAME)?;
    let position = kept.unwrap_or_else(|| Position::at(&file, follower.origin(), 0));
    let mut delivery = Delivery { follower, position, sink, until };
    let mut left = None;
    if delivery.position.next() > follower.growth().records() {
        // Another log under the same origin: nobody may take the records of one for those of the other.
        let why = Undelivered::Ahead.word();
        follower.append(AfterEvent::OutboxStalled { next: delivery.position.next(), why })?;
        return Ok(Delivered {
            next: delivery.position.next(),
            of: follower.growth().records(),
            why: Some(why),
        });
    }
    let done = |next| until.is_some_and(|until| next >= until.of);
    'all: while !done(delivery.position.next()) {
        let Some(size) = follower.more_than(delivery.position.next()) else { break };
        let mut batch = Vec::new();
        reader.records(delivery.position.next()..size, None, |record| {
            batch.push((record.seq(), record.json().as_bytes().to_vec()));
            if (batch.len() as u64) < KEEP { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        for (seq, body) in batch {
            if let Some(why) = delivery.one(seq, &body)? {
                left = why;
                break 'all;
            }
            delivery.position.move_to(seq + 1);
            follower.reached(seq + 1);
            if done(seq + 1) {
                break;
            }
        }
        delivery.position.keep().map_err(follower.disk())?;
    }
    delivery.position.keep().map_err(follower.disk())?;
    let of = until.map_or_else(|| follower.growth().records(), |until| until.of);
    Ok(Delivered { next: delivery.position.next(), of, why: left.map(Undelivered::word) })
}

struct Delivery<'a> {
    follower: &'a Follower,
    position: Position,
    sink: &'a Sink,
    until: Option<Until>,
}

impl Delivery<'_> {
    /// Delivers one record, however long it takes. `Some`: it is left, with the reason unless the program ends.
    fn one(&mut self, seq: Seq, body: &[u8]) -> Result<Option<Option<Undelivered>>, StationError> {
        let (mut patience, began, mut told) = (Patience::new(), Instant::now(), false);
        while let Err(undelivered) = self.sink.deliver(self.follower.origin(), seq, body) {
            if self.until.is_some_and(|until| began.elapsed() >= until.patience) {
                return Ok(Some(Some(undelivered)));
            }
            if !told && began.elapsed() >= STALL {
                told = true;
                let why = undelivered.word();
                self.follower.append(AfterEvent::OutboxStalled { next: seq, why })?;
            }
            // What was delivered so far need not come again, however long this takes.
            self.position.keep().map_err(self.follower.disk())?;
            if !self.follower.rest(patience.next()) {
                return Ok(Some(None));
            }
        }
        if told {
            self.follower.append(AfterEvent::OutboxFlows { next: seq + 1 })?;
        }
        Ok(None)
    }
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
            let next = follower.position(NAME)?.map_or(0, |position| position.next());
            return Ok(Some(Delivered { next, of: until.of, why: Some("line-delivers") }));
        }
        deliver(&follower, &Sink::new(config)?, Some(until)).map(Some)
    }
}
