//! What is asked before a record of a batch of repair is taken, in its transaction: whichever slot, program or restart asks. The same
//! is asked again of a log that somebody brings ([`crate::expected_batches`]): of the bytes of the records, by the same rules.

use base64ct::{Base64, Encoding};
use keystation_core::failure::Code;
use keystation_core::order::OrderId;
use keystation_core::record::{RowNames, Seq, row_text};
use keystation_core::repair::{Effect, ReasonCode};
use rusqlite::Connection;

use crate::batch::{Batch, BatchStep, Closing, Terms};
use crate::proof::verify_inclusion;
use crate::record::Record;
use crate::tree::{Hash, leaf_hash};
use crate::work_order::WorkOrder;

/// Why a record of a batch of repair is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BatchRefusal {
    /// The ID was given before, to a batch or a work order.
    #[error("the ID {0} was given before")]
    Known(OrderId),
    /// It does not name the one before it.
    #[error("it does not name the record before it of its kind")]
    Prior,
    /// Nobody else agreed.
    #[error("the batch {0} was approved by nobody else than who asked")]
    OnePerson(String),
    /// No batch of this ID was opened.
    #[error("no batch {0} was opened in this log")]
    Unknown(String),
    /// It was closed.
    #[error("the batch {batch} was closed in record {record}")]
    Closed {
        /// Which.
        batch: OrderId,
        /// By which record.
        record: Seq,
    },
    /// It is not what was approved.
    #[error("the batch {batch} was approved with another `{field}`")]
    Terms {
        /// Which.
        batch: OrderId,
        /// The field of the records in which the two differ.
        field: &'static str,
    },
    /// The device is not on its list.
    #[error("the device is not on the list of the batch {0}")]
    NotListed(OrderId),
    /// Another device was begun as that of the same row.
    #[error("another device was begun as row {row} of the list of the batch {batch}")]
    Taken {
        /// Which.
        batch: OrderId,
        /// The row, from 0.
        row: i64,
    },
    /// The device was done.
    #[error("the device was re-keyed in the batch {0} already")]
    Done(OrderId),
    /// No place is left.
    #[error("{quantity} devices were begun in the batch {batch}, as many as it was approved for")]
    Full {
        /// Which.
        batch: OrderId,
        /// So many.
        quantity: u64,
    },
    /// The reason asks for another key, and the record says that it is none, or that nobody can say.
    #[error("the reason {reason} asks for another key, and the effect is {effect}")]
    Effect {
        /// Why it is re-keyed.
        reason: ReasonCode,
        /// What the record says that this does.
        effect: Effect,
    },
    /// The sums of its end are not those of its records.
    #[error("the sums of the batch {0} are not those of its records")]
    Counts(OrderId),
}

impl BatchRefusal {
    /// For the operator who has the device in front of them.
    #[must_use]
    pub const fn code(&self) -> Code {
        match self {
            Self::Closed { .. } | Self::Unknown(_) | Self::Known(_) | Self::Prior | Self::Counts(_) => {
                Code::BatchClosed
            }
            Self::Terms { .. } | Self::OnePerson(_) => Code::BatchTerms,
            Self::NotListed(_) | Self::Taken { .. } => Code::NotOfBatch,
            Self::Done(_) => Code::AlreadyRekeyed,
            Self::Full { .. } => Code::BatchFull,
            Self::Effect { effect: Effect::UnknownKey, .. } => Code::UnknownKey,
            Self::Effect { .. } => Code::SameKey,
        }
    }
}

/// What was done in a batch so far.
pub(crate) trait Places {
    type Error;

    fn has_begun(&self, rid: &str) -> Result<bool, Self::Error>;
    fn has_done(&self, rid: &str) -> Result<bool, Self::Error>;
    /// Whether another device has the row.
    fn is_taken(&self, row: i64, rid: &str) -> Result<bool, Self::Error>;
    /// Devices that proved their key.
    fn done(&self) -> Result<u64, Self::Error>;
}

/// Whether an intent does what its reason asks for: by itself, whatever its batch.
pub(crate) fn judge_effect(intent: &Record<'_>) -> Result<(), BatchRefusal> {
    // Older programs said neither.
    if intent.text("profile_sha256").is_none() || intent.integer("same_key") != Some(0) {
        return Ok(());
    }
    let reason = intent.text("reason").and_then(|word| word.parse::<ReasonCode>().ok());
    let Some(reason) = reason.filter(|reason| reason.needs_new_key()) else { return Ok(()) };
    let effect = intent.text("effect").and_then(|word| Effect::named(&word)).unwrap_or_default();
    if effect == Effect::NewKey { Ok(()) } else { Err(BatchRefusal::Effect { reason, effect }) }
}

