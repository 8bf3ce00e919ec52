//! What is asked of the tables before an intent or a record of a work order is taken, in the transaction of that record: whichever
//! slot, program or restart asks.

use keystation_core::failure::Code;
use keystation_core::flow::Retirement;
use keystation_core::key::{CheckValue, KeyLabel};
use keystation_core::order::OrderId;
use keystation_core::record::{Intent, Mode, OrderChange, OrderEvent, Seq};
use rusqlite::{Connection, OptionalExtension};

use crate::account::number;
use crate::batch::Batch;
use crate::batch_rules::BatchRefusal;
use crate::order_reader::Unaccounted;
use crate::retired;
use crate::work_order::{OrderState, Scrap, WorkOrder, has_place, is_scrap};

/// Why a device is not begun.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IntentRefusal {
    /// Its work order is not the one that is open.
    #[error("the work order {order} is {}", state.as_str())]
    NotOpen {
        /// Which.
        order: OrderId,
        /// What it is.
        state: OrderState,
    },
    /// Another work order is open, and every new device is made under that one.
    #[error("the work order {open} is open: every new device is made under it")]
    Past {
        /// Which is open.
        open: OrderId,
    },
    /// Its work order is for other days.
    #[error("the work order {order} is for the days from {from} to {until}, today is {day} (UTC)")]
    NotToday {
        /// Which.
        order: OrderId,
        /// The first day.
        from: String,
        /// The last day.
        until: String,
        /// The day of the record.
        day: String,
    },
    /// Its work order is for another group key.
    #[error("the work order {order} is for the group key {key} ({check_value})")]
    OtherKey {
        /// Which.
        order: OrderId,
        /// The key that it names.
        key: KeyLabel,
        /// That key's check value.
        check_value: CheckValue,
    },
    /// No place is left.
    #[error("{quantity} devices were begun under the work order {order}, as many as it is for")]
    Full {
        /// Which.
        order: OrderId,
        /// So many.
        quantity: u64,
    },
    /// It is scrap.
    #[error("the device is scrap of the work order {order}")]
    Scrap {
        /// Which.
        order: OrderId,
    },
    /// Its MAC address or serial number was keyed on another board, or may have been.
    #[error(
        "record {record} has its serial number with another MAC address, or its MAC address with another serial number"
    )]
    OtherBoard {
        /// The intent of that board.
        record: Seq,
    },
    /// It has its key under another registration ID, or may have.
    #[error("record {record} has its serial number or its MAC address under the registration ID {id}")]
    OtherId {
        /// The intent under that one.
        record: Seq,
        /// That registration ID.
        id: String,
    },
    /// It was taken out.
    #[error(transparent)]
    Retired(Retirement),
    /// Its batch of repair does not allow it.
    #[error(transparent)]
    Batch(#[from] BatchRefusal),
    /// Its key was derived for another registration ID.
    #[error("record {record} has the fingerprint of its key, for another registration ID")]
    Collision {
        /// That intent.
        record: Seq,
    },
}

impl IntentRefusal {
    /// For the operator.
    #[must_use]
    pub const fn code(&self) -> Code {
        match self {
            Self::NotOpen { .. } | Self::Past { .. } | Self::NotToday { .. } | Self::OtherKey { .. } => {
                Code::NoOrder
            }
            Self::Full { .. } => Code::OrderFull,
            Self::Scrap { .. } => Code::Scrapped,
            Self::Retired(retirement) => retirement.what.code(),
            Self::Batch(refusal) => refusal.code(),
            Self::OtherBoard { .. } => Code::OtherBoard,
            Self::OtherId { .. } => Code::AlreadyRecorded,
            Self::Collision { .. } => Code::Collision,
        }
    }
}