/// Whether the batch that an intent names has to be one that was opened: it is a re-key by a program that knows batches.
pub(crate) fn needs_batch(intent: &Record<'_>) -> bool {
    intent.raw_text("mode") == Some("rekey") && intent.text("effect").is_some()
}

/// Whether an intent is one of `batch`, whose terms are `approved`.
pub(crate) fn judge_member<P: Places>(
    intent: &Record<'_>,
    batch: &Batch,
    approved: &Terms,
    places: &P,
) -> Result<Result<(), BatchRefusal>, P::Error> {
    let id = || batch.id.clone();
    if !batch.judged {
        return Ok(Ok(()));
    }
    if let Some(record) = batch.closed {
        return Ok(Err(BatchRefusal::Closed { batch: id(), record }));
    }
    let rekeys = intent.raw_text("mode") == Some("rekey");
    if let Some(field) = (!rekeys).then_some("mode").or_else(|| approved.differs(&Terms::of(intent))) {
        return Ok(Err(BatchRefusal::Terms { batch: id(), field }));
    }
    if intent.operator() == intent.approver() {
        return Ok(Err(BatchRefusal::OnePerson(batch.id.to_string())));
    }
    let rid = intent.text("rid").unwrap_or_default();
    if places.has_done(&rid)? {
        return Ok(Err(BatchRefusal::Done(id())));
    }
    let row = intent.integer("row");
    match (&batch.list, row) {
        (None, None) => {
            if !places.has_begun(&rid)? && batch.begun >= batch.quantity {
                return Ok(Err(BatchRefusal::Full { batch: id(), quantity: batch.quantity }));
            }
        }
        (Some(root), Some(row)) if is_listed(intent, row, batch.quantity, root) => {
            if places.is_taken(row, &rid)? {
                return Ok(Err(BatchRefusal::Taken { batch: id(), row }));
            }
        }
        _ => return Ok(Err(BatchRefusal::NotListed(id()))),
    }
    Ok(Ok(()))
}

/// Whether a row of the list is what the device says of itself.
fn is_listed(intent: &Record<'_>, row: i64, quantity: u64, root: &Hash) -> bool {
    let text = |key| intent.text(key).unwrap_or_default();
    let said = |names: bool, key| if names { text(key) } else { Default::default() };
    let path = Base64::decode_vec(&text("path")).ok();
    let path = path.as_deref().map(|path| path.as_chunks::<32>()).filter(|(_, rest)| rest.is_empty());
    let (Some(names), Some((path, _)), Ok(row)) = (RowNames::named(&text("named")), path, u64::try_from(row))
    else {
        return false;
    };
    let text = row_text(&said(names.id, "rid"), &said(names.mac, "mac"), &said(names.serial, "sn"));
    verify_inclusion(&leaf_hash(text.as_bytes()), row, quantity, root, path).is_ok()
}

/// Whether a batch can end with these sums.
pub(crate) fn judge_closing<P: Places>(
    closing: &Closing,
    batch: &Batch,
    places: &P,
) -> Result<Result<(), BatchRefusal>, P::Error> {
    if batch.opened != closing.opened {
        return Ok(Err(BatchRefusal::Unknown(closing.id.to_string())));
    }
    if let Some(record) = batch.closed {
        return Ok(Err(BatchRefusal::Closed { batch: batch.id.clone(), record }));
    }
    if !batch.judged {
        return Ok(Ok(()));
    }
    let Closing { asked, done, failed, missing, .. } = *closing;
    let proved = places.done()?;
    let adds_up = done.checked_add(failed).and_then(|sum| sum.checked_add(missing)) == Some(asked);
    let holds =
        adds_up && asked == batch.quantity && done == proved && failed >= batch.begun.saturating_sub(done);
    Ok(if holds { Ok(()) } else { Err(BatchRefusal::Counts(batch.id.clone())) })
}

/// Whether a batch is opened by this record: `newest` is the one before it of its kind.
pub(crate) fn judge_opening(
    opening: &Record<'_>,
    batch: &Batch,
    known: bool,
    newest: Option<Seq>,
) -> Result<(), BatchRefusal> {
    if known {
        return Err(BatchRefusal::Known(batch.id.clone()));
    }
    judge_prior(opening, newest)?;
    let approver = opening.approver();
    if batch.judged && (approver.is_empty() || approver == opening.operator()) {
        return Err(BatchRefusal::OnePerson(batch.id.to_string()));
    }
    Ok(())
}

/// Whether a record names the one before it of its kind.
pub(crate) fn judge_prior(record: &Record<'_>, newest: Option<Seq>) -> Result<(), BatchRefusal> {
    let newest = newest.map_or(-1, Seq::cast_signed);
    if record.integer("prior") == Some(newest) { Ok(()) } else { Err(BatchRefusal::Prior) }
}

/// What the tables say of a batch.
struct Stored<'c>(&'c Connection, &'c Batch);

impl Places for Stored<'_> {
    type Error = rusqlite::Error;

    fn has_begun(&self, rid: &str) -> Result<bool, Self::Error> {
        self.1.has_begun(self.0, rid)
    }

    fn has_done(&self, rid: &str) -> Result<bool, Self::Error> {
        self.1.has_done(self.0, rid)
    }

    fn is_taken(&self, row: i64, rid: &str) -> Result<bool, Self::Error> {
        self.1.is_taken(self.0, row, rid)
    }

    fn done(&self) -> Result<u64, Self::Error> {
        Ok(self.1.made(self.0)?.1)
    }
}

/// Whether an intent may be taken, as far as batches of repair are concerned.
pub(crate) fn judge_intent(
    conn: &Connection,
    intent: &Record<'_>,
) -> Result<Result<(), BatchRefusal>, rusqlite::Error> {
    if let Err(refused) = judge_effect(intent) {
        return Ok(Err(refused));
    }
    let job = intent.text("job").unwrap_or_default();
    if job.is_empty() {
        return Ok(Ok(()));
    }
    match Batch::find(conn, &job)? {
        // What an older program opened binds to too little to be worked on.
        Some(Batch { id, judged: false, .. }) => {
            Ok(Err(BatchRefusal::Terms { batch: id, field: "profile_sha256" }))
        }
        Some(batch) => {
            let body: Vec<u8> = conn
                .prepare_cached("SELECT body FROM log WHERE seq = ?1")?
                .query_row([batch.opened.cast_signed()], |row| row.get(0))?;
            let opening = Record::parse(&body).expect("it was read when it was taken, and at each start");
            judge_member(intent, &batch, &Terms::of(&opening), &Stored(conn, &batch))
        }
        None if needs_batch(intent) => Ok(Err(BatchRefusal::Unknown(job.into_owned()))),
        None => Ok(Ok(())),
    }
}

/// Whether a batch may be opened or closed by this record.
pub(crate) fn judge_batch(
    conn: &Connection,
    record: &Record<'_>,
) -> Result<Result<(), BatchRefusal>, rusqlite::Error> {
    let newest = |event: &str| {
        conn.prepare_cached("SELECT max(last) FROM tally WHERE ev = ?1")?
            .query_row([event], |row| row.get::<_, Option<i64>>(0))
            .map(|seq| seq.map(i64::cast_unsigned))
    };
    match BatchStep::of(record).expect("it was read when it was admitted") {
        None => Ok(Ok(())),
        Some(BatchStep::Opened(batch)) => {
            let id = &batch.id;
            // Also where devices of a program of before name it.
            let named = "SELECT 1 FROM sighting WHERE job = ?1 AND mode <> 'refused' LIMIT 1";
            let known = Batch::find(conn, id.as_str())?.is_some()
                || WorkOrder::find(conn, id)?.is_some()
                || conn.prepare_cached(named)?.exists([id.as_str()])?;
            Ok(judge_opening(record, &batch, known, newest("rekey.open")?))
        }
        Some(BatchStep::Closed(closing)) => {
            let batch = Batch::find(conn, closing.id.as_str())?;
            let sums = match &batch {
                Some(batch) => judge_closing(&closing, batch, &Stored(conn, batch))?,
                None => Err(BatchRefusal::Unknown(closing.id.to_string())),
            };
            Ok(match sums {
                Ok(()) => judge_prior(record, newest("rekey.close")?),
                refused => refused,
            })
        }
    }
}