/// Whether a device is begun, as far as its work order, the board and its key are concerned. `day` is that of the record.
pub(crate) fn judge_intent(
    conn: &Connection,
    intent: &Intent,
    day: &str,
) -> Result<Result<(), IntentRefusal>, rusqlite::Error> {
    let device = Scrap::new(intent.id.as_str(), &intent.identity);
    // A job that is no ID of an order is one of before there were orders.
    let order =
        intent.job.parse::<OrderId>().ok().map(|id| WorkOrder::find(conn, &id)).transpose()?.flatten();
    if let Some(order) = order {
        let WorkOrder { id, terms, state, begun, .. } = &order;
        let refusal = if *state != OrderState::Open {
            IntentRefusal::NotOpen { order: id.clone(), state: *state }
        } else if day < terms.from.as_str() || day > terms.until.as_str() {
            let (from, until, day) = (terms.from.clone(), terms.until.clone(), day.to_owned());
            IntentRefusal::NotToday { order: id.clone(), from, until, day }
        } else if (&terms.key, terms.check_value) != (&intent.key.label, intent.key.check_value) {
            let (key, check_value) = (terms.key.clone(), terms.check_value);
            IntentRefusal::OtherKey { order: id.clone(), key, check_value }
        } else if is_scrap(conn, id, &device)? {
            IntentRefusal::Scrap { order: id.clone() }
        } else if *begun >= terms.quantity && !has_place(conn, &order, intent.id.as_str())? {
            IntentRefusal::Full { order: id.clone(), quantity: terms.quantity }
        } else {
            return judge_board(conn, intent, &device);
        };
        return Ok(Err(refusal));
    }
    // Repair works on devices of any time; a new one goes past no order that is open.
    let open = if intent.mode == Mode::New { WorkOrder::open(conn)? } else { None };
    match open {
        Some(WorkOrder { id, .. }) => Ok(Err(IntentRefusal::Past { open: id })),
        None => judge_board(conn, intent, &device),
    }
}

/// Who has the serial number or the MAC address, and proved a key or may hold one (its outcome is not known): another board, or the
/// same one under another registration ID, as another recipe makes it.
macro_rules! keyed_before {
    ($same:literal, $other:literal) => {
        concat!(
            "SELECT seq, rid, ", $other, " NOT IN ('', ?2) AND ?2 <> '' FROM sighting INDEXED BY sighting_", $same,
            " WHERE ", $same, " = ?1 AND (", $other, " NOT IN ('', ?2) AND ?2 <> '' OR rid <> ?3 AND ?5) AND mode <> 'refused' AND (
                  EXISTS (SELECT 1 FROM outcome WHERE outcome.intent = sighting.seq AND outcome.holds = 'new')
                  OR EXISTS (SELECT 1 FROM open_intent
                             WHERE open_intent.rid = sighting.rid AND open_intent.seq = sighting.seq))
              AND NOT EXISTS (SELECT 1 FROM retired INDEXED BY retired_rid
                              WHERE retired.rid = sighting.rid AND retired.rid <> '' AND how = 'replace'
                                AND retired.seq > sighting.seq AND retired.seq <= ?4) LIMIT 1"
        )
    };
}

fn judge_board(
    conn: &Connection,
    intent: &Intent,
    device: &Scrap,
) -> Result<Result<(), IntentRefusal>, rusqlite::Error> {
    let Scrap { rid, mac, sn } = device;
    if let Some(retirement) = retired::of_device(conn, rid, mac, sn)? {
        return Ok(Err(IntentRefusal::Retired(retirement)));
    }
    // It may have the label of the boards whose place it takes.
    let replaces = retired::replaces(conn, rid, Some(mac))?.map_or(-1, Seq::cast_signed);
    // Repair gives a board another ID, where its own is known to a stranger. That another board comes under an old label is a board
    // swap, and takes a record of its own.
    let also_ids = intent.mode == Mode::New;
    for (sql, same, other) in [(keyed_before!("sn", "mac"), sn, mac), (keyed_before!("mac", "sn"), mac, sn)] {
        if same.is_empty() {
            continue;
        }
        let found = conn
            .prepare_cached(sql)?
            .query_row((same, other, rid, replaces, also_ids), |row| {
                Ok((number(row, 0)?, row.get(1)?, row.get(2)?))
            })
            .optional()?;
        if let Some((record, id, other_board)) = found {
            let refusal = if other_board {
                IntentRefusal::OtherBoard { record }
            } else {
                IntentRefusal::OtherId { record, id }
            };
            return Ok(Err(refusal));
        }
    }
    // Also where that device failed, or is in work: no two registration IDs have one key.
    let same_key = "SELECT seq FROM sighting INDEXED BY sighting_dkfp WHERE dkfp = ?1 AND rid <> ?2 AND dkfp <> '' LIMIT 1";
    let found = conn
        .prepare_cached(same_key)?
        .query_row((intent.fingerprint.to_string(), rid), |row| number(row, 0))
        .optional()?;
    Ok(match found {
        Some(record) => Err(IntentRefusal::Collision { record }),
        None => Ok(()),
    })
}

/// Why a work order is left as it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OrderRefusal {
    /// The ID was given before, or devices of before name it.
    #[error("the log knows the work order {0} already; an ID is given once")]
    Known(OrderId),
    /// There is no such order.
    #[error("the log knows no work order {0}")]
    Unknown(OrderId),
    /// It is closed, or open already.
    #[error("the work order {order} is {} already", state.as_str())]
    State {
        /// Which.
        order: OrderId,
        /// What it is.
        state: OrderState,
    },
    /// A quantity is only raised.
    #[error("the work order {order} is for {quantity} devices already")]
    NotMore {
        /// Which.
        order: OrderId,
        /// What it is for.
        quantity: u64,
    },
    /// Its customer signed how many devices it is for.
    #[error("the customer signed how many devices the work order {0} is for: nobody here allows more")]
    Signed(OrderId),
    /// A device is scrap once.
    #[error("the device is scrap of the work order {0} already")]
    Scrap(OrderId),
    /// Devices are not accounted for.
    #[error("{} of the work order {order} are not accounted for: {}", devices(missing.count), listed(missing))]
    Unaccounted {
        /// Which.
        order: OrderId,
        /// The devices.
        missing: Unaccounted,
    },
    /// Fewer were made than ordered, and nobody says why.
    #[error("the work order {order} is {} short: closing it takes a reason", devices(*short))]
    Short {
        /// Which.
        order: OrderId,
        /// How many fewer.
        short: u64,
    },
    /// Something happened under it meanwhile.
    #[error("the counts of the work order {0} changed meanwhile")]
    Counts(OrderId),
}

fn devices(count: u64) -> String {
    if count == 1 { "1 device".to_owned() } else { format!("{count} devices") }
}

fn listed(missing: &Unaccounted) -> String {
    let more = if missing.count > missing.devices.len() as u64 { ", …" } else { "" };
    format!("{}{more}", missing.devices.join(", "))
}

/// Whether a record of a work order follows from what is in the log.
pub(crate) fn judge_order(
    conn: &Connection,
    event: &OrderEvent,
) -> Result<Result<(), OrderRefusal>, rusqlite::Error> {
    let OrderEvent { order: id, change } = event;
    let order = match (WorkOrder::find(conn, id)?, change) {
        (Some(_), OrderChange::Created(_)) => return Ok(Err(OrderRefusal::Known(id.clone()))),
        (None, OrderChange::Created(_)) => {
            // A refusal names what somebody typed.
            let named = "SELECT 1 FROM sighting WHERE job = ?1 AND mode <> 'refused' LIMIT 1";
            let known = conn.prepare_cached(named)?.exists([id.as_str()])?
                || Batch::find(conn, id.as_str())?.is_some();
            return Ok(if known { Err(OrderRefusal::Known(id.clone())) } else { Ok(()) });
        }
        (None, _) => return Ok(Err(OrderRefusal::Unknown(id.clone()))),
        (Some(order), _) => order,
    };
    if order.state == OrderState::Closed {
        return Ok(Err(OrderRefusal::State { order: id.clone(), state: order.state }));
    }
    let refusal = match change {
        OrderChange::Created(_) => return Ok(Ok(())),
        OrderChange::Opened => (order.state == OrderState::Open)
            .then(|| OrderRefusal::State { order: id.clone(), state: order.state }),
        OrderChange::Raised { .. } if !order.terms.signer.is_empty() => {
            Some(OrderRefusal::Signed(id.clone()))
        }
        OrderChange::Raised { quantity, .. } => (*quantity <= order.terms.quantity)
            .then(|| OrderRefusal::NotMore { order: id.clone(), quantity: order.terms.quantity }),
        OrderChange::Scrapped { id: rid, identity, .. } => {
            let device = Scrap::new(rid.as_ref().map_or("", |rid| rid.as_str()), identity);
            is_scrap(conn, id, &device)?.then(|| OrderRefusal::Scrap(id.clone()))
        }
        OrderChange::Closed { begun, passed, scrapped, reason } => {
            let missing = Unaccounted::of(conn, &order)?;
            let counts = (order.begun, order.passed, order.scrapped) == (*begun, *passed, *scrapped);
            if missing.count > 0 {
                Some(OrderRefusal::Unaccounted { order: id.clone(), missing })
            } else if !counts {
                Some(OrderRefusal::Counts(id.clone()))
            } else if missing.short > 0 && reason.trim().is_empty() {
                Some(OrderRefusal::Short { order: id.clone(), short: missing.short })
            } else {
                None
            }
        }
    };
    Ok(refusal.map_or(Ok(()), Err))
}
